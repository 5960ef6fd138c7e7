"""Intervals: Student's t, logit for proportions, Woodruff for quantiles."""

from __future__ import annotations

import numpy as np
from scipy import special

from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import Linearised


def woodruff(
    result: Linearised, se: Floats, df: Ints, level: float
) -> tuple[Floats, Floats, Floats]:
    """Standard error and interval of a quantile by inverting that of F at the quantile.

    Source: Woodruff (1952); the standard error is the interval's width over twice Student's t.
    """
    assert result.inverse is not None and result.level is not None
    t = student(df, level)
    low, high = result.inverse(result.level - t * se), result.inverse(result.level + t * se)
    # F at an interpolated quantile is a step below p: its interval can end short of the quantile.
    limits = np.minimum(low, result.estimate), np.maximum(high, result.estimate)
    return (high - low) / (2 * t), *limits


def student(df: Ints | Floats, level: float) -> Floats:
    """Student's t of a two-sided interval for each number of degrees of freedom (at least 1)."""
    df = np.maximum(df, 1)
    most = df.max(initial=1)
    if df.dtype.kind == "i" and most <= df.size:
        # The quantile is slow, and few numbers of degrees of freedom differ.
        return special.stdtrit(np.arange(most + 1), 0.5 + level / 2)[df]
    return special.stdtrit(df, 0.5 + level / 2)


def interval(
    value: Floats, se: Floats, df: Ints | Floats, *, level: float = 0.95, bounded: bool = False
) -> tuple[Floats, Floats]:
    """Student's t interval; for proportions on the logit scale.

    value -+ t se; for a proportion p the limits 1 / (1 + exp(-(logit p -+ t se / (p (1 - p))))).
    Where a proportion is 0 or 1 its linearised error is zero and the logit does not exist: the
    limits are those of the exact binomial interval on the PSUs (df + 1), which errs on the wide
    side.

    Parameters
    ----------
    value, se : estimates and their standard errors.
    df : degrees of freedom, PSUs less strata.
    level : coverage.
    bounded : the estimates are proportions.

    Returns
    -------
    Lower and upper limits, of the shape of `value`; of a proportion without a standard error
    they are missing.

    Source: Korn and Graubard (1999), Analysis of Health Surveys, sec. 2.6.

    Examples
    --------
    >>> import numpy as np
    >>> from povmon.estimate import interval
    >>> low, high = interval(np.array([0.5]), np.array([0.1]), np.array([30]), bounded=True)
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.306], [0.694])
    """
    t = student(df, level)
    if not bounded:
        return value - t * se, value + t * se
    inner = (value > 0) & (value < 1)
    p = np.where(inner, value, 0.5)
    logit, spread = np.log(p / (1 - p)), t * se / (p * (1 - p))
    low, high = special.expit(logit - spread), special.expit(logit + spread)
    tail = (1 - level) / 2
    edge = 1 - tail ** (1 / np.maximum(df + 1, 1))
    low = np.where(inner, low, np.where(value == 1, 1 - edge, 0.0))
    high = np.where(inner, high, np.where(value == 0, edge, 1.0))
    # The logit and back can miss the estimate itself by a rounding error.
    low, high = np.minimum(low, value), np.maximum(high, value)
    unknown = ~np.isfinite(se)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)
