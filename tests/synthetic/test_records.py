"""The clean records: what a demographer and a survey statistician would check."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from povmon.survey import FORMS
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS

Truth = Callable[[str], pd.DataFrame]


def test_shape_and_keys(truth: Truth) -> None:
    rows = {name: len(truth(name)) for name in FORMS}
    assert (rows["county"], rows["village"], rows["household"]) == (6, 48, 480)
    for name, form in FORMS.items():
        frame = truth(name)
        assert not frame.duplicated(list(form.key)).any()
        assert list(frame.columns) == [*form.columns, "area", "province_id"]
        assert not frame.isna().any(axis=None)


def test_values_are_within_the_forms(truth: Truth) -> None:
    for name, form in FORMS.items():
        frame = truth(name)
        for field in form.fields:
            values = frame[field.name]
            if field.dtype == "code":
                assert set(values) <= set(field.codes), field.name
            if field.minimum is not None:
                assert (values >= field.minimum).all(), field.name
            if field.maximum is not None:
                assert (values <= field.maximum).all(), field.name


def test_weights_sum_to_the_rural_population(truth: Truth) -> None:
    households = truth("household")
    people = households["w_hh"] * households["hhsize"].astype(float)
    sums = people.groupby(households["household_id"].str[:6]).sum()
    county = truth("county").set_index("county_id")["rural_population"].astype(float)
    np.testing.assert_allclose(sums, county[sums.index], rtol=1e-12)


def test_household_weights_follow_the_design(truth: Truth) -> None:
    villages = truth("village").set_index("village_id")
    households = truth("household")
    place = villages.loc[households["village_id"]]
    design = place["w_village"].to_numpy() * place["households"].to_numpy(dtype=float) / 10
    factor = households["w_hh"] / design
    county = households["household_id"].str[:6]
    spread = factor.groupby(county).agg(lambda x: x.max() / x.min())
    np.testing.assert_allclose(spread, 1, rtol=1e-9)
    assert (villages["w_village"] >= 1).all()


def test_roster_agrees_with_the_household(truth: Truth) -> None:
    persons, households = truth("person"), truth("household").set_index("household_id")
    size = persons.groupby("household_id").size()
    assert (size == households["hhsize"][size.index]).all()
    heads = persons[persons["relation"] == "head"].set_index("household_id")
    assert heads.index.is_unique
    assert (heads["line"] == 1).all()
    assert (households["head_age"] == heads["age"][households.index]).all()
    assert (households["head_sex"] == heads["sex"][households.index]).all()
    lines = persons.groupby("household_id")["line"].agg(["min", "max"])
    assert (lines["min"] == 1).all()
    assert (lines["max"] == size).all()


def test_ages_of_parents_spouses_and_children(truth: Truth) -> None:
    persons = truth("person")
    heads = persons[persons["relation"] == "head"].set_index("household_id")
    gap = persons["household_id"].map(heads["age"]).astype(int) - persons["age"].astype(int)
    assert gap[persons["relation"] == "child"].between(16, 45).all()
    assert gap[persons["relation"] == "parent"].between(-45, -16).all()
    assert gap[persons["relation"] == "grandchild"].between(32, 90).all()
    spouses = persons["relation"] == "spouse"
    assert gap[spouses].abs().max() <= 9
    assert persons.loc[spouses, "age"].min() >= 18
    other = persons["household_id"].map(heads["sex"]) != persons["sex"]
    assert other[spouses].all()
    assert persons.loc[spouses, "household_id"].is_unique


def test_schooling_and_work_fit_the_age(truth: Truth) -> None:
    persons = truth("person")
    age, years = persons["age"].astype(int), persons["schooling"]
    assert (years <= np.maximum(age - 6, 0)).all()
    student = persons["work"] == "student"
    assert (persons.loc[student, "in_school"]).all()
    assert set(persons.loc[age < 16, "work"]) <= {"student", "none"}
    assert (persons.loc[persons["work"] == "migrant", "months_away"] >= 4).all()
    schooled = persons["in_school"].astype(bool)
    assert schooled[age.between(7, 15)].mean() > 0.95
    assert not schooled[age > 25].any()


def test_amounts_add_up_in_whole_yuan(truth: Truth) -> None:
    households = truth("household")
    for parts, total in (
        (INCOME_PARTS, "income_total"),
        (CONSUMPTION_PARTS, "consumption_total"),
    ):
        amounts = households[list(parts)]
        assert (amounts.sum(axis=1) == households[total]).all()
        assert (amounts == amounts.round()).all(axis=None)
    assert (households["income_business"] < 0).any()


def test_hardship_goes_with_low_income(truth: Truth) -> None:
    households = truth("household")
    income = households["income_total"] / households["hhsize"].astype(float)
    rich = income > income.median()
    safe = households["water"].isin(["tap", "deep_well"])
    assert safe[rich].mean() > safe[~rich].mean() + 0.05
    food = households["consumption_food"] / households["consumption_total"]
    assert food[rich].mean() < food[~rich].mean()


def test_county_form_is_coherent(truth: Truth) -> None:
    county = truth("county")
    sources = county[["funds_central", "funds_provincial", "funds_other"]].sum(axis=1)
    uses = county[["use_production", "use_infrastructure", "use_social", "use_other"]]
    assert (uses.sum(axis=1) == sources).all()
    assert (county["registered_poor"] < county["rural_population"]).all()
    assert (county["rural_population"] < county["population"]).all()
    assert (county["enrolled_7_15"] <= county["children_7_15"]).all()
    for name in ("road", "bus", "water", "clinic", "power"):
        assert (county[f"villages_{name}"] <= county["villages"]).all()
    dabie = county[county["area"] == "dabie"]
    gdp = dabie["gdp"].sum() * 10_000 / dabie["population"].sum()
    assert gdp == pytest.approx(9056.3, rel=1e-3)
