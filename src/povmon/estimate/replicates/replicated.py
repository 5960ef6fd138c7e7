"""Replicates of every measure and domain of a table, all from one set of replicate weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeGuard

import numpy as np

from povmon.cores import cores
from povmon.estimate.core.order import sums_of_runs
from povmon.estimate.core.tally import Sums
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import DistributionMeasure, Measure, Part, SumMeasure
from povmon.estimate.replicates.replicate import SurveyWeights

# Numbers held at once in a block of replicates: what stays in a processor's cache.
AT_ONCE = 2**18


def replicate_estimates(measures: Sequence[Measure], sums: Sums, survey: SurveyWeights) -> Floats:
    """Estimates of M measures in D domains under each of R sets of replicate weights.

    Parameters
    ----------
    sums : of the rows, under the full weights.
    survey : the replicate weights of the same rows.

    Returns
    -------
    (R, D, M). A measure that is a function of sums is computed from replicates of its sums in
    cells; one that needs the distribution is computed again. With calibrated weights both are
    computed from rows, for each replicate is calibrated again.
    """
    made = survey.replication
    out = np.empty((made.replicates, len(sums.domains), len(measures)))
    parts = {j: m.parts(sums.rows).values for j, m in enumerate(measures) if _is_sum(m)}
    distinct = list(dict.fromkeys(part for listed in parts.values() for part in listed))
    again = survey.recalibrate is not None
    by_units = {} if again else _by_units(measures, sums, survey)
    by_rows = {
        j: m
        for j, m in enumerate(measures)
        if isinstance(m, DistributionMeasure) and j not in by_units
    }

    def from_parts(block: slice, totals: Sequence[Floats]) -> None:
        known = dict(zip(distinct, totals, strict=True))
        for j, listed in parts.items():
            out[block, :, j] = _of_parts(measures[j], [known[part] for part in listed])

    def from_units(block: slice) -> None:
        factors = made.block(block.start, block.stop)
        from_parts(block, cell_totals(sums, [sums.total(part) for part in distinct], factors))
        for j, function in by_units.items():
            out[block, :, j] = function(factors)

    def from_rows(block: slice) -> None:
        weights = np.stack([survey.weights(f) for f in made.block(block.start, block.stop)])
        if again:
            from_parts(block, _row_totals(sums, distinct, weights))
        for j, measure in by_rows.items():
            out[block, :, j] = measure.evaluate(sums.rows, weights, sums.domains)

    if not again and len(by_rows) < len(measures):
        in_threads(from_units, made.replicates, len(sums.layout.domain))
    if again or by_rows:
        in_threads(from_rows, made.replicates, len(sums.rows))
    return out


def in_threads(fill: Callable[[slice], None], replicates: int, size: int) -> None:
    """Fill blocks of replicates that stay in the cache.

    The first block makes what the others share. Each writes its own rows of the result, so that
    the number of threads changes nothing.
    """
    step = max(1, AT_ONCE // max(size, 1))
    blocks = [slice(i, min(i + step, replicates)) for i in range(0, replicates, step)]
    fill(blocks[0])
    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(fill, blocks[1:]))


def _of_parts(measure: Measure, sums: Sequence[Floats]) -> Floats:
    """Estimates (b, D) from the domain sums (b, D) of a measure's parts."""
    assert isinstance(measure, SumMeasure)
    return measure.of(np.stack(sums, axis=-1))[0]


def _by_units(
    measures: Sequence[Measure], sums: Sums, survey: SurveyWeights
) -> dict[int, Callable[[Floats], Floats]]:
    """What computes a measure of the distribution from factors on the units, where it pays."""
    given = sums.rows, survey.base, sums.domains, survey.unit, survey.replication.replicates
    found = {}
    for j, measure in enumerate(measures):
        if isinstance(measure, DistributionMeasure):
            function = measure.by_units(*given)
            if function is not None:
                found[j] = function
    return found


def _is_sum(measure: Measure) -> TypeGuard[SumMeasure]:
    return isinstance(measure, SumMeasure)


def cell_totals(sums: Sums, cells: Sequence[Floats], factors: Floats) -> list[Floats]:
    """Domain sums (b, D) of each part under b sets of factors on PSU weights (b, U)."""
    finest = sums.layout.stages[-1]
    unit = finest.unit
    for stage in sums.sample.stages[:0:-1]:
        unit = stage.parent_of_unit[unit]
    start = np.searchsorted(finest.domain, np.arange(len(sums.domains) + 1))
    spread = factors[:, unit]
    return [sums_of_runs(spread * part, start) for part in cells]


def _row_totals(sums: Sums, parts: Sequence[Part], weights: Floats) -> list[Floats]:
    """Domain sums (b, D) of each part under b vectors of weights (b, n)."""
    out = []
    for part in parts:
        values = part.dense(len(sums.rows))
        out.append(np.stack([sums.domains.sum(weight * values) for weight in weights]))
    return out
