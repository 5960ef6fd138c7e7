"""Personal data in the cells of known columns, replaced at intake before anything else sees it.

Columns that no form knows are never stored. In those that are, an identity-card or telephone
number or a name is replaced by its keyed hash (`povmon.privacy`), so a household whose code was an
identity number still links to its persons. Codes of 15 or 11 digits may look like identity or
telephone numbers: in a column of identifiers of which most share all but their last digits with
others, they are codes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from povmon import privacy
from povmon.survey.cells import known_spellings
from povmon.survey.fields import Field
from povmon.survey.spelling import spelling

_SHORTEST = 11  # characters of a telephone number, the shortest that is looked for in digits
# Neither a plain number nor short: letters, signs, or eleven digits that begin the cell.
_SUSPECT = r"[^0-9.+-]|(^|[^0-9.])[0-9]{11}|[0-9][ -][0-9]"
_CODE = re.compile(r"\d{11,15}")
_TAIL = 3  # last digits that differ between households of one village
_CJK_NAME = re.compile(r"[\u3400-\u9fff·]{2,8}")
_CODE_PART = re.compile(r"[0-9A-Za-z]{2,}")


@dataclass(frozen=True)
class Hidden:
    """What was replaced in a column: how many cells, and the position of the first."""

    cells: int
    first: int


def hide(survey: str, field: Field, cells: pa.Array) -> tuple[pa.Array, Hidden | None]:
    """The cells of one column without personal data.

    Parameters
    ----------
    survey : name of the survey, whose key hashes.
    field : the field that the column holds.
    cells : stripped text (large_string).

    Returns
    -------
    The cells (the same array when nothing was found), and what was replaced.
    """
    if not _may_hold(cells):
        return cells, None
    suspects = pc.match_substring_regex(cells, _SUSPECT)
    values = pc.unique(cells.filter(suspects)).to_pylist()
    replaced = _replacements(survey, field, values, cells)
    if not replaced:
        return cells, None
    text = cells.to_pylist()
    places = [n for n, cell in enumerate(text) if cell in replaced]
    safe = pa.array([replaced.get(cell, cell) for cell in text], type=pa.large_string())
    return safe, Hidden(len(places), places[0])


def _may_hold(array: pa.Array) -> bool:
    """Whether a column can hold personal data at all: long, not ASCII, or of several words."""
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest >= _SHORTEST or not pc.all(pc.string_is_ascii(array)).as_py():
        return True
    return bool(pc.any(pc.match_substring(array, " ")).as_py())


def _replacements(
    survey: str, field: Field, values: Iterable[str], cells: pa.Array
) -> dict[str, str]:
    known = known_spellings(field) if field.dtype in ("code", "boolean") else {}
    found = [v for v in values if spelling(v) not in known and privacy.is_personal(v)]
    if field.dtype == "id" and found:
        codes = _codes(set(pc.unique(cells).to_pylist()))
        return {v: _identifier(survey, v) for v in found if v not in codes}
    return {value: privacy.hashed(value, survey) for value in found}


def _codes(values: set[str]) -> set[str]:
    """Values of 11 to 15 digits that are codes: most share all but the last digits with others."""
    long = [v for v in values if _CODE.fullmatch(v)]
    stems = Counter(v[:-_TAIL] for v in long)
    shared = sum(stems[v[:-_TAIL]] > 1 for v in long)
    return set(long) if shared > len(long) / 2 else set()


def _identifier(survey: str, value: str) -> str:
    """An identifier without the name beside it, or the hash where it is itself personal."""
    plain = privacy.plain(value)
    spans = privacy.personal_spans(plain)
    rest = plain
    for begin, end in reversed(spans):
        rest = rest[:begin] + " " + rest[end:]
    codes = _CODE_PART.findall(rest)
    named = all(_CJK_NAME.fullmatch(plain[begin:end]) for begin, end in spans)
    if named and len(codes) == 1 and any(c.isdigit() for c in codes[0]):
        return codes[0]
    return privacy.hashed(value, survey)
