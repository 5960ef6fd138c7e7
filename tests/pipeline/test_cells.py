"""Names of cells that a reader knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import PROJECT
from povmon.pipeline.cells import cell_names, first_line, named


def write(path: Path, *cells: tuple[str, str, str]) -> Path:
    content = [{"cell_type": kind, "id": id, "source": source} for kind, id, source in cells]
    path.write_text(json.dumps({"cells": content}), encoding="utf-8")
    return path


def test_a_cell_is_named_by_its_heading_and_several_by_their_line_too(tmp_path: Path) -> None:
    path = write(
        tmp_path / "n.ipynb",
        ("markdown", "title", "# The whole"),
        ("code", "load", "import x\n\ndata = x.load()"),
        ("markdown", "h1", "## What arrived\n\nprose"),
        ("code", "one", "one()"),
        ("markdown", "h2", "prose\n\n### On time ##\nmore"),
        ("code", "a", "a()"),
        ("markdown", "no-heading", "only prose"),
        ("code", "b", "b()"),
    )
    prose = ("title", "h1", "h2", "no-heading")
    assert cell_names(path) == dict.fromkeys(prose, "") | {
        "load": "data = x.load()",
        "one": "What arrived",
        "a": "On time: a()",
        "b": "On time: b()",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from a import (\n    b,\n    c,\n)\n\nrun(\n    b\n)", "run("),
        ("import a", "import a"),
        ("# a remark\nx = 1", "x = 1"),
        ("%matplotlib inline", "%matplotlib inline"),
        ("", ""),
    ],
)
def test_the_first_line_that_does_something(source: str, expected: str) -> None:
    assert first_line(source) == expected


def test_what_workers_say_becomes_a_name() -> None:
    names = {"files": "What arrived", "text": ""}
    assert named(names, "cell 7 (files)") == "What arrived"
    assert named(names, "cell 6 (text)") == "", "prose"
    assert named(names, "cell 3 (7009e9c8)") == "parameters", "put in for this run"
    assert named(names, "page") == "writing the page"
    assert named({}, "cell 9 (new)") == "cell 9 (new)"
    assert named(names, "something else") == "something else"


def test_a_step_without_a_notebook_and_a_broken_one_have_no_names(tmp_path: Path) -> None:
    assert cell_names(None) == {}
    broken = tmp_path / "n.ipynb"
    broken.write_text('{"cells": [')
    assert cell_names(broken) == {}


@pytest.mark.parametrize("path", sorted((PROJECT / "notebooks").glob("*/*.ipynb")), ids=str)
def test_every_cell_of_the_project_has_a_name_of_its_own(path: Path) -> None:
    names = cell_names(path)
    cells = json.loads(path.read_text("utf-8"))["cells"]
    assert {i for i, n in names.items() if n} == {
        c["id"] for c in cells if c["cell_type"] == "code"
    }
    assert names["parameters"] == "parameters"
