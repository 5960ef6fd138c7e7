"""A job on a machine of a cluster: what a Dask worker does for the run that sent it.

The Dask worker starts a process that is new for each job (``python -m povmon.pipeline.node``),
passes on what it tells, and ends it when the job is no longer its own. In that process the job
runs as it does on one machine: by the same `Workers`, with the same fixed environment, and with
the code that lies in the project now, whatever the Dask worker once imported.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.files import Hashes, digest, files_below, write_atomically

TICK = 0.2  # seconds between two looks at whether a job is still wanted
GRACE = 2.0  # seconds that the job of a lost worker has to notice that it was given to another
PATIENCE = 5.0  # seconds that a job has to end when it is told to
TOKEN = "token"


@dataclass(frozen=True)
class Order:
    """A job as it is sent: its contents are read by the process that runs it alone.

    Attributes
    ----------
    task : id of the task; empty asks only for a description of the machine.
    folder : this run's folder in the root; it holds the token and the claims.
    environment : variables that name the root and the scheduler.
    expected : the description that the machine must fit; see `description`.
    job : the pickled job.
    topic : where the cells are told.
    """

    task: str
    folder: Path
    environment: Mapping[str, str]
    expected: Mapping[str, str]
    job: bytes = b""
    topic: str = ""

    @property
    def claim(self) -> Path:
        """The file that names whose the task is."""
        return claim_of(self.folder, self.task)


def claim_of(folder: Path, task: str) -> Path:
    """The file in a run's folder that names who has a task."""
    return folder / f"{task.replace('/', '-')}.claim"


def description(folder: Path) -> dict[str, str]:
    """What two machines must have in common to give the same bytes, by name."""
    project = paths.project()
    hashes = Hashes()
    sources = [*files_below(project / "src" / "povmon"), *files_below(paths.notebooks())]
    code = [(p.relative_to(project).as_posix(), hashes.of(p)) for p in sources]
    try:
        token = (folder / TOKEN).read_text(encoding="utf-8")
    except OSError:
        token = "not to be seen"
    named = {d.name: d.version for d in metadata.distributions()}
    return {
        "the project's folder": str(project),
        "the root's token file": token,
        "requirements.lock": hashes.of(project / "requirements.lock") or "missing",
        "code and notebooks": digest(code),
        "the processor": platform.machine(),
        "Python": platform.python_version(),
        **{f"the package {name}": version for name, version in sorted(named.items())},
    }


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """What a machine lacks or has otherwise; packages that only it has do not matter."""
    return [
        f"{name} is {there.get(name, 'missing')[:60]} there and {value[:60]} here"
        for name, value in here.items()
        if there.get(name) != value
    ]


async def probe(order: Order) -> list[str]:
    """In a Dask worker: how this machine differs from the driver's."""
    return await asyncio.to_thread(_probe, order)


def _probe(order: Order) -> list[str]:
    with _process(order) as channel:
        try:
            return list(channel.recv())
        except (EOFError, ConnectionError):
            return ["povmon cannot be started there"]


def run(order: Order) -> Any:
    """In a Dask worker: run a job in a process of its own; returns its last event.

    The thread leaves the worker's pool, so that estimates of the notebook find the cluster's
    threads free.
    """
    from distributed import get_worker, secede

    from povmon.pipeline.workers import Event

    worker = get_worker()
    key = worker.get_current_task()
    secede()
    mark = _claimed(order)
    if mark is None:
        return Event(order.task, "failed", "the run that sent it has ended.")
    with _process(order) as channel:
        while _held(order, mark) and _wanted(worker, key):
            if not channel.poll(TICK):
                continue
            try:
                event = channel.recv()
            except (EOFError, ConnectionError):
                return Event(order.task, "failed", "the process that ran it ended unexpectedly.")
            if event.kind != "cell":
                return event
            worker.log_event(order.topic, (event.task, event.text))
    return Event(order.task, "failed", "it was taken away from this worker.")


def _claimed(order: Order) -> str | None:
    """Make the task this worker's; None where its run is over.

    A worker that had it before, and was lost, may still be at it: it is given time to notice.
    """
    if not (order.folder / TOKEN).exists():
        return None
    before = order.claim.exists()
    mark = f"{platform.node()} {os.getpid()} {os.urandom(8).hex()}"
    write_atomically(order.claim, mark)
    if before:
        time.sleep(GRACE)
    return mark


def _held(order: Order, mark: str) -> bool:
    """Whether the task is still this worker's. Who cannot read that, cannot write either."""
    try:
        return order.claim.read_text(encoding="utf-8") == mark
    except OSError:
        return False


def _wanted(worker: Any, key: Any) -> bool:
    """Whether the scheduler still waits for the task: False when its client is gone."""
    state = worker.state.tasks.get(key)
    return state is not None and state.state in ("executing", "long-running")


@contextmanager
def _process(order: Order) -> Iterator[Connection]:
    """A process for an order, and the channel to it; it ends with the context."""
    from povmon.pipeline.environment import fixed_environment

    private = Path(tempfile.mkdtemp(prefix="povmon-"))  # readable by its owner only
    (private / "runtime").mkdir()
    environment = fixed_environment(private) | dict(order.environment)
    ours, theirs = Pipe()
    command = [sys.executable, "-m", "povmon.pipeline.node", str(theirs.fileno()), str(private)]
    try:
        with theirs:
            process = subprocess.Popen(
                command,
                pass_fds=(theirs.fileno(),),
                env={**os.environ, **environment},
                cwd=paths.project(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        try:
            with suppress(ConnectionError):  # it has ended already, which reading will tell
                ours.send((order.folder, environment, dict(order.expected)))
                ours.send_bytes(order.job)
            yield ours
        finally:
            ours.close()
            _end(process)
    finally:
        ours.close()
        shutil.rmtree(private, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process whose channel is closed has ended, and what it started with it."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main(number: int, private: Path) -> None:
    """The process of one order: run its job, tell its events, and end with the channel."""
    os.set_inheritable(number, False)
    try:
        with Connection(number) as channel:
            folder, environment, expected = channel.recv()
            job = channel.recv_bytes()
            different = differences(expected, description(folder))
            if not job:
                channel.send(different)
            else:
                _work(channel, environment, different, pickle.loads(job))
    except (EOFError, ConnectionError):
        return  # nobody is there any more
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _work(channel: Connection, environment: dict[str, str], different: list[str], job: Any) -> None:
    from povmon.pipeline.workers import Event, Workers

    if different:
        text = f"{platform.node()}: {different[0]}. Nothing may change during a run on a cluster."
        channel.send(Event(job.task, "failed", text))
        return
    workers = Workers(1, environment)
    try:
        workers.start(job)
        while not channel.poll():  # it can only be read when the other end is closed
            for event in workers.wait(TICK):
                channel.send(event)
                if event.kind != "cell":
                    return
    finally:
        workers.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
