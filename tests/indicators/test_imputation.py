"""What imputation does to the table of estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit import small
from povmon import paths
from povmon.audit import audit_area, hotdeck
from povmon.errors import PovmonError
from povmon.estimate.replicates.donors import Alternatives, Resample
from povmon.indicators import CATALOGUE, estimate_area, read_imputed_shares
from povmon.indicators.alternatives import alternative_records, divided
from povmon.indicators.compute import widen
from povmon.indicators.imputation import MADE_FROM, Imputation
from povmon.indicators.recipients import AMOUNTS, GROUPS, Recipients, Records, recipients
from povmon.survey import FORMS

INCOME = ("income_wages", "income_business", "income_property", "income_transfer", "income_total")


def test_every_household_indicator_knows_the_fields_it_rests_on() -> None:
    for indicator in CATALOGUE.values():
        if indicator.frame == "household":
            known = {"welfare", "poor", *MADE_FROM} & set(indicator.needs)
            assert known, indicator.id
    for cells in MADE_FROM.values():
        assert all(field in FORMS[form].columns for form, field in cells)


def test_every_group_of_fields_has_random_numbers_of_its_own() -> None:
    groups = hotdeck.settings().groups
    assert {g.id for g in groups} == set(GROUPS)
    assert {g.id: g.columns for g in groups if g.total} == AMOUNTS


HOMES = pd.DataFrame({
    "household_id": ["a", "b", "c"], "hhsize": [2, 4, 1], "w_person": [2.0, 4.0, 1.0],
    "income_wages": [100.0, 400.0, 50.0], "income_business": [10.0, 80.0, 150.0],
    "income_total": [110.0, 480.0, 200.0], "water": ["tap", "well", "river"],
})  # fmt: skip
PEOPLE = pd.DataFrame({
    "household_id": ["a", "b", "b", "x", "c"], "line": [1, 1, 2, 1, 1],
    "age": [30, 40, 50, 60, 70], "sex": ["male", "female", "male", "male", "female"],
})  # fmt: skip


def lacking(*names: str) -> dict[str, np.ndarray]:
    return {name: np.array([True]) for name in names}


def test_amounts_a_person_come_from_the_donor_or_a_known_total_is_divided() -> None:
    row, donor = np.array([0]), np.array([1])
    every = ("income_wages", "income_business", "income_total")
    found = divided(HOMES, "income", row, donor, lacking(*every))
    assert {k: v.tolist() for k, v in found.items()} == {
        "income_wages": [200.0], "income_business": [40.0], "income_total": [240.0],
    }  # fmt: skip
    # What was answered stays, and the total is the sum.
    found = divided(HOMES, "income", row, donor, lacking("income_business", "income_total"))
    assert found["income_total"] == 140.0 and found["income_business"] == 40.0
    # A known total is divided as the donor's amounts are.
    found = divided(HOMES, "income", row, np.array([2]), lacking("income_wages", "income_business"))
    assert found["income_wages"] == 27.5 and found["income_business"] == 82.5
    # A survey without parts takes the donor's total a person.
    whole = HOMES.drop(columns=["income_wages", "income_business"])
    assert divided(whole, "income", row, donor, lacking("income_total"))["income_total"] == 240.0


def test_alternatives_hold_whole_households_with_the_donors_values() -> None:
    source = Records.of({"household": HOMES, "person": PEOPLE})
    assert list(source.index["person"]) == ["a/1", "b/1", "b/2", "c/1"], "x is no household"
    given = [
        Recipients("dwelling", "household", np.array([1]), np.array([1]),
                   {"water": np.array([True])}, np.array([[0, 2, 0]])),
        Recipients("identity", "person", np.array([2]), np.array([1]),
                   {"age": np.array([True])}, np.array([[0, 3, 3]])),
    ]  # fmt: skip
    alternatives = Alternatives.of(
        np.zeros(2, dtype=int), np.concatenate([g.donor for g in given]), 1
    )
    made = alternative_records(source, given, alternatives, np.array([1]))
    home, people = made["household"], made["person"]
    assert home["household_id"].tolist() == [0, 1, 2] and set(home["income_total"]) == {480.0}
    for b, (water, age) in enumerate([("tap", 30), ("river", 70), ("tap", 70)]):
        v = alternatives.chosen[0, b]
        assert home.loc[v, "water"] == water
        own = people[people["household_id"] == v]
        assert own["age"].tolist() == [40, age] and own["sex"].tolist() == ["female", "male"]


def imputed_ages(donors_of: list[str]) -> list[Recipients]:
    homes = pd.DataFrame({
        "household_id": list("abcd"), "hhsize": 1, "w_person": 1.0, "water": "tap",
    })  # fmt: skip
    people = homes[["household_id"]].assign(line=1, age=[30, 40, 50, 60], sex="male")
    cells = pd.DataFrame({
        "area": "here", "form": "person", "key": ["a/1", "b/1"], "column": ["age", "age"],
        "group": "identity", "pool": "whole area",
    })  # fmt: skip
    pool = pd.DataFrame({
        "area": "here", "group": "identity", "pool": "whole area", "donor": donors_of,
    })  # fmt: skip
    source = Records.of({"household": homes, "person": people})
    drawn = Resample(np.arange(4), np.ones((4, 30)))
    imputation = Imputation(None, cells, pool, homes)  # type: ignore[arg-type]
    return recipients(imputation, source, drawn)


def test_donors_answered_themselves_and_are_among_the_records() -> None:
    (found,) = imputed_ages(["a/1", "b/1", "c/1", "d/1", "gone/1"])
    assert found.household.tolist() == [0, 1] and found.form == "person"
    assert set(found.donor.ravel()) == {2, 3}
    # Without a donor left a record keeps its value.
    assert imputed_ages(["a/1", "gone/1"]) == []


def test_errors_widen_in_the_rows_asked_for_and_nowhere_else() -> None:
    table = pd.DataFrame({
        "estimate": [0.4, 0.4], "se": [0.1, 0.1], "ci_low": [0.2, 0.2], "ci_high": [0.6, 0.6],
        "cv": [0.25, 0.25], "deff": [2.0, 2.0],
    })  # fmt: skip
    out = widen(table, np.array([1.0, 1.5]))
    assert out.loc[0].equals(table.loc[0])
    assert out.loc[1].tolist() == pytest.approx([0.4, 0.15, 0.1, 0.7, 0.375, 4.5])
    assert widen(table, np.ones(2)) is table


def estimates(root: object, policy: str, refused: int) -> pd.DataFrame:
    content = small.files()
    for row in content["51"]["household"][:refused]:
        row.update(dict.fromkeys(INCOME, ""))
    small.write(root, content)  # type: ignore[arg-type]
    place = paths.raw("small") / "survey.yml"
    text = place.read_text().replace("imputation: none", f"imputation: {policy}")
    place.write_text(
        text.replace("{imputation", "{min_households: 2, min_effective: 0, min_df: 1, imputation")
    )
    audit_area("small", "wumeng")
    table = estimate_area("small", "wumeng")
    whole = table[table["domain_kind"].eq("area")].set_index("indicator")
    return whole[["estimate", "se", "n"]]


@pytest.mark.slow
def test_a_survey_in_which_nothing_is_missing_is_the_same_under_both_policies(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    none = estimates(tmp_path, "none", 0)
    pd.testing.assert_frame_equal(none, estimates(tmp_path, "hotdeck", 0))
    assert read_imputed_shares("small", "wumeng").empty


def test_refused_incomes_are_in_the_estimate_and_its_error(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    none, deck = (estimates(tmp_path, policy, 2) for policy in ("none", "hotdeck"))
    assert none.loc["income_mean", "n"] == 10 and deck.loc["income_mean", "n"] == 12
    shares = read_imputed_shares("small", "wumeng").set_index("indicator").loc["income_mean"]
    assert shares["households"] == 2 and shares["share"] == pytest.approx(1 / 6)
    assert shares["ratio"] >= 1 and shares["se"] == deck.loc["income_mean", "se"]
    assert shares["se_naive"] * shares["ratio"] == pytest.approx(shares["se"])
    assert shares["without"] == pytest.approx(none.loc["income_mean", "estimate"], rel=0.02)
    # All that is made of income, and nothing else, has the error of imputation.
    table = read_imputed_shares("small", "wumeng").set_index("indicator")
    assert {"income_mean", "gini", "consumption_to_income"} <= set(table.index)
    assert table.loc[["gini", "consumption_to_income"], "ratio"].gt(1).all()
    same = [i for i in ("consumption_mean", "water_safe", "dwelling_area_pc") if i in deck.index]
    assert same and deck.loc[same, "se"].equals(none.loc[same, "se"])


def test_a_table_that_was_not_made_is_an_error(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    with pytest.raises(PovmonError, match="no table of imputed shares"):
        read_imputed_shares("small", "wumeng")
