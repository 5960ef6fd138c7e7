"""Solving calibration equations: ratios of weights that meet known totals.

Shapes: K profiles (groups of rows with the same auxiliary values), p auxiliary columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import linalg, special
from scipy.linalg import lapack

from povmon.estimate.design import Floats, Ints

Distance = Literal["linear", "raking", "logit"]
DISTANCES: tuple[Distance, ...] = ("linear", "raking", "logit")
# A column of whose square this share or less is its own is collinear with the others.
COLLINEAR = 1e-11
# Weights at a bound do not move; this slope keeps the equations of a category solvable where
# all of its weights are there.
FLOOR = 1e-3
# exp of this is no ratio of weights that anyone wants, and its products are still finite.
LARGEST = 300.0


@dataclass(frozen=True)
class Solution:
    """Where a solver stopped."""

    ratio: Floats  # (K,) new weight over base weight
    misfit: Floats  # (p,) known total less the one reached, over the total's scale
    steps: int


def ratio_of(u: Floats, method: Distance, bounds: tuple[float, float]) -> tuple[Floats, Floats]:
    """The ratio F(u) of new to base weight, and its derivative.

    linear F = 1 + u; raking F = exp(u); both cut at the bounds. logit, with bounds (L, U) and
    A = (U - L) / ((U - 1)(1 - L)): F = [L(U - 1) + U(1 - L)exp(Au)] / [U - 1 + (1 - L)exp(Au)].

    Source: Deville and Särndal (1992), JASA 87, sec. 2.
    """
    low, high = bounds
    if method == "logit":
        scale = (high - low) / ((high - 1) * (1 - low))
        share = special.expit(scale * u + np.log((1 - low) / (high - 1)))
        ratio = np.clip(low + (high - low) * share, low, high)
        return ratio, (high - low) * scale * share * (1 - share)
    free = 1 + u if method == "linear" else np.exp(np.minimum(u, LARGEST))
    inside = (free > low) & (free < high)
    slope = np.ones_like(free) if method == "linear" else free
    return np.clip(free, low, high), np.where(inside, slope, 0.0)


def newton(
    matrix: Any,
    mass: Floats,
    totals: Floats,
    method: Distance,
    bounds: tuple[float, float],
    tolerance: float,
    steps: int,
) -> Solution:
    """Newton's method for sum_k mass_k F(a_k'c) a_k = totals, with step halving.

    Parameters
    ----------
    matrix : (K, p) sparse auxiliary values a_k.
    mass : (K,) base weights.
    totals : (p,) known totals.
    tolerance : largest misfit of a total, relative to the total's scale, that is met.
    steps : most steps.
    """
    scale = scale_of(matrix, mass, totals)
    c = np.zeros(len(totals))

    def at(c: Floats) -> tuple[Floats, Floats, Floats, float]:
        u = matrix @ c
        ratio, slope = ratio_of(u, method, bounds)
        dual = mass @ (u * ratio - distance(ratio, method, bounds)) - totals @ c
        return ratio, slope, totals - matrix.T @ (mass * ratio), float(dual)

    ratio, slope, misfit, dual = at(c)
    step = 0
    while worst(misfit, scale) > tolerance and step < steps:
        step += 1
        change = generalised_inverse(cross(matrix, mass * np.maximum(slope, FLOOR))) @ misfit
        descent, length = float(misfit @ change), 1.0
        for _ in range(40):
            tried = at(c + length * change)
            lower = tried[3] < dual - 1e-4 * length * descent
            if lower or worst(tried[2], scale) < 0.5 * worst(misfit, scale):
                break
            length /= 2
        else:
            break  # no step along this direction comes nearer
        c = c + length * change
        ratio, slope, misfit, dual = tried
    return Solution(ratio, misfit / scale, step)


def distance(ratio: Floats, method: Distance, bounds: tuple[float, float]) -> Floats:
    """Distance G of new from old weight, of which F is the inverse derivative; 0 at ratio 1.

    linear (g - 1)^2 / 2; raking g log g - g + 1; logit [(g - L) log((g - L)/(1 - L)) +
    (U - g) log((U - g)/(U - 1))] / A.
    """
    low, high = bounds
    if method == "linear":
        return (ratio - 1) ** 2 / 2
    if method == "raking":
        return special.xlogy(ratio, ratio) - ratio + 1
    scale = (high - low) / ((high - 1) * (1 - low))
    down = special.xlogy(ratio - low, (ratio - low) / (1 - low))
    return (down + special.xlogy(high - ratio, (high - ratio) / (high - 1))) / scale


def proportional(
    margins: tuple[Ints, ...],
    mass: Floats,
    totals: tuple[Floats, ...],
    tolerance: float,
    steps: int,
) -> Solution:
    """Iterative proportional fitting: each margin in turn is scaled to its totals.

    Parameters
    ----------
    margins : for each margin the category of each profile, (K,).
    totals : for each margin the categories' totals.
    steps : most rounds through all margins.

    Source: Deming and Stephan (1940), Annals of Mathematical Statistics 11.
    """
    fitted: Floats = mass.copy()
    known = np.concatenate(totals)
    scale = np.where(known > 0, known, 1.0)
    misfit = np.full(len(known), np.inf)
    step = 0
    while step < steps and worst(misfit, scale) > tolerance:
        step += 1
        for code, total in zip(margins, totals, strict=True):
            reached = np.bincount(code, fitted, minlength=len(total)).astype(np.float64)
            fitted = fitted * _over(total, reached)[code]
        sums = [
            np.bincount(code, fitted, minlength=len(total))
            for code, total in zip(margins, totals, strict=True)
        ]
        misfit = known - np.concatenate(sums)
    return Solution(_over(fitted, mass), misfit / scale, step)


def scale_of(matrix: Any, mass: Floats, totals: Floats) -> Floats:
    """What the misfit of each total is measured by: the total, or what could add up to it."""
    size = np.maximum(np.abs(totals), abs(matrix).T @ mass)
    return np.where(size > 0, size, 1.0)


def worst(misfit: Floats, scale: Floats) -> float:
    """Largest relative misfit; infinite where it is not a number."""
    largest = float(np.max(np.abs(misfit) / scale, initial=0.0))
    return largest if np.isfinite(largest) else np.inf


def cross(matrix: Any, mass: Floats) -> Floats:
    """Weighted cross products sum_k mass_k a_k a_k', shape (p, p)."""
    return (matrix.T @ matrix.multiply(mass[:, None]).tocsr()).toarray()


def generalised_inverse(products: Floats) -> Floats:
    """Inverse of cross products (p, p) of columns that are not collinear, 0 for the others.

    Columns are taken in order of what they add, by a Cholesky factorisation with pivots.
    """
    scale = np.sqrt(np.diag(products))
    scale = np.where(scale > 0, scale, 1.0)
    factor, order, rank, _ = lapack.dpstrf(products / scale[:, None] / scale, tol=COLLINEAR)
    kept = order[:rank] - 1
    inner = linalg.cho_solve((factor[:rank, :rank], False), np.eye(rank))
    inverse = np.zeros_like(products)
    inverse[np.ix_(kept, kept)] = inner / scale[kept, None] / scale[kept]
    return inverse


def contradiction(matrix: Any, mass: Floats, totals: Floats) -> float:
    """How far the totals are from any that weights could reach, relative; 0 where they are not.

    Columns that are collinear in the sample need totals that are collinear in the same way.
    """
    products = cross(matrix, mass)
    misfit = totals - matrix.T @ mass
    left = misfit - products @ (generalised_inverse(products) @ misfit)
    return worst(left, scale_of(matrix, mass, totals))


def _over(top: Floats, bottom: Floats) -> Floats:
    """Quotient, 0 where the denominator is 0."""
    return np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0)
