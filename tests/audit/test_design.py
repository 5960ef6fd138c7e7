"""What arrived against the sampling design."""

from __future__ import annotations

import numpy as np
import pandas as pd

from audit import many
from povmon.audit.design import check_design
from povmon.audit.ledger import Ledger
from povmon.audit.repairs import repair_weights


def check(ledger: Ledger) -> None:
    check_design(many.survey(), many.AREA, ledger)


def test_a_sample_as_designed() -> None:
    ledger = many.ledger()
    repair_weights(many.survey(), ledger)
    check(ledger)
    assert ledger.findings().empty


def test_numbers_against_the_design() -> None:
    """village_households_short, village_households_many, county_villages_short,
    county_villages_many, county_response_low"""
    ledger = many.ledger()
    home, village = ledger.tables["household"], ledger.tables["village"]
    county = ledger.tables["county"]
    ledger.live["household"][:6] = False  # six of the first village
    home.loc[85:86, "village_id"] = village.loc[9, "village_id"]
    ledger.live["village"][16:18] = False  # two of the third county
    ledger.live["household"][160:180] = False
    village.loc[32, "county_id"] = county.loc[3, "county_id"]
    check(ledger)
    short = many.found(ledger, "village_households_short")
    assert village.loc[0, "key"] in short and village.loc[20, "key"] not in short
    assert many.found(ledger, "village_households_many") == [village.loc[9, "key"]]
    assert county.loc[2, "key"] in many.found(ledger, "county_villages_short")
    assert many.found(ledger, "county_villages_many") == [county.loc[3, "key"]]
    assert many.found(ledger, "county_response_low") == [county.loc[2, "key"]]


def test_weights_that_do_not_follow_from_the_village() -> None:
    ledger = many.ledger()
    village = ledger.tables["village"]
    village.loc[5, "w_village"] *= 3
    check(ledger)
    assert many.found(ledger, "village_weight_design") == [village.loc[5, "key"]]
    assert many.found(ledger, "village_size_frame") == [village.loc[5, "key"]]


def test_a_calibrated_county_follows_the_design() -> None:
    ledger = many.ledger()
    ledger.tables["household"].loc[:79, "w_hh"] *= 1.3
    check(ledger)
    assert not many.found(ledger, "village_weight_design")


def test_unequal_weights_of_a_county() -> None:
    ledger = many.ledger()
    weights = np.where(np.arange(80) % 2 == 0, 100.0, 3000.0)
    ledger.tables["household"].loc[:79, "w_hh"] = weights
    check(ledger)
    assert many.found(ledger, "weights_unequal") == [ledger.tables["county"].loc[0, "key"]]
    assert ledger.findings()["message"].str.contains("by 1.88").any()


def test_a_weight_unlike_the_others_of_the_village() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    home.loc[4, "w_hh"] = 100.0
    repair_weights(many.survey(), ledger)
    assert many.found(ledger, "weight_slip") == [home.loc[4, "key"]]
    assert home.loc[4, "w_hh"] == 1000.0
    assert ledger.corrections()["before"].tolist() == ["100"]


def test_a_weight_unlike_the_village() -> None:
    """Where a village's weights differ anyway none of them is sure: weight_unlike reports."""
    ledger = many.ledger()
    home = ledger.tables["household"]
    home.loc[:9, "w_hh"] = 1000.0 + 20 * np.arange(10)
    home.loc[4, "w_hh"] = 9000.0
    repair_weights(many.survey(), ledger)
    assert many.found(ledger, "weight_unlike") == [home.loc[4, "key"]]
    assert not many.found(ledger, "weight_slip")


def test_a_lost_village_weight_keeps_to_the_county() -> None:
    """The household weights are calibrated; the village's weight must not be."""
    ledger = many.ledger()
    village, home = ledger.tables["village"], ledger.tables["household"]
    before = village["w_village"].copy()
    home["w_hh"] *= 1.1
    village.loc[5, "w_village"] = np.nan
    repair_weights(many.survey(), ledger)
    pd.testing.assert_series_equal(village["w_village"], before)
