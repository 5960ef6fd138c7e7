"""Concentration index: how a variable is spread over the ranks of another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import Sorted
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import DistributionMeasure, Flags, Linearised, divide

Correction = Literal["none", "erreygers", "wagstaff"]


@dataclass(frozen=True)
class ConcentrationIndex(DistributionMeasure):
    """Concentration index of one column over the ranks of another."""

    x: str
    rank_by: str
    correction: Correction
    bounds: tuple[float, float]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return self.x, self.rank_by

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """Rows where either column is missing are left out; NaN where it is not defined."""
        laid, x = self._lay(rows, domains)
        n, mean, absolute, distance = _absolute(laid, x, laid.order.take(weight[None, :]))
        estimate, by_absolute, by_mean = self._scaled(absolute, mean)
        n, mean, absolute = (laid.order.spread(v)[0] for v in (n, mean, absolute))
        by_absolute, by_mean = (laid.order.spread(v)[0] for v in (by_absolute, by_mean))
        safe = np.where(n > 0, n, 1.0)
        # Derivatives of sum_ij w_i w_j x_i sign(r_i - r_j) / N^2 and of the mean.
        step = distance[0] / safe**2 - 2 * absolute / safe
        values = by_absolute * step + by_mean * (x - mean) / safe
        return Linearised(estimate[0], laid.order.back(np.nan_to_num(values), len(rows)), laid.used)

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """Estimates (B, D) for weights (B, n)."""
        laid, x = self._lay(rows, domains)
        _, mean, absolute, _ = _absolute(laid, x, laid.order.take(weights))
        return self._scaled(absolute, mean)[0]

    def _lay(self, rows: Rows, domains: Domains) -> tuple[Ranked, Floats]:
        def make() -> tuple[Ranked, Floats]:
            x, rank = rows.number(self.x), rows.number(self.rank_by)
            used = np.isfinite(x) & np.isfinite(rank)
            self._check(x[used])
            laid = Ranked.of(rank, used, domains)
            return laid, laid.order.take(x)

        # The laid rows hold the domains, so that the key stays theirs.
        return rows.once(("concentration", self.x, self.rank_by, self.bounds, domains), make)

    def _check(self, x: Floats) -> None:
        low, high = self.bounds
        if self.correction != "none" and len(x) and not (low <= x.min() and x.max() <= high):
            raise PovmonError(
                f"column {self.x!r} goes from {x.min():g} to {x.max():g}, outside its bounds "
                f"{low:g} and {high:g}",
                where=f"concentration_index with the {self.correction} correction",
                todo="give bounds=(lowest, highest possible value)",
            )

    def _scaled(self, absolute: Floats, mean: Floats) -> tuple[Floats, Floats, Floats]:
        """The index and its derivatives with respect to absolute index and mean, all (B, D)."""
        low, high = self.bounds
        if self.correction == "erreygers":
            slope = np.full(np.shape(mean), 4.0 / (high - low))
            return slope * absolute, slope, np.zeros(np.shape(mean))
        if self.correction == "wagstaff":
            room = (high - mean) * (mean - low)
            # A mean on a bound misses it by rounding errors.
            room = np.where(room > 1e-12 * (high - low) ** 2, room, 0.0)
            slope = divide(np.full(np.shape(room), high - low), room)
            # (high - mean)(mean - low) changes by high + low - 2 mean.
            change = high + low - 2 * mean
            return slope * absolute, slope, -(slope**2) * absolute * change / (high - low)
        slope = divide(np.ones_like(mean), np.where(mean > 0, mean, 0.0))
        return slope * absolute, slope, -(slope**2) * absolute


@dataclass(frozen=True)
class Ranked:
    """Used rows sorted by domain and ranking variable. Shapes: m used rows, T ties."""

    order: Sorted
    tie: Ints  # (m,) number of the row's tie, ties being rows of one domain and equal rank
    first: Ints  # (T,) where each tie begins
    used: Flags  # (n,)

    @classmethod
    def of(cls, rank: Floats, used: Flags, domains: Domains) -> Ranked:
        order = Sorted.of(rank, used, domains)
        new = np.ones(len(order.value), dtype=bool)
        new[1:] = order.value[1:] != order.value[:-1]
        new[order.start[:-1][order.start[:-1] < len(new)]] = True
        return cls(order, np.cumsum(new) - 1, np.flatnonzero(new), used)

    def sides(self, values: Floats) -> Floats:
        """What lies in lower ranks less what lies in higher ranks of the domain, (B, m)."""
        if not values.shape[-1]:
            return values
        upto = self.order.cumulate(values)
        tied = np.add.reduceat(values, self.first, axis=-1)
        last = np.append(self.first[1:], values.shape[-1]) - 1
        twice = 2 * upto[..., last] - tied
        return twice[..., self.tie] - self.order.spread(self.order.sum(values))


def _absolute(laid: Ranked, x: Floats, w: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Weight, mean and absolute concentration index (B, D) of weights (B, m), and the derivative
    (B, m) of sum_ij w_i w_j x_i sign(r_i - r_j) with respect to each weight."""
    wx = w * x
    n = laid.order.sum(w)
    mean = divide(laid.order.sum(wx), n)
    side = laid.sides(w)
    absolute = divide(laid.order.sum(wx * side), n**2)
    return n, mean, absolute, x * side - laid.sides(wx)


def concentration_index(
    x: str,
    rank_by: str,
    *,
    correction: Correction = "none",
    bounds: tuple[float, float] = (0.0, 1.0),
    name: str | None = None,
) -> ConcentrationIndex:
    """Concentration index of column `x` over persons ranked by column `rank_by`, poorest first.

    C = 2 cov_w(x, R) / mean(x), with R the fractional rank, those of equal `rank_by` sharing
    their middle rank: C = sum_ij w_i w_j x_i sign(r_i - r_j) / (N sum w x). It is negative where
    `x` is concentrated among the poor and equals ``gini(x)`` where `rank_by` is `x` itself.

    Parameters
    ----------
    x : column of the variable, for example 1 for a child that is not at school.
    rank_by : column that ranks the persons, for example their income.
    correction : for a variable with known bounds a and b, ``erreygers``: 4 mean C / (b - a);
        ``wagstaff``: (b - a) mean C / ((b - mean)(mean - a)), 1 for the greatest inequality that
        the mean allows; ``none``: C itself.
    bounds : (a, b), used by the corrections alone.
    name : what the table calls it.

    Returns
    -------
    A measure for `estimate`. Rows where `x` or `rank_by` is missing are left out. The estimate
    is missing where the index is not defined: C where the mean is not positive, Wagstaff's where
    the mean lies on a bound, any of them in an empty domain.

    Raises
    ------
    PovmonError : the correction is unknown, the bounds are not in order, or, with a correction,
        a value lies outside them.

    Source
    ------
    Kakwani, Wagstaff and van Doorslaer (1997), Journal of Econometrics 77; Erreygers
    (2009), Journal of Health Economics 28; Wagstaff (2005), Health Economics 14, for
    other bounds Erreygers and Van Ourti (2011), Journal of Health Economics 30. The linearised
    values are the exact derivatives with respect to each weight (Deville 1999, Survey
    Methodology 25), which counts the ranks as estimated.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate
    >>> from povmon.estimate.measures.concentration import concentration_index
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1],
    ...                        "ill": [1, 1, 0, 0], "income": [10, 20, 30, 40]})
    >>> table = estimate(sample, Design(None, "village", "w"), concentration_index("ill", "income"))
    >>> float(table["estimate"].iloc[0])
    -0.5
    """
    if correction not in get_args(Correction):
        raise PovmonError(
            f"correction is {correction!r}", where="concentration_index",
            todo=f"use one of {', '.join(get_args(Correction))}",
        )  # fmt: skip
    low, high = (float(b) for b in bounds)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise PovmonError(
            f"bounds are {bounds}", where="concentration_index", todo="give the lower one first"
        )
    label = name or f"concentration_index({x}, {rank_by})"
    return ConcentrationIndex(label, x, rank_by, correction, (low, high))
