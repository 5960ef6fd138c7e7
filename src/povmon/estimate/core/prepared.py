"""A frame laid out for estimating: what `estimate` does before and after the measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.influence import design_variance
from povmon.estimate.core.intervals import interval, woodruff
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import Answer, Sums, answer, simple_random_variance
from povmon.estimate.core.variance import lay_cells
from povmon.estimate.design import Design, Floats, Ints, Sample, lay
from povmon.estimate.measures.base import Measure, divide, everyone
from povmon.estimate.replicates.replicate import (
    Method,
    SurveyWeights,
    replicate_variance,
    replication,
)
from povmon.estimate.replicates.replicated import replicate_estimates
from povmon.estimate.show.table import Table

COLUMNS = (
    "estimate", "se", "ci_low", "ci_high", "n", "n_psu", "df", "cv", "deff", "excluded", "note",
)  # fmt: skip
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows laid in domains and sampling units; estimates from it share all that they can."""

    sums: Sums

    @property
    def labels(self) -> pd.DataFrame:
        """The domains (D rows)."""
        return self.sums.domains.labels

    def estimate(
        self,
        measures: Sequence[Measure] | Measure,
        *,
        level: float = 0.95,
        method: Method | None = None,
    ) -> pd.DataFrame:
        """As `estimate`, whose parameters and table these are."""
        listed = as_list(measures)
        check_level(level)
        answers = [answer(measure, self.sums) for measure in listed]
        if method is None:
            columns = [
                summarise(m, a, self.sums, level) for m, a in zip(listed, answers, strict=True)
            ]
        else:
            survey = SurveyWeights.of(self.sums.sample, replication(self.sums.sample, method))
            values = replicate_estimates(listed, self.sums, survey)
            columns = [
                summarise_replicates(m, a, self.sums, level, survey, values[:, :, j])
                for j, (m, a) in enumerate(zip(listed, answers, strict=True))
            ]
        return assemble(self.labels, listed, columns)


def prepare(frame: pd.DataFrame, design: Design, by: Sequence[str] | str | None = None) -> Prepared:
    """Check a design and lay it and the domains over the rows.

    Parameters
    ----------
    frame, design, by : as in `estimate`, which is ``prepare(frame, design, by).estimate(...)``.
        Prepare once where the same rows are estimated from several times.

    Returns
    -------
    `Prepared`; its ``estimate(measures)`` gives the table.

    Raises
    ------
    PovmonError : as `estimate`.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, mean, prepare
    >>> sample = pd.DataFrame({"village": [1, 2], "w": 1, "income": [10, 30]})
    >>> prepare(sample, Design(None, "village", "w")).estimate(mean("income"))["estimate"].tolist()
    [20.0]
    """
    if len(frame) == 0:
        raise PovmonError("there are no rows to estimate from")
    sample = lay(frame, design)
    return prepared(Rows(frame), sample, [by] if isinstance(by, str) else by)


def prepared(rows: Rows, sample: Sample, by: Sequence[str] | None) -> Prepared:
    """As `prepare`, from a design that is laid already."""
    hidden = [name for name in by or [] if name in ("measure", *COLUMNS)]
    if hidden:
        raise PovmonError(
            f"a domain column is named {hidden[0]!r}, as a column of the table is",
            where="by", todo="rename it",
        )  # fmt: skip
    domains = lay_domains(rows.frame, by)
    return Prepared(Sums(rows, sample, lay_cells(sample, domains), domains))


def check_level(level: float) -> None:
    """Error unless it can be the coverage of an interval."""
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", todo="use a number between 0 and 1, as 0.95")


def as_list(measures: Sequence[Measure] | Measure) -> list[Measure]:
    """The measures as a list of at least one."""
    listed = list(measures) if isinstance(measures, Sequence) else [measures]
    if not listed:
        raise PovmonError("no measure was asked for", todo="for example [mean('income_pc')]")
    return listed


def assemble(
    labels: pd.DataFrame, measures: Sequence[Measure], columns: Sequence[dict[str, np.ndarray]]
) -> pd.DataFrame:
    """The table from each measure's columns (D,): by domain, then measure."""
    m, d = len(measures), len(labels)
    table: dict[Any, Any] = {
        name: labels[name].array.take(np.repeat(np.arange(d), m)) for name in labels
    }
    names = pd.array([x.name for x in measures], dtype="str")
    table["measure"] = names.take(np.tile(np.arange(m), d))
    for name in COLUMNS:
        column = np.empty((d, m), dtype=np.result_type(*(own[name] for own in columns)))
        for j, own in enumerate(columns):
            column[:, j] = own[name]
        column = column.ravel()
        table[name] = _texts(column.tolist()) if column.dtype == object else column
    return Table(table, copy=False)


def _texts(words: list[str]) -> Any:
    """A column of few different texts; pandas takes long over it as plain objects."""
    code = {word: i for i, word in enumerate(dict.fromkeys(words) if any(words) else [""])}
    if len(code) == 1:
        return pd.array(list(code), dtype="str").take(np.zeros(len(words), dtype=np.intp))
    return pd.array(list(code), dtype="str").take(np.array([code[w] for w in words], dtype=np.intp))


def summarise(measure: Measure, found: Answer, sums: Sums, level: float) -> dict[str, np.ndarray]:
    """The table's columns for one measure, each (D,)."""
    var, freedom = design_variance(measure, found, sums)
    value, se = _value_and_error(found, var, found.tally.df)
    df, plain = found.tally.df, found.linearised
    if plain is not None and plain.inverse is not None:
        se, low, high = woodruff(plain, se, df, level)
    else:
        low, high = _limits(measure, value, se, df, freedom, level)
    return _columns(found, sums, var, value, se, (low, high), notes(found, value, se))


def _limits(
    measure: Measure, value: Floats, se: Floats, df: Ints, freedom: Floats, level: float
) -> tuple[Floats, Floats]:
    """The interval that goes with the measure, both limits (D,)."""
    if not measure.graded:
        return interval(value, se, df, level=level, bounded=measure.bounded)
    # No more than the design has; of a variance of zero nothing better is known.
    effective = np.clip(np.where(np.isfinite(freedom), freedom, df), np.minimum(df, 1), df)
    return interval(value, se, effective, level=level, bounded=True)


def summarise_replicates(
    measure: Measure,
    found: Answer,
    sums: Sums,
    level: float,
    survey: SurveyWeights,
    values: Floats,
) -> dict[str, np.ndarray]:
    """The table's columns for one measure from its replicates (R, D)."""
    made = survey.replication
    var = replicate_variance(values, made.factor, found.estimate, made.mse)
    df = found.tally.df
    value, se = _value_and_error(found, var, df)
    low, high = _limits(measure, value, se, df, design_variance(measure, found, sums)[1], level)
    words = notes(found, value, se)
    lost = (~np.isfinite(values)).sum(axis=0)
    for d in np.flatnonzero((lost > 0) & np.isfinite(se)):
        words[d] = f"not defined in {lost[d]} of {made.replicates} replicates, which are left out"
    return _columns(found, sums, var, value, se, (low, high), words)


def _value_and_error(found: Answer, var: Floats, df: Ints) -> tuple[Floats, Floats]:
    """Estimates and standard errors (D,), missing where there is nothing to make them from."""
    missing = ~np.isfinite(found.estimate) | (found.tally.n == 0)
    value = np.where(missing, np.nan, found.estimate)
    # Without a degree of freedom there is no estimate of the variance.
    return value, np.where(missing | (df < 1), np.nan, np.sqrt(np.maximum(var, 0.0)))


def _columns(
    found: Answer,
    sums: Sums,
    var: Floats,
    value: Floats,
    se: Floats,
    limits: tuple[Floats, Floats],
    words: np.ndarray,
) -> dict[str, np.ndarray]:
    # Of a quantile: the design effect of F at the quantile. With an estimated line rows outside
    # the domain count too, and there is no simple random sample to compare with.
    simple = simple_random_variance(found)
    if found.linearised is not None and found.linearised.shared is not None:
        simple = np.full(len(value), np.nan)
    weight = sums.domain_total(everyone(sums.rows))
    excluded = 1.0 - divide(found.tally.weight, weight)
    return {
        "estimate": value,
        "se": se,
        "ci_low": limits[0],
        "ci_high": limits[1],
        "n": found.tally.n,
        "n_psu": found.tally.n_psu,
        "df": found.tally.df,
        "cv": divide(se, np.abs(value)),
        "deff": divide(var, simple),
        # Sums of the same weights can differ by a rounding error.
        "excluded": np.where(np.abs(excluded) < ROUNDING, 0.0, excluded),
        "note": words,
    }


def notes(found: Answer, value: Floats, se: Floats) -> np.ndarray:
    """Why a number is missing, (D,) of text."""
    n, df = found.tally.n, found.tally.df
    words = np.full(len(n), "", dtype=object)
    words[~np.isfinite(se)] = "the standard error is not defined here"
    words[df < 1] = "one PSU in each stratum: no standard error"
    words[~np.isfinite(value)] = "not defined for these values"
    if found.linearised is not None and found.linearised.reasons is not None:
        reasons = np.array(found.linearised.reasons, dtype=object)
        words = np.where(np.isfinite(value), words, reasons)
    words[n == 0] = "no row enters"
    return words
