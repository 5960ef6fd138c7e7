"""Calibration, raking and post-stratification: properties and bad input."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, sparse

from povmon.errors import PovmonError
from povmon.estimate import (
    Design,
    calibrate,
    estimate,
    mean,
    poststratify,
    rake,
    ratio,
    total,
)
from povmon.estimate.calibration.distance import newton
from povmon.estimate.design import lay

Made = tuple[pd.DataFrame, Design]


# --- properties ----------------------------------------------------------------------------


@st.composite
def samples(draw: st.DrawFn) -> tuple[pd.DataFrame, dict, dict]:
    """A sample with two margins and a numeric column, and totals that some weights reach."""
    n = draw(st.integers(24, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    frame = pd.DataFrame(
        {
            "h": np.arange(n) % 3,
            "c": np.arange(n) % 12,
            "w": rng.uniform(1, 20, n),
            "a": rng.permutation(np.arange(n) % 3),
            "b": np.where(rng.permutation(np.arange(n) % 2), "x", "y"),
            "v": rng.lognormal(3, 1, n),
            "y": rng.integers(0, 25, n) + 0.5,
        }
    )
    reached = frame["w"] * rng.uniform(0.7, 1.4, n)
    margins = {k: reached.groupby(frame[k]).sum().to_dict() for k in ("a", "b")}
    return frame, margins, {"v": float(reached @ frame["v"])}


BASE = Design("h", "c", "w")
METHODS = [
    ("linear", None), ("linear", (0.6, 1.5)), ("raking", None), ("raking", (0.6, 1.5)),
    ("logit", (0.6, 1.5)),
]  # fmt: skip


def made(frame: pd.DataFrame, known: dict, method: str, bounds: tuple | None) -> Made:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # negative weights of the linear method
        return calibrate(frame, BASE, known, method, bounds, weight="g")  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "bounds"), METHODS)
@given(sample=samples())
def test_totals_are_met_and_have_no_error(method: str, bounds: tuple, sample: tuple) -> None:
    frame, margins, numeric = sample
    new, design = made(frame, {**margins, **numeric}, method, bounds)
    for name, known in margins.items():
        got = new.groupby(name)["g"].sum()
        np.testing.assert_allclose(got[list(known)], list(known.values()), rtol=1e-9)
    assert new["g"] @ new["v"] == pytest.approx(numeric["v"], rel=1e-9)
    if bounds:
        assert (new["g"] / new["w"]).between(bounds[0] - 1e-12, bounds[1] + 1e-12).all()
    new["one"] = 1.0
    table = estimate(new, design, [total("v"), total("one"), ratio("v", "one")])
    assert (table["se"] <= 1e-7 * table["estimate"]).all()
    by_a = estimate(new, design, [total("one")], by=["a"])
    assert (by_a["se"] <= 1e-7 * by_a["estimate"]).all()


@pytest.mark.parametrize(("method", "bounds"), METHODS)
@given(sample=samples())
def test_calibrating_twice_changes_nothing(method: str, bounds: tuple, sample: tuple) -> None:
    frame, margins, numeric = sample
    once, _ = made(frame, {**margins, **numeric}, method, bounds)
    positive = once[once["g"] >= 0].drop(columns="w").rename(columns={"g": "w"})
    if len(positive) < len(once):
        return  # negative weights are no base weights
    twice, _ = made(positive, {**margins, **numeric}, method, bounds)
    np.testing.assert_allclose(twice["g"], twice["w"], rtol=1e-9)


@given(sample=samples(), scale=st.floats(1e-6, 1e6))
def test_scale_of_base_weights_has_no_effect_on_full_margins(sample: tuple, scale: float) -> None:
    frame, margins, numeric = sample
    scaled = frame.assign(w=frame["w"] * scale)
    for method in ("linear", "raking"):
        one, _ = made(frame, {**margins, **numeric}, method, None)
        two, _ = made(scaled, {**margins, **numeric}, method, None)
        np.testing.assert_allclose(one["g"], two["g"], rtol=1e-8, atol=1e-9)
    raked = [rake(f, BASE, margins, weight="g")[0]["g"] for f in (frame, scaled)]
    np.testing.assert_allclose(raked[0], raked[1], rtol=1e-9)


@given(sample=samples())
def test_proportional_fitting_is_raking(sample: tuple) -> None:
    frame, margins, _ = sample
    fitted, design = rake(frame, BASE, margins, weight="g", residuals="base")
    raked, other = made(frame, margins, "raking", None)
    np.testing.assert_allclose(fitted["g"], raked["g"], rtol=1e-9)
    one, two = (estimate(f, d, mean("y"), by="a") for f, d in ((fitted, design), (raked, other)))
    np.testing.assert_allclose(one["se"], two["se"], rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(("method", "bounds"), METHODS)
def test_the_nearest_weights_of_all(method: str, bounds: tuple | None) -> None:
    """A general minimiser of the distance under the totals ends at the same weights."""
    rng = np.random.default_rng(5)
    n = 14
    x = np.column_stack([np.ones(n), rng.normal(2, 1, n)])
    d = rng.uniform(1, 3, n)
    g = rng.uniform(0.7, 1.4, n)
    totals = x.T @ (d * g)
    low, high = bounds or (-np.inf, np.inf)

    def distance(g: np.ndarray) -> float:
        if method == "linear":
            each = (g - 1) ** 2 / 2
        elif method == "raking":
            each = g * np.log(g) - g + 1
        else:
            each = (g - low) * np.log((g - low) / (1 - low))
            each = each + (high - g) * np.log((high - g) / (high - 1))
        return float(d @ each)

    margin = 1e-9 if method == "logit" else 0.0
    floor = max(low, 1e-9) if method == "raking" else low
    best = optimize.minimize(
        distance, g, method="SLSQP", bounds=[(floor + margin, high - margin)] * n,
        constraints={"type": "eq", "fun": lambda g: x.T @ (d * g) - totals},
        options={"ftol": 1e-15, "maxiter": 1000},
    )  # fmt: skip
    found = newton(sparse.csr_array(x), d, totals, method, (low, high), 1e-11, 50)  # type: ignore[arg-type]
    np.testing.assert_allclose(found.ratio, best.x, atol=2e-5)


# --- bad input -----------------------------------------------------------------------------


@pytest.fixture
def small() -> pd.DataFrame:
    return pd.DataFrame(
        {"c": range(6), "w": 10.0, "a": [1, 1, 1, 2, 2, 2], "b": list("xyxyxy"),
         "v": [1.0, 2, 3, 4, 5, 6]}
    )  # fmt: skip


PLAIN = Design(None, "c", "w")


@pytest.mark.parametrize(
    ("totals", "message"),
    [
        ({"a": {1: 30, 2: 30, 3: 9}}, r"a has a total but no sampled rows for 3.*merge"),
        ({"a": {1: 30}}, r"a has no total for 2.*each category.*for 1"),
        ({"a": {1: 30, 2: 30}, "b": {"x": 30, "y": 40}}, r"differ: a 60, b 70"),
        ({"a": {1: -3, 2: 30}}, "negative"),
        ({"a": {1: np.nan, 2: 30}}, "a=1 is missing"),
        ({"a": {1: "many", 2: 30}}, "'many', not a number"),
        ({"a": {}}, "not given by category"),
        ({"a": 4.0, "z": 3}, "no column 'z'"),
        ({"b": 4.0}, "not numeric"),
        ({}, "no totals"),
    ],
)
def test_bad_totals(small: pd.DataFrame, totals: dict, message: str) -> None:
    with pytest.raises(PovmonError, match=message):
        calibrate(small, PLAIN, totals)


@pytest.mark.parametrize("name", ["a", "v"])
def test_a_missing_auxiliary(small: pd.DataFrame, name: str) -> None:
    small[name] = small[name].astype(float).where(small.index != 4)
    totals = {"a": {1: 30, 2: 30}} if name == "a" else {"v": 200.0}
    with pytest.raises(PovmonError, match=rf"at row 4: column '{name}' is missing.* 1 rows"):
        calibrate(small, PLAIN, totals)


def test_totals_that_contradict_each_other(small: pd.DataFrame) -> None:
    small["province"] = np.where(small["a"] == 1, "p", "q")
    totals = {"a": {1: 30, 2: 30}, "province": {"p": 20, "q": 40}}
    for attempt in (
        lambda: calibrate(small, PLAIN, totals),
        lambda: calibrate(small, PLAIN, totals, "raking"),
        lambda: rake(small, PLAIN, totals),
    ):
        with pytest.raises(PovmonError, match=r"instead of .*contradict each other"):
            attempt()


@pytest.mark.parametrize("method", ["linear", "raking", "logit"])
def test_totals_out_of_reach(small: pd.DataFrame, method: str) -> None:
    with pytest.raises(PovmonError, match=r"total of .* instead of .*widen the bounds"):
        calibrate(small, PLAIN, {"v": 5000.0}, method, (0.5, 2), population=60)  # type: ignore[arg-type]
    with pytest.raises(PovmonError, match="widen the bounds"):
        calibrate(small, PLAIN, {"a": {1: 10, 2: 50}}, method, (0.5, 2))  # type: ignore[arg-type]
    if method == "raking":  # a mean above the largest value
        with pytest.raises(PovmonError, match="another method"):
            calibrate(small, PLAIN, {"v": 500.0}, method, population=60)


def test_too_few_rounds_of_raking(small: pd.DataFrame) -> None:
    with pytest.raises(PovmonError, match=r"after 1 steps the total of a=1 is .* more steps"):
        rake(small, PLAIN, {"a": {1: 20, 2: 40}, "b": {"x": 20, "y": 40}}, steps=1)


def test_negative_weights_are_told(small: pd.DataFrame) -> None:
    with pytest.warns(UserWarning, match=r"2 calibrated weights are negative, down to -"):
        frame, design = calibrate(small, PLAIN, {"v": 330.0}, population=60)
    assert frame[design.weight].min() < 0
    assert estimate(frame, design, mean("v"))["estimate"].iloc[0] == pytest.approx(5.5)
    kept, _ = calibrate(small, PLAIN, {"v": 270.0}, bounds=(0, 3), population=60)
    assert kept["w_calibrated"].min() >= 0


@pytest.mark.parametrize(
    ("method", "bounds", "message"),
    [
        ("logit", None, "needs bounds"),
        ("logit", (0.5, np.inf), "finite bounds"),
        ("linear", (1.1, 2), "around 1"),
        ("lnear", None, "did you mean 'linear'"),
    ],
)
def test_bad_methods(small: pd.DataFrame, method: str, bounds: tuple, message: str) -> None:
    with pytest.raises(PovmonError, match=message):
        calibrate(small, PLAIN, {"v": 230.0}, method, bounds)  # type: ignore[arg-type]


def test_calibrated_already_and_names_taken(small: pd.DataFrame) -> None:
    frame, design = poststratify(small, PLAIN, "a", {1: 30, 2: 40})
    with pytest.raises(PovmonError, match="calibrated already.*base weights once"):
        calibrate(frame, design, {"a": {1: 30, 2: 40}})
    with pytest.raises(PovmonError, match="already.*another name"):
        poststratify(frame, PLAIN, "a", {1: 30, 2: 40})


def test_a_replicate_that_loses_a_category(small: pd.DataFrame) -> None:
    frame, design = poststratify(small, PLAIN, "a", {1: 30, 2: 40})
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    np.testing.assert_allclose(
        auxiliaries.recalibrate(auxiliaries.base * 7), frame[design.weight], rtol=1e-12
    )
    with pytest.raises(PovmonError, match="no weight is left in a=1: merge"):
        auxiliaries.recalibrate(np.where(frame["a"] == 1, 0.0, 10.0))
