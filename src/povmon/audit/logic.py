"""Rules that are expressions: between the fields of one record, and between records."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from types import CodeType

import numpy as np
import pandas as pd

from povmon.audit.derived import derive
from povmon.audit.ledger import Ledger, as_text
from povmon.audit.rules import Rule, expressions
from povmon.survey.config import Survey


def check_logic(survey: Survey, ledger: Ledger) -> None:
    """Evaluate every expression of the catalogue on the records that are still in.

    The rules within a record come first, over all forms: what they make missing must not speak
    for or against another record.
    """
    for form in ledger.tables:
        for rule in expressions(form):
            if can_be_evaluated(rule, ledger):
                _check(ledger, form, rule, {})
    for form in ledger.tables:
        rules = [rule for rule in expressions(form, between=True) if can_be_evaluated(rule, ledger)]
        if rules:
            derived = derive(survey, ledger, form)
            for rule in rules:
                _check(ledger, form, rule, {name: derived[name] for name in rule.derived})


def can_be_evaluated(rule: Rule, ledger: Ledger) -> bool:
    """True when every field that the rule uses was submitted."""
    return not missing_inputs(rule, ledger.submitted)


def missing_inputs(rule: Rule, submitted: dict[str, set[str]]) -> list[str]:
    """Fields (``form.field``) that the rule uses and nobody submitted."""
    pairs = [need.partition(".")[::2] for need in rule.inputs]
    return [f"{form}.{f}" for form, f in pairs if f not in submitted.get(form, set())]


def broken(rule: Rule, fields: Mapping[str, pd.Series]) -> pd.Series:
    """Records that break an expression; one that leaves it undecided does not.

    Parameters
    ----------
    fields : the rule's columns and derived values, one entry a record each.
    """
    used = {name: fields[name] for name in (*rule.columns, *rule.derived)}
    index = used[rule.columns[0]].index
    holds = pd.Series(eval(_compiled(rule.expression), {"within": _within}, used), index=index)
    wrong = ~holds.fillna(True).astype(bool)
    if wrong.any():
        for values in used.values():
            wrong &= values.notna()
    return wrong


class _Membership(ast.NodeTransformer):
    """``x in [..]``, which asks a whole column at once."""

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.ops[0], ast.In):
            return node
        asked = ast.Name("within", ast.Load())
        return ast.Call(asked, [node.left, *node.comparators], [])


def _within(values: pd.Series, listed: list[str]) -> pd.Series:
    return values.isin(listed)


@cache
def _compiled(expression: str) -> CodeType:
    """An expression of the catalogue as code over columns.

    pandas would parse it anew for each area, and takes milliseconds for each.
    """
    tree = ast.parse(expression.strip().replace("\n", " "), mode="eval")
    tree = ast.fix_missing_locations(_Membership().visit(tree))
    return compile(tree, "rules.yml", "eval")


def _check(ledger: Ledger, form: str, rule: Rule, derived: Mapping[str, pd.Series]) -> None:
    table = ledger.tables[form]
    fields = {**{name: table[name] for name in rule.columns}, **derived}
    rows = ledger.live[form] & broken(rule, fields).to_numpy()
    if not rows.any():
        return
    ledger.find(rule.id, form, rows, rule.columns[0], value=_shown(fields, rows, rule))
    if rule.action == "blank":
        ledger.correct(rule.id, form, rows, rule.columns[0], None, "made missing")


def _shown(fields: Mapping[str, pd.Series], rows: np.ndarray, rule: Rule) -> pd.Series:
    """The values of all fields that the rule names, of the chosen rows."""
    first, *others = (as_text(fields[name][rows]) for name in (*rule.columns, *rule.derived))
    for text in others:
        first = first + " / " + text
    return first
