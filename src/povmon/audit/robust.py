"""Robust statistics for finding outliers: location, scale, regression, tails, ratios.

Everything here works on plain arrays and knows nothing of forms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import lambertw, ndtri

Floats = npt.NDArray[np.float64]

MAD = 1.482602218505602  # the normal distribution's standard deviation over its MAD
BISQUARE = 4.685  # 95 % efficiency at the normal distribution
STEPS = 25  # of the regression's iteration; it has settled long before
INNER, OUTER = 0.75, 0.95  # the quantiles that a tail is fitted to
TAIL_ROWS = 1000  # a tail from so many rows counts half, against the normal one
LEAST_ROWS = 40  # fewer rows say nothing about tails
HEAVIEST = 0.5
GROSS, TRIM = 4.0, 3.0


def mad(values: Floats) -> float:
    """Median absolute deviation from the median, scaled to the normal standard deviation."""
    known = values[np.isfinite(values)]
    return float(MAD * np.median(np.abs(known - np.median(known)))) if len(known) else np.nan


def centred(values: pd.Series, groups: pd.Series, least: int) -> tuple[pd.Series, pd.Series]:
    """Values less the median of their group, and that median.

    Parameters
    ----------
    values, groups : one entry a row.
    least : groups with fewer known values take the median of all rows.
    """
    by_group = values.groupby(groups)
    middle = by_group.transform("median")
    middle = middle.where(by_group.transform("count") >= least, values.median())
    return values - middle, middle


def shrunken(residuals: pd.Series, groups: pd.Series) -> pd.Series:
    """Median residual of each row's group, drawn towards zero by what chance alone would give.

    The variance between groups is the variance of their medians less what the rows' scatter
    explains (pi / 2 s^2 / n for a median); a group of n rows keeps the share of its median that
    is not chance.

    Source: the empirical Bayes estimator of Morris (1983), JASA 78, with medians.
    """
    by_group = residuals.groupby(groups)
    median, count = by_group.transform("median"), by_group.transform("count")
    table = by_group.agg(["median", "count"])
    table = table[table["count"] > 2]
    if len(table) < 3:
        return pd.Series(0.0, index=residuals.index)
    chance = np.pi / 2 * mad((residuals - median).to_numpy()) ** 2
    between = mad(table["median"].to_numpy()) ** 2 - float((chance / table["count"]).mean())
    between = max(between, 0.0)
    kept = between / (between + chance / count.where(count > 0))
    return (median * kept).fillna(0.0)


def regression(y: Floats, x: Floats) -> Floats:
    """Coefficients of a robust linear regression.

    Parameters
    ----------
    y : (n,), missing values as NaN.
    x : (n, k) with a column of ones where an intercept is wanted; rows with a missing value are
        left out. Columns are drawn in to three robust standard deviations while fitting, so that
        an outlier among them has no leverage.

    Returns
    -------
    (k,). Zeros where fewer than 2 k rows are complete.

    Source
    ------
    Beaton and Tukey (1974), Technometrics 16: bisquare weights, by iterated least squares from
    Huber's estimate.
    """
    known = np.isfinite(y) & np.isfinite(x).all(axis=1)
    if known.sum() < 2 * x.shape[1]:
        return np.zeros(x.shape[1])
    y, x = np.asarray(y[known], np.float64), _drawn_in(x[known])
    beta = _least_squares(x, y)
    for step in range(STEPS):
        residual = y - x @ beta
        scale = MAD * float(np.median(np.abs(residual)))
        if scale <= 0:
            break
        u = np.abs(residual) / scale
        huber = np.minimum(1.0, 1.345 / np.maximum(u, 1e-9))
        weight = huber if step < 5 else np.clip(1 - (u / BISQUARE) ** 2, 0, None) ** 2
        root = np.sqrt(weight)
        new = _least_squares(x * root[:, None], y * root)
        settled = step > 5 and np.allclose(new, beta, rtol=1e-6, atol=1e-9)
        beta = new
        if settled:
            break
    return beta


def _least_squares(x: Floats, y: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(x, y, rcond=None)[0], dtype=np.float64)


def _drawn_in(x: Floats) -> Floats:
    middle = np.median(x, axis=0)
    reach = 3 * MAD * np.median(np.abs(x - middle), axis=0)
    reach = np.where(reach > 0, reach, np.inf)
    return np.clip(x, middle - reach, middle + reach)


def normal_scores(values: Floats) -> Floats:
    """Values as they would be if their distribution were normal, whatever its skewness and tails.

    Each side of the median is fitted by Tukey's h distribution, z exp(h z^2 / 2) times a scale,
    at two of its quantiles; the score is the z of each value. What lies beyond `GROSS` robust
    standard deviations is left out of the first fit, and what lies beyond `TRIM` scores out of
    the later ones, so that outliers do not widen the tails that they are judged by. The share of
    clean values beyond a score is the normal distribution's,
    so that a rate of false alarms gives the limit.

    Parameters
    ----------
    values : (n,), missing values as NaN.

    Returns
    -------
    (n,) scores; NaN where a value is missing, and everywhere with fewer than `LEAST_ROWS`.

    Source
    ------
    Bruffaerts, Verardi and Vermandele (2014), Statistics and Probability Letters 95: a boxplot
    for skewed and heavy-tailed distributions, from Tukey's g-and-h distribution and a rate.
    """
    scores = np.full(len(values), np.nan)
    known = np.isfinite(values)
    if known.sum() < LEAST_ROWS:
        return scores
    inside = values[known]
    apart = np.abs(inside - np.median(inside))
    inside = inside[apart <= GROSS * mad(inside)]
    for _ in range(3):
        fits = [_tail(sign * (inside - np.median(inside))) for sign in (1.0, -1.0)]
        deviation = values[known] - np.median(inside)
        scores[known] = np.where(
            deviation >= 0, _score(deviation, *fits[0]), -_score(-deviation, *fits[1])
        )
        inside = values[known][np.abs(scores[known]) < TRIM]
    return scores


def _tail(deviation: Floats) -> tuple[float, float]:
    """Scale and h of one side, from deviations of which half are positive."""
    inner, outer = np.quantile(deviation, [INNER, OUTER])
    z_inner, z_outer = ndtri([INNER, OUTER])
    if inner <= 0 or outer <= 0:
        return max(float(outer), 0.0) / float(z_outer), 0.0
    h = 2 * np.log((outer / inner) / (z_outer / z_inner)) / (z_outer**2 - z_inner**2)
    h = float(np.clip(h * len(deviation) / (len(deviation) + TAIL_ROWS), 0.0, HEAVIEST))
    return float(inner / (z_inner * np.exp(h * z_inner**2 / 2))), h


def _score(deviation: Floats, scale: float, h: float) -> Floats:
    """The z for which scale z exp(h z^2 / 2) is the deviation."""
    size = np.maximum(deviation, 0.0)
    if scale <= 0:
        return np.where(size > 0, np.inf, 0.0)
    x = size / scale
    if h < 1e-9:
        return x
    return np.sqrt(np.real(lambertw(h * x**2)) / h)


def threshold(rate: float) -> float:
    """The score beyond which, on both sides together, `rate` of clean values lie."""
    return float(ndtri(1 - rate / 2))


def hidiroglou_berthelot(
    before: Any, after: Any, u: float = 0.4, a: float = 0.05, rate: float | None = None,
    c: float = 4.0,
) -> tuple[Floats, npt.NDArray[np.bool_]]:  # fmt: skip
    """Effects of ratios and which are outlying, by the method of Hidiroglou and Berthelot.

    The ratio after / before is made symmetric about its median, and multiplied by the size of
    the unit to the power u, so that a small change of a large unit counts as a large change of a
    small one.

    Parameters
    ----------
    before, after : (n,) the two values of each unit; pairs with a missing value or one that is
        not positive have no ratio.
    u : importance of size, 0 to 1.
    a : least quartile distance, as a share of the median effect.
    rate : share of clean ratios that may be flagged; None: the limits are c quartile distances.
        With too few ratios for their tails the limits are those of the normal distribution.
    c : number of quartile distances, without a `rate`.

    Returns
    -------
    Effects (n,), NaN without a ratio; and flags (n,).

    Source
    ------
    Hidiroglou and Berthelot (1986), Survey Methodology 12, pp. 73-83.
    """
    before, after = np.asarray(before, dtype=float), np.asarray(after, dtype=float)
    known = np.isfinite(before) & np.isfinite(after) & (before > 0) & (after > 0)
    effect = np.full(len(before), np.nan)
    if known.sum() < 4:
        return effect, np.zeros(len(before), dtype=bool)
    ratio = after[known] / before[known]
    middle = np.median(ratio)
    change = np.where(ratio < middle, 1 - middle / ratio, ratio / middle - 1)
    effect[known] = change * np.maximum(before[known], after[known]) ** u
    low, median, high = np.quantile(effect[known], [0.25, 0.5, 0.75])
    least = abs(a * median)
    below, above = max(median - low, least), max(high - median, least)
    if rate is not None and known.sum() >= LEAST_ROWS:
        scores = normal_scores(effect)
        return effect, np.nan_to_num(np.abs(scores)) > threshold(rate)
    if rate is not None:
        c = threshold(rate) / float(ndtri(0.75))
    with np.errstate(invalid="ignore"):
        return effect, (effect < median - c * below) | (effect > median + c * above)
