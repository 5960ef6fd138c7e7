"""Robust location and spread by group: what the statistical rules compare with.

The centre is the group's median; the spread is the median absolute deviation from it, times
1.4826, over all groups together (Rousseeuw and Croux 1993, section 1): a county's or village's own
spread rests on too few values to be held against one of them.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.robust import MAD


def logs(values: pd.Series) -> pd.Series:
    """Natural logarithms of what is positive; the rest is missing."""
    numbers = values.astype("float64")
    return pd.Series(np.log(numbers.where(numbers > 0)), index=numbers.index)


def from_centre(values: pd.Series, group: pd.Series, fewest: int) -> pd.Series:
    """Distance from the group's median; missing in groups with fewer than `fewest` values."""
    known = values.notna() & group.notna()
    grouped = values[known].groupby(group[known])
    middle, number = grouped.median(), grouped.size()
    return values - group.map(middle.where(number >= fewest)).astype("float64")


def spread(residuals: pd.Series) -> float:
    """Robust standard deviation of distances from their centres."""
    known = residuals.dropna().abs()
    return MAD * float(known.median()) if len(known) else np.nan


def scores(
    values: pd.Series, group: pd.Series, fewest: int = 8, floor: float = 0.0
) -> tuple[pd.Series, float]:
    """Robust standard scores within groups.

    Parameters
    ----------
    values : one a record, on a scale on which groups have the same spread (most often logs).
    group : the group of each record; a record without one has no score.
    fewest : values a group needs.
    floor : the spread is taken to be at least this much.

    Returns
    -------
    Scores (missing where they cannot be had), and the robust standard deviation.
    """
    residual = from_centre(values, group, fewest)
    width = max(spread(residual), floor)
    return residual / width if width > 0 else residual * np.nan, width


def times(log_ratio: pd.Series) -> pd.Series:
    """Log ratios as the text of a factor."""
    return np.exp(log_ratio).map(lambda r: f"{r:.3g}").astype("str")
