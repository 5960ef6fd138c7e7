"""The pandera schema of each form, made from its one definition."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandera.pandas as pa

from povmon.survey.fields import PANDAS_DTYPE, Field
from povmon.survey.forms import FORMS


@cache
def schema(form: str) -> pa.DataFrameSchema:
    """Schema of a form's accepted records.

    Parameters
    ----------
    form : "county", "village", "household" or "person".

    Returns
    -------
    A pandera schema: types, ranges, code lists, required fields, unique key. Further columns
    (area, source, weights) are permitted.
    """
    definition = FORMS[form]
    columns = {field.name: _column(field) for field in definition.fields}
    return pa.DataFrameSchema(
        columns, unique=list(definition.key), strict=False, name=form, title=definition.en
    )


def _column(field: Field) -> pa.Column:
    return pa.Column(
        _dtype(field),
        checks=_checks(field),
        nullable=not field.required,
        title=field.en,
        description=field.note or None,
    )


def _dtype(field: Field) -> Any:
    return PANDAS_DTYPE[field.dtype]


def _checks(field: Field) -> list[pa.Check]:
    checks = []
    if field.codes:
        checks.append(pa.Check.isin(list(field.codes)))
    if field.minimum is not None:
        checks.append(pa.Check.ge(field.minimum))
    if field.maximum is not None:
        checks.append(pa.Check.le(field.maximum))
    return checks
