"""What each form's accepted records must keep: one definition, read in two ways.

`fault` looks at a table column by column, which takes milliseconds. Only where that finds
something wrong is pandera asked, which takes a good part of a second, and says what it is.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd

from povmon.survey.fields import PANDAS_DTYPE, Field
from povmon.survey.forms import FORMS

if TYPE_CHECKING:
    import pandera.pandas as pa


def fault(form: str, table: pd.DataFrame) -> str:
    """What breaks a form's schema, in one line; empty where nothing does.

    Parameters
    ----------
    form : "county", "village", "household" or "person".
    table : accepted records; further columns (area, source, weights) are permitted.
    """
    if keeps(form, table):
        return ""
    from pandera.errors import SchemaError

    try:
        schema(form).validate(table, lazy=False)
    except SchemaError as error:
        return str(error).splitlines()[0]
    return ""


def keeps(form: str, table: pd.DataFrame) -> bool:
    """True when every field has its type, range, codes and values, and keys are unique."""
    definition = FORMS[form]
    if any(field.name not in table for field in definition.fields):
        return False
    if table.duplicated(list(definition.key)).any():
        return False
    return all(_kept(field, table[field.name]) for field in definition.fields)


def _kept(field: Field, values: pd.Series) -> bool:
    if values.dtype != pd.api.types.pandas_dtype(_dtype(field)):
        return False
    present = values.dropna()
    if field.required and len(present) < len(values):
        return False
    if field.codes and not present.isin(list(field.codes)).all():
        return False
    low, high = field.minimum, field.maximum
    above = low is None or bool((present >= low).all())
    return above and (high is None or bool((present <= high).all()))


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
    import pandera.pandas as pa

    definition = FORMS[form]
    columns = {field.name: _column(field) for field in definition.fields}
    return pa.DataFrameSchema(
        columns, unique=list(definition.key), strict=False, name=form, title=definition.en
    )


def _column(field: Field) -> pa.Column:
    import pandera.pandas as pa

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
    import pandera.pandas as pa

    checks = []
    if field.codes:
        checks.append(pa.Check.isin(list(field.codes)))
    if field.minimum is not None:
        checks.append(pa.Check.ge(field.minimum))
    if field.maximum is not None:
        checks.append(pa.Check.le(field.maximum))
    return checks
