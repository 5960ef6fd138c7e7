"""The run log of a survey: what each run did, one JSON object a line (docs/run-log.md).

``data/processed/<survey>/run-log.jsonl`` is only ever appended to. A line that a crash cut short
is passed over in reading, and cut off before the next is added. A file grown too long becomes
``run-log.old.jsonl``, in the place of the one before.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.board import FAILED, MADE, SKIPPED
from povmon.pipeline.files import append_line

VERSION = 1
LONGEST = 4 * 2**20  # bytes; some twenty runs of the largest survey from nothing
LINE = 79  # columns of a line of the summary
RECENT = 3  # runs of a task whose median is what it is expected to take


class RunLog:
    """Appends what a run does.

    A log that cannot be written stops no run: `trouble` says why, for the summary.

    Parameters
    ----------
    survey, area : what the run brings up to date; the area is empty when it is all of them.
    jobs : how many tasks run at once.
    tasks : how many tasks the run looks at.
    """

    def __init__(self, survey: str, area: str, jobs: int, tasks: int) -> None:
        self.path = log_path(survey)
        self.run = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.urandom(4).hex()}"
        self.trouble = ""
        self._about = {"survey": survey, "area": area, "jobs": jobs, "tasks": tasks}
        self._begun = time.time()
        self._open = False

    def task(
        self,
        task: str,
        outcome: str,
        seconds: float = 0.0,
        cells: Sequence[tuple[str, float]] = (),
        error: str = "",
    ) -> None:
        """A task was made, failed or was skipped; unchanged ones are only counted at the end."""
        self._begin(packages=True)
        entry: dict[str, Any] = {"task": task, "outcome": outcome, "seconds": round(seconds, 3)}
        named = [[name, round(s, 3)] for name, s in cells if name]
        if named:
            entry["cells"] = named
        if error:
            entry["error"] = error
        self._write("task", entry)

    def end(self, outcome: Any, complete: bool) -> None:
        """The run is over, `complete` unless it was stopped.

        Parameters
        ----------
        outcome : a `povmon.pipeline.engine.Outcome`.
        """
        self._begin(packages=False)
        counts = {n: len(getattr(outcome, n)) for n in ("made", "unchanged", "failed", "skipped")}
        more = {"seconds": round(outcome.seconds, 3), "peak_memory": outcome.peak_memory or None}
        self._write("end", {"complete": complete, **counts, **more})

    def _begin(self, packages: bool) -> None:
        """The first entry; packages are only named in a run that made something with them."""
        if self._open:
            return
        self._open = True
        versions = {"python": ".".join(map(str, sys.version_info[:3]))}
        if packages:
            from povmon.pipeline.notebook import versions as used

            versions |= used()
        at = {"at": _time(self._begun), "commit": _commit(), "versions": versions}
        self._write("begin", {**at, **self._about})

    def _write(self, kind: str, entry: dict[str, Any]) -> None:
        stamp = {"version": VERSION, "run": self.run, "kind": kind, "at": _time(time.time())}
        try:
            if kind == "begin":
                _make_room(self.path)
            append_line(self.path, json.dumps(stamp | entry, ensure_ascii=False))
        except OSError as error:
            self.trouble = error.strerror or type(error).__name__


def log_path(survey: str) -> Path:
    """The file that a survey's runs are logged in."""
    return paths.processed(survey) / "run-log.jsonl"


def _make_room(path: Path) -> None:
    """Set a log that has grown too long aside."""
    if path.exists() and path.stat().st_size > LONGEST:
        os.replace(path, path.with_suffix(".old.jsonl"))


def entries(survey: str) -> Iterator[dict[str, Any]]:
    """Entries of a survey's run log that can be read, oldest first."""
    path = log_path(survey)
    for file in (path.with_suffix(".old.jsonl"), path):
        try:
            content = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in content.split("\n"):
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # cut short by a crash
            if isinstance(entry, dict) and entry.get("version") == VERSION:
                yield entry


def durations(survey: str) -> dict[str, float]:
    """Seconds that each task is expected to take: the median of the last times it was made."""
    from statistics import median  # only here: a run with nothing to do must be quick

    found: dict[str, list[float]] = {}
    for entry in entries(survey):
        if entry["kind"] == "task" and entry["outcome"] == MADE:
            found.setdefault(entry["task"], []).append(entry["seconds"])
    return {task: median(seconds[-RECENT:]) for task, seconds in found.items()}


def last_run(survey: str) -> list[dict[str, Any]]:
    """Entries of the last run that did something; of the very last where none did."""
    runs: dict[str, list[dict[str, Any]]] = {}
    for entry in entries(survey):
        runs.setdefault(entry["run"], []).append(entry)
    busy = [run for run in runs.values() if any(e["kind"] == "task" for e in run)]
    return (busy or list(runs.values()) or [[]])[-1]


def show(survey: str) -> str:
    """The last run as a table to be read.

    Raises
    ------
    PovmonError : no such survey.
    """
    if not (paths.raw(survey) / "survey.yml").is_file():
        from povmon.errors import unknown_name

        raise unknown_name("survey", survey, paths.surveys())
    run = last_run(survey)
    if not run:
        return f"{survey}: nothing is logged yet; `make SURVEY={survey}` runs it."
    tasks = [e for e in run if e["kind"] == "task"]
    lines = [_heading(run), ""]
    for entry in tasks:
        text = f"{entry['seconds']:8.1f} s  {entry['outcome']:<8} {entry['task']}"
        lines.append(f"{text}: {entry['error']}" if entry.get("error") else text)
    cells = [(e["task"], name, s) for e in tasks for name, s in e.get("cells", ())]
    lines += ["", *slowest_lines(sorted(cells, key=lambda c: -c[2])[:5]), *_ending(run)]
    return "\n".join(lines)


def slowest_lines(cells: Sequence[tuple[str, str, float]]) -> list[str]:
    """The slowest cells (task, cell, seconds) as lines; a step without cells as a whole."""
    width = max((len(task) for task, _, _ in cells), default=0)
    room = max(LINE - len(f"{0.0:8.1f} s  ") - width - 2, 20)
    lines = [
        f"{seconds:8.1f} s  {task:<{width}}  {_short(cell or 'the whole step', room)}"
        for task, cell, seconds in cells
    ]
    return ["Slowest cells:", *lines] if lines else []


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _heading(run: list[dict[str, Any]]) -> str:
    begin = run[0] if run[0]["kind"] == "begin" else {}
    what = " ".join(filter(None, [begin.get("survey"), begin.get("area")]))
    commit = f", commit {begin['commit']}" if begin.get("commit") else ""
    python = begin.get("versions", {}).get("python", "unknown")
    jobs = begin.get("jobs", "?")
    return f"{what}, begun {run[0]['at']}{commit}, {jobs} at once, Python {python}"


def _ending(run: list[dict[str, Any]]) -> list[str]:
    end = run[-1]
    if end["kind"] != "end":
        return ["The run did not end: it is still at work, or was killed."]
    counts = [f"{end[name]} {name}" for name in (MADE, "unchanged", FAILED, SKIPPED)]
    memory = f", peak memory {end['peak_memory'] / 2**20:.0f} MiB" if end["peak_memory"] else ""
    stopped = "" if end["complete"] else " It was stopped before its end."
    return [f"{', '.join(counts)} in {end['seconds']:.1f} s{memory}.{stopped}"]


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _commit() -> str:
    """The commit of the checkout; empty where git cannot tell."""
    import subprocess

    command = ["git", "-C", str(paths.project()), "rev-parse", "--short", "HEAD"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.strip()
