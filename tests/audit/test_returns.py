"""What provinces are asked to check, their answers, and what became of the items."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from audit import small
from povmon.audit import Audit, audit_intake
from povmon.audit.answers import SHEET, read_answers
from povmon.audit.returns import REVIEW, STATUSES, review_list
from povmon.audit.run import audit_area
from povmon.errors import PovmonError
from povmon.survey import load_survey
from povmon.survey.intake import Intake, read_submissions


def spoilt() -> small.Files:
    content = small.files()
    homes = content["51"]["household"]
    homes[0]["income_total"] = 1  # not the sum
    homes[1]["water"] = "lava"
    homes[2]["dwelling_area"] = 0  # soft
    homes[3]["structure"] = "ice"
    content["51"]["person"][0]["age"] = 300
    return content


def read(root: Path, content: small.Files) -> Intake:
    small.write(root, content)
    return read_submissions(load_survey("small"), "wumeng")


def earlier(intake: Intake, *provinces: str) -> Intake:
    """The same as if it had stood there before these provinces sent again."""
    changed = [
        replace(d, place=f"before/{d.place}") if d.province_id in provinces else d
        for d in intake.deliveries
    ]
    return replace(intake, deliveries=changed)


def item(table: pd.DataFrame, key: str, column: str) -> pd.Series:
    return table[(table["key"] == key) & (table["column"] == column)].iloc[0]


@pytest.fixture
def first(root: Path) -> Audit:
    small.write(root, spoilt())
    return audit_area("small", "wumeng")


def test_one_item_a_value_however_many_rules_found_it(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        content["51"]["household"][0]["w_hh"] = -5

    review = audited(spoil).review
    own = item(review, "5134310101", "w_hh")
    assert own["rules"] == "out_of_range; weight_filled"
    assert own["severity"] == "hard" and "; " in own["en"] and "权数" in own["zh"]
    assert not review["item"].duplicated().any()


def test_each_item_says_where_it_stands_and_what_was_done(first: Audit) -> None:
    own = item(first.review, "5134310102", "water")
    assert (own["file"], own["line"], own["value"]) == ("wumeng/51/household.csv", 3, "lava")
    assert own["province_id"] == "51" and own["done"] == "made missing"
    assert "饮用水" in own["zh"] and list(first.review.columns) == REVIEW
    assert set(first.review["status"]) == {""} and first.followed.empty


def test_items_are_ordered_by_influence(first: Audit) -> None:
    findings = first.findings.copy()
    influence = [0.1 * ((7 * k) % len(findings)) for k in range(len(findings))]
    findings["influence"] = influence
    findings.loc[findings.index[::5], "influence"] = float("nan")
    review = review_list(first.survey, first.area, findings, first.corrections)
    known = review["influence"].dropna()
    assert len(known) > 5 and known.is_monotonic_decreasing
    assert review["influence"].iloc[len(known) :].isna().all()
    largest = findings.loc[findings["influence"].idxmax()]
    assert review["key"].iloc[0] == largest["key"]


def test_chinese_texts_have_their_details_in_chinese(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        content["51"]["household"][0]["hhsize"] = 5
        content["51"]["household"][1]["dwelling_area"] = -1

    review = audited(spoil).review
    assert "填报 5 人，名单 3 人" in item(review, "5134310101", "hhsize")["zh"]
    assert "0 至 2000" in item(review, "5134310102", "dwelling_area")["zh"]


@pytest.mark.slow
def test_what_became_of_the_items(root: Path) -> None:
    before = read(root, spoilt())
    asked = audit_intake(before).review
    content = copy.deepcopy(spoilt())
    homes = content["51"]["household"]
    homes[1]["water"] = "tap"  # resolved
    homes[3]["structure"] = "snow"  # changed, fails too
    homes[4]["water"] = "mud"  # new
    gone = "5134310101"
    content["51"]["household"] = homes[1:]  # withdrawn
    content["51"]["person"] = [p for p in content["51"]["person"] if p["household_id"] != gone]
    now = read(root, content)
    soft = item(asked, "5134310103", "dwelling_area")["item"]
    folder = root / "data/raw/small/submissions/wumeng/51"
    (folder / "answers.csv").write_text(f"item,answer,comment\n{soft},right,a shed\n", "utf-8")
    audit = audit_intake(now, earlier(before, "51", "52"))
    status = audit.followed.set_index(["key", "column"])["status"]
    assert status["5134310101", "income_total"] == "withdrawn"
    assert status["5134310102", "water"] == "resolved"
    assert status["5134310103", "dwelling_area"] == "confirmed"
    assert status["5134310201", "structure"] == "changed, still failing"
    assert item(audit.followed, "5134310103", "dwelling_area")["comment"] == "a shed"
    assert item(audit.review, "5134310202", "water")["status"] == "new"
    assert audit.review["status"].iloc[-1] == "confirmed"
    assert len(audit.followed) == len(asked) and set(audit.followed["status"]) <= set(STATUSES)


@pytest.mark.slow
def test_a_certain_error_cannot_be_confirmed(root: Path) -> None:
    intake = read(root, spoilt())
    hard = item(audit_intake(intake).review, "5134310102", "water")["item"]
    folder = root / "data/raw/small/submissions/wumeng/51"
    (folder / "answers.csv").write_text(f"item,answer\n{hard},确认无误\n", "utf-8")
    followed = audit_intake(intake, earlier(intake, "51", "52")).followed
    assert set(followed["status"]) == {"unanswered"}
    assert item(followed, "5134310102", "water")["answer"] == "right"


@pytest.mark.slow
def test_a_province_that_has_not_sent_again_owes_no_answer(root: Path) -> None:
    intake = read(root, spoilt())
    audit = audit_intake(intake, earlier(intake, "52"))
    assert set(audit.followed["province_id"]) == {"52"}
    own = audit.review["province_id"] == "51"
    assert set(audit.review.loc[own, "status"]) == {""}
    assert set(audit.review.loc[~own, "status"]) == {"unanswered"}


@pytest.mark.slow
def test_an_item_keeps_its_name_when_the_file_and_line_change(root: Path) -> None:
    before = audit_intake(read(root, spoilt())).review
    content = spoilt()
    content["51"]["household"].reverse()
    after = audit_intake(read(root, content)).review
    assert set(before["item"]) == set(after["item"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,answer\nabc,perhaps\n", "is not an answer"),
        ("item,comment\nabc,x\n", "column 'answer' is missing"),
    ],
)
def test_answers_that_cannot_be_read_are_told(root: Path, text: str, message: str) -> None:
    folder = small.write(root, small.files()) / "wumeng" / "51"
    (folder / "answers.csv").write_text(text, "utf-8")
    with pytest.raises(PovmonError, match=message) as told:
        read_answers(load_survey("small"), "wumeng")
    assert "submissions/wumeng/51/answers.csv" in str(told.value)


@pytest.mark.parametrize("content", [b"not a workbook", b"PK\x03\x04broken"])
def test_what_is_no_workbook_gives_no_answers(root: Path, content: bytes) -> None:
    folder = small.write(root, small.files()) / "wumeng" / "51"
    (folder / "51.xlsx").write_bytes(content)
    assert read_answers(load_survey("small"), "wumeng").empty


def test_a_slip_without_its_columns_is_told(root: Path) -> None:
    folder = small.write(root, small.files()) / "wumeng" / "51"
    book = Workbook()
    book.save(folder / "other.xlsx")
    book.active.title = SHEET
    book.save(folder / "51.xlsx")
    with pytest.raises(PovmonError, match="item and answer is missing"):
        read_answers(load_survey("small"), "wumeng")


def test_later_answers_count(root: Path) -> None:
    folder = small.write(root, small.files()) / "wumeng" / "51"
    (folder / "2").mkdir()
    (folder / "answers.csv").write_text("item,answer\nabc,right\nxyz,\n", "utf-8")
    (folder / "2" / "answers.csv").write_text("item,answer\nabc,corrected\n", "utf-8")
    given = read_answers(load_survey("small"), "wumeng")
    assert list(given["answer"]) == ["right", "corrected"] and set(given["province_id"]) == {"51"}


def test_a_second_delivery_is_held_against_the_first(root: Path) -> None:
    folder = small.write(root, spoilt()) / "wumeng" / "51"
    content = spoilt()
    content["51"]["household"][1]["water"] = "tap"
    (folder / "2").mkdir()
    rows = small.as_csv(content["51"]["household"])
    (folder / "2" / "household.csv").write_text(rows, "utf-8")
    (folder / "2" / "answers.csv").write_text("item,answer\n", "utf-8")
    audit = audit_area("small", "wumeng")
    status = audit.followed.set_index(["key", "column"])["status"]
    assert status["5134310102", "water"] == "resolved"
    assert status["5134310201", "structure"] == "unanswered"
    assert set(audit.followed["province_id"]) == {"51"}
    assert "answers.csv" not in " ".join(audit.findings["file"])
