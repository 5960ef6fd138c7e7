"""A submitted CSV file as columns of text, every row with the line it came from.

UTF-8 (with or without byte-order mark) and GB18030 are read, and detected strictly: a file that
is neither is refused. What cannot be read without guessing is an error that names file and line.
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from povmon.errors import PovmonError

ENCODINGS = ("utf-8", "gb18030")
_OTHER_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(frozen=True)
class TextTable:
    """The cells of one file.

    Parameters
    ----------
    place : how messages name the file.
    columns : heading -> cells, in the order of the file, stripped of surrounding blanks.
    lines : line number in the file at which each row begins (the heading is line 1).
    encoding : the encoding that was found.
    sha256 : digest of the file's bytes.
    """

    place: str
    columns: dict[str, list[str]]
    lines: list[int]
    encoding: str
    sha256: str

    def __len__(self) -> int:
        return len(self.lines)


def read_text_table(path: Path, place: str) -> TextTable:
    """Read a comma-separated file.

    Parameters
    ----------
    path : the file.
    place : how messages name it, relative to the submissions folder.

    Raises
    ------
    PovmonError : the file cannot be read, is empty, in another encoding, or corrupt (a row with
        the wrong number of cells, an open quote, a NUL character, two columns of one name).
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PovmonError(
            f"the file cannot be read ({error.strerror})", where=place, todo="check the file"
        ) from error
    text, encoding = decode(data, place)
    header, rows, lines = _rows(text, place)
    columns = (
        {
            name: list(map(str.strip, cells))
            for name, cells in zip(header, zip(*rows, strict=True), strict=True)
        }
        if rows
        else {name: [] for name in header}
    )
    return TextTable(place, columns, lines, encoding, hashlib.sha256(data).hexdigest())


def decode(data: bytes, place: str) -> tuple[str, str]:
    """The text of a file and the encoding it is in: UTF-8, else GB18030, else an error."""
    if not data.strip():
        raise PovmonError("the file is empty", where=f"{place}, line 1", todo="send it again")
    for mark, name in _OTHER_BOMS.items():
        if data.startswith(mark):
            raise _wrong_encoding(place, f"it begins like {name}")
    if b"\x00" in data:
        line = data[: data.index(b"\x00")].count(b"\n") + 1
        raise PovmonError(
            "the file contains a NUL character, so it is damaged or not a text file",
            where=f"{place}, line {line}",
            todo="save it again as CSV",
        )
    failures = []
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding).removeprefix("\ufeff"), encoding
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            failures.append(f"not {encoding.upper()} at line {line}")
    raise _wrong_encoding(place, ", ".join(failures))


def _wrong_encoding(place: str, detail: str) -> PovmonError:
    return PovmonError(
        f"the file's encoding is not known: UTF-8 and GB18030 were tried ({detail})",
        where=place,
        todo="save the file as CSV in UTF-8",
    )


def _rows(text: str, place: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Heading, rows and the line at which each row begins; blank lines are no rows."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    before = 0
    try:
        for cells in reader:
            if cells:
                rows.append(cells)
                lines.append(before + 1)
            before = reader.line_num
    except csv.Error as error:
        raise PovmonError(
            f"the CSV is corrupt ({error})",
            where=f"{place}, line {before + 1}",
            todo="look for a quotation mark that is not closed, and send the file again",
        ) from error
    if not rows:
        raise PovmonError("the file is empty", where=f"{place}, line 1", todo="send it again")
    header = _header(rows[0], f"{place}, line {lines[0]}")
    _check_width(len(header), rows, lines, place)
    return header, rows[1:], lines[1:]


def _header(cells: list[str], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise PovmonError(
            f"two columns are called {doubled[0]!r}", where=where, todo="name each column once"
        )
    if "" in names:
        raise PovmonError(
            f"column {names.index('') + 1} has no name", where=where, todo="name each column"
        )
    return names


def _check_width(width: int, rows: list[list[str]], lines: list[int], place: str) -> None:
    if all(len(cells) == width for cells in rows):
        return
    position = next(i for i, cells in enumerate(rows) if len(cells) != width)
    raise PovmonError(
        f"the CSV is corrupt: {len(rows[position])} cells where the heading has {width}",
        where=f"{place}, line {lines[position]}",
        todo="look for a missing or additional comma, and send the file again",
    )
