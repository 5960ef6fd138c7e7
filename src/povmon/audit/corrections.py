"""Reviewers' corrections: ``corrections.csv`` of a survey, replayed on what was submitted.

The file's columns: form, key ("/" between the parts of a key), column, before, after, who, when,
why. A correction is applied where ``before`` is what was submitted; one that matches nothing is
reported, so that it cannot lapse unseen when a province sends its data again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from povmon import paths, privacy
from povmon.audit.ledger import Ledger, as_text
from povmon.errors import PovmonError
from povmon.survey.cells import normal_number
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS
from povmon.survey.frame import survey_counties
from povmon.survey.intake import Intake, row_keys
from povmon.survey.text import TextTable, read_text_table

FILE = "corrections.csv"
COLUMNS = ["form", "key", "column", "before", "after", "who", "when", "why"]


@dataclass
class Replay:
    """What became of the corrections of one area.

    Parameters
    ----------
    applied : (entry of the file, rows of the form's table it changed).
    unmatched : (line in the file, entry, why it was not applied).
    """

    applied: list[tuple[dict[str, str], np.ndarray]] = field(default_factory=list)
    unmatched: list[tuple[int, dict[str, str], str]] = field(default_factory=list)


def replay(intake: Intake) -> tuple[dict[str, pd.DataFrame], Replay]:
    """Text rows with the reviewers' corrections in them, and what became of each correction.

    Raises
    ------
    PovmonError : the file cannot be read, lacks a column, or names an unknown form or column.
    """
    rows = {form: table.copy() for form, table in intake.rows.items()}
    result = Replay()
    path = paths.raw(intake.survey.survey) / FILE
    if not path.is_file():
        return rows, result
    place = f"data/raw/{intake.survey.survey}/{FILE}"
    table = read_text_table(path, place, COLUMNS)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise PovmonError(
            f"the column {missing[0]!r} is missing",
            where=table.where(table.heading_line),
            todo=f"columns needed: {', '.join(COLUMNS)}",
        )
    known = {form: row_keys(form, frame) for form, frame in rows.items()}
    owners = _owners(intake.survey)
    for position, line in enumerate(table.lines):
        entry = _entry(intake.survey, table, position)
        _check_entry(intake, entry, f"{place}, line {line}")
        if not _elsewhere(intake, owners, entry):
            _apply(rows, known, entry, line, result)
    return rows, result


def record(ledger: Ledger, result: Replay) -> None:
    """Enter what the reviewers changed, and what could not be applied, into the ledger."""
    for entry, rows in result.applied:
        form, column = entry["form"], entry["column"]
        table = ledger.tables[form]
        mask = np.zeros(len(table), dtype=bool)
        mask[rows] = True
        words = f"{entry['why']} ({entry['who']}, {entry['when']})"
        before = pd.Series(entry["before"], index=table.index, dtype="str")
        detail = pd.Series(words, index=table.index, dtype="str")
        ledger.find("correction_applied", form, mask, column, before, detail)
        ledger.log(form, mask, column, before, "correction_applied", f"reviewer: {words}")
    for line, entry, why in result.unmatched:
        ledger.note("correction_unmatched", entry["form"], file=FILE, line=line, key=entry["key"],
                    column=entry["column"], value=entry["before"], detail=why)  # fmt: skip


def _entry(survey: Survey, table: TextTable, position: int) -> dict[str, str]:
    """One correction, with the hashes that intake put in the place of personal data."""
    entry = {name: table.columns[name][position] for name in COLUMNS}
    key = [_hashed(part, survey) for part in entry["key"].split("/")]
    why = privacy.scrub(entry["why"], survey.survey, names=False)
    values = {name: _hashed(entry[name], survey) for name in ("before", "after")}
    return {**entry, **values, "key": "/".join(key), "why": why}


def _hashed(text: str, survey: Survey) -> str:
    return privacy.hashed(text, survey.survey) if privacy.is_personal(text) else text


def _check_entry(intake: Intake, entry: dict[str, str], where: str) -> None:
    form = entry["form"]
    if form not in intake.survey.forms:
        raise PovmonError(
            f"unknown form {form!r}", where=where, todo=f"forms: {', '.join(intake.survey.forms)}"
        )
    if entry["column"] not in FORMS[form].columns:
        raise PovmonError(
            f"the {form} form has no column {entry['column']!r}",
            where=where,
            todo=f"columns: {', '.join(FORMS[form].columns)}",
        )


def _owners(survey: Survey) -> dict[str, str]:
    """County id -> area id, to tell corrections of other areas from those that match nothing."""
    counties = survey_counties(survey)
    return dict(zip(counties["county_id"], counties["area_id"], strict=True))


def _elsewhere(intake: Intake, owners: dict[str, str], entry: dict[str, str]) -> bool:
    """True when the record belongs to another area of the survey."""
    if entry["key"] in intake.elsewhere.get(entry["form"], set()):
        return True
    return owners.get(entry["key"][:6], intake.area) != intake.area


def _apply(
    rows: dict[str, pd.DataFrame], known: dict[str, pd.Series], entry: dict[str, str], line: int,
    result: Replay,
) -> None:  # fmt: skip
    form, column = entry["form"], entry["column"]
    at = np.flatnonzero(known[form] == entry["key"])
    if not len(at):
        result.unmatched.append((line, entry, f"no {form} record has the key {entry['key']}"))
        return
    cells = rows[form].loc[at, column]
    same = np.array([_same(cell, entry["before"]) for cell in cells])
    if not same.any():
        found = ", ".join(repr(cell) for cell in as_text(cells))
        why = f"{entry['before']!r} should have been submitted, but it was {found}"
        result.unmatched.append((line, entry, why))
        return
    rows[form].loc[at[same], column] = entry["after"]
    result.applied.append((entry, at[same]))


def _same(cell: str, before: str) -> bool:
    """Equal as text, or as numbers (1,200 and 1200)."""
    if cell == before:
        return True
    a, b = normal_number(cell), normal_number(before)
    return a is not None and a == b
