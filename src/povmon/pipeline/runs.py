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
from povmon.pipeline.runlog import log_path, slowest_lines
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


def make(
    survey: str, area: str, jobs: int, keep_going: bool = True, scheduler: str = ""
) -> Outcome:
    """Bring a survey, or one of its areas, up to date; another run at work is waited for.

    Parameters
    ----------
    jobs : tasks at once; 0 on a cluster for as many as it has threads.
    scheduler : address of a Dask cluster's scheduler; empty for this machine alone.
    """
    workers = None
    if scheduler:
        from povmon.pipeline.cluster import cluster_workers

        workers = cluster_workers(scheduler)
    with locked() as lock:
        hashes = remembered()
        about, tasks, note = plan(survey, area, hashes)
        if note:
            print(note)
        if not area:
            prune(Ledger(survey, hashes), tasks)
        return Run(about, tasks, hashes, jobs, keep_going, workers, area=area, lock=lock)()


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


def default_jobs(scheduler: str = "") -> int:
    """``-jN`` of the calling make where given, otherwise the number of cores (0: a cluster's)."""
    flags = os.environ.get("MAKEFLAGS", "").split()
    for flag in flags:
        if flag.startswith("-j") and flag[2:].isdigit():
            return max(1, int(flag[2:]))
    return 0 if scheduler else cores()


def report(outcome: Outcome, survey: str) -> int:
    """Print the summary; returns the exit code."""
    for task, text in outcome.failed.items():
        print(f"\n{task}: {text}", file=sys.stderr)
    if outcome.failed:
        print(file=sys.stderr)
    for line in summary(outcome, survey):
        print(line)
    return 1 if outcome.failed else 0


def summary(outcome: Outcome, survey: str) -> list[str]:
    """What a run did, the cells that took longest, and where pages and log lie."""
    counts = [f"{len(outcome.made)} made", f"{len(outcome.unchanged)} unchanged"]
    for name in ("failed", "skipped"):
        number = len(getattr(outcome, name))
        if number:
            counts.append(f"{number} {name}")
    memory = f", peak memory {outcome.peak_memory / 2**20:.0f} MiB" if outcome.made else ""
    lines = [*slowest_lines(outcome.slowest)]
    lines.append(f"{survey}: {', '.join(counts)} in {outcome.seconds:.1f} s{memory}.")
    index = paths.reports(survey) / "index.html"
    if index.exists() and not outcome.failed:
        lines.append(f"Open {label(index)} in a browser.")
    if outcome.trouble:
        lines.append(f"The run log {label(log_path(survey))} was not written: {outcome.trouble}.")
    elif outcome.made or outcome.failed:
        lines.append(f"Log: {label(log_path(survey))} (`make log SURVEY={survey}` shows it).")
    return lines
