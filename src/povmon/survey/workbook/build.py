"""One form workbook, from its scope to its bytes."""

from __future__ import annotations

from openpyxl import Workbook
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.workbook.protection import WorkbookProtection

from povmon.survey.spreadsheet import workbook_bytes
from povmon.survey.workbook.cover import write_cover
from povmon.survey.workbook.definitions import write_definitions
from povmon.survey.workbook.identity import identity, stamp
from povmon.survey.workbook.layout import COVER_SHEET, DEFINITIONS_SHEET, layouts
from povmon.survey.workbook.lists import write_lists
from povmon.survey.workbook.scope import Scope
from povmon.survey.workbook.sheets import protect, set_page, write_sheet


def form_workbook(scope: Scope) -> Workbook:
    """The workbook that a province fills in.

    Parameters
    ----------
    scope : for whom it is, as `scopes` gives it.

    Returns
    -------
    An openpyxl workbook: instructions, one sheet a form, definitions, code lists. Cells to be
    filled in are unlocked, all else is protected without a password.
    """
    own, sheets = identity(scope), layouts(scope)
    workbook = Workbook()
    cover = workbook.worksheets[0]
    cover.title = COVER_SHEET
    # The code lists are written first, because the forms' sheets refer to their rows.
    lists = write_lists(workbook, scope)
    for layout in sheets.values():
        write_sheet(workbook, scope, layout, sheets, lists)
    write_definitions(workbook, scope)
    codes = workbook.worksheets[1]
    workbook.move_sheet(codes, len(workbook.worksheets) - 2)
    write_cover(cover, scope, own, sheets)
    for sheet in (codes, workbook[DEFINITIONS_SHEET]):
        protect(sheet)
        set_page(sheet, scope)
    stamp(workbook, own)
    for layout in sheets.values():
        for key in layout.form.key:
            name = layout.range_name(key)
            workbook.defined_names[name] = DefinedName(name, attr_text=layout.outer_range(key))
    workbook.security = WorkbookProtection(lockStructure=True)
    properties = workbook.properties
    properties.title, properties.subject = scope.survey.title.en, own.form_id
    properties.creator, properties.version = "povmon", own.form_version
    return workbook


def workbook_content(scope: Scope) -> bytes:
    """The file of `form_workbook`; the same scope gives the same bytes."""
    return workbook_bytes(form_workbook(scope))
