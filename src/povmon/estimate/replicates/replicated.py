"""Replicates of every measure and domain of a table, all from one set of replicate weights."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeGuard

import numpy as np

from povmon.estimate.core.order import sums_of_runs
from povmon.estimate.core.tally import Sums
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import Measure, Part, SumMeasure
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
    cells = [sums.total(part) for part in distinct]
    # Rows are needed for distributions, and where replicates are calibrated again.
    by_row = len(parts) < len(measures) or survey.recalibrate is not None
    step = max(1, AT_ONCE // max(len(sums.rows) if by_row else 0, len(sums.layout.domain), 1))

    def fill(start: int) -> None:
        block = slice(start, min(start + step, made.replicates))
        factors = made.block(block.start, block.stop)
        weights = np.stack([survey.weights(f) for f in factors]) if by_row else factors
        if survey.recalibrate is None:
            totals = cell_totals(sums, cells, factors)
        else:
            totals = _row_totals(sums, distinct, weights)
        of_part = dict(zip(distinct, totals, strict=True))
        for j, measure in enumerate(measures):
            if isinstance(measure, SumMeasure):
                chosen = np.stack([of_part[part] for part in parts[j]], axis=-1)
                out[block, :, j] = measure.of(chosen)[0]
            else:
                out[block, :, j] = measure.evaluate(sums.rows, weights, sums.domains)

    # The first block makes what the others share. Each writes its own rows of the result, so
    # that the number of threads changes nothing.
    starts = range(0, made.replicates, step)
    fill(starts[0])
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        list(pool.map(fill, starts[1:]))
    return out


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
