"""Many sensitive cells protected and checked at once, by one pair of other tables.

Where one table that agrees with all that is published has a sensitive cell at the upper end of
its need, and another one has it at the lower end, the need is met. Each table can serve many
needs, so that two linear programmes take the place of two a need. In each, half of the cells go
up and half go down: neighbours then make room for one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

if TYPE_CHECKING:
    from povmon.indicators.disclosure import Need, System

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

SLACK = 1e-7  # of a need's width
ROUNDS = 4
# A shortfall of a whole need weighs as much as so many times the costliest cell.
PENALTY = 10.0


def witnessed(system: System, withheld: Flags, needs: Sequence[Need]) -> list[Need]:
    """The needs that a few joint tables do not show to be met (they may be met all the same)."""
    low_open = np.ones(len(needs), dtype=bool)
    high_open = low_open.copy()
    for turn in range(ROUNDS):
        side = _sides(len(needs), turn)
        before = low_open.sum() + high_open.sum()
        for sign in (side, -side):
            todo = np.flatnonzero(np.where(sign > 0, high_open, low_open))
            if not len(todo):
                continue
            hit = todo[_reached(system, withheld, [needs[i] for i in todo.tolist()], sign[todo])]
            high_open[hit[sign[hit] > 0]] = False
            low_open[hit[sign[hit] < 0]] = False
        left = low_open.sum() + high_open.sum()
        if left in (0, before):
            break
    return [need for i, need in enumerate(needs) if low_open[i] or high_open[i]]


def _ends(system: System, needs: Sequence[Need], sign: Floats) -> tuple[sparse.csr_array, Floats]:
    """Rows of the sensitive cells, turned so that up is towards the end, and how far that is."""
    cells = [need.cell for need in needs]
    value = system.totals[cells]
    high = np.array([need.high for need in needs]) - value
    low = value - np.array([need.low for need in needs])
    rows = sparse.csr_array(sparse.diags_array(sign) @ system.cells[cells])
    return rows, np.maximum(np.where(sign > 0, high, low), 0.0)


def _fixed(system: System, withheld: Flags) -> sparse.csr_array:
    rows = system.cells[np.flatnonzero(system.published & ~withheld)]
    if system.known is not None:
        rows = sparse.vstack([rows, system.known])
    return sparse.csr_array(rows)


def _reached(system: System, withheld: Flags, needs: Sequence[Need], sign: Floats) -> Flags:
    """(needs,) which of them one other table has at the wanted ends."""
    rows, far = _ends(system, needs, sign)
    scale = float(np.median(far[far > 0])) if (far > 0).any() else 1.0
    fixed = _fixed(system, withheld)
    n, k = len(system.values), len(needs)
    reach = sparse.hstack([rows, -sparse.eye_array(k)])
    still = sparse.hstack([fixed, sparse.csr_array((fixed.shape[0], k))])
    low = np.zeros(k + fixed.shape[0])
    high = np.concatenate([np.full(k, np.inf), np.zeros(fixed.shape[0])])
    weight = 1 / np.maximum(far / scale, SLACK)
    found = optimize.milp(
        np.concatenate([np.zeros(n), -weight]),
        constraints=optimize.LinearConstraint(sparse.vstack([reach, still], "csc"), low, high),
        bounds=optimize.Bounds(
            np.concatenate([(system.lower - system.values) / scale, np.zeros(k)]),
            np.concatenate([(system.upper - system.values) / scale, far / scale]),
        ),
    )
    if found.x is None:
        return np.zeros(k, dtype=bool)
    moves = found.x[:n]
    if system.integer:
        whole = np.rint(moves * scale)
        if np.abs(moves * scale - whole).max(initial=0.0) > SLACK:
            return np.zeros(k, dtype=bool)
    return np.asarray(rows @ moves >= far / scale * (1 - SLACK) - SLACK)


def choose_together(
    system: System, withheld: Flags, needs: Sequence[Need], cost: Floats, turn: int = 0
) -> Flags:
    """Further cells to withhold, for many needs at once: those that move in two other tables.

    The programme is linear: it minimises the cost of a cell times how far it moves (Kelly, Golden
    and Assad 1992 for one need). What it leaves unmet is for another turn, in which other cells
    go up together, or for the integer programme.
    """
    sign = _sides(len(needs), turn)
    open_cells = np.flatnonzero(system.published & ~withheld)
    more = np.zeros(len(withheld), dtype=bool)
    for side in (sign, -sign):
        price = np.where(more[open_cells], 0.0, cost[open_cells])
        moved = _moved(system, needs, side, open_cells, price)
        more[open_cells[moved]] = True
    return more


def _sides(number: int, turn: int) -> Floats:
    """Which needs go up and which down; each turn pairs them in another way."""
    return np.where((np.arange(number) // 2**turn) % 2 == 0, 1.0, -1.0)


def _moved(
    system: System,
    needs: Sequence[Need],
    sign: Floats,
    open_cells: npt.NDArray[np.intp],
    cost: Floats,
) -> Flags:
    """Which open cells move in the cheapest table with the needs at the wanted ends."""
    rows, far = _ends(system, needs, sign)
    scale = float(np.median(far[far > 0])) if (far > 0).any() else 1.0
    n, k, c = len(system.values), len(needs), len(open_cells)
    part = system.cells[open_cells]
    eye = sparse.eye_array
    short = sparse.diags_array(far / scale)
    blocks = [
        [rows, short, sparse.csr_array((k, c))],
        [part, None, -eye(c)],
        [part, None, eye(c)],
    ]
    low = [far / scale, np.full(c, -np.inf), np.zeros(c)]
    high = [np.full(k, np.inf), np.zeros(c), np.full(c, np.inf)]
    if system.known is not None:
        blocks.append([system.known, None, None])
        low.append(np.zeros(system.known.shape[0]))
        high.append(np.zeros(system.known.shape[0]))
    penalty = PENALTY * (cost.max(initial=1.0) + 1.0) * np.maximum(far / scale, 1.0)
    found = optimize.milp(
        np.concatenate([np.zeros(n), penalty, cost + 1e-6]),
        constraints=optimize.LinearConstraint(
            sparse.block_array(blocks, format="csc"), np.concatenate(low), np.concatenate(high)
        ),
        bounds=optimize.Bounds(
            np.concatenate([(system.lower - system.values) / scale, np.zeros(k + c)]),
            np.concatenate(
                [(system.upper - system.values) / scale, np.ones(k), np.full(c, np.inf)]
            ),
        ),
    )
    if found.x is None:
        return np.zeros(c, dtype=bool)
    return np.asarray(found.x[n + k :] > SLACK)
