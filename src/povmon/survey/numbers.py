"""What a text means as a number: separators of thousands, decimal commas, full-width digits.

One comma can be either: "1,234" is 1234 where commas group thousands and 1.234 where they are
decimal. A column of one file follows one style, so the cells that are not ambiguous ("1234,5",
"1,234,567") decide for it; where they contradict each other nothing is guessed.
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Literal

Style = Literal["point", "comma", "mixed"]
Kind = Literal["plain", "thousands", "decimal", "strong", "either", ""]

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_EITHER = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_DECIMAL = re.compile(r"[+-]?[0-9]+,[0-9]+")
# Points that group thousands: with a decimal comma, or more than one of them.
_POINTED = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[+-]?[0-9]{1,3}(\.[0-9]{3}){2,}")
_BLANKS = re.compile(r"(?<=[0-9])\s(?=[0-9]{3}(?:[^0-9]|$))")
_GROUPED_BY_BLANKS = re.compile(r"[+-]?[0-9]{1,3}(\s[0-9]{3})+([.,][0-9]+)?")


def plain_text(cell: str) -> str:
    """The cell with full-width forms and signs made plain, blanks between thousands taken out."""
    text = cell if cell.isascii() else unicodedata.normalize("NFKC", cell).replace("−", "-")
    text = text.strip()
    return _BLANKS.sub("", text) if _GROUPED_BY_BLANKS.fullmatch(text) else text


def kind(text: str) -> Kind:
    """How a number (as `plain_text` gives it) uses commas and points; "" for no number."""
    if not text.isascii():
        return ""
    if NUMBER.fullmatch(text):
        return "plain"
    if _EITHER.fullmatch(text):
        return "either"
    if _THOUSANDS.fullmatch(text) and not text.lstrip("+-").startswith("0"):
        return "thousands"
    if _POINTED.fullmatch(text):
        return "strong"
    return "decimal" if _DECIMAL.fullmatch(text) else ""


def style_of(kinds: set[Kind], points: bool) -> Style:
    """The style of a column: `kinds` of its cells; `points`: some have a decimal point."""
    if not kinds & {"decimal", "strong"}:
        return "point"
    return "mixed" if points or "thousands" in kinds else "comma"


def value(text: str, style: Style = "point", whole: bool = False) -> float | None:
    """The number a text means under a style; None where it means none, or could mean two.

    Parameters
    ----------
    text : as `plain_text` gives it.
    style : how the column uses commas.
    whole : the field has no decimals, so that a comma before three digits groups thousands.
    """
    found = kind(text)
    if found == "":
        return None
    if found == "thousands" or (found == "either" and (whole or style == "point")):
        text = text.replace(",", "")
    elif found == "either" or (found in ("decimal", "strong") and style != "comma"):
        return None
    elif found in ("decimal", "strong"):
        text = text.replace(".", "").replace(",", ".")
    number = float(text)
    return number if math.isfinite(number) else None


def normal_number(cell: str) -> float | None:
    """The number that a cell means by itself, with thousands separators; else None.

    Examples
    --------
    >>> normal_number("１，２３４．５"), normal_number("12 345"), normal_number("1,23")
    (1234.5, 12345.0, None)
    """
    return value(plain_text(cell))
