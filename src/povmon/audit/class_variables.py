"""The variables that imputation classes are made from (see imputation.yml)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger

SIZES = [0, 2, 4, 6, 99]
AGES = [-1, 2, 5, 9, 14, 19, 29, 39, 49, 59, 69, 200]
SCHOOLING = [-1, 5, 8, 99]


def class_variables(ledger: Ledger, form: str, rows: np.ndarray) -> pd.DataFrame:
    """One row a record of `rows` (positions in the form's table), one column a variable, as text.

    A variable is missing where what it is made from is not known.
    """
    if form == "household":
        return _of_households(ledger, rows)
    homes = ledger.tables["household"]
    first = homes.drop_duplicates("household_id").set_index("household_id")["village_id"]
    table = ledger.tables[form].iloc[rows]
    village = table["household_id"].map(first)
    own = ["household_id", "sex", "relation", "ethnicity", "in_school", "literate", "health", "work"]
    found = {name: table[name] for name in own if name in table}
    found |= {"village_id": village, "county": village.str[:6]}
    found["age_group"] = _cut(table["age"], AGES)
    return _text(found, table.index)


def _of_households(ledger: Ledger, rows: np.ndarray) -> pd.DataFrame:
    table = ledger.tables["household"].iloc[rows]
    size = table["hhsize"].astype("float64")
    found = {
        "village_id": table["village_id"],
        "county": table["village_id"].str[:6],
        "size": _cut(size, SIZES),
        "electricity": table["electricity"],
    }
    for name in ("income", "consumption"):
        each = table[f"{name}_total"] / size
        found[f"{name}_tenth"] = _parts(each, 10)
        found[f"{name}_twentieth"] = _parts(each, 20)
    if "person" in ledger.tables:
        found["head_schooling"] = _head_schooling(ledger, table)
    return _text(found, table.index)


def _head_schooling(ledger: Ledger, table: pd.DataFrame) -> pd.Series:
    persons = ledger.accepted("person")
    heads = persons[(persons["relation"] == "head").fillna(False).to_numpy(dtype=bool)]
    heads = heads.drop_duplicates("household_id", keep=False).set_index("household_id")
    return _cut(table["household_id"].map(heads["schooling"]), SCHOOLING)


def _cut(values: pd.Series, bounds: list[int]) -> pd.Series:
    """Number of the interval (left end open) that a value lies in."""
    numbers = values.astype("float64")
    found = pd.Series(np.searchsorted(bounds, numbers.fillna(0), side="left"), index=values.index)
    return found.astype("Int64").mask(numbers.isna())


def _parts(values: pd.Series, number: int) -> pd.Series:
    """Tenths, twentieths ... by rank; equal values in the same part."""
    share = values.rank(method="average", pct=True)
    return np.ceil(share * number).astype("Int64")


def _text(found: dict[str, pd.Series], index: pd.Index) -> pd.DataFrame:
    return pd.DataFrame({n: v.astype("str").where(v.notna()) for n, v in found.items()},
                        index=index)  # fmt: skip
