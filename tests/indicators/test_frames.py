"""Derived columns on a household small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from povmon.indicators import frames
from povmon.indicators.multidimensional import deprivations


def persons(*rows: dict) -> pd.DataFrame:
    base = {
        "household_id": "a",
        "sex": "male",
        "age": 40,
        "ethnicity": "han",
        "in_school": False,
        "schooling": 9.0,
        "literate": True,
        "health": "good",
        "timely_care": pd.NA,
        "insured": True,
        "pension": False,
        "months_away": 0.0,
    }
    frame = pd.DataFrame([base | row for row in rows])
    for name in ("in_school", "literate", "timely_care", "insured", "pension"):
        frame[name] = frame[name].astype("boolean")
    frame["age"] = frame["age"].astype("Int64")
    return frame


def roster(*rows: dict) -> pd.Series:
    return frames._roster(persons(*rows)).loc["a"]


def test_children_and_enrolment() -> None:
    got = roster({}, {"age": 7, "in_school": True}, {"age": 15}, {"age": 16, "in_school": True})
    assert got["children_7_15"] == 2
    assert got["enrolled_7_15"] == 1


def test_a_child_whose_schooling_is_unknown_is_not_counted() -> None:
    assert roster({}, {"age": 9, "in_school": pd.NA})["children_7_15"] == 0


def test_insurance_is_all_members() -> None:
    assert roster({}, {})["all_insured"] == 1
    assert roster({}, {"insured": False})["all_insured"] == 0
    assert np.isnan(roster({}, {"insured": pd.NA})["all_insured"])
    assert roster({"insured": False}, {"insured": pd.NA})["all_insured"] == 0


def test_care_counts_those_who_were_ill() -> None:
    got = roster(
        {}, {"health": "chronic", "timely_care": True}, {"health": "serious", "timely_care": False}
    )
    assert (got["ill"], got["cared"], got["uncared"]) == (2, 1, 1)


def test_schooling_is_the_best_of_the_adults() -> None:
    assert (
        roster({"schooling": 3}, {"schooling": 8}, {"age": 15, "schooling": 9})["most_schooling"]
        == 8
    )
    assert roster({"age": 12, "schooling": 5})["most_schooling"] == 0


def test_groups_of_members_carry_their_number() -> None:
    household = pd.DataFrame({"household_id": ["a"], "w_hh": [10.0], "welfare": [1.0]})
    people = persons({}, {"sex": "female"}, {"sex": "female"})
    got = frames.person_groups(people, household, "sex").set_index("sex")
    assert got.loc["female", "w_person"] == 20
    assert got["w_person"].sum() == 30


HOUSEHOLD = {
    "food_pc": 1000.0,
    "clothing_pc": 100.0,
    "children_7_15": 1.0,
    "enrolled_7_15": 1.0,
    "most_schooling": 9.0,
    "all_insured": 1.0,
    "uncared": 0.0,
    "dangerous": 0.0,
    "water_safe": 1.0,
    "water_difficulty": 0.0,
    "electricity": 1.0,
    "hardened_road": 1.0,
}


@pytest.mark.parametrize(
    ("change", "column", "want"),
    [
        ({}, "d_food", 0.0),
        ({"food_pc": 919.0}, "d_food", 1.0),
        ({"food_pc": 920.0}, "d_food", 0.0),
        ({"clothing_pc": 68.0}, "d_clothing", 1.0),
        ({"enrolled_7_15": 0.0}, "d_education", 1.0),
        ({"most_schooling": 5.0}, "d_education", 1.0),
        ({"uncared": 1.0}, "d_medical", 1.0),
        ({"all_insured": 0.0}, "d_medical", 1.0),
        ({"all_insured": np.nan}, "d_medical", np.nan),
        ({"dangerous": 1.0}, "d_housing", 1.0),
        ({"water_safe": 0.0}, "d_water", 1.0),
        ({"water_difficulty": 1.0}, "d_water", 1.0),
        ({"water_difficulty": np.nan}, "d_water", np.nan),
        ({"electricity": 0.0}, "d_power", 1.0),
        ({"hardened_road": 0.0}, "d_road", 1.0),
    ],
)
def test_deprivations(change: dict, column: str, want: float) -> None:
    got = deprivations(pd.DataFrame([HOUSEHOLD | change]), 2300.0)[column].iloc[0]
    np.testing.assert_equal(got, want)
