"""Degrees of freedom, intervals and p-values of numbers derived from estimates."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import divide

Freedom = Literal["union", "satterthwaite"]
# Correlations of independent estimates, computed from R replicates, stay within 4 / sqrt(R).
NOISE = 4.0


def holm_adjusted(p: npt.ArrayLike) -> Floats:
    """Holm's step-down adjusted p-values, shape (M,); missing ones stay missing and do not count.

    p_(i) becomes the largest of (m - j + 1) p_(j) over j <= i, at most 1.

    Source: Holm (1979), Scandinavian Journal of Statistics 6.

    Examples
    --------
    >>> [round(float(p), 3) for p in holm_adjusted([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p, dtype=np.float64)
    out = np.full(len(raw), np.nan)
    known = np.flatnonzero(np.isfinite(raw))
    order = known[np.argsort(raw[known], kind="stable")]
    steps = (len(order) - np.arange(len(order))) * raw[order]
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return out


def inference(value: Floats, variance: Floats, df: Floats, level: float) -> pd.DataFrame:
    """Standard error, Student's t interval and two-sided p-value of M numbers, each (M,).

    Of a number and a variance of exactly zero (something less itself) p is 1. Of another number
    with a variance of zero p is missing: such a variance means that nothing was seen to vary.
    """
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", todo="use a number between 0 and 1, usually 0.95")
    unknown, without = ~np.isfinite(value), ~(df >= 1)
    still = ~unknown & (variance == 0)
    known = ~unknown & ~without & np.isfinite(variance)
    se = np.where(known, np.sqrt(np.where(known, variance, 0.0)), np.nan)
    se = np.where(still, 0.0, se)
    freedom = np.where(without, 1.0, df)
    reach = special.stdtrit(freedom, 0.5 + level / 2) * se
    score = np.abs(value) / np.where(se > 0, se, np.nan)
    p = 2 * special.stdtr(freedom, -score)
    p = np.where(still, np.where(value == 0, 1.0, np.nan), p)
    causes = [unknown, still & (value != 0), still, without, ~np.isfinite(se)]
    notes = [
        "an estimate is missing", "the standard error is zero", "", "no degree of freedom",
        "a variance is missing",
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "estimate": value,
            "se": se,
            "ci_low": value - reach,
            "ci_high": value + reach,
            "df": np.where(without, np.nan, df),
            "p": p,
            "note": np.select(causes, notes, ""),
        }
    )


def pair_freedom(
    variance: Floats, covariance: Floats, df: Floats, replicates: int = 0, rule: Freedom = "union"
) -> Floats:
    """Degrees of freedom of M differences, by the rule of `difference`, shape (M,).

    Parameters
    ----------
    variance, df : (M, 2) of both sides; covariance : (M,) between them.
    replicates : from how many replicates the covariance was computed; 0 where it is exact.
    """
    _check_rule(rule)
    bound = np.sqrt(variance[:, 0] * variance[:, 1]) * _tolerance(replicates)
    linked = np.abs(covariance) > bound
    apart = df.sum(axis=1) if rule == "union" else _satterthwaite(variance, df)
    return np.where(linked, df.max(axis=1), apart)


def combined_freedom(
    cov: Floats, df: Floats, coefficients: Floats, replicates: int, rule: Freedom
) -> float:
    """Degrees of freedom of one combination of L estimates."""
    _check_rule(rule)
    own = np.sqrt(np.diag(cov))
    linked = (np.abs(cov) > np.outer(own, own) * _tolerance(replicates)) | np.eye(
        len(df), dtype=bool
    )
    # Whatever is reached over links belongs together; each doubling covers paths twice as long.
    for _ in range(int(np.ceil(np.log2(max(len(df), 2))))):
        linked = (linked.astype(np.float64) @ linked) > 0
    group = linked.argmax(axis=1)
    heads = np.unique(group)
    largest = np.array([df[group == g].max() for g in heads])
    if rule == "union":
        return float(largest.sum())
    weighted = coefficients[:, None] * cov * coefficients[None, :]
    part = np.array([weighted[np.ix_(group == g, group == g)].sum() for g in heads])
    return float(_satterthwaite(part[None, :], largest[None, :])[0])


def _satterthwaite(variance: Floats, df: Floats) -> Floats:
    """(sum v)**2 / sum(v**2 / df) of the columns; of variances of zero the smallest df."""
    squares = (variance**2 / np.where(df >= 1, df, np.nan)).sum(axis=1)
    whole = variance.sum(axis=1) ** 2
    return np.where(squares > 0, divide(whole, squares), df.min(axis=1))


def _tolerance(replicates: int) -> float:
    """Up to which correlation two estimates count as independent."""
    return NOISE / np.sqrt(replicates) if replicates else 0.0


def _check_rule(rule: Freedom) -> None:
    if rule not in get_args(Freedom):
        raise PovmonError(f"df is {rule!r}", todo=f"use one of {', '.join(get_args(Freedom))}")
