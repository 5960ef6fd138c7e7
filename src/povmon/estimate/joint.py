"""Several estimates together: domains, measures and surveys with their covariance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from povmon.errors import PovmonError
from povmon.estimate.design import Design, Floats, Ints, Sample, lay
from povmon.estimate.domains import lay_domains
from povmon.estimate.measures import Measure
from povmon.estimate.rows import Rows
from povmon.estimate.table import check_arguments, influence_totals
from povmon.estimate.tally import Sums, answer
from povmon.estimate.variance import (
    Layout,
    lay_cells,
    variance,
)

Frames = pd.DataFrame | Mapping[str, pd.DataFrame]
Designs = Design | Mapping[str, Design]


@dataclass(frozen=True, eq=False)
class Joint:
    """K estimates with their covariance.

    Parameters
    ----------
    labels : (K rows) which estimate: ``survey`` where there are several, the `by` columns,
        ``measure``.
    estimate : (K,).
    covariance : (K, K).
    df : (K,) degrees of freedom, PSUs less strata of each estimate's domain.
    replicates : (R, K) replicate estimates where the covariance was made from them.
    factor : (R,) what each replicate's squared deviation counts.
    """

    labels: pd.DataFrame
    estimate: Floats
    covariance: Floats
    df: Ints
    replicates: Floats | None = None
    factor: Floats | None = None

    def __len__(self) -> int:
        return len(self.estimate)

    @property
    def se(self) -> Floats:
        """Standard errors (K,)."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def joint(
    frames: Frames,
    designs: Designs,
    measures: Sequence[Measure] | Measure,
    by: Sequence[str] | str | None = None,
) -> Joint:
    """Estimate measures by domain, in one survey or several, with the covariance of all of them.

    Parameters
    ----------
    frames : one row a unit; of several surveys a mapping from their names.
    designs : how each was drawn; one design serves all.
    measures, by : as in `estimate`.

    Returns
    -------
    `Joint`, its rows by survey, domain and measure.

    Notes
    -----
    Domains of one survey covary where they share PSUs, and because they share strata. Two surveys
    covary where they share PSUs: those with the same label in a stratum of the same label. The
    cross product of their deviations from the strata's means then enters, scaled as in the
    variances; with all PSUs shared this is the covariance of one survey of the same PSUs.

    Source: Wolter (2007), eq. 6.11.4, and sec. 6.12 for the covariance; Wood (2008), Journal of
    Official Statistics 24, for overlapping samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, fgt, joint
    >>> sample = pd.DataFrame({"county": [1, 1, 1, 1], "village": [1, 1, 2, 2], "w": [1, 1, 1, 1],
    ...                        "income": [1000, 3000, 2000, 4000], "sex": ["f", "m", "f", "m"]})
    >>> both = joint(sample, Design("county", "village", "w"), fgt("income", 3500, 0), by="sex")
    >>> both.estimate.tolist()
    [1.0, 0.5]
    """
    named = dict(frames) if isinstance(frames, Mapping) else {"": frames}
    keys = [by] if isinstance(by, str) else list(by or [])
    pieces = []
    for name, frame in named.items():
        design = designs if isinstance(designs, Design) else _design(designs, name)
        pieces.append(_one_survey(frame, design, check_arguments(frame, measures, 0.95), keys))
    labels = [p.labels for p in pieces]
    if isinstance(frames, Mapping):
        labels = [table.assign(survey=name) for name, table in zip(named, labels, strict=True)]
        labels = [table[["survey", *keys, "measure"]] for table in labels]
    return Joint(
        pd.concat(labels, ignore_index=True),
        np.concatenate([p.estimate for p in pieces]),
        _covariance(pieces),
        np.concatenate([p.df for p in pieces]),
    )


def _design(designs: Mapping[str, Design], name: str) -> Design:
    if name not in designs:
        raise PovmonError(f"no design is given for the survey {name!r}", where="joint")
    return designs[name]


@dataclass(frozen=True, eq=False)
class _Piece:
    """One survey's estimates. Shapes: K estimates, C cells in all."""

    sample: Sample
    labels: pd.DataFrame
    estimate: Floats  # (K,)
    df: Ints  # (K,)
    variance: Floats  # (K,)
    totals: tuple[sparse.csr_array, ...]  # for each stage (U, K), totals of linearised values


def _one_survey(
    frame: pd.DataFrame, design: Design, measures: Sequence[Measure], by: list[str]
) -> _Piece:
    rows, sample, domains = Rows(frame), lay(frame, design), lay_domains(frame, by)
    sums = Sums(rows, sample, lay_cells(sample, domains), domains)
    d, m = len(domains), len(measures)
    estimates, dfs, variances = np.empty((d, m)), np.empty((d, m), dtype=np.int64), np.empty((d, m))
    by_stage: list[list[sparse.coo_array]] = [[] for _ in sample.stages]
    for j, measure in enumerate(measures):
        found = answer(measure, sums)
        layout, totals = influence_totals(measure, found, sums)
        if found.linearised is not None and found.linearised.inverse is not None:
            raise PovmonError(
                f"{measure.name} has no linearised value of its own",
                where="joint", todo="compare quantiles by replicates",
            )  # fmt: skip
        estimates[:, j] = found.estimate
        dfs[:, j] = found.tally.df
        variances[:, j] = variance(sample, layout, d, totals)
        for s, table in enumerate(_stage_totals(sample, layout, totals, j, m, d)):
            by_stage[s].append(table)
    labels = domains.labels.loc[np.repeat(np.arange(d), m)].reset_index(drop=True)
    labels["measure"] = np.tile(np.array([x.name for x in measures], dtype=object), d)
    merged = tuple(sparse.csr_array(sum(tables)) for tables in by_stage)
    return _Piece(sample, labels, estimates.ravel(), dfs.ravel(), variances.ravel(), merged)


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


def _covariance(pieces: Sequence[_Piece]) -> Floats:
    """Covariance of the estimates of all surveys, (K, K)."""
    sizes = np.cumsum([0, *(len(p.estimate) for p in pieces)])
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


def _cross(one: _Piece, other: _Piece, stage: int) -> Floats:
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


def _deviations(piece: _Piece, stage: int) -> list[sparse.csr_array]:
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
