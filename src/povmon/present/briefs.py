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
            "area": labels(frame, "area_en", "area_zh"),
            "indicator": labels(frame),
            "value": each(frame, value_cell),
            "interval": each(frame, interval_cell),
            "pooled": each(frame, pooled_cell),
            "difference": [signed(r["difference"], r["unit"]) for _, r in frame.iterrows()],
        }
    )
    return Table(
        shown,
        "Where the areas are worse than the areas combined, largest relative difference first",
        note="Differences of shares are in percentage points.",
        columns=[
            Column("area", "Area"),
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
