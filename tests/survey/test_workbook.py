"""The form workbook: its sheets, what is given and locked, its identity and its bytes."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from povmon.errors import PovmonError
from povmon.survey import FORMS
from povmon.survey.workbook import (
    Identity,
    Scope,
    form_version,
    form_workbook,
    read_identity,
    scopes,
    workbook_content,
    write_forms,
)
from povmon.survey.workbook.layout import FIRST_ROW, LABEL_ROW, NAME_ROW, layouts
from survey.conftest import small_survey

WHOLE = {
    "delivery": "whole",
    "areas": [{"id": "north", "name_en": "North"}, {"id": "south", "name_en": "South"}],
    "counties": "none", "only_counties": [], "forms": ["household"],
    "design": {"strata": "area", "weights": "none"},
    "area_column": {"from": "zone", "codes": {"N": "north", "S": "south"}},
}  # fmt: skip


def names(sheet: Worksheet) -> list[object]:
    return [cell.value for cell in sheet[NAME_ROW]]


def test_one_sheet_a_form_between_instructions_and_codes(book: Workbook) -> None:
    assert book.sheetnames == [
        "instructions 填表说明", "county 县表", "village 村表", "household 户表", "person 人口表",
        "definitions 指标解释", "codes 代码表",
    ]  # fmt: skip
    assert book.active.title == "instructions 填表说明"


def test_the_columns_are_the_forms_in_their_order(book: Workbook, sichuan: Scope) -> None:
    for form, own in layouts(sichuan).items():
        found = names(book[own.sheet])
        assert found == own.names
        assert [n for n in found if not str(n).startswith("#")] == FORMS[form].columns


def test_headings_say_label_and_unit_in_both_languages(book: Workbook) -> None:
    sheet = book["household 户表"]
    labels = dict(zip(names(sheet), (cell.value for cell in sheet[LABEL_ROW]), strict=True))
    assert labels["income_total"] == "纯收入合计（元）\nTotal net income (yuan)"
    assert labels["dwelling_area"] == "住房面积（平方米）\nDwelling area (m2)"
    assert labels["hhsize"] == "户籍人口（人） *\nRegistered members (persons)"
    assert labels["head_age"] == "户主年龄（周岁）\nAge of the head (years)"


def test_the_money_unit_is_the_surveys(survey_root: Path) -> None:
    survey = small_survey(currency={"code": "CNY", "unit": "jiao", "zh": "角"})
    sheet = form_workbook(scopes(survey)[0])["household 户表"]
    label = sheet.cell(LABEL_ROW, names(sheet).index("debt") + 1).value
    assert str(label).endswith("（角）\nDebt at the end of the year (jiao)")


def test_counties_are_filled_in_and_locked(book: Workbook, sichuan: Scope) -> None:
    own, sheet = layouts(sichuan)["county"], book["county 县表"]
    code, year = sheet[f"{own.letter('county_id')}4"], sheet[f"{own.letter('year')}4"]
    assert (code.value, year.value) == ("513431", 2010)
    assert code.protection.locked and year.protection.locked
    assert not sheet[f"{own.letter('gdp')}4"].protection.locked
    assert sheet.max_row == FIRST_ROW  # one county, and no room for others
    assert sheet.column_dimensions[own.letter("gdp")].protection.locked


@pytest.mark.parametrize("area", ["wumeng", "qinba", "tibet"])
def test_every_county_of_an_area_stands_in_one_workbook(survey_root: Path, area: str) -> None:
    from povmon import reference

    survey = small_survey(only_counties=[])
    found = {s.province: list(s.counties["county_id"]) for s in scopes(survey, area)}
    wanted = reference.counties().query("area_id == @area")
    assert sorted(sum(found.values(), [])) == sorted(wanted["county_id"])
    assert all(code[:2] == province for province, codes in found.items() for code in codes)


@pytest.mark.parametrize("form", ["village", "household", "person"])
def test_only_the_cells_to_be_filled_in_are_open(book: Workbook, sichuan: Scope, form: str) -> None:
    own = layouts(sichuan)[form]
    sheet = book[own.sheet]
    assert sheet.protection.sheet and not sheet.protection.password
    for name in own.names:
        letter = own.letter(name)
        helper = name.startswith("#")
        assert all(sheet[f"{letter}{row}"].protection.locked for row in range(1, FIRST_ROW))
        assert sheet[f"{letter}{FIRST_ROW}"].protection.locked == helper
        # Below the rows that are written out the column's own style holds.
        assert sheet.column_dimensions[letter].protection.locked == helper


def test_every_sheet_is_protected_and_set_up_to_be_printed(book: Workbook) -> None:
    assert book.security.lockStructure
    for sheet in book.worksheets:
        assert sheet.protection.sheet
        assert sheet.page_setup.orientation == "landscape"
        assert "povmon/small/wumeng/51" in str(sheet.oddFooter.left.text)
    for sheet in book.worksheets[1:5]:
        assert sheet.print_title_rows == "$1:$3"
        assert str(sheet.freeze_panes).endswith("4")


def test_there_is_room_for_the_expected_number_of_records(sichuan: Scope) -> None:
    expected = {form: own.expected for form, own in layouts(sichuan).items()}
    assert expected == {"county": 1, "village": 2, "household": 6, "person": 24}
    assert all(own.ready >= own.expected for own in layouts(sichuan).values())


def test_identifiers_are_text_and_amounts_have_decimals(book: Workbook, sichuan: Scope) -> None:
    own, sheet = layouts(sichuan)["household"], book["household 户表"]
    formats = {name: sheet[f"{own.letter(name)}4"].number_format for name in own.form.columns}
    assert (formats["household_id"], formats["year"]) == ("@", "0")
    assert (formats["income_total"], formats["hhsize"]) == ("#,##0.00", "#,##0")


def test_the_workbook_says_what_it_is(sichuan: Scope) -> None:
    book = load_workbook(io.BytesIO(workbook_content(sichuan)))
    version = form_version(sichuan.survey)
    own = Identity("povmon/small/wumeng/51", "small", "wumeng", "51", version)
    assert read_identity(book) == own
    shown = {cell.value for row in book.worksheets[0].iter_rows() for cell in row}
    assert {own.form_id, version, "small"} <= shown
    for prop in list(book.custom_doc_props.props):
        del book.custom_doc_props[prop.name]
    assert read_identity(book) == own  # by its defined names
    assert read_identity(Workbook()) is None


def test_the_version_follows_the_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    version = form_version(small_survey())
    assert form_version(small_survey(deadline="2012-01-01")) == version
    assert form_version(small_survey(forms=["household"])) != version
    person = FORMS["person"]
    age = replace(person["age"], maximum=120)
    fields = tuple(age if f.name == "age" else f for f in person.fields)
    monkeypatch.setitem(FORMS, "person", replace(person, fields=fields))
    assert form_version(small_survey()) != version


def test_the_same_scope_gives_the_same_bytes(sichuan: Scope) -> None:
    content = workbook_content(sichuan)
    assert content == workbook_content(sichuan)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {part.date_time for part in archive.infolist()} == {(2000, 1, 1, 0, 0, 0)}
        core = archive.read("docProps/core.xml").decode()
    assert core.count("2000-01-01T00:00:00Z") == 2


def test_texts_of_the_survey_never_run(survey_root: Path) -> None:
    survey = small_survey(title={"en": "=1+1", "zh": "@SUM(A1)"})
    sheet = load_workbook(io.BytesIO(workbook_content(scopes(survey)[0]))).worksheets[0]
    assert [sheet["B1"].value, sheet["B2"].value] == ["'@SUM(A1)", "'=1+1"]
    assert {sheet["B1"].data_type, sheet["B2"].data_type} == {"s"}


def test_workbooks_are_written_by_area_and_province(survey_root: Path) -> None:
    survey = small_survey()
    done = write_forms(survey)
    top = survey_root / "data/processed/small/forms/wumeng"
    assert done.written == [top / "51.xlsx", top / "52.xlsx"]
    assert done.version == form_version(survey) and not done.remarks
    assert sorted(p.name for p in top.iterdir()) == ["51.xlsx", "52.xlsx"]
    assert done.written[0].read_bytes() == workbook_content(scopes(survey)[0])


def test_a_survey_delivered_whole_has_one_workbook(survey_root: Path) -> None:
    survey = small_survey(**WHOLE)
    (path,) = write_forms(survey).written
    assert path == survey_root / "data/processed/small/forms/small.xlsx"
    book = load_workbook(path)
    assert names(book["household 户表"])[:3] == ["#check", "zone", "household_id"]
    entries = {row[5].value for row in book["codes 代码表"].iter_rows() if row[1].value == "zone"}
    assert entries == {"N North", "S South"}
    with pytest.raises(PovmonError, match="has no workbook of its own"):
        write_forms(survey, "north")


def test_an_area_without_counties_has_one_workbook(survey_root: Path) -> None:
    changes = {k: v for k, v in WHOLE.items() if k not in ("delivery", "area_column")}
    (path,) = write_forms(small_survey(**changes), "south").written
    assert path == survey_root / "data/processed/small/forms/south/south.xlsx"


def test_a_form_with_columns_of_its_own_has_no_sheet(survey_root: Path) -> None:
    mapping = {"village_id": {"from": "v"}}
    done = write_forms(small_survey(columns={"village": mapping}))
    assert "village 村表" not in load_workbook(done.written[0]).sheetnames
    assert done.remarks[0].startswith("No workbook holds the form village: the survey small reads")
    done = write_forms(small_survey(forms=["household"], columns={"household": mapping}))
    assert done.written == [] and "nothing to fill in" in done.remarks[0]


def test_a_folder_that_cannot_be_written_is_one_sentence(survey_root: Path) -> None:
    (survey_root / "data").write_text("")
    with pytest.raises(PovmonError, match="cannot be written"):
        write_forms(small_survey())


def test_an_unknown_area_is_named(survey_root: Path) -> None:
    with pytest.raises(PovmonError, match="unknown area 'x'"):
        write_forms(small_survey(), "x")
