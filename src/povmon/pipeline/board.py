"""What is known of a run while it lasts: the state of each task, its cells, the expected rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

WAITING, RUNNING = "waiting", "running"
MADE, UNCHANGED, FAILED, SKIPPED = "made", "unchanged", "failed", "skipped"
STATES = (MADE, UNCHANGED, RUNNING, WAITING, FAILED, SKIPPED)


@dataclass
class Entry:
    """One task: its state, the second it began in, how long it took, its cells with seconds."""

    state: str = WAITING
    begun: float = 0.0
    seconds: float = 0.0
    cell: str = ""
    cell_begun: float = 0.0
    cells: list[tuple[str, float]] = field(default_factory=list)


class Board:
    """The state of every task of a run.

    Parameters
    ----------
    tasks : ids, in the order in which they are shown.
    jobs : how many run at once.
    earlier : seconds that tasks took in earlier runs, by id; asked for once, when a task starts.
    clock : the time in seconds.
    """

    def __init__(
        self,
        tasks: Iterable[str],
        jobs: int = 1,
        earlier: Callable[[], Mapping[str, float]] = dict,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.entries = {task: Entry() for task in tasks}
        self.jobs = jobs
        self.clock = clock
        self.begun = clock()
        self._ask = earlier
        self._earlier: Mapping[str, float] | None = None

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.clock() - self.begun

    @property
    def total(self) -> int:
        """Number of tasks."""
        return len(self.entries)

    @property
    def done(self) -> int:
        """Number of tasks that nothing more will happen to."""
        return sum(e.state not in (WAITING, RUNNING) for e in self.entries.values())

    @property
    def running(self) -> dict[str, Entry]:
        """The tasks that run now."""
        return {t: e for t, e in self.entries.items() if e.state == RUNNING}

    def start(self, task: str, cell: str) -> None:
        """A task begins."""
        if self._earlier is None:
            self._earlier = self._ask()
        now = self.clock()
        self.entries[task] = Entry(RUNNING, now, cell=cell, cell_begun=now)

    def cell(self, task: str, name: str) -> None:
        """A running task has come to another cell."""
        entry = self.entries[task]
        if entry.state == RUNNING:
            self._close_cell(entry)
            entry.cell, entry.cell_begun = name, self.clock()

    def finish(self, task: str, state: str) -> Entry:
        """A task has ended, or turned out to need nothing."""
        entry = self.entries[task]
        if entry.state == RUNNING:
            self._close_cell(entry)
            entry.seconds = self.clock() - entry.begun
        entry.state = state
        return entry

    def _close_cell(self, entry: Entry) -> None:
        entry.cells.append((entry.cell, self.clock() - entry.cell_begun))

    def rest(self) -> float | None:
        """Seconds until all is done, as far as earlier durations tell; None where none is known.

        A task is expected to take what it took before; otherwise the median of its stage in this
        run, otherwise that of all tasks of this run. Waiting tasks count as to be made, though
        some may prove unchanged.
        """
        left = []
        for task, entry in self.entries.items():
            if entry.state not in (WAITING, RUNNING):
                continue
            expected = self._expected(task)
            if expected is None:
                return None
            spent = self.clock() - entry.begun if entry.state == RUNNING else 0.0
            left.append(max(expected - spent, 0.0))
        return max(sum(left) / self.jobs, max(left)) if left else 0.0

    def _expected(self, task: str) -> float | None:
        from statistics import median  # only here: a run with nothing to do must be quick

        known = (self._earlier or {}).get(task)
        if known is not None:
            return known
        finished = {t: e.seconds for t, e in self.entries.items() if e.state == MADE}
        alike = [s for t, s in finished.items() if stage(t) == stage(task)]
        seconds = alike or list(finished.values())
        return median(seconds) if seconds else None


def stage(task: str) -> str:
    """What tasks of several areas, or of several liaison units, have in common."""
    group, _, step = task.partition("/")
    return group if group == "liaison" or not step else step


def spoken(seconds: float) -> str:
    """A duration as one says it: ``9 s``, ``2:05 min``, ``1:02 h``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


def spoken_rest(seconds: float | None) -> str:
    """The expected rest, no more exact than it is."""
    if seconds is None:
        return "rest unknown yet"
    if seconds == 0:
        return "longer than expected"
    if seconds < 1:
        return "nearly done"
    if seconds < 57.5:
        step = 1 if seconds < 10 else 5
        return f"about {step * max(1, round(seconds / step))} s left"
    return f"about {round(seconds / 60)} min left"
