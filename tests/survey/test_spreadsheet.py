"""Nothing that leaves for a spreadsheet begins a formula."""

from __future__ import annotations

import doctest

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import given

from povmon.survey import spreadsheet
from povmon.survey.spreadsheet import neutral, neutral_frame


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1+1",
     "-", "+86 139", "--1", "-1e", "=HYPERLINK(\"http://x\")", "-1,23", "-5-5"],
)  # fmt: skip
def test_what_begins_a_formula_becomes_text(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize(
    "value", ["-5", "-1,234.5", "+3", "-.5", "-1e-3", "-12%", "", "贵州", "a=b",
              "5343", None, -3, 2.5, True],
)  # fmt: skip
def test_numbers_and_plain_text_stay(value: object) -> None:
    assert neutral(value) is value


@given(st.text())
def test_no_text_begins_a_formula_afterwards(text: str) -> None:
    safe = neutral(text)
    assert safe.endswith(text)
    assert safe[:1] not in ("\t", "\r", "\n")
    assert safe.strip()[:1] not in ("=", "@")
    if safe.strip()[:1] in ("+", "-") and safe:
        float(safe.replace(",", "").rstrip().rstrip("%"))


def test_a_table_keeps_its_types_and_missing_values() -> None:
    frame = pd.DataFrame({
        "=a": pd.Series(["=1", None, "x"], dtype="str"),
        "n": [-1.0, 2.0, 3.0],
        "o": pd.Series(["@x", -1, None], dtype="object"),
        "c": pd.Series(["=b", "c", "=b"], dtype="str"),
    })  # fmt: skip
    safe = neutral_frame(frame)
    assert list(safe.columns) == ["'=a", "n", "o", "c"]
    assert safe["'=a"].fillna("-").tolist() == ["'=1", "-", "x"]
    assert safe["o"].tolist()[:2] == ["'@x", -1] and safe["n"].tolist() == [-1.0, 2.0, 3.0]
    assert (safe.dtypes.to_numpy() == frame.dtypes.to_numpy()).all()
    assert frame["=a"][0] == "=1"


def test_the_example() -> None:
    assert doctest.testmod(spreadsheet).failed == 0
