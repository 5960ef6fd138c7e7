"""Editing notebooks in JupyterLab leaves no traces in what is committed."""

from __future__ import annotations

import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from conftest import PROJECT

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*/*.ipynb"))
LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3.12.1",
}


def name(path: Path) -> str:
    return path.relative_to(PROJECT / "notebooks").as_posix()


def strip(path: Path) -> int:
    """Run the tool on a file, in this process; returns its exit code."""
    return int(runpy.run_path(str(PROJECT / "tools/strip_notebooks.py"))["main"]([str(path)]))


def hook(id: str) -> list[str]:
    """The command of a pre-commit hook, as it stands in the configuration."""
    config = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = {h["id"]: h for repo in config["repos"] for h in repo["hooks"]}
    command = shlex.split(hooks[id]["entry"])
    assert command[0].startswith(".venv/bin/")
    # The tests run in any environment: a tool of .venv is that of the Python at hand.
    return [str(Path(sys.executable).parent / Path(command[0]).name), *command[1:]]


def as_saved_by_jupyterlab(source: Path, target: Path) -> Any:
    """Open, run with another kernel, collapse, tag and save, as JupyterLab does it."""
    node = nbformat.read(source, as_version=4)
    node.metadata.kernelspec = {"display_name": "warm", "language": "python", "name": "warm"}
    node.metadata.language_info = LANGUAGE
    node.metadata["toc-autonumbering"] = False
    node.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {}}
    for number, cell in enumerate(node.cells):
        cell.metadata |= {"editable": True, "slideshow": {"slide_type": ""}}
        cell.metadata.setdefault("tags", [])
        if cell.cell_type == "code":
            cell.execution_count = number
            cell.metadata |= {"collapsed": True, "scrolled": True, "trusted": True}
            cell.metadata |= {"jupyter": {"outputs_hidden": True, "source_hidden": True}}
            cell.metadata |= {"execution": {"iopub.execute_input": "2024-01-01T00:00:00Z"}}
            output = nbformat.v4.new_output(
                "execute_result", {"text/plain": "a name"}, execution_count=number
            )
            cell.outputs = [output]
    nbformat.write(node, target)
    return node


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_opening_running_and_saving_gives_no_diff(path: Path, tmp_path: Path) -> None:
    saved = tmp_path / "saved.ipynb"
    as_saved_by_jupyterlab(path, saved)
    assert saved.read_bytes() != path.read_bytes()
    assert strip(saved) == 0
    assert saved.read_bytes() == path.read_bytes()


def test_what_was_edited_stays(tmp_path: Path) -> None:
    saved = tmp_path / "saved.ipynb"
    node = as_saved_by_jupyterlab(NOTEBOOKS[0], saved)
    node.cells[3].source += "\nmore"
    added = nbformat.v4.new_code_cell("new()", metadata={"tags": ["parameters"]})
    node.cells.append(added)
    nbformat.write(node, saved)
    strip(saved)
    after = nbformat.read(saved, as_version=4)
    assert after.cells[3].source.endswith("\nmore")
    assert (after.cells[-1].id, after.cells[-1].source) == (added.id, "new()")
    assert after.cells[-1].metadata == {"tags": ["parameters"]}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name)
def test_committed_notebooks_are_stripped_and_keep_their_time(path: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy2(path, tmp_path))
    before = copy.stat().st_mtime_ns
    strip(copy)
    assert copy.read_bytes() == path.read_bytes()
    assert copy.stat().st_mtime_ns == before, "a clean notebook is not written again"


@pytest.mark.slow
def test_the_pre_commit_hook_strips(tmp_path: Path) -> None:
    saved = tmp_path / "saved.ipynb"
    as_saved_by_jupyterlab(NOTEBOOKS[0], saved)
    subprocess.run([*hook("strip-notebooks"), str(saved)], cwd=PROJECT, check=True)
    assert saved.read_bytes() == NOTEBOOKS[0].read_bytes()


@pytest.mark.parametrize("id", ["ruff-check", "ruff-format"])
def test_the_other_hooks_pass_on_what_is_committed(id: str) -> None:
    command = [*hook(id), *(["--check"] if id == "ruff-format" else []), str(NOTEBOOKS[0])]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 3}', '{"nbformat": 4}'])
def test_a_file_that_is_no_notebook_is_named_and_left_alone(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken.ipynb"
    path.write_text(content)
    assert strip(path) == 1
    assert capsys.readouterr().err == f"{path}: is not a notebook that can be read.\n"
    assert path.read_text() == content


@pytest.mark.slow
def test_git_shows_a_change_as_text(tmp_path: Path) -> None:
    """As after ``make git-diff``: two versions that differ in a line and in all outputs."""
    repository = tmp_path / "checkout"
    repository.mkdir()

    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        return subprocess.run(
            command, cwd=repository, capture_output=True, text=True, check=True
        ).stdout

    git("init", "-q")
    shutil.copy(PROJECT / ".gitattributes", repository)
    shutil.copy(NOTEBOOKS[0], repository / "n.ipynb")
    git("add", ".")
    git("commit", "-qm", "one")
    node = as_saved_by_jupyterlab(NOTEBOOKS[0], repository / "n.ipynb")
    shown = f"{sys.executable} {PROJECT / 'tools' / 'strip_notebooks.py'} --show"
    git("config", "diff.ipynb.textconv", shown)
    assert git("diff") == "", "outputs and traces are no change"
    node.cells[2].source = f"{node.cells[2].source}\nadded = 1"
    nbformat.write(node, repository / "n.ipynb")
    changed = [line for line in git("diff").splitlines() if line[:1] in "+-"]
    assert [line for line in changed if line[:3] not in ("+++", "---")] == ["+added = 1"]
