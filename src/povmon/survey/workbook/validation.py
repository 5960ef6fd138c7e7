"""What may be typed into a cell: lists, ranges and links, from the form's definition.

A rule holds for a whole column, so that rows beyond the ready ones obey it as well. Spreadsheet
programs do not apply it to cells that are pasted; the colours and remarks show those.
"""

from __future__ import annotations

from typing import Any

from openpyxl.worksheet.datavalidation import DataValidation

from povmon.survey.config import Survey
from povmon.survey.fields import Field
from povmon.survey.workbook.layout import FIRST_ROW, LAST_SHEET_ROW, Layout
from povmon.survey.workbook.lists import COUNTY_LIST, YES_NO_LIST, CodeList
from povmon.survey.workbook.words import both, limits, prompt

# What spreadsheet programs show of a title, a prompt and an error message.
TITLE_LENGTH, TEXT_LENGTH = 32, 255
ANY_NUMBER = 1e12  # "a number" is enforced as one between minus and plus this
_NUMBER_ERROR = (
    "Enter {kind}{limits}, without unit or separator.",
    "请填{kind}{limits}，不要填写单位或分隔符。",
)
_LIST_ERROR = ("Choose one of the entries of the list.", "请从下拉列表中选择。")


def validation(
    survey: Survey, field: Field, layouts: dict[str, Layout], own: Layout,
    lists: dict[str, CodeList],
) -> DataValidation:  # fmt: skip
    """The rule for a field's column.

    Parameters
    ----------
    survey : the survey.
    field : the field.
    layouts : all sheets of the workbook, by form.
    own : the sheet that the field is on.
    lists : where the code lists stand.
    """
    rule = _rule(field, layouts, own, lists)
    letter = own.letter(field.name)
    rule.add(f"{letter}{FIRST_ROW}:{letter}{LAST_SHEET_ROW}")
    rule.allow_blank = True
    rule.showInputMessage = rule.showErrorMessage = True
    rule.promptTitle = _cut(both(field.en, field.zh), TITLE_LENGTH)
    rule.prompt = _cut(prompt(survey, field), TEXT_LENGTH)
    return rule


def _rule(
    field: Field, layouts: dict[str, Layout], own: Layout, lists: dict[str, CodeList]
) -> DataValidation:
    if field.dtype in ("code", "boolean"):
        return _list(lists[field.name if field.codes else YES_NO_LIST].cells())
    if field.dtype in ("integer", "number"):
        return _range(field)
    if field.name == COUNTY_LIST and COUNTY_LIST in lists:
        return _list(lists[COUNTY_LIST].cells())
    parent = own.form.parent
    if parent and parent[1] == field.name and parent[0] in layouts:
        return _link(field, layouts[parent[0]], own)
    return _identifier(field, own)


def _with_error(error: tuple[str, str], style: str = "stop", **rule: Any) -> DataValidation:
    checked = DataValidation(errorStyle=style, **rule)
    checked.errorTitle = "请检查 Please check"
    checked.error = _cut(f"{error[1]}\n{error[0]}", TEXT_LENGTH)
    return checked


def _list(cells: str) -> DataValidation:
    return _with_error(_LIST_ERROR, type="list", formula1=cells)


def _range(field: Field) -> DataValidation:
    whole = field.dtype == "integer"
    kind = ("a whole number", "整数") if whole else ("a number", "数值")
    shown = limits(field)
    error = (
        _NUMBER_ERROR[0].format(kind=kind[0], limits=f", {shown[0]}" if shown[0] else ""),
        _NUMBER_ERROR[1].format(kind=kind[1], limits=f"（{shown[1]}）" if shown[1] else ""),
    )
    low, high = field.minimum, field.maximum
    rule: dict[str, Any] = {"type": "whole" if whole else "decimal"}
    if low is not None and high is None:
        above = 0 < low < 1e-6
        rule["operator"] = "greaterThan" if above else "greaterThanOrEqual"
        rule["formula1"] = "0" if above else f"{low:.15g}"
    else:
        rule["operator"] = "between"
        rule["formula1"] = f"{-ANY_NUMBER if low is None else low:.15g}"
        rule["formula2"] = f"{ANY_NUMBER if high is None else high:.15g}"
    return _with_error(error, **rule)


def _link(field: Field, parent: Layout, own: Layout) -> DataValidation:
    """A code of the form above. A warning only: who fills in the lower form first may go on."""
    codes = parent.range_name(field.name)
    error = (
        f"This code is not on the sheet “{parent.sheet}” (yet). Go on all the same?",
        f"“{parent.sheet}”表中没有该代码（或尚未填写）。是否继续？",
    )
    if parent.form.name == "village":
        filled = f"OFFSET({codes},0,0,MAX(1,COUNTA({codes})),1)"
        return _with_error(error, "warning", type="list", formula1=filled)
    formula = f"ISNUMBER(MATCH({own.cell(field.name)},{codes},0))"
    return _with_error(error, "warning", type="custom", formula1=formula)


def _identifier(field: Field, own: Layout) -> DataValidation:
    """A code without blanks around it; that of a record stands once on its sheet."""
    cell = own.cell(field.name)
    formula = f"LEN(TRIM({cell}))=LEN({cell})"
    error = ("The code must not begin or end with a blank.", "代码前后不能有空格。")
    if own.form.key == (field.name,):
        # Compared cell by cell: COUNTIF takes long codes for numbers and sees 15 digits only.
        formula = f"AND({formula},SUMPRODUCT(--({own.column_range(field.name)}={cell}))<=1)"
        error = (
            "The code must stand once on this sheet, without blanks around it.",
            "代码在本表中不能重复，前后不能有空格。",
        )
    return _with_error(error, type="custom", formula1=formula)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
