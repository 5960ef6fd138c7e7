"""Sums by cell (combination of sampling unit and domain) of one chunk; cells of chunks add up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import Sums
from povmon.estimate.core.variance import lay_cells
from povmon.estimate.design import (
    Design,
    Floats,
    Ints,
    Sample,
    Stage,
    check_weights,
    codes,
    numbers,
)
from povmon.estimate.measures.base import Part, Parts, SumMeasure, flagged
from povmon.estimate.scale.chunks import Chunk

WEIGHT = "povmon weight"


@dataclass(frozen=True)
class Keys:
    """The columns that tell cells apart.

    Parameters
    ----------
    design : one that has no calibration.
    by : columns of the domains.
    within : columns of the groups that have a relative line each.
    """

    design: Design
    by: tuple[str, ...]
    within: tuple[str, ...] = ()

    @property
    def unit(self) -> list[str]:
        """Columns of the sampling units and of their populations."""
        d = self.design
        named = [d.strata, d.psu, *((d.ssu, *d.fpc) if d.fpc else ())]
        return list(dict.fromkeys(name for name in named if name is not None))

    @property
    def columns(self) -> list[str]:
        """All of them."""
        return list(dict.fromkeys([*self.unit, *self.by, *self.within]))


@dataclass(frozen=True)
class ChunkSums:
    """The rows of a chunk in cells, and sums over these. C cells."""

    rows: Rows
    labels: pd.DataFrame  # (C, keys)
    sums: Sums

    @classmethod
    def of(cls, chunk: Chunk, keys: Keys, columns: Sequence[str]) -> ChunkSums:
        """Read a chunk and lay its rows in cells.

        Raises
        ------
        PovmonError : a weight, stratum or PSU is missing, a weight is negative, a column is not
            numeric; it names the file.
        """
        frame, weight = read_checked(chunk, keys, columns)
        grouped = frame.groupby(keys.columns, sort=False, dropna=False, observed=True)
        cell: Ints = np.asarray(grouped.ngroup(), dtype=np.int64)
        first = np.empty(int(cell.max(initial=-1)) + 1, dtype=np.int64)
        first[cell[::-1]] = np.arange(len(cell))[::-1]
        labels = frame[keys.columns].iloc[first].reset_index(drop=True)
        # As if each cell were a domain, and all rows of one sampling unit.
        one = Stage(np.zeros(len(frame), np.int64), np.zeros(1, np.int64), np.ones(1, np.int64),
                    np.ones(1))  # fmt: skip
        sample = Sample(weight, (one,), None, pd.Index(["all"]), pd.Index(["all"]))
        domains, rows = Domains(cell, labels), Rows(frame)
        return cls(rows, labels, Sums(rows, sample, lay_cells(sample, domains), domains))

    def of_measure(self, number: int, measure: SumMeasure) -> dict[str, Floats]:
        """Totals, products and counts of a measure by cell."""
        return _named(number, self.sums, measure.parts(self.rows))

    def of_values(self, number: int, values: Floats, used: np.ndarray) -> dict[str, Floats]:
        """The same of values by row (n,)."""
        return _named(number, self.sums, Parts((Part(values),), flagged(self.rows, used)))


def read_checked(chunk: Chunk, keys: Keys, columns: Sequence[str]) -> tuple[pd.DataFrame, Floats]:
    """The rows of a chunk with the design's and these columns, and their weights (n,).

    Weights and labels are checked as `lay` does; what concerns the whole sample comes later.
    """
    design = keys.design
    frame = chunk.read(list(dict.fromkeys([*keys.columns, design.weight, *columns])))
    weight = numbers(frame, design.weight)
    check_weights(weight, design.weight, negative=False)
    for column in (design.strata, design.psu, design.ssu if design.fpc else None):
        if column is not None and frame[column].isna().any():
            codes(frame, column)  # says what is missing
    return frame, weight


def _named(number: int, sums: Sums, parts: Parts) -> dict[str, Floats]:
    tally = sums.tally(parts)
    found: dict[str, Floats] = {name(number, "weight"): tally.weight}
    found[name(number, "n")] = tally.n.astype(np.float64)
    for i, j in pairs(len(parts.values)):
        found[name(number, "product", i, j)] = tally.moments[:, i, j]
    for i, total in enumerate(tally.of_domain.T):
        found[name(number, "total", i)] = total
    return found


def name(number: int, what: str, *index: int) -> str:
    """Column of the sums of the measure with this number."""
    return " ".join(["povmon", str(number), what, *map(str, index)])


def pairs(k: int) -> Iterator[tuple[int, int]]:
    """Pairs i <= j of k parts."""
    return ((i, j) for j in range(k) for i in range(j + 1))


@contextmanager
def told(chunk: Chunk) -> Iterator[None]:
    """Errors met inside name the chunk."""
    try:
        yield
    except PovmonError as error:
        inside = f", {error.where}" if error.where else ""
        raise PovmonError(error.what, where=f"{chunk}{inside}", todo=error.todo) from error


def added(tables: Sequence[pd.DataFrame], keys: Sequence[str]) -> pd.DataFrame:
    """Tables of cells added up: one row for each combination of the keys."""
    if len(tables) == 1:
        return tables[0]
    whole = pd.concat(tables, ignore_index=True)
    grouped = whole.groupby(list(keys), sort=False, dropna=False, observed=True, as_index=False)
    result: pd.DataFrame = grouped.sum()
    return result
