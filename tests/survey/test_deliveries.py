"""Deliveries sent twice, in parts, late or not at all; and previous ones."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from audit import small
from povmon.audit import audit_area
from povmon.errors import PovmonError
from povmon.survey import load_survey
from povmon.survey.deliveries import date_in, form_called
from povmon.survey.intake import Intake, previous_submissions, read_submissions
from survey import formats

FORMS = ("county", "village", "household", "person")


def read() -> Intake:
    return read_submissions(load_survey("small"), "wumeng")


def before() -> Intake | None:
    return previous_submissions(load_survey("small"), "wumeng")


@pytest.fixture
def folder(root: Path) -> Path:
    return small.write(root, small.files()) / "wumeng" / "52"


def send(folder: Path, name: str, form: str, rows: list[small.Row], received: str = "") -> Path:
    later = folder / name
    later.mkdir(exist_ok=True)
    formats.csv(later / f"{form}.csv", formats.grid(form, rows))
    if received:
        (later / "manifest.yml").write_text(f"received: {received}\nform_version: '2'\n")
    return later


def changed(value: int) -> list[small.Row]:
    rows = small.files()["52"]["household"]
    return [{**row, "land": value} for row in rows]


def land(intake: Intake) -> set[str]:
    return set(intake.rows["household"].query("submitted_by == '52'")["land"])


def test_the_newer_replaces_the_older_and_both_stay(folder: Path) -> None:
    send(folder, "second", "household", changed(7), "2011-04-10")
    intake = read()
    assert land(intake) == {"7"}
    files = intake.files.query("province_id == '52'").set_index("file")
    assert files["status"].to_dict() == {
        "wumeng/52/county.csv": "used", "wumeng/52/village.csv": "used",
        "wumeng/52/household.csv": "superseded", "wumeng/52/person.csv": "used",
        "wumeng/52/second/household.csv": "used",
    }  # fmt: skip
    newest = files.loc["wumeng/52/second/household.csv"]
    assert (newest["rows"], newest["received"], newest["form_version"]) == (6, "2011-04-10", "2")
    assert files.loc["wumeng/52/household.csv", "rows"] == 6
    assert (folder / "household.csv").is_file()


def test_the_order_is_by_day_of_receipt_then_by_date_or_name_of_the_folder(folder: Path) -> None:
    send(folder, "a", "household", changed(1), "2011-04-30")
    send(folder, "2011-04-20", "household", changed(2))
    send(folder, "z", "household", changed(3), "2011-04-10")
    assert land(read()) == {"1"}
    shutil.rmtree(folder / "a")
    assert land(read()) == {"2"}
    send(folder, "delivery10", "household", changed(10))
    send(folder, "delivery9", "household", changed(9))
    assert land(read()) == {"10"}  # without a day: after the one before it in name order


def test_what_stood_before_the_newest_delivery(folder: Path) -> None:
    assert before() is None
    send(folder, "second", "household", changed(7), "2011-04-10")
    earlier = before()
    assert earlier is not None and land(earlier) == {""} and land(read()) == {"7"}
    send(folder, "third", "household", changed(8), "2011-04-20")
    earlier = before()
    assert earlier is not None and land(earlier) == {"7"}
    assert len(earlier.rows["person"]) == len(read().rows["person"])


def test_an_older_delivery_need_not_be_readable(folder: Path) -> None:
    (folder / "household.csv").write_bytes(b"\x00\x01")
    send(folder, "second", "household", changed(7), "2011-04-10")
    intake = read()
    assert land(intake) == {"7"}
    old = intake.files.set_index("file").loc["wumeng/52/household.csv"]
    assert old["status"] == "not read" and old.isna()["rows"]
    (folder / "second" / "household.csv").write_bytes(b"household_id\x00\n1\n")
    with pytest.raises(PovmonError, match="52/second/household.csv.*NUL"):
        read()


def test_fewer_records_than_before_are_found(folder: Path) -> None:
    send(folder, "second", "household", changed(7)[:4], "2011-04-10")
    found = [r for r in read().remarks if r.rule == "delivery_shorter"]
    assert [r.detail for r in found] == ["4 records, 6 in an earlier delivery"]
    assert found[0].file == "wumeng/52/second/household.csv"


def test_an_empty_form_of_a_later_delivery_replaces_nothing(folder: Path) -> None:
    later = send(folder, "second", "household", changed(7), "2011-04-10")
    (later / "person.csv").write_text((folder / "person.csv").read_text().splitlines()[0] + "\n")
    assert len(read().rows["person"].query("submitted_by == '52'")) == 18


def test_several_files_of_one_form_are_read_together(folder: Path) -> None:
    rows = small.files()["52"]["household"]
    (folder / "household.csv").unlink()
    formats.csv(folder / "household_part1.csv", formats.grid("household", rows[:2]))
    formats.xlsx(folder / "会泽县户表.xlsx", {"Sheet1": formats.grid("household", rows[2:])})
    shutil.copy(folder / "household_part1.csv", folder / "household copy.csv")
    formats.csv(folder / "household_part1.xlsx", formats.grid("household", rows[:2]))
    intake = read()
    homes = intake.rows["household"].query("submitted_by == '52'")
    assert sorted(homes["household_id"]) == sorted(str(r["household_id"]) for r in rows)
    rules = sorted(r.rule for r in intake.remarks if "household" in r.file and r.level == "file")
    assert rules == ["file_not_read", "file_twice"]


def test_a_province_that_sent_nothing_does_not_stop_the_others(root: Path, folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    audit = audit_area("small", "wumeng")
    found = audit.findings[audit.findings["rule"] == "province_missing"]
    assert found["value"].tolist() == ["52"]
    assert audit.promptness.set_index("province_id")["status"].to_dict() == {
        "51": "on time", "52": "missing",
    }  # fmt: skip
    assert set(audit.records["household"]["province_id"]) == {"51"}
    shutil.rmtree(folder.parent / "51")
    with pytest.raises(PovmonError, match="submissions/wumeng is"):
        read()


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("2011-04-02", dt.date(2011, 4, 2)), ("第二次 20110402", dt.date(2011, 4, 2)),
        ("2011年4月2日补报", dt.date(2011, 4, 2)), ("second", None), ("2011-13-02", None),
    ],
)  # fmt: skip
def test_dates_in_names_of_folders(name: str, day: dt.date | None) -> None:
    assert date_in(name) == day


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("household", "household"), ("Households (1)", "household"), ("户表", "household"),
        ("household 户表", "household"), ("530326_村表", "village"), ("会泽县户表", "household"),
        ("PERSON", "person"), ("人口表", "person"), ("county-2010", "county"), ("县表", "county"),
        ("village household", ""), ("letter", ""), ("", ""), ("Person form", "person"),
    ],
)  # fmt: skip
def test_what_names_of_files_and_sheets_mean(name: str, form: str) -> None:
    assert form_called(name, FORMS) == form


def survey_with(root: Path, line: str) -> None:
    path = root / "data" / "raw" / "small" / "survey.yml"
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")


def test_promptness_by_province_and_county(root: Path, folder: Path) -> None:
    survey_with(root, 'deadlines: {51: 2011-03-20, "wumeng/52": 2011-03-01}\n')
    homes = small.files()["52"]["household"]
    (folder / "household.csv").write_text(
        (folder / "household.csv").read_text().splitlines()[0] + "\n"
    )
    send(folder, "later", "household", homes, "2011-04-10")
    send(folder, "again", "household", homes, "2011-05-10")
    audit = audit_area("small", "wumeng")
    by_province = audit.promptness.set_index("province_id")
    assert by_province.loc["51", ["status", "days_late", "deliveries"]].tolist() == ["late", 5, 1]
    assert by_province.loc["52", ["received", "days_late"]].tolist() == ["2011-03-31", 30]
    assert by_province.loc["52", ["deliveries", "last_received"]].tolist() == [3, "2011-05-10"]
    by_county = audit.promptness_county.set_index("county_id")
    assert by_county.loc["513431", ["status", "days_late", "lacking"]].tolist() == ["late", 5, ""]
    assert by_county.loc["520526", "received"] == "2011-05-10"


def test_a_county_of_which_forms_are_lacking(root: Path, folder: Path) -> None:
    head = (folder / "household.csv").read_text().splitlines()[0]
    (folder / "household.csv").write_text(head + "\n")
    (folder / "county.csv").write_text((folder / "county.csv").read_text().splitlines()[0] + "\n")
    by_county = audit_area("small", "wumeng").promptness_county.set_index("county_id")
    assert by_county.loc["520526", "lacking"] == "county, household, person"
    assert by_county.loc["513431", "lacking"] == ""


@pytest.mark.parametrize("key", ["wumng", "wumeng/9"])
def test_a_deadline_for_nobody_is_an_error(root: Path, folder: Path, key: str) -> None:
    survey_with(root, f"deadlines: {{{key}: 2011-03-01}}\n")
    with pytest.raises(PovmonError, match="unknown area or province"):
        load_survey("small")
