"""Wherever a run is struck, the next one completes with the bytes of an undisturbed one."""

from __future__ import annotations

import shutil
from fnmatch import fnmatch
from pathlib import Path

import pytest

from pipeline.faults.harness import Built, Ended, Point, completes, nothing_half_written, submission
from pipeline.faults.points import EXECUTED, PAGES, POINTS, QUICK, TABLES, TASKS

pytestmark = pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
SLOW = [p for p in POINTS if p not in QUICK]
SIGNALS = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}


def ended_as_it_should(point: Point, ended: Ended) -> None:
    """The exit code tells what happened, and no traceback does."""
    assert "Traceback" not in ended.output, ended.output
    if point.kind in SIGNALS and point.place.endswith("hashes.json"):
        assert ended.code == 0, "everything is made: a signal comes too late"
    elif point.kind in SIGNALS:
        assert ended.code == SIGNALS[point.kind], ended.output
        assert "Stopped." in ended.output
    elif point.role == "driver" and point.kind in ("kill", "torn"):
        assert ended.code < 0
    else:
        assert ended.code in (0, 1), ended.output


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


@pytest.mark.slow
@pytest.mark.parametrize(
    "place",
    [
        ("worker", "os.rename", f"{PAGES}/rural/audit.html"),
        ("worker", "os.rename", f"{EXECUTED}/audit.ipynb"),
        ("driver", "os.rename", f"{TASKS}/rural/audit.json"),
        ("driver", "os.rename", f"{TASKS}/index.json"),
    ],
    ids="-".join,
)
def test_what_was_sent_first_comes_back(
    place: tuple[str, str, str], built: Built, folder: Path
) -> None:
    """After a kill the change is withdrawn: what the killed run has made must not count."""
    mini = built.copy(folder, fresh=False)
    mini.run(Point(*place, "kill"))
    assert mini.mark.exists()
    shutil.copy(submission(built.made), submission(mini.root))
    completes(mini, built.before)


@pytest.mark.slow
def test_a_kill_while_a_kill_is_recovered_from(built: Built, folder: Path) -> None:
    mini = built.copy(folder, fresh=False)
    for place in (f"{TASKS}/rural/audit.json", f"{TABLES}/two.parquet"):
        ended = mini.run(Point("driver", "os.rename", place, "kill"))
        assert mini.mark.exists() and ended.code < 0
        mini.mark.unlink()
    completes(mini, built.after)


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
