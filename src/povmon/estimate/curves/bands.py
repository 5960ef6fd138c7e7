"""Pointwise intervals and simultaneous bands from a covariance matrix, as tidy tables."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, Ints
from povmon.estimate.show.table import shown
from povmon.seeds import BANDS as SEED

DRAWS = 20_000
AXES = 32  # drawn at once
# Standard errors below this share of the largest are rounding errors of zero.
ROUNDING = 1e-9
# Axes with less than this share of the largest one's variance do not move the band.
SMALL = 1e-5


def band_factor(covariance: Floats, df: float, level: float = 0.95) -> float:
    """How many standard errors make a band that covers all K estimates at once.

    The quantile of max_k |e_k| / se_k, with e multivariate Student t of this covariance, from
    20,000 fixed draws: between the pointwise t and Bonferroni's, near the first where the
    estimates move together, as the points of a curve do.

    Parameters
    ----------
    covariance : (K, K); estimates without variance (a Lorenz curve's ends) do not count.
    df : degrees of freedom.
    level : probability that the band covers all K.

    Returns
    -------
    The factor; NaN without a degree of freedom, or where no estimate has a variance.

    Source
    ------
    Montiel Olea and Plagborg-Møller (2019), Journal of Applied Econometrics 34 (the sup-t
    band).

    Examples
    --------
    >>> round(band_factor(np.ones((3, 3)), 30), 2)  # three times the same estimate
    2.04
    """
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", todo="use a number between 0 and 1")
    variance = np.diag(covariance)
    some = np.flatnonzero(variance > ROUNDING**2 * np.max(variance, initial=0.0))
    part = covariance[np.ix_(some, some)]
    if not (len(some) and df >= 1 and np.isfinite(part).all()):
        return float("nan")
    se = np.sqrt(variance[some])
    size, axes = np.linalg.eigh(part / np.outer(se, se))
    # A curve moves along few axes; the rest is dropped and each point's variance restored.
    kept = np.flatnonzero(size > SMALL * size[-1])[::-1]
    root = axes[:, kept] * np.sqrt(size[kept])
    root /= np.sqrt((root**2).sum(axis=1, keepdims=True))
    normal = _normal(-(-len(kept) // AXES) * AXES)[: len(kept)]
    largest = np.abs(root @ normal).max(axis=0)
    scale = np.sqrt(df / np.random.default_rng([SEED, 1]).chisquare(df, DRAWS))
    factor = float(np.quantile(largest * scale, level))
    # Chance cannot put the band inside the interval of a single point.
    return max(factor, float(special.stdtrit(df, 0.5 + level / 2)))


@lru_cache(maxsize=2)
def _normal(axes: int) -> Floats:
    """Standard normal draws (axes, DRAWS), always the same."""
    return np.random.default_rng(SEED).standard_normal((axes, DRAWS))


def curve_table(
    labels: pd.DataFrame,
    axis: pd.DataFrame,
    estimate: Floats,
    covariance: Iterable[Floats],
    df: Ints,
    level: float,
    told: dict[Hashable, Any],
    undefined: Ints | None = None,
) -> pd.DataFrame:
    """The tidy table of D curves of K points.

    Parameters
    ----------
    labels : (D rows) the domains.
    axis : (K rows) what lies on the horizontal axis, one column.
    estimate : (D, K).
    covariance : D matrices (K, K).
    df : (D,) degrees of freedom.
    told : goes into the table's ``attrs``.
    undefined : (D, K) number of replicates that were left out of a point's error.

    Returns
    -------
    D x K rows: labels, the axis, ``estimate``, ``se``, ``ci_low``, ``ci_high`` (Student's t,
    point by point), ``band_low``, ``band_high`` (all points of a curve at once), ``df``, ``note``.
    """
    columns = [
        band_columns(e, c, int(f), level) for e, c, f in zip(estimate, covariance, df, strict=True)
    ]
    d, k = estimate.shape
    table = pd.concat(
        [
            labels.iloc[np.repeat(np.arange(d), k)].reset_index(drop=True),
            axis.iloc[np.tile(np.arange(k), d)].reset_index(drop=True),
            pd.concat(columns, ignore_index=True),
        ],
        axis=1,
    )
    if undefined is not None:
        lost = undefined.ravel()
        for i in np.flatnonzero((lost > 0) & table["se"].notna().to_numpy()):
            table.loc[i, "note"] = f"not defined in {lost[i]} replicates, left out"
    table.attrs = told
    return shown(table)


def band_columns(estimate: Floats, covariance: Floats, df: int, level: float) -> pd.DataFrame:
    """Estimates (K,) of one curve with their standard errors, intervals and band."""
    known = np.isfinite(estimate)
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    # The ends of a Lorenz curve are certain.
    spread[spread < ROUNDING * np.max(spread, initial=0.0, where=known)] = 0.0
    se = np.where(known & (df >= 1), spread, np.nan)
    t = float(special.stdtrit(max(df, 1), 0.5 + level / 2))
    sure = np.flatnonzero(np.isfinite(se))
    wide = band_factor(covariance[np.ix_(sure, sure)], df, level)
    # Where nothing varies the band is the curve itself.
    wide = t if np.isnan(wide) else wide
    return pd.DataFrame(
        {
            "estimate": estimate,
            "se": se,
            "ci_low": estimate - t * se,
            "ci_high": estimate + t * se,
            "band_low": estimate - wide * se,
            "band_high": estimate + wide * se,
            "df": df,
            "note": _notes(known, se, df),
        }
    )


def _notes(known: np.ndarray, se: Floats, df: int) -> np.ndarray:
    """Why a number is missing, (K,) of text; empty where none is."""
    words = np.full(len(se), "", dtype=object)
    words[~np.isfinite(se)] = "the standard error is not defined here"
    if df < 1:
        words[:] = "one PSU in each stratum: no standard error"
    words[~known] = "not defined for these values"
    return words
