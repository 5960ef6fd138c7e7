"""Wherever a run is struck, the next one completes with the bytes of an undisturbed one."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pipeline.faults.harness import Built, Ended, Mini, Point, build, short_folder
from pipeline.faults.points import POINTS, QUICK

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
SLOW = [p for p in POINTS if p not in QUICK]
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


@pytest.fixture(scope="module")
def built() -> Iterator[Built]:
    """Undisturbed runs to start from and to compare with."""
    with short_folder() as folder:
        yield build(folder)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a root to disturb goes."""
    with short_folder() as made:
        yield made


def ended_as_it_should(point: Point, ended: Ended) -> None:
    """The exit code tells what happened, and no traceback does."""
    assert "Traceback" not in ended.output, ended.output
    if point.kind in SIGNALS:
        assert ended.code == SIGNALS[point.kind], ended.output
        assert "Stopped." in ended.output
    elif point.role == "driver" and point.kind in ("kill", "torn"):
        assert ended.code < 0
    else:
        assert ended.code in (0, 1), ended.output


def nothing_half_written(mini: Mini, built: Built) -> None:
    """Each file is one of the whole ones; a record whose outputs are there tells the truth."""
    now = mini.bytes()
    for name, value in now.items():
        if "/failed/" in name or name.endswith((".tmp", ".partial")):
            continue
        assert value in (built.before[name], built.after[name]), f"{name} is half written"
    for task, outputs in mini.records().items():
        if all(now.get(name) == value for name, value in outputs.items()):
            states = [{n: s[n] for n in outputs} for s in (built.before, built.after)]
            assert outputs in states, f"{task} is a mixture"


def completes(mini: Mini, wanted: object) -> None:
    """The next run gives what was wanted and leaves nothing else; the one after finds no work."""
    ended = mini.run()
    assert ended.code == 0, ended.output
    assert mini.bytes() == wanted
    assert mini.gone(), "a process is left"
    assert mini.leftovers() == []
    assert mini.log()
    again = mini.run()
    assert again.code == 0 and " 0 made, 3 unchanged" in again.output, again.output


def strike(point: Point, built: Built, folder: Path) -> None:
    """One point, from the fault to the run that finds nothing to do."""
    mini = built.copy(folder, point.fresh)
    ended = mini.run(point)
    assert mini.mark.exists(), f"the fault did not strike: {ended.output}"
    ended_as_it_should(point, ended)
    if point.role == "driver":
        nothing_half_written(mini, built)
    completes(mini, built.wanted(point.fresh))


@pytest.mark.parametrize("point", QUICK, ids=str)
def test_some_points(point: Point, built: Built, folder: Path) -> None:
    strike(point, built, folder)


@pytest.mark.slow
@pytest.mark.parametrize("point", SLOW, ids=str)
def test_every_other_point(point: Point, built: Built, folder: Path) -> None:
    strike(point, built, folder)


def test_there_are_enough_points() -> None:
    assert len(set(POINTS)) == len(POINTS) >= 40
    assert {p.role for p in POINTS} >= {"driver", "template", "worker", "kernel"}
    print("\n".join(f"{n:>3} {point}" for n, point in enumerate(POINTS, 1)))


def test_all_places_where_a_result_is_put_in_place_have_a_point(built: Built) -> None:
    """A new file that a run renames into place needs a line in `points.py`."""
    renamed = {(role, place) for _, role, event, place, _ in built.places if event == "os.rename"}
    struck = {(p.role, p.place) for p in POINTS if p.event == "os.rename"}
    missing = {
        (role, place)
        for role, place in renamed
        if not any(role == r and fnmatch(place, pattern) for r, pattern in struck)
    }
    assert not missing
