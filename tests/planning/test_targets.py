"""Targets: when the survey can tell, what the gap is, and where a target applies."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from povmon.indicators.catalogue import CATALOGUE
from povmon.planning.targets import judge, load_targets, open_items, scope_domains, target_gaps

from .conftest import estimates, row, withheld


@pytest.mark.parametrize(
    ("estimate", "low", "high", "aim", "good", "relation", "met"),
    [
        (0.85, 0.82, 0.88, 0.80, "high", "same", "yes"),
        (0.70, 0.66, 0.74, 0.80, "high", "same", "no"),
        (0.79, 0.75, 0.83, 0.80, "high", "same", "cannot tell"),
        (0.02, 0.01, 0.03, 0.05, "low", "same", "yes"),
        (0.09, 0.07, 0.11, 0.05, "low", "same", "no"),
        (0.70, 0.66, 0.74, 0.80, "high", "stricter", "cannot tell"),
        (0.85, 0.82, 0.88, 0.80, "high", "stricter", "yes"),
        # All: one exception is enough for no, and no sample is enough for yes.
        (0.999, 0.99, 1.0, 1.0, "high", "same", "no"),
        (1.0, 0.99, 1.0, 1.0, "high", "same", "cannot tell"),
        (1.0, 1.0, 1.0, 1.0, "high", "same", "cannot tell"),
        (0.001, 0.0, 0.01, 0.0, "low", "same", "no"),
        (0.0, 0.0, 0.01, 0.0, "low", "same", "cannot tell"),
        (0.9, 0.88, 0.92, 1.0, "high", "stricter", "cannot tell"),
    ],
)
def test_judge(estimate, low, high, aim, good, relation, met):
    assert judge(estimate, low, high, aim, good, relation).met == met


def test_targets_name_known_indicators():
    for target in load_targets().targets:
        assert target.indicator is None or target.indicator in CATALOGUE
        assert target.value is None or target.working_value is None
        assert target.verification == "verified"


def test_open_items_carry_no_value():
    assert "value" not in open_items(load_targets()).columns


def test_western_road_target_takes_the_western_provinces_only():
    targets = load_targets()
    road = next(t for t in targets.targets if t.id == "road_west_2015")
    assert scope_domains(road, targets, ["51", "52", "53"]) == "area"
    assert scope_domains(road, targets, ["42", "43", "50", "52"]) == ["50", "52"]
    assert scope_domains(road, targets, ["34", "41", "42"]) == []
    assert scope_domains(road, targets, ["54"]) == []


def test_gap_and_yearly_change():
    frame = target_gaps(load_targets(), estimates("wumeng"), "wumeng", ["51", "52", "53"], 2010)
    water = frame.set_index("target").loc["water_2015"]
    assert water["gap"] == pytest.approx(0.95 - 0.55)
    assert water["yearly"] == pytest.approx(0.40 / 5)
    assert water["yearly_low"] == pytest.approx((0.95 - 0.561) / 5)
    assert water["yearly_high"] == pytest.approx((0.95 - 0.539) / 5)
    assert water["value_basis"] == "working value"
    food = frame.set_index("target").loc["food_2020"]
    assert food["yearly"] == pytest.approx(-0.055)
    assert food["yearly_low"] < food["yearly"] < food["yearly_high"] < 0


def test_no_change_is_asked_beyond_the_target():
    frame = pd.DataFrame([row("area", "x", "village_hardened_road", 0.81, 0.02)])
    gaps = target_gaps(load_targets(), frame, "x", ["53"], 2010).set_index("target")
    road = gaps.loc["road_west_2015"]
    assert road["yearly"] == 0 and road["yearly_low"] == 0
    assert road["yearly_high"] == pytest.approx((0.80 - 0.77) / 5)
    assert road["met"] == "cannot tell"


def test_past_targets_have_no_yearly_change():
    gaps = target_gaps(load_targets(), estimates("wumeng"), "wumeng", ["53"], 2015)
    water = gaps.set_index("target").loc["water_2015"]
    assert math.isnan(water["yearly"]) and water["gap"] == pytest.approx(0.40)


def test_withheld_baseline_gives_its_reason():
    frame = pd.DataFrame([withheld(row("area", "x", "water_safe", 0.5))])
    water = target_gaps(load_targets(), frame, "x", ["53"], 2010).set_index("target")
    line = water.loc["water_2015"]
    assert line["met"] == "cannot tell"
    assert line["reason"] == "fewer than 30 households"
    assert math.isnan(line["yearly"])


def test_income_growth_cannot_be_told_from_one_survey():
    gaps = target_gaps(load_targets(), estimates("wumeng"), "wumeng", ["53"], 2010)
    income = gaps.set_index("target").loc["income_growth_2020"]
    assert income["met"] == "cannot tell" and "second survey" in income["reason"]
