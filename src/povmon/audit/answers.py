"""A province's answers to its return slip, read back from its delivery folder.

Either the Excel slip with its answer column filled in (any workbook with a sheet "Return slip"), or
``answers.csv`` with the columns item, answer and comment. An answer is one of right (the value is
right as it stands), corrected and withdrawn, in English or Chinese; the files are looked for in
the province's folder and the folders of its later deliveries, and of two answers to one item the
later file's counts.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from povmon import paths
from povmon.audit.returns import ANSWERS
from povmon.errors import PovmonError
from povmon.survey.config import Survey
from povmon.survey.text import read_text_table

CSV = "answers.csv"
SHEET = "Return slip"
COLUMNS = ["item", "answer", "comment"]
GIVEN = ["province_id", *COLUMNS, "file"]
# What stands in the cells of the answer column.
WORDS = {f"{en} {zh}": en for en, zh in ANSWERS.items()}


def read_answers(survey: Survey, area: str) -> pd.DataFrame:
    """All answers that the provinces of an area gave, in the order in which they came.

    Returns
    -------
    One row an answer (see `GIVEN`); answer is "right", "corrected", "withdrawn" or "" where
    there is a comment only.

    Raises
    ------
    PovmonError : an answers.csv cannot be read, or a file lacks a column or has an answer that
        is none. A workbook that cannot be opened is left to the intake, which names it.
    """
    parts = []
    for province, path in _files(survey, area):
        place = f"submissions/{path.relative_to(paths.submissions(survey.survey)).as_posix()}"
        read = _slip(path, place) if path.suffix == ".xlsx" else _csv(path, place)
        if read is None:
            continue
        table, lines = read
        table["answer"] = [
            _answer(text, f"{place}, line {line}")
            for text, line in zip(table["answer"], lines, strict=True)
        ]
        given = table[(table["answer"] != "") | (table["comment"] != "")]
        parts.append(given.assign(province_id=province, file=place))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=GIVEN)
    return whole[GIVEN].astype("str")


def _files(survey: Survey, area: str) -> Iterator[tuple[str, Path]]:
    top = paths.submissions(survey.survey)
    whole = survey.delivery == "whole"
    folders = [top] if whole else sorted(p for p in (top / area).glob("[!.]*") if p.is_dir())
    for folder in folders:
        found = [*folder.rglob(CSV), *folder.rglob("[!~.]*.xlsx")]
        # The province's own folder first, then its deliveries in the order of their names.
        for path in sorted(found, key=lambda p: (len(p.parts), p.as_posix())):
            yield "" if whole else folder.name, path


def _csv(path: Path, place: str) -> tuple[pd.DataFrame, list[int]]:
    table = read_text_table(path, place)
    missing = [name for name in ("item", "answer") if name not in table.columns]
    if missing:
        raise PovmonError(
            f"the column {missing[0]!r} is missing",
            where=f"{place}, line 1",
            todo="columns needed: item, answer (and comment)",
        )
    empty = [""] * len(table)
    data = {name: list(table.columns.get(name, empty)) for name in COLUMNS}
    return pd.DataFrame(data, dtype="str"), list(table.lines)


def _slip(path: Path, place: str) -> tuple[pd.DataFrame, list[int]] | None:
    """The answer columns of a returned slip, as values; None for any other workbook."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, OSError, KeyError, ValueError):
        return None
    known = SHEET in book.sheetnames
    sheet = book[SHEET].iter_rows(values_only=True) if known else ()
    rows = [[_text(cell) for cell in row] for row in sheet]
    book.close()
    if not known:
        return None
    head = next((i for i, row in enumerate(rows) if "item" in row and "answer" in row), None)
    if head is None:
        raise PovmonError(
            "the row with the names item and answer is missing",
            where=f"{place}, sheet {SHEET}",
            todo="return the slip as it was sent, with the answers filled in",
        )
    # The headings that people read stand below the names; nothing there is an answer.
    body = rows[head + 2 :]
    at = {name: rows[head].index(name) for name in COLUMNS if name in rows[head]}
    data = {
        name: [row[at[name]] if name in at and at[name] < len(row) else "" for row in body]
        for name in COLUMNS
    }
    lines = [head + 3 + i for i in range(len(body))]
    return pd.DataFrame(data, dtype="str"), lines


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _answer(text: str, where: str) -> str:
    cleaned = text.strip()
    for words, answer in WORDS.items():
        if cleaned.lower() in (answer, words.lower(), ANSWERS[answer]):
            return answer
    if cleaned:
        raise PovmonError(
            f"{cleaned[:40]!r} is not an answer", where=where, todo=f"use one of {', '.join(WORDS)}"
        )
    return ""
