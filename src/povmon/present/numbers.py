"""How numbers are written in tables, charts and sentences: the one place that decides it.

Every function takes a plain number and returns text; a missing number gives `MISSING`.
Sentences and tables use the same functions, so that a number looks the same everywhere.
"""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

MISSING = "–"  # what stands in a cell without a value
THIN = "\u202f"  # narrow no-break space: between a number and its unit
_MINUS = "−"

# Units as they are stored in the estimates table, and how their values are written:
# (factor, decimals, sign that follows in running text).
UNITS: dict[str, tuple[float, int, str]] = {
    "share": (100.0, 1, "%"),
    "percent": (1.0, 1, "%"),
    "index": (1.0, 3, ""),
    "ratio": (1.0, 2, ""),
    "persons": (1.0, 0, "persons"),
    "households": (1.0, 0, "households"),
    "years": (1.0, 1, "years"),
    "m2": (1.0, 1, "m²"),
    # The forms' unit of large amounts cannot follow a number in a text.
    "10,000 yuan": (0.01, 0, "million yuan"),
    "km": (1.0, 1, "km"),
    "": (1.0, 2, ""),
}
_UNIT_HEADINGS = {
    "share": "%",
    "percent": "%",
    "index": "",
    "ratio": "",
    "m2": "m²",
    "10,000 yuan": "million yuan",
}


def is_missing(value: Any) -> bool:
    """True for None, NaN, NaT and pandas' NA; never for text or containers."""
    if value is None:
        return True
    if isinstance(value, (str, bytes, list, tuple, dict, set)):
        return False
    try:
        return bool(pd.isna(value))
    except (TypeError, ValueError):
        return False


def number(value: Any, digits: int = 0) -> str:
    """A number with thousands separators: ``1,234.5``; infinite or missing gives a dash."""
    if is_missing(value) or not math.isfinite(float(value)):
        return MISSING
    text = f"{abs(float(value)):,.{digits}f}"
    negative = float(value) < 0 and any(c in "123456789" for c in text)
    return _MINUS + text if negative else text


def percent(share: Any, digits: int = 1, sign: bool = True) -> str:
    """A share between 0 and 1 as ``38.2 %``; `sign` False leaves the sign to a heading."""
    if is_missing(share):
        return MISSING
    text = number(100.0 * float(share), digits)
    return f"{text}{THIN}%" if sign and text != MISSING else text


def money(value: Any, currency: str = "yuan", digits: int = 0) -> str:
    """An amount with its currency: ``2,300 yuan``."""
    text = number(value, digits)
    return text if text == MISSING else f"{text}{THIN}{currency}"


def unit_rule(unit: str) -> tuple[float, int, str]:
    """Factor, decimals and sign of a unit; an unknown unit is written out (money and such)."""
    return UNITS.get(unit, (1.0, 0, unit))


def value_in_unit(value: Any, unit: str, sign: bool = True, digits: int | None = None) -> str:
    """A value of the estimates table in its unit, e.g. 0.382 of ``share`` gives ``38.2 %``."""
    factor, decimals, mark = unit_rule(unit)
    if is_missing(value):
        return MISSING
    text = number(float(value) * factor, decimals if digits is None else digits)
    return f"{text}{THIN}{mark}" if sign and mark and text != MISSING else text


def unit_heading(unit: str) -> str:
    """What a column heading says of the unit (empty for pure numbers)."""
    return _UNIT_HEADINGS.get(unit, unit)


def interval(low: Any, high: Any, unit: str = "", digits: int | None = None) -> str:
    """An interval in words, without the unit: ``35.0 to 41.5``; missing ends give a dash."""
    if is_missing(low) or is_missing(high):
        return MISSING
    ends = (value_in_unit(end, unit, sign=False, digits=digits) for end in (low, high))
    return " to ".join(ends)


def count_of(value: Any, one: str, many: str = "") -> str:
    """A count with its noun in the right number: ``1 village``, ``8 villages``."""
    noun = one if not is_missing(value) and float(value) == 1 else (many or one + "s")
    return f"{number(value)} {noun}"


def listing(words: list[str], last: str = "and") -> str:
    """Words joined as in a sentence: ``a, b and c``."""
    if len(words) <= 1:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"
