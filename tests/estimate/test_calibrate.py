"""Calibration, raking and post-stratification: R's numbers, properties, bad input."""

from __future__ import annotations

import itertools
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, sparse

from povmon.errors import PovmonError
from povmon.estimate import Design, estimate, fgt, gini, mean, ratio, relative_line, total
from povmon.estimate.calibrate import calibrate, poststratify, rake
from povmon.estimate.design import lay
from povmon.estimate.distance import newton
from povmon.estimate.domains import lay_domains
from povmon.estimate.residuals import Residuals
from povmon.estimate.variance import lay_cells, variance

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DESIGN = Design("county", "village", "w_person")
CLOSE = {"rtol": 1e-9, "atol": 0.0}
Made = tuple[pd.DataFrame, Design]


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    frame = pd.read_csv(ORACLES / "survey.csv")
    frame["poor"] = (frame["income_pc"] < 2300) * 1.0
    return frame


@pytest.fixture(scope="module")
def oracle() -> dict:
    return json.loads((ORACLES / "estimates.json").read_text())


@pytest.fixture(scope="module")
def margins(oracle: dict) -> dict:
    known = oracle["calibration_margins"]
    return {
        name: dict(zip(known[name], known[f"{name}_total"], strict=True))
        for name in ("area", "minority")
    }


MAKE: dict[str, Callable[[pd.DataFrame, dict], Made]] = {
    "synth_postStratify_area": lambda f, m: poststratify(f, DESIGN, "area", m["area"]),
    "synth_rake": lambda f, m: rake(f, DESIGN, m),
    "synth_calibrate_linear": lambda f, m: calibrate(f, DESIGN, m),
    "synth_calibrate_raking": lambda f, m: calibrate(f, DESIGN, m, "raking"),
    "synth_calibrate_logit": lambda f, m: calibrate(f, DESIGN, m, "logit", (0.5, 2)),
}


@pytest.mark.parametrize("key", MAKE)
def test_equal_to_r(key: str, survey: pd.DataFrame, oracle: dict, margins: dict) -> None:
    frame, design = MAKE[key](survey, margins)
    want = oracle[key]
    if "weights_first20" in want:
        got = frame[design.weight].head(20)
        np.testing.assert_allclose(got, want["weights_first20"]["est"], **CLOSE)
    table = estimate(frame, design, [fgt("income_pc", 2300, 0), mean("income_pc")])
    for row, name in zip(table.itertuples(), ("mean_poor", "mean_income"), strict=True):
        np.testing.assert_allclose(
            [row.estimate, row.se], [want[name]["est"], want[name]["se"]], **CLOSE
        )


def test_the_input_is_not_changed(survey: pd.DataFrame, margins: dict) -> None:
    before = survey.copy()
    frame, design = rake(survey, DESIGN, margins, weight="w_new")
    pd.testing.assert_frame_equal(survey, before)
    pd.testing.assert_frame_equal(frame.drop(columns="w_new"), before)
    assert design.weight == "w_new"
    assert design.calibration is not None and design.calibration.weight == "w_person"
    assert hash(design) == hash(rake(survey, DESIGN, margins, weight="w_new")[1])


# --- an independent derivation of the variance ---------------------------------------------


def dense(frame: pd.DataFrame, design: Design, categories: list[str], numeric: list[str],
          values: np.ndarray, domain: np.ndarray, regression: np.ndarray) -> float:  # fmt: skip
    """Variance of one domain's estimate, row by row with dense matrices and numpy's lstsq."""
    columns = [pd.get_dummies(frame[c]).to_numpy(float) for c in categories]
    x = np.column_stack([*columns, *(frame[c].to_numpy(float) for c in numeric)])
    z = np.where(domain, values, 0.0)
    root = np.sqrt(regression)
    slope = np.linalg.lstsq(x * root[:, None], z * root, rcond=None)[0]
    contribution = frame[design.weight] * (z - x @ slope)
    result = 0.0
    for _, rows in frame.groupby(design.strata):
        totals = contribution[rows.index].groupby(rows[design.psu]).sum()
        result += len(totals) * totals.var(ddof=1)
    return result


@pytest.mark.parametrize("method", ["linear", "raking", "logit", "proportional"])
@pytest.mark.parametrize("by", ["county", "area", "minority"])
def test_domains(method: str, by: str, survey: pd.DataFrame, margins: dict) -> None:
    """Rows outside a domain have residuals too."""
    altitude = float(survey["altitude"] @ survey["w_person"]) * 1.01
    if method == "proportional":
        frame, design = rake(survey, DESIGN, margins, residuals="base")
    else:
        bounds = (0.4, 2.5) if method == "logit" else None
        known = {**margins, "altitude": altitude}
        frame, design = calibrate(survey, DESIGN, known, method, bounds)  # type: ignore[arg-type]
    numeric = [] if method == "proportional" else ["altitude"]
    table = estimate(frame, design, [mean("income_pc"), total("poor")], by=[by])
    w, y = frame[design.weight], frame["income_pc"]
    for value, rows in itertools.islice(table.groupby(by), 3):
        inside = (frame[by] == value).to_numpy()
        size = w[inside].sum()
        centre = (w * y)[inside].sum() / size
        for se, z in zip(rows["se"], ((y - centre) / size, frame["poor"]), strict=True):
            want = dense(frame, design, ["area", "minority"], numeric, z.to_numpy(), inside,
                         frame["w_person"].to_numpy())  # fmt: skip
            np.testing.assert_allclose(se**2, want, rtol=1e-8)


def test_gini_under_calibration(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = calibrate(survey, DESIGN, margins)
    one = estimate(frame, design, gini("income_pc"))["se"].iloc[0]
    without = estimate(frame, Design("county", "village", design.weight), gini("income_pc"))
    assert one != pytest.approx(without["se"].iloc[0], rel=1e-4)
    # A jackknife that calibrates again is an independent measure of the same error.
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    thetas, factors = [], []
    counts = frame.groupby("county")["village"].nunique()
    full = estimate(frame, design, gini("income_pc"))["estimate"].iloc[0]
    for village, rows in itertools.islice(frame.groupby("village"), 0, None, 4):
        n = counts[rows["county"].iloc[0]]
        same = frame["county"].eq(rows["county"].iloc[0])
        factor = np.where(frame["village"].eq(village), 0.0, np.where(same, n / (n - 1), 1.0))
        again = frame.assign(r=auxiliaries.recalibrate(auxiliaries.base * factor))
        plain = Design("county", "village", "r")
        thetas.append(estimate(again, plain, gini("income_pc"))["estimate"].iloc[0])
        factors.append((n - 1) / n)
    jackknife = 4 * np.sum(np.array(factors) * (np.array(thetas) - full) ** 2)
    assert one == pytest.approx(np.sqrt(jackknife), rel=0.15)


def test_blocks_of_domains_make_no_difference(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = calibrate(survey, DESIGN, margins)
    sample, domains = lay(frame, design), lay_domains(frame, ["county"])
    layout = lay_cells(sample, domains)
    values = (frame["poor"] - 0.5).to_numpy()
    totals = layout.sum(sample.weight * values)

    def variances(at_once: int) -> np.ndarray:
        blocks = Residuals(sample, domains, layout).blocks(totals, values, at_once=at_once)
        parts = [variance(sample, cells, b.stop - b.start, t) for b, cells, t in blocks]
        return np.concatenate(parts)

    np.testing.assert_array_equal(variances(2**22), variances(17 * 336))


def test_a_line_estimated_on_calibrated_weights(survey: pd.DataFrame, margins: dict) -> None:
    """Rows outside a domain count twice: through the line and through the auxiliaries."""
    line = relative_line("income_pc", 0.6, "mean")
    frame, design = calibrate(survey, DESIGN, margins)
    got = estimate(frame, design, fgt("income_pc", line, 1), by="area").iloc[0]
    # The gap below 0.6 times the mean of all, as a smooth function of weights: derivatives by
    # differences of the whole estimate, calibrated again.
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    y, inside = frame["income_pc"].to_numpy(float), frame["area"].eq(1).to_numpy()

    def theta(base: np.ndarray) -> float:
        w = auxiliaries.recalibrate(base)
        z = 0.6 * (w @ y) / w.sum()
        return float((w * np.maximum(1 - y / z, 0))[inside].sum() / w[inside].sum())

    village = frame.groupby("village").ngroup().to_numpy()
    influence = np.empty(village.max() + 1)
    for j in range(len(influence)):
        step = 1e-4 * (village == j)
        up, down = (theta(auxiliaries.base * (1 + sign * step)) for sign in (1, -1))
        influence[j] = (up - down) / 2e-4
    county = frame.groupby("village")["county"].first().to_numpy()
    by_county = pd.Series(influence).groupby(county)
    want = (by_county.var(ddof=1) * by_county.size()).sum()
    # Exact derivatives weight the residuals by the base weights' ratio: the same to first order.
    assert got["se"] ** 2 == pytest.approx(want, rel=0.02)


@pytest.mark.parametrize("method", ["linear", "raking"])
def test_residuals_are_the_derivative_at_base_weights(method: str, survey: pd.DataFrame) -> None:
    """Where the base weights meet the totals already, the residuals are exact derivatives."""
    known = survey.groupby("area")["w_person"].sum().to_dict()
    other = survey.groupby("minority")["w_person"].sum().to_dict()
    totals = {"area": known, "minority": other,
              "altitude": float(survey["altitude"] @ survey["w_person"])}  # fmt: skip
    frame, design = calibrate(survey, DESIGN, totals, method)  # type: ignore[arg-type]
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    y = frame["income_pc"].to_numpy(float)
    inside = frame["county"].eq(9).to_numpy()

    def theta(base: np.ndarray) -> float:
        w = auxiliaries.recalibrate(base)
        return float((w * y)[inside].sum() / w[inside].sum())

    village = frame.groupby("village").ngroup().to_numpy()
    influence = np.empty(village.max() + 1)
    for j in range(len(influence)):
        step = 1e-3 * (village == j)
        up, down = (theta(auxiliaries.base * (1 + sign * step)) for sign in (1, -1))
        influence[j] = (up - down) / 2e-3
    county = frame.groupby("village")["county"].first().to_numpy()
    by_county = pd.Series(influence).groupby(county)
    want = (by_county.var(ddof=1) * by_county.size()).sum()
    got = estimate(frame, design, mean("income_pc"), by="county").query("county == 9")
    np.testing.assert_allclose(got["se"].iloc[0] ** 2, want, rtol=1e-5)


def test_two_stages(survey: pd.DataFrame, margins: dict) -> None:
    """With finite populations the last stage's units are rows."""
    base = Design("county", "village", "w_person", fpc=("stage1_fpc", "stage2_fpc"))
    frame, design = calibrate(survey, base, margins)
    by_area = estimate(frame, design, [total("poor")], by=["area"])
    # The first area alone, as a column that is zero elsewhere in a single domain.
    frame["own"] = np.where(frame["area"].eq(1), frame["poor"], 0.0)
    alone = estimate(frame, design, [total("own")])
    np.testing.assert_allclose(by_area["se"].iloc[0], alone["se"].iloc[0], rtol=1e-9)
    wr = Design("county", "village", "w_person")
    assert alone["se"].iloc[0] < estimate(*calibrate(survey, wr, margins), total("poor"))["se"][0]


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
@settings(max_examples=20, deadline=None)
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
@settings(max_examples=15, deadline=None)
@given(sample=samples())
def test_calibrating_twice_changes_nothing(method: str, bounds: tuple, sample: tuple) -> None:
    frame, margins, numeric = sample
    once, _ = made(frame, {**margins, **numeric}, method, bounds)
    positive = once[once["g"] >= 0].drop(columns="w").rename(columns={"g": "w"})
    if len(positive) < len(once):
        return  # negative weights are no base weights
    twice, _ = made(positive, {**margins, **numeric}, method, bounds)
    np.testing.assert_allclose(twice["g"], twice["w"], rtol=1e-9)


@settings(max_examples=20, deadline=None)
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


@settings(max_examples=20, deadline=None)
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


def test_size_counts_the_members_of_households(survey: pd.DataFrame, margins: dict) -> None:
    """Household weights to totals of persons are person weights to the same totals."""
    by_household = Design("county", "village", "w_hh")
    for method, bounds in (("linear", None), ("raking", None), ("logit", (0.5, 2.0))):
        persons, _ = calibrate(survey, DESIGN, margins, method, bounds)  # type: ignore[arg-type]
        households, design = calibrate(
            survey, by_household, margins, method, bounds, size="hhsize"  # type: ignore[arg-type]
        )  # fmt: skip
        np.testing.assert_allclose(
            households[design.weight] / households["w_hh"],
            persons["w_person_calibrated"] / persons["w_person"],
            rtol=1e-9,
        )
        got = estimate(households, design, total("hhsize"))
        assert got["se"].iloc[0] < 1e-6 * got["estimate"].iloc[0]


def test_poststrata_of_a_design_are_a_calibration(survey: pd.DataFrame, margins: dict) -> None:
    frame, known = poststratify(survey, DESIGN, "area", margins["area"])
    same = Design("county", "village", known.weight, poststrata="area")
    for by in (None, "county", "minority"):
        one, two = (estimate(frame, d, [mean("income_pc")], by=by) for d in (known, same))
        np.testing.assert_allclose(one["se"], two["se"], rtol=1e-12)


def test_poststrata_of_a_size(survey: pd.DataFrame, margins: dict) -> None:
    base = Design("county", "village", "w_hh")
    frame, design = poststratify(survey, base, "area", margins["area"], "hhsize")
    persons = frame[design.weight] * frame["hhsize"]
    reached = persons.groupby(frame["area"]).sum()
    np.testing.assert_allclose(reached, list(margins["area"].values()), rtol=1e-12)
    # Households of a size counted by persons: the ratio model.
    for by in (None, "county"):
        same = replace(base, weight=design.weight, poststrata="area", size="hhsize")
        one, two = (estimate(frame, d, mean("income_pc"), by=by) for d in (design, same))
        np.testing.assert_allclose(one["se"], two["se"], rtol=1e-12)


def test_combinations_of_columns(survey: pd.DataFrame) -> None:
    pairs = survey.groupby(["area", "minority"])["w_person"].sum() * 1.1
    one, design = poststratify(survey, DESIGN, ["area", "minority"], pairs)
    two, _ = calibrate(survey, DESIGN, {("area", "minority"): pairs.to_dict()}, weight="g")
    np.testing.assert_allclose(one[design.weight], survey["w_person"] * 1.1, rtol=1e-12)
    np.testing.assert_allclose(two["g"], one[design.weight], rtol=1e-12)


def test_population_and_a_numeric_total(survey: pd.DataFrame) -> None:
    known = float(survey["w_person"].sum()) * 1.02
    frame, design = calibrate(
        survey, DESIGN, {"altitude": known * 1900}, "raking", population=known
    )
    w = frame[design.weight]
    np.testing.assert_allclose([w.sum(), w @ frame["altitude"]], [known, known * 1900], rtol=1e-9)
    one = estimate(frame, design, mean("altitude"))
    assert one["se"].iloc[0] < 1e-9 * one["estimate"].iloc[0]


def test_collinear_columns_change_nothing(survey: pd.DataFrame, margins: dict) -> None:
    """A margin twice, and a numeric column that a margin implies, add nothing."""
    frame = survey.assign(copy=survey["area"], odd=survey["area"] % 2)
    odd = float(sum(t for area, t in margins["area"].items() if area % 2))
    one, plain = calibrate(frame, DESIGN, margins, weight="g")
    two, more = calibrate(frame, DESIGN, {**margins, "copy": margins["area"], "odd": odd},
                          weight="g")  # fmt: skip
    np.testing.assert_allclose(one["g"], two["g"], rtol=1e-10)
    a, b = (estimate(f, d, mean("income_pc"), by="area") for f, d in ((one, plain), (two, more)))
    np.testing.assert_allclose(a["se"], b["se"], rtol=1e-8)


def test_a_category_of_total_zero_needs_no_rows(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = poststratify(survey, DESIGN, "area", {**margins["area"], 99: 0.0})
    want, _ = poststratify(survey, DESIGN, "area", margins["area"])
    np.testing.assert_array_equal(frame[design.weight], want[design.weight])


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


def test_rows_left_out_after_calibration(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = calibrate(survey, DESIGN, margins)
    with pytest.raises(PovmonError, match="calibrated weights add up to .*choose domains with by="):
        estimate(frame[frame.index % 5 > 0], design, mean("income_pc"))


def test_sizes_that_are_wrong(survey: pd.DataFrame, margins: dict) -> None:
    design = Design("county", "village", "w_hh")
    bad = survey.assign(hhsize=survey["hhsize"].where(survey.index != 5))
    with pytest.raises(PovmonError, match="row 5: column 'hhsize' is missing"):
        calibrate(bad, design, margins, size="hhsize")
    with pytest.raises(PovmonError, match="'hhsize' is negative"):
        calibrate(survey.assign(hhsize=-1), design, margins, size="hhsize")
    with pytest.raises(PovmonError, match="positive size"):
        calibrate(survey.assign(hhsize=survey["hhsize"] - 1), design,
                  {**margins, "altitude": 1e9}, size="hhsize")  # fmt: skip


def test_a_replicate_that_loses_a_category(small: pd.DataFrame) -> None:
    frame, design = poststratify(small, PLAIN, "a", {1: 30, 2: 40})
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    np.testing.assert_allclose(
        auxiliaries.recalibrate(auxiliaries.base * 7), frame[design.weight], rtol=1e-12
    )
    with pytest.raises(PovmonError, match="no weight is left in a=1: merge"):
        auxiliaries.recalibrate(np.where(frame["a"] == 1, 0.0, 10.0))
