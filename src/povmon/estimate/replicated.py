"""Replicates of every measure and domain of a table, all from one set of replicate weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from povmon.estimate.design import Floats
from povmon.estimate.measures import Measure, Part, SumMeasure
from povmon.estimate.replicate import SurveyWeights
from povmon.estimate.tally import Sums

# Numbers held at once in a block of replicates: a few megabytes, which stay in the cache.
AT_ONCE = 2**20


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
    summed = [(j, m) for j, m in enumerate(measures) if isinstance(m, SumMeasure)]
    others = [(j, m) for j, m in enumerate(measures) if not isinstance(m, SumMeasure)]
    n_replicates = survey.replication.replicates
    out = np.empty((n_replicates, len(sums.domains), len(measures)))
    parts = {j: measure.parts(sums.rows).values for j, measure in summed}
    distinct = list(dict.fromkeys(part for listed in parts.values() for part in listed))
    cells = np.stack([sums.total(part) for part in distinct]) if distinct else np.empty((0, 0))
    # Rows are needed for distributions, and where replicates are calibrated again.
    by_row = bool(others) or survey.recalibrate is not None
    width = max(len(sums.rows) if by_row else 0, len(sums.layout.domain), 1)
    step = max(1, AT_ONCE // width)
    for start in range(0, n_replicates, step):
        block = slice(start, min(start + step, n_replicates))
        factors = survey.replication.block(block.start, block.stop)
        weights = np.stack([survey.weights(f) for f in factors]) if by_row else None
        if survey.recalibrate is None:
            totals = _cell_totals(sums, cells, factors)
        else:
            assert weights is not None
            totals = _row_totals(sums, distinct, weights)
        place = {part: i for i, part in enumerate(distinct)}
        for j, measure in summed:
            chosen = np.stack([totals[place[part]] for part in parts[j]], axis=-1)
            out[block, :, j] = measure.of(chosen)[0]
        for j, other in others:
            assert weights is not None
            out[block, :, j] = other.evaluate(sums.rows, weights, sums.domains)
    return out


def _cell_totals(sums: Sums, cells: Floats, factors: Floats) -> list[Floats]:
    """Domain sums (b, D) of each part under b sets of factors on PSU weights (b, U)."""
    finest = sums.layout.stages[-1]
    unit = finest.unit
    for stage in sums.sample.stages[:0:-1]:
        unit = stage.parent_of_unit[unit]
    first = np.searchsorted(finest.domain, np.arange(len(sums.domains)))
    empty = np.bincount(finest.domain, minlength=len(sums.domains)) == 0
    at = np.minimum(first, max(len(unit) - 1, 0))
    spread = factors[:, unit]
    out = []
    for part in cells:
        domain = np.zeros((len(factors), len(at)))
        if len(unit):
            np.add.reduceat(spread * part, at, axis=1, out=domain)
            domain[:, empty] = 0.0
        out.append(domain)
    return out


def _row_totals(sums: Sums, parts: Sequence[Part], weights: Floats) -> list[Floats]:
    """Domain sums (b, D) of each part under b vectors of weights (b, n)."""
    out = []
    for part in parts:
        values = part.dense(len(sums.rows))
        out.append(np.stack([sums.domains.sum(weight * values) for weight in weights]))
    return out
