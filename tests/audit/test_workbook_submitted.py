"""Workbooks that were sent out, filled in and sent back give what the same CSV files give."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from audit import small
from povmon.audit import Audit, audit_area
from povmon.survey import FORMS, load_survey
from povmon.survey.workbook import form_version, scopes, write_forms
from survey.conftest import small_survey
from survey.filled import fill


def send_back(root: Path) -> None:
    """Write the small survey's workbooks by `write_forms`, fill them in and submit them."""
    submissions = small.write(root, {}) / "wumeng"
    survey = load_survey("small")
    for scope, path in zip(scopes(survey), write_forms(survey).written, strict=True):
        workbook = load_workbook(path)
        fill(workbook, scope, small.files()[scope.province])
        folder = submissions / scope.province
        folder.mkdir(parents=True)
        workbook.save(folder / path.name)
        (folder / "manifest.yml").write_text("received: 2011-03-25\n", encoding="utf-8")


@pytest.fixture(scope="module")
def audits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Audit]:
    """The audits of the same records submitted as CSV and as workbooks."""
    done = {}
    with pytest.MonkeyPatch.context() as patch:
        for kind in ("csv", "xlsx"):
            root = tmp_path_factory.mktemp(kind)
            patch.setenv("POVMON_ROOT", str(root))
            if kind == "csv":
                small.write(root, small.files())
            else:
                send_back(root)
            done[kind] = audit_area("small", "wumeng")
    return done


@pytest.mark.parametrize("form", list(FORMS))
def test_the_audit_sees_the_same_records(audits: dict[str, Audit], form: str) -> None:
    csv, xlsx = (audits[kind].records[form][FORMS[form].columns] for kind in ("csv", "xlsx"))
    pd.testing.assert_frame_equal(xlsx, csv)
    # Rows that were not filled in are no records.
    received = audits["xlsx"].accounting.query("form == @form")["received"].sum()
    assert received == len(xlsx)


def test_nothing_is_found_or_changed(audits: dict[str, Audit]) -> None:
    audit = audits["xlsx"]
    assert set(audit.findings["rule"]) <= {"column_missing"}
    assert audit.corrections.empty and audit.rejected.empty


def test_rows_know_their_sheet_and_files_the_version_of_the_form(audits: dict[str, Audit]) -> None:
    person = audits["xlsx"].records["person"]
    assert set(person["source_sheet"]) == {"person 人口表"}
    assert person["source_line"].min() == 4
    version = form_version(small_survey())
    assert set(audits["xlsx"].files["form_version"]) == {version}
