"""Bad input gets a clear error or a row that says why, never a silent NaN or a numpy error."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    Jackknife,
    atkinson,
    concentration_index,
    estimate,
    fgt,
    gei,
    gini,
    income_gap_ratio,
    joint,
    lorenz,
    mean,
    multidimensional,
    palma,
    quantile,
    quantile_share,
    ratio,
    regression,
    relative_line,
    s80s20,
    sen,
    sst,
    total,
    watts,
)
from povmon.estimate.measures.base import Measure
from povmon.estimate.measures.relative import RelativeFGT

DESIGN = Design("h", "c", "w")
INDEX = multidimensional({"d": "1/2", "e": "1/2"}, "1/2")
MEASURES: list[Measure] = [
    mean("y"),
    total("y"),
    ratio("y", "x"),
    fgt("y", 10, 0),
    fgt("y", 10, 1),
    fgt("y", "z", 2),
    fgt("y", relative_line("y", 0.6), 0),
    fgt("y", relative_line("y", 0.6, "mean", within="g"), 1),
    watts("y", 10),
    sen("y", 10),
    sst("y", 10),
    income_gap_ratio("y", 10),
    gini("y"),
    gei("y", 0),
    gei("y", 1),
    gei("y", 2),
    atkinson("y", 1),
    atkinson("y", 0.5),
    quantile("y", 0.5),
    quantile("y", 0.5, "hf7"),
    quantile_share("y", (0.2, 0.4)),
    s80s20("y"),
    palma("y"),
    lorenz("y", 0.4),
    concentration_index("y", "x"),
    INDEX.H,
    INDEX.A,
    INDEX.M0,
    INDEX.uncensored("d"),
    INDEX.contribution("d"),
    regression("y", ["d", "e"]).coefficient("d"),
    regression("d", "e", "logit").coefficient("e"),
]


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def sample(n: int = 48) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    c = np.arange(n) // 4
    return pd.DataFrame(
        {
            "h": c // 4,
            "c": c,
            "w": rng.uniform(1, 3, n),
            "y": rng.integers(1, 30, n) + 0.5,
            "x": rng.integers(1, 9, n) * 1.0,
            "z": 10.0,
            "g": np.where(c % 2 == 0, "a", "b"),
            "d": rng.integers(0, 2, n) * 1.0,
            "e": rng.integers(0, 2, n) * 1.0,
        }
    )


def checked(
    frame: pd.DataFrame, design: Design = DESIGN, measures: list = MEASURES, **options: object
) -> pd.DataFrame:
    """The table of all measures, every missing number explained."""
    table = estimate(frame, design, measures, **options)  # type: ignore[arg-type]
    unknown = table[["estimate", "se", "ci_low", "ci_high"]].isna().any(axis=1)
    assert (table.loc[unknown, "note"] != "").all(), table[unknown & (table["note"] == "")]
    assert not np.isinf(table.select_dtypes("number").to_numpy()).any()
    return table


def refused(frame: pd.DataFrame, message: str, design: Design = DESIGN) -> None:
    with pytest.raises(PovmonError, match=message):
        estimate(frame, design, mean("y"))


def test_the_sample_itself_is_fine() -> None:
    assert (checked(sample(), by="g")["note"] == "").all()


@pytest.mark.parametrize("weight", [np.nan, -1.0, np.inf])
def test_weights(weight: float) -> None:
    frame = sample()
    frame.loc[5, "w"] = weight
    refused(frame, r"first at row 5: weight 'w' is missing, infinite or negative in 1 rows")


def test_a_psu_in_two_strata() -> None:
    frame = sample()
    frame.loc[1, "h"] = 2
    refused(frame, r"1 PSUs lie in more than one stratum: 0 in .*nest=True")
    assert estimate(frame, Design("h", "c", "w", nest=True, lonely="certainty"), mean("y"))[
        "estimate"
    ].notna()[0]


@pytest.mark.parametrize("column", ["h", "c"])
def test_missing_stratum_or_psu(column: str) -> None:
    frame = sample().astype({column: float})
    frame.loc[7, column] = np.nan
    refused(frame, rf"first at row 7: column '{column}' is missing in 1 rows")


def test_missing_column_lists_near_matches() -> None:
    frame = sample().rename(columns={"y": "income_pc"})
    for wrong in ("incom_pc", "INCOME_PC"):
        with pytest.raises(PovmonError, match=r"did you mean income_pc\?"):
            estimate(frame, DESIGN, mean(wrong))
    with pytest.raises(PovmonError, match="no column 7 .* there are: "):
        estimate(frame, DESIGN, mean(7))  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [np.nan, 0.0, -5.0])
def test_lines(line: float) -> None:
    with pytest.raises(PovmonError, match="poverty line .* is missing or not positive"):
        estimate(sample(), DESIGN, fgt("y", line, 1))
    frame = sample()
    frame.loc[3, "z"] = line
    with pytest.raises(PovmonError, match="first at row 3: poverty line 'z' is missing"):
        estimate(frame, DESIGN, fgt("y", "z", 1))


def test_text_in_a_number() -> None:
    frame = sample().astype({"y": object})
    frame.loc[9, "y"] = "many"
    refused(frame, "column 'y' is not numeric")


def test_nothing_to_estimate() -> None:
    refused(sample().iloc[:0], "no rows")
    with pytest.raises(PovmonError, match="no measure"):
        estimate(sample(), DESIGN, [])
    with pytest.raises(PovmonError, match="level is 95"):
        estimate(sample(), DESIGN, mean("y"), level=95)


def test_equal_incomes() -> None:
    table = checked(sample().assign(y=7.0)).set_index("measure")
    assert table.loc["gini(y)", "estimate"] == 0
    assert table.loc["gei0(y)", "estimate"] == pytest.approx(0, abs=1e-12)


def test_a_single_observation() -> None:
    one = sample().iloc[[0]]
    table = checked(one, Design("h", "c", "w", lonely="certainty"))
    assert table["se"].isna().all()


def test_an_empty_domain_and_a_domain_of_one_row() -> None:
    frame = sample()
    frame["g"] = np.where(frame.index == 0, "one", np.where(frame["c"] > 6, "none", "rest"))
    frame.loc[frame["g"] == "none", ["y", "d"]] = np.nan
    table = checked(frame, by="g").set_index(["g", "measure"])
    assert table.loc[("none", "mean(y)"), "note"] == "no row enters"
    assert table.loc[("none", "mean(y)"), "excluded"] == pytest.approx(1)


@pytest.mark.parametrize("y", [0.0, -3.0, np.nan])
def test_all_incomes_zero_negative_or_missing(y: float) -> None:
    frame = sample().assign(y=y)
    if not np.isnan(y):
        for line in (relative_line("y", 0.6), relative_line("y", 0.6, "mean")):
            with pytest.raises(PovmonError, match="is not positive; check the incomes"):
                estimate(frame, DESIGN, fgt("y", line, 1))
    fixed = [m for m in MEASURES if np.isnan(y) or not isinstance(m, RelativeFGT)]
    table = checked(frame, measures=fixed).set_index("measure")
    assert np.isnan(table.loc["gini(y)", "estimate"])
    assert np.isnan(table.loc["gei1(y)", "estimate"])
    if not np.isnan(y):
        assert table.loc["fgt1(y, 10)", "estimate"] == 1.0
        assert table.loc["watts(y, 10)", "excluded"] == pytest.approx(1)


def test_some_negative_incomes_follow_the_rules() -> None:
    frame = sample()
    frame.loc[[0, 5], "y"] = [-20.0, 0.0]
    table = checked(frame).set_index("measure")
    share = frame["w"][[0, 5]].sum() / frame["w"].sum()
    gap = np.clip(1 - frame["y"].clip(lower=0) / 10, 0, 1)
    assert table.loc["fgt1(y, 10)", "estimate"] == pytest.approx(
        np.average(gap, weights=frame["w"])
    )
    for name in ("watts(y, 10)", "gei0(y)", "atkinson1(y)"):
        assert table.loc[name, "excluded"] == pytest.approx(share)
    own = estimate(frame, DESIGN, fgt("y", 10, 1, negative="as is"))["estimate"][0]
    deep = np.clip(1 - frame["y"] / 10, 0, None)
    assert own == pytest.approx(np.average(deep, weights=frame["w"]))


def test_weights_of_zero() -> None:
    table = checked(sample().assign(w=0.0))
    assert (table["note"] == "no row enters").all()


def test_weights_of_very_different_size() -> None:
    frame = sample()
    frame["w"] = np.where(frame.index % 2, 1e12, 1e-6)
    checked(frame, by="g")


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values_are_left_out(value: float) -> None:
    frame = sample()
    frame.loc[2, "y"] = value
    table = checked(frame).set_index("measure")
    assert table.loc["mean(y)", "n"] == len(frame) - 1


def test_kinds_of_columns() -> None:
    plain = sample()
    frame = plain.assign(
        y=plain["y"].astype("Float64"),
        d=plain["d"].astype("boolean"),
        g=plain["g"].astype("category"),
    )
    frame.index = pd.Index(["same"] * len(frame))
    frame["g"] = frame["g"].cat.add_categories(["unused"])
    got, want = checked(frame, by="g"), checked(plain, by="g")
    np.testing.assert_allclose(got["se"], want["se"], rtol=1e-12)
    assert got["g"].tolist() == want["g"].tolist()
    frame.loc[:, "y"] = frame["y"].where(np.arange(len(frame)) != 4)
    assert checked(frame)["n"].iloc[0] == len(frame) - 1


@pytest.mark.parametrize("method", [Jackknife(), Bootstrap(50, seed=2)])
def test_replicates_say_what_they_leave_out(method: Jackknife | Bootstrap) -> None:
    frame = sample()
    frame["g"] = np.where(frame["c"] == 0, "one", "rest")
    table = checked(frame, by="g", method=method)
    assert table.loc[table["g"] == "one", "note"].ne("").all()


def test_joint_refuses_what_has_no_linearised_value() -> None:
    with pytest.raises(PovmonError, match="compare quantiles|use replicates"):
        joint(sample(), DESIGN, quantile("y", 0.5))


def test_a_domain_column_may_not_hide_the_tables_own() -> None:
    with pytest.raises(PovmonError, match="'measure'"):
        estimate(sample().rename(columns={"g": "measure"}), DESIGN, mean("y"), by="measure")


@pytest.mark.parametrize("empty", ["a", "m", "z"])
@pytest.mark.parametrize("method", [None, Jackknife()])
def test_an_empty_domain_changes_no_other(empty: str, method: Jackknife | None) -> None:
    frame = sample()
    frame["g"] = np.where(frame["c"] < 8, "k", "p")
    more = pd.concat([frame, frame.iloc[:8].assign(g=empty, y=np.nan, d=np.nan)], ignore_index=True)
    fixed = [m for m in MEASURES if not isinstance(m, RelativeFGT)]
    alone = checked(frame, measures=fixed, by="g", method=method)
    both = checked(more, measures=fixed, by="g", method=method)
    both = both[both["g"] != empty].reset_index(drop=True)
    np.testing.assert_allclose(both["estimate"], alone["estimate"], rtol=1e-12)
    np.testing.assert_allclose(both["se"], alone["se"], rtol=1e-9, atol=1e-12)
