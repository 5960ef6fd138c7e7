"""LibreOffice opens the form workbook, computes its checks, and saves it with all that protects it.

Needs Calc: Debian and Ubuntu have it as `libreoffice-calc`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from audit import small
from povmon.survey import load_survey
from povmon.survey.intake import read_submissions
from povmon.survey.workbook import (
    Scope,
    form_version,
    form_workbook,
    read_identity,
    workbook_content,
)
from povmon.survey.workbook.layout import FIRST_ROW, layouts
from survey.filled import fill

pytestmark = pytest.mark.slow
SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
# Said on machines without Java, which Calc does not need.
HARMLESS = re.compile(r"Warning: failed to launch javaldx.*|")


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LibreOffice profile of the tests' own."""
    if SOFFICE is None:
        pytest.skip("no LibreOffice on this machine: install libreoffice-calc")
    return tmp_path_factory.mktemp("profile")


def convert(profile: Path, path: Path, kind: str) -> Path:
    """Open a workbook in LibreOffice and save it as another kind of file, without a complaint."""
    target = path.parent / "saved"
    done = subprocess.run(
        [
            str(SOFFICE), f"-env:UserInstallation={profile.as_uri()}", "--headless",
            "--convert-to", kind, "--outdir", str(target), str(path),
        ],
        capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    complaints = [line for line in done.stderr.splitlines() if not HARMLESS.fullmatch(line.strip())]
    assert complaints == []
    saved = target / f"{path.stem}.{kind}"
    assert saved.is_file(), done.stdout
    return saved


def saved_again(profile: Path, folder: Path, workbook: Workbook) -> Workbook:
    path = folder / "51.xlsx"
    workbook.save(path)
    return load_workbook(convert(profile, path, "xlsx"), data_only=True)


def test_validation_protection_and_identity_survive(
    profile: Path, tmp_path: Path, sichuan: Scope
) -> None:
    path = tmp_path / "51.xlsx"
    path.write_bytes(workbook_content(sichuan))
    before = load_workbook(path)
    after = load_workbook(convert(profile, path, "xlsx"))
    assert after.sheetnames == before.sheetnames
    assert read_identity(after) == read_identity(before)
    for own in layouts(sichuan).values():
        sheet = after[own.sheet]
        assert sheet.protection.sheet
        rules = {str(r.sqref).split(":")[0]: r for r in sheet.data_validations.dataValidation}
        for old in before[own.sheet].data_validations.dataValidation:
            new = rules[str(old.sqref).split(":")[0]]
            assert (new.type, new.formula1) == (old.type, old.formula1)
            assert (new.errorStyle, new.prompt, new.error) == (
                old.errorStyle,
                old.prompt,
                old.error,
            )
        for name in own.names:
            old, new = (book[own.sheet][f"{own.letter(name)}4"] for book in (before, after))
            assert new.protection.locked == old.protection.locked
            assert new.number_format == old.number_format
        assert len(sheet.conditional_formatting) == len(before[own.sheet].conditional_formatting)


def test_the_checks_find_what_is_wrong(profile: Path, tmp_path: Path, sichuan: Scope) -> None:
    forms = small.files()["51"]
    forms["county"][0]["irrigated"] = 901
    forms["village"][1]["nv_road"] = 7
    forms["household"][0]["income_total"] = 8003  # 3 yuan of rounding, in four parts: not enough
    forms["household"][1]["household_id"] = forms["household"][2]["household_id"]
    del forms["household"][3]["hhsize"]
    forms["household"][4]["village_id"] = "51343199"
    forms["person"][0]["household_id"] = "unknown"
    forms["household"][5]["hhsize"] = 4
    forms["person"][8]["line"] = forms["person"][7]["line"]
    forms["person"][10]["relation"] = "head"
    workbook = form_workbook(sichuan)
    fill(workbook, sichuan, forms)
    book = saved_again(profile, tmp_path, workbook)
    found = {}
    for form, own in layouts(sichuan).items():
        cells = (book[own.sheet].cell(row, 1).value for row in range(FIRST_ROW, own.last_row + 1))
        found[form] = [str(value or "") for value in cells]
    assert found["county"] == ["✗ 有效灌溉面积大于耕地面积 Irrigated farmland: more than farmland"]
    assert found["village"][:3] == [
        "✓ 无误 OK", "✗ 通公路的自然村大于自然村数 Natural villages with a road: more than natural "
        "villages", "",
    ]  # fmt: skip
    assert found["household"][:7] == [
        "✗ 收入分项之和不等于合计 income parts do not add up", "✓ 无误 OK",
        "✗ 代码重复 code stands twice", "✗ 必填项为空 required cell empty",
        "✗ 村表中没有该代码 code is not on the village sheet",
        "✗ 户籍人口与人口表人数不符 members differ from the persons listed", "",
    ]  # fmt: skip
    right, unknown = "✓ 无误 OK", "✗ 户表中没有该代码 code is not on the household sheet"
    lines = "✗ 同一户内序号重复 line number twice in the household"
    heads = "✗ 同一户有两名户主 two heads in the household"
    assert found["person"][:12] == [
        unknown, right, right, unknown, unknown, unknown, right, lines, lines, heads, heads, right,
    ]  # fmt: skip
    progress = {row[1].value: [c.value for c in row[2:6]] for row in book.worksheets[0].iter_rows()}
    assert progress["household 户表"] == [6, 6, 1, 5]


def test_names_of_counties_appear_beside_their_code(
    profile: Path, tmp_path: Path, sichuan: Scope
) -> None:
    workbook = form_workbook(sichuan)
    fill(workbook, sichuan, small.files()["51"])
    sheet = saved_again(profile, tmp_path, workbook)["village 村表"]
    assert [sheet.cell(row, 2).value for row in (4, 5)] == ["昭觉县 Zhaojue County"] * 2
    assert not sheet.cell(6, 2).value


def test_a_workbook_that_it_saved_is_read(profile: Path, survey_root: Path, sichuan: Scope) -> None:
    # Now the formulas of empty rows have values too, and are no records all the same.
    folder = small.write(survey_root, {}) / "wumeng" / "51"
    folder.mkdir(parents=True)
    workbook = form_workbook(sichuan)
    fill(workbook, sichuan, small.files()["51"])
    path = survey_root / "51.xlsx"
    workbook.save(path)
    shutil.copy(convert(profile, path, "xlsx"), folder / "51.xlsx")
    intake = read_submissions(load_survey("small"), "wumeng")
    for form, rows in small.files()["51"].items():
        assert len(intake.rows[form]) == len(rows)
    # Guizhou has sent nothing, and Sichuan no manifest: nothing is amiss with the file itself.
    assert {r.rule for r in intake.remarks} <= {"manifest", "province_missing"}
    assert set(intake.files["form_version"]) == {form_version(sichuan.survey)}
    sent = [str(row["income_total"]) for row in small.files()["51"]["household"]]
    assert intake.rows["household"]["income_total"].tolist() == sent


def test_it_prints(profile: Path, tmp_path: Path, sichuan: Scope) -> None:
    path = tmp_path / "51.xlsx"
    path.write_bytes(workbook_content(sichuan))
    assert convert(profile, path, "pdf").read_bytes().startswith(b"%PDF")
