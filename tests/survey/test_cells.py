from __future__ import annotations

import pandas as pd
import pytest

from povmon.survey import FORMS
from povmon.survey.cells import normal_number, parse
from povmon.survey.fields import YES_NO_LABELS, Field, list_entry

HOUSEHOLD = FORMS["household"]


def cells(*values: str) -> pd.Series:
    return pd.Series(list(values), dtype="str")


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1,234", 1234), ("１，２３４．５", 1234.5), ("12 345", 12345), ("−3", -3), ("1e3", 1000),
        (".5", 0.5), ("1,23", None), ("12,34,567", None), ("abc", None), ("nan", None),
        ("inf", None), ("1e999", None), ("", None), ("约300", None), ("²", 2), ("٣", None),
    ],
)  # fmt: skip
def test_what_a_cell_means_as_a_number(cell: str, number: float | None) -> None:
    assert normal_number(cell) == number


def test_numbers_are_read_normalised_or_refused() -> None:
    parsed = parse(HOUSEHOLD["land"], cells("1", "2.50", "", "３", "1,000", "x"))
    assert parsed.values.fillna(-1).tolist() == [1, 2.5, -1, 3, 1000, -1]
    assert parsed.normalised.tolist() == [False, False, False, True, True, False]
    assert parsed.refused.tolist() == [False] * 5 + [True]


def test_a_fraction_is_no_whole_number() -> None:
    parsed = parse(HOUSEHOLD["hhsize"], cells("4", "4.0", "4.5", "99999999999999999999"))
    assert parsed.values.fillna(-1).tolist() == [4, 4, -1, -1]
    assert parsed.refused.tolist() == [False, False, True, True]
    assert str(parsed.values.dtype) == "Int64"


def test_codes_are_understood_by_label_too() -> None:
    parsed = parse(HOUSEHOLD["water"], cells("tap", "Tap water", "自来水", "beer", ""))
    assert parsed.values.fillna("").tolist() == ["tap", "tap", "tap", "", ""]
    assert parsed.normalised.tolist() == [False, True, True, False, False]
    assert parsed.refused.tolist() == [False, False, False, True, False]


def test_yes_and_no() -> None:
    parsed = parse(HOUSEHOLD["electricity"], cells("1", "0", "是", "no", "2", ""))
    assert parsed.values.astype("object").tolist()[:4] == [True, False, True, False]
    assert parsed.values.isna().tolist() == [False] * 4 + [True, True]
    assert parsed.refused.tolist() == [False] * 4 + [True, False]


def test_identifiers_keep_their_zeros() -> None:
    parsed = parse(HOUSEHOLD["household_id"], cells("0123", "０１", ""))
    assert parsed.values.fillna("-").tolist() == ["0123", "01", "-"]
    assert parsed.normalised.tolist() == [False, True, False]


def test_numbers_can_be_changed_as_survey_yml_says() -> None:
    parsed = parse(HOUSEHOLD["land"], cells("1", "2", "1000"), lambda v: 1e300 * 10.0**v)
    assert parsed.values.notna().tolist() == [True, True, False]
    assert parsed.refused.tolist() == [False, False, True]


@pytest.mark.parametrize(
    "field", [f for form in FORMS.values() for f in form.fields if f.codes or f.dtype == "boolean"],
    ids=lambda f: f.name,
)  # fmt: skip
def test_entries_of_the_forms_lists_are_the_forms_own_way(field: Field) -> None:
    labels = YES_NO_LABELS if field.dtype == "boolean" else field.codes
    parsed = parse(field, cells(*(list_entry(code, both) for code, both in labels.items())))
    wanted = [True, False] if field.dtype == "boolean" else list(labels)
    assert parsed.values.tolist() == wanted
    assert not parsed.normalised.any() and not parsed.refused.any()
    respelt = cells(*(f"{code}:{en} ({zh})" for code, (en, zh) in labels.items()))
    assert field.dtype == "boolean" or parse(field, respelt).values.tolist() == wanted
