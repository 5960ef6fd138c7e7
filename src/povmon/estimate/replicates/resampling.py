"""Replicate weights: jackknife, balanced half-samples and bootstrap, as factors on PSU weights.

Several surveys are replicated together. A PSU that two of them share, known by the labels of
stratum and PSU, meets the same fate in both, so the covariance between them is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from povmon.errors import PovmonError
from povmon.estimate.core.units import Units
from povmon.estimate.design import Floats, Ints
from povmon.estimate.replicates.hadamard import hadamard
from povmon.estimate.replicates.rescaled import Counts, draw, stream

NAMED = 10  # strata an error lists by name


@dataclass(frozen=True, eq=False)
class Replication:
    """R sets of factors on the weights of U PSUs.

    The variance of an estimate is sum_r factor_r (theta_r - centre)^2, theta_r the estimate with
    the weights of replicate r. The centre is the full estimate where `mse`, else the mean of the
    replicates.
    """

    factor: Floats  # (R,)
    df: int
    mse: bool
    units: int

    @property
    def replicates(self) -> int:
        """R, the number of replicates."""
        return len(self.factor)

    @property
    def multiplier(self) -> Floats:
        """All factors on PSU weights, (R, U): R U 8 bytes; for large samples take blocks."""
        return self.block(0, self.replicates)

    def block(self, start: int, stop: int) -> Floats:
        """Factors on PSU weights of the replicates `start` to `stop` - 1, (stop - start, U)."""
        raise NotImplementedError

    def totals(self, sums: Floats) -> Floats:
        """Replicates of totals: PSU sums (U, K) of weight times value give (R, K).

        The same as ``multiplier @ sums``, without the matrix.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Deletions(Replication):
    """Delete-one replicates: a few numbers for each PSU instead of a matrix.

    Row r: 1 - share for the PSU left out, 1 + share / (n - 1) for the others of its stratum.
    """

    row: Ints  # (A,) the replicate that leaves the PSU out, ascending
    code: Ints  # (A,)
    n: Ints  # (A,)
    share: Floats  # (A,) of the PSU's weight that is taken away
    first: Ints  # (A,) where the PSU's stratum begins among the A

    def block(self, start: int, stop: int) -> Floats:
        """See `Replication.block`."""
        out = np.ones((stop - start, self.units))
        low, high = np.searchsorted(self.row, [start, stop])
        for k in range(low, high):
            fellows = self.code[self.first[k] : self.first[k] + self.n[k]]
            line = out[self.row[k] - start]
            line[fellows[fellows >= 0]] = 1.0 + self.share[k] / (self.n[k] - 1)
            if self.code[k] >= 0:
                line[self.code[k]] = 1.0 - self.share[k]
        return out

    def totals(self, sums: Floats) -> Floats:
        """See `Replication.totals`."""
        everything = sums.sum(axis=0)
        own = np.concatenate([sums, np.zeros((1, sums.shape[1]))])[self.code]
        begins, stratum = np.unique(self.first, return_inverse=True)
        strata = np.add.reduceat(own, begins, axis=0)[stratum]
        share, n = self.share[:, None], self.n[:, None]
        out = np.repeat(everything[None, :], self.replicates, axis=0)
        # In this order a domain whose only PSU is left out keeps exactly nothing, no rounding.
        out[self.row] = (everything - share * strata) + share * (strata - own) * (n / (n - 1))
        return out


@dataclass(frozen=True, eq=False)
class Patterns(Replication):
    """Replicates kept as small whole numbers: factor = offset + slope * pattern."""

    pattern: Counts  # (U, R) times drawn, or the half-sample a PSU is in
    offset: Floats  # (U,)
    slope: Floats  # (U,)

    def block(self, start: int, stop: int) -> Floats:
        """See `Replication.block`."""
        return self.offset + self.slope * self.pattern[:, start:stop].T

    def totals(self, sums: Floats) -> Floats:
        """See `Replication.totals`."""
        fixed, varying = self.offset @ sums, self.slope[:, None] * sums
        out = np.empty((self.replicates, sums.shape[1]))
        step = max(1, 2**20 // max(self.units, 1))
        for start in range(0, self.replicates, step):
            stop = start + step
            out[start:stop] = self.pattern[:, start:stop].T.astype(np.float64) @ varying
        return out + fixed


@dataclass(frozen=True)
class Jackknife:
    """Stratified delete-one jackknife (JKn): each replicate leaves one PSU out.

    Parameters
    ----------
    mse : squared deviations from the full estimate instead of the mean of the replicates.

    Factor (1 - f_h) (n_h - 1) / n_h. A stratum with a single PSU follows the design's rule:
    ``certainty`` and ``remove``: no replicate; ``average``: all factors times H / (H - L), L the
    number of such strata; ``adjust``: two replicates of factor (1 - f_h) / 2 that leave the PSU
    out and double it. Where surveys with unlike factors meet in a stratum, the largest counts, and
    the other surveys' PSUs lose a share of their weight instead of all.

    Source
    ------
    Rust and Rao (1996), Statistical Methods in Medical Research 5; Wolter (2007), ch. 4.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, Jackknife, estimate, mean
    >>> sample = pd.DataFrame({"county": [1, 1, 2, 2], "village": [1, 2, 3, 4], "w": 1,
    ...                        "y": [1, 3, 5, 7]})
    >>> table = estimate(sample, Design("county", "village", "w"), mean("y"), method=Jackknife())
    >>> table[["estimate", "se"]].round(3).values.tolist()
    [[4.0, 0.707]]
    """

    mse: bool = False

    def replications(self, laid: Sequence[Units]) -> list[Replication]:
        """The replicates of surveys that are laid together, one object a survey."""
        rows = np.unique(np.concatenate([u.name for u in laid]))
        # One factor for a whole stratum, so that its deviations add up to zero in every survey.
        largest = np.zeros(len(laid[0].labels))
        for u in laid:
            np.maximum.at(largest, u.stratum, u.strength * (u.n - 1) / u.n)
        factor = np.empty(len(rows))
        for u in laid:
            factor[np.searchsorted(rows, u.name)] = largest[u.stratum]
        return [self._of(u, rows, factor) for u in laid]

    def _of(self, u: Units, rows: Ints, factor: Floats) -> Deletions:
        row = np.searchsorted(rows, u.name).astype(np.int64)
        share = np.sqrt(u.strength * (u.n - 1) / u.n / factor[row])
        first = np.searchsorted(u.stratum, u.stratum).astype(np.int64)
        return Deletions(factor, u.df, self.mse, u.units, row, u.code, u.n, share, first)


@dataclass(frozen=True)
class BRR:
    """Balanced repeated replication: half-samples of strata with two PSUs each.

    Parameters
    ----------
    fay : Fay's constant in [0, 1): the PSU not in the half-sample keeps this share of its weight.
    mse : squared deviations from the full estimate instead of the mean of the replicates.

    Factors 1 + (1 - fay) sqrt(1 - f_h) and 1 - (1 - fay) sqrt(1 - f_h), by the columns of a
    Hadamard matrix of more rows than strata, its column of ones left out (full orthogonal
    balance); factor of the variance 1 / (R (1 - fay)^2). Strata with a single PSU: as in
    `Jackknife`; under ``adjust`` the PSU is in half of the half-samples.

    Source
    ------
    McCarthy (1969), Review of the International Statistical Institute 37; Judkins (1990),
    Journal of Official Statistics 6, for Fay's method; Wolter (2007), ch. 3.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import BRR, Design, estimate, mean
    >>> sample = pd.DataFrame({"county": [1, 1, 2, 2], "village": [1, 2, 3, 4], "w": 1,
    ...                        "y": [1, 3, 5, 7]})
    >>> table = estimate(sample, Design("county", "village", "w"), mean("y"), method=BRR())
    >>> table[["estimate", "se"]].round(3).values.tolist()
    [[4.0, 0.707]]
    """

    fay: float = 0.0
    mse: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.fay < 1:
            raise PovmonError(f"fay is {self.fay!r}", where="BRR", todo="choose it in [0, 1)")

    def replications(self, laid: Sequence[Units]) -> list[Replication]:
        """The replicates of surveys that are laid together, one object a survey.

        Raises
        ------
        PovmonError : a stratum has more than two PSUs, or surveys share PSUs in such a way that
            no half-sample fits them all.
        """
        for u in laid:
            _check_pairs(u)
        sides = [np.zeros((len(u.name), 2), dtype=np.int64) for u in laid]  # column, side
        columns = 0
        for stratum, members in _by_stratum(laid):
            pairs = [laid[s].name[at] for s, at in members]
            found, columns = _halves(pairs, columns, laid[0].labels[stratum])
            for (s, at), pair in zip(members, pairs, strict=True):
                sides[s][at] = [found[int(name)] for name in pair]
        signs = hadamard(columns + 1)[:, 1 : columns + 1]
        peak, moved = _peak(laid), 1.0 - self.fay
        factor = np.full(len(signs), peak / (len(signs) * moved**2))
        out: list[Replication] = []
        for u, side in zip(laid, sides, strict=True):
            pattern = _blank(u, len(signs))
            real = u.code >= 0
            half = signs[:, side[real, 0]].T * side[real, 1][:, None] > 0
            pattern[u.code[real]] = half
            reach = moved * np.sqrt(u.strength / peak)
            out.append(_patterns(u, factor, self.mse, pattern, reach, 2.0 * reach))
        return out


@dataclass(frozen=True)
class Bootstrap:
    """Rescaled bootstrap: n_h - 1 of a stratum's n_h PSUs drawn with replacement.

    Parameters
    ----------
    replicates : how many, R. They are kept in R U 2 bytes.
    seed : of the random numbers, 0 or more. A stratum's numbers depend on the seed, its label
        and its PSUs' labels in sorted order: on no order of rows and on no other stratum.
    mse : squared deviations from the full estimate instead of the mean of the replicates.

    Factor 1 - s + s n_h / (n_h - 1) times drawn, s = sqrt(1 - f_h); factor of the variance
    1 / (R - 1), with `mse` 1 / R. Strata with a single PSU: as in `Jackknife`; under ``adjust``
    the PSU is drawn twice or not at all. Where surveys share some of a stratum's PSUs, each
    draws n_h - 1 of its own, as alone, and the draws that fall on shared PSUs are the same ones.

    Source
    ------
    Rao and Wu (1988), Journal of the American Statistical Association 83; Rao, Wu and Yue
    (1992), Survey Methodology 18, with m_h = n_h - 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Bootstrap, Design, estimate, mean
    >>> sample = pd.DataFrame({"county": [1, 1, 2, 2], "village": [1, 2, 3, 4], "w": 1,
    ...                        "y": [1, 3, 5, 7]})
    >>> table = estimate(sample, Design("county", "village", "w"), mean("y"), method=Bootstrap(500))
    >>> table[["estimate", "se"]].round(3).values.tolist()
    [[4.0, 0.724]]
    """

    replicates: int = 1000
    seed: int = 1
    mse: bool = False

    def __post_init__(self) -> None:
        if self.replicates < 2 or self.seed < 0:
            raise PovmonError(
                f"replicates is {self.replicates!r}, seed {self.seed!r}",
                where="Bootstrap",
                todo="ask for 2 replicates or more, with a seed of 0 or more",
            )

    def replications(self, laid: Sequence[Units]) -> list[Replication]:
        """The replicates of surveys that are laid together, one object a survey."""
        patterns = [_blank(u, self.replicates) for u in laid]
        for stratum, members in _by_stratum(laid):
            random = stream(self.seed, laid[0].labels[stratum])
            drawn = draw(random, [laid[s].name[at] for s, at in members], self.replicates)
            for (s, at), times in zip(members, drawn, strict=True):
                code = laid[s].code[at]
                patterns[s][code[code >= 0]] = times[code >= 0]
        peak = _peak(laid)
        divisor = self.replicates if self.mse else self.replicates - 1
        factor = np.full(self.replicates, peak / divisor)
        out: list[Replication] = []
        for u, pattern in zip(laid, patterns, strict=True):
            reach = np.sqrt(u.strength / peak)
            out.append(_patterns(u, factor, self.mse, pattern, reach, reach * u.n / (u.n - 1)))
        return out


Method: TypeAlias = Jackknife | BRR | Bootstrap


def _peak(laid: Sequence[Units]) -> float:
    """A common factor of the variance, so that no PSU loses more than its weight."""
    return max(1.0, *(float(u.strength.max(initial=0.0)) for u in laid))


def _blank(u: Units, replicates: int) -> Counts:
    return np.zeros((u.units, replicates), dtype=np.uint16)


def _patterns(
    u: Units, factor: Floats, mse: bool, pattern: Counts, below: Floats, slope: Floats
) -> Patterns:
    """Factors 1 - below + slope * pattern; PSUs that add nothing to the variance keep 1."""
    real = u.code >= 0
    offset, slopes = np.ones(u.units), np.zeros(u.units)
    offset[u.code[real]] = 1.0 - below[real]
    slopes[u.code[real]] = slope[real]
    return Patterns(factor, min(u.df, len(factor) - 1), mse, u.units, pattern, offset, slopes)


def _by_stratum(laid: Sequence[Units]) -> Iterator[tuple[int, list[tuple[int, slice]]]]:
    """Each stratum with the surveys it is in and where its PSUs stand in them."""
    found: dict[int, list[tuple[int, slice]]] = {}
    for s, u in enumerate(laid):
        strata, first, count = np.unique(u.stratum, return_index=True, return_counts=True)
        for stratum, start, size in zip(
            strata.tolist(), first.tolist(), count.tolist(), strict=True
        ):
            found.setdefault(stratum, []).append((s, slice(start, start + size)))
    yield from sorted(found.items())


def _check_pairs(u: Units) -> None:
    strata, first = np.unique(u.stratum, return_index=True)
    wrong = u.n[first] != 2
    if wrong.any():
        named = zip(strata[wrong][:NAMED], u.n[first][wrong][:NAMED], strict=True)
        listed = ", ".join(f"{u.labels[s]} ({n})" for s, n in named)
        raise PovmonError(
            f"BRR takes two PSUs in every stratum; {int(wrong.sum())} strata have more: {listed}",
            where=u.survey,
            todo="use Jackknife() or Bootstrap()",
        )


def _halves(
    pairs: Sequence[npt.NDArray[np.int64]], columns: int, label: str
) -> tuple[dict[int, tuple[int, int]], int]:
    """A column and a side (1 or -1) for each PSU of a stratum, and the columns used so far.

    PSUs paired in any survey are on opposite sides of one column; pairs without a PSU in common
    have columns of their own.
    """
    paired: dict[int, list[int]] = {}
    for a, b in (pair.tolist() for pair in pairs):
        paired.setdefault(a, []).append(b)
        paired.setdefault(b, []).append(a)
    found: dict[int, tuple[int, int]] = {}
    for start in sorted(paired):
        if start in found:
            continue
        found[start] = (columns, 1)
        waiting = [start]
        while waiting:
            here = waiting.pop()
            opposite = (columns, -found[here][1])
            for name in paired[here]:
                if name not in found:
                    found[name] = opposite
                    waiting.append(name)
                elif found[name] != opposite:
                    raise PovmonError(
                        f"the surveys pair the PSUs of stratum {label} in a ring of odd length, "
                        "which no half-sample fits",
                        todo="use Jackknife() or Bootstrap()",
                    )
        columns += 1
    return found, columns
