"""Household blocks: a household with its persons, as cells that edits and the solver look at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.audit.edit_set import NO, YES, Cell, EditSet, Instances, Value
from povmon.audit.ledger import Ledger
from povmon.survey.fields import PANDAS_DTYPE
from povmon.survey.forms import FORMS


@dataclass(eq=False)
class Block:
    """One household with its persons.

    Parameters
    ----------
    rows : row of record 0 (the household) in its table, then those of the persons in theirs.
    values : cell -> value (None: missing).
    fixed : cells that may not change: those that a reviewer decided.
    instances : the edits as they read for this household.
    """

    rows: list[int]
    values: dict[Cell, Value]
    fixed: frozenset[Cell]
    instances: Instances

    @property
    def household(self) -> int:
        """Row of the household in its table."""
        return self.rows[0]


def read_blocks(ledger: Ledger, edits: EditSet, households: Iterable[int],
                fields: dict[str, list[str]]) -> dict[int, Block]:  # fmt: skip
    """The blocks of some live households.

    Parameters
    ----------
    ledger : the records; only live persons belong to a block.
    edits : the edits to fill in.
    households : rows of the household table.
    fields : the fields to read, by form.

    Returns
    -------
    Row of the household -> its block.
    """
    wanted = np.fromiter(dict.fromkeys(households), dtype="int64")
    members = _members(ledger, wanted)
    homes = _cells(ledger.tables["household"], "household", fields["household"], wanted)
    rows = np.array([row for listed in members.values() for row in listed], dtype="int64")
    persons = {}
    if len(rows):
        persons = _cells(ledger.tables["person"], "person", fields["person"], rows)
    blocks = {}
    for home in wanted.tolist():
        listed = members[home]
        values: dict[Cell, Value] = {(0, name): v for name, v in homes[home].items()}
        for number, row in enumerate(listed, start=1):
            values |= {(number, name): v for name, v in persons[row].items()}
        complete = values.get((0, "hhsize")) == len(listed)
        decided = _decided(ledger, [home, *listed], values)
        instances = edits.instances(len(listed), complete)
        blocks[home] = Block([home, *listed], values, decided, instances)
    return blocks


def _members(ledger: Ledger, households: np.ndarray) -> dict[int, list[int]]:
    """Rows of the live persons of each household, by line number."""
    found: dict[int, list[int]] = {int(row): [] for row in households}
    if "person" not in ledger.tables:
        return found
    ids = ledger.tables["household"]["household_id"].iloc[households]
    place = dict(zip(ids, households.tolist(), strict=True))
    table = ledger.tables["person"]
    rows = np.flatnonzero(ledger.live["person"] & table["household_id"].isin(place).to_numpy())
    part = table.iloc[rows]
    lines = part["line"].astype("float64").to_numpy()
    for i in np.argsort(lines, kind="stable"):
        found[place[part["household_id"].iat[i]]].append(int(rows[i]))
    return found


def _cells(table: pd.DataFrame, form: str, fields: list[str],
           rows: np.ndarray) -> dict[int, dict[str, Value]]:  # fmt: skip
    """Values of some rows, as cells hold them."""
    columns = {name: as_cells(table[name].iloc[rows], form, name) for name in fields}
    return {
        row: {name: column[i] for name, column in columns.items()}
        for i, row in enumerate(rows.tolist())
    }


def as_cells(values: pd.Series, form: str, field: str) -> list[Value]:
    """A column's values as cells: float, code, "1" or "0", None where missing."""
    dtype = FORMS[form][field].dtype
    missing = values.isna().to_numpy()
    if dtype == "boolean":
        found: list[Value] = [YES if v is True or v == 1 else NO for v in values.fillna(False)]
    elif dtype in ("integer", "number"):
        found = list(values.astype("float64").tolist())
    else:
        found = list(values.tolist())
    return [None if gone else value for value, gone in zip(found, missing.tolist(), strict=True)]


def as_column(values: list[Value], form: str, field: str, index: pd.Index) -> pd.Series:
    """Cells as a column of the field's type (the inverse of `as_cells`)."""
    dtype = FORMS[form][field].dtype
    if dtype == "boolean":
        return pd.Series([None if v is None else v == YES for v in values], index=index,
                         dtype="boolean")  # fmt: skip
    return pd.Series(values, index=index, dtype=PANDAS_DTYPE[dtype])


def _decided(ledger: Ledger, rows: list[int], values: dict[Cell, Value]) -> frozenset[Cell]:
    if not ledger.decided:
        return frozenset()
    forms = ("household", *["person"] * (len(rows) - 1))
    return frozenset(
        cell for cell in values if (forms[cell[0]], rows[cell[0]], cell[1]) in ledger.decided
    )
