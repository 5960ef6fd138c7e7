"""Localisation in an audit: which cells of the failing household blocks are given up.

Deterministic repairs come before. What still fails a hard edit is localised (`localise`), and the
cells found are made missing, for the imputation to fill. A required field is given the value
nearest to its own that meets the edits instead, because no record can be without it. A block that
cannot be solved, or not in time, keeps its values and is reported.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from povmon.audit.blocks import Block, as_column, read_blocks
from povmon.audit.edit_set import Cell, EditSet, Instance, Value, form_of
from povmon.audit.ledger import Ledger
from povmon.audit.localise import Programme, Solution, localise
from povmon.survey.forms import FORMS

Change = tuple[str, int, str]  # form, row, column


def localise_blocks(ledger: Ledger, edits: EditSet) -> None:
    """Localise the errors of every live household block that fails a hard edit.

    Parameters
    ----------
    ledger : after the rules have been evaluated: their hard findings name the blocks.
    edits : the edits of the survey's household blocks.
    """
    suspects = _suspects(ledger, edits)
    blocks = read_blocks(ledger, edits, suspects, edits.fields)
    solved: dict[object, object] = {}
    freed: dict[Change, set[str]] = {}
    given: dict[Change, tuple[Value, set[str]]] = {}
    unsolved: dict[int, set[str]] = {}
    for home, rules in suspects.items():
        block = blocks[home]
        failing = _failing(block, rules)
        if not failing:
            continue
        names = {instance.rule for instance in failing}
        solution = localise(edits, block.instances, block.values, failing, block.fixed, solved)
        if solution is None:
            unsolved[home] = names
            continue
        _collect(edits, block, solution, names, freed, given)
    _make_missing(ledger, freed)
    _replace(ledger, given)
    report(ledger, unsolved, "not_localised")


def _suspects(ledger: Ledger, edits: EditSet) -> dict[int, set[str]]:
    """Row of a live household -> rules that its own record or a person of it breaks."""
    found = ledger.found(edits.rules)
    table = ledger.tables["household"]
    live = np.flatnonzero(ledger.live["household"])
    place = dict(zip(table["household_id"].iloc[live], live.tolist(), strict=True))
    out: dict[int, set[str]] = {}
    for keys in found.values():
        for key, rules in keys.items():
            row = place.get(key.split("/")[0])
            if row is not None:
                out.setdefault(row, set()).update(rules)
    return dict(sorted(out.items()))


def _failing(block: Block, rules: set[str]) -> list[Instance]:
    return [
        instance
        for rule in sorted(rules)
        for instance in block.instances.by_rule.get(rule, ())
        if instance.violated(block.values)
    ]


def _collect(edits: EditSet, block: Block, solution: Solution, rules: set[str],
             freed: dict[Change, set[str]],
             given: dict[Change, tuple[Value, set[str]]]) -> None:  # fmt: skip
    for cell in solution.changed:
        form, row = form_of(cell), block.rows[cell[0]]
        if FORMS[form][cell[1]].required:
            given[form, row, cell[1]] = _nearest(edits, block, cell, solution), rules
        else:
            freed[form, row, cell[1]] = rules


def _nearest(edits: EditSet, block: Block, cell: Cell, solution: Solution) -> Value:
    """The value of one cell nearest to the one it had, the other cells as they are or free."""
    values = {c: v for c, v in block.values.items() if c not in solution.changed}
    near = list(block.instances.touching([cell]))
    programme = Programme(edits, near, values, frozenset(values))
    result = programme.nearest({cell: block.values[cell]})
    return (result or solution.values)[cell]


def _words(rules: set[str]) -> str:
    return ", ".join(sorted(rules))


def _make_missing(ledger: Ledger, freed: Mapping[Change, set[str]]) -> None:
    for form, column in sorted({(form, column) for form, _, column in freed}):
        table = ledger.tables[form]
        texts = {row: _words(rules) for (f, row, c), rules in freed.items()
                 if (f, c) == (form, column)}  # fmt: skip
        rows = np.isin(np.arange(len(table)), list(texts))
        detail = pd.Series(texts, dtype="str").reindex(table.index)
        ledger.find("localised", form, rows, column, detail=detail)
        ledger.correct("localised", form, rows, column, None,
                       "made missing: least change that meets " + detail)  # fmt: skip


def _replace(ledger: Ledger, given: Mapping[Change, tuple[Value, set[str]]]) -> None:
    for form, column in sorted({(form, column) for form, _, column in given}):
        table = ledger.tables[form]
        chosen = {r: v for (f, r, c), v in given.items() if (f, c) == (form, column)}
        order = sorted(chosen)
        rows = np.isin(np.arange(len(table)), order)
        detail = pd.Series({r: _words(chosen[r][1]) for r in order}, dtype="str")
        detail = detail.reindex(table.index)
        after = as_column([chosen[r][0] for r in order], form, column, pd.Index(order))
        ledger.find("localised", form, rows, column, detail=detail)
        ledger.correct("localised", form, rows, column, after.reindex(table.index),
                       "nearest value that meets " + detail)  # fmt: skip


def report(ledger: Ledger, blocks: Mapping[int, set[str]], rule: str) -> None:
    """Report households whose block still fails edits: they are never accepted silently."""
    table = ledger.tables["household"]
    rows = np.isin(np.arange(len(table)), list(blocks))
    texts = {row: _words(rules) for row, rules in blocks.items()}
    detail = pd.Series(texts, dtype="str").reindex(table.index)
    ledger.find(rule, "household", rows, "household_id", detail=detail)
