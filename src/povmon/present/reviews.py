"""What to check first, what was answered, and whether a submission is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from povmon.audit import Audit
from povmon.audit.acceptance import ALL_FORMS, NOTHING, VERDICTS
from povmon.audit.returns import STATUSES
from povmon.present import labels, numbers, style
from povmon.present.display import Column, Figure, Suppressed, Table, Text
from povmon.present.tables import nothing
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS
from povmon.survey.origin import origin_text

TOP = 20
WORTH = 0.1  # standard errors: below, a value moves no published figure that a reader would see
NO_RECORD = "names no accepted record that a published figure rests on"
_MARKS = {"hard": ("certain error (hard)", "o", style.WARM), "soft": ("doubtful (soft)", "^",
                                                                      style.ACCENT)}  # fmt: skip


def cell_words(cell: str, survey: str) -> str:
    """A published cell in words: "county 520526: headcount" as county name and indicator."""
    if not cell:
        return ""
    place, _, indicator = cell.partition(": ")
    kind, _, name = place.partition(" ")
    where = labels.domain(name, labels.domain_names(kind, survey))
    what = labels.indicator(indicator, survey).en
    return f"{where}: {what[:1].lower()}{what[1:]}"


def field_words(level: str, column: str) -> str:
    """A field's English label; the record as a whole where there is none."""
    if level in FORMS and column in FORMS[level].columns and column not in FORMS[level].key:
        return FORMS[level][column].en
    return "(whole record)" if level in FORMS else "(file)"


def form_words(level: str) -> str:
    """A form's English title."""
    return FORMS[level].en if level in FORMS else "Files"


def place_words(row: Mapping[Any, Any]) -> str:
    """File, sheet and line of an item, as readers know them."""
    return origin_text(str(row["file"]), str(row["sheet"]), int(row["line"]))


def items_frame(review: pd.DataFrame, survey: str) -> pd.DataFrame:
    """Items in words: where, what, value, expected, influence, the figure moved, the remark."""
    rows = review.to_dict("records")
    cells: dict[str, Any] = {
        "place": [place_words(r) for r in rows],
        "field": [field_words(r["level"], r["column"]) for r in rows],
        "shown": [str(r["value"]) or "(empty)" for r in rows],
        "usual": [
            Suppressed("no value is expected") if pd.isna(r["expected"]) else
            f"{r['expected']:,.0f}" for r in rows
        ],
        "moved": [cell_words(r["influence_cell"], survey) for r in rows],
        "weight": [
            Suppressed(NO_RECORD) if pd.isna(r["influence"]) else r["influence"] for r in rows
        ],
    }  # fmt: skip
    return review.assign(**cells)


def items_table(review: pd.DataFrame, survey: str, caption: str, note: str = "") -> Table:
    """A list of items as a table."""
    return Table(
        items_frame(review, survey),
        caption,
        note=note,
        columns=[
            Column("key", "Record", row_header=True),
            Column("field", "Field"),
            Column("shown", "Value"),
            Column("usual", "Expected", align="right"),
            Column("weight", "Influence", "standard errors", "number:2"),
            Column("moved", "Figure moved most", format="text"),
            Column("en", "What was found", format="text"),
            Column("place", "Where"),
        ],
        sortable=True,
    )


def first_to_check(audit: Audit) -> Table | Text:
    """The items with most influence on the published figures."""
    if audit.review.empty:
        return nothing("what to check", "nothing was found")
    top = audit.review.head(TOP)
    return items_table(
        top,
        audit.survey.survey,
        "What to check first",
        f"The first {len(top)} of {numbers.count_of(len(audit.review), 'item')}; all stand in "
        "review.parquet and, by province, in the return slips. Influence: by how many standard "
        "errors the published figure that depends on the value most would move, were the value "
        "as expected.",
    )


def influence_text(audit: Audit) -> Text:
    """How much of all influence the first items carry."""
    influence = audit.review["influence"].fillna(0.0).to_numpy(dtype=float)
    if not influence.sum():
        return nothing("the influence of what was found", "nothing found moves a published figure")
    worth = int((influence >= WORTH).sum())
    share = influence[:TOP].sum() / influence.sum()
    return Text(
        f"**{numbers.count_of(len(influence), 'item')}** "
        f"{'is' if len(influence) == 1 else 'are'} to be checked. {numbers.number(worth)} of them "
        f"{'moves' if worth == 1 else 'move'} a published figure by a tenth of its standard error "
        f"or more, and the first {min(TOP, len(influence))} carry {numbers.percent(share, 0)} of "
        "the influence of all."
    )


def influence_chart(audit: Audit) -> Figure | Text:
    """The first items by influence: certain errors and doubtful values by sign and colour."""
    top = audit.review[audit.review["influence"] > 0].head(TOP)
    if top.empty:
        return nothing("the influence of what was found", "nothing found moves a published figure")
    names = [
        f"{row['key']}  {field_words(row['level'], row['column'])}"
        for row in top.to_dict("records")
    ]  # fmt: skip
    figure, axes = style.figure(6.8, 0.24 * len(top) + 0.95)
    place = np.arange(len(top))
    axes.hlines(place, 0, top["influence"], color=style.MUTED, linewidth=1.0)
    for severity, (words, marker, colour) in _MARKS.items():
        rows = (top["severity"] == severity).to_numpy()
        fill = colour if severity == "hard" else style.PAPER
        axes.plot(top["influence"][rows], place[rows], linestyle="none", marker=marker,
                  markersize=6, markerfacecolor=fill, markeredgecolor=colour,
                  markeredgewidth=1.4, label=words)  # fmt: skip
    axes.set_yticks(place, names)
    axes.set_ylim(len(top) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("Influence on the published figure that depends on it most, standard errors")
    axes.legend(loc="lower right")
    first = top.iloc[0]
    return Figure(
        figure,
        "The items with most influence on the published figures",
        f"Dots for {len(top)} items. The first, {field_words(first['level'], first['column'])} of "
        f"{first['key']}, moves {cell_words(first['influence_cell'], audit.survey.survey)} by "
        f"{numbers.number(first['influence'], 2)} standard errors; the last shown moves one by "
        f"{numbers.number(top['influence'].iloc[-1], 2)}.",
    )


def province_words(province: str, survey: str) -> str:
    """A province by name; a survey that arrives in one piece has none."""
    return labels.domain(province, labels.domain_names("province", survey)) or "whole survey"


def acceptance_table(acceptance: pd.DataFrame, survey: str) -> Table:
    """Error rates by province and form with their intervals, and the verdicts."""
    frame = acceptance[acceptance["form"] != ALL_FORMS]
    none = acceptance[acceptance["verdict"] == NOTHING]
    frame = pd.concat([frame, none]).sort_index()
    rows = frame.to_dict("records")
    cells: dict[str, Any] = {
        "place": [province_words(r["province_id"], survey) for r in rows],
        "title": [form_words(r["form"]) if r["form"] != ALL_FORMS else "all forms" for r in rows],
        "unweighted": [_rate(r, "rate") for r in rows],
        "design": [_rate(r, "weighted") for r in rows],
    }
    frame = frame.assign(**cells)
    return Table(
        frame,
        "Records with a certain error, by province and form",
        note="Shares in per cent with their intervals. Of records: Clopper and Pearson's "
        "interval. Weighted: by the survey's weights, strata and sample villages (Korn and "
        "Graubard); of the county form, which is no sample, the same as of records.",
        columns=[
            Column("place", "Province", row_header=True),
            Column("title", "Form", row_header=True),
            Column("records", "Records", format="integer"),
            Column("with_hard", "With a certain error", format="integer"),
            Column("unweighted", "Of records", "%", align="right"),
            Column("design", "Weighted", "%", align="right"),
            Column("soft_rate", "With a doubtful value", "%", "percent:1"),
            Column("verdict", "Verdict"),
        ],
        sortable=True,
    )


def _rate(row: Mapping[Any, Any], name: str) -> str | Suppressed:
    if pd.isna(row[name]):
        return Suppressed("nothing was received")
    low, high = numbers.interval(row[f"{name}_low"], row[f"{name}_high"], "share").split(" to ")
    return f"{numbers.percent(row[name], sign=False)} ({low} to {high})"


def verdicts_table(acceptance: pd.DataFrame, survey: str, by_area: bool = False) -> Table:
    """One row a submission: the verdict on it and the reason.

    Parameters
    ----------
    acceptance : the audit's table, or those of several areas with a column area.
    by_area : the rows of several areas: name the area first.
    """
    whole = acceptance[acceptance["form"] == ALL_FORMS]
    whole = whole.assign(place=[province_words(p, survey) for p in whole["province_id"]])
    columns = [Column("place", "Province", row_header=True)]
    if by_area:
        names = labels.domain_names("area", survey)
        whole["where"] = [labels.domain(a, names) for a in whole["area"]]
        columns.insert(0, Column("where", "Area", row_header=True))
    columns += [
        Column("verdict", "Verdict"),
        Column("records", "Records", format="integer"),
        Column("with_hard", "With a certain error", format="integer"),
        Column("reason_words", "Because", format="text"),
    ]
    whole = whole.rename(columns={"reason": "reason_words"})
    return Table(whole, "Verdict on each province's submission", columns=columns, sortable=True)


def acceptance_text(acceptance: pd.DataFrame, survey: Survey) -> Text:
    """The verdicts in a sentence, and the rule they follow."""
    whole = acceptance[acceptance["form"] == ALL_FORMS]
    counts = whole["verdict"].value_counts()
    found = [f"*{v}* for {counts[v]}" for v in (*VERDICTS, NOTHING) if v in counts]
    limits = survey.policy.acceptance
    return Text(
        f"Of {numbers.count_of(len(whole), 'submission')}: {numbers.listing(found)}. "
        f"A submission is accepted where the {limits.level:.0%} interval of the share of records "
        f"with a certain error lies at or below {numbers.percent(limits.accept_up_to)}, and "
        f"returned where it lies above {numbers.percent(limits.return_above)}; where the interval "
        "straddles the second limit the records cannot tell. Forms with fewer than "
        f"{limits.min_records} records decide for a return only."
    )


def followed_text(audit: Audit) -> Text:
    """What became of the items of the former submission, in a sentence."""
    if audit.followed.empty:
        return nothing("answers", "this is the first submission")
    counts = audit.followed["status"].value_counts()
    found = [f"{counts[s]} {s}" for s in STATUSES if s in counts]
    new = int((audit.review["status"] == "new").sum())
    return Text(
        f"Of {numbers.count_of(len(audit.followed), 'item')} returned with the former submission: "
        f"{numbers.listing(found)}. {numbers.count_of(new, 'item')} {'is' if new == 1 else 'are'} "
        "new."
    )


def followed_table(audit: Audit) -> Table | Text:
    """What became of the items of the former submission, by province."""
    if audit.followed.empty:
        return nothing("answers", "this is the first submission")
    followed = audit.followed
    counts = followed.groupby(["province_id", "status"]).size().unstack(fill_value=0)
    counts = counts.reindex(columns=list(STATUSES), fill_value=0)
    counts.insert(0, "items", counts.sum(axis=1))
    new = audit.review[audit.review["status"] == "new"].groupby("province_id").size()
    counts["new"] = new.reindex(counts.index).fillna(0).astype("int64")
    frame = counts.reset_index()
    frame["place"] = [province_words(p, audit.survey.survey) for p in frame["province_id"]]
    return Table(
        frame,
        "Items of the former submission and what became of them",
        note="Confirmed: the province says that the value is right. A certain error cannot be "
        "confirmed, because it contradicts itself.",
        columns=[
            Column("place", "Province", row_header=True),
            Column("items", "Items returned", format="integer"),
            *(Column(s, s[:1].upper() + s[1:], format="integer") for s in STATUSES),
            Column("new", "New since", format="integer"),
        ],
    )


def slip_name(province: str) -> str:
    """File name of a province's slip, without its ending."""
    return province or "whole"


def slips_table(audit: Audit) -> Table:
    """The return slips of the area's provinces, with links to them."""
    whole = audit.acceptance[audit.acceptance["form"] == ALL_FORMS]
    items = audit.review.groupby("province_id").size()
    provinces = list(whole["province_id"])
    frame = pd.DataFrame({
        "place": [province_words(p, audit.survey.survey) for p in provinces],
        "items": [int(items.get(p, 0)) for p in provinces],
        "verdict": list(whole["verdict"]),
        "page": "slip",
        "page:link": [f"returns/{slip_name(p)}.html" for p in provinces],
        "book": "Excel",
        "book:link": [f"returns/{slip_name(p)}.xlsx" for p in provinces],
    })  # fmt: skip
    return Table(
        frame,
        "Return slips",
        columns=[
            Column("place", "Province", row_header=True),
            Column("items", "Items to check", format="integer"),
            Column("verdict", "Verdict"),
            Column("page", "Slip", link="page:link"),
            Column("book", "To fill in", link="book:link"),
        ],
    )
