"""Excel workbooks (.xlsx, .xlsm): the values as they were last calculated, never the formulas.

A workbook is a zip archive of XML from elsewhere: its size once unpacked, its compression and
document type declarations are looked at before anything is parsed. Macros are never run.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import openpyxl

from povmon.errors import PovmonError
from povmon.survey.readers.grid import Grid

LARGEST = 2_000_000_000  # bytes once unpacked; 200,000 rows of 42 columns take about 0.4 GB
STEEPEST = 400  # unpacked size over packed size of a part larger than SMALL
SMALL = 50_000_000
_CHUNK = 1 << 20
_MARK = "povmon_"
# What openpyxl and the standard library raise on files that are not what they claim to be.
_DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError,
    SyntaxError, TypeError, ValueError, zlib.error, zipfile.BadZipFile, struct.error,
)  # fmt: skip


def read_excel(data: bytes, place: str) -> tuple[list[Grid], dict[str, str]]:
    """The sheets of a workbook, blank rows left out, and what it says of itself.

    Parameters
    ----------
    data : the file's bytes.
    place : how messages name it.

    Raises
    ------
    PovmonError : not a workbook, protected by a password, damaged, or too large once unpacked.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_archive(archive, place)
            formulas = _has_formulas(archive)
    except _DAMAGE as error:
        raise _damaged(place, "the archive cannot be unpacked") from error
    try:
        return _grids(data, formulas)
    except _DAMAGE as error:
        raise _damaged(place, type(error).__name__) from error


def _damaged(place: str, detail: str) -> PovmonError:
    return PovmonError(
        f"the Excel workbook is damaged or not one ({detail})",
        where=place,
        todo="open it in a spreadsheet program, save it anew as .xlsx, and send it again",
    )


def _check_archive(archive: zipfile.ZipFile, place: str) -> None:
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if "mimetype" in names or "xl/workbook.bin" in names:
        raise PovmonError(
            "the file is a workbook of another format (OpenDocument or .xlsb)",
            where=place,
            todo="save it as .xlsx and send it again",
        )
    if "xl/workbook.xml" not in names and "[Content_Types].xml" not in names:
        raise _damaged(place, "it has no workbook in it")
    steep = [p for p in parts if p.file_size > SMALL and p.file_size > STEEPEST * p.compress_size]
    if steep or sum(part.file_size for part in parts) > LARGEST:
        raise PovmonError(
            "the workbook is far larger once unpacked than any submission",
            where=place,
            todo="send the sheets as CSV, or in several workbooks",
        )
    for part in parts:
        if part.filename.endswith((".xml", ".rels")):
            with archive.open(part) as stream:
                if b"<!DOCTYPE" in stream.read(4096):
                    raise _damaged(place, "its XML has a document type")


def _has_formulas(archive: zipfile.ZipFile) -> bool:
    """Whether any sheet has a formula: only then is the workbook read a second time."""
    for name in archive.namelist():
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            with archive.open(name) as stream:
                before = b""
                while chunk := stream.read(_CHUNK):
                    if re.search(rb"<(?:\w+:)?f[ >/]", before + chunk):
                        return True
                    before = chunk[-16:]
    return False


def _grids(data: bytes, formulas: bool) -> tuple[list[Grid], dict[str, str]]:
    valued = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    written = openpyxl.load_workbook(io.BytesIO(data), read_only=True) if formulas else None
    grids = []
    for sheet in valued.worksheets:
        rows, lines = _cells(sheet)
        unvalued: list[tuple[int, int]] = []
        if written is not None:
            unvalued = list(_unvalued(written[sheet.title], rows, lines))
        grids.append(Grid(sheet.title, rows, lines, unvalued))
    return grids, _properties(valued)


def _properties(workbook: Any) -> dict[str, str]:
    """The marks that `make forms` puts into a workbook: custom properties, else defined names."""
    found = {
        name.removeprefix(_MARK): str(entry.attr_text or "").strip('"')
        for name, entry in workbook.defined_names.items()
        if name.startswith(_MARK)
    }
    for entry in workbook.custom_doc_props.props:
        if entry.name.startswith(_MARK):
            found[entry.name.removeprefix(_MARK)] = str(entry.value or "")
    return found


def _values(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Rows of values. The size that a sheet claims is often wrong, and not needed."""
    sheet.reset_dimensions()
    rows: Iterable[tuple[Any, ...]] = sheet.iter_rows(values_only=True)
    return iter(rows)


def _cells(sheet: Any) -> tuple[list[list[str]], list[int]]:
    rows, lines = [], []
    for line, values in enumerate(_values(sheet), start=1):
        if any(value is not None for value in values):
            cells = [v if type(v) is str else cell_text(v) for v in values]
            if any(map(str.strip, cells)):
                rows.append(cells)
                lines.append(line)
    return rows, lines


def _unvalued(sheet: Any, rows: list[list[str]], lines: list[int]) -> Iterator[tuple[int, int]]:
    """Formulas of the rows that were read whose value is not in the file."""
    read = dict(zip(lines, rows, strict=True))
    for line, values in enumerate(_values(sheet), start=1):
        for position, value in enumerate(values):
            if _is_formula(value):
                cells = read.get(line, [])
                if position >= len(cells) or cells[position] == "":
                    yield line, position


def _is_formula(value: Any) -> bool:
    text = getattr(value, "text", value)  # array formulas are objects
    return isinstance(text, str) and text.startswith("=")


def cell_text(value: Any) -> str:
    """A cell's value as it would be typed: whole numbers without a point, dates as 2011-03-31."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return str(value)


def number_text(value: float) -> str:
    """A number without exponent where it is whole and exact, else with all its digits."""
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
