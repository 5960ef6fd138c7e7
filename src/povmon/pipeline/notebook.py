"""One notebook from source to page: papermill, then the HTML exporter, in this process."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata as packages
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.errors import PovmonError
from povmon.pipeline.files import label, write_atomically

CELL_TIMEOUT = 1800  # seconds; the longest cell of the default survey takes well under a minute
START_TIMEOUT = 120
_VERSIONS = ("povmon", "numpy", "pandas", "scipy", "pyarrow", "matplotlib", "shapely", "nbconvert")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LINE = re.compile(r"Cell In\[\d+\], line (\d+)|File <ipython[^>]*>:(\d+)")


@dataclass(frozen=True)
class NotebookJob:
    """What a worker needs to make one page; all of it can be sent between processes.

    Attributes
    ----------
    page, executed, failed : where the page, the executed notebook, and the executed notebook of
        a failed run go.
    context, breadcrumbs : see `povmon.pipeline.tasks.Page`.
    provenance : what the footer names besides the package versions.
    """

    task: str
    notebook: Path
    parameters: Mapping[str, str]
    page: Path
    executed: Path
    failed: Path
    context: Mapping[str, str]
    breadcrumbs: tuple[tuple[str, str], ...]
    provenance: Mapping[str, Any]


class NotebookFailed(Exception):
    """A cell of a notebook failed; the message is short and has no traceback."""


def run_notebook(job: NotebookJob, on_cell: Callable[[str], None]) -> list[Path]:
    """Execute a notebook and write its page; returns the files written by this function.

    With POVMON_CELL_LOG, the seconds spent in cells are appended to that file (for benchmarks).

    Raises
    ------
    NotebookFailed : a cell failed; names notebook, cell and line. The notebook as far as it
        came is kept at ``job.failed``.
    PovmonError : the page could not be made or written.
    """
    node = _execute(job, on_cell)
    on_cell("page")
    html = _export(job, node)
    _write_notebook(job.executed, node)
    write_atomically(job.page, html)
    job.failed.unlink(missing_ok=True)
    return [job.page]


def _execute(job: NotebookJob, on_cell: Callable[[str], None]) -> Any:
    """The executed notebook; a failed one is kept aside and becomes a `NotebookFailed`."""
    import nbformat
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from povmon.pipeline.kernel import ReportKernelManager

    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what they say, we say below
    node: Any = None
    place = ""

    def began(notebook: Any) -> None:
        nonlocal node
        node = notebook

    def started(cell: Any, cell_index: int) -> None:
        nonlocal place
        place = _cell_name(cell, cell_index)
        on_cell(place)

    limit = cell_timeout()
    try:
        node = papermill.execute_notebook(
            nbformat.read(job.notebook, as_version=4),
            None,
            parameters=dict(job.parameters),
            kernel_name="python3",
            language="python",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            execution_timeout=limit,
            cwd=str(paths.project()),
            kernel_manager_class=ReportKernelManager,
            shutdown_kernel="immediate",
            on_notebook_start=began,
            on_cell_start=started,
        )
    except PapermillExecutionError as error:
        raise _failed(job, node, _explain(job, error)) from error
    except DeadKernelError as error:
        what = "its process ended unexpectedly, perhaps because memory ran out"
        raise _failed(job, node, f"{job.notebook.name}, {place}: {what}.") from error
    except CellTimeoutError as error:
        what = f"the cell did not end within {limit} seconds (POVMON_CELL_TIMEOUT allows more)"
        raise _failed(job, node, f"{job.notebook.name}, {place}: {what}.") from error
    except RuntimeError as error:  # nbclient's, when the kernel does not come up
        raise _failed(job, node, f"{job.notebook.name}: no kernel to run it: {error}.") from error
    _log_cells(job, node)
    return _without_traces(node)


def cell_timeout() -> int:
    """Seconds that a cell may take: the environment's POVMON_CELL_TIMEOUT, or half an hour.

    Raises
    ------
    PovmonError : it is no number of seconds.
    """
    given = os.environ.get("POVMON_CELL_TIMEOUT", "")
    if given and not (given.isdigit() and int(given)):
        raise PovmonError(
            f"{given!r} is no number of seconds",
            where="POVMON_CELL_TIMEOUT",
            todo="give a whole number, or unset it",
        )
    return int(given or CELL_TIMEOUT)


def _failed(job: NotebookJob, node: Any, text: str) -> NotebookFailed:
    """The failure as the user reads it; the notebook as far as it came is kept."""
    if node is not None:
        _write_notebook(job.failed, node)
        text += f" The notebook as far as it came: {label(job.failed)}."
    return NotebookFailed(text)


def _cell_name(cell: Any, index: int) -> str:
    return f"cell {index + 1} ({cell.get('id', 'no id')})"


def _explain(job: NotebookJob, error: Any) -> str:
    """The error of a cell in one paragraph; a `PovmonError` speaks for itself."""
    place = f"{job.notebook.name}, In [{error.exec_count}]"
    if error.ename == "PovmonError":
        return f"{error.evalue} ({place})."
    text = _ANSI.sub("", "\n".join(error.traceback))
    found = _LINE.search(text)
    line = next((g for g in found.groups() if g), "") if found else ""
    source = error.source.splitlines()
    quoted = source[int(line) - 1].strip() if line and int(line) <= len(source) else ""
    at = f", line {line}" if line else ""
    code = f" in `{quoted}`" if quoted else ""
    value = _ANSI.sub("", error.evalue).strip().splitlines() or [""]
    return f"{place}{at}: {error.ename}: {value[0]}{code}."


def _log_cells(job: NotebookJob, node: Any) -> None:
    """Append how long the notebook's cells took to the file that a benchmark asks for."""
    path = os.environ.get("POVMON_CELL_LOG")
    if path:
        times = [c.metadata.get("papermill", {}).get("duration") for c in node.cells]
        entry = {"task": job.task, "seconds": sum(t for t in times if t)}
        with open(path, "a", encoding="utf-8") as stream:
            stream.write(json.dumps(entry) + "\n")


def _without_traces(node: Any) -> Any:
    """The executed notebook without times, paths and random ids."""
    node.metadata.pop("papermill", None)
    for cell in node.cells:
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"
    return node


def _write_notebook(path: Path, node: Any) -> None:
    import nbformat

    write_atomically(path, nbformat.writes(node) + "\n")


def _export(job: NotebookJob, node: Any) -> str:
    from povmon.present.exporter import export_page
    from povmon.present.page import synthetic_notice

    return export_page(
        node,
        title=job.context["title"],
        subtitle=job.context["subtitle"],
        provenance={**job.provenance, "packages": versions()},
        synthetic_notice=synthetic_notice(bool(job.context["synthetic"])),
        breadcrumbs=job.breadcrumbs,
    )


@cache
def versions() -> dict[str, str]:
    """Versions of the packages that shape a page."""
    return {name: packages.version(name) for name in _VERSIONS}
