"""Measures of a domain's distribution: quantiles, Lorenz ordinates, shares of quantile groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import get_args

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.compiled import poorest
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import MET, Definition, Sorted, Weighted
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import DistributionMeasure, Linearised, divide, present
from povmon.estimate.measures.inequality import sorted_by


@dataclass(frozen=True)
class Quantile(DistributionMeasure):
    """Quantile with Woodruff's interval."""

    x: str
    p: float
    definition: Definition

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.x,)

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """Linearised values are those of F at the quantile; the interval inverts F."""
        used = present(rows, self.x).values > 0
        # An interpolated quantile depends on the order of ties; R's is that of the rows.
        weighted = Weighted.of(sorted_by(rows, self.x, domains), weight)
        q = weighted.quantile(np.array(self.p), self.definition)[0]
        y = rows.number(self.x)
        inside = np.where(used & (y <= domains.spread(np.nan_to_num(q))), 1.0, 0.0)
        total = weighted.total[0]
        level = divide(domains.sum(weight * inside), total)
        back = domains.spread(np.where(total > 0, total, 1.0))
        values = (inside - domains.spread(np.nan_to_num(level))) / np.where(back > 0, back, 1.0)
        return Linearised(
            q, np.where(used, values, 0.0), used, level,
            lambda share: weighted.quantile(share[None], self.definition)[0],
        )  # fmt: skip

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """The quantile under each vector of weights."""
        laid = sorted_by(rows, self.x, domains)
        if self.definition != "math":
            return Weighted.of(laid, weights).quantile(np.array(self.p), self.definition)
        return self._of_units(laid, np.ones(len(laid.value)), laid.order, weights)

    def by_units(
        self, rows: Rows, weight: Floats, domains: Domains, unit: Ints, replicates: int
    ) -> Callable[[Floats], Floats] | None:
        """From the rows in order, weighted as they are looked at."""
        if self.definition != "math":
            return None
        laid = sorted_by(rows, self.x, domains)
        return partial(self._of_units, laid, laid.take(weight), unit[laid.order])

    def _of_units(self, laid: Sorted, weight: Floats, unit: Ints, factors: Floats) -> Floats:
        shares = np.array([self.p])
        return poorest(laid.start, weight, laid.value, unit, factors, shares, MET)[0][..., 0]


@dataclass(frozen=True)
class QuantileShare(DistributionMeasure):
    """Share of the total that lies between two quantiles, or a ratio of two such shares."""

    x: str
    top: tuple[float, float]
    bottom: tuple[float, float] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.x,)

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """Differences of Lorenz ordinates; missing where the total is not positive."""
        top = self._share(rows, weight, domains, self.top)
        if self.bottom is None:
            return top
        low = self._share(rows, weight, domains, self.bottom)
        estimate = divide(top.estimate, low.estimate)
        back = domains.spread(np.nan_to_num(low.estimate))
        ratio = domains.spread(np.nan_to_num(estimate))
        values = divide(top.values - ratio * low.values, back)
        return Linearised(estimate, np.nan_to_num(values), top.used)

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """The share, or ratio of shares, under each vector of weights."""
        laid = sorted_by(rows, self.x, domains)
        return self._of_units(laid, np.ones(len(laid.value)), laid.order, weights)

    def by_units(
        self, rows: Rows, weight: Floats, domains: Domains, unit: Ints, replicates: int
    ) -> Callable[[Floats], Floats]:
        """From the rows in order, weighted as they are looked at."""
        laid = sorted_by(rows, self.x, domains)
        return partial(self._of_units, laid, laid.take(weight), unit[laid.order])

    def _of_units(self, laid: Sorted, weight: Floats, unit: Ints, factors: Floats) -> Floats:
        inner = sorted({p for p in (*self.top, *(self.bottom or ())) if 0 < p < 1})
        _, below, total = poorest(
            laid.start, weight, laid.value, unit, factors, np.array(inner, dtype=np.float64), MET
        )
        total = np.where(total > 0, total, np.nan)
        upto = {p: below[..., j] for j, p in enumerate(inner)} | {0.0: 0.0 * total, 1.0: total}
        top = upto[self.top[1]] - upto[self.top[0]]
        if self.bottom is None:
            return divide(top, total)
        bottom = upto[self.bottom[1]] - upto[self.bottom[0]]
        return np.where(np.isnan(total), np.nan, divide(top, bottom))

    def _share(
        self, rows: Rows, weight: Floats, domains: Domains, between: tuple[float, float]
    ) -> Linearised:
        low, high = (_ordinate(rows, self.x, weight, domains, p) for p in between)
        return Linearised(high.estimate - low.estimate, high.values - low.values, high.used)


def _ordinate(rows: Rows, x: str, weight: Floats, domains: Domains, p: float) -> Linearised:
    """Lorenz ordinate L(p), ties at the quantile counted in part.

    Source: Kovačević and Binder (1997), Journal of Official Statistics 13, eq. 3.4.
    """
    used = present(rows, x).values > 0
    y = rows.number(x)
    w, safe = np.where(used, weight, 0.0), np.where(used, y, 0.0)
    total = domains.sum(w * safe)
    total = np.where(total > 0, total, np.nan)
    if p in (0.0, 1.0):
        return Linearised(np.where(np.isfinite(total), p, np.nan), np.zeros(len(y)), used)
    weighted = Weighted.of(sorted_by(rows, x, domains), weight)
    q = weighted.quantile(np.array(p))[0]
    part = _shortfall(safe, used, q, domains)
    estimate = (domains.sum(w * part) + q * p * domains.sum(w)) / total
    # The quantile in the linearised values is the interpolated one, as a smooth F has it; equal
    # values stand in the order of their weights, so that the order of the rows has no effect.
    key = ("sorted by weight", x, domains)
    laid = rows.once(key, lambda: _sorted_with_weight(y, used, weight, domains))
    smooth = Weighted.of(laid, weight).quantile(np.array(p), "hf4")[0]
    part = _shortfall(safe, used, smooth, domains)
    own = domains.spread(np.nan_to_num(estimate))
    back = domains.spread(np.nan_to_num(total))
    values = divide(part + domains.spread(np.nan_to_num(smooth)) * p - own * safe, back)
    return Linearised(estimate, np.where(used, np.nan_to_num(values), 0.0), used)


def _sorted_with_weight(y: Floats, used: np.ndarray, weight: Floats, domains: Domains) -> Sorted:
    rows = np.flatnonzero(used & (domains.code >= 0))
    order = rows[np.lexsort((weight[rows], y[rows], domains.code[rows]))]
    counts = np.bincount(domains.code[order], minlength=len(domains))
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Sorted(order.astype(np.int64), y[order], start)


def _shortfall(y: Floats, used: np.ndarray, q: Floats, domains: Domains) -> Floats:
    """y - q of the rows at or below their domain's quantile, 0 elsewhere."""
    level = domains.spread(np.nan_to_num(q))
    return np.where(used & (y <= level), y - level, 0.0)


def quantile(
    x: str, p: float, definition: Definition = "math", *, name: str | None = None
) -> Quantile:
    """The p-quantile of column `x`; its interval and standard error are Woodruff's.

    Q(p) = min(x: F(x) >= p), with F the weighted share of rows at or below x.

    Parameters
    ----------
    x : numeric column; rows where it is missing are left out.
    p : between 0 and 1.
    definition : ``math`` (smallest value with F >= p), ``school`` (mean of two neighbours where
        F meets p exactly), ``hf4`` or ``hf7`` (linear interpolation, definitions 4 and 7).
    name : what the table calls it.

    Returns
    -------
    A measure, for `estimate`. For differences of quantiles use replicates.

    Raises
    ------
    PovmonError : `p` is not between 0 and 1, there is no such definition; in `estimate`, where
        the column is missing (near matches are listed) or is not numeric.

    Source: Woodruff (1952), Journal of the American Statistical Association 47; Hyndman and Fan
    (1996), The American Statistician 50, for the definitions.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, quantile
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> both = [quantile("income", 0.5), quantile("income", 0.5, "school")]
    >>> estimate(sample, design, both)["estimate"].tolist()
    [20.0, 25.0]
    """
    if definition not in get_args(Definition):
        raise PovmonError(
            f"definition is {definition!r}", where="quantile",
            todo=f"use one of {', '.join(get_args(Definition))}",
        )  # fmt: skip
    return Quantile(name or f"quantile({x}, {p:g})", x, _inside(p, "quantile"), definition)


def lorenz(x: str, p: float, *, name: str | None = None) -> QuantileShare:
    """Lorenz ordinate L(p): the share of the total that the poorest share `p` has.

    L(p) = sum(w x [x < q]) / sum(w x), q the p-quantile, with the part of the ties at q that
    makes up p. Where the total is not positive it is missing. Parameters, returns and errors:
    see `quantile`.

    Source: Kovačević and Binder (1997), Journal of Official Statistics 13, eq. 3.4.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, lorenz
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, lorenz("income", 0.5))["estimate"].tolist()
    [0.3]
    """
    return QuantileShare(name or f"lorenz({x}, {p:g})", x, (0.0, _inside(p, "lorenz")), None)


def quantile_share(x: str, p: tuple[float, float], *, name: str | None = None) -> QuantileShare:
    """Share of the total of those between the quantiles ``p[0]`` and ``p[1]``: L(p1) - L(p0).

    Parameters
    ----------
    x : numeric column; rows where it is missing are left out.
    p : two shares in ascending order, from 0 to 1.
    name : what the table calls it.

    Returns
    -------
    A measure, for `estimate`, `joint` and the like.

    Raises
    ------
    PovmonError : `p` is not in order or outside 0 to 1; in `estimate`, as `quantile`.

    Source: Kovačević and Binder (1997), Journal of Official Statistics 13.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, quantile_share
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, quantile_share("income", (0.25, 0.75)))["estimate"].tolist()
    [0.5]
    """
    low, high = p
    if not 0 <= low < high <= 1:
        raise PovmonError(f"p is {p}", where="quantile_share", todo="use 0 <= p[0] < p[1] <= 1")
    label = name or f"quantile_share({x}, {low:g}-{high:g})"
    return QuantileShare(label, x, (float(low), float(high)), None)


def s80s20(x: str, *, name: str | None = None) -> QuantileShare:
    """Quintile share ratio: total of the richest fifth over that of the poorest fifth.

    (1 - L(0.8)) / L(0.2). Parameters, returns and errors: see `quantile_share`.

    Source: Langel and Tillé (2011), Journal of Statistical Planning and Inference 141.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, s80s20
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4, 5], "w": 1, "income": [10, 20, 30, 40, 60]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, s80s20("income"))["estimate"].round(6).tolist()
    [6.0]
    """
    return QuantileShare(name or f"s80s20({x})", x, (0.8, 1.0), (0.0, 0.2))


def palma(x: str, *, name: str | None = None) -> QuantileShare:
    """Palma ratio: total of the richest tenth over that of the poorest two fifths.

    (1 - L(0.9)) / L(0.4). Parameters, returns and errors: see `quantile_share`.

    Source: Palma (2011), Development and Change 42.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, palma
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4, 5], "w": 1, "income": [10, 20, 30, 40, 60]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, palma("income"))["estimate"].round(6).tolist()
    [1.0]
    """
    return QuantileShare(name or f"palma({x})", x, (0.9, 1.0), (0.0, 0.4))


def _inside(p: float, where: str) -> float:
    if not 0 < p < 1:
        raise PovmonError(f"p is {p}", where=where, todo="use a number between 0 and 1")
    return float(p)
