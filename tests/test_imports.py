"""Imports run one way: pipeline > present, planning > synthetic > audit > ... > reference."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "povmon"

# A package may import from those with a smaller number; present and planning share one, so they
# do not know each other. Modules directly in povmon (errors, paths) are free for all.
LEVEL = {
    "pipeline": 8,
    "present": 7,
    "planning": 7,
    "synthetic": 6,
    "audit": 5,
    "indicators": 4,
    "survey": 3,
    "estimate": 2,
    "reference": 1,
}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Packages of povmon that a module imports, its own included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            names.add(node.module or "")
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    parts = [n.split(".") for n in names]
    return {p[1] for p in parts if p[0] == "povmon" and len(p) > 1 and p[1] in LEVEL}


def test_every_package_has_its_place() -> None:
    packages = {p.parent.name for p in PACKAGE.glob("*/__init__.py")}
    assert packages == set(LEVEL)


@pytest.mark.parametrize("path", modules(), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_run_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    used = imported(path)
    if own not in LEVEL:  # errors, paths: the bottom of the house
        assert not used
        return
    wrong = {name for name in used if name != own and LEVEL[name] >= LEVEL[own]}
    assert not wrong, f"{own} must not import {', '.join(sorted(wrong))}"


def test_no_source_names_a_notebook_as_module() -> None:
    for path in modules():
        assert "import notebooks" not in path.read_text(encoding="utf-8")
