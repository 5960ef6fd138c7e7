"""Behaviour of `estimate` beyond the oracle numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from povmon.errors import PovmonError
from povmon.estimate import (
    Design,
    atkinson,
    estimate,
    fgt,
    gei,
    gini,
    income_gap_ratio,
    mean,
    proportion,
    ratio,
    sen,
    sst,
    total,
    watts,
)
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.order import sort_by
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import coded
from povmon.estimate.measures.base import Measure, linearise

DESIGN = Design("h", "c", "w", lonely="certainty", nest=True)
MEASURES = [fgt("y", 10.0, 0), fgt("y", 10.0, 1), mean("y"), total("y"), gini("y")]


@st.composite
def samples(draw: st.DrawFn) -> pd.DataFrame:
    """Small stratified cluster samples with ties and zeros."""
    n = draw(st.integers(6, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "h": rng.integers(0, 3, n),
            "c": rng.integers(0, 4, n),
            "w": rng.integers(1, 9, n) / 2,
            "y": rng.integers(0, 25, n).astype(float) + 0.5,
            "g": rng.choice(["a", "b"], n),
        }
    )


def values(frame: pd.DataFrame, design: Design = DESIGN, by: list[str] | None = None) -> np.ndarray:
    return estimate(frame, design, MEASURES, by=by)[["estimate", "se"]].to_numpy()


@given(samples(), st.integers(0, 1000))
def test_order_of_rows_has_no_effect(frame: pd.DataFrame, seed: int) -> None:
    mixed = frame.sample(frac=1.0, random_state=seed)
    for by in (None, ["g"]):
        np.testing.assert_allclose(values(frame, by=by), values(mixed, by=by), rtol=1e-9, atol=1e-9)


@given(samples(), st.floats(0.01, 1000))
def test_scale_of_weights_changes_totals_alone(frame: pd.DataFrame, scale: float) -> None:
    scaled = frame.assign(w=frame["w"] * scale)
    factor = np.array([1, 1, 1, scale, 1])[:, None]
    got = values(scaled)
    np.testing.assert_allclose(got, values(frame) * factor, rtol=1e-8, atol=1e-9 * scale)


@given(samples())
def test_rows_of_weight_zero_change_no_estimate(frame: pd.DataFrame) -> None:
    more = pd.concat([frame, frame.assign(w=0.0, y=999.0)], ignore_index=True)
    np.testing.assert_allclose(values(more), values(frame), rtol=1e-9, atol=1e-12)


@given(samples())
def test_a_row_twice_is_a_row_of_double_weight(frame: pd.DataFrame) -> None:
    twice = pd.concat([frame, frame], ignore_index=True)
    double = frame.assign(w=frame["w"] * 2)
    np.testing.assert_allclose(values(twice), values(double), rtol=1e-9, atol=1e-9)


@given(samples())
def test_a_domain_equal_to_the_sample(frame: pd.DataFrame) -> None:
    frame = frame.assign(g="all")
    np.testing.assert_allclose(values(frame, by=["g"]), values(frame), rtol=1e-12)


@given(samples())
def test_subgroups_add_up(frame: pd.DataFrame) -> None:
    whole = estimate(frame, DESIGN, [fgt("y", 10.0, 2)])["estimate"].iloc[0]
    parts = estimate(frame, DESIGN, [fgt("y", 10.0, 2)], by=["g"])
    share = frame.groupby("g")["w"].sum() / frame["w"].sum()
    assert np.isclose((parts.set_index("g")["estimate"] * share).sum(), whole)


@given(samples())
def test_gini_is_the_double_sum(frame: pd.DataFrame) -> None:
    w, y = frame["w"].to_numpy(), frame["y"].to_numpy()
    double = (w[:, None] * w * np.abs(y[:, None] - y)).sum()
    want = double / (2 * w.sum() * (w * y).sum())
    assert np.isclose(estimate(frame, DESIGN, [gini("y")])["estimate"].iloc[0], want)


def test_order_of_the_table() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2, 3, 4], "w": 1.0, "y": 1.0, "g": list("baba")})
    table = estimate(frame, DESIGN, [mean("y"), total("y")], by=["g"])
    assert table[["g", "measure"]].to_numpy().tolist() == [
        ["a", "mean(y)"],
        ["a", "total(y)"],
        ["b", "mean(y)"],
        ["b", "total(y)"],
    ]


def test_missing_values_leave_the_measure_not_the_design() -> None:
    frame = pd.DataFrame(
        {"h": 1, "c": [1, 1, 2, 2], "w": [1.0, 2, 3, 4], "y": [5.0, np.nan, 7.0, 9.0]}
    )
    row = estimate(frame, DESIGN, [mean("y")]).iloc[0]
    assert row["n"] == 3
    assert row["excluded"] == pytest.approx(0.2)
    assert row["estimate"] == pytest.approx((5 + 21 + 36) / 8)


def test_rows_of_no_domain_stay_in_the_design() -> None:
    frame = pd.DataFrame(
        {"h": 1, "c": [1, 2, 3, 4], "w": 1.0, "y": [1.0, 2, 3, 4], "g": ["a", "a", None, None]}
    )
    row = estimate(frame, DESIGN, [total("y")], by=["g"]).iloc[0]
    # Four PSU totals 1, 2, 0, 0: variance 4/3 times the sum of squares about 3/4.
    assert row["se"] == pytest.approx(np.sqrt(4 / 3 * (5 - 9 / 4)))


def test_a_proportion_of_one_has_an_interval_below_one() -> None:
    frame = pd.DataFrame({"h": 1, "c": range(8), "w": 1.0, "y": 1.0})
    row = estimate(frame, DESIGN, [proportion("y")]).iloc[0]
    assert row["ci_high"] == 1.0
    assert row["ci_low"] == pytest.approx(0.025 ** (1 / 8))


def test_equal_incomes_and_single_rows_are_no_accident() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2], "w": 1.0, "y": 7.0})
    assert estimate(frame, DESIGN, [gini("y")])["estimate"].iloc[0] == 0.0
    alone = estimate(frame.head(1), DESIGN, [mean("y")]).iloc[0]
    assert alone["estimate"] == 7.0
    assert np.isnan(alone["se"])


def test_gini_of_a_mean_that_is_not_positive_is_missing() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2], "w": 1.0, "y": [-3.0, 1.0]})
    assert np.isnan(estimate(frame, DESIGN, [gini("y")])["estimate"].iloc[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w": -1.0}, "negative"),
        ({"w": np.nan}, "missing"),
        ({"c": None}, "missing"),
        ({"y": "text"}, "not numeric"),
    ],
)
def test_bad_columns(change: dict, message: str) -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2], "w": 1.0, "y": [1.0, 2.0]}).assign(**change)
    with pytest.raises(PovmonError, match=message):
        estimate(frame, DESIGN, [mean("y")])


def test_a_misspelt_column_names_its_neighbours() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2], "w": 1.0, "income_pc": 1.0})
    with pytest.raises(PovmonError, match="did you mean income_pc"):
        estimate(frame, DESIGN, [mean("incme_pc")])


def test_no_rows_and_no_measures() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2], "w": 1.0, "y": 1.0})
    with pytest.raises(PovmonError, match="no rows"):
        estimate(frame.head(0), DESIGN, [mean("y")])
    with pytest.raises(PovmonError, match="no measure"):
        estimate(frame, DESIGN, [])


def test_ratio_counts_rows_with_something_in_them() -> None:
    frame = pd.DataFrame(
        {"h": 1, "c": [1, 2, 3], "w": 1.0, "girls": [1.0, 0, 0], "children": [2.0, 1, 0]}
    )
    row = estimate(frame, DESIGN, [ratio("girls", "children")]).iloc[0]
    assert row["estimate"] == pytest.approx(1 / 3)
    assert row["n"] == 2


def test_calibrated_totals_of_the_known_size_have_no_error() -> None:
    frame = pd.DataFrame(
        {"h": [1, 1, 2, 2], "c": [1, 2, 3, 4], "w": [1.0, 2, 3, 4], "size": [3.0, 1, 4, 1]}
    )
    known = Design("h", "c", "w", poststrata="h", size="size")
    assert estimate(frame, known, [total("size")])["se"].iloc[0] == pytest.approx(0, abs=1e-9)


def test_population_sizes_are_checked() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 1, 2, 2], "w": 1.0, "y": 1.0, "n": 5, "m": [2, 2, 3, 3]})
    two = Design("h", "c", "w", fpc=("n", "m"))
    assert np.isfinite(estimate(frame, two, [mean("y")])["se"].iloc[0])
    with pytest.raises(PovmonError, match="varies within"):
        estimate(frame.assign(n=[5, 5, 6, 6]), two, [mean("y")])
    with pytest.raises(PovmonError, match="smaller than the sample"):
        estimate(frame.assign(m=1), two, [mean("y")])
    with pytest.raises(PovmonError, match="single second-stage unit"):
        estimate(frame.drop(index=3), two, [mean("y")])


def test_a_census_has_no_sampling_error() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 1, 2, 2], "w": 1.0, "y": [1.0, 2, 3, 5], "n": 2, "m": 2})
    assert estimate(frame, Design("h", "c", "w", fpc=("n", "m")), [mean("y")])["se"].iloc[0] == 0


NONLINEAR = [
    sen("y", 10.0), sst("y", 10.0), income_gap_ratio("y", 10.0), watts("y", 10.0), gini("y"),
    gei("y", 0), gei("y", 1), gei("y", 2), gei("y", -1), atkinson("y", 0.5), atkinson("y", 2),
    fgt("y", 10.0, 1.5),
]  # fmt: skip


@pytest.mark.parametrize("measure", NONLINEAR, ids=lambda m: m.name)
def test_linearised_values_are_derivatives(measure: Measure) -> None:
    """A little more weight on one row moves the estimate as its linearised value says."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"y": rng.integers(1, 30, 40) + 0.5, "g": rng.choice(["a", "b"], 40)})
    weight = rng.uniform(1, 5, 40)
    domains = lay_domains(frame, ["g"])
    rows = Rows(frame)
    base = linearise(measure, rows, weight, domains)
    for row in range(0, 40, 7):
        step = 1e-6 * np.eye(40)[row]
        up = linearise(measure, rows, weight + step, domains)
        down = linearise(measure, rows, weight - step, domains)
        slope = (up.estimate - down.estimate)[domains.code[row]] / 2e-6
        assert slope == pytest.approx(base.values[row], rel=1e-5, abs=1e-8)


def test_sen_by_its_definition() -> None:
    y = np.array([1.0, 4.0, 6.0, 12.0])
    frame = pd.DataFrame({"h": 1, "c": range(4), "w": 1.0, "y": y})
    h, i = 3 / 4, np.mean([0.9, 0.6, 0.4])
    g = np.abs(y[:3, None] - y[:3]).sum() / (2 * 3 * y[:3].sum())
    got = estimate(frame, DESIGN, [sen("y", 10.0), sst("y", 10.0)])["estimate"]
    assert got[0] == pytest.approx(h * (i + (1 - i) * g))
    gaps = np.array([0.9, 0.6, 0.4, 0.0])
    g = np.abs(gaps[:, None] - gaps).sum() / (2 * 4 * gaps.sum())
    assert got[1] == pytest.approx(gaps.mean() * (1 + g))


def test_nobody_poor_gives_zero_and_not_an_accident() -> None:
    frame = pd.DataFrame({"h": 1, "c": range(4), "w": 1.0, "y": 50.0})
    got = estimate(frame, DESIGN, [sen("y", 10.0), sst("y", 10.0), watts("y", 10.0)])
    assert (got["estimate"] == 0).all()
    assert np.isnan(estimate(frame, DESIGN, [income_gap_ratio("y", 10.0)])["estimate"].iloc[0])


def test_one_measure_and_one_column_need_no_list() -> None:
    frame = pd.DataFrame({"h": 1, "c": [1, 2, 3, 4], "w": 1.0, "y": 1.0, "g": list("aabb")})
    short = estimate(frame, DESIGN, mean("y"), by="g")
    pd.testing.assert_frame_equal(short, estimate(frame, DESIGN, [mean("y")], by=["g"]))


def test_the_interval_of_a_gap_is_a_logit_one_on_effective_degrees_of_freedom() -> None:
    rows = pd.DataFrame(
        {
            "county": [1, 1, 2, 2, 2],
            "village": range(5),
            "w": 1.0,
            "income": [80.0, 20.0, 90.0, 60.0, 100.0],
        }
    )
    got = estimate(rows, Design("county", "village", "w"), fgt("income", 100, 1)).iloc[0]
    gap = 1 - rows["income"].to_numpy() / 100
    v1, v2 = 2 * np.var(gap[:2], ddof=1) / 25, 3 * np.var(gap[2:], ddof=1) / 25
    free = (v1 + v2) ** 2 / (v1**2 / 1 + v2**2 / 2)
    assert free < got["df"] == 3
    p, se = got["estimate"], got["se"]
    assert (p, se) == pytest.approx((gap.mean(), np.sqrt(v1 + v2)))
    reach = stats.t.ppf(0.975, free) * se / (p * (1 - p))
    limits = special.expit(special.logit(p) + np.array([-reach, reach]))
    np.testing.assert_allclose(got[["ci_low", "ci_high"]].astype(float), limits, rtol=1e-12)


def test_effective_degrees_of_freedom_count_both_stages() -> None:
    rows = pd.DataFrame(
        {
            "county": 1,
            "village": np.repeat([1, 2, 3], 4),
            "w": 1.0,
            "income": [80.0, 20, 90, 60, 100, 30, 70, 50, 10, 200, 40, 75],
            "villages": 10,
            "households": 20,
        }
    )
    design = Design("county", "village", "w", fpc=("villages", "households"))
    got = estimate(rows, design, fgt("income", 100, 1)).iloc[0]
    gap = np.maximum(1 - rows["income"].to_numpy() / 100, 0).reshape(3, 4)
    z = (gap - gap.mean()) / 12
    first = (1 - 3 / 10) * 3 * np.var(z.sum(axis=1), ddof=1)
    second = 3 / 10 * (1 - 4 / 20) * 4 * np.var(z, axis=1, ddof=1)
    assert got["se"] == pytest.approx(np.sqrt(first + second.sum()), rel=1e-12)
    free = (first + second.sum()) ** 2 / (first**2 / 2 + (second**2 / 3).sum())
    p = gap.mean()
    reach = stats.t.ppf(0.975, min(free, 2)) * got["se"] / (p * (1 - p))
    assert got["ci_high"] == pytest.approx(special.expit(special.logit(p) + reach), rel=1e-12)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64", "uint64"])
@given(st.lists(st.integers(0, 120), min_size=1, max_size=30), st.booleans())
def test_codes_of_integers_follow_their_order(kind: str, listed: list[int], spread: bool) -> None:
    values = pd.Series(np.array(listed, dtype=kind) // (1 if spread else 40))
    if kind.startswith("i"):
        values -= 60
    code, uniques = coded(values)
    assert uniques.dtype == values.dtype and list(uniques) == sorted(set(values))
    assert (uniques.to_numpy()[code] == values.to_numpy()).all() and code.dtype == np.int64


def test_codes_of_the_largest_integers() -> None:
    values = pd.Series(np.array([2**64 - 1, 2**64 - 2, 2**64 - 1], dtype="uint64"))
    code, uniques = coded(values)
    assert list(code) == [1, 0, 1] and list(uniques) == [2**64 - 2, 2**64 - 1]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([-2.0, -0.0, 0.0, 1.0, 1.5, 7.0, 2.0**40])),
        max_size=30,
    )
)
def test_rows_are_sorted_as_lexsort_does(listed: list[tuple[int, float]]) -> None:
    code = np.array([c for c, _ in listed], dtype=np.int64)
    for factor in (1.0, 1 / 3, 2.0**30):
        value = np.array([v for _, v in listed], dtype=np.float64) * factor
        np.testing.assert_array_equal(sort_by(code, value, 4), np.lexsort((value, code)))
    many = np.where(code > 1, 2**60, code)
    np.testing.assert_array_equal(sort_by(many, value, 2**60 + 1), np.lexsort((value, many)))
