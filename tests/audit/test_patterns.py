"""Patterns over the records of a village or an interviewer."""

from __future__ import annotations

import numpy as np
import pytest

from audit import many
from povmon.audit.ledger import Ledger
from povmon.audit.patterns import ANSWERS, check_patterns
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS

AMOUNTS = [*INCOME_PARTS, *CONSUMPTION_PARTS]
VILLAGE = slice(20, 29)  # rows of one village


def run(ledger: Ledger) -> Ledger:
    check_patterns(ledger)
    return ledger


def homes(ledger: Ledger, rows: slice = VILLAGE) -> list[str]:
    return sorted(ledger.tables["household"].loc[rows, "key"])


def test_ordinary_villages_show_no_pattern() -> None:
    assert run(many.ledger()).findings().empty


def test_a_village_made_up_at_a_desk() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    rng = np.random.default_rng(2)
    for column in ("income_total", "consumption_total", "dwelling_area"):
        noise = np.exp(0.02 * rng.standard_normal(10))
        home.loc[VILLAGE, column] = 2000.0 * home.loc[VILLAGE, "hhsize"].astype(float) * noise
    for column in (c for c in ANSWERS if home[c].notna().any()):
        home.loc[VILLAGE, column] = home.loc[20, column]
    run(ledger)
    assert many.found(ledger, "village_too_even") == homes(ledger)
    assert many.found(ledger, "village_same_answers") == homes(ledger)


@pytest.mark.parametrize("whole", [False, True])
def test_round_amounts(whole: bool) -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    rows = VILLAGE if whole else slice(20, 20)
    home.loc[rows, AMOUNTS] = (home.loc[rows, AMOUNTS] / 100).round() * 100 + 100
    run(ledger)
    assert set(homes(ledger, rows)) <= set(many.found(ledger, "round_amounts"))
    assert many.found(ledger, "village_round_amounts") == (homes(ledger) if whole else [])


def test_round_amounts_are_no_finding_where_all_write_them() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    home[AMOUNTS] = (home[AMOUNTS] / 100).round() * 100 + 100
    assert not set(run(ledger).findings()["rule"]) & {"round_amounts", "village_round_amounts"}


def test_round_ages() -> None:
    ledger = many.ledger()
    person = ledger.tables["person"]
    of_village = person["household_id"].str[:8] == ledger.tables["household"].loc[20, "village_id"]
    adult = of_village & (person["age"] >= 23)
    person.loc[adult, "age"] = (person.loc[adult, "age"] // 5 * 5).clip(lower=25)
    run(ledger)
    assert many.found(ledger, "village_round_ages") == homes(ledger)
    assert ledger.findings()["message"].str.contains("index 500").any()


def test_blank_answers() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    home.loc[VILLAGE, AMOUNTS[:8]] = np.nan
    home.loc[
        100, [*AMOUNTS, "structure", "water", "fuel", "toilet", "tv", "land", "electricity"]
    ] = None
    ledger.tables["person"].loc[
        ledger.tables["person"]["household_id"] == home.loc[100, "household_id"], ["work", "health"]
    ] = None
    run(ledger)
    assert many.found(ledger, "village_missing") == homes(ledger)
    assert home.loc[100, "key"] in many.found(ledger, "household_missing")


def test_one_amount_in_many_groups() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    home.loc[20, list(CONSUMPTION_PARTS[:4])] = 480.0
    home.loc[21, list(CONSUMPTION_PARTS[:4])] = 0.0
    run(ledger)
    assert many.found(ledger, "response_set") == [home.loc[20, "key"]]


def test_interviews_that_are_too_fast() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    home.loc[20, "minutes"] = 8
    hasty = home["interviewer"] == home.loc[200, "interviewer"]
    home.loc[hasty, "minutes"] = (home.loc[hasty, "minutes"].astype(float) * 0.42).round()
    run(ledger)
    assert home.loc[20, "key"] in many.found(ledger, "interview_fast")
    assert many.found(ledger, "interviewer_fast") == sorted(home.loc[hasty, "key"])


def test_patterns_of_an_interviewer() -> None:
    """interviewer_too_even, interviewer_same_answers, interviewer_round_amounts,
    interviewer_round_ages and interviewer_missing look at all of an interviewer's villages."""
    ledger = many.ledger()
    home, person = ledger.tables["household"], ledger.tables["person"]
    mine = home["interviewer"] == home.loc[0, "interviewer"]
    home.loc[mine, AMOUNTS] = (home.loc[mine, AMOUNTS] / 100).round() * 100 + 100
    for column in ("income_total", "consumption_total"):
        home.loc[mine, column] = 2000.0 * home.loc[mine, "hhsize"].astype(float)
    for column in (c for c in ANSWERS if home[c].notna().any()):
        home.loc[mine, column] = home.loc[0, column]
    adult = person["household_id"].isin(home.loc[mine, "household_id"]) & (person["age"] >= 23)
    person.loc[adult, "age"] = (person.loc[adult, "age"] // 5 * 5).clip(lower=25)
    blank = home["interviewer"] == home.loc[639, "interviewer"]
    home.loc[blank, AMOUNTS[:8]] = np.nan
    run(ledger)
    for rule in ("too_even", "same_answers", "round_amounts", "round_ages"):
        assert many.found(ledger, f"interviewer_{rule}") == sorted(home.loc[mine, "key"]), rule
    assert many.found(ledger, "interviewer_missing") == sorted(home.loc[blank, "key"])


def test_blank_blocks() -> None:
    """block_missing and person_missing"""
    ledger = many.ledger()
    home, person = ledger.tables["household"], ledger.tables["person"]
    home.loc[20, ["tv", "refrigerator", "washing_machine", "mobile_phone", "motorcycle"]] = None
    home.loc[21, ["tv", "refrigerator"]] = None
    person.loc[7, ["age", "sex", "in_school", "schooling", "work"]] = None
    run(ledger)
    assert many.found(ledger, "block_missing") == [home.loc[20, "key"]]
    assert ledger.findings()["message"].str.endswith("blank: goods").any()
    assert many.found(ledger, "person_missing") == [person.loc[7, "key"]]
