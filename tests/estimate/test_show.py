"""Tables show themselves rounded and stay DataFrames of full precision."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pandas as pd
import pytest

from povmon.estimate import (
    Design,
    Table,
    bootstrap_t,
    difference,
    estimate,
    fgt,
    joint,
    lorenz_curve,
    mean,
    poverty_by_group,
    ranks,
)
from povmon.estimate.show.table import ROWS, readable, shown

DESIGN = Design("county", "village", "w")


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    village = np.repeat(np.arange(48), 6)
    frame = pd.DataFrame({"village": village, "county": village // 6, "w": rng.uniform(1, 3, 288)})
    frame["area"] = np.where(village < 24, "north", "<b>south</b>")
    frame["minority"] = rng.integers(0, 2, 288)
    frame["income"] = np.round(rng.lognormal(7.7, 0.6, 288), 2)
    return frame


@pytest.fixture(scope="module")
def table(survey: pd.DataFrame) -> Table:
    found = estimate(survey, DESIGN, [fgt("income", 2300, 0), mean("income")], "area")
    assert isinstance(found, Table)
    return found


def test_every_table_of_estimates_is_one(survey: pd.DataFrame) -> None:
    both = joint(survey, DESIGN, fgt("income", 2300, 0), by="area")
    sides = {"area": "north"}, {"area": "<b>south</b>"}
    for made in (
        lorenz_curve(survey, DESIGN, "income", points=5),
        difference(both, *sides),
        ranks(both),
        poverty_by_group(survey, DESIGN, "income", 2300, "minority"),
        bootstrap_t(survey, DESIGN, [mean("income")], replicates=39, seed=1),
    ):
        assert isinstance(made, Table)
        assert "<table>" in str(made._repr_html_())


def test_numbers_have_the_digits_of_their_error() -> None:
    frame = pd.DataFrame(
        {
            "estimate": [0.387123, 4276.123, np.nan, 0.0],
            "se": [0.01234, 321.5, np.nan, 0.0],
            "ci_low": [0.36, 3600.4, np.nan, 0.0],
            "ci_high": [0.41, 4900.6, np.nan, 0.02],
            "n": [1234, 10, 0, 3],
            "note": ["", "", "no row enters", ""],
        }
    )
    text = readable(frame)
    assert text["estimate"] == ["0.387", "4,276", "", "0.0"]
    assert text["se"] == ["0.012", "322", "", "0.0"]
    assert text["interval"][:3] == ["0.360 – 0.410", "3,600 – 4,901", ""]
    assert text["n"] == ["1,234", "10", "0", "3"]
    assert text["note"][2] == "no row enters"


def test_texts_are_escaped_and_what_is_left_out_is_named(table: Table) -> None:
    html = str(table._repr_html_())
    assert "<b>" not in html and "&lt;b&gt;south&lt;/b&gt;" in html
    assert "cv, excluded" in html and "note</th>" not in html
    assert "PSUs</th>" in html and "–" in html


def test_long_tables_are_cut_with_a_word(survey: pd.DataFrame) -> None:
    found = lorenz_curve(survey, DESIGN, "income", "area")
    html = str(shown(found)._repr_html_())
    assert html.count("<tr>") == ROWS + 1 and f"The first {ROWS} of 202 rows." in html


def test_a_curves_share_is_a_label_and_no_p_value(survey: pd.DataFrame) -> None:
    html = str(lorenz_curve(survey, DESIGN, "income", points=5)._repr_html_())
    assert html.index(">p</th>") < html.index(">estimate</th>") and ">0.25</td>" in html


def test_it_stays_a_frame_of_full_precision(table: Table, tmp_path) -> None:
    plain = pd.DataFrame(table)
    assert type(plain) is pd.DataFrame
    pd.testing.assert_frame_equal(table, plain)
    again = pickle.loads(pickle.dumps(table))
    pd.testing.assert_frame_equal(again, table)
    table.to_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "table.parquet"), plain)
    csv = pd.read_csv(io.StringIO(table.to_csv(index=False)), keep_default_na=False)
    np.testing.assert_allclose(csv["estimate"], plain["estimate"], rtol=1e-15)
    assert isinstance(table[table["area"] == "north"], Table)
    assert len(pd.concat([table, table])) == 2 * len(table)
    assert isinstance(table["estimate"], pd.Series)
    assert list(table.merge(plain[["area", "n"]], on="area").columns)[0] == "area"


def test_tables_without_estimates_show_themselves_as_pandas_does(table: Table) -> None:
    part = table[["area", "n"]]
    assert "Rounded" not in str(part._repr_html_())


def test_the_settings_of_a_curve_stay(survey: pd.DataFrame) -> None:
    found = lorenz_curve(survey, DESIGN, "income", points=5)
    assert found.attrs["curve"] == "Lorenz curve"


def test_domains_may_be_named_as_a_statistic_of_another_table(survey: pd.DataFrame) -> None:
    rows = survey.rename(columns={"area": "p", "minority": "rank"})
    found = estimate(rows, DESIGN, fgt("income", 2300, 0), ["p", "rank"])
    html = str(found._repr_html_())
    assert ">north</td>" in html and html.index(">rank</th>") < html.index(">estimate</th>")
    axis = found.plot().axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()][-1] == "north, 1"


def test_small_p_values_are_not_zero() -> None:
    frame = pd.DataFrame({"estimate": [0.5, 0.5], "se": [0.1, 0.1], "p": [1e-9, 0.04]})
    assert readable(frame)["p"] == ["<0.001", "0.040"]
