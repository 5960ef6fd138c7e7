"""Notebooks as they are committed: no outputs, no traces of a run or of an editor.

``strip_notebooks.py FILE...`` rewrites those files that are not yet so; ``--show FILE`` prints one
as text instead, which is how ``git diff`` reads notebooks after ``make git-diff``.

nbstripout removes outputs and counts. What JupyterLab adds on opening and saving goes too: the
version of the language, the name of the kernel at hand, collapsed cells, empty tags. So opening,
running and saving a notebook, then stripping it, leaves its bytes as they were.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbstripout import strip_output

NOTEBOOK = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_UNREADABLE = "is not a notebook that can be read"
CELL = ("lang", "tags")  # what the project itself keeps in a cell's metadata


def stripped(text: str) -> str:
    """A notebook's file without outputs and traces.

    Raises
    ------
    ValueError : it is no notebook.
    """
    try:
        node = nbformat.reads(text, as_version=4)
        node = strip_output(node, keep_output=False, keep_count=False, keep_id=True)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise ValueError(_UNREADABLE) from error
    except (AttributeError, KeyError, TypeError) as error:  # JSON, but no notebook
        raise ValueError(_UNREADABLE) from error
    node.metadata = nbformat.from_dict(NOTEBOOK)
    for cell in node.cells:
        kept = {k: cell.metadata[k] for k in CELL if cell.metadata.get(k)}
        cell.metadata = nbformat.from_dict(kept)
    return str(nbformat.writes(node)) + "\n"


def shown(text: str) -> str:
    """The cells of a notebook as text: a line with kind and id, then the source."""
    node: Any = nbformat.reads(stripped(text), as_version=4)
    parts = []
    for cell in node.cells:
        tags = " ".join(cell.metadata.get("tags", []))
        parts.append(f"# %% {cell.cell_type} {cell.get('id', '')} {tags}".rstrip())
        parts.append(f"{cell.source}\n")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Strip or show the files named; 1 where one is no notebook."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print as text, change nothing")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    code = 0
    for path in options.files:
        before = path.read_text(encoding="utf-8")
        try:
            after = shown(before) if options.show else stripped(before)
        except ValueError as error:
            print(f"{path}: {error}.", file=sys.stderr)
            code = 1
            continue
        if options.show:
            print(after)
        elif after != before:
            path.write_text(after, encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
