"""Tables and sentences of the liaison units' briefs."""

from __future__ import annotations

import pandas as pd

from povmon.present import numbers
from povmon.present.cells import (
    bilingual,
    each,
    interval_cell,
    labels,
    pooled_cell,
    several_areas,
    signed,
    value_cell,
)
from povmon.present.display import Column, Suppressed, Table, Text, escape_markdown

UNVERIFIED = "unverified: not to be quoted as fact"


def opening(assignments: pd.DataFrame, title: str) -> Text:
    """Whom the brief is for, which areas the unit has, and which of them the survey covers.

    Parameters
    ----------
    assignments : unit_en, unit_zh, area_en, area_zh, verification, surveyed.
    title : title of the survey.
    synthetic : its records are generated, which a letter must say, because it leaves the page.
    """
    first = assignments.iloc[0]
    unit = escape_markdown(bilingual(first["unit_en"], first["unit_zh"]))
    areas = escape_markdown(numbers.listing(labels(assignments, "area_en", "area_zh")))
    said = [f"Brief for the **{unit}**, liaison unit of {areas}."]
    if (assignments["verification"] != "verified").any():
        said.append("*The assignment is unverified: only a weaker pairing was found in sources.*")
    outside = assignments[~assignments["surveyed"].astype(bool)]
    if len(outside):
        names = escape_markdown(numbers.listing(labels(outside, "area_en", "area_zh")))
        said.append(
            f"{escape_markdown(title)} does not cover {names}, so the brief has no figures on it."
        )
    return Text(" ".join(said))


def register_table(frame: pd.DataFrame) -> Table:
    """The register of units and areas."""
    shown = pd.DataFrame(
        {
            "unit": labels(frame, "unit_en", "unit_zh"),
            "area": labels(frame, "area_en", "area_zh"),
            "status": frame["verification"].replace({"unverified": UNVERIFIED}),
            "source": frame["source"],
        }
    )
    return Table(
        shown,
        "Liaison units and their areas",
        columns=[
            Column("unit", "Unit"),
            Column("area", "Area"),
            Column("status", "Verification"),
            Column("source", "Source"),
        ],
    )


def coverage_table(frame: pd.DataFrame) -> Table:
    """Coverage checks of the register."""
    return Table(
        frame.assign(detail=frame["detail"].where(frame["detail"] != "", "none")),
        "Does every area have a unit, and every unit an area?",
        columns=[
            Column("check", "Check"),
            Column("expected", "Expected", format="integer"),
            Column("found", "Found", format="integer"),
            Column("status", "Status"),
            Column("detail", "Exceptions"),
        ],
    )


def behind_table(frame: pd.DataFrame) -> Table | Text:
    """Indicators in which the unit's areas are worse than the areas combined."""
    if frame.empty:
        return Text(
            "Nothing to list: the survey shows none of the unit's areas, as far as it covers "
            "them, to be worse than the areas combined in any indicator."
        )
    shown = pd.DataFrame(
        {
            "indicator": labels(frame),
            "value": each(frame, value_cell),
            "interval": each(frame, interval_cell),
            "pooled": each(frame, pooled_cell),
            "difference": [signed(r["difference"], r["unit"]) for _, r in frame.iterrows()],
        }
    )
    area = []
    if several_areas(frame):
        shown["area"] = labels(frame, "area_en", "area_zh")
        area = [Column("area", "Area", row_header=True)]
    return Table(
        shown,
        "Where the areas are worse than the areas combined, largest relative difference first",
        note="Differences of shares are in percentage points.",
        columns=[
            *area,
            Column("indicator", "Indicator", row_header=True),
            Column("value", "Estimate", align="right"),
            Column("interval", "95 % interval", align="right"),
            Column("pooled", "Areas combined", align="right"),
            Column("difference", "Difference", align="right"),
        ],
    )


def duties_table(frame: pd.DataFrame, as_of: str) -> Table:
    """The unit's duties and their reporting status."""
    basis = {"account": "published account", "own": "proposal of this project"}
    shown = pd.DataFrame(
        {
            "duty": labels(frame),
            "due": [v or Suppressed("no date in the account") for v in frame["due"]],
            "performed": [v or Suppressed("nothing on record") for v in frame["performed"]],
            "status": frame["status"],
            "basis": frame["basis"].replace(basis),
            "note": frame["note"],
        }
    )
    return Table(
        shown,
        f"Duties of the unit and what is on record of them, as of {as_of}",
        columns=[
            Column("duty", "Duty"),
            Column("due", "Due"),
            Column("performed", "Performed"),
            Column("status", "Status"),
            Column("basis", "Based on"),
            Column("note", "Remark"),
        ],
    )


def duties_text(frame: pd.DataFrame) -> Text:
    """How many duties are on record as performed."""
    done = int((frame["performed"] != "").sum())
    total = numbers.count_of(len(frame), "duty", "duties")
    if not done:
        return Text(f"Of {total}, none is on record as performed; nothing is assumed.")
    late = int((frame["status"] == "late").sum())
    said = f"Of {total}, {done} are on record as performed"
    return Text(f"{said}, {late} late." if late else f"{said}, none late.")


def letter(
    assignments: pd.DataFrame,
    situation: pd.DataFrame,
    need: pd.DataFrame,
    duties: pd.DataFrame,
    title: str,
    synthetic: bool,
) -> Text:
    """A draft letter to the unit, with the figures of its areas.

    Parameters
    ----------
    assignments : unit_en, unit_zh, area_en, area_zh, verification.
    situation : indicator, area_en, estimate, ci_low, ci_high of the areas surveyed.
    need : county_en, county_zh, rank of the areas' counties in greatest need.
    duties : en, performed.
    title : title of the survey.
    """
    first = assignments.iloc[0]
    unit = escape_markdown(bilingual(first["unit_en"], first["unit_zh"]))
    areas = escape_markdown(numbers.listing(labels(assignments, "area_en", "area_zh")))
    paragraphs = [
        f"To the {unit}",
        f"{_contact(assignments, areas)} {_figures(situation, title)}".strip(),
    ]
    if synthetic:
        paragraphs.append(
            "**The figures come from generated records: they show what a letter would say and are "
            "no findings about the area.**"
        )
    if len(need):
        named = need.groupby("area_en", sort=False).head(3)
        names = escape_markdown(numbers.listing(labels(named, "county_en", "county_zh")))
        paragraphs.append(
            f"The survey's highest estimates of the headcount are those of {names}; their order "
            "is open, because a county's sample is small."
        )
    waiting = list(duties.loc[duties["performed"] == "", "en"])
    if waiting:
        paragraphs.append("We have no record yet of the following, and ask you to let us know:")
        paragraphs += [f"- {escape_markdown(name)}" for name in waiting]
    paragraphs += ["The brief is enclosed.", "(name, office, date)"]
    return Text("\n>\n".join(f"> {p}" for p in paragraphs))


def _contact(assignments: pd.DataFrame, areas: str) -> str:
    """Which areas the unit is in contact with; unverified pairings are put as a question."""
    if (assignments["verification"] == "verified").all():
        return f"Your unit is in contact with {areas}."
    return (
        f"According to a pairing that is not verified, your unit is in contact with {areas}; "
        "please confirm it."
    )


def _figures(situation: pd.DataFrame, title: str) -> str:
    """One clause an area with the headcount and its interval."""
    if situation.empty:
        return f"The {escape_markdown(title)} does not cover it."
    rows = situation[(situation["indicator"] == "headcount") & situation["estimate"].notna()]
    said = [
        f"{numbers.percent(r['estimate'])} of the rural registered population of "
        f"{escape_markdown(r['area_en'])} were poor (95 % interval "
        f"{numbers.interval(r['ci_low'], r['ci_high'], 'share')} %)"
        for _, r in rows.iterrows()
    ]
    return f"According to the {escape_markdown(title)}, {'; '.join(said)}." if said else ""
