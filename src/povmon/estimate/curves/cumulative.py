"""Cumulative curves by domain: what the lowest-ranked share p of the persons have together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import Sorted
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import divide


@dataclass(frozen=True)
class Cumulative:
    """A(p) = sum of w v over the lowest-ranked share p of each domain, linear between ranks.

    Rows of equal rank enter together, each in part. Divided by the domain's weight (`share`
    False) or by its total of w v (`share` True). Shapes: n rows, m used rows, T ties, D domains,
    K points.

    Source
    ------
    Kovačević and Binder (1997), Journal of Official Statistics 13, sec. 3.2; for a ranking
    variable other than v, Bishop, Chow and Formby (1994), International Economic Review 35.
    """

    order: Sorted
    value: Floats  # (m,)
    last: Ints  # (T,) position of the last row of each tie
    p: Floats  # (K,)
    share: bool
    own_rank: bool  # rows are ranked by v itself
    n: int

    @classmethod
    def of(
        cls, value: Floats, rank: Floats | None, domains: Domains, p: Floats, *, share: bool
    ) -> Cumulative:
        """Lay out values (n,), ranked by `rank` (n,) or by themselves; missing ones are unused."""
        key = value if rank is None else rank
        order = Sorted.of(key, np.isfinite(value) & np.isfinite(key), domains)
        final = np.ones(len(order.value), dtype=bool)
        final[:-1] = order.value[1:] != order.value[:-1]
        ends = order.start[1:]
        final[ends[ends > order.start[:-1]] - 1] = True
        laid = np.flatnonzero(final)
        return cls(order, order.take(value), laid, p, share, rank is None, len(value))

    def evaluate(self, weight: Floats) -> Floats:
        """The curve (D, K) under weights (n,); NaN in an empty domain or where the divisor of a
        share is not positive."""
        w = self.order.take(weight)
        amount = self._amounts(w)
        return divide(amount, self._divisor(w)[:, None])

    def _divisor(self, w: Floats) -> Floats:
        total = self.order.sum(w * self.value if self.share else w)
        return np.where(total > 0, total, 0.0)

    def _amounts(self, w: Floats) -> Floats:
        """A(p), (D, K): one interpolation over all domains laid end to end."""
        upto, amount = (np.append(0.0, np.cumsum(v)) for v in (w, w * self.value))
        start, end = self.order.start[:-1], self.order.start[1:]
        low, high = upto[start][:, None], upto[end][:, None]
        at = np.clip(low + self.p * (high - low), low, high)
        points = np.append(0, self.last + 1)
        return np.interp(at, upto[points], amount[points]) - amount[start][:, None]

    def linearised(self, weight: Floats) -> Iterator[Floats]:
        """For each point, the linearised values (n,) of the curve: its derivative with respect
        to each row's weight.

        dA(p)/dw_i = v_i [i among the lowest p] + m (p - [i among the lowest p]), with m the
        value expected at the rank p.
        """
        w = self.order.take(weight)
        estimate = self.evaluate(weight)
        divisor = self._divisor(w)
        inverse = divide(np.ones(len(divisor)), divisor)
        back = self.order.spread(np.nan_to_num(inverse))
        margin = self._margins(w)
        own = self.value if self.share else np.ones(len(w))
        for k, p in enumerate(self.p):
            m, level = (self.order.spread(np.nan_to_num(v[:, k])) for v in (margin, estimate))
            values = self._inside(w, p, m) * (self.value - m) + m * p - level * own
            yield self.order.back(values * back, self.n)

    def _margins(self, w: Floats) -> Floats:
        """The value expected at the rank p of each domain, (D, K)."""
        margin = np.zeros((len(self.order), len(self.p)))
        upto, amount = (np.append(0.0, np.cumsum(v)) for v in (w, w * self.value))
        ends = np.append(0, self.last + 1)
        for d, (start, end) in enumerate(zip(self.order.start, self.order.start[1:], strict=False)):
            if not upto[end] > upto[start]:
                continue
            if self.own_rank:
                margin[d] = _smooth_quantile(self.value[start:end], w[start:end], self.p)
            else:
                points = ends[(ends >= start) & (ends <= end)]
                rank = (upto[points] - upto[start]) / (upto[end] - upto[start])
                total = (amount[points] - amount[start]) / (upto[end] - upto[start])
                margin[d] = _slope(rank, total, self.p, (end - start) ** (-1 / 3))
        return margin

    def _inside(self, w: Floats, p: float, margin: Floats) -> Floats:
        """How much of each row (m,) is counted among the lowest-ranked share p, 0 to 1."""
        if p in (0.0, 1.0):
            return np.full(len(w), p)
        if self.own_rank:
            return (self.value <= margin).astype(np.float64)
        upto = np.append(0.0, np.cumsum(w))
        ends = self.last + 1
        begins = np.append(0, ends[:-1])
        counts = np.diff(np.append(0, ends))
        low, high = np.repeat(upto[begins], counts), np.repeat(upto[ends], counts)
        first = self.order.spread(upto[self.order.start[:-1]])
        at = first + p * self.order.spread(self.order.sum(w))
        part = np.nan_to_num(divide(at - low, high - low))
        return np.clip(part, 0.0, 1.0)


def _smooth_quantile(value: Floats, w: Floats, p: Floats) -> Floats:
    """Quantiles linear between the points (F(v), v); equal values stand in the order of their
    weights, so that the order of the rows has no effect."""
    some = np.flatnonzero(w > 0)
    some = some[np.lexsort((w[some], value[some]))]
    below = np.cumsum(w[some])
    return np.interp(p, below / below[-1], value[some])


def _slope(rank: Floats, total: Floats, p: Floats, half: float) -> Floats:
    """Mean value over the ranks within `half` of p, from totals cumulated up to each rank.

    A single row's value at the rank p would be too noisy where the rows are not ranked by it.
    """
    low, high = np.clip(p - half, 0.0, 1.0), np.clip(p + half, 0.0, 1.0)
    return (np.interp(high, rank, total) - np.interp(low, rank, total)) / (high - low)
