"""Indicators of living conditions: what households, persons and villages have access to."""

from __future__ import annotations

from povmon.estimate import ratio
from povmon.indicators.indicator import Good, Group, Indicator


def _share(
    id_: str,
    en: str,
    zh: str,
    top: str,
    bottom: str,
    population: str,
    text: str,
    *,
    good: Good = "high",
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
