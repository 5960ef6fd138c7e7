"""The sheet of code lists, and where on it each drop-down list stands."""

from __future__ import annotations

from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from povmon.survey.fields import YES_NO_LABELS, Form, list_entry
from povmon.survey.spreadsheet import neutral
from povmon.survey.workbook import style
from povmon.survey.workbook.layout import CODES_SHEET
from povmon.survey.workbook.scope import Scope
from povmon.survey.workbook.words import both

HEADINGS = (
    ("Field", "指标"), ("Variable", "变量名"), ("Code", "代码"), ("Chinese", "中文"),
    ("English", "英文"), ("Entry in the list", "下拉列表内容"),
)  # fmt: skip
CODE, ZH, EN, ENTRY = "C", "D", "E", "F"
_HEAD_ROW = 3
YES_NO_LIST, COUNTY_LIST = "yes_no", "county_id"


@dataclass(frozen=True)
class CodeList:
    """One list on the sheet: its first and last row."""

    first: int
    last: int
    longest: int

    def cells(self, column: str = ENTRY) -> str:
        """One of its columns, fixed and with the sheet's name."""
        return f"'{CODES_SHEET}'!${column}${self.first}:${column}${self.last}"


def write_lists(workbook: Workbook, scope: Scope) -> dict[str, CodeList]:
    """Write the sheet of code lists; returns the lists by variable, `yes_no` and `county_id`."""
    sheet = workbook.create_sheet(CODES_SHEET)
    sheet["A1"] = "代码表 Code lists"
    style.title(sheet["A1"])
    for position, (en, zh) in enumerate(HEADINGS, start=1):
        cell = sheet.cell(_HEAD_ROW, position, f"{zh}\n{en}")
        style.head(cell)
    lists = {}
    row = _HEAD_ROW + 1
    for name, label, items in _all_lists(scope):
        first = row
        for code, en, zh, text in items:
            _write_row(sheet, row, (label, name, code, zh, en, text))
            row += 1
        longest = max(style.display_width(str(text)) for *_, text in items)
        lists[name] = CodeList(first, row - 1, longest)
        row += 1  # an empty row parts the lists
    for column, size in zip("ABCDEF", (38, 20, 16, 24, 34, 46), strict=True):
        sheet.column_dimensions[column].width = size
    sheet.row_dimensions[_HEAD_ROW].height = 32
    sheet.freeze_panes = f"A{_HEAD_ROW + 1}"
    sheet.print_title_rows = f"{_HEAD_ROW}:{_HEAD_ROW}"
    return lists


def _write_row(sheet: Worksheet, row: int, values: tuple[object, ...]) -> None:
    for position, value in enumerate(values, start=1):
        cell = sheet.cell(row, position, neutral(value))
        style.given_cell(cell)
        if isinstance(value, str):
            cell.number_format = "@"


Items = list[tuple[str, str, str, str | int]]


def _all_lists(scope: Scope) -> list[tuple[str, str, Items]]:
    """Variable, label and (code, English, Chinese, entry) of every list."""
    found: list[tuple[str, str, Items]] = []
    yes_no: Items = [(c, en, zh, list_entry(c, (en, zh))) for c, (en, zh) in YES_NO_LABELS.items()]
    # The bare digits are entries too, so that who types need not reach for the mouse.
    yes_no += [(c, en, zh, int(c)) for c, (en, zh) in YES_NO_LABELS.items()]
    found.append((YES_NO_LIST, "是或否 Yes or no", yes_no))
    done = {YES_NO_LIST}
    for form in scope.forms:
        found += [item for item in _lists_of(form) if item[0] not in done]
        done.update(name for name, *_ in found)
    if len(scope.counties):
        rows = scope.counties.itertuples()
        counties: Items = [(str(r.county_id), str(r.en), str(r.zh), str(r.county_id)) for r in rows]
        found.append((COUNTY_LIST, "县代码 County code", counties))
    return found


def _lists_of(form: Form) -> list[tuple[str, str, Items]]:
    return [
        (
            field.name,
            both(field.en, field.zh),
            [(code, en, zh, list_entry(code, (en, zh))) for code, (en, zh) in field.codes.items()],
        )
        for field in form.fields
        if field.codes
    ]
