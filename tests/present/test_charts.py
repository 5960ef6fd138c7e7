"""Charts: what they say in words, what they leave out, what they do with nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from povmon.present import charts, distributions
from povmon.present.display import Figure, Text


def test_counties_highest_first_in_words(estimates: pd.DataFrame) -> None:
    figure = charts.county_dot_chart(estimates)
    assert isinstance(figure, Figure)
    rows = estimates.query("domain_kind == 'county' and indicator == 'headcount'")
    top = f"{100 * rows['estimate'].max():.1f}"
    assert "38 estimates by county" in figure.alt
    assert f"highest in Qixingguan 七星关区 {top}" in figure.alt
    assert "hollow dot" in figure.note


def test_eighty_counties_take_two_columns(samples: Any) -> None:
    from povmon import reference

    codes = reference.counties()["county_id"].head(120)
    many = pd.DataFrame(
        [samples.row("county", code, "headcount", 0.2 + i / 400) for i, code in enumerate(codes)]
    )
    figure = charts.county_dot_chart(many, limit=80)
    assert isinstance(figure, Figure)
    assert "the 80 highest of 120" in figure.caption
    assert figure.width > 800


def test_withheld_domains_are_named(samples: Any) -> None:
    rows = [
        samples.row("area", "wumeng", "gini", 0.35),
        samples.suppressed("area", "dabie", "gini"),
    ]
    figure = charts.area_comparison_chart(pd.DataFrame(rows), "gini")
    assert isinstance(figure, Figure)
    assert "Not shown: Dabie Mountain Area 大别山区 (fewer than 30 households)" in figure.note


def test_access_names_what_is_missing(samples: Any, estimates: pd.DataFrame) -> None:
    asked = ["water_safe", "electricity", "pension_60"]
    figure = charts.access_chart(estimates, asked, "area", "wumeng")
    assert isinstance(figure, Figure)
    assert "Tap or deep-well water 25.0" in figure.alt
    assert "Not available or withheld: Pension, age 60 and over" in figure.note


def test_groups_and_deprivations(estimates: pd.DataFrame) -> None:
    groups = charts.group_chart(estimates)
    parts = charts.deprivation_chart(estimates, "area", "wumeng")
    assert isinstance(groups, Figure)
    assert "sex: Male 37.0" in groups.alt
    assert isinstance(parts, Figure)
    assert parts.alt.index("road 20.0") < parts.alt.index("food 6.0")


def test_nothing_to_draw_is_a_sentence(estimates: pd.DataFrame) -> None:
    for made in (
        charts.county_dot_chart(estimates, "pension_60"),
        charts.access_chart(estimates, ["pension_60"], "area", "wumeng"),
        charts.group_chart(estimates, "gini"),
        charts.deprivation_chart(estimates, "county"),
        distributions.distribution_chart(pd.DataFrame({"hhsize": [1]}), {}),
        distributions.lorenz_chart(pd.DataFrame({"hhsize": [1]})),
    ):
        assert isinstance(made, Text)


def test_distribution_counts_persons_by_weight() -> None:
    homes = pd.DataFrame(
        {"hhsize": [1, 4], "income_total": [1000.0, 20000.0], "w_person": [10.0, 30.0]}
    )
    figure = distributions.distribution_chart(homes, {"line": 2300.0})
    assert isinstance(figure, Figure)
    assert "25.0\u202f% of persons are below 2,300\u202fyuan (line)" in figure.alt


def test_weighted_quantile() -> None:
    values, weights = np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 2.0])
    assert distributions.weighted_quantile(values, weights, 0.5) == 2.0
    assert distributions.weighted_quantile(values, weights, 0.25) == 1.0
    assert distributions.weighted_quantile(values, weights, 1.0) == 3.0


def test_lorenz_gives_the_shares_of_the_fifths(samples: Any) -> None:
    equal = pd.DataFrame({"hhsize": [1] * 10, "income_total": [5.0] * 10})
    figure = distributions.lorenz_chart(equal)
    assert isinstance(figure, Figure)
    assert "poorest fifth of persons has 20.0 %" in figure.alt


@pytest.mark.parametrize("make", [charts.county_dot_chart, charts.area_comparison_chart])
def test_the_same_estimates_give_the_same_bytes(make: Any, estimates: pd.DataFrame) -> None:
    assert make(estimates).src == make(estimates).src
