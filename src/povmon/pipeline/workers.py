"""Worker processes: each runs one job at a time and may die without taking the others along."""

from __future__ import annotations

import importlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from povmon.errors import PovmonError
from povmon.pipeline.environment import LOCK
from povmon.pipeline.notebook import NotebookFailed, NotebookJob, run_notebook

PATIENCE = 0.7  # seconds that workers have to end by themselves
ATTEMPTS = 10  # to start a worker


@dataclass(frozen=True)
class FunctionJob:
    """A plain step: ``run(**parameters)`` of a module of `povmon.pipeline.steps`."""

    task: str
    function: str
    parameters: dict[str, Any]


Job = NotebookJob | FunctionJob


@dataclass(frozen=True)
class Event:
    """What a worker tells: ``cell`` (now running), ``made`` or ``failed``."""

    task: str
    kind: str
    text: str = ""
    written: tuple[Path, ...] = ()


def work(job: Job, send: Any) -> Event:
    """Run a job; every failure becomes an event whose text a user can read."""
    try:
        if isinstance(job, NotebookJob):
            written = run_notebook(job, lambda text: send(Event(job.task, "cell", text)))
        else:
            module = importlib.import_module(f"povmon.pipeline.steps.{job.function}")
            written = module.run(**job.parameters)
    except (PovmonError, NotebookFailed) as error:
        return Event(job.task, "failed", str(error))
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else "a file"
        return Event(job.task, "failed", f"{name}: {error.strerror or error}.")
    except Exception as error:  # noqa: BLE001  (a worker must answer, and the text says it all)
        if os.environ.get("POVMON_DEBUG"):
            traceback.print_exc()
        return Event(job.task, "failed", _unexpected(error))
    return Event(job.task, "made", written=tuple(written))


def _unexpected(error: Exception) -> str:
    """An error that nobody foresaw: its type, text and the place in our own source."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "povmon" in f.filename] or frames
    place = f"{Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else "unknown place"
    text = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {text[0]} ({place}). POVMON_DEBUG=1 shows the traceback."


class _Held:
    """An open file that a worker holds as long as it lives: the lock of the run."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[Any, ...]:
        return _received, (reduction.DupFd(self.descriptor),)


def _received(copy: Any) -> _Held:
    return _Held(copy.detach())


def _serve(channel: Connection, environment: dict[str, str], lock: _Held | None) -> None:
    """Loop of a worker process: a job in, events out, until the channel closes."""
    os.environ.update(environment)
    if lock:
        os.environ[LOCK] = str(lock.descriptor)
    threading.Thread(target=_end_with, args=(channel.fileno(),), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides
    signal.signal(signal.SIGTERM, _stop)
    while True:
        try:
            job = channel.recv()
        except EOFError:
            return
        channel.send(work(job, channel.send))


def _end_with(channel: int) -> None:
    """End when the driver closes its side or dies, also in the middle of a job."""
    hang_up = select.poll()
    hang_up.register(channel, 0)  # nothing but a hang-up
    hang_up.poll()
    _stop()


def _stop(*_: Any) -> None:
    """End at once, and the kernel with us."""
    if "povmon.pipeline.kernel" in sys.modules:
        for pid in sys.modules["povmon.pipeline.kernel"].ReportKernelManager.running:
            try:
                os.killpg(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue  # it has ended by itself
    os._exit(143)


@contextmanager
def _environment(added: dict[str, str]) -> Iterator[None]:
    """This process's environment with some variables more, for a while."""
    before = dict(os.environ)
    os.environ.update(added)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class _Worker:
    process: Any
    channel: Connection
    task: str = ""


class Workers:
    """As many worker processes as jobs may run at once, started when first needed.

    Parameters
    ----------
    count : number of processes.
    environment : variables that the workers and their kernels see.
    lock : descriptor that they hold too.
    """

    def __init__(self, count: int, environment: dict[str, str], lock: int | None = None) -> None:
        self._count = count
        self._environment = environment
        self._lock = None if lock is None else _Held(lock)
        self._workers: list[_Worker] = []
        self._context = get_context("forkserver")
        self._context.set_forkserver_preload(["povmon.pipeline.preload"])

    @property
    def free(self) -> int:
        """How many more jobs can start now."""
        return self._count - sum(bool(w.task) for w in self._workers)

    def start(self, job: Job) -> None:
        """Give a job to an idle worker.

        Raises
        ------
        OSError, EOFError : no process can be started.
        """
        worker = self._idle() or self._new()
        worker.task = job.task
        with suppress(ConnectionError):  # it has died: `wait` tells
            worker.channel.send(job)

    def _idle(self) -> _Worker | None:
        """A worker without a job; those that have died meanwhile are forgotten."""
        dead = [w for w in self._workers if not w.task and not w.process.is_alive()]
        for worker in dead:
            worker.channel.close()
            self._workers.remove(worker)
        return next((w for w in self._workers if not w.task), None)

    def _new(self) -> _Worker:
        for attempt in range(ATTEMPTS):
            try:
                worker = self._forked()
                break
            except (EOFError, ConnectionError):
                # The fork server has died. Once the system has noticed, another takes its place.
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(PATIENCE / ATTEMPTS)
        self._workers.append(worker)
        return worker

    def _forked(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        # A daemon: leaving Python ends it, whatever happens to `stop`.
        process = self._context.Process(
            target=_serve, args=(theirs, self._environment, self._lock), daemon=True
        )
        with theirs, _environment(self._environment):  # the fork server has it from its beginning
            process.start()
        return _Worker(process, ours)

    def wait(self, seconds: float) -> list[Event]:
        """Events that arrive within some seconds; a dead worker's task is told as failed."""
        channels = {w.channel: w for w in self._workers if w.task}
        ready = connection.wait(list(channels), seconds)
        return [self._event(channels[c]) for c in ready if isinstance(c, Connection)]

    def _event(self, worker: _Worker) -> Event:
        try:
            event: Event = worker.channel.recv()
        except (EOFError, OSError):  # OSError: it died within a message
            worker.channel.close()
            worker.process.join()
            self._workers.remove(worker)
            return Event(worker.task, "failed", _death(worker.process.exitcode))
        if event.kind != "cell":
            worker.task = ""
        return event

    def stop(self) -> None:
        """End all workers now; idle ones leave by themselves."""
        for worker in self._workers:
            worker.channel.close()
            if worker.task:
                worker.process.terminate()
        end = time.monotonic() + PATIENCE
        for worker in self._workers:
            worker.process.join(max(0.0, end - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []


def _death(code: int | None) -> str:
    name = signal.Signals(-code).name if code and code < 0 else f"exit code {code}"
    hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"the process that ran it ended unexpectedly ({name}{hint}). Run make again."
