"""`estimate`: measures by domain, each with its design-based standard error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.design import Design, Floats, Ints, Sample, lay
from povmon.estimate.domains import Domains, lay_domains
from povmon.estimate.measures import Linearised, Measure, divide
from povmon.estimate.variance import degrees_of_freedom, lay_cells, variance

COLUMNS = ("estimate", "se", "ci_low", "ci_high", "n", "n_psu", "df", "cv", "deff", "excluded")


def estimate(
    frame: pd.DataFrame,
    design: Design,
    measures: Sequence[Measure] | Measure,
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Estimate measures by domain on a survey design.

    Parameters
    ----------
    frame : one row a unit (household, person, village).
    design : how the sample was drawn.
    measures : what to estimate, for example ``[fgt("income_pc", 2300, 0), gini("income_pc")]``.
    by : column, or columns whose combinations are the domains; None for the whole sample. Domains
        keep all strata and PSUs of the sample.
    level : coverage of the intervals.

    Returns
    -------
    One row a domain and measure, in that order: the `by` columns, ``measure``, ``estimate``,
    ``se``, ``ci_low``, ``ci_high`` (Student's t; a logit interval for proportions), ``n`` (rows
    that entered), ``n_psu``, ``df`` (PSUs less strata), ``cv``, ``deff`` (variance over that of a
    simple random sample of as many rows) and ``excluded`` (weighted share of the domain's rows
    that the measure left out).

    Raises
    ------
    PovmonError : a column is missing or not numeric, a weight is missing or negative, a stratum
        has a single PSU and the design gives no rule for it.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, fgt
    >>> sample = pd.DataFrame({"county": [1, 1, 1, 1], "village": [1, 1, 2, 2],
    ...                        "w": [10, 10, 20, 20], "income": [1000, 3000, 2000, 4000]})
    >>> table = estimate(sample, Design("county", "village", "w"), [fgt("income", 2300, 0)])
    >>> float(table["estimate"].iloc[0])
    0.5
    """
    if len(frame) == 0:
        raise PovmonError("there are no rows to estimate from")
    listed = list(measures) if isinstance(measures, Sequence) else [measures]
    if not listed:
        raise PovmonError("no measure was asked for", todo="for example [mean('income_pc')]")
    sample = lay(frame, design)
    domains = lay_domains(frame, [by] if isinstance(by, str) else by)
    cells = tuple(lay_cells(stage, domains) for stage in sample.stages)
    pieces = []
    for measure in listed:
        result = measure.linearise(frame, sample.weight, domains)
        used = (result.used & (sample.weight > 0)).astype(np.float64)
        n_psu, df = degrees_of_freedom(cells[0], used, len(domains))
        var = variance(sample, domains, cells, result.values)
        n = domains.sum(used).astype(np.int64)
        piece = _columns(measure, result, var, n, n_psu, df, level)
        # Of a quantile: the design effect of F at the quantile.
        piece["deff"] = divide(var, _simple_random_variance(sample, domains, result, n))
        weight = domains.sum(sample.weight)
        piece["excluded"] = 1.0 - divide(domains.sum(sample.weight * used), weight)
        pieces.append(pd.concat([domains.labels.reset_index(drop=True), piece], axis=1))
    table = pd.concat(pieces, keys=range(len(pieces)), names=["order", "domain"])
    return table.sort_index(level=["domain", "order"]).reset_index(drop=True)


def _columns(
    measure: Measure, result: Linearised, var: Floats, n: Ints, n_psu: Ints, df: Ints, level: float
) -> pd.DataFrame:
    """The table's columns for one measure."""
    missing = ~np.isfinite(result.estimate) | (n == 0)
    value = np.where(missing, np.nan, result.estimate)
    # Without a degree of freedom there is no estimate of the variance.
    se = np.where(missing | (df < 1), np.nan, np.sqrt(np.maximum(var, 0.0)))
    if result.inverse is not None and result.level is not None:
        se, low, high = woodruff(result, se, df, level)
    else:
        low, high = interval(value, se, df, level=level, bounded=measure.bounded)
    return pd.DataFrame(
        {
            "measure": measure.name,
            "estimate": value,
            "se": se,
            "ci_low": low,
            "ci_high": high,
            "n": n,
            "n_psu": n_psu,
            "df": df,
            "cv": divide(se, np.abs(value)),
        }
    )


def woodruff(
    result: Linearised, se: Floats, df: Ints, level: float
) -> tuple[Floats, Floats, Floats]:
    """Standard error and interval of a quantile by inverting that of F at the quantile.

    Source: Woodruff (1952); the standard error is the interval's width over twice Student's t.
    """
    assert result.inverse is not None and result.level is not None
    t = special.stdtrit(np.maximum(df, 1), 0.5 + level / 2)
    low, high = result.inverse(result.level - t * se), result.inverse(result.level + t * se)
    return (high - low) / (2 * t), low, high


def interval(
    value: Floats, se: Floats, df: Ints, *, level: float = 0.95, bounded: bool = False
) -> tuple[Floats, Floats]:
    """Student's t interval; for proportions on the logit scale.

    Where a proportion is 0 or 1 its linearised error is zero and the logit does not exist: the
    limits are those of the exact binomial interval on the PSUs (df + 1), which errs on the wide
    side.

    Source: Korn and Graubard (1999), Analysis of Health Surveys, sec. 2.6.
    """
    t = special.stdtrit(np.maximum(df, 1), 0.5 + level / 2)
    if not bounded:
        return value - t * se, value + t * se
    inner = (value > 0) & (value < 1)
    p = np.where(inner, value, 0.5)
    logit, spread = np.log(p / (1 - p)), t * se / (p * (1 - p))
    low, high = 1 / (1 + np.exp(spread - logit)), 1 / (1 + np.exp(-spread - logit))
    tail = (1 - level) / 2
    edge = 1 - tail ** (1 / np.maximum(df + 1, 1))
    low = np.where(inner, low, np.where(value == 1, 1 - edge, 0.0))
    high = np.where(inner, high, np.where(value == 0, edge, 1.0))
    # The logit and back can miss the estimate itself by a rounding error.
    low, high = np.minimum(low, value), np.maximum(high, value)
    unknown = ~np.isfinite(se)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def _simple_random_variance(
    sample: Sample, domains: Domains, result: Linearised, n: Ints
) -> Floats:
    """Variance under simple random sampling with replacement of as many rows, shape (D,).

    Source: Kish (1965), Survey Sampling, sec. 8.2; the population variance is estimated with
    the weights.
    """
    weight = np.where(result.used, sample.weight, 0.0)
    total = domains.sum(weight)
    centre = domains.spread(np.nan_to_num(divide(domains.sum(weight * result.values), total)))
    squares = domains.sum(weight * (result.values - centre) ** 2)
    return np.where(n > 1, total * squares / np.maximum(n - 1, 1), np.nan)
