"""The notebooks: thin, readable, clean, and they run on the demo survey."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

PROJECT = Path(__file__).parents[2]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*/*.ipynb"))  # not a user's own in scratch/
EXPECTED = {
    "area/audit",
    "area/indicators",
    "area/plan",
    "explore/estimation",
    "explore/start",
    "liaison/brief",
    "nation/atlas",
    "nation/rollup",
    "nation/summary",
}
LOGIC = (ast.For, ast.While, ast.If, ast.Try, ast.With, ast.FunctionDef, ast.ClassDef, ast.Lambda)


def name(path: Path) -> str:
    return path.relative_to(PROJECT / "notebooks").with_suffix("").as_posix()


def code(notebook: Any) -> list[Any]:
    return [c for c in notebook.cells if c.cell_type == "code"]


@pytest.fixture(params=NOTEBOOKS, ids=name)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def test_all_notebooks_are_there() -> None:
    assert {name(p) for p in NOTEBOOKS} == EXPECTED


def test_committed_without_outputs_and_without_traces_of_a_run(notebook: Any) -> None:
    for cell in code(notebook):
        assert cell.outputs == [] and cell.execution_count is None, cell.id
        assert "execution" not in cell.metadata and "papermill" not in cell.metadata, cell.id
    assert notebook.metadata.kernelspec.name == "python3"


def test_valid_and_with_readable_ids(notebook: Any) -> None:
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    ids = [c.id for c in notebook.cells]
    assert len(ids) == len(set(ids))
    assert all(any(letter.isalpha() for letter in i) and len(i) < 64 for i in ids)


def test_the_first_code_cell_holds_the_parameters(notebook: Any) -> None:
    first = code(notebook)[0]
    assert first.metadata.tags == ["parameters"]
    body = ast.parse(first.source).body
    assert all(isinstance(n, ast.Assign) and isinstance(n.value, ast.Constant) for n in body)


def test_no_logic(notebook: Any) -> None:
    for cell in code(notebook):
        found = [n for n in ast.walk(ast.parse(cell.source)) if isinstance(n, LOGIC)]
        assert not found, f"{cell.id}: logic belongs in src/"


def test_at_least_as_much_prose_as_code(notebook: Any) -> None:
    prose = sum(len(c.source.split()) for c in notebook.cells if c.cell_type == "markdown")
    assert prose >= sum(len(c.source.split()) for c in code(notebook))


def test_prose_cells_name_their_language(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert cell.metadata.get("lang") in ("en", "zh"), cell.id


@pytest.mark.slow
def test_they_run_as_they_stand(demo_root: Path) -> None:
    """nbval executes every cell of every notebook on the built demo survey."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q"]
        + ["-p", "no:cacheprovider", *map(str, NOTEBOOKS)],
        cwd=PROJECT,
        env={**os.environ, "POVMON_ROOT": str(demo_root), "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    cells = sum(len(code(nbformat.read(p, as_version=4))) for p in NOTEBOOKS)
    assert f"{cells} passed" in done.stdout
