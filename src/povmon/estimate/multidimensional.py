"""Alkire-Foster measures with exact weights and cut-off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, numbers
from povmon.estimate.domains import Domains
from povmon.estimate.measures import Flags, Linearised, ratio_of


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

    def score(self, frame: pd.DataFrame) -> tuple[Floats, Flags, Flags]:
        """Score in [0, 1], poor or not, and complete or not, each of shape (n,)."""
        parts = [*self.weights.values(), self.k]
        scale = lcm(*(Fraction(p).denominator for p in parts))
        units = np.zeros(len(frame))
        complete = np.ones(len(frame), dtype=bool)
        for name, weight in self.weights.items():
            x = numbers(frame, name)
            complete &= np.isfinite(x)
            units += np.nan_to_num(x) * int(Fraction(weight) * scale)
        poor = complete & (units >= int(Fraction(self.k) * scale))
        return np.where(complete, units / scale, np.nan), poor, complete

    @property
    def H(self) -> Counting:
        """Headcount: share of units that are multidimensionally poor."""
        return Counting(self, "H", "", bounded=True)

    @property
    def A(self) -> Counting:
        """Intensity: mean score of the poor, M0 / H."""
        return Counting(self, "A", "")

    @property
    def M0(self) -> Counting:
        """Adjusted headcount: mean of the scores of the poor over all units."""
        return Counting(self, "M0", "")

    def uncensored(self, j: str) -> Counting:
        """Share of units deprived in `j`, poor or not."""
        return Counting(self, "uncensored", self._known(j), bounded=True)

    def censored(self, j: str) -> Counting:
        """Share of units that are poor and deprived in `j`."""
        return Counting(self, "censored", self._known(j), bounded=True)

    def contribution(self, j: str) -> Counting:
        """Share of M0 that comes from `j`: weight_j x censored_j / M0."""
        return Counting(self, "contribution", self._known(j))

    def _known(self, j: str) -> str:
        if j not in self.weights:
            raise PovmonError(f"no deprivation {j!r}", todo=f"there are: {', '.join(self.weights)}")
        return j


@dataclass(frozen=True)
class Counting:
    """One Alkire-Foster measure."""

    index: Multidimensional
    kind: str
    j: str
    bounded: bool = False

    @property
    def name(self) -> str:
        """For example ``M0`` or ``censored(d1)``."""
        return f"{self.kind}({self.j})" if self.j else self.kind

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """All are ratios of sums of row values."""
        score, poor, complete = self.index.score(frame)
        one: Floats = np.ones(len(frame))
        censored: Floats = np.where(poor, score, 0.0)
        if self.kind == "H":
            return ratio_of(poor.astype(np.float64), one, complete, weight, domains)
        if self.kind == "M0":
            return ratio_of(censored, one, complete, weight, domains)
        if self.kind == "A":
            return _whole(
                ratio_of(censored, poor.astype(np.float64), complete, weight, domains), complete
            )
        deprived: Floats = np.nan_to_num(numbers(frame, self.j))
        if self.kind == "uncensored":
            return ratio_of(deprived, one, complete, weight, domains)
        if self.kind == "censored":
            return ratio_of(deprived * poor.astype(np.float64), one, complete, weight, domains)
        part = deprived * poor * float(self.index.weights[self.j])
        return _whole(ratio_of(part, censored, complete, weight, domains), complete)


def _whole(result: Linearised, complete: Flags) -> Linearised:
    return Linearised(result.estimate, result.values, complete)


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
