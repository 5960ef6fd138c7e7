"""Published figures keep their source and status; nothing unverified passes for a fact."""

import pandas as pd
import pytest

from povmon import reference
from povmon.errors import PovmonError
from povmon.reference import series


def test_lines() -> None:
    lines = reference.poverty_lines().set_index("line_id")
    assert lines["yuan_per_person_year"].to_list() == [2300, 2536, 2625, 2736, 2800, 2855, 2952]
    assert "2010 prices" in lines.loc["rural_2010", "price_basis"]
    assert lines.loc["rural_2014", "income_definition"] == "disposable"
    national = reference.national_series().query("indicator == 'poverty line' and value > 0")
    assert lines["yuan_per_person_year"].to_list() == national["value"].to_list()
    assert lines["verification"].to_list() == national["verification"].to_list()


def test_national_series_status() -> None:
    frame = reference.national_series()
    unverified = frame[frame["verification"] == "unverified"]
    assert sorted(zip(unverified["year"], unverified["indicator"], strict=True)) == [
        (2010, "rural poor"),
        (2013, "incidence"),
    ]
    assert (frame["verification"].eq("missing") == frame["value"].isna()).all()
    facts = reference.verified_only(frame)
    assert len(facts) == len(frame) - 2 - frame["value"].isna().sum()
    assert facts["value"].notna().all()


def test_published() -> None:
    frame = reference.published()
    assert len(frame) == 62
    assert frame["source"].ne("").all()
    dabie = frame.query("area_id == 'dabie' and indicator == 'rural net income per capita'")
    assert dabie[["value", "definition", "year"]].iloc[0].to_list() == [4275.9, "net", 2010]
    income = frame["indicator"].str.contains("income")
    assert frame.loc[income, "definition"].isin(["net", "disposable"]).all()


def test_liaison_units() -> None:
    units = reference.liaison_units()
    assert len(units) == 13
    assert units["unit_id"].is_unique
    assert units["unit_id"].str.fullmatch(r"[a-z0-9_]+").all()
    assert units["area_id"].nunique() == 11
    assert (reference.verified_only(units)["verification"] == "verified").all()
    assert len(reference.verified_only(units)) == 11


def test_verified_only_needs_a_status() -> None:
    with pytest.raises(PovmonError, match="verification"):
        reference.verified_only(pd.DataFrame({"value": [1.0]}))


def test_wrong_status_and_area_are_named() -> None:
    frame = pd.DataFrame({"verification": ["verified", "sure"], "area_id": ["wuling", "wulin"]})
    with pytest.raises(PovmonError, match="row 3.*'sure'"):
        series._check_status(frame, "liaison_units")
    with pytest.raises(PovmonError, match="row 3, column area_id.*'wulin'"):
        series._check_areas(frame, "liaison_units", blank=False)
