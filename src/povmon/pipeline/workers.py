"""Worker processes: each runs one job at a time and may die without taking the others along."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe, connection, reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from povmon.pipeline import preload
from povmon.pipeline.environment import LOCK
from povmon.pipeline.notebook import NotebookJob
from warmkernel import Template, WarmUnavailable
from warmkernel.modules import PRELOAD

MODULE = "povmon.pipeline.worker"
PATIENCE = 0.7  # seconds that workers have to end by themselves


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


@dataclass
class _Worker:
    process: Any  # subprocess.Popen or warmkernel.Child
    channel: Connection
    notebooks: bool
    task: str = ""


class Workers:
    """As many worker processes as jobs may run at once, forked from templates when needed.

    Two templates load their packages side by side: one for kernels and plain steps, one for the
    workers that drive notebooks. Where they cannot be had, workers and kernels are started the
    ordinary way.

    Parameters
    ----------
    count : number of jobs at once.
    environment : variables that the workers and their kernels see.
    lock : descriptor that they hold too.
    """

    def __init__(self, count: int, environment: dict[str, str], lock: int | None = None) -> None:
        self._count = count
        self._held = () if lock is None else (lock,)
        self._environment = {**os.environ, **environment}
        if lock is not None:
            self._environment[LOCK] = str(lock)
        self._workers: list[_Worker] = []
        self._templates: list[Template] = []
        self._kernels = self._template([*PRELOAD, *preload.KERNEL], preload.KERNEL_WITHOUT)
        self._notebooks: Template | None = None
        if self._kernels:
            self._notebooks = self._template(preload.WORKER, preload.WORKER_WITHOUT)

    def _template(self, modules: Sequence[str], without: Sequence[str]) -> Template | None:
        try:
            made = Template(
                modules, environment=self._environment, without=without, held=self._held
            )
        except WarmUnavailable as error:
            self._say(error)
            return None
        self._templates.append(made)
        return made

    def _say(self, error: WarmUnavailable) -> None:
        print(f"No warm start ({error}): kernels are started the ordinary way.", flush=True)
        self._kernels = self._notebooks = None

    @property
    def free(self) -> int:
        """How many more jobs can start now."""
        return self._count - sum(bool(w.task) for w in self._workers)

    def start(self, job: Job) -> None:
        """Give a job to an idle worker.

        Raises
        ------
        OSError : no process can be started.
        """
        kind = isinstance(job, NotebookJob)
        worker = self._idle(kind) or self._new(kind)
        worker.task = job.task
        with suppress(ConnectionError):  # it has died: `wait` tells
            worker.channel.send(job)

    def _idle(self, notebooks: bool) -> _Worker | None:
        """A worker of the kind without a job; those that have died meanwhile are forgotten."""
        dead = [w for w in self._workers if not w.task and w.process.poll() is not None]
        for worker in dead:
            worker.channel.close()
            self._workers.remove(worker)
        idle = (w for w in self._workers if not w.task and w.notebooks == notebooks)
        return next(idle, None)

    def _new(self, notebooks: bool) -> _Worker:
        ours, theirs = Pipe()
        with theirs:
            template = self._notebooks if notebooks else self._kernels
            process = self._process(template, theirs.fileno())
        worker = _Worker(process, ours, notebooks)
        self._workers.append(worker)
        way = self._way() if notebooks else None
        with suppress(ConnectionError):  # it has died: `wait` tells
            ours.send(way is not None)
            if way is not None:
                reduction.send_handle(ours, way, process.pid)
        if way is not None:
            os.close(way)
        return worker

    def _way(self) -> int | None:
        """A channel to the template of the kernels, for a worker."""
        try:
            return self._kernels.channel() if self._kernels else None
        except WarmUnavailable as error:
            self._say(error)
            return None

    def _process(self, template: Template | None, channel: int) -> Any:
        if template:
            try:
                return template.start(
                    [MODULE], env=self._environment, cwd=os.getcwd(), files=[channel, 1, 2]
                )
            except WarmUnavailable as error:
                self._say(error)
        return subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=channel,
            env=self._environment,
            pass_fds=self._held,
            start_new_session=True,
        )

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
            self._workers.remove(worker)
            return Event(worker.task, "failed", _death(worker.process.wait()))
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
            try:
                worker.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self._workers = []
        for template in self._templates:
            template.close()


def _death(code: int) -> str:
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    hint = ", perhaps because memory ran out" if name == "SIGKILL" else ""
    return f"the process that ran it ended unexpectedly ({name}{hint}). Run make again."
