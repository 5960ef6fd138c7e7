"""Measures of a domain's distribution: quantiles, Lorenz ordinates, shares of quantile groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, Ints, numbers
from povmon.estimate.domains import Domains
from povmon.estimate.measures import Flags, Linearised, divide

Definition = Literal["math", "school", "hf4", "hf7"]


@dataclass(frozen=True)
class Sorted:
    """The values of each domain in ascending order, with their weights cumulated.

    Shapes: m used rows of positive weight, D domains.
    """

    value: Floats  # (m,)
    weight: Floats  # (m,)
    below: Floats  # (m,) weight of the domain up to and with the row
    start: Ints  # (D + 1,) where each domain begins

    @classmethod
    def of(
        cls, y: Floats, used: Flags, weight: Floats, domains: Domains, *, ties: bool = True
    ) -> Sorted:
        """Sort the used rows of all domains at once.

        `ties`: order rows of equal value by weight, so that the order of the rows has no effect;
        False keeps them in the order of the rows, as R does.
        """
        rows = np.flatnonzero(used & (weight > 0) & (domains.code >= 0))
        keys = (weight[rows] if ties else np.zeros(len(rows)), y[rows], domains.code[rows])
        order = rows[np.lexsort(keys)]
        counts = np.bincount(domains.code[order], minlength=len(domains))
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        w = weight[order]
        whole = np.concatenate([[0.0], np.cumsum(w)])
        below = np.cumsum(w) - np.repeat(whole[start[:-1]], counts)
        return cls(y[order], w, below, start)

    def quantile(self, p: Floats, definition: Definition = "math") -> Floats:
        """The p[d]-quantile of each domain d; NaN for an empty domain or p outside [0, 1]."""
        rule = _RULES[definition]
        out = np.full(len(self.start) - 1, np.nan)
        for d in range(len(out)):
            part = slice(self.start[d], self.start[d + 1])
            if part.start < part.stop and 0 <= p[d] <= 1:
                out[d] = rule(self.value[part], self.weight[part], self.below[part], float(p[d]))
        return out


def _math(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """The smallest value with F(x) >= p (definition 1 of Hyndman and Fan 1996)."""
    # Sums of weights carry rounding errors: a value met to 1e-12 is met.
    k = int(np.searchsorted(below, p * below[-1] * (1 - 1e-12)))
    return float(y[min(k, len(y) - 1)])


def _school(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """The mean of two neighbours where F meets p exactly (definition 2)."""
    k = int(np.searchsorted(below, p * below[-1] * (1 - 1e-12)))
    k = min(k, len(y) - 1)
    met = abs(below[k] - p * below[-1]) <= 1e-12 * below[-1]
    return float((y[k] + y[k + 1]) / 2) if met and k + 1 < len(y) else float(y[k])


def _hf4(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """Linear between the points F(x_k) (definition 4)."""
    return float(np.interp(p, below / below[-1], y))


def _hf7(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """Linear between the points (F(x_k) - w_k) / (W - w_last) (definition 7)."""
    if len(y) == 1:
        return float(y[0])
    return float(np.interp(p, (below - w) / (below[-1] - w[-1]), y))


_RULES = {"math": _math, "school": _school, "hf4": _hf4, "hf7": _hf7}


@dataclass(frozen=True)
class Quantile:
    """Quantile with Woodruff's interval."""

    x: str
    p: float
    definition: Definition
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Linearised values are those of F at the quantile; the interval inverts F."""
        y = numbers(frame, self.x)
        used = np.isfinite(y)
        # An interpolated quantile depends on the order of ties; R's is that of the rows.
        laid = Sorted.of(y, used, weight, domains, ties=False)
        q = laid.quantile(np.full(len(domains), self.p), self.definition)
        inside = np.where(used & (y <= domains.spread(np.nan_to_num(q))), 1.0, 0.0)
        total = domains.sum(np.where(used, weight, 0.0))
        level = divide(domains.sum(weight * inside), total)
        values = (inside - domains.spread(np.nan_to_num(level))) / np.where(
            domains.spread(total) > 0, domains.spread(total), 1.0
        )
        return Linearised(
            q, np.where(used, values, 0.0), used, level,
            lambda share: laid.quantile(share, self.definition),
        )  # fmt: skip


@dataclass(frozen=True)
class QuantileShare:
    """Share of the total that lies between two quantiles, or a ratio of two such shares."""

    x: str
    top: tuple[float, float]
    bottom: tuple[float, float] | None
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Differences of Lorenz ordinates; missing where the total is not positive."""
        y = numbers(frame, self.x)
        top = _share(y, weight, domains, self.top)
        if self.bottom is None:
            return top
        low = _share(y, weight, domains, self.bottom)
        estimate = divide(top.estimate, low.estimate)
        back, ratio = (
            domains.spread(np.nan_to_num(low.estimate)),
            domains.spread(np.nan_to_num(estimate)),
        )
        values = divide(top.values - ratio * low.values, back)
        return Linearised(estimate, np.nan_to_num(values), top.used)


def _share(y: Floats, weight: Floats, domains: Domains, between: tuple[float, float]) -> Linearised:
    low, high = (_ordinate(y, weight, domains, p) for p in between)
    return Linearised(high.estimate - low.estimate, high.values - low.values, high.used)


def _ordinate(y: Floats, weight: Floats, domains: Domains, p: float) -> Linearised:
    """Lorenz ordinate L(p), ties at the quantile counted in part.

    Source: Kovačević and Binder (1997), Journal of Official Statistics 13, eq. 3.4.
    """
    used = np.isfinite(y)
    w, safe = np.where(used, weight, 0.0), np.where(used, y, 0.0)
    total = domains.sum(w * safe)
    total = np.where(total > 0, total, np.nan)
    if p in (0.0, 1.0):
        return Linearised(np.where(np.isfinite(total), p, np.nan), np.zeros(len(y)), used)
    laid = Sorted.of(y, used, weight, domains)
    at = np.full(len(domains), p)
    q = laid.quantile(at)
    estimate = (
        domains.sum(w * _shortfall(safe, used, q, domains)) + q * p * domains.sum(w)
    ) / total
    # The quantile in the linearised values is the interpolated one, as a smooth F has it.
    smooth = laid.quantile(at, "hf4")
    part = _shortfall(safe, used, smooth, domains)
    own = domains.spread(np.nan_to_num(estimate))
    back = domains.spread(np.nan_to_num(total))
    values = divide(part + domains.spread(np.nan_to_num(smooth)) * p - own * safe, back)
    return Linearised(estimate, np.where(used, np.nan_to_num(values), 0.0), used)


def _shortfall(y: Floats, used: Flags, q: Floats, domains: Domains) -> Floats:
    """y - q of the rows at or below their domain's quantile, 0 elsewhere."""
    level = domains.spread(np.nan_to_num(q))
    return np.where(used & (y <= level), y - level, 0.0)


def quantile(
    x: str, p: float, definition: Definition = "math", *, name: str | None = None
) -> Quantile:
    """The p-quantile of column `x`; its interval and standard error are Woodruff's.

    Parameters
    ----------
    definition : ``math`` (smallest value with F >= p), ``school`` (mean of two neighbours where
        F meets p exactly), ``hf4`` or ``hf7`` (linear interpolation, definitions 4 and 7).

    Source: Woodruff (1952), Journal of the American Statistical Association 47; Hyndman and Fan
    (1996), The American Statistician 50, for the definitions.
    """
    if definition not in get_args(Definition):
        raise PovmonError(
            f"definition is {definition!r}", where="quantile",
            todo=f"use one of {', '.join(get_args(Definition))}",
        )  # fmt: skip
    return Quantile(x, _inside(p, "quantile"), definition, name or f"quantile({x}, {p:g})")


def lorenz(x: str, p: float, *, name: str | None = None) -> QuantileShare:
    """Lorenz ordinate L(p): the share of the total that the poorest share `p` has.

    Source: Kovačević and Binder (1997), Journal of Official Statistics 13.
    """
    return QuantileShare(x, (0.0, _inside(p, "lorenz")), None, name or f"lorenz({x}, {p:g})")


def quantile_share(x: str, p: tuple[float, float], *, name: str | None = None) -> QuantileShare:
    """Share of the total of those between the quantiles ``p[0]`` and ``p[1]``: L(p1) - L(p0)."""
    low, high = p
    if not 0 <= low < high <= 1:
        raise PovmonError(f"p is {p}", where="quantile_share", todo="use 0 <= p[0] < p[1] <= 1")
    label = name or f"quantile_share({x}, {low:g}-{high:g})"
    return QuantileShare(x, (float(low), float(high)), None, label)


def s80s20(x: str, *, name: str | None = None) -> QuantileShare:
    """Quintile share ratio: total of the richest fifth over that of the poorest fifth."""
    return QuantileShare(x, (0.8, 1.0), (0.0, 0.2), name or f"s80s20({x})")


def palma(x: str, *, name: str | None = None) -> QuantileShare:
    """Palma ratio: total of the richest tenth over that of the poorest two fifths.

    Source: Palma (2011), Development and Change 42.
    """
    return QuantileShare(x, (0.9, 1.0), (0.0, 0.4), name or f"palma({x})")


def _inside(p: float, where: str) -> float:
    if not 0 < p < 1:
        raise PovmonError(f"p is {p}", where=where, todo="use a number between 0 and 1")
    return float(p)
