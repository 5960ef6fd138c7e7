"""Imputation: who gives, what is given, and that every imputed cell is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import small
from audit.test_audit_area import rules
from audit.test_checks import cell, corrections
from povmon import paths
from povmon.audit import Audit, audit_area, hotdeck
from povmon.audit.amounts import donated_amounts
from povmon.audit.hotdeck import Pool
from povmon.audit.ledger import IMPUTED

Run = Callable[..., Audit]
FIRST = "5134310101"
INCOME = ["income_wages", "income_business", "income_property", "income_transfer"]


@pytest.fixture
def imputed(root: Path) -> Run:
    """Audit the small survey with ``policy.imputation: hotdeck`` after a change to its files."""

    def run(change: Callable[[small.Files], None] | None = None) -> Audit:
        content = small.files()
        if change is not None:
            change(content)
        small.write(root, content)
        place = paths.raw("small") / "survey.yml"
        place.write_text(place.read_text().replace("imputation: none", "imputation: hotdeck"))
        return audit_area("small", "wumeng")

    return run


def home(audit: Audit, key: str = FIRST) -> pd.Series:
    return audit.records["household"].set_index("household_id").loc[key]


def refuse(content: small.Files) -> None:
    content["51"]["household"][0].update(dict.fromkeys([*INCOME, "income_total"], ""))


def test_a_refused_income_is_imputed_from_a_donor(imputed: Run) -> None:
    audit = imputed(refuse)
    record = home(audit)
    assert record["status"] == "corrected" and record[INCOME].sum() == record["income_total"]
    log = audit.corrections.query("rule == 'imputed'").set_index("column")
    assert set(log.index) == {*INCOME, "income_total"}
    donors = {method.removeprefix("hot deck, donor ") for method in log["method"]}
    assert len(donors) == 1
    donor = home(audit, donors.pop())
    assert record["income_total"] == donor["income_total"]  # both have three members
    marks = audit.imputed.set_index("column")
    assert list(audit.imputed.columns) == IMPUTED and set(marks["key"]) == {FIRST}
    assert donor.name in set(audit.donors["donor"]) and FIRST not in set(audit.donors["donor"])


@pytest.mark.slow
def test_the_same_submission_gives_the_same_donor(imputed: Run) -> None:
    one, other = imputed(refuse), imputed(refuse)
    pd.testing.assert_frame_equal(one.imputed, other.imputed)
    pd.testing.assert_frame_equal(one.records["household"], other.records["household"])


@pytest.mark.slow
def test_another_missing_value_changes_no_donor(imputed: Run) -> None:
    def both(content: small.Files) -> None:
        refuse(content)
        content["52"]["household"][2].update(dwelling_area="", income_total="")

    first = imputed(refuse).imputed.set_index(["key", "column"])["donor"]
    second = imputed(both).imputed.set_index(["key", "column"])["donor"]
    assert second[first.index].equals(first)


def test_a_known_total_is_divided_as_the_donor_divides(imputed: Run) -> None:
    gone = dict.fromkeys(["income_business", "income_transfer"], "")
    audit = imputed(cell("household", 0, **gone))
    record = home(audit)
    assert record["income_total"] == 8000 and record["income_wages"] == 3000
    assert record[INCOME].sum() == pytest.approx(8000)
    assert "income_total" not in set(audit.imputed["column"])
    donor = home(audit, audit.imputed["donor"].iloc[0])
    assert record["income_business"] / record["income_transfer"] == pytest.approx(
        donor["income_business"] / donor["income_transfer"], rel=1e-4
    )


def test_with_the_policy_none_nothing_is_imputed(audited: Run) -> None:
    audit = audited(refuse)
    assert pd.isna(home(audit)["income_total"]) and audit.imputed.empty and audit.donors.empty


def test_complete_records_are_left_as_they_are(imputed: Run) -> None:
    audit = imputed()
    assert audit.imputed.empty and audit.corrections.empty
    assert set(audit.records["household"]["status"]) == {"accepted"}


def test_imputed_values_meet_the_edits(imputed: Run) -> None:
    def change(content: small.Files) -> None:
        for row in content["51"]["person"]:
            if row["line"] == 2:
                row["sex"] = ""  # of the spouse
            if row["line"] == 3:
                row["age"] = ""  # of the child, whose years of schooling are known

    audit = imputed(change)
    persons = audit.records["person"]
    heads = persons[persons["relation"] == "head"].set_index("household_id")
    spouses = persons[persons["relation"] == "spouse"]
    assert (spouses["sex"].to_numpy() != heads.loc[spouses["household_id"], "sex"]).all()
    children = persons[persons["relation"] == "child"]
    gap = heads.loc[children["household_id"], "age"].to_numpy() - children["age"]
    assert (gap >= 12).all() and (children["schooling"] <= children["age"] - 4).all()
    assert persons[["sex", "age"]].notna().all().all()


def test_values_are_moved_where_no_donor_meets_the_edits(imputed: Run) -> None:
    def change(content: small.Files) -> None:
        content["51"]["person"][0]["age"] = 30
        content["51"]["household"][0]["head_age"] = 30
        content["51"]["person"][2].update(age="", schooling=14)  # no donor is 18 or older

    audit = imputed(change)
    person = audit.records["person"].set_index(["household_id", "line"]).loc[(FIRST, 3)]
    assert person["age"] == 18  # the donors' ten, moved to the least that 14 years allow
    mark = audit.imputed.query("column == 'age'").iloc[0]
    assert mark["method"] == "hot deck, adjusted to the edits"


def test_the_head_is_filled_from_the_roster(audited: Run) -> None:
    audit = audited(cell("household", 0, head_age="", head_sex=""))
    assert (home(audit)["head_age"], home(audit)["head_sex"]) == (40, "male")
    assert rules(audit) == {"head_filled"}


def test_a_missing_relation_becomes_the_head_that_the_household_lacks(imputed: Run) -> None:
    audit = imputed(cell("person", 0, relation=""))
    person = audit.records["person"].set_index(["household_id", "line"]).loc[(FIRST, 1)]
    assert person["relation"] == "head"


def test_a_reviewers_empty_cell_stays_empty(imputed: Run, root: Path) -> None:
    corrections(root, f"household,{FIRST},dwelling_area,80,,Li,2011-05-02,not known")
    assert pd.isna(home(imputed())["dwelling_area"])


def test_without_donors_a_value_stays_missing(imputed: Run) -> None:
    def change(content: small.Files) -> None:
        for province in content.values():
            province["household"] = province["household"][:2]
            keys = {row["household_id"] for row in province["household"]}
            province["person"] = [p for p in province["person"] if p["household_id"] in keys]
        content["51"]["household"][0]["dwelling_area"] = ""

    audit = imputed(change)  # three donors are too few for a class
    assert pd.isna(home(audit)["dwelling_area"]) and "not_imputed" in rules(audit)
    assert audit.imputed.empty


def test_a_field_that_most_lack_is_not_imputed(imputed: Run) -> None:
    def change(content: small.Files) -> None:
        for province in content.values():
            for row in province["household"][1:]:
                row["dwelling_area"] = ""

    audit = imputed(change)
    assert audit.records["household"]["dwelling_area"].isna().sum() == 10
    assert "not_answered" in rules(audit)


def test_every_row_is_still_accounted_for(imputed: Run) -> None:
    audit = imputed(refuse)
    states = audit.accounting[["accepted", "corrected", "rejected"]].sum()
    assert states.sum() == audit.accounting["received"].sum()
    assert states["corrected"] == 1


@given(
    st.lists(st.one_of(st.none(), st.integers(-500, 5000)), min_size=4, max_size=4),
    st.one_of(st.none(), st.integers(-500, 9000)),
    st.lists(st.integers(0, 5000), min_size=4, max_size=4),
    st.floats(0.2, 5),
)
def test_donated_amounts_add_up(
    own: list[int | None], total: int | None, donor: list[int], factor: float
) -> None:
    mine = dict(zip(INCOME, own, strict=True)) | {"income_total": total}
    other = dict(zip(INCOME, donor, strict=True)) | {"income_total": sum(donor)}
    lacking = {name for name, value in mine.items() if value is None}
    found = donated_amounts(mine, other, "income_total", factor)  # type: ignore[arg-type]
    assert set(found) == lacking
    if not lacking:
        return
    whole = {**mine, **found}
    parts = [float(str(whole[name])) for name in INCOME]
    if total is not None and total < sum(own_ for own_ in own if own_) and lacking == {INCOME[0]}:
        assert found == {INCOME[0]: 0.0}  # wages cannot be negative
    else:
        assert sum(parts) == pytest.approx(float(str(whole["income_total"])), abs=0.02)


def test_classes_collapse_until_they_hold_enough_donors() -> None:
    frame = pd.DataFrame(
        {"a": ["x", "x", "x", "y", "y", None], "b": ["1", "1", "2", "1", "2", "1"]}
    )
    donors = np.array([False, True, True, True, True, True])
    rows = np.array([0, 3, 5])
    found = hotdeck.pools(frame, [["a", "b"], ["a"], []], donors, rows, 2)
    assert [pool.label for pool in found if pool] == ["a=x", "a=y", "whole area"]
    assert found[0] is not None and found[0].rows.tolist() == [1, 2]
    assert hotdeck.pools(frame, [["a"], []], donors, rows, 9) == [None, None, None]


def test_a_donor_is_drawn_in_proportion_to_its_weight() -> None:
    pool, weights = Pool("", np.array([1, 2])), np.array([9.0, 1.0, 3.0])
    first = [hotdeck.draw(pool, weights, 2, hotdeck.stream(str(n)))[0] for n in range(2000)]
    assert np.mean(np.array(first) == 2) == pytest.approx(0.75, abs=0.03)
    assert sorted(hotdeck.draw(pool, weights, 9, hotdeck.stream("a"))) == [1, 2]
