"""One display of all that runs: live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from povmon.pipeline.board import (
    FAILED,
    MADE,
    SKIPPED,
    UNCHANGED,
    Board,
    Entry,
    spoken,
    spoken_rest,
)
from povmon.pipeline.cells import STARTING, cell_names, named

REFRESH = 0.1  # seconds between two pictures at least
SILENCE = 30.0  # seconds without a line, after which plain output says what runs


class Progress:
    """Shows what is done, what runs and how long it has taken.

    On a terminal one picture is drawn again and again (see `povmon.pipeline.display`); failures
    stay above it as lines. Elsewhere each task that ends is a line, and a long silence is broken
    by a line that says what runs.

    Parameters
    ----------
    tasks : ids of the tasks, in the order in which they are shown.
    title : what is being made.
    jobs : how many tasks run at once.
    earlier : gives the seconds that tasks took in earlier runs, by id.
    stream : where to write.
    clock : the time in seconds.
    """

    def __init__(
        self,
        tasks: Iterable[str],
        title: str = "",
        jobs: int = 1,
        earlier: Callable[[], Mapping[str, float]] = dict,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.board = Board(tasks, jobs, earlier, clock)
        self.title = title
        self._stream = stream or sys.stdout
        self._names: dict[str, dict[str, str]] = {}
        self._screen: Screen | None = None
        self._spoke = clock()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._screen:
            self._screen.close()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self.board.elapsed

    def start(self, task: str, notebook: Path | None = None) -> None:
        """A task begins; its notebook tells the names of its cells."""
        self._names[task] = cell_names(notebook)
        self.board.start(task, STARTING if notebook else "")
        if self._screen is None and is_live(self._stream):
            self._screen = Screen(self.board, self.title, self._stream)
        self.tick()

    def cell(self, task: str, text: str) -> None:
        """A task has come to another cell; prose takes no time and is passed over."""
        name = named(self._names.get(task, {}), text)
        if name:
            self.board.cell(task, name)
        self.tick()

    def finish(self, task: str, outcome: str) -> Entry:
        """A task has ended, `MADE` or `FAILED`; returns what is known of it."""
        entry = self.board.finish(task, outcome)
        word = outcome.upper() if outcome == FAILED else outcome
        self._tell(f"{task} {word} ({entry.seconds:.1f} s)", stays=outcome == FAILED)
        return entry

    def pass_over(self, task: str, why: str = "") -> None:
        """A task needs nothing (no reason given), or cannot be done."""
        self.board.finish(task, SKIPPED if why else UNCHANGED)
        if why:
            self._tell(f"{task} {why}", stays=True)
        self.tick()

    def tick(self) -> None:
        """Time has passed: draw again, or break a long silence."""
        if self._screen:
            self._screen.draw()
        elif self.board.clock() - self._spoke >= SILENCE and self.board.running:
            self.say(f"{self._count()} {self._state_of_things()}")

    def say(self, text: str) -> None:
        """A line that stays."""
        self._spoke = self.board.clock()
        if self._screen:
            self._screen.say(text)
        else:
            encoding = getattr(self._stream, "encoding", None) or "utf-8"
            text = text.encode(encoding, "replace").decode(encoding)
            print(text, file=self._stream, flush=True)

    def slowest(self, number: int = 5) -> list[tuple[str, str, float]]:
        """The cells that took longest: task, cell, seconds; steps without cells as a whole."""
        every = [
            (task, name, seconds)
            for task, entry in self.board.entries.items()
            if entry.state in (MADE, FAILED)
            for name, seconds in entry.cells
        ]
        return sorted(every, key=lambda e: -e[2])[:number]

    def _tell(self, text: str, stays: bool) -> None:
        """News: always a line of plain output; on a terminal only what must not be missed."""
        if self._screen is None or stays:
            self.say(f"{self._count()} {text}")
        self.tick()

    def _count(self) -> str:
        return f"[{self.board.done:>{len(str(self.board.total))}}/{self.board.total}]"

    def _state_of_things(self) -> str:
        now = self.board.clock()
        running = [
            f"{task} ({', '.join(filter(None, [e.cell, spoken(now - e.begun)]))})"
            for task, e in self.board.running.items()
        ]
        rest = spoken_rest(self.board.rest())
        return f"{spoken(self.elapsed)}, running: {', '.join(running)}; {rest}"


def is_live(stream: TextIO) -> bool:
    """Whether a stream is a terminal whose lines can be written over."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


class Screen:
    """The live picture on a terminal; drawn by the caller's own thread, at most ten times a second.

    Parameters
    ----------
    board : what to draw.
    title : what is being made.
    stream : the terminal.
    """

    def __init__(self, board: Board, title: str, stream: TextIO) -> None:
        # Imported only here: a run with nothing to do must be quick.
        from rich.console import Console
        from rich.live import Live

        from povmon.pipeline.display import Picture

        self.board = board
        encoding = (getattr(stream, "encoding", None) or "").lower().replace("-", "")
        self._picture = Picture(title, unicode=encoding.startswith("utf"))
        self._console = Console(file=stream, highlight=False)
        self._size = self._console.size
        self._said: list[str] = []
        self._drawn = 0.0
        self._live = Live(
            console=self._console,
            get_renderable=self._render,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            vertical_overflow="crop",
        )
        self._live.start()

    def draw(self) -> None:
        """Draw again, unless that was done a moment ago."""
        now = self.board.clock()
        if now - self._drawn < REFRESH:
            return
        self._drawn = now
        self._resized()
        self._live.refresh()

    def say(self, text: str) -> None:
        """A line that stays above the picture."""
        self._said.append(text)
        self._console.print(text, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the last picture where it is."""
        self._resized()
        self._live.stop()

    def _resized(self) -> None:
        """After a change of size nobody knows where the terminal has put the lines: begin anew."""
        if self._console.size == self._size:
            return
        self._size = self._console.size
        self._console.clear()
        for text in self._said:
            self._console.print(text, markup=False, soft_wrap=True)

    def _render(self) -> Any:
        from rich.console import Group

        width, height = self._console.size
        return Group(*self._picture.lines(self.board, width, height - 1))
