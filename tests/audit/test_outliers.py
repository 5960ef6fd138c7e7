"""Outliers: found where they are, rare where there are none, and named by the right column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from audit import small
from povmon.audit import robust
from povmon.audit.ledger import Ledger
from povmon.audit.outliers import check_outliers
from povmon.audit.places import check_places, far_from_others
from povmon.audit.rules import catalogue
from povmon.survey.config import Survey


def survey(**changes: Any) -> Survey:
    return Survey.model_validate({**yaml.safe_load(small.SURVEY), **changes})


def households(counties: int = 30, seed: int = 1) -> pd.DataFrame:
    """Clean households of an area: 8 villages a county, 10 households a village.

    Not the generator's model: incomes have Student's t tails, consumption follows income with an
    elasticity of a half, and households without land or debt stand among the others.
    """
    rng = np.random.default_rng(seed)
    n = counties * 80
    village = np.arange(n) // 10
    county = np.arange(n) // 80
    size = rng.integers(1, 8, n)
    level = 8.0 + 0.2 * rng.standard_normal(counties)[county]
    level = level + 0.2 * rng.standard_normal(counties * 8)[village] - 0.05 * size
    income = level + 0.45 * rng.standard_t(8, n)
    consumption = 3.8 + 0.5 * income + 0.25 * rng.standard_normal(n)
    frame = pd.DataFrame({
        "household_id": [f"5134{c:02d}{v % 8:02d}{k % 10:02d}"
                         for k, (c, v) in enumerate(zip(county, village, strict=True))],
        "village_id": [f"5134{c:02d}{v % 8:02d}" for c, v in zip(county, village, strict=True)],
        "hhsize": pd.array(size, dtype="Int64"),
        "income_total": np.exp(income) * size,
        "consumption_total": np.exp(consumption) * size,
        "dwelling_area": np.exp(3.1 + 0.35 * rng.standard_normal(n)) * size**0.5,
        "land": np.where(rng.random(n) < 0.05, 0.0, np.exp(0.5 * rng.standard_normal(n)) * size),
        "debt": np.where(rng.random(n) < 0.6, 0.0, np.exp(7 + rng.standard_normal(n))),
        "mobile_phone": pd.array(rng.poisson(2, n), dtype="Int64"),
    })  # fmt: skip
    return _placed(frame, "household")


def _placed(frame: pd.DataFrame, form: str) -> pd.DataFrame:
    key = frame[f"{form}_id"]
    return frame.assign(key=key, source_file=f"wumeng/51/{form}.csv", source_sheet="",
                        source_line=range(2, len(frame) + 2), submitted_by="51")  # fmt: skip


def ledger(**tables: pd.DataFrame) -> Ledger:
    return Ledger(dict(tables), {form: set(table.columns) for form, table in tables.items()})


def found(table: pd.DataFrame) -> pd.DataFrame:
    book = ledger(household=table)
    check_outliers(survey(), "wumeng", book)
    return book.findings()


# For land and debt nothing but places and members tells what to expect: fewer are found.
@pytest.mark.parametrize(
    ("rule", "column", "least"),
    [
        ("outlier_income", "income_total", 0.85),
        ("outlier_consumption", "consumption_total", 0.85),
        ("outlier_dwelling", "dwelling_area", 0.85),
        ("outlier_land", "land", 0.6),
        ("outlier_debt", "debt", 0.5),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_shifted_amount_is_found(rule: str, column: str, least: float, sign: int) -> None:
    """Beyond three robust standard deviations within the county, one household in a hundred."""
    table = households()
    rng = np.random.default_rng(7)
    each = np.log(table[column].where(table[column] > 0) / table["hhsize"].astype(float))
    apart = each - each.groupby(table["village_id"].str[:6]).transform("median")
    rows = rng.choice(np.flatnonzero(table[column] > 0), 24, replace=False)
    shift = sign * (3 + 1.5 * rng.random(24)) * robust.mad(apart.to_numpy())
    table.loc[rows, column] *= np.exp(shift)
    findings = found(table)
    hit = findings.loc[findings["rule"] == rule, "key"]
    assert table["household_id"].iloc[rows].isin(hit).mean() >= least


def test_flags_on_clean_households_stay_at_the_rates_of_the_rules() -> None:
    shares = [found(households(seed=s))["key"].nunique() / 2400 for s in range(4)]
    rules = [r for r in catalogue().values() if r.id.startswith("outlier_")]
    assert np.mean(shares) <= 1.5 * sum(r.rate for r in rules)
    assert 0.002 <= np.mean(shares) <= 0.02


def test_the_column_that_was_changed_is_named_and_what_was_expected() -> None:
    table = households()
    before = table.loc[100, "consumption_total"]
    table.loc[100, "consumption_total"] = before * 12
    findings = found(table)
    own = findings[findings["key"] == table.loc[100, "household_id"]]
    assert list(own["rule"]) == ["outlier_consumption"]
    assert 0.4 < own["expected"].iloc[0] / before < 2.5


def test_both_are_named_where_both_are_far_out() -> None:
    table = households()
    table.loc[100, "consumption_total"] *= 30
    table.loc[100, "income_total"] /= 60
    findings = found(table)
    own = findings[findings["key"] == table.loc[100, "household_id"]]
    assert {"outlier_income", "outlier_consumption"} <= set(own["rule"])


def test_the_order_of_rows_does_not_matter() -> None:
    table = households(10)
    mixed = table.sample(frac=1, random_state=3).reset_index(drop=True)
    one, two = found(table), found(mixed)
    assert set(zip(one["rule"], one["key"], strict=True)) == set(
        zip(two["rule"], two["key"], strict=True)
    )


@pytest.mark.parametrize(
    "spoil",
    [
        lambda t: t.assign(income_total=np.nan),
        lambda t: t.assign(income_total=0.0, consumption_total=-5.0),
        lambda t: t.assign(dwelling_area=80.0),
        lambda t: t.drop(columns=["income_total", "land"]),
        lambda t: t.head(12),
        lambda t: t.assign(hhsize=pd.array([pd.NA] * len(t), dtype="Int64")),
    ],
)
def test_strange_tables_give_no_error_and_no_flood(spoil: Any) -> None:
    table = spoil(households(5)).reset_index(drop=True)
    assert found(table)["key"].nunique() <= 0.05 * len(table)


def test_the_consumption_of_a_large_household_weighs_more() -> None:
    rules = []
    for income in (9, 1):
        table = households()
        table.loc[103, "income_total"] *= income
        table.loc[103, "consumption_total"] *= income**0.5 * 1.9
        own = found(table)
        rules.append(list(own.loc[own["key"] == table.loc[103, "household_id"], "rule"]))
    assert rules == [["outlier_ratio"], []]


def test_a_ratio_counts_for_more_where_amounts_are_large() -> None:
    rng = np.random.default_rng(2)
    before = np.exp(rng.normal(8, 1, 500))
    after = before * np.exp(0.1 * rng.standard_normal(500))
    before[0], after[0] = 50, 80
    before[1], after[1] = 500_000, 800_000
    effect, flags = robust.hidiroglou_berthelot(before, after, c=20)
    assert not flags[0] and flags[1] and abs(effect[1]) > abs(effect[0])
    after[2] = np.nan
    effect, flags = robust.hidiroglou_berthelot(before, after, rate=0.01)
    assert np.isnan(effect[2]) and not flags[2] and flags[1]


def test_hidiroglou_berthelot_by_hand() -> None:
    # Ratios 1, 1.1, 1.2, 1.3, 3: median 1.2; centred about it, times the larger value's root.
    before = np.full(5, 100.0)
    after = np.array([100.0, 110.0, 120.0, 130.0, 300.0])
    effect, flags = robust.hidiroglou_berthelot(before, after, u=0.5, c=4)
    assert effect == pytest.approx([
        -0.2 * 10, (1 - 1.2 / 1.1) * 110**0.5, 0.0, (1.3 / 1.2 - 1) * 130**0.5, 1.5 * 300**0.5,
    ])  # fmt: skip
    assert list(flags) == [False, False, False, False, True]


@pytest.mark.parametrize("draw", ["standard_normal", "gumbel", "t"])
def test_scores_keep_their_rate_under_skewness_and_heavy_tails(draw: str) -> None:
    rng = np.random.default_rng(4)
    make = {"standard_normal": rng.standard_normal, "t": lambda n: rng.standard_t(8, n),
            "gumbel": lambda n: rng.gumbel(size=n)}[draw]  # fmt: skip
    shares = []
    for _ in range(20):
        values = make(4000)
        values[:40] += 12  # one in a hundred is wrong
        scores = robust.normal_scores(values)
        assert (scores[:40] > robust.threshold(0.01)).all()
        shares.append((np.abs(scores[40:]) > robust.threshold(0.01)).mean())
    assert 0.004 <= np.mean(shares) <= 0.016


def test_the_regression_is_not_led_by_outliers() -> None:
    rng = np.random.default_rng(5)
    x = np.column_stack([np.ones(500), rng.standard_normal(500)])
    y = x @ [2.0, 0.7] + 0.1 * rng.standard_normal(500)
    y[:40] += 5
    x[40:60, 1] += 20
    assert robust.regression(y, x) == pytest.approx([2.0, 0.7], abs=0.03)
    assert list(robust.regression(y[:3], x[:3])) == [0.0, 0.0]


def counties(n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    people = rng.integers(100_000, 500_000, n)
    return _placed(pd.DataFrame({
        "county_id": [f"5134{k:02d}" for k in range(n)], "population": people,
        "rural_population": (0.8 * people).astype(int),
        "gdp": 1.2 * people * np.exp(0.2 * rng.standard_normal(n)),
        "farmland": 0.1 * people * np.exp(0.2 * rng.standard_normal(n)),
        "revenue": 300 * people * np.exp(0.2 * rng.standard_normal(n)),
        "expenditure": 900 * people * np.exp(0.2 * rng.standard_normal(n)),
        "grain": 0.5 * people * np.exp(0.1 * rng.standard_normal(n)),
        "rural_income_pc": 3000 * np.exp(0.1 * rng.standard_normal(n)),
    }), "county")  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "column"),
    [
        ("county_gdp", "gdp"), ("county_revenue", "revenue"), ("county_grain", "grain"),
        ("county_expenditure", "expenditure"), ("county_farmland", "farmland"),
        ("county_income", "rural_income_pc"),
    ],
)  # fmt: skip
def test_a_county_unlike_the_others(rule: str, column: str) -> None:
    table = counties()
    table.loc[3, column] *= 10
    book = ledger(county=table, household=households(1))
    check_places(survey(), "wumeng", book)
    own = book.findings()
    own = own[own["rule"] == rule]
    assert "513403" in set(own["key"]) and len(own) <= 2
    assert own.loc[own["key"] == "513403", "expected"].iloc[0] == pytest.approx(
        table.loc[3, column] / 10, rel=0.7
    )
    few = ledger(county=table.head(8), household=households(1))
    check_places(survey(), "wumeng", few)
    assert few.findings().empty


def test_places_without_a_ratio_are_left_alone() -> None:
    flags, usual = far_from_others(np.array([np.nan, 0.0, -1.0] + [2.0] * 12), 10, 0.01)
    assert not flags.any() and usual == pytest.approx(2.0)


def test_a_village_unlike_its_sample() -> None:
    homes = households(10)
    size = homes.groupby("village_id")["hhsize"].mean().astype(float)
    villages = pd.DataFrame({"village_id": size.index, "households": 100,
                             "population": (100 * size).to_numpy()})  # fmt: skip
    villages.loc[5, "population"] *= 4
    rng = np.random.default_rng(8)
    villages["population"] *= np.exp(0.1 * rng.standard_normal(len(villages)))
    book = ledger(village=_placed(villages, "village"), household=homes)
    check_places(survey(), "wumeng", book)
    own = book.findings()
    assert villages.loc[5, "village_id"] in set(own["key"]) and len(own) <= 3
    assert set(own["rule"]) == {"village_size_rows"}


def _with_places(homes: pd.DataFrame) -> pd.DataFrame:
    return homes.assign(county_id=homes["village_id"].str[:6], w_hh=10.0)


def test_counties_against_the_previous_survey(root: Path) -> None:
    before, now = _with_places(households(20, seed=1)), _with_places(households(20, seed=2))
    folder = root / "data" / "processed" / "before" / "wumeng"
    folder.mkdir(parents=True)
    before.to_parquet(folder / "household.parquet")
    now.loc[now["county_id"] == "513407", "income_total"] *= 6
    book = ledger(household=now)
    check_places(survey(previous="before"), "wumeng", book)
    own = book.findings()
    assert ("513407", "income_total") in set(zip(own["key"], own["column"], strict=True))
    assert len(own) <= 3 and set(own["rule"]) == {"county_previous"}


def test_a_previous_survey_that_is_not_there(root: Path) -> None:
    book = ledger(household=_with_places(households(2)))
    check_places(survey(previous="before"), "wumeng", book)
    assert list(book.findings()["rule"]) == ["previous_missing"]
