"""The variables that imputation classes are made from (see imputation.yml)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger

SIZES = [0, 2, 4, 6, 99]
AGES = [-1, 2, 5, 9, 14, 19, 29, 39, 49, 59, 69, 200]
SCHOOLING = [-1, 5, 8, 99]


def class_variables(ledger: Ledger, form: str, rows: np.ndarray,
                    names: Iterable[str]) -> pd.DataFrame:  # fmt: skip
    """One row a record of `rows` (positions in the form's table), one column a variable.

    A variable is missing where what it is made from is not known.

    Parameters
    ----------
    names : the variables wanted: fields of the form, or those that imputation.yml describes.
    """
    table = ledger.tables[form].iloc[rows]
    makers = _makers(ledger, form, table)
    found = {name: makers[name]() if name in makers else table[name] for name in names}
    return pd.DataFrame(found, index=table.index)


def _makers(ledger: Ledger, form: str, table: pd.DataFrame) -> dict[str, Callable[[], pd.Series]]:
    if form == "household":
        return {
            "county": lambda: table["village_id"].str[:6],
            "size": lambda: _cut(table["hhsize"], SIZES),
            "income_tenth": lambda: _parts(table, "income_total", 10),
            "income_twentieth": lambda: _parts(table, "income_total", 20),
            "consumption_tenth": lambda: _parts(table, "consumption_total", 10),
            "consumption_twentieth": lambda: _parts(table, "consumption_total", 20),
            "head_schooling": lambda: _head_schooling(ledger, table),
        }
    homes = ledger.tables["household"]
    first = homes.drop_duplicates("household_id").set_index("household_id")["village_id"]
    return {
        "village_id": lambda: table["household_id"].map(first),
        "county": lambda: table["household_id"].map(first.str[:6]),
        "age_group": lambda: _cut(table["age"], AGES),
    }


def _head_schooling(ledger: Ledger, table: pd.DataFrame) -> pd.Series:
    if "person" not in ledger.tables:
        return pd.Series(pd.NA, index=table.index, dtype="Int64")
    persons = ledger.tables["person"]
    heads = ledger.live["person"] & (persons["relation"] == "head").fillna(False).to_numpy(bool)
    chosen = persons.loc[heads, ["household_id", "schooling"]]
    one = chosen.drop_duplicates("household_id", keep=False).set_index("household_id")["schooling"]
    return _cut(table["household_id"].map(one), SCHOOLING)


def _cut(values: pd.Series, bounds: list[int]) -> pd.Series:
    """Number of the interval (left end open) that a value lies in."""
    numbers = values.astype("float64")
    found = pd.Series(np.searchsorted(bounds, numbers.fillna(0), side="left"), index=values.index)
    return found.astype("Int64").mask(numbers.isna())


def _parts(table: pd.DataFrame, total: str, number: int) -> pd.Series:
    """Tenths, twentieths ... of an amount a person, by rank; equal amounts in the same part."""
    each = table[total] / table["hhsize"].astype("float64")
    share = each.rank(method="average", pct=True) * number
    return pd.Series(np.ceil(share), index=table.index).astype("Int64")
