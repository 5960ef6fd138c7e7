"""Withheld cells: an attacker with a programme of his own cannot compute what is protected."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from povmon.indicators.disclosure import (
    Need,
    System,
    attack,
    dominated_cells,
    is_met,
    protect,
    small_cells,
    unmet,
)

LEAST = 3


def sets(groups: list[np.ndarray]) -> np.ndarray:
    """(cells, n) membership: each value alone, each group of each partition, all together."""
    n = len(groups[0])
    rows = [np.eye(n)]
    rows += [(g[None, :] == np.unique(g)[:, None]).astype(float) for g in groups]
    return np.vstack([*rows, np.ones((1, n))])


def attacked(
    cells: np.ndarray, values: np.ndarray, known: np.ndarray, cell: int, upper: float | None = None
) -> tuple[float, float]:
    """The attacker's own programme, in the values themselves and with another solver call."""
    ends = []
    for sign in (1, -1):
        found = optimize.linprog(
            sign * cells[cell],
            A_eq=cells[known] if known.any() else None,
            b_eq=(cells @ values)[known] if known.any() else None,
            bounds=(0, upper),
            method="highs-ds",
        )
        if found.status == 3:
            ends.append(np.inf)
        else:
            assert found.status == 0, found.message
            ends.append(sign * found.fun)
    return min(ends), max(ends)


@st.composite
def linked(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Values of up to nine counties in two hierarchies and three further groups."""
    n = draw(st.integers(2, 9))
    small = st.integers(0, 4) | st.integers(5, 400)
    values = np.array(draw(st.lists(small, min_size=n, max_size=n)), dtype=float)
    prefecture = np.array(draw(st.lists(st.integers(0, 3), min_size=n, max_size=n)))
    area = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    key = np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    return sets([prefecture, prefecture // 2, area, key]), values


def table(cells: np.ndarray, values: np.ndarray, integer: bool) -> System:
    return System(values, sparse.csr_array(cells), np.ones(len(cells), dtype=bool), integer=integer)


@settings(max_examples=60, deadline=None)
@given(linked(), st.booleans())
def test_no_small_cell_is_known_more_closely_than_its_need(
    case: tuple[np.ndarray, np.ndarray], integer: bool
) -> None:
    cells, values = case
    system = table(cells, values, integer)
    needs = small_cells(system.totals, system.totals, LEAST)
    withheld = protect(system, needs, cells.sum(axis=1))
    for need in needs:
        assert withheld[need.cell]
        low, high = attacked(cells, values, ~withheld, need.cell)
        assert low <= need.low + 1e-6
        assert high >= need.high - 1e-6


@settings(max_examples=40, deadline=None)
@given(linked())
def test_nothing_is_withheld_where_nothing_is_small(case: tuple[np.ndarray, np.ndarray]) -> None:
    cells, values = case
    values = np.where(values > 0, values + LEAST, 0.0)
    system = table(cells, values, True)
    needs = small_cells(system.totals, system.totals, LEAST)
    assert not needs
    assert not protect(system, needs, cells.sum(axis=1)).any()


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(linked())
def test_no_secondary_cell_is_superfluous(case: tuple[np.ndarray, np.ndarray]) -> None:
    cells, values = case
    system = table(cells, values, True)
    needs = small_cells(system.totals, system.totals, LEAST)
    withheld = protect(system, needs, cells.sum(axis=1))
    primary = {need.cell for need in needs}
    for cell in set(np.flatnonzero(withheld)) - primary:
        opened = withheld.copy()
        opened[cell] = False
        ranges = [attacked(cells, values, ~opened, need.cell) for need in needs]
        wide = [
            low <= need.low + 1e-6 and high >= need.high - 1e-6
            for need, (low, high) in zip(needs, ranges, strict=True)
        ]
        # The attacker who does not know that counts are whole numbers may see a wider range.
        assert not all(wide) or unmet(system, opened, needs)


def test_leaving_out_the_small_cell_alone_does_not_protect_it() -> None:
    cells = sets([np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])])
    system = table(cells, np.array([2.0, 40.0, 30.0, 50.0]), True)
    need = Need(0, 0.0, 3.0)
    alone = np.zeros(len(cells), dtype=bool)
    alone[0] = True
    assert attack(system, alone, 0, 100.0) == (2.0, 2.0)
    assert not is_met(system, alone, need)
    withheld = protect(system, [need], cells.sum(axis=1))
    # Two by two with all margins published: the cells of the rectangle, and none of the margins.
    assert list(np.flatnonzero(withheld)) == [0, 1, 2, 3]


def test_both_hierarchies_are_one_table() -> None:
    """Protected along each hierarchy alone, the cell would be given away by the other one."""
    prefecture, area = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 1])
    values = np.array([1.0, 60.0, 70.0, 80.0, 90.0])
    cells = sets([prefecture, area])
    system = table(cells, values, True)
    by_prefecture = np.zeros(len(cells), dtype=bool)
    by_prefecture[[0, 1]] = True
    assert attacked(cells, values, ~by_prefecture, 0) == pytest.approx((1.0, 1.0))
    withheld = protect(system, [Need(0, 0.0, 3.0)], cells.sum(axis=1))
    low, high = attacked(cells, values, ~withheld, 0)
    assert low <= 1e-6 and high >= 3 - 1e-6


def test_answers_of_a_question_are_one_table() -> None:
    """Three answers in two units; all who were asked are known, so a row gives a cell away."""
    k, units = 3, 2
    values = np.array([[20.0, 500.0, 300.0], [400.0, 600.0, 200.0]])
    cells = np.kron(np.vstack([np.eye(units), np.ones((1, units))]), np.eye(k))
    known = sparse.csr_array(np.kron(np.eye(units), np.ones((1, k))))
    system = System(
        values.ravel(), sparse.csr_array(cells), np.ones(len(cells), dtype=bool), known=known
    )
    need = Need(0, 0.0, 60.0)
    withheld = protect(system, [need], np.ones(len(cells)))
    rows = np.vstack([cells[~withheld], known.toarray()])
    ends = [
        sign
        * optimize.linprog(
            sign * cells[0], A_eq=rows, b_eq=rows @ values.ravel(), bounds=(0, None)
        ).fun
        for sign in (1, -1)
    ]
    assert ends[0] <= 1e-6 and ends[1] >= 60 - 1e-6
    assert withheld[:3].sum() >= 2 and withheld[0]


def test_many_small_cells_are_protected_together() -> None:
    rng = np.random.default_rng(3)
    n = 60
    groups = [rng.integers(0, 15, n), rng.integers(0, 5, n)]
    values = np.where(rng.random(n) < 0.25, rng.integers(1, 3, n), rng.integers(50, 500, n))
    cells = sets(groups)
    system = table(cells, values.astype(float), True)
    needs = small_cells(system.totals, system.totals, LEAST)
    withheld = protect(system, needs, cells.sum(axis=1))
    assert len(needs) > 8
    assert withheld.sum() < 0.8 * len(cells)
    for need in needs:
        low, high = attacked(cells, values.astype(float), ~withheld, need.cell)
        assert low <= need.low + 1e-6 and high >= need.high - 1e-6


def test_a_bound_that_everybody_knows_limits_what_can_be_asked_for() -> None:
    """One child of 40 is not in school: the count must look as if none or three were not."""
    cells = sets([np.array([0, 0, 0])])
    upper = np.array([40.0, 50.0, 60.0])
    system = System(
        np.array([39.0, 30.0, 20.0]),
        sparse.csr_array(cells),
        np.ones(len(cells), dtype=bool),
        upper=upper,
        integer=True,
    )
    withheld = protect(system, [Need(0, 37.0, 40.0)], cells.sum(axis=1))
    assert withheld[0] and withheld[1:].any()
    low, high = attack(system, withheld, 0, 100.0)
    assert low <= 37 and high == 40


def test_hidden_cells_are_protected_though_they_are_not_published() -> None:
    """A unit less the unit inside it is a small cell that nobody prints."""
    cells = np.array([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 0.0]])
    published = np.array([True, True, True, False])
    system = System(np.array([80.0, 2.0, 90.0]), sparse.csr_array(cells), published)
    need = Need(3, 0.0, 3.0)
    assert not is_met(system, np.zeros(4, dtype=bool), need)
    withheld = protect(system, [need], np.array([2.0, 1.0, 3.0, 0.0]))
    assert is_met(system, withheld, need)
    assert not withheld[3] and withheld.any()


@pytest.mark.parametrize(
    ("value", "contributors", "ends"),
    [(2.0, 2.0, (0.0, 3.0)), (1000.0, 1.0, (0.0, 3000.0)), (-500.0, 2.0, (-750.0, 0.0))],
)
def test_the_range_runs_from_nothing_to_what_enough_respondents_would_make(
    value: float, contributors: float, ends: tuple[float, float]
) -> None:
    (need,) = small_cells(np.array([value]), np.array([contributors]), LEAST)
    assert (need.low, need.high) == pytest.approx(ends)


def test_zero_and_large_counts_are_not_sensitive() -> None:
    counts = np.array([0.0, 3.0, 4.0])
    assert small_cells(counts, counts, LEAST) == []


def test_the_p_percent_rule() -> None:
    # 100 + 8 + 1: the second learns the first to within 1 %. 100 + 8 + 12: only to within 12 %.
    values, largest, second = np.array([109.0, 120.0]), np.full(2, 100.0), np.full(2, 8.0)
    (need,) = dominated_cells(values, largest, second, 10.0)
    assert need.cell == 0
    assert (need.low, need.high) == pytest.approx((100.0, 118.0))
