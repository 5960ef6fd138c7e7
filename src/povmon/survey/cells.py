"""From text to values: numbers, codes, yes or no and identifiers, column by column.

Plain cells are converted in one go. Only the others are looked at one by one: full-width digits,
thousands separators and labels in place of codes are *normalised*; what is still not a value of
the field's type is *refused*. Both are reported, so nothing changes unseen.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from povmon.survey.fields import PANDAS_DTYPE, Field

_PLAIN_NUMBER = r"^[+-]?[0-9]{1,15}(\.[0-9]{0,17})?$"
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_LARGEST_WHOLE = 10**15

YES_NO = {
    "1": True, "0": False, "1.0": True, "0.0": False, "yes": True, "no": False, "y": True,
    "n": False, "true": True, "false": False, "是": True, "否": False, "有": True, "无": False,
}  # fmt: skip


@dataclass(frozen=True)
class Parsed:
    """A column after reading.

    Parameters
    ----------
    values : values in the field's pandas dtype; missing where empty or refused.
    normalised : True where the text was written differently from the form's own way.
    refused : True where the text is no value of the field's type.
    """

    values: pd.Series
    normalised: pd.Series
    refused: pd.Series


def parse(field: Field, text: pd.Series, change: Callable[[Any], Any] | None = None) -> Parsed:
    """Convert the stripped text cells of one field.

    Parameters
    ----------
    field : the form's field.
    text : cells as submitted (dtype str, "" for empty), any index.
    change : for numbers, what survey.yml does with them (transform and scale).
    """
    if field.dtype in ("number", "integer"):
        return _numbers(field, text, change)
    if field.dtype == "id":
        return _identifiers(text)
    known = {**YES_NO} if field.dtype == "boolean" else {code: code for code in field.codes}
    plain = {"1": True, "0": False} if field.dtype == "boolean" else known
    return _coded(field, text, plain, _spellings(field, known))


def _flags(text: pd.Series, rows: Any = None) -> pd.Series:
    flags = pd.Series(False, index=text.index)
    if rows is not None:
        flags.loc[rows] = True
    return flags


def _numbers(field: Field, text: pd.Series, change: Callable[[Any], Any] | None) -> Parsed:
    array = pa.array(text, type=pa.large_string())
    plain = pc.match_substring_regex(array, _PLAIN_NUMBER)
    numbers = pc.cast(pc.if_else(plain, array, None), pa.float64()).to_numpy(zero_copy_only=False)
    values = pd.Series(numbers, index=text.index, dtype="float64")
    odd = text[~plain.to_numpy(zero_copy_only=False).astype(bool) & (text != "").to_numpy()]
    found = {row: normal_number(cell) for row, cell in odd.items()}
    normalised = [row for row, number in found.items() if number is not None]
    if normalised:
        values.loc[normalised] = [found[row] for row in normalised]
    refused = _flags(text, [row for row, number in found.items() if number is None])
    if change is not None:
        values = change(values)
        refused |= values.isin([math.inf, -math.inf])
        values = values.mask(refused)
    if field.dtype == "integer":
        broken = values.notna() & ((values % 1 != 0) | (values.abs() >= _LARGEST_WHOLE))
        refused |= broken
        values = values.mask(broken).astype("Int64")
    # A number in exponent notation or the like is read as it stands; only what was spelt
    # differently from a number counts as normalised.
    spelt = _flags(text, [row for row in normalised if not _NUMBER.fullmatch(odd[row])])
    return Parsed(values, spelt & ~refused, refused)


def normal_number(cell: str) -> float | None:
    """The number a cell means, with full-width digits and thousands separators; else None."""
    plain = unicodedata.normalize("NFKC", cell).replace("−", "-").replace("，", ",")
    plain = re.sub(r"(?<=[\d,])\s+(?=\d{3}(\D|$))", ",", plain.strip()).strip()
    if _GROUPED.fullmatch(plain):
        plain = plain.replace(",", "")
    if not _NUMBER.fullmatch(plain) or not plain.isascii():
        return None
    number = float(plain)
    return number if math.isfinite(number) else None


def _spelling(cell: str) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", cell)).strip().casefold()


def _spellings(field: Field, known: dict[str, Any]) -> dict[str, Any]:
    """Every way of writing a code that is understood: the code and its two labels."""
    spellings = {_spelling(code): value for code, value in known.items()}
    for code, (english, chinese) in field.codes.items():
        spellings.setdefault(_spelling(english), code)
        spellings.setdefault(_spelling(chinese), code)
    return spellings


def _coded(
    field: Field, text: pd.Series, plain: dict[str, Any], spellings: dict[str, Any]
) -> Parsed:
    mapping: dict[str, Any] = {}
    normal, bad = set(), set()
    for cell in text.unique():
        if cell in plain:
            mapping[cell] = plain[cell]
        elif _spelling(cell) in spellings:
            mapping[cell] = spellings[_spelling(cell)]
            normal.add(cell)
        elif cell:
            bad.add(cell)
    dtype: Any = PANDAS_DTYPE[field.dtype]
    values = text.map(mapping).astype(dtype)
    return Parsed(values, text.isin(normal), text.isin(bad))


def _identifiers(text: pd.Series) -> Parsed:
    ascii_only = pc.string_is_ascii(pa.array(text, type=pa.large_string()))
    odd = text[~ascii_only.to_numpy(zero_copy_only=False).astype(bool)]
    fixed = {row: unicodedata.normalize("NFKC", cell).strip() for row, cell in odd.items()}
    changed = [row for row, cell in fixed.items() if cell != odd[row]]
    values = text.mask(text == "")
    if changed:
        values.loc[changed] = [fixed[row] for row in changed]
    return Parsed(values.astype("str"), _flags(text, changed), _flags(text))
