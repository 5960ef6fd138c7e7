"""The run log: what it says, and that nothing breaks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.inline import House
from povmon.errors import PovmonError
from povmon.pipeline import runlog
from povmon.pipeline.engine import Outcome
from povmon.pipeline.runlog import RunLog, durations, entries, last_run, log_path, show
from povmon.pipeline.runs import report


def logged(seconds: float, task: str = "east/audit", outcome: str = "made") -> RunLog:
    """A run of one task."""
    log = RunLog("small", "", 2, 1)
    log.task(task, outcome, seconds, [("What arrived", seconds)])
    log.end(Outcome(made=[task], seconds=seconds, peak_memory=3 * 2**20), complete=True)
    return log


def fail() -> None:
    raise RuntimeError("audit.ipynb, In [3]: no")


def test_a_run_begins_tells_its_tasks_and_ends(house: House) -> None:
    house.run()
    house.actions["east/audit"] = fail
    (Path(house.tasks["east/audit"].inputs[0])).write_text("east new", "utf-8")
    house.run()
    begin, *tasks, end = last_run("small")
    assert begin["kind"] == "begin" and end["kind"] == "end"
    assert {"survey": "small", "area": "", "jobs": 1, "tasks": 5}.items() <= begin.items()
    assert {"python", "pandas", "povmon"} <= begin["versions"].keys()
    assert {e["run"] for e in last_run("small")} == {begin["run"]}
    assert [(e["task"], e["outcome"]) for e in tasks] == [
        ("east/audit", "failed"),
        ("east/indicators", "skipped"),
        ("nation/pool", "skipped"),
    ]
    assert tasks[0]["error"] == "audit.ipynb, In [3]: no"
    assert tasks[1]["error"] == "needs east/audit"
    counts = {"made": 0, "unchanged": 2, "failed": 1, "skipped": 2, "complete": True}
    assert counts.items() <= end.items()


def test_a_run_with_nothing_to_do_is_logged_without_versions_of_packages(house: House) -> None:
    house.run()
    house.run()
    *_, begin, end = entries("small")
    assert begin["kind"] == "begin" and begin["versions"].keys() == {"python"}
    assert (end["made"], end["unchanged"]) == (0, 5)
    assert last_run("small")[0]["run"] != begin["run"], "the last run that did something"


def test_a_stopped_run_says_so(house: House) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    house.actions["west/audit"] = stop
    with pytest.raises(KeyboardInterrupt):
        house.run()
    assert last_run("small")[-1]["complete"] is False


def test_a_line_cut_short_breaks_nothing(root: Path) -> None:
    logged(4)
    with log_path("small").open("a", encoding="utf-8") as stream:
        stream.write('{"version": 1, "run": "x", "kind": "ta')
    logged(6)
    assert [e["kind"] for e in entries("small")] == ["begin", "task", "end"] * 2
    assert durations("small") == {"east/audit": 5}


@pytest.mark.parametrize("line", ["[]", "17", '{"version": 99, "kind": "other"}', "\xff\x00"])
def test_strange_lines_are_passed_over(root: Path, line: str) -> None:
    log_path("small").parent.mkdir(parents=True)
    log_path("small").write_bytes(line.encode("latin-1") + b"\n")
    logged(4)
    assert durations("small") == {"east/audit": 4}


def test_the_log_does_not_grow_for_ever(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runlog, "LONGEST", 2000)
    for seconds in range(40):
        logged(seconds)
    files = sorted(log_path("small").parent.iterdir())
    assert [p.name for p in files] == ["run-log.jsonl", "run-log.old.jsonl"]
    assert all(p.stat().st_size < 4000 for p in files)
    assert durations("small") == {"east/audit": 38}, "the last three runs are still known"


def test_durations_are_those_of_the_last_times_it_was_made(root: Path) -> None:
    for seconds in (100, 1, 2, 3):
        logged(seconds)
    logged(50, outcome="failed")
    assert durations("small") == {"east/audit": 2}


def test_a_log_that_cannot_be_written_stops_no_run(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    log_path("small").mkdir(parents=True)
    outcome = house.run()
    assert len(outcome.made) == 5
    assert report(outcome, "small") == 0
    text = capsys.readouterr().out
    assert "The run log data/processed/small/run-log.jsonl was not written: Is a directory" in text


def test_the_last_run_can_be_read(house: House, root: Path) -> None:
    (root / "data/raw/small").mkdir(parents=True)
    (root / "data/raw/small/survey.yml").write_text("")
    assert "nothing is logged yet" in show("small")
    house.actions["east/audit"] = fail
    house.run()
    lines = show("small").splitlines()
    assert lines[0].startswith("small, begun 20") and "1 at once" in lines[0]
    assert any("failed   east/audit: audit.ipynb, In [3]: no" in line for line in lines)
    assert any("skipped  nation/pool: needs east/audit" in line for line in lines)
    assert lines[-1].startswith("2 made, 0 unchanged, 1 failed, 2 skipped in ")
    with pytest.raises(PovmonError, match="unknown survey"):
        show("smal")


def test_a_killed_run_is_told_as_such(root: Path) -> None:
    (root / "data/raw/small").mkdir(parents=True)
    (root / "data/raw/small/survey.yml").write_text("")
    RunLog("small", "east", 2, 1).task("east/audit", "made", 3, [("What arrived", 2.5)])
    text = show("small")
    assert text.startswith("small east, begun")
    assert "     2.5 s  east/audit  What arrived" in text
    assert text.endswith("The run did not end: it is still at work, or was killed.")


def test_the_summary_names_all(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = house.run()
    outcome.slowest = [("east/audit", "What arrived", 12.34), ("nation/pool", "", 2.0)]
    report(outcome, "small")
    lines = capsys.readouterr().out.splitlines()[-5:]
    assert lines[:3] == [
        "Slowest cells:",
        "    12.3 s  east/audit   What arrived",
        "     2.0 s  nation/pool  the whole step",
    ]
    assert lines[3].startswith("small: 5 made, 0 unchanged in ")
    assert lines[4].startswith("Log: data/processed/small/run-log.jsonl (`make log SURVEY=small`")


def test_every_entry_is_one_object_a_line_with_the_documented_keys(root: Path) -> None:
    logged(1)
    lines = log_path("small").read_text("utf-8").splitlines()
    keys = {"version", "run", "kind", "at"}
    assert all(keys <= json.loads(line).keys() for line in lines)
    documented = (Path(__file__).parents[2] / "docs" / "run-log.md").read_text("utf-8")
    for line in lines:
        for key in json.loads(line):
            assert f"`{key}`" in documented, key
