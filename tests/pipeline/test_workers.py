"""Worker processes: what they answer, and what happens when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROJECT, copy_survey
from povmon.pipeline.workers import Event, FunctionJob, Workers


@pytest.fixture
def workers(root: Path) -> Iterator[Workers]:
    made = Workers(1, {"POVMON_ROOT": str(root)})
    yield made
    made.stop()


def last_event(workers: Workers, seconds: float = 60) -> Event:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for event in workers.wait(0.5):
            if event.kind != "cell":
                return event
    raise AssertionError("no answer")


def test_a_worker_answers_and_serves_again(workers: Workers) -> None:
    assert workers.free == 1
    workers.start(FunctionJob("one", "pool", {"survey": "nowhere"}))
    assert workers.free == 0
    event = last_event(workers)
    assert (event.task, event.kind) == ("one", "failed")
    assert "unknown survey 'nowhere'" in event.text and "Traceback" not in event.text
    pid = workers._workers[0].process.pid
    workers.start(FunctionJob("two", "nonsense", {}))
    assert "ModuleNotFoundError" in last_event(workers).text
    assert workers._workers[0].process.pid == pid


def test_a_killed_worker_fails_its_own_task_and_is_replaced(workers: Workers, root: Path) -> None:
    copy_survey("demo", root)
    workers.start(FunctionJob("one", "generate", {"survey": "demo"}))
    os.kill(workers._workers[0].process.pid, signal.SIGKILL)
    event = last_event(workers)
    assert (event.task, event.kind) == ("one", "failed")
    assert "SIGKILL, perhaps because memory ran out" in event.text
    workers.start(FunctionJob("two", "pool", {"survey": "nowhere"}))
    assert last_event(workers).task == "two"


def processes_of(root: Path) -> list[int]:
    """Processes that work for a root."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"POVMON_ROOT={root}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            continue  # ended meanwhile, or another user's
    return [p for p in found if p != os.getpid()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_an_interrupt_ends_everything_and_the_next_run_goes_on(tmp_path: Path) -> None:
    root = tmp_path / "root"
    copy_survey("vlss1998", root)
    run = subprocess.Popen(
        [sys.executable, "-m", "povmon.pipeline", "run", "--survey", "vlss1998"],
        cwd=PROJECT,
        env={**os.environ, "POVMON_ROOT": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    end = time.monotonic() + 60
    while len(processes_of(root)) < 5 and time.monotonic() < end:  # driver, workers, kernels
        time.sleep(0.2)
    begun = time.monotonic()
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=90)
    assert time.monotonic() - begun < 5
    assert run.returncode == 130
    assert "Traceback" not in output and "Stopped." in output
    time.sleep(2)  # a kernel looks for its parent each second
    assert processes_of(root) == []
    assert not list(root.rglob("*.tmp"))
