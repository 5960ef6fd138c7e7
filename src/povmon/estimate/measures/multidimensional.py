"""Alkire-Foster measures with exact weights and cut-off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import Flags, Part, Parts, RatioOfSums


@dataclass(frozen=True)
class Multidimensional:
    """Dual cut-off counting measures of multidimensional poverty.

    Parameters
    ----------
    weights : deprivation column (0/1) -> exact weight; the weights sum to 1.
    k : a unit is poor when its weighted score is at least `k`.

    Notes
    -----
    Scores are integers (weights times their common denominator), so a score equal to `k` is
    found equal. A unit with any missing deprivation is left out.

    Source
    ------
    Alkire and Foster (2011), Journal of Public Economics 95, sec. 3-4.
    """

    weights: Mapping[str, Fraction]
    k: Fraction

    def __post_init__(self) -> None:
        if sum(self.weights.values()) != 1:
            raise PovmonError(
                f"the weights sum to {sum(self.weights.values())}",
                where="multidimensional",
                todo="make them sum to 1 exactly, for example with fractions.Fraction",
            )
        if not 0 < self.k <= 1:
            raise PovmonError(f"k is {self.k}", where="multidimensional", todo="use 0 < k <= 1")

    def score(self, rows: Rows) -> tuple[Floats, Flags, Flags]:
        """Score in [0, 1], poor or not, and complete or not, each of shape (n,)."""
        parts = [*self.weights.values(), self.k]
        scale = lcm(*(Fraction(p).denominator for p in parts))
        units = np.zeros(len(rows))
        complete = np.ones(len(rows), dtype=bool)
        for name, weight in self.weights.items():
            x = rows.number(name)
            complete &= np.isfinite(x)
            units += np.nan_to_num(x) * int(Fraction(weight) * scale)
        poor = complete & (units >= int(Fraction(self.k) * scale))
        return np.where(complete, units / scale, np.nan), poor, complete

    def shared(self, rows: Rows) -> tuple[Part, Part, Part]:
        """Complete, poor, and the censored score, made once for all measures of the index."""

        def make() -> tuple[Part, Part, Part]:
            score, poor, complete = self.score(rows)
            return (
                Part(complete.astype(np.float64), flag=True),
                Part(poor.astype(np.float64), flag=True),
                Part(np.where(poor, score, 0.0)),
            )

        return rows.once(("counting", tuple(self.weights.items()), self.k), make)

    @property
    def H(self) -> Counting:
        """Headcount: share of units that are multidimensionally poor."""
        return Counting("H", self, "H", "", bounded=True)

    @property
    def A(self) -> Counting:
        """Intensity: mean score of the poor, M0 / H."""
        return Counting("A", self, "A", "")

    @property
    def M0(self) -> Counting:
        """Adjusted headcount: mean of the scores of the poor over all units."""
        return Counting("M0", self, "M0", "", graded=True)

    def uncensored(self, j: str) -> Counting:
        """Share of units deprived in `j`, poor or not."""
        return Counting(f"uncensored({j})", self, "uncensored", self._known(j), bounded=True)

    def censored(self, j: str) -> Counting:
        """Share of units that are poor and deprived in `j`."""
        return Counting(f"censored({j})", self, "censored", self._known(j), bounded=True)

    def contribution(self, j: str) -> Counting:
        """Share of M0 that comes from `j`: weight_j x censored_j / M0."""
        return Counting(f"contribution({j})", self, "contribution", self._known(j))

    def _known(self, j: str) -> str:
        if j not in self.weights:
            raise PovmonError(f"no deprivation {j!r}", todo=f"there are: {', '.join(self.weights)}")
        return j


@dataclass(frozen=True)
class Counting(RatioOfSums):
    """One Alkire-Foster measure."""

    index: Multidimensional
    kind: str
    j: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return tuple(self.index.weights)

    def parts(self, rows: Rows) -> Parts:
        """All are ratios of sums of row values."""
        used, poor, censored = self.index.shared(rows)
        if self.kind == "H":
            return Parts((poor, used), used)
        if self.kind == "M0":
            return Parts((censored, used), used)
        if self.kind == "A":
            return Parts((censored, poor), used)

        def deprived() -> Part:
            return Part(np.nan_to_num(rows.number(self.j)) * used.values, flag=True)

        key = ("deprived", used, self.j)
        own = rows.once(key, deprived)
        if self.kind == "uncensored":
            return Parts((own, used), used)
        both = rows.once((*key, "poor"), lambda: Part(own.values * poor.values, flag=True))
        if self.kind == "censored":
            return Parts((both, used), used)
        share = float(self.index.weights[self.j])
        part = rows.once((*key, "share"), lambda: Part(both.values * share))
        return Parts((part, censored), used)


def multidimensional(
    weights: Mapping[str, Fraction | int | str], k: Fraction | int | str
) -> Multidimensional:
    """Alkire-Foster measures ``.H .A .M0 .uncensored(j) .censored(j) .contribution(j)``.

    Parameters
    ----------
    weights : deprivation column -> weight, exact (`Fraction`, integer, or a string as "1/20").
    k : cut-off, exact; a score equal to it counts as poor.
    """
    exact = {j: _exact(w, f"weights[{j!r}]") for j, w in weights.items()}
    return Multidimensional(exact, _exact(k, "k"))


def _exact(value: Fraction | int | str, where: str) -> Fraction:
    if isinstance(value, float):
        raise PovmonError(
            f"{value!r} is a rounded number",
            where=f"multidimensional, {where}",
            todo="give it exactly: Fraction(1, 3) or '1/3'",
        )
    return Fraction(value)
