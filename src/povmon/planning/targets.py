"""Verified targets for 2015 and 2020, held against the survey's baseline.

A target is said to be met or missed only where the interval of the estimate allows it. Full
coverage is a case of its own: one counterexample in the sample shows that a target of "all" is
missed, while no sample can show that it is met.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal

import pandas as pd
from pydantic import model_validator

from povmon import paths
from povmon.planning._read import Row, Strict, by_indicator, percent, read_model, unique

TIBET = "54"
YES, NO, CANNOT_TELL, NOT_APPLICABLE = "yes", "no", "cannot tell", "does not apply"


class Target(Strict):
    """A verified item of the national outline, mapped to an indicator."""

    id: str
    en: str
    zh: str
    year: int
    indicator: str | None
    value: float | None
    working_value: float | None = None
    good: Literal["high", "low"]
    relation: Literal["same", "stricter", "growth"]
    scope: Literal["all", "west_without_tibet"]
    reported: str = ""
    verification: str
    note: str

    @model_validator(mode="after")
    def _one_value(self) -> Target:
        if self.value is not None and self.working_value is not None:
            raise ValueError("a target with a value from the source takes no working_value")
        return self

    @property
    def aim(self) -> float | None:
        """The value held against the baseline, from the source or as a working value."""
        return self.value if self.value is not None else self.working_value

    @property
    def value_basis(self) -> str:
        """Where the value comes from."""
        if self.value is not None:
            return "source"
        return "working value" if self.working_value is not None else "no value"


class OpenItem(Strict):
    """An objective without a verified value: for the user to fill."""

    id: str
    en: str
    zh: str
    year: int | None
    note: str


class Western(Strict):
    """The provinces of the western development programme."""

    ids: list[str]
    zh: str
    source: str
    verification: str


class Targets(Strict):
    """The contents of targets.yml."""

    document: str
    western_provinces: Western
    targets: list[Target]
    to_be_filled: list[OpenItem]

    @model_validator(mode="after")
    def _ids(self) -> Targets:
        unique([t.id for t in self.targets] + [t.id for t in self.to_be_filled], "target")
        return self


@cache
def load_targets() -> Targets:
    """Read and validate the targets."""
    return read_model(paths.planning() / "targets.yml", Targets)


@dataclass(frozen=True)
class Answer:
    """Whether the survey can tell that a target is met, and why."""

    met: str
    reason: str


def judge(
    estimate: float, low: float, high: float, aim: float, good: str, relation: str = "same"
) -> Answer:
    """Say whether an interval allows the statement that a target is met.

    Parameters
    ----------
    estimate, low, high : estimate and its 95 % interval, shares (0-1).
    aim : target value, a share.
    good : ``high`` (reach at least the aim) or ``low`` (reach at most the aim).
    relation : ``stricter`` when the indicator asks for more than the target: falling short of
        the aim then proves nothing.

    Returns
    -------
    Answer : yes, no or cannot tell, with the reason.
    """
    sign = 1.0 if good == "high" else -1.0
    worst, best = (low, high) if good == "high" else (high, low)
    total = math.isclose(aim, 1.0 if good == "high" else 0.0)
    short = sign * estimate < sign * aim
    if total and not short:
        return Answer(CANNOT_TELL, "no exception in the sample, which cannot prove that all are")
    if not total and sign * worst >= sign * aim:
        return Answer(YES, "the whole interval is on the good side of the target")
    if total or sign * best < sign * aim:
        if relation == "stricter":
            return Answer(CANNOT_TELL, "the indicator asks for more than the target")
        reason = "the sample has exceptions" if total else "the whole interval misses the target"
        return Answer(NO, reason)
    return Answer(CANNOT_TELL, "the interval includes the target")


def scope_domains(target: Target, targets: Targets, provinces: list[str]) -> str | list[str]:
    """To which part of an area a target applies: ``area``, some of its provinces, or none."""
    if target.scope == "all":
        return "area"
    west = set(targets.western_provinces.ids) - {TIBET}
    inside = [p for p in provinces if p in west]
    return "area" if provinces and inside == provinces else inside


def target_gaps(
    targets: Targets, estimates: pd.DataFrame, area: str, provinces: list[str], year: int
) -> pd.DataFrame:
    """Hold every target against the baseline of an area.

    Parameters
    ----------
    targets : the verified targets.
    estimates : estimates table of the area.
    area : area id.
    provinces : province ids of the area's counties, in order.
    year : reference year of the survey; the yearly change counts from it.

    Returns
    -------
    frame, one row a target and domain: target, en, zh, due, indicator, domain_kind, domain,
    unit, estimate, ci_low, ci_high, aim (target value), value_basis, gap (aim minus estimate,
    in the unit of the estimate), years, yearly, yearly_low, yearly_high (change a year needed
    from the estimate and from the ends of its interval), met (yes, no, cannot tell, does not
    apply), reason, flag, note, reported (the share that the county forms give, where they do).
    """
    rows: list[Row] = []
    for target in targets.targets:
        domains = scope_domains(target, targets, provinces)
        if domains == "area":
            rows.append(_row(target, estimates, "area", area, year))
        elif domains:
            rows += [_row(target, estimates, "province", p, year) for p in domains]
        else:
            outside = Answer(NOT_APPLICABLE, "no county of the area lies in the target's provinces")
            rows.append(_base(target, "area", area, year) | asdict(outside))
    return pd.DataFrame(rows)


def _base(target: Target, kind: str, domain: str, year: int) -> Row:
    aim = math.nan if target.aim is None else target.aim
    return {
        "target": target.id, "en": target.en, "zh": target.zh, "due": target.year,
        "indicator": target.indicator or "", "domain_kind": kind, "domain": domain, "unit": "",
        "estimate": math.nan, "ci_low": math.nan, "ci_high": math.nan, "aim": aim,
        "value_basis": target.value_basis, "gap": math.nan, "years": target.year - year,
        "yearly": math.nan, "yearly_low": math.nan, "yearly_high": math.nan,
        "reported": math.nan, "met": CANNOT_TELL, "reason": "", "flag": "", "note": target.note,
    }  # fmt: skip


def _row(target: Target, estimates: pd.DataFrame, kind: str, domain: str, year: int) -> Row:
    base = _base(target, kind, domain, year)
    if target.indicator is None:
        return base | {"reason": "the survey has no indicator for it"}
    found = by_indicator(estimates, kind, domain)
    if target.reported in found:
        base["reported"] = float(found[target.reported]["estimate"])
    if target.indicator not in found:
        return base | {"reason": "the estimates do not have this indicator here"}
    line = found[target.indicator]
    numbers = {k: float(line[k]) for k in ("estimate", "ci_low", "ci_high")}
    base |= numbers | {"unit": line["unit"], "flag": line["flag"]}
    if math.isnan(numbers["estimate"]):
        return base | {"reason": str(line["reason"]) or "no estimate"}
    if target.relation == "growth":
        return base | {"reason": "growth needs a second survey and the national growth"}
    if target.aim is None:
        return base | {"reason": "the target has no value"}
    base |= _change(target, numbers, base["years"])
    if math.isnan(numbers["ci_low"]) or math.isnan(numbers["ci_high"]):
        return base | {"reason": "the estimate has no interval"}
    low, high = numbers["ci_low"], numbers["ci_high"]
    answer = judge(numbers["estimate"], low, high, target.aim, target.good, target.relation)
    return base | asdict(answer)


def _change(target: Target, numbers: dict[str, float], years: int) -> dict[str, float]:
    """Gap and the change a year that closes it; an end beyond the target needs no change."""
    assert target.aim is not None
    sign = 1.0 if target.good == "high" else -1.0
    gap = target.aim - numbers["estimate"]
    if years <= 0:
        return {"gap": gap}
    needed = {k: sign * max(0.0, sign * (target.aim - numbers[k])) / years for k in numbers}
    ends = sorted([needed["ci_low"], needed["ci_high"]])
    return {
        "gap": gap, "yearly": needed["estimate"], "yearly_low": ends[0], "yearly_high": ends[1]
    }  # fmt: skip


def open_items(targets: Targets) -> pd.DataFrame:
    """Objectives without a verified value, for the user to fill."""
    return pd.DataFrame([item.model_dump() for item in targets.to_be_filled])


def describe(row: pd.Series) -> str:
    """A target's baseline against its value in a few words, for the draft's text."""
    if math.isnan(row["estimate"]):
        return f"{row['en']} by {row['due']}: {row['met']} ({row['reason']})"
    if row["unit"] != "share" or math.isnan(row["aim"]):
        return f"{row['en']} by {row['due']}: {row['met']} ({row['reason']})"
    return (
        f"{row['en']} by {row['due']}: baseline {percent(row['estimate'])} "
        f"({percent(row['ci_low'])} to {percent(row['ci_high'])}) against {percent(row['aim'])}; "
        f"met: {row['met']}"
    )
