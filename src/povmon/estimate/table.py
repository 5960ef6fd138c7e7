"""`estimate`: measures by domain, each with its design-based standard error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.design import Design, Floats, Ints, lay
from povmon.estimate.domains import lay_domains
from povmon.estimate.measures import Linearised, Measure, Shared, divide, everyone, linearise
from povmon.estimate.residuals import Residuals
from povmon.estimate.rows import Rows
from povmon.estimate.tally import (
    Answer,
    Sums,
    answer,
    linearised_totals,
    simple_random_variance,
)
from povmon.estimate.variance import (
    Layout,
    lay_cells,
    shared_totals,
    variance,
)

COLUMNS = (
    "estimate", "se", "ci_low", "ci_high", "n", "n_psu", "df", "cv", "deff", "excluded", "note",
)  # fmt: skip


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
    simple random sample of as many rows), ``excluded`` (weighted share of the domain's rows
    that the measure left out) and ``note`` (why a number is missing; empty where none is).

    Raises
    ------
    PovmonError : a column is missing or not numeric, a weight is missing or negative, a PSU lies
        in two strata, a stratum has a single PSU and the design gives no rule for it.

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
    listed = check_arguments(frame, measures, level)
    rows = Rows(frame)
    sample = lay(frame, design)
    domains = lay_domains(frame, [by] if isinstance(by, str) else by)
    sums = Sums(rows, sample, lay_cells(sample, domains), domains)
    columns = [summarise(measure, answer(measure, sums), sums, level) for measure in listed]
    return assemble(domains.labels, listed, columns)


def check_arguments(
    frame: pd.DataFrame, measures: Sequence[Measure] | Measure, level: float
) -> list[Measure]:
    """The measures as a list, after checks that come before any work."""
    if len(frame) == 0:
        raise PovmonError("there are no rows to estimate from")
    listed = list(measures) if isinstance(measures, Sequence) else [measures]
    if not listed:
        raise PovmonError("no measure was asked for", todo="for example [mean('income_pc')]")
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", todo="use a number between 0 and 1, as 0.95")
    return listed


def assemble(
    labels: pd.DataFrame, measures: Sequence[Measure], columns: Sequence[dict[str, np.ndarray]]
) -> pd.DataFrame:
    """The table from each measure's columns (D,): by domain, then measure."""
    m, d = len(measures), len(labels)
    table = {name: labels[name].take(np.repeat(np.arange(d), m)).array for name in labels}
    table["measure"] = np.tile(np.array([x.name for x in measures], dtype=object), d)
    for name in COLUMNS:
        table[name] = np.stack([c[name] for c in columns], axis=-1).ravel()
    return pd.DataFrame(table)


def summarise(measure: Measure, found: Answer, sums: Sums, level: float) -> dict[str, np.ndarray]:
    """The table's columns for one measure, each (D,)."""
    n, n_psu, df = found.tally.n, found.tally.n_psu, found.tally.df
    var = design_variance(measure, found, sums)
    missing = ~np.isfinite(found.estimate) | (n == 0)
    value = np.where(missing, np.nan, found.estimate)
    # Without a degree of freedom there is no estimate of the variance.
    se = np.where(missing | (df < 1), np.nan, np.sqrt(np.maximum(var, 0.0)))
    plain = found.linearised
    if plain is not None and plain.inverse is not None:
        se, low, high = woodruff(plain, se, df, level)
    else:
        low, high = interval(value, se, df, level=level, bounded=measure.bounded)
    # Of a quantile: the design effect of F at the quantile. With an estimated line rows outside
    # the domain count too, and there is no simple random sample to compare with.
    simple = simple_random_variance(found)
    if plain is not None and plain.shared is not None:
        simple = np.full(len(n), np.nan)
    weight = sums.by_domain(sums.total(everyone(sums.rows)))
    return {
        "estimate": value,
        "se": se,
        "ci_low": low,
        "ci_high": high,
        "n": n,
        "n_psu": n_psu,
        "df": df,
        "cv": divide(se, np.abs(value)),
        "deff": divide(var, simple),
        "excluded": 1.0 - divide(found.tally.weight, weight),
        "note": notes(n, df, value, se),
    }


def notes(n: Ints, df: Ints, value: Floats, se: Floats) -> np.ndarray:
    """Why a number is missing, (D,) of text."""
    words = np.full(len(n), "", dtype=object)
    words[~np.isfinite(se)] = "the standard error is not defined here"
    words[df < 1] = "one PSU in each stratum: no standard error"
    words[~np.isfinite(value)] = "not defined for these values"
    words[n == 0] = "no row enters"
    return words


def design_variance(measure: Measure, found: Answer, sums: Sums) -> Floats:
    """Variance of each domain's estimate (D,)."""
    count = len(sums.domains)
    if sums.sample.calibration is None:
        layout, totals = influence_totals(measure, found, sums)
        return variance(sums.sample, layout, count, totals)
    result = np.empty(count)
    for block, layout, totals in _residuals(sums).blocks(
        linearised_totals(found, sums), *_by_row(measure, found, sums)
    ):
        result[block] = variance(sums.sample, layout, block.stop - block.start, totals)
    return result


def influence_totals(measure: Measure, found: Answer, sums: Sums) -> tuple[Layout, Floats]:
    """Cells and, for each of the last stage, what it contributes to its domain's error (C,)."""
    sample, layout = sums.sample, sums.layout
    totals = linearised_totals(found, sums)
    if sample.calibration is not None:
        # All domains in one block.
        everything = len(sums.domains) * len(sample.stages[-1].parent_of_unit)
        blocks = _residuals(sums).blocks(totals, *_by_row(measure, found, sums), everything)
        return next(iter(blocks))[1:]
    if found.linearised is not None and found.linearised.shared is not None:
        return shared_totals(sample, layout, len(sums.domains), totals, found.linearised.shared)
    return layout, totals


def _residuals(sums: Sums) -> Residuals:
    make = lambda: Residuals(sums.sample, sums.domains, sums.layout)  # noqa: E731
    return sums.rows.once(("residuals", id(sums.layout)), make)


def _by_row(measure: Measure, found: Answer, sums: Sums) -> tuple[Floats, Shared | None]:
    """Linearised values by row (n,), and what rows add to other domains."""
    if found.linearised is not None:
        return found.linearised.values, found.linearised.shared
    return linearise(measure, sums.rows, sums.sample.weight, sums.domains).values, None


def woodruff(
    result: Linearised, se: Floats, df: Ints, level: float
) -> tuple[Floats, Floats, Floats]:
    """Standard error and interval of a quantile by inverting that of F at the quantile.

    Source: Woodruff (1952); the standard error is the interval's width over twice Student's t.
    """
    assert result.inverse is not None and result.level is not None
    t = student(df, level)
    low, high = result.inverse(result.level - t * se), result.inverse(result.level + t * se)
    return (high - low) / (2 * t), low, high


def student(df: Ints, level: float) -> Floats:
    """Student's t of a two-sided interval for each number of degrees of freedom (at least 1)."""
    different, place = np.unique(np.maximum(df, 1), return_inverse=True)
    return special.stdtrit(different, 0.5 + level / 2)[place].reshape(np.shape(df))


def interval(
    value: Floats, se: Floats, df: Ints, *, level: float = 0.95, bounded: bool = False
) -> tuple[Floats, Floats]:
    """Student's t interval; for proportions on the logit scale.

    Where a proportion is 0 or 1 its linearised error is zero and the logit does not exist: the
    limits are those of the exact binomial interval on the PSUs (df + 1), which errs on the wide
    side.

    Source: Korn and Graubard (1999), Analysis of Health Surveys, sec. 2.6.
    """
    t = student(df, level)
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
