"""What matters most in an area: deprivations, and the counties in greatest need.

An empty frame gives a sentence that says what there is not.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from povmon.present import numbers, style
from povmon.present.cells import (
    FLAG_NOTE,
    bilingual,
    each,
    interval_cell,
    labels,
    several_areas,
    value_cell,
)
from povmon.present.display import Column, Figure, Suppressed, Table, Text, escape_markdown


def priorities_figure(frame: pd.DataFrame, area: str) -> Figure | Text:
    """Contributions of the deprivations to M0, with intervals."""
    if frame.empty:
        return Text("The estimates have no contributions to multidimensional poverty here.")
    rows = frame.iloc[::-1]
    fig, axes = style.figure(6.8, 0.36 * len(rows) + 0.9)
    axes.barh(labels(rows), 100 * rows["contribution"], color=style.ACCENT, height=0.62)
    bounded = rows[rows["ci_low"].notna() & rows["ci_high"].notna()]
    axes.hlines(
        labels(bounded), 100 * bounded["ci_low"], 100 * bounded["ci_high"],
        color=style.INK, linewidth=1.6,
    )  # fmt: skip
    axes.set_xlabel("Share in multidimensional poverty M0, %")
    axes.grid(axis="y", visible=False)
    said = ", ".join(f"{r['en']} {numbers.percent(r['contribution'])}" for _, r in frame.iterrows())
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
            "deprivation": labels(frame),
            "contribution": [numbers.percent(v) for v in frame["contribution"]],
            "interval": [
                numbers.interval(a, b, "share")
                for a, b in zip(frame["ci_low"], frame["ci_high"], strict=True)
            ],
            "cumulative": [numbers.percent(v) for v in frame["cumulative"]],
            "deprived": each(frame, _deprived),
            "tasks": frame["tasks"].where(frame["tasks"] != "", "none in the outline"),
            "chapter": frame["chapter"],
        }
    )
    return Table(
        shown,
        "Deprivations by their share in M0, and the key tasks that answer them",
        note=_shares_note(frame),
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


def _deprived(row: pd.Series) -> Any:
    if numbers.is_missing(row["uncensored"]):
        return Suppressed(str(row["uncensored_reason"] or "no estimate"))
    return numbers.percent(row["uncensored"])


def _shares_note(frame: pd.DataFrame) -> str:
    whole = abs(frame["contribution"].sum() - 1) < 1e-6
    first = "The shares add up to 100 %." if whole else "Shares that are withheld are left out."
    return (
        f"{first} A share depends on the weights as well as on how many are deprived; the column "
        "Deprived counts all persons, poor or not."
    )


def priorities_text(frame: pd.DataFrame) -> Text:
    """Which deprivations come first, and whether their order is certain."""
    if frame.empty:
        return Text("The survey does not say which deprivations weigh most in this area.")
    first = frame.head(3)
    names = numbers.listing(list(first["en"]))
    said = (
        f"{escape_markdown(names).capitalize()} come first: together "
        f"{numbers.percent(first['contribution'].sum())} of multidimensional poverty."
    )
    if len(frame) > 1 and frame["ci_low"].iloc[0] > frame["ci_high"].iloc[1]:
        return Text(f"{said} The first stands clear of the second.")
    return Text(f"{said} The intervals of the first and the second overlap.")


def need_table(frame: pd.DataFrame, top: int = 15) -> Table | Text:
    """Counties in greatest need; those that are withheld are counted, never ranked."""
    rows = frame if frame.empty else frame[frame["rank"].notna()]
    if rows.empty:
        return Text("There is no county with a headcount that may be published.")
    rows = rows if "area_en" in rows.columns else rows.head(top)
    shown = pd.DataFrame(
        {
            "rank": [str(v) for v in rows["rank"]],
            "county": labels(rows, "county_en", "county_zh"),
            "province": labels(rows, "province_en", "province_zh"),
            "value": each(rows, value_cell),
            "interval": each(rows, interval_cell),
            "order": rows["overlaps_first"].map({True: "cannot tell from 1", False: "below 1"}),
            "key": rows["key_county"].to_numpy(),
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
    ]
    if several_areas(rows):
        shown.insert(0, "area", labels(rows, "area_en", "area_zh"))
        columns.insert(0, Column("area", "Area", row_header=True))
    hidden = int(frame["rank"].isna().sum())
    withheld = (
        f" {numbers.count_of(hidden, 'county is', 'counties are')} withheld." if hidden else ""
    )
    return Table(
        shown,
        "Counties in greatest need, by headcount",
        note=(
            "Cannot tell from 1: the county's interval reaches that of the first, so that the "
            f"order of the two is open.{withheld} The assignment of counties to areas was "
            "compiled and cross-checked, not copied from one official file. " + FLAG_NOTE
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
    name = escape_markdown(bilingual(first["county_en"], first["county_zh"]))
    reach = int(rows["overlaps_first"].sum()) - 1
    said = f"{name} has the largest headcount, {numbers.percent(first['estimate'])}"
    said += f" ({numbers.interval(first['ci_low'], first['ci_high'], 'share')} %)."
    others = numbers.count_of(reach, "other county reaches", "other counties reach")
    if reach:
        said += f" {others} its interval, so that the order is open."
    elif len(rows) > 1:
        said += " The intervals of all others lie below its own."
    if hidden:
        said += f" {numbers.count_of(hidden, 'county is', 'counties are')} withheld and not ranked."
    return Text(said)


def provinces_table(frame: pd.DataFrame) -> Table | Text:
    """Headcount of the area's part of each province."""
    if frame.empty:
        return Text("The survey does not divide this area by provinces.")
    shown = pd.DataFrame(
        {
            "province": labels(frame, "province_en", "province_zh"),
            "counties": frame["counties"].to_numpy(),
            "value": each(frame, value_cell),
            "interval": each(frame, interval_cell),
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
