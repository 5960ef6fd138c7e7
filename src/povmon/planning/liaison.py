"""The liaison units: who is assigned to which area, with which duties, and each unit's brief."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from povmon import reference
from povmon.errors import PovmonError, unknown_name
from povmon.planning import schedule
from povmon.planning.draft import Draft, load_draft, situation
from povmon.planning.duties import load_duties
from povmon.survey import Survey, load_survey

HEADLINE = [
    "headcount", "poverty_gap", "income_mean", "mpi_h", "mpi_m0", "water_safe", "electricity",
    "village_hardened_road", "village_clinic", "enrolment_7_15", "dangerous_housing",
]  # fmt: skip


def units_frame() -> pd.DataFrame:
    """The liaison units with their areas, one row an assignment, in the order of the register.

    Returns
    -------
    frame: unit, unit_en, unit_zh, area_id, area_en, area_zh, verification, source.

    Raises
    ------
    PovmonError : a unit of the register has no id in duties.yml, or the other way round.
    """
    register = reference.liaison_units().drop(columns="unit_id", errors="ignore")
    ids = {zh: unit for unit, zh in load_duties().units.items()}
    strange = sorted(set(register["unit_zh"]) ^ set(ids))
    if strange:
        raise PovmonError(
            f"the register and duties.yml differ in: {', '.join(strange)}",
            where="data/raw/planning/duties.yml, key units",
            todo="give each unit of liaison_units.csv one id",
        )
    areas = reference.areas()[["area_id", "name_en", "name_zh"]]
    areas = areas.rename(columns={"name_en": "area_en", "name_zh": "area_zh"})
    frame = register.assign(unit=register["unit_zh"].map(ids)).merge(areas, how="left")
    return frame[[
        "unit", "unit_en", "unit_zh", "area_id", "area_en", "area_zh", "verification", "source",
    ]]  # fmt: skip


def units_of_survey(areas: Iterable[str]) -> list[str]:
    """Ids of the units with at least one of these areas, in the order of the register."""
    wanted = set(areas)
    frame = units_frame()
    return list(dict.fromkeys(frame.loc[frame["area_id"].isin(wanted), "unit"]))


def coverage() -> pd.DataFrame:
    """Checks of the register: does each area have a unit, and each unit an area?

    The three special-policy areas (Tibet, the Tibetan areas of four provinces, southern
    Xinjiang) have no liaison unit in the register and are not asked for one.

    Returns
    -------
    frame: check, expected, found, status (met or not met), detail.
    """
    units, areas = units_frame(), reference.areas()
    ordinary = areas[~areas["special_policy_area"].astype(bool)]
    covered = ordinary["area_id"].isin(units["area_id"])
    placed = units.groupby("unit")["area_id"].nunique()
    checked = units[units["verification"] == "verified"]
    firm = ordinary["area_id"].isin(checked["area_id"])
    special = areas.loc[areas["special_policy_area"].astype(bool), "area_id"]
    rows = [
        ("Every area without a special policy has a unit", len(ordinary), int(covered.sum()),
         _names(ordinary[~covered], "without: ")),
        ("Every unit has an area", len(load_duties().units), int((placed >= 1).sum()), ""),
        ("No special-policy area has a unit", 0, int(units["area_id"].isin(special).sum()), ""),
        ("Every such area has a unit from a verified source", len(ordinary), int(firm.sum()),
         _names(ordinary[~firm], "not verified: ")),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["check", "expected", "found", "detail"])
    frame["status"] = (frame["expected"] == frame["found"]).map({True: "met", False: "not met"})
    return frame[["check", "expected", "found", "status", "detail"]]


def _names(areas: pd.DataFrame, before: str) -> str:
    return before + ", ".join(areas["name_en"]) if len(areas) else ""


@dataclass(frozen=True)
class Brief:
    """What a liaison unit is told.

    Attributes
    ----------
    survey : the survey it rests on.
    unit, name_en, name_zh : the unit.
    assignments : its rows of `units_frame`, with `surveyed` (the survey covers the area).
    drafts : draft plans of its areas that the survey covers.
    progress : what was recorded of the work.
    """

    survey: Survey
    unit: str
    name_en: str
    name_zh: str
    assignments: pd.DataFrame
    drafts: list[Draft]
    progress: schedule.Progress | None

    @property
    def as_of(self) -> str:
        """The day against which lateness is judged, as text."""
        return schedule.as_of(schedule.load_schedule(), self.progress).isoformat()


def load_brief(survey: str, unit: str) -> Brief:
    """Gather the brief of a unit; areas that the survey does not cover stay without figures.

    Raises
    ------
    PovmonError : unknown survey or unit (the valid ones are listed), or estimates not made yet.
    """
    chosen = load_survey(survey)
    frame = units_frame()
    mine = frame[frame["unit"] == unit].reset_index(drop=True)
    if mine.empty:
        raise unknown_name("liaison unit", unit, load_duties().units)
    mine["surveyed"] = mine["area_id"].isin(chosen.area_ids)
    present = list(mine.loc[mine["surveyed"], "area_id"])
    return Brief(
        survey=chosen,
        unit=unit,
        name_en=str(mine.at[0, "unit_en"]),
        name_zh=str(mine.at[0, "unit_zh"]),
        assignments=mine,
        drafts=[load_draft(survey, area) for area in present],
        progress=schedule.load_progress(chosen),
    )


def _stack(brief: Brief, frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Frames of the unit's areas, one below the other, with the area's names in front."""
    parts = [
        frame.assign(area=d.area, area_en=d.name_en, area_zh=d.name_zh)
        for d, frame in zip(brief.drafts, frames, strict=True)
    ]
    heads = ["area", "area_en", "area_zh"]
    if not parts:
        return pd.DataFrame(columns=[*heads, *columns])
    together = pd.concat(parts, ignore_index=True)
    return together[[*heads, *(c for c in together.columns if c not in heads)]]


def brief_situation(brief: Brief) -> pd.DataFrame:
    """Headline indicators of the unit's areas beside the 14 areas combined (`situation`)."""
    frames = [situation(d, HEADLINE) for d in brief.drafts]
    return _stack(brief, frames, ["indicator", "estimate", "reading"])


def brief_gaps(brief: Brief) -> pd.DataFrame:
    """Targets of the unit's areas that are not known to be met, largest gap first.

    Only gaps in shares can be compared with each other; targets without a gap come last.
    """
    frames = []
    for draft in brief.drafts:
        rows = draft.gaps[draft.gaps["met"].isin(["no", "cannot tell"])]
        order = rows["gap"].abs().sort_values(ascending=False, na_position="last", kind="stable")
        frames.append(rows.loc[order.index])
    return _stack(brief, frames, ["target", "gap", "met"])


def brief_behind(brief: Brief) -> pd.DataFrame:
    """Indicators in which the unit's areas are worse than the 14 areas combined, for certain."""
    everything = [
        list(dict.fromkeys(i for c in d.outline.chapters for i in c.indicators))
        for d in brief.drafts
    ]
    frames = []
    for draft, indicators in zip(brief.drafts, everything, strict=True):
        rows = situation(draft, indicators)
        rows = rows[rows["reading"] == "worse"]
        size = (rows["difference"] / rows["pooled"]).abs()
        frames.append(rows.loc[size.sort_values(ascending=False, kind="stable").index])
    return _stack(brief, frames, ["indicator", "difference", "reading"])


def brief_need(brief: Brief, top: int = 10) -> pd.DataFrame:
    """The `top` counties of each of the unit's areas with the largest headcount."""
    frames = [d.need[d.need["rank"].notna()].head(top) for d in brief.drafts]
    return _stack(brief, frames, ["rank", "county_id", "estimate"])


def duties_frame(brief: Brief) -> pd.DataFrame:
    """The unit's duties and whether they were performed and reported.

    Returns
    -------
    frame: duty, en, zh, due, performed (dates as text), status (on time, late, not yet due,
    not reported, no date, delivered), days_late, basis, note.
    """
    day = schedule.as_of(schedule.load_schedule(), brief.progress)
    activities = brief.progress.activities if brief.progress else []
    rows = []
    for duty in load_duties().duties:
        days = [a.date for a in activities if (a.unit, a.duty) == (brief.unit, duty.id)]
        done = min(days, default=None)
        status, late = schedule.lateness(duty.due, done, day, brief.progress is not None)
        if status == schedule.NO_DATE:
            status = schedule.NOT_REPORTED
        rows.append(
            {
                "duty": duty.id, "en": duty.en, "zh": duty.zh,
                "due": duty.due.isoformat() if duty.due else "",
                "performed": done.isoformat() if done else "", "status": status,
                "days_late": late, "basis": duty.basis, "note": duty.note,
            }
        )  # fmt: skip
    frame = pd.DataFrame(rows)
    frame["days_late"] = frame["days_late"].astype("Int64")
    return frame
