"""Text on its way into a spreadsheet: what would begin a formula is made plain text.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break is run as a formula by
spreadsheet programs, also when it comes from a CSV file (OWASP, "CSV Injection"). Every writer of
CSV or xlsx sends texts that came from a survey through `neutral` or `neutral_frame`.
"""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

# Blanks before the sign do not help: some programs trim them. The full-width signs are read as
# the plain ones under East Asian settings.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"\s*[+-]?([0-9]+(,[0-9]{3})*(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?%?\s*")


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
