"""The sheet that explains every field: unit, range, whether required, definition."""

from __future__ import annotations

from openpyxl import Workbook

from povmon.survey.spreadsheet import neutral
from povmon.survey.workbook import style
from povmon.survey.workbook.layout import DEFINITIONS_SHEET, sheet_name
from povmon.survey.workbook.scope import Scope
from povmon.survey.workbook.words import TYPES, both, limits, unit

COLUMNS = (
    ("Sheet", "表", 20), ("Variable", "变量名", 24), ("Chinese label", "中文名称", 24),
    ("English label", "英文名称", 38), ("Unit", "计量单位", 24), ("How to fill in", "填法", 34),
    ("Range", "范围", 28), ("Required", "必填", 12), ("Definition", "指标解释", 70),
)  # fmt: skip
_HEAD_ROW = 3


def write_definitions(workbook: Workbook, scope: Scope) -> None:
    """Add the sheet to a workbook."""
    sheet = workbook.create_sheet(DEFINITIONS_SHEET)
    sheet["A1"] = "指标解释 Definitions of the fields"
    style.title(sheet["A1"])
    for position, (en, zh, size) in enumerate(COLUMNS, start=1):
        cell = sheet.cell(_HEAD_ROW, position, f"{zh}\n{en}")
        style.head(cell)
        sheet.column_dimensions[cell.column_letter].width = size
    row = _HEAD_ROW
    for form in scope.forms:
        for field in form.fields:
            row += 1
            values = (
                sheet_name(form), field.name, field.zh, field.en, unit(scope.survey, field),
                both(*TYPES[field.dtype], gap="；"), both(*limits(field), gap="；"),
                "是 yes" if field.required else "", both(field.note, field.note_zh, gap="\n"),
            )  # fmt: skip
            for position, value in enumerate(values, start=1):
                cell = sheet.cell(row, position, neutral(value))
                style.given_cell(cell)
                cell.number_format, cell.alignment = "@", style.WRAPPED
    sheet.row_dimensions[_HEAD_ROW].height = 32
    sheet.freeze_panes = f"C{_HEAD_ROW + 1}"
    sheet.print_title_rows = f"{_HEAD_ROW}:{_HEAD_ROW}"
