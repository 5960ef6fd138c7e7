"""Edits: the catalogue's hard expressions as clauses that a solver understands.

An edit is a conjunction of clauses, a clause a disjunction of atoms (de Jonge and van der Loo,
errorlocate, "Inspecting the Mixed Integer Program"; de Waal, Pannekoek and Scholtus 2011, ch. 3).
An atom is linear, ``sum of coefficient x value <= bound``, where a value is a number or an
indicator (1 where a coded field has one of some codes), or it says that a coded field has one of
some codes. Yes and no are the codes "1" and "0".

An edit between records becomes one edit for each way to fill its roles: ``own`` is the record
itself, ``home`` its household, ``head`` each member that is the head (a clause holds anyway where
that member is not), ``each`` all members, counted.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from povmon.survey.forms import FORMS

YES, NO = "1", "0"
STRICT = 1e-3  # "less than" between numbers that are not whole: less by at least this
MOST_CLAUSES = 64
Role = Literal["own", "head", "home", "each", "members"]


class Untranslatable(Exception):
    """An expression that is neither linear nor about codes; the text says why."""


@dataclass(frozen=True)
class Ref:
    """A field of the record in a role. The role `members` is the number of members listed."""

    role: Role
    form: str
    field: str


@dataclass(frozen=True)
class Linear:
    """Sum of coefficient x term, at most `bound`; a term is (field, codes or None, coefficient)."""

    terms: tuple[tuple[Ref, frozenset[str] | None, float], ...]
    bound: float


@dataclass(frozen=True)
class Member:
    """A coded field has one of these codes."""

    ref: Ref
    codes: frozenset[str]


Atom = Linear | Member
Clause = tuple[Atom, ...]


@dataclass(frozen=True)
class Edit:
    """What must hold: every clause, and of each clause one atom.

    Parameters
    ----------
    rule : id of the rule that reports a violation.
    form : whose records it is about, "household" or "person".
    clauses : see the module.
    """

    rule: str
    form: str
    clauses: tuple[Clause, ...]

    @property
    def refs(self) -> set[Ref]:
        """Every field in it."""
        return {r for clause in self.clauses for atom in clause for r in _refs(atom)}

    @property
    def whole_roster(self) -> bool:
        """True when it counts members, so that it says nothing of a roster with gaps."""
        return any(r.role in ("each", "members") for r in self.refs)


def _refs(atom: Atom) -> list[Ref]:
    return [atom.ref] if isinstance(atom, Member) else [ref for ref, _, _ in atom.terms]


def codes_of(form: str, field: str) -> frozenset[str] | None:
    """The codes of a coded or yes-no field, None for a number."""
    entry = FORMS[form][field]
    if entry.dtype == "boolean":
        return frozenset((YES, NO))
    return frozenset(entry.codes) if entry.dtype == "code" else None


# Values that rules use beside a form's own fields (see `povmon.audit.derived`), as counts of
# members: name -> field of the person form and the codes that count.
COUNTED: dict[str, tuple[str, tuple[str, ...]]] = {
    "roster_heads": ("relation", ("head",)),
    "roster_spouses": ("relation", ("spouse",)),
    "roster_parents": ("relation", ("parent",)),
    "roster_grandparents": ("relation", ("grandparent",)),
    "roster_children": ("relation", ("child",)),
    "roster_children_in_law": ("relation", ("child_in_law",)),
    "roster_wage_workers": ("work", ("local", "migrant")),
    "roster_migrants": ("work", ("migrant",)),
    "roster_workers": ("work", ("farm", "local", "migrant")),
    "roster_pupils": ("in_school", (YES,)),
}
OF_HEAD = {"head_age": "age", "head_sex": "sex"}


@dataclass
class _Sum:
    """A linear expression while it is being read."""

    terms: dict[tuple[Ref, frozenset[str] | None], float]
    constant: float

    def plus(self, other: _Sum, factor: float = 1.0) -> _Sum:
        terms = dict(self.terms)
        for key, value in other.terms.items():
            terms[key] = terms.get(key, 0.0) + factor * value
        return _Sum(terms, self.constant + factor * other.constant)

    def times(self, factor: float) -> _Sum:
        return _Sum({k: v * factor for k, v in self.terms.items()}, self.constant * factor)


def translate(rule: str, form: str, expression: str,
              constants: Mapping[str, float] | None = None) -> Edit:  # fmt: skip
    """The edit of an expression of the catalogue.

    Parameters
    ----------
    rule : the rule's id.
    form : its level, "household" or "person".
    expression : comparisons of sums of fields, codes (``==``, ``!=``, ``in``), joined by
        ``& | ~`` or ``and or not``.
    constants : names that stand for a number (the poverty line).

    Raises
    ------
    Untranslatable : anything else in it.
    """
    try:
        tree = ast.parse(" ".join(expression.split()), mode="eval")
    except SyntaxError as error:
        raise Untranslatable(f"not an expression ({error.msg})") from error
    reader = _Reader(form, constants or {})
    clauses = reader.truth(tree.body, True)
    edit = Edit(rule, form, tuple(clauses))
    heads = {ref for ref in edit.refs if ref.role == "head"}
    if heads:
        others = frozenset(FORMS["person"]["relation"].codes) - {"head"}
        guard = Member(Ref("head", "person", "relation"), others)
        edit = Edit(rule, form, tuple((guard, *clause) for clause in edit.clauses))
    return edit


class _Reader:
    """Walks the expression's syntax tree."""

    def __init__(self, form: str, constants: Mapping[str, float]) -> None:
        self.form = form
        self.constants = constants

    def truth(self, node: ast.expr, wanted: bool) -> list[Clause]:
        """Clauses that say the node is true (or false, when not `wanted`)."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Invert, ast.Not)):
            return self.truth(node.operand, not wanted)
        parts, is_and = _joined(node)
        if parts:
            found = [self.truth(part, wanted) for part in parts]
            return _all(found) if is_and == wanted else _any(found)
        if isinstance(node, ast.Compare):
            return self._compare(node, wanted)
        if isinstance(node, ast.Name):
            ref = self._coded(node)
            if ref is None or codes_of(ref.form, ref.field) != {YES, NO}:
                raise Untranslatable(f"{node.id} is not a yes or no")
            return [(Member(ref, frozenset((YES if wanted else NO,))),)]
        raise Untranslatable(f"{ast.unparse(node)} is no condition")

    def _compare(self, node: ast.Compare, wanted: bool) -> list[Clause]:
        sides = [node.left, *node.comparators]
        found = [
            self._pair(left, op, right, wanted)
            for left, op, right in zip(sides[:-1], node.ops, sides[1:], strict=True)
        ]
        return _all(found) if wanted else _any(found)

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr, wanted: bool) -> list[Clause]:
        if isinstance(op, (ast.In, ast.NotIn)):
            return self._among(left, right, wanted == isinstance(op, ast.In))
        coded = [self._coded(side) for side in (left, right)]
        if any(coded) and isinstance(op, (ast.Eq, ast.NotEq)):
            return self._codes(left, right, coded, wanted == isinstance(op, ast.Eq))
        return self._numbers(self._sum(left).plus(self._sum(right), -1.0), op, wanted)

    def _among(self, left: ast.expr, right: ast.expr, wanted: bool) -> list[Clause]:
        if not isinstance(right, (ast.List, ast.Tuple, ast.Set)):
            raise Untranslatable(f"{ast.unparse(right)} is no list")
        ref = self._coded(left)
        if ref is not None:
            return [(self._member(ref, {_code(item) for item in right.elts}, wanted),)]
        op = ast.Eq() if wanted else ast.NotEq()
        found = [self._pair(left, op, item, True) for item in right.elts]
        return _any(found) if wanted else _all(found)

    def _codes(self, left: ast.expr, right: ast.expr, coded: list[Ref | None],
               equal: bool) -> list[Clause]:  # fmt: skip
        first, second = coded
        if first is not None and second is not None:
            return self._same_code(first, second, equal)
        ref = first if first is not None else second
        assert ref is not None
        value = _code(right if first is not None else left)
        return [(self._member(ref, {value}, equal),)]

    def _same_code(self, first: Ref, second: Ref, equal: bool) -> list[Clause]:
        codes = codes_of(first.form, first.field) or frozenset()
        if codes != codes_of(second.form, second.field):
            raise Untranslatable(f"{first.field} and {second.field} have different codes")
        return [
            (self._member(first, {code}, False), self._member(second, {code}, equal))
            for code in sorted(codes)
        ]

    def _member(self, ref: Ref, values: set[str], wanted: bool) -> Member:
        codes = codes_of(ref.form, ref.field) or frozenset()
        unknown = values - codes
        if unknown:
            raise Untranslatable(f"{ref.field} has no code {', '.join(sorted(unknown))}")
        return Member(ref, frozenset(values) if wanted else codes - values)

    def _numbers(self, found: _Sum, op: ast.cmpop, wanted: bool) -> list[Clause]:
        """``found (op) 0`` as clauses of `Linear` atoms."""
        kind = type(op) if wanted else _OPPOSITE[type(op)]
        step = 1.0 if _whole(found) else STRICT

        def most(total: _Sum, slack: float = 0.0) -> Linear:
            terms = tuple((ref, codes, v) for (ref, codes), v in total.terms.items() if v)
            return Linear(terms, -total.constant - slack)

        other = found.times(-1.0)
        if kind is ast.Eq:
            return [(most(found),), (most(other),)]
        if kind is ast.NotEq:
            return [(most(found, step), most(other, step))]
        smaller = kind in (ast.LtE, ast.Lt)
        strict = kind in (ast.Lt, ast.Gt)
        return [(most(found if smaller else other, step if strict else 0.0),)]

    def _sum(self, node: ast.expr) -> _Sum:
        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return _Sum({}, float(node.value))
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return self._sum(node.operand).times(-1.0 if isinstance(node.op, ast.USub) else 1.0)
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node)
        raise Untranslatable(f"{ast.unparse(node)} is not linear")

    def _arithmetic(self, node: ast.BinOp) -> _Sum:
        left, right = self._sum(node.left), self._sum(node.right)
        if isinstance(node.op, ast.Add):
            return left.plus(right)
        if isinstance(node.op, ast.Sub):
            return left.plus(right, -1.0)
        if isinstance(node.op, ast.Mult) and not (left.terms and right.terms):
            return left.times(right.constant) if left.terms else right.times(left.constant)
        if isinstance(node.op, ast.Div) and not right.terms and right.constant:
            return left.times(1.0 / right.constant)
        raise Untranslatable(f"{ast.unparse(node)} is not linear")

    def _name(self, name: str) -> _Sum:
        if self._is_constant(name):
            return _Sum({}, self.constants[name])
        if name in COUNTED and self.form == "household":
            field, codes = COUNTED[name]
            return _Sum({(Ref("each", "person", field), frozenset(codes)): 1.0}, 0.0)
        if name == "members" and self.form == "person" or name == "roster_members":
            return _Sum({(Ref("members", "person", "line"), None): 1.0}, 0.0)
        ref = self._ref(name)
        codes_known = codes_of(ref.form, ref.field)
        if codes_known is None and FORMS[ref.form][ref.field].dtype == "id":
            raise Untranslatable(f"{name} is an identifier")
        if codes_known is None:
            return _Sum({(ref, None): 1.0}, 0.0)
        if codes_known != {YES, NO}:
            raise Untranslatable(f"{name} is a code, not a number")
        return _Sum({(ref, frozenset((YES,))): 1.0}, 0.0)

    def _is_constant(self, name: str) -> bool:
        """True for a named number; a field of the form with that name comes first."""
        return name in self.constants and name not in FORMS[self.form].columns

    def _ref(self, name: str) -> Ref:
        if name in FORMS[self.form].columns:
            return Ref("own", self.form, name)
        if self.form == "person" and name in OF_HEAD:
            return Ref("head", "person", OF_HEAD[name])
        raise Untranslatable(f"{name} comes from other records and is no count of members")

    def _coded(self, node: ast.expr) -> Ref | None:
        """The field, when the node names a coded or yes-no field."""
        if not isinstance(node, ast.Name) or self._is_constant(node.id):
            return None
        if node.id in COUNTED or node.id in ("members", "roster_members"):
            return None
        ref = self._ref(node.id)
        return ref if codes_of(ref.form, ref.field) is not None else None


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
}  # fmt: skip


def _joined(node: ast.expr) -> tuple[list[ast.expr], bool]:
    """The parts of an "and" or an "or", and whether it is an "and"."""
    if isinstance(node, ast.BoolOp):
        return node.values, isinstance(node.op, ast.And)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.BitAnd, ast.BitOr)):
        return [node.left, node.right], isinstance(node.op, ast.BitAnd)
    return [], False


def _all(parts: list[list[Clause]]) -> list[Clause]:
    return [clause for part in parts for clause in part]


def _any(parts: list[list[Clause]]) -> list[Clause]:
    """One clause for each way to take a clause of every part (the distributive law)."""
    found: list[Clause] = [()]
    for part in parts:
        found = [(*a, *b) for a in found for b in part]
        if len(found) > MOST_CLAUSES:
            raise Untranslatable(f"more than {MOST_CLAUSES} clauses")
    return found


def _code(node: ast.expr) -> str:
    if not isinstance(node, ast.Constant):
        raise Untranslatable(f"{ast.unparse(node)} is no code")
    if isinstance(node.value, str):
        return node.value
    return YES if node.value else NO


def _whole(found: _Sum) -> bool:
    """True when the sum can only be a whole number."""

    def integer(ref: Ref, codes: frozenset[str] | None) -> bool:
        return codes is not None or FORMS[ref.form][ref.field].dtype == "integer"

    values = [*found.terms.values(), found.constant]
    return all(float(v).is_integer() for v in values) and all(integer(*k) for k in found.terms)
