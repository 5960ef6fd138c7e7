"""Names of a notebook's cells that a reader knows: the heading they stand under."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ID = re.compile(r"cell \d+ \((?P<id>[^()]*)\)")
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *#*$", re.MULTILINE)
PARAMETERS = "parameters"
STARTING = "starting the kernel"


def cell_names(notebook: Path | None) -> dict[str, str]:
    """Names of the cells of a notebook by cell id; those of prose are empty.

    A cell that stands alone below its heading has the heading's name; of several, each has its
    first line added (imports do not count); below the title the line is all the name. Empty for
    a step without a notebook, and for a file that cannot be read: whoever runs it says so.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"] if notebook else []
        return _names(cells)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def named(names: Mapping[str, str], text: str) -> str:
    """The name of a cell from what a worker says of it, ``cell 3 (id)``; empty for prose.

    A cell that the notebook does not have is the one with the parameters of this run. What is not
    said of a cell stays as it is.
    """
    found = _ID.fullmatch(text)
    if found and names:
        return names.get(found["id"], PARAMETERS)
    return "writing the page" if text == "page" else text


def _names(cells: list[Any]) -> dict[str, str]:
    heading = ""
    names: dict[str, str] = {}
    below: dict[str, list[tuple[str, str]]] = {}
    for cell in cells:
        source = "".join(cell["source"])
        names[cell.get("id", "")] = ""
        if cell["cell_type"] == "markdown":
            headings = _HEADING.findall(source)
            if headings:
                level, text = headings[-1]
                heading = text if len(level) > 1 else ""  # the title says nothing of a cell
        elif PARAMETERS in cell.get("metadata", {}).get("tags", []):
            names[cell.get("id", "")] = PARAMETERS
        elif cell["cell_type"] == "code":
            below.setdefault(heading, []).append((cell.get("id", ""), first_line(source)))
    for heading, lines in below.items():
        for id, line in lines:
            alone = heading and len(lines) == 1
            names[id] = heading if alone else f"{heading}: {line}".removeprefix(": ")
    return names


def first_line(source: str) -> str:
    """The first line of a cell that does something; the very first where all are imports."""
    lines = source.strip().splitlines() or [""]
    try:
        body = ast.parse("\n".join(lines)).body
    except SyntaxError:  # a magic command of IPython
        return lines[0].strip()
    doing = (n.lineno for n in body if not isinstance(n, ast.Import | ast.ImportFrom))
    return lines[next(doing, 1) - 1].strip()
