"""Every rule against its own examples: records that break it and records that keep it."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from povmon.audit.logic import broken
from povmon.audit.rules import Examples, Rule, catalogue
from povmon.survey import FORMS
from povmon.survey.fields import PANDAS_DTYPE

TESTS = Path(__file__).parents[1]
EXPRESSIONS = [rule for rule in catalogue().values() if rule.expression]
CHECKS = [rule for rule in catalogue().values() if rule.check]


def frame(rule: Rule, records: tuple[dict[str, object], ...]) -> pd.DataFrame:
    """Example records as the audit would hold them; what a record does not name is missing."""
    form = FORMS[rule.level]
    columns = {}
    for name in (*rule.columns, *rule.derived):
        values = [record.get(name) for record in records]
        if name in form.columns:
            columns[name] = pd.Series(values, dtype=PANDAS_DTYPE[form[name].dtype])
        else:
            columns[name] = pd.Series(values, dtype="str" if name.endswith("sex") else "float64")
    return pd.DataFrame(columns)


@pytest.mark.parametrize("rule", EXPRESSIONS, ids=lambda rule: rule.id)
def test_an_expression_tells_its_examples_apart(rule: Rule) -> None:
    assert isinstance(rule.tests, Examples), "the rule has no examples"
    for record in (*rule.tests.fails, *rule.tests.passes):
        assert set(record) <= {*rule.columns, *rule.derived}, "an example names an unused field"
    used = set(rule.derived) | {c for c in rule.columns if c in rule.expression}
    complete = [{**dict.fromkeys(rule.columns, 1), **r} for r in rule.tests.fails]
    assert all(used <= set(record) for record in rule.tests.fails)
    assert broken(rule, frame(rule, tuple(complete))).all()
    assert not broken(rule, frame(rule, rule.tests.passes)).any()


@pytest.mark.parametrize("rule", EXPRESSIONS, ids=lambda rule: rule.id)
def test_a_missing_value_breaks_no_rule(rule: Rule) -> None:
    assert isinstance(rule.tests, Examples)
    for name in (*rule.columns, *rule.derived):
        record = {k: v for k, v in rule.tests.fails[0].items() if k != name}
        assert not broken(rule, frame(rule, (record,))).any()


def functions() -> dict[str, tuple[str, str]]:
    """Test function -> its text with the decorators before it, and the text of its file."""
    found = {}
    for path in sorted(TESTS.glob("*/test_*.py")):
        text = path.read_text(encoding="utf-8")
        parts = re.split(r"(?m)^(?=@|def )", text)
        before = ""
        for part in parts:
            before += part
            if name := re.match(r"def (\w+)", part):
                found[name[1]] = (before, text)
                before = ""
    return found


def test_every_named_check_has_a_test_that_names_it() -> None:
    known = functions()
    for rule in CHECKS:
        assert rule.tests, f"{rule.id} names no test"
        assert isinstance(rule.tests, tuple)
        for name in rule.tests:
            assert name in known, f"{rule.id}: there is no test {name}"
        tests = [known[name] for name in rule.tests]
        named = any(rule.id in own for own, _ in tests)
        # One test may stand for a family of rules; then its file must at least run their check.
        family = any(f"check_{rule.check}(" in whole for _, whole in tests)
        assert named or family, f"{rule.id} is not tested"
