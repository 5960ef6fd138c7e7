"""Peak memory of a run: what all its processes hold together, shared pages counted once."""

from __future__ import annotations

import os
from pathlib import Path


class PeakMemory:
    """Samples the driver's process tree; reads /proc and tells nothing where there is none."""

    def __init__(self) -> None:
        self.peak = 0
        self._resident = 0

    def sample(self) -> None:
        """Look once and remember the largest sum (bytes).

        The exact sum makes the system walk through every page, so it is only taken when the
        cheap one (resident pages, shared ones counted for each user) has grown.
        """
        pids = _tree(os.getpid())
        resident = sum(_resident(pid) for pid in pids)
        if resident > 1.02 * self._resident:
            self._resident = resident
            self.peak = max(self.peak, sum(_share(pid) for pid in pids))


def _tree(root: int) -> list[int]:
    """A process and its descendants."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += [int(c) for c in (thread / "children").read_text().split()]
    except OSError:
        return children  # the process has ended meanwhile
    return children


def _resident(pid: int) -> int:
    """Resident pages of a process."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return 0  # the process has ended meanwhile


def _share(pid: int) -> int:
    """Bytes of a process, each shared page divided by the number of its users."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        return 0  # the process has ended meanwhile, or the system has no such file
    return 0
