"""What is known of a run while it lasts."""

from __future__ import annotations

import pytest

from povmon.pipeline.board import FAILED, MADE, UNCHANGED, Board, spoken, spoken_rest, stage


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


TASKS = ["east/audit", "west/audit", "east/plan", "west/plan"]


def test_a_cell_lasts_until_the_next_one_and_the_last_until_the_end(clock: Clock) -> None:
    board = Board(TASKS, clock=clock)
    board.start("east/audit", "starting")
    clock.now += 2
    board.cell("east/audit", "Reading")
    clock.now += 5
    board.cell("east/audit", "Table")
    clock.now += 1
    entry = board.finish("east/audit", MADE)
    assert entry.cells == [("starting", 2), ("Reading", 5), ("Table", 1)]
    assert entry.seconds == 8
    assert (board.done, board.total, board.elapsed) == (1, 4, 8)


def test_news_of_a_task_that_has_ended_are_passed_over(clock: Clock) -> None:
    board = Board(TASKS, clock=clock)
    board.start("east/audit", "")
    board.finish("east/audit", FAILED)
    board.cell("east/audit", "late")
    assert board.entries["east/audit"].cell == ""


def test_the_rest_is_what_tasks_took_before(clock: Clock) -> None:
    before = {"east/audit": 10.0, "west/audit": 20.0, "east/plan": 3.0, "west/plan": 5.0}
    board = Board(TASKS, jobs=1, earlier=lambda: before, clock=clock)
    board.start("east/audit", "")
    assert board.rest() == 38
    clock.now += 4
    assert board.rest() == 34
    clock.now += 60  # longer than ever: the others are still to come
    assert board.rest() == 28
    board.finish("east/audit", MADE)
    board.finish("west/audit", UNCHANGED)
    assert board.rest() == 8


def test_several_at_once_share_the_rest_but_none_is_quicker_than_itself(clock: Clock) -> None:
    before = {"east/audit": 10.0, "west/audit": 10.0, "east/plan": 10.0, "west/plan": 10.0}
    board = Board(TASKS, jobs=2, earlier=lambda: before, clock=clock)
    board.start("east/audit", "")
    assert board.rest() == 20
    for task in TASKS[:3]:
        board.finish(task, UNCHANGED)
    assert board.rest() == 10


def test_without_a_log_the_median_of_the_stage_counts(clock: Clock) -> None:
    board = Board([*TASKS, "north/audit"], clock=clock)
    board.start("east/audit", "")
    assert board.rest() is None
    clock.now += 6
    board.finish("east/audit", MADE)
    board.start("east/plan", "")
    clock.now += 2
    board.finish("east/plan", MADE)
    # Two audits of 6 s and a plan of 2 s are left.
    assert board.rest() == 6 + 6 + 2


def test_a_stage_never_seen_is_expected_to_take_what_others_took(clock: Clock) -> None:
    board = Board(["east/audit", "east/plan"], clock=clock)
    board.start("east/audit", "")
    clock.now += 6
    board.finish("east/audit", MADE)
    assert board.rest() == 6


def test_earlier_durations_are_only_asked_for_when_something_runs(clock: Clock) -> None:
    asked = []
    board = Board(TASKS, earlier=lambda: asked.append(1) or {}, clock=clock)  # type: ignore[func-returns-value]
    board.finish("east/audit", UNCHANGED)
    assert asked == []
    board.start("west/audit", "")
    board.start("west/plan", "")
    assert asked == [1]


@pytest.mark.parametrize(
    ("task", "expected"),
    [("wumeng/audit", "audit"), ("liaison/mlr", "liaison"), ("index", "index")],
)
def test_stages(task: str, expected: str) -> None:
    assert stage(task) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1:00 min"), (125, "2:05 min"), (3720, "1:02 h")],
)
def test_durations_in_words(seconds: float, expected: str) -> None:
    assert spoken(seconds) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "rest unknown yet"),
        (0.0, "longer than expected"),
        (0.4, "nearly done"),
        (4.4, "about 4 s left"),
        (38.0, "about 40 s left"),
        (59.0, "about 1 min left"),
        (100.0, "about 2 min left"),
    ],
)
def test_the_rest_in_words(seconds: float | None, expected: str) -> None:
    assert spoken_rest(seconds) == expected
