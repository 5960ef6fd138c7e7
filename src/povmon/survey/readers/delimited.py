"""CSV files: comma, semicolon or tab, quoted or not, each row with the line it begins on."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection

from povmon.errors import PovmonError
from povmon.survey.readers.encoding import decode
from povmon.survey.readers.grid import Grid
from povmon.survey.spelling import spelling

DELIMITERS = (",", ";", "\t", "|")
_LOOK = 30  # rows looked at to find the delimiter
_DIRECTIVE = re.compile(r'"?sep=([,;|\t])"?\r?\n')


def read_delimited(data: bytes, place: str, headings: Collection[str] = ()) -> tuple[Grid, str]:
    """The rows of a CSV file and its encoding.

    Parameters
    ----------
    data : the file's bytes.
    place : how messages name it.
    headings : spellings of the headings that are expected; they decide between delimiters.

    Raises
    ------
    PovmonError : empty, in another encoding, or corrupt (an open quote, a NUL character).
    """
    text, encoding = decode(data, place)
    directive = _DIRECTIVE.match(text)
    skipped = 0
    if directive:
        delimiter, skipped = directive.group(1), 1
        text = text[directive.end() :]
    else:
        delimiter = _delimiter(text, headings)
    rows, lines = _rows(text, delimiter, place, skipped)
    return Grid("", rows, lines, even=True), encoding


def _delimiter(text: str, headings: Collection[str]) -> str:
    """The delimiter under which most headings are the expected ones; else a comma.

    Only then the one that cuts the first lines into equally many cells: a decimal comma or a
    comma in a title must not make a semicolon file look like a comma file.
    """
    head = _first_lines(text)
    first = head.partition("\n")[0].rstrip("\r").split(",")
    if headings and all(spelling(cell) in headings for cell in first):
        return ","
    cut = {mark: _cut(head, mark) for mark in DELIMITERS}
    known = {
        mark: max((sum(spelling(c) in headings for c in row) for row in rows), default=0)
        for mark, rows in cut.items()
    }
    best = max(DELIMITERS, key=lambda mark: known[mark])
    if known[best] > 1 or (known[best] and len(set(known.values())) > 1):
        return best
    even = [m for m in DELIMITERS if len(cut[m]) > 1 and len({len(row) for row in cut[m]}) == 1]
    wide = [mark for mark in even if len(cut[mark][0]) > 1]
    return wide[0] if wide and "," not in wide else ","


def _first_lines(text: str) -> str:
    at = 0
    for _ in range(_LOOK):
        at = text.find("\n", at) + 1
        if not at:
            return text
    return text[:at]


def _cut(head: str, delimiter: str) -> list[list[str]]:
    """Rows of the beginning under a delimiter; none where it makes no sense."""
    try:
        rows = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
        return [row for row in rows if any(cell.strip() for cell in row)]
    except csv.Error:
        return []


def _rows(text: str, delimiter: str, place: str, skipped: int) -> tuple[list[list[str]], list[int]]:
    """Rows and the line at which each begins; blank lines are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = skipped
    try:
        for cells in reader:
            if cells and (cells[0] or any(map(str.strip, cells))):
                rows.append(cells)
                lines.append(before + 1)
            before = reader.line_num + skipped
    except csv.Error as error:
        raise PovmonError(
            f"the CSV is corrupt ({error})",
            where=f"{place}, line {before + 1}",
            todo="look for a quotation mark that is not closed, and send the file again",
        ) from error
    if not rows:
        raise PovmonError("the file is empty", where=f"{place}, line 1", todo="send it again")
    return rows, lines
