"""Error localisation: the least-weight set of cells to change so that a block meets all edits.

Fellegi and Holt (1976, JASA 71, 17-35) ask for the smallest (weighted) set of fields that can be
changed so that every edit holds. As a mixed integer programme (de Waal, Pannekoek and Scholtus
2011, Handbook of Statistical Data Editing, ch. 3-4; van der Loo and de Jonge, errorlocate): for
each cell a binary variable says whether it is changed, and only then may its value leave the one
observed; of each clause one atom must hold. The solver is HiGHS, through `scipy.optimize.milp`.

A block has hundreds of edits and few that fail, so they are added as they are needed: the
programme of the failing edits gives a least weight that no solution of all edits can go below;
where its values break another edit, that one is added and the programme solved again. Edits that
share no cell are solved apart, and equal programmes once. The result is the optimum over all
edits. Ties go to the later record and the later column of the form. Where one changed cell is
certainly the least change, no programme is needed (`single_change`), and soft edits decide ties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from povmon.audit.edit_set import (
    Cell,
    CellAtom,
    EditSet,
    Instance,
    Instances,
    MemberAtom,
    Value,
    codes_of_cell,
    form_of,
)
from povmon.audit.single_change import single_change
from povmon.survey.forms import FORMS

SECONDS = 2.0  # for one programme; a block that takes longer is reported
ROUNDS = 60
TIE = 1e-4  # all tie-breaking terms together stay far below one unit of weight


@dataclass(frozen=True)
class Solution:
    """Cells to change, with values that meet the edits (they show that it can be done)."""

    changed: tuple[Cell, ...]
    values: dict[Cell, Value]
    weight: int


def localise(edits: EditSet, instances: Instances, values: Mapping[Cell, Value],
             failing: Sequence[Instance], fixed: frozenset[Cell],
             solved: dict[object, object] | None = None) -> Solution | None:  # fmt: skip
    """The least-weight set of cells of one block to change so that all its edits hold.

    Parameters
    ----------
    edits, instances : the edits, and as they read for this block.
    values : cell -> value, None where missing; a missing value may take any value at no cost.
    failing : edits that do not hold now.
    fixed : cells that may not change (keys, reviewers' decisions).
    solved : programmes solved before (kept by the caller over many blocks).

    Returns
    -------
    The solution, or None: no change of the other cells meets the edits, or the time was up.
    """
    if not failing:
        return Solution((), {}, 0)
    one = single_change(edits, instances, values, failing, fixed)
    if one is not None:
        cell, value = one
        return Solution((cell,), {cell: value}, edits.weight(cell))
    active = {id(i): i for i in failing}
    found: dict[Cell, Value] = {}
    for _ in range(ROUNDS):
        found = {}
        for part in components(list(active.values())):
            result = _solve_once(edits, part, values, fixed, solved if solved is not None else {})
            if result is None:
                return None
            found |= result
        trial = {**values, **found}
        moved = [cell for cell in found if values.get(cell) != found[cell]]
        broken = _to_add(instances, active, trial, values, moved)
        if not broken:
            changed = tuple(sorted(c for c in moved if values.get(c) is not None))
            return Solution(changed, found, sum(edits.weight(c) for c in changed))
        active |= {id(i): i for i in broken}
    return None


def _to_add(instances: Instances, active: Mapping[int, Instance], trial: Mapping[Cell, Value],
            values: Mapping[Cell, Value], moved: Sequence[Cell]) -> list[Instance]:  # fmt: skip
    """Edits that the trial breaks, or that a moved cell shares with one still missing."""
    near = [i for i in instances.touching(moved) if id(i) not in active]
    return [
        i for i in near
        if i.violated(trial) or any(trial.get(c) is None and c in values for c in i.cells)
    ]  # fmt: skip


def components(active: Sequence[Instance]) -> list[list[Instance]]:
    """The edits in groups that share no cell."""
    groups: list[tuple[set[Cell], list[Instance]]] = []
    for instance in active:
        cells, members = set(instance.cells), [instance]
        apart = []
        for other_cells, other in groups:
            if cells & other_cells:
                cells |= other_cells
                members = other + members
            else:
                apart.append((other_cells, other))
        groups = [*apart, (cells, members)]
    return [members for _, members in groups]


def _solve_once(
    edits: EditSet,
    part: list[Instance],
    values: Mapping[Cell, Value],
    fixed: frozenset[Cell],
    solved: dict[object, object],
) -> dict[Cell, Value] | None:
    """Solve a programme, or take its solution from an equal one with the records numbered anew."""
    part = sorted(part, key=lambda i: (i.template, i.records))
    cells = sorted({cell for instance in part for cell in instance.cells})
    number = {record: n for n, record in enumerate(sorted({c[0] for c in cells} - {0}), start=1)}
    number[0] = 0
    key = (
        tuple((i.template, tuple(number.get(r, 0) for r in i.records)) for i in part),
        tuple(((number[c[0]], c[1]), values.get(c), c in fixed) for c in cells),
    )
    if key not in solved:
        result = Programme(edits, part, values, fixed).least_weight()
        solved[key] = None if result is None else tuple(result[c] for c in cells)
    stored = solved[key]
    return None if stored is None else dict(zip(cells, stored, strict=True))  # type: ignore[call-overload]


class Programme:
    """The mixed integer programme of some edits.

    Parameters
    ----------
    edits : for the weights.
    active : the edits that must hold.
    values : values now; None is free.
    fixed : cells that keep their value (a missing one among them is left out of the account: it
        is free, because nothing contradicts it).
    """

    def __init__(self, edits: EditSet, active: Sequence[Instance], values: Mapping[Cell, Value],
                 fixed: frozenset[Cell]) -> None:  # fmt: skip
        self.edits = edits
        self.cells = sorted({cell for instance in active for cell in instance.cells})
        self.values = {cell: values.get(cell) for cell in self.cells}
        self.fixed = fixed
        self.reach = _reach(active, self.values)
        self.low: list[float] = []
        self.high: list[float] = []
        self.cost: list[float] = []
        self.whole: list[int] = []
        self.rows: list[tuple[dict[int, float], float, float]] = []
        self.number: dict[Cell, int] = {}
        self.codes: dict[tuple[Cell, str], int] = {}
        self.groups = _CodeGroups(active)
        self.change: dict[Cell, int] = {}
        self.wanted: Mapping[Cell, Value] = {}
        self.impossible = False  # a clause that no value of its cells can meet
        for cell in self.cells:
            self._add_cell(cell)
        for instance in active:
            for clause in instance.clauses:
                self._add_clause(clause)

    def least_weight(self) -> dict[Cell, Value] | None:
        """Values at the least weight of changes; None when there are none or the time is up."""
        count = len(self.cells)
        for position, cell in enumerate(self.cells):
            if cell in self.change:
                later = (count - position) * (1 + 0.01 * position / count) / count
                self.cost[self.change[cell]] = self.edits.weight(cell) + TIE * later
        return self._solve()

    def nearest(self, wanted: Mapping[Cell, Value]) -> dict[Cell, Value] | None:
        """Values as near to the wanted ones as the edits allow (fixed cells stay).

        The distance counts a different code as one and a number by its relative distance.
        """
        self.wanted = wanted
        for cell, value in wanted.items():
            if cell in self.number and isinstance(value, (int, float)):
                self._add_distance(self.number[cell], float(value))
            elif (cell, str(value)) in self.codes:
                self.cost[self.codes[cell, str(value)]] -= 1.0
        return self._solve()

    def _add_distance(self, column: int, value: float) -> None:
        away = self._variable(0.0, np.inf, 0, 1.0 / (abs(value) + 1.0))
        self.rows.append(({column: 1.0, away: -1.0}, -np.inf, value))
        self.rows.append(({column: 1.0, away: 1.0}, value, np.inf))

    def _variable(self, low: float, high: float, whole: int, cost: float = 0.0) -> int:
        self.low.append(low)
        self.high.append(high)
        self.whole.append(whole)
        self.cost.append(cost)
        return len(self.low) - 1

    def _add_cell(self, cell: Cell) -> None:
        value = self.values[cell]
        free = value is None
        changeable = not free and cell not in self.fixed
        if changeable:
            self.change[cell] = self._variable(0, 1, 1)
        codes = codes_of_cell(cell)
        if codes is None:
            self._add_number(cell, value, changeable)
        else:
            self._add_codes(cell, sorted(codes), value, changeable)

    def _add_codes(self, cell: Cell, codes: list[str], value: Value, changeable: bool) -> None:
        """One binary variable for all codes that the edits do not tell apart."""
        marks = {code: self.groups.mark(cell, code) for code in codes}
        columns = {mark: self._variable(0, 1, 1) for mark in dict.fromkeys(marks.values())}
        self.codes |= {(cell, code): columns[mark] for code, mark in marks.items()}
        self.rows.append((dict.fromkeys(columns.values(), 1.0), 1.0, 1.0))
        if value is not None:
            row = {self.codes[cell, str(value)]: 1.0}
            if changeable:
                row[self.change[cell]] = 1.0
            self.rows.append((row, 1.0, 1.0))

    def _add_number(self, cell: Cell, value: Value, changeable: bool) -> None:
        assert not isinstance(value, str)
        low, high = limits(cell, self.reach)
        entry = FORMS[form_of(cell)][cell[1]]
        whole = int(entry.dtype == "integer")
        if value is not None and not changeable:
            low = high = value
        column = self.number[cell] = self._variable(low, high, whole)
        if value is not None and changeable:
            flag = self.change[cell]
            self.rows.append(({column: 1.0, flag: value - high}, -np.inf, value))
            self.rows.append(({column: 1.0, flag: value - low}, value, np.inf))

    def _add_clause(self, clause: Sequence[CellAtom]) -> None:
        """One atom alone is a row; of several, a binary variable says which one holds.

        A clause with an atom that the ranges of its fields make true needs no row.
        """
        some: dict[int, float] = {}
        linear = []
        for atom in clause:
            if isinstance(atom, MemberAtom):
                some |= dict.fromkeys((self.codes[atom.cell, c] for c in atom.codes), 1.0)
            else:
                row = self._row(atom.terms)
                least, most = self._range(row)
                if most <= atom.bound:
                    return
                if least <= atom.bound or len(clause) == 1:
                    linear.append((row, atom.bound, most))
        if len(linear) == 1 and not some:
            row, bound, _ = linear[0]
            self.rows.append((row, -np.inf, bound))
            return
        if not linear and not some:
            self.impossible = True
            return
        for row, bound, most in linear:
            chosen = self._variable(0, 1, 1)
            self.rows.append(({**row, chosen: most - bound}, -np.inf, most))
            some[chosen] = 1.0
        self.rows.append((some, 1.0, np.inf))

    def _range(self, row: Mapping[int, float]) -> tuple[float, float]:
        """Least and greatest value that a row can have."""
        ends = [sorted((v * self.low[c], v * self.high[c])) for c, v in row.items()]
        return sum(low for low, _ in ends), sum(high for _, high in ends)

    def _row(self, terms: Sequence[tuple[Cell, frozenset[str] | None, float]]) -> dict[int, float]:
        row: dict[int, float] = {}
        for cell, codes, coefficient in terms:
            columns = {self.number[cell]} if codes is None else {self.codes[cell, c] for c in codes}
            for column in columns:
                row[column] = row.get(column, 0.0) + coefficient
        return row

    def _solve(self) -> dict[Cell, Value] | None:
        if self.impossible:
            return None
        entries = [(n, c, v) for n, (row, _, _) in enumerate(self.rows) for c, v in row.items()]
        places = np.array([entry[:2] for entry in entries], dtype=np.int64).reshape(-1, 2).T
        numbers = np.array([entry[2] for entry in entries], dtype=float)
        shape = len(self.rows), len(self.cost)
        matrix = coo_array((numbers, (places[0], places[1])), shape=shape).tocsc()
        result = milp(
            np.array(self.cost),
            integrality=np.array(self.whole),
            bounds=Bounds(np.array(self.low), np.array(self.high)),
            constraints=LinearConstraint(
                matrix, np.array([r[1] for r in self.rows]), np.array([r[2] for r in self.rows])
            ),
            options={"mip_rel_gap": 0.0, "time_limit": SECONDS},
        )
        return self._read(result.x) if result.status == 0 else None

    def _read(self, x: np.ndarray) -> dict[Cell, Value]:
        """Values of the solution; a cell that was not changed has exactly the one it had."""
        found: dict[Cell, Value] = {}
        for cell in self.cells:
            old = self.values[cell]
            if old is not None and (cell not in self.change or x[self.change[cell]] < 0.5):
                found[cell] = old
            elif cell in self.number:
                value = float(x[self.number[cell]])
                integer = FORMS[form_of(cell)][cell[1]].dtype == "integer"
                found[cell] = float(round(value)) if integer else round(value, 6)
            else:
                codes = [self.wanted.get(cell), old, *sorted(codes_of_cell(cell) or ())]
                known = [str(code) for code in codes if code is not None]
                found[cell] = max(known, key=lambda code: round(x[self.codes[cell, code]]))
        return found


class _CodeGroups:
    """Tells codes of a cell apart as far as the edits do."""

    def __init__(self, active: Sequence[Instance]) -> None:
        self.sets: dict[Cell, list[frozenset[str]]] = {}
        for instance in active:
            for clause in instance.clauses:
                for atom in clause:
                    self._note(atom)

    def _note(self, atom: CellAtom) -> None:
        if isinstance(atom, MemberAtom):
            self.sets.setdefault(atom.cell, []).append(atom.codes)
            return
        for cell, codes, _ in atom.terms:
            if codes is not None:
                self.sets.setdefault(cell, []).append(codes)

    def mark(self, cell: Cell, code: str) -> tuple[bool, ...]:
        """Equal for two codes that are in the same sets of every edit."""
        return tuple(code in codes for codes in self.sets.get(cell, ()))


def _reach(active: Sequence[Instance], values: Mapping[Cell, Value]) -> float:
    """How far from zero a number without limits may go in this programme.

    Large bounds make the solver's tolerance visible in the values, so they follow the data: ten
    times all amounts in the edits together always leaves room to make sums and ratios hold.
    """
    numbers = [abs(v) for v in values.values() if isinstance(v, (int, float))]
    bounds = [
        abs(atom.bound)
        for instance in active
        for clause in instance.clauses
        for atom in clause
        if not isinstance(atom, MemberAtom)
    ]
    return 10.0 * (sum(numbers) + max(bounds, default=0.0)) + 100.0


def limits(cell: Cell, reach: float) -> tuple[float, float]:
    """Lowest and highest value of a number: the field's range, else as far as `reach`."""
    entry = FORMS[form_of(cell)][cell[1]]
    low = -reach if entry.minimum is None else entry.minimum
    return low, (max(reach, low) if entry.maximum is None else entry.maximum)
