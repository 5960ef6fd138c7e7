"""Schedule, plan tables of the provinces, and the review of a draft plan.

An empty frame gives a sentence that says what there is not.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from povmon.present import numbers
from povmon.present.cells import each, labels
from povmon.present.display import Column, Suppressed, Table, Text, escape_markdown


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
                for label, province in zip(labels(frame), frame["province"], strict=True)
            ],
            "system": frame["system"],
            "date": dates,
            "delivered": each(frame, _delivered),
            "status": each(frame, _status),
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
        ],
    )


def _delivered(row: pd.Series) -> Any:
    if row["kind"] != "product":
        return "does not apply"
    return row["delivered"] or Suppressed("nothing on record")


def _status(row: pd.Series) -> str:
    if numbers.is_missing(row["days_late"]) or row["status"] != "late":
        return str(row["status"])
    return f"late by {numbers.count_of(row['days_late'], 'day')}"


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


def plan_tables_text(frame: pd.DataFrame) -> Text:
    """Which provinces sent their plan tables.

    Parameters
    ----------
    frame : province, received, projects, faults.
    """
    if frame.empty:
        return Text("The reference data know no province for this area, so no table is expected.")
    here, gone = frame[frame["received"]], frame[~frame["received"]]
    missing = escape_markdown(numbers.listing(list(gone["province"])))
    if here.empty:
        return Text(f"No plan table has been received. Expected from: {missing}.")
    said = f"Plan tables received: {escape_markdown(numbers.listing(list(here['province'])))}."
    if len(gone):
        said += f" Missing: {missing}."
    projects = numbers.count_of(here["projects"].sum(), "project")
    faults = numbers.count_of(here["faults"].sum(), "fault")
    return Text(f"{said} They hold {projects} without fault; the checks found {faults}.")


def plan_tables_table(frame: pd.DataFrame, provinces: dict[str, str]) -> Table | Text:
    """Projects and investment of the provinces' plan tables by key task."""
    if frame.empty:
        return Text("There are no projects to add up.")
    shown = frame.assign(task=labels(frame))
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
            "element": labels(frame, "element_en", "element_zh"),
            "requirement": labels(frame),
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
