"""Markup in what a province sends never reaches a page as markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit import small
from povmon.audit import Audit, audit_area
from povmon.present import audit_details, audits
from povmon.survey import FORMS
from survey import formats

EVIL = "<script>alert(1)</script>"
MARKDOWN = "[x](javascript:alert(1)) <img src=x onerror=alert(2)>"


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Audit:
    """The small survey with markup in cells, headings and names of files, sheets and folders."""
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    content = small.files()
    for form, rows in content["52"].items():
        for n, field in enumerate(FORMS[form].fields):
            if field.name in rows[0] and field.dtype != "id":
                rows[n % len(rows)][field.name] = EVIL if n % 2 else MARKDOWN
        rows[-1][FORMS[form].key[0]] = f"{EVIL}9"
    for row in content["52"]["household"]:
        row[EVIL] = MARKDOWN
    folder = small.write(tmp_path, content) / "wumeng" / "52"
    (folder / "person.csv").unlink()
    formats.xlsx(folder / "person <script>b.xlsx", {
        "person <img src=x>": formats.grid("person", content["52"]["person"]),
        "<script>": [["x"]],
    })  # fmt: skip
    (folder / "<script>.doc").write_text("x")
    later = folder / "<img src=x onerror=1>"
    later.mkdir()
    (later / "household.csv").write_bytes((folder / "household.csv").read_bytes())
    return audit_area("small", "wumeng")


def test_no_markup_of_a_submission_is_markup_on_the_page(audit: Audit) -> None:
    details = (
        audit_details.received_text, audit_details.files_table, audit_details.remarks_table,
        audit_details.promptness, audit_details.promptness_by_county,
        audit_details.rejected_table, audit_details.corrections_text,
        audit_details.corrections_table, audit_details.lost_text,
    )  # fmt: skip
    shown = [function(audit) for function in details]
    shown.append(audits.findings_table(audit.findings))
    html = "\n".join(str(item._repr_html_()) for item in shown if hasattr(item, "_repr_html_"))
    markdown = "\n".join(str(getattr(item, "markdown", "")) for item in shown)
    assert "&lt;script" in html and "&lt;img" in html  # they are shown, as text
    for markup in ("<script", "<img"):
        assert markup not in html + markdown
    assert "](javascript" not in markdown
