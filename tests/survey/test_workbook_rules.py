"""What may be typed into the workbook's cells, and what its own checks say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from povmon.survey import FORMS
from povmon.survey.fields import list_entry
from povmon.survey.workbook import Scope, scopes
from povmon.survey.workbook.checks import (
    CHECKS,
    Check,
    checks_of,
    remark,
    remark_formula,
    remark_template,
)
from povmon.survey.workbook.layout import layouts
from survey.conftest import small_survey

FIELDS = [(form, field) for form, definition in FORMS.items() for field in definition.columns]
LONGEST_FORMULA, LONGEST_TEXT, LONGEST_TITLE = 255, 255, 32


def rule(book: Workbook, scope: Scope, form: str, field: str) -> DataValidation:
    """The one rule of a field's column."""
    own = layouts(scope)[form]
    column = f"{own.letter(field)}4:{own.letter(field)}1048576"
    found = [r for r in book[own.sheet].data_validations.dataValidation if str(r.sqref) == column]
    assert len(found) == 1
    return found[0]


def entries(book: Workbook, cells: str) -> list[object]:
    sheet, _, area = cells.partition("!")
    return [row[0].value for row in book[sheet.strip("'")][area.replace("$", "")]]


def test_every_field_has_a_rule_that_spreadsheet_programs_take(
    book: Workbook, sichuan: Scope
) -> None:
    for form, name in FIELDS:
        found = rule(book, sichuan, form, name)
        assert found.showErrorMessage and found.showInputMessage and found.allow_blank
        for text in (found.formula1, found.formula2):
            assert len(text or "") <= LONGEST_FORMULA and not str(text).startswith("=")
        for text, longest in (
            (found.prompt, LONGEST_TEXT), (found.error, LONGEST_TEXT),
            (found.promptTitle, LONGEST_TITLE), (found.errorTitle, LONGEST_TITLE),
        ):  # fmt: skip
            assert text and len(text) <= longest
        assert "…" not in found.prompt and "…" not in found.error


@pytest.mark.parametrize(
    ("form", "name"), [(f, n) for f, n in FIELDS if FORMS[f][n].codes], ids="-".join
)
def test_lists_offer_code_and_both_labels(
    book: Workbook, sichuan: Scope, form: str, name: str
) -> None:
    found = rule(book, sichuan, form, name)
    assert (found.type, found.errorStyle) == ("list", "stop")
    wanted = [list_entry(code, labels) for code, labels in FORMS[form][name].codes.items()]
    assert entries(book, str(found.formula1)) == wanted


def test_yes_and_no_may_be_chosen_or_typed(book: Workbook, sichuan: Scope) -> None:
    found = rule(book, sichuan, "household", "electricity")
    assert entries(book, str(found.formula1)) == ["1 是 Yes", "0 否 No", 1, 0]


def test_counties_are_chosen_from_those_of_the_workbook(book: Workbook, sichuan: Scope) -> None:
    found = rule(book, sichuan, "village", "county_id")
    assert entries(book, str(found.formula1)) == ["513431"]


@pytest.mark.parametrize(
    ("form", "name", "wanted"),
    [
        ("household", "hhsize", ("whole", "between", "1", "30")),
        ("household", "year", ("whole", "between", "2010", "2010")),
        ("household", "w_hh", ("decimal", "greaterThan", "0", None)),
        ("household", "income_wages", ("decimal", "greaterThanOrEqual", "0", None)),
        ("household", "income_total", ("decimal", "between", "-1000000000000", "1000000000000")),
        ("village", "altitude_m", ("decimal", "between", "-160", "6000")),
        ("person", "months_away", ("decimal", "between", "0", "12")),
        ("county", "rural_population", ("whole", "greaterThanOrEqual", "1", None)),
    ],
)
def test_ranges_are_the_forms(
    book: Workbook, sichuan: Scope, form: str, name: str, wanted: tuple[str, ...]
) -> None:
    found = rule(book, sichuan, form, name)
    assert (found.type, found.operator, found.formula1, found.formula2) == wanted
    assert found.errorStyle == "stop"


def test_messages_name_range_and_unit_in_both_languages(book: Workbook, sichuan: Scope) -> None:
    found = rule(book, sichuan, "household", "dwelling_area")
    assert found.promptTitle == "住房面积 Dwelling area"
    assert found.prompt == (
        "数值；单位：平方米；范围：0至2,000；不详则留空。\n"
        "Number; unit: m2; range: 0 to 2,000; leave blank if unknown."
    )
    assert found.error == (
        "请填数值（0至2,000），不要填写单位或分隔符。\n"
        "Enter a number, 0 to 2,000, without unit or separator."
    )


def test_a_code_of_the_form_above_is_offered_with_a_warning(book: Workbook, sichuan: Scope) -> None:
    village = rule(book, sichuan, "household", "village_id")
    assert (village.type, village.errorStyle) == ("list", "warning")
    assert "village_village_id" in str(village.formula1)
    household = rule(book, sichuan, "person", "household_id")
    assert (household.type, household.errorStyle) == ("custom", "warning")
    assert "household_household_id" in str(household.formula1)
    assert book.defined_names["village_village_id"].attr_text == "'village 村表'!$C$4:$C$6"


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: f"{c.form}: {c.en}")
def test_every_check_is_in_the_remark_of_its_sheet(check: Check, sichuan: Scope) -> None:
    sheets = layouts(sichuan)
    own = sheets[check.form]
    assert check in checks_of(own.form, sheets)
    assert f'"{remark(check)}"' in remark_template(own, sheets)
    assert set(check.marks) <= set(own.form.columns)


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("row", [4, 12])
def test_the_remark_is_about_its_own_row(form: str, row: int, sichuan: Scope) -> None:
    sheets = layouts(sichuan)
    own = sheets[form]
    text = remark_formula(remark_template(own, sheets), own, row)
    assert text.startswith("=IF(COUNTA($") and text.count("(") == text.count(")")
    assert not re.search(r"[\[\]{}~]", text)
    assert text.count("IF(") < 64 and len(text) < 8192
    without_ranges = re.sub(r"\$[A-Z]+\$?\d+:\$[A-Z]+\$?\d+", "", text)
    assert set(re.findall(r"\$[A-Z]+(\d+)", without_ranges)) == {str(row)}


def test_only_rows_near_a_person_are_compared_with_it(survey_root: Path) -> None:
    scope = scopes(small_survey(only_counties=[]), "tibet")[0]
    sheets = layouts(scope)
    template = remark_template(sheets["person"], sheets)
    text = remark_formula(template, sheets["person"], 1000)
    assert "$B970:$B1030=$B1000" in text and "$C970:$C1030=$C1000" in text
    last = sheets["person"].last_row
    assert f":$B{last}=$B{last}" in remark_formula(template, sheets["person"], last)


def test_a_check_whose_sheet_is_not_there_is_left_out(sichuan: Scope) -> None:
    sheets = layouts(sichuan)
    alone = {"household": sheets["household"]}
    left = {check.en for check in checks_of(sheets["household"].form, alone)}
    assert left == {
        "code stands twice", "income parts do not add up", "consumption parts do not add up",
    }  # fmt: skip


def test_missing_and_wrong_cells_are_coloured(book: Workbook, sichuan: Scope) -> None:
    own, sheet = layouts(sichuan)["household"], book["household 户表"]
    coloured = {
        str(area.sqref): [rule.formula[0] for rule in area.rules]
        for area in sheet.conditional_formatting
    }
    total = own.letter("income_total")
    assert (
        '$A4="✗ 收入分项之和不等于合计 income parts do not add up"'
        in (coloured[f"{total}4:{total}{own.last_row}"])
    )
    size = own.letter("hhsize")
    texts = coloured[f"{size}4:{size}{own.last_row}"]
    assert any(f"LEN(${size}4)=0" in text for text in texts)
    # A plain reference to another sheet is not taken by every program.
    assert not any("!" in text for found in coloured.values() for text in found)
