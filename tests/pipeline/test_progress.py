"""Plain lines and the live display, on streams that are terminals and that are not."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from pipeline.test_board import Clock
from povmon.pipeline.board import FAILED, MADE
from povmon.pipeline.progress import Progress, is_live

TASKS = ["east/audit", "west/audit", "index"]


class Terminal(io.TextIOWrapper):
    """A terminal that remembers what was written."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        return True

    @property
    def written(self) -> str:
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((80, 24)))
    for name in (
        "COLUMNS",
        "LINES",
        "NO_COLOR",
        "FORCE_COLOR",
        "TTY_COMPATIBLE",
        "TTY_INTERACTIVE",
    ):
        monkeypatch.delenv(name, raising=False)


def notebook(folder: Path) -> Path:
    cells = [
        {"cell_type": "markdown", "id": "t", "source": "## What arrived"},
        {"cell_type": "code", "id": "files", "source": "files()"},
    ]
    path = folder / "small.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def played(stream: io.TextIOBase, clock: Clock, folder: Path) -> Progress:
    """A run with everything in it."""
    progress = Progress(TASKS, "demo", 2, stream=stream, clock=clock)  # type: ignore[arg-type]
    with progress:
        progress.start("east/audit", notebook(folder))
        clock.now += 3
        progress.cell("east/audit", "cell 1 (t)")  # prose
        progress.cell("east/audit", "cell 2 (files)")
        clock.now += 40
        progress.tick()
        progress.finish("east/audit", FAILED)
        progress.pass_over("west/audit")
        progress.start("index")
        clock.now += 1
        progress.finish("index", MADE)
    return progress


def test_plain_lines_where_there_is_no_terminal(tmp_path: Path) -> None:
    stream = io.StringIO()
    played(stream, Clock(), tmp_path)
    assert stream.getvalue().splitlines() == [
        "[0/3] 43 s, running: east/audit (What arrived, 43 s); rest unknown yet",
        "[1/3] east/audit FAILED (43.0 s)",
        "[3/3] index made (1.0 s)",
    ]


def test_a_silence_is_broken_only_when_it_is_long(tmp_path: Path) -> None:
    stream, clock = io.StringIO(), Clock()
    progress = Progress(TASKS, "demo", stream=stream, clock=clock)
    progress.start("index")
    for _ in range(100):  # a hundred seconds
        clock.now += 1
        progress.tick()
    assert [line.split(",")[0] for line in stream.getvalue().splitlines()] == [
        "[0/3] 30 s",
        "[0/3] 1:00 min",
        "[0/3] 1:30 min",
    ]


def test_a_terminal_gets_a_picture_and_failures_stay(tmp_path: Path) -> None:
    stream = Terminal()
    played(stream, Clock(), tmp_path)
    text = stream.written
    assert "\x1b[1A\x1b[2K" in text, "the picture is written over"
    assert "What arrived" in text and "cell 2" not in text
    assert text.count("[1/3] east/audit FAILED (43.0 s)") == 1
    assert "index made" not in text
    assert text.rstrip("\n").endswith("\x1b[?25h"), "the cursor is shown again"


def test_no_colour_is_respected_and_the_states_still_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coloured, plain = Terminal(), Terminal()
    played(coloured, Clock(), tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    played(plain, Clock(), tmp_path)
    assert "\x1b[1;36m" in coloured.written  # bold and cyan
    assert "36m" not in plain.written and "31m" not in plain.written
    assert "✗" in plain.written


def test_ascii_only_where_the_encoding_has_no_more(tmp_path: Path) -> None:
    stream = Terminal("ascii")
    played(stream, Clock(), tmp_path)  # would raise UnicodeEncodeError
    assert "X 43 s" in stream.written


def test_plain_lines_survive_a_narrow_encoding() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    Progress(TASKS, stream=stream).say("乌蒙 made")
    assert stream.buffer.getvalue() == b"?? made\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("term", "live"), [("xterm", True), ("dumb", False), ("", False)])
def test_a_terminal_that_cannot_move_gets_plain_lines(
    term: str, live: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TERM", term)
    stream = Terminal()
    assert is_live(stream) is live
    played(stream, Clock(), tmp_path)
    assert ("\x1b" in stream.written) is live


def test_a_change_of_size_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    stream, clock = Terminal(), Clock()
    with Progress(TASKS, "demo", stream=stream, clock=clock) as progress:
        progress.start("index")
        progress.say("[0/3] something that must stay")
        monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((40, 24)))
        clock.now += 1
        progress.tick()
        after = stream.written.partition("\x1b[2J")[2]
        assert "something that must stay" in after and "index" in after


def test_nothing_to_do_shows_no_picture() -> None:
    stream = Terminal()
    with Progress(TASKS, stream=stream) as progress:
        for task in TASKS:
            progress.pass_over(task)
    assert stream.written == ""


def test_the_slowest_cells_are_named(tmp_path: Path) -> None:
    progress = played(io.StringIO(), Clock(), tmp_path)
    assert progress.slowest(2) == [
        ("east/audit", "What arrived", 40.0),
        ("east/audit", "starting the kernel", 3.0),
    ]
    assert ("index", "", 1.0) in progress.slowest()
