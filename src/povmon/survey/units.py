"""Units that people write into cells and headings, and the factor from one to another.

Only factors that are exact and generally known are here (15 mu are a hectare, 2 jin a kilogram).
A unit that measures something else, or that is not known, gives no factor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from povmon.survey.spelling import spelling

_MU = Fraction(10_000, 15)  # square metres
# Dimension -> unit -> how many of the dimension's base unit it is.
_UNITS: dict[str, dict[str, Fraction]] = {
    "yuan": {
        "yuan": Fraction(1), "元": Fraction(1), "块": Fraction(1), "块钱": Fraction(1),
        "rmb": Fraction(1), "cny": Fraction(1), "人民币": Fraction(1), "人民币元": Fraction(1),
        "元人民币": Fraction(1), "¥": Fraction(1), "角": Fraction(1, 10),
    },
    "surface": {
        "m2": Fraction(1), "m²": Fraction(1), "sqm": Fraction(1), "平方米": Fraction(1),
        "平米": Fraction(1), "平方": Fraction(1), "squaremetres": Fraction(1),
        "squaremeters": Fraction(1), "mu": _MU, "亩": _MU, "市亩": _MU, "分地": _MU / 10,
        "ha": Fraction(10_000), "hectare": Fraction(10_000), "hectares": Fraction(10_000),
        "公顷": Fraction(10_000), "km2": Fraction(10**6), "平方公里": Fraction(10**6),
        "平方千米": Fraction(10**6),
    },
    "length": {
        "m": Fraction(1), "米": Fraction(1), "metre": Fraction(1), "metres": Fraction(1),
        "meter": Fraction(1), "meters": Fraction(1), "km": Fraction(1000),
        "公里": Fraction(1000), "千米": Fraction(1000), "kilometres": Fraction(1000),
        "kilometers": Fraction(1000), "里": Fraction(500), "里路": Fraction(500),
        "华里": Fraction(500), "市里": Fraction(500),
    },
    "mass": {
        "kg": Fraction(1), "公斤": Fraction(1), "千克": Fraction(1), "jin": Fraction(1, 2),
        "斤": Fraction(1, 2), "市斤": Fraction(1, 2), "t": Fraction(1000), "吨": Fraction(1000),
        "tonne": Fraction(1000), "tonnes": Fraction(1000), "tons": Fraction(1000),
        "公担": Fraction(100), "担": Fraction(50),
    },
    "time": {
        "year": Fraction(12), "years": Fraction(12), "yrs": Fraction(12), "年": Fraction(12),
        "岁": Fraction(12), "周岁": Fraction(12), "yearsold": Fraction(12),
        "month": Fraction(1), "months": Fraction(1), "月": Fraction(1), "个月": Fraction(1),
    },
    "persons": {w: Fraction(1) for w in (
        "persons", "person", "people", "人", "口", "口人", "个人", "名")},
    "households": {w: Fraction(1) for w in ("households", "household", "户")},
    "villages": {w: Fraction(1) for w in ("villages", "village", "个村", "村", "个行政村")},
    "natural villages": {w: Fraction(1) for w in (
        "natural villages", "naturalvillages", "个自然村", "自然村", "个村", "个寨", "个组")},
    "sets": {w: Fraction(1) for w in ("sets", "set", "台", "部", "个", "套", "只")},
    "vehicles": {w: Fraction(1) for w in ("vehicles", "vehicle", "辆", "台", "部", "个")},
    "share": {"share": Fraction(1), "%": Fraction(1, 100),
              "percent": Fraction(1, 100), "percentage": Fraction(1, 100), "‰": Fraction(1, 1000)},
}  # fmt: skip
# Words before a unit that multiply it.
_MULTIPLES = {
    "thousand": 10**3, "千": 10**3, "k": 10**3, "tenthousand": 10**4, "10000": 10**4,
    "万": 10**4, "1000": 10**3, "hundredthousand": 10**5, "million": 10**6, "百万": 10**6,
    "千万": 10**7, "亿": 10**8, "billion": 10**9, "十万": 10**5, "百": 100,
}  # fmt: skip
_FOREIGN = ("美元", "港元", "港币", "欧元", "日元", "usd", "hkd", "eur", "dollars", "euro", "$")
_OF_FIELD = {"hectares": "surface", "mu": "surface", "m2": "surface", "km": "length",
             "m": "length", "tonnes": "mass", "years": "time", "months": "time",
             "10,000 yuan": "yuan", "yuan": "yuan", "%": "share"}  # fmt: skip


@dataclass(frozen=True)
class Money:
    """The money unit of a survey: ``yuan``, ``thousand VND`` and the like.

    Parameters
    ----------
    code : of the currency, such as "CNY".
    unit : survey.yml, ``currency.unit``.
    zh : the same in Chinese.
    """

    code: str = "CNY"
    unit: str = "yuan"
    zh: str = ""


CNY = Money()


@lru_cache(maxsize=4096)
def factor(unit: str, written: str, money: Money = CNY) -> float | None:
    """What a number in a written unit must be multiplied by to be in the field's unit.

    Parameters
    ----------
    unit : of the form's field ("yuan", "mu", "money" for the survey's money unit).
    written : the unit as it stands in a cell or heading ("万元", "mu", "km").
    money : the survey's money unit.

    Returns
    -------
    The factor; None when the unit is not known or measures something else.

    Examples
    --------
    >>> factor("money", "万元"), factor("mu", "公顷"), factor("mu", "元")
    (10000.0, 15.0, None)
    """
    text = spelling(written)
    if not text:
        return 1.0
    if unit == "money":
        own = {spelling(money.unit), spelling(money.zh)} - {""}
        if text in own:
            return 1.0
        kind, base = _money(money)
    else:
        kind, base = _field_unit(unit)
    size = _size(kind, text, base)
    return None if size is None or base is None else float(size / base)


def is_unit(text: str) -> bool:
    """Whether a word is a unit of anything, foreign money included."""
    word = spelling(text)
    known = any(_scaled(units, word) is not None for units in _UNITS.values())
    return bool(word) and (known or word in _MULTIPLES or word.endswith(_FOREIGN))


def _field_unit(unit: str) -> tuple[str, Fraction | None]:
    kind = _OF_FIELD.get(unit, unit)
    if kind not in _UNITS:
        return kind, Fraction(1) if not unit else None
    return kind, _scaled(_UNITS[kind], spelling(unit)) or _UNITS[kind].get(unit)


def _money(money: Money) -> tuple[str, Fraction | None]:
    """The kind and size of the survey's money unit; other currencies have their own kind."""
    if money.code == "CNY":
        return "yuan", _scaled(_UNITS["yuan"], spelling(money.unit))
    code = spelling(money.code)
    return code, _scaled({code: Fraction(1)}, spelling(money.unit))


def _size(kind: str, text: str, base: Fraction | None) -> Fraction | None:
    known = _UNITS.get(kind, {kind: Fraction(1)})
    size = _scaled(known, text)
    if size is not None:
        return size
    # "3万" alone means ten thousands of what the field counts, unless it counts thousands itself.
    alone = text in _MULTIPLES and base == 1 and kind in ("yuan", "persons", "households")
    return Fraction(_MULTIPLES[text]) if alone else None


def _scaled(known: dict[str, Fraction], text: str) -> Fraction | None:
    """Size of a unit that may have a multiple before it."""
    if text in known:
        return known[text]
    for word, multiple in _MULTIPLES.items():
        rest = text.removeprefix(word)
        if rest != text and rest in known and rest:
            return known[rest] * multiple
    return None


_SPLIT = re.compile(
    r"(?P<sign>[¥￥$]|rmb|cny)?\s*(?P<number>[+\-]?[0-9][0-9.,\s]*(?:e[+\-]?[0-9]{1,3})?|[+\-]?\.[0-9]+)"
    r"\s*(?P<unit>[^0-9\s.,+\-][^+\-]{0,20}?)?\s*",
    re.IGNORECASE,
)


def split_unit(cell: str) -> tuple[str, str] | None:
    """A cell as (number, unit), both as written; None when it is no number with a unit.

    Examples
    --------
    >>> split_unit("3,000元"), split_unit("¥12.5"), split_unit("约300元")
    (('3,000', '元'), ('12.5', '¥'), None)
    """
    found = _SPLIT.fullmatch(cell)
    if not found or not (found["sign"] or found["unit"]):
        return None
    return found["number"].strip(), (found["unit"] or found["sign"]).strip()
