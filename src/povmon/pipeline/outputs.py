"""A failed step leaves the earlier good outputs in place, also when it had replaced some of them.

Before a step runs, its present outputs are copied aside; they are small. When it fails, or when
the whole run is killed, the copies go back.
"""

from __future__ import annotations

import os
from pathlib import Path

from povmon.pipeline.facts import state_folder
from povmon.pipeline.files import from_stored, read_json, stored_name, write_json
from povmon.pipeline.tasks import Task


def present(task: Task) -> list[Path]:
    """The task's output files that exist now, in the order of their names."""
    return sorted(p for p in task.outputs if p.is_file())


class Safeguard:
    """Keeps the outputs that a task had before it ran.

    `shutil` is imported where it is used: a run with nothing to do must be quick.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.folder = state_folder() / task.survey / "before" / task.id

    def keep(self) -> None:
        """Copy every present output aside."""
        import shutil

        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        files = present(self.task)
        for number, path in enumerate(files):
            shutil.copy2(path, self.folder / str(number))
        # The list comes last: without it the folder is incomplete and is not used.
        write_json(self.folder / "files.json", [stored_name(p) for p in files])

    def restore(self) -> None:
        """Put the old outputs back and remove new ones that the failed step left."""
        names = read_json(self.folder / "files.json")
        if isinstance(names, list):
            old = [from_stored(n) for n in names]
            for path in set(present(self.task)) - set(old):
                path.unlink()
            for number, path in enumerate(old):
                path.parent.mkdir(parents=True, exist_ok=True)
                os.replace(self.folder / str(number), path)
        self.drop()

    def leftovers(self) -> list[Path]:
        """Present outputs that the step did not write again: they belong to an earlier run."""
        names = read_json(self.folder / "files.json") or []
        old = {from_stored(n): self.folder / str(number) for number, n in enumerate(names)}
        return [p for p in present(self.task) if p in old and _same(p, old[p])]

    def drop(self) -> None:
        """Forget what was kept."""
        import shutil

        shutil.rmtree(self.folder, ignore_errors=True)


def _same(path: Path, kept: Path) -> bool:
    """True when nobody wrote the file since it was copied."""
    one, two = path.stat(), kept.stat()
    return (one.st_size, one.st_mtime_ns) == (two.st_size, two.st_mtime_ns)
