"""The errors planted in the submissions: a list that can grow.

Each kind is a `Plant`: the form, the rows that qualify, and what is written. How often a kind is
planted is declared in the file of assumptions (`errors.rates`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.survey.forms import INCOME_PARTS
from povmon.synthetic.assumptions import FILE, load
from povmon.synthetic.workspace import Workspace

INCOME = (*INCOME_PARTS, "income_total")
FULL_WIDTH = {ord("0") + k: 0xFF10 + k for k in range(10)}
# The first byte of this word in GB18030 cannot begin a character in UTF-8, so the two encodings
# are told apart with certainty (a lone "约" could be read as either).
ABOUT = "大约"
Eligible = Callable[[pd.DataFrame], np.ndarray]
Change = Callable[[pd.DataFrame, np.random.Generator], dict[str, list[str]]]


@dataclass(frozen=True)
class Plant:
    """A kind of error.

    Parameters
    ----------
    kind : its name, also under `errors.rates` in the file of assumptions.
    form : the form that is hit.
    what : what was done, in words.
    eligible : flags the rows that qualify (text frame of the form -> one flag a row).
    change : new values by column for the rows chosen.
    """

    kind: str
    form: str
    what: str
    eligible: Eligible
    change: Change


def _every(frame: pd.DataFrame) -> np.ndarray:
    return np.ones(len(frame), dtype=bool)


def _above(column: str, limit: float) -> Eligible:
    def test(frame: pd.DataFrame) -> np.ndarray:
        return _numbers(frame, column) > limit

    return test


def _equal(column: str, *values: str) -> Eligible:
    return lambda frame: frame[column].isin(values).to_numpy()


def _write(column: str, *values: str) -> Change:
    """One of `values`, at random."""
    return lambda rows, rng: {column: list(rng.choice(np.array(values, dtype=object), len(rows)))}


def _numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers; what an earlier error made unreadable is missing."""
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)


def _plain(values: np.ndarray) -> list[str]:
    """Numbers as a person writes them: no exponent, no trailing zeros."""
    return [f"{v:.4f}".rstrip("0").rstrip(".") for v in values]


def _scaled(columns: tuple[str, ...], factor: float) -> Change:
    return lambda rows, rng: {c: _plain(_numbers(rows, c) * factor) for c in columns}


def _wrong_total(column: str) -> Change:
    """A total that its parts do not give: wrong by a tenth to a half."""

    def change(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
        factor = 1 + rng.choice([-1, 1], len(rows)) * (0.1 + 0.4 * rng.random(len(rows)))
        return {column: _plain(np.rint(_numbers(rows, column) * factor))}

    return change


def _wrong_size(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
    size = _numbers(rows, "hhsize")
    step = np.where(size > 1, rng.choice([-1, 1, 2], len(rows)), 1)
    return {"hhsize": _plain(size + step)}


def _orphan(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
    lost = rng.integers(60, 99, len(rows))
    ids = rows["household_id"]
    return {"household_id": [f"{i[:-2]}{k:02d}" for i, k in zip(ids, lost, strict=True)]}


def _more_with_road(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
    return {"nv_road": _plain(_numbers(rows, "natural_villages") + rng.integers(1, 9, len(rows)))}


def _too_much_school(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
    return {"schooling": _plain(_numbers(rows, "age") + rng.integers(1, 4, len(rows)))}


def _age_8_to_15(frame: pd.DataFrame) -> np.ndarray:
    age = _numbers(frame, "age")
    return (age >= 8) & (age <= 15)


PLANTS: tuple[Plant, ...] = (
    Plant("person_orphan", "person", "a person of a household that is not in the file",
          lambda f: (f["line"] != "1").to_numpy(), _orphan),
    Plant("roster_size", "household", "registered members differ from the roster",
          _every, _wrong_size),
    Plant("two_heads", "person", "a second head", _equal("relation", "spouse"),
          _write("relation", "head")),
    Plant("income_sum", "household", "the parts do not give the total income",
          _above("income_total", 500), _wrong_total("income_total")),
    Plant("income_missing", "household", "total income left blank", _every,
          _write("income_total", "")),
    Plant("income_refused", "household", "all income left blank", _every,
          lambda rows, rng: {c: [""] * len(rows) for c in INCOME}),
    Plant("income_text", "household", "words in a number", _above("income_wages", 100),
          lambda rows, rng: {"income_wages": [f"{ABOUT}{v}" for v in rows["income_wages"]]}),
    Plant("income_fullwidth", "household", "full-width digits", _above("income_total", 100),
          lambda rows, rng: {"income_total": [v.translate(FULL_WIDTH)
                                              for v in rows["income_total"]]}),
    Plant("income_ten_thousand", "household", "all income in 10,000 yuan",
          _above("income_total", 1000), _scaled(INCOME, 1e-4)),
    Plant("income_tenfold", "household", "all income ten times too high",
          _above("income_total", 1000), _scaled(INCOME, 10.0)),
    Plant("consumption_sum", "household", "the groups do not give total consumption",
          _above("consumption_total", 500), _wrong_total("consumption_total")),
    Plant("age_range", "person", "an age that nobody has", _every,
          _write("age", "150", "199", "-1", "999")),
    Plant("sex_code", "person", "a sex that is not in the code list", _every,
          _write("sex", "3", "x", "unknown")),
    Plant("relation_code", "person", "a relation that is not in the code list",
          lambda f: (f["line"] != "1").to_numpy(), _write("relation", "99", "cousin")),
    Plant("water_code", "household", "a water source that is not in the code list", _every,
          _write("water", "9", "well")),
    Plant("schooling_above_age", "person", "more years of schooling than of life",
          _age_8_to_15, _too_much_school),
    Plant("weight_missing", "household", "weight left blank", _every, _write("w_hh", "")),
    Plant("weight_negative", "household", "negative weight", _every,
          lambda rows, rng: {"w_hh": ["-" + v for v in rows["w_hh"]]}),
    Plant("village_count", "village", "more natural villages with a road than there are",
          _every, _more_with_road),
    Plant("county_funds", "county", "funds by use differ from funds by source", _every,
          _wrong_total("use_production")),
)  # fmt: skip
DUPLICATES = (
    ("household_duplicate", "household", "a household sent twice"),
    ("person_duplicate", "person", "a person sent twice"),
)
STRUCTURAL = {
    "household_non_response": "a household that was drawn and did not answer",
    "missing_village": "a village that was not delivered",
    "late_province": "files received after the deadline",
}


def kinds() -> dict[str, str]:
    """Every kind of planted error and what it is, in words."""
    plain = {p.kind: p.what for p in PLANTS}
    return STRUCTURAL | plain | {kind: what for kind, _, what in DUPLICATES}


def plant_all(work: Workspace) -> None:
    """Plant every kind at its declared rate: losses first, duplicates last."""
    _check_rates()
    _lose_villages(work)
    _lose_households(work)
    for plant in PLANTS:
        frame = work.forms[plant.form]
        number = _number(plant.kind, plant.form, len(frame))
        rows = work.choose(plant.kind, plant.form, number, plant.eligible(frame))
        rng = work.streams(f"error.{plant.kind}.value")
        for column, values in plant.change(frame.iloc[rows], rng).items():
            work.change(plant.kind, plant.form, rows, column, values)
    for kind, form, _ in DUPLICATES:
        frame = work.forms[form]
        rows = work.choose(kind, form, _number(kind, form, len(frame)), _every(frame))
        work.duplicate(kind, form, rows)


def _check_rates() -> None:
    known = {p.kind for p in PLANTS} | {kind for kind, _, _ in DUPLICATES}
    different = known ^ set(load()["errors"]["rates"])
    if different:
        raise PovmonError(
            f"errors.rates and the kinds of error differ: {', '.join(sorted(different))}",
            where=FILE,
            todo="give every kind one rate",
        )


def _number(kind: str, form: str, rows: int) -> int:
    entry = load()["errors"]
    least = 1 if form in ("county", "village") else entry["at_least"]
    return max(least, round(entry["rates"][kind] * rows))


def _lose_villages(work: Workspace) -> None:
    """A few villages are not delivered, at most one in a county."""
    frame = work.forms["village"]
    number = max(1, round(load()["errors"]["missing_villages"] * len(frame)))
    rng = work.streams("error.missing_village")
    order = rng.permutation(len(frame))
    county = frame["county_id"].to_numpy(dtype=object)[order]
    _, first = np.unique(county, return_index=True)
    rows = np.sort(order[np.sort(first)[:number]])
    work.note("missing_village", "village", rows, work.keys("village", rows))
    work.drop_villages(rows)


def _lose_households(work: Workspace) -> None:
    """Some households do not answer; smaller ones more often, never too many in a village."""
    entry = load()["errors"]
    frame = work.forms["household"]
    rng = work.streams("error.household_non_response")
    size = _numbers(frame, "hhsize")
    chance = entry["household_non_response"] * np.where(size <= 2, 1.6, 0.9)
    gone = rng.random(len(frame)) < chance
    village = frame["village_id"]
    before = village.groupby(village).transform("size")
    lost = pd.Series(gone).groupby(village.to_numpy()).cumsum()
    gone &= (before - lost >= entry["smallest_village"]).to_numpy()
    rows = np.flatnonzero(gone)
    work.note("household_non_response", "household", rows, work.keys("household", rows))
    work.drop_households(gone)
