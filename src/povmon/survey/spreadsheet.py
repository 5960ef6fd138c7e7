"""On the way into a spreadsheet: text that would begin a formula, and bytes that do not change.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break is run as a formula by
spreadsheet programs, also when it comes from a CSV file (OWASP, "CSV Injection"). Every writer of
CSV or xlsx sends texts that came from a survey through `neutral` or `neutral_frame`.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from openpyxl import Workbook

# Blanks before the sign do not help: some programs trim them. The full-width signs are read as
# the plain ones under East Asian settings.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-]?([0-9]+(,[0-9]{3})*(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?%?\s*")

# A time for files whose bytes must not depend on when they were written.
_NO_TIME = dt.datetime(2000, 1, 1)
_PROPERTIES_PART = "docProps/core.xml"
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")


def neutral(text: Any) -> Any:
    """A value that a spreadsheet shows as it is, and never runs.

    Parameters
    ----------
    text : any value; only a str is changed, and only one that would begin a formula: an
        apostrophe is put before it. Negative numbers, also as text ("-5", "-1,234.5"), stay.

    Examples
    --------
    >>> neutral("=1+1"), neutral("-12.5"), neutral(-3), neutral("贵州")
    ("'=1+1", '-12.5', -3, '贵州')
    """
    if not isinstance(text, str) or not _FORMULA.match(text) or _NUMBER.fullmatch(text):
        return text
    return f"'{text}"


def neutral_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy of a table whose texts and column names have gone through `neutral`."""
    safe = frame.rename(columns=neutral)
    for position, dtype in enumerate(safe.dtypes):
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_datetime64_any_dtype(dtype):
            continue
        column = safe.iloc[:, position]
        safe.isetitem(position, column.map(neutral, na_action="ignore").astype(column.dtype).array)
    return safe


def workbook_bytes(workbook: Workbook) -> bytes:
    """An Excel workbook as a file whose bytes depend on its content alone.

    The times that openpyxl writes (of saving, and of each part of the archive) are fixed.

    Parameters
    ----------
    workbook : as openpyxl made it.
    """
    workbook.properties.created = _NO_TIME
    saved = io.BytesIO()
    workbook.save(saved)
    fixed = io.BytesIO()
    with zipfile.ZipFile(saved) as parts, zipfile.ZipFile(fixed, "w") as archive:
        for part in parts.infolist():
            content = parts.read(part)
            if part.filename == _PROPERTIES_PART:
                content = _MODIFIED.sub(rb"\g<1>" + _NO_TIME.strftime("%FT%TZ").encode(), content)
            entry = zipfile.ZipInfo(part.filename, _NO_TIME.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, content)
    return fixed.getvalue()
