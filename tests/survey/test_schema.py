from __future__ import annotations

import pandas as pd
import pandera.errors
import pytest

from povmon.survey import FORMS
from povmon.survey.fields import PANDAS_DTYPE
from povmon.survey.schema import fault, keeps, schema


def person(**changes: object) -> pd.DataFrame:
    row = {"household_id": "5134310101", "line": 1, "year": 2010, "sex": "male", "age": 40}
    row |= changes
    fields = FORMS["person"].fields
    return pd.DataFrame(
        {f.name: pd.Series([row.get(f.name)], dtype=PANDAS_DTYPE[f.dtype]) for f in fields}
    )


@pytest.mark.parametrize("form", FORMS)
def test_each_form_has_a_schema_with_its_fields(form: str) -> None:
    assert list(schema(form).columns) == FORMS[form].columns


def test_a_good_record_passes() -> None:
    schema("person").validate(person())
    assert keeps("person", person())
    assert fault("person", person()) == ""


@pytest.mark.parametrize("change", [{"sex": "x"}, {"age": 111}, {"line": None}, {"line": 0}])
def test_a_wrong_record_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(pandera.errors.SchemaError):
        schema("person").validate(person(**change))
    assert not keeps("person", person(**change))
    assert fault("person", person(**change))


def test_a_key_must_be_unique() -> None:
    with pytest.raises(pandera.errors.SchemaError):
        schema("person").validate(pd.concat([person(), person()], ignore_index=True))
    assert fault("person", pd.concat([person(), person()], ignore_index=True))


def test_a_column_that_is_missing_or_of_another_type_is_a_fault() -> None:
    assert "age" in fault("person", person().drop(columns="age"))
    assert "age" in fault("person", person().astype({"age": "float64"}))
