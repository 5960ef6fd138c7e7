"""The catalogue: every rule complete, used, and shown in two languages."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

import povmon.audit
from povmon.audit.rules import Rule, catalogue, expressions
from povmon.survey import FORMS
from povmon.survey.fields import PANDAS_DTYPE

SOURCES = [*Path(povmon.audit.__file__).parent.glob("*.py")]
SOURCES += [*(Path(povmon.audit.__file__).parents[1] / "survey").glob("*.py")]


def test_every_named_check_is_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    for rule in catalogue().values():
        assert rule.expression or f'"{rule.id}"' in code, rule.id


def test_every_rule_speaks_english_and_chinese() -> None:
    for rule in catalogue().values():
        assert re.search(r"[a-z]", rule.en) and re.search("[\u4e00-\u9fff]", rule.zh), rule.id
        assert rule.en.count("{detail}") == rule.zh.count("{detail}") <= 1, rule.id
        assert rule.source


@pytest.mark.parametrize("form", FORMS)
def test_every_expression_names_its_fields_and_can_be_evaluated(form: str) -> None:
    fields = FORMS[form].fields
    empty = pd.DataFrame({f.name: pd.Series([None], dtype=PANDAS_DTYPE[f.dtype]) for f in fields})
    for rule in expressions(form):
        words = set(re.findall(r"[a-z][a-z0-9_]+", re.sub(r'"[^"]*"', "", rule.expression)))
        assert words & set(FORMS[form].columns) == set(rule.columns), rule.id
        empty[list(rule.columns)].eval(rule.expression, engine="python")


@pytest.mark.parametrize(
    "change",
    [{"severity": "medium"}, {"expression": "a > b"}, {"check": ""}, {"colour": "red"}],
)
def test_an_incoherent_rule_is_refused(change: dict[str, object]) -> None:
    good = {
        "id": "x", "level": "person", "severity": "hard", "action": "note", "en": "e", "zh": "z",
        "check": "c", "source": "s",
    }  # fmt: skip
    Rule.model_validate(good)
    with pytest.raises(ValidationError):
        Rule.model_validate({**good, **change})
