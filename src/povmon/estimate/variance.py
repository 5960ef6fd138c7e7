"""Variance from linearised values, summed once into cells (domain x sampling unit)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.estimate.design import Floats, Ints, Sample, Stage
from povmon.estimate.domains import Domains


@dataclass(frozen=True)
class Cells:
    """Which (domain, unit) pairs occur at a stage, and the (domain, parent) pairs they make up.

    Shapes: n rows, C cells, S domain-parent pairs.
    """

    of_row: Ints  # (n,) cell of each row, -1 outside all domains
    domain: Ints  # (C,)
    pair: Ints  # (C,) domain-parent pair of each cell
    pair_domain: Ints  # (S,)
    pair_parent: Ints  # (S,)
    cells_in_pair: Ints  # (S,)


def lay_cells(stage: Stage, domains: Domains) -> Cells:
    """Cells of the domains over the units of a stage."""
    units = max(len(stage.parent_of_unit), 1)
    inside = domains.code >= 0
    key = np.where(inside, domains.code * units + stage.unit, -1)
    unique, of_row = np.unique(key, return_inverse=True)
    if len(unique) and unique[0] == -1:
        unique, of_row = unique[1:], of_row - 1
    return _with_pairs(stage, of_row.astype(np.int64), unique // units, unique % units)


def _with_pairs(stage: Stage, of_row: Ints, domain: Ints, unit: Ints) -> Cells:
    parents = max(len(stage.units_in_parent), 1)
    pairs, pair = np.unique(domain * parents + stage.parent_of_unit[unit], return_inverse=True)
    pair = pair.astype(np.int64)
    counts = np.bincount(pair, minlength=len(pairs)).astype(np.int64)
    return Cells(of_row, domain, pair, pairs // parents, pairs % parents, counts)


def variance(
    sample: Sample, domains: Domains, cells: tuple[Cells, ...], linearised: Floats
) -> Floats:
    """Variance of each domain's estimate: the sum of what each stage of sampling adds.

    Parameters
    ----------
    cells : those of each stage, from `lay_cells`.
    linearised : (n,) influence of a unit of weight on the row's own domain's estimate.

    Returns
    -------
    (D,) variances; domains keep all units of their strata (those without rows count as zero).

    Source
    ------
    Wolter (2007), eq. 6.11.4, for the ultimate cluster; Särndal, Swensson and Wretman (1992),
    eq. 4.3.17, for two stages; Lumley (2010), Complex Surveys, sec. 2.4, for domains.
    """
    weighted = sample.weight * linearised
    total = np.zeros(len(domains))
    for stage, laid in zip(sample.stages, cells, strict=True):
        if sample.poststratum is not None:
            laid, totals = _residual_totals(sample, stage, domains, weighted)
        else:
            inside = laid.of_row >= 0
            totals = np.bincount(
                laid.of_row[inside], weighted[inside], minlength=len(laid.domain)
            ).astype(np.float64)
        total += _between_units(sample, stage, len(domains), laid, totals)
    return total


def _between_units(
    sample: Sample, stage: Stage, n_domains: int, cells: Cells, totals: Floats
) -> Floats:
    """Sum over parents of f n/(n-1) times the squared deviations of unit totals."""
    n = stage.units_in_parent[cells.pair_parent]
    factor = stage.factor[cells.pair_parent]
    mean = np.bincount(cells.pair, totals, minlength=len(n)) / n
    deviation = totals - mean[cells.pair]
    squares: Floats = np.bincount(cells.pair, deviation**2, minlength=len(n)).astype(np.float64)
    # Units of the parent without rows in the domain have a total of zero.
    squares = squares + (n - cells.cells_in_pair) * mean**2
    by_pair = factor * squares * n / np.maximum(n - 1, 1)
    # A parent whose population is the one unit is known, not lonely.
    alone = (n == 1) & (factor > 0)
    if alone.any():
        by_pair = _single_units(sample, cells, totals, by_pair, alone, n_domains)
    return np.bincount(cells.pair_domain, by_pair, minlength=n_domains).astype(np.float64)


def _single_units(
    sample: Sample, cells: Cells, totals: Floats, by_pair: Floats, alone: np.ndarray, n: int
) -> Floats:
    """What parents with a single unit add, by the design's rule."""
    filled = np.where(alone, 0.0, by_pair)
    if sample.lonely == "adjust":
        squares = np.bincount(cells.pair, totals**2, minlength=len(by_pair))
        return np.where(alone, squares, by_pair)
    if sample.lonely == "average":
        others = np.bincount(cells.pair_domain, ~alone, minlength=n)
        total = np.bincount(cells.pair_domain, filled, minlength=n)
        average = np.divide(total, others, out=np.full(n, np.nan), where=others > 0)
        return np.where(alone, average[cells.pair_domain], by_pair)
    return filled


def _residual_totals(
    sample: Sample, stage: Stage, domains: Domains, weighted: Floats
) -> tuple[Cells, Floats]:
    """Unit totals of residuals from the ratio model within post-strata.

    A row of post-stratum c outside the domain has the linearised value 0 and the residual
    minus B x, so cells are laid over all units of the post-strata that a domain touches.
    """
    assert sample.poststratum is not None
    size = sample.weight if sample.size is None else sample.weight * sample.size
    posts = int(sample.poststratum.max()) + 1
    units = len(stage.parent_of_unit)
    # Atoms: parts of units within post-strata, with their size.
    atoms, atom_of_row = np.unique(sample.poststratum * units + stage.unit, return_inverse=True)
    atom_post, atom_unit = atoms // units, atoms % units
    atom_size = np.bincount(atom_of_row, size, minlength=len(atoms))
    post_size = np.bincount(atom_post, atom_size, minlength=posts)
    # Slopes: one for each (domain, post-stratum) pair that occurs.
    inside = domains.code >= 0
    pair_key = domains.code[inside] * posts + sample.poststratum[inside]
    pairs, pair_of_row = np.unique(pair_key, return_inverse=True)
    pair_total = np.bincount(pair_of_row, weighted[inside], minlength=len(pairs))
    slope = pair_total / post_size[pairs % posts]
    # Every pair meets every atom of its post-stratum.
    first = np.searchsorted(atom_post, np.arange(posts))
    reps = np.bincount(atom_post, minlength=posts)[pairs % posts]
    pair_rep = np.repeat(np.arange(len(pairs)), reps)
    starts = np.cumsum(reps) - reps
    offset = np.arange(len(pair_rep)) - starts[pair_rep]
    atom_rep = first[pairs[pair_rep] % posts] + offset
    value = -slope[pair_rep] * atom_size[atom_rep]
    own = starts[pair_of_row] + (atom_of_row[inside] - first[sample.poststratum[inside]])
    value += np.bincount(own, weighted[inside], minlength=len(value))
    # Atoms of one unit in several post-strata add up to the domain's total of the unit.
    cell_key = (pairs[pair_rep] // posts) * units + atom_unit[atom_rep]
    keys, cell = np.unique(cell_key, return_inverse=True)
    totals = np.bincount(cell, value, minlength=len(keys)).astype(np.float64)
    none = np.empty(0, dtype=np.int64)
    return _with_pairs(stage, none, keys // units, keys % units), totals


def degrees_of_freedom(cells: Cells, used: Floats, n_domains: int) -> tuple[Ints, Ints]:
    """PSUs with used rows, and PSUs less strata, by domain; both of shape (D,)."""
    inside = cells.of_row >= 0
    rows = np.bincount(cells.of_row[inside], used[inside], minlength=len(cells.domain)) > 0
    n_psu = np.bincount(cells.domain, rows, minlength=n_domains).astype(np.int64)
    pair_used = np.bincount(cells.pair, rows, minlength=len(cells.pair_domain)) > 0
    n_strata = np.bincount(cells.pair_domain, pair_used, minlength=n_domains).astype(np.int64)
    return n_psu, n_psu - n_strata
