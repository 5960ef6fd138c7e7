"""The sheets that are filled in: one a form."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from povmon.survey.fields import Field
from povmon.survey.spreadsheet import neutral
from povmon.survey.workbook import style
from povmon.survey.workbook.checks import add_colours, remark_formula, remark_template
from povmon.survey.workbook.layout import (
    CHECK_COLUMN,
    COUNTY_NAME_COLUMN,
    FIRST_ROW,
    LABEL_ROW,
    NAME_ROW,
    TITLE_ROW,
    Layout,
)
from povmon.survey.workbook.lists import (
    COUNTY_LIST,
    EN,
    ENTRY,
    YES_NO_LIST,
    ZH,
    CodeList,
)
from povmon.survey.workbook.scope import Scope
from povmon.survey.workbook.validation import validation
from povmon.survey.workbook.words import both, unit_zh

HELPER_LABELS = {
    CHECK_COLUMN: "检查结果\nRemark\n（自动 automatic）",
    COUNTY_NAME_COLUMN: "县名\nCounty\n（自动 automatic）",
}
HELPER_WIDTHS = {CHECK_COLUMN: 38, COUNTY_NAME_COLUMN: 24}
# Rows whose cells are written one by one, for programs that do not look at a column's style.
DRAWN_ROWS = 60
PAPER_A3 = 8


def write_sheet(
    workbook: Workbook, scope: Scope, own: Layout, layouts: dict[str, Layout],
    lists: dict[str, CodeList],
) -> Worksheet:  # fmt: skip
    """Add a form's sheet to a workbook.

    Parameters
    ----------
    workbook, scope : the workbook, and for whom it is.
    own, layouts : the sheet's layout, and those of all sheets by form.
    lists : where the code lists stand.
    """
    sheet = workbook.create_sheet(own.sheet)
    _write_head(sheet, scope, own)
    _style_columns(sheet, own, lists)
    _write_rows(sheet, own)
    _write_helpers(sheet, own, layouts, lists)
    for field in own.form.fields:
        sheet.add_data_validation(validation(scope.survey, field, layouts, own, lists))
    add_colours(sheet, own, layouts)
    _set_up(sheet, scope, own)
    return sheet


def _write_head(sheet: Worksheet, scope: Scope, own: Layout) -> None:
    names = (both(*scope.area_name), both(*scope.province_name), str(scope.survey.year))
    place = " · ".join(name for name in names if name)
    sheet.cell(TITLE_ROW, 1, neutral(f"{both(own.form.en, own.form.zh)} · {place}"))
    for position in range(1, len(own.names) + 1):
        # Also the empty ones: they would take the style of their column, and be open.
        style.title(sheet.cell(TITLE_ROW, position))
    labels = [HELPER_LABELS[name] for name in own.helpers]
    labels += [_label(scope, field) for field in own.form.fields]
    for position, (name, label) in enumerate(zip(own.names, labels, strict=True), start=1):
        style.head(sheet.cell(LABEL_ROW, position, neutral(label)))
        cell = sheet.cell(NAME_ROW, position, neutral(name))
        style.head(cell)
        cell.fill, cell.font = style.NAME_FILL, style.font(9, style.MUTED)
    sheet.row_dimensions[TITLE_ROW].height = 26
    sheet.row_dimensions[LABEL_ROW].height = 88
    sheet.row_dimensions[NAME_ROW].height = 18


def _label(scope: Scope, field: Field) -> str:
    """Chinese and English label, each with its unit in brackets; an asterisk where required."""
    chinese = unit_zh(scope.survey, field) if field.unit else ""
    zh = f"{field.zh}（{chinese}）" if chinese else field.zh
    en = f"{field.en} ({field.unit})" if field.unit else field.en
    return f"{zh}{' *' if field.required else ''}\n{en}"


def _style_columns(sheet: Worksheet, own: Layout, lists: dict[str, CodeList]) -> None:
    """Style of the cells that are not written: open below the given records, unless fixed."""
    for name in own.helpers:
        sheet.column_dimensions[own.letter(name)].width = HELPER_WIDTHS[name]
    for field in own.form.fields:
        column: ColumnDimension = sheet.column_dimensions[own.letter(field.name)]
        drop_down = lists[field.name].longest if field.codes else 0
        if field.dtype == "boolean":
            drop_down = lists[YES_NO_LIST].longest
        column.width = style.width(field, drop_down)
        column.font, column.border = style.font(), style.GRID
        column.number_format = style.number_format(field)
        column.alignment = style.alignment(field)
        column.protection = style.LOCKED if own.fixed else style.OPEN


def _write_rows(sheet: Worksheet, own: Layout) -> None:
    """The given records, and further empty rows."""
    given = own.given.to_dict("list")
    known = len(own.given)
    rows = known if own.fixed else max(known, min(own.ready, DRAWN_ROWS))
    first = len(own.helpers) + 1
    for position, field in enumerate(own.form.fields, start=first):
        values = given.get(field.name, [])
        patterns: dict[bool, Cell] = {}
        for row in range(rows):
            cell = sheet.cell(FIRST_ROW + row, position)
            filled = row < len(values)
            if filled:
                cell.value = neutral(values[row])
            if filled not in patterns:
                (style.given_cell if filled else style.input_cell)(cell, field)
                patterns[filled] = cell
            style.like(cell, patterns[filled])


def _write_helpers(
    sheet: Worksheet, own: Layout, layouts: dict[str, Layout], lists: dict[str, CodeList]
) -> None:
    templates = {
        CHECK_COLUMN: remark_template(own, layouts),
        COUNTY_NAME_COLUMN: _county_name(own, lists),
    }
    for position, name in enumerate(own.helpers, start=1):
        template = templates[name]
        pattern = sheet.cell(FIRST_ROW, position)
        style.given_cell(pattern)
        for row in range(FIRST_ROW, own.last_row + 1):
            cell = sheet.cell(row, position, remark_formula(template, own, row))
            style.like(cell, pattern)


def _county_name(own: Layout, lists: dict[str, CodeList]) -> str:
    """Formula of the county's name for the code in ``{row}``; "" where a sheet has none."""
    if COUNTY_NAME_COLUMN not in own.helpers:
        return ""
    counties = lists[COUNTY_LIST]
    code = f"${own.letter(COUNTY_LIST)}{{row}}"
    place = f"MATCH({code},{counties.cells(ENTRY)},0)"
    name = f'INDEX({counties.cells(ZH)},{place})&" "&INDEX({counties.cells(EN)},{place})'
    return f'=IF(LEN({code})=0,"",IFERROR({name},"?"))'


def _set_up(sheet: Worksheet, scope: Scope, own: Layout) -> None:
    """Frozen heading, filter, protection and the printed page."""
    keys = [name for name in own.form.key if name in own.names]
    kept = max(own.names.index(name) for name in keys) + 2
    sheet.freeze_panes = f"{get_column_letter(kept)}{FIRST_ROW}"
    last = get_column_letter(len(own.names))
    sheet.auto_filter.ref = f"A{NAME_ROW}:{last}{own.last_row}"
    sheet.sheet_view.zoomScale = 90
    sheet.sheet_properties.tabColor = style.ACCENT
    protect(sheet)
    sheet.print_title_rows = f"{TITLE_ROW}:{NAME_ROW}"
    sheet.print_title_cols = f"A:{get_column_letter(kept - 1)}"
    set_page(sheet, scope, pages_wide=1 if len(own.names) < 24 else 2)


def protect(sheet: Worksheet) -> None:
    """Protect a sheet without a password: columns may be resized and rows filtered."""
    protection = sheet.protection
    protection.formatColumns = protection.formatRows = False  # False: permitted
    protection.autoFilter = False
    protection.enable()


def set_page(sheet: Worksheet, scope: Scope, pages_wide: int = 1) -> None:
    """A3 landscape, as wide as so many pages, with form id and page number at the foot."""
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = PAPER_A3
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = pages_wide, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom = 0.5, 0.8
    sheet.page_margins.header = sheet.page_margins.footer = 0.4
    sheet.oddFooter.left.text = scope.form_id.replace("&", "&&")
    sheet.oddFooter.center.text = "&A"
    sheet.oddFooter.right.text = "&P / &N"
