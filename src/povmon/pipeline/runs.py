"""What a command does as a whole: take the lock, plan, run, tell."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from povmon import paths
from povmon.cores import cores
from povmon.pipeline.engine import Outcome, Run
from povmon.pipeline.facts import Facts, facts, state_folder
from povmon.pipeline.files import Hashes, cannot_write, from_stored, label, stored_name
from povmon.pipeline.state import Ledger
from povmon.pipeline.tasks import Task, of_area, survey_tasks


@contextmanager
def locked() -> Iterator[int]:
    """Only one run at a time works in a root; a second one waits.

    The lock belongs to whoever holds the open file, so a run whose driver was killed ends with
    the last of the processes that it was passed on to.

    Yields
    ------
    The descriptor of the lock.

    Raises
    ------
    PovmonError : the state folder cannot be written.
    """
    path = state_folder() / "lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w")
    except OSError as error:
        raise cannot_write(path.parent, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another run is at work here: waiting for it.", flush=True)
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield stream.fileno()


def remembered() -> Hashes:
    """The file hashes that earlier runs remembered."""
    return Hashes(state_folder() / "hashes.json")


def plan(survey: str, area: str, hashes: Hashes) -> tuple[Facts, dict[str, Task], str]:
    """The tasks that a run would look at, and a sentence on those left out."""
    about = facts(survey, hashes)
    tasks = survey_tasks(about)
    if not area:
        return about, tasks, ""
    chosen, sentence = of_area(tasks, about, area)
    return about, chosen, sentence


def make(survey: str, area: str, jobs: int, keep_going: bool = True) -> Outcome:
    """Bring a survey, or one of its areas, up to date; another run at work is waited for."""
    with locked() as lock:
        hashes = remembered()
        about, tasks, note = plan(survey, area, hashes)
        if note:
            print(note)
        if not area:
            prune(Ledger(survey, hashes), tasks)
        return Run(about, tasks, hashes, jobs, keep_going, lock=lock)()


def prune(ledger: Ledger, tasks: Mapping[str, Task]) -> None:
    """Remove what tasks made that the survey no longer has."""
    folder = ledger.path("x").parent
    kept = {stored_name(p) for t in tasks.values() for p in t.outputs}
    for path in sorted(folder.rglob("*.json")) if folder.is_dir() else []:
        task = path.relative_to(folder).with_suffix("").as_posix()
        record = ledger.record(task)
        if task in tasks or record is None:
            continue
        for name in record.outputs.keys() - kept:
            from_stored(name).unlink(missing_ok=True)
        ledger.forget(task)
        print(f"{task} is no longer part of the survey: what it had made was removed.")


def default_jobs() -> int:
    """``-jN`` of the calling make where it was given, otherwise the number of cores."""
    flags = os.environ.get("MAKEFLAGS", "").split()
    for flag in flags:
        if flag.startswith("-j") and flag[2:].isdigit():
            return max(1, int(flag[2:]))
    return cores()


def report(outcome: Outcome, survey: str) -> int:
    """Print the summary; returns the exit code."""
    for task, text in outcome.failed.items():
        print(f"\n{task}: {text}", file=sys.stderr)
    if outcome.failed:
        print(file=sys.stderr)
    counts = [f"{len(outcome.made)} made", f"{len(outcome.unchanged)} unchanged"]
    for name in ("failed", "skipped"):
        number = len(getattr(outcome, name))
        if number:
            counts.append(f"{number} {name}")
    memory = f", peak memory {outcome.peak_memory / 2**20:.0f} MiB" if outcome.made else ""
    print(f"{survey}: {', '.join(counts)} in {outcome.seconds:.1f} s{memory}.")
    if outcome.failed:
        return 1
    index = paths.reports(survey) / "index.html"
    if outcome.made and index.exists():
        print(f"Open {label(index)} in a browser.")
    return 0
