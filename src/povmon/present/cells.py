"""Cells that several tables share: values, intervals and names of a row in its own unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from povmon.present import numbers
from povmon.present.display import Suppressed

NO_INTERVAL = "a count from the forms has no sampling interval"
POINTS = "percentage points"
FLAGS = ("caution", "unreliable")
FLAG_NOTE = "Caution and unreliable are the marks of the survey's publication policy."


def bilingual(en: Any, zh: Any) -> str:
    """An English name with the Chinese one beside it."""
    return f"{en} {zh}".strip() if not numbers.is_missing(zh) else str(en)


def labels(frame: pd.DataFrame, en: str = "en", zh: str = "zh") -> list[str]:
    """Names of all rows in both languages."""
    return [bilingual(a, b) for a, b in zip(frame[en], frame[zh], strict=True)]


def several_areas(frame: pd.DataFrame) -> bool:
    """True where the rows belong to more than one area, so that a table must name them."""
    return "area_en" in frame.columns and frame["area_en"].nunique() > 1


def value_cell(row: pd.Series, key: str = "estimate", reason: str = "reason") -> Any:
    """A value in its row's unit, or the reason why it is missing."""
    if numbers.is_missing(row[key]):
        return Suppressed(str(row.get(reason) or "no value"))
    return numbers.value_in_unit(row[key], row["unit"])


def interval_cell(row: pd.Series) -> Any:
    """An interval in its row's unit with the flag of the estimate, or why there is none."""
    if numbers.is_missing(row["ci_low"]) or numbers.is_missing(row["ci_high"]):
        known = not numbers.is_missing(row["estimate"])
        return Suppressed(NO_INTERVAL if known else str(row.get("reason") or "no value"))
    text = numbers.interval(row["ci_low"], row["ci_high"], row["unit"])
    flag = row.get("flag")
    return f"{text}, {flag}" if flag in FLAGS else text


def estimate_cell(row: pd.Series) -> Any:
    """An estimate with its interval and flag in one cell, or why there is none."""
    value, interval = value_cell(row), interval_cell(row)
    if isinstance(value, Suppressed) or isinstance(interval, Suppressed):
        return value
    return f"{value} ({interval})"


def pooled_cell(row: pd.Series) -> Any:
    """The value of the areas combined in its row's unit, or why there is none."""
    if numbers.is_missing(row["pooled"]):
        return Suppressed("totals are not compared, or no estimate for the areas combined")
    return numbers.value_in_unit(row["pooled"], row["unit"])


def signed(value: Any, unit: str, named: bool = True, digits: int | None = None) -> str:
    """A difference with its sign; that of two shares in percentage points.

    Parameters
    ----------
    value, unit : the difference and the unit of what is compared.
    named : write the unit behind it (never that of shares).
    digits : decimals; None takes those of the unit.
    """
    sign = named and unit not in ("share", "percent")
    text = numbers.value_in_unit(value, unit, sign=sign, digits=digits)
    return f"+{text}" if not numbers.is_missing(value) and float(value) > 0 else text


def each(frame: pd.DataFrame, function: Callable[[pd.Series], Any]) -> list[Any]:
    """One cell a row, made by `function` from the row."""
    return [function(row) for _, row in frame.iterrows()]
