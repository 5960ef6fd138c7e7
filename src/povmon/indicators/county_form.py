"""Totals and ratios that counties report themselves, without a sampling error."""

from __future__ import annotations

from povmon.estimate import ratio, total
from povmon.indicators.indicator import Good, Indicator


def _county(
    id_: str,
    en: str,
    zh: str,
    unit: str,
    top: str,
    bottom: str,
    text: str,
    good: Good = "high",
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
