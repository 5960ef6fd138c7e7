"""Under calibrated weights, errors are those of the residuals from the auxiliary variables."""

from __future__ import annotations

from collections.abc import Iterator
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
        coefficients = self._coefficients(values, shared)
        if self.auxiliaries.diagonal and shared is None:
            yield slice(0, count), self._touched, self._sparse(totals, coefficients)
            return
        step = max(1, at_once // max(self.units, 1))
        for start in range(0, count, step):
            block = slice(start, min(start + step, count))
            size = block.stop - block.start
            if size not in self._full:
                self._full[size] = full_layout(self.sample, size)
            table = self._dense(block, totals, coefficients, shared)
            yield block, self._full[size], table.ravel()

    def _coefficients(self, values: Floats, shared: Shared | None) -> Any:
        """B of each domain, (D, p); sparse with post-strata, where own categories alone count."""
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

    def _sparse(self, totals: Floats, coefficients: Any) -> Floats:
        keys, own = self._place
        reach = sparse.coo_array(coefficients @ self._of_units.T)
        domain, unit = reach.coords
        result = np.zeros(len(keys))
        result[np.searchsorted(keys, domain.astype(np.int64) * self.units + unit)] = -reach.data
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
