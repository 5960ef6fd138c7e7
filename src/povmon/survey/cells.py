"""From text to values: numbers, codes, yes or no and identifiers, column by column.

Plain cells are converted in one go. Only the others are looked at one by one: full-width digits,
thousands separators, units, dates and labels in place of codes are *normalised*; what is still not
a value of the field's type is *refused*, and so is what could be read in two ways (*ambiguous*).
All are reported, so nothing changes unseen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from povmon.survey import numbers
from povmon.survey.dates import year_of
from povmon.survey.fields import PANDAS_DTYPE, Field
from povmon.survey.forms import FORMS
from povmon.survey.identifiers import identifier
from povmon.survey.numbers import normal_number
from povmon.survey.spelling import spelling
from povmon.survey.units import CNY, Money, factor, split_unit

__all__ = ["Parsed", "known_spellings", "normal_number", "parse"]

_PLAIN_NUMBER = r"^[+-]?[0-9]{1,15}(\.[0-9]{0,17})?$"
_LARGEST_WHOLE = 10**15
_YES = ("1", "1.0", "yes", "y", "true", "t", "是", "有", "对", "√", "✓", "✔", "是的")
_NO = ("0", "0.0", "no", "n", "false", "f", "否", "无", "没有", "不是", "×", "✗", "✘", "没")
YES_NO = {**dict.fromkeys(_YES, True), **dict.fromkeys(_NO, False)}
_PLAIN_YES_NO = {"1": True, "0": False}


@dataclass(frozen=True)
class Parsed:
    """A column after reading.

    Parameters
    ----------
    values : values in the field's pandas dtype; missing where empty or refused.
    normalised : True where the text was written differently from the form's own way.
    refused : True where the text is no value of the field's type, or is ambiguous.
    ambiguous : True where it is refused because it could be read in two ways.
    """

    values: pd.Series
    normalised: pd.Series
    refused: pd.Series
    ambiguous: pd.Series


def parse(
    field: Field,
    text: pd.Series,
    change: Callable[[Any], Any] | None = None,
    money: Money = CNY,
    files: pd.Series | None = None,
) -> Parsed:
    """Convert the stripped text cells of one field.

    Parameters
    ----------
    field : the form's field.
    text : cells as submitted (dtype str, "" for empty), any unique index.
    change : for numbers, what survey.yml does with them (transform and scale).
    money : the survey's money unit, for units written into cells.
    files : the file of each cell; commas mean the same within one file. None: all one file.
    """
    if field.dtype in ("number", "integer"):
        return _numbers(field, text, change, money, files)
    if field.dtype == "id":
        return _identifiers(text)
    return _coded(field, text)


def known_spellings(field: Field) -> Mapping[str, Any]:
    """Spelling -> value of a field with codes, or of yes and no."""
    return _yes_no_spellings() if field.dtype == "boolean" else _code_spellings(field)


def _flags(text: pd.Series, rows: Any = None) -> pd.Series:
    flags = pd.Series(False, index=text.index)
    if rows is not None and len(rows):
        flags.loc[rows] = True
    return flags


def _numbers(
    field: Field, text: pd.Series, change: Callable[[Any], Any] | None, money: Money,
    files: pd.Series | None,
) -> Parsed:  # fmt: skip
    array = pa.array(text, type=pa.large_string())
    plain = pc.match_substring_regex(array, _PLAIN_NUMBER)
    cast = pc.cast(pc.if_else(plain, array, None), pa.float64()).to_numpy(zero_copy_only=False)
    values = pd.Series(cast, index=text.index, dtype="float64")
    odd = text[~plain.to_numpy(zero_copy_only=False).astype(bool) & (text != "").to_numpy()]
    rows: list[Any] = []
    refused, ambiguous = _flags(text), _flags(text)
    if len(odd):
        read = _Odd(field, money, text, files).read(odd)
        values.loc[odd.index] = read["value"].astype("float64")
        rows = list(odd.index[read["normalised"].to_numpy(dtype=bool)])
        refused = _flags(text, odd.index[read["value"].isna().to_numpy()])
        ambiguous = _flags(text, odd.index[read["ambiguous"].to_numpy(dtype=bool)])
    normalised = _flags(text, rows)
    if field.name == "year":
        normalised |= _serial_years(text, values)
    if change is not None:
        values = change(values)
        refused |= values.isin([math.inf, -math.inf])
        values = values.mask(refused)
    if field.dtype == "integer":
        broken = values.notna() & ((values % 1 != 0) | (values.abs() >= _LARGEST_WHOLE))
        refused |= broken
        values = values.mask(broken).astype("Int64")
    return Parsed(values, normalised & ~refused, refused, ambiguous)


def _serial_years(text: pd.Series, values: pd.Series) -> pd.Series:
    """Days of a spreadsheet's calendar among years, made years in `values`; which ones."""
    large = values > FORMS["county"]["year"].maximum
    years = {cell: year_of(cell) for cell in text[large].unique()}
    found = text[large].map(years).dropna()
    values.loc[found.index] = found.astype("float64")
    return _flags(text, found.index)


class _Odd:
    """The cells of one column that are no plain numbers, read under the style of their file."""

    def __init__(
        self, field: Field, money: Money, text: pd.Series, files: pd.Series | None
    ) -> None:
        self.field = field
        self.money = money
        self.text = text
        self.files = files

    def read(self, odd: pd.Series) -> pd.DataFrame:
        """value (missing when refused), normalised, ambiguous; indexed like `odd`."""
        styles = self._styles(odd)
        known: dict[tuple[str, numbers.Style], tuple[float | None, bool, bool]] = {}
        rows = []
        for cell, style in zip(odd, styles, strict=True):
            if (cell, style) not in known:
                known[cell, style] = self._read(cell, style)
            rows.append(known[cell, style])
        return pd.DataFrame(rows, columns=["value", "normalised", "ambiguous"], index=odd.index)

    def _read(self, cell: str, style: numbers.Style) -> tuple[float | None, bool, bool]:
        if self.field.name == "year" and (year := year_of(cell)) is not None:
            return float(year), True, False
        text, times = self._parts(cell)
        if times is None:
            return None, False, False
        number = numbers.value(text, style, whole=self.field.dtype == "integer")
        if number is None:
            return None, False, numbers.kind(text) in ("decimal", "strong", "either")
        # A number in exponent notation or the like is read as it stands; only what was spelt
        # differently from a number counts as normalised.
        spelt = text != cell or numbers.kind(text) != "plain"
        # 0.3 times 10,000 is 3,000, not 2,999.9999999999995.
        value = number if times == 1.0 else float(f"{number * times:.12g}")
        return (value, spelt, False) if math.isfinite(value) else (None, False, False)

    def _parts(self, cell: str) -> tuple[str, float | None]:
        """The number of a cell as text, and the factor of the unit written beside it."""
        text = numbers.plain_text(cell)
        if numbers.kind(text):
            return text, 1.0
        parts = split_unit(text)
        if parts is None:
            return text, 1.0
        return numbers.plain_text(parts[0]), factor(self.field.unit, parts[1], self.money)

    def _styles(self, odd: pd.Series) -> list[numbers.Style]:
        """How the file of each cell uses commas in this column."""
        commas = odd[odd.str.contains("[,，.．]", regex=True)]
        kinds = {cell: numbers.kind(self._parts(cell)[0]) for cell in commas.unique()}
        if not {"decimal", "strong"} & set(kinds.values()):
            return ["point"] * len(odd)
        files = self.files if self.files is not None else pd.Series("", index=self.text.index)
        styles = {}
        for file, cells in commas.groupby(files.loc[commas.index]):
            every = self.text[(files == file).to_numpy()]
            pointed = every.str.fullmatch(r"[+-]?[0-9]*\.[0-9]*[1-9][0-9]*").any()
            styles[file] = numbers.style_of({kinds[c] for c in cells.unique()}, bool(pointed))
        return [styles.get(file, "point") for file in files.loc[odd.index]]


@lru_cache(maxsize=1)
def _yes_no_spellings() -> dict[str, Any]:
    known = {_way(word): value for word, value in YES_NO.items()}
    for yes, words in ((True, ("yes", "y", "是", "有")), (False, ("no", "n", "否", "无"))):
        for word in words:  # "1 yes", "否0"
            digit = "1" if yes else "0"
            known |= {f"{digit}{word}": yes, f"{word}{digit}": yes}
    return known


@lru_cache(maxsize=256)
def _code_spellings_of(name: str, codes: tuple[tuple[str, str, str], ...]) -> dict[str, str]:
    known: dict[str, str] = {}
    for count in (1, 2):
        for code, english, chinese in codes:
            ways = [spelling(way) for way in (code, english, chinese) if way]
            for chosen in permutations(ways, count):
                known.setdefault("".join(chosen), code)
    return known


def _code_spellings(field: Field) -> dict[str, str]:
    """Every way of writing a code that is understood: the code and its two labels, or two."""
    return _code_spellings_of(field.name, tuple((c, *labels) for c, labels in field.codes.items()))


def _way(cell: str) -> str:
    """The spelling of a cell; signs count where there are digits only: -1 is not 1."""
    way = spelling(cell)
    return way if way and not way.isdigit() else numbers.plain_text(cell)


def _coded(field: Field, text: pd.Series) -> Parsed:
    yes_no = field.dtype == "boolean"
    plain: Mapping[str, Any] = _PLAIN_YES_NO if yes_no else {code: code for code in field.codes}
    known = known_spellings(field)
    mapping: dict[str, Any] = {}
    normal, bad = set(), set()
    for cell in text.unique():
        if cell in plain:
            mapping[cell] = plain[cell]
        elif (way := _way(cell)) in known:
            mapping[cell] = known[way]
            normal.add(cell)
        elif cell:
            bad.add(cell)
    dtype: Any = PANDAS_DTYPE[field.dtype]
    values = text.map(mapping).astype(dtype)
    return Parsed(values, text.isin(normal), text.isin(bad), _flags(text))


def _identifiers(text: pd.Series) -> Parsed:
    array = pa.array(text, type=pa.large_string())
    plain = pc.match_substring_regex(array, "^[0-9A-Za-z]*$")
    odd = text[~plain.to_numpy(zero_copy_only=False).astype(bool)]
    known = {cell: identifier(cell) for cell in odd.unique()}
    fixed = odd.map(known)
    lost = odd.index[[known[cell] is None for cell in odd]]
    changed = odd.index[[known[cell] not in (cell, None) for cell in odd]]
    values = text.mask(text == "")
    if len(changed):
        values.loc[changed] = fixed.loc[changed]
    refused = _flags(text, lost)
    values = values.mask(refused)
    return Parsed(values.astype("str"), _flags(text, changed), refused, _flags(text))
