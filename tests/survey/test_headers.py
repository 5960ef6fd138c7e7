"""Titles, headings of several rows, totals, notes and units in headings."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from audit import small
from povmon.audit import audit_intake
from povmon.errors import PovmonError
from povmon.survey import FORMS, load_survey
from povmon.survey.header import as_table, headings_of
from povmon.survey.intake import Intake, read_submissions
from povmon.survey.readers import Grid, Source
from povmon.survey.spelling import spelling
from survey import formats

KNOWN = {"id": "id", "代码": "id", "wages": "wages", "incomewages": "wages", "food": "food"}


def read(root: Path, rows: list[list[object]], suffix: str = "csv") -> Intake:
    folder = formats.replace(root, "52", "household")
    if suffix == "csv":
        formats.csv(folder / "household.csv", rows)
    else:
        formats.xlsx(folder / "household.xlsx", {"户表": rows})
    return read_submissions(load_survey("small"), "wumeng")


def mine(intake: Intake, column: str) -> list[str]:
    return intake.rows["household"].query("submitted_by == '52'")[column].tolist()


def base() -> list[list[object]]:
    return formats.grid("household", small.files()["52"]["household"])


def wide(rows: list[list[object]], *extra: object) -> list[object]:
    return [*extra, *[""] * (len(rows[0]) - len(extra))]


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_titles_label_rows_and_units_above_the_names(root: Path, suffix: str) -> None:
    rows = base()
    names = [str(n) for n in rows[0]]
    english = [FORMS["household"][n].en for n in names]
    chinese = [FORMS["household"][n].zh for n in names]
    units = [FORMS["household"][n].unit for n in names]
    title = wide(rows, "2010年农村贫困监测户表")
    intake = read(root, [title, english, chinese, units, *rows], suffix)
    assert mine(intake, "household_id") == [str(r[0]) for r in rows[1:]]
    assert mine(intake, "source_line") == [6, 7, 8, 9, 10, 11]
    assert {r.rule for r in intake.remarks} == {"column_missing"} | (
        {"file_changed"} if suffix == "csv" else set()
    )


def test_a_merged_heading_of_two_rows(root: Path) -> None:
    rows = base()
    upper = list(rows[0])
    lower: list[object] = [""] * len(upper)
    for name in ("income_wages", "income_business", "income_property"):
        at = upper.index(name)
        upper[at], lower[at] = ("Income" if name == "income_wages" else ""), name
    intake = read(root, [upper, lower, *rows[1:]], "xlsx")
    for name in ("household_id", "income_wages", "income_business", "income_property"):
        assert mine(intake, name) == [str(r[rows[0].index(name)]) for r in rows[1:]]


def test_words_spread_over_merged_cells() -> None:
    grid = Grid("", [["代码", "Income", "", "x"], ["", "wages", "food", ""], ["1", "2", "3", "4"]],
                [1, 2, 3])  # fmt: skip
    table = as_table(Source("f", "utf-8", "", [grid]), grid, KNOWN, ["id"])
    assert table.columns == {"id": ["1"], "wages": ["2"], "food": ["3"], "x": ["4"]}


@pytest.mark.parametrize(
    "word", ["Total", "合计", "合 计", "总计：", "小计", "Sub-total", "GRAND TOTAL"]
)
def test_totals_are_left_out_with_a_finding(root: Path, word: str) -> None:
    rows = base()
    total = wide(rows, word)
    total[-1] = 99999
    intake = read(root, [*rows[:3], total, *rows[3:], wide(rows, "", word)])
    assert mine(intake, "source_line") == [2, 3, 5, 6, 7, 8]
    found = [(r.line, r.value) for r in intake.remarks if r.rule == "total_row"]
    assert found == [(4, word), (9, word)]
    files = intake.files.set_index("file").loc["wumeng/52/household.csv"]
    assert (files["rows"], files["left_out"]) == (6, 2)
    audit = audit_intake(intake)
    assert (audit.findings["rule"] == "total_row").sum() == 2
    assert audit.accounting.query("form == 'household'")["received"].sum() == 12


def test_notes_and_repeated_headings_are_left_out(root: Path) -> None:
    rows = base()
    intake = read(root, [*rows[:4], rows[0], *rows[4:], wide(rows, "注：含外出人口"),
                         wide(rows, "", "Prepared by: X")])  # fmt: skip
    assert mine(intake, "source_line") == [2, 3, 4, 6, 7, 8]
    rules = [(r.rule, r.line) for r in intake.remarks if r.rule.endswith("_row")]
    assert rules == [("heading_row", 5), ("note_row", 9), ("note_row", 10)]


def test_a_heading_repeated_below_records_hides_none_of_them() -> None:
    rows = [["id", "wages", "mood"], ["1", "2", "x"], ["id", "wages", "mood"], ["3", "4", "y"]]
    grid = Grid("", rows, [1, 2, 3, 4])
    table = as_table(Source("f", "utf-8", "", [grid]), grid, KNOWN, ["id"])
    assert table.columns["id"] == ["1", "3"] and [r.line for r in table.left_out] == [3]


def test_records_above_their_heading_are_records(root: Path) -> None:
    heading, *records = base()
    intake = read(root, [records[2], heading, *records[:2], *records[3:]])
    ids = [str(row[heading.index("household_id")]) for row in records]
    assert mine(intake, "household_id") == [ids[2], *ids[:2], *ids[3:]]
    assert intake.rows["household"].query("submitted_by == '52'")["source_line"].iloc[0] == 1


def test_blank_rows_and_columns_are_nothing(root: Path) -> None:
    rows = [[*row, "", ""] for row in base()]
    intake = read(root, [*rows[:3], wide(rows), *rows[3:], wide(rows)])
    assert mine(intake, "source_line") == [2, 3, 5, 6, 7, 8]
    assert not [r for r in intake.remarks if r.rule == "column_unknown"]


@pytest.mark.parametrize(
    ("heading", "cell", "read_as"),
    [
        ("工资性收入（万元）", "0.3", 3000), ("Wage income (thousand yuan)", "3", 3000),
        ("工资性收入（元）", "3000", 3000), ("income_wages [元]", "3000", 3000),
        ("工资性收入（公斤）", "3000", None), ("工资性收入（美元）", "3000", None),
        ("工资性收入（必填）", "3000", 3000),
    ],
)  # fmt: skip
def test_units_of_headings(root: Path, heading: str, cell: str, read_as: float | None) -> None:
    rows = base()
    at = rows[0].index("income_wages")
    rows[0][at] = heading
    for row in rows[1:]:
        row[at] = cell
    intake = read(root, rows)
    audit = audit_intake(intake)
    table = audit.corrections.query(
        "column == 'income_wages' and file == 'wumeng/52/household.csv'"
    )
    logged = {"value_normalised": 6} if "万" in heading or "thousand" in heading else {}
    logged = {"not_a_number": 6} if read_as is None else logged
    rules = table["rule"].value_counts().drop("part_filled", errors="ignore")
    assert rules.to_dict() == logged
    asked = [r.rule for r in intake.remarks if r.rule == "heading_unit"]
    assert asked == (["heading_unit"] if "必填" in heading else [])
    if logged == {"value_normalised": 6}:
        assert table["after"].unique().tolist() == ["3000"]


def test_two_columns_of_one_field_are_an_error(root: Path) -> None:
    rows = base()
    rows = [[*row, "户代码" if n == 0 else row[0]] for n, row in enumerate(rows)]
    with pytest.raises(PovmonError, match="household.csv, line 1: two columns are called 'house"):
        read(root, rows)


def test_a_year_needs_no_unit(root: Path) -> None:
    rows = base()
    rows[0][rows[0].index("year")] = "年份（年）"
    intake = read(root, rows)
    assert mine(intake, "year") == ["2010"] * 6
    assert not [r for r in intake.remarks if r.rule == "heading_unit"]


@pytest.mark.parametrize("form", FORMS)
def test_headings_of_one_form_are_never_confused(root: Path, form: str) -> None:
    small.write(root, {})
    known = headings_of(load_survey("small"), FORMS[form])
    for field in FORMS[form].fields:
        for word in (field.name, field.en, field.zh):
            assert known[spelling(word)] == field.name, word


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(cells, min_size=1, max_size=5), min_size=1, max_size=8), st.booleans())
def test_any_grid_gives_a_table_or_an_error_and_loses_no_row(
    rows: list[list[str]], even: bool
) -> None:
    rows = [row for row in rows if any(map(str.strip, row))]
    if not rows:
        return
    grid = Grid("", rows, list(range(1, len(rows) + 1)), even=even)
    try:
        table = as_table(Source("f", "utf-8", "", [grid]), grid, KNOWN, ["id"])
    except PovmonError as error:
        assert error.where.startswith("f, line") and error.todo
        return
    seen = sorted([*table.lines, *(row.line for row in table.left_out)])
    assert seen == list(range(seen[0] if seen else 1, len(rows) + 1)) or not seen
    assert all(len(column) == len(table) for column in table.columns.values())
