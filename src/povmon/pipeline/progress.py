"""One display of all that runs: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any, TextIO


class Progress:
    """Shows what is done, what runs and how long it has taken.

    Parameters
    ----------
    total : number of tasks.
    stream : where to write; a terminal gets a live display.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total = total
        self.done = 0
        self._stream = stream or sys.stdout
        self._running: dict[str, tuple[float, str]] = {}
        self._begun = time.monotonic()
        self._live: Any = None

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False)
            self._live = Live(console=console, get_renderable=self._table, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def start(self, task: str) -> None:
        """A task begins."""
        self._running[task] = (time.monotonic(), "starting")

    def cell(self, task: str, text: str) -> None:
        """A task has come to another cell."""
        if task in self._running:
            self._running[task] = (self._running[task][0], text)

    def finish(self, task: str, outcome: str) -> float:
        """A task has ended; returns its seconds."""
        begun, _ = self._running.pop(task, (time.monotonic(), ""))
        seconds = time.monotonic() - begun
        self.done += 1
        self.say(f"{self._count()} {task} {outcome} ({seconds:.1f} s)")
        return seconds

    def pass_over(self, task: str, why: str = "") -> None:
        """A task needs nothing, or cannot be done."""
        self.done += 1
        if why:
            self.say(f"{self._count()} {task} {why}")

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._live:
            self._live.console.print(text, markup=False, soft_wrap=True)
        else:
            print(text, file=self._stream, flush=True)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._begun

    def _count(self) -> str:
        return f"[{self.done:>{len(str(self.total))}}/{self.total}]"

    def _table(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.text import Text

        now = time.monotonic()
        lines: list[Any] = [
            Text(f"{self._count()} {self.elapsed:.0f} s"),
            ProgressBar(total=max(self.total, 1), completed=self.done, width=40),
        ]
        for task, (begun, text) in self._running.items():
            lines.append(Text(f"  {task}: {text}, {now - begun:.0f} s"))
        return Group(*lines)
