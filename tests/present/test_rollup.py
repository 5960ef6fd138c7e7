"""The rolled-up forms as a page and as a workbook."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from povmon import paths
from povmon.indicators.forms_county import county_items
from povmon.indicators.forms_rollup import FormsRollUp, roll_up_records
from povmon.indicators.forms_table import WITHHELD
from povmon.present import rollup_book, rollup_page
from povmon.present.display import Text
from povmon.present.page import render_page
from povmon.present.rollup_rows import rows_of, states_of
from povmon.survey import FORMS, load_survey

COUNTIES = ["341524", "411525", "421122", "513431", "520526", "530326"]


@pytest.fixture(scope="module")
def rolled() -> FormsRollUp:
    """Six counties; one has two registered poor, one did not report, one lacks its grain."""
    frame = pd.DataFrame({"county_id": COUNTIES})
    for f in FORMS["county"].fields[1:]:
        frame[f.name] = np.arange(1, 7) * 1234.0
    frame["population"] = 1e6
    frame["registered_poor"] = [2.0, 400, 500, 600, 700, 800]
    frame.loc[1, "grain"] = np.nan
    records = {"county": frame[frame["county_id"] != "530326"]}
    return roll_up_records(load_survey("demo"), records)


def text(html: str) -> str:
    return re.sub(r"<[^>]+>", " ", html)


def test_rows_are_units_and_columns_the_forms_fields_in_order(rolled: FormsRollUp) -> None:
    html = rollup_page.form_view(rolled, "county", "province")._repr_html_()
    labels = [f.en for f in FORMS["county"].fields[2:]]
    places = [html.index(f">{label} <span") for label in labels]
    assert places == sorted(places)
    assert all(f.zh in html and f.unit in html for f in FORMS["county"].fields[2:])
    assert "Anhui 安徽省" in html and "Lu'an City".replace("'", "&#x27;") in html
    assert '<tr class="d2"><th scope="row">Jinzhai County 金寨县 341524' in html


def test_each_hierarchy_has_its_rows(rolled: FormsRollUp) -> None:
    depth = {
        view: [row.depth for row in rows_of(rolled, "county", view)]
        for view in ("province", "area", "key_county")
    }
    assert depth["area"] == [0, 1, 2, 2, 2, 1, 2, 2, 2]
    assert depth["province"] == [0, *[1, 2, 3] * 6]
    assert depth["key_county"] == [0, 1, *[2] * 6]


def test_withheld_cells_show_a_dash_and_the_reason(rolled: FormsRollUp) -> None:
    view = rollup_page.form_view(rolled, "county", "area")
    html = view._repr_html_()
    assert f"</sup> {WITHHELD}" in html
    table = rolled.tables["county"]
    row = html[html.index("341524") :].split("</tr>")[0]
    assert f'<abbr title="{WITHHELD}">–</abbr>' in row
    for count in table.values["registered_poor"].dropna():
        assert f"<td>{count:,.0f}<" in html
    assert "<td>2<" not in row


def test_incomplete_sums_say_so(rolled: FormsRollUp) -> None:
    states = states_of(rolled.tables["county"])
    assert states.at["area/wumeng", "villages"] == "incomplete: 2 of 3 counties"
    assert states.at["county/530326", "villages"] == "not reported"
    assert states.at["area/dabie", "grain"] == "incomplete: 2 of 3 counties"
    html = rollup_page.form_view(rolled, "county", "area")._repr_html_()
    assert "<td>2 of 3</td>" in html
    said = str(rollup_page.missing_text(rolled))
    assert "1 of 6 counties" in said and "Huize County" in said


def test_the_page_holds_no_withheld_number_and_is_a_valid_page(rolled: FormsRollUp) -> None:
    views = [rollup_page.form_view(rolled, "county", v) for v in ("province", "area", "key_county")]
    html = render_page("Roll-up", "\n".join(v._repr_html_() for v in views))
    assert html.count('<span class="label">Table') == 3
    assert "<details" in html


def test_a_form_that_the_survey_does_not_have_gives_a_sentence(rolled: FormsRollUp) -> None:
    assert isinstance(rollup_page.form_view(rolled, "person", "area"), Text)


def test_what_is_withheld_is_said_in_numbers(rolled: FormsRollUp) -> None:
    gone = int(rolled.tables["county"].withheld.to_numpy().sum())
    assert f"Withheld are {gone} of " in str(rollup_page.protection_text(rolled))
    assert "All agree" in str(rollup_page.checks_text(rolled))
    assert (
        "provinces add up to all areas combined" in rollup_page.checks_table(rolled)._repr_html_()
    )


def test_the_same_tables_give_the_same_workbook(rolled: FormsRollUp) -> None:
    assert rollup_book.book(rolled) == rollup_book.book(rolled)


@pytest.fixture(scope="module")
def book(rolled: FormsRollUp) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(rollup_book.book(rolled)))


def test_the_workbook_has_a_sheet_for_each_hierarchy(book: openpyxl.Workbook) -> None:
    assert book.sheetnames == [
        "Read me 说明",
        "County, by province 县表按省",
        "County, by area 县表按片区",
        "County, key counties 县表重点县",
        "Remarks 备注",
        "Checks 核对",
    ]


def test_sheets_hold_the_numbers_and_words_for_what_is_absent(
    book: openpyxl.Workbook, rolled: FormsRollUp
) -> None:
    sheet = book["County, by area 县表按片区"]
    heads = [cell.value for cell in sheet[4]]
    assert heads[3:] == [item.en for item in county_items(rolled.survey)]
    assert sheet.freeze_panes == "B7"
    rows = {sheet.cell(r, 1).value: r for r in range(7, sheet.max_row + 1)}
    jinzhai = rows["Jinzhai County 金寨县 341524"]
    villages = heads.index("Administrative villages") + 1
    poor = heads.index("Registered poor") + 1
    assert sheet.cell(jinzhai, villages).value == 1234
    assert sheet.cell(jinzhai, poor).value == "withheld 不公布"
    assert sheet.cell(jinzhai, 1).alignment.indent == 4
    assert sheet.cell(rows["Huize County 会泽县 530326"], villages).value == "not reported 未报"
    values = {
        c.value for row in book.worksheets[1:4] for r in row.iter_rows(7, min_col=4) for c in r
    }
    assert 2 not in values
    remarks = {(r[1].value, r[2].value, r[3].value) for r in book["Remarks 备注"].iter_rows(2)}
    assert ("Jinzhai County 金寨县 341524", "Registered poor", WITHHELD) in remarks


def test_names_cannot_run_as_formulas(rolled: FormsRollUp) -> None:
    h = rolled.hierarchy
    units = h.units.assign(en=h.units["en"].mask(h.units.index == "area/dabie", "=1+1"))
    other = replace(rolled, hierarchy=replace(h, units=units))
    workbook = openpyxl.load_workbook(io.BytesIO(rollup_book.book(other)))
    cells = [c for row in workbook["County, by area 县表按片区"].iter_rows() for c in row]
    assert not [c for c in cells if c.data_type == "f"]
    assert any(str(c.value).startswith("'=1+1") for c in cells)


def test_the_workbook_is_written_beside_the_page(
    rolled: FormsRollUp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    said = str(rollup_book.write_book(rolled))
    assert "(rollup.xlsx)" in said
    assert [p.name for p in paths.reports("demo").iterdir()] == ["rollup.xlsx"]
    assert (paths.reports("demo") / "rollup.xlsx").read_bytes() == rollup_book.book(rolled)
