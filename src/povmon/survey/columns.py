"""From a file's columns to a form's: by their names, or as survey.yml maps them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from povmon import privacy
from povmon.errors import PovmonError
from povmon.survey.cells import known_spellings
from povmon.survey.config import Column, Survey
from povmon.survey.fields import Field, Form
from povmon.survey.header import OWN_MARK, TextTable
from povmon.survey.spelling import spelling
from povmon.survey.units import Money, factor, is_unit

ROW_NUMBER_DIGITS = 6
_NO_ANSWER = re.compile(
    r"don.?t know|unknown|refus|no answer|not asked|not applicable|missing|n/?a$|不详|不知|未知"
    r"|拒答|拒绝|缺失|未回答|不适用|无法回答"
)


def text_columns(survey: Survey, form: Form, table: TextTable) -> dict[str, list[str]]:
    """The form's columns of a file, as text; fields that were not submitted are left out.

    Raises
    ------
    PovmonError : a column that the form requires, or that survey.yml names, is not in the file.
    """
    mapping = survey.columns.get(form.name)  # type: ignore[call-overload]
    if mapping is None:
        found = {name: table.columns[name] for name in form.columns if name in table.columns}
        for name in survey.required_fields(form.name):
            if name not in found:
                raise _missing(survey, table, name)
        return found
    return {name: _mapped(survey, column, table) for name, column in mapping.items()}


def heading_of(survey: Survey, form: str, field: str) -> str:
    """What the column of a field is called in a file; "" when it has none of its own."""
    mapping = survey.columns.get(form)  # type: ignore[call-overload]
    if mapping is None:
        return field
    return (mapping[field].source or "") if field in mapping else ""


def with_labels(field: Field, cells: list[str], labels: Mapping[str, str]) -> list[str]:
    """Cells of Stata or SPSS with the labels of their values where these say more.

    A coded value becomes its label, unless the value is itself a code of the form. A number
    stays one, unless its label says that it stands for something else ("99: don't know").
    """
    if field.dtype in ("code", "boolean"):
        known = known_spellings(field)
        said = {
            v: label for v, label in labels.items() if spelling(label) in known or v not in known
        }
    else:
        low = -np.inf if field.minimum is None else field.minimum
        high = np.inf if field.maximum is None else field.maximum
        said = {v: label for v, label in labels.items() if _stands_in(v, label, low, high)}
    return [said.get(cell, cell) for cell in cells] if said else cells


def _stands_in(value: str, label: str, low: float, high: float) -> bool:
    """Whether a labelled number is no quantity: out of range, or labelled as no answer."""
    words = label.casefold()
    return _NO_ANSWER.search(words) is not None or not low <= float(value or "nan") <= high


def with_unit(field: Field, cells: list[str], unit: str, money: Money) -> tuple[list[str], bool]:
    """Numbers with the unit of their heading beside them, where it is not the field's own.

    Returns
    -------
    The cells, and whether the heading's unit is known; one that is not is left for a remark.
    """
    if field.dtype not in ("number", "integer") or factor(field.unit, unit, money) == 1.0:
        return cells, True
    if not is_unit(unit):
        return cells, False
    return [f"{cell}{unit}" if cell and cell[-1].isdigit() else cell for cell in cells], True


def unused_columns(survey: Survey, form: Form, table: TextTable) -> list[str]:
    """Columns of the file that no field is read from."""
    mapping = survey.columns.get(form.name)  # type: ignore[call-overload]
    used = set(form.columns) if mapping is None else {c.source for c in mapping.values()}
    if survey.area_column is not None:
        used.add(survey.area_column.source)
    return [name for name in table.columns if name not in used and not name.startswith(OWN_MARK)]


def number_change(survey: Survey, form: str, field: str) -> Callable[[Any], Any] | None:
    """What survey.yml does with the numbers of a field (transform, then scale); None: nothing."""
    column = survey.columns.get(form, {}).get(field)  # type: ignore[call-overload]
    if column is None or (column.transform == "none" and column.scale == 1.0):
        return None

    def change(values: Any) -> Any:
        with np.errstate(over="ignore"):
            changed = np.exp(values) if column.transform == "exp" else values
        return changed * column.scale

    return change


def area_of_rows(survey: Survey, table: TextTable) -> pd.Series:
    """Area id of every row of a file that holds several areas.

    Raises
    ------
    PovmonError : a row's value stands for none of the survey's areas (names the line).
    """
    column = survey.area_column
    assert column is not None  # config checks it for delivery: whole
    codes = column.codes or {area: area for area in survey.area_ids}
    submitted = pd.Series(
        _mapped(survey, column.model_copy(update={"codes": {}}), table), dtype="str"
    )
    areas = submitted.map(codes)
    unknown = ~areas.isin(survey.area_ids)
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        shown = privacy.scrub(submitted[row], survey.survey)
        raise PovmonError(
            f"{shown!r} in column {column.source!r} stands for no area",
            where=table.where(table.lines[row]),
            todo=f"use one of {', '.join(codes)}, or add it to area_column.codes in survey.yml",
        )
    return areas


def _mapped(survey: Survey, column: Column, table: TextTable) -> list[str]:
    if column.constant is not None:
        cells = [str(column.constant)] * len(table)
    elif column.number_rows is not None:
        return [f"{column.number_rows}{n + 1:0{ROW_NUMBER_DIGITS}d}" for n in range(len(table))]
    elif column.source not in table.columns:
        raise _missing(
            survey, table, str(column.source), "correct its name in survey.yml, key columns"
        )
    else:
        cells = table.columns[column.source]
    if column.codes:
        # A value without a code is kept as it came: the audit reports it as unknown.
        cells = [column.codes.get(cell, cell) for cell in cells]
    if column.prefix:
        cells = [f"{column.prefix}{cell}" if cell else "" for cell in cells]
    return cells


def _missing(survey: Survey, table: TextTable, name: str, remedy: str = "") -> PovmonError:
    found = (privacy.scrub(heading, survey.survey) for heading in table.columns)
    return PovmonError(
        f"the required column {name!r} is missing",
        where=table.where(table.heading_line),
        todo=f"columns found: {', '.join(found)}; "
        + (remedy or "ask for the file with the column, or map it in survey.yml, key columns"),
    )
