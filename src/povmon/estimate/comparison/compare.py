"""Differences, contrasts and relative changes of estimates that may be correlated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.comparison.inference import (
    Freedom,
    combined_freedom,
    holm_adjusted,
    inference,
    pair_freedom,
)
from povmon.estimate.core.labels import Label, align, known_column, select
from povmon.estimate.design import Floats, Ints
from povmon.estimate.show.table import shown

if TYPE_CHECKING:
    from povmon.estimate.comparison.joint import Joint

# Below this share of the two variances a variance of a difference is a rounding error.
ROUNDING = 1e-13


def difference(
    joint: Joint, a: Label, b: Label, *, level: float = 0.95, df: Freedom = "union"
) -> pd.DataFrame:
    """The estimate of `a` minus that of `b`, with the covariance between them counted in.

    Var(a - b) = Var(a) + Var(b) - 2 Cov(a, b).

    Parameters
    ----------
    joint : K estimates with their covariance.
    a, b : labels that choose the two sides, ``{"area": "wumeng"}``. What neither names
        (usually the measure) must be the same on both sides: one row for each value of it.
    level : coverage of the intervals.
    df : degrees of freedom. ``union``: PSUs less strata of all that enters; independent
        estimates (no stratum in common) add theirs, of correlated ones the larger number
        counts, which is what they have together at least. ``satterthwaite``: of independent
        estimates v**2 / sum(v_g**2 / df_g), for two surveys of unlike precision. Where the
        covariance comes from R replicates, a correlation within 4 / sqrt(R) counts as none.

    Returns
    -------
    The labels common to both sides, those of each side (``area_a``, ``area_b``),
    ``estimate_a``, ``estimate_b``, ``estimate`` (the difference), ``se``, ``ci_low``,
    ``ci_high`` (Student's t), ``df``, ``p`` (two-sided, of no difference) and ``note``: why a
    number is missing, else empty.

    Raises
    ------
    PovmonError : a label, or a value of it, does not occur (near matches are listed), or a side
        matches several rows.

    Source
    ------
    Korn and Graubard (1999), Analysis of Health Surveys, sec. 3.3 and 5.2 (differences and
    degrees of freedom); Satterthwaite (1946), Biometrics Bulletin 2.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate.comparison.joint import Joint
    >>> labels = pd.DataFrame({"area": ["east", "west"], "measure": "headcount"})
    >>> two = Joint(labels, np.array([0.2, 0.3]), np.diag([0.0009, 0.0016]), np.array([20, 20]))
    >>> table = difference(two, {"area": "west"}, {"area": "east"})
    >>> table[["estimate", "se", "df", "p"]].round(3).to_dict("records")
    [{'estimate': 0.1, 'se': 0.05, 'df': 40.0, 'p': 0.052}]
    """
    index, shared = align(joint.labels, [a, b])
    return _differences(joint, index, list(shared.columns), level, df)


def differences(
    joint: Joint,
    *,
    against: Label | None = None,
    pairs: Sequence[tuple[Label, Label]] | None = None,
    within: Sequence[str] = ("measure",),
    holm: bool = False,
    level: float = 0.95,
    df: Freedom = "union",
) -> pd.DataFrame:
    """Many differences: of all to one, of listed pairs, or of all pairs.

    Parameters
    ----------
    against : every other estimate minus this one; what it does not name is the same on both
        sides.
    pairs : listed ``(a, b)``, each as in `difference`.
    within : without `against` and `pairs`: all pairs of rows with equal values of these labels.
    holm : add ``p_holm``, p-values adjusted so that the probability of one false finding or
        more in the whole table is at most the level (Holm 1979, Scandinavian Journal of
        Statistics 6).
    level, df : as in `difference`.

    Returns
    -------
    As `difference`. The intervals are for one difference each.

    Raises
    ------
    PovmonError : as `difference`; `against` and `pairs` are both given, or nothing is left to
        compare.

    Source: Korn and Graubard (1999), sec. 3.3, as for `difference`.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate.comparison.joint import Joint
    >>> labels = pd.DataFrame({"area": ["east", "mid", "west"], "measure": "gap"})
    >>> three = Joint(labels, np.array([0.2, 0.3, 0.4]), np.eye(3) * 0.0004, np.full(3, 30))
    >>> differences(three, against={"area": "east"}, holm=True)["p_holm"].round(4).tolist()
    [0.0008, 0.0]
    """
    if against is not None and pairs is not None:
        raise PovmonError("against and pairs are both given", where="differences")
    if pairs is not None:
        if not pairs:
            raise PovmonError("no pair is listed", where="differences")
        table = pd.concat(
            [difference(joint, a, b, level=level, df=df) for a, b in pairs], ignore_index=True
        )
    elif against is not None:
        index, shared = _to_one(joint.labels, against)
        table = _differences(joint, index, shared, level, df)
    else:
        for name in within:
            known_column(joint.labels, name)
        table = _differences(joint, _all_pairs(joint.labels, within), list(within), level, df)
    if holm:
        table.insert(list(table.columns).index("p") + 1, "p_holm", holm_adjusted(table["p"]))
    return shown(table)


def relative_change(
    joint: Joint, a: Label, b: Label, *, level: float = 0.95, df: Freedom = "union"
) -> pd.DataFrame:
    """Relative change from `b` to `a`: a / b - 1, its interval made on the scale of logarithms.

    Var(log a - log b) = Var(a) / a**2 + Var(b) / b**2 - 2 Cov(a, b) / (a b), by the delta method;
    the limits are carried back, so none is below -1.

    Parameters, columns and errors as in `difference`; ``se`` is that of a / b, ``p`` tests a = b
    on the scale of logarithms. A change between estimates that are not both positive is missing,
    with a note.

    Source: Wolter (2007), Introduction to Variance Estimation, sec. 6.2 and 6.10.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate.comparison.joint import Joint
    >>> labels = pd.DataFrame({"survey": ["2010", "2015"], "measure": "headcount"})
    >>> two = Joint(labels, np.array([0.4, 0.3]), np.diag([0.0004, 0.0004]), np.array([60, 60]))
    >>> table = relative_change(two, {"survey": "2015"}, {"survey": "2010"})
    >>> table[["estimate", "ci_low", "ci_high"]].round(3).to_dict("records")
    [{'estimate': -0.25, 'ci_low': -0.364, 'ci_high': -0.115}]
    """
    index, shared = align(joint.labels, [a, b])
    table = _pair_labels(joint.labels, index, list(shared.columns))
    value, variance, covariance, freedom = _sides(joint, index)
    table["estimate_a"], table["estimate_b"] = value[:, 0], value[:, 1]
    positive = np.all(value > 0, axis=1)
    safe = np.where(positive[:, None], value, 1.0)
    variance, covariance = variance / safe**2, covariance / safe.prod(axis=1)
    logs = np.where(positive, np.log(safe[:, 0] / safe[:, 1]), np.nan)
    freedom = pair_freedom(variance, covariance, freedom, _replicates(joint), df)
    found = inference(logs, _spread(variance, covariance), freedom, level)
    ratio = np.exp(logs)
    table["estimate"] = ratio - 1
    table["se"] = ratio * found["se"]
    table["ci_low"], table["ci_high"] = np.exp(found["ci_low"]) - 1, np.exp(found["ci_high"]) - 1
    table["df"], table["p"] = found["df"], found["p"]
    known = np.isfinite(value).all(axis=1)
    table["note"] = np.where(known & ~positive, "an estimate is not positive", found["note"])
    return shown(table)


def contrast(
    joint: Joint,
    coefficients: Sequence[tuple[Label, float]] | npt.ArrayLike,
    *,
    level: float = 0.95,
    df: Freedom = "union",
) -> pd.DataFrame:
    """A linear combination of estimates: sum of c_k theta_k, with variance c' V c.

    Parameters
    ----------
    coefficients : pairs of a label and its coefficient; what no label names is the same in all
        (one row for each value of it). Or an array of shape (K,) or (M, K), in the order of
        ``joint.labels``: one row for each of the M contrasts.
    level, df : as in `difference`.

    Returns
    -------
    The common labels, ``estimate``, ``se``, ``ci_low``, ``ci_high``, ``df``, ``p`` (two-sided,
    of a contrast of zero), ``note``.

    Raises
    ------
    PovmonError : as in `difference`, or an array of another shape or with missing values.

    Source: Korn and Graubard (1999), sec. 3.3.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from povmon.estimate.comparison.joint import Joint
    >>> labels = pd.DataFrame({"area": ["east", "mid", "west"], "measure": "gap"})
    >>> three = Joint(labels, np.array([0.2, 0.3, 0.4]), np.eye(3) * 0.0004, np.full(3, 30))
    >>> half = [({"area": "west"}, 1), ({"area": "east"}, -0.5), ({"area": "mid"}, -0.5)]
    >>> contrast(three, half)[["estimate", "se", "df"]].round(4).to_dict("records")
    [{'estimate': 0.15, 'se': 0.0245, 'df': 90.0}]
    """
    if _is_labelled(coefficients):
        listed = cast(Sequence[tuple[Label, float]], coefficients)
        index, shared = align(joint.labels, [label for label, _ in listed])
        weights = _matrix([c for _, c in listed], len(listed))[0]
        rows = [(i, weights) for i in index]
    else:
        matrix = _matrix(coefficients, len(joint.estimate))
        shared = pd.DataFrame(index=range(len(matrix)))
        rows = [(np.flatnonzero(c), c[c != 0]) for c in matrix]
    parts = np.array([_combination(joint, i, c, df) for i, c in rows]).reshape(-1, 3)
    found = inference(parts[:, 0], parts[:, 1], parts[:, 2], level)
    return shown(pd.concat([shared, found], axis=1))


def _differences(
    joint: Joint, index: Ints, shared: list[str], level: float, rule: Freedom
) -> pd.DataFrame:
    """The table of M differences, from the positions (M, 2) of their sides."""
    value, variance, covariance, df = _sides(joint, index)
    table = _pair_labels(joint.labels, index, shared)
    table["estimate_a"], table["estimate_b"] = value[:, 0], value[:, 1]
    freedom = pair_freedom(variance, covariance, df, _replicates(joint), rule)
    spread = _spread(variance, covariance)
    found = inference(value[:, 0] - value[:, 1], spread, freedom, level)
    return shown(pd.concat([table, found], axis=1))


def _sides(joint: Joint, index: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Estimates (M, 2), variances (M, 2), covariance (M,) and df (M, 2); NaN where index is -1."""
    none = index < 0
    value = np.where(none, np.nan, joint.estimate[index])
    variance = np.where(none, np.nan, np.diag(joint.covariance)[index])
    covariance = joint.covariance[index[:, 0], index[:, 1]]
    df = np.where(none, np.nan, np.asarray(joint.df, dtype=np.float64)[index])
    return value, variance, np.where(none.any(axis=1), np.nan, covariance), df


def _spread(variance: Floats, covariance: Floats) -> Floats:
    """Variance of a difference from (M, 2) variances and (M,) covariances."""
    whole = variance.sum(axis=1)
    spread = whole - 2 * covariance
    return np.where(spread > ROUNDING * whole, spread, np.where(np.isnan(spread), np.nan, 0.0))


def _combination(
    joint: Joint, rows: Ints, coefficients: Floats, rule: Freedom
) -> tuple[float, float, float]:
    """Estimate, variance and df of one combination; NaN where one of its rows is missing."""
    if (rows < 0).any() or len(rows) == 0:
        return (np.nan, np.nan, np.nan) if len(rows) else (0.0, 0.0, 0.0)
    cov = joint.covariance[np.ix_(rows, rows)]
    variance = float(coefficients @ cov @ coefficients)
    whole = float(coefficients**2 @ np.diag(cov))
    df = np.asarray(joint.df, dtype=np.float64)[rows]
    freedom = combined_freedom(cov, df, coefficients, _replicates(joint), rule)
    if variance <= ROUNDING * whole:
        variance = 0.0
    return float(coefficients @ joint.estimate[rows]), variance, freedom


def _replicates(joint: Joint) -> int:
    return 0 if joint.replicates is None else len(joint.replicates)


def _pair_labels(labels: pd.DataFrame, index: Ints, shared: list[str]) -> pd.DataFrame:
    """Labels that both sides share, then those of each side; missing where a side has no row."""
    one = labels[shared].iloc[index.max(axis=1)].reset_index(drop=True)
    parts = {}
    for name in (c for c in labels.columns if c not in shared):
        for s, side in enumerate("ab"):
            taken = labels[name].iloc[index[:, s]].reset_index(drop=True)
            parts[f"{name}_{side}"] = taken.where(index[:, s] >= 0)
    return pd.concat([one, pd.DataFrame(parts, index=one.index)], axis=1)


def _to_one(labels: pd.DataFrame, against: Label) -> tuple[Ints, list[str]]:
    """Every row paired with the one that `against` chooses among those it is like otherwise."""
    chosen = select(labels, against)
    rest = [name for name in labels.columns if name not in against]
    keys = list(labels[rest].itertuples(index=False, name=None))
    base = {keys[r]: int(r) for r in chosen}
    others = np.setdiff1d(np.arange(len(labels)), chosen)
    pairs = [(int(r), base.get(keys[r], -1)) for r in others]
    if not pairs:
        raise PovmonError(f"there is nothing but {dict(against)} to compare", where="differences")
    return np.array(pairs, dtype=np.int64), rest


def _all_pairs(labels: pd.DataFrame, within: Sequence[str]) -> Ints:
    """All pairs of rows with equal values of `within`, the earlier row as side a."""
    if within:
        group = labels.groupby(list(within), sort=False, observed=True).ngroup().to_numpy()
    else:
        group = np.zeros(len(labels), dtype=np.int64)
    members = [np.flatnonzero(group == g) for g in range(int(group.max()) + 1)]
    pairs = [m[np.column_stack(np.triu_indices(len(m), 1))] for m in members]
    index = np.concatenate(pairs)
    if len(index) == 0:
        raise PovmonError(f"no two estimates share {', '.join(within)}", where="differences")
    return index


def _is_labelled(coefficients: Any) -> bool:
    """Whether these are pairs of a label and a number."""
    return isinstance(coefficients, Sequence) and all(
        isinstance(c, Sequence) and len(c) == 2 and isinstance(c[0], Mapping) for c in coefficients
    )


def _matrix(coefficients: Any, k: int) -> Floats:
    """Coefficients as (M, K) numbers."""
    try:
        matrix = np.atleast_2d(np.asarray(coefficients, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise PovmonError(
            "the coefficients are not numbers", where="contrast",
            todo="give pairs of a label and a number, or an array",
        ) from error  # fmt: skip
    if matrix.ndim != 2 or matrix.shape[1] != k or not np.isfinite(matrix).all():
        raise PovmonError(
            f"coefficients of shape {np.shape(coefficients)} are missing or do not fit",
            where="contrast", todo=f"give {k} finite numbers for each contrast",
        )  # fmt: skip
    return matrix
