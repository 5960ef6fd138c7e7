"""The rows and cells of a rolled-up form, as the page and the workbook both show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon.indicators.forms_rollup import FormsRollUp
from povmon.indicators.forms_table import WITHHELD, FormTable, Item
from povmon.present.cells import bilingual

VIEWS = {
    "province": ("By province", "按省", "province, prefecture and county"),
    "area": ("By area", "按片区", "area and county"),
    "key_county": ("Key counties", "重点县", "key counties, other counties and not determined"),
}
FORM_NAMES = {
    "county": ("County form", "县表"),
    "village": ("Village form", "村表"),
    "household": ("Household form", "户表"),
    "person": ("Person form", "人口表"),
}
SAMPLES = {
    "village": "Sample villages 样本村",
    "household": "Sample households 样本户",
    "person": "Sample households 样本户",
}
FLAG_WORDS = {
    "caution": "to be read with caution: see the publication policy",
    "unreliable": "unreliable: see the publication policy",
}


@dataclass(frozen=True)
class Row:
    """A unit in a view.

    Parameters
    ----------
    unit, depth : which unit, and how far below the top.
    name : in both languages, with the code of a county.
    counties : counties whose form was received, and those expected.
    sample : records of a sampled form, None for the county form.
    """

    unit: str
    depth: int
    name: str
    counties: tuple[int, int]
    sample: int | None


def rows_of(rolled: FormsRollUp, form: str, view: str) -> list[Row]:
    """The rows of a form's table in one view, each unit under the one it belongs to."""
    table, units = rolled.tables[form], rolled.hierarchy.units
    shown = rolled.hierarchy.view(view)
    shown = shown[shown["unit"].isin(table.values.index)]
    got = table.reported.max(axis=1)
    out = []
    for unit, depth in zip(shown["unit"], shown["depth"], strict=True):
        name = bilingual(units.at[unit, "en"], units.at[unit, "zh"])
        if units.at[unit, "level"] == "county":
            name += f" {unit.split('/')[1]}"
        sample = None if table.sample is None else int(table.sample[unit])
        counties = (int(got[unit]), int(table.expected[unit]))
        out.append(Row(str(unit), int(depth), name, counties, sample))
    return out


def states_of(table: FormTable) -> pd.DataFrame:
    """(units, items) why a number is absent or marked, "" where nothing is to be said."""
    text = np.full(table.values.shape, "", dtype=object)
    got, of = table.reported.to_numpy(), table.expected.to_numpy()[:, None]
    if table.flags is None:
        for i, j in zip(*np.nonzero(got < of), strict=True):
            text[i, j] = _incomplete(got[i, j], of[i, 0])
    else:
        flags = table.flags.to_numpy()
        for flag, words in FLAG_WORDS.items():
            text[flags == flag] = words
        assert table.reasons is not None
        gone = flags == "suppressed"
        text[gone] = table.reasons.to_numpy()[gone]
        text[table.values.isna().to_numpy() & (text == "")] = "no sample"
    text[table.withheld.to_numpy()] = WITHHELD
    return pd.DataFrame(text, index=table.values.index, columns=table.values.columns)


def _incomplete(got: Any, of: Any) -> str:
    if of == 1:
        return "not reported"
    return "no county of it reported this" if got == 0 else f"incomplete: {got} of {of} counties"


def digits_of(item: Item) -> int:
    """Decimals that a number of an item is shown with."""
    if item.kind == "share":
        return 1
    return 0 if item.kind == "sum" or "yuan" in item.unit else 1


def heading_unit(item: Item) -> str:
    """What stands under a heading for the unit."""
    return "%" if item.unit == "share" else item.unit


def groups_of(items: Sequence[Item]) -> list[tuple[tuple[str, str], int]]:
    """Headings above the headings: (English, Chinese) and how many columns each spans."""
    groups: list[tuple[tuple[str, str], int]] = []
    for item in items:
        if item.heading[0] and groups and groups[-1][0] == item.heading:
            groups[-1] = (item.heading, groups[-1][1] + 1)
        else:
            groups.append((item.heading, 1))
    return groups


def incomplete_of(rolled: FormsRollUp) -> pd.DataFrame:
    """Counties that did not report: unit, name, and the forms that are missing."""
    rows = []
    units = rolled.hierarchy.units
    for form, table in rolled.tables.items():
        if form == "county":
            none = table.reported.max(axis=1).eq(0) & units["level"].eq("county")
            rows += [(unit, FORM_NAMES[form][0]) for unit in table.values.index[none]]
    names = [bilingual(units.at[u, "en"], units.at[u, "zh"]) for u, _ in rows]
    return pd.DataFrame({"unit": [u for u, _ in rows], "name": names, "form": [f for _, f in rows]})
