"""What may be typed into the workbook's cells, and what its own checks say."""

from __future__ import annotations

import re

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.datavalidation import DataValidation

from povmon.survey import FORMS
from povmon.survey.workbook import Scope
from povmon.survey.workbook.checks import CHECKS, Check, checks_of, formula, remark_formula
from povmon.survey.workbook.layout import layouts
from povmon.survey.workbook.words import entry

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
    wanted = [entry(code, labels) for code, labels in FORMS[form][name].codes.items()]
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
def test_every_check_names_cells_that_are_there(check: Check, sichuan: Scope) -> None:
    sheets = layouts(sichuan)
    assert check in checks_of(sheets[check.form].form, sheets)
    text = formula(check, sheets)
    assert not re.search(r"[\[\]{}]", text)
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize("form", list(FORMS))
def test_the_remark_holds_every_row_of_its_own_record(form: str, sichuan: Scope) -> None:
    sheets = layouts(sichuan)
    text = remark_formula(sheets[form], sheets)
    assert text.startswith("=IF(COUNTA($") and text.count("(") == text.count(")")
    assert text.count("IF(") < 64 and len(text.replace("{row}", "10000")) < 8192
    rows = set(re.findall(r"\$[A-Z]+(\d+|\{row\})(?![:\d])", re.sub(r"\$[A-Z]+\$\d+", "", text)))
    assert rows == {"{row}"}


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
    assert any("SUM(" in text for text in coloured[f"{total}4:{total}{own.last_row}"])
    size = own.letter("hhsize")
    texts = coloured[f"{size}4:{size}{own.last_row}"]
    assert any("person_household_id" in text for text in texts)
    assert any(f"LEN(${size}4)=0" in text for text in texts)
    # A plain reference to another sheet is not taken by every program.
    assert not any("!" in text for found in coloured.values() for text in found)
