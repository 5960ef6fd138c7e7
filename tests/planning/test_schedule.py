"""What is late, and what is merely not known."""

from __future__ import annotations

import datetime as dt

import pytest

from povmon import paths
from povmon.errors import PovmonError
from povmon.planning.schedule import late, lateness, load_progress, load_schedule, schedule_frame
from povmon.survey import load_survey

DAY = dt.date(2012, 1, 5)
PROVINCES = {"51": "Sichuan", "52": "Guizhou", "53": "Yunnan"}
PROGRESS = """
as_of: 2012-01-05
delivered:
  - {product: first_draft, area: wumeng, date: 2011-12-31}
  - {product: preliminary_plan, area: wumeng, province: "51", date: 2011-12-19}
comments:
  - {area: wumeng, from: Ministry of Transport, received: 2012-01-03}
activities:
  - {unit: mlr, duty: meeting, date: 2011-12-26}
"""


def write_progress(text: str) -> None:
    folder = paths.raw("demo") / "planning"
    folder.mkdir(exist_ok=True)
    (folder / "progress.yml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("due", "delivered", "reported", "expected"),
    [
        (dt.date(2011, 12, 29), dt.date(2011, 12, 29), True, ("on time", 0)),
        (dt.date(2011, 12, 29), dt.date(2011, 12, 31), True, ("late", 2)),
        (dt.date(2011, 12, 29), None, True, ("late", 7)),
        (dt.date(2011, 12, 29), None, False, ("not reported", None)),
        (DAY, None, False, ("not yet due", None)),
        (None, None, True, ("no date", None)),
        (None, DAY, True, ("delivered", None)),
    ],
)
def test_lateness(due, delivered, reported, expected):
    assert lateness(due, delivered, DAY, reported) == expected


def test_without_a_record_nothing_is_assumed(root):
    frame = schedule_frame(load_schedule(), "wumeng", PROVINCES, load_progress(load_survey("demo")))
    products = frame[frame["kind"] == "product"]
    assert set(products["status"]) == {"not reported"}
    assert late(frame).empty


def test_with_a_record_what_is_missing_is_late(root):
    write_progress(PROGRESS)
    progress = load_progress(load_survey("demo"))
    frame = schedule_frame(load_schedule(), "wumeng", PROVINCES, progress)
    plans = frame[frame["product"] == "preliminary_plan"].set_index("province_id")["status"]
    assert plans.to_dict() == {"51": "on time", "52": "late", "53": "late"}
    assert late(frame)["days_late"].tolist() == [17, 17, 2]


def test_other_areas_have_no_dates(root):
    frame = schedule_frame(load_schedule(), "dabie", {"34": "Anhui"}, None)
    products = frame[frame["kind"] == "product"]
    assert set(products["status"]) == {"no date"}
    assert set(products["product"]) == {"preliminary_plan", "first_draft", "comments_draft"}
    assert "meeting_kunming" not in set(frame["entry"])


def test_qinba_comes_after_the_spring_festival():
    frame = schedule_frame(load_schedule(), "qinba", {"61": "Shaanxi"}, None)
    line = frame[frame["product"] == "comments_draft"].iloc[0]
    assert line["start"] == "2012-01-23" and line["end"] == "" and line["status"] == "no date"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("first_draft", "firstdraft", "unknown product firstdraft"),
        ("unit: mlr", "unit: mrl", "unknown unit mrl"),
        ("duty: meeting", "duty: meetings", "unknown duty meetings"),
        ("area: wumeng, date", "area: wumen, date", "did you mean 'wumeng'"),
        ('"51"', '"15"', "unknown province '15'"),
        ("as_of: 2012-01-05", "as_of: 2011-12-30", "after as_of"),
        ("comments:", "remarks:", "remarks"),
    ],
)
def test_faults_of_the_record_are_named(root, old, new, message):
    write_progress(PROGRESS.replace(old, new, 1))
    with pytest.raises(PovmonError, match=message):
        load_progress(load_survey("demo"))
