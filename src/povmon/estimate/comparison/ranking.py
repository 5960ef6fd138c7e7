"""Ranks of domains with the uncertainty of their estimates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.comparison.inference import pair_freedom
from povmon.estimate.core.labels import Label, select
from povmon.estimate.replicates.simulate import deviations
from povmon.estimate.show.table import shown

if TYPE_CHECKING:
    from povmon.estimate.comparison.joint import Joint

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Method = Literal["max-t", "klein"]
# Draws that are compared at once.
BLOCK = 512


def rank_intervals(
    estimate: Floats, se: Floats, df: Floats, *, level: float = 0.90
) -> pd.DataFrame:
    """Ranks (1 = highest) with a joint confidence set: all true ranks lie inside at `level`.

    Parameters
    ----------
    estimate, se, df : (D,) estimates, standard errors and degrees of freedom of D domains; none
        may be missing. Correlated estimates are allowed (Šidák's inequality holds for them),
        but `ranks` uses their correlation.
    level : probability that the intervals of all D domains hold together.

    Returns
    -------
    (D rows) ``rank``, ``rank_low`` (best claim: 1 + number of domains surely higher) and
    ``rank_high`` (D - number of domains surely lower).

    Source
    ------
    Klein, Wright and Wieczorek (2020), Journal of the Royal Statistical Society A 183, eq. 2-3,
    with simultaneous intervals by Šidák's inequality.
    """
    d = len(estimate)
    each = level ** (1 / max(d, 1))
    t = special.stdtrit(np.maximum(df, 1), 0.5 + each / 2)
    low, high = estimate - t * se, estimate + t * se
    surely_higher = (low[None, :] > high[:, None]).sum(axis=1)
    surely_lower = (high[None, :] < low[:, None]).sum(axis=1)
    rank = 1 + (estimate[None, :] > estimate[:, None]).sum(axis=1)
    return pd.DataFrame(
        {"rank": rank, "rank_low": 1 + surely_higher, "rank_high": d - surely_lower}
    )


def ranks(
    joint: Joint,
    of: Label | None = None,
    *,
    highest_first: bool = True,
    level: float = 0.90,
    method: Method = "max-t",
    draws: int = 2000,
    seed: int = 1,
) -> pd.DataFrame:
    """Ranks with intervals that hold for all domains together, correlated or not.

    A domain surely has a higher value than another where their difference over its standard
    error exceeds the `level`-quantile of the largest such ratio among all pairs, found from the
    replicates (or from normal draws). Pairs so decided are then left out and the quantile taken
    again among the rest, until nothing more is decided (step-down). Ratios are put on a common
    scale by the pair's degrees of freedom before they meet the quantile.

    Parameters
    ----------
    joint : K estimates with their covariance.
    of : labels that choose what is ranked, ``{"measure": "headcount"}``; needed where `joint`
        holds more than one measure. Several surveys are ranked together unless it names one.
    highest_first : rank 1 is the highest value (the poorest by a headcount); False: the lowest.
    level : probability that the intervals of all domains hold together.
    method : ``max-t``, or ``klein`` for `rank_intervals`, which knows no covariance.
    draws, seed : normal draws where `joint` has no bootstrap replicates.

    Returns
    -------
    One row a domain, in the order of `joint`: its labels, ``estimate``, ``se``, ``rank``,
    ``rank_low`` (1 + number of domains surely before it), ``rank_high`` (D - number surely
    behind it) and ``note``. A domain without an estimate or standard error has no rank and does
    not count for the others.

    Raises
    ------
    PovmonError : several measures, no domain with a standard error, a level outside 0-1.

    Source
    ------
    Mogstad, Romano, Shaikh and Wilhelm (2024), Review of Economic Studies 91, sec. 3 (their
    simultaneous confidence sets for the ranks of all populations, with the step-down of Romano
    and Wolf 2005, Econometrica 73).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate.comparison.joint import Joint
    >>> labels = pd.DataFrame({"area": ["east", "mid", "west"], "measure": "headcount"})
    >>> three = Joint(labels, np.array([0.2, 0.22, 0.4]), np.eye(3) * 0.0004, np.full(3, 40))
    >>> ranks(three)[["rank", "rank_low", "rank_high"]].to_numpy().tolist()
    [[3, 2, 3], [2, 2, 3], [1, 1, 1]]
    """
    _check(level, method)
    rows, known = _chosen(joint, of)
    sign = 1.0 if highest_first else -1.0
    value, covariance = sign * joint.estimate[known], joint.covariance[np.ix_(known, known)]
    df = np.asarray(joint.df, dtype=np.float64)[known]
    se = np.sqrt(np.diag(covariance))
    if method == "klein":
        found = rank_intervals(value, se, df, level=level)
    else:
        noise, _ = deviations(joint, known, draws=draws, seed=seed)
        replicates = 0 if joint.replicates is None else len(joint.replicates)
        score, spread = _pair_scores(value, covariance, df, replicates)
        found = _ranked(value, _decided(score, sign * noise, spread, level))
    table = joint.labels.iloc[rows].reset_index(drop=True)
    table["estimate"] = joint.estimate[rows]
    place = np.searchsorted(rows, known)
    table.loc[place, "se"] = se
    for name in ("rank", "rank_low", "rank_high"):
        table[name] = pd.array([pd.NA] * len(rows), dtype="Int64")
        table.loc[place, name] = found[name].to_numpy()
    table["note"] = np.where(np.isin(rows, known), "", "no estimate or no standard error")
    return shown(table)


def worst(
    joint: Joint,
    k: int,
    of: Label | None = None,
    *,
    highest_first: bool = True,
    draws: int = 2000,
    seed: int = 1,
) -> pd.DataFrame:
    """How often each domain is among the worst `k` when the survey is drawn again.

    The share of replicates in which the domain's value is among the `k` highest; where several
    are tied for the last places, each gets an even part of them. All domains and one replicate
    are one draw, so correlation between domains counts, and the shares add up to `k`.

    This is a bootstrap probability, not that of the domain's true place. The replicates scatter
    around estimates that already hold the sample's noise, so noise counts twice: the shares are
    drawn towards k / D, domains with few PSUs look worst and best too often, and with ties or
    near ties in truth they do not settle as the sample grows. For statements that hold with a
    known probability use `ranks`.

    Parameters
    ----------
    k : how many places count as worst, from 1 to the number of domains.
    joint, of, highest_first, draws, seed : as in `ranks`.

    Returns
    -------
    One row a domain: its labels, ``estimate``, ``se``, ``probability``, ``mc_se`` (error of the
    share from the number of draws), ``draws`` (replicates used; those in which a domain has no
    value are left out) and ``note``.

    Raises
    ------
    PovmonError : as `ranks`, or `k` out of range.

    Source: Hall and Miller (2009), Annals of Statistics 37, and Xie, Singh and Zhang (2009),
    Journal of the American Statistical Association 104, for what the shares cannot tell.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate.comparison.joint import Joint
    >>> labels = pd.DataFrame({"area": ["east", "mid", "west"], "measure": "headcount"})
    >>> three = Joint(labels, np.array([0.2, 0.2, 0.4]), np.eye(3) * 0.0004, np.full(3, 40))
    >>> worst(three, 1)["probability"].round(2).tolist()
    [0.0, 0.0, 1.0]
    """
    rows, known = _chosen(joint, of)
    if not 1 <= k <= len(known) or int(k) != k:
        raise PovmonError(f"k is {k}", where="worst", todo=f"use a number from 1 to {len(known)}")
    noise, used = deviations(joint, known, draws=draws, seed=seed)
    sign = 1.0 if highest_first else -1.0
    share = among_highest(sign * (joint.estimate[known] + noise), int(k)).mean(axis=0)
    table = joint.labels.iloc[rows].reset_index(drop=True)
    table["estimate"] = joint.estimate[rows]
    place = np.searchsorted(rows, known)
    table.loc[place, "se"] = np.sqrt(np.diag(joint.covariance)[known])
    table.loc[place, "probability"] = share
    table.loc[place, "mc_se"] = np.sqrt(np.maximum(share * (1 - share), 0.0) / used)
    table["draws"] = used
    table["note"] = np.where(np.isin(rows, known), "", "no estimate or no standard error")
    return shown(table)


def among_highest(values: Floats, k: int) -> Floats:
    """Membership of the `k` highest of each row, ties for the last places split evenly.

    values : (R, D). Returns (R, D) numbers in 0-1; each row adds up to `k`.
    """
    last = np.partition(values, values.shape[1] - k, axis=1)[:, [values.shape[1] - k]]
    above, tied = values > last, values == last
    left = k - above.sum(axis=1, keepdims=True)
    return above + tied * (left / tied.sum(axis=1, keepdims=True))


def _check(level: float, method: str) -> None:
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", where="ranks", todo="use a number between 0 and 1")
    if method not in get_args(Method):
        raise PovmonError(
            f"method is {method!r}", where="ranks", todo=f"use one of {', '.join(get_args(Method))}"
        )


def _chosen(joint: Joint, of: Label | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of what is ranked, and of those with an estimate and a standard error."""
    rows = select(joint.labels, of) if of else np.arange(len(joint.labels), dtype=np.int64)
    if "measure" in joint.labels.columns:
        names = joint.labels["measure"].iloc[rows].unique()
        if len(names) > 1:
            raise PovmonError(
                f"{len(names)} measures cannot be ranked together",
                todo=f"choose one: of={{'measure': {names[0]!r}}}",
            )
    variance, df = np.diag(joint.covariance)[rows], np.asarray(joint.df, dtype=np.float64)[rows]
    known = np.isfinite(joint.estimate[rows]) & np.isfinite(variance) & (df >= 1)
    if not known.any():
        raise PovmonError("no domain has an estimate and a standard error")
    return rows, rows[known]


def _pair_scores(
    value: Floats, covariance: Floats, df: Floats, replicates: int
) -> tuple[Floats, Floats]:
    """Of every ordered pair the normal score of its difference, and the standard error; (D, D).

    The score is the normal deviate with the tail probability of Student's t: a difference of
    few degrees of freedom counts for less.
    """
    d = len(value)
    own = np.diag(covariance)
    whole = own[:, None] + own[None, :]
    spread = whole - 2 * covariance
    spread = np.sqrt(np.where(spread > 1e-13 * whole, spread, 0.0))
    first, second = np.triu_indices(d, 1)
    pairs = np.column_stack([first, second])
    freedom = np.ones((d, d))
    freedom[first, second] = pair_freedom(
        own[pairs], covariance[first, second], df[pairs], replicates
    )
    freedom = np.maximum(freedom, freedom.T)
    apart = value[:, None] - value[None, :]
    # Two that differ without any error in either differ surely.
    certain = np.where(apart == 0, 0.0, np.copysign(np.inf, apart))
    t = np.divide(apart, spread, out=certain, where=spread > 0)
    return np.sign(t) * -special.ndtri(special.stdtr(freedom, -np.abs(t))), spread


def _decided(score: Floats, noise: Floats, spread: Floats, level: float) -> Flags:
    """Ordered pairs whose first surely exceeds the second, by step-down max-t; (D, D)."""
    live = ~np.eye(len(score), dtype=bool)
    inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    while True:
        critical = float(np.quantile(_largest(noise, inverse, live), level))
        found = live & (score > critical)
        if not found.any():
            return ~live & ~np.eye(len(score), dtype=bool)
        live &= ~found


def _largest(noise: Floats, inverse: Floats, live: Flags) -> Floats:
    """The largest score of a live ordered pair in each draw, at least 0, shape (R,).

    noise : (R, D). For speed it is turned, so that a domain's draws lie together, and taken in
    blocks that stay in the processor's cache.
    """
    # Of the pairs j < k: in which order they are live; 0 where in neither or in both.
    one_way = live.astype(np.float64) - live.T
    both = live & live.T
    slope = inverse * np.where(both, 1.0, one_way)
    out = np.zeros(len(noise))
    for start in range(0, len(noise), BLOCK):
        draws = np.ascontiguousarray(noise[start : start + BLOCK].T)
        top = out[start : start + BLOCK]
        for j in range(len(draws) - 1):
            score = draws[j] - draws[j + 1 :]
            score *= slope[j, j + 1 :, None]
            again = both[j, j + 1 :]
            if again.all():
                np.abs(score, out=score)
            elif again.any():
                np.maximum(score, score * np.where(again, -1.0, 0.0)[:, None], out=score)
            np.maximum(top, score.max(axis=0), out=top)
    return out


def _ranked(value: Floats, decided: Flags) -> pd.DataFrame:
    """Ranks and their limits from which pairs are decided."""
    rank = 1 + (value[None, :] > value[:, None]).sum(axis=1)
    return pd.DataFrame(
        {
            "rank": rank,
            "rank_low": 1 + decided.sum(axis=0),
            "rank_high": len(value) - decided.sum(axis=1),
        }
    )
