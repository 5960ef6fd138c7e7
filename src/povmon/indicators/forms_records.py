"""The sampled forms as columns that can be summed: one row a household or village."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.indicators.forms_table import Item
from povmon.indicators.frames import asked, numeric
from povmon.indicators.hierarchy import ALL, Hierarchy
from povmon.survey import FORMS, Survey
from povmon.survey.fields import Field

Columns = dict[str, npt.NDArray[Any]]

# Who a form counts, and the weight of that.
COUNTED = {
    "village": ("villages", "Administrative villages", "行政村数", "w_village"),
    "household": ("households", "Households", "户数", "w_hh"),
    "person": ("persons", "Registered persons", "户籍人口", "w_hh"),
}
# Numbers that are added up; others are averaged.
ADDED = ("households", "persons", "natural villages")
# Averages that are no amounts of somebody.
MEASURED = ("years", "months", "km", "m")
LEFT_OUT = ("year", "line", "w_village", "w_hh")
NO_ANSWER = ("Not stated", "未填")


@dataclass(frozen=True)
class Part:
    """A number of the form as columns of the frame.

    Parameters
    ----------
    item : what is published of it.
    top : column that is summed.
    bottom : column that it is averaged over, "" for a sum.
    field : the coded or yes/no field that it is a category of, "" for an amount.
    shown : False for what is only the rest of what is shown (a "no", a "not stated").
    """

    item: Item
    top: str
    bottom: str = ""
    field: str = ""
    shown: bool = True


@dataclass(frozen=True)
class Records:
    """One sampled form: a row a village or household, a column a part; persons are counted
    within their household."""

    form: str
    frame: pd.DataFrame
    parts: tuple[Part, ...]
    weight: str

    @property
    def shown(self) -> list[Part]:
        """The parts that are published, in the form's order."""
        return [p for p in self.parts if p.shown]


def sampled(survey: Survey, h: Hierarchy, form: str, records: dict[str, pd.DataFrame]) -> Records:
    """A sampled form's frame, with the units of the hierarchy on each row.

    Parameters
    ----------
    form : "village", "household" or "person".
    records : accepted records by form, of all areas.
    """
    unit, en, zh, weight = COUNTED[form]
    rows = records[form].reset_index(drop=True)
    columns: Columns = {"counted": np.ones(len(rows))}
    parts = [Part(Item("counted", en, zh, unit), "counted")]
    for f in FORMS[form].fields:
        if f.name in asked(survey, form) and f.dtype != "id" and f.name not in LEFT_OUT:
            parts += _field(survey, f, unit, rows, columns)
    frame = pd.DataFrame(columns)
    base = rows if form != "person" else records["household"].reset_index(drop=True)
    if form == "person":
        place = pd.Index(base["household_id"]).get_indexer(rows["household_id"])
        if (place < 0).any():
            frame, place = frame[place >= 0], place[place >= 0]
        frame = frame.groupby(place).sum().reindex(range(len(base)), fill_value=0.0)
    units = h.counties.set_index("county_id").reindex(base["county_id"]).reset_index()
    design = ["village_id", weight, *(["hhsize"] if form != "village" else [])]
    frame[design] = base[design]
    frame["county_id"] = units["county_id"]
    for level in ("county", "prefecture", "province", "area", "key_county"):
        frame[level] = units[level]
    return Records(form, frame.assign(**{ALL: ALL}), tuple(parts), weight)


def _field(survey: Survey, f: Field, unit: str, rows: pd.DataFrame, columns: Columns) -> list[Part]:
    if f.dtype == "code":
        return _categories(f, unit, rows[f.name], columns)
    if f.dtype == "boolean":
        return _yes_no(f, unit, rows[f.name], columns)
    return [_amount(survey, f, unit, rows, columns)]


def _categories(f: Field, unit: str, values: pd.Series, columns: Columns) -> list[Part]:
    parts = []
    for code, (en, zh) in f.codes.items():
        name = f"{f.name}:{code}"
        columns[name] = values.eq(code).fillna(False).to_numpy(dtype=float)
        parts.append(Part(Item(name, en, zh, unit, heading=(f.en, f.zh)), name, field=f.name))
    name = f"{f.name}:"
    columns[name] = values.isna().to_numpy(dtype=float)
    item = Item(name, *NO_ANSWER, unit, heading=(f.en, f.zh))
    return [*parts, Part(item, name, field=f.name, shown=bool(columns[name].any()))]


def _yes_no(f: Field, unit: str, values: pd.Series, columns: Columns) -> list[Part]:
    answer = values.astype("boolean")
    states = {
        f.name: answer.fillna(False),
        f"{f.name}:no": ~answer.fillna(True),
        f"{f.name}:": answer.isna(),
    }
    for name, state in states.items():
        columns[name] = state.to_numpy(dtype=float)
    return [
        Part(Item(name, f.en, f.zh, unit), name, field=f.name, shown=name == f.name)
        for name in states
    ]


def _amount(survey: Survey, f: Field, unit: str, rows: pd.DataFrame, columns: Columns) -> Part:
    value = numeric(rows, f.name)
    columns[f.name] = value.fillna(0.0).to_numpy()
    if f.unit in ADDED or f.name == "hhsize":
        return Part(Item(f.name, f.en, f.zh, f.unit), f.name)
    known = f"{f.name}:known"
    columns[known] = value.notna().to_numpy(dtype=float)
    own = {"money": survey.currency.unit, "m2": "m²"}.get(f.unit, f.unit)
    each = f"{own}, mean" if own in MEASURED else f"{own} a {unit.removesuffix('s')}"
    return Part(Item(f.name, f.en, f.zh, each, "mean"), f.name, known)
