"""Tables, sentences and charts of the summary of all areas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from povmon import reference
from povmon.present import labels, numbers, style
from povmon.present.cells import bilingual
from povmon.present.display import Column, Figure, Suppressed, Table, Text, escape_markdown
from povmon.present.tables import interval_cell, nothing, value_cell
from povmon.survey import load_survey

COUNTS = {
    "counties": "Counties",
    "sample_villages": "Sample villages",
    "sample_households": "Sample households",
    "sample_persons": "Sample persons",
    "rural_population": "Rural registered population",
    "estimated_poor": "Poor persons, estimated",
    "registered_poor": "Registered poor, reported",
    "villages": "Administrative villages, reported",
    "villages_road": "with a hardened road",
    "funds": "Poverty funds, 10,000 yuan",
}
TITLES = {
    "area": "Areas",
    "province": "Provinces",
    "prefecture": "Prefectures",
    "county": "Counties",
}


def roll_up_table(tables: dict[str, pd.DataFrame], level: str, survey: str) -> Table | Text:
    """Counts and totals at one level, the sum of all areas in the last row.

    Parameters
    ----------
    tables : a frame a level, from the roll-up; each with its counts, ``all`` with the sums.
    level : "area", "province", "prefecture" or "county".
    """
    generated = load_survey(survey).synthetic
    if level not in tables:
        return nothing(f"{level} totals", "the survey's places have no such level")
    frame = tables[level].copy()
    frame.insert(0, "place", _places(frame, level, survey))
    whole = labels.whole(survey)
    total = tables["all"].assign(place=whole[:1].upper() + whole[1:])
    columns = [c for c in COUNTS if c in frame and c in total]
    rows = pd.concat([frame, total], ignore_index=True)
    for column in columns:
        rows[column] = rows[column].astype("float64").round()
    return Table(
        rows[["place", *columns]].assign(
            reason="not reported, or withheld as in the roll-up of the forms"
        ),
        f"{TITLES[level]}: counts and totals",
        note=(
            "Sample counts are accepted records. Reported figures come from the county forms; the "
            "estimated number of poor is the weighted sample, so it has a sampling error, given "
            "in the table of estimates."
            + (" All of these are generated, the sizes of counties too." if generated else "")
        ),
        columns=[
            Column("place", TITLES[level][:-1] if level != "county" else "County", row_header=True),
            *(Column(c, COUNTS[c], format="integer") for c in columns),
        ],
        sortable=True,
        total_rows=1,
    )


def _places(frame: pd.DataFrame, level: str, survey: str) -> list[str]:
    """Names of the places of a level, the province beside prefecture and county."""
    if level == "area":
        names = labels.domain_names("area", survey)
        return [names.get(a, str(a)) for a in frame["area"]]
    if f"{level}_en" not in frame:
        return [str(v) for v in frame.iloc[:, 0]]
    own = [bilingual(a, b) for a, b in zip(frame[f"{level}_en"], frame[f"{level}_zh"], strict=True)]
    if level == "province":
        return own
    return [f"{name}, {province}" for name, province in zip(own, frame["province_en"], strict=True)]


def checks_text(checks: pd.DataFrame) -> Text:
    """How many sums were checked, and that they agree."""
    wrong = int((~checks["agrees"]).sum())
    if wrong:
        return Text(f"**{wrong} of {len(checks)} sums do not agree**; see the table.")
    return Text(
        f"All {len(checks)} sums agree: each count adds up over counties, prefectures, provinces "
        "and areas to the same total, and the weighted number of poor equals the pooled estimate."
    )


def checks_table(checks: pd.DataFrame) -> Table:
    """Every check with both sides."""
    return Table(
        checks,
        "Checks that parts add up",
        columns=[
            Column("check", "Check", row_header=True),
            Column("left", "Sum of parts", format="number:1"),
            Column("right", "Total", format="number:1"),
            Column("difference", "Difference", format="number:6"),
            Column("agrees", "Agrees", format="yes"),
        ],
        fold=True,
    )


def ranking_table(ranked: pd.DataFrame, what: str, top: int | None = None) -> Table | Text:
    """Places in order of difficulty, with the range of ranks that the sample allows.

    Parameters
    ----------
    ranked : from `rank_areas` or `rank_counties`.
    what : "areas" or "counties".
    top : show only so many of the most difficult; None shows all.
    """
    if ranked.empty:
        return nothing(f"a ranking of {what}", "the survey has none")
    shown = ranked if top is None else ranked[ranked["rank"].notna()].head(top)
    rows = [{str(k): v for k, v in r.items()} | {"unit": "share"} for r in shown.to_dict("records")]
    frame = pd.DataFrame(
        {
            "rank": shown["rank"].to_numpy(),
            "ranks": [_rank_range(r) for r in rows],
            "place": [_place(r) for r in rows],
            "value": [value_cell(r) for r in rows],
            "interval": [interval_cell(r) for r in rows],
            "n": shown["n"].to_numpy(),
            "flag": [labels.flag(f) for f in shown["flag"]],
            "reason": shown["reason"].to_numpy(),
        }
    )
    left_out = int(ranked["rank"].isna().sum())
    note = (
        "Ranks: all true ranks lie in their ranges together with 90 % confidence (Klein, Wright "
        "and Wieczorek 2020)."
    )
    if left_out:
        note += f" {numbers.count_of(left_out, 'place')} cannot be ranked: too small a sample."
    if top is not None and top < len(ranked) - left_out:
        note += f" The {top} highest of {len(ranked) - left_out} are shown."
    return Table(
        frame,
        f"{what[:1].upper()}{what[1:]} by poverty headcount, most difficult first",
        note=note,
        columns=[
            Column("rank", "Rank", format="integer"),
            Column("place", "Place", row_header=True),
            Column("value", "Headcount", align="right"),
            Column("interval", "95 % interval", "%", align="right"),
            Column("ranks", "Range of ranks", align="right"),
            Column("n", "Households", format="integer"),
            Column("flag", "Reliability"),
        ],
    )


def _rank_range(row: dict[str, Any]) -> Any:
    if numbers.is_missing(row["rank"]):
        return Suppressed(str(row["reason"] or "no value"))
    if row["rank_low"] == row["rank_high"]:
        return f"{row['rank_low']}"
    return f"{row['rank_low']} to {row['rank_high']}"


def _place(row: dict[str, Any]) -> str:
    if "county_id" in row:
        name = bilingual(row["county_en"], row["county_zh"])
        return f"{name}, {row['province_en']}"
    return bilingual(row["name_en"], row["name_zh"])


def ranking_text(ranked: pd.DataFrame, what: str, synthetic: bool) -> Text:
    """What the ranking can and cannot tell, with its numbers."""
    known = ranked[ranked["rank"].notna()] if not ranked.empty else ranked
    if known.empty:
        return nothing(f"a ranking of {what}", "no place has a sample large enough")
    first = {str(k): v for k, v in known.iloc[0].items()}
    width = (known["rank_high"] - known["rank_low"] + 1).astype(float)
    ties = int((known["rank_low"] == 1).sum())
    text = (
        f"The highest headcount was estimated for {escape_markdown(_place(first))}: "
        f"{numbers.percent(first['estimate'])}. "
    )
    if ties > 1:
        text += (
            f"The sample cannot tell which of {ties} {what} is truly the most difficult: the range "
            f"of ranks of each of them includes the first. "
        )
    else:
        text += "No other comes into question for the first rank. "
    text += f"On average a range covers {np.mean(width):.1f} of {len(known)} ranks."
    if synthetic:
        text += " **The records are generated: this order says nothing about real places.**"
    return Text(text)


def ranking_chart(ranked: pd.DataFrame, what: str) -> Figure | Text:
    """Ranges of ranks as bars, the estimated rank as a dot."""
    known = ranked[ranked["rank"].notna()] if not ranked.empty else ranked
    if len(known) < 2:
        return nothing(f"a chart of ranks of {what}", "there are fewer than two to rank")
    place = np.arange(len(known))
    figure, axes = style.figure(6.8, 0.8 + 0.26 * len(known))
    low = known["rank_low"].astype(float)
    high = known["rank_high"].astype(float)
    axes.hlines(place, low, high, color=style.ACCENT, linewidth=5, alpha=0.35)
    axes.plot(known["rank"].astype(float), place, "o", color=style.ACCENT, markersize=5)
    names = [_place({str(k): v for k, v in r.items()}) for r in known.to_dict("records")]
    axes.set_yticks(place, names)
    axes.set_ylim(len(known) - 0.4, -0.6)
    axes.set_xlabel("Rank (1: highest headcount)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    wide = int((high - low).max() + 1)
    return Figure(
        figure,
        f"Range of ranks of the {what} by poverty headcount",
        f"Estimated rank and range of each of {len(known)} {what}; the widest range covers {wide} "
        f"ranks. Highest: {names[0]}; lowest: {names[-1]}.",
        note="Bars: joint 90 % ranges of ranks. Dots: ranks of the estimates.",
    )


def promptness_table(frame: pd.DataFrame, survey: str) -> Table | Text:
    """Submissions received by area: on time, late, missing."""
    if frame.empty:
        return nothing("promptness", "no submission has a date")
    names = labels.domain_names("area", survey)
    counts = frame.groupby(["area", "status"], sort=False).size().unstack(fill_value=0)
    for status in ("on time", "late", "missing", "unknown"):
        if status not in counts:
            counts[status] = 0
    late = frame[frame["status"].eq("late")].groupby("area")["days_late"].max()
    counts = counts.reset_index()
    counts.insert(0, "place", [names.get(a, a) for a in counts["area"]])
    counts["expected"] = counts[["on time", "late", "missing", "unknown"]].sum(axis=1)
    counts["longest"] = counts["area"].map(late)
    return Table(
        counts.assign(reason="no submission was late"),
        "Submissions by area",
        columns=[
            Column("place", "Area", row_header=True),
            Column("expected", "Expected", format="integer"),
            Column("on time", "On time", format="integer"),
            Column("late", "Late", format="integer"),
            Column("missing", "Missing", format="integer"),
            Column("unknown", "Date not known", format="integer"),
            Column("longest", "Longest delay", "days", format="integer"),
        ],
        sortable=True,
    )


def promptness_text(frame: pd.DataFrame) -> Text:
    """One sentence on how prompt the submissions were."""
    if frame.empty or frame["status"].eq("unknown").all():
        return Text("The survey's files do not say when they were received.")
    on_time = int(frame["status"].eq("on time").sum())
    late = frame[frame["status"].eq("late")]
    text = f"Of {len(frame)} provincial submissions {on_time} arrived on time"
    if len(late):
        days = numbers.count_of(int(late["days_late"].max()), "day")
        text += f" and {len(late)} late, the last one after {days}"
    missing = int(frame["status"].eq("missing").sum())
    return Text(f"{text}; {missing} are missing." if missing else f"{text}.")


def reference_text(survey: str) -> Text:
    """How the counties came to their areas, where the survey uses the reference list."""
    if load_survey(survey).counties == "none":
        return Text("The survey's areas are its own; no county list is used.")
    unknown = int(reference.counties()["key_county"].eq("unknown").sum())
    return Text(
        "The counts of counties equal the official ones for every area. The assignment of a "
        "county to an area was compiled and cross-checked, not copied from one official file. "
        f"Whether {unknown} counties of Shaanxi are key counties was not determined: they stand "
        "apart."
    )
