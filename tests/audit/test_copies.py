"""Copies: persons and households that repeat another, and those that only resemble one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from audit import many
from povmon.audit.copies import check_copies
from povmon.audit.ledger import Ledger
from povmon.survey.forms import CONSUMPTION_PARTS

A, B = 3, 187  # households of two counties


def check(ledger: Ledger) -> None:
    check_copies(many.survey(), many.AREA, ledger)


def keys(ledger: Ledger, *rows: int) -> list[str]:
    return sorted(ledger.tables["household"].loc[list(rows), "key"])


def copy_roster(ledger: Ledger, source: int, target: int) -> None:
    home, person = ledger.tables["household"], ledger.tables["person"]
    ids = home["household_id"]
    kept = person[person["household_id"] != ids[target]]
    new = person[person["household_id"] == ids[source]].assign(household_id=ids[target])
    new["key"] = new["household_id"] + "/" + new["line"].astype("str")
    ledger.tables["person"] = pd.concat([kept, new], ignore_index=True)
    ledger.live["person"] = np.ones(len(ledger.tables["person"]), dtype=bool)
    home.loc[target, "hhsize"] = home.loc[source, "hhsize"]


def test_records_of_their_own_are_not_copies() -> None:
    ledger = many.ledger()
    check(ledger)
    assert not set(ledger.findings()["rule"]) - {"person_twice"}


def test_a_person_listed_twice() -> None:
    ledger = many.ledger()
    persons = ledger.tables["person"]
    rows = persons.index[persons["household_id"] == persons.loc[0, "household_id"]]
    for name in set(persons) - {"line", "key", "source_line"}:
        persons.loc[rows[1], name] = persons.loc[rows[0], name]
    check(ledger)
    assert persons.loc[rows[1], "key"] in many.found(ledger, "person_twice")
    assert persons.loc[rows[0], "key"] not in many.found(ledger, "person_twice")


def test_amounts_copied_from_another_household() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    parts = list(CONSUMPTION_PARTS)
    home.loc[B, parts] = home.loc[A, parts].to_numpy()
    check(ledger)
    assert many.found(ledger, "copied_amounts") == keys(ledger, A, B)
    message = ledger.findings().query("rule == 'copied_amounts'").set_index("key")["message"]
    assert home.loc[B, "key"] in message[home.loc[A, "key"]]


def test_round_amounts_may_agree() -> None:
    ledger = many.ledger()
    ledger.tables["household"].loc[[A, B], list(CONSUMPTION_PARTS)] = 500.0
    check(ledger)
    assert not many.found(ledger, "copied_amounts")


def test_a_household_under_two_codes() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    amounts = [c for c in home if c.startswith(("income", "consumption"))]
    copy_roster(ledger, A, B)
    home.loc[B, amounts] = (home.loc[A, amounts].astype(float) * 1.07).round()
    check(ledger)
    assert many.found(ledger, "household_twice") == keys(ledger, A, B)

    other = many.ledger()
    large = int(np.flatnonzero(other.tables["household"]["hhsize"] >= 5)[0])
    copy_roster(other, large, B)
    check(other)
    assert many.found(other, "copied_roster") == keys(other, large, B)
    assert not many.found(other, "household_twice")


def test_amounts_copied_and_touched_up() -> None:
    ledger = many.ledger()
    home = ledger.tables["household"]
    other = A + 40  # of the same county
    amounts = [c for c in home if c.startswith(("income_", "consumption_"))]
    home.loc[other, amounts] = (home.loc[A, amounts].astype(float) * 1.01).round()
    check(ledger)
    assert many.found(ledger, "close_amounts") == keys(ledger, A, other)
