"""The outline, the situation of an area and its targets, for the plan and the briefs.

Every function takes frames with known columns and gives a display object. An empty frame gives
a sentence that says what there is not, so that notebooks need no conditions.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from povmon.present import labels as names
from povmon.present import numbers
from povmon.present.cells import (
    FLAG_NOTE,
    POINTS,
    each,
    estimate_cell,
    interval_cell,
    labels,
    pooled_cell,
    several_areas,
    signed,
    value_cell,
)
from povmon.present.display import Column, Suppressed, Table, Text, escape_markdown


def outline_table(frame: pd.DataFrame) -> Table:
    """The outline's requirements: element, requirement, basis."""
    shown = pd.DataFrame(
        {
            "element": labels(frame, "element_en", "element_zh"),
            "requirement": labels(frame, "requirement_en", "requirement_zh"),
            "basis": frame["basis_text"],
        }
    )
    return Table(
        shown,
        "The outline's requirements by heading, and what each is based on",
        fold=True,
        columns=[
            Column("element", "Heading"),
            Column("requirement", "Requirement"),
            Column("basis", "Based on"),
        ],
    )


def headline(situation: pd.DataFrame, area_en: str, area_zh: str, title: str, line: str) -> Text:
    """What the draft says first: the headcount of the area beside that of the areas combined.

    Parameters
    ----------
    situation : indicator, estimate, ci_low, ci_high, pooled, reading.
    area_en, area_zh : names of the area.
    title : title of the survey.
    line : the poverty line in words.
    """
    name = f"{escape_markdown(area_en)} {escape_markdown(area_zh)}".strip()
    row = situation[situation["indicator"] == "headcount"]
    if row.empty or numbers.is_missing(row["estimate"].iloc[0]):
        return Text(f"The survey has no headcount of poverty for {name} that may be shown.")
    first_row = row.iloc[0]
    ends = numbers.interval(first_row["ci_low"], first_row["ci_high"], "share")
    first = (
        f"In **{name}**, {numbers.percent(first_row['estimate'])} of the rural registered "
        f"population were poor (95 % interval {ends} %), "
        f"according to the {escape_markdown(title)}. The line is {escape_markdown(line)}."
    )
    if numbers.is_missing(first_row["pooled"]):
        return Text(first)
    words = {
        "worse": "The area is poorer than the areas combined beyond the sampling error.",
        "better": "The area is less poor than the areas combined beyond the sampling error.",
    }
    reading = words.get(
        first_row["reading"],
        "The survey cannot tell whether the area is poorer or less poor than the areas combined.",
    )
    pooled = f"In all areas of the survey combined it was {numbers.percent(first_row['pooled'])}."
    return Text(f"{first} {pooled} {reading}")


def situation_table(frame: pd.DataFrame, subject: str) -> Table | Text:
    """Indicators of an area beside those of the areas combined.

    Parameters
    ----------
    frame : indicator, en, zh, unit, estimate, ci_low, ci_high, reason, pooled, difference,
        difference_low, difference_high, reading; with column area_en when it has several areas.
    subject : what the indicators are about, for the caption.
    """
    if frame.empty:
        return Text(f"{escape_markdown(subject)}: the survey has nothing to show here.")
    shown = pd.DataFrame(
        {
            "indicator": labels(frame),
            "value": each(frame, value_cell),
            "interval": each(frame, interval_cell),
            "pooled": each(frame, pooled_cell),
            "difference": each(frame, _difference),
            "reading": frame["reading"].to_numpy(),
        }
    )
    columns = [
        Column("indicator", "Indicator", row_header=True),
        Column("value", "Estimate", align="right"),
        Column("interval", "95 % interval", align="right"),
        Column("pooled", "Areas combined", align="right"),
        Column("difference", "Difference and its interval", align="right"),
        Column("reading", "Compared"),
    ]
    if several_areas(frame):
        shown.insert(0, "area", labels(frame, "area_en", "area_zh"))
        columns.insert(0, Column("area", "Area", row_header=True))
    return Table(
        shown,
        f"{subject}: the area beside all areas of the survey combined",
        note=(
            "Differences of shares are in percentage points, against the figures of the areas "
            "combined as published (rounded). Their intervals are on the cautious "
            "side, because the area is itself part of the areas combined. Worse, better, higher "
            "or lower stands only where the interval of the difference excludes zero. " + FLAG_NOTE
        ),
        columns=columns,
    )


def _difference(row: pd.Series) -> Any:
    if numbers.is_missing(row["difference"]):
        return Suppressed(str(row["reason"] or "no comparison of totals, or no sampling error"))
    low, high = (signed(row[k], row["unit"], False) for k in ("difference_low", "difference_high"))
    return f"{signed(row['difference'], row['unit'])} ({low} to {high})"


def situation_text(frame: pd.DataFrame, planners: str) -> Text:
    """What a chapter's indicators say in a sentence, and what is left to the planners."""
    left = f"*For the planners to write:* {escape_markdown(planners)}."
    compared = frame[frame["reading"] != ""]
    if compared.empty:
        return Text(left)
    parts = []
    for reading, words in (
        ("worse", "is worse than the areas combined in"),
        ("better", "is better in"),
        ("higher", "is higher in"),
        ("lower", "is lower in"),
    ):
        names = list(compared.loc[compared["reading"] == reading, "en"])
        if names:
            parts.append(f"{words} {escape_markdown(numbers.listing(names))}")
    unclear = int((compared["reading"] == "cannot tell").sum())
    said = f"The area {'; '.join(parts)}." if parts else ""
    if unclear:
        count = numbers.count_of(unclear, "indicator")
        said += f" For {count} of {len(compared)} the survey cannot tell a difference."
    return Text(f"{said.strip()}\n\n{left}")


def tasks_table(frame: pd.DataFrame) -> Table | Text:
    """Key tasks of a chapter and what they answer."""
    if frame.empty:
        return Text("The outline has no key task in this chapter.")
    shown = pd.DataFrame(
        {
            "task": labels(frame, "task_en", "task_zh"),
            "answers": frame["answers"].where(frame["answers"] != "", "no deprivation directly"),
        }
    )
    return Table(
        shown,
        "Key tasks of the chapter and the deprivations they answer",
        columns=[Column("task", "Key task"), Column("answers", "Answers")],
    )


_BASIS = {
    "source": "",
    "working value": " *",
    "no value": "",
}


def targets_table(frame: pd.DataFrame) -> Table | Text:
    """Targets against the baseline, with the answer whether they are met."""
    if frame.empty:
        return Text("No target is held against the survey here.")
    shown = pd.DataFrame(
        {
            "target": _target_names(frame),
            "measure": [_measure(i) for i in frame["indicator"]],
            "due": [str(v) for v in frame["due"]],
            "value": each(frame, estimate_cell),
            "aim": each(frame, _aim),
            "met": frame["met"].to_numpy(),
            "why": each(frame, _why),
        }
    )
    columns = [
        Column("target", "Target", row_header=True),
        Column("measure", "Measured by"),
        Column("due", "By"),
        Column("value", "Baseline and 95 % interval", align="right"),
        Column("aim", "Target value", align="right"),
        Column("met", "Met?"),
        Column("why", "Why"),
    ]
    if several_areas(frame):
        shown.insert(0, "area", labels(frame, "area_en", "area_zh"))
        columns.insert(0, Column("area", "Area", row_header=True))
    return Table(
        shown,
        "Verified targets against the baseline, and whether the survey can tell that they are met",
        note=(
            "* Working value: the source gives words, the number is this project's reading. What "
            "the counties report is a count of all their villages, without a sampling error. "
            + FLAG_NOTE
        ),
        columns=columns,
    )


def targets_notes(frame: pd.DataFrame) -> Text:
    """What each target is measured by, and the reservations."""
    rows = frame[frame["note"] != ""].drop_duplicates("target")
    if rows.empty:
        return Text("There are no reservations on the targets.")
    lines = [
        f"- *{escape_markdown(r['en'])}:* {escape_markdown(r['note'])}" for _, r in rows.iterrows()
    ]
    return Text("\n".join(lines))


def _measure(indicator: str) -> Any:
    """What a target is measured by, in words."""
    if not indicator:
        return Suppressed("the survey has no indicator for it")
    return names.indicator(indicator).en


def _target_names(frame: pd.DataFrame) -> list[str]:
    """Target names; a part of an area carries its province."""
    names = frame.get("domain_name", pd.Series([""] * len(frame), index=frame.index))
    return [
        f"{label} ({name})" if name else label
        for label, name in zip(labels(frame), names, strict=True)
    ]


def _aim(row: pd.Series) -> Any:
    if numbers.is_missing(row["aim"]):
        return Suppressed("the source gives no number")
    return f"{numbers.percent(row['aim'])}{_BASIS[row['value_basis']]}"


def _why(row: pd.Series) -> str:
    """The reason of the answer, and what the county forms say where they say it."""
    if numbers.is_missing(row["reported"]):
        return str(row["reason"])
    return f"{row['reason']}; the counties report {numbers.percent(row['reported'])}"


def change_table(frame: pd.DataFrame) -> Table | Text:
    """The change a year that closes each gap by its date."""
    rows = frame if frame.empty else frame[frame["yearly"].notna()]
    if rows.empty:
        return Text("No target here has both a value and a baseline, so no change can be named.")
    shown = pd.DataFrame(
        {
            "target": _target_names(rows),
            "measure": [_measure(i) for i in rows["indicator"]],
            "gap": [signed(v, "share") for v in rows["gap"]],
            "years": [str(v) for v in rows["years"]],
            "yearly": [signed(v, "share", digits=2) for v in rows["yearly"]],
            "range": [
                f"{signed(a, 'share', digits=2)} to {signed(b, 'share', digits=2)}"
                for a, b in zip(rows["yearly_low"], rows["yearly_high"], strict=True)
            ],
        }
    )
    return Table(
        shown,
        "Change a year needed from the survey to the target year",
        note=(
            "Gap is the target minus the baseline. The range is the change needed from either "
            "end of the baseline's interval; zero where that end is already at the target."
        ),
        columns=[
            Column("target", "Target", row_header=True),
            Column("measure", "Measured by"),
            Column("gap", "Gap", POINTS, align="right"),
            Column("years", "Years", align="right"),
            Column("yearly", "Needed a year", POINTS, align="right"),
            Column("range", "Range", POINTS, align="right"),
        ],
    )


def targets_text(frame: pd.DataFrame) -> Text:
    """How many targets are met, missed, or beyond what the survey can tell."""
    rows = frame[frame["met"] != "does not apply"]
    if rows.empty:
        return Text("No verified target applies to this area.")
    counts = {k: int((rows["met"] == k).sum()) for k in ("yes", "no", "cannot tell")}
    said = (
        f"Of {numbers.count_of(len(rows), 'comparison')} with the verified targets, the survey "
        f"shows {counts['yes']} as already met and {counts['no']} as not yet met; for "
        f"{counts['cannot tell']} it cannot tell."
    )
    working = int(((rows["met"] == "no") & (rows["value_basis"] == "working value")).sum())
    if working:
        said += (
            f" Of those not yet met, {working} are held against working values of this project, "
            "because the source gives words and no number."
        )
    yearly = rows[rows["yearly"].notna()]
    if yearly.empty:
        return Text(said)
    steep = yearly.sort_values("yearly", key=abs, kind="stable").iloc[-1]
    return Text(
        f"{said} The steepest climb is *{escape_markdown(steep['en'])}*: "
        f"{signed(steep['yearly'], 'share')} {POINTS} a year until {steep['due']}."
    )


def open_items_table(frame: pd.DataFrame) -> Table:
    """Objectives for which no verified value is at hand."""
    shown = pd.DataFrame(
        {
            "item": labels(frame),
            "year": [Suppressed("no year in a source") if numbers.is_missing(v) else f"{v:.0f}"
                     for v in frame["year"]],
            "note": frame["note"],
        }
    )  # fmt: skip
    return Table(
        shown,
        "Objectives to be filled by the user: no value with a source is at hand",
        columns=[Column("item", "Objective"), Column("year", "By"), Column("note", "What lacks")],
    )
