"""A failed step leaves the earlier good outputs in place, also when it had replaced some of them.

Before a step runs, its present outputs are copied aside; they are small. When it fails, or when
the whole run is killed, the copies go back. Each step of this may be cut short and done again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.facts import state_folder
from povmon.pipeline.files import from_stored, read_json, stored_name, write_json
from povmon.pipeline.state import Ledger
from povmon.pipeline.tasks import Task

_LIST = "files.json"


def present(task: Task) -> list[Path]:
    """The task's output files that exist now, in the order of their names."""
    return sorted(p for p in task.outputs if p.is_file())


def executed(task: Task) -> Path:
    """Where the executed notebook of a task goes."""
    return paths.processed(task.survey) / "notebooks" / f"{task.id}.ipynb"


def failed(task: Task) -> Path:
    """Where the executed notebook of a failed task goes."""
    return paths.reports("failed") / task.survey / f"{task.id}.ipynb"


class Safeguard:
    """Keeps the outputs that a task had before it ran.

    `shutil` is imported where it is used: a run with nothing to do must be quick.

    Parameters
    ----------
    ledger : the records of the task's survey.
    task : its id.
    """

    def __init__(self, ledger: Ledger, task: str) -> None:
        self._ledger = ledger
        self.task = task
        self.folder = _folder(ledger.survey) / task

    def keep(self, task: Task) -> None:
        """Copy aside what the task wrote, also what only its last record names."""
        import shutil

        record = self._ledger.record(task.id)
        extra = [from_stored(n) for n in record.outputs] if record else []
        wanted = sorted({*task.outputs, *extra, *([executed(task)] if task.page else [])})
        files = [p for p in wanted if p.is_file()]
        self.drop()
        self.folder.mkdir(parents=True)
        for number, path in enumerate(files):
            shutil.copy2(path, self.folder / str(number))
        # The list comes last: without it the folder is incomplete and is not used.
        content = {
            "kept": [stored_name(p) for p in files],
            "written": [stored_name(p) for p in wanted],
            "record": self._recorded(),
        }
        write_json(self.folder / _LIST, content)

    def _recorded(self) -> Any:
        return read_json(self._ledger.path(self.task))

    def _list(self) -> dict[str, Any]:
        content = read_json(self.folder / _LIST)
        return content if isinstance(content, dict) else {}

    def restore(self) -> None:
        """Put the old outputs back and remove new ones that the failed step left.

        Raises
        ------
        OSError : a folder does not let it. What is kept stays kept, for another attempt.
        """
        content = self._list()
        kept = content.get("kept", [])
        for name in content.get("written", []):
            if name not in kept:
                from_stored(name).unlink(missing_ok=True)
        for number, name in enumerate(kept):
            path = from_stored(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # an attempt that was cut short has moved it
                os.replace(self.folder / str(number), path)
        self.drop()

    def recover(self) -> None:
        """After a run that was killed: put back what the task had replaced, unless it had ended."""
        ended = "record" in self._list() and self._list()["record"] != self._recorded()
        self.drop() if ended else self.restore()

    def leftovers(self, task: Task) -> list[Path]:
        """Present outputs that the step did not write again: they belong to an earlier run."""
        names = self._list().get("kept", [])
        old = {from_stored(n): self.folder / str(number) for number, n in enumerate(names)}
        return [p for p in present(task) if p in old and _same(p, old[p])]

    def drop(self) -> None:
        """Forget what was kept."""
        import shutil

        # The list goes first: what is left of the copies is never used without it.
        with suppress(OSError):
            (self.folder / _LIST).unlink(missing_ok=True)
            shutil.rmtree(self.folder, ignore_errors=True)


def _folder(survey: str) -> Path:
    return state_folder() / survey / "before"


def unfinished(ledger: Ledger) -> Iterable[Safeguard]:
    """What tasks of a killed run had kept: also tasks that the present run does not look at."""
    folder = _folder(ledger.survey)
    for place, _, names in os.walk(folder):
        if names:
            yield Safeguard(ledger, Path(place).relative_to(folder).as_posix())


def _same(path: Path, kept: Path) -> bool:
    """True when nobody wrote the file since it was copied."""
    one, two = path.stat(), kept.stat()
    return (one.st_size, one.st_mtime_ns) == (two.st_size, two.st_mtime_ns)
