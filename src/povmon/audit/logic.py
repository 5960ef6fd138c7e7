"""Rules between the fields of one record, evaluated from their expressions."""

from __future__ import annotations

import pandas as pd

from povmon.audit.ledger import Ledger, as_text
from povmon.audit.rules import Rule, expressions


def check_logic(ledger: Ledger) -> None:
    """Evaluate every expression of the catalogue on the records that are still in."""
    for form in ledger.tables:
        for rule in expressions(form):
            if set(rule.columns) <= ledger.submitted[form]:
                _check(ledger, form, rule)


def _check(ledger: Ledger, form: str, rule: Rule) -> None:
    table = ledger.tables[form]
    fields = table[list(rule.columns)]
    holds = pd.Series(fields.eval(rule.expression, engine="python"), index=table.index)
    undecided = fields.isna().any(axis=1) | holds.isna()
    rows = ledger.live[form] & ~(holds.fillna(True).astype(bool) | undecided).to_numpy()
    if not rows.any():
        return
    ledger.find(rule.id, form, rows, rule.columns[0], value=_shown(table[rows], rule))
    if rule.action == "blank":
        ledger.correct(rule.id, form, rows, rule.columns[0], None, "made missing")


def _shown(table: pd.DataFrame, rule: Rule) -> pd.Series:
    """The values of all fields that the rule names."""
    shown = as_text(table[rule.columns[0]])
    for column in rule.columns[1:]:
        shown = shown + " / " + as_text(table[column])
    return shown
