"""The draws of the rescaled bootstrap: n - 1 of a stratum's n PSUs with replacement."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from povmon.estimate.design import Ints

Counts = npt.NDArray[np.uint16]
# Random numbers held at once; a stratum of thousands of PSUs is drawn in several steps.
AT_ONCE = 2**20


def stream(seed: int, stratum: str) -> np.random.Generator:
    """Random numbers that depend on the seed and on the stratum's label alone."""
    digest = hashlib.blake2b(f"bootstrap {stratum}".encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "little")])


def draw(random: np.random.Generator, surveys: Sequence[Ints], replicates: int) -> list[Counts]:
    """How often each PSU of a stratum is drawn, by survey.

    Parameters
    ----------
    surveys : for each survey the names of its PSUs in the stratum, ascending, n of them.
    replicates : R.

    Returns
    -------
    For each survey (n, R); every column is multinomial with n - 1 draws. Surveys with the same
    PSUs have the same draws; those with some PSUs in common share the draws that fall on them.
    """
    first = surveys[0]
    if all(np.array_equal(first, other) for other in surveys[1:]):
        return [_multinomial(random, len(first), replicates)] * len(surveys)
    return _coupled(random, surveys, replicates)


def _multinomial(random: np.random.Generator, n: int, replicates: int) -> Counts:
    out = np.empty((n, replicates), dtype=np.uint16)
    step = max(1, AT_ONCE // n)
    for start in range(0, replicates, step):
        rows = min(step, replicates - start)
        drawn = random.integers(0, n, (rows, n - 1), dtype=np.int32)
        out[:, start : start + rows] = _tally(drawn, n)
    return out


def _tally(drawn: npt.NDArray[np.signedinteger], n: int) -> Ints:
    """Times each of n was drawn, (n, rows), from rows of draws."""
    rows = len(drawn)
    place = drawn + np.arange(rows)[:, None] * n
    return np.bincount(place.ravel(), minlength=rows * n).reshape(rows, n).T


def _coupled(random: np.random.Generator, surveys: Sequence[Ints], replicates: int) -> list[Counts]:
    """Draws of surveys that share some PSUs.

    The PSUs fall into cells by the surveys they are in. A draw first takes a cell (with
    probability its share of the survey's PSUs, from random numbers common to the surveys), then
    a PSU of the cell: the k-th draw on a cell takes the same PSU in every survey. So each survey
    alone is multinomial, and the covariance of two totals is that of their shared PSUs.
    """
    names = np.unique(np.concatenate(surveys))
    member = np.array([np.isin(names, own) for own in surveys])
    cells, cell_of_name = np.unique(member, axis=1, return_inverse=True)
    cell_of_name = cell_of_name.ravel()
    # Cells that most surveys share come first, so that their draws coincide most.
    order = np.argsort(-cells.sum(axis=0), kind="stable")
    longest = max(len(own) for own in surveys) - 1
    uniform = random.random((replicates, longest))
    picks = {}
    for cell in order.tolist():
        inside = np.flatnonzero(cell_of_name == cell)
        picks[cell] = inside[random.integers(0, len(inside), (replicates, longest))]
    out = []
    for s, own in enumerate(surveys):
        drawn = _take(uniform[:, : len(own) - 1], own, s, cells, cell_of_name, order, picks)
        counts = _tally(drawn, len(names))[np.searchsorted(names, own)]
        out.append(counts.astype(np.uint16))
    return out


def _take(
    uniform: npt.NDArray[np.float64],
    own: Ints,
    survey: int,
    cells: npt.NDArray[np.bool_],
    cell_of_name: Ints,
    order: Ints,
    picks: dict[int, Ints],
) -> Ints:
    """The PSUs (among all names) that one survey draws, (R, n - 1)."""
    mine = order[cells[survey, order]]
    bounds = np.cumsum(np.bincount(cell_of_name, minlength=cells.shape[1])[mine]) / len(own)
    # The last bound is 1 but for rounding, and no number reaches it.
    chosen = np.searchsorted(bounds[:-1], uniform, side="right")
    drawn = np.zeros(uniform.shape, dtype=np.int64)
    for k, cell in enumerate(mine.tolist()):
        falls = chosen == k
        rank = np.maximum(np.cumsum(falls, axis=1) - 1, 0)
        drawn = np.where(falls, np.take_along_axis(picks[cell], rank, axis=1), drawn)
    return drawn
