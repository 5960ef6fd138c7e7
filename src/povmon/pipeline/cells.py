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
_SETTING = {"injected-parameters": "parameters", "page": "writing the page"}
STARTING = "starting the kernel"


def cell_names(notebook: Path | None) -> dict[str, str]:
    """Names of the code cells of a notebook, by cell id.

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
    """The name of a cell from what a worker says of it, ``cell 3 (id)``; other text as it is."""
    found = _ID.fullmatch(text)
    known = found["id"] if found else text
    return names.get(known) or _SETTING.get(known, text)


def _names(cells: list[Any]) -> dict[str, str]:
    heading = ""
    below: dict[str, list[tuple[str, str]]] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            headings = _HEADING.findall(source)
            if headings:
                level, text = headings[-1]
                heading = text if len(level) > 1 else ""  # the title says nothing of a cell
        elif cell["cell_type"] == "code":
            below.setdefault(heading, []).append((cell.get("id", ""), first_line(source)))
    return {
        id: heading if heading and len(lines) == 1 else f"{heading}: {line}".removeprefix(": ")
        for heading, lines in below.items()
        for id, line in lines
    }


def first_line(source: str) -> str:
    """The first line of a cell that does something; the very first where all are imports."""
    lines = source.strip().splitlines() or [""]
    try:
        body = ast.parse("\n".join(lines)).body
    except SyntaxError:  # a magic command of IPython
        return lines[0].strip()
    doing = (n.lineno for n in body if not isinstance(n, ast.Import | ast.ImportFrom))
    return lines[next(doing, 1) - 1].strip()
