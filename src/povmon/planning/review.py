"""The draft against the outline: which requirements it meets, and which it does not.

Each requirement in outline.yml names a check below. A check answers met, not met, or cannot be
checked, always with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from povmon import reference
from povmon.errors import unknown_name
from povmon.indicators.catalogue import CATALOGUE
from povmon.planning import draft as drafts
from povmon.planning import liaison, priorities, schedule, targets
from povmon.planning.draft import Draft

MET, NOT_MET, UNCHECKED = "met", "not met", "cannot be checked"


@dataclass(frozen=True)
class Verdict:
    """The answer to one requirement."""

    status: str
    reason: str


Check = Callable[..., Verdict]
CHECKS: dict[str, Check] = {}


def check(function: Check) -> Check:
    """Register a check under its own name."""
    CHECKS[function.__name__] = function
    return function


def review(draft: Draft) -> pd.DataFrame:
    """Judge a draft against every requirement of the outline.

    Returns
    -------
    frame, one row a requirement, in the outline's order: survey, area, element, element_en,
    element_zh, requirement, en, zh, basis, check, status (met, not met, cannot be checked),
    reason.

    Raises
    ------
    PovmonError : the outline names a check that does not exist.
    """
    rows: list[dict[str, Any]] = []
    for element in draft.outline.elements:
        for item in element.requirements:
            if item.check not in CHECKS:
                where = f"data/raw/planning/outline.yml, requirement {item.id}"
                raise unknown_name("check", item.check, CHECKS, where=where)
            verdict = CHECKS[item.check](draft, **item.parameters)
            rows.append(
                {
                    "survey": draft.survey.survey, "area": draft.area, "element": element.id,
                    "element_en": element.en, "element_zh": element.zh, "requirement": item.id,
                    "en": item.en, "zh": item.zh, "basis": item.basis, "check": item.check,
                    "status": verdict.status, "reason": verdict.reason,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _either(good: bool, when_met: str, when_not: str) -> Verdict:
    return Verdict(MET, when_met) if good else Verdict(NOT_MET, when_not)


@check
def planners_only(draft: Draft, reason: str) -> Verdict:
    """Only the planners can tell."""
    return Verdict(UNCHECKED, reason)


@check
def counties_surveyed(draft: Draft, minimum_share: float) -> Verdict:
    """Enough counties of the area have survey records."""
    if draft.counties.empty:
        return Verdict(UNCHECKED, "the reference data do not know the counties of this area")
    rows = draft.estimates
    sampled = set(rows.loc[rows["domain_kind"] == "county", "domain"])
    lacking = draft.counties[~draft.counties["county_id"].isin(sampled)]
    total, have = len(draft.counties), len(draft.counties) - len(lacking)
    text = f"{have} of {total} counties have survey records"
    return _either(have >= minimum_share * total, text, text)


@check
def milestone(draft: Draft, product: str) -> Verdict:
    """A product was delivered by its date."""
    rows = draft.schedule[draft.schedule["product"] == product]
    counts = rows["status"].value_counts()
    if counts.get(schedule.LATE, 0):
        return Verdict(NOT_MET, f"{counts[schedule.LATE]} of {len(rows)} late on {draft.as_of}")
    done = counts.get(schedule.ON_TIME, 0) + counts.get(schedule.DELIVERED, 0)
    if len(rows) and done == len(rows):
        return Verdict(MET, f"delivered, {done} of {len(rows)}")
    reasons = {
        schedule.NO_DATE: "the account gives no date for this area",
        schedule.NOT_REPORTED: "no record of deliveries is at hand",
        schedule.NOT_DUE: f"not yet due on {draft.as_of}",
    }
    text = "; ".join(words for status, words in reasons.items() if status in counts.index)
    return Verdict(UNCHECKED, text or "the schedule has no such product")


@check
def chapters_present(draft: Draft) -> Verdict:
    """Each chapter of the frame has a section that says what the planners have to write."""
    frame = drafts.draft_frame(draft)
    chapters = [c.id for c in draft.outline.chapters]
    have = set(frame.loc[frame["kind"] == "planners", "chapter"])
    text = f"{len(have)} of {len(chapters)} chapters are in the draft"
    return _either(have == set(chapters), text, text)


@check
def chapters_evidence(draft: Draft) -> Verdict:
    """Each chapter with indicators has a publishable estimate."""
    named = [c for c in draft.outline.chapters if c.indicators]
    bare = [
        c.en for c in named if not drafts.chapter_situation(draft, c.id)["estimate"].notna().any()
    ]
    return _either(
        not bare,
        f"all {len(named)} chapters with indicators have estimates",
        f"no publishable estimate for: {', '.join(bare)}",
    )


def _applying(draft: Draft) -> pd.DataFrame:
    return draft.gaps[draft.gaps["met"] != targets.NOT_APPLICABLE]


@check
def targets_with_baseline(draft: Draft) -> Verdict:
    """Each verified target that applies has a baseline with an interval."""
    rows = _applying(draft)
    bare = rows[rows[["estimate", "ci_low", "ci_high"]].isna().any(axis=1)]
    names = ", ".join(dict.fromkeys(bare["en"]))
    return _either(
        bare.empty, f"all {len(rows)} have one", f"{len(bare)} of {len(rows)} have none: {names}"
    )


@check
def targets_decidable(draft: Draft) -> Verdict:
    """For each verified target the survey says yes or no."""
    rows = _applying(draft)
    unclear = rows[rows["met"] == targets.CANNOT_TELL]
    names = ", ".join(dict.fromkeys(unclear["en"]))
    return _either(
        unclear.empty,
        f"the survey can tell for all {len(rows)}",
        f"the survey cannot tell for {len(unclear)} of {len(rows)}: {names}",
    )


@check
def targets_filled(draft: Draft) -> Verdict:
    """No objective is left without a value from a source."""
    open_items = [t.en for t in draft.targets.to_be_filled]
    working = [t.en for t in draft.targets.targets if t.value is None]
    text = f"without a verified source: {', '.join(open_items)}"
    if working:
        text += f"; without a number in the source: {', '.join(working)}"
    return _either(not open_items and not working, "every objective has a value", text)


@check
def deprivations_answered(draft: Draft, share: float) -> Verdict:
    """The leading deprivations each have a key task."""
    if draft.priorities.empty:
        return Verdict(UNCHECKED, "the estimates have no contributions to M0 for this area")
    lead = priorities.leading(draft.priorities, share)
    bare = lead[lead["tasks"] == ""]
    names = ", ".join(lead["en"])
    return _either(
        bare.empty, f"all have one: {names}", f"no key task answers: {', '.join(bare['en'])}"
    )


@check
def greatest_need_named(draft: Draft, minimum: int) -> Verdict:
    """Counties are named, with an interval each."""
    rows = draft.need[draft.need["rank"].notna() & draft.need["ci_low"].notna()]
    text = f"{len(rows)} counties have a headcount with an interval"
    return _either(len(rows) >= minimum, text, f"{text}, {minimum} are needed")


@check
def schedule_dated(draft: Draft) -> Verdict:
    """Each step of the schedule has a date."""
    bare = draft.schedule[(draft.schedule["start"] == "") & (draft.schedule["end"] == "")]
    names = ", ".join(dict.fromkeys(bare["en"]))
    return _either(bare.empty, "every step has a date", f"no date in the account for: {names}")


@check
def nothing_late(draft: Draft) -> Verdict:
    """No product is late; without a record of deliveries this cannot be known."""
    late = schedule.late(draft.schedule)
    if len(late):
        return Verdict(NOT_MET, f"late on {draft.as_of}: {', '.join(dict.fromkeys(late['en']))}")
    if draft.progress is None:
        return Verdict(UNCHECKED, "no record of deliveries is at hand")
    return Verdict(MET, f"nothing late on {draft.as_of}")


@check
def tables_received(draft: Draft) -> Verdict:
    """Each province of the area sent its plan table."""
    if not draft.provinces:
        return Verdict(UNCHECKED, "the reference data do not know the provinces of this area")
    missing = [draft.provinces[p] for p in draft.tables.missing]
    return _either(
        not missing,
        f"received from all {len(draft.provinces)} provinces",
        f"not received from: {', '.join(missing)}",
    )


@check
def tables_consistent(draft: Draft) -> Verdict:
    """The plan tables received have no faults."""
    if not draft.tables.received:
        return Verdict(UNCHECKED, "no plan table has been received")
    count = len(draft.tables.faults)
    return _either(count == 0, "no fault found", f"{count} faults, listed under the plan tables")


@check
def comments_answered(draft: Draft) -> Verdict:
    """Each comment on record is answered."""
    if draft.progress is None:
        return Verdict(UNCHECKED, "no record of comments is at hand")
    comments = [c for c in draft.progress.comments if c.area == draft.area]
    waiting = [c.sender for c in comments if c.answered is None]
    return _either(
        not waiting,
        f"{len(comments)} comments received, all answered",
        f"{len(waiting)} of {len(comments)} wait for an answer: {', '.join(waiting)}",
    )


@check
def records_accounted(draft: Draft) -> Verdict:
    """The audit's account adds up for each form and province."""
    table = drafts.accounting(draft)
    if table is None:
        return Verdict(UNCHECKED, "the audit has not written its account")
    ends = table["accepted"] + table["corrected"] + table["rejected"]
    wrong = int((ends != table["received"]).sum())
    total = int(table["received"].sum())
    return _either(
        wrong == 0,
        f"all {total:,} records received are accounted for",
        f"the account does not add up in {wrong} of {len(table)} lines",
    )


@check
def uncertainty_stated(draft: Draft) -> Verdict:
    """Each survey estimate in the draft has an interval; counts from forms need none."""
    frame = drafts.draft_frame(draft)
    counts = {i for i, item in CATALOGUE.items() if item.group == "county"}
    shown = frame[(frame["kind"] == "data") & frame["estimate"].notna()]
    shown = shown[~shown["item"].isin(counts)]
    bare = shown[shown["ci_low"].isna() | shown["ci_high"].isna()]
    names = ", ".join(dict.fromkeys(bare["item"]))
    return _either(bare.empty, f"all {len(shown)} estimates have one", f"no interval for: {names}")


@check
def records_real(draft: Draft) -> Verdict:
    """The microdata are not generated."""
    return _either(
        not draft.survey.synthetic,
        "the records are those of a real survey",
        "the records of this survey are synthetic; the draft shows the method, not the area",
    )


@check
def liaison_assigned(draft: Draft) -> Verdict:
    """The area has a liaison unit from a verified source."""
    units = liaison.units_frame()
    rows = units[units["area_id"] == draft.area]
    areas = reference.areas()
    special = set(areas.loc[areas["special_policy_area"].astype(bool), "area_id"])
    if draft.area in special:
        return Verdict(UNCHECKED, "a special-policy area; the register has no units for these")
    if rows.empty:
        return Verdict(NOT_MET, "no unit is assigned to this area")
    names = ", ".join(rows["unit_en"])
    good = "verified" in set(rows["verification"])
    return _either(good, names, f"{names}, but the assignment is not verified")
