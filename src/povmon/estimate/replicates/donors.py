"""Donors drawn anew in each replicate, and what the imputed units could have been.

In the bootstrap for imputed survey data each replicate of the PSUs repeats the imputation from
the donors that it drew, with their replicate weights (Shao and Sitter 1996, Journal of the
American Statistical Association 91, 1278-1288; for the random hot deck within classes also Rao
and Shao 1992, Biometrika 79, 811-822). The replicates are those of the rescaled bootstrap (Rao
and Wu 1988).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from povmon.estimate.design import Floats, Ints
from povmon.estimate.replicates.rescaled import draw, stream

Labels = npt.ArrayLike
AT_ONCE = 2**22  # numbers held while donors of one pool are drawn


@dataclass(frozen=True, eq=False)
class Resample:
    """Bootstrap factors on the weights of P PSUs, B replicates.

    Parameters
    ----------
    psu : (n,) PSU of each row, 0 to P - 1.
    factor : (P, B) n_h / (n_h - 1) times how often it was drawn; 1 for the only PSU of a stratum.
    """

    psu: Ints
    factor: Floats


def resample(stratum: Labels, psu: Labels, replicates: int, seed: int) -> Resample:
    """Draw n_h - 1 of each stratum's n_h PSUs with replacement, `replicates` times.

    Parameters
    ----------
    stratum, psu : (n,) labels of the rows; a PSU is known by both.
    replicates : B.
    seed : of the random numbers; a stratum's depend on it and on the stratum's label alone.
    """
    of, strata = pd.factorize(np.asarray(stratum, dtype=object))
    unit, units = pd.factorize(np.asarray(psu, dtype=object))
    pairs, code = np.unique(of * len(units) + unit, return_inverse=True)
    label = np.array([str(strata[p // len(units)]) for p in pairs.tolist()])
    name = [f"{a}\t{units[p % len(units)]}" for a, p in zip(label, pairs.tolist(), strict=True)]
    order = np.argsort(np.array(name), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    label = label[order]
    factor = np.ones((len(pairs), replicates))
    for one in np.unique(label).tolist():
        inside = np.flatnonzero(label == one)
        size = len(inside)
        if size > 1:
            drawn = draw(stream(seed, one), [np.arange(size)], replicates)[0]
            factor[inside] = drawn * (size / (size - 1))
    return Resample(place[code.ravel()], factor)


def donors(pools: Sequence[Ints], pool: Ints, weight: Floats, drawn: Resample, seed: int) -> Ints:
    """The donor of each imputed record in each replicate.

    Parameters
    ----------
    pools : for each pool the rows of its donors, at least one.
    pool : (R,) number of each record's pool.
    weight : (n,) weights; a donor's chance is proportional to its replicate weight.
    drawn : the replicates, of the same n rows.
    seed : of the random numbers.

    Returns
    -------
    (R, B) rows. In a replicate that drew none of a pool's donors their own weights are taken.
    """
    out = np.empty((len(pool), drawn.factor.shape[1]), dtype=np.int64)
    order = np.argsort(pool, kind="stable")
    bounds = np.searchsorted(pool[order], np.arange(len(pools) + 1))
    for number, rows in enumerate(pools):
        inside = order[bounds[number] : bounds[number + 1]]
        if len(inside):
            out[inside] = _choose(rows, len(inside), weight, drawn, stream(seed, f"pool {number}"))
    return out


def _choose(rows: Ints, number: int, weight: Floats, drawn: Resample,
            random: np.random.Generator) -> Ints:  # fmt: skip
    """A donor for each of `number` records in each replicate, (number, B)."""
    chance = weight[rows, None] * drawn.factor[drawn.psu[rows]]
    none = chance.sum(axis=0) <= 0
    chance[:, none] = weight[rows, None]
    bound = np.cumsum(chance, axis=0)
    point = random.random((number, bound.shape[1])) * bound[-1]
    place = np.empty(point.shape, dtype=np.int64)
    step = max(1, AT_ONCE // bound.size)
    for start in range(0, number, step):
        part = point[start : start + step]
        place[start : start + step] = (bound[None, :, :] <= part[:, None, :]).sum(axis=1)
    return rows[np.minimum(place, len(rows) - 1)]


@dataclass(frozen=True, eq=False)
class Alternatives:
    """What U imputed units could have been: the V different sets of donors that they drew.

    Parameters
    ----------
    unit : (V,) unit of each alternative, ascending.
    replicate : (V,) a replicate in which it holds.
    chosen : (U, B) the alternative that holds for a unit in a replicate.
    """

    unit: Ints
    replicate: Ints
    chosen: Ints

    @classmethod
    def of(cls, unit: Ints, drawn: Ints, units: int) -> Alternatives:
        """From the records' units (R,), 0 to U - 1, and donors (R, B); a unit may have several."""
        replicates = drawn.shape[1]
        code = np.zeros((units, replicates), dtype=np.int64)
        order = np.argsort(unit, kind="stable")
        first = np.searchsorted(unit[order], np.arange(units))
        rank = np.arange(len(unit)) - first[unit[order]]
        for k in range(int(rank.max(initial=-1)) + 1):
            rows = order[rank == k]
            _, given = np.unique(drawn[rows], return_inverse=True)
            given = given.reshape(len(rows), replicates)
            joint = code[unit[rows]] * (given.max() + 1) + given
            _, joint = np.unique(joint, return_inverse=True)
            code[unit[rows]] = joint.reshape(len(rows), replicates)
        key = np.arange(units)[:, None] * (code.max(initial=0) + 1) + code
        _, at, chosen = np.unique(key, return_index=True, return_inverse=True)
        chosen = chosen.reshape(units, replicates)
        return cls(at // max(replicates, 1), at % max(replicates, 1), chosen)

    def __len__(self) -> int:
        return len(self.unit)

    def expand(self, unit: Ints) -> tuple[Ints, Ints]:
        """Each listed unit (m,) with all its alternatives: positions in the list, and numbers."""
        start = np.searchsorted(self.unit, np.arange(len(self.chosen) + 1))
        number = np.diff(start)[unit]
        place = np.repeat(np.arange(len(unit)), number)
        before = np.repeat(np.cumsum(number) - number, number)
        return place, np.repeat(start[unit], number) + np.arange(len(place)) - before

    def active(self, factor: Floats) -> sparse.csr_array:
        """(V, B) the unit's factor (U, B) in the replicates in which an alternative holds."""
        order, start = self._order
        replicates = self.chosen.shape[1]
        shape = (len(self), replicates)
        return sparse.csr_array((factor.ravel()[order], order % replicates, start), shape=shape)

    @cached_property
    def _order(self) -> tuple[Ints, Ints]:
        """Units and replicates (U x B) in the order of the alternatives, and where each begins."""
        order = np.argsort(self.chosen, axis=None, kind="stable")
        return order, np.searchsorted(self.chosen.ravel()[order], np.arange(len(self) + 1))
