"""The year that a cell means: a year, a date in one of its many forms, or a spreadsheet's day."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

_FIRST_DAY = dt.date(1899, 12, 30)  # day 0 of spreadsheets
_SERIALS = range(18_264, 73_051)  # 1950 to the end of 2099
_YEAR = re.compile(r"(?P<year>[0-9]{4})(?:\.0+)?(?:年|年度)?")
_MONTH_FIRST = re.compile(
    r"(?P<year>[0-9]{4})\s*[-/.年]\s*(?P<month>[0-9]{1,2})"
    r"(?:\s*[-/.月]\s*(?P<day>[0-9]{1,2})?\s*日?)?(?:[T ]+[0-9]{1,2}:[0-9:.]+)?"
)
_YEAR_LAST = re.compile(
    r"(?P<first>[0-9]{1,2})\s*[-/.]\s*(?P<second>[0-9]{1,2})\s*[-/.]\s*(?P<year>[0-9]{4})"
    r"(?:[T ]+[0-9]{1,2}:[0-9:.]+)?"
)
_TOGETHER = re.compile(r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})")
_SERIAL = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")


def year_of(cell: str) -> int | None:
    """The year of a cell; None where it holds neither a year nor a date that exists.

    Examples
    --------
    >>> [year_of(c) for c in ("2010", "2011年3月31日", "31.03.2011", "40543", "2011-13-01")]
    [2010, 2011, 2011, 2010, None]
    """
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell)
    text = text.strip()
    if found := _YEAR.fullmatch(text):
        return int(found["year"])
    if found := _MONTH_FIRST.fullmatch(text) or _TOGETHER.fullmatch(text):
        day = int(found["day"] or 1)
        return _existing(int(found["year"]), int(found["month"]), day)
    if found := _YEAR_LAST.fullmatch(text):
        year, first, second = (int(found[name]) for name in ("year", "first", "second"))
        # Day and month may stand in either order: the year is the same.
        return _existing(year, second, first) or _existing(year, first, second)
    if (found := _SERIAL.fullmatch(text)) and int(found[1]) in _SERIALS:
        return (_FIRST_DAY + dt.timedelta(days=int(found[1]))).year
    return None


def _existing(year: int, month: int, day: int) -> int | None:
    try:
        return dt.date(year, month, day).year
    except ValueError:
        return None
