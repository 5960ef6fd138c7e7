"""Which reader a file needs: by its name, held against its first bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from povmon.errors import PovmonError
from povmon.survey.readers.delimited import read_delimited
from povmon.survey.readers.grid import Source

TEXT = (".csv", ".txt", ".tsv")
EXCEL = (".xlsx", ".xlsm")
STATISTICAL = (".dta", ".sav", ".zsav")
READABLE = (*TEXT, *EXCEL, *STATISTICAL)
_LARGEST = 1_000_000_000  # bytes of one file
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROTECTED = "EncryptedPackage".encode("utf-16-le")
# Formats that are refused, and what to do about each.
_REFUSED = {
    ".xls": "an old Excel workbook (.xls)",
    ".xlsb": "a binary Excel workbook (.xlsb)",
    ".et": "a WPS workbook (.et)",
    ".ods": "an OpenDocument spreadsheet (.ods)",
    ".numbers": "a Numbers spreadsheet",
    ".doc": "a Word document",
    ".docx": "a Word document",
    ".pdf": "a PDF document",
    ".mdb": "an Access database",
    ".accdb": "an Access database",
    ".dbf": "a dBase table",
    ".sas7bdat": "a SAS data set",
    ".por": "an SPSS portable file (.por)",
    ".zip": "an archive (.zip)",
    ".rar": "an archive (.rar)",
    ".7z": "an archive (.7z)",
}


def unreadable(path: Path) -> str:
    """What a file is that no reader takes, in words; "" when there is nothing to say."""
    return _REFUSED.get(path.suffix.lower(), "")


def read_source(path: Path, place: str, headings: Collection[str] = ()) -> Source:
    """Read a file of any format that `READABLE` lists.

    Parameters
    ----------
    path : the file.
    place : how messages name it, relative to the submissions folder.
    headings : spellings of expected headings (they decide between delimiters of a CSV file).

    Raises
    ------
    PovmonError : it cannot be read, is of another format than its name says, protected, damaged,
        empty, or in an unknown encoding.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise PovmonError("the file is too large", where=place, todo="send it in parts")
        data = path.read_bytes()
    except OSError as error:
        raise PovmonError(
            f"the file cannot be read ({error.strerror})", where=place, todo="check the file"
        ) from error
    suffix = path.suffix.lower()
    _check_content(data, suffix, place)
    digest = hashlib.sha256(data).hexdigest()
    if suffix in EXCEL:
        from povmon.survey.readers.excel import read_excel

        grids, properties = read_excel(data, place)
        return Source(place, "xlsx", digest, grids, properties)
    if suffix in STATISTICAL:
        from povmon.survey.readers.statistical import read_statistical

        return Source(place, suffix[1:], digest, [read_statistical(data, suffix, place)])
    grid, encoding = read_delimited(data, place, headings)
    return Source(place, encoding, digest, [grid])


def _check_content(data: bytes, suffix: str, place: str) -> None:
    if not data.strip():
        raise PovmonError("the file is empty", where=f"{place}, line 1", todo="send it again")
    if data.startswith(_OLE):
        raise _refused_ole(data, place)
    if data.startswith(_ZIP) and suffix not in EXCEL:
        raise PovmonError(
            "the file is a workbook or an archive, whatever its name says",
            where=place,
            todo="name an Excel workbook .xlsx, or save the table as CSV",
        )
    if suffix in EXCEL and not data.startswith(_ZIP):
        kind = "a web page" if data.lstrip()[:1] == b"<" else "no Excel workbook"
        raise PovmonError(
            f"the file is {kind}, whatever its name says",
            where=place,
            todo="save it as .xlsx in a spreadsheet program, or name a text file .csv",
        )
    if suffix in TEXT and data.lstrip()[:15].lower().startswith((b"<html", b"<!doctype html")):
        raise PovmonError(
            "the file is a web page, whatever its name says", where=place, todo="save it as CSV"
        )


def _refused_ole(data: bytes, place: str) -> PovmonError:
    if _PROTECTED in data:
        return PovmonError(
            "the workbook is protected by a password",
            where=place,
            todo="save it without a password and send it again",
        )
    return PovmonError(
        "the file is an old Excel workbook (.xls) or another old Office document",
        where=place,
        todo="open it, save it as .xlsx and send it again",
    )
