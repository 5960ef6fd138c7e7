"""Reading what arrived: encodings, origins, and every kind of file that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit import small
from povmon import paths
from povmon.errors import PovmonError
from povmon.survey import load_survey
from povmon.survey.intake import Intake, read_submissions
from povmon.survey.readers.encoding import decode

WHOLE = """
survey: small
title: {en: Whole}
description: {en: One file}
synthetic: false
year: 1998
currency: {code: VND, unit: thousand VND}
lines: [{id: general, en: Line, value: 1790, prices: "1998", source: test}]
welfare: {measure: consumption, definition: expenditure}
design: {strata: area, weights: none}
delivery: whole
areas: [{id: rural, name_en: Rural}, {id: urban, name_en: Urban}]
counties: none
area_column: {from: urban, codes: {"no": rural, "yes": urban}}
forms: [household]
columns:
  household:
    household_id: {number_rows: H}
    village_id: {from: commune, prefix: C}
    year: {constant: 1998}
    hhsize: {from: hhsize}
    consumption_total: {from: lntotal, transform: exp}
products: [audit]
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    return tmp_path


def read(area: str = "wumeng") -> Intake:
    return read_submissions(load_survey("small"), area)


def whole(root: Path, text: str, survey: str = WHOLE) -> None:
    folder = root / "data" / "raw" / "small" / "submissions"
    folder.mkdir(parents=True)
    folder.with_name("survey.yml").write_text(survey, encoding="utf-8")
    (folder / "household.csv").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_encodings_are_detected(root: Path, encoding: str) -> None:
    content = small.files()
    content["51"]["household"][0]["water"] = "自来水"
    small.write(root, content, encoding)
    intake = read()
    assert intake.rows["household"].loc[0, "water"] == "自来水"
    assert set(intake.files["encoding"]) <= {"utf-8", "gb18030"}
    found = intake.files.query("province_id == '51' and form == 'household'")["encoding"].item()
    assert found == ("gb18030" if encoding == "gb18030" else "utf-8")
    assert intake.remarks == [r for r in intake.remarks if r.rule == "column_missing"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_byte_order_mark_is_no_part_of_the_heading(encoding: str) -> None:
    text, found = decode("\ufeffvillage_id\n村\n".encode(encoding), "x.csv")
    assert text.startswith("village_id") and found == encoding


def test_every_row_knows_file_and_line(root: Path) -> None:
    folder = small.write(root, small.files())
    path = folder / "wumeng" / "51" / "household.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1].replace("adobe", '"ado\nbe"')  # a line break inside a cell
    lines.insert(3, "")  # and a blank line
    path.write_text("\r\n".join(lines) + "\r\n")
    rows = read().rows["household"].query("submitted_by == '51'")
    assert rows["source_line"].tolist() == [2, 4, 6, 7, 8, 9]
    assert rows["source_file"].unique().tolist() == ["wumeng/51/household.csv"]


def test_unknown_columns_and_files_are_remarked(root: Path) -> None:
    content = small.files()
    for row in content["51"]["village"]:
        row["mood"] = "good"
    folder = small.write(root, content)
    (folder / "wumeng" / "51" / "letter.doc").write_text("dear")
    found = {(r.rule, r.column, r.file) for r in read().remarks}
    assert ("column_unknown", "mood", "wumeng/51/village.csv") in found
    assert ("file_not_read", "", "wumeng/51/letter.doc") in found


@pytest.mark.parametrize("text", ["", "received: soon\n", "[1, 2]\n", "a: [b\n"])
def test_a_manifest_that_cannot_be_used_is_remarked(root: Path, text: str) -> None:
    folder = small.write(root, small.files())
    (folder / "wumeng" / "51" / "manifest.yml").write_text(text)
    assert [r.file for r in read().remarks if r.rule == "manifest"] == ["wumeng/51/manifest.yml"]


def broken(root: Path, form: str, data: bytes | None) -> PovmonError:
    """The error of reading the small survey with one file's bytes replaced (None: deleted)."""
    path = small.write(root, small.files()) / "wumeng" / "52" / f"{form}.csv"
    if data is None:
        path.unlink()
    else:
        path.write_bytes(data)
    with pytest.raises(PovmonError) as caught:
        read()
    assert caught.value.todo
    assert f"wumeng/52/{form}.csv" in caught.value.where
    return caught.value


def test_an_empty_file(root: Path) -> None:
    assert "is empty" in str(broken(root, "person", b""))
    assert "is empty" in str(broken(root, "person", b"\n\n"))


def test_a_wrong_encoding_says_what_was_tried(root: Path) -> None:
    error = broken(root, "village", "village_id,name\n1,Ä\xff\n".encode("latin-1"))
    assert "UTF-8 and GB18030 were tried" in str(error) and "line 2" in str(error)
    assert "UTF-16" in str(broken(root, "village", "village_id\n1\n".encode("utf-16-le")))


def test_a_missing_column_is_named(root: Path) -> None:
    error = broken(root, "household", b"household_id,village_id,year,w_hh\n1,2,2010,3\n")
    assert "'hhsize'" in str(error) and "line 1" in error.where


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"village_id,county_id,year,w_village,households\n1,2,3,4,5\n1,2,3\n", 3),
        (b'village_id,county_id,year,w_village,households\n1,2,3,4,5\n1,"2,3,4,5\n', 3),
        (b'village_id,county_id,year,w_village,households\n1,"2"x,3,4,5\n', 2),
        (b"village_id,county_id,year,w_village,households\n1,2,3,4,5\n1,\x00,3,4,5\n", 3),
        (b"village_id,village_id\n1,2\n", 1),
        (b"village_id,\n1,2\n", 1),
    ],
)
def test_a_corrupt_file_names_file_and_line(root: Path, data: bytes, line: int) -> None:
    assert broken(root, "village", data).where.endswith(f"line {line}")


def test_a_missing_file(root: Path) -> None:
    assert "is missing" in str(broken(root, "county", None))


def test_a_missing_folder_says_what_to_do(root: Path) -> None:
    small.write(root, {})
    with pytest.raises(PovmonError, match="submissions/wumeng is missing.*make generate"):
        read()
    (paths.submissions("small") / "wumeng").mkdir(parents=True)
    with pytest.raises(PovmonError, match="submissions/wumeng is empty.*make generate"):
        read()


def test_an_unknown_area_lists_the_valid_ones(root: Path) -> None:
    small.write(root, small.files())
    with pytest.raises(PovmonError, match="unknown area 'wuling'.*valid: wumeng"):
        read("wuling")


def test_a_survey_delivered_whole_is_filtered_and_mapped(root: Path) -> None:
    whole(root, "urban,hhsize,lntotal,commune\nyes,4,9.5,1\nno,3,8.5,2\nno,2,8,2\n")
    intake = read("rural")
    rows = intake.rows["household"]
    assert rows["household_id"].tolist() == ["H000002", "H000003"]
    assert rows["village_id"].tolist() == ["C2", "C2"]
    assert rows["source_line"].tolist() == [3, 4]
    assert intake.elsewhere["household"] == {"H000001"}
    assert intake.submitted["household"] == {
        "household_id", "village_id", "year", "hhsize", "consumption_total",
    }  # fmt: skip


def test_an_area_code_that_maps_to_nothing_names_the_line(root: Path) -> None:
    whole(root, "urban,hhsize,lntotal,commune\nyes,4,9.5,1\nmaybe,3,8.5,2\n")
    with pytest.raises(PovmonError, match="household.csv, line 3: 'maybe'"):
        read("rural")


def test_a_mapping_is_checked_against_form_and_file(root: Path) -> None:
    whole(root, "urban,hhsize,commune\nyes,4,1\n")
    with pytest.raises(PovmonError, match="'lntotal' is missing"):
        read("rural")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    hhsize: {from: hhsize}\n", "", "required field 'hhsize'"),
        ("    hhsize:", "    size: {from: x}\n    hhsize:", "unknown field 'size'"),
    ],
)
def test_a_wrong_mapping_names_the_key(root: Path, old: str, new: str, said: str) -> None:
    whole(root, "urban,hhsize,lntotal,commune\nyes,4,9,1\n", WHOLE.replace(old, new))
    with pytest.raises(PovmonError, match=f"columns.household.*{said}"):
        read("rural")
