"""The small survey in every format and with every kind of heading."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pandas as pd
import pyreadstat

from audit import small
from povmon.survey import FORMS

Style = Callable[[str, str], str]


def label(form: str, name: str) -> tuple[str, str]:
    field = FORMS[form][name]
    return field.en, field.zh


STYLES: dict[str, Style] = {
    "name": lambda form, name: name,
    "shouted": lambda form, name: f" {name.upper().replace('_', ' ')} ",
    "english": lambda form, name: label(form, name)[0],
    "chinese": lambda form, name: label(form, name)[1],
    "both": lambda form, name: f"{label(form, name)[1]} {label(form, name)[0]}",
    "unit": lambda form, name: f"{label(form, name)[1]}（{unit(form, name)}）",
    "wide": lambda form, name: "".join(
        chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in label(form, name)[0]
    ),
}


def unit(form: str, name: str) -> str:
    own = FORMS[form][name].unit
    return {"money": "元", "yuan": "元", "10,000 yuan": "万元"}.get(own, own) or "代码"


def grid(form: str, rows: list[small.Row], style: str = "name") -> list[list[object]]:
    """Heading and records."""
    names = list(rows[0])
    heading: list[object] = [STYLES[style](form, name) for name in names]
    return [heading, *([row[name] for name in names] for row in rows)]


def xlsx(path: Path, sheets: dict[str, Sequence[Sequence[object]]]) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)


def csv(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",",
        encoding: str = "utf-8") -> None:  # fmt: skip
    import csv as writer

    text = io.StringIO()
    writer.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def statistical(path: Path, form: str, rows: list[small.Row], labels: str = "code") -> None:
    """A .dta or .sav file whose coded columns are numbers with value labels.

    `labels` : "code", "en" or "zh", what the labels of the values say.
    """
    frame = pd.DataFrame(rows)
    values: dict[str, dict[int, str]] = {}
    for name in frame:
        field = FORMS[form][str(name)]
        if field.dtype == "code":
            codes = list(field.codes)
            said = {"code": lambda c: c, "en": lambda c, f=field: f.codes[c][0],
                    "zh": lambda c, f=field: f.codes[c][1]}[labels]  # fmt: skip
            values[str(name)] = {n: said(code) for n, code in enumerate(codes, start=1)}
            frame[name] = frame[name].map({code: n for n, code in enumerate(codes, start=1)})
        elif field.dtype == "boolean":
            yes = {"code": ("0", "1"), "en": ("No", "Yes"), "zh": ("否", "是")}[labels]
            values[str(name)] = dict(enumerate(yes))
    write = pyreadstat.write_dta if path.suffix == ".dta" else pyreadstat.write_sav
    titles = [FORMS[form][str(n)].zh for n in frame]
    write(frame, str(path), column_labels=titles, variable_value_labels=values)


def replace(root: Path, province: str, form: str) -> Path:
    """Take the CSV file of one form away; returns the folder it lay in.

    The small survey is written first where it is not there.
    """
    if not (root / "data" / "raw" / "small").exists():
        small.write(root, small.files())
    folder = root / "data" / "raw" / "small" / "submissions" / "wumeng" / province
    (folder / f"{form}.csv").unlink()
    return folder
