"""What a measure is.

There are two kinds. A *sum measure* is a smooth function of weighted sums of row values: its
sums are made once in small cells, and everything else (estimate, variance, replicates) is
computed on those. A *distribution measure* needs the whole distribution of a domain.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from povmon.estimate.core.domains import Domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Subset:
    """Some of the rows, shared by all parts that are zero outside them."""

    at: Ints  # (m,) positions in the frame


@dataclass(frozen=True, eq=False)
class Part:
    """Row values of one sum, zero in rows that are left out.

    `values` are those of all rows (n,), or of a subset (m,) outside which they are zero. `flag`:
    they are 0 or 1 only. `square`: where the squares are another measure's part as well, a
    function of the rows that returns that part.
    """

    values: Floats
    flag: bool = False
    square: Callable[[Rows], Part] | None = None
    subset: Subset | None = None

    def dense(self, n: int) -> Floats:
        """The values of all n rows."""
        if self.subset is None:
            return self.values
        out = np.zeros(n)
        out[self.subset.at] = self.values
        return out


@dataclass(frozen=True, eq=False)
class Parts:
    """The sums a measure is a function of; `used` marks the rows that enter it."""

    values: tuple[Part, ...]
    used: Part  # a flag


@dataclass(frozen=True, eq=False)
class Shared:
    """What rows contribute to every domain's estimate, through a quantity estimated once.

    A row of group g adds ``slope[d, g] * values`` to domain d, whether it lies in d or not: the
    line estimated on the whole sample moves the headcount of each of its parts.
    """

    values: Floats  # (n,)
    group: Ints  # (n,) -1 for a row in no group
    slope: Floats  # (D, G)


@dataclass(frozen=True)
class Linearised:
    """What a measure gives for all domains at once. Shapes: n rows, D domains."""

    estimate: Floats  # (D,)
    values: Floats  # (n,) derivative of the estimate with respect to the row's weight
    used: Flags  # (n,) rows that entered the measure
    # A quantile is estimated by inverting F: the values are then those of F at the quantile.
    level: Floats | None = None  # (D,) F at the estimate
    inverse: Callable[[Floats], Floats] | None = None  # F -> quantile, both (D,)
    shared: Shared | None = None
    reasons: tuple[str, ...] | None = None  # (D,) why an estimate is missing


@dataclass(frozen=True, eq=False)
class Combined:
    """Estimates whose linearised values are combinations of row parts, the same in a domain.

    Shapes: D domains, k parts.
    """

    estimate: Floats  # (D,)
    parts: Parts
    gradient: Floats  # (D, k)
    domains: Domains
    moments: Floats | None = None  # (D, k, k) weighted sums of products, where already made

    @property
    def values(self) -> Floats:
        """Linearised value of each row (n,)."""
        n = len(self.domains.code)
        values = np.zeros(n)
        for part, slope in zip(self.parts.values, self.gradient.T, strict=True):
            values += self.domains.spread(slope) * part.dense(n)
        return values * self.used

    @property
    def used(self) -> Flags:
        """Rows that entered the measure (n,)."""
        return self.parts.used.dense(len(self.domains.code)) > 0


@dataclass(frozen=True)
class AnyMeasure(ABC):
    """What measures of both kinds have in common.

    `name`: the label in the table of estimates. `bounded`: the estimate is a proportion, which
    gets a logit interval. `graded`: it is a mean of values between 0 and 1, as the poverty gap;
    its interval is a logit one on Satterthwaite's degrees of freedom, for a few strata with deep
    poverty can carry its variance.
    """

    name: str
    bounded: bool = field(default=False, kw_only=True)
    graded: bool = field(default=False, kw_only=True)

    @property
    def logit(self) -> bool:
        """Whether the interval is a logit one."""
        return self.bounded or self.graded

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns of the data that the measure is made from."""


@dataclass(frozen=True)
class SumMeasure(AnyMeasure):
    """A smooth function of weighted sums."""

    @abstractmethod
    def parts(self, rows: Rows) -> Parts:
        """Row values of the k sums."""

    @abstractmethod
    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        """The estimate (...) and its gradient (..., k) from sums (..., k)."""


@dataclass(frozen=True)
class DistributionMeasure(AnyMeasure):
    """A measure of a domain's distribution."""

    @abstractmethod
    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised | Combined:
        """Estimate by domain and linearised values by row."""

    @abstractmethod
    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """Estimates (B, D) for B vectors of weights (B, n): what replicates need."""

    def by_units(
        self, rows: Rows, weight: Floats, domains: Domains, unit: Ints, replicates: int
    ) -> Callable[[Floats], Floats] | None:
        """A faster `evaluate` where all rows of a unit have their weight times one factor.

        Parameters
        ----------
        weight, unit : (n,) of the rows.
        replicates : how often it will be evaluated.

        Returns
        -------
        A function of factors (B, U) that gives estimates (B, D); None where the measure has none,
        or it would not pay.
        """
        return None


Measure = SumMeasure | DistributionMeasure


class RatioOfSums(SumMeasure):
    """The measures that are one sum over another."""

    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        """R = Y / X with the gradient (1, -R) / X.

        Source: Särndal, Swensson and Wretman (1992), eq. 5.6.8.
        """
        top, bottom = sums[..., 0], sums[..., 1]
        estimate = divide(top, bottom)
        inverse = np.nan_to_num(divide(np.ones_like(bottom), bottom))
        return estimate, np.stack([inverse, -np.nan_to_num(estimate) * inverse], axis=-1)


def divide(top: Floats, bottom: Floats) -> Floats:
    """Quotient, NaN where the denominator is zero."""
    out = np.full(np.broadcast_shapes(np.shape(top), np.shape(bottom)), np.nan)
    return np.divide(top, bottom, out=out, where=bottom != 0)


def everyone(rows: Rows) -> Part:
    """The flag of all rows."""
    return rows.once("everyone", lambda: Part(rows.one(), flag=True))


def flagged(rows: Rows, flags: Flags) -> Part:
    """A flag of rows; the same for all measures that every row enters."""
    return everyone(rows) if flags.all() else Part(flags.astype(np.float64), flag=True)


def present(rows: Rows, *columns: str) -> Part:
    """The flag of rows where no column is missing."""

    def make() -> Part:
        flags = np.isfinite(rows.number(columns[0]))
        for name in columns[1:]:
            flags &= np.isfinite(rows.number(name))
        return flagged(rows, flags)

    return rows.once(("present", columns), make)


def filled(rows: Rows, column: str, used: Part) -> Part:
    """A column with zero where it is not used."""

    def make() -> Part:
        values = rows.number(column)
        return Part(values if used is everyone(rows) else np.where(used.values > 0, values, 0.0))

    return rows.once(("filled", column, used), make)


def linearise(
    measure: Measure, rows: Rows, weight: Floats, domains: Domains
) -> Linearised | Combined:
    """Estimates and row-level linearised values of a measure of either kind.

    Parameters
    ----------
    weight : (n,).

    Returns
    -------
    `Linearised` or `Combined`, with ``.estimate`` (D,), ``.values`` (n,) and ``.used`` (n,):
    weight times value, added up over a unit, is what the unit contributes to the error of its
    domain's estimate.

    Source
    ------
    Deville (1999), Survey Methodology 25: the derivative with respect to a row's weight.
    """
    if isinstance(measure, DistributionMeasure):
        return measure.linearise(rows, weight, domains)
    parts = measure.parts(rows)
    dense = [p.dense(len(rows)) for p in parts.values]
    sums = np.stack([domains.sum(weight * values) for values in dense], axis=-1)
    estimate, gradient = measure.of(sums)
    return Combined(estimate, parts, gradient, domains)
