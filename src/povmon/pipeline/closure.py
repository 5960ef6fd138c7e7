"""Which source files a stage depends on: the project modules it imports, and theirs in turn.

Imports are read from the source, also those inside functions; nothing is executed. A package's
other files (templates, fonts) count with the package. A module that is imported by a computed
name is not seen: the project has none (a test looks).

Of a module counts what Python makes of it: its syntax tree without docstrings. Comments, layout
and docstrings cannot change a result, since nothing in the project reads them (a test looks).
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.files import Hashes, digest, files_below, label

PACKAGE = "povmon"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def module_file(name: str) -> Path | None:
    """File of a module of the project; None where the name is not one."""
    # Texts: asked of every imported name, and pathlib is slow.
    base = os.path.join(paths.project(), "src", *name.split("."))
    # Of a package and a module of the same name, Python takes the package.
    for path in (os.path.join(base, "__init__.py"), f"{base}.py"):
        if os.path.isfile(path):
            return Path(path)
    return None


def imported_names(source: str, package: str = "") -> list[str]:
    """Names of the project that a source imports; a relative import is resolved in `package`."""
    try:
        return _imports(ast.parse(source), package)
    except SyntaxError:
        return []  # running it says what is wrong


def _imports(tree: ast.AST, package: str) -> list[str]:
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


def _module_facts(name: str, path: Path, hashes: Hashes) -> dict[str, Any]:
    """What matters of a module: `imports`, and `code`, the hash of what it does."""
    # The form of a syntax tree is that of a version of Python.
    what = f"module {name} {sys.version_info.major}.{sys.version_info.minor}"
    facts: dict[str, Any] = hashes.derived(path, what, lambda p: _read_module(name, p))
    return facts


def _read_module(name: str, path: Path) -> dict[str, Any]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    content = path.read_bytes()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # running it says what is wrong
        return {"imports": [], "code": hashlib.sha256(content).hexdigest()}
    imports = _imports(tree, package)
    return {"imports": imports, "code": code_digest(tree)}


def code_digest(tree: ast.Module) -> str:
    """Hash of a module's syntax tree, in which docstrings are left out."""
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest()


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
        waiting += _module_facts(name, path, hashes)["imports"]
    return dict(sorted(found.items()))


def module_name(name: str) -> str:
    """The module that a source file below ``src/`` holds (``src/povmon/audit/run.py``)."""
    parts = name.removeprefix("src/").removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def route(names: Iterable[str], target: str, hashes: Hashes) -> list[str]:
    """The shortest chain of imports from one of some modules to another; empty without one."""
    routes = {name: [name] for name in names}
    waiting = list(routes)
    while waiting and target not in routes:
        name = waiting.pop(0)
        path = module_file(name)
        needs = _module_facts(name, path, hashes)["imports"] if path else []
        for other in [*needs, name.rpartition(".")[0]]:
            if other and other not in routes:
                routes[other] = [*routes[name], other]
                waiting.append(other)
    return routes.get(target, [])


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


def source_parts(names: Iterable[str], hashes: Hashes) -> dict[str, str]:
    """Label of each source file -> hash of what counts of it.

    The files are the named modules, those they need, and the other files of their packages.
    """
    modules = closure(names, hashes)
    parts = {label(p): _module_facts(n, p, hashes)["code"] for n, p in modules.items()}
    packages = [p.parent for p in modules.values() if p.name == "__init__.py"]
    for path in (p for folder in packages for p in _package_files(folder)):
        parts[label(path)] = hashes.of(path) or "missing"
    return parts


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
