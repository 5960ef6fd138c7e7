"""What every reader returns: the cells of a file's sheets as text, with their lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet.

    Parameters
    ----------
    sheet : its name, "" where a file has no sheets.
    rows : cells of each row that is not blank, title and heading rows included.
    lines : the line of each row as the file's own program counts it (an observation of Stata or
        SPSS counts from 1; its names are line 0).
    unvalued : (line, position of the column) of formulas that were saved without a value.
    labels : position of a column -> text of a value -> its label (Stata, SPSS).
    even : True where rows must be as wide as the heading (CSV); others are filled up.
    """

    sheet: str
    rows: list[list[str]]
    lines: list[int]
    unvalued: list[tuple[int, int]] = field(default_factory=list)
    labels: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    even: bool = False


@dataclass(frozen=True)
class Source:
    """A file that was read.

    Parameters
    ----------
    place : how messages name it.
    encoding : of its text ("utf-8", "gb18030", "utf-16"), or its format ("xlsx", "dta", "sav").
    sha256 : digest of its bytes.
    grids : its sheets.
    properties : what a form workbook says of itself: survey, area, province, form_version.
    """

    place: str
    encoding: str
    sha256: str
    grids: list[Grid]
    properties: Mapping[str, str] = field(default_factory=dict)
