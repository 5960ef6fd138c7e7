"""Rules that are expressions: between the fields of one record, and between records."""

from __future__ import annotations

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
                _check(ledger, form, rule, ledger.tables[form])
    for form in ledger.tables:
        rules = [rule for rule in expressions(form, between=True) if can_be_evaluated(rule, ledger)]
        if rules:
            derived = derive(survey, ledger, form)
            for rule in rules:
                own = ledger.tables[form][list(rule.columns)]
                fields = own.assign(**{name: derived[name] for name in rule.derived})
                _check(ledger, form, rule, fields)


def can_be_evaluated(rule: Rule, ledger: Ledger) -> bool:
    """True when every field that the rule uses was submitted."""
    return not missing_inputs(rule, ledger.submitted)


def missing_inputs(rule: Rule, submitted: dict[str, set[str]]) -> list[str]:
    """Fields (``form.field``) that the rule uses and nobody submitted."""
    pairs = [need.partition(".")[::2] for need in rule.inputs]
    return [f"{form}.{f}" for form, f in pairs if f not in submitted.get(form, set())]


def broken(rule: Rule, fields: pd.DataFrame) -> pd.Series:
    """Records that break an expression; one that leaves it undecided does not.

    Parameters
    ----------
    fields : the rule's columns and derived values, one row a record.
    """
    used = fields[[*rule.columns, *rule.derived]]
    holds = pd.Series(used.eval(rule.expression, engine="python"), index=fields.index)
    wrong = ~holds.fillna(True).astype(bool)
    return wrong & used.notna().all(axis=1) if wrong.any() else wrong


def _check(ledger: Ledger, form: str, rule: Rule, fields: pd.DataFrame) -> None:
    rows = ledger.live[form] & broken(rule, fields).to_numpy()
    if not rows.any():
        return
    ledger.find(rule.id, form, rows, rule.columns[0], value=_shown(fields[rows], rule))
    if rule.action == "blank":
        ledger.correct(rule.id, form, rows, rule.columns[0], None, "made missing")


def _shown(fields: pd.DataFrame, rule: Rule) -> pd.Series:
    """The values of all fields that the rule names."""
    shown = as_text(fields[rule.columns[0]])
    for column in (*rule.columns[1:], *rule.derived):
        shown = shown + " / " + as_text(fields[column])
    return shown
