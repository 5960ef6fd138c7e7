"""The audit's page on the small survey: every function shows something, and escapes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from audit import small
from povmon.audit import Audit, audit_area
from povmon.present import audit_details as details

SHOWN = [
    details.received_text, details.files_table, details.remarks_table, details.promptness,
    details.rejected_table, details.corrections_text, details.corrections_table,
    details.response_summary, details.response, details.response_figure, details.weights_text,
    details.weights_table, details.lost_text, details.rules_table,
]  # fmt: skip


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    root = tmp_path_factory.mktemp("small")
    content = small.files()
    content["51"]["household"][0]["dwelling_area"] = "<script>alert(1)</script>"
    content["51"]["household"].append(dict(content["51"]["household"][1]))
    for form in ("village", "household", "person"):
        key = "village_id" if form == "village" else "household_id"
        rows = content["52"][form]
        content["52"][form] = [r for r in rows if str(r[key])[6:8] != "02"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(root))
        small.write(root, content)
        yield audit_area("small", "wumeng")


@pytest.mark.parametrize("show", SHOWN, ids=lambda f: f.__name__)
def test_every_function_shows_something(audit: Audit, show: object) -> None:
    shown = show(audit)  # type: ignore[operator]
    page = getattr(shown, "_repr_html_", shown._repr_markdown_)()
    assert page and "<script" not in page and "nan" not in page.lower().split()


def test_sentences_carry_the_numbers(audit: Audit) -> None:
    assert "34 records" not in str(details.received_text(audit))
    assert "8 files from 2 provinces" in str(details.received_text(audit))
    assert "1 value" in str(details.corrections_text(audit))
    assert "lost village 52052602" in str(details.lost_text(audit))
    assert "6,000" in str(details.weights_text(audit))


def test_files_that_were_superseded_or_unreadable_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    folder = small.write(tmp_path, small.files()) / "wumeng" / "52"
    later = folder / "2011-04-20"
    later.mkdir()
    (later / "household.csv").write_bytes((folder / "household.csv").read_bytes())
    (folder / "household.csv").write_bytes(b"")
    audit = audit_area("small", "wumeng")
    page = details.files_table(audit)._repr_html_()
    assert "2011-04-20/household.csv" in page and "not read" in page and "could not be read" in page
    text = details.received_text(audit).markdown
    assert text.startswith("8 files from 2 provinces were read")
    assert text.endswith("1 older file was superseded by a later delivery.")
