"""Variance from linearised values, summed once into cells (domain x PSU)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.estimate.design import Floats, Ints, Sample
from povmon.estimate.domains import Domains


@dataclass(frozen=True)
class Cells:
    """Which (domain, PSU) pairs occur, and the (domain, stratum) pairs they make up.

    Shapes: C cells, S domain-strata pairs.
    """

    of_row: Ints  # (n,) cell of each row, -1 outside all domains
    domain: Ints  # (C,)
    psu: Ints  # (C,)
    pair: Ints  # (C,) domain-stratum pair of each cell
    pair_domain: Ints  # (S,)
    pair_stratum: Ints  # (S,)
    cells_in_pair: Ints  # (S,)


def lay_cells(sample: Sample, domains: Domains) -> Cells:
    """Cells of the domains over the PSUs of the sample."""
    psus = max(len(sample.stratum_of_psu), 1)
    inside = domains.code >= 0
    key = np.where(inside, domains.code * psus + sample.psu, -1)
    unique, of_row = np.unique(key, return_inverse=True)
    if len(unique) and unique[0] == -1:
        unique, of_row = unique[1:], of_row - 1
    domain, psu = unique // psus, unique % psus
    return _with_pairs(sample, of_row.astype(np.int64), domain, psu)


def _with_pairs(sample: Sample, of_row: Ints, domain: Ints, psu: Ints) -> Cells:
    strata = max(len(sample.psus_in_stratum), 1)
    pair_key = domain * strata + sample.stratum_of_psu[psu]
    pairs, pair = np.unique(pair_key, return_inverse=True)
    pair = pair.astype(np.int64)
    counts = np.bincount(pair, minlength=len(pairs)).astype(np.int64)
    return Cells(of_row, domain, psu, pair, pairs // strata, pairs % strata, counts)


def variance(sample: Sample, domains: Domains, cells: Cells, linearised: Floats) -> Floats:
    """Variance of each domain's estimate, first stage with replacement.

    Parameters
    ----------
    linearised : (n,) influence of a unit of weight on the row's own domain's estimate.

    Returns
    -------
    (D,) variances; domains keep all PSUs of their strata (those without rows count as zero).

    Source
    ------
    Wolter (2007), eq. 6.11.4, for the ultimate cluster; Lumley (2010), Complex Surveys,
    sec. 2.4, for domains.
    """
    weighted = sample.weight * linearised
    if sample.poststratum is not None:
        weighted = weighted.copy()
        cells, totals = _residual_totals(sample, domains, weighted)
    else:
        inside = cells.of_row >= 0
        totals = np.bincount(
            cells.of_row[inside], weighted[inside], minlength=len(cells.domain)
        ).astype(np.float64)
    return _between_psus(sample, len(domains), cells, totals)


def _between_psus(sample: Sample, n_domains: int, cells: Cells, totals: Floats) -> Floats:
    """Sum over strata of n/(n-1) times the squared deviations of PSU totals."""
    n_psu = sample.psus_in_stratum[cells.pair_stratum]
    mean = np.bincount(cells.pair, totals, minlength=len(n_psu)) / n_psu
    deviation = totals - mean[cells.pair]
    # PSUs of the stratum without rows in the domain have a total of zero.
    squares: Floats = np.bincount(cells.pair, deviation**2, minlength=len(n_psu)).astype(np.float64)
    squares = squares + (n_psu - cells.cells_in_pair) * mean**2
    alone = n_psu == 1
    by_pair = squares * n_psu / np.maximum(n_psu - 1, 1)
    if alone.any():
        by_pair = _single_psus(sample, cells, totals, by_pair, alone, n_domains)
    return np.bincount(cells.pair_domain, by_pair, minlength=n_domains).astype(np.float64)


def _single_psus(
    sample: Sample, cells: Cells, totals: Floats, by_pair: Floats, alone: np.ndarray, n: int
) -> Floats:
    """What strata with a single PSU add, by the design's rule."""
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


def _residual_totals(sample: Sample, domains: Domains, weighted: Floats) -> tuple[Cells, Floats]:
    """PSU totals of residuals from the ratio model within post-strata.

    A row of post-stratum c outside the domain has the linearised value 0 and the residual
    minus B x, so cells are laid over all PSUs of the post-strata that a domain touches.
    """
    assert sample.poststratum is not None
    size = sample.weight if sample.size is None else sample.weight * sample.size
    posts = int(sample.poststratum.max()) + 1
    psus = len(sample.stratum_of_psu)
    # Atoms: parts of PSUs within post-strata, with their size.
    atoms, atom_of_row = np.unique(sample.poststratum * psus + sample.psu, return_inverse=True)
    atom_post, atom_psu = atoms // psus, atoms % psus
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
    count = np.bincount(atom_post, minlength=posts)
    reps = count[pairs % posts]
    pair_rep = np.repeat(np.arange(len(pairs)), reps)
    starts = np.cumsum(reps) - reps
    offset = np.arange(len(pair_rep)) - starts[pair_rep]
    atom_rep = first[pairs[pair_rep] % posts] + offset
    value = -slope[pair_rep] * atom_size[atom_rep]
    own = starts[pair_of_row] + (atom_of_row[inside] - first[sample.poststratum[inside]])
    value += np.bincount(own, weighted[inside], minlength=len(value))
    # Atoms of one PSU in several post-strata add up to the domain's PSU total.
    cell_key = (pairs[pair_rep] // posts) * psus + atom_psu[atom_rep]
    keys, cell = np.unique(cell_key, return_inverse=True)
    totals = np.bincount(cell, value, minlength=len(keys)).astype(np.float64)
    laid = _with_pairs(sample, np.empty(0, dtype=np.int64), keys // psus, keys % psus)
    return laid, totals


def degrees_of_freedom(cells: Cells, used: Floats, n_domains: int) -> tuple[Ints, Ints]:
    """PSUs with used rows, and PSUs less strata, by domain; both of shape (D,)."""
    inside = cells.of_row >= 0
    rows = np.bincount(cells.of_row[inside], used[inside], minlength=len(cells.domain)) > 0
    n_psu = np.bincount(cells.domain, rows, minlength=n_domains).astype(np.int64)
    pair_used = np.bincount(cells.pair, rows, minlength=len(cells.pair_domain)) > 0
    n_strata = np.bincount(cells.pair_domain, pair_used, minlength=n_domains).astype(np.int64)
    return n_psu, n_psu - n_strata
