"""Rows of the estimates table: choosing them, and what their cells say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from povmon.present import labels, numbers
from povmon.present.display import Marked, Suppressed

FEW = 20  # more rows than this share their reasons
_WITHOUT_NUMBERS = {
    r"interval \d+ points wide": "wide interval",
    r"coefficient of variation \d+ %": "large coefficient of variation",
    r"\d+ degrees? of freedom, fewer than (\d+)": r"fewer than \1 degrees of freedom",
    r"effective sample of \d+, below (\d+)": r"effective sample below \1",
    r"\d+ (households?|villages?), fewer than (\d+)": r"fewer than \2 \1",
}
NO_ERROR = "a count from administrative returns, without a sampling error"


def select(
    estimates: pd.DataFrame,
    indicators: Sequence[str] | str | None = None,
    domain_kind: str | None = None,
    domain: str | None = None,
) -> pd.DataFrame:
    """Rows of the estimates table, in the order of `indicators` (else the table's own)."""
    rows = estimates
    if (rows["unit"] == "money").any():
        unit = labels.money_unit(labels.survey_of(rows))
        rows = rows.assign(unit=rows["unit"].replace("money", unit))
    if domain_kind is not None:
        rows = rows[rows["domain_kind"] == domain_kind]
    if domain is not None:
        rows = rows[rows["domain"] == domain]
    if indicators is None:
        return rows.reset_index(drop=True)
    wanted = [indicators] if isinstance(indicators, str) else list(indicators)
    rows = rows[rows["indicator"].isin(wanted)]
    place = {name: position for position, name in enumerate(wanted)}
    order = rows["indicator"].map(place).astype("int64")
    return rows.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as mappings with text keys."""
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def value_cell(row: Mapping[str, Any], sign: bool = True) -> Any:
    """The estimate as text, or `Suppressed` with its reason."""
    if numbers.is_missing(row["estimate"]):
        return Suppressed(reason_of(row), detail_of(row))
    return numbers.value_in_unit(row["estimate"], row["unit"], sign=sign)


def interval_cell(row: Mapping[str, Any]) -> Any:
    """The 95 % interval as text, or `Suppressed` with the reason for its absence."""
    if numbers.is_missing(row["estimate"]):
        return Suppressed(reason_of(row), detail_of(row))
    if numbers.is_missing(row["ci_low"]) or numbers.is_missing(row["ci_high"]):
        return _no_error(row)
    return numbers.interval(row["ci_low"], row["ci_high"], row["unit"])


def error_cell(row: Mapping[str, Any]) -> Any:
    """The standard error in the estimate's unit (of a share: in percentage points)."""
    if numbers.is_missing(row["estimate"]):
        return Suppressed(reason_of(row), detail_of(row))
    if numbers.is_missing(row["se"]):
        return _no_error(row)
    return numbers.value_in_unit(row["se"], row["unit"], sign=False)


def _no_error(row: Mapping[str, Any]) -> Suppressed:
    given = row.get("reason")
    return Suppressed(NO_ERROR if numbers.is_missing(given) or not given else str(given))


def reason_of(row: Mapping[str, Any]) -> str:
    reason = row.get("reason")
    return "no value" if numbers.is_missing(reason) or not reason else str(reason)


def detail_of(row: Mapping[str, Any]) -> str:
    return str(row.get("detail") or "")


def briefly(rows: pd.DataFrame) -> pd.DataFrame:
    """In a table of many rows, reasons without their numbers; the exact ones as ``detail``.

    Else the list of reasons below a table of 80 counties would be longer than the table.
    """
    if len(rows) <= FEW:
        return rows
    return rows.assign(detail=rows["reason"], reason=without_numbers(rows["reason"]))


def without_numbers(reasons: pd.Series) -> pd.Series:
    """Reasons of the publication policy by kind: ``wide interval``."""
    short = reasons.fillna("").astype(str)
    for pattern, words in _WITHOUT_NUMBERS.items():
        short = short.str.replace(pattern, words, regex=True)
    return short


def flag_cell(row: Mapping[str, Any]) -> str | Marked:
    words = labels.flag(row["flag"])
    reason = row.get("reason")
    if row["flag"] in ("caution", "unreliable") and reason and not numbers.is_missing(reason):
        return Marked(words, str(reason), detail=detail_of(row))
    return words
