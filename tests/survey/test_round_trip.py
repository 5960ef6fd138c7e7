"""Any table, written in any format under any kind of heading, reads back equal."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

from audit import small
from povmon.audit.values import read_values
from povmon.survey import FORMS, load_survey
from povmon.survey.intake import read_submissions
from survey import formats

HOUSEHOLD = FORMS["household"]
AMOUNT = st.one_of(
    st.integers(-(10**7), 10**9),
    st.floats(-1e7, 1e9, allow_nan=False).map(lambda v: round(v, 2)),
)
VALUES = st.fixed_dictionaries({
    "land": st.integers(0, 2000), "income_property": AMOUNT, "income_total": AMOUNT,
    "w_hh": st.floats(1e-3, 1e6).map(lambda v: float(f"{v:.12g}")),
    "structure": st.sampled_from(list(HOUSEHOLD["structure"].codes)),
    "water": st.sampled_from(list(HOUSEHOLD["water"].codes)),
    "electricity": st.integers(0, 1), "hhsize": st.integers(1, 30),
})  # fmt: skip


def read(rows: list[small.Row], suffix: str, style: str, mark: str, encoding: str) -> pd.DataFrame:
    """The household table that comes of writing `rows` in a format."""
    before = os.environ.get("POVMON_ROOT")
    with tempfile.TemporaryDirectory() as root:
        os.environ["POVMON_ROOT"] = root
        try:
            folder = formats.replace(Path(root), "52", "household")
            path = folder / f"household.{suffix}"
            if suffix == "csv":
                formats.csv(path, formats.grid("household", rows, style), mark, encoding)
            elif suffix == "xlsx":
                formats.xlsx(path, {"户表": formats.grid("household", rows, style)})
            else:
                formats.statistical(path, "household", rows, "zh" if style == "chinese" else "code")
            survey = load_survey("small")
            intake = read_submissions(survey, "wumeng")
            table = read_values(survey, intake.rows, intake.submitted).tables["household"]
        finally:
            os.environ.pop("POVMON_ROOT")
            if before is not None:
                os.environ["POVMON_ROOT"] = before
    return table[table["submitted_by"] == "52"].reset_index(drop=True)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(VALUES, min_size=1, max_size=6),
    st.sampled_from(["csv", "xlsx", "dta", "sav"]),
    st.sampled_from(list(formats.STYLES)),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
)
def test_any_table_reads_back_equal(
    values: list[small.Row], suffix: str, style: str, mark: str, encoding: str
) -> None:
    homes = small.files()["52"]["household"]
    rows = [{**home, **value} for home, value in zip(homes, values, strict=False)]
    table = read(rows, suffix, style, mark, encoding)
    assert table["household_id"].tolist() == [str(row["household_id"]) for row in rows]
    for name in values[0]:
        wanted = pd.Series([row[name] for row in rows])
        if HOUSEHOLD[name].dtype == "boolean":
            wanted = wanted == 1
        assert table[name].tolist() == wanted.tolist(), name
