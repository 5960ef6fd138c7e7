"""JupyterLab for researchers: the project's notebooks, or an area's executed one to explore."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from povmon import paths
from povmon.errors import PovmonError, unknown_name
from povmon.pipeline.files import label, write_atomically

START = "notebooks/explore/start.ipynb"
LAST_WORDS = """## From here on

The cells above are a copy of the page's notebook and have run in this kernel, so their variables
are at hand. Change and run what you like: the copy is yours, neither `make` nor git touches it.
`dir()` lists what there is."""


@cache
def kernel() -> tuple[str, dict[str, str]]:
    """Name of the kernel that notebooks open with, and the variables that let Jupyter find it.

    It is warm (docs/warm-kernels.md). Its kernelspec has the name that every notebook asks for,
    and lies below ``build``, so that nothing is written into a home.
    """
    from povmon.pipeline.kernel import install

    prefix = paths.project() / "build" / "jupyter"
    name = install(prefix).parent.name
    found = [str(prefix / "share" / "jupyter"), os.environ.get("JUPYTER_PATH", "")]
    return name, {"JUPYTER_PATH": os.pathsep.join(filter(None, found))}


def server(folder: Path, start: str, browser: bool) -> list[str]:
    """The command of a JupyterLab on a folder that opens one of its notebooks."""
    command = [sys.executable, "-m", "jupyterlab"]
    command.append(f"--ServerApp.root_dir={folder}")
    command.append(f"--LabApp.default_url=/lab/tree/{quote(start)}")
    command.append(f"--MultiKernelManager.default_kernel_name={kernel()[0]}")
    if not browser:
        command.append("--no-browser")
    if os.geteuid() == 0:  # in a container; whoever runs make as root runs the notebooks so
        command.append("--allow-root")
    return command


def lab(browser: bool = True) -> int:
    """Open JupyterLab on the project's notebooks; returns its exit code when it ends."""
    return _serve(server(paths.project(), START, browser))


def notebook(copy: Path, browser: bool = True) -> int:
    """Open JupyterLab on a working copy, whose cells run meanwhile; returns its exit code."""
    from povmon.pipeline.session import run_cells

    folder = paths.root()
    path = copy.relative_to(folder).as_posix()
    return _serve(
        server(folder, path, browser),
        lambda process: print(run_cells(process, path, copy, kernel()[0]), flush=True),
    )


def _serve(command: list[str], meanwhile: Callable[[Any], None] | None = None) -> int:
    """Run a server until it ends; Ctrl-C is for it alone, as it asks before it stops."""
    before = signal.getsignal(signal.SIGINT)
    with subprocess.Popen(command, env=os.environ | kernel()[1]) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            if meanwhile:  # in a thread: the server may end, by its user, before that is through
                threading.Thread(target=meanwhile, args=(process,), daemon=True).start()
            return process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def reports() -> list[str]:
    """Pages of an area that come from a notebook."""
    return sorted(p.stem for p in (paths.notebooks() / "area").glob("*.ipynb"))


def working_copy(
    survey: str, area: str, report: str, fresh: bool, ask: Callable[[str], bool]
) -> Path:
    """A researcher's own copy of an executed notebook, made where there is none.

    A copy that exists is never overwritten. Where the page has been made anew since, the new
    notebook is taken, and the copy set aside under another name, only when the user wants it.

    Parameters
    ----------
    survey, area, report : which notebook.
    fresh : take the newest without a question.
    ask : puts a question to the user; False where nobody can be asked.

    Raises
    ------
    PovmonError : no such report, or its notebook was not made.
    """
    import hashlib

    if report not in reports():
        raise unknown_name("report", report, reports(), where="REPORT")
    executed = paths.processed(survey) / "notebooks" / area / f"{report}.ipynb"
    if not executed.is_file():
        raise PovmonError(
            f"{survey} has no executed notebook {area}/{report}",
            where=label(executed),
            todo=f"make SURVEY={survey} makes every page that the survey has",
        )
    made_from = hashlib.sha256(executed.read_bytes()).hexdigest()
    copy = paths.root() / "notebooks" / "scratch" / survey / area / f"{report}.ipynb"
    if copy.exists():
        if _origin(copy) == made_from and not fresh:
            return copy
        aside = _free_name(copy)
        question = (
            f"{label(copy)} is a copy of an earlier run. Set it aside as {aside.name} and take"
        )
        if not fresh and not ask(f"{question} the new notebook?"):
            print(f"Your copy {label(copy)} is kept. FRESH=1 sets it aside and takes the new one.")
            return copy
        os.replace(copy, aside)
        print(f"Your earlier copy is now {label(aside)}.")
    write_atomically(copy, _explorable(executed, made_from))
    return copy


def _origin(copy: Path) -> str:
    """Hash of the executed notebook that a copy was made from; empty where it does not say."""
    import json

    try:
        return str(json.loads(copy.read_text("utf-8"))["metadata"]["povmon"]["made_from"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _free_name(copy: Path) -> Path:
    numbers = range(1, 10_000)
    names = (copy.with_name(f"{copy.stem}-{number}.ipynb") for number in numbers)
    return next(path for path in names if not path.exists())


def _explorable(executed: Path, made_from: str) -> str:
    """An executed notebook for a researcher: another kernel, and room for cells of one's own."""
    import nbformat
    from nbformat.sign import NotebookNotary

    node = nbformat.read(executed, as_version=4)
    node.metadata.kernelspec.name = kernel()[0]
    node.metadata["povmon"] = {"made_from": made_from}
    node.cells.append(nbformat.v4.new_markdown_cell(LAST_WORDS, id="explore-text"))
    node.cells.append(nbformat.v4.new_code_cell("", id="explore"))
    # Made by the project itself: JupyterLab may show its tables and figures as they are.
    NotebookNotary().sign(node)
    return str(nbformat.writes(node)) + "\n"
