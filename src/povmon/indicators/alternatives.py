"""The records of the alternatives: what imputed households would be with other donors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from povmon.estimate.replicates.donors import Alternatives
from povmon.indicators.recipients import AMOUNTS, Recipients, Records

# Records hold amounts to a hundredth: this takes off what is noise of multiplying, no more, so
# that an amount equal to a line stays equal to it.
DIGITS = 8


def alternative_records(
    source: Records, given: Sequence[Recipients], alternatives: Alternatives, of_unit: np.ndarray
) -> dict[str, pd.DataFrame]:
    """The records of each alternative's household: form -> table.

    Parameters
    ----------
    source : the accepted records.
    given : what was imputed.
    alternatives, of_unit : V alternatives of the households in which anything is imputed, and the
        (U,) rows of these households.
    """
    home = of_unit[alternatives.unit]
    out = {}
    for form, table in source.tables.items():
        row, number = _members(source.household[form], home)
        made = table.take(row).reset_index(drop=True)
        takes: dict[str, np.ndarray] = {}
        for one in given:
            if one.form != form:
                continue
            place, alternative = alternatives.expand(np.searchsorted(of_unit, one.household))
            target = _find(row, number, one.row[place], alternative)
            donor = one.donor[place, alternatives.replicate[alternative]]
            lacks = {name: flags[place] for name, flags in one.lacks.items()}
            if one.group in AMOUNTS:
                for name, values in divided(table, one.group, one.row[place], donor, lacks).items():
                    column = made[name].to_numpy(dtype=float, copy=True)
                    column[target] = values
                    made[name] = column
            else:
                for name, some in lacks.items():
                    takes.setdefault(name, row.copy())[target[some]] = donor[some]
        for name, at in takes.items():
            made[name] = table[name].take(at).array
        out[form] = made.assign(household_id=number)
    return out


def _members(household: np.ndarray, home: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Records of the household of each alternative: rows, and numbers of the alternatives.

    Parameters
    ----------
    household : (n,) household of each record.
    home : (V,) household of each alternative.
    """
    order = np.argsort(household, kind="stable")
    bounds = np.searchsorted(household[order], [home, home + 1])
    size = bounds[1] - bounds[0]
    number = np.repeat(np.arange(len(home)), size)
    rank = np.arange(len(number)) - np.repeat(np.cumsum(size) - size, size)
    return order[np.repeat(bounds[0], size) + rank], number


def _find(row: np.ndarray, number: np.ndarray, wanted: np.ndarray,
          alternative: np.ndarray) -> np.ndarray:  # fmt: skip
    """Positions of records in the table of alternatives."""
    most = int(row.max(initial=0)) + 1
    key = number * most + row
    order = np.argsort(key, kind="stable")
    return order[np.searchsorted(key[order], alternative * most + wanted)]


def divided(table: pd.DataFrame, group: str, row: np.ndarray, donor: np.ndarray,
            lacks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:  # fmt: skip
    """Amounts of money of records with the missing ones from donors, so that they add up.

    With a known total the rest of it is divided as the donor's amounts are; without, the donor's
    amounts a person are taken and the total is the sum of the parts (or, in a survey without
    parts, the donor's total a person). So the audit imputes them, but for losses among parts of
    a known income, which no indicator is made of.

    Parameters
    ----------
    table : the household form's records.
    group : income or consumption.
    row, donor : (m,) rows of the records and of their donors.
    lacks : column -> (m,) whether it is missing.

    Returns
    -------
    The columns of `lacks` (m,).
    """
    total, listed = f"{group}_total", AMOUNTS[group]
    parts = [part for part in listed if part in table and table[part].notna().any()]
    names = parts or [total]
    size = table["hhsize"].to_numpy(dtype=float)
    amounts = table[names].to_numpy(dtype=float)
    gone = np.stack([lacks.get(n, np.zeros(len(row), dtype=bool)) for n in names], axis=1)
    each = np.where(gone, (amounts / size[:, None])[donor], (amounts / size[:, None])[row])
    unknown = lacks.get(total, np.zeros(len(row), dtype=bool))
    whole = np.where(unknown, each.sum(axis=1) * size[row], table[total].to_numpy(dtype=float)[row])
    rest = whole - np.where(gone, 0.0, amounts[row]).sum(axis=1)
    shares = np.where(gone, np.maximum(amounts[donor], 0.0), 0.0)
    shares = np.where(shares.sum(axis=1, keepdims=True) > 0, shares, gone.astype(float))
    with np.errstate(invalid="ignore"):
        shared = np.maximum(rest, 0.0)[:, None] * shares / shares.sum(axis=1, keepdims=True)
    found = np.where(unknown[:, None], each * size[row, None], shared)
    found = np.where(gone, found, amounts[row])
    columns = {**dict(zip(names, found.T, strict=True)), total: whole}
    return {name: np.round(columns[name], DIGITS) for name in lacks}
