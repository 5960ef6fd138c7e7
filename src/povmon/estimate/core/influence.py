"""From a measure's answer to the variance of its estimates, for every kind of weights."""

from __future__ import annotations

import numpy as np

from povmon.estimate.core.residuals import Residuals
from povmon.estimate.core.tally import Answer, Sums, linearised_totals
from povmon.estimate.core.variance import Layout, shared_totals, variance_and_freedom
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import Measure, Shared, linearise


def design_variance(measure: Measure, found: Answer, sums: Sums) -> tuple[Floats, Floats]:
    """Variance of each domain's estimate and its effective degrees of freedom, both (D,)."""
    count = len(sums.domains)
    if sums.sample.calibration is None:
        layout, totals = influence_totals(measure, found, sums)
        return variance_and_freedom(sums.sample, layout, count, totals)
    result, freedom = np.empty(count), np.empty(count)
    for block, layout, totals in _residuals(sums).blocks(
        linearised_totals(found, sums), *_by_row(measure, found, sums)
    ):
        size = block.stop - block.start
        found_here = variance_and_freedom(sums.sample, layout, size, totals)
        result[block], freedom[block] = found_here
    return result, freedom


def influence_totals(measure: Measure, found: Answer, sums: Sums) -> tuple[Layout, Floats]:
    """Cells and, for each of the last stage, what it contributes to its domain's error (C,)."""
    sample, layout = sums.sample, sums.layout
    totals = linearised_totals(found, sums)
    if sample.calibration is not None:
        # All domains in one block.
        everything = len(sums.domains) * len(sample.stages[-1].parent_of_unit)
        blocks = _residuals(sums).blocks(totals, *_by_row(measure, found, sums), everything)
        return next(iter(blocks))[1:]
    if found.linearised is not None and found.linearised.shared is not None:
        return shared_totals(sample, layout, len(sums.domains), totals, found.linearised.shared)
    return layout, totals


def _residuals(sums: Sums) -> Residuals:
    return sums.rows.once(
        ("residuals", sums.layout), lambda: Residuals(sums.sample, sums.domains, sums.layout)
    )


def _by_row(measure: Measure, found: Answer, sums: Sums) -> tuple[Floats, Shared | None]:
    """Linearised values by row (n,), and what rows add to other domains."""
    if found.linearised is not None:
        return found.linearised.values, found.linearised.shared
    return linearise(measure, sums.rows, sums.sample.weight, sums.domains).values, None
