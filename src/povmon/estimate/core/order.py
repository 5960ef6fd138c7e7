"""Rows sorted by domain and value, with sums cumulated within domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from povmon.estimate.core.compiled import all_whole, in_order, packed
from povmon.estimate.core.domains import Domains
from povmon.estimate.design import Floats, Ints

Definition = Literal["math", "school", "hf4", "hf7"]
# Sums of weights carry rounding errors: a share met to 1e-12 is met.
NEAR = 1e-12
MET = 1 - NEAR


@dataclass(frozen=True)
class Sorted:
    """The used rows of each domain in ascending order of a value.

    Shapes: m used rows, D domains.
    """

    order: Ints  # (m,) position of each in the frame
    value: Floats  # (m,)
    start: Ints  # (D + 1,) where each domain begins
    natural: bool = False  # the frame's rows stand in this order already

    @classmethod
    def of(cls, y: Floats, used: np.ndarray, domains: Domains) -> Sorted:
        """Sort the used rows of all domains at once; equal values keep the order of the rows."""
        inside = used & (domains.code >= 0)
        whole = bool(inside.all())
        rows = None if whole else np.flatnonzero(inside)
        code, value = (domains.code, y) if rows is None else (domains.code[rows], y[rows])
        counts = np.bincount(code, minlength=len(domains))
        ordered = in_order(code, value)
        if not ordered:
            by = sort_by(code, value, len(domains))
            rows, value = (by if rows is None else rows[by]), value[by]
        elif rows is None:
            rows = np.arange(len(y))
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(rows, value, start, whole and ordered)

    def __len__(self) -> int:
        return len(self.start) - 1

    def take(self, rows: Floats) -> Floats:
        """Row values (..., n) in this order, (..., m); not a copy where they stand in it."""
        return rows if self.natural else np.take(rows, self.order, axis=-1)

    def back(self, values: Floats, n: int) -> Floats:
        """Values in this order (m,) carried to the n rows of the frame, zero elsewhere."""
        if self.natural:
            return values
        out = np.zeros(n)
        out[self.order] = values
        return out

    def sum(self, values: Floats) -> Floats:
        """Sums by domain (..., D) of values (..., m)."""
        return sums_of_runs(values, self.start)

    def spread(self, values: Floats) -> Floats:
        """Domain values (..., D) on the sorted rows, (..., m)."""
        return np.repeat(values, np.diff(self.start), axis=-1)

    def cumulate(self, values: Floats) -> Floats:
        """Sums from the start of the domain up to and with each row, (..., m)."""
        whole = np.cumsum(values, axis=-1)
        whole -= self.spread(self.before(whole))
        return whole

    def before(self, whole: Floats) -> Floats:
        """Of sums cumulated over all domains (..., m), those before each domain begins (..., D)."""
        if whole.shape[-1] == 0:
            return np.zeros((*whole.shape[:-1], len(self)))
        return np.where(self.start[:-1] > 0, whole[..., self.start[:-1] - 1], 0.0)


def sums_of_runs(values: Floats, start: Ints) -> Floats:
    """Sums (..., D) of values (..., m) over D runs, the last of which ends at ``start[-1]``."""
    sums = np.zeros((*values.shape[:-1], len(start) - 1))
    # reduceat takes one element for a run that is empty: those are left out.
    some = start[:-1] < start[1:]
    if some.all() and len(some):
        return np.add.reduceat(values, start[:-1], axis=-1, out=sums)
    if some.any():
        sums[..., some] = np.add.reduceat(values, start[:-1][some], axis=-1, dtype=np.float64)
    return sums


def sort_by(code: Ints, value: Floats, n_codes: int) -> Ints:
    """The order by code, then value, then row, as `numpy.lexsort` gives it but several times
    faster: a plain sort of integers that hold all three."""
    bits = max(len(value) - 1, 1).bit_length()
    room = 1 << (63 - bits)
    if len(value) and value.max() - value.min() < 2**31 and all_whole(value):
        low = float(value.min())
        levels = int(value.max() - low) + 1
        if abs(low) <= 2**52 and n_codes * levels < room:
            return _unpacked(packed(code, value, low, levels, bits), bits)
    rows = np.argsort(value)
    key = _levels(value[rows])
    levels = int(key[-1]) + 1 if len(key) else 1
    if n_codes * levels >= room:
        return np.lexsort((value, code))
    key += code[rows] * levels
    key <<= bits
    key |= rows
    return _unpacked(key, bits)


def _unpacked(key: Ints, bits: int) -> Ints:
    """Positions of the rows, the last `bits` of keys, in the order of the keys."""
    key.sort()
    key &= (1 << bits) - 1
    return key


def _levels(ordered: Floats) -> Ints:
    """Number of each of ascending values among the different ones."""
    level = np.zeros(len(ordered), dtype=np.int64)
    level[1:] = ordered[1:] != ordered[:-1]
    return np.cumsum(level, out=level)


@dataclass(frozen=True)
class Weighted:
    """Sorted rows under B vectors of weights. Shapes: B vectors, m rows, D domains."""

    laid: Sorted
    weight: Floats  # (B, m)
    upto: Floats  # (B, m) weight up to and with the row, cumulated over all domains
    before: Floats  # (B, D) of that, what lies before the domain
    total: Floats  # (B, D)

    @classmethod
    def of(cls, laid: Sorted, weights: Floats) -> Weighted:
        """From weights (B, n) in the order of the frame."""
        weight = laid.take(np.atleast_2d(weights))
        upto = np.cumsum(weight, axis=-1)
        return cls(laid, weight, upto, laid.before(upto), laid.sum(weight))

    def position(self, p: Floats) -> Ints:
        """Of each domain's first row with F >= p (B, D), counted over all rows; p is (B, D)."""
        wanted = self.before + p * self.total * MET
        # Sums cumulated over all domains carry a rounding error of their own size.
        wanted -= 8 * np.finfo(np.float64).eps * wanted
        found = [np.searchsorted(row, w) for row, w in zip(self.upto, wanted, strict=True)]
        # An empty domain has no row: any position serves, its total is zero.
        last = np.maximum(self.laid.start[1:] - 1, self.laid.start[:-1])
        at = np.clip(np.stack(found), self.laid.start[:-1], last)
        return np.minimum(at, max(len(self.laid.value) - 1, 0))

    def quantile(self, p: Floats, definition: Definition = "math") -> Floats:
        """The p-quantile of each domain (B, D); NaN for an empty domain or p outside [0, 1]."""
        p = np.broadcast_to(p, self.total.shape)
        known = (self.total > 0) & (p >= -NEAR) & (p <= 1 + NEAR)
        p = np.clip(p, 0.0, 1.0)
        if definition == "math":
            if not len(self.laid.value):
                return np.full(self.total.shape, np.nan)
            return np.where(known, self.laid.value[self.position(p)], np.nan)
        rule = _RULES[definition]
        out = np.full(self.total.shape, np.nan)
        for b, d in zip(*np.nonzero(known), strict=True):
            part = slice(self.laid.start[d], self.laid.start[d + 1])
            w = self.weight[b, part]
            some = w > 0
            below = self.upto[b, part][some] - self.before[b, d]
            out[b, d] = rule(self.laid.value[part][some], w[some], below, float(p[b, d]))
        return out


def _school(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """The mean of two neighbours where F meets p exactly (definition 2)."""
    k = int(np.searchsorted(below, p * below[-1] * MET))
    k = min(k, len(y) - 1)
    met = abs(below[k] - p * below[-1]) <= NEAR * below[-1]
    return float((y[k] + y[k + 1]) / 2) if met and k + 1 < len(y) else float(y[k])


def _hf4(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """Linear between the points F(x_k) (definition 4)."""
    return _between(p, below / below[-1], y)


def _hf7(y: Floats, w: Floats, below: Floats, p: float) -> float:
    """Linear between the points (F(x_k) - w_k) / (W - w_last) (definition 7)."""
    if len(y) == 1:
        return float(y[0])
    return _between(p, (below - w) / (below[-1] - w[-1]), y)


def _between(p: float, share: Floats, y: Floats) -> float:
    """Linear between the points (share, y), and y itself where p meets a share."""
    k = min(int(np.searchsorted(share, p * MET)), len(y) - 1)
    return float(y[k]) if abs(share[k] - p) <= NEAR else float(np.interp(p, share, y))


_RULES = {"school": _school, "hf4": _hf4, "hf7": _hf7}
