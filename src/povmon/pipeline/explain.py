"""What is stale, and why, in words."""

from __future__ import annotations

from povmon.errors import PovmonError, unknown_name
from povmon.pipeline.files import Hashes, label
from povmon.pipeline.runs import plan, remembered
from povmon.pipeline.state import Ledger
from povmon.pipeline.tasks import Task

SHOWN = 8  # reasons of one task


def explain(survey: str, which: str = "", hashes: Hashes | None = None) -> str:
    """The state of a survey's tasks.

    Parameters
    ----------
    survey : its name.
    which : a task id or the path of a report; empty for all that is stale.
    """
    hashes = hashes or remembered()
    _, tasks, _ = plan(survey, "", hashes)
    ledger = Ledger(survey, hashes)
    if which:
        return _one(_find(which, tasks), ledger)
    texts = [_one(t, ledger) for t in tasks.values() if not t.once and _reasons(t, ledger)]
    return "\n".join(texts) or f"{survey}: everything is up to date ({len(tasks)} tasks)."


def _find(which: str, tasks: dict[str, Task]) -> Task:
    if which in tasks:
        return tasks[which]
    for task in tasks.values():
        if any(label(p) == which.removeprefix("./") for p in task.outputs):
            return task
    raise unknown_name("task or report", which, tasks)


def _reasons(task: Task, ledger: Ledger) -> list[str]:
    try:
        return ledger.reasons(task)
    except PovmonError as error:
        return [str(error)]


def _one(task: Task, ledger: Ledger) -> str:
    reasons = _reasons(task, ledger)
    if not reasons:
        return f"{task.id} is up to date."
    lines = [f"{task.id} is stale:", *(f"  - {r}" for r in reasons[:SHOWN])]
    if len(reasons) > SHOWN:
        lines.append(f"  - and {len(reasons) - SHOWN} more")
    return "\n".join(lines)
