"""Display objects of the plan and the briefs, from frames made by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from povmon.present import briefs, deadlines, needs, plans
from povmon.present.display import Figure, Table, Text


def situation(**changes: object) -> pd.DataFrame:
    row = {
        "indicator": "headcount", "en": "Poverty headcount", "zh": "贫困发生率", "unit": "share",
        "estimate": 0.37, "ci_low": 0.35, "ci_high": 0.39, "flag": "", "reason": "",
        "pooled": 0.30, "pooled_low": 0.29, "pooled_high": 0.31, "difference": 0.07,
        "difference_low": 0.05, "difference_high": 0.09, "reading": "worse",
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def target(**changes: object) -> pd.DataFrame:
    row = {
        "target": "t", "indicator": "water_safe", "en": "Safe <b>water</b>", "zh": "饮水",
        "due": 2015, "unit": "share",
        "estimate": 0.6, "ci_low": 0.55, "ci_high": 0.65, "aim": 0.95,
        "value_basis": "working value", "gap": 0.35, "years": 5, "yearly": 0.07,
        "yearly_low": 0.06, "yearly_high": 0.08, "reported": math.nan, "met": "no",
        "reason": "the whole interval misses the target", "note": "a remark",
    }  # fmt: skip
    return pd.DataFrame([row | changes])


def test_headline_gives_interval_line_and_reading():
    text = plans.headline(situation(), "Area", "片区", "Survey", "2,300 yuan").markdown
    assert "37.0\u202f%" in text and "35.0 to 39.0 %" in text and "2,300 yuan" in text
    assert "poorer than the areas combined" in text


def test_headline_without_estimate_says_so():
    frame = situation(estimate=math.nan)
    assert "no headcount" in plans.headline(frame, "Area", "", "Survey", "line").markdown


def test_headline_escapes_names():
    text = plans.headline(situation(), "<script>", "", "S", "line").markdown
    assert "<script>" not in text


def test_withheld_estimate_shows_its_reason():
    frame = situation(
        estimate=math.nan, ci_low=math.nan, ci_high=math.nan, difference=math.nan,
        reason="fewer than 30 households", reading="",
    )  # fmt: skip
    html = plans.situation_table(frame, "Subject")._repr_html_()
    assert "fewer than 30 households" in html and "nan" not in html.lower()


def test_targets_table_marks_working_values_and_escapes():
    html = plans.targets_table(target())._repr_html_()
    assert "95.0\u202f% *" in html and "Working value" in html
    assert "Tap or deep-well water" in html
    assert "<b>water</b>" not in html and "&lt;b&gt;" in html


def test_change_table_signs_the_change():
    html = plans.change_table(target())._repr_html_()
    assert "+35.0" in html and "+6.00 to +8.00" in html


def test_targets_text_counts():
    frame = pd.concat([target(), target(met="yes"), target(met="does not apply")])
    text = plans.targets_text(frame).markdown
    assert "Of 2 comparisons" in text and "1 as already met and 1 as not yet met" in text


@pytest.mark.parametrize(
    "function",
    [
        lambda e: plans.situation_table(e, "x"),
        plans.targets_table,
        plans.change_table,
        plans.tasks_table,
        needs.need_table,
        needs.provinces_table,
        needs.priorities_table,
        needs.priorities_text,
        lambda e: needs.priorities_figure(e, "x"),
        briefs.behind_table,
        deadlines.plan_tables_text,
        lambda e: deadlines.plan_tables_table(e, {}),
        lambda e: deadlines.plan_faults_table(e, {}),
    ],
)
def test_an_empty_frame_gives_a_sentence(function):
    shown = function(pd.DataFrame())
    assert isinstance(shown, Text) and shown.markdown.endswith(".")


def test_priorities_figure_says_its_message_in_words():
    frame = pd.DataFrame(
        {"en": ["Drinking water", "Road"], "zh": ["饮水", "道路"], "contribution": [0.6, 0.4],
         "ci_low": [0.5, math.nan], "ci_high": [0.7, math.nan]}
    )  # fmt: skip
    figure = needs.priorities_figure(frame, "Wumeng")
    assert isinstance(figure, Figure)
    assert "Drinking water 60.0" in figure.alt and "Road 40.0" in figure.alt


def schedule(status: str, days: object) -> pd.DataFrame:
    return pd.DataFrame(
        {"en": ["First draft"], "zh": ["规划初稿"], "system": ["II"], "kind": ["product"],
         "province": ["Yunnan"], "start": [""], "end": ["2011-12-29"], "delivered": [""],
         "status": [status], "days_late": pd.array([days], dtype="Int64"), "note": [""]}
    )  # fmt: skip


def test_schedule_names_what_is_late():
    late = schedule("late", 3)
    assert "First draft (Yunnan), 3 days" in deadlines.schedule_text(late, "d").markdown.replace(
        "\\", ""
    )
    table = deadlines.schedule_table(late, "d")
    assert isinstance(table, Table) and "late by 3 days" in table._repr_html_()


def test_schedule_without_record_does_not_say_late():
    text = deadlines.schedule_text(schedule("not reported", pd.NA), "2012-01-23").markdown
    assert "nothing is on record as late" in text and "1 product was due" in text


def test_brief_opening_marks_unverified_and_uncovered():
    frame = pd.DataFrame(
        {"unit_en": ["Ministry"], "unit_zh": ["部"], "area_en": ["Dabie"], "area_zh": ["大别"],
         "verification": ["unverified"], "surveyed": [False]}
    )  # fmt: skip
    text = briefs.opening(frame, "The survey").markdown
    assert "unverified" in text and "does not cover Dabie" in text


def test_letter_gives_figures_counties_and_open_duties():
    places = pd.DataFrame(
        {"unit_en": ["Ministry"], "unit_zh": ["部"], "area_en": ["Wumeng"], "area_zh": ["乌蒙"],
         "verification": ["verified"]}
    )  # fmt: skip
    need = pd.DataFrame({"area_en": ["Wumeng"] * 4, "county_en": list("ABCD"), "county_zh": ""})
    duties = pd.DataFrame({"en": ["Study", "Report"], "performed": ["2011-12-20", ""]})
    frame = situation(area_en="Wumeng")
    text = briefs.letter(places, frame, need, duties, "survey", True).markdown
    assert "generated records" in text and "Your unit is in contact with" in text
    assert "37.0\u202f% of the rural registered population of Wumeng" in text
    assert "A, B and C" in text and "D" not in text
    assert "- Report" in text and "Study" not in text


def test_letter_of_an_area_not_covered():
    places = pd.DataFrame(
        {"unit_en": ["Ministry"], "unit_zh": ["部"], "area_en": ["Wumeng"], "area_zh": ["乌蒙"],
         "verification": ["unverified"]}
    )  # fmt: skip
    duties = pd.DataFrame({"en": ["Report"], "performed": [""]})
    empty = pd.DataFrame()
    text = briefs.letter(places, empty, empty, duties, "S", False).markdown
    assert "does not cover it" in text and "generated" not in text
    assert "a pairing that is not verified" in text and "please confirm it" in text


def test_area_column_only_where_there_are_several():
    one = situation(area_en="A", area_zh="")
    assert "Area" not in [c.header for c in plans.situation_table(one, "x")._columns]
    two = pd.concat([one, situation(area_en="B", area_zh="")])
    assert plans.situation_table(two, "x")._columns[0].header == "Area"


def test_counties_that_cannot_be_told_apart_are_counted():
    frame = pd.DataFrame(
        {"rank": pd.array([1, 2, 3, pd.NA], dtype="Int64"), "county_en": list("ABCD"),
         "county_zh": "", "estimate": [0.6, 0.55, 0.3, math.nan],
         "ci_low": [0.5, 0.45, 0.2, math.nan], "ci_high": [0.7, 0.65, 0.4, math.nan],
         "overlaps_first": [True, True, False, False]}
    )  # fmt: skip
    text = needs.need_text(frame).markdown
    assert "1 other county reaches its interval" in text and "1 county is withheld" in text
    assert "all others lie below" in needs.need_text(frame.iloc[[0, 2]]).markdown
