"""Alkire-Foster measures with exact weights and cut-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Any, Literal, get_args

import numpy as np

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.core.labels import select
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, column
from povmon.estimate.measures.base import Flags, Part, Parts, RatioOfSums, flagged

Of = Literal["M0", "H"]


@dataclass(frozen=True)
class Multidimensional:
    """Dual cut-off counting measures of multidimensional poverty.

    Parameters
    ----------
    weights : deprivation column (0/1) -> exact weight; the weights sum to 1.
    k : a unit is poor when its weighted score is at least `k`.
    dimensions : name of a dimension -> its deprivations; each deprivation in exactly one.

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
    dimensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if sum(self.weights.values()) != 1:
            raise PovmonError(
                f"the weights sum to {sum(self.weights.values())}",
                where="multidimensional",
                todo="make them sum to 1 exactly, for example with fractions.Fraction",
            )
        if not 0 < self.k <= 1:
            raise PovmonError(f"k is {self.k}", where="multidimensional", todo="use 0 < k <= 1")
        if self.dimensions:
            _check_dimensions(self.dimensions, list(self.weights))

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

        return rows.once(self._key, make)

    @cached_property
    def _key(self) -> str:
        """What it shares its parts by, in words: to hash fractions takes longer than the sums."""
        weights = {name: str(Fraction(weight)) for name, weight in self.weights.items()}
        return f"counting {weights} {Fraction(self.k)}"

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
        """Share of M0 that comes from `j`, a deprivation or a dimension.

        weight_j x censored_j / M0, of a dimension the sum over its deprivations. The shares of all
        deprivations, and those of all dimensions, add up to 1; where nobody is poor there are none.

        Source: Alkire and others (2015), Multidimensional Poverty Measurement and Analysis,
        sec. 5.5.
        """
        return Counting(f"contribution({j})", self, "contribution", self._part(j))

    def absolute(self, j: str) -> Counting:
        """What `j`, a deprivation or a dimension, adds to M0: weight_j x censored_j.

        Over all deprivations, and over all dimensions, it adds up to M0.
        """
        return Counting(f"absolute({j})", self, "absolute", self._part(j))

    def subgroup_contribution(self, column: str, value: Any, of: Of = "M0") -> SubgroupContribution:
        """Share of M0, or of H, that comes from the rows whose `column` is `value`.

        s_g M0_g / M0, with s_g the subgroup's population share and M0_g its own M0. Rows where
        `column` is missing are left out, of M0 too, so that the shares of all values of a column
        add up to 1. The interval is a logit one.

        Parameters
        ----------
        column : of the subgroups, as a region or the size class of households.
        value : the subgroup; it must occur in the data.
        of : ``M0`` or ``H``.

        Source: Alkire and Foster (2011), on decomposability; Alkire and others (2015),
        Multidimensional Poverty Measurement and Analysis, sec. 5.5.
        """
        name = f"contribution({column}={value} to {_of(of)})"
        return SubgroupContribution(name, self, column, value, of, True, bounded=True)

    def subgroup_absolute(self, column: str, value: Any, of: Of = "M0") -> SubgroupContribution:
        """What the rows whose `column` is `value` add to M0, or H: s_g M0_g.

        Over all values of the column it adds up to M0. See `subgroup_contribution`.
        """
        name = f"absolute({column}={value} to {_of(of)})"
        return SubgroupContribution(name, self, column, value, of, False, bounded=True)

    def members(self, j: str) -> tuple[str, ...]:
        """The deprivations of a dimension, or the deprivation itself."""
        return tuple(self.dimensions.get(j, (j,)))

    def _known(self, j: str) -> str:
        if j not in self.weights:
            raise PovmonError(f"no deprivation {j!r}", todo=f"there are: {', '.join(self.weights)}")
        return j

    def _part(self, j: str) -> str:
        if j in self.dimensions or j in self.weights:
            return j
        known = dict.fromkeys([*self.weights, *self.dimensions])
        raise PovmonError(
            f"no deprivation or dimension {j!r}", todo=f"there are: {', '.join(known)}"
        )


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

        if self.kind in ("contribution", "absolute"):
            return Parts(
                (self._weighted(rows), censored if self.kind == "contribution" else used), used
            )
        own = self._deprived(rows, self.j)
        if self.kind == "censored":
            own = self._both(rows, self.j)
        return Parts((own, used), used)

    def _deprived(self, rows: Rows, j: str) -> Part:
        """The flag of units deprived in j."""
        used = self.index.shared(rows)[0]
        return rows.once(
            ("deprived", used, j),
            lambda: Part(np.nan_to_num(rows.number(j)) * used.values, flag=True),
        )

    def _both(self, rows: Rows, j: str) -> Part:
        """The flag of units that are poor and deprived in j."""
        used, poor, _ = self.index.shared(rows)
        own = self._deprived(rows, j)
        return rows.once(
            ("deprived", used, j, "poor"), lambda: Part(own.values * poor.values, flag=True)
        )

    def _weighted(self, rows: Rows) -> Part:
        """What the deprivation, or the dimension's deprivations, add to the censored score."""
        members = self.index.members(self.j)

        def make() -> Part:
            each = (self._both(rows, j).values * float(self.index.weights[j]) for j in members)
            return Part(np.sum(list(each), axis=0))

        return rows.once(("deprived", self.index.shared(rows)[0], members, "share"), make)


@dataclass(frozen=True)
class SubgroupContribution(RatioOfSums):
    """What one subgroup adds to M0 or H, as a share of it or absolute."""

    index: Multidimensional
    column: str
    value: Any
    of_measure: Of
    share: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (*self.index.weights, self.column)

    def parts(self, rows: Rows) -> Parts:
        """The subgroup's sum over that of all rows that have a subgroup."""
        complete, poor, censored = self.index.shared(rows)
        chosen = poor if self.of_measure == "H" else censored

        def make() -> tuple[Part, Part]:
            values = column(rows.frame, self.column)
            used = flagged(rows, (complete.values > 0) & values.notna().to_numpy())
            return used, Part(chosen.values * used.values, flag=chosen.flag)

        used, whole = rows.once(("subgroups", chosen, self.column), make)

        def own() -> Part:
            at = select(rows.frame[[self.column]], {self.column: self.value}, "row")
            inside = np.zeros(len(rows))
            inside[at] = whole.values[at]
            return Part(inside, flag=whole.flag)

        top = rows.once(("subgroup", chosen, self.column, self.value), own)
        return Parts((top, whole if self.share else used), used)


def multidimensional(
    weights: Mapping[str, Fraction | int | str],
    k: Fraction | int | str,
    dimensions: Mapping[str, Sequence[str]] | None = None,
) -> Multidimensional:
    """Alkire-Foster measures of multidimensional poverty, with what each part adds to them.

    Parameters
    ----------
    weights : deprivation column (0/1) -> weight, exact (`Fraction`, integer, or a string as
        "1/20"); they sum to 1.
    k : cut-off, exact; a score equal to it counts as poor.
    dimensions : name of a dimension -> its deprivations, each deprivation in exactly one.

    Returns
    -------
    A `Multidimensional`: measures ``.H .A .M0 .uncensored(j) .censored(j)``; ``.absolute(j)`` and
    ``.contribution(j)``, which over all deprivations or all dimensions add up to M0 and to 1; and
    ``.subgroup_absolute(column, value)`` and ``.subgroup_contribution(column, value)``, which do
    so over all values of a column. `multidimensional_by_group` gives a table of all subgroups.

    Raises
    ------
    PovmonError : the weights do not sum to 1, a number is rounded, k is not in (0, 1], or a
        deprivation is in no dimension or in several.

    Source
    ------
    Alkire and Foster (2011), Journal of Public Economics 95, sec. 3-4.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, multidimensional
    >>> sample = pd.DataFrame({"village": [1, 1, 2, 2], "w": 1, "school": [1, 1, 0, 0],
    ...                        "water": [1, 0, 1, 0], "health": [0, 0, 0, 1]})
    >>> index = multidimensional(
    ...     {"school": "1/2", "water": "1/4", "health": "1/4"}, "1/2",
    ...     dimensions={"education": ["school"], "living": ["water", "health"]})
    >>> measures = [index.M0, index.absolute("education"), index.absolute("living"),
    ...             index.contribution("living"), index.subgroup_contribution("water", 1)]
    >>> estimate(sample, Design(None, "village", "w"), measures)["estimate"].round(4).tolist()
    [0.3125, 0.25, 0.0625, 0.2, 0.6]
    """
    exact = {j: _exact(w, f"weights[{j!r}]") for j, w in weights.items()}
    inside = {name: tuple(listed) for name, listed in (dimensions or {}).items()}
    return Multidimensional(exact, _exact(k, "k"), inside)


def _check_dimensions(dimensions: Mapping[str, tuple[str, ...]], weights: list[str]) -> None:
    """Error unless each deprivation is in exactly one dimension and every name is clear."""
    listed = [j for members in dimensions.values() for j in members]
    lost = [j for j in weights if j not in listed]
    twice = sorted({j for j in listed if listed.count(j) > 1})
    unknown = [j for j in listed if j not in weights]
    empty = [name for name, members in dimensions.items() if not members]
    same = [d for d, members in dimensions.items() if d in weights and members != (d,)]
    for found, what in (
        (unknown, "these have no weight"),
        (lost, "these are in no dimension"),
        (twice, "these are in several dimensions, or twice in one"),
        (empty, "these dimensions have no deprivation"),
        (same, "these dimensions are named as a deprivation is"),
    ):
        if found:
            raise PovmonError(
                f"{what}: {', '.join(found)}",
                where="multidimensional, dimensions",
                todo="name each deprivation in exactly one dimension",
            )


def _of(of: str) -> str:
    if of not in get_args(Of):
        raise unknown_name("measure", str(of), get_args(Of), where="subgroups")
    return of


def _exact(value: Fraction | int | str, where: str) -> Fraction:
    if isinstance(value, float):
        raise PovmonError(
            f"{value!r} is a rounded number",
            where=f"multidimensional, {where}",
            todo="give it exactly: Fraction(1, 3) or '1/3'",
        )
    return Fraction(value)
