"""Kinds of error that spread over several records: copies, and answers made up at a desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.survey.forms import CONSUMPTION_PARTS, FORMS
from povmon.synthetic.plant import Nature, Scope, numbers, plain
from povmon.synthetic.workspace import Workspace

# What an interviewer can invent without having been there, once for the whole village.
INVENTED_AMOUNTS = (*CONSUMPTION_PARTS, "dwelling_area", "land")
INVENTED_ANSWERS = (
    "structure", "dangerous", "water", "water_difficulty", "toilet", "fuel", "electricity", "tv",
    "refrigerator", "washing_machine", "mobile_phone", "motorcycle",
)  # fmt: skip
INVENTED_NOISE = 0.03  # of the logarithm; the answers of real neighbours differ by 0.4
OWN = ("household_id", "village_id", "year", "w_hh", "hhsize", "head_sex", "head_age")
WHOLE = ("",)
COPIED = tuple(c for c in FORMS["household"].columns if c not in OWN)


@dataclass(frozen=True)
class Pattern:
    """A kind of error that is planted by a function of its own.

    Parameters
    ----------
    kind, form, nature, what, scope : as for a `Plant`.
    plant : plants a given number of cases.
    columns : the columns that a finding may name; "" is the record as a whole.
    """

    kind: str
    form: str
    nature: Nature
    what: str
    plant: Callable[[Workspace, str, int], None]
    columns: tuple[str, ...] = WHOLE
    scope: Scope = "record"


def _alike(work: Workspace, kind: str, number: int) -> None:
    """One household's answers, hardly changed, for every household of the village."""
    villages = work.forms["village"]["village_id"]
    of_household = work.forms["household"]["village_id"]
    taken = set(of_household[work.blocked("household")])
    free = ~villages.isin(taken).to_numpy() & villages.isin(set(of_household)).to_numpy()
    chosen = set(villages.iloc[work.choose(kind, "village", number, free)])
    rows = np.flatnonzero(of_household.isin(chosen).to_numpy())
    work.block("household", rows)
    frame = work.forms["household"].iloc[rows].reset_index(drop=True)
    first = frame.groupby("village_id", sort=False).head(1).set_index("village_id")
    template = first.loc[frame["village_id"]].reset_index()
    rng = work.streams(f"error.{kind}.value")
    size, of_template = numbers(frame, "hhsize"), numbers(template, "hhsize")
    values = {}
    for column in INVENTED_AMOUNTS:
        noise = np.exp(INVENTED_NOISE * rng.standard_normal(len(frame)))
        step = 0.5 if column == "land" else 1.0
        each = numbers(template, column) / of_template
        values[column] = np.rint(each * size * noise / step) * step
    values["consumption_total"] = np.sum([values[c] for c in CONSUMPTION_PARTS], axis=0)
    written = {c: plain(v) for c, v in values.items()}
    written |= {c: list(template[c]) for c in INVENTED_ANSWERS}
    case = frame["village_id"].to_numpy(dtype=object)
    for column, new in written.items():
        work.change(kind, "household", rows, column, new, case)


def _copied(work: Workspace, kind: str, number: int) -> None:
    """The answers of the household before it in the village, two of them changed a little."""
    frame = work.forms["household"]
    blocked = work.blocked("household")
    same = (frame["village_id"] == frame["village_id"].shift()).to_numpy()
    free = same & ~blocked & ~np.concatenate([[True], blocked[:-1]])
    rows = _apart(work.streams(f"error.{kind}").permutation(np.flatnonzero(free)), number)
    work.block("household", rows)
    work.block("household", rows - 1)
    rng = work.streams(f"error.{kind}.value")
    source = frame.iloc[rows - 1].reset_index(drop=True)
    new = {c: list(source[c]) for c in COPIED}
    food, health = numbers(source, "consumption_food"), numbers(source, "consumption_health")
    more = np.rint(food * rng.uniform(0.01, 0.08, len(rows))) + 1
    less = np.rint(health * rng.uniform(0.05, 0.3, len(rows)))
    new["consumption_food"] = plain(food + more)
    new["consumption_health"] = plain(health - less)
    new["consumption_total"] = plain(numbers(source, "consumption_total") + more - less)
    case = work.keys("household", rows)
    for column, values in new.items():
        work.change(kind, "household", rows, column, values, case)
    # The household that was copied from is part of the case: which is the copy cannot be seen.
    work.note(kind, "household", rows - 1, work.keys("household", rows - 1), case=case)


def _apart(rows: np.ndarray, number: int) -> np.ndarray:
    """The first `number` rows of which no two follow each other."""
    used: set[int] = set()
    out: list[int] = []
    for row in rows.tolist():
        if len(out) == number:
            break
        if not used & {row - 1, row}:
            out.append(row)
            used |= {row - 1, row}
    return np.sort(np.array(out, dtype=np.int64))


def _twice(form: str) -> Callable[[Workspace, str, int], None]:
    def plant(work: Workspace, kind: str, number: int) -> None:
        rows = work.choose(kind, form, number, np.ones(len(work.forms[form]), dtype=bool))
        work.duplicate(kind, form, rows)

    return plant


def _conflict(work: Workspace, kind: str, number: int) -> None:
    """A household sent twice, the second time with another size of dwelling and food bill."""
    frame = work.forms["household"]
    rows = work.choose(kind, "household", number, np.ones(len(frame), dtype=bool))
    rng = work.streams(f"error.{kind}.value")
    chosen: pd.DataFrame = frame.iloc[rows]
    food = numbers(chosen, "consumption_food")
    more = np.rint(food * rng.uniform(0.05, 0.3, len(rows))) + 1
    changes = {
        "dwelling_area": plain(numbers(chosen, "dwelling_area") + rng.integers(2, 15, len(rows))),
        "consumption_food": plain(food + more),
        "consumption_total": plain(numbers(chosen, "consumption_total") + more),
    }
    work.duplicate(kind, "household", rows, changes)


# Planted before the errors of single records, and after them.
FIRST: tuple[Pattern, ...] = (
    Pattern("village_alike", "village", "statistical",
            "a village's consumption, dwellings and goods made up from one household", _alike,
            (*WHOLE, *INVENTED_AMOUNTS, *INVENTED_ANSWERS, "consumption_total"), "village"),
    Pattern("household_copied", "household", "statistical",
            "a household's answers copied from its neighbour, two of them changed a little",
            _copied),
)  # fmt: skip
LAST: tuple[Pattern, ...] = (
    Pattern("household_conflict", "household", "logical",
            "a household sent twice, with other answers the second time", _conflict),
    Pattern("household_duplicate", "household", "logical", "a household sent twice",
            _twice("household")),
    Pattern("person_duplicate", "person", "logical", "a person sent twice", _twice("person")),
    Pattern("village_duplicate", "village", "logical", "a village sent twice", _twice("village")),
)  # fmt: skip
