"""The publication policy: which estimates are shown, shown with a warning, or suppressed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from povmon.survey.config import Policy

Floats = npt.NDArray[np.float64]


def korn_graubard(
    p: Floats, se: Floats, n: Floats, df: Floats, *, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Korn-Graubard (exact binomial on the effective sample) interval of a proportion.

    Parameters
    ----------
    p, se, n, df : (R,) proportion, standard error, rows, degrees of freedom.

    Returns
    -------
    (R,) lower and upper limits. At 0 and 1, where the linearised error is zero, the effective
    sample is the number of PSUs less strata plus one, which errs on the wide side.

    Source
    ------
    Korn and Graubard (1998), Survey Methodology 24, sec. 2, with the effective sample capped at n.
    """
    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = p * (1 - p) / se**2
        correction = (special.stdtrit(np.maximum(n - 1, 1), tail) / special.stdtrit(df, tail)) ** 2
    inner = (p > 0) & (p < 1) & (se > 0)
    effective = np.where(inner, np.minimum(effective * correction, n), np.minimum(df + 1, n))
    x = p * effective
    low = np.where(p > 0, special.betaincinv(x, effective - x + 1, tail), 0.0)
    high = np.where(p < 1, special.betaincinv(x + 1, effective - x, 1 - tail), 1.0)
    unknown = ~np.isfinite(p) | ~np.isfinite(se) | (df < 1)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def apply_policy(table: pd.DataFrame, policy: Policy, *, villages: bool) -> pd.DataFrame:
    """Add ``flag`` and ``reason``; blank what is suppressed.

    Parameters
    ----------
    table : columns estimate, se, ci_low, ci_high, n, df, cv, deff, bounded (is it a proportion?).
    villages : the rows count villages, not households.

    Returns
    -------
    The table with ``flag`` ("", "caution", "unreliable", "suppressed") and ``reason`` in words.
    """
    out = table.copy()
    reasons: list[list[tuple[int, str]]] = [[] for _ in range(len(out))]
    rank = np.zeros(len(out), dtype=int)

    def mark(rows: npt.NDArray[np.bool_], level: int, words: list[str]) -> None:
        np.maximum(rank, np.where(rows, level, 0), out=rank)
        for i in np.flatnonzero(rows):
            reasons[i].append((level, words[i]))

    n = out["n"].to_numpy(dtype=float)
    unit, least = (
        ("villages", policy.min_villages) if villages else ("households", policy.min_households)
    )
    mark(n < least, 3, [f"{int(k)} {unit}, fewer than {least}" for k in n])
    deff = np.maximum(np.nan_to_num(out["deff"].to_numpy(dtype=float), nan=1.0), 1e-9)
    effective = n / np.maximum(deff, 1.0)
    if not villages:
        small = (effective < policy.min_effective) & (n >= least)
        words = [f"effective sample of {k:.0f}, below {policy.min_effective:g}" for k in effective]
        mark(small, 3, words)
    no_error = ~np.isfinite(out["se"].to_numpy(dtype=float)) & (n >= least)
    mark(no_error, 3, ["no standard error can be estimated"] * len(out))
    _judge_width(out, policy, n, mark)
    none = (~out["bounded"]) & out["estimate"].eq(0) & out["se"].eq(0)
    mark(
        none.to_numpy(dtype=bool),
        2,
        ["no case in the sample, so the error is not known"] * len(out),
    )
    df = out["df"].to_numpy(dtype=float)
    mark(
        df < policy.min_df,
        1,
        [f"{int(k)} degrees of freedom, fewer than {policy.min_df}" for k in df],
    )
    out["flag"] = np.array(["", "caution", "unreliable", "suppressed"])[rank]
    # Only what suppresses is a reason for suppression.
    out["reason"] = [
        "; ".join(words for level, words in r if top < 3 or level == 3)
        for r, top in zip(reasons, rank, strict=True)
    ]
    blank = ["estimate", "se", "ci_low", "ci_high", "cv", "deff"]
    out.loc[rank == 3, blank] = np.nan
    return out


def _judge_width(out: pd.DataFrame, policy: Policy, n: Floats, mark: object) -> None:
    """Proportions by the width of their interval, others by their coefficient of variation."""
    assert callable(mark)
    low, high = korn_graubard(
        out["estimate"].to_numpy(dtype=float),
        out["se"].to_numpy(dtype=float),
        n,
        out["df"].to_numpy(dtype=float),
    )
    bounded = out["bounded"].to_numpy(dtype=bool)
    width = np.where(bounded, high - low, 0.0)
    cv = np.where(bounded, 0.0, np.nan_to_num(out["cv"].to_numpy(dtype=float)))
    for value, caution, unreliable, text in (
        (
            width,
            policy.proportion.caution_width,
            policy.proportion.unreliable_width,
            "interval {:.0f} points wide",
        ),
        (cv, policy.cv.caution, policy.cv.unreliable, "coefficient of variation {:.0f} %"),
    ):
        words = [text.format(100 * k) for k in np.nan_to_num(value)]
        mark(value > unreliable, 2, words)
        mark((value > caution) & (value <= unreliable), 1, words)
