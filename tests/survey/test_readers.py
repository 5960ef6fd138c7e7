"""Every format and every style of heading gives the same records; damage gives one sentence."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from audit import small
from povmon.audit import audit_intake
from povmon.audit.values import read_values
from povmon.errors import PovmonError
from povmon.survey import FORMS, load_survey
from povmon.survey.intake import Intake, read_submissions
from povmon.survey.readers import excel
from survey import formats


def read() -> Intake:
    return read_submissions(load_survey("small"), "wumeng")


def records(intake: Intake, form: str) -> pd.DataFrame:
    """What the cells of a form mean, wherever they came from."""
    ledger = read_values(intake.survey, {form: intake.rows[form]}, intake.submitted)
    return ledger.tables[form][FORMS[form].columns]


@pytest.fixture
def plain(root: Path) -> dict[str, pd.DataFrame]:
    small.write(root, small.files())
    intake = read()
    return {form: records(intake, form) for form in intake.rows}


@pytest.mark.parametrize("style", formats.STYLES)
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_headings_of_every_style(
    root: Path, plain: dict[str, pd.DataFrame], style: str, suffix: str
) -> None:
    for form in ("household", "person"):
        rows = formats.grid(form, small.files()["52"][form], style)
        folder = formats.replace(root, "52", form)
        if suffix == "csv":
            formats.csv(folder / f"{form}.csv", rows)
        else:
            formats.xlsx(folder / f"{form}.xlsx", {"Sheet1": rows})
    intake = read()
    unknown = [r for r in intake.remarks if r.rule in ("column_unknown", "sheet_not_read")]
    assert unknown == []
    for form in ("household", "person"):
        pd.testing.assert_frame_equal(records(intake, form), plain[form])


@pytest.mark.parametrize("labels", ["code", "en", "zh"])
@pytest.mark.parametrize("suffix", ["dta", "sav"])
def test_value_labels_are_codes(
    root: Path, plain: dict[str, pd.DataFrame], suffix: str, labels: str
) -> None:
    for form in ("household", "person"):
        folder = formats.replace(root, "52", form)
        formats.statistical(folder / f"{form}.{suffix}", form, small.files()["52"][form], labels)
    intake = read()
    for form in ("household", "person"):
        pd.testing.assert_frame_equal(records(intake, form), plain[form])
    lines = intake.rows["household"].query("submitted_by == '52'")["source_line"]
    assert lines.tolist() == [1, 2, 3, 4, 5, 6]
    assert set(intake.files.query("province_id == '52'")["encoding"]) == {"utf-8", suffix}


def test_a_label_that_says_no_answer_is_no_number(root: Path) -> None:
    import pyreadstat

    rows = small.files()["52"]["household"]
    folder = formats.replace(root, "52", "household")
    frame = pd.DataFrame(rows)
    frame.loc[0, "head_age"] = 99
    names = {"head_age": {99: "Don't know"}, "dwelling_area": {80: "eighty"}}
    path = folder / "household.dta"
    pyreadstat.write_dta(
        frame.astype({"head_age": "float"}), str(path), variable_value_labels=names
    )
    rows_read = read().rows["household"].query("submitted_by == '52'")
    assert rows_read["head_age"].tolist()[:2] == ["Don't know", "54"]
    assert rows_read["dwelling_area"].tolist()[0] == "80"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_delimiters_and_encodings(
    root: Path, plain: dict[str, pd.DataFrame], delimiter: str, encoding: str
) -> None:
    rows = formats.grid("household", small.files()["52"]["household"], "chinese")
    path = formats.replace(root, "52", "household") / "household.csv"
    formats.csv(path, rows, delimiter, encoding)
    intake = read()
    pd.testing.assert_frame_equal(records(intake, "household"), plain["household"])
    found = intake.files.query("province_id == '52' and form == 'household'")["encoding"].item()
    assert found == encoding.removesuffix("-sig")


def test_a_semicolon_file_may_have_decimal_commas_and_a_directive(root: Path) -> None:
    rows = formats.grid("village", small.files()["52"]["village"])
    path = formats.replace(root, "52", "village") / "村表.csv"
    text = "\n".join(";".join(str(c).replace(".", ",") for c in row) for row in rows)
    path.write_text(f"sep=;\n{text}\n", encoding="utf-8")
    intake = read()
    assert intake.rows["village"].query("submitted_by == '52'")["source_line"].tolist() == [3, 4]
    audit = audit_intake(intake)
    assert audit.records["village"]["distance_km"].tolist() == [4.5] * 4
    rules = audit.findings["rule"]
    assert (rules == "value_normalised").sum() == 2 and not (rules == "number_ambiguous").any()


@pytest.mark.parametrize("encoding", ["big5", "cp1252", "shift_jis"])
def test_other_encodings_are_refused_by_name(root: Path, encoding: str) -> None:
    words = {
        "big5": "貧困監測戶表縣鄉",
        "cp1252": "Ménage très éloigné à côté",
        "shift_jis": "ひらがなカタカナ",
    }
    name = {"big5": "Big5", "cp1252": "Windows-1252", "shift_jis": "Shift-JIS"}[encoding]
    small.write(root, small.files())
    path = root / "data/raw/small/submissions/wumeng/52/village.csv"
    path.write_bytes(path.read_bytes() + f"{words[encoding]}\n".encode(encoding))
    with pytest.raises(PovmonError, match=f"encoding is not known.*{name}"):
        read()


def workbook(root: Path, **sheets: list[list[object]]) -> Path:
    """All forms of one province in one workbook."""
    content = small.files()["52"]
    for form in content:
        folder = formats.replace(root, "52", form)
    known = {f"{form} {FORMS[form].zh}": form for form in content}
    pages = {title: formats.grid(form, content[form]) for title, form in known.items()}
    cover: list[list[object]] = [["填表说明"], ["2010"]]
    path = folder / "报表.xlsx"
    formats.xlsx(path, {"instructions 填表说明": cover, **pages, **sheets})
    return path


def test_one_workbook_holds_all_forms(root: Path, plain: dict[str, pd.DataFrame]) -> None:
    workbook(root, letter=[["dear colleague"]])
    intake = read()
    for form, rows in intake.rows.items():
        pd.testing.assert_frame_equal(records(intake, form), plain[form])
        sheet = rows.query("submitted_by == '52'")["source_sheet"].unique().tolist()
        assert len(sheet) == 1 and sheet[0].startswith(form)
    found = {(r.rule, r.sheet) for r in intake.remarks if r.rule != "column_missing"}
    assert found == {("sheet_not_read", "letter")}


def test_formulas_are_read_as_values_and_never_silently_blank(root: Path) -> None:
    rows = formats.grid("household", small.files()["52"]["household"])
    at = rows[0].index("income_total")
    rows[2][at] = "=1+1"
    folder = formats.replace(root, "52", "household")
    formats.xlsx(folder / "household.xlsx", {"户表": rows})
    intake = read()
    found = [r for r in intake.remarks if r.rule == "formula_without_value"]
    assert [(r.column, r.line, r.sheet) for r in found] == [("income_total", 3, "户表")]
    calculate(folder / "household.xlsx", "=1+1", 12345)
    intake = read()
    assert not [r for r in intake.remarks if r.rule == "formula_without_value"]
    assert "12345" in intake.rows["household"]["income_total"].tolist()


def calculate(path: Path, formula: str, value: float) -> None:
    """Put a value beside a formula, as a spreadsheet program saves it."""
    old = re.compile(rf"<f>{re.escape(formula[1:])}</f><v ?(/>|></v>)".encode())
    new = f"<f>{formula[1:]}</f><v>{value}</v>".encode()
    rewritten = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(rewritten, "w") as target:
        for item in source.infolist():
            text = source.read(item)
            if item.filename.startswith("xl/worksheets/"):
                text = old.sub(new, text)
            target.writestr(item, text)
    path.write_bytes(rewritten.getvalue())


def test_dates_and_numbers_of_excel_become_text() -> None:
    import datetime as dt

    cells = [None, True, 3.0, 2.5, dt.datetime(2011, 3, 31), dt.date(2011, 3, 31), 5.3e11]
    shown = ["", "1", "3", "2.5", "2011-03-31", "2011-03-31", "530000000000"]
    assert [excel.cell_text(cell) for cell in cells] == shown


def xlsx_bytes() -> bytes:
    out = io.BytesIO()
    openpyxl.Workbook().save(out)
    return out.getvalue()


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 60_000_000)
    return out.getvalue()


def entities() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", '<!DOCTYPE x [<!ENTITY a "b">]><workbook/>')
    return out.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("household.xlsx", lambda: xlsx_bytes()[:2000], "damaged"),
        ("household.xlsx", xlsx_bytes, "no sheet with the form's records"),
        ("household.xlsx", lambda: b"household_id,x\n1,2\n", "no Excel workbook"),
        ("household.xlsx", lambda: b"<html><table></table></html>", "web page"),
        ("household.xlsx", lambda: OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        ("household.xlsx", lambda: OLE + b"\0" * 600, "old Excel workbook"),
        ("household.xlsx", bomb, "far larger once unpacked"),
        ("household.xlsx", entities, "document type"),
        ("household.csv", xlsx_bytes, "a workbook or an archive"),
        ("household.csv", lambda: b"<html></html>", "web page"),
        ("household.xls", lambda: OLE + b"\0" * 600, "household.xls is an old Excel workbook"),
        ("household.dta", lambda: b"<stata_dta><header>", "damaged"),
        ("household.dta", lambda: os.urandom(500) + b"x", "damaged"),
        ("household.sav", lambda: b"$FL2@(#) nothing", "damaged"),
        ("household.sav", lambda: b"", "empty"),
    ],
)  # fmt: skip
def test_damaged_and_disguised_files(root: Path, name: str, data: object, said: str) -> None:
    small.write(root, small.files())
    folder = formats.replace(root, "52", "household")
    (folder / name).write_bytes(data())  # type: ignore[operator]
    with pytest.raises(PovmonError, match=said) as caught:
        read()
    assert "wumeng/52" in caught.value.where and caught.value.todo and "\n" not in str(caught.value)
