"""Under calibrated weights, errors are those of the residuals from the auxiliary variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from povmon.estimate.calibration.auxiliary import Auxiliaries
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.variance import NONE, Layout, full_layout, layout_of, shared_by_unit
from povmon.estimate.design import Floats, Ints, Sample
from povmon.estimate.measures.base import Shared

# Cells of a dense table of domains and units that are held at once: they stay in the cache.
AT_ONCE = 2**18


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Domains and their categories under post-strata: where rows are added and coefficients go.

    Shapes: m rows in any domain, P pairs, T terms (a pair and a unit with rows in its category).
    """

    row: Ints  # (m,) in the order of adding
    of_row: Ints  # (m,) pair of each of these
    inverse: Floats  # (P,) inverse of the category's sum
    of_term: Ints  # (T,) pair of each term
    mass: Floats  # (T,) auxiliary total of the unit
    cell: Ints  # (T,) touched cell of domain and unit


class Residuals:
    """Cell totals of residuals instead of linearised values.

    A row has the residual e = z - x'B in a domain, with z its linearised value where it lies in
    the domain and 0 elsewhere, and B the coefficients of z on the auxiliary values x. So rows
    outside a domain count too: cells are laid over all units, or, with post-strata, over all
    units of the post-strata that a domain touches.

    Parameters
    ----------
    layout : cells of the domains; unit totals of linearised values come in these.

    Source
    ------
    Deville and Särndal (1992), JASA 87, sec. 3; Särndal, Swensson and Wretman (1992), sec. 10.3
    for domains.
    """

    def __init__(self, sample: Sample, domains: Domains, layout: Layout) -> None:
        assert sample.calibration is not None
        self.sample, self.domains, self.layout = sample, domains, layout
        self.auxiliaries: Auxiliaries = sample.calibration
        self.unit = sample.stages[-1].unit
        self.units = len(sample.stages[-1].parent_of_unit)
        self._full: dict[int, Layout] = {}

    def blocks(
        self, totals: Floats, values: Floats, shared: Shared | None = None, at_once: int = AT_ONCE
    ) -> Iterator[tuple[slice, Layout, Floats]]:
        """Domains, their cells and the cells' totals of residuals, block of domains by block.

        Parameters
        ----------
        totals : (C,) weight times linearised value by cell of the layout.
        values : (n,) the same linearised values by row.
        shared : what rows add to domains that they do not lie in.
        at_once : most cells of a block, where the cells are all pairs of domain and unit.
        """
        count = len(self.domains)
        if self.auxiliaries.diagonal and shared is None:
            yield slice(0, count), self._touched, self._sparse(totals, values)
            return
        coefficients = self._coefficients(values, shared)
        step = max(1, at_once // max(self.units, 1))
        for start in range(0, count, step):
            block = slice(start, min(start + step, count))
            size = block.stop - block.start
            if size not in self._full:
                self._full[size] = full_layout(self.sample, size)
            table = self._dense(block, totals, coefficients, shared)
            yield block, self._full[size], table.ravel()

    def _coefficients(self, values: Floats, shared: Shared | None) -> Any:
        """B of each domain, (D, p)."""
        x = self.auxiliaries
        moments = x.by_group(x.regression * values, self.domains.code, len(self.domains))
        if shared is not None:
            groups = shared.slope.shape[1]
            more = x.by_group(x.regression * shared.values, shared.group, groups)
            moments = moments.toarray() + shared.slope @ more.toarray()
        return moments @ x.inverse

    @cached_property
    def _of_units(self) -> Any:
        """Auxiliary totals of the units, (U, p)."""
        return self.auxiliaries.of_units(self.sample.weight, self.unit, self.units)

    @cached_property
    def _touched(self) -> Layout:
        """Cells of each domain with all units of the categories that it has rows in."""
        ones = np.ones(len(self.unit))
        by_domain = self.auxiliaries.by_group(ones, self.domains.code, len(self.domains))
        by_unit = self.auxiliaries.by_group(ones, self.unit, self.units)
        pattern = (by_domain @ by_unit.T).tocsr()
        pattern.sort_indices()
        domain = np.repeat(np.arange(len(self.domains)), np.diff(pattern.indptr))
        return layout_of(self.sample, NONE, domain, pattern.indices.astype(np.int64))

    @cached_property
    def _place(self) -> tuple[Ints, Ints]:
        """Keys of the touched cells in order, and where the layout's cells stand among them."""
        cells, own = self._touched.stages[-1], self.layout.stages[-1]
        keys = cells.domain * self.units + cells.unit
        return keys, np.searchsorted(keys, own.domain * self.units + own.unit)

    @cached_property
    def _pairs(self) -> _Pairs:
        """Pairs of a domain and a category that occur, and what the coefficients of each reach."""
        x, keys = self.auxiliaries, self._place[0]
        inside = np.flatnonzero(self.domains.code >= 0)
        inside = inside[np.argsort(self.domains.code[inside], kind="stable")]
        start = np.searchsorted(self.domains.code[inside], np.arange(len(self.domains) + 1))
        shape = (len(self.domains), x.matrix.shape[0])
        rows = sparse.csr_array((inside, x.profile[inside], start), shape=shape)
        # Added up as `by_group` does, to the last digit.
        rows.sort_indices()
        domain = self.domains.code[rows.data]
        change = (np.diff(domain, prepend=-1) != 0) | (np.diff(rows.indices, prepend=-1) != 0)
        first = np.flatnonzero(change)
        category = x.matrix.tocsr().indices[rows.indices[first]]
        units = self._of_units.tocsc()
        number = np.diff(units.indptr)[category]
        pair = np.repeat(np.arange(len(first)), number)
        entry = np.arange(len(pair)) - np.repeat(np.cumsum(number) - number, number)
        entry += units.indptr[category][pair]
        key = domain[first][pair] * self.units + units.indices[entry]
        return _Pairs(
            rows.data, np.cumsum(change) - 1, x.inverse.diagonal()[category],
            pair, units.data[entry], np.searchsorted(keys, key),
        )  # fmt: skip

    def _sparse(self, totals: Floats, values: Floats) -> Floats:
        """Totals of the touched cells: only own categories of a domain have coefficients."""
        pairs, (keys, own) = self._pairs, self._place
        weighted = (self.auxiliaries.regression * values)[pairs.row]
        moments = np.bincount(pairs.of_row, weighted, len(pairs.inverse)).astype(np.float64)
        reached = (moments * pairs.inverse)[pairs.of_term] * pairs.mass
        result = 0.0 - np.bincount(pairs.cell, reached, len(keys)).astype(np.float64)
        result[own] += totals
        return result

    def _dense(
        self, block: slice, totals: Floats, coefficients: Any, shared: Shared | None
    ) -> Floats:
        """Totals of the domains of a block with all units, (domains, U)."""
        slopes = coefficients[block]
        slopes = slopes.toarray() if sparse.issparse(slopes) else slopes
        table: Floats = -(self._of_units @ slopes.T).T
        if shared is not None:
            table += shared.slope[block] @ shared_by_unit(self.sample, shared)
        own = self.layout.stages[-1]
        first, last = np.searchsorted(own.domain, [block.start, block.stop])
        table[own.domain[first:last] - block.start, own.unit[first:last]] += totals[first:last]
        return table
