"""Loops over rows and cells that numba compiles: one pass where array operations take ten.

Every function here is compiled at its first call, for the types given, and kept on disk beside
this file (or in the user's cache, where this folder cannot be written to). None calls another, for
a change of one would not be noticed by what is kept of the other. Sums are made in the order of
the rows, so that no number depends on the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types

from povmon.estimate.design import Floats, Ints

F = TypeVar("F", bound=Callable[..., Any])
# Arrays that are only read: columns of a frame cannot be written to.
FLOATS, TABLE, CUBE = (types.Array(types.float64, d, "A", readonly=True) for d in (1, 2, 3))
INTS = types.Array(types.int64, 1, "A", readonly=True)
# Arrays that are filled in.
FLOATS_OUT, INTS_OUT = types.float64[::1], types.int64[::1]
WHOLE, REAL, BOOL = types.int64, types.float64, types.boolean


def compiled(*signature: Any) -> Callable[[F], F]:
    """Compile a function for arguments of these types when it is first called."""

    def decorate(function: F) -> F:
        @cache
        def ready() -> Any:
            def compiler(kept: bool) -> Callable[[F], Any]:
                return numba.njit(signature, cache=kept, nogil=True, error_model="numpy")

            try:
                return compiler(True)(function)
            except RuntimeError:  # no folder to keep it in: it is compiled in every process
                return compiler(False)(function)

        @wraps(function)
        def call(*arguments: Any) -> Any:
            return ready()(*arguments)

        return cast(F, call)

    return decorate


@compiled(INTS, FLOATS, FLOATS, WHOLE)
def weighted_sums(code: Ints, weight: Floats, values: Floats, n: int) -> Floats:
    """Weight times value of rows (m,), added up by code 0..n-1 (n,); others are left out."""
    out = np.zeros(n)
    for i in range(len(code)):
        if 0 <= code[i] < n:
            out[code[i]] += weight[i] * values[i]
    return out


@compiled(INTS, INTS, FLOATS, FLOATS, WHOLE)
def weighted_sums_at(at: Ints, code: Ints, weight: Floats, values: Floats, n: int) -> Floats:
    """As `weighted_sums`, of some rows: their positions, and values of the same length (m,)."""
    out = np.zeros(n)
    for j in range(len(at)):
        i = at[j]
        if 0 <= code[i] < n:
            out[code[i]] += weight[i] * values[j]
    return out


@compiled(FLOATS, FLOATS, BOOL)
def poor_rows(x: Floats, line: Floats, closed: bool) -> Ints:
    """Positions of the rows below the line (or at it, if `closed`); missing or infinite ones are
    not.

    `line`: of each row (n,), or one for all (1,).
    """
    step = 0 if len(line) == 1 else 1
    poor = np.empty(len(x), dtype=np.uint8)
    count = 0
    for i in range(len(x)):
        below = (x[i] < line[i * step]) | (closed & (x[i] == line[i * step]))
        poor[i] = below & (x[i] > -np.inf)
        count += poor[i]
    # One place more than needed: each row is written and, without a branch (which rows are poor
    # cannot be foretold), kept or written over.
    out = np.empty(count + 1, dtype=np.int64)
    count = 0
    for i in range(len(x)):
        out[count] = i
        count += poor[i]
    return out[:count]


@compiled(INTS, FLOATS, FLOATS, FLOATS_OUT)
def add_scaled(domain: Ints, slope: Floats, totals: Floats, out: Floats) -> None:
    """Totals of cells (C,) times the slope of their domain (D,), added to `out` (C,)."""
    for c in range(len(domain)):
        out[c] += totals[c] * slope[domain[c]]


@compiled(TABLE, TABLE, CUBE)
def of_combinations(slopes: Floats, sums: Floats, moments: Floats) -> tuple[Floats, Floats]:
    """Sums and sums of squares of linear combinations, both (D,).

    Parameters
    ----------
    slopes, sums : (D, k) of the combinations, and weighted sums of what they combine.
    moments : (D, k, k) weighted sums of products of what they combine.
    """
    domains, k = slopes.shape
    total, squares = np.zeros(domains), np.zeros(domains)
    for d in range(domains):
        for i in range(k):
            total[d] += slopes[d, i] * sums[d, i]
            for j in range(k):
                squares[d] += slopes[d, i] * moments[d, i, j] * slopes[d, j]
    return total, squares


@compiled(INTS, INTS, FLOATS, FLOATS, FLOATS_OUT)
def half_distances(order: Ints, start: Ints, weight: Floats, value: Floats, half: Floats) -> Floats:
    """A / 2 of each row, A_i = sum_j w_j |y_i - y_j| over its domain, filled into `half` (n,).

    Parameters
    ----------
    order : (m,) rows by domain and value; (0,) where all rows stand in this order.
    start : (D + 1,) where each domain begins among them.
    weight, value : (n,), and (m,) in that order.

    Returns
    -------
    (D, 3, 3) weighted sums of products of A / 2, 1 and y.
    """
    moments = np.zeros((len(start) - 1, 3, 3))
    for d in range(len(start) - 1):
        n = total = 0.0
        for k in range(start[d], start[d + 1]):
            w = weight[order[k] if len(order) else k]
            n += w
            total += w * value[k]
        upto, below = -n / 2, -total / 2
        h1 = hy = hh = yy = 0.0
        for k in range(start[d], start[d + 1]):
            i = order[k] if len(order) else k
            w, y = weight[i], value[k]
            upto += w
            below += w * y
            h = y * upto - below
            half[i] = h
            h1 += w * h
            hy += w * h * y
            hh += w * h * h
            yy += w * y * y
        moments[d, 0, 0] = hh
        moments[d, 0, 1] = moments[d, 1, 0] = h1
        moments[d, 0, 2] = moments[d, 2, 0] = hy
        moments[d, 1, 1] = n
        moments[d, 1, 2] = moments[d, 2, 1] = total
        moments[d, 2, 2] = yy
    return moments


@compiled(INTS, FLOATS)
def in_order(code: Ints, value: Floats) -> bool:
    """True for rows sorted by code, then value."""
    for i in range(1, len(code)):
        if code[i] < code[i - 1] or (code[i] == code[i - 1] and value[i] < value[i - 1]):
            return False
    return True


@compiled(FLOATS)
def all_whole(value: Floats) -> bool:
    """True where all values are whole numbers."""
    fractions = 0
    for i in range(len(value)):
        fractions += value[i] != np.floor(value[i])
    return fractions == 0


@compiled(INTS, FLOATS, REAL, WHOLE, WHOLE)
def packed(code: Ints, value: Floats, low: float, levels: int, bits: int) -> Ints:
    """Code, whole value and position of each row in one integer that sorts as the three do."""
    out = np.empty(len(code), dtype=np.int64)
    for i in range(len(code)):
        out[i] = ((code[i] * levels + np.int64(value[i] - low)) << bits) | i
    return out


@compiled(INTS, INTS, WHOLE, INTS_OUT)
def homes(domain: Ints, unit: Ints, n_domains: int, home: Ints) -> Ints:
    """The domain of each unit's last row, filled into `home` (U,); positions of the rows that lie
    elsewhere. Rows outside all domains (-1) count as in domain `n_domains`."""
    for i in range(len(unit)):
        home[unit[i]] = n_domains if domain[i] < 0 else domain[i]
    away = np.empty(len(unit), dtype=np.int64)
    count = 0
    for i in range(len(unit)):
        away[count] = i
        count += home[unit[i]] != (n_domains if domain[i] < 0 else domain[i])
    return away[:count].copy()


@compiled(INTS, INTS, INTS, INTS, WHOLE)
def cells_of_rows(
    unit: Ints, cell_of_unit: Ints, away: Ints, cell_of_away: Ints, most: int
) -> Ints:
    """Cell of each row (n,): its unit's, or that of a row `away`; `most` at the most."""
    out = np.empty(len(unit), dtype=np.int64)
    for i in range(len(unit)):
        out[i] = min(cell_of_unit[unit[i]], most)
    for j in range(len(away)):
        out[away[j]] = min(cell_of_away[j], most)
    return out


@compiled(INTS, INTS, FLOATS, INTS, FLOATS, INTS, WHOLE)
def between_units(
    pair: Ints, pair_domain: Ints, totals: Floats, n: Ints, factor: Floats, cells_in_pair: Ints,
    n_domains: int,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """What the pairs of domain and parent add to the variance: see `variance.between_units`.

    Parameters
    ----------
    pair, totals : (C,) of the cells. pair_domain, n, factor, cells_in_pair : (S,) of the pairs.

    Returns
    -------
    (S,) what each pair adds; (D,) their sums; (D,) sums of their squares over n - 1.
    """
    pairs = len(pair_domain)
    mean, squares = np.zeros(pairs), np.zeros(pairs)
    for c in range(len(pair)):
        mean[pair[c]] += totals[c]
    for s in range(pairs):
        mean[s] /= n[s]
    for c in range(len(pair)):
        squares[pair[c]] += (totals[c] - mean[pair[c]]) ** 2
    added, uncertain = np.zeros(n_domains), np.zeros(n_domains)
    for s in range(pairs):
        # Units of the parent without rows in the domain have a total of zero.
        squares[s] += (n[s] - cells_in_pair[s]) * mean[s] ** 2
        free = max(n[s] - 1, 1)
        squares[s] = factor[s] * squares[s] * n[s] / free
        added[pair_domain[s]] += squares[s]
        if n[s] > 1:
            uncertain[pair_domain[s]] += squares[s] ** 2 / free
    return squares, added, uncertain


@compiled(INTS, FLOATS, FLOATS, INTS, TABLE, FLOATS, REAL)
def poorest(
    start: Ints, weight: Floats, value: Floats, unit: Ints, factors: Floats, shares: Floats,
    met: float,
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Quantiles, and totals of the poorest shares, under factors on the weights of units.

    Parameters
    ----------
    start : (D + 1,) where each domain begins among the rows, which are sorted by value in it.
    weight, value, unit : (m,) of the rows. factors : (B, U). shares : (P,) ascending.
    met : a share is met by this part of it.

    Returns
    -------
    (B, D, P) the first value up to which the domain has the share; (B, D, P) the total of the
    poorest share, ties at the quantile counted in part; (B, D) the domain's total. The first two
    are NaN where the domain has no weight.
    """
    shape = len(factors), len(start) - 1, len(shares)
    quantiles, below = np.full(shape, np.nan), np.full(shape, np.nan)
    totals = np.zeros(shape[:2])
    for b in range(shape[0]):
        for d in range(shape[1]):
            n = total = 0.0
            for k in range(start[d], start[d + 1]):
                w = weight[k] * factors[b, unit[k]]
                n += w
                total += w * value[k]
            totals[b, d] = total
            if not n > 0:
                continue
            k, last = start[d], start[d + 1] - 1
            upto = weight[k] * factors[b, unit[k]]
            income = upto * value[k]
            for p in range(shape[2]):
                while k < last and upto < shares[p] * n * met:
                    k += 1
                    w = weight[k] * factors[b, unit[k]]
                    upto += w
                    income += w * value[k]
                quantiles[b, d, p] = value[k]
                below[b, d, p] = income + value[k] * (shares[p] * n - upto)
    return quantiles, below, totals
