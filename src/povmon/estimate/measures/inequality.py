"""Inequality measures: Gini, generalised entropy, Atkinson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.compiled import half_distances
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import Sorted
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import (
    Combined,
    DistributionMeasure,
    Part,
    Parts,
    SumMeasure,
    divide,
    filled,
    flagged,
    present,
)
from povmon.estimate.measures.pairs import Pairs


@dataclass(frozen=True)
class Gini(DistributionMeasure):
    """Gini coefficient by its exact definition."""

    x: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.x,)

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Combined:
        """Rows with a missing value are left out; a domain whose mean is not positive gets NaN."""
        used = present(rows, self.x)
        parts = (used, filled(rows, self.x, used))
        return gini_linearised(sorted_by(rows, self.x, domains), parts, weight, domains)

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """The coefficient under each vector of weights."""
        return gini_values(sorted_by(rows, self.x, domains), weights)

    def by_units(
        self, rows: Rows, weight: Floats, domains: Domains, unit: Ints, replicates: int
    ) -> Callable[[Floats], Floats] | None:
        """From sums over pairs of units."""
        pairs = Pairs.if_it_pays(sorted_by(rows, self.x, domains), weight, unit, replicates)
        return None if pairs is None else lambda factors: pairs.gini_and_sums(factors)[0]


def known(n: Floats, sums: Floats) -> Floats:
    """Sums of domains that have rows, NaN elsewhere."""
    return np.where(n > 0, sums, np.nan)


def positive(rows: Rows, x: str) -> Part:
    """The flag of rows with a positive value."""
    return rows.once(
        ("positive", x), lambda: flagged(rows, (rows.number(x) > 0) & (rows.number(x) < np.inf))
    )


def sorted_by(rows: Rows, x: str, domains: Domains) -> Sorted:
    """The rows where `x` is not missing, sorted once for all measures of it."""
    return rows.once(
        ("sorted", x, domains),
        lambda: Sorted.of(rows.number(x), present(rows, x).values > 0, domains),
    )


def gini_linearised(
    laid: Sorted, parts: tuple[Part, Part], weight: Floats, domains: Domains
) -> Combined:
    """Gini coefficient by domain, and its derivative with respect to each weight.

    With C and Y the sums of w and w y up to a row of the sorted domain, N and T those of the
    whole: A_i = sum_j w_j |y_i - y_j| = y_i (2 C_i - N) + T - 2 Y_i. Rows of equal value give the
    same, whichever stands first. G = sum(w A) / (2 N T), dG/dw_i = A_i / (N T) - G / N - G y_i / T.

    `parts`: the flag of the rows that enter, and their values.
    """
    half = np.empty(len(weight)) if laid.natural else np.zeros(len(weight))
    order = laid.order[:0] if laid.natural else laid.order
    moments = half_distances(order, laid.start, weight, laid.value, half)
    n, total, double = moments[:, 1, 1], moments[:, 1, 2], moments[:, 0, 1]
    gini = np.where(total > 0, divide(double, n * total), np.nan)
    # Equal values leave a rounding error on either side of zero.
    gini = np.where(np.abs(gini) < 1e-14, 0.0, gini)
    own, back_n = np.nan_to_num(gini), np.where(n > 0, n, 1.0)
    back_total = np.where(total > 0, total, 1.0)
    gradient = [2.0 / (back_n * back_total), -own / back_n, -own / back_total]
    sums = Parts((Part(half), *parts), parts[0])
    return Combined(gini, sums, np.stack(gradient, axis=-1), domains, moments)


def gini_values(laid: Sorted, weights: Floats) -> Floats:
    """Gini coefficients (B, D) under B vectors of weights (B, n)."""
    return gini_and_sums(laid, weights)[0]


def gini_and_sums(laid: Sorted, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Gini coefficients, weights and totals of the values, (B, D) each, under B weight vectors.

    sum_ij w_i w_j |y_i - y_j| = 2 sum_i w_i y_i (2 C_i - w_i - N).
    """
    w = laid.take(np.atleast_2d(weights))
    below = np.cumsum(w, axis=-1)
    # Cumulated over all domains: what came before a domain is taken off its sum.
    before = laid.before(below)
    below *= 2.0
    below -= w
    income = w * laid.value
    total = laid.sum(income)
    below *= income
    double = laid.sum(below) - 2.0 * before * total
    n = laid.sum(w)
    gini = divide(double, n * total) - 1.0
    gini = np.where(total > 0, np.where(np.abs(gini) < 1e-12, 0.0, gini), np.nan)
    return gini, n, total


@dataclass(frozen=True)
class _Positive(SumMeasure):
    """Measures of the positive values of a column."""

    x: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.x,)

    def used(self, rows: Rows) -> Part:
        """The flag of rows with a positive value."""
        return positive(rows, self.x)

    def value(self, rows: Rows) -> Part:
        """The value, zero where it is left out."""
        used = self.used(rows)
        return self._kept(rows, "value", lambda y: np.where(used.values > 0, y, 0.0))

    def log(self, rows: Rows) -> Part:
        """Its logarithm."""
        one = self._or_one(rows)
        return self._kept(rows, "log", lambda _: np.log(one))

    def power(self, rows: Rows, exponent: float) -> Part:
        """Its power."""
        used, one = self.used(rows), self._or_one(rows)
        return self._kept(rows, exponent, lambda _: used.values * one**exponent)

    def _or_one(self, rows: Rows) -> Floats:
        """The value, one where it is left out."""
        return np.where(self.used(rows).values > 0, rows.number(self.x), 1.0)

    def _kept(self, rows: Rows, what: object, make: Callable[[Floats], Floats]) -> Part:
        return rows.once((what, "positive", self.x), lambda: Part(make(rows.number(self.x))))


@dataclass(frozen=True)
class GeneralisedEntropy(_Positive):
    """Generalised entropy index GE(alpha) of positive values."""

    alpha: float

    def parts(self, rows: Rows) -> Parts:
        """Numbers, totals, and the sums of logarithms or powers."""
        used, y = self.used(rows), self.value(rows)
        if self.alpha == 0:
            third = self.log(rows)
        elif self.alpha == 1:
            log = self.log(rows)
            third = self._kept(rows, "entropy", lambda _: y.values * log.values)
        else:
            third = self.power(rows, self.alpha)
        return Parts((used, y, third), used)

    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        """GE(alpha) of n, sum(y) and the third sum."""
        n, total, third = np.moveaxis(sums, -1, 0)
        n, total, third = known(n, n), known(n, total), known(n, third)
        a = self.alpha
        if a == 0:
            estimate = np.log(total / n) - third / n
            slopes = [(third / n - 1) / n, 1 / total, -1 / n]
        elif a == 1:
            estimate = third / total - np.log(total / n)
            slopes = [1 / n, -(third / total + 1) / total, 1 / total]
        else:
            level = third * n ** (a - 1) / total**a
            estimate = (level - 1) / (a * a - a)
            slopes = [level * s / (a * a - a) for s in ((a - 1) / n, -a / total, 1 / third)]
        return estimate, np.nan_to_num(np.stack(slopes, axis=-1))


@dataclass(frozen=True)
class Atkinson(_Positive):
    """Atkinson index of positive values."""

    epsilon: float

    def parts(self, rows: Rows) -> Parts:
        """Numbers, totals, and the sums of logarithms or powers."""
        used, y = self.used(rows), self.value(rows)
        third = self.log(rows) if self.epsilon == 1 else self.power(rows, 1 - self.epsilon)
        return Parts((used, y, third), used)

    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        """1 - equally distributed equivalent / mean."""
        n, total, third = np.moveaxis(sums, -1, 0)
        n, total, third = known(n, n), known(n, total), known(n, third)
        if self.epsilon == 1:
            equal = np.exp(third / n)
            slopes = [-third / n**2, np.zeros_like(n), 1 / n]
        else:
            e = 1 - self.epsilon
            equal = (third / n) ** (1 / e)
            slopes = [-1 / (n * e), np.zeros_like(n), 1 / (third * e)]
        share = equal * n / total
        slopes = [-share * s for s in (slopes[0] + 1 / n, -1 / total, slopes[2])]
        return 1 - share, np.nan_to_num(np.stack(slopes, axis=-1))


def gini(x: str, *, name: str | None = None) -> Gini:
    """Gini coefficient of column `x` by the exact definition.

    G = sum_ij w_i w_j |x_i - x_j| / (2 N sum w x), with N = sum w. Ties and the scale of the
    weights have no effect. Values are taken as they are, negative ones too; where the mean is
    not positive the coefficient is not defined and the estimate is missing.

    Parameters
    ----------
    x : numeric column; rows where it is missing are left out.
    name : what the table calls it.

    Returns
    -------
    A measure, for `estimate`, `joint` and the like.

    Raises
    ------
    PovmonError : in `estimate`, where the column is missing (near matches are listed) or is not
        numeric.

    Source: Kendall and Stuart (1977), sec. 2.25; its derivative with respect to a weight as in
    Deville (1999), Survey Methodology 25, sec. 3.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, gini
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, gini("income"))["estimate"].tolist()
    [0.25]
    """
    return Gini(name or f"gini({x})", x)


def gei(x: str, alpha: float, *, name: str | None = None) -> GeneralisedEntropy:
    """Generalised entropy index GE(alpha) of the positive values of column `x`.

    GE(alpha) = (mean((x / m)**alpha) - 1) / (alpha**2 - alpha); 0 is the mean logarithmic
    deviation, 1 the Theil index, 2 half the squared coefficient of variation. Parameters, returns
    and errors: see `gini`.

    Source: Shorrocks (1984), Econometrica 52, eq. 13; Biewen and Jenkins (2006), Oxford Bulletin
    of Economics and Statistics 68, for the linearised values.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, gei
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, gei("income", 2))["estimate"].round(6).tolist()
    [0.1]
    """
    return GeneralisedEntropy(name or f"gei{alpha:g}({x})", x, float(alpha))


def atkinson(x: str, epsilon: float, *, name: str | None = None) -> Atkinson:
    """Atkinson index with inequality aversion `epsilon` > 0 of the positive values of `x`.

    A = 1 - mean((x / m)**(1 - epsilon))**(1 / (1 - epsilon)); at 1 the geometric mean takes the
    place of that of powers. Parameters and returns: see `gini`.

    Raises
    ------
    PovmonError : `epsilon` is not positive; in `estimate`, as `gini`.

    Source: Atkinson (1970), Journal of Economic Theory 2, eq. 13; linearised values as for `gei`.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, atkinson, estimate
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 10, 30, 30]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, atkinson("income", 2))["estimate"].round(6).tolist()
    [0.25]
    """
    if not epsilon > 0:
        raise PovmonError(f"epsilon is {epsilon}", where="atkinson", todo="use a number above 0")
    return Atkinson(name or f"atkinson{epsilon:g}({x})", x, float(epsilon))
