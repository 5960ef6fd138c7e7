"""A real Dask scheduler and its workers on loopback, as processes of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Cluster:
    """A scheduler and its workers as processes of their own."""

    folder: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "scheduler.json"

    def start(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{what}{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", "--scheduler-file"]
            + [str(self.file), "--host", "127.0.0.1", "--no-dashboard", *options],
            stdout=log, stderr=log, cwd=self.folder,
        )  # fmt: skip
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start("worker", "--nthreads", "1", "--no-nanny", "--memory-limit", "0")

    def address(self) -> str:
        from distributed import Client

        with Client(scheduler_file=str(self.file), timeout=600, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=600)
            return str(client.scheduler.address)

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait(timeout=30)


@contextmanager
def two_workers(folder: Path) -> Iterator[Cluster]:
    """A cluster with two workers of one thread each, whose files lie in a folder."""
    made = Cluster(folder)
    try:
        made.start("scheduler", "--port", "0")
        deadline = time.monotonic() + 600
        while not made.file.exists():
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.1)
        made.worker()
        made.worker()
        yield made
    finally:
        made.stop()
