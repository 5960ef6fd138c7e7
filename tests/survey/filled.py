"""A form workbook filled in as a person would: by choosing from the lists and typing numbers."""

from __future__ import annotations

from typing import Any

from openpyxl import Workbook

from povmon.survey.fields import YES_NO_LABELS, Field, list_entry
from povmon.survey.workbook import Scope
from povmon.survey.workbook.layout import FIRST_ROW, layouts

Row = dict[str, Any]


def fill(workbook: Workbook, scope: Scope, forms: dict[str, list[Row]]) -> None:
    """Write records (codes and plain values, as in a CSV) into the sheets' first rows."""
    for form, rows in forms.items():
        own = layouts(scope)[form]
        sheet = workbook[own.sheet]
        for number, row in enumerate(rows):
            for name, value in row.items():
                cell = sheet[f"{own.letter(name)}{FIRST_ROW + number}"]
                cell.value = shown(own.form[name], value)


def shown(field: Field, value: Any) -> Any:
    """What a person enters for a value: the entry of the list, or the value itself."""
    if field.codes:
        return list_entry(value, field.codes[value])
    return list_entry(str(value), YES_NO_LABELS[str(value)]) if field.dtype == "boolean" else value
