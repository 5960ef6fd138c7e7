"""Units off by a factor in whole villages and counties, and on the forms."""

from __future__ import annotations

import pytest

from audit import many
from povmon.audit.ledger import Ledger
from povmon.audit.units import check_units
from povmon.survey.forms import INCOME_PARTS

INCOME = [*INCOME_PARTS, "income_total"]


def check(ledger: Ledger) -> None:
    check_units(many.survey(), many.AREA, ledger)


def test_villages_in_one_unit_are_left_alone() -> None:
    ledger = many.ledger()
    check(ledger)
    assert ledger.findings().empty and ledger.corrections().empty


def test_a_village_in_another_unit() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    before = home["income_total"].copy()
    home.loc[20:29, "land"] /= 15
    home.loc[40:49, INCOME] /= 10_000
    check(ledger)
    assert many.found(ledger, "village_unit") == sorted(home.loc[20:29, "key"])
    assert ledger.findings()["message"].str.contains(r"unit off by 1[05]\?").any()
    assert many.found(ledger, "village_unit_repaired") == sorted(home.loc[40:49, "key"])
    assert home["income_total"].tolist() == pytest.approx(before.tolist())


def test_a_county_in_another_unit() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    before = home["income_total"].copy()
    home.loc[:79, "dwelling_area"] *= 10
    home.loc[80:159, INCOME] /= 10_000
    check(ledger)
    assert many.found(ledger, "county_unit") == sorted(home.loc[:79, "key"])
    assert many.found(ledger, "county_unit_repaired") == sorted(home.loc[80:159, "key"])
    assert home["income_total"].tolist() == pytest.approx(before.tolist())


def test_values_of_a_form_in_another_unit() -> None:
    ledger = many.ledger()
    village, county = ledger.tables["village"], ledger.tables["county"]
    village.loc[3, "distance_km"] *= 1000
    county.loc[2, "irrigated"] /= 15
    village.loc[4, "altitude_m"] *= 3.28
    check(ledger)
    assert many.found(ledger, "village_value_unlike") == [village.loc[3, "key"]]
    assert many.found(ledger, "village_altitude_unlike") == [village.loc[4, "key"]]
    assert many.found(ledger, "county_value_unlike") == [county.loc[2, "key"]]


def with_economy() -> Ledger:
    """Counties that also report their product and their grain."""
    ledger = many.ledger()
    county = ledger.tables["county"]
    county["gdp"] = (county["population"] * 1.1).round()
    county["grain"] = (county["farmland"] * 4.2).round(1)
    ledger.submitted["county"] |= {"gdp", "grain"}
    return ledger


def test_values_of_the_county_form_in_another_unit_are_converted() -> None:
    ledger = with_economy()
    county = ledger.tables["county"]
    before = county.copy()
    county.loc[1, "gdp"] *= 10_000
    county.loc[2, "grain"] *= 1_000
    county.loc[3, "farmland"] *= 15
    wrong = county.loc[[1, 2, 3], "key"]
    check(ledger)
    assert many.found(ledger, "county_value_unit") == sorted(wrong)
    for column in ("gdp", "grain", "farmland"):
        assert county[column].tolist() == pytest.approx(before[column].tolist(), rel=1e-5)
    assert len(ledger.corrections()) == 3
    assert many.found(ledger, "county_value_unlike") == []


def test_what_a_reviewer_decided_and_what_only_looks_like_a_unit_stay() -> None:
    ledger = with_economy()
    county = ledger.tables["county"]
    county.loc[1, "gdp"] *= 10_000
    ledger.decided.add(("county", 1, "gdp"))
    county.loc[2, "gdp"] *= 300  # neither this nor a ten thousandth of it is plausible
    county.loc[3, "farmland"] *= 15
    county.loc[3, "grain"] *= 15  # as much land as grain: no mu
    after = county.copy()
    check(ledger)
    assert many.found(ledger, "county_value_unit") == []
    assert county.equals(after)
