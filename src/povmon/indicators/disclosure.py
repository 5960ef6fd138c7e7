"""Small cells of additive tables protected: what must be withheld, and what else with it.

A table is a set of *cells*, each the sum of some *elementary values* (a county's number, say).
Cells may overlap in any way, so hierarchies that share their counties are one linked table. A
cell that is itself small is withheld (primary suppression); then others must be withheld with it
(secondary suppression), or subtraction would give it back.

The attacker is taken to know every published cell, every bound and every sum that is known
anyway. The range that is left to a sensitive cell, found by a linear programme (an integer one
for whole numbers), must hold all that the cell's `Need` asks for. Secondary cells are chosen for
one sensitive cell after the other by an integer programme of least cost, superfluous ones are
opened again, and in the end every need is verified by attack.

Sources: Hundepool, Domingo-Ferrer, Franconi, Giessing, Nordholt, Spicer and de Wolf (2012),
Statistical Disclosure Control, Wiley, ch. 4; Fischetti and Salazar (2001), Solving the cell
suppression problem on tabular data with linear constraints, Management Science 47(7) (the
attacker's programmes and the integer model); Kelly, Golden and Assad (1992), Networks 22 (one
sensitive cell at a time).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from scipy.sparse import csgraph

from povmon.errors import PovmonError
from povmon.indicators.witness import ROUNDS, choose_together, witnessed

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

TOLERANCE = 1e-6  # of a need's width
WIDE = 100.0  # widths of a need within which other cells may move to protect it
MOST_CHECKS = 100  # cells to open again times needs: more is not tried
SMALL = 100  # a table of so few values is looked at as a whole
TOGETHER = 2  # with more needs than that, secondary cells are first chosen for all at once


@dataclass(frozen=True)
class System:
    """Cells as sums of elementary values, and what everybody knows of these.

    Parameters
    ----------
    values : (n,) elementary values.
    cells : (c, n) 0/1, sparse; a cell is the sum of the values in its row.
    published : (c,) the cell is meant to be published; others only say what is sensitive.
    lower, upper : (n,) bounds that anybody knows; default 0 and infinity.
    known : (k, n) sparse: sums that are known anyway, published here or not.
    integer : the values are whole numbers, and the attacker knows it.
    """

    values: Floats
    cells: sparse.csr_array
    published: Flags
    lower: Floats = field(default_factory=lambda: np.zeros(0))
    upper: Floats = field(default_factory=lambda: np.zeros(0))
    known: sparse.csr_array | None = None
    integer: bool = False

    def __post_init__(self) -> None:
        n = len(self.values)
        if not len(self.lower):
            object.__setattr__(self, "lower", np.zeros(n))
        if not len(self.upper):
            object.__setattr__(self, "upper", np.full(n, np.inf))
        # A bound that the records break is not one that anybody can rely on.
        object.__setattr__(self, "lower", np.minimum(self.lower, self.values))
        object.__setattr__(self, "upper", np.maximum(self.upper, self.values))

    @property
    def totals(self) -> Floats:
        """(c,) value of each cell."""
        return np.asarray(self.cells @ self.values)


@dataclass(frozen=True)
class Need:
    """A sensitive cell: the attacker's range must reach from `low` to `high` at least."""

    cell: int
    low: float
    high: float


def small_cells(values: Floats, contributors: Floats, least: int) -> list[Need]:
    """Needs of cells with fewer than `least` contributors, and at least one.

    Parameters
    ----------
    values : (c,) cells: counts (then values and contributors are the same), weighted counts, or
        amounts.
    contributors : (c,) persons, households or villages behind each cell.
    least : the smallest number that may be published.

    Returns
    -------
    A range from nothing to what `least` contributors of the same mean would make: the attacker
    cannot tell that the number is small.
    """
    few = np.flatnonzero((contributors > 0) & (contributors < least))
    ends = values[few] / contributors[few] * least
    pairs = zip(few, np.minimum(0.0, ends), np.maximum(0.0, ends), strict=True)
    return [Need(int(cell), float(low), float(high)) for cell, low, high in pairs]


def dominated_cells(values: Floats, largest: Floats, second: Floats, percent: float) -> list[Need]:
    """Needs by the p % rule: the second contributor must not learn the first to within p %.

    Parameters
    ----------
    values : (c,) sums of absolute contributions.
    largest, second : (c,) the two largest contributions to each cell.
    percent : p.

    Source
    ------
    Hundepool et al. (2012), sec. 4.2: sensitive when the rest is below p % of the largest.
    """
    margin = percent / 100 * largest - (values - largest - second)
    found = np.flatnonzero((largest > 0) & (margin > TOLERANCE * largest))
    return [Need(int(c), float(values[c] - margin[c]), float(values[c] + margin[c])) for c in found]


def protect(system: System, needs: Sequence[Need], cost: Floats) -> Flags:
    """Which cells to withhold so that every need is met.

    Parameters
    ----------
    system : the linked table.
    needs : the sensitive cells; the published ones among them are withheld in any case.
    cost : (c,) what withholding each cell costs.

    Returns
    -------
    (c,) True: withheld. Nothing is where there is no need.

    Raises
    ------
    PovmonError : a need is not met in the end, which would be a fault of this module.
    """
    withheld = np.zeros(len(system.published), dtype=bool)
    withheld[[need.cell for need in needs]] = True
    withheld &= system.published
    primary = withheld.copy()
    possible = _possible(system, needs)
    open_needs = unmet(system, withheld, possible, surely=False)
    for turn in range(ROUNDS):
        if len(open_needs) > TOGETHER:
            withheld |= choose_together(system, withheld, open_needs, cost, turn)
            open_needs = unmet(system, withheld, open_needs, surely=False)
    for need in sorted(open_needs, key=lambda k: (k.low - k.high, k.cell)):
        if not is_met(system, withheld, need):
            withheld |= _least_cost(system, withheld, need, cost)
    withheld = _opened_again(system, withheld, primary, possible, cost)
    if unmet(system, withheld, possible):
        raise PovmonError(
            "a small cell could still be computed from the others",
            where="roll-up of the forms",
            todo="this is a fault of the protection: please report it",
        )
    return withheld


def unmet(
    system: System, withheld: Flags, needs: Sequence[Need], surely: bool = True
) -> list[Need]:
    """The needs that are not met.

    Parameters
    ----------
    surely : attack one by one those of which no joint witness tells; False lists them as unmet.
    """
    left = witnessed(system, withheld, needs)
    return [need for need in left if not is_met(system, withheld, need)] if surely else left


def is_met(system: System, withheld: Flags, need: Need) -> bool:
    """Whether the attacker's range of a sensitive cell is as wide as it must be."""
    width = need.high - need.low
    if width <= 0:
        return True
    low, high = attack(system, withheld, need.cell, WIDE * width, _scale(system, width))
    slack = TOLERANCE * width
    return low <= need.low + slack and high >= need.high - slack


def attack(
    system: System, withheld: Flags, cell: int, reach: float, scale: float = 1.0
) -> tuple[float, float]:
    """The range that the published cells leave to one cell.

    Parameters
    ----------
    system, withheld : the table and what of it is withheld.
    cell : position of the cell.
    reach : look no further than so far from the true value.
    scale : unit of the programme's variables; for whole numbers 1.
    """
    equations = system.cells[np.flatnonzero(system.published & ~withheld)]
    if system.known is not None:
        equations = sparse.vstack([equations, system.known], format="csr")
    target = np.asarray(system.cells[[cell]].todense(), dtype=float).ravel()
    free = _free(equations, target)
    value = float(target @ system.values)
    if not free.any() or not target[free].any():
        return value, value
    inner = sparse.csr_array(equations[:, np.flatnonzero(free)])
    inner = inner[np.flatnonzero(np.diff(inner.indptr))]
    goal = target[free]
    limits = np.append(np.zeros(inner.shape[0]), reach / scale)
    rows = sparse.vstack([inner, sparse.csr_array(goal[None, :])], format="csc")
    constraints = optimize.LinearConstraint(rows, -limits, limits)
    ends = []
    for sign in (1.0, -1.0):
        found = optimize.milp(
            sign * goal,
            constraints=constraints,
            bounds=_moves(system, free, scale),
            integrality=np.full(len(goal), int(system.integer)),
        )
        ends.append(value + scale * sign * found.fun if found.success else value)
    return min(ends), max(ends)


def _scale(system: System, width: float) -> float:
    return 1.0 if system.integer else width


def _moves(system: System, chosen: Flags, scale: float) -> optimize.Bounds:
    """How far each value may move within its bounds."""
    low = (system.lower - system.values)[chosen] / scale
    high = (system.upper - system.values)[chosen] / scale
    return optimize.Bounds(low, high)


def _free(equations: sparse.csr_array, target: Floats) -> Flags:
    """Values not published one by one that hang together with those of the target."""
    alone = np.diff(equations.indptr) == 1
    fixed = np.zeros(len(target), dtype=bool)
    fixed[equations[np.flatnonzero(alone)].indices] = True
    columns = np.flatnonzero(~fixed)
    if not len(columns):
        return ~fixed
    shared = sparse.csr_array(equations[:, columns])
    links = sparse.vstack([shared, sparse.csr_array(target[columns][None, :])])
    graph = sparse.block_array([[None, links.T], [links, None]], format="csr")
    _, part = csgraph.connected_components(graph, directed=False)
    # The target's own row is the last node.
    near = part[: len(columns)] == part[-1]
    free = np.zeros(len(target), dtype=bool)
    free[columns[near]] = True
    return free


def _possible(system: System, needs: Sequence[Need]) -> list[Need]:
    """The needs, cut to what is possible when nothing at all is published."""
    nothing = np.ones(len(system.published), dtype=bool)
    beyond = {id(need) for need in witnessed(system, nothing, needs)}
    out = []
    for need in needs:
        if id(need) in beyond:
            width = need.high - need.low
            scale = _scale(system, width)
            low, high = attack(system, nothing, need.cell, WIDE * width, scale)
            need = Need(need.cell, max(need.low, low), min(need.high, high))
        if need.high > need.low:
            out.append(need)
    return out


def _least_cost(system: System, withheld: Flags, need: Need, cost: Floats) -> Flags:
    """The cheapest further cells that give one sensitive cell its range."""
    everything = np.ones(len(system.values), dtype=bool)
    near = _neighbours(system, need.cell)
    sizes = np.diff(system.cells.indptr)
    for chosen, move in ((near, 2.0), (everything, 2.0), (everything, WIDE)):
        found = _programme(system, withheld, need, cost, chosen, move)
        # Where the neighbours leave no choice but the largest totals, the others may.
        forced = found is not None and (sizes[found] > len(chosen) / 3).any() and not chosen.all()
        if found is not None and not forced:
            return found
    raise PovmonError(
        "no choice of further cells protects a small cell",
        where="roll-up of the forms",
        todo="this is a fault of the protection: please report it",
    )


def _neighbours(system: System, cell: int) -> Flags:
    """Values that share a cell, not one of the largest, with those of the sensitive cell.

    Of a small table, all values.
    """
    n = len(system.values)
    if n <= SMALL:
        return np.ones(n, dtype=bool)
    own = np.asarray(system.cells[[cell]].todense()).ravel() > 0
    sizes = np.diff(system.cells.indptr)
    touching = np.asarray(system.cells @ own.astype(float)) > 0
    rows = np.flatnonzero(touching & ((sizes <= n / 3) | (sizes <= own.sum())))
    near = np.asarray(system.cells[rows].sum(axis=0)).ravel() > 0
    return near | own


def _programme(
    system: System, withheld: Flags, need: Need, cost: Floats, chosen: Flags, move: float
) -> Flags | None:
    """Two other tables that agree with what is published, one at each end of the need.

    Variables: the moves of the chosen values up and down, and one 0/1 a cell that may be
    withheld. A published cell cannot move. None: there are no such tables.
    """
    value = float(system.totals[need.cell])
    scale = _scale(system, max(need.high - value, value - need.low))
    columns = np.flatnonzero(chosen)
    open_cells = np.flatnonzero(system.published & ~withheld)
    part = sparse.csr_array(system.cells[open_cells][:, columns])
    open_cells, part = open_cells[np.diff(part.indptr) > 0], part[np.diff(part.indptr) > 0]
    n, c = len(columns), len(open_cells)
    reach = move * max(need.high - value, value - need.low) / scale
    target = sparse.csr_array(system.cells[[need.cell]][:, columns])
    blank, none = sparse.csr_array((c, n)), sparse.csr_array((1, n))
    limit, no_cell = reach * sparse.eye_array(c, format="csr"), sparse.csr_array((1, c))
    inf = np.inf
    rows: list[tuple[list[Any], float, float]] = [
        ([part, blank, -limit], -inf, 0),
        ([part, blank, limit], 0, inf),
        ([blank, part, -limit], -inf, 0),
        ([blank, part, limit], 0, inf),
        ([target, none, no_cell], (need.high - value) / scale, inf),
        ([none, target, no_cell], -inf, (need.low - value) / scale),
    ]
    if system.known is not None:
        known = sparse.csr_array(system.known[:, columns])
        empty, other = sparse.csr_array(known.shape), sparse.csr_array((known.shape[0], c))
        rows += [([known, empty, other], 0, 0), ([empty, known, other], 0, 0)]
    moves = _moves(system, chosen, scale)
    # No value need move further; narrow bounds keep the programme's numbers of one size.
    moves.lb, moves.ub = np.maximum(moves.lb, -WIDE * reach), np.minimum(moves.ub, WIDE * reach)
    found = optimize.milp(
        np.concatenate([np.zeros(2 * n), cost[open_cells]]),
        constraints=[
            optimize.LinearConstraint(sparse.hstack(m, format="csr"), a, b) for m, a, b in rows
        ],
        bounds=optimize.Bounds(
            np.concatenate([moves.lb, moves.lb, np.zeros(c)]),
            np.concatenate([moves.ub, moves.ub, np.ones(c)]),
        ),
        integrality=np.concatenate([np.full(2 * n, int(system.integer)), np.ones(c)]),
        options={"mip_rel_gap": 0.05},
    )
    if found.x is None:
        return None
    more = np.zeros(len(withheld), dtype=bool)
    more[open_cells[found.x[2 * n :] > 0.5]] = True
    return more


def _opened_again(
    system: System, withheld: Flags, primary: Flags, needs: Sequence[Need], cost: Floats
) -> Flags:
    """Without the secondary cells that no need depends on, the costliest tried first."""
    secondary = np.flatnonzero(withheld & ~primary)
    if len(secondary) * len(needs) > MOST_CHECKS:
        return withheld
    kept = withheld.copy()
    for cell in secondary[np.argsort(-cost[secondary], kind="stable")]:
        kept[cell] = False
        kept[cell] = not all(is_met(system, kept, need) for need in needs)
    return kept
