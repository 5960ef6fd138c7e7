"""The first sheet: what the workbook is, how far it is filled in, and how to fill it in."""

from __future__ import annotations

from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from povmon.survey.spreadsheet import neutral
from povmon.survey.workbook import style
from povmon.survey.workbook.checks import RIGHT, WRONG
from povmon.survey.workbook.guide import INSTRUCTIONS
from povmon.survey.workbook.identity import Identity
from povmon.survey.workbook.layout import CHECK_COLUMN, Layout
from povmon.survey.workbook.scope import Scope
from povmon.survey.workbook.sheets import protect, set_page
from povmon.survey.workbook.words import both

WIDTHS = {"A": 5, "B": 34, "C": 24, "D": 24, "E": 24, "F": 24, "G": 24}
PROGRESS = (
    ("Sheet", "表"), ("Records expected", "预计记录数"),
    ("Rows begun or given", "已填或已给定行数"), ("Rows complete", "已完成行数"),
    ("Rows to complete or check", "待补全或核对行数"),
)  # fmt: skip
_CHARACTERS, _LINE_HEIGHT = 84, 16  # a line of instructions: in Latin characters, in points


def write_cover(sheet: Worksheet, scope: Scope, own: Identity, layouts: dict[str, Layout]) -> None:
    """Fill the cover.

    Parameters
    ----------
    sheet : the workbook's first sheet.
    scope, own : for whom the workbook is, and its identity.
    layouts : the sheets to be filled in, by form.
    """
    for column, size in WIDTHS.items():
        sheet.column_dimensions[column].width = size
    title = scope.survey.title
    _line(sheet, 1, both("", title.zh) or title.en, 18, bold=True)
    _line(sheet, 2, title.en if title.zh else "", 12)
    row = _identify(sheet, 4, scope, own)
    row = _progress(sheet, row + 1, layouts)
    _instruct(sheet, row + 1, scope, own)
    sheet.sheet_view.showGridLines = False
    sheet.sheet_properties.tabColor = "B8860B"
    protect(sheet)
    set_page(sheet, scope)


def _line(sheet: Worksheet, row: int, text: str, size: float, bold: bool = False) -> None:
    cell = sheet.cell(row, 2, neutral(text))
    cell.font, cell.alignment = style.font(size, style.ACCENT, bold=bold), style.LEFT
    sheet.row_dimensions[row].height = size * 1.7


def _identify(sheet: Worksheet, row: int, scope: Scope, own: Identity) -> int:
    """Survey, area, province, form id and version, and the day of completion to be filled in."""
    facts = [
        ("调查 Survey", own.survey),
        ("年份 Reference year", scope.survey.year),
        ("片区 Area", both(*scope.area_name) and f"{both(*scope.area_name)}（{own.area}）"),
        ("省份 Province", own.province and f"{both(*scope.province_name)}（{own.province}）"),
        ("县数 Counties", len(scope.counties) or ""),
        ("表号 Form id", own.form_id),
        ("表式版本 Form version", own.form_version),
        ("截止日期 Deadline", scope.survey.deadline or ""),
    ]
    for label, value in facts:
        if value == "":
            continue
        _fact(sheet, row, label)
        cell = sheet.cell(row, 3, neutral(value))
        cell.font, cell.alignment = style.font(bold=True), style.LEFT
        if label.startswith("截止"):
            cell.number_format = "yyyy-mm-dd"
        row += 1
    _fact(sheet, row, "填报日期 Completed on（年-月-日 yyyy-mm-dd）")
    cell = sheet.cell(row, 3)
    cell.font, cell.border, cell.fill = style.font(), style.GRID, style.INPUT_FILL
    cell.number_format, cell.protection, cell.alignment = "yyyy-mm-dd", style.OPEN, style.LEFT
    day = DataValidation(
        type="date", operator="greaterThanOrEqual", formula1=f"DATE({scope.survey.year},1,1)",
        allow_blank=True, showErrorMessage=True, showInputMessage=True,
        promptTitle="填报日期 Completed on", prompt="年-月-日，例如 2011-03-31\nyear-month-day",
        errorTitle="请检查 Please check",
        error="请按“年-月-日”填写日期。\nEnter a date as year-month-day.",
    )  # fmt: skip
    day.add(cell.coordinate)
    sheet.add_data_validation(day)
    return row + 1


def _fact(sheet: Worksheet, row: int, label: str) -> None:
    cell = sheet.cell(row, 2, label)
    cell.font, cell.alignment = style.font(colour=style.MUTED), style.LEFT


def _progress(sheet: Worksheet, row: int, layouts: dict[str, Layout]) -> int:
    """A table that counts the rows begun, complete and to be checked of each sheet."""
    for position, (en, zh) in enumerate(PROGRESS, start=2):
        style.head(sheet.cell(row, position, f"{zh}\n{en}"))
    sheet.row_dimensions[row].height = 34
    for own in layouts.values():
        row += 1
        remarks = own.outer_range(CHECK_COLUMN)
        values = (
            own.sheet, own.expected, f'=COUNTIF({remarks},"?*")',
            f'=COUNTIF({remarks},"{RIGHT}*")', f'=COUNTIF({remarks},"{WRONG}*")',
        )  # fmt: skip
        for position, value in enumerate(values, start=2):
            cell = sheet.cell(row, position, value)
            style.given_cell(cell)
            cell.number_format, cell.font = "#,##0", style.font()
            if position > 2:
                cell.alignment = style.HEADING
    return row + 1


def _instruct(sheet: Worksheet, row: int, scope: Scope, own: Identity) -> None:
    """The numbered instructions, Chinese on the left and English on the right."""
    words = _words(scope, own)
    for column, text in ((2, "填表说明"), (5, "Instructions")):
        for position in range(column, column + 3):
            style.head(sheet.cell(row, position))
        sheet.cell(row, column, text)
        sheet.merge_cells(start_row=row, end_row=row, start_column=column, end_column=column + 2)
    for number, (en, zh) in enumerate(INSTRUCTIONS, start=1):
        row += 1
        style.given_cell(sheet.cell(row, 1, number))
        sheet.cell(row, 1).border = style.Border()
        sheet.cell(row, 1).fill = style.INPUT_FILL
        sheet.cell(row, 1).alignment = style.WRAPPED
        texts = (zh.format(**words), en.format(**words))
        for column, text in zip((2, 5), texts, strict=True):
            cell = sheet.cell(row, column, neutral(text))
            cell.font, cell.alignment = style.font(), style.WRAPPED
            sheet.merge_cells(
                start_row=row, end_row=row, start_column=column, end_column=column + 2
            )
        lines = max(style.display_width(text) // _CHARACTERS + 1 for text in texts)
        sheet.row_dimensions[row].height = _LINE_HEIGHT * lines + 6


def _words(scope: Scope, own: Identity) -> dict[str, str]:
    survey = scope.survey
    deadline = survey.deadline
    return {
        "year": str(survey.year),
        "money_en": survey.currency.unit,
        "money_zh": survey.currency.zh or survey.currency.unit,
        "version": own.form_version,
        "deadline_en": f"by {deadline:%Y-%m-%d}" if deadline else "when it is complete",
        "deadline_zh": f"并于{deadline:%Y-%m-%d}前" if deadline else "完成后及时",
    }
