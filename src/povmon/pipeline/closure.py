"""Which source files a stage depends on: the project modules it imports, and theirs in turn.

Imports are read from the source, also those inside functions; nothing is executed. A package's
other files (templates, fonts) count with the package. A module that is imported by a computed
name is not seen: the project has none.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.files import Hashes, digest, files_below, label

PACKAGE = "povmon"


@cache
def module_file(name: str) -> Path | None:
    """File of a module of the project; None where the name is not one."""
    base = paths.project() / "src" / Path(*name.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def imported_names(source: str, package: str = "") -> list[str]:
    """Names of the project that a source imports; a relative import is resolved in `package`."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []  # running it says what is wrong
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
    return sorted(n for n in names if n == PACKAGE or n.startswith(f"{PACKAGE}."))


def _base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    kept = parents[: len(parents) - node.level + 1]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _imports_of_file(name: str, path: Path) -> list[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return imported_names(path.read_text(encoding="utf-8"), package)


def closure(names: Iterable[str], hashes: Hashes) -> dict[str, Path]:
    """Every module of the project that the named ones need, themselves and packages included.

    Returns
    -------
    Module name -> file, sorted by name. Names that are no modules (functions, say) are left out.
    """
    found: dict[str, Path] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = module_file(name)
        if name in found or path is None:
            continue
        found[name] = path
        if "." in name:
            waiting.append(name.rpartition(".")[0])
        waiting += hashes.derived(path, f"imports {name}", lambda p, n=name: _imports_of_file(n, p))
    return dict(sorted(found.items()))


@cache
def _package_files(folder: Path) -> list[Path]:
    """Files of a package that are no modules (templates, styles, fonts), its subpackages apart."""
    own = [p for p in files_below(folder) if p.suffix not in (".py", ".pyc", ".pyi")]
    return [p for p in own if not any(_is_package(q) for q in _between(p, folder))]


def _between(path: Path, folder: Path) -> list[Path]:
    return [p for p in path.parents if p != folder and p.is_relative_to(folder)]


@cache
def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file()


def source_files(names: Iterable[str], hashes: Hashes) -> list[Path]:
    """The modules' files, and the other files of the packages among them."""
    modules = closure(names, hashes)
    packages = [p.parent for p in modules.values() if p.name == "__init__.py"]
    return [*modules.values(), *(f for folder in packages for f in _package_files(folder))]


def source_parts(names: Iterable[str], hashes: Hashes) -> dict[str, str]:
    """Label of each source file -> hash of its content."""
    return {label(p): hashes.of(p) or "missing" for p in source_files(names, hashes)}


def notebook_facts(path: Path, hashes: Hashes) -> dict[str, Any]:
    """What matters of a notebook: `source` (hash), `imports`, `parameters`, `title`.

    Outputs, execution counts and the editor's metadata do not count.
    """
    facts: dict[str, Any] = hashes.derived(path, "notebook", _read_notebook)
    return facts


def _read_notebook(path: Path) -> dict[str, Any]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [_cell(c) for c in notebook["cells"]]
    code = [c for c in cells if c["type"] == "code"]
    imports = {n for c in code for n in imported_names(_plain_python(c["source"]))}
    about = {
        k: v
        for k, v in notebook.get("metadata", {}).items()
        if k not in ("kernelspec", "language_info", "widgets", "papermill", "jupytext")
    }
    parameters = [n for c in code if "parameters" in c["tags"] for n in _assigned(c["source"])]
    return {
        "source": digest([about, cells]),
        "imports": sorted(imports),
        "parameters": parameters,
        "title": _title(cells),
    }


def _cell(cell: dict[str, Any]) -> dict[str, Any]:
    source = cell["source"]
    metadata = cell.get("metadata", {})
    return {
        "id": cell.get("id", ""),
        "type": cell["cell_type"],
        "source": source if isinstance(source, str) else "".join(source),
        "tags": metadata.get("tags", []),
        "lang": metadata.get("lang", ""),
    }


def _plain_python(source: str) -> str:
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in source.split("\n"))


def _assigned(source: str) -> list[str]:
    """Names that a parameters cell sets."""
    try:
        body = ast.parse(_plain_python(source)).body
    except SyntaxError:
        return []
    targets = [t for node in body if isinstance(node, ast.Assign) for t in node.targets]
    targets += [node.target for node in body if isinstance(node, ast.AnnAssign)]
    return [t.id for t in targets if isinstance(t, ast.Name)]


def _title(cells: list[dict[str, Any]]) -> str:
    for cell in cells:
        if cell["type"] == "markdown":
            for line in cell["source"].splitlines():
                if line.startswith("# "):
                    return str(line[2:].strip())
    return ""
