"""Numbers as text."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from povmon.present import numbers

THIN = "\u202f"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234567.4, 0, "1,234,567"),
        (-0.04, 1, "0.0"),
        (-1234.5, 1, "−1,234.5"),
        (None, 0, "–"),
        (float("nan"), 2, "–"),
        (float("inf"), 0, "–"),
        (pd.NA, 0, "–"),
    ],
)
def test_number(value: Any, digits: int, text: str) -> None:
    assert numbers.number(value, digits) == text


def test_percent_has_one_decimal_and_a_narrow_space() -> None:
    assert numbers.percent(0.38249) == f"38.2{THIN}%"
    assert numbers.percent(0.5, sign=False) == "50.0"
    assert numbers.percent(float("nan")) == "–"


def test_values_are_written_in_their_unit() -> None:
    assert numbers.value_in_unit(0.382, "share") == f"38.2{THIN}%"
    assert numbers.value_in_unit(3273.4, "yuan") == f"3,273{THIN}yuan"
    assert numbers.value_in_unit(0.35121, "index") == "0.351"
    assert numbers.value_in_unit(24.86, "m2") == f"24.9{THIN}m²"


def test_intervals_need_both_ends() -> None:
    assert numbers.interval(0.35, 0.415, "share") == "35.0 to 41.5"
    assert numbers.interval(0.35, float("nan"), "share") == "–"


def test_words() -> None:
    assert numbers.count_of(1, "village") == "1 village"
    assert numbers.count_of(1200, "county", "counties") == "1,200 counties"
    assert numbers.listing(["a", "b", "c"]) == "a, b and c"
    assert numbers.listing([]) == ""
