"""From a file's columns to a form's: by their names, or as survey.yml maps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.survey.config import Column, Survey
from povmon.survey.fields import Form
from povmon.survey.text import TextTable

ROW_NUMBER_DIGITS = 6


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
                raise _missing(table, name)
        return found
    return {name: _mapped(column, table) for name, column in mapping.items()}


def unused_columns(survey: Survey, form: Form, table: TextTable) -> list[str]:
    """Columns of the file that no field is read from."""
    mapping = survey.columns.get(form.name)  # type: ignore[call-overload]
    used = set(form.columns) if mapping is None else {c.source for c in mapping.values()}
    if survey.area_column is not None:
        used.add(survey.area_column.source)
    return [name for name in table.columns if name not in used]


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
    submitted = pd.Series(_mapped(column.model_copy(update={"codes": {}}), table), dtype="str")
    areas = submitted.map(codes)
    unknown = ~areas.isin(survey.area_ids)
    if unknown.any():
        row = int(unknown.to_numpy().argmax())
        raise PovmonError(
            f"{submitted[row]!r} in column {column.source!r} stands for no area",
            where=f"{table.place}, line {table.lines[row]}",
            todo=f"use one of {', '.join(codes)}, or add it to area_column.codes in survey.yml",
        )
    return areas


def _mapped(column: Column, table: TextTable) -> list[str]:
    if column.constant is not None:
        cells = [str(column.constant)] * len(table)
    elif column.number_rows is not None:
        return [f"{column.number_rows}{n + 1:0{ROW_NUMBER_DIGITS}d}" for n in range(len(table))]
    elif column.source not in table.columns:
        raise _missing(table, str(column.source), "correct its name in survey.yml, key columns")
    else:
        cells = table.columns[column.source]
    if column.codes:
        # A value without a code is kept as it came: the audit reports it as unknown.
        cells = [column.codes.get(cell, cell) for cell in cells]
    if column.prefix:
        cells = [f"{column.prefix}{cell}" if cell else "" for cell in cells]
    return cells


def _missing(table: TextTable, name: str, remedy: str = "") -> PovmonError:
    return PovmonError(
        f"the required column {name!r} is missing",
        where=f"{table.place}, line 1",
        todo=f"columns found: {', '.join(table.columns)}; "
        + (remedy or "ask for the file with the column, or map it in survey.yml, key columns"),
    )
