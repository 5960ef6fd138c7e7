"""Expressions of the catalogue as edits: the same records break both."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.audit.edit_set import BLOCK, EditSet, Weights, edit_set
from povmon.audit.edits import Untranslatable, translate
from povmon.audit.logic import broken
from povmon.audit.rules import Examples, Rule, catalogue
from povmon.survey import FORMS
from povmon.survey.fields import PANDAS_DTYPE

SUBMITTED = {form: set(FORMS[form].columns) for form in FORMS}
HARD = [
    rule for rule in catalogue().values()
    if rule.expression and rule.severity == "hard" and rule.level in BLOCK
]  # fmt: skip


def one(form: str, expression: str) -> EditSet:
    return EditSet([(translate("x", form, expression), False)], Weights(default=1))


def test_every_hard_expression_of_a_block_is_translated() -> None:
    edits = edit_set(2300.0, SUBMITTED)
    assert edits.declined == {}
    assert {rule.id for rule in HARD} <= edits.rules


def cells(rule: Rule, record: dict[str, object]) -> tuple[dict, int]:
    """An example record as a block: the record is person 1, the head (if asked for) person 2."""
    own = 0 if rule.level == "household" else 1
    values: dict = {}
    members = 0 if own == 0 else 2
    for name, value in record.items():
        if name in FORMS[rule.level].columns:
            values[own, name] = cell(rule.level, name, value)
        elif name in ("head_age", "head_sex"):
            values[2, name.removeprefix("head_")] = value
            values[2, "relation"] = "head"
    return values, members


def cell(form: str, name: str, value: object) -> object:
    dtype = FORMS[form][name].dtype
    if dtype == "boolean":
        return "1" if value else "0"
    return float(str(value)) if dtype in ("integer", "number") else value


@pytest.mark.parametrize("rule", HARD, ids=lambda rule: rule.id)
def test_an_edit_tells_the_examples_of_its_rule_apart(rule: Rule) -> None:
    if any(name.startswith("roster_") for name in rule.derived):
        pytest.skip("counts of members are tested below")
    assert isinstance(rule.tests, Examples)
    edits = EditSet([(translate(rule.id, rule.level, rule.expression), False)], Weights(default=1))
    for records, breaks in ((rule.tests.fails, True), (rule.tests.passes, False)):
        for record in records:
            values, members = cells(rule, record)
            instances = edits.instances(members, True).all
            assert any(i.violated(values) for i in instances) == breaks, record


NUMBERS = st.one_of(st.none(), st.integers(0, 25))
EXPRESSIONS = [
    "(schooling == 0) | (schooling <= age - 4)",
    "~in_school | ((age >= 3) & (age <= 35))",
    "(work != 'student') | in_school",
    "~(relation in ['spouse', 'child_in_law']) | (age >= 15)",
    "not (age < 10 and work in ['farm', 'local']) or months_away == 0",
    "3 <= age < 20",
    "(age > 5) | (2 * schooling - months_away / 2 != 4)",
]


@given(
    st.sampled_from(EXPRESSIONS), NUMBERS, NUMBERS, NUMBERS,
    st.sampled_from(["farm", "student", "none"]), st.sampled_from(["head", "spouse", "child"]),
    st.booleans(),
)  # fmt: skip
def test_edits_and_expressions_agree(
    expression: str, age: int | None, schooling: int | None, months: int | None, work: str,
    relation: str, school: bool,
) -> None:  # fmt: skip
    record = {"age": age, "schooling": schooling, "months_away": months, "work": work,
              "relation": relation, "in_school": school}  # fmt: skip
    complete = all(value is not None for value in record.values())
    values = {
        (1, k): None if v is None else cell("person", k, v) for k, v in record.items()
    }  # fmt: skip
    found = any(i.violated(values) for i in one("person", expression).instances(1, True).all)
    frame = pd.DataFrame({
        k: pd.Series([v], dtype=PANDAS_DTYPE[FORMS["person"][k].dtype]) for k, v in record.items()
    })  # fmt: skip
    rule = Rule.model_validate({
        "id": "x", "level": "person", "severity": "hard", "en": "e", "zh": "z", "source": "s",
        "expression": expression.replace(" and ", " & ").replace(" or ", " | ")
        .replace("not (age < 10 & work", "~((age < 10) & (work").replace("'local'])", "'local']))")
        .replace("| months_away == 0", "| (months_away == 0)"),
        "tests": {"fails": [{}], "passes": [{}]},
    })  # fmt: skip
    if complete:
        assert found == bool(broken(rule, frame).iloc[0])
    elif found:  # with a value missing it is broken only when every value breaks it
        assert (
            all(
                any(
                    i.violated({k: 0.0 + n if v is None else v for k, v in values.items()})
                    for i in one("person", expression).instances(1, True).all
                )
                for n in range(26)
            )
            or sum(v is None for v in record.values()) > 1
        )


def test_counts_of_members() -> None:
    edits = one("household", "(roster_heads == 1) & (hhsize >= roster_members)")
    family = {(1, "relation"): "head", (2, "relation"): "head", (0, "hhsize"): 2.0}
    instances = edits.instances(2, True).all
    assert [i.violated(family) for i in instances] == [True]
    assert not instances[0].violated({**family, (2, "relation"): "spouse"})
    assert instances[0].violated({**family, (2, "relation"): "spouse", (0, "hhsize"): 1.0})
    assert not instances[0].violated({**family, (2, "relation"): None})
    # A roster with gaps may have lost the members that would make the count right.
    assert edits.instances(2, False).all == ()


def test_a_sum_with_a_missing_part_is_broken_when_no_value_of_it_helps() -> None:
    edits = one("household", "consumption_food + debt <= consumption_total")
    instance = edits.instances(0, True).all[0]
    food, total = (0, "consumption_food"), (0, "consumption_total")
    assert instance.violated({food: 500.0, total: 400.0, (0, "debt"): None})
    assert not instance.violated({food: 300.0, total: 400.0, (0, "debt"): None})


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("age * schooling <= 9", "not linear"),
        ("age / schooling <= 9", "not linear"),
        ("abs(age) <= 9", "not linear"),
        ("age", "yes or no"),
        ("relation + 1 <= 2", "code, not a number"),
        ("relation == 'cousin'", "no code cousin"),
        ("roster_oldest > 3", "comes from other records"),
        ("age >", "not an expression"),
        ("household_id <= 3", "identifier"),
        ("sex == relation", "different codes"),
        (" | ".join(f"((age != {n}) & (schooling != {n}))" for n in range(9)), "clauses"),
    ],
)
def test_what_is_not_linear_is_declined_with_the_reason(expression: str, why: str) -> None:
    with pytest.raises(Untranslatable, match=why):
        translate("x", "person", expression)


def test_edits_with_fields_that_nobody_submitted_do_not_apply() -> None:
    edits = edit_set(2300.0, {"household": {"household_id", "hhsize", "consumption_food"}})
    assert edits.rules == {"food_zero"}
