"""Kinds of error of the household and person forms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS
from povmon.synthetic.assumptions import load
from povmon.synthetic.plant import (
    Plant,
    above,
    equal,
    every,
    far_slip,
    numbers,
    plain,
    scaled,
    shifted,
    write,
    wrong_total,
)

INCOME = (*INCOME_PARTS, "income_total")
CONSUMPTION = (*CONSUMPTION_PARTS, "consumption_total")
AMOUNTS = (*INCOME_PARTS, *CONSUMPTION_PARTS)
FULL_WIDTH = {ord("0") + k: 0xFF10 + k for k in range(10)}
# The first byte of this word in GB18030 cannot begin a character in UTF-8, so the two encodings
# are told apart with certainty (a lone "约" could be read as either).
ABOUT = "大约"
MU_PER_HECTARE = 15
Values = dict[str, list[str]]
Rng = np.random.Generator


def _not_poor(frame: pd.DataFrame) -> np.ndarray:
    """Above the poverty line: slips that make such a household poor bias the headcount."""
    return numbers(frame, "income_total") > load()["poverty_line"] * numbers(frame, "hhsize")


def _wrong_size(rows: pd.DataFrame, rng: Rng) -> Values:
    size = numbers(rows, "hhsize")
    step = np.where(size > 1, rng.choice([-1, 1, 2], len(rows)), 1)
    return {"hhsize": plain(size + step)}


def _digit_lost(rows: pd.DataFrame, rng: Rng) -> Values:
    return {"income_total": plain(np.floor(numbers(rows, "income_total") / 10))}


def _largest_part(rows: pd.DataFrame, rng: Rng) -> Values:
    """The larger of wages and business ten times too high; the other as it was."""
    values = {c: numbers(rows, c) for c in ("income_wages", "income_business")}
    wages = values["income_wages"] >= values["income_business"]
    return {
        "income_wages": plain(values["income_wages"] * np.where(wages, 10, 1)),
        "income_business": plain(values["income_business"] * np.where(wages, 1, 10)),
    }


def _round(rows: pd.DataFrame, rng: Rng) -> Values:
    """All amounts in round figures, as of one who guesses; totals are added up from them."""
    out = {}
    for column in AMOUNTS:
        value = numbers(rows, column)
        step = np.where(np.abs(value) >= 1000, 500, 100)
        out[column] = np.rint(value / step) * step
    totals = {
        "income_total": np.sum([out[c] for c in INCOME_PARTS], axis=0),
        "consumption_total": np.sum([out[c] for c in CONSUMPTION_PARTS], axis=0),
    }
    return {c: plain(v) for c, v in (out | totals).items()}


def _other_age(rows: pd.DataFrame, rng: Rng) -> Values:
    """The head's age on the household form is not the one on the roster."""
    age = numbers(rows, "head_age")
    step = rng.integers(3, 20, len(rows)) * np.where(age > 60, -1, 1)
    return {"head_age": plain(age + step)}


def _orphan(rows: pd.DataFrame, rng: Rng) -> Values:
    lost = rng.integers(60, 99, len(rows))
    ids = rows["household_id"]
    return {"household_id": [f"{i[:-2]}{k:02d}" for i, k in zip(ids, lost, strict=True)]}


def _too_much_school(rows: pd.DataFrame, rng: Rng) -> Values:
    return {"schooling": plain(numbers(rows, "age") + rng.integers(1, 4, len(rows)))}


def _age_8_to_15(frame: pd.DataFrame) -> np.ndarray:
    age = numbers(frame, "age")
    return (age >= 8) & (age <= 15)


def _child_as_old(rows: pd.DataFrame, rng: Rng) -> Values:
    """A child of the head about as old as the head, or older."""
    age = rows["age_of_head"].to_numpy(dtype=float) + rng.integers(-8, 11, len(rows))
    return {"age": plain(np.clip(age, 20, 105))}


def _student(frame: pd.DataFrame) -> np.ndarray:
    return ((frame["work"] == "student") & (frame["in_school"] == "1")).to_numpy()


def _not_first(frame: pd.DataFrame) -> np.ndarray:
    return (frame["line"] != "1").to_numpy()


PARTS_AND_TOTAL = ("income_total", *INCOME_PARTS)
GROUPS_AND_TOTAL = ("consumption_total", *CONSUMPTION_PARTS)
ROSTER = ("", "relation", "hhsize")

HOUSEHOLD_PLANTS: tuple[Plant, ...] = (
    # Slips that make a household poor, planted by area (`errors.by_area`).
    Plant("income_total_slip", "household", "logical",
          "the last digit of total income dropped", _not_poor, _digit_lost,
          ("income_total",), INCOME_PARTS),
    Plant("income_ten_thousand", "household", "statistical", "all income in 10,000 yuan",
          _not_poor, scaled(INCOME, 1e-4), INCOME),
    Plant("income_tenth", "household", "statistical", "all income ten times too low",
          far_slip("income_total", 10, _not_poor), scaled(INCOME, 0.1, whole=True), INCOME),
    Plant("income_monthly", "household", "statistical", "income of a month for that of a year",
          far_slip("income_total", 12, _not_poor), scaled(INCOME, 1 / 12, whole=True), INCOME),
    # Other errors in amounts.
    Plant("income_tenfold", "household", "statistical", "all income ten times too high",
          far_slip("income_total", 10, above("income_total", 1000)), scaled(INCOME, 10.0), INCOME),
    Plant("income_shift", "household", "statistical",
          "all income 3.5 to 8 robust standard deviations too high or too low",
          above("income_total", 1000), shifted(INCOME, "income_total"), INCOME),
    Plant("income_sum", "household", "logical", "the parts do not give the total income",
          above("income_total", 500), wrong_total("income_total"), ("income_total",),
          INCOME_PARTS),
    Plant("income_part_tenfold", "household", "logical",
          "the largest part of income ten times too high, the total right",
          lambda f: (numbers(f, "income_wages") > 500) & (numbers(f, "income_business") > 500),
          _largest_part, ("income_wages", "income_business"), PARTS_AND_TOTAL),
    Plant("income_missing", "household", "logical", "total income left blank", every,
          write("income_total", ""), ("income_total",), INCOME_PARTS),
    Plant("income_refused", "household", "logical", "all income left blank", every,
          lambda rows, rng: {c: [""] * len(rows) for c in INCOME}, INCOME),
    Plant("income_text", "household", "logical", "words in a number", above("income_wages", 100),
          lambda rows, rng: {"income_wages": [f"{ABOUT}{v}" for v in rows["income_wages"]]},
          ("income_wages",)),
    Plant("income_fullwidth", "household", "logical", "full-width digits",
          above("income_total", 100),
          lambda rows, rng: {"income_total": [v.translate(FULL_WIDTH)
                                              for v in rows["income_total"]]},
          ("income_total",)),
    Plant("consumption_unit_written", "household", "logical", "the unit written into the cell",
          above("consumption_food", 100),
          lambda rows, rng: {"consumption_food": [f"{v}元" for v in rows["consumption_food"]]},
          ("consumption_food",)),
    Plant("consumption_sum", "household", "logical", "the groups do not give total consumption",
          above("consumption_total", 500), wrong_total("consumption_total"),
          ("consumption_total",), CONSUMPTION_PARTS),
    Plant("consumption_shift", "household", "statistical",
          "all consumption 3.5 to 8 robust standard deviations too high or too low",
          above("consumption_total", 1000), shifted(CONSUMPTION, "consumption_total"),
          CONSUMPTION),
    Plant("amounts_heaped", "household", "statistical",
          "all amounts in round hundreds and five hundreds", above("income_total", 4000), _round,
          (*INCOME, *CONSUMPTION), ("",)),
    Plant("land_hectares", "household", "statistical", "farmland in hectares instead of mu",
          far_slip("land", MU_PER_HECTARE, above("land", 2)),
          scaled(("land",), 1 / MU_PER_HECTARE), ("land",)),
    Plant("dwelling_shift", "household", "statistical",
          "dwelling area 3.5 to 8 robust standard deviations too large or too small",
          above("dwelling_area", 15), shifted(("dwelling_area",), "dwelling_area"),
          ("dwelling_area",)),
    # Codes, weights, and the household against its roster.
    Plant("water_code", "household", "logical", "a water source that is not in the code list",
          every, write("water", "9", "spring", "unknown"), ("water",)),
    Plant("weight_missing", "household", "logical", "weight left blank", every,
          write("w_hh", ""), ("w_hh",)),
    Plant("weight_negative", "household", "logical", "negative weight", every,
          lambda rows, rng: {"w_hh": ["-" + v for v in rows["w_hh"]]}, ("w_hh",)),
    Plant("weight_tenth", "household", "logical",
          "a weight a tenth of that of the village's other households", every,
          scaled(("w_hh",), 0.1), ("w_hh",)),
    Plant("roster_size", "household", "logical", "registered members differ from the roster",
          every, _wrong_size, ("hhsize",), ("",), "household"),
    Plant("head_age_differs", "household", "logical",
          "the head's age differs from the roster", above("head_age", 15), _other_age,
          ("head_age",), ("age",), "household"),
)  # fmt: skip

PERSON_PLANTS: tuple[Plant, ...] = (
    Plant("person_orphan", "person", "logical",
          "a person of a household that is not in the file", _not_first, _orphan,
          ("household_id",), ("", "hhsize"), "household"),
    Plant("two_heads", "person", "logical", "a second head", equal("relation", "spouse"),
          write("relation", "head"), ("relation",), ROSTER, "household"),
    Plant("head_missing", "person", "logical", "a household without a head",
          equal("relation", "head"), write("relation", "other"), ("relation",), ROSTER,
          "household"),
    Plant("age_range", "person", "logical", "an age that nobody has", every,
          write("age", "150", "199", "-1", "999"), ("age",)),
    Plant("sex_code", "person", "logical", "a sex that is not in the code list", every,
          write("sex", "3", "x", "unknown"), ("sex",)),
    Plant("relation_code", "person", "logical", "a relation that is not in the code list",
          _not_first, write("relation", "99", "cousin"), ("relation",)),
    Plant("schooling_above_age", "person", "logical", "more years of schooling than of life",
          _age_8_to_15, _too_much_school, ("schooling",), ("age",)),
    Plant("child_as_old_as_head", "person", "logical",
          "a child of the head less than nine years younger than the head",
          equal("relation", "child"), _child_as_old, ("age",), ("relation",), "household"),
    Plant("spouse_a_child", "person", "logical", "a spouse younger than ten",
          equal("relation", "spouse"),
          lambda rows, rng: {"age": plain(rng.integers(1, 10, len(rows)).astype(float))},
          ("age",), ("relation", "schooling", "work"), "household"),
    Plant("student_not_in_school", "person", "logical", "main work is school, but not in school",
          _student, write("in_school", "0"), ("in_school",), ("work",)),
)  # fmt: skip
