"""Identifiers: codes that spreadsheets and people turned into something else, turned back.

A code is text. Spreadsheets make numbers of it ("530326.0", "5.30326E+5", "530,326") and drop
leading zeros; people write the name beside it ("530326 会泽县"). What cannot be turned back with
certainty, such as 5.13E+9, which has lost digits, is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_POINT_ZERO = re.compile(r"([0-9]{1,20})\.0*")
_EXPONENT = re.compile(r"([0-9])(?:\.([0-9]*))?[eE]\+?([0-9]{1,2})")
_GROUPED = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_QUOTED = re.compile(r'="?([^"=]*)"?|\'(.*)')
_CJK = "\u3400-\u4dbf\u4e00-\u9fff"
_WITH_NAME = re.compile(rf"(?:[{_CJK}·()]+[\s:_-]*)?([0-9A-Za-z]{{2,20}})(?:[\s:_-]*[{_CJK}·()]+)?")


def identifier(cell: str) -> str | None:
    """The code a cell stands for; None when digits of it were lost.

    Examples
    --------
    >>> identifier("530326.0"), identifier("5.30326E5"), identifier("5.13E+9"), identifier("５３")
    ('530326', '530326', None, '53')
    """
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()
    if found := _QUOTED.fullmatch(text):
        text = (found[1] or found[2] or "").strip()
    if found := _POINT_ZERO.fullmatch(text):
        return found[1]
    if found := _EXPONENT.fullmatch(text):
        digits = found[1] + (found[2] or "").rstrip("0")
        return digits if len(digits) == int(found[3]) + 1 else None
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    if not text.isascii() and (found := _WITH_NAME.fullmatch(text)):
        return found[1]
    return text


def full_codes(codes: Iterable[str]) -> dict[str, str]:
    """Shortened code -> the full one, where leading zeros were lost in some files.

    Parameters
    ----------
    codes : all values that one identifier has in any form. A code of digits is the shortened
        form of one that begins with zeros and equals it otherwise, when there is just one.
    """
    every = {code for code in codes if code}
    full = [code for code in every if code.startswith("0") and code.isdigit()]
    short: dict[str, set[str]] = {}
    for code in full:
        short.setdefault(code.lstrip("0"), set()).add(code)
    return {code: next(iter(f)) for code, f in short.items() if code in every and len(f) == 1}
