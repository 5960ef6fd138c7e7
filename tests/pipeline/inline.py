"""Workers that run tasks in the test's own process, so that testing the engine is quick."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.engine import Outcome, Run
from povmon.pipeline.facts import Facts, state_folder
from povmon.pipeline.files import Hashes, write_atomically
from povmon.pipeline.tasks import Task
from povmon.pipeline.workers import Event

Action = Callable[[], None]

FACTS = Facts(
    survey="small",
    title="Small survey",
    title_zh="小调查",
    synthetic=True,
    delivery="area_province",
    forms=("household",),
    products=("audit", "indicators"),
    mapped=True,
    areas={"east": ("East", "东"), "west": ("West", "西")},
    units={},
)


class Inline:
    """Stands in for `povmon.pipeline.workers.Workers`; a job is looked up by its task."""

    def __init__(self, actions: dict[str, Action]) -> None:
        self.actions = actions
        self.started: list[str] = []
        self.waiting: list[str] = []

    @property
    def free(self) -> int:
        return 1 - len(self.waiting)

    def start(self, job: Any) -> None:
        self.started.append(job.task)
        self.waiting.append(job.task)

    def wait(self, seconds: float) -> list[Event]:
        task = self.waiting.pop(0)
        try:
            self.actions[task]()
        except RuntimeError as error:
            return [Event(task, "failed", str(error))]
        return [Event(task, "made")]

    def stop(self) -> None:
        self.waiting = []


class House:
    """A survey of plain tasks: each reads files, joins their text and writes one file.

    ``house.add("east/audit", inputs=[...], uses={...})``; ``house.run()`` gives what was done.
    """

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.actions: dict[str, Action] = {}
        self.started: list[str] = []

    def output(self, task: str) -> Path:
        return paths.processed("small") / f"{task.replace('/', '_')}.parquet"

    def add(
        self,
        task: str,
        inputs: tuple[Path, ...] = (),
        uses: tuple[str, ...] = (),
        action: Action | None = None,
        **more: Any,
    ) -> Task:
        made = Task(
            task,
            "small",
            {"survey": "small"},
            function="pool",
            inputs=inputs,
            uses=dict.fromkeys(uses, "*.parquet"),
            outputs=(self.output(task),),
            **more,
        )
        self.tasks[task] = made
        self.actions[task] = action or (lambda: self._join(made))
        return made

    def _join(self, task: Task) -> None:
        files = [*task.inputs, *(self.output(u) for u in task.uses)]
        words = sorted({w for f in files for w in f.read_text("utf-8").lower().split()})
        write_atomically(self.output(task.id), " ".join(words))

    def run(self, *only: str, keep_going: bool = True) -> Outcome:
        workers = Inline(self.actions)
        tasks = {i: t for i, t in self.tasks.items() if not only or i in only}
        hashes = Hashes(state_folder() / "hashes.json")
        run = Run(FACTS, tasks, hashes, 1, keep_going, workers=lambda *_: workers)
        outcome = run()
        self.started = workers.started
        return outcome
