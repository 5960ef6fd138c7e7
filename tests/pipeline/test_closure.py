"""Which source files a stage depends on."""

from __future__ import annotations

import ast
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from povmon.pipeline import closure
from povmon.pipeline.files import Hashes


@pytest.mark.parametrize(
    ("source", "package", "expected"),
    [
        ("import povmon.audit.run", "", ["povmon.audit.run"]),
        ("from povmon import paths", "", ["povmon", "povmon.paths"]),
        ("from povmon.audit import run as r", "", ["povmon.audit", "povmon.audit.run"]),
        ("def f():\n    from povmon.audit import run", "", ["povmon.audit", "povmon.audit.run"]),
        ("from . import rules", "povmon.audit", ["povmon.audit", "povmon.audit.rules"]),
        ("from ..survey import forms", "povmon.audit", ["povmon.survey", "povmon.survey.forms"]),
        ("import povmonitor, pandas", "", []),
        ("this is not python", "", []),
    ],
)
def test_imports_of_the_project_are_found(source: str, package: str, expected: list[str]) -> None:
    assert closure.imported_names(source, package) == expected


def test_the_closure_is_transitive_and_holds_the_packages() -> None:
    found = closure.closure(["povmon.survey.config"], Hashes())
    assert {"povmon", "povmon.survey", "povmon.errors", "povmon.paths"} <= found.keys()
    assert "povmon.reference.places" in found  # imported inside a function
    assert not any(name.startswith(("povmon.present", "povmon.planning")) for name in found)


def test_files_of_a_package_count_with_it() -> None:
    parts = closure.source_parts(["povmon.present.exporter"], Hashes())
    names = {Path(name).name for name in parts}
    assert {"exporter.py", "page.html.j2", "page.css"} <= names
    assert "runs.py" not in names


def test_the_way_by_which_a_module_is_imported() -> None:
    start, target = "povmon.pipeline.steps.pool", "povmon.estimate.design"
    found = closure.route([start], target, Hashes())
    assert found[0] == start and found[-1] == target
    for one, next_one in itertools.pairwise(found):
        assert next_one in closure.closure([one], Hashes())
    assert closure.route(["povmon.errors"], "povmon.audit", Hashes()) == []


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("x = 1", "x = 1  # one", True),
        ('def f():\n    "a"', 'def f():\n    "b"', True),
        ('"a"\nx = 1', "x = 1", True),
        ("f(1,\n  2)", "f(1, 2)", True),
        ("x = 1", "x = 1.0", False),
        ("x = 'a'", "x = 'b'", False),
        ('def f():\n    x\n    "a"', 'def f():\n    x\n    "b"', False),
        ("a and b or c", "a and (b or c)", False),
    ],
)
def test_what_of_a_module_counts(one: str, two: str, same: bool) -> None:
    first, second = (closure.code_digest(ast.parse(text)) for text in (one, two))
    assert (first == second) is same


def notebook(path: Path, cells: list[dict[str, Any]], **metadata: Any) -> Path:
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def code(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **more}


def cells() -> list[dict[str, Any]]:
    return [
        {"cell_type": "markdown", "source": ["# Title\n", "text"], "metadata": {"lang": "en"}},
        code('survey = "demo"\narea: str = "a"', metadata={"tags": ["parameters"]}),
        code("%matplotlib inline\nfrom povmon.survey import load_survey"),
    ]


def test_what_matters_of_a_notebook(root: Path) -> None:
    facts = closure.notebook_facts(notebook(root / "a.ipynb", cells()), Hashes())
    assert facts["parameters"] == ["survey", "area"]
    assert facts["imports"] == ["povmon.survey", "povmon.survey.load_survey"]


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda c: c[2].update(outputs=[{"output_type": "stream", "text": "x"}]), False),
        (lambda c: c[2].update(execution_count=3), False),
        (lambda c: c[2]["metadata"].update(collapsed=True), False),
        (lambda c: c[2].update(source=["%matplotlib inline\n", c[2]["source"][19:]]), False),
        (lambda c: c[2].update(source="from povmon.survey import FORMS"), True),
        (lambda c: c[0].update(source="# Another title"), True),
        (lambda c: c[0]["metadata"].update(lang="zh"), True),
        (lambda c: c.append(code("1")), True),
    ],
)
def test_only_the_source_of_a_notebook_counts(root: Path, change: Any, counts: bool) -> None:
    hashes = Hashes()
    before = closure.notebook_facts(notebook(root / "a.ipynb", cells()), hashes)
    changed = cells()
    change(changed)
    after = closure.notebook_facts(notebook(root / "b.ipynb", changed, kernelspec={}), hashes)
    assert (before["source"] != after["source"]) is counts
