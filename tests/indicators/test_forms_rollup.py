"""The forms rolled up: sums, averages, shares, missing counties, protection in both hierarchies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from povmon.errors import PovmonError
from povmon.estimate import estimate, total
from povmon.indicators import households, roll_up, roll_up_forms
from povmon.indicators.compute import design_of
from povmon.indicators.forms_county import roll_up_counties
from povmon.indicators.forms_rollup import FormsRollUp, accepted, roll_up_records
from povmon.indicators.forms_table import WITHHELD
from povmon.indicators.hierarchy import KEY_NAMES, hierarchy
from povmon.survey import FORMS, load_survey

COUNTIES = ["341524", "411525", "421122", "513431", "520526", "530326"]
DABIE, WUMENG = COUNTIES[:3], COUNTIES[3:]
UNIT = 1000


def forms(**columns: list[float]) -> pd.DataFrame:
    """County forms of the demo survey's six counties, each field 1000, 2000, ... unless given."""
    frame = pd.DataFrame({"county_id": COUNTIES})
    for f in FORMS["county"].fields[1:]:
        frame[f.name] = np.arange(1, 7) * float(UNIT)
    frame["population"] = 9_000_000.0
    for name, values in columns.items():
        frame[name] = values
    return frame


def rolled(records: pd.DataFrame, survey: str = "demo") -> FormsRollUp:
    return roll_up_records(load_survey(survey), {"county": records})


def value(roll: FormsRollUp, unit: str, item: str) -> float:
    return float(roll.tables["county"].values.at[unit, item])


def test_sums_along_both_hierarchies() -> None:
    roll = rolled(forms())
    assert value(roll, "area/dabie", "villages") == 6 * UNIT
    assert value(roll, "area/wumeng", "villages") == 15 * UNIT
    assert value(roll, "province/53", "villages") == 6 * UNIT
    assert value(roll, "prefecture/5303", "villages") == 6 * UNIT
    assert value(roll, "all", "villages") == 21 * UNIT
    assert roll.checks["agrees"].all()
    assert roll.checks["compared"].sum() > 400


def test_income_is_weighted_by_population_and_shares_come_from_sums() -> None:
    people = [100.0, 300, 100, 100, 100, 100]
    income = [1000.0, 2000, 3000, 4000, 5000, 6000]
    poor = [50.0, 30, 90, 10, 20, 30]
    roll = rolled(forms(rural_population=people, rural_income_pc=income, registered_poor=poor))
    mean = np.average(income[:3], weights=people[:3])
    assert value(roll, "area/dabie", "rural_income_pc") == pytest.approx(mean)
    assert value(roll, "area/dabie", "share_poor") == pytest.approx(170 / 500)
    assert value(roll, "county/411525", "share_poor") == pytest.approx(0.1)


def test_a_county_that_did_not_report_is_missing_and_the_sums_above_it_incomplete() -> None:
    records = forms()
    records = records[records["county_id"] != "341524"]
    records.loc[records["county_id"] == "411525", "gdp"] = np.nan
    roll = rolled(records)
    table = roll.tables["county"]
    assert np.isnan(value(roll, "county/341524", "villages"))
    assert np.isnan(value(roll, "province/34", "villages"))
    assert value(roll, "area/dabie", "villages") == 5 * UNIT
    assert table.state("area/dabie", "villages") == "2 of 3 counties"
    assert table.state("area/dabie", "gdp") == "1 of 3 counties"
    assert table.state("province/34", "villages") == "no county of it reported this"
    assert table.state("area/wumeng", "villages") == ""
    assert table.state("all", "villages") == "5 of 6 counties"


def test_a_share_is_of_the_counties_that_reported_both_parts() -> None:
    roll = rolled(forms(irrigated=[1, np.nan, 3, 1, 1, 1], farmland=[10, 1000, 10, 2, 2, 2]))
    assert value(roll, "area/dabie", "share_irrigated") == pytest.approx(4 / 20)
    assert roll.tables["county"].state("area/dabie", "share_irrigated") == "2 of 3 counties"


def test_a_small_count_cannot_be_computed_along_either_hierarchy() -> None:
    poor = [2.0, 400, 500, 600, 700, 800]
    table = rolled(forms(registered_poor=poor)).tables["county"]
    gone = table.withheld["registered_poor"]
    # Each of the six lies alone in its province, so the county, prefecture and province go.
    assert gone[["county/341524", "prefecture/3415", "province/34"]].all()
    # Another one of its area and with it its own province, so that no total is left to subtract.
    assert gone[["county/411525", "county/421122"]].any()
    assert not gone["all"]
    assert table.values["registered_poor"][gone].isna().all()
    assert table.withheld["share_poor"][gone].all()
    assert table.state("county/341524", "registered_poor") == WITHHELD
    others = table.withheld.drop(columns=["registered_poor", "share_poor"])
    assert not others.to_numpy().any()


def test_children_who_are_not_in_school_are_a_small_count_too() -> None:
    children = [400.0, 500, 600, 700, 800, 900]
    enrolled = [399.0, 480, 560, 650, 700, 800]
    table = rolled(forms(children_7_15=children, enrolled_7_15=enrolled)).tables["county"]
    gone = table.withheld["enrolled_7_15"]
    assert gone["county/341524"] and gone.sum() > 3
    assert not table.withheld["children_7_15"].any()
    assert table.withheld["share_enrolled"][gone].all()


def test_nothing_is_withheld_where_nothing_is_small() -> None:
    assert not rolled(forms()).tables["county"].withheld.to_numpy().any()


def test_a_share_of_other_counties_does_not_give_a_withheld_number_away() -> None:
    """The share leaves a county out that the sum holds: their difference would be that county."""
    poor = [2.0, 400, 500, 600, 700, 800]
    people = [np.nan, 4000, 5000, 6000, 7000, 8000]
    table = rolled(forms(registered_poor=poor, rural_population=people)).tables["county"]
    assert table.withheld.at["area/dabie", "share_poor"]
    assert table.withheld.at["all", "share_poor"]


@pytest.mark.parametrize("wrong", ["999999", "411525"])
def test_a_county_that_is_unknown_or_stands_twice_is_an_error(wrong: str) -> None:
    records = forms()
    records.loc[0, "county_id"] = wrong
    with pytest.raises(PovmonError, match=wrong):
        rolled(records)


def test_a_survey_whose_areas_are_not_counties_has_no_roll_up() -> None:
    with pytest.raises(PovmonError, match="not made of counties"):
        hierarchy(load_survey("vlss1998"))


def test_the_hierarchies_of_the_680_counties() -> None:
    h = hierarchy(load_survey("baseline2010"))
    sizes = h.units.groupby("level")["counties"].agg(["size", "sum"])
    assert sizes["size"].to_dict() == {
        "all": 1, "area": 14, "county": 680, "key_county": 3, "prefecture": 125, "province": 21,
    }  # fmt: skip
    assert set(sizes["sum"]) == {680}
    assert h.units.at["key_county/unknown", "counties"] == 36
    assert h.units.at["key_county/unknown", "en"] == KEY_NAMES["unknown"][0]
    # Chongqing's counties have codes of two series but one prefecture-level unit.
    assert h.units.at["prefecture/5001", "counties"] == h.units.at["province/50", "counties"]
    for view in ("province", "area", "key_county"):
        rows = h.view(view)
        assert rows["unit"].is_unique and rows["unit"].iloc[0] == "all"
        assert rows["unit"].str.startswith("county/").sum() == 680
        assert (rows["depth"].diff().iloc[1:] <= 1).all()


def test_units_of_a_view_stand_under_the_unit_they_belong_to() -> None:
    h = hierarchy(load_survey("baseline2010"))
    under, province = {}, ""
    for unit, depth in h.view("province").itertuples(index=False):
        if depth == 2:
            under[unit] = province
        elif depth == 1:
            province = unit
    own = h.counties.drop_duplicates("prefecture").set_index("prefecture")["province"]
    assert under == own.to_dict()


@pytest.mark.slow
def test_sampled_forms_of_the_demo_survey(in_demo_root: Path) -> None:
    survey = load_survey("demo")
    roll = roll_up_forms("demo")
    assert list(roll.tables) == ["county", "village", "household", "person"]
    h = households("demo")
    table = roll.tables["household"]
    assert table.values.at["all", "counted"] == pytest.approx(h["w_hh"].sum())
    assert table.values.at["all", "hhsize"] == pytest.approx(h["w_person"].sum())
    power = estimate(
        h.assign(yes=h["electricity"].fillna(0.0)),
        design_of(survey, "w_hh"),
        [total("yes")],
        by=["area"],
    )
    shown = table.values.loc[["area/dabie", "area/wumeng"], "electricity"]
    assert shown.to_numpy() == pytest.approx(power["estimate"].to_numpy())
    known = h[h["dwelling_area"].notna()]
    mean = np.average(known["dwelling_area"], weights=known["w_hh"])
    assert table.values.at["all", "dwelling_area"] == pytest.approx(mean)
    persons = roll.tables["person"]
    on_roster = accepted(survey)["person"]["w_hh"].sum()
    assert persons.values.at["all", "counted"] == pytest.approx(on_roster)


@pytest.mark.slow
def test_answers_of_few_households_are_withheld(in_demo_root: Path) -> None:
    records = accepted(load_survey("demo"))
    table = roll_up_records(load_survey("demo"), records).tables["household"]
    h = records["household"]
    for code in FORMS["household"]["cause"].codes:
        chosen = h[h["cause"] == code]
        for area, rows in chosen.groupby("area"):
            if len(rows) < 3:
                assert np.isnan(table.values.at[f"area/{area}", f"cause:{code}"])
    assert table.withheld.to_numpy().any()
    shown = table.values.notna() & table.withheld
    assert not shown.to_numpy().any()


@pytest.mark.slow
def test_published_answers_give_no_small_one_away(in_demo_root: Path) -> None:
    survey = load_survey("demo")
    records = accepted(survey)
    roll = roll_up_records(survey, records)
    for field in ("cause", "structure"):
        attack_question(roll, records, field)


def attack_question(roll: FormsRollUp, records: dict[str, pd.DataFrame], field: str) -> None:
    """An attacker with all that is published of a question, in the households of each county."""
    h, table = records["household"], roll.tables["household"]
    codes = [*FORMS["household"][field].codes, ""]
    by_county = [
        [(h["county_id"] == c) & (h[field].fillna("") == code) for code in codes]
        for c in roll.hierarchy.counties["county_id"]
    ]
    count = np.array([[rows.sum() for rows in line] for line in by_county], dtype=float)
    people = roll.hierarchy.members.toarray()
    units = roll.hierarchy.units.index
    equations, known = [], []
    for unit, inside in zip(units, people, strict=True):
        if unit not in table.values.index:
            continue
        asked_for = [("counted", np.ones(len(codes)))]
        asked_for += [
            (f"{field}:{code}", row) for code, row in zip(codes, np.eye(len(codes)), strict=True)
        ]
        for name, row in asked_for:
            shown = table.values[name][unit] if name in table.values else np.nan
            if not np.isnan(shown):
                equations.append(np.kron(inside, row))
                known.append(shown)
    weights = np.array([[h["w_hh"][rows].sum() for rows in line] for line in by_county])
    attacked = 0
    for inside in people:
        for j, code in enumerate(codes[:-1]):
            n, value = float(inside @ count[:, j]), float(inside @ weights[:, j])
            if not 0 < n < 3:
                continue
            attacked += 1
            cell = np.kron(inside, np.eye(len(codes))[j])
            ends = [
                sign * optimize.linprog(sign * cell, A_eq=equations, b_eq=known).fun
                for sign in (1, -1)
            ]
            assert ends[0] <= 1e-4 * value, code
            assert ends[1] >= value / n * 3 * (1 - 1e-4), code
    assert attacked > 0


@pytest.mark.slow
def test_a_lost_county_leaves_the_checks_in_order(in_demo_root: Path) -> None:
    records = accepted(load_survey("demo"))
    gone = {f: r[r["county_id"] != "341524"] for f, r in records.items()}
    roll = roll_up_records(load_survey("demo"), gone)
    assert roll.checks["agrees"].all()
    assert roll.tables["household"].reported.at["all", "counted"] == 5


def test_the_summary_withholds_the_same_reported_counts(
    in_demo_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey = load_survey("demo")
    h = hierarchy(survey)
    whole = roll_up("demo")
    assert whole.tables["area"]["registered_poor"].notna().all()

    def small(survey, h, records):
        records = records.copy()
        records.loc[records["county_id"] == "341524", "registered_poor"] = 1
        return roll_up_counties(survey, h, records)

    monkeypatch.setattr("povmon.indicators.rollup.roll_up_counties", small)
    tables = roll_up("demo").tables
    county = tables["county"].set_index("county_id")["registered_poor"]
    before = whole.tables["county"]["registered_poor"].isna().sum()
    assert np.isnan(county["341524"]) and county.isna().sum() == before + 2
    assert np.isnan(tables["province"].set_index("province_id").at["34", "registered_poor"])
    assert tables["all"]["registered_poor"].notna().all()
    assert h.units.index.is_unique


def test_a_hundred_small_counts_among_all_counties() -> None:
    survey = load_survey("baseline2010")
    h = hierarchy(survey)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"county_id": h.counties["county_id"]})
    for f in FORMS["county"].fields[1:]:
        frame[f.name] = rng.integers(1000, 90000, 680).astype(float)
    frame["population"] = frame["rural_population"] = 1e6
    frame["registered_poor"] = np.where(rng.random(680) < 0.15, 2.0, frame["registered_poor"])
    table, _ = roll_up_counties(survey, h, frame)
    gone = table.withheld["registered_poor"]
    assert gone.sum() > (frame["registered_poor"] < 3).sum()
    assert not gone["all"]
