"""The picture of a run: what it shows, and that it fits any terminal."""

from __future__ import annotations

import itertools

import pytest
from rich.cells import cell_len

from pipeline.test_board import Clock
from povmon.pipeline.board import FAILED, MADE, SKIPPED, UNCHANGED, Board
from povmon.pipeline.display import ASCII_SIGNS, SIGNS, Picture

AREAS = [f"area_{letter}" for letter in "abcdefghijklmn"]
STEPS = ("audit", "returns", "indicators", "plan")
NATION = ("nation/pool", "nation/summary", "nation/rollup", "nation/atlas")
UNITS = tuple(f"liaison/unit{n}" for n in range(12))


@pytest.fixture
def board() -> Board:
    """The whole of a large survey in the midst of a run."""
    clock = Clock()
    area_tasks = [f"{a}/{s}" for s, a in itertools.product(STEPS, AREAS)]
    board = Board(["generate", *area_tasks, *NATION, *UNITS, "index"], jobs=2, clock=clock)
    board.finish("generate", UNCHANGED)
    for area in AREAS[:5]:
        board.start(f"{area}/audit", "")
        clock.now += 12
        board.finish(f"{area}/audit", MADE)
    board.start("area_f/audit", "")
    board.finish("area_f/audit", FAILED)
    board.finish("area_f/returns", SKIPPED)
    board.start("area_g/audit", "What arrived: a line of the cell that is long, 省 and 县 in it")
    board.start("area_m/audit", "")
    clock.now += 7
    return board


def drawn(board: Board, width: int = 100, height: int = 40, unicode: bool = True) -> list[str]:
    return [t.plain for t in Picture("survey", unicode).lines(board, width, height)]


def test_all_of_it_is_there(board: Board) -> None:
    lines = drawn(board)
    assert lines[0].startswith("survey  ━━━")
    assert lines[0].endswith("8/74  1:07 min  about 6 min left")
    assert lines[1].startswith("▶ area_g/audit  7 s  What arrived: a line of the cell")
    assert lines[2] == "▶ area_m/audit  7 s"
    assert lines[3].split() == ["area", *STEPS]
    assert [line.split()[0] for line in lines[4:18]] == AREAS
    assert lines[4] == "area_a   ✓ 12 s     ·          ·          ·"
    assert lines[9].split() == ["area_f", "✗", "–", "·", "·"]
    assert lines[10].split() == ["area_g", "▶", "·", "·", "·"]
    assert lines[18].split()[:3] == ["nation", "·", "pool"]
    assert lines[19].split() == ["liaison", "·" * 12]
    assert lines[20].split() == ["other", "=", "generate", "·", "index"]
    assert lines[21].split() == [x for s in SIGNS for x in (SIGNS[s], s)]
    assert len(lines) == 22


def test_without_unicode_every_sign_is_ascii(board: Board) -> None:
    board.cell("area_g/audit", "What arrived")
    text = "\n".join(drawn(board, unicode=False))
    assert text.isascii()
    assert "area_a   + 12 s     .          .          ." in text
    assert len(set(ASCII_SIGNS.values())) == len(set(SIGNS.values())) == 6


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
@pytest.mark.parametrize("height", [1, 3, 6, 10, 15, 24, 60])
def test_it_fits(board: Board, width: int, height: int) -> None:
    lines = drawn(board, width, height)
    assert 1 <= len(lines) <= height
    assert max(map(cell_len, lines)) <= width


def test_sixty_columns_hold_the_whole_matrix_and_the_rest(board: Board) -> None:
    lines = drawn(board, 60)
    assert lines[0].endswith("about 6 min left")
    assert lines[3].split() == ["area", *STEPS]
    assert "✓ 12 s" in lines[4]
    assert lines[-1].endswith("– skipped")


def test_a_short_terminal_shows_what_failed_and_runs_first(board: Board) -> None:
    lines = drawn(board, height=14)
    rows = [line.split()[0] for line in lines[4:]]
    areas = ["area_a", "area_b", "area_c", "area_f", "area_g", "area_m"]
    # The two that run and the one that failed, in the order of the survey all the same.
    assert rows == [*areas, "and", "nation", "liaison", "other"]
    assert lines[10] == "and 8 more: 8 not yet done"


def test_a_very_short_one_still_says_what_runs(board: Board) -> None:
    lines = drawn(board, height=4)
    assert [line.split()[1] for line in lines[1:3]] == ["area_g/audit", "area_m/audit"]


def test_the_end_says_no_rest(board: Board) -> None:
    for task in board.entries:
        board.finish(task, MADE)
    assert drawn(board)[0].endswith("74/74  1:07 min")


def test_a_survey_with_less(board: Board) -> None:
    small = Board(["urban/audit", "index"])
    lines = drawn(small)
    assert lines[1].split() == ["area", "audit"]
    assert lines[2].split() == ["urban", "·"]


@pytest.mark.parametrize("seconds", [9, 75, 1199, 35_999])
def test_a_column_holds_any_duration(seconds: int) -> None:
    clock = Clock()
    board = Board(["area/audit", "area/plan"], clock=clock)
    board.start("area/audit", "")
    clock.now += seconds
    board.finish("area/audit", MADE)
    row = drawn(board)[2].split("  ")
    assert row[-1].strip() == "·"
    assert row[1].strip() in ("✓ 9 s", "✓ 1:15", "✓ 19:59", "✓ 9:59 h")
