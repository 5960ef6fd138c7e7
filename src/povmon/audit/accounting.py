"""The account of an audit: every row received is accepted, corrected or rejected; who was late."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.errors import PovmonError
from povmon.survey.frame import survey_counties
from povmon.survey.intake import Delivery, Intake, expected_provinces

STATES = ["accepted", "corrected", "rejected"]
ACCOUNTING = ["form", "province_id", "received", *STATES]
_TIMES = ["expected_by", "received", "days_late", "status"]
PROMPTNESS = ["province_id", *_TIMES, "deliveries", "last_received"]
BY_COUNTY = ["county_id", "province_id", *_TIMES, "lacking"]
PROMPTNESS_TYPES = {"days_late": "Int64", "deliveries": "int64"}


def account(intake: Intake, ledger: Ledger) -> pd.DataFrame:
    """Rows by form and province: received (counted at intake), accepted, corrected, rejected.

    Raises
    ------
    PovmonError : the three do not add up to what was received (a fault of the audit itself).
    """
    parts = []
    for form, table in ledger.tables.items():
        received = intake.rows[form].groupby("submitted_by").size()
        states = pd.DataFrame({
            "province_id": table["submitted_by"],
            "state": np.where(ledger.live[form],
                              np.where(ledger.changed[form], "corrected", "accepted"), "rejected"),
        })  # fmt: skip
        counts = states.groupby(["province_id", "state"]).size().unstack(fill_value=0)
        counts = counts.reindex(columns=STATES, fill_value=0)
        provinces = list(dict.fromkeys(d.province_id for d in intake.deliveries))
        part = counts.reindex(provinces, fill_value=0)
        part.insert(0, "received", received.reindex(provinces, fill_value=0))
        part = part.rename_axis("province_id").rename_axis(columns=None).reset_index()
        parts.append(part.assign(form=form))
    whole = pd.concat(parts, ignore_index=True)[ACCOUNTING]
    _check(intake, ledger, whole)
    return whole


def _check(intake: Intake, ledger: Ledger, accounting: pd.DataFrame) -> None:
    rejected = ledger.rejected().groupby("form").size()
    for form, part in accounting.groupby("form"):
        sums = part[["received", *STATES]].sum()
        logged = int(rejected.get(form, 0))
        ended = int(sums[STATES].sum())
        arrived = len(intake.rows[str(form)])
        if not (ended == sums["received"] == arrived and sums["rejected"] == logged):
            raise PovmonError(
                f"{arrived} rows were received but {ended} accounted for "
                f"({sums['rejected']} rejected, {logged} with a reason)",
                where=f"{intake.survey.survey}, {intake.area}, {form} form",
                todo="this is a fault of the audit: please report it",
            )


def promptness(intake: Intake) -> pd.DataFrame:
    """When each province's submission arrived, against its deadline.

    A submission has arrived on the day by which every form had come once; what is sent again
    later does not change that.

    Returns
    -------
    One row a province: province_id, expected_by and received (ISO dates, missing when not
    known), days_late (Int64, 0 when on time), status (on time, late, missing, unknown),
    deliveries (number), last_received (ISO date of the newest delivery).
    """
    survey, area = intake.survey, intake.area
    deliveries: dict[str, list[Delivery]] = {}
    for delivery in intake.deliveries:
        deliveries.setdefault(delivery.province_id, []).append(delivery)
    rows = []
    for province in sorted({*expected_provinces(survey, area), *deliveries}):
        sent = deliveries.get(province, [])
        day = _complete_on(intake.files[intake.files["province_id"] == province])
        last = sent[-1].received if sent else None
        due = survey.due(area, province)
        status, late = _punctuality(due, day, arrived=bool(sent))
        rows.append([province, _iso(due), _iso(day), late, status, len(sent), _iso(last)])
    frame = pd.DataFrame(rows, columns=PROMPTNESS)
    return frame.astype({name: PROMPTNESS_TYPES.get(name, "str") for name in PROMPTNESS})


def _complete_on(files: pd.DataFrame) -> dt.date | None:
    """The day by which each form of a province had come once; None when it is not known."""
    if files.empty:
        return None
    first = (
        files.assign(known=files["received"] != "")
        .groupby("form")
        .agg(known=("known", "all"), day=("received", "min"))
    )
    return dt.date.fromisoformat(first["day"].max()) if first["known"].all() else None


def _punctuality(due: dt.date | None, day: dt.date | None, arrived: bool) -> tuple[str, int | None]:
    """Status and days late."""
    if not arrived:
        return "missing", None
    if due is None or day is None:
        return "unknown", None
    late = max((day - due).days, 0)
    return ("late" if late else "on time"), late


def promptness_by_county(intake: Intake, ledger: Ledger) -> pd.DataFrame:
    """Which of the area's counties arrived, when, and what of them is lacking.

    Returns
    -------
    One row a county of the area: county_id, province_id, expected_by, received (ISO dates),
    days_late (Int64), status (on time, late, missing, unknown), lacking (forms of which no row
    came for the county, separated by commas). Empty where the survey has no list of counties.
    """
    survey, area = intake.survey, intake.area
    came = _counties_in(intake, ledger)
    rows = []
    for county in survey_counties(survey, area).itertuples():
        due = survey.due(area, str(county.province_id))
        mine = came[came["county_id"] == county.county_id]
        lacking = [form for form in survey.forms if form not in set(mine["form"])]
        known = not mine.empty and (mine["received"] != "").all()
        day = dt.date.fromisoformat(mine["received"].max()) if known else None
        status, late = _punctuality(due, day, arrived=not mine.empty)
        rows.append([county.county_id, county.province_id, _iso(due), _iso(day), late, status,
                     ", ".join(lacking)])  # fmt: skip
    frame = pd.DataFrame(rows, columns=BY_COUNTY)
    return frame.astype({name: PROMPTNESS_TYPES.get(name, "str") for name in BY_COUNTY})


def _counties_in(intake: Intake, ledger: Ledger) -> pd.DataFrame:
    """Each form, county and day of receipt that occurs together among the rows received."""
    villages = ledger.tables.get("village")
    county = None if villages is None else villages.drop_duplicates("key").set_index("key")
    homes = ledger.tables["household"].drop_duplicates("key").set_index("key")["village_id"]
    received = intake.files.drop_duplicates(["file", "sheet"]).set_index("file")["received"]
    received = received[~received.index.duplicated()]
    parts = []
    for form, table in ledger.tables.items():
        if form in ("county", "village"):
            of = table["county_id"]
        else:
            village = (
                table["village_id"] if form == "household" else table["household_id"].map(homes)
            )
            of = village.str[:6] if county is None else village.map(county["county_id"])
        parts.append(pd.DataFrame({
            "form": form, "county_id": of,
            "received": table["source_file"].map(received).fillna(""),
        }).drop_duplicates())  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
