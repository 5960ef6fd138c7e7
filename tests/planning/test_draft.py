"""The draft plan, its comparison with the areas combined, its review and its files."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from povmon import paths
from povmon.errors import PovmonError
from povmon.planning import draft_frame, load_draft, provinces_frame, review, situation, write_draft
from povmon.planning.draft import chapters, tables_received

from .test_schedule import PROGRESS, write_progress
from .test_tables import SICHUAN, put


def test_situation_reads_the_difference_by_direction(root):
    frame = situation(load_draft("demo", "wumeng"), ["headcount", "water_safe", "income_mean"])
    assert frame.set_index("indicator")["reading"].to_dict() == {
        "headcount": "worse", "water_safe": "better", "income_mean": "cannot tell",
    }  # fmt: skip
    line = frame.set_index("indicator").loc["headcount"]
    assert line["difference"] == pytest.approx(0.05)
    half = (0.011**2 + 0.010**2) ** 0.5
    assert line["difference_high"] == pytest.approx(0.05 + half, rel=1e-6)


def test_a_share_of_one_keeps_its_uncertainty(root):
    draft = load_draft("demo", "wumeng")
    frame = draft.estimates.copy()
    here = (frame["indicator"] == "enrolment_7_15") & (frame["domain_kind"] == "area")
    frame.loc[here, ["estimate", "se", "ci_low", "ci_high"]] = [1.0, 0.0, 0.40, 1.0]
    line = situation(dataclasses.replace(draft, estimates=frame), ["enrolment_7_15"]).iloc[0]
    # The pooled 50 % has an interval of 1 point either way: 50 points less 60 and 1.
    assert line["difference_low"] == pytest.approx(0.5 - (0.6**2 + 0.01**2) ** 0.5)
    assert line["difference_high"] == pytest.approx(0.51)
    assert line["reading"] == "cannot tell"


def test_totals_and_unknown_indicators_are_not_compared(root):
    frame = situation(load_draft("demo", "dabie"), ["poor_total", "headcount@food"])
    assert list(frame["indicator"]) == ["poor_total"]
    assert frame["reading"].iloc[0] == "" and pd.isna(frame["difference"].iloc[0])


def test_funds_are_in_millions(root):
    frame = situation(load_draft("demo", "wumeng"), ["county_funds"])
    assert frame["unit"].iloc[0] == "million yuan"
    assert frame["estimate"].iloc[0] == pytest.approx(30.0)
    assert pd.isna(frame["pooled"].iloc[0])


def test_money_is_in_the_survey_s_unit(root):
    frame = situation(load_draft("demo", "wumeng"), ["income_mean"])
    assert frame["unit"].iloc[0] == "yuan"


def test_draft_follows_the_chapters(root):
    draft = load_draft("demo", "wumeng")
    frame = draft_frame(draft)
    assert list(frame["chapter"].unique()) == [c.id for c in draft.outline.chapters]
    last = frame.groupby("chapter", sort=False).tail(1)
    assert set(last["kind"]) == {"planners"}
    assert set(frame.loc[frame["chapter"] == "ecology", "kind"]) == {"planners"}
    assert list(chapters(draft)) == [c.id for c in draft.outline.chapters]


def test_withheld_counties_are_not_in_the_draft(root):
    draft = load_draft("demo", "wumeng")
    items = set(draft_frame(draft)["item"])
    assert "513431" in items and "530326" not in items


def test_review_answers_every_requirement(root):
    draft = load_draft("demo", "wumeng")
    frame = review(draft).set_index("requirement")
    assert len(frame) == sum(len(e.requirements) for e in draft.outline.elements)
    assert set(frame["status"]) == {"met", "not met", "cannot be checked"}
    assert (frame["reason"] != "").all()
    status = frame["status"]
    assert status["scope_counties"] == "not met"
    assert frame.at["scope_counties", "reason"] == "3 of 38 counties have survey records"
    assert status["scope_wider"] == "cannot be checked"
    assert status["deadline_draft"] == "cannot be checked"
    assert status["tasks_answer"] == "met"
    assert status["work_real"] == "not met"
    assert status["work_unit"] == "met"
    assert status["work_uncertainty"] == "met"


def test_review_uses_the_record_of_the_work(root):
    write_progress(PROGRESS)
    put("51.csv", SICHUAN)
    accounting = pd.DataFrame(
        {"form": ["household"], "province_id": ["51"], "received": [10], "accepted": [8],
         "corrected": [1], "rejected": [1]}
    )  # fmt: skip
    folder = paths.processed("demo", "wumeng")
    accounting.to_parquet(folder / "accounting.parquet")
    draft = load_draft("demo", "wumeng")
    status = review(draft).set_index("requirement")["status"]
    assert status["deadline_draft"] == "not met"
    assert status["schedule_late"] == "not met"
    assert status["procedures_comments"] == "not met"
    assert status["procedures_tables"] == "not met"
    assert status["procedures_tables_agree"] == "met"
    assert status["work_records"] == "met"
    assert tables_received(draft)["received"].tolist() == [True, False, False]
    accounting.assign(rejected=0).to_parquet(folder / "accounting.parquet")
    assert review(draft).set_index("requirement").at["work_records", "status"] == "not met"


def test_review_notes_an_estimate_without_interval(root):
    draft = load_draft("demo", "wumeng")
    bare = draft.estimates.copy()
    bare.loc[bare["indicator"] == "water_safe", ["ci_low", "ci_high"]] = float("nan")
    frame = review(dataclasses.replace(draft, estimates=bare)).set_index("requirement")
    assert frame.at["work_uncertainty", "status"] == "not met"
    assert "water_safe" in frame.at["work_uncertainty", "reason"]
    assert frame.at["objectives_baseline", "status"] == "not met"


def test_unverified_liaison_unit_does_not_meet_the_requirement(root):
    frame = review(load_draft("demo", "dabie")).set_index("requirement")
    assert frame.at["work_unit", "status"] == "not met"
    assert "not verified" in frame.at["work_unit", "reason"]


def test_provinces(root):
    frame = provinces_frame(load_draft("demo", "wumeng"))
    assert list(frame["province_en"]) == ["Sichuan", "Guizhou", "Yunnan"]
    assert frame["counties"].tolist() == [1, 1, 1]


def test_files_are_the_same_twice(root):
    draft = load_draft("demo", "wumeng")
    folder = paths.processed("demo", "wumeng")
    files = write_draft(draft)
    first = [(folder / name).read_bytes() for name in files["file"]]
    write_draft(load_draft("demo", "wumeng"))
    assert [(folder / name).read_bytes() for name in files["file"]] == first
    assert len(pd.read_parquet(folder / "plan_review.parquet")) == files["rows"].iloc[1]
    assert not list(folder.glob(".*.tmp"))


def test_errors_name_what_is_wrong(root):
    with pytest.raises(PovmonError, match="did you mean 'wumeng'"):
        load_draft("demo", "wumen")
    (paths.processed("demo", "wumeng") / "estimates.parquet").unlink()
    with pytest.raises(PovmonError, match="have not been made yet.*make SURVEY=demo"):
        load_draft("demo", "wumeng")
