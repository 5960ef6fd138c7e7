"""Regression on survey designs: against other routes, by domain, and where there is no fit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from povmon.errors import PovmonError
from povmon.estimate import (
    BRR,
    Bootstrap,
    Design,
    Jackknife,
    bootstrap_t,
    estimate,
    joint,
    mean,
    poststratify,
    prepare,
    ratio,
    regression,
)
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.measures import fitting

DESIGN = Design("h", "c", "w")
FAMILIES: list[Any] = ["linear", "logit"]


@pytest.fixture(autouse=True)
def _warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def sample(n: int = 400, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    village = np.arange(n) % 24
    x, d = rng.normal(2000.0, 300.0, n), rng.integers(0, 2, n) * 1.0
    y = 5.0 + 0.002 * x - d + 0.3 * np.sin(village) + rng.normal(0, 1, n)
    return pd.DataFrame(
        {
            "h": village % 4,
            "c": village,
            "w": rng.uniform(1, 5, n),
            "x": x,
            "d": d,
            "y": y,
            "poor": (y + rng.logistic(0, 1, n) < 8.0) * 1.0,
            "g": rng.choice(["a", "b"], n),
            "one": 1.0,
        }
    )


def outcome(family: str) -> str:
    return "y" if family == "linear" else "poor"


def fitted(frame: pd.DataFrame, family: str, weight: Any) -> Any:
    """Coefficients by a general optimiser, on the likelihood as it is written down."""
    x = np.stack([np.ones(len(frame)), (frame["x"] - 2000) / 300, frame["d"]], axis=-1)
    y, w = frame[outcome(family)].to_numpy(), np.asarray(weight, dtype=float)

    def loss(b: Any) -> float:
        eta = x @ b
        each = (y - eta) ** 2 / 2 if family == "linear" else np.logaddexp(0, eta) - y * eta
        return float(w @ each)

    def slope(b: Any) -> Any:
        eta = x @ b
        return x.T @ (w * ((eta if family == "linear" else special.expit(eta)) - y))

    b = optimize.minimize(loss, np.zeros(3), jac=slope, method="BFGS", options={"gtol": 1e-9}).x
    return np.array([b[0] - b[1] * 2000 / 300, b[1] / 300, b[2]])


def two(family: str) -> Any:
    return regression(outcome(family), ["x", "d"], family)


@pytest.mark.parametrize("family", FAMILIES)
def test_coefficients_of_domains(family: str) -> None:
    frame = sample()
    got = estimate(frame, DESIGN, two(family).coefficients, by="g")
    for g, table in got.groupby("g"):
        part = frame[frame["g"] == g]
        np.testing.assert_allclose(table["estimate"], fitted(part, family, part["w"]), rtol=1e-5)
        assert (table["note"] == "").all()
        assert (table["n"] == len(part)).all()


def test_an_intercept_alone_is_the_mean() -> None:
    frame = sample()
    got = estimate(frame, DESIGN, [*regression("y", []).coefficients, mean("y")], by="g")
    for column in ("estimate", "se", "ci_low", "deff"):
        a, b = (got[column].to_numpy()[k::2] for k in (0, 1))
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_a_saturated_model_is_means_and_odds() -> None:
    """On one 0/1 column: the difference of two means, and of two logits."""
    frame = sample()
    both = joint(frame, DESIGN, mean("poor"), by="d")
    change = both.estimate[1] - both.estimate[0]
    se = np.sqrt(np.array([-1, 1]) @ both.covariance @ np.array([-1, 1]))
    got = estimate(frame, DESIGN, regression("poor", "d").coefficient("d")).iloc[0]
    np.testing.assert_allclose([got["estimate"], got["se"]], [change, se], rtol=1e-9)
    p = both.estimate
    by_logit = np.array([-1, 1]) / (p * (1 - p))
    got = estimate(frame, DESIGN, regression("poor", "d", "logit").coefficient("d")).iloc[0]
    want = special.logit(p[1]) - special.logit(p[0])
    se = np.sqrt(by_logit @ both.covariance @ by_logit)
    np.testing.assert_allclose([got["estimate"], got["se"]], [want, se], rtol=1e-9)


def test_through_one_point_it_is_a_ratio() -> None:
    """With d in {0, 1} and y = 0 where d = 0, the slope is the ratio of totals."""
    frame = sample().assign(y=lambda f: f["y"] * f["d"])
    got = estimate(frame, DESIGN, [regression("y", "d").coefficient("d"), ratio("y", "d")])
    np.testing.assert_allclose(got["estimate"].iloc[0], got["estimate"].iloc[1], rtol=1e-9)
    np.testing.assert_allclose(got["se"].iloc[0], got["se"].iloc[1], rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_linearised_values_are_derivatives(family: str) -> None:
    frame = sample(80)
    weight, domains = frame["w"].to_numpy(), lay_domains(frame, ["g"])
    rows, step = Rows(frame), 1e-4
    for measure in two(family).coefficients:
        found = measure.linearise(rows, weight, domains)
        for i in range(0, 80, 7):
            more = np.tile(weight, (2, 1))
            more[:, i] += [step, -step]
            up, down = measure.evaluate(rows, more, domains)[:, domains.code[i]]
            want = (up - down) / (2 * step)
            assert found.values[i] == pytest.approx(want, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("method", [Jackknife(), BRR(), Bootstrap(60, seed=2)])
@pytest.mark.parametrize("family", FAMILIES)
def test_replicates_fit_again(family: str, method: Any) -> None:
    frame = sample().assign(h=lambda f: f["c"] // 2)
    measures = two(family).coefficients
    got = estimate(frame, DESIGN, measures, by="g", method=method)
    plain = estimate(frame, DESIGN, measures, by="g")
    np.testing.assert_allclose(got["estimate"], plain["estimate"], rtol=1e-12)
    np.testing.assert_allclose(got["se"], plain["se"], rtol=0.6)
    assert (got["note"] == "").all()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_replicate_is_the_fit_under_its_weights(family: str) -> None:
    frame = sample()
    weights = frame["w"].to_numpy() * np.random.default_rng(1).integers(0, 4, (9, len(frame)))
    rows, domains = Rows(frame), lay_domains(frame, None)
    got = np.stack([m.evaluate(rows, weights, domains)[:, 0] for m in two(family).coefficients])
    for b, weight in enumerate(weights):
        np.testing.assert_allclose(got[:, b], fitted(frame, family, weight), rtol=1e-5)


def test_one_fit_for_all_coefficients(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    fit = fitting.Problem.fit

    def counted(self: fitting.Problem, weights: Any) -> Any:
        calls.append(len(weights))
        return fit(self, weights)

    monkeypatch.setattr(fitting.Problem, "fit", counted)
    fits = prepare(sample(), DESIGN, "g")
    fits.estimate(two("logit").coefficients)
    # Two domains, each with equal weights for a start and with its own.
    assert calls == [1, 1, 1, 1]
    calls.clear()
    fits.estimate(two("logit").coefficients, method=Jackknife())
    assert sorted(calls) == [24, 24]


def test_calibrated_weights_leave_residuals() -> None:
    sampled = sample()
    known = pd.Series({"a": 900.0, "b": 1100.0}).rename_axis("g")
    frame, design = poststratify(sampled, DESIGN, "g", known)
    for family in FAMILIES:
        table = estimate(frame, design, two(family).coefficients)
        again = estimate(frame, design, two(family).coefficients, method=Jackknife())
        np.testing.assert_allclose(table["estimate"], again["estimate"], rtol=1e-12)
        np.testing.assert_allclose(table["se"], again["se"], rtol=0.1)


def test_bootstrap_t_takes_coefficients() -> None:
    table = bootstrap_t(sample(), DESIGN, two("logit").coefficients[1:], replicates=39)
    assert np.isfinite(table["ci_low"]).all()


def test_order_and_units_change_nothing() -> None:
    frame = sample()
    shuffled = frame.sample(frac=1.0, random_state=3)
    a, b = (estimate(f, DESIGN, two("logit").coefficients) for f in (frame, shuffled))
    np.testing.assert_allclose(a["se"], b["se"], rtol=1e-9)
    metres = estimate(frame.assign(x=frame["x"] * 1e6), DESIGN, two("logit").coefficient("x"))
    np.testing.assert_allclose(metres["se"].iloc[0] * 1e6, a["se"].iloc[1], rtol=1e-8)
    np.testing.assert_allclose(metres["estimate"].iloc[0] * 1e6, a["estimate"].iloc[1], rtol=1e-8)


@given(st.integers(0, 10**6), st.sampled_from(FAMILIES))
def test_shifting_a_column_moves_the_intercept_alone(seed: int, family: Any) -> None:
    frame = sample(120, seed)
    a = estimate(frame, DESIGN, two(family).coefficients)
    b = estimate(frame.assign(x=frame["x"] - 2000), DESIGN, two(family).coefficients)
    np.testing.assert_allclose(a["estimate"][1:], b["estimate"][1:], rtol=1e-7)
    np.testing.assert_allclose(a["se"][1:], b["se"][1:], rtol=1e-7)
    moved = a["estimate"][0] + 2000 * a["estimate"][1]
    assert b["estimate"][0] == pytest.approx(moved, rel=1e-7, abs=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_missing_values_leave_the_measure_not_the_design(family: str) -> None:
    frame = sample()
    frame.loc[frame["c"] == 3, "x"] = np.nan
    frame.loc[5, outcome(family)] = np.nan
    got = estimate(frame, DESIGN, two(family).coefficients)
    kept = frame.dropna()
    same = estimate(kept, DESIGN, two(family).coefficients)
    np.testing.assert_allclose(got["estimate"], same["estimate"], rtol=1e-10)
    assert (got["n"] == len(kept)).all()
    lost = 1 - kept["w"].sum() / frame["w"].sum()
    np.testing.assert_allclose(got["excluded"], lost)
    # The village that is lost stays in its stratum, as one with a total of zero.
    assert (got["se"].to_numpy() != same["se"].to_numpy()).all()


def test_collinear_in_the_whole_sample_is_an_error() -> None:
    frame = sample().assign(half=lambda f: f["x"] / 2, other=lambda f: 1 - f["d"])
    fits = {
        r"x, half\b": ["x", "half", "d"],
        r"\(intercept\), d, other": ["x", "d", "other"],
        r"\(intercept\), one": ["one", "x"],
    }
    for message, on in fits.items():
        with pytest.raises(PovmonError, match=f"linear.y.: .*whole sample: {message}; leave one"):
            estimate(frame, DESIGN, regression("y", on).coefficients)


@pytest.mark.parametrize("family", FAMILIES)
def test_domains_without_a_fit_say_why(family: str) -> None:
    frame = sample()
    frame["g"] = np.select(
        [frame.index < 3, frame.index < 60, frame.index < 120], ["few", "same", "empty"], "rest"
    )
    frame.loc[frame["g"] == "same", "d"] = 1.0
    frame.loc[frame["g"] == "empty", "x"] = np.nan
    for method in (None, Jackknife()):
        got = estimate(frame, DESIGN, two(family).coefficients, by="g", method=method)
        note = got.groupby("g")["note"].first()
        assert note["few"] == "no more rows than coefficients"
        assert note["same"] == "collinear here: (intercept), d"
        assert note["empty"] == "no row enters"
        assert note["rest"] == ""
        bad = got["g"] != "rest"
        assert got.loc[bad, ["estimate", "se", "ci_low"]].isna().all(axis=None)
        assert np.isfinite(got.loc[~bad, ["estimate", "se", "ci_low"]]).all(axis=None)


def test_separation_is_found() -> None:
    frame = sample()
    fit = regression("sure", ["x", "d"], "logit").coefficients
    complete = estimate(frame.assign(sure=(frame["x"] > 2000) * 1.0), DESIGN, fit)
    assert complete["estimate"].isna().all()
    assert complete["note"].str.contains("tell sure = 1 from 0 without error").all()
    # All with d = 1 are poor: the others are not told apart, yet there is no finite coefficient.
    quasi = estimate(frame.assign(sure=np.maximum(frame["poor"], frame["d"])), DESIGN, fit)
    assert quasi["estimate"].isna().all()
    never = estimate(frame.assign(sure=0.0), DESIGN, fit)
    assert (never["note"] == "sure is 0 in all rows: no finite coefficients").all()


@given(st.integers(0, 10**6), st.integers(8, 25))
def test_separation_is_found_just_where_it_is(seed: int, n: int) -> None:
    """Against a linear programme: is there b with (2y - 1) x'b >= 0, not all of them zero?"""
    rng = np.random.default_rng(seed)
    x = np.stack([np.ones(n), rng.integers(0, 4, n), rng.integers(0, 2, n)], axis=-1).astype(float)
    y = rng.integers(0, 2, n).astype(float)
    if fitting.collinear(x):
        return
    problem = fitting.Problem.of("logit", np.arange(n), x, y, ("y", "a", "b", "c"))
    side = x * (2 * y - 1)[:, None]
    found = optimize.linprog(
        -side.sum(axis=0), A_ub=-side, b_ub=np.zeros(n), bounds=[(-1, 1)] * 3, method="highs"
    )
    assert bool(problem.lack) == (-found.fun > 1e-7)


@given(st.integers(0, 10**6))
def test_a_fit_is_reached_wherever_there_is_one(seed: int) -> None:
    """Heavy tails and weights, where Newton's full steps overshoot: the score vanishes."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 40))
    x = np.stack([np.ones(n), np.exp(rng.normal(0, 1.5, n)), rng.standard_t(3, n)], axis=-1)
    y = (rng.uniform(size=n) < special.expit(rng.normal(0, 3) * (1 + x[:, 1]))) * 1.0
    y[rng.integers(0, n, 3)] = rng.integers(0, 2)
    problem = fitting.Problem.of("logit", np.arange(n), x, y, ("y", "a", "b", "c"))
    if problem.lack:
        return
    weights = rng.uniform(0.1, 20, (4, n))
    score = problem.sums(weights, problem.fit(weights))[1]
    np.testing.assert_allclose(score / weights.sum(axis=1)[:, None], 0.0, atol=1e-11)


def test_rows_of_no_weight_do_not_hold_up_a_fit() -> None:
    frame = sample()
    frame.loc[frame["d"] == 1, "w"] = 0.0
    for family, what in zip(FAMILIES, ("collinear", "collinear or without error"), strict=True):
        got = estimate(frame, DESIGN, two(family).coefficients)
        assert got["estimate"].isna().all()
        assert (got["note"] == f"the columns are {what} in the rows that have a weight").all()


def test_replicates_without_a_fit_are_counted() -> None:
    frame = sample()
    # Only village 7 has d = 1: without it the columns are collinear.
    frame["d"] = ((frame["c"] == 7) & (frame["g"] == "a")) * 1.0
    got = estimate(frame, DESIGN, two("logit").coefficients, method=Jackknife())
    assert (got["note"] == "not defined in 1 of 24 replicates, which are left out").all()


def test_rare_outcomes_and_large_coefficients_are_fitted() -> None:
    rng = np.random.default_rng(2)
    n = 20000
    frame = pd.DataFrame({"h": 1, "c": np.arange(n) % 30, "w": 1.0, "x": rng.normal(0, 1, n)})
    frame["poor"] = (rng.uniform(size=n) < special.expit(-9 + 3 * frame["x"])) * 1.0
    got = estimate(frame, DESIGN, regression("poor", "x", "logit").coefficients)
    np.testing.assert_allclose(got["estimate"], [-9, 3], atol=1.5)
    frame["poor"] = (rng.uniform(size=n) < special.expit(25 * frame["x"])) * 1.0
    got = estimate(frame, DESIGN, regression("poor", "x", "logit").coefficients)
    assert got["estimate"][1] == pytest.approx(25, rel=0.1)


def test_what_is_asked_wrongly() -> None:
    frame = sample()
    for make, message in (
        (lambda: regression("y", ["x"], "probit"), "unknown family 'probit'"),  # type: ignore
        (lambda: regression("y", ["x", "x"]), "named twice: x"),
        (lambda: regression("y", ["y"]), "named twice: y"),
        (lambda: regression("y", ["x"]).coefficient("z"), r"linear\(y\): unknown coefficient 'z'"),
        (lambda: estimate(frame, DESIGN, two("linear").coefficients, by="nil"), "no column"),
        (lambda: estimate(frame, DESIGN, regression("y", "xx").coefficients), "did you mean"),
        (lambda: estimate(frame, DESIGN, regression("y", "g").coefficients), "not numeric"),
        (
            lambda: estimate(frame, DESIGN, regression("y", "x", "logit").coefficients),
            "values other than 0 and 1; recode it",
        ),
    ):
        with pytest.raises(PovmonError, match=message):
            make()


def test_names_and_columns() -> None:
    fit = regression("y", ["x", "d"], name="income")
    assert [m.name for m in fit.coefficients] == ["income: (intercept)", "income: x", "income: d"]
    assert fit.coefficient("d").columns == ("y", "x", "d")
