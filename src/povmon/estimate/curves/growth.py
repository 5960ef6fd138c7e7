"""Growth incidence curves and the rate of pro-poor growth."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import Sorted
from povmon.estimate.curves.bands import curve_table
from povmon.estimate.curves.curve_variance import replicate_covariances
from povmon.estimate.curves.curves import Points, shares
from povmon.estimate.decomposition.components import (
    Designs,
    base_weights,
    freedom_of_both,
    named_table,
)
from povmon.estimate.decomposition.periods import Columns, Frames, Lines, Periods, Weights
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.additive import average, poverty
from povmon.estimate.measures.base import Flags, divide
from povmon.estimate.replicates.replicate import Bootstrap, Method, draws

BOOTSTRAP = Bootstrap()
# Points at which growth is averaged over the poor.
STEPS = 200
RATES = (
    "growth of the mean", "growth of the median", "mean growth rate", "rate of pro-poor growth",
)  # fmt: skip


def growth_incidence_curve(
    frames: Frames,
    design: Designs,
    x: Columns,
    by: Sequence[str] | str | None = None,
    *,
    points: Points = 99,
    deflator: Lines = 1.0,
    years: float = 1.0,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """Growth incidence curve: the growth rate of each quantile between two periods.

    g(p) = (Q1(p) / Q0(p))**(1 / years) - 1. A quantile is linear between the points (F(v), v) of
    the distinct values v. Where the curve lies above the growth rate of the mean, that part of
    the distribution has gained more than the average.

    Parameters
    ----------
    frames : two surveys ``{name: data}``, the first period first; or one survey with two columns.
    design : the design of each survey ``{name: design}``, or one for both.
    x : column of both periods, or a pair (first, last).
    by : column, or columns whose combinations are the domains, each with a curve of its own.
    points : K shares evenly inside 0 to 1 (99: the percentiles), or the shares in ascending
        order.
    deflator : price level by which `x` is divided: a number, a column, or a pair.
    years : between the periods, for a rate per year; 1 gives the rate over the whole period.
    level : coverage of the pointwise intervals and, jointly for all points, of the bands.
    method : replicate method; PSUs that two surveys share are drawn together. The jackknife is
        not consistent for quantiles: take the bootstrap.

    Returns
    -------
    K rows a domain: the `by` columns, ``p``, ``estimate``, ``se``, ``ci_low``, ``ci_high``
    (Student's t), ``band_low``, ``band_high``, ``df`` and ``note``; ``attrs`` name the curve and
    its axes. Where the first period's quantile is not positive, or the last one's negative with
    `years` other than 1, there is no rate and the estimate is missing.

    Raises
    ------
    PovmonError : not two periods, a domain is empty in one of them, `years` or a deflator is not
        positive, or the points are not in order inside 0 to 1.

    Source
    ------
    Ravallion and Chen (2003), Economics Letters 78.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "y0": [10, 20, 30, 40],
    ...                        "y1": [20, 30, 30, 44]})
    >>> curve = growth_incidence_curve(sample, Design(None, "village", "w"), ("y0", "y1"),
    ...                                points=[0.25, 0.75])
    >>> curve[["p", "estimate"]].values.tolist()
    [[0.25, 1.0], [0.75, 0.0]]
    """
    p, years = shares(points, ends=False), _positive(years)
    laid = _Laid.of(frames, design, x, by, 1.0, deflator)

    def statistic(given: Weights) -> Floats:
        first, last = laid.quantiles(laid.periods.weights(given), p)
        return growth_rate(first, last, years).ravel()

    done = draws(frames, design, method).apply(statistic, undefined="exclude")
    d = len(laid.periods)
    told: dict[Hashable, Any] = {
        "curve": "growth incidence curve", "column": x, "y_axis": f"growth rate of {x}",
        "y_unit": "per year" if years != 1 else "over the period",
        "x_axis": "share of persons, poorest first", "x_unit": "share",
        "by": [str(name) for name in laid.periods.labels], "level": level,
    }  # fmt: skip
    return curve_table(
        laid.periods.labels, pd.DataFrame({"p": p}), done.estimate.reshape(d, -1),
        replicate_covariances(done, d), laid.freedom(design), level, told,
        done.undefined.reshape(d, -1),
    )  # fmt: skip


def pro_poor_growth(
    frames: Frames,
    design: Designs,
    x: Columns,
    line: Lines,
    by: Sequence[str] | str | None = None,
    *,
    deflator: Lines = 1.0,
    years: float = 1.0,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """Rate of pro-poor growth: the mean of the growth rates of the first period's poor.

    It is the average of the growth incidence curve g(p) over p from 0 to the first period's
    headcount (200 equally spaced points), which is not the growth rate of the mean income of
    the poor.

    Parameters
    ----------
    line : poverty line, a number or a column; a pair where it differs. It counts in the money of
        its period over `deflator`. Incomes are compared as multiples of it.
    frames, design, x, by, deflator, years, level, method : see `growth_incidence_curve`, also
        for errors.

    Returns
    -------
    For each domain the ``component`` ``growth of the mean``, ``growth of the median``, ``mean
    growth rate`` (of all), ``rate of pro-poor growth`` and ``headcount`` (of the first period),
    with ``estimate``, ``se``, ``ci_low``, ``ci_high`` (Student's t), ``df`` and ``note``. Points
    where the first period's quantile is not positive have no growth rate and are left out of
    the averages. Where nobody is poor in the first period the rate is missing.

    Source
    ------
    Ravallion and Chen (2003), Economics Letters 78.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "y0": [10, 20, 30, 40],
    ...                        "y1": [11, 22, 33, 44]})
    >>> table = pro_poor_growth(sample, Design(None, "village", "w"), ("y0", "y1"), 25)
    >>> table.set_index("component")["estimate"].round(3).tolist()
    [0.1, 0.1, 0.1, 0.1, 0.5]
    """
    years = _positive(years)
    laid = _Laid.of(frames, design, x, by, line, deflator)
    steps = (np.arange(STEPS) + 0.5) / STEPS

    def mean_rate(weights: tuple[Floats, Floats], p: Floats) -> Floats:
        rate = growth_rate(*laid.quantiles(weights, p), years)
        known = np.isfinite(rate)
        return divide(np.where(known, rate, 0.0).sum(axis=-1), known.sum(axis=-1))

    def statistic(given: Weights) -> Floats:
        weights = laid.periods.weights(given)
        means = [laid.of_period(average, t, weights[t]) for t in (0, 1)]
        head = laid.of_period(poverty, 0, weights[0], 0.0)
        middle = [q[:, 0] for q in laid.quantiles(weights, np.array([0.5]))]
        poor = mean_rate(weights, head[:, None] * steps)
        columns = [
            growth_rate(means[0], means[1], years), growth_rate(middle[0], middle[1], years),
            mean_rate(weights, steps), np.where(head > 0, poor, np.nan), head,
        ]  # fmt: skip
        return np.stack(columns, axis=-1).ravel()

    done = draws(frames, design, method).apply(statistic, undefined="exclude")
    told: dict[Hashable, Any] = {"decomposition": "pro-poor growth", "column": x, "line": line}
    names = pd.DataFrame({"component": [*RATES, "headcount"]})
    return named_table(laid.periods.labels, names, done, laid.freedom(design), level, told)


def growth_rate(first: Floats, last: Floats, years: float) -> Floats:
    """(last / first)**(1 / years) - 1; NaN where the base is not positive or there is no root."""
    ratio = divide(last, np.where(first > 0, first, 0.0))
    if years == 1:
        return ratio - 1.0
    return np.where(ratio >= 0, np.maximum(ratio, 0.0) ** (1.0 / years), np.nan) - 1.0


@dataclass(frozen=True, eq=False)
class _Laid:
    """Both periods' real incomes, sorted."""

    periods: Periods
    real: tuple[Floats, Floats]
    used: tuple[Flags, Flags]
    quantile: tuple[Quantiles, Quantiles]

    @classmethod
    def of(
        cls, frames: Frames, design: Designs, x: Columns, by: Sequence[str] | str | None,
        line: Lines, deflator: Lines,
    ) -> _Laid:  # fmt: skip
        periods = Periods.of(frames, x, by)
        first, last = periods.real(line, deflator)
        used = (np.isfinite(first), np.isfinite(last))
        periods.check_occupied(base_weights(periods, design), used)
        sorted_ = (
            Quantiles.of(first, used[0], periods.domains[0]),
            Quantiles.of(last, used[1], periods.domains[1]),
        )
        return cls(periods, (first, last), used, sorted_)

    def quantiles(self, weights: tuple[Floats, Floats], p: Floats) -> tuple[Floats, Floats]:
        """Quantiles of both periods, (D, K) each."""
        return self.quantile[0].evaluate(weights[0], p), self.quantile[1].evaluate(weights[1], p)

    def of_period(self, what: Any, t: int, weight: Floats, *more: Any) -> Floats:
        """`average` or `poverty` of a period, (D,)."""
        return what(self.real[t], self.used[t], weight, self.periods.domains[t], *more)

    def freedom(self, design: Designs) -> Ints:
        """Degrees of freedom of each domain (D,)."""
        return freedom_of_both(self.periods, design, self.periods.domains, self.used)


@dataclass(frozen=True, eq=False)
class Quantiles:
    """Distinct values of each domain in ascending order. Shapes: m used rows, T values."""

    order: Sorted
    first: Ints  # (T,) where each value begins
    value: Floats  # (T,)
    domain: Ints  # (T,)

    @classmethod
    def of(cls, y: Floats, used: Flags, domains: Domains) -> Quantiles:
        """Sort the used rows and join equal values, so that the order of rows has no effect."""
        order = Sorted.of(y, used, domains)
        domain = np.repeat(np.arange(len(order)), np.diff(order.start))
        new = np.ones(len(domain), dtype=bool)
        new[1:] = (order.value[1:] != order.value[:-1]) | (domain[1:] != domain[:-1])
        first = np.flatnonzero(new)
        return cls(order, first, order.value[first], domain[first])

    def evaluate(self, weight: Floats, p: Floats) -> Floats:
        """The p-quantiles under weights (n,), p of shape (K,) or (D, K); NaN without weight."""
        size = len(self.order)
        w = np.add.reduceat(self.order.take(weight), self.first) if len(self.first) else np.empty(0)
        some = w > 0
        upto, value, domain = np.cumsum(w[some]), self.value[some], self.domain[some]
        if not len(upto):
            return np.full((size, p.shape[-1]), np.nan)
        end = np.searchsorted(domain, np.arange(size), "right")
        start = np.searchsorted(domain, np.arange(size))
        before = np.append(0.0, upto)
        low, high = before[start][:, None], before[end][:, None]
        # Below the first value's share lies the first value, not the domain before.
        least = upto[np.minimum(start, len(upto) - 1)][:, None]
        at = np.clip(low + p * (high - low), least, np.maximum(high, least))
        return np.where((end > start)[:, None], np.interp(at, upto, value), np.nan)


def _positive(years: float) -> float:
    if not (np.isfinite(years) and years > 0):
        raise PovmonError(f"years is {years}", todo="use the number of years between the periods")
    return float(years)
