"""Tables, charts and sentences of the plan and of the liaison briefs.

Every function takes frames with known columns and gives a display object. An empty frame gives
a sentence that says what there is not, so that notebooks need no conditions.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from povmon.present import numbers, style
from povmon.present.display import Column, Figure, Suppressed, Table, Text, escape_markdown

NO_INTERVAL = "a count from the forms has no sampling interval"
POINTS = "percentage points"


def _zh(en: Any, zh: Any) -> str:
    """An English name with the Chinese one beside it."""
    return f"{en} {zh}".strip() if not numbers.is_missing(zh) else str(en)


def _labels(frame: pd.DataFrame, en: str = "en", zh: str = "zh") -> list[str]:
    return [_zh(a, b) for a, b in zip(frame[en], frame[zh], strict=True)]


def _value(row: pd.Series, key: str = "estimate", reason: str = "reason") -> Any:
    """A value in its row's unit, or the reason why it is missing."""
    if numbers.is_missing(row[key]):
        return Suppressed(str(row.get(reason) or "no value"))
    return numbers.value_in_unit(row[key], row["unit"])


def _interval(row: pd.Series, low: str = "ci_low", high: str = "ci_high", unit: str = "") -> Any:
    """An interval in its row's unit, or the reason why it is missing."""
    if numbers.is_missing(row[low]) or numbers.is_missing(row[high]):
        known = not numbers.is_missing(row.get("estimate"))
        return Suppressed(NO_INTERVAL if known else str(row.get("reason") or "no value"))
    return numbers.interval(row[low], row[high], unit or row["unit"])


def _signed(value: Any, unit: str) -> str:
    """A difference with its sign; that of two shares in percentage points."""
    text = numbers.value_in_unit(value, unit, sign=unit not in ("share", "percent"))
    return f"+{text}" if not numbers.is_missing(value) and float(value) > 0 else text


def _each(frame: pd.DataFrame, function: Any, *arguments: Any) -> list[Any]:
    return [function(row, *arguments) for _, row in frame.iterrows()]


def _percent(value: Any) -> str:
    return numbers.percent(value)


def text(markdown: str) -> Text:
    """A passage written elsewhere, from trusted words only."""
    return Text(markdown)


def outline_table(frame: pd.DataFrame) -> Table:
    """The outline's requirements: element, requirement, basis."""
    shown = pd.DataFrame(
        {
            "element": _labels(frame, "element_en", "element_zh"),
            "requirement": _labels(frame, "requirement_en", "requirement_zh"),
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


def headline(situation: pd.DataFrame, area_en: str, area_zh: str, title: str) -> Text:
    """What the draft says first: the headcount of the area beside that of the areas combined."""
    name = f"{escape_markdown(area_en)} {escape_markdown(area_zh)}".strip()
    row = situation[situation["indicator"] == "headcount"]
    if row.empty or numbers.is_missing(row["estimate"].iloc[0]):
        return Text(f"The survey has no headcount of poverty for {name} that may be shown.")
    line = row.iloc[0]
    first = (
        f"In **{name}**, {_percent(line['estimate'])} of the rural registered population were "
        f"poor (95 % interval {numbers.interval(line['ci_low'], line['ci_high'], 'share')} %), "
        f"according to {escape_markdown(title)}."
    )
    if numbers.is_missing(line["pooled"]):
        return Text(first)
    words = {
        "worse": "The area is poorer than the areas combined beyond the sampling error.",
        "better": "The area is less poor than the areas combined beyond the sampling error.",
    }
    reading = words.get(
        line["reading"],
        "The survey cannot tell whether the area is poorer or less poor than the areas combined.",
    )
    pooled = f"In all areas of the survey combined it was {_percent(line['pooled'])}."
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
        return Text(f"The survey has no indicator for: {escape_markdown(subject)}.")
    shown = pd.DataFrame(
        {
            "indicator": _labels(frame),
            "value": _each(frame, _value),
            "interval": _each(frame, _interval),
            "pooled": [numbers.value_in_unit(r["pooled"], r["unit"]) for _, r in frame.iterrows()],
            "difference": _each(frame, _difference),
            "reading": frame["reading"].to_numpy(),
            "flag": frame["flag"].to_numpy(),
        }
    )
    columns = [
        Column("indicator", "Indicator", row_header=True),
        Column("value", "Estimate", align="right"),
        Column("interval", "95 % interval", align="right"),
        Column("pooled", "Areas combined", align="right"),
        Column("difference", "Difference and its interval", align="right"),
        Column("reading", "Compared"),
        Column("flag", "Flag"),
    ]
    if "area_en" in frame.columns:
        shown.insert(0, "area", _labels(frame, "area_en", "area_zh"))
        columns.insert(0, Column("area", "Area", row_header=True))
    return Table(
        shown,
        f"{subject}: the area beside all areas of the survey combined",
        note=(
            "Differences of shares are in percentage points. Their intervals are on the cautious "
            "side, because the area is itself part of the areas combined. Worse, better, higher "
            "or lower stands only where the interval of the difference excludes zero."
        ),
        columns=columns,
    )


def _difference(row: pd.Series) -> Any:
    if numbers.is_missing(row["difference"]):
        return Suppressed(str(row["reason"] or "no comparison of totals, or no sampling error"))
    low, high = (_signed(row[k], row["unit"]) for k in ("difference_low", "difference_high"))
    return f"{_signed(row['difference'], row['unit'])} ({low} to {high})"


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
            "task": _labels(frame, "task_en", "task_zh"),
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
    "working value": " (working value)",
    "no value": "",
}


def targets_table(frame: pd.DataFrame) -> Table | Text:
    """Targets against the baseline, with the answer whether they are met."""
    if frame.empty:
        return Text("No target is held against the survey here.")
    shown = pd.DataFrame(
        {
            "target": _target_names(frame),
            "due": [str(v) for v in frame["due"]],
            "value": _each(frame, _value),
            "interval": _each(frame, _interval),
            "aim": _each(frame, _aim),
            "met": frame["met"].to_numpy(),
            "why": frame["reason"].to_numpy(),
        }
    )
    columns = [
        Column("target", "Target", row_header=True),
        Column("due", "By"),
        Column("value", "Baseline", align="right"),
        Column("interval", "95 % interval", align="right"),
        Column("aim", "Target value", align="right"),
        Column("met", "Met?"),
        Column("why", "Why"),
    ]
    if "area_en" in frame.columns:
        shown.insert(0, "area", _labels(frame, "area_en", "area_zh"))
        columns.insert(0, Column("area", "Area", row_header=True))
    remarks = dict.fromkeys(f"{r['en']}: {r['note']}" for _, r in frame.iterrows() if r["note"])
    return Table(
        shown,
        "Verified targets against the baseline, and whether the survey can tell that they are met",
        note=" ".join(remarks),
        columns=columns,
    )


def _target_names(frame: pd.DataFrame) -> list[str]:
    """Target names; a part of an area carries its province."""
    names = frame.get("domain_name", pd.Series([""] * len(frame), index=frame.index))
    return [
        f"{label} ({name})" if name else label
        for label, name in zip(_labels(frame), names, strict=True)
    ]


def _aim(row: pd.Series) -> Any:
    if numbers.is_missing(row["aim"]):
        return Suppressed("the source gives no number")
    return f"{numbers.percent(row['aim'])}{_BASIS[row['value_basis']]}"


def change_table(frame: pd.DataFrame) -> Table | Text:
    """The change a year that closes each gap by its date."""
    rows = frame[frame["yearly"].notna()]
    if rows.empty:
        return Text("No target here has both a value and a baseline, so no change can be named.")
    shown = pd.DataFrame(
        {
            "target": _target_names(rows),
            "gap": [_signed(v, "share") for v in rows["gap"]],
            "years": [str(v) for v in rows["years"]],
            "yearly": [_signed(v, "share") for v in rows["yearly"]],
            "range": [
                f"{_signed(a, 'share')} to {_signed(b, 'share')}"
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
    yearly = rows[rows["yearly"].notna()]
    if yearly.empty:
        return Text(said)
    steep = yearly.loc[yearly["yearly"].abs().idxmax()]
    return Text(
        f"{said} The steepest climb is *{escape_markdown(steep['en'])}*: "
        f"{_signed(steep['yearly'], 'share')} {POINTS} a year until {steep['due']}."
    )


def open_items_table(frame: pd.DataFrame) -> Table:
    """Objectives for which no verified value is at hand."""
    shown = pd.DataFrame(
        {
            "item": _labels(frame),
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


def priorities_figure(frame: pd.DataFrame, area: str) -> Figure | Text:
    """Contributions of the deprivations to M0, with intervals."""
    if frame.empty:
        return Text("The estimates have no contributions to multidimensional poverty here.")
    rows = frame.iloc[::-1]
    fig, axes = style.figure(6.8, 0.36 * len(rows) + 0.9)
    axes.barh(_labels(rows), 100 * rows["contribution"], color=style.ACCENT, height=0.62)
    bounded = rows[rows["ci_low"].notna() & rows["ci_high"].notna()]
    axes.hlines(
        _labels(bounded), 100 * bounded["ci_low"], 100 * bounded["ci_high"],
        color=style.INK, linewidth=1.6,
    )  # fmt: skip
    axes.set_xlabel("Share in multidimensional poverty M0, %")
    axes.grid(axis="y", visible=False)
    said = ", ".join(f"{r['en']} {_percent(r['contribution'])}" for _, r in frame.iterrows())
    return Figure(
        fig,
        "What multidimensional poverty in the area consists of (lines: 95 % intervals)",
        f"Contributions of the deprivations to M0 in {area}: {said}.",
    )


def priorities_table(frame: pd.DataFrame) -> Table | Text:
    """Deprivations by contribution, with the key tasks that answer them."""
    if frame.empty:
        return Text("Without contributions, no deprivation can be matched to a key task.")
    shown = pd.DataFrame(
        {
            "deprivation": _labels(frame),
            "contribution": [_percent(v) for v in frame["contribution"]],
            "interval": [
                numbers.interval(a, b, "share")
                for a, b in zip(frame["ci_low"], frame["ci_high"], strict=True)
            ],
            "cumulative": [_percent(v) for v in frame["cumulative"]],
            "deprived": [_percent(v) for v in frame["uncensored"]],
            "tasks": frame["tasks"].where(frame["tasks"] != "", "none in the outline"),
            "chapter": frame["chapter"],
        }
    )
    return Table(
        shown,
        "Deprivations by their share in M0, and the key tasks that answer them",
        note=(
            "The shares add up to 100 %. A share depends on the weights as well as on how many "
            "are deprived; the column Deprived counts all persons, poor or not."
        ),
        columns=[
            Column("deprivation", "Deprivation", row_header=True),
            Column("contribution", "Share in M0", align="right"),
            Column("interval", "95 % interval", "%", align="right"),
            Column("cumulative", "Added up", align="right"),
            Column("deprived", "Deprived", align="right"),
            Column("tasks", "Key tasks"),
            Column("chapter", "Chapter"),
        ],
    )


def priorities_text(frame: pd.DataFrame) -> Text:
    """Which deprivations come first, and whether their order is certain."""
    if frame.empty:
        return Text("The survey does not say which deprivations weigh most in this area.")
    first = frame.head(3)
    names = numbers.listing(list(first["en"]))
    said = (
        f"{escape_markdown(names).capitalize()} come first: together "
        f"{_percent(first['contribution'].sum())} of multidimensional poverty."
    )
    if len(frame) > 1 and frame["ci_low"].iloc[0] > frame["ci_high"].iloc[1]:
        return Text(f"{said} The first stands clear of the second.")
    return Text(f"{said} The intervals of the first and the second overlap.")


def need_table(frame: pd.DataFrame, top: int = 15) -> Table | Text:
    """Counties in greatest need; those that are withheld are counted, never ranked."""
    rows = frame[frame["rank"].notna()]
    if rows.empty:
        return Text("No county of the area has a headcount that may be published.")
    rows = rows if "area_en" in rows.columns else rows.head(top)
    shown = pd.DataFrame(
        {
            "rank": [str(v) for v in rows["rank"]],
            "county": _labels(rows, "county_en", "county_zh"),
            "province": _labels(rows, "province_en", "province_zh"),
            "value": _each(rows, _value),
            "interval": _each(rows, _interval),
            "order": rows["overlaps_first"].map({True: "cannot tell from 1", False: "below 1"}),
            "key": rows["key_county"].to_numpy(),
            "flag": rows["flag"].to_numpy(),
        }
    )
    shown.loc[rows["rank"].eq(1).to_numpy(), "order"] = ""
    columns = [
        Column("rank", "Rank", align="right", row_header=False),
        Column("county", "County", row_header=True),
        Column("province", "Province"),
        Column("value", "Headcount", align="right"),
        Column("interval", "95 % interval", "%", align="right"),
        Column("order", "Order"),
        Column("key", "Key county"),
        Column("flag", "Flag"),
    ]
    if "area_en" in rows.columns:
        shown.insert(0, "area", _labels(rows, "area_en", "area_zh"))
        columns.insert(0, Column("area", "Area", row_header=True))
    hidden = int(frame["rank"].isna().sum())
    withheld = f" {numbers.count_of(hidden, 'county is', 'counties are')} withheld." if hidden else ""
    return Table(
        shown,
        "Counties in greatest need, by headcount",
        note=(
            "Cannot tell from 1: the county's interval reaches that of the first, so that the "
            f"order of the two is open.{withheld} The assignment of counties to areas was "
            "compiled and cross-checked, not copied from one official file."
        ),
        columns=columns,
    )


def need_text(frame: pd.DataFrame) -> Text:
    """How far the ranking of counties can be trusted."""
    rows = frame[frame["rank"].notna()]
    hidden = len(frame) - len(rows)
    if rows.empty:
        return Text("No county can be ranked: every headcount is withheld or absent.")
    first = rows.iloc[0]
    name = escape_markdown(_zh(first["county_en"], first["county_zh"]))
    reach = int(rows["overlaps_first"].sum()) - 1
    said = f"{name} has the largest headcount, {_percent(first['estimate'])}"
    said += f" ({numbers.interval(first['ci_low'], first['ci_high'], 'share')} %)."
    others = numbers.count_of(reach, "other county cannot", "other counties cannot")
    said += f" Of {numbers.count_of(len(rows), 'county', 'counties')}, {others} be told from it."
    if hidden:
        said += f" {numbers.count_of(hidden, 'county is', 'counties are')} withheld and not ranked."
    return Text(said)


def provinces_table(frame: pd.DataFrame) -> Table | Text:
    """Headcount of the area's part of each province."""
    if frame.empty:
        return Text("The survey does not divide this area by provinces.")
    shown = pd.DataFrame(
        {
            "province": _labels(frame, "province_en", "province_zh"),
            "counties": frame["counties"].to_numpy(),
            "value": _each(frame, _value),
            "interval": _each(frame, _interval),
            "n": frame["n"].to_numpy(),
        }
    )
    return Table(
        shown,
        "Headcount in the area's part of each province",
        columns=[
            Column("province", "Province"),
            Column("counties", "Counties surveyed", format="integer"),
            Column("value", "Headcount", align="right"),
            Column("interval", "95 % interval", "%", align="right"),
            Column("n", "Households", format="integer"),
        ],
    )


def schedule_table(frame: pd.DataFrame, as_of: str) -> Table:
    """Events and products of the planning work with their status."""
    dates = [
        _dates(a, b, note)
        for a, b, note in zip(frame["start"], frame["end"], frame["note"], strict=True)
    ]
    shown = pd.DataFrame(
        {
            "what": [
                f"{label} ({province})" if province else label
                for label, province in zip(_labels(frame), frame["province"], strict=True)
            ],
            "system": frame["system"],
            "date": dates,
            "delivered": [v or Suppressed("nothing on record") if k == "product" else "does not apply"
                          for v, k in zip(frame["delivered"], frame["kind"], strict=True)],
            "status": frame["status"],
            "days": [Suppressed("not late, or not known") if numbers.is_missing(v) else str(v)
                     for v in frame["days_late"]],
        }
    )  # fmt: skip
    return Table(
        shown,
        f"Events and products of the planning work, as of {as_of}",
        note="Source: the published account of the planning work of December 2011.",
        columns=[
            Column("what", "Event or product"),
            Column("system", "System"),
            Column("date", "Date or last day"),
            Column("delivered", "Delivered"),
            Column("status", "Status"),
            Column("days", "Days late", align="right"),
        ],
    )


def _dates(start: str, end: str, note: str) -> Any:
    if not start and not end:
        return Suppressed(note or "no date in the account")
    if start == end:
        return start
    if not start:
        return f"by {end}"
    return f"{start} to {end}" if end else f"after {start}"


def schedule_text(frame: pd.DataFrame, as_of: str) -> Text:
    """What is late, or why that cannot be said."""
    products = frame[frame["kind"] == "product"]
    late = products[products["status"] == "late"]
    unknown = int((products["status"] == "not reported").sum())
    undated = int((products["status"] == "no date").sum())
    if len(late):
        items = [
            f"{escape_markdown(r['en'])}{_from(r['province'])}, "
            f"{numbers.count_of(r['days_late'], 'day')}"
            for _, r in late.iterrows()
        ]
        return Text(f"Late on {as_of}: {'; '.join(items)}.")
    said = [f"Judged on {as_of}, nothing is on record as late."]
    if unknown:
        count = numbers.count_of(unknown, "product was", "products were")
        said.append(f"{count} due by then, but no deliveries are on record (*not reported*).")
    if undated:
        count = numbers.count_of(undated, "product has", "products have")
        said.append(f"{count} no date in the account for this area.")
    return Text(" ".join(said))


def _from(province: str) -> str:
    return f" ({escape_markdown(province)})" if province else ""


def plan_tables_text(received: list[str], missing: list[str], faults: int, area: str) -> Text:
    """Which provinces sent their plan tables."""
    if not received:
        return Text(
            f"No province has sent its plan table for {escape_markdown(area)}. "
            f"Missing: {escape_markdown(numbers.listing(missing) or 'none expected')}. A table "
            "goes into the survey's folder `planning/tables/`, one CSV file a province; its "
            "columns stand in the documentation."
        )
    said = f"Plan tables received: {escape_markdown(numbers.listing(received))}."
    if missing:
        said += f" Missing: {escape_markdown(numbers.listing(missing))}."
    return Text(f"{said} The checks found {numbers.count_of(faults, 'fault')}.")


def plan_tables_table(frame: pd.DataFrame, provinces: dict[str, str]) -> Table | Text:
    """Projects and investment of the provinces' plan tables by key task."""
    if frame.empty:
        return Text("There are no projects to add up.")
    shown = frame.assign(task=_labels(frame))
    columns = [
        Column("task", "Key task"),
        Column("projects", "Projects", format="integer"),
        Column("counties", "Counties", format="integer"),
        *(
            Column(c, provinces.get(c[1:], c[1:]), "10,000 yuan", "number:1")
            for c in frame.columns
            if c.startswith("p") and c[1:].isdigit()
        ),
        Column("investment", "Area", "10,000 yuan", "number:1"),
    ]
    return Table(
        shown,
        "Investment planned by the provinces, added up by key task",
        note="Rows with a fault are left out and listed.",
        columns=columns,
        total_rows=1,
    )


def plan_faults_table(frame: pd.DataFrame, provinces: dict[str, str]) -> Table | Text:
    """Faults of the provinces' plan tables."""
    if frame.empty:
        return Text("No faults in plan tables are on record.")
    shown = frame.assign(province=[provinces.get(p, p) for p in frame["province_id"]])
    return Table(
        shown,
        "Faults in the provinces' plan tables",
        columns=[
            Column("province", "Province"),
            Column("line", "Line", format="integer"),
            Column("column", "Column"),
            Column("message", "What is wrong"),
        ],
    )


def review_text(frame: pd.DataFrame) -> Text:
    """How many requirements the draft meets."""
    counts = {k: int((frame["status"] == k).sum()) for k in ("met", "not met", "cannot be checked")}
    return Text(
        f"Of {numbers.count_of(len(frame), 'requirement')} of the outline, the draft meets "
        f"{counts['met']} and fails {counts['not met']}; {counts['cannot be checked']} cannot be "
        "checked from data."
    )


def review_table(frame: pd.DataFrame) -> Table:
    """The draft against the outline, requirement by requirement."""
    shown = pd.DataFrame(
        {
            "element": _labels(frame, "element_en", "element_zh"),
            "requirement": _labels(frame),
            "status": frame["status"],
            "reason": frame["reason"],
        }
    )
    return Table(
        shown,
        "The outline's requirements: met, not met, or not to be checked from data",
        columns=[
            Column("element", "Heading"),
            Column("requirement", "Requirement", row_header=True),
            Column("status", "Status"),
            Column("reason", "Reason"),
        ],
    )


def files_table(frame: pd.DataFrame) -> Table:
    """Files that were written."""
    return Table(
        frame,
        "Files written, in the area's folder of data/processed",
        columns=[
            Column("file", "File"),
            Column("rows", "Rows", format="integer"),
            Column("holds", "Holds"),
        ],
    )
