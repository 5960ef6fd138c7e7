"""Names, identity-card and telephone numbers: recognised, hashed, and nowhere to be found."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from audit import small
from conftest import povmon
from povmon import paths, privacy
from povmon.audit import audit_area
from povmon.pipeline.files import Hashes, label
from povmon.survey import FORMS, load_survey
from povmon.survey.intake import read_submissions
from povmon.survey.personal import hide
from survey import formats

IDENTITY, OLD_IDENTITY = "520526197503124218", "520526750312421"
PHONE, NAME, LATIN = "13885712345", "张三", "Wang Xiaoming"
SECRETS = (IDENTITY, OLD_IDENTITY, PHONE, NAME, "李四妹", "王五", LATIN, "0857-8221234",
           "138 8571 2345", "欧阳小红")  # fmt: skip


@pytest.mark.parametrize("text", SECRETS)
def test_what_identifies_a_person_is_recognised(text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalnum() else c for c in text)
    for written in (text, wide, f"户主 {text}", f"{text}，来自外省"):
        assert privacy.is_personal(written), written


@pytest.mark.parametrize(
    "text",
    ["", "5134310101", "3243.334240112701", "40", "-12", "自来水", "砖木", "高中", "安全", "会泽县",
     "毕节市", "苗族", "大约300", "12,345", "2011-03-31", "household_id", "total net income",
     "530326202000123", "99999999999", "1e9", "合计", "纯收入合计", "主要就业", "Tap water",
     "Li", "wang"],
)  # fmt: skip
def test_what_identifies_nobody_is_left_alone(text: str) -> None:
    assert not privacy.is_personal(text)


@pytest.mark.parametrize("form", FORMS)
def test_no_label_of_a_form_looks_personal(form: str) -> None:
    for field in FORMS[form].fields:
        assert not privacy.is_personal_heading(field.en), field.en
        for english, chinese in [(field.en, field.zh), *field.codes.values()]:
            assert not privacy.is_personal(english), english
            assert not privacy.is_name(chinese), chinese


def test_check_characters() -> None:
    assert privacy.has_valid_check("11010519491231002X")
    assert not privacy.has_valid_check("110105194912310021")
    assert privacy.is_identity_number("110105 19491231 002x")
    assert not privacy.is_identity_number("110105194913310021")  # no thirteenth month


@pytest.mark.parametrize(
    "heading", ["姓名", "户主姓名", "身份证号码", "联系电话", "Name of head", "ID card", "phone",
                "family name", "Mobile number", "E-mail"],
)  # fmt: skip
def test_headings_of_personal_columns(heading: str) -> None:
    assert privacy.is_personal_heading(heading)


def test_hashes_are_keyed_and_the_key_is_kept_apart(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write(root, small.files())
    first = privacy.hashed(PHONE, "small")
    key = paths.raw("small") / ".hash_key"
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    assert first == privacy.hashed("138 8571 2345", "small") != privacy.hashed(NAME, "small")
    assert len(first) == len(privacy.PREFIX) + 16
    key.unlink()
    assert privacy.hashed(PHONE, "small") != first
    monkeypatch.setenv("POVMON_HASH_KEY", "a secret")
    assert privacy.hashed(PHONE, "small") == privacy.hashed(PHONE, "other")


def test_no_key_is_made_where_nothing_is_personal(root: Path) -> None:
    small.write(root, small.files())
    audit_area("small", "wumeng")
    assert not list(paths.raw("small").glob(".hash_key*"))


def test_codes_that_look_like_numbers_of_persons_stay(root: Path) -> None:
    import pyarrow as pa

    small.write(root, small.files())
    field = FORMS["household"]["household_id"]
    codes = [f"520526100{v:03d}{h:03d}" for v in (101, 102) for h in range(1, 9)]
    cells = pa.array([*codes, "13043110101", "13043110102"], type=pa.large_string())
    assert hide("small", field, cells) == (cells, None)
    people = pa.array([OLD_IDENTITY, "520526800101421", IDENTITY], type=pa.large_string())
    safe, hidden = hide("small", field, people)
    assert all(cell.startswith("hashed-") for cell in safe.to_pylist())
    assert hidden is not None and (hidden.cells, hidden.first) == (3, 0)
    named = pa.array(["5205260101 张三", "5205260102"], type=pa.large_string())
    assert hide("small", field, named)[0].to_pylist() == ["5205260101", "5205260102"]


def planted(root: Path) -> Path:
    """The small survey with persons in headings, cells, names of files and sheets."""
    content = small.files()
    homes, people = content["52"]["household"], content["52"]["person"]
    old = str(homes[0]["household_id"])
    for row in [*homes, *people]:
        if row["household_id"] == old:
            row["household_id"] = IDENTITY
    homes[1]["household_id"] = f"{homes[1]['household_id']} 李四妹"
    homes[1]["income_wages"] = f"{NAME} {PHONE}"
    homes[2]["water"] = LATIN
    homes[3]["head_age"] = OLD_IDENTITY
    people[5]["health"] = "欧阳小红"
    people[6]["schooling"] = "138 8571 2345"
    for row in homes:
        row |= {
            "户主姓名": NAME,
            f"联系人 王五 {PHONE}": "x",
            "电话": PHONE,
            "note": "0857-8221234",
        }
    folder = small.write(root, content) / "wumeng" / "52"
    (folder / "household.csv").unlink()
    rows = [list(homes[0]), *([row.get(n, "") for n in homes[0]] for row in homes)]
    rows.append([f"填表人：{NAME}", *[""] * (len(rows[0]) - 1)])
    formats.xlsx(folder / f"户表 {NAME}_{PHONE}.xlsx", {
        f"户表 王五 {PHONE}": rows, "李四妹": [[IDENTITY, PHONE]],
    })  # fmt: skip
    (folder / f"letter of {LATIN} {IDENTITY}.doc").write_text("dear")
    later = folder / f"补报 {NAME} 2011-04-09"
    later.mkdir()
    formats.csv(later / "person.csv", formats.grid("person", people))
    return folder


def everything(folder: Path) -> str:
    """All bytes below a folder as text; Parquet files as their values."""
    import pandas as pd

    texts = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        texts.append(path.relative_to(folder).as_posix())
        if path.suffix == ".parquet":
            texts.append(pd.read_parquet(path).to_csv())
        texts.append(path.read_bytes().decode("utf-8", errors="replace"))
    return "\n".join(texts)


@pytest.mark.slow
def test_personal_data_are_nowhere_after_intake(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_HASH_KEY", "a secret")
    planted(root)
    intake = read_submissions(load_survey("small"), "wumeng")
    audit = audit_area("small", "wumeng")
    written = everything(root / "data" / "processed") + str(intake.remarks)
    written += "".join(frame.to_csv() for frame in intake.rows.values()) + intake.files.to_csv()
    assert [secret for secret in SECRETS if secret in written] == []
    rules = set(audit.findings["rule"])
    assert {"personal_data", "column_personal", "note_row"} <= rules
    # The household whose code was an identity number is still linked to its persons.
    code = privacy.hashed(IDENTITY, "small")
    assert (audit.records["household"]["household_id"] == code).sum() == 1
    assert (audit.records["person"]["household_id"] == code).sum() == 3
    again = audit_area("small", "wumeng")
    assert again.findings.equals(audit.findings)


def test_names_of_files_are_hashed_in_what_the_pipeline_keeps(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_HASH_KEY", "a secret")
    folder = planted(root)
    store = root / "hashes.json"
    hashes = Hashes(store)
    names = [label(path) for path in folder.rglob("*") if path.is_file()]
    for path in folder.rglob("*.*"):
        os.utime(path, (1, 1))
        hashes.of(path)
    hashes.save()
    kept = "\n".join(names) + (store.read_text() if store.exists() else "")
    assert [secret for secret in SECRETS if secret in kept] == []
    assert "data/raw/small/submissions/wumeng/52/county.csv" in names


def test_errors_name_nobody(root: Path) -> None:
    from povmon.errors import PovmonError

    folder = planted(root)
    name = next(folder.glob("户表*.xlsx")).name
    (folder / name).write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(PovmonError) as caught:
        read_submissions(load_survey("small"), "wumeng")
    assert [secret for secret in SECRETS if secret in str(caught.value)] == []


def test_a_correction_may_name_the_record_as_the_province_did(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_HASH_KEY", "a secret")
    planted(root)
    text = "form,key,column,before,after,who,when,why\n"
    text += f"household,{IDENTITY},head_age,52,41,reviewer,2011-05-01,asked at {PHONE}\n"
    text += f"household,{OLD_IDENTITY},land,{NAME},3,reviewer,2011-05-01,none\n"
    (paths.raw("small") / "corrections.csv").write_text(text, encoding="utf-8")
    audit = audit_area("small", "wumeng")
    homes = audit.records["household"].set_index("household_id")
    assert homes.loc[privacy.hashed(IDENTITY, "small"), "head_age"] == 41
    written = everything(root / "data" / "processed")
    assert [secret for secret in SECRETS if secret in written] == []


@pytest.mark.slow
def test_personal_data_are_in_nothing_that_a_run_writes(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pipeline as `make` runs it: tables, executed notebooks, pages, logs, state, messages."""
    monkeypatch.setenv("POVMON_HASH_KEY", "a secret")
    planted(root)
    done = povmon(root, "run", "--survey", "small")
    assert done.returncode == 0, done.stdout + done.stderr
    explained = povmon(root, "why", "--survey", "small")
    written = everything(root / "data" / "processed") + everything(root / "reports")
    written += done.stdout + done.stderr + explained.stdout + explained.stderr
    assert "hashed-" in written
    assert [secret for secret in SECRETS if secret in written] == []
