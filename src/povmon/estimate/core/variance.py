"""Variance from linearised values, summed once into cells (domain x sampling unit)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.estimate.core.compiled import between_units, cells_of_rows, homes
from povmon.estimate.core.domains import Domains
from povmon.estimate.design import Floats, Ints, Lonely, Sample, Stage, code_sorted
from povmon.estimate.measures.base import Shared

NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Cells:
    """The (domain, unit) pairs that occur at a stage, and the (domain, parent) pairs they make up.

    Shapes: C cells, S domain-parent pairs.
    """

    domain: Ints  # (C,)
    unit: Ints  # (C,)
    pair: Ints  # (C,) domain-parent pair of each cell
    pair_domain: Ints  # (S,)
    pair_parent: Ints  # (S,)
    cells_in_pair: Ints  # (S,)


@dataclass(frozen=True, eq=False)
class Layout:
    """Rows in the cells of the last stage, which add up to the cells of the stages before it.

    Shapes: n rows, C cells of the last stage.
    """

    of_row: Ints  # (n,) cell of each row; C where the row is outside all domains
    stages: tuple[Cells, ...]  # one for each stage of sampling
    cell_of_last: tuple[Ints, ...]  # for each stage, the cell that a cell of the last is part of

    @property
    def domain(self) -> Ints:
        """Domain of each cell of the last stage (C,)."""
        return self.stages[-1].domain

    def sum(self, values: Floats) -> Floats:
        """Row values (n,) added up over the cells of the last stage (C,)."""
        n = len(self.domain)
        return np.bincount(self.of_row, values, minlength=n + 1)[:n].astype(np.float64)


def lay_cells(sample: Sample, domains: Domains) -> Layout:
    """Lay the domains over the units of every stage."""
    last = sample.stages[-1]
    units = max(len(last.parent_of_unit), 1)
    if len(domains) == 1 and (len(domains.code) == 0 or domains.code.min() >= 0):
        # Every unit is a cell of the one domain.
        of_row, keys = last.unit, np.arange(len(last.parent_of_unit))
    else:
        of_row, keys = _code_cells(domains.code, last.unit, len(domains), units)
    return layout_of(sample, of_row, keys // units, keys % units)


def _code_cells(domain: Ints, unit: Ints, n_domains: int, units: int) -> tuple[Ints, Ints]:
    """Cell of each row (n,), C outside all domains, and the cells' domain * units + unit (C,).

    Most units lie in one domain: only rows elsewhere than their unit's last row need sorting.
    """
    home = np.full(units, -1, dtype=np.int64)
    away = homes(domain, unit, n_domains, home)
    where = domain[away]
    other, keys = code_sorted(np.where(where < 0, n_domains, where) * units + unit[away])
    some = np.flatnonzero(home >= 0)
    keys = np.concatenate([home[some] * units + some, keys])
    order = np.argsort(keys, kind="stable")  # quick on runs that are in order already
    rank = np.empty(len(keys), dtype=np.int64)
    rank[order] = np.arange(len(keys))
    home[some] = rank[: len(some)]
    keys = keys[order]
    inside = int(np.searchsorted(keys, n_domains * units))
    return cells_of_rows(unit, home, away, rank[len(some) + other], inside), keys[:inside]


def layout_of(sample: Sample, of_row: Ints, domain: Ints, unit: Ints) -> Layout:
    """From the cells of the last stage (C,), sorted by domain and unit, to those of all stages."""
    stages = [cells_of(sample.stages[-1], domain, unit)]
    inside = [np.arange(len(domain))]
    for stage, after in zip(sample.stages[-2::-1], sample.stages[:0:-1], strict=True):
        unit = after.parent_of_unit[unit]
        count = max(len(stage.parent_of_unit), 1)
        code, pairs = code_sorted(domain * count + unit)
        stages.insert(0, cells_of(stage, pairs // count, pairs % count))
        inside.insert(0, code)
    return Layout(of_row, tuple(stages), tuple(inside))


def cells_of(stage: Stage, domain: Ints, unit: Ints) -> Cells:
    """Cells from their domains and units (C,), sorted by domain."""
    parents = max(len(stage.units_in_parent), 1)
    pair, pairs = _coded_runs(domain * parents + stage.parent_of_unit[unit])
    counts = np.bincount(pair, minlength=len(pairs)).astype(np.int64)
    return Cells(domain, unit, pair, pairs // parents, pairs % parents, counts)


def _coded_runs(key: Ints) -> tuple[Ints, Ints]:
    """Codes (C,) of keys and the keys in order; ascending ones, the usual case, need no sorting."""
    step = np.diff(key, prepend=key[:1])
    if len(key) == 0 or step.min() < 0:
        return code_sorted(key)
    pair = np.cumsum(step > 0, dtype=np.int64)
    return pair, key[np.flatnonzero(np.diff(pair, prepend=-1))]


def variance(sample: Sample, layout: Layout, n_domains: int, totals: Floats) -> Floats:
    """Variance of each domain's estimate, (D,): `variance_and_freedom` without the freedom."""
    return variance_and_freedom(sample, layout, n_domains, totals)[0]


def variance_and_freedom(
    sample: Sample, layout: Layout, n_domains: int, totals: Floats
) -> tuple[Floats, Floats]:
    """Variance of each domain's estimate: the sum of what each stage of sampling adds.

    Parameters
    ----------
    totals : (C,) weight times linearised value, added up over the cells of the last stage.

    Returns
    -------
    (D,) variances; domains keep all units of their strata (those without rows count as zero).
    (D,) Satterthwaite's degrees of freedom of these variances, NaN where a variance is zero:
    (sum of v)^2 / sum of v^2 / (n - 1), over the variances v that strata (and, at a second stage,
    PSUs) of n units add. They are fewer than PSUs less strata where few strata carry the variance.

    Source
    ------
    Wolter (2007), eq. 6.11.4, for the ultimate cluster; Särndal, Swensson and Wretman (1992),
    eq. 4.3.17, for two stages; Lumley (2010), Complex Surveys, sec. 2.4, for domains;
    Satterthwaite (1946), Biometrics Bulletin 2; Rust and Rao (1996), Statistical Methods in
    Medical Research 5, sec. 2, for surveys.
    """
    result, squares = np.zeros(n_domains), np.zeros(n_domains)
    for stage, cells, inside in zip(sample.stages, layout.stages, layout.cell_of_last, strict=True):
        own = totals
        if cells is not layout.stages[-1]:
            own = np.bincount(inside, totals, minlength=len(cells.domain)).astype(np.float64)
        added, uncertain = _between_units(stage, sample.lonely, n_domains, cells, own)
        result += added
        squares += uncertain
    known = squares > 0
    freedom = np.divide(result**2, squares, out=np.full(n_domains, np.nan), where=known)
    return result, freedom


def _between_units(
    stage: Stage, lonely: Lonely | None, n_domains: int, cells: Cells, totals: Floats
) -> tuple[Floats, Floats]:
    """Sums over parents of f n/(n-1) times the squared deviations of unit totals, and of the
    squares of these over n - 1 (what a single unit adds by a rule does not count there)."""
    n = stage.units_in_parent[cells.pair_parent]
    factor = stage.factor[cells.pair_parent]
    by_pair, added, uncertain = between_units(
        cells.pair, cells.pair_domain, totals, n, factor, cells.cells_in_pair, n_domains
    )
    # A parent whose population is the one unit is known, not lonely.
    alone = (n == 1) & (factor > 0)
    if alone.any():
        by_pair = _single_units(lonely, cells, totals, by_pair, alone, n_domains)
        added = np.bincount(cells.pair_domain, by_pair, minlength=n_domains).astype(np.float64)
    return added, uncertain


def _single_units(
    lonely: Lonely | None, cells: Cells, totals: Floats, by_pair: Floats, alone: np.ndarray, n: int
) -> Floats:
    """What parents with a single unit add, by the design's rule."""
    filled = np.where(alone, 0.0, by_pair)
    if lonely == "adjust":
        squares = np.bincount(cells.pair, totals**2, minlength=len(by_pair))
        return np.where(alone, squares, by_pair)
    if lonely == "average":
        others = np.bincount(cells.pair_domain, ~alone, minlength=n)
        total = np.bincount(cells.pair_domain, filled, minlength=n)
        average = np.divide(total, others, out=np.full(n, np.nan), where=others > 0)
        return np.where(alone, average[cells.pair_domain], by_pair)
    return filled


def shared_totals(
    sample: Sample, layout: Layout, n_domains: int, totals: Floats, shared: Shared
) -> tuple[Layout, Floats]:
    """Cells and their totals where rows also contribute to domains that they do not lie in.

    Every domain then has a cell for each unit of the last stage.
    """
    table = shared.slope @ shared_by_unit(sample, shared)
    own = layout.stages[-1]
    table[own.domain, own.unit] += totals
    return full_layout(sample, n_domains), table.ravel()


def shared_by_unit(sample: Sample, shared: Shared) -> Floats:
    """Weight times shared value by group and unit of the last stage, (G, U)."""
    last = sample.stages[-1]
    units, groups = len(last.parent_of_unit), shared.slope.shape[1]
    inside = shared.group >= 0
    key = shared.group[inside] * units + last.unit[inside]
    value = (sample.weight * shared.values)[inside]
    sums = np.bincount(key, value, minlength=groups * units).astype(np.float64)
    return sums.reshape(groups, units)


def full_layout(sample: Sample, n_domains: int) -> Layout:
    """Cells of every domain with every unit of the last stage, sorted by domain and unit."""
    units = len(sample.stages[-1].parent_of_unit)
    domain = np.repeat(np.arange(n_domains), units)
    return layout_of(sample, NONE, domain, np.tile(np.arange(units), n_domains))


def degrees_of_freedom(layout: Layout, used: Floats, n_domains: int) -> tuple[Ints, Ints]:
    """PSUs with used rows, and PSUs less strata, by domain; both of shape (D,).

    `used`: (C,) number of used rows in each cell of the last stage.
    """
    cells = layout.stages[0]
    rows = used > 0
    if len(layout.stages) > 1:
        rows = np.bincount(layout.cell_of_last[0], rows, minlength=len(cells.domain)) > 0
    psu, pair = cells.domain, cells.pair_domain
    if not rows.all():
        psu, pair = psu[rows], pair[np.bincount(cells.pair, rows, minlength=len(pair)) > 0]
    n_psu = np.bincount(psu, minlength=n_domains).astype(np.int64, copy=False)
    return n_psu, n_psu - np.bincount(pair, minlength=n_domains)
