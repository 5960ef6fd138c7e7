"""Measures of a distribution: each combination of domain and values with its weight, which add up.

A measure of a domain's distribution gives rows of equal values equal linearised values. So it is
linearised once on the table of the values that occur, and the rows of a chunk look theirs up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from povmon.errors import PovmonError
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints, numbers
from povmon.estimate.measures.base import DistributionMeasure, Linearised
from povmon.estimate.measures.relative import RelativeFGT
from povmon.estimate.scale.cells import WEIGHT, Keys, read_checked, told
from povmon.estimate.scale.chunks import Chunk

# Rows of value tables that wait to be added up: below this, adding up more often saves nothing.
WAITING = 2**22


@dataclass(frozen=True)
class Values:
    """Measures of the same columns, which share a table of the values that occur.

    Measures of other columns have a table of their own: the combinations of two incomes would be
    about as many as the rows. `labels`: columns of the domains and of groups with a relative line.
    """

    labels: tuple[str, ...]
    columns: tuple[str, ...]
    measures: dict[int, DistributionMeasure]  # by their number

    @property
    def keys(self) -> list[str]:
        """The columns that tell rows of the table apart."""
        return [*self.labels, *self.columns]


def values_of(measures: dict[int, DistributionMeasure], by: Sequence[str]) -> list[Values]:
    """The measures by the columns that they are made from."""
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[int, DistributionMeasure]] = {}
    for number, measure in measures.items():
        labels = tuple(dict.fromkeys([*by, *groups_of([measure])]))
        columns = tuple(sorted(set(measure.columns) - set(labels)))
        found.setdefault((labels, columns), {})[number] = measure
    return [Values(*key, listed) for key, listed in found.items()]


def groups_of(measures: Sequence[DistributionMeasure]) -> tuple[str, ...]:
    """Columns of groups that have a relative line each."""
    lines = [m.line.within for m in measures if isinstance(m, RelativeFGT)]
    return tuple(dict.fromkeys(column for column in lines if column is not None))


def values_of_chunk(chunk: Chunk, plan: tuple[Keys, list[Values]]) -> list[pa.Table]:
    """The combinations of domain and values of a chunk with their weight, a table for each."""
    keys, listed = plan
    with told(chunk):
        rows, weight = read_checked(chunk, keys, [c for values in listed for c in values.columns])
        tables = []
        for values in listed:
            # Adding zero makes -0.0 a plain zero.
            found = {column: numbers(rows, column) + 0.0 for column in values.columns}
            frame = rows[list(values.labels)].assign(**found, **{WEIGHT: weight})
            table = pa.Table.from_pandas(frame, preserve_index=False)
            tables.append(added_values([table], values.keys))
        return tables


def added_values(tables: Sequence[pa.Table], keys: Sequence[str]) -> pa.Table:
    """Tables of values added up, in an order that does not depend on threads."""
    whole = pa.concat_tables(tables, promote_options="permissive")
    summed = whole.group_by(list(keys), use_threads=False).aggregate([(WEIGHT, "sum")])
    return summed.rename_columns([*keys, WEIGHT])


class Gathered:
    """Value tables of chunks, added up so often that they stay small and so seldom that it pays."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        self._whole: list[pa.Table] = []
        self._waiting: list[pa.Table] = []

    def add(self, table: pa.Table) -> None:
        """Take the next chunk's table."""
        self._waiting.append(table)
        rows = sum(t.num_rows for t in self._waiting)
        if rows > max(WAITING, sum(t.num_rows for t in self._whole)):
            self.table()

    def table(self) -> pa.Table:
        """All of them added up."""
        if self._waiting:
            self._whole = [added_values([*self._whole, *self._waiting], self.keys)]
            self._waiting = []
        return self._whole[0]


@dataclass(frozen=True)
class Known:
    """A measure's linearised values on the table of values. Shapes: V rows of the table."""

    values: Floats  # (V,)
    used: npt.NDArray[np.bool_]  # (V,) whether such rows enter
    shared: Floats | None  # (V,) what they add to other domains, by its slope


@dataclass(frozen=True)
class Lookup:
    """Linearised values of measures by domain and values. Shapes: V rows of the table.

    `key`: (V,) sorted codes of the rows' combinations of labels and values, made from the sorted
    values that occur in each column, with one more for missing ones.
    """

    values: Values
    occur: tuple[Any, ...]
    key: Ints
    measures: dict[int, Known]  # by the measure's number

    @classmethod
    def of(cls, frame: pd.DataFrame, values: Values, found: dict[int, Linearised]) -> Lookup:
        """From the table of values and what each measure is on it."""
        occur = tuple(_occurring(frame[c]) for c in values.keys)
        if np.prod([len(o) + 1.0 for o in occur]) > np.iinfo(np.int64).max:
            raise PovmonError(
                f"there are too many combinations of {', '.join(values.keys)}",
                where="estimate, from files",
                todo="round the values, or read the files into a DataFrame",
            )
        key = _key(frame, values.keys, occur)
        order = np.argsort(key, kind="stable")
        known = {
            j: Known(
                f.values[order], f.used[order], None if f.shared is None else f.shared.values[order]
            )
            for j, f in found.items()
        }
        return cls(values, occur, key[order], known)

    def rows(self, rows: Rows) -> Ints:
        """Where the rows of a chunk stand in the table, (n,)."""
        frame = pd.DataFrame({c: rows.frame[c] for c in self.values.labels})
        for column in self.values.columns:
            frame[column] = numbers(rows.frame, column) + 0.0
        key = _key(frame, self.values.keys, self.occur)
        # Sorted questions are answered several times faster: the table is read in order.
        order = np.argsort(key)
        at = np.empty(len(key), dtype=np.int64)
        at[order] = np.searchsorted(self.key, key[order])
        return at


def _occurring(values: pd.Series[Any]) -> Any:
    """The values of a column in sorted order, missing ones left out."""
    if values.dtype == np.float64:
        return np.unique(values.to_numpy()[~np.isnan(values.to_numpy())])
    return pd.Index(values.dropna().unique()).sort_values()


def _key(frame: pd.DataFrame, columns: Sequence[str], occur: Sequence[Any]) -> Ints:
    """One code for each row's combination of values."""
    key = np.zeros(len(frame), dtype=np.int64)
    for column, known in zip(columns, occur, strict=True):
        series = frame[column]
        if isinstance(known, np.ndarray):
            values = series.to_numpy(dtype=np.float64)
            code = np.searchsorted(known, values)
            code[np.isnan(values)] = len(known)
        else:
            code = known.get_indexer(pd.Index(series))
            code = np.where(code < 0, len(known), code)
        key = key * (len(known) + 1) + code
    return key


def linearise_values(
    measures: dict[int, DistributionMeasure], table: pd.DataFrame, by: Sequence[str]
) -> dict[int, Linearised]:
    """Each measure on the table of values, by its number."""
    rows, weight = Rows(table), table[WEIGHT].to_numpy()
    domains = lay_domains(table, list(by))
    found = {}
    for number, measure in measures.items():
        result = measure.linearise(rows, weight, domains)
        if not isinstance(result, Linearised):
            result = Linearised(result.estimate, result.values, result.used)
        found[number] = result
    return found
