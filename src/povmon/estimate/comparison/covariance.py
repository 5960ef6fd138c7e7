"""Covariance of the estimates of several domains, measures and surveys, by linearisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from povmon.errors import PovmonError
from povmon.estimate.core.influence import influence_totals
from povmon.estimate.core.tally import Answer, Sums
from povmon.estimate.core.variance import Layout, variance
from povmon.estimate.design import Floats, Ints, Sample
from povmon.estimate.measures.base import Measure


@dataclass(frozen=True, eq=False)
class Influences:
    """What each unit of one survey contributes to the errors of K estimates."""

    sample: Sample
    variance: Floats  # (K,)
    totals: tuple[sparse.csr_array, ...]  # for each stage (U, K), totals of linearised values

    @classmethod
    def of(cls, measures: Sequence[Measure], answers: Sequence[Answer], sums: Sums) -> Influences:
        """K = D x M estimates, by domain and then measure."""
        d, m = len(sums.domains), len(measures)
        variances = np.empty((d, m))
        by_stage: list[list[sparse.coo_array]] = [[] for _ in sums.sample.stages]
        for j, (measure, found) in enumerate(zip(measures, answers, strict=True)):
            if found.linearised is not None and found.linearised.inverse is not None:
                raise PovmonError(
                    f"{measure.name} has no linearised value of its own", where="joint",
                    todo="use replicates, as method=Bootstrap(1000, seed=1)",
                )  # fmt: skip
            layout, totals = influence_totals(measure, found, sums)
            variances[:, j] = variance(sums.sample, layout, d, totals)
            for s, table in enumerate(_stage_totals(sums.sample, layout, totals, j, m, d)):
                by_stage[s].append(table)
        merged = tuple(sparse.csr_array(sum(tables)) for tables in by_stage)
        return cls(sums.sample, variances.ravel(), merged)


def _stage_totals(
    sample: Sample, layout: Layout, totals: Floats, j: int, m: int, d: int
) -> list[sparse.coo_array]:
    """For each stage, unit totals in the columns of measure j, (U, d x m)."""
    tables = []
    for stage, cells, inside in zip(sample.stages, layout.stages, layout.cell_of_last, strict=True):
        own = np.bincount(inside, totals, minlength=len(cells.domain))
        shape = (len(stage.parent_of_unit), d * m)
        tables.append(sparse.coo_array((own, (cells.unit, cells.domain * m + j)), shape=shape))
    return tables


def linearised_covariance(pieces: Sequence[Influences]) -> Floats:
    """Covariance of the estimates of all surveys, (K, K)."""
    sizes = np.cumsum([0, *(len(p.variance) for p in pieces)])
    result = np.empty((sizes[-1], sizes[-1]))
    for a, one in enumerate(pieces):
        for b, other in enumerate(pieces[: a + 1]):
            block = _cross(one, other, 0)
            if a == b:
                for stage in range(1, len(one.sample.stages)):
                    block = block + _cross(one, one, stage)
            result[sizes[a] : sizes[a + 1], sizes[b] : sizes[b + 1]] = block
            result[sizes[b] : sizes[b + 1], sizes[a] : sizes[a + 1]] = block.T
    # Where the rule for single PSUs fills in the mean of the others, the variances hold it; the
    # correlations are those of the strata that have more than one.
    wanted = np.concatenate([p.variance for p in pieces])
    raw = np.diag(result)
    scale = np.sqrt(np.divide(wanted, raw, out=np.ones_like(raw), where=raw > 0))
    result *= np.outer(scale, scale)
    np.fill_diagonal(result, wanted)
    return result


def _cross(one: Influences, other: Influences, stage: int) -> Floats:
    """Sum over the units that both have of the products of their scaled deviations, (K1, K2)."""
    left, right = _deviations(one, stage), _deviations(other, stage)
    if one is not other:
        mine, theirs = _shared_units(one.sample, other.sample)
        left, right = [t[mine] for t in left], [t[theirs] for t in right]
    total = np.zeros((left[0].shape[1], right[0].shape[1]))
    for i, x in enumerate(left):
        for j, y in enumerate(right):
            total += (1.0 if i == j else -1.0) * (x.T @ y).toarray()
    return total


def _deviations(piece: Influences, stage: int) -> list[sparse.csr_array]:
    """Unit totals and their parents' means, both (U, K) times sqrt(f n / (n - 1)): the scaled
    deviation is the first less the second, which are kept apart because both are sparse."""
    laid, totals = piece.sample.stages[stage], piece.totals[stage]
    n, parent = laid.units_in_parent, laid.parent_of_unit
    alone = n == 1
    lonely = 1.0 if piece.sample.lonely == "adjust" else 0.0
    scale = np.sqrt(laid.factor * np.where(alone, lonely, n / np.maximum(n - 1, 1)))
    units = np.arange(len(parent))
    member = sparse.csr_array((np.ones(len(parent)), (units, parent)), shape=(len(parent), len(n)))
    # Single PSUs under `adjust` deviate from the mean of all strata, which is nil.
    mean = sparse.diags_array(np.where(alone, 0.0, 1.0 / n)) @ (member.T @ totals)
    rows = sparse.diags_array(scale[parent])
    return [sparse.csr_array(rows @ totals), sparse.csr_array(rows @ (member @ mean))]


def _shared_units(one: Sample, other: Sample) -> tuple[Ints, Ints]:
    """Positions of the PSUs that both samples have, by the labels of stratum and PSU."""
    keys = []
    for sample in (one, other):
        strata = sample.strata.take(sample.stages[0].parent_of_unit)
        keys.append(pd.MultiIndex.from_arrays([strata.astype(str), sample.psus.astype(str)]))
    there = keys[1].get_indexer(keys[0])
    mine = np.flatnonzero(there >= 0)
    return mine, there[mine]
