"""Events and deadlines of the planning work, and what is late.

What was delivered stands in an optional file, data/raw/<survey>/planning/progress.yml. Without it
a product is *not reported*: nothing is assumed. The date against which lateness is judged comes
from that file, else from schedule.yml, never from the clock.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from povmon import paths, reference
from povmon.errors import unknown_name
from povmon.planning._read import Strict, place, read_model
from povmon.planning.duties import load_duties
from povmon.survey import Survey

ON_TIME, LATE, NOT_DUE, NOT_REPORTED = "on time", "late", "not yet due", "not reported"
DELIVERED, NO_DATE, HELD = "delivered", "no date", "event"


class Entry(Strict):
    """An event, or a product that is to be delivered."""

    id: str
    product: str = ""
    system: Literal["I", "II", "III", "IV"]
    kind: Literal["event", "product"]
    by: Literal["", "area", "province"] = ""
    areas: Literal["all"] | list[str]
    start: dt.date | None
    end: dt.date | None
    en: str
    zh: str
    basis: str
    note: str

    @property
    def name(self) -> str:
        """The product an entry is about; entries of different areas may share one."""
        return self.product or self.id


class Schedule(Strict):
    """The contents of schedule.yml."""

    source: str
    default_as_of: dt.date
    as_of_note: str
    entries: list[Entry]


class Delivery(Strict):
    """A product that was delivered."""

    product: str
    area: str
    province: str = ""
    date: dt.date


class Comment(Strict):
    """A comment on an area's draft, with the day it was answered."""

    area: str
    sender: str = Field(alias="from")
    received: dt.date
    answered: dt.date | None = None


class Activity(Strict):
    """A duty that a liaison unit performed and reported."""

    unit: str
    duty: str
    date: dt.date
    note: str = ""


class Progress(Strict):
    """What a survey's user has recorded of the work: the contents of progress.yml."""

    as_of: dt.date
    delivered: list[Delivery] = Field(default_factory=list)
    comments: list[Comment] = Field(default_factory=list)
    activities: list[Activity] = Field(default_factory=list)

    @model_validator(mode="after")
    def _known(self) -> Progress:
        duties = load_duties()
        products = [e.name for e in load_schedule().entries if e.kind == "product"]
        _refuse("product", [d.product for d in self.delivered], products)
        _refuse("unit", [a.unit for a in self.activities], list(duties.units))
        _refuse("duty", [a.duty for a in self.activities], [d.id for d in duties.duties])
        dates = [d.date for d in self.delivered] + [a.date for a in self.activities]
        if any(day > self.as_of for day in dates):
            raise ValueError("a date lies after as_of")
        return self


def _refuse(kind: str, found: list[str], valid: list[str]) -> None:
    strange = sorted(set(found) - set(valid))
    if strange:
        names = ", ".join(dict.fromkeys(valid))
        raise ValueError(f"unknown {kind} {', '.join(strange)} (valid: {names})")


@cache
def load_schedule() -> Schedule:
    """Read and validate the schedule."""
    return read_model(paths.planning() / "schedule.yml", Schedule)


def load_progress(survey: Survey) -> Progress | None:
    """Read a survey's progress.yml; None where there is none.

    Raises
    ------
    PovmonError : the file has an unknown key, product, unit, duty, area or province, or a date
        after its as_of.
    """
    path = paths.raw(survey.survey) / "planning" / "progress.yml"
    if not path.is_file():
        return None
    progress = read_model(path, Progress)
    counties = reference.counties()
    for area in [d.area for d in progress.delivered] + [c.area for c in progress.comments]:
        survey.check_area(area)
    for delivery in progress.delivered:
        valid = sorted(set(counties.loc[counties["area_id"] == delivery.area, "province_id"]))
        if delivery.province and delivery.province not in valid:
            raise unknown_name("province", delivery.province, valid, where=place(path))
    return progress


def as_of(schedule: Schedule, progress: Progress | None) -> dt.date:
    """The day against which lateness is judged."""
    return progress.as_of if progress else schedule.default_as_of


def lateness(
    due: dt.date | None, delivered: dt.date | None, day: dt.date, reported: bool
) -> tuple[str, int | None]:
    """Status of a product and the days it is late.

    Parameters
    ----------
    due : last day; None where the source gives none.
    delivered : day of delivery; None where none is recorded.
    day : the as-of day.
    reported : a record of deliveries exists at all.
    """
    if delivered is not None:
        if due is None:
            return DELIVERED, None
        days = (delivered - due).days
        return (LATE, days) if days > 0 else (ON_TIME, 0)
    if due is None:
        return NO_DATE, None
    if due >= day:
        return NOT_DUE, None
    return (LATE, (day - due).days) if reported else (NOT_REPORTED, None)


def schedule_frame(
    schedule: Schedule, area: str, provinces: dict[str, str], progress: Progress | None
) -> pd.DataFrame:
    """The schedule of one area, one row an event or product (per province where each delivers).

    Parameters
    ----------
    schedule : events and deadlines.
    area : area id.
    provinces : province id -> name of the area's provinces.
    progress : what was delivered; None where nothing is recorded.

    Returns
    -------
    frame in order of date: entry, product, system, kind, en, zh, province_id, province, start,
    end, delivered (dates as text, empty where none), status, days_late, note. For an area to
    which the source gives no date, a product appears with status *no date*.
    """
    day = as_of(schedule, progress)
    rows: list[dict[str, Any]] = []
    for entry in _entries(schedule, area):
        senders = list(provinces.items()) if entry.by == "province" else [("", "")]
        rows += [_row(entry, area, sender, progress, day) for sender in senders]
    frame = pd.DataFrame(rows)
    frame["days_late"] = frame["days_late"].astype("Int64")
    return frame


def _entries(schedule: Schedule, area: str) -> list[Entry]:
    """Entries of an area; products dated for other areas only are kept, without their dates."""
    own = [e for e in schedule.entries if e.areas == "all" or area in e.areas]
    have = {e.name for e in own}
    for entry in schedule.entries:
        if entry.kind == "product" and entry.name not in have:
            have.add(entry.name)
            note = "the account gives no date for this area"
            own.append(entry.model_copy(update={"start": None, "end": None, "note": note}))
    return own


def _row(
    entry: Entry, area: str, sender: tuple[str, str], progress: Progress | None, day: dt.date
) -> dict[str, Any]:
    delivered = _delivered(progress, entry.name, area, sender[0])
    status, days = HELD, None
    if entry.kind == "product":
        status, days = lateness(entry.end, delivered, day, progress is not None)
    return {
        "entry": entry.id, "product": entry.name, "system": entry.system, "kind": entry.kind,
        "en": entry.en, "zh": entry.zh, "province_id": sender[0], "province": sender[1],
        "start": _text(entry.start), "end": _text(entry.end), "delivered": _text(delivered),
        "status": status, "days_late": days, "note": entry.note,
    }  # fmt: skip


def _delivered(progress: Progress | None, product: str, area: str, province: str) -> dt.date | None:
    """First day on which a product was delivered."""
    if progress is None:
        return None
    days = [
        d.date
        for d in progress.delivered
        if (d.product, d.area, d.province) == (product, area, province)
    ]
    return min(days, default=None)


def _text(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def late(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a schedule that are late, longest delay first."""
    rows = frame[frame["status"] == LATE]
    return rows.sort_values("days_late", ascending=False, kind="stable")
