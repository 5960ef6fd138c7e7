"""Workbooks that were sent out, filled in and sent back give what the same CSV files give."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from audit import small
from povmon.audit import Audit, audit_area
from povmon.survey import FORMS, load_survey
from povmon.survey.workbook import form_version, scopes, write_forms
from survey.filled import fill


def sent_back(root: Path) -> Path:
    """The small survey's workbooks written by `write_forms`, filled in and submitted."""
    submissions = small.write(root, {}) / "wumeng"
    survey = load_survey("small")
    for scope, path in zip(scopes(survey), write_forms(survey).written, strict=True):
        workbook = load_workbook(path)
        fill(workbook, scope, small.files()[scope.province])
        folder = submissions / scope.province
        folder.mkdir(parents=True)
        workbook.save(folder / path.name)
        (folder / "manifest.yml").write_text("received: 2011-03-25\n", encoding="utf-8")
    return submissions


def ready(audit: Audit) -> dict[str, pd.DataFrame]:
    """The accepted records by form: the form's own columns."""
    return {name: audit.records[name][FORMS[name].columns] for name in FORMS}


def test_the_audit_sees_the_same_records(root: Path) -> None:
    small.write(root, small.files())
    wanted = ready(audit_area("small", "wumeng"))
    shutil.rmtree(root / "data" / "raw" / "small" / "submissions")
    sent_back(root)
    audit = audit_area("small", "wumeng")
    for name, records in ready(audit).items():
        pd.testing.assert_frame_equal(records, wanted[name])
    assert set(audit.findings["rule"]) <= {"column_missing"}
    assert audit.corrections.empty and audit.rejected.empty


def test_every_row_knows_its_sheet_and_the_form_its_version(root: Path) -> None:
    sent_back(root)
    audit = audit_area("small", "wumeng")
    person = audit.records["person"]
    assert set(person["source_sheet"]) == {"person 人口表"}
    assert person["source_line"].min() == 4
    assert set(audit.files["form_version"]) == {form_version(load_survey("small"))}


@pytest.mark.parametrize("form", ["household", "person"])
def test_rows_that_were_not_filled_in_are_no_records(root: Path, form: str) -> None:
    sent_back(root)
    audit = audit_area("small", "wumeng")
    count = sum(len(files[form]) for files in small.files().values())
    received = audit.accounting.query("form == @form")["received"].sum()
    assert received == count == len(audit.records[form])
