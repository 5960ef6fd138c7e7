"""What an audit did in one area, against the errors planted there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from povmon import paths
from povmon.audit import Audit, audit_intake
from povmon.audit.rules import catalogue
from povmon.audit.values import read_values
from povmon.audit.weights import place_records, reweight
from povmon.estimate import Design, estimate, fgt, mean
from povmon.survey.config import Survey, load_survey
from povmon.survey.forms import FORMS
from povmon.survey.intake import Intake, read_submissions
from povmon.synthetic.planted_log import read_log, sent_keys, undo
from povmon.synthetic.score_found import found_cases, household_of

# The four states of the area's households that are compared.
STATES = {
    "clean": "without the errors",
    "naive": "as submitted, no audit",
    "audited": "after the audit",
    "drawn": "all households drawn, without errors",
}
DESIGN = Design(strata="county_id", psu="village_id", weight="w_person", lonely="average")


@dataclass(frozen=True)
class AreaScore:
    """The score of one area.

    Parameters
    ----------
    area : its id.
    cases : kind, nature, case, found, corrected; one row a planted error.
    hard : rule, true, false: hard findings on records with and without a planted error.
    clean : number of delivered households without any planted error.
    flagged : how many of them have a statistical flag.
    flags : rule -> how many clean households it flags.
    effect : state, measure ("headcount" or "mean_income"), estimate, se.
    """

    area: str
    cases: pd.DataFrame
    hard: pd.DataFrame
    clean: int
    flagged: int
    flags: dict[str, int]
    effect: pd.DataFrame


def score_area(survey: str, area: str, planted: Path | None = None) -> AreaScore:
    """Audit an area in memory and compare with what was planted.

    Raises
    ------
    PovmonError : the submissions or the log of planted errors cannot be read.
    """
    config = load_survey(survey)
    intake = read_submissions(config, area)
    log = _of_area(read_log(survey, planted), intake)
    audit = audit_intake(intake)
    errors = log[log["nature"] != "structural"]
    spots = _spots(log, intake)
    clean = spots.clean_households(intake)
    flags = _flags(audit, clean)
    return AreaScore(
        area,
        cases=found_cases(audit, errors),
        hard=_hard(audit, spots),
        clean=len(clean),
        flagged=len(set().union(*flags.values())) if flags else 0,
        flags={rule: len(households) for rule, households in flags.items()},
        effect=_effect(config, area, intake, audit, errors),
    )


def _of_area(log: pd.DataFrame, intake: Intake) -> pd.DataFrame:
    """Planted errors on the records of this area, by the county that their key begins with."""
    counties = set(intake.rows["county"]["county_id"]) if "county" in intake.rows else set()
    return log[log["key"].str.slice(0, 6).isin(counties)].reset_index(drop=True)


@dataclass(frozen=True)
class _Spots:
    """Where something was planted: keys by form, losses at the place that shows them."""

    households: set[str]
    villages: set[str]
    counties: set[str]
    made_up: set[str]

    def clean_households(self, intake: Intake) -> set[str]:
        rows = intake.rows["household"]
        hit = rows["household_id"].isin(self.households) | rows["village_id"].isin(self.made_up)
        return set(rows.loc[~hit, "household_id"])


def _spots(log: pd.DataFrame, intake: Intake) -> _Spots:
    errors = log[log["nature"] != "structural"]
    sent = sent_keys(errors)
    households = set(household_of(errors["form"], errors["key"]))
    households |= set(household_of(errors["form"], sent))
    # A case of many records counts for each; a conflict of two claims both.
    villages = set(errors.loc[errors["form"] == "village", "key"])
    made_up = set(errors.loc[errors["scope"] == "village", "case"])
    lost = log[log["nature"] == "structural"]
    village_of_lost = lost.loc[lost["form"] == "household", "key"].str.slice(0, 8)
    villages |= made_up | set(village_of_lost) | set(lost.loc[lost["form"] == "village", "key"])
    counties = set(errors.loc[errors["form"] == "county", "key"])
    counties |= set(lost.loc[lost["form"] == "village", "key"].str.slice(0, 6))
    return _Spots(households - {""}, villages, counties, made_up)


def _hard(audit: Audit, spots: _Spots) -> pd.DataFrame:
    """Hard findings by rule: on a record or household with a planted error, and elsewhere."""
    found = audit.findings
    hard = found[(found["severity"] == "hard") & found["level"].isin(list(FORMS))]
    hard = hard[hard["key"] != ""]
    household = household_of(hard["level"], hard["key"])
    true = household.isin(spots.households)
    true |= (hard["level"] == "village") & hard["key"].isin(spots.villages)
    true |= (hard["level"] == "county") & hard["key"].isin(spots.counties)
    # A record that falls with its village or county is a consequence of the error there.
    village = household.where(household != "", hard["key"]).str.slice(0, 8)
    fallen = hard["rule"].str.startswith("parent_")
    true |= fallen & (village.isin(spots.villages) | village.str.slice(0, 6).isin(spots.counties))
    true |= household.ne("") & village.isin(spots.made_up)
    counts = pd.DataFrame({"rule": hard["rule"], "true": true, "false": ~true})
    counts["example"] = hard["key"].where(~true, "")
    by_rule = counts.groupby("rule", as_index=False)
    return by_rule.agg({"true": "sum", "false": "sum", "example": "max"})


def _flags(audit: Audit, clean: set[str]) -> dict[str, set[str]]:
    """Clean households with a statistical flag on them or on one of their persons, by rule."""
    rules = {r.id for r in catalogue().values() if r.kind == "statistical"}
    found = audit.findings[audit.findings["rule"].isin(rules)]
    found = found.assign(household=household_of(found["level"], found["key"]))
    found = found[found["household"].isin(clean)]
    return {str(rule): set(part["household"]) for rule, part in found.groupby("rule")}


def _effect(
    survey: Survey, area: str, intake: Intake, audit: Audit, errors: pd.DataFrame
) -> pd.DataFrame:
    """Headcount and mean income per person in each of the `STATES`."""
    before = replace(intake, rows=undo(intake.rows, errors))
    tables = read_values(survey, before.rows, before.submitted).tables
    received = tables["household"][["household_id", "village_id"]]
    clean, _ = reweight(survey, area, place_records(survey, area, tables), received)
    states = {
        "clean": clean["household"],
        "naive": _as_submitted(intake.rows["household"]),
        "audited": audit.records["household"],
    }
    drawn = paths.processed(survey.survey, "truth") / "household.parquet"
    if drawn.is_file():
        whole = pd.read_parquet(drawn)
        states["drawn"] = whole[whole["area"] == area]
    line = float(survey.line.value)
    parts = [_figures(frame, line).assign(state=state) for state, frame in states.items()]
    return pd.concat(parts, ignore_index=True)


def _as_submitted(rows: pd.DataFrame) -> pd.DataFrame:
    """Households as a user without an audit would read them: what is no number is missing."""
    columns = ("income_total", "hhsize", "w_hh")
    numbers = {c: pd.to_numeric(rows[c], errors="coerce") for c in columns}
    return rows[["household_id", "village_id"]].assign(**numbers)


def _figures(households: pd.DataFrame, line: float) -> pd.DataFrame:
    size = households["hhsize"].astype("float64")
    frame = pd.DataFrame({
        "county_id": households["village_id"].str.slice(0, 6),
        "village_id": households["village_id"],
        "income_pc": households["income_total"].astype("float64") / size,
        "w_person": households["w_hh"].astype("float64") * size,
    })  # fmt: skip
    usable = np.isfinite(frame["income_pc"]) & (frame["w_person"] > 0)
    frame = frame[usable & frame["village_id"].notna()]
    table = estimate(frame, DESIGN, [fgt("income_pc", line=line, alpha=0), mean("income_pc")])
    figures = pd.DataFrame(table)[["estimate", "se"]].reset_index(drop=True)
    return figures.assign(measure=["headcount", "mean_income"])
