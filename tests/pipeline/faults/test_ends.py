"""Cells that go wrong, processes that are killed, runs that are stopped, two runs at once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import PROJECT
from pipeline.faults.harness import COMMAND, PATIENCE, Built, Mini, completes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc"),
]
DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
HUNGRY = (
    "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))\n"
    "hoard = bytearray(1 << 33)"
)


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("while True: pass", "the cell did not end within 10 seconds"),
        (DEAF, "the cell did not end within 10 seconds"),
        (HUNGRY, "MemoryError"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "perhaps because memory"),
        ("import os; os._exit(3)", "ended unexpectedly"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(5)", "SystemExit"),
    ],
    ids=["never ends", "deaf", "hungry", "killed", "exits", "raises", "sys.exit"],
)
def test_a_cell_that_goes_wrong(cell: str, told: str, mini: Mini, built: Built) -> None:
    ended = mini.run(POVMON_MINI_CELL=cell, POVMON_CELL_TIMEOUT="10")
    assert ended.code == 1 and told in ended.output, ended.output
    assert "Traceback" not in ended.output
    tables = [n for n in built.before if n.endswith(".parquet")]
    assert {n: mini.bytes()[n] for n in tables} == {n: built.before[n] for n in tables}
    completes(mini, built.after)


@pytest.mark.parametrize("role", ["driver", "template", "worker", "kernel"])
def test_a_process_killed_while_a_cell_runs(role: str, mini: Mini, built: Built) -> None:
    run = mini.start_in_cell()
    os.kill(mini.of_role(role, run.pid), signal.SIGKILL)
    ended = mini.end(run)
    assert ended.code == (-9 if role == "driver" else 1), ended.output
    assert "Traceback" not in ended.output
    completes(mini, built.after)


def interrupt(run: subprocess.Popen[bytes]) -> None:
    """Ctrl-C: the terminal signals the whole group."""
    os.killpg(run.pid, signal.SIGINT)


def twice(run: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, and again at once."""
    interrupt(run)
    time.sleep(0.1)
    if run.poll() is None:
        interrupt(run)


@pytest.mark.parametrize(
    ("stop", "code"),
    [
        (interrupt, 130),
        (twice, 130),
        (lambda run: run.send_signal(signal.SIGTERM), 143),
        (lambda run: run.send_signal(signal.SIGHUP), 129),
    ],
    ids=["ctrl-c", "ctrl-c twice", "sigterm", "sighup"],
)
@pytest.mark.parametrize("then", ["time.sleep(1000)", f"exec({DEAF!r})"], ids=["", "deaf"])
def test_a_run_that_is_stopped_leaves_no_process(
    stop: Callable[[subprocess.Popen[bytes]], None], code: int, then: str, mini: Mini, built: Built
) -> None:
    run = mini.start_in_cell(then)
    stop(run)
    ended = mini.end(run)
    print(f"ended after {ended.seconds:.2f} s")
    assert ended.code == code, ended.output
    assert "Stopped." in ended.output and "Traceback" not in ended.output
    assert mini.gone(), "a process is left"
    completes(mini, built.after)


def test_two_runs_at_once_wait_for_each_other(mini: Mini, built: Built) -> None:
    runs = {name: mini.start(output=name) for name in ("one", "two")}
    ended = {name: mini.end(run, name) for name, run in runs.items()}
    assert [e.code for e in ended.values()] == [0, 0], ended
    outputs = sorted((e.output for e in ended.values()), key=lambda o: "waiting" in o)
    assert "3 made, 0 unchanged" in outputs[0]
    assert "waiting for it" in outputs[1] and " 0 made, 3 unchanged" in outputs[1]
    assert mini.bytes() == built.after


def test_a_run_that_waits_can_be_stopped(mini: Mini, built: Built) -> None:
    first = mini.start_in_cell()
    second = mini.start(output="two")
    while "waiting" not in (mini.side / "two").read_text("utf-8"):
        assert second.poll() is None
        time.sleep(0.05)
    interrupt(second)
    ended = mini.end(second, "two")
    assert ended.code == 130 and "Traceback" not in ended.output
    assert first.poll() is None
    interrupt(first)
    mini.end(first)
    completes(mini, built.after)


@pytest.mark.parametrize("shell", ['"$@" >&- 2>&-', '"$@" >/dev/full', '"$@" 2>&1 | true'])
def test_output_that_nobody_takes(shell: str, mini: Mini, built: Built) -> None:
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *COMMAND],
        cwd=PROJECT,
        env=mini.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert mini.gone()
    completes(mini, built.after)
