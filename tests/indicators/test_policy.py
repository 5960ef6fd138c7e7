"""The publication policy: intervals against R, and each rule on a row that meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from povmon.indicators.policy import apply_policy, korn_graubard
from povmon.survey.config import Policy

ORACLE = Path(__file__).resolve().parents[1] / "oracles" / "estimates.json"


def test_korn_graubard_equals_r() -> None:
    oracle = json.loads(ORACLE.read_text())["synth_wr"]
    p, se = (np.array([oracle["mean_poor"][k]]) for k in ("est", "se"))
    # R takes the number of rows less one for the simple random sample's degrees of freedom.
    low, high = korn_graubard(p, se, np.array([3857.0]), np.array([276.0]))
    np.testing.assert_allclose([low[0], high[0]], oracle["ci_mean_poor"]["beta"], rtol=1e-9)


def test_korn_graubard_at_the_ends_uses_the_villages() -> None:
    one, zero = np.array([1.0]), np.array([0.0])
    low, high = korn_graubard(one, zero, np.array([80.0]), np.array([7.0]))
    assert high[0] == 1.0
    assert low[0] == pytest.approx(0.025 ** (1 / 8))
    low, high = korn_graubard(zero, zero, np.array([80.0]), np.array([7.0]))
    assert low[0] == 0.0
    assert high[0] == pytest.approx(1 - 0.025 ** (1 / 8))


def row(**change: object) -> pd.DataFrame:
    good = {
        "estimate": 0.4,
        "se": 0.02,
        "ci_low": 0.36,
        "ci_high": 0.44,
        "n": 800,
        "df": 70,
        "cv": 0.05,
        "deff": 1.3,
        "bounded": True,
    }
    return pd.DataFrame([good | change])


@pytest.mark.parametrize(
    ("change", "flag", "words"),
    [
        ({}, "", ""),
        ({"n": 29}, "suppressed", "29 households, fewer than 30"),
        ({"n": 60, "deff": 2.5}, "suppressed", "effective sample of 24, below 30"),
        ({"se": np.nan}, "suppressed", "no standard error can be estimated"),
        ({"se": 0.06}, "caution", "points wide"),
        ({"se": 0.10}, "unreliable", "points wide"),
        ({"df": 7}, "caution", "7 degrees of freedom, fewer than 8"),
        ({"bounded": False, "cv": 0.25}, "caution", "coefficient of variation 25 %"),
        ({"bounded": False, "cv": 0.40}, "unreliable", "coefficient of variation 40 %"),
    ],
)
def test_each_rule(change: dict, flag: str, words: str) -> None:
    got = apply_policy(row(**change), Policy(), villages=False).iloc[0]
    assert got["flag"] == flag
    assert words in got["reason"]
    assert np.isnan(got["estimate"]) == (flag == "suppressed")


def test_villages_have_their_own_minimum() -> None:
    got = apply_policy(row(n=24), Policy(min_villages=25), villages=True).iloc[0]
    assert got["flag"] == "suppressed"
    assert "24 villages, fewer than 25" in got["reason"]
    other = apply_policy(row(n=24), Policy(min_villages=20), villages=True).iloc[0]
    assert other["flag"] != "suppressed"


def test_limits_are_data() -> None:
    assert apply_policy(row(n=40), Policy(min_households=50), villages=False)["flag"].iloc[0] == (
        "suppressed"
    )


def test_a_suppressed_row_gives_only_what_suppresses_it() -> None:
    got = apply_policy(row(n=20, df=3, se=0.2), Policy(), villages=False).iloc[0]
    assert got["reason"] == "20 households, fewer than 30"


def test_an_index_without_a_case_is_not_certain() -> None:
    none = row(bounded=False, estimate=0.0, se=0.0, cv=np.nan)
    got = apply_policy(none, Policy(), villages=False).iloc[0]
    assert got["flag"] == "unreliable"
    assert "no case in the sample" in got["reason"]
