from __future__ import annotations

import doctest

import pandas as pd
import pytest

from povmon.survey import FORMS, dates, identifiers, numbers, units
from povmon.survey.cells import normal_number, parse
from povmon.survey.dates import year_of
from povmon.survey.fields import YES_NO_LABELS, Field, list_entry
from povmon.survey.identifiers import full_codes, identifier
from povmon.survey.units import Money, factor, split_unit

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


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("income_wages", "3000元", 3000), ("income_wages", "3,000 yuan", 3000),
        ("income_wages", "0.3万元", 3000), ("income_wages", "0.3万", 3000),
        ("income_wages", "３千元", 3000), ("income_wages", "¥3000", 3000),
        ("income_wages", "RMB 3000", 3000), ("income_wages", "-200元", -200),
        ("income_wages", "3000斤", None), ("income_wages", "3000美元", None),
        ("income_wages", "45%", None), ("income_wages", "大约300", None),
        ("land", "2 mu", 2), ("land", "2亩", 2), ("land", "1公顷", 15), ("land", "2元", None),
        ("dwelling_area", "80㎡", 80), ("dwelling_area", "80平方米", 80), ("hhsize", "4人", 4),
        ("hhsize", "4口", 4), ("head_age", "45岁", 45), ("head_age", "540个月", 45),
        ("tv", "2台", 2), ("income_wages", "3000 4000", None), ("land", "3-4", None),
    ],
)  # fmt: skip
def test_units_in_cells(field: str, cell: str, value: float | None) -> None:
    parsed = parse(HOUSEHOLD[field], cells(cell))
    assert parsed.refused.tolist() == [value is None]
    assert parsed.normalised.tolist() == [value is not None]
    if value is not None:
        assert parsed.values.tolist() == [value]


@pytest.mark.parametrize(
    ("form", "field", "cell", "value"),
    [
        ("village", "distance_km", "12 km", 12), ("village", "distance_km", "12公里", 12),
        ("village", "distance_km", "500米", 0.5), ("village", "distance_km", "10里", 5),
        ("village", "altitude_m", "1.2千米", 1200), ("county", "grain", "3万吨", 30_000),
        ("county", "grain", "3000公斤", 3), ("county", "grain", "3000斤", 1.5),
        ("county", "farmland", "15亩", 1), ("county", "farmland", "1.5万亩", 1000),
        ("county", "gdp", "2亿元", 20_000), ("county", "gdp", "3万元", 3),
        ("county", "population", "1.2万人", 12_000), ("county", "population", "1.2万", 12_000),
        ("county", "gdp", "3万", None), ("county", "grain", "3000元", None),
    ],
)  # fmt: skip
def test_units_that_differ_by_a_known_factor(
    form: str, field: str, cell: str, value: float | None
) -> None:
    parsed = parse(FORMS[form][field], cells(cell))
    assert parsed.values.fillna(-1).tolist() == [-1 if value is None else pytest.approx(value)]
    assert parsed.refused.tolist() == [value is None]


def test_the_money_of_other_surveys() -> None:
    dong = Money("VND", "thousand VND", "千越南盾")
    assert factor("money", "thousand VND", dong) == 1
    assert factor("money", "千越南盾", dong) == 1
    assert factor("money", "million VND", dong) == 1000
    assert factor("money", "VND", dong) == 0.001
    assert factor("money", "元", dong) is None


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (["1,234", "5,678"], [1234, 5678]),  # nothing says otherwise: thousands
        (["1,234,567", "1,234.5"], [1234567, 1234.5]),
        (["7,5", "1234,5", "0,123"], [7.5, 1234.5, 0.123]),
        (["1.234,56", "7,5", "1.234.567"], [1234.56, 7.5, 1234567]),
        (["7,5", "1,234"], [7.5, None]),  # 1.234 or 1234
        (["7,5", "3.5"], [None, 3.5]),  # the column writes points
        (["7,5", "1,234,567", "1,234"], [None, 1234567, None]),
        (["1 234,5", "2,25"], [1234.5, 2.25]),
        (["1,23,456"], [None]),
    ],
)
def test_commas_mean_the_same_within_a_column(
    column: list[str], values: list[float | None]
) -> None:
    parsed = parse(HOUSEHOLD["land"], cells(*column))
    read = [None if pd.isna(v) else v for v in parsed.values]
    assert read == values
    asked = [numbers.kind(c) != "" for c in column]
    wrong = [value is None for value in values]
    assert parsed.refused.tolist() == wrong
    assert parsed.ambiguous.tolist() == [w and a for w, a in zip(wrong, asked, strict=True)]


def test_commas_are_looked_at_file_by_file_and_whole_numbers_have_no_decimals() -> None:
    text = cells("7,5", "1,234", "1,234")
    parsed = parse(HOUSEHOLD["land"], text, files=pd.Series(["a", "b", "a"]))
    assert [None if pd.isna(v) else v for v in parsed.values] == [7.5, 1234, None]
    whole = parse(HOUSEHOLD["mobile_phone"], cells("1,234", "7,5"))
    assert whole.refused.tolist() == [False, True] and whole.values[0] == 1234


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("2010", 2010), ("２０１０", 2010), ("2010年", 2010), ("2011-03-31", 2011),
        ("31.03.2011", 2011), ("2011/3/31", 2011), ("2011年3月31日", 2011), ("3/31/2011", 2011),
        ("20110331", 2011), ("2011-03-31 12:30:00", 2011), ("40633", 2011), ("40633.5", 2011),
        ("2011-13-31", None), ("31.02.2011", None), ("soon", None), ("", None), ("10", None),
    ],
)  # fmt: skip
def test_years_in_all_their_forms(cell: str, year: int | None) -> None:
    assert year_of(cell) == year
    if year is not None:
        parsed = parse(HOUSEHOLD["year"], cells(cell))
        assert parsed.values.tolist() == [year]
        assert parsed.normalised.tolist() == [cell != str(year)]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("530326", "530326"), ("530326.0", "530326"), ("5.30326e5", "530326"),
        ("5.30326E+05", "530326"), ("530,326", "530326"), ("５３０３２６", "530326"),
        ("530326 会泽县", "530326"), ("会泽县530326", "530326"), ("'0123", "0123"),
        ('="0123"', "0123"), ("5.13431E+09", None), ("5.13E+9", None), ("A-12", "A-12"),
        ("H000001", "H000001"), ("", ""),
    ],
)  # fmt: skip
def test_identifiers_that_spreadsheets_changed(cell: str, code: str | None) -> None:
    assert identifier(cell) == code
    parsed = parse(HOUSEHOLD["household_id"], cells(cell))
    assert parsed.refused.tolist() == [code is None]
    assert parsed.normalised.tolist() == [code is not None and code != cell]


def test_lost_zeros_are_restored_where_one_code_fits() -> None:
    assert full_codes(["0123", "123", "456", "00123", "7"]) == {}  # two codes fit
    assert full_codes(["0123", "123", "456"]) == {"123": "0123"}


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("water", "TAP", "tap"), ("water", "tap 自来水", "tap"), ("water", "tap-Tap water", "tap"),
        ("structure", "Brick timber", "brick_timber"), ("structure", "砖木", "brick_timber"),
        ("water", "自来水（tap）", "tap"), ("water", "1", None), ("water", "tap deep well", None),
        ("electricity", "Y", True), ("electricity", "有", True), ("electricity", "1-是", True),
        ("electricity", "FALSE", False), ("electricity", "没有", False), ("electricity", "√", True),
        ("electricity", "0.0", False), ("electricity", "-1", None), ("electricity", "2", None),
        ("electricity", "10", None), ("electricity", "1 0", None), ("electricity", "-", None),
    ],
)  # fmt: skip
def test_labels_and_yes_and_no_in_variants(field: str, cell: str, value: object) -> None:
    parsed = parse(HOUSEHOLD[field], cells(cell))
    assert parsed.refused.tolist() == [value is None]
    if value is not None:
        assert parsed.values.tolist() == [value]


@pytest.mark.parametrize("module", [dates, identifiers, numbers, units])
def test_examples(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_a_sign_of_money_stands_before_its_number() -> None:
    assert split_unit("¥ 12,5") == ("12,5", "¥") and split_unit("12") is None
