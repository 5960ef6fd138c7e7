"""Bring a survey's tasks up to date: what is stale runs, in order, on several processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.errors import PovmonError
from povmon.pipeline.board import FAILED, MADE, SKIPPED
from povmon.pipeline.facts import Facts, state_folder
from povmon.pipeline.files import Hashes, cannot_write, digest, label
from povmon.pipeline.leftovers import private_folder, sweep
from povmon.pipeline.memory import PeakMemory
from povmon.pipeline.outputs import Safeguard, executed, failed, unfinished
from povmon.pipeline.progress import Progress
from povmon.pipeline.runlog import RunLog, durations
from povmon.pipeline.signals import ending, undisturbed
from povmon.pipeline.state import Ledger
from povmon.pipeline.tasks import Task

SHORT = 12  # characters of a hash that a page shows
SAMPLING = 1.0  # seconds between two looks at the memory; a look takes some milliseconds


@dataclass
class Outcome:
    """What a run did with each task: ids, and for failures the text."""

    made: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    peak_memory: int = 0
    slowest: list[tuple[str, str, float]] = field(default_factory=list)  # task, cell, seconds
    trouble: str = ""  # why the run log could not be written


class Run:
    """One pass over tasks.

    Parameters
    ----------
    about : facts of the survey the tasks belong to.
    tasks : by id, each after those it uses.
    hashes : remembered file hashes; saved at the end.
    jobs : how many tasks may run at once.
    keep_going : go on with other tasks after a failure.
    workers : makes the worker processes from their number, their environment and `lock`.
    area : the one area that was asked for; the run log names it.
    lock : descriptor of the root's lock, which the processes of the run hold with the driver.
    """

    def __init__(
        self,
        about: Facts,
        tasks: Mapping[str, Task],
        hashes: Hashes,
        jobs: int = 1,
        keep_going: bool = True,
        workers: Callable[[int, dict[str, str], int | None], Any] | None = None,
        area: str = "",
        lock: int | None = None,
    ) -> None:
        self.about = about
        self.survey = about.survey
        self.tasks = dict(tasks)
        self.hashes = hashes
        self.jobs = jobs
        self.keep_going = keep_going
        self.ledger = Ledger(self.survey, hashes)
        self.outcome = Outcome()
        self.memory = PeakMemory()
        self.log = RunLog(self.survey, area, jobs, len(self.tasks))
        self.progress = Progress(self.tasks, self.survey, jobs, lambda: durations(self.survey))
        self._parts: dict[str, dict[str, str]] = {}
        self._make_workers = workers
        self._lock = lock
        self._workers: Any = None
        self._sampled = 0.0

    def __call__(self) -> Outcome:
        """Bring everything up to date; returns what was done."""
        self._recover()
        try:
            with self.progress:
                self._loop()
        except KeyboardInterrupt:
            ending()
            raise
        finally:
            self.outcome.seconds = self.progress.elapsed
            self.outcome.peak_memory = self.memory.peak
            self.outcome.slowest = self.progress.slowest()
            self._close()
        return self.outcome

    def _recover(self) -> None:
        """After a run that was killed: put back what its unfinished steps had replaced."""
        try:
            for guard in unfinished(self.ledger):
                guard.recover()
        except OSError as error:
            raise cannot_write(Path(error.filename or state_folder()), error) from error
        sweep(self.survey)

    def _loop(self) -> None:
        waiting = dict(self.tasks)
        running: set[str] = set()
        while waiting or running:
            stop = bool(self.outcome.failed) and not self.keep_going
            for task in [t for t in waiting.values() if self._ready(t, waiting, running)]:
                if stop or self._blocked(task):
                    del waiting[task.id]
                    self._skip(task, "another task failed" if stop else self._blocked(task))
                elif self._workers is None or self._workers.free:
                    del waiting[task.id]
                    if self._begin(task):
                        running.add(task.id)
            if running:
                running -= self._advance(waiting)

    def _ready(self, task: Task, waiting: Mapping[str, Task], running: set[str]) -> bool:
        return not any(used in waiting or used in running for used in task.uses)

    def _blocked(self, task: Task) -> str:
        """Why a task cannot run; empty when it can."""
        if task.soft:
            return ""
        bad = [u for u in task.uses if u in self.outcome.failed or u in self.outcome.skipped]
        return f"needs {', '.join(bad[:3])}{' and others' if len(bad) > 3 else ''}" if bad else ""

    def _skip(self, task: Task, why: str) -> None:
        self.outcome.skipped[task.id] = why
        self.progress.pass_over(task.id, f"skipped: {why}")
        self.log.task(task.id, SKIPPED, error=why)

    def _begin(self, task: Task) -> bool:
        """Start a stale task; True when it now runs."""
        try:
            self.ledger.troubles = {**self.outcome.failed, **self.outcome.skipped}
            if not task.once and not self.ledger.changes(task):
                return self._pass_over(task)
            self._parts[task.id] = self.ledger.parts(task)
            job = self._job(task)
            Safeguard(self.ledger, task.id).keep(task)
        except PovmonError as error:
            self._fail(task, str(error))
            return False
        except OSError as error:
            self._fail(task, str(cannot_write(Path(error.filename or state_folder()), error)))
            return False
        self.progress.start(task.id, task.notebook)
        try:
            self._started_workers().start(job)
        except (OSError, EOFError) as error:
            self._fail(task, f"no process can be started: {error}. Run make again.")
            return False
        return True

    def _pass_over(self, task: Task) -> bool:
        """Leave a task that is up to date as it is, without a failure that no longer is one."""
        if task.page:
            with suppress(OSError):
                failed(task).unlink(missing_ok=True)
        self.outcome.unchanged.append(task.id)
        self.progress.pass_over(task.id)
        return False

    def _started_workers(self) -> Any:
        if self._workers is None:
            # Imported only here: a run with nothing to do must be quick.
            from povmon.pipeline.environment import fixed_environment
            from povmon.pipeline.workers import Workers

            make = self._make_workers or Workers
            private = private_folder()
            (private / "runtime").mkdir(exist_ok=True)
            environment = fixed_environment(private)
            environment |= {"POVMON_ROOT": str(paths.root()), "TMPDIR": str(private)}
            self._workers = make(self.jobs, environment, self._lock)
        return self._workers

    def _job(self, task: Task) -> Any:
        from povmon.pipeline.notebook import NotebookJob
        from povmon.pipeline.workers import FunctionJob

        if not task.notebook or not task.page:
            parameters: dict[str, Any] = dict(task.parameters)
            if task.soft:
                parameters |= self._around(task)
            if task.footed:
                parameters["provenance"] = self._provenance(task)
            return FunctionJob(task.id, task.function, parameters)
        return NotebookJob(
            task=task.id,
            notebook=task.notebook,
            parameters=dict(task.parameters),
            page=task.page.path,
            executed=executed(task),
            failed=failed(task),
            context=dict(task.page.context),
            breadcrumbs=task.page.breadcrumbs,
            provenance=self._provenance(task),
        )

    def _around(self, task: Task) -> dict[str, Any]:
        """What a task that takes what there is must know of the others."""
        bad = {**self.outcome.failed, **self.outcome.skipped}
        return {
            "pages": self.ledger.pages(task),
            "liaison": [[f"{en} {zh}", u] for u, (en, zh, _) in self.about.units.items()],
            "failed": [[i, bad[i]] for i in task.uses if i in bad],
            "provenance": self._provenance(task),
        }

    def _provenance(self, task: Task) -> dict[str, Any]:
        """What the page's footer names; the same inputs give the same."""
        parts = self._parts[task.id]
        data = {k.removeprefix("data "): v for k, v in parts.items() if k.startswith("data ")}
        return {
            "survey": self.survey,
            "notebook": label(task.notebook) if task.notebook else task.function,
            "parameters": dict(task.parameters),
            "data": {name: value[:SHORT] for name, value in data.items()},
            "seeds": self.ledger.seeds(parts),
            "source_digest": digest(parts)[:SHORT],
            "python": parts["python"],
        }

    def _advance(self, waiting: Mapping[str, Task]) -> set[str]:
        """Wait for news; returns the tasks that ended."""
        if self.progress.elapsed - self._sampled > SAMPLING:
            self.memory.sample()
            self._sampled = self.progress.elapsed
        ended = set()
        news = self._workers.wait(SAMPLING)
        self.progress.tick()
        for event in news:
            task = self.tasks[event.task]
            if event.kind == "cell":
                self.progress.cell(task.id, event.text)
                continue
            ended.add(task.id)
            if event.kind == "failed":
                self._fail(task, event.text)
            else:
                self._complete(task, list(event.written))
        return ended

    def _complete(self, task: Task, written: list[Path]) -> None:
        """Record a task as made, when its outputs are all there and new."""
        guard = Safeguard(self.ledger, task.id)
        try:
            old = [label(p) for p in guard.leftovers(task)]
            if old:
                raise PovmonError(f"did not write {', '.join(old)}", where=task.id)
            if not task.once:
                self.ledger.finish(task, self._parts[task.id], _all_outputs(task, written))
        except PovmonError as error:
            self._fail(task, str(error))
            return
        guard.drop()
        entry = self.progress.finish(task.id, MADE)
        self.outcome.made.append(task.id)
        self.log.task(task.id, MADE, entry.seconds, entry.cells)

    def _fail(self, task: Task, text: str) -> None:
        self.outcome.failed[task.id] = text
        with suppress(OSError):  # the next run tries it again
            Safeguard(self.ledger, task.id).restore()
        entry = self.progress.finish(task.id, FAILED)
        self.log.task(task.id, FAILED, entry.seconds, entry.cells, text)

    def _close(self) -> None:
        with undisturbed():
            if self._workers is not None:
                self._workers.stop()
            self.log.end(self.outcome, complete=self.progress.board.done == len(self.tasks))
            self.outcome.trouble = self.log.trouble
            with suppress(PovmonError):  # they only save time
                self.hashes.save()


def _all_outputs(task: Task, written: list[Path]) -> list[Path]:
    """Required outputs, and what the step says it wrote."""
    return sorted({*task.outputs, *written})
