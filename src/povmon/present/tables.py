"""Tables and sentences made from the estimates table, for the notebooks.

Every function takes the estimates table (one row a domain and indicator; columns as in the
schema of estimates.parquet) and shows the uncertainty beside each estimate. A function that has
nothing to show returns a sentence that says why, so that a notebook needs no conditions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from povmon.present import labels, numbers
from povmon.present.display import Column, Marked, Suppressed, Table, Text, escape_markdown
from povmon.present.rows import (
    NO_ERROR,
    briefly,
    detail_of,
    error_cell,
    flag_cell,
    interval_cell,
    reason_of,
    records,
    select,
    value_cell,
)

__all__ = [
    "NO_ERROR",
    "comparison_columns",
    "comparison_table",
    "estimates_table",
    "headline",
    "nothing",
    "published_comparison",
    "records",
    "select",
    "value_cell",
]

Names = Mapping[str, str]
SAMPLE_NOTE = (
    "Standard errors of shares are in percentage points. "
    "Sample: households; villages for indicators of villages; counties for the county form. "
    "PSUs: primary sampling units, the sample villages or communes."
)


def nothing(what: str, why: str = "this survey does not collect it") -> Text:
    """The sentence that stands where there is nothing to show."""
    return Text(f"*Nothing is shown here on {escape_markdown(what)}: {escape_markdown(why)}.*")


def _wanted(indicators: Sequence[str] | str | None, estimates: pd.DataFrame) -> str:
    """What was asked for, in words: the first few indicators by name."""
    names = [indicators] if isinstance(indicators, str) else list(indicators or [])
    if not names:
        return "these indicators"
    survey = labels.survey_of(estimates)
    said = [decapitalised(labels.indicator(name, survey).en) for name in names[:3]]
    return numbers.listing([*said, "others"] if len(names) > 3 else said)


def _where(domain_kind: str) -> str:
    if domain_kind == "all":
        return "for the whole"
    return f"by {labels.KINDS.get(domain_kind, domain_kind)}"


def decapitalised(text: str) -> str:
    """A label inside a sentence; abbreviations keep their capitals."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def capitalised(text: str) -> str:
    """A label at the head of a row or sentence."""
    return text[:1].upper() + text[1:]


def _names(estimates: pd.DataFrame, kind: str, names: Names | None) -> Names:
    return names if names is not None else labels.domain_names(kind, labels.survey_of(estimates))


def estimates_table(
    estimates: pd.DataFrame,
    indicators: Sequence[str] | str | None = None,
    domain_kind: str = "area",
    domain: str | None = None,
    *,
    names: Names | None = None,
    caption: str = "",
    note: str = "",
    sortable: bool = True,
) -> Table | Text:
    """Estimates with interval, sample sizes and reliability, one row an estimate.

    Parameters
    ----------
    estimates : the estimates table.
    indicators : indicator ids, in the order to be shown; None: all.
    domain_kind, domain : which rows; `domain` None takes every domain of the kind.
    names : domain id -> name; None looks them up in survey.yml and the reference data.
    caption, note : None or empty makes a caption from the content.

    Returns
    -------
    Table, or Text when the estimates hold nothing of the kind.
    """
    rows = select(estimates, indicators, domain_kind, domain)
    kind_words = labels.KINDS.get(domain_kind, domain_kind)
    if rows.empty:
        return nothing(_wanted(indicators, estimates), f"the survey has none {_where(domain_kind)}")
    rows = briefly(rows)
    shown = _names(estimates, domain_kind, names)
    survey = labels.survey_of(estimates)
    frame = pd.DataFrame(
        {
            "indicator": [labels.indicator(i, survey).en for i in rows["indicator"]],
            "domain": [capitalised(labels.domain(d, shown)) for d in rows["domain"]],
            "order": rows["estimate"],
            "estimate": _each(rows, value_cell),
            "se": _each(rows, error_cell),
            "interval": _each(rows, interval_cell),
            "n": rows["n"],
            "n_psu": rows["n_psu"],
            "flag": _each(rows, flag_cell),
        }
    )
    columns = _heading_columns(frame, kind_words) + [
        Column("estimate", "Estimate", align="right", sort="order"),
        Column("se", "Standard error", align="right"),
        Column("interval", "95\u202f% interval", align="right", sort="order"),
        Column("n", "Sample", format="integer"),
        Column("n_psu", "PSUs", format="integer"),
    ]
    if rows["flag"].ne("").any():
        columns.append(Column("flag", "Reliability"))
    return Table(
        frame,
        caption or _caption(frame, kind_words, domain),
        note=note or SAMPLE_NOTE,
        columns=columns,
        sortable=sortable and len(frame) > 2,
    )


def _each(rows: pd.DataFrame, make: Callable[[Mapping[str, Any]], Any]) -> pd.Series:
    """One value a row, as objects (text or `Suppressed`)."""
    return pd.Series([make(row) for row in records(rows)], dtype=object)


def _heading_columns(frame: pd.DataFrame, kind_words: str) -> list[Column]:
    """Which of indicator and domain head the rows: what does not vary goes to the caption."""
    heading = [Column("domain", capitalised(kind_words), row_header=True)]
    if frame["indicator"].nunique() == 1:
        return heading
    several = frame["domain"].nunique() > 1
    return (heading if several else []) + [Column("indicator", "Indicator", row_header=True)]


def _caption(frame: pd.DataFrame, kind_words: str, domain: str | None) -> str:
    one = frame["indicator"].iloc[0] if frame["indicator"].nunique() == 1 else "Indicators"
    where = f"by {kind_words}"
    if frame["domain"].nunique() == 1:
        first = frame["domain"].iloc[0]
        where = decapitalised(first) if first.startswith("The ") else first
    link = ", " if where.startswith("by ") else " in "
    return f"{one}{link}{where}"


def comparison_table(
    estimates: pd.DataFrame,
    indicators: Sequence[str],
    domain_kind: str = "area",
    *,
    names: Names | None = None,
    caption: str = "",
    note: str = "",
    order_by: str | None = None,
) -> Table | Text:
    """Domains in rows, indicators in columns, each estimate with its interval in brackets.

    Parameters
    ----------
    order_by : indicator id to order the rows by, highest first; None keeps the table's order.
    Others as in `estimates_table`.
    """
    rows = select(estimates, indicators, domain_kind)
    kind_words = labels.KINDS.get(domain_kind, domain_kind)
    if rows.empty:
        return nothing(_wanted(indicators, estimates), f"the survey has none {_where(domain_kind)}")
    present = [i for i in indicators if (rows["indicator"] == i).any()]
    domains = list(dict.fromkeys(rows["domain"]))
    cells, columns = comparison_columns(briefly(rows), present, domains)
    shown = _names(estimates, domain_kind, names)
    frame = pd.DataFrame({"domain": [labels.domain(d, shown) for d in domains], **cells})
    columns.insert(0, Column("domain", capitalised(kind_words), row_header=True))
    if order_by in present:
        frame = frame.sort_values(f"order:{order_by}", ascending=False, kind="stable")
    return Table(
        frame,
        caption or f"Comparison by {kind_words}",
        note=note or "In brackets: 95\u202f% interval.",
        columns=columns,
        sortable=True,
    )


def comparison_columns(
    rows: pd.DataFrame, indicators: Sequence[str], domains: Sequence[str]
) -> tuple[dict[str, list[Any]], list[Column]]:
    """Cells ``38.2 (35.0 to 41.5)`` of each indicator, one a domain, and their columns.

    Parameters
    ----------
    rows : estimates of one kind of domain.
    indicators, domains : what stands in the columns and in the rows.
    """
    by_key = {(r["domain"], r["indicator"]): r for r in records(rows)}
    survey = labels.survey_of(rows)
    cells: dict[str, list[Any]] = {}
    columns = []
    for name in indicators:
        found = [by_key.get((d, name)) for d in domains]
        cells[name] = [_with_interval(r) for r in found]
        cells[f"order:{name}"] = [float("nan") if r is None else r["estimate"] for r in found]
        unit = next((r["unit"] for r in found if r is not None), "")
        heading = labels.indicator(name, survey).en
        column = Column(name, heading, numbers.unit_heading(unit), align="right")
        columns.append(dataclasses.replace(column, sort=f"order:{name}"))
    return cells, columns


def _with_interval(row: Mapping[str, Any] | None) -> Any:
    """``38.2 (35.0 to 41.5)``, marked when it is to be read with caution."""
    if row is None:
        return Suppressed("not estimated")
    value = value_cell(row, sign=False)
    interval = interval_cell(row)
    if isinstance(value, Suppressed) or isinstance(interval, Suppressed):
        return value
    flag = flag_cell(row)
    remark = f"{flag.text}: {flag.remark}" if isinstance(flag, Marked) else flag
    return Marked(str(value), remark, below=str(interval), detail=detail_of(row) if remark else "")


def headline(
    estimates: pd.DataFrame,
    indicator: str = "headcount",
    domain_kind: str = "area",
    domain: str | None = None,
    *,
    names: Names | None = None,
    line: str = "",
) -> Text:
    """A sentence with the estimate and its interval.

    Parameters
    ----------
    line : for headcounts, what people live below, e.g. ``2,300 yuan a person a year``; empty
        takes the survey's own line.
    Others as in `estimates_table`; `domain` may be left out when there is one of the kind.
    """
    rows = select(estimates, indicator, domain_kind, domain)
    survey = labels.survey_of(estimates)
    label = labels.indicator(indicator, survey)
    if len(rows) != 1:
        why = "the survey has no such estimate" if rows.empty else "no domain was named"
        return nothing(decapitalised(label.en), why)
    row = records(rows)[0]
    place = escape_markdown(labels.domain(row["domain"], _names(estimates, domain_kind, names)))
    return Text(_sentence(row, label, place, line or _line_words(indicator, survey)))


def _line_words(indicator: str, survey: str) -> str:
    """The poverty line of the survey in words; "the poverty line" when no survey is named."""
    if not survey:
        return "the poverty line"
    from povmon.survey import load_survey

    found = load_survey(survey)
    wanted = indicator.partition("@")[2] or found.line.id
    line = next((entry for entry in found.lines if entry.id == wanted), found.line)
    return f"{numbers.money(line.value, found.currency.unit)} a person a year"


def _sentence(row: Mapping[str, Any], label: labels.Label, place: str, line: str) -> str:
    if numbers.is_missing(row["estimate"]):
        return f"{label.en} in {place} is not shown: {escape_markdown(reason_of(row))}."
    value = numbers.value_in_unit(row["estimate"], row["unit"])
    interval = interval_cell(row)
    between = "" if isinstance(interval, Suppressed) else f" (95\u202f% interval {interval})"
    caution = ""
    if row["flag"]:
        flag = flag_cell(row)
        why = f"{flag.text}, {flag.remark}" if isinstance(flag, Marked) else flag
        caution = f" This figure is marked: {escape_markdown(why)}."
    if str(row["indicator"]).partition("@")[0] == "headcount":
        who = label.population or "persons"
        return (
            f"In {place}, **{value}** of {who}{between} lived below "
            f"{escape_markdown(line)}.{caution}"
        )
    return f"{label.en} in {place}: **{value}**{between}.{caution}"


def published_comparison(
    estimates: pd.DataFrame, comparisons: Sequence[Any], names: Names | None = None
) -> Table | Text:
    """Published figures beside the survey's own, with the reason for a difference.

    Parameters
    ----------
    comparisons : entries of survey.yml's ``published`` (indicator, domain_kind, domain, value,
        unit, source, reason).
    """
    if not comparisons:
        return nothing("published figures", "survey.yml lists none to compare with")
    survey = labels.survey_of(estimates)
    lines = []
    for entry in comparisons:
        rows = select(estimates, entry.indicator, entry.domain_kind, entry.domain)
        row = records(rows)[0] if len(rows) == 1 else None
        shown = _names(estimates, entry.domain_kind, names)
        absent = Suppressed("not estimated here")
        lines.append(
            {
                "indicator": labels.indicator(entry.indicator, survey).en,
                "domain": capitalised(labels.domain(entry.domain, shown)),
                "own": absent if row is None else value_cell(row),
                "interval": absent if row is None else interval_cell(row),
                "published": numbers.value_in_unit(entry.value, entry.unit),
                "source": entry.source,
                "why": entry.reason,
            }
        )
    columns = [
        Column("domain", "Where", row_header=True),
        Column("indicator", "Indicator"),
        Column("own", "This report", align="right"),
        Column("interval", "95\u202f% interval", align="right"),
        Column("published", "Published", align="right"),
        Column("why", "Why they differ"),
        Column("source", "Source of the published figure"),
    ]
    return Table(pd.DataFrame(lines), "Published figures beside this report's", columns=columns)
