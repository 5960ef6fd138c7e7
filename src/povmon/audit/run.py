"""The audit of one area, from what was submitted to the accepted records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon import paths
from povmon.audit import (
    amounts,
    copies,
    corrections,
    design,
    impute,
    influence,
    keys,
    localisation,
    logic,
    outliers,
    patterns,
    places,
    previous,
    published,
    repairs,
    returns,
    roster,
    slips,
    units,
    values,
    weights,
)
from povmon.audit.acceptance import accept
from povmon.audit.accounting import account, promptness, promptness_by_county
from povmon.audit.answers import read_answers
from povmon.audit.edit_set import edit_set
from povmon.audit.ledger import Ledger
from povmon.audit.store import read_table, write_tables
from povmon.errors import PovmonError
from povmon.survey.config import Survey, load_survey
from povmon.survey.forms import FORMS
from povmon.survey.intake import Intake, previous_submissions, read_submissions
from povmon.survey.schema import fault

REPORTS = {
    "findings": "findings",
    "rejected": "rejected",
    "accounting": "accounting",
    "corrections": "corrections_log",
    "imputed": "imputed",
    "donors": "donors",
    "response": "response",
    "promptness": "promptness",
    "promptness_county": "promptness_county",
    "files": "files",
    "acceptance": "acceptance",
    "review": "review",
    "followed": "followed",
}


@dataclass(frozen=True)
class Audit:
    """What an audit of one area made; every table also stands in data/processed.

    Parameters
    ----------
    survey, area : what was audited.
    records : form -> accepted records.
    findings : one row a finding (rule, severity, level, file, sheet, line, key, column, value,
        message).
    rejected : one row a record left out (form, key, file, sheet, line, rule, reason).
    accounting : rows received, accepted, corrected and rejected by form and province.
    corrections : one row a changed value (form, key, column, before, after, rule, method).
    imputed : one row an imputed cell (form, key, column, group, method, donor, pool).
    donors : one row a donor of a pool that a cell was imputed from (group, pool, donor).
    response : one row a county: expected, received, accepted, weights before and after.
    promptness : one row a province: expected by, received, days late, status, deliveries.
    promptness_county : one row a county: the same, and the forms that lack it.
    files : one row a file: encoding, rows, checksum.
    acceptance : error rates and verdicts by province and form (`povmon.audit.acceptance`).
    review : what to check, by influence on the published figures (`povmon.audit.returns`).
    followed : what became of the items of the former submission; empty at a first one.
    """

    survey: Survey
    area: str
    records: dict[str, pd.DataFrame]
    findings: pd.DataFrame
    rejected: pd.DataFrame
    accounting: pd.DataFrame
    corrections: pd.DataFrame
    imputed: pd.DataFrame
    donors: pd.DataFrame
    response: pd.DataFrame
    promptness: pd.DataFrame
    promptness_county: pd.DataFrame
    files: pd.DataFrame
    acceptance: pd.DataFrame
    review: pd.DataFrame
    followed: pd.DataFrame


def audit_area(survey: str, area: str) -> Audit:
    """Read, audit and weight the submissions of one area, and write the result.

    Parameters
    ----------
    survey : name of the survey (a folder of data/raw).
    area : one of its areas.

    Returns
    -------
    The `Audit`; its tables are written to data/processed/<survey>/<area>/.

    Raises
    ------
    PovmonError : whatever prevents reading (see `read_submissions`), or no household at all.
    """
    config = load_survey(survey)
    former = previous_submissions(config, area)
    audit = audit_intake(read_submissions(config, area), former)
    tables = {**audit.records, **{file: getattr(audit, name) for name, file in REPORTS.items()}}
    write_tables(paths.processed(survey, area), tables)
    return audit


def load_audit(survey: str, area: str) -> Audit:
    """The audit of an area as it was last written."""
    config = load_survey(survey)
    folder = paths.processed(survey, config.check_area(area))
    records: dict[str, pd.DataFrame] = {f: read_table(folder, f) for f in config.forms}
    reports = {name: read_table(folder, file) for name, file in REPORTS.items()}
    return Audit(config, area, records, **reports)


def audit_intake(intake: Intake, former: Intake | None = None) -> Audit:
    """Audit what was read, without writing anything.

    Parameters
    ----------
    intake : the submissions as they stand.
    former : the submissions as they stood before the newest delivery, to see what the provinces
        answered; None at a first submission.
    """
    survey, area = intake.survey, intake.area
    if not len(intake.rows["household"]):
        raise PovmonError(
            "no household was submitted",
            where=f"{survey.survey}, {area}",
            todo="check the household files of the area's submissions",
        )
    ledger = _examine(intake)
    accounting = account(intake, ledger)
    records, response = _weigh(intake, ledger)
    for form, table in records.items():
        _check_schema(survey, form, table)
    changed = ledger.corrections()
    findings = influence.add_influence(survey, area, records, ledger.findings(), changed)
    review = returns.review_list(survey, area, findings, changed)
    followed = returns.no_follow_up()
    if former is not None:
        received = {form: set(table["key"]) for form, table in ledger.tables.items()}
        followed, review = returns.follow_up(
            audit_intake(former).review, review, read_answers(survey, area), received,
            _sent_again(intake, former),
        )  # fmt: skip
    return Audit(
        survey, area, records, findings, ledger.rejected(), accounting, changed, ledger.imputed(),
        ledger.donors(), response, promptness(intake),
        promptness_by_county(intake, ledger), intake.files,
        accept(intake, ledger, findings), review, followed,
    )  # fmt: skip


def _sent_again(intake: Intake, former: Intake) -> set[str]:
    """Provinces with a delivery that the former submissions had not."""
    before = {delivery.place for delivery in former.deliveries}
    return {d.province_id for d in intake.deliveries if d.place not in before}


def _examine(intake: Intake) -> Ledger:
    """All checks, in the order in which one's repair serves the next."""
    survey = intake.survey
    rows, replayed = corrections.replay(intake)
    ledger = values.read_values(survey, rows, intake.submitted)
    corrections.record(ledger, replayed)
    for remark in intake.remarks:
        ledger.note(remark.rule, remark.level, file=remark.file, sheet=remark.sheet,
                    line=remark.line, column=remark.column, value=remark.value,
                    detail=remark.detail)  # fmt: skip
    keys.reject_without_key(ledger)
    amounts.check_sums(ledger)
    keys.reject_duplicates(ledger)
    roster.check_rosters(ledger)
    repairs.repair_weights(survey, ledger)
    values.reject_incomplete(survey, ledger)
    keys.check_parents(survey, intake.area, ledger)
    amounts.check_scale(ledger)
    logic.check_logic(survey, ledger)
    _compare(survey, intake.area, ledger)
    # Last, so that no imputed value is compared with others as if somebody had answered it.
    edits = edit_set(survey.line.value, ledger.submitted)
    localisation.localise_blocks(ledger, edits)
    impute.impute(survey, intake.area, ledger, edits)
    return ledger


def _compare(survey: Survey, area: str, ledger: Ledger) -> None:
    """What single records do not show: against each other, the design and other sources."""
    units.check_units(survey, area, ledger)
    copies.check_copies(survey, area, ledger)
    patterns.check_patterns(ledger)
    design.check_design(survey, area, ledger)
    slips.mend_slips(survey, ledger, outliers.check_outliers(survey, area, ledger))
    places.check_places(survey, area, ledger)
    previous.check_previous(survey, area, ledger)
    published.check_published(survey, area, ledger)


def _weigh(intake: Intake, ledger: Ledger) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    survey, area = intake.survey, intake.area
    accepted: dict[str, pd.DataFrame] = {}
    for form in survey.forms:
        table = ledger.accepted(form)
        changed = ledger.changed[form][ledger.live[form]]
        table["status"] = np.where(changed, "corrected", "accepted")
        accepted[form] = table.reset_index(drop=True)
    placed = weights.place_records(survey, area, accepted)
    received = ledger.tables["household"][["household_id", "village_id"]]
    weighted, response = weights.reweight(survey, area, placed, received)
    _note_calibration(survey, ledger, response)
    return {form: _finish(form, table) for form, table in weighted.items()}, response


def _note_calibration(survey: Survey, ledger: Ledger, response: pd.DataFrame) -> None:
    if survey.design.calibrate_to == "none":
        return
    share = response["weight_sum_before"] / response["rural_population"]
    low, high = weights.FAR_CALIBRATION
    for county, value in zip(response["county_id"], share, strict=True):
        if value > 0 and not low <= value <= high:
            ledger.note("calibration_far", "county", key=str(county), column="w_hh",
                        value=f"{value:.3f}", detail=f"{100 * value:.0f} %")  # fmt: skip


def _finish(form: str, table: pd.DataFrame) -> pd.DataFrame:
    """Columns in their final order: the form's, then where the record belongs and came from."""
    columns = FORMS[form].columns
    extra = {"household": ["w_person"], "person": ["w_hh"]}.get(form, [])
    places = ["source_file", "source_sheet", "source_line"]
    origin = ["area", "county_id", "province_id", *places, "status"]
    origin = [name for name in origin if name not in columns]
    ordered = table[[*columns, *extra, *origin]]
    return ordered.astype({name: "str" for name in origin if name != "source_line"})


def _check_schema(survey: Survey, form: str, table: pd.DataFrame) -> None:
    """The accepted records against the form's schema: a fault here is one of the audit."""
    found = fault(form, table)
    if found:
        raise PovmonError(
            f"the accepted records break the form's schema ({found})",
            where=f"{survey.survey}, {form} form",
            todo="this is a fault of the audit: please report it",
        )
