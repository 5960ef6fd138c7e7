"""A table of text with its own headings: files that belong to a survey and are no form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from povmon.survey.header import TextTable, as_table
from povmon.survey.readers import read_source
from povmon.survey.spelling import spelling

__all__ = ["TextTable", "read_text_table"]


def read_text_table(path: Path, place: str, headings: Sequence[str] = ()) -> TextTable:
    """Read the first sheet of a file (CSV, Excel, Stata or SPSS).

    Parameters
    ----------
    path : the file.
    place : how messages name it.
    headings : the headings that are expected, found in any case and width.

    Raises
    ------
    PovmonError : the file cannot be read, is empty, in another encoding, or corrupt (a row with
        the wrong number of cells, an open quote, a NUL character, two columns of one name).
    """
    known = {spelling(heading): heading for heading in headings}
    source = read_source(path, place, known)
    return as_table(source, source.grids[0], known, ())
