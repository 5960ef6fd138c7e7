"""All edits of a household block, and how they read for a household of so many members."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from povmon.audit.edits import (
    NO,
    YES,
    Edit,
    Linear,
    Member,
    Ref,
    Untranslatable,
    codes_of,
    translate,
)
from povmon.audit.rules import catalogue
from povmon.survey.forms import FORMS
from povmon.yamls import from_yaml

# A cell of a block: record 0 is the household, 1, 2, ... are its persons in the roster's order.
Cell = tuple[int, str]
Value = float | str | None
# An atom on cells: ((cell, codes or None, coefficient), ...) at most bound; or cell in codes.
Terms = tuple[tuple[Cell, frozenset[str] | None, float], ...]
BLOCK = ("household", "person")
__all__ = ["NO", "YES", "Cell", "EditSet", "Instance", "Instances", "Value", "edit_set"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExtraEdit(_Strict):
    """An edit that edits.yml adds."""

    rule: str
    level: Literal["household", "person"]
    expression: str
    always: bool = False
    soft: bool = False


class Weights(_Strict):
    """Reliability weights: by form and field, and the one of all other fields."""

    default: int = Field(ge=1)
    household: dict[str, int] = {}
    person: dict[str, int] = {}


class EditFile(_Strict):
    """edits.yml."""

    edits: tuple[ExtraEdit, ...]
    weights: Weights


@lru_cache(maxsize=1)
def edit_file() -> EditFile:
    """edits.yml, read and checked."""
    text = files("povmon.audit").joinpath("edits.yml").read_text(encoding="utf-8")
    return EditFile.model_validate(from_yaml(text))


@dataclass(frozen=True)
class LinearAtom:
    """Sum over cells, at most the bound; an indicator term counts 1 where the cell has a code."""

    terms: Terms
    bound: float

    def holds(self, values: Mapping[Cell, Value]) -> bool | None:
        """Whether it holds; None where that depends on a missing value."""
        total, missing = 0.0, False
        for cell, codes, coefficient in self.terms:
            value = values.get(cell)
            if value is None:
                missing = True
                total += _least(cell, codes, coefficient)
            elif codes is not None:
                total += coefficient if value in codes else 0.0
            else:
                assert not isinstance(value, str)
                total += coefficient * value
        if total > self.bound + 1e-6:
            return False
        return None if missing else True

    @property
    def cells(self) -> list[Cell]:
        """The cells in it."""
        return [cell for cell, _, _ in self.terms]


@dataclass(frozen=True)
class MemberAtom:
    """The cell has one of the codes."""

    cell: Cell
    codes: frozenset[str]

    def holds(self, values: Mapping[Cell, Value]) -> bool | None:
        """Whether it holds; None where the value is missing."""
        value = values.get(self.cell)
        return None if value is None else value in self.codes

    @property
    def cells(self) -> list[Cell]:
        """The cell in it."""
        return [self.cell]


CellAtom = LinearAtom | MemberAtom


@dataclass(frozen=True, eq=False)
class Instance:
    """An edit with its roles filled.

    Parameters
    ----------
    rule : id of the rule that reports a violation.
    clauses : all must hold; of a clause one atom.
    template, records : the edit's number and the records in its roles; they say what it is.
    """

    rule: str
    clauses: tuple[tuple[CellAtom, ...], ...]
    template: int
    records: tuple[int, ...]
    cells: tuple[Cell, ...]

    def violated(self, values: Mapping[Cell, Value]) -> bool:
        """True when it certainly does not hold, whatever the missing values are."""
        return any(all(atom.holds(values) is False for atom in clause) for clause in self.clauses)


@dataclass(eq=False)
class Instances:
    """The edits of a household with so many members listed."""

    all: tuple[Instance, ...]
    soft: tuple[Instance, ...] = ()
    by_cell: dict[Cell, list[Instance]] = field(default_factory=dict)
    by_rule: dict[str, list[Instance]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for instance in self.all:
            self.by_rule.setdefault(instance.rule, []).append(instance)
            for cell in instance.cells:
                self.by_cell.setdefault(cell, []).append(instance)

    def touching(self, cells: Iterable[Cell]) -> list[Instance]:
        """Edits in which one of the cells is."""
        found = {id(i): i for cell in cells for i in self.by_cell.get(cell, ())}
        return list(found.values())


class EditSet:
    """Edits of household blocks.

    Parameters
    ----------
    edits : the edits, each with whether it also applies to a roster with gaps.
    weights : reliability of the fields.
    declined : rule id -> why its expression is not used for localisation.
    soft : edits that only choose among changes of equal weight.
    """

    def __init__(
        self,
        edits: Iterable[tuple[Edit, bool]],
        weights: Weights,
        declined: Mapping[str, str] | None = None,
        soft: Iterable[Edit] = (),
    ) -> None:
        self.edits = list(edits)
        self.weights = weights
        self.declined = dict(declined or {})
        self.soft = list(soft)
        self._made: dict[tuple[int, bool], Instances] = {}

    @property
    def rules(self) -> set[str]:
        """Ids of the rules that its edits stand for."""
        return {edit.rule for edit, _ in self.edits}

    @property
    def fields(self) -> dict[str, list[str]]:
        """Fields of each form that an edit looks at, in the form's order."""
        every = [*(edit for edit, _ in self.edits), *self.soft]
        used = {(r.form, r.field) for edit in every for r in edit.refs}
        used |= {("household", "hhsize"), ("person", "relation")}
        return {f: [c for c in FORMS[f].columns if (f, c) in used] for f in BLOCK}

    @property
    def lightest(self) -> int:
        """The least weight that any cell can have."""
        return min(self.weights.default, *self.weights.household.values(),
                   *self.weights.person.values())  # fmt: skip

    def weight(self, cell: Cell) -> int:
        """Reliability weight of a cell's field."""
        entry = self.weights.household if cell[0] == 0 else self.weights.person
        return entry.get(cell[1], self.weights.default)

    def instances(self, members: int, complete: bool) -> Instances:
        """The edits of a household with so many members listed (complete: none is missing)."""
        key = members, complete
        if key not in self._made:
            made = [
                instance
                for number, (edit, always) in enumerate(self.edits)
                if complete or always or not edit.whole_roster
                for instance in _fill(number, edit, members)
            ]
            soft = [i for n, edit in enumerate(self.soft) for i in _fill(n, edit, members)]
            self._made[key] = Instances(tuple(made), tuple(soft))
        return self._made[key]


@cache
def _least(cell: Cell, codes: frozenset[str] | None, coefficient: float) -> float:
    """The least that a term with a missing value can add."""
    if codes is not None:
        return min(coefficient, 0.0)
    entry = FORMS[form_of(cell)][cell[1]]
    end = entry.minimum if coefficient > 0 else entry.maximum
    return -math.inf if end is None else coefficient * end


def form_of(cell: Cell) -> str:
    """The form that a cell stands on."""
    return "household" if cell[0] == 0 else "person"


def codes_of_cell(cell: Cell) -> frozenset[str] | None:
    """Codes of a coded or yes-no cell, None for a number."""
    return codes_of(form_of(cell), cell[1])


def _fill(number: int, edit: Edit, members: int) -> Iterable[Instance]:
    roles = {ref.role for ref in edit.refs}
    owners = [0] if edit.form == "household" else range(1, members + 1)
    heads = range(1, members + 1) if "head" in roles else [0]
    for own in owners:
        for head in heads:
            clauses = tuple(
                tuple(_on_cells(atom, own, head, members) for atom in clause)
                for clause in edit.clauses
            )
            cells = dict.fromkeys(c for clause in clauses for atom in clause for c in atom.cells)
            yield Instance(edit.rule, clauses, number, (own, head), tuple(cells))


def _on_cells(atom: Linear | Member, own: int, head: int, members: int) -> CellAtom:
    if isinstance(atom, Member):
        return MemberAtom((_record(atom.ref, own, head), atom.ref.field), atom.codes)
    terms = []
    bound = atom.bound
    for ref, codes, coefficient in atom.terms:
        if ref.role == "members":
            bound -= coefficient * members
        elif ref.role == "each":
            terms += [((i, ref.field), codes, coefficient) for i in range(1, members + 1)]
        else:
            terms.append(((_record(ref, own, head), ref.field), codes, coefficient))
    return LinearAtom(tuple(terms), bound)


def _record(ref: Ref, own: int, head: int) -> int:
    return {"own": own, "head": head, "home": 0}[ref.role]


def edit_set(line: float, submitted: Mapping[str, set[str]]) -> EditSet:
    """The edits of the catalogue that a survey's household blocks can be held against.

    Parameters
    ----------
    line : the main poverty line, which rules may name.
    submitted : form -> fields that at least one file had; edits with others do not apply.
    """
    rules = [
        ExtraEdit.model_validate(
            {"rule": rule.id, "level": rule.level, "expression": rule.expression}
        )
        for rule in catalogue().values()
        if rule.expression and rule.severity == "hard" and rule.level in BLOCK
    ]
    edits: list[tuple[Edit, bool]] = []
    soft: list[Edit] = []
    declined: dict[str, str] = {}
    for entry in (*rules, *edit_file().edits):
        try:
            edit = translate(entry.rule, entry.level, entry.expression, {"line": line})
        except Untranslatable as error:
            declined[entry.rule] = str(error)
            continue
        if not all(ref.field in submitted.get(ref.form, set()) for ref in edit.refs):
            continue
        if entry.soft:
            soft.append(edit)
        else:
            edits.append((edit, entry.always))
    return EditSet(edits, edit_file().weights, declined, soft)
