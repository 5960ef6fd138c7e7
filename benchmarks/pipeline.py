"""`make bench-pipeline`: how fast a survey's pages are made, against the plain Jupyter commands.

The baseline is a makefile that calls papermill and nbconvert for each notebook, two at once, with
the same parameters and in the order of their dependencies. Both work in a temporary root on the
same submissions; each figure is a median, taken in turn in the same run. Set-up is left out on
both sides: generated submissions and the boundaries of the atlas are there before. The baseline
also finds the pooled estimates made, which the pipeline makes anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from povmon import paths
from povmon.pipeline.bench import change, copy_raw
from povmon.pipeline.facts import Facts, facts
from povmon.pipeline.files import Hashes
from povmon.pipeline.tasks import Task, survey_tasks

AT_ONCE = 2  # notebooks at once on both sides
CELLS = "POVMON_CELL_LOG"


@dataclass(frozen=True)
class Limit:
    """A figure's name, unit and the most it may be."""

    what: str
    unit: str
    most: float

    def line(self, values: list[float]) -> tuple[str, bool]:
        """The line that is printed, and whether the limit is kept."""
        found = median(values)
        kept = found <= self.most
        wanted = f"at most {self.most:g}{'' if kept else ', MISSED'}"
        spread = f"{min(values):.2f} to {max(values):.2f}"
        return f"  {self.what:<60} {found:>7.2f} {self.unit:<2} {wanted} ({spread})", kept


LIMITS = {
    "naive": Limit("all notebooks, over papermill and nbconvert commands", "", 0.15),
    "work": Limit("all notebooks, over the time in their cells on two cores", "", 1.4),
    "still": Limit("make with nothing to do", "s", 0.3),
    "own": Limit("one area changed: its own pages", "s", 6),
    "all": Limit("one area changed: everything", "s", 30),
}


class House:
    """A root with a survey in it, and what is done there."""

    def __init__(self, root: Path, survey: str) -> None:
        self.root, self.survey = root, survey
        self.processed = root / "data" / "processed" / survey
        self.reports = root / "reports" / survey

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Variables of a command that works here; an outer make's are left out."""
        outer = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "AREA", "JOBS", "FORCE")
        kept = {k: v for k, v in os.environ.items() if k not in outer}
        return {**kept, "POVMON_ROOT": str(self.root), **(more or {})}

    def make(self, more: Mapping[str, str] | None = None) -> float:
        """``make`` of the survey; returns the seconds."""
        command = ["make", "--silent", f"-j{AT_ONCE}", f"SURVEY={self.survey}"]
        return timed(command, paths.project(), self.environment(more))

    def forget(self) -> None:
        """As before the first run, but with submissions and boundaries."""
        state = self.root / "data" / "processed" / ".state" / self.survey
        for folder in (self.processed, state, self.reports):
            shutil.rmtree(folder, ignore_errors=True)

    def cold(self) -> tuple[float, float]:
        """Seconds of a run from nothing, and the seconds that its notebooks spent in cells."""
        self.forget()
        log = self.root / "cells.jsonl"
        log.unlink(missing_ok=True)
        seconds = self.make({CELLS: str(log)})
        return seconds, sum(json.loads(line)["seconds"] for line in log.read_text().splitlines())

    def changed(self, about: Facts, area: str) -> tuple[float, float]:
        """Seconds until an area's own pages are made after a change in it, and until all are."""
        change(self.root, about, area)
        begun = time.time()
        seconds = self.make()
        pages = [p.stat().st_mtime for p in (self.reports / area).glob("*.html")]
        new = [t for t in pages if t >= begun]
        if not new:
            sys.exit(f"No page of {area} was made again: nothing was measured.")
        return max(new) - begun, seconds


def timed(command: list[str], folder: Path, env: Mapping[str, str]) -> float:
    """Seconds of a command; a failure ends the benchmark with what it said."""
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds


class Naive:
    """The same pages by the commands of papermill and nbconvert, from a makefile."""

    def __init__(self, house: House, tasks: Mapping[str, Task]) -> None:
        self.house = house
        self.folder = house.root / "naive"
        self.tasks = {i: t for i, t in tasks.items() if t.notebook}

    def run(self) -> float:
        """Seconds for all pages; each is checked to be there."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "Makefile").write_text(self.makefile(), encoding="utf-8")
        command = ["make", "--silent", f"-j{AT_ONCE}", "-f", str(self.folder / "Makefile"), "all"]
        seconds = timed(command, paths.project(), self.house.environment())
        missing = [i for i in self.tasks if not self.page(i).stat().st_size]
        if missing:
            sys.exit(f"The baseline did not make {', '.join(missing)}.")
        return seconds

    def page(self, task: str) -> Path:
        """Where the baseline's page of a task goes."""
        return self.folder / f"{task}.html"

    def makefile(self) -> str:
        """A rule for each notebook, after those whose tables it reads."""
        lines = [f"all: {' '.join(str(self.page(i)) for i in self.tasks)}"]
        for name, task in self.tasks.items():
            before = [str(self.page(i)) for i in self.needs(task)]
            made = self.folder / f"{name}.ipynb"
            parameters = " ".join(f"-p {k} {v}" for k, v in task.parameters.items())
            options = f"--no-progress-bar --kernel python3 --cwd {paths.project()}"
            lines += [
                f"{self.page(name)}: {' '.join(before)}",
                f"\tmkdir -p {made.parent}",
                f"\t{sys.executable} -m papermill {task.notebook} {made} {parameters} {options}",
                f"\t{sys.executable} -m nbconvert --to html {made} --output-dir {made.parent}",
            ]
        return "\n".join(lines) + "\n"

    def needs(self, task: Task) -> list[str]:
        """Notebooks that come before a task's, also those behind plain steps."""
        found: set[str] = set()
        for used in task.uses:
            if used in self.tasks:
                found.add(used)
        if any(used not in self.tasks for used in task.uses):  # the pool needs every audit
            found |= {i for i, t in self.tasks.items() if t.step == "audit" and i != task.id}
        return sorted(found) if task.step != "audit" else []


def say(text: str) -> None:
    """A line on how far the benchmark is."""
    print(text, flush=True)


def measure(survey: str, area: str, times: int) -> dict[str, list[float]]:
    """Every figure, `times` times."""
    about = facts(survey, Hashes())
    area = area or next(iter(about.areas))
    found: dict[str, list[float]] = {name: [] for name in LIMITS}
    with tempfile.TemporaryDirectory(prefix="povmon-bench-") as folder:
        house = House(Path(folder), survey)
        copy_raw(about, house.root)
        say(f"{survey}, made once before the measurements: {house.make():.1f} s")
        for round_ in range(1, times + 1):
            slow = Naive(house, survey_tasks(about)).run()
            say(f"round {round_}: papermill and nbconvert {slow:.1f} s")
            cold, cells = house.cold()
            say(f"round {round_}: make {cold:.1f} s, in cells {cells:.1f} s")
            found["naive"].append(cold / slow)
            found["work"].append(cold / (cells / AT_ONCE))
            found["still"].append(house.make())
            own, everything = house.changed(about, area)
            found["own"].append(own)
            found["all"].append(everything)
            say(f"round {round_}: {area} changed, own pages {own:.1f} s, all {everything:.1f} s")
    return found


def main() -> None:
    """Measure and print each figure with its limit; ``--check`` fails when one is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", default="baseline2010")
    parser.add_argument("--area", default="", help="the area to change (default: the first)")
    parser.add_argument("--times", type=int, default=3, help="rounds; medians are told")
    parser.add_argument("--check", action="store_true", help="fail when a limit is missed")
    chosen = parser.parse_args()
    found = measure(chosen.survey, chosen.area, chosen.times)
    lines = [LIMITS[name].line(values) for name, values in found.items()]
    print(f"{chosen.survey}, {AT_ONCE} at once, medians of {chosen.times}")
    print("\n".join(line for line, _ in lines))
    if chosen.check and not all(kept for _, kept in lines):
        sys.exit(1)


if __name__ == "__main__":
    main()
