"""Return slips: a page to read and a workbook to fill in and send back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from audit import small
from povmon.audit import Audit, audit_area, audit_intake
from povmon.audit.answers import SHEET, WORDS, read_answers
from povmon.pipeline.steps import returns as step
from povmon.present import reviews
from povmon.present.display import Figure
from povmon.present.slips import COLUMNS, FIRST_ROW, slip_pages, slip_workbook
from povmon.survey import load_survey
from povmon.survey.intake import read_submissions

FORMULA = '=HYPERLINK("http://x","y")'
MARKUP = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audit]:
    root = tmp_path_factory.mktemp("slips")
    content = small.files()
    homes = content["51"]["household"]
    homes[0]["water"], homes[1]["structure"] = FORMULA, MARKUP
    homes[2]["income_total"] = 1
    homes[3]["dwelling_area"] = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(root))
        small.write(root, content)
        yield audit_area("small", "wumeng")


def tables(audit: Audit) -> dict[str, pd.DataFrame]:
    return {"review": audit.review, "acceptance": audit.acceptance, "followed": audit.followed}


def page(audit: Audit, province: str = "51") -> str:
    return slip_pages(audit.survey, audit.area, tables(audit))[province]


def workbook(audit: Audit, province: str = "51") -> bytes:
    return slip_workbook(audit.survey, audit.area, province, tables(audit))


def test_the_page_has_every_item_of_the_province_and_no_other(audit: Audit) -> None:
    html = page(audit)
    own = audit.review["province_id"] == "51"
    assert own.any() and all(item in html for item in audit.review.loc[own, "item"])
    other = page(audit, "52")
    assert not any(item in other for item in audit.review.loc[own, "item"])
    assert "household.csv, line 2" in html and "饮用水" in html and "Verdict" in html


def test_markup_is_escaped(audit: Audit) -> None:
    assert MARKUP not in page(audit) and "&lt;script&gt;" in page(audit)


def test_the_workbook_is_the_same_each_time_and_nothing_in_it_is_a_formula(audit: Audit) -> None:
    data = workbook(audit)
    assert data == workbook(audit)
    sheet = openpyxl.load_workbook(io.BytesIO(data))[SHEET]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not any(cell.data_type == "f" for cell in cells)
    assert f"'{FORMULA}" in [cell.value for cell in cells]


def test_only_the_answers_can_be_filled_in(audit: Audit) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(audit)))[SHEET]
    assert sheet.protection.sheet
    names = [name for name, _, _ in COLUMNS]
    row = next(sheet.iter_rows(FIRST_ROW + 1, FIRST_ROW + 1))
    open_cells = {names[c.column - 1] for c in row if not c.protection.locked}
    assert open_cells == {"answer", "comment"}
    choice = sheet.data_validations.dataValidation[0]
    assert all(word in choice.formula1 for word in WORDS)


@pytest.mark.slow
def test_a_slip_that_was_filled_in_is_read_back(
    audit: Audit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    content = small.files()
    content["51"]["household"][3]["dwelling_area"] = 0
    folder = small.write(tmp_path, content) / "wumeng" / "51"
    before = audit_area("small", "wumeng")
    book = openpyxl.load_workbook(io.BytesIO(workbook(before)))
    sheet = book[SHEET]
    at = {name: i for i, (name, _, _) in enumerate(COLUMNS, start=1)}
    items = {sheet.cell(r, at["item"]).value: r for r in range(FIRST_ROW + 1, sheet.max_row + 1)}
    soft = before.review.loc[before.review["column"] == "dwelling_area", "item"].iloc[0]
    sheet.cell(items[soft], at["answer"], next(iter(WORDS)))
    sheet.cell(items[soft], at["comment"], "a cave")
    book.save(folder / "51.xlsx")
    given = read_answers(load_survey("small"), "wumeng")
    assert given[["item", "answer", "comment"]].values.tolist() == [[soft, "right", "a cave"]]
    intake = read_submissions(load_survey("small"), "wumeng")
    before_it = [replace(d, place=f"before/{d.place}") for d in intake.deliveries]
    after = audit_intake(intake, replace(intake, deliveries=before_it))
    status = after.followed.set_index("item")["status"]
    assert status[soft] == "confirmed" and (status == "confirmed").sum() == 1
    html = slip_pages(after.survey, after.area, tables(after))["51"]
    assert "a cave" in html and "已确认" in html


def test_a_province_that_sent_nothing_has_a_slip_that_says_so(audit: Audit) -> None:
    missing = audit.acceptance[audit.acceptance["province_id"] == "51"].head(1)
    missing = missing.assign(verdict="nothing received", reason="no file arrived", records=0)
    content = {"review": audit.review.head(0), "acceptance": missing, "followed": audit.followed}
    html = slip_pages(audit.survey, audit.area, content)["51"]
    assert "nothing received 未收到" in html and "Nothing. 无。" in html
    assert slip_workbook(audit.survey, audit.area, "51", content)


def test_the_step_writes_a_page_and_a_workbook_and_removes_old_ones(
    audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    from povmon import paths

    folder = paths.reports("small") / "wumeng" / "returns"
    folder.mkdir(parents=True)
    (folder / "99.html").write_text("old", "utf-8")
    written = step.run("small", "wumeng", {"survey": "small"})
    assert {p.name for p in written} == {f"{p}.{k}" for p in (51, 52) for k in ("html", "xlsx")}
    assert {p.name for p in folder.iterdir()} == {p.name for p in written}


SHOWN = [
    reviews.first_to_check, reviews.influence_text, reviews.influence_chart,
    reviews.followed_text, reviews.followed_table, reviews.slips_table,
    lambda a: reviews.acceptance_table(a.acceptance, a.survey.survey),
    lambda a: reviews.verdicts_table(a.acceptance, a.survey.survey),
    lambda a: reviews.verdicts_table(a.acceptance.assign(area="wumeng"), a.survey.survey, True),
    lambda a: reviews.acceptance_text(a.acceptance, a.survey),
]  # fmt: skip


@pytest.mark.parametrize("show", SHOWN)
@pytest.mark.parametrize("empty", [False, True])
def test_the_audit_page_shows_something_also_where_nothing_was_found(
    audit: Audit, show: object, empty: bool
) -> None:
    found = replace(audit, review=audit.review.head(0)) if empty else audit
    shown = show(found)  # type: ignore[operator]
    html = getattr(shown, "_repr_html_", shown._repr_markdown_)()
    assert html and "<script" not in html and ">nan<" not in html


def test_cells_are_named_in_words(audit: Audit) -> None:
    words = reviews.cell_words("county 513431: headcount", "small")
    assert words.endswith("poverty headcount") and "513431" not in words
    assert reviews.cell_words("", "small") == ""
    review = audit.review.assign(influence=1.0, influence_cell="area wumeng: headcount")
    moved = replace(audit, review=review)
    assert "items** are to be checked" in str(reviews.influence_text(moved))
    chart = reviews.influence_chart(moved)
    assert isinstance(chart, Figure) and "1.00 standard errors" in chart.alt
