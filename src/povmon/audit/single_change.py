"""Blocks that one changed cell repairs: most of them, and the solver is not needed for the proof.

A single cell must lie in every failing edit. One whose new value meets all edits is the least
change when no cheaper cell does and when any two cells weigh at least as much: the lightest of
the failing edits' cells and the lightest of all. Otherwise the integer programme decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from povmon.audit.edit_set import (
    Cell,
    EditSet,
    Instance,
    Instances,
    MemberAtom,
    Value,
    codes_of_cell,
    form_of,
)
from povmon.survey.forms import FORMS


def single_change(edits: EditSet, instances: Instances, values: Mapping[Cell, Value],
                  failing: Sequence[Instance],
                  fixed: frozenset[Cell]) -> tuple[Cell, Value] | None:  # fmt: skip
    """The one cell to change and a value for it, where that is certainly the least change.

    Parameters are those of `localise`. None says nothing but that it is not certain.
    """
    free = {cell for instance in failing for cell in instance.cells} - fixed
    shared = set.intersection(*({*instance.cells} for instance in failing)) & free
    if not shared:
        return None
    bound = min(edits.weight(cell) for cell in free) + edits.lightest
    found: list[tuple[int, Cell, Value]] = []
    for cell in sorted(sorted(shared, reverse=True), key=edits.weight):
        if edits.weight(cell) > (edits.weight(found[0][1]) if found else bound):
            break
        near = instances.by_cell.get(cell, [])
        if any(values.get(c) is None and c in values for edit in near for c in edit.cells):
            return None
        value = _value(cell, near, values, failing)
        if value is not None:
            trial = {**values, cell: value}
            found.append((sum(edit.violated(trial) for edit in instances.soft), cell, value))
    # Of equal weights the one that breaks the fewest soft edits, then the later record and column.
    best = min(found, key=lambda one: one[0], default=None)
    return None if best is None else best[1:]


def _value(cell: Cell, near: Sequence[Instance], values: Mapping[Cell, Value],
           failing: Sequence[Instance]) -> Value:  # fmt: skip
    """A value of the cell that meets every edit it is in; of numbers the nearest."""
    ordered = [*failing, *(edit for edit in near if edit not in failing)]
    for value in _candidates(cell, near, values):
        trial = {**values, cell: value}
        if not any(edit.violated(trial) for edit in ordered):
            return value
    return None


def _candidates(cell: Cell, near: Sequence[Instance],
                values: Mapping[Cell, Value]) -> list[Value]:  # fmt: skip
    """Codes, or the numbers at which an edit begins to hold, from the nearest.

    What an edit allows a number is a union of closed intervals, so that if anything is allowed,
    an end of an interval or of the field's range is.
    """
    old = values[cell]
    codes = codes_of_cell(cell)
    if codes is not None:
        return [code for code in sorted(codes) if code != old]
    assert isinstance(old, (int, float))
    entry = FORMS[form_of(cell)][cell[1]]
    low = -math.inf if entry.minimum is None else entry.minimum
    high = math.inf if entry.maximum is None else entry.maximum
    ends = {low, high, *_ends(cell, near, values)} - {math.inf, -math.inf}
    if entry.dtype == "integer":
        ends = {f(end) for end in ends for f in (math.floor, math.ceil)}
    at = float(old)
    inside = [float(end) for end in ends if low <= end <= high and end != at]
    nearest: list[float] = sorted(inside, key=lambda end: (abs(end - at), end))
    return list(nearest)


def _ends(cell: Cell, near: Sequence[Instance], values: Mapping[Cell, Value]) -> Iterator[float]:
    for edit in near:
        for clause in edit.clauses:
            for atom in clause:
                if isinstance(atom, MemberAtom) or cell not in atom.cells:
                    continue
                rest, own = 0.0, 0.0
                for other, codes, coefficient in atom.terms:
                    value = values[other]
                    if other == cell:
                        own += coefficient
                    elif codes is not None:
                        rest += coefficient if value in codes else 0.0
                    else:
                        assert isinstance(value, (int, float))
                        rest += coefficient * value
                if own:
                    yield (atom.bound - rest) / own
