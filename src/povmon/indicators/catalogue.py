"""Every published indicator, defined once: label, unit, population, measure and direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from povmon.errors import unknown_name
from povmon.estimate import fgt, gini, mean, ratio, total
from povmon.estimate.measures import Measure
from povmon.indicators.multidimensional import definition, index

Frame = Literal["household", "village", "county"]
Weight = Literal["w_person", "w_hh", "w_village", "none"]
Group = Literal["money", "access", "village", "multidimensional", "county"]
# A measure for a poverty line; indicators that need no line ignore it.
Build = Callable[[float], Measure]


@dataclass(frozen=True)
class Indicator:
    """One published indicator.

    Parameters
    ----------
    id : name in ``estimates.parquet``.
    en, zh : label in English and Chinese.
    unit : ``share`` (a fraction, shown in per cent), ``money`` (the survey's money unit),
        ``index``, ``persons``, ``m2``.
    population : whom it describes, in words: the unit of analysis.
    group : money, access, village, multidimensional or county.
    good : whether a ``low`` or a ``high`` value is good; ``none`` where neither is.
    frame, weight : table and weight it is estimated from.
    needs : columns without which the survey cannot give it.
    build : its measure, given the poverty line.
    definition : one sentence.
    """

    id: str
    en: str
    zh: str
    unit: str
    population: str
    group: Group
    good: Literal["low", "high", "none"]
    frame: Frame
    weight: Weight
    needs: tuple[str, ...]
    build: Build
    definition: str


def _money(
    id_: str,
    en: str,
    zh: str,
    unit: str,
    good: Literal["low", "high", "none"],
    build: Build,
    text: str,
    needs: tuple[str, ...] = ("welfare",),
) -> Indicator:
    return Indicator(
        id_, en, zh, unit, "persons", "money", good, "household", "w_person", needs, build, text
    )


def _share(
    id_: str,
    en: str,
    zh: str,
    top: str,
    bottom: str,
    population: str,
    text: str,
    *,
    good: Literal["low", "high", "none"] = "high",
    group: Group = "access",
) -> Indicator:
    """A ratio of counts that is a share: of households, persons, villages, natural villages."""
    village = group == "village"
    return Indicator(
        id_,
        en,
        zh,
        "share",
        population,
        group,
        good,
        "village" if village else "household",
        "w_village" if village else "w_hh",
        (top, bottom),
        lambda _: ratio(top, bottom, name=id_, bounded=True),
        text,
    )


MONEY = (
    _money(
        "headcount",
        "Poverty headcount",
        "贫困发生率",
        "share",
        "low",
        lambda z: fgt("welfare", z, 0, name="headcount"),
        "Share of persons whose household's amount per person is below the line.",
    ),
    _money(
        "poverty_gap",
        "Poverty gap",
        "贫困距指数",
        "share",
        "low",
        lambda z: fgt("welfare", z, 1, name="poverty_gap"),
        "Mean shortfall from the line as a share of the line, the non-poor counting zero.",
    ),
    _money(
        "poverty_severity",
        "Poverty severity",
        "贫困强度",
        "share",
        "low",
        lambda z: fgt("welfare", z, 2, name="poverty_severity"),
        "Mean squared shortfall as a share of the line, the non-poor counting zero.",
    ),
    _money(
        "poor_total",
        "Poor persons",
        "贫困人口",
        "persons",
        "low",
        lambda z: total("poor", name="poor_total"),
        "Number of persons below the main line.",
    ),
    _money(
        "income_mean",
        "Net income per person",
        "人均纯收入",
        "money",
        "high",
        lambda z: mean("income_pc", name="income_mean"),
        "Mean over persons of the household's income per registered member.",
        ("income_pc",),
    ),
    _money(
        "consumption_mean",
        "Consumption per person",
        "人均生活消费",
        "money",
        "high",
        lambda z: mean("consumption_pc", name="consumption_mean"),
        "Mean over persons of the household's consumption per registered member.",
        ("consumption_pc",),
    ),
    _money(
        "consumption_to_income",
        "Consumption to income",
        "消费收入比",
        "index",
        "none",
        lambda z: ratio("consumption_pc", "income_pc", name="consumption_to_income"),
        "Total consumption over total income.",
        ("income_pc", "consumption_pc"),
    ),
    _money(
        "gini",
        "Gini coefficient",
        "基尼系数",
        "index",
        "low",
        lambda z: gini("welfare", name="gini"),
        "Inequality of the amount per person between persons, 0 to 1; exact definition.",
    ),
)

ACCESS = (
    _share(
        "water_safe",
        "Tap or deep-well water",
        "饮用自来水或深井水农户比重",
        "water_safe",
        "one",
        "households",
        "Main source of drinking water is tap or deep well.",
    ),
    _share(
        "water_difficulty",
        "Difficulty in getting water",
        "饮水困难农户比重",
        "water_difficulty",
        "one_water_difficulty",
        "households",
        "Water is far, high or short for part of the year.",
        good="low",
    ),
    _share(
        "electricity",
        "Electricity at home",
        "通电农户比重",
        "electricity",
        "one_electricity",
        "households",
        "The household uses electricity.",
    ),
    Indicator(
        "dwelling_area_pc",
        "Dwelling area per person",
        "人均住房面积",
        "m2",
        "households",
        "access",
        "high",
        "household",
        "w_hh",
        ("dwelling_area", "members_dwelling"),
        lambda _: ratio("dwelling_area", "members_dwelling", name="dwelling_area_pc"),
        "Total dwelling area over registered members.",
    ),
    _share(
        "dangerous_housing",
        "Dangerous dwelling",
        "危房农户比重",
        "dangerous",
        "one_dangerous",
        "households",
        "The dwelling is dangerous.",
        good="low",
    ),
    _share(
        "sanitary_toilet",
        "Sanitary toilet",
        "卫生厕所农户比重",
        "sanitary_toilet",
        "one_toilet",
        "households",
        "Flush or sanitary dry toilet.",
    ),
    _share(
        "ncms_households",
        "Medical insurance",
        "参加新农合农户比重",
        "all_insured",
        "one_insured",
        "households",
        "Every member is in a medical insurance.",
    ),
    _share(
        "debt_households",
        "In debt",
        "有负债农户比重",
        "in_debt",
        "one_debt",
        "households",
        "Debt at the end of the year above zero.",
        good="none",
    ),
    _share(
        "enrolment_7_15",
        "Enrolment, age 7-15",
        "7-15岁儿童在校率",
        "enrolled_7_15",
        "children_7_15",
        "children aged 7 to 15",
        "Children aged 7 to 15 who are in school.",
    ),
    _share(
        "illiteracy_young_adult",
        "Illiteracy, age 15-50",
        "青壮年文盲率",
        "illiterate_15_50",
        "adults_15_50",
        "persons aged 15 to 50",
        "Persons aged 15 to 50 who cannot read and write.",
        good="low",
    ),
    _share(
        "timely_care",
        "Care in time when ill",
        "有病及时就医比重",
        "cared",
        "ill",
        "persons not in good health",
        "Of persons not in good health, those who got care in time.",
    ),
    _share(
        "pension_60",
        "Pension, age 60 and over",
        "60岁及以上参加养老保险比重",
        "pension_60",
        "persons_60",
        "persons aged 60 or over",
        "Persons aged 60 or over in a pension scheme.",
    ),
    _share(
        "migrant_share",
        "Away six months or more",
        "外出半年以上人口比重",
        "away_six",
        "persons_away",
        "persons",
        "Registered persons away six months or more.",
        good="none",
    ),
)

VILLAGE = tuple(
    _share(id_, en, zh, column, f"one_{column}", "administrative villages", text, group="village")
    for id_, column, en, zh, text in (
        (
            "village_hardened_road",
            "hardened_road",
            "Hardened main road",
            "主干道路硬化的村比重",
            "The village's main road is hardened.",
        ),
        ("village_bus", "bus", "Bus service", "通客运班车的村比重", "A bus serves the village."),
        (
            "village_clinic",
            "clinic",
            "Clinic with a doctor",
            "有村医卫生室的村比重",
            "The village has a clinic with a doctor.",
        ),
        (
            "village_kindergarten",
            "kindergarten",
            "Kindergarten within reach",
            "上幼儿园便利的村比重",
            "A kindergarten is within reach.",
        ),
        (
            "village_primary_school",
            "primary_school",
            "Primary school within reach",
            "上小学便利的村比重",
            "A primary school is within reach.",
        ),
    )
) + tuple(
    _share(id_, en, zh, id_, "natural_villages", "natural villages", text, group="village")
    for id_, en, zh, text in (
        (
            "nv_road",
            "Natural villages with a road",
            "通公路的自然村比重",
            "Natural villages that a road reaches.",
        ),
        (
            "nv_electricity",
            "Natural villages with electricity",
            "通电的自然村比重",
            "Natural villages with electricity.",
        ),
        (
            "nv_telephone",
            "Natural villages with telephone",
            "通电话的自然村比重",
            "Natural villages with telephone.",
        ),
        (
            "nv_cable_tv",
            "Natural villages with cable TV",
            "通有线电视的自然村比重",
            "Natural villages with cable television.",
        ),
        (
            "nv_broadband",
            "Natural villages with broadband",
            "通宽带的自然村比重",
            "Natural villages with broadband.",
        ),
    )
)


def _multidimensional() -> tuple[Indicator, ...]:
    """H, A, M0, and for each deprivation its uncensored, censored headcount and contribution."""
    measures = index()
    needs = tuple(f"d_{j}" for j in definition().deprivations)

    def make(
        id_: str,
        en: str,
        zh: str,
        unit: str,
        measure: Measure,
        text: str,
        good: Literal["low", "high", "none"] = "low",
    ) -> Indicator:
        return Indicator(
            id_,
            en,
            zh,
            unit,
            "persons",
            "multidimensional",
            good,
            "household",
            "w_person",
            needs,
            lambda _: measure,
            text,
        )

    out = [
        make(
            "mpi_h",
            "Multidimensional headcount (H)",
            "多维贫困发生率",
            "share",
            measures.H,
            "Share of persons whose weighted deprivations reach the cut-off.",
        ),
        make(
            "mpi_a",
            "Intensity of the poor (A)",
            "多维贫困强度",
            "share",
            measures.A,
            "Mean share of weighted deprivations among the multidimensionally poor.",
        ),
        make(
            "mpi_m0",
            "Adjusted headcount (M0)",
            "多维贫困指数",
            "index",
            measures.M0,
            "Headcount times intensity.",
        ),
    ]
    for j, d in definition().deprivations.items():
        column = f"d_{j}"
        low = d.en.lower()
        out += [
            make(
                f"mpi_uncensored_{j}",
                f"Deprived: {low}",
                f"{d.zh}：被剥夺",
                "share",
                measures.uncensored(column),
                f"Share of persons deprived: {d.cutoff}.",
            ),
            make(
                f"mpi_censored_{j}",
                f"Poor and deprived: {low}",
                f"{d.zh}：贫困且被剥夺",
                "share",
                measures.censored(column),
                f"Share of persons who are multidimensionally poor and deprived: {d.cutoff}.",
            ),
            make(
                f"mpi_contribution_{j}",
                f"Contribution to M0: {low}",
                f"{d.zh}：贡献率",
                "share",
                measures.contribution(column),
                f"Share of the adjusted headcount that comes from {low}.",
                "none",
            ),
        ]
    return tuple(out)


def _county(
    id_: str,
    en: str,
    zh: str,
    unit: str,
    top: str,
    bottom: str,
    text: str,
    good: Literal["low", "high", "none"] = "high",
) -> Indicator:
    return Indicator(
        id_,
        en,
        zh,
        unit,
        "county form",
        "county",
        good,
        "county",
        "none",
        (top, *((bottom,) if bottom else ())),
        lambda _: ratio(top, bottom, name=id_) if bottom else total(top, name=id_),
        text,
    )


COUNTY = (
    _county(
        "county_rural_population",
        "Rural registered population",
        "乡村户籍人口",
        "persons",
        "rural_population",
        "",
        "Rural registered population.",
        "none",
    ),
    _county(
        "county_registered_poor",
        "Registered poor",
        "建档贫困人口",
        "persons",
        "registered_poor",
        "",
        "Persons on the register of the poor.",
        "low",
    ),
    _county(
        "county_rural_income",
        "Rural net income per person, reported",
        "农民人均纯收入",
        "yuan",
        "rural_income_total",
        "rural_population",
        "As reported by the counties, weighted by rural population.",
    ),
    _county(
        "county_gdp_pc",
        "GDP per person",
        "人均地区生产总值",
        "yuan",
        "gdp_yuan",
        "population",
        "Gross domestic product over registered population.",
    ),
    _county(
        "county_irrigated",
        "Irrigated farmland",
        "有效灌溉面积比重",
        "share",
        "irrigated",
        "farmland",
        "Irrigated over all farmland.",
    ),
    _county(
        "county_villages_road",
        "Villages with a hardened road, reported",
        "通硬化路的村比重",
        "share",
        "villages_road",
        "villages",
        "Reported administrative villages.",
    ),
    _county(
        "county_villages_water",
        "Villages with safe water, reported",
        "饮水安全的村比重",
        "share",
        "villages_water",
        "villages",
        "Reported administrative villages.",
    ),
    _county(
        "county_villages_clinic",
        "Villages with a clinic, reported",
        "有卫生室的村比重",
        "share",
        "villages_clinic",
        "villages",
        "Reported administrative villages.",
    ),
    _county(
        "county_enrolment",
        "Enrolment, age 7-15, reported",
        "7-15岁儿童在校率",
        "share",
        "enrolled_7_15",
        "children_7_15",
        "Reported enrolled children over all children.",
    ),
    _county(
        "county_funds",
        "Poverty funds",
        "扶贫资金",
        "10,000 yuan",
        "funds",
        "",
        "Poverty-alleviation funds of the year from all sources.",
        "none",
    ),
)

CATALOGUE: dict[str, Indicator] = {
    i.id: i for i in (*MONEY, *ACCESS, *VILLAGE, *_multidimensional(), *COUNTY)
}


def indicator(id_: str) -> Indicator:
    """The indicator of an estimates row; ``headcount@food`` is ``headcount`` at the line food."""
    base = id_.split("@")[0]
    if base not in CATALOGUE:
        raise unknown_name("indicator", base, CATALOGUE)
    return CATALOGUE[base]


def ids_of(group: str, estimates: pd.DataFrame) -> list[str]:
    """Indicator ids of a group (``money``, ``access`` ...) that a table of estimates has."""
    present = dict.fromkeys(estimates["indicator"])
    return [name for name in present if indicator(name).group == group]
