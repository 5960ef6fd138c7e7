"""Liaison units: register, coverage, briefs, duties."""

from __future__ import annotations

import pytest

from povmon import reference
from povmon.errors import PovmonError
from povmon.planning import (
    brief_behind,
    brief_gaps,
    brief_need,
    brief_situation,
    coverage,
    duties_frame,
    liaison,
    load_brief,
    units_frame,
    units_of_survey,
)

from .test_schedule import PROGRESS, write_progress


def test_register_has_13_units_with_plain_ids():
    frame = units_frame()
    assert frame["unit"].nunique() == 13
    assert frame["unit"].str.fullmatch("[a-z]+").all()
    assert sorted(frame.loc[frame["verification"] != "verified", "unit"]) == ["mca", "mohurd"]


def test_coverage():
    frame = coverage().set_index("check")
    assert frame["expected"].tolist() == [11, 13, 0, 11]
    assert frame["status"].tolist() == ["met", "met", "met", "not met"]
    assert "Dabie" in frame["detail"].iloc[3]


def test_coverage_notices_an_area_without_unit(monkeypatch):
    register = reference.liaison_units()
    monkeypatch.setattr(
        liaison.reference,
        "liaison_units",
        lambda: register.assign(area_id=register["area_id"].replace({"wuling": "tibet"})),
    )
    frame = coverage()
    assert frame["status"].tolist() == ["not met", "met", "not met", "not met"]
    assert frame["detail"].iloc[0] == "without: Wuling Mountain Area"


def test_a_unit_without_an_id_is_an_error(monkeypatch):
    register = reference.liaison_units()
    monkeypatch.setattr(
        liaison.reference,
        "liaison_units",
        lambda: register.assign(unit_zh=register["unit_zh"].replace({"铁道部": "铁路部"})),
    )
    with pytest.raises(PovmonError, match="铁路部"):
        units_frame()


def test_units_of_survey():
    assert units_of_survey(["wumeng", "dabie"]) == ["mlr", "mohurd"]
    assert units_of_survey(["qinba"]) == ["most", "mor"]
    assert units_of_survey(["tibet"]) == []
    assert len(units_of_survey(reference.areas()["area_id"])) == 13


def test_brief(root):
    brief = load_brief("demo", "mlr")
    assert brief_situation(brief)["area"].unique().tolist() == ["wumeng"]
    assert set(brief_behind(brief)["reading"]) == {"worse"}
    gaps = brief_gaps(brief)
    assert "yes" not in set(gaps["met"])
    sizes = gaps["gap"].abs().dropna()
    assert sizes.is_monotonic_decreasing and gaps["gap"].isna().iloc[-1]
    assert brief_need(brief, top=1)["county_id"].tolist() == ["513431"]


def test_brief_of_an_area_that_the_survey_does_not_cover(root):
    brief = load_brief("demo", "moe")
    assert brief.assignments["surveyed"].tolist() == [False]
    for function in (brief_situation, brief_behind, brief_gaps, brief_need):
        assert function(brief).empty


def test_unknown_unit(root):
    with pytest.raises(PovmonError, match="did you mean 'mlr'"):
        load_brief("demo", "mlrr")


def test_duties(root):
    assert set(duties_frame(load_brief("demo", "mlr"))["status"]) == {"not reported"}
    write_progress(PROGRESS)
    frame = duties_frame(load_brief("demo", "mlr")).set_index("duty")
    assert frame.at["meeting", "status"] == "on time"
    assert frame.at["report", "status"] == "not reported"
    other = duties_frame(load_brief("demo", "mohurd")).set_index("duty")
    assert other.at["meeting", "status"] == "late" and other.at["meeting", "days_late"] == 10
