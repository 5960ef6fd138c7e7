"""The table of imputed shares: how much of each indicator is imputed and what that does to it."""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from povmon import paths
from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.measures.base import linearise
from povmon.indicators.imputation import Imputation
from povmon.indicators.indicator import Indicator
from povmon.placing import placed

COLUMNS = [
    "survey", "area", "indicator", "households", "share", "estimate", "without", "difference",
    "difference_se", "se", "se_naive", "ratio",
]  # fmt: skip
FILE = "imputation.parquet"


def imputed_shares(
    imputation: Imputation, estimates: pd.DataFrame, indicators: list[Indicator]
) -> pd.DataFrame:
    """One row an indicator that rests on imputed values somewhere in the whole of a table.

    Parameters
    ----------
    imputation : the imputed cells and the household frame.
    estimates : the published estimates of the whole (one row an indicator), with the column
        `ratio`: standard error with over without imputation.
    indicators : those of the household frame that the survey can give.

    Returns
    -------
    `COLUMNS` without survey and area. share: weighted share of households or persons (by the
    indicator's weight) whose value is imputed, of those that have one. without: the estimate
    without these. difference: estimate less that; difference_se: in published standard errors.
    A suppressed estimate shows its share only.
    """
    figures = estimates[["estimate", "se", "ratio"]].to_dict("records")
    figures_of = dict(zip(estimates["indicator"].tolist(), figures, strict=True))
    alike: dict[tuple[tuple[str, ...], str], list[Indicator]] = {}
    for indicator in indicators:
        if indicator.id in figures_of:
            alike.setdefault((indicator.needs, indicator.weight), []).append(indicator)
    laid, rows = Rows(imputation.households), []
    for (needs, weight), group in alike.items():
        hit = np.any([imputation.flags(need) for need in needs], axis=0)
        known = np.all([np.isfinite(laid.number(need)) for need in needs], axis=0)
        if not (hit & known).any():
            continue
        weights = laid.number(weight)
        share = float(weights[hit & known].sum() / weights[known].sum())
        # Those who answered are a domain of their own.
        domain = Domains(np.where(hit, -1, 0), pd.DataFrame(index=range(1)))
        for indicator in group:
            measure = indicator.build(imputation.survey.line.value)
            without = float(linearise(measure, laid, weights, domain).estimate[0])
            own = figures_of[indicator.id]
            rows.append(_row(indicator, int((hit & known).sum()), share, without, own))
    return pd.DataFrame(rows, columns=COLUMNS[2:])


def _row(indicator: Indicator, households: int, share: float, without: float,
         figures: Mapping[Hashable, Any]) -> list[object]:  # fmt: skip
    value, se, ratio = (float(figures[name]) for name in ("estimate", "se", "ratio"))
    if np.isnan(value):
        without = np.nan
    if indicator.unit == "persons":  # a total of those who answered is no estimate of the whole
        without = np.nan
    difference = value - without
    moved = difference / se if se > 0 else np.nan
    return [indicator.id, households, share, value, without, difference, moved, se,
            se / ratio, ratio]  # fmt: skip


def path(survey: str, area: str) -> str:
    """Where the table of an area, or of ``nation``, lies."""
    return str(paths.processed(survey, area) / FILE)


def write(table: pd.DataFrame, survey: str, area: str) -> None:
    """Write the table, whole or not at all."""
    target = path(survey, area)
    paths.processed(survey, area).mkdir(parents=True, exist_ok=True)
    whole = table.assign(survey=survey, area=area)[COLUMNS]
    types = {"survey": "str", "area": "str", "indicator": "str", "households": "int64"}
    numbers = {name: "float64" for name in COLUMNS if name not in types}
    with placed(Path(target)) as temporary:
        whole.astype({**types, **numbers}).to_parquet(temporary, index=False)


def read_imputed_shares(survey: str, area: str) -> pd.DataFrame:
    """The table of an area, or of ``nation``.

    Raises
    ------
    PovmonError : it has not been made yet.
    """
    target = path(survey, area)
    if not os.path.isfile(target):
        raise PovmonError(
            f"there is no table of imputed shares of {area}",
            where=f"survey {survey}",
            todo=f"run make SURVEY={survey} first",
        )
    return pd.read_parquet(target)
