"""Tables and charts of the audit."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.present import audits
from povmon.present.display import Figure, Table, Text


@pytest.fixture
def accounting() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "form": ["household", "household", "person"],
            "province_id": ["52", "51", "52"],
            "received": [100, 80, 400],
            "accepted": [90, 80, 390],
            "corrected": [4, 0, 5],
            "rejected": [6, 0, 5],
        }
    )


@pytest.fixture
def findings() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rule": ["income_parts", "income_parts", "age_range"],
            "severity": ["soft", "soft", "hard"],
            "level": ["household", "household", "person"],
            "file": ["wumeng/52/household.csv"] * 3,
            "sheet": ["", "", "户表"],
            "line": [2, 9, 4],
            "key": ["5201", "5202", "5203"],
            "column": ["income_total", "income_total", "age"],
            "value": ["1", "2", "200"],
            "message": ["parts differ", "parts differ", "age <200>"],
        }
    )


@pytest.fixture
def response() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "county_id": ["520526", "530326", "513431"],
            "villages_expected": [8, 8, 8],
            "villages_accepted": [8, 7, 0],
            "households_expected": [80, 80, 80],
            "households_received": [80, 70, 0],
            "households_accepted": [79, 69, 0],
            "lost": ["", "53032603", ""],
            "note": ["", "", "no submission"],
        }
    )


def test_accounting_adds_up_or_is_refused(accounting: pd.DataFrame) -> None:
    table = audits.accounting_table(accounting)
    assert isinstance(table, Table)
    html = table._repr_html_()
    assert "all provinces" in html
    assert ">180</td>" in html
    assert "Guizhou 贵州省" in html
    with pytest.raises(PovmonError, match="do not add up"):
        audits.accounting_table(accounting.assign(accepted=0))


def test_accounting_in_a_sentence(accounting: pd.DataFrame) -> None:
    text = audits.accounting_text(accounting).markdown
    assert "**580** records received" in text
    assert "**11** (1.9\u202f%) were rejected" in text


def test_findings_by_rule(findings: pd.DataFrame) -> None:
    table = audits.findings_table(findings)
    assert isinstance(table, Table)
    html = table._repr_html_()
    assert html.index("age range") < html.index("income parts")  # hard ones first
    assert "age &lt;200&gt; (wumeng/52/household.csv, 户表, line 4)" in html
    figure = audits.findings_chart(findings)
    assert isinstance(figure, Figure)
    assert "income parts 2, age range 1" in figure.alt


def test_response_names_what_is_lost(response: pd.DataFrame) -> None:
    text = audits.response_text(response).markdown
    assert "Of 240 households expected, **148** (61.7\u202f%)" in text
    assert "Lost counties: Meigu" not in text
    assert "**Lost counties: " in text
    assert "(53032603)" in text
    table = audits.response_table(response)
    assert isinstance(table, Table)
    assert "lost: 53032603" in table._repr_html_()
    figure = audits.response_chart(response)
    assert isinstance(figure, Figure)
    assert "with 0.0 %" in figure.alt


def test_promptness_marks_what_did_not_come() -> None:
    frame = pd.DataFrame(
        {
            "province_id": ["52", "53"],
            "expected_by": [dt.date(2011, 3, 31)] * 2,
            "received": [dt.date(2011, 4, 2), None],
            "days_late": pd.array([2, None], dtype="Int64"),
            "status": ["late", "missing"],
        }
    )
    table = audits.promptness_table(frame)
    assert isinstance(table, Table)
    html = table._repr_html_()
    assert "2011-04-02" in html
    assert "not received" in html


def test_empty_frames_give_sentences(
    accounting: pd.DataFrame, findings: pd.DataFrame, response: pd.DataFrame
) -> None:
    for made in (
        audits.accounting_table(accounting.iloc[:0]),
        audits.findings_table(findings.iloc[:0]),
        audits.findings_chart(findings.iloc[:0]),
        audits.response_table(response.iloc[:0]),
        audits.response_chart(response.iloc[:0]),
        audits.response_text(response.iloc[:0]),
    ):
        assert isinstance(made, Text)
