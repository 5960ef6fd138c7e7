"""The instructions on the cover: what whoever fills in the forms needs to know, in two languages.

Texts are templates: ``{year}``, ``{money_en}``, ``{money_zh}`` and ``{deadline}`` are filled in.
"""

from __future__ import annotations

# (English, Chinese), in the order in which they are read.
INSTRUCTIONS: tuple[tuple[str, str], ...] = (
    (
        "Fill in the sheets from left to right. Each sheet is a form, each row a record. A village "
        "belongs to a county, a household to a village, a person to a household: the codes must "
        "be the same on both sheets.",
        "按从左到右的顺序填写各表，一表一类对象，一行一条记录。村属于县，户属于村，人属于户；"
        "上下级表中的代码必须完全一致。",
    ),
    (
        "Fill in the white cells. Grey cells are given or calculated and are locked. The locks "
        "have no password: they guard against slips of the hand, not against intent. Leave the "
        "names of sheets and the three heading rows as they are, and add no columns.",
        "只填写白色单元格。灰色单元格为已给定或自动计算的内容，已锁定；保护未设密码，仅为防止误改。"
        "请勿更改工作表名称和三行表头，也不要增加列。",
    ),
    (
        "Units stand in the heading. Write the number only, never a unit, a word or a separator "
        "in the cell: 1250.5, not “1,250.5 yuan” or “about 1250”.",
        "计量单位见表头。单元格内只填数字，不要填写单位、文字或千分位分隔符："
        "填1250.5，不填“1,250.5元”或“约1250”。",
    ),
    (
        "A blank cell means that the value is not known. Write 0 only for none. Never write 0, 9, "
        "99, “-” or “none” for what is not known. Fields marked * must be filled in.",
        "空白表示数值不详。只有确实没有时才填0；不详时不要填0、9、99、“-”或“无”。带*的为必填项。",
    ),
    (
        "Lists: choose an entry from the list of the cell. Yes or no may also be typed as 1 or 0. "
        "All codes stand on the last sheet.",
        "下拉列表：从单元格的列表中选择。“是”“否”也可直接键入1或0。全部代码见最后一张工作表。",
    ),
    (
        "Codes of counties, villages and households are text: keep leading zeros. A household's "
        "code stands once among all households of the province. Persons are numbered from 1 "
        "within the household, the head first, and stand one below the other.",
        "县、村、户代码均为文本，须保留开头的0。户代码在全省范围内不得重复。"
        "人口序号在每户内从1开始编排，户主为1；同一户的成员须连续排列。",
    ),
    (
        "The household form is about all registered members, also those who work or study "
        "elsewhere (their months away stand on the person form). Income, consumption and debt are "
        "those of the whole household in {year}, in {money_en}, not per person. Income is net of "
        "the costs of production and may be negative.",
        "户表包括全部户籍人口，含外出务工、就学人员（外出月数填入人口表）。收入、消费和负债均为"
        "{year}年全户合计，单位为{money_zh}，不是人均数。收入为扣除生产费用后的纯收入，可为负数。",
    ),
    (
        "The county form is about the whole county, the village form about the whole "
        "administrative village, at the end of {year} or during {year}.",
        "县表填报全县数据，村表填报整个行政村数据，时期为{year}年全年，时点为{year}年末。",
    ),
    (
        "Weights come from the survey office, which knows the probabilities of selection. Do not "
        "change them.",
        "权数由掌握抽样概率的调查机构给出，请勿改动。",
    ),
    (
        "The year is {year} in every row. A date is written year-month-day, for example "
        "2011-03-31.",
        "各行年份均为{year}。日期按“年-月-日”填写，例如2011-03-31。",
    ),
    (
        "The first column of each sheet says what does not fit in a row, or that it is complete. "
        "Amber: a required cell is empty. Red: values contradict each other. Correct what is "
        "wrong; where an unusual value is right, leave it.",
        "每张表的第一列提示该行存在的问题，或表明该行已填写完整。黄色：必填项为空；红色：数值相互矛盾。"
        "有误的请更正，确属特殊情况的请保留。",
    ),
    (
        "When copying from elsewhere paste values only (Paste Special, Values): other pasting "
        "replaces the lists and limits of the cells.",
        "从其他文件复制时请使用“选择性粘贴—数值”，否则会覆盖单元格的下拉列表和范围限制。",
    ),
    (
        "Write no names, identity-card or telephone numbers anywhere in this workbook.",
        "本工作簿中任何位置都不要填写姓名、身份证号码或电话号码。",
    ),
    (
        "Ranges, lists and checks come from the definition of the forms, version {version}; the "
        "audit uses the same definition. What it finds goes back to the province as a list of "
        "rows to check.",
        "取值范围、代码表和核对关系均来自调查表定义（版本{version}），审核时使用同一定义。"
        "审核发现的问题将按行列出并反馈给省级机构。",
    ),
    (
        "Save the file as an Excel workbook (.xlsx) and send it {deadline_en}.",
        "请保存为Excel工作簿（.xlsx）格式，{deadline_zh}报送。",
    ),
)
