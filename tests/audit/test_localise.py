"""Localisation against a search through all subsets of cells, and in an audit."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit import small
from audit.test_audit_area import rules
from audit.test_checks import cell, corrections
from povmon.audit import Audit
from povmon.audit import localise as module
from povmon.audit.edit_set import Cell, EditSet, Instances, Value, Weights
from povmon.audit.edits import translate
from povmon.audit.localise import Programme, components, localise

Run = Callable[..., Audit]
FIRST = "5134310101"
EXPRESSIONS = [
    ("household", "roster_heads == 1"),
    ("household", "hhsize >= roster_members"),
    ("person", "(relation != 'child') | (head_age - age >= 12)"),
    ("person", "(relation != 'spouse') | (head_sex != sex)"),
    ("person", "~(relation in ['head', 'spouse']) | (age >= 12)"),
    ("person", "(schooling == 0) | (schooling <= age - 4)"),
    ("person", "~in_school | ((age >= 3) & (age <= 30))"),
]
WEIGHTS = Weights(default=4, household={"hhsize": 6},
                  person={"schooling": 3, "in_school": 2, "relation": 5})  # fmt: skip
EDITS = EditSet([(translate(f"r{n}", *e), False) for n, e in enumerate(EXPRESSIONS)], WEIGHTS)


@st.composite
def blocks(draw: st.DrawFn) -> dict[Cell, Value]:
    members = draw(st.integers(1, 3))
    values: dict[Cell, Value] = {(0, "hhsize"): float(draw(st.sampled_from([1, members])))}
    for i in range(1, members + 1):
        values |= {
            (i, "relation"): draw(st.sampled_from(["head", "spouse", "child"])),
            (i, "sex"): draw(st.sampled_from(["male", "female"])),
            (i, "age"): float(draw(st.sampled_from([2, 9, 20, 25, 40]))),
            (i, "schooling"): float(draw(st.sampled_from([0, 5, 12]))),
            (i, "in_school"): draw(st.sampled_from(["0", "1"])),
        }
    return values


def domain(cell: Cell, values: dict[Cell, Value]) -> list[Value]:
    """Values that suffice: all codes, and of numbers those at which an edit changes."""
    if cell[1] == "relation":
        return ["head", "spouse", "child", "other"]
    if cell[1] == "sex":
        return ["male", "female"]
    if cell[1] == "in_school":
        return ["0", "1"]
    if cell[1] == "hhsize":
        return [1.0, 2.0, 3.0]
    if cell[1] == "schooling":
        return [0.0]
    known = [v for c, v in values.items() if c[1] in ("age", "schooling")]
    steps = {float(v) + s for v in known if isinstance(v, float) for s in (-12, 0, 4, 12, 16)}
    return sorted(v for v in {*steps, 0.0, 3.0, 12.0, 15.0, 24.0, 30.0, 42.0, 110.0}
                  if 0 <= v <= 110)  # fmt: skip


def feasible(instances: Instances, values: dict[Cell, Value], free: tuple[Cell, ...]) -> bool:
    """Whether some values of the free cells meet all edits (depth first, dead ends cut)."""

    def complete(rest: tuple[Cell, ...], trial: dict[Cell, Value]) -> bool:
        if not rest:
            return True
        cell, near = rest[0], instances.by_cell.get(rest[0], [])
        for value in domain(cell, values):
            now = {**trial, cell: value}
            if not any(i.violated(now) for i in near) and complete(rest[1:], now):
                return True
        return False

    start = {**values, **dict.fromkeys(free)}
    return not any(i.violated(start) for i in instances.all) and complete(free, start)


def least(instances: Instances, values: dict[Cell, Value], fixed: frozenset[Cell]) -> int | None:
    """The least weight of up to three cells whose change meets all edits, by trying them all.

    A set that does not touch every failing edit is passed over.
    """
    cells = [c for c in values if c not in fixed]
    failing = [{*i.cells} for i in instances.all if i.violated(values)]
    found = [c for k in range(4) for c in combinations(cells, k)]
    ordered = sorted((sum(EDITS.weight(c) for c in s), s) for s in found)
    return next(
        (
            weight
            for weight, free in ordered
            if all(edit & {*free} for edit in failing) and feasible(instances, values, free)
        ),
        None,
    )


@pytest.mark.parametrize("shortcut", [True, False])
@settings(deadline=None, max_examples=15,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(blocks(), st.booleans())
def test_the_weight_is_that_of_the_best_subset(
    shortcut: bool, values: dict[Cell, Value], hold: bool
) -> None:
    members = max(c[0] for c in values)
    instances = EDITS.instances(members, True)
    fixed = frozenset({(1, "age")}) if hold else frozenset()
    failing = [i for i in instances.all if i.violated(values)]
    with pytest.MonkeyPatch.context() as patch:
        if not shortcut:
            patch.setattr(module, "single_change", lambda *_: None)
        solution = localise(EDITS, instances, values, failing, fixed)
    best = least(instances, values, fixed)
    if solution is None:
        assert best is None
        return
    assert best is None or solution.weight == best
    assert not set(solution.changed) & fixed
    trial = {**values, **solution.values}
    assert {c for c in trial if trial[c] != values[c]} == set(solution.changed)
    assert not [i.rule for i in instances.all if i.violated(trial)]


def test_missing_values_are_free_and_ties_go_to_the_later_record() -> None:
    instances = EDITS.instances(2, True)
    values: dict[Cell, Value] = {(0, "hhsize"): 2.0}
    for i in (1, 2):
        values |= {(i, "relation"): "head", (i, "sex"): "male", (i, "age"): None,
                   (i, "schooling"): None, (i, "in_school"): None}  # fmt: skip
    failing = [i for i in instances.all if i.violated(values)]
    solution = localise(EDITS, instances, values, failing, frozenset())
    assert solution is not None and solution.changed == ((2, "relation"),)


def test_edits_that_share_no_cell_are_solved_apart() -> None:
    instances = EDITS.instances(3, True)
    schooling = instances.by_rule["r5"]
    assert sorted(len(part) for part in components(schooling)) == [1, 1, 1]
    assert len(components([*schooling, *instances.by_rule["r2"]])) == 1


def test_a_sum_is_met_by_the_total_that_weighs_least() -> None:
    edits = EditSet(
        [(translate("sum", "household",
                    "(income_wages + income_business - income_total <= 1)"
                    " & (income_total - income_wages - income_business <= 1)"), False)],
        Weights(default=4, household={"income_total": 2}),
    )  # fmt: skip
    instances = edits.instances(0, True)
    values: dict[Cell, Value] = {
        (0, "income_wages"): 300.0, (0, "income_business"): -50.0, (0, "income_total"): 900.0,
    }  # fmt: skip
    solution = localise(edits, instances, values, list(instances.all), frozenset())
    assert solution is not None and solution.changed == ((0, "income_total"),)
    total = frozenset({(0, "income_total")})
    other = localise(edits, instances, values, list(instances.all), total)
    assert other is not None and other.weight == 4 and len(other.changed) == 1
    free = {**values, (0, "income_total"): None}
    programme = Programme(edits, instances.all, free, frozenset(values))
    near = programme.nearest({(0, "income_total"): 400.0})
    assert near is not None and near[0, "income_total"] == pytest.approx(251.0)


def test_equal_programmes_are_solved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    solved: dict[object, object] = {}
    calls = []
    plain = Programme.least_weight
    monkeypatch.setattr(module, "single_change", lambda *_: None)
    monkeypatch.setattr(Programme, "least_weight", lambda self: calls.append(1) or plain(self))
    instances = EDITS.instances(3, True)
    for person in (1, 3):
        values: dict[Cell, Value] = {
            (person, "schooling"): 9.0, (person, "age"): 8.0, (person, "in_school"): "1",
        }  # fmt: skip
        failing = [i for i in instances.all if i.violated(values)]
        found = localise(EDITS, instances, values, failing, frozenset(), solved)
        assert found is not None and found.changed == ((person, "schooling"),)
    assert len(calls) == 1


def test_the_least_change_is_made_and_logged(audited: Run) -> None:
    audit = audited(cell("person", 2, schooling=12))  # of a child of ten
    assert rules(audit) >= {"schooling_for_age", "localised"}
    log = audit.corrections.set_index("column").loc["schooling"]
    assert (log["before"], log["after"], log["rule"]) == ("12", "", "localised")
    assert log["method"] == "made missing: least change that meets schooling_for_age"
    person = audit.records["person"].set_index(["household_id", "line"]).loc[(FIRST, 3)]
    assert person["age"] == 10 and person["status"] == "corrected"


def test_a_second_head_gives_up_the_relation(audited: Run) -> None:
    audit = audited(cell("person", 1, relation="head"))
    assert {"head_count", "localised"} <= rules(audit)
    log = audit.corrections.iloc[0]
    assert (log["key"], log["column"], log["before"]) == (f"{FIRST}/2", "relation", "head")


def test_of_equal_changes_the_head_is_the_one_listed_first(audited: Run) -> None:
    audit = audited(cell("person", 0, relation="sibling"))  # no head is left
    assert {"head_count", "localised"} <= rules(audit)
    log = audit.corrections.iloc[0]
    assert (log["key"], log["column"], log["before"]) == (f"{FIRST}/1", "relation", "sibling")


def test_a_reviewers_value_is_not_given_up(audited: Run, root: Path) -> None:
    corrections(root, f"person,{FIRST}/3,schooling,4,12,Li,2011-05-02,seen the certificate")
    audit = audited()
    persons = audit.records["person"].set_index(["household_id", "line"])
    assert persons.loc[(FIRST, 3), "schooling"] == 12
    changed = audit.corrections.query("rule == 'localised'")["column"].tolist()
    assert changed == ["age"]


def test_a_block_that_reviewers_hold_is_reported(audited: Run, root: Path) -> None:
    corrections(
        root,
        f"person,{FIRST}/3,schooling,4,12,Li,2011-05-02,seen the certificate",
        f"person,{FIRST}/3,age,10,9,Li,2011-05-02,asked by telephone",
    )
    audit = audited()
    assert {"schooling_for_age", "not_localised"} <= rules(audit)
    finding = audit.findings.query("rule == 'not_localised'").iloc[0]
    assert (finding["severity"], finding["key"]) == ("hard", FIRST)
    persons = audit.records["person"].set_index(["household_id", "line"])
    assert persons.loc[(FIRST, 3), "schooling"] == 12


def test_fewer_members_than_listed_give_way_to_the_roster(audited: Run) -> None:
    def change(content: small.Files) -> None:
        content["51"]["household"][0]["hhsize"] = 1
        content["51"]["person"].pop(1)  # a gap: the roster does not decide

    audit = audited(change)
    home = audit.records["household"].set_index("household_id").loc[FIRST]
    assert home["hhsize"] == 2
    log = audit.corrections.iloc[0]
    assert log["method"] == "nearest value that meets roster_incomplete"


def test_every_household_has_its_finding_or_its_repair(audited: Run) -> None:
    def change(content: small.Files) -> None:
        for number, row in enumerate(content["51"]["person"]):
            row["relation"] = "head"
            row["schooling"] = 20
            row["age"] = number

    audit = audited(change)
    assert audit.accounting[["accepted", "corrected", "rejected"]].sum().sum() == (
        audit.accounting["received"].sum()
    )
    again = set(audit.findings.query("rule == 'not_localised'")["key"])
    heads = audit.records["person"].query("relation == 'head'").groupby("household_id").size()
    assert set(heads[heads > 1].index) <= again
