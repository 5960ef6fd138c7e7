"""The four forms of a baseline survey, defined once.

From here come the pandera schema, the codebook, the generator's output and the reader's types.
Income and consumption are the survey's money unit a year for the whole household.
"""

from __future__ import annotations

from povmon.survey.fields import Codes, Field, Form


def _id(name: str, en: str, zh: str) -> Field:
    return Field(name, "id", en, zh, required=True)


def _count(name: str, en: str, zh: str, unit: str, required: bool = False) -> Field:
    return Field(name, "integer", en, zh, unit, minimum=0, required=required)


def _amount(name: str, en: str, zh: str, unit: str, minimum: float | None = 0.0) -> Field:
    return Field(name, "number", en, zh, unit, minimum=minimum)


def _yes(name: str, en: str, zh: str, note: str = "") -> Field:
    return Field(name, "boolean", en, zh, note=note)


def _code(name: str, en: str, zh: str, codes: Codes, required: bool = False) -> Field:
    return Field(name, "code", en, zh, codes=codes, required=required)


YEAR = Field("year", "integer", "Reference year", "年份", minimum=1949, maximum=2100, required=True)
COUNTY_ID = _id("county_id", "County code", "县代码")
VILLAGE_ID = _id("village_id", "Village code", "村代码")
HOUSEHOLD_ID = _id("household_id", "Household code", "户代码")

STRUCTURE: Codes = {
    "concrete": ("Reinforced concrete", "钢筋混凝土"),
    "brick_concrete": ("Brick and concrete", "砖混"),
    "brick_timber": ("Brick and timber", "砖木"),
    "adobe": ("Adobe or rammed earth", "土坯"),
    "bamboo_grass": ("Bamboo, grass or felt", "竹草毡"),
    "other": ("Other", "其他"),
}
WATER: Codes = {
    "tap": ("Tap water", "自来水"),
    "deep_well": ("Deep well", "深井水"),
    "shallow_well": ("Shallow well", "浅井水"),
    "surface": ("River, lake or pond", "江河湖塘水"),
    "rain_cellar": ("Rain cellar", "水窖"),
    "other": ("Other", "其他"),
}
TOILET: Codes = {
    "flush": ("Flush toilet", "水冲式厕所"),
    "sanitary_dry": ("Sanitary dry toilet", "卫生旱厕"),
    "dry": ("Simple dry toilet", "旱厕"),
    "none": ("No toilet", "无厕所"),
}
FUEL: Codes = {
    "electricity": ("Electricity", "电"),
    "gas": ("Bottled or piped gas, biogas", "煤气、沼气"),
    "coal": ("Coal", "煤炭"),
    "wood": ("Firewood, straw or dung", "柴草、畜粪"),
    "other": ("Other", "其他"),
}
CAUSE: Codes = {
    "none": ("Not poor", "不贫困"),
    "illness": ("Illness", "因病"),
    "disability": ("Disability", "因残"),
    "schooling": ("Cost of schooling", "因学"),
    "disaster": ("Disaster", "因灾"),
    "land": ("Lack of land", "缺土地"),
    "water": ("Lack of water", "缺水"),
    "skills": ("Lack of skills", "缺技术"),
    "labour": ("Lack of labour", "缺劳力"),
    "funds": ("Lack of funds", "缺资金"),
    "transport": ("Poor transport", "交通条件落后"),
    "other": ("Other", "其他"),
}
SEX: Codes = {"male": ("Male", "男"), "female": ("Female", "女")}
RELATION: Codes = {
    "head": ("Head", "户主"),
    "spouse": ("Spouse", "配偶"),
    "child": ("Child", "子女"),
    "child_in_law": ("Child-in-law", "媳婿"),
    "grandchild": ("Grandchild", "孙子女"),
    "parent": ("Parent or parent-in-law", "父母或岳父母"),
    "grandparent": ("Grandparent", "祖父母"),
    "sibling": ("Brother or sister", "兄弟姐妹"),
    "other": ("Other", "其他"),
}
ETHNICITY: Codes = {
    "han": ("Han", "汉族"),
    "minority": ("Ethnic minority", "少数民族"),
}
HEALTH: Codes = {
    "good": ("Good", "健康"),
    "chronic": ("Chronic illness", "慢性病"),
    "serious": ("Serious illness", "大病"),
    "disabled": ("Disabled", "残疾"),
}
WORK: Codes = {
    "farm": ("Farming", "务农"),
    "local": ("Non-farm work in the county", "本地非农就业"),
    "migrant": ("Work outside the county", "外出务工"),
    "student": ("In school", "在校学生"),
    "none": ("Not working", "未就业"),
}

COUNTY = Form(
    "county",
    "County form",
    "县表",
    ("county_id",),
    None,
    (
        COUNTY_ID,
        YEAR,
        _count("population", "Registered population", "户籍人口", "persons"),
        Field(
            "rural_population",
            "integer",
            "Rural registered population",
            "乡村户籍人口",
            "persons",
            minimum=1,
            required=True,
        ),
        _count("rural_households", "Rural households", "乡村户数", "households"),
        _count("registered_poor", "Registered poor", "建档贫困人口", "persons"),
        _amount("rural_income_pc", "Rural net income per person", "农民人均纯收入", "yuan"),
        _amount("gdp", "Gross domestic product", "地区生产总值", "10,000 yuan"),
        _amount("revenue", "Fiscal revenue", "地方财政收入", "10,000 yuan"),
        _amount("expenditure", "Fiscal expenditure", "地方财政支出", "10,000 yuan"),
        _amount("farmland", "Farmland", "耕地面积", "hectares"),
        _amount("irrigated", "Irrigated farmland", "有效灌溉面积", "hectares"),
        _amount("grain", "Grain output", "粮食产量", "tonnes"),
        _count("villages", "Administrative villages", "行政村数", "villages", required=True),
        _count("villages_road", "Villages with a hardened road", "通硬化路的村", "villages"),
        _count("villages_bus", "Villages with a bus", "通客车的村", "villages"),
        _count("villages_water", "Villages with safe water", "饮水安全的村", "villages"),
        _count("villages_clinic", "Villages with a clinic", "有卫生室的村", "villages"),
        _count("villages_power", "Villages with power", "通电的村", "villages"),
        _count("children_7_15", "Children aged 7 to 15", "7至15岁儿童", "persons"),
        _count("enrolled_7_15", "Enrolled children aged 7 to 15", "7至15岁在校儿童", "persons"),
        _amount("funds_central", "Poverty funds, central", "中央扶贫资金", "10,000 yuan"),
        _amount("funds_provincial", "Poverty funds, provincial", "省级扶贫资金", "10,000 yuan"),
        _amount("funds_other", "Poverty funds, other sources", "其他扶贫资金", "10,000 yuan"),
        _amount("use_production", "Funds used for production", "用于产业发展", "10,000 yuan"),
        _amount(
            "use_infrastructure", "Funds used for infrastructure", "用于基础设施", "10,000 yuan"
        ),
        _amount("use_social", "Funds used for social services", "用于社会事业", "10,000 yuan"),
        _amount("use_other", "Funds used otherwise", "其他用途", "10,000 yuan"),
    ),
)

VILLAGE = Form(
    "village",
    "Village form",
    "村表",
    ("village_id",),
    ("county", "county_id"),
    (
        VILLAGE_ID,
        COUNTY_ID,
        YEAR,
        Field(
            "w_village",
            "number",
            "Village weight",
            "村权数",
            "villages",
            minimum=1e-9,
            required=True,
            note="one over the village's probability of selection",
        ),
        Field(
            "households",
            "integer",
            "Registered households",
            "户籍户数",
            "households",
            minimum=1,
            required=True,
        ),
        _count("population", "Registered population", "户籍人口", "persons"),
        _count("natural_villages", "Natural villages", "自然村数", "natural villages"),
        _count("nv_road", "Natural villages with a road", "通公路的自然村", "natural villages"),
        _count(
            "nv_electricity",
            "Natural villages with electricity",
            "通电的自然村",
            "natural villages",
        ),
        _count(
            "nv_telephone", "Natural villages with telephone", "通电话的自然村", "natural villages"
        ),
        _count(
            "nv_cable_tv",
            "Natural villages with cable TV",
            "通有线电视的自然村",
            "natural villages",
        ),
        _count(
            "nv_broadband", "Natural villages with broadband", "通宽带的自然村", "natural villages"
        ),
        _yes("hardened_road", "Main road hardened", "主干道路硬化"),
        _yes("bus", "Bus service", "通客运班车"),
        _yes("kindergarten", "Kindergarten within reach", "上幼儿园便利"),
        _yes("primary_school", "Primary school within reach", "上小学便利"),
        _yes("clinic", "Clinic with a doctor", "有村医的卫生室"),
        _amount("distance_km", "Distance to the township", "到乡镇距离", "km"),
        Field("altitude_m", "number", "Altitude", "海拔", "m", minimum=-160, maximum=6000),
        _yes("disaster", "Struck by disaster in the year", "当年受灾"),
        _amount("collective_income", "Collective income", "村集体收入", "yuan"),
    ),
)

INCOME_PARTS = ("income_wages", "income_business", "income_property", "income_transfer")
CONSUMPTION_PARTS = (
    "consumption_food",
    "consumption_clothing",
    "consumption_housing",
    "consumption_equipment",
    "consumption_transport",
    "consumption_education",
    "consumption_health",
    "consumption_other",
)

HOUSEHOLD = Form(
    "household",
    "Household form",
    "户表",
    ("household_id",),
    ("village", "village_id"),
    (
        HOUSEHOLD_ID,
        VILLAGE_ID,
        YEAR,
        Field(
            "w_hh",
            "number",
            "Household weight",
            "户权数",
            "households",
            minimum=1e-9,
            required=True,
            note="one over the household's probability of selection",
        ),
        Field(
            "hhsize",
            "integer",
            "Registered members",
            "户籍人口",
            "persons",
            minimum=1,
            maximum=30,
            required=True,
        ),
        Field(
            "dwelling_area", "number", "Dwelling area", "住房面积", "m2", minimum=0, maximum=2000
        ),
        _code("structure", "Structure of the dwelling", "住房结构", STRUCTURE),
        _yes("dangerous", "Dangerous dwelling", "危房"),
        _code("water", "Main source of drinking water", "饮用水来源", WATER),
        _yes(
            "water_difficulty",
            "Difficulty in getting drinking water",
            "饮水困难",
            "more than one km or 100 m of height away, or short for part of the year",
        ),
        _code("toilet", "Toilet", "厕所", TOILET),
        _code("fuel", "Main cooking fuel", "主要炊事燃料", FUEL),
        _yes("electricity", "Electricity", "通电"),
        _count("tv", "Colour televisions", "彩色电视机", "sets"),
        _count("refrigerator", "Refrigerators", "电冰箱", "sets"),
        _count("washing_machine", "Washing machines", "洗衣机", "sets"),
        _count("mobile_phone", "Mobile phones", "移动电话", "sets"),
        _count("motorcycle", "Motorcycles", "摩托车", "vehicles"),
        Field("land", "number", "Farmland used", "经营耕地", "mu", minimum=0, maximum=2000),
        _amount("income_wages", "Wage income", "工资性收入", "money"),
        _amount(
            "income_business", "Net income from household business", "家庭经营纯收入", "money", None
        ),
        _amount("income_property", "Property income", "财产性收入", "money", None),
        _amount("income_transfer", "Transfer income", "转移性收入", "money", None),
        _amount("income_total", "Total net income", "纯收入合计", "money", None),
        _amount("consumption_food", "Food", "食品", "money"),
        _amount("consumption_clothing", "Clothing", "衣着", "money"),
        _amount("consumption_housing", "Housing", "居住", "money"),
        _amount("consumption_equipment", "Household equipment", "家庭设备用品", "money"),
        _amount("consumption_transport", "Transport and communication", "交通通讯", "money"),
        _amount("consumption_education", "Education and recreation", "文教娱乐", "money"),
        _amount("consumption_health", "Health care", "医疗保健", "money"),
        _amount("consumption_other", "Other consumption", "其他", "money"),
        _amount("consumption_total", "Total consumption", "生活消费合计", "money"),
        _amount("debt", "Debt at the end of the year", "年末负债", "money"),
        _code("cause", "Main cause of poverty", "主要致贫原因", CAUSE),
        _yes("dibao", "Receives the minimum living guarantee", "享受低保"),
        _yes("project", "Took part in a poverty project", "参加扶贫项目"),
        _code("head_sex", "Sex of the head", "户主性别", SEX),
        Field(
            "head_age", "integer", "Age of the head", "户主年龄", "years", minimum=10, maximum=110
        ),
        Field(
            "interviewer",
            "id",
            "Interviewer code",
            "调查员代码",
            optional=True,
            note="a code without personal data; lets the audit compare interviewers",
        ),
        Field(
            "minutes",
            "integer",
            "Length of the interview",
            "访问时长",
            "minutes",
            minimum=1,
            maximum=600,
            optional=True,
        ),
    ),
)

PERSON = Form(
    "person",
    "Person form",
    "人口表",
    ("household_id", "line"),
    ("household", "household_id"),
    (
        HOUSEHOLD_ID,
        Field("line", "integer", "Line number", "序号", minimum=1, maximum=30, required=True),
        YEAR,
        _code("sex", "Sex", "性别", SEX),
        Field("age", "integer", "Age", "年龄", "years", minimum=0, maximum=110),
        _code("relation", "Relation to the head", "与户主关系", RELATION),
        _code("ethnicity", "Ethnicity", "民族", ETHNICITY),
        _yes("in_school", "In school", "在校"),
        Field(
            "schooling",
            "number",
            "Years of schooling",
            "受教育年限",
            "years",
            minimum=0,
            maximum=25,
        ),
        _yes("literate", "Can read and write", "识字"),
        _code("health", "Health", "健康状况", HEALTH),
        _yes("timely_care", "Got care in time when ill", "有病能及时就医"),
        _yes("insured", "In a medical insurance", "参加医疗保险"),
        _yes("pension", "In a pension scheme", "参加养老保险"),
        _code("work", "Main work", "主要就业", WORK),
        Field(
            "months_away",
            "number",
            "Months away in the year",
            "外出月数",
            "months",
            minimum=0,
            maximum=12,
        ),
    ),
)

FORMS: dict[str, Form] = {f.name: f for f in (COUNTY, VILLAGE, HOUSEHOLD, PERSON)}
