"""Replicate variances: R's numbers, and the linearised variance where the two must agree."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.errors import PovmonError
from povmon.estimate import Design, estimate, total
from povmon.estimate.calibration.calibrate import calibrate, poststratify, rake
from povmon.estimate.comparison.joint import joint
from povmon.estimate.design import lay
from povmon.estimate.replicates.hadamard import hadamard
from povmon.estimate.replicates.replicate import (
    BRR,
    Bootstrap,
    Jackknife,
    Method,
    Replicates,
    draws,
    replicate_variance,
    replication,
)
from povmon.estimate.replicates.rescaled import draw, stream

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DESIGN = Design("county", "village", "w")


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    frame = pd.read_csv(ORACLES / "survey.csv")
    frame["poor"] = (frame["income_pc"] < 2300) * 1.0
    weights = np.repeat([0.05, 1 / 6, 0.1], [4, 3, 3])
    score = frame[[f"d{j}" for j in range(1, 11)]].to_numpy() @ weights
    frame["mpoor"] = (score > 1 / 3 - 1e-9) * 1.0
    frame["cmp"] = frame["mpoor"] * score
    return frame


@pytest.fixture(scope="module")
def oracle() -> dict:
    return json.loads((ORACLES / "estimates.json").read_text())


def three_statistics(frame: pd.DataFrame):
    poor, income = frame["poor"].to_numpy(), frame["income_pc"].to_numpy()
    mpoor, cmp = frame["mpoor"].to_numpy(), frame["cmp"].to_numpy()
    return lambda w: np.array([w @ poor / w.sum(), w @ income / w.sum(), w @ cmp / (w @ mpoor)])


def random_frame(seed: int, sizes: list[int], rows: int = 3) -> pd.DataFrame:
    """Strata of so many PSUs, each of one to `rows` rows; PSU labels do not restart."""
    random = np.random.default_rng(seed)
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    frame = pd.DataFrame({"county": stratum, "village": np.arange(len(stratum))})
    frame = frame.loc[np.repeat(frame.index, random.integers(1, rows + 1, len(frame)))]
    frame["w"] = random.uniform(1, 9, len(frame))
    frame["y"] = random.normal(2, 3, len(frame))
    return frame.reset_index(drop=True)


def linear_variance(frame: pd.DataFrame, design: Design, variable: str = "y") -> float:
    return float(estimate(frame, design, [total(variable)])["se"].iloc[0] ** 2)


# Numbers computed with R ---------------------------------------------------------------------


def test_jackknife_is_that_of_r(survey: pd.DataFrame, oracle: dict) -> None:
    made = draws(survey, Design("county", "village", "w_person"), Jackknife())
    result = made.apply(three_statistics(survey))
    want = [oracle["synth_jkn"][key] for key in ("mean_poor", "mean_income", "A_ratio")]
    np.testing.assert_allclose(result.estimate, [w["est"] for w in want], rtol=1e-9)
    np.testing.assert_allclose(result.se(), [w["se"] for w in want], rtol=1e-9)
    assert (made.replicates, result.df) == (336, 276)
    # The full estimate as centre adds the squared bias, which is small here.
    about_full = replicate_variance(result.values, result.factor, result.estimate, mse=True)
    assert (about_full >= result.se() ** 2 - 1e-15).all()
    np.testing.assert_allclose(np.sqrt(about_full), result.se(), rtol=1e-3)


def test_bootstrap_is_near_that_of_r(survey: pd.DataFrame, oracle: dict) -> None:
    made = draws(survey, Design("county", "village", "w_person"), Bootstrap(2000, seed=1))
    result = made.apply(three_statistics(survey))
    want = oracle["synth_subboot2000"]["mean_poor"]
    np.testing.assert_allclose(result.estimate[0], want["est"], rtol=1e-9)
    np.testing.assert_allclose(result.se()[0], want["se"], rtol=0.05)


@pytest.mark.parametrize("method", [Jackknife(), Bootstrap(2000)])
def test_finite_population_is_near_the_linearised(
    method: Method, survey: pd.DataFrame, oracle: dict
) -> None:
    design = Design("county", "village", "w_person", fpc=("stage1_fpc", None))
    result = draws(survey, design, method).apply(three_statistics(survey))
    want = oracle["synth_fpc1"]
    near = [want[key]["se"] for key in ("mean_poor", "mean_income_pc", "A_ratio")]
    np.testing.assert_allclose(result.se(), near, rtol=0.05)


MAKE = {
    "synth_postStratify_area": lambda f, d, m: poststratify(f, d, "area", m["area"]),
    "synth_rake": lambda f, d, m: rake(f, d, m),
    "synth_calibrate_linear": lambda f, d, m: calibrate(f, d, m),
}


@pytest.mark.parametrize("key", MAKE)
def test_calibrated_replicates_keep_the_known_totals(
    key: str, survey: pd.DataFrame, oracle: dict
) -> None:
    known = oracle["calibration_margins"]
    margins = {
        name: dict(zip(known[name], known[f"{name}_total"], strict=True))
        for name in ("area", "minority")
    }
    plain = Design("county", "village", "w_person")
    frame, design = MAKE[key](survey, plain, margins)
    made = draws(frame, design, Jackknife())
    for r in (0, 335):
        got = pd.Series(made.weights(r)).groupby(frame["area"]).sum()
        np.testing.assert_allclose(got, [margins["area"][a] for a in got.index], rtol=1e-6)
        # From the base weights: what a PSU left out gets is nothing.
        multiplier = made.replication().block(r, r + 1)[0]
        lost = multiplier[lay(frame, design).stages[0].unit] == 0
        assert lost.any() and (made.weights(r)[lost] == 0).all()
    result = made.apply(three_statistics(frame))
    want = oracle[key]
    np.testing.assert_allclose(result.estimate[0], want["mean_poor"]["est"], rtol=1e-9)
    near = [want["mean_poor"]["se"], want["mean_income"]["se"]]
    np.testing.assert_allclose(result.se()[:2], near, rtol=0.025)
    # Calibrated totals do not vary; those of the weights before did.
    before = draws(survey, plain, Jackknife()).apply(lambda w: w.sum())
    assert made.apply(lambda w: w.sum()).se()[0] < 1e-5 * before.se()[0]


def test_replicates_are_calibrated_from_the_base_weights(survey: pd.DataFrame) -> None:
    """Against the linear calibration solved by hand, w (1 + x'(sum w x x')^-1 (X - sum w x))."""
    known = {"area": dict.fromkeys(range(1, 15), 650_000.0), "hhsize": 4.4e7}
    frame, design = calibrate(survey, Design("county", "village", "w_person"), known)
    made = draws(frame, design, Bootstrap(9))
    x = np.column_stack([pd.get_dummies(survey["area"], dtype=float), survey["hhsize"]])
    unit = lay(frame, design).stages[0].unit
    weight = survey["w_person"].to_numpy() * made.replication().block(4, 5)[0][unit]
    gap = np.append(np.full(14, 650_000.0), 4.4e7) - weight @ x
    by_hand = weight * (1 + x @ np.linalg.solve((x * weight[:, None]).T @ x, gap))
    np.testing.assert_allclose(made.weights(4), by_hand, rtol=1e-6, atol=1e-6)


def test_poststratified_designs_are_calibrated_again(survey: pd.DataFrame) -> None:
    design = Design("county", "village", "w_person", poststrata="area", size="hhsize")
    made = draws(survey, design, Jackknife())
    size = survey["w_person"] * survey["hhsize"]
    got = (made.weights(200) * survey["hhsize"]).groupby(survey["area"]).sum()
    np.testing.assert_allclose(got, size.groupby(survey["area"]).sum(), rtol=1e-9)


# Linear statistics: the replicate variance is the linearised one ------------------------------

sizes = st.lists(st.integers(2, 6), min_size=1, max_size=5)
seeds = st.integers(0, 10_000)


@given(seeds, sizes, st.booleans(), st.booleans())
def test_jackknife_of_a_total(seed: int, drawn: list[int], finite: bool, mse: bool) -> None:
    frame = random_frame(seed, drawn)
    frame["population"] = frame["county"].map(lambda h: drawn[h] + h % 3)
    design = replace(DESIGN, fpc=("population", None)) if finite else DESIGN
    if finite and len(drawn) == 1:
        return  # the only stratum is counted in full: see below
    result = draws(frame, design, Jackknife(mse=mse)).apply(lambda w: w @ frame["y"])
    np.testing.assert_allclose(result.se() ** 2, linear_variance(frame, design), rtol=1e-9)
    assert result.df == sum(drawn) - len(drawn)


@given(seeds, st.integers(1, 23), st.sampled_from([0.0, 0.3, 0.9]), st.booleans())
def test_half_samples_of_a_total(seed: int, strata: int, fay: float, finite: bool) -> None:
    frame = random_frame(seed, [2] * strata)
    frame["population"] = 3 + frame["county"]
    design = replace(DESIGN, fpc=("population", None)) if finite else DESIGN
    for mse in (False, True):
        made = draws(frame, design, BRR(fay, mse=mse))
        result = made.apply(lambda w: w @ frame["y"])
        np.testing.assert_allclose(result.se() ** 2, linear_variance(frame, design), rtol=1e-9)
    # Full orthogonal balance: the mean of the replicates is the estimate.
    np.testing.assert_allclose(result.values.mean(axis=0), result.estimate, rtol=1e-9)
    assert strata < made.replicates <= strata + 12


@given(seeds, sizes, st.booleans())
def test_bootstrap_of_a_total_in_expectation(seed: int, drawn: list[int], finite: bool) -> None:
    frame = random_frame(seed, drawn)
    frame["population"] = frame["county"].map(lambda h: drawn[h] + 1 + h)
    design = replace(DESIGN, fpc=("population", None)) if finite else DESIGN
    sample = lay(frame, design)
    made = replication(sample, Bootstrap(200, mse=True))
    sums = np.bincount(sample.stages[0].unit, frame["w"] * frame["y"])
    multiplier = made.multiplier
    expected = 0.0
    for h, n in enumerate(drawn):
        unit = np.flatnonzero(sample.stages[0].parent_of_unit == h)
        # offset + slope * times drawn; the slope from any two different factors of the stratum.
        values = np.unique(multiplier[:, unit])
        slope = np.diff(values).min()
        times = np.round((multiplier[:, unit] - values[0]) / slope).astype(int)
        assert (times.sum(axis=1) == n - 1).all()
        # Covariance of multinomial counts of n - 1 draws (Johnson and Kotz 1969, ch. 11).
        covariance = (n - 1) / n * (np.eye(n) - 1 / n)
        expected += slope**2 * sums[unit] @ covariance @ sums[unit]
        np.testing.assert_allclose(values[0] + slope * (n - 1) / n, 1.0, rtol=1e-12)
    np.testing.assert_allclose(expected, linear_variance(frame, design), rtol=1e-9)


def test_bootstrap_multipliers_average_one_and_vary_as_they_should() -> None:
    frame = random_frame(3, [2, 3, 8, 20])
    made = replication(lay(frame, DESIGN), Bootstrap(20_000))
    multiplier = made.multiplier
    # Four to five standard errors of 33 means; Var(n/(n-1) c) = 1.
    np.testing.assert_allclose(multiplier.mean(axis=0), 1.0, atol=4.5 / np.sqrt(20_000))
    np.testing.assert_allclose(multiplier.var(axis=0), 1.0, atol=0.1)
    result = draws(frame, DESIGN, Bootstrap(4000)).apply(lambda w: w @ frame["y"])
    np.testing.assert_allclose(result.se() ** 2, linear_variance(frame, DESIGN), rtol=0.1)


def test_bootstrap_variance_is_the_unbiased_one_of_its_replicates() -> None:
    frame = random_frame(3, [2, 3, 8])
    result = draws(frame, DESIGN, Bootstrap(50)).apply(lambda w: w @ frame["y"])
    np.testing.assert_allclose(result.se() ** 2, result.values.var(axis=0, ddof=1), rtol=1e-12)
    about = draws(frame, DESIGN, Bootstrap(50, mse=True)).apply(lambda w: w @ frame["y"])
    squares = ((about.values - about.estimate) ** 2).mean(axis=0)
    np.testing.assert_allclose(about.se() ** 2, squares, rtol=1e-12)
    assert result.df == 10  # PSUs less strata, and never more than the replicates have
    assert draws(frame, DESIGN, Bootstrap(5)).df == 4


METHODS: list[Method] = [Jackknife(), BRR(), BRR(0.5), Bootstrap(60)]


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("finite", [False, True])
def test_blocks_and_totals_are_the_matrix(method: Method, finite: bool) -> None:
    frame = random_frame(1, [2, 2, 2, 2, 2])
    frame["population"] = [2, 3, 9, 4, 4][0] + frame["county"]  # the first is counted in full
    design = replace(DESIGN, fpc=("population", None)) if finite else DESIGN
    made = replication(lay(frame, design), method)
    whole = made.multiplier
    assert whole.shape == (made.replicates, 10) == (len(made.factor), made.units)
    assert (whole >= 0).all()
    np.testing.assert_array_equal(np.vstack([made.block(0, 3), made.block(3, 7)]), whole[:7])
    sums = np.random.default_rng(2).normal(size=(10, 4))
    np.testing.assert_allclose(made.totals(sums), whole @ sums, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_a_domain_that_loses_its_psus_is_left_with_exactly_nothing(method: Method) -> None:
    made = replication(lay(random_frame(5, [2] * 7), DESIGN), method)
    sums = np.zeros((14, 3))
    sums[3], sums[4] = [0.1, 0.7, 1 / 3], [0.0, 0.0, 1e9 / 7]
    got = made.totals(sums)
    np.testing.assert_array_equal(got[:, :2] == 0, (made.multiplier @ sums)[:, :2] == 0)


# Single PSUs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lonely", ["certainty", "remove", "adjust", "average"])
@pytest.mark.parametrize("method", [Jackknife(), Jackknife(mse=True), BRR(), BRR(0.4)], ids=str)
def test_single_psus_follow_the_rule(lonely: str, method: Method) -> None:
    frame = random_frame(8, [2, 1, 2, 1, 2, 2])
    design = replace(DESIGN, lonely=lonely)
    result = draws(frame, design, method).apply(lambda w: w @ frame["y"])
    np.testing.assert_allclose(result.se() ** 2, linear_variance(frame, design), rtol=1e-9)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("lonely", ["certainty", "remove", "adjust", "average"])
def test_single_psus_in_the_bootstrap(lonely: str) -> None:
    frame = random_frame(8, [5, 1, 4, 1, 2, 2])
    design = replace(DESIGN, lonely=lonely)
    made = draws(frame, design, Bootstrap(4000))
    single = frame["county"].isin([1, 3]).to_numpy()
    ratio = made.weights(7)[single] / frame["w"][single]
    assert set(np.round(ratio, 9)) <= ({0.0, 2.0} if lonely == "adjust" else {1.0})
    result = made.apply(lambda w: w @ frame["y"])
    np.testing.assert_allclose(result.se() ** 2, linear_variance(frame, design), rtol=0.1)


def test_single_psus_are_near_r(survey: pd.DataFrame, oracle: dict) -> None:
    assert "701 and 801" in oracle["synth_lonely_keep"]
    gone = survey["county"].isin([7, 8]) & ~survey["village"].isin([701, 801])
    frame = survey[~gone].reset_index(drop=True)
    for lonely in ("certainty", "remove", "adjust", "average"):
        design = Design("county", "village", "w_person", lonely=lonely)
        result = draws(frame, design, Jackknife()).apply(three_statistics(frame))
        want = oracle["synth_lonely"]
        near = [want[f"poor_{lonely}"]["se"], want[f"income_{lonely}"]["se"]]
        np.testing.assert_allclose(result.se()[:2], near, rtol=0.005)


# Order and seeds ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_the_order_of_rows_does_not_matter(method: Method) -> None:
    frame = random_frame(4, [2, 2, 2, 2])
    mixed = frame.sample(frac=1, random_state=9).reset_index(drop=True)
    one = draws(frame, DESIGN, method).apply(lambda w: (w**1.5) @ frame["y"])
    two = draws(mixed, DESIGN, method).apply(lambda w: (w**1.5) @ mixed["y"])
    np.testing.assert_allclose(one.values, two.values, rtol=1e-9)


def test_a_stratum_is_drawn_alike_whatever_the_others() -> None:
    frame = random_frame(4, [5, 6, 7])
    alone = frame[frame["county"] == 1].reset_index(drop=True)
    inside = draws(frame, DESIGN, Bootstrap(20)).weights(11)[frame["county"] == 1]
    np.testing.assert_array_equal(inside, draws(alone, DESIGN, Bootstrap(20)).weights(11))
    other = draws(alone, DESIGN, Bootstrap(20, seed=2)).weights(11)
    assert not np.array_equal(inside, other)


def test_labels_may_restart_and_may_be_text() -> None:
    frame = random_frame(4, [3, 3])
    numbered = replication(lay(frame, DESIGN), Jackknife()).multiplier
    text = frame.assign(
        county=pd.Categorical(frame["county"].map({0: "b", 1: "a"})),
        village="v" + (frame["village"] % 3).astype(str),
    )
    sample = lay(text, replace(DESIGN, nest=True))
    made = replication(sample, Jackknife())
    np.testing.assert_array_equal(np.sort(made.multiplier), np.sort(numbered))
    stratum = sample.strata[sample.stages[0].parent_of_unit]
    first = list(zip(stratum, sample.psus, strict=True)).index(("a", "v0"))
    assert made.multiplier[0, first] == 0  # sorted labels, not order of appearance


def test_labels_of_unlike_types_match_where_they_read_the_same() -> None:
    frame = random_frame(4, [2, 2])
    text = frame.astype({"county": float, "village": str}).astype({"county": object})
    made = draws({"a": frame, "b": text}, DESIGN, BRR())
    np.testing.assert_array_equal(
        made.replication("a").multiplier, made.replication("b").multiplier
    )
    one = pd.DataFrame({"county": 1, "village": pd.Series([1, "1"], dtype=object), "w": 1.0})
    with pytest.raises(PovmonError, match="read the same"):
        draws({"a": one, "b": one.assign(village=["1", "2"])}, DESIGN, Jackknife())


# Several surveys ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=str)
@pytest.mark.parametrize("lonely", ["adjust", "average"])
def test_a_survey_does_not_differ_from_itself(method: Method, lonely: str) -> None:
    frame = random_frame(4, [2, 2, 1, 2])
    other = frame.sample(frac=1, random_state=1).reset_index(drop=True)
    made = draws({"a": frame, "b": other}, replace(DESIGN, lonely=lonely), method)
    result = made.apply(lambda w: [w["a"] @ frame["y"], w["b"] @ other["y"]])
    covariance = result.covariance()
    assert abs(np.array([1, -1]) @ covariance @ [1, -1]) < 1e-9 * covariance[0, 0]
    assert covariance[0, 0] > 0


def rotated() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two visits; half of the PSUs of the second are new, and one stratum has more of them."""
    first = random_frame(11, [4, 4, 6, 3])
    second = first.assign(y=first["y"] + np.random.default_rng(0).normal(0, 0.5, len(first)))
    second.loc[second["village"] % 2 == 1, "village"] += 1000
    second.loc[second["county"] == 3, "county"] = 30
    more = second[second["village"].isin([0, 2])].assign(village=lambda f: f["village"] + 5000)
    return first, pd.concat([second, more], ignore_index=True)


@pytest.mark.parametrize("method", [Jackknife(), Bootstrap(4000)], ids=str)
def test_surveys_that_share_some_psus(method: Method) -> None:
    first, second = rotated()
    made = draws({"first": first, "second": second}, DESIGN, method)
    result = made.apply(lambda w: [w["first"] @ first["y"], w["second"] @ second["y"]])
    exact = 1e-9 if isinstance(method, Jackknife) else 0.1
    alone = [linear_variance(first, DESIGN), linear_variance(second, DESIGN)]
    np.testing.assert_allclose(result.se() ** 2, alone, rtol=exact)
    if isinstance(method, Jackknife):
        # By brute force: sqrt(n_a/(n_a-1) n_b/(n_b-1)) times the shared PSUs' products.
        want = 0.0
        for county in (0, 1, 2):
            a, b = (
                (f["w"] * f["y"])[f["county"] == county].groupby(f["village"]).sum()
                for f in (first, second)
            )
            both = a.index.intersection(b.index)
            assert 0 < len(both) < len(a)
            product = ((a - a.mean())[both] * (b - b.mean())[both]).sum()
            want += np.sqrt(len(a) / (len(a) - 1) * len(b) / (len(b) - 1)) * product
        np.testing.assert_allclose(result.covariance()[0, 1], want, rtol=1e-9)
        linearised = joint({"first": first, "second": second}, DESIGN, total("y")).covariance
        np.testing.assert_allclose(result.covariance(), linearised, rtol=1e-9)


def test_the_order_of_surveys_does_not_matter() -> None:
    first, second = rotated()
    for method in (Jackknife(), Bootstrap(30)):
        one = draws({"first": first, "second": second}, DESIGN, method)
        two = draws({"second": second, "first": first}, DESIGN, method)
        for survey in ("first", "second"):
            np.testing.assert_array_equal(one.weights(17, survey), two.weights(17, survey))
    # A stratum that surveys share wholly, or not at all, is drawn as it is alone.
    with_itself = draws({"first": first, "twin": first}, DESIGN, Bootstrap(30))
    np.testing.assert_array_equal(
        with_itself.weights(17, "twin"), draws(first, DESIGN, Bootstrap(30)).weights(17)
    )


def test_shared_draws_keep_each_survey_multinomial_and_the_covariance_unbiased() -> None:
    surveys = [np.arange(6), np.arange(3, 9), np.array([4, 5])]
    counts = draw(stream(1, "x"), surveys, 40_000)
    for own, times in zip(surveys, counts, strict=True):
        n = len(own)
        assert (times.sum(axis=0) == n - 1).all()
        np.testing.assert_allclose(times.mean(axis=1), (n - 1) / n, atol=0.02)
        want = (n - 1) / n * (np.eye(n) - 1 / n)
        np.testing.assert_allclose(np.cov(times), want, atol=0.03)
    # Totals of 6 PSUs each, 3 of them shared, with unit covariance between visits of a PSU:
    # the covariance of the totals is 3, and the bootstrap's expectation is that.
    a, b = (times * 6 / 5 for times in counts[:2])
    cross = np.cov(a, b)[:6, 6:]
    shared = sum(cross[surveys[0] == name, surveys[1] == name][0] for name in (3, 4, 5))
    np.testing.assert_allclose(shared, 3.0, atol=0.25)


def test_separate_surveys_are_independent() -> None:
    frame = random_frame(4, [2, 2, 2])
    other = frame.assign(village=frame["village"] + 100)
    for method in (Jackknife(), BRR()):
        made = draws({"a": frame, "b": other}, DESIGN, method)
        result = made.apply(lambda w: [w["a"] @ frame["y"], w["b"] @ other["y"]])
        covariance = result.covariance()
        np.testing.assert_allclose(covariance[0, 1], 0.0, atol=1e-9 * covariance[0, 0])
        np.testing.assert_allclose(np.diag(covariance), linear_variance(frame, DESIGN), rtol=1e-9)


def test_half_samples_chain_through_surveys() -> None:
    def pair(*villages: int) -> pd.DataFrame:
        return pd.DataFrame({"county": 1, "village": villages, "w": 1.0})

    made = draws({"a": pair(1, 2), "b": pair(3, 2)}, DESIGN, BRR())
    a, b = (made.replication(s).multiplier for s in "ab")
    np.testing.assert_array_equal(a[:, 1], b[:, 0])  # codes follow sorted labels: village 2
    ring = {"a": pair(1, 2), "b": pair(2, 3), "c": pair(1, 3)}
    with pytest.raises(PovmonError, match="stratum 1 in a ring"):
        draws(ring, DESIGN, BRR())


def test_replicates_of_two_designs_have_one_factor() -> None:
    """A finite and an infinite population: each survey alone still has its own variance."""
    frame = random_frame(6, [3, 4])
    frame["population"] = 10.0
    designs = {"a": DESIGN, "b": replace(DESIGN, fpc=("population", None))}
    made = draws({"a": frame, "b": frame}, designs, Jackknife())
    result = made.apply(lambda w: [w["a"] @ frame["y"], w["b"] @ frame["y"]])
    want = [linear_variance(frame, d) for d in designs.values()]
    np.testing.assert_allclose(result.se() ** 2, want, rtol=1e-9)


# Replicates that are not finite ---------------------------------------------------------------


def test_undefined_replicates_are_an_error_or_counted() -> None:
    frame = random_frame(2, [3, 3])
    domain = (frame["village"] == 4).to_numpy()
    made = draws(frame, DESIGN, Jackknife())

    def statistic(w: np.ndarray) -> np.ndarray:
        inside = w[domain].sum()
        mean = w[domain] @ frame["y"][domain] / inside if inside else np.nan
        return np.array([w @ frame["y"], mean])

    with pytest.raises(PovmonError, match="element 1 in 1 of 6"):
        made.apply(statistic)
    result = made.apply(statistic, undefined="exclude")
    assert result.undefined.tolist() == [0, 1]
    np.testing.assert_allclose(result.se()[0] ** 2, linear_variance(frame, DESIGN), rtol=1e-9)
    assert np.isfinite(result.se()).all()
    with pytest.raises(PovmonError, match="full weights"):
        made.apply(lambda w: np.nan)
    assert np.isnan(made.apply(lambda w: np.nan, undefined="exclude").se()).all()


def test_left_out_replicates_scale_the_rest() -> None:
    random = np.random.default_rng(0)
    values, factor = random.normal(size=(40, 3)), np.full(40, 1 / 40)
    values[:10, 1], values[1:, 2] = np.nan, np.nan
    result = Replicates(np.zeros(3), values, factor, df=20, mse=True)
    want = [(values[:, 0] ** 2).mean(), (values[10:, 1] ** 2).mean()]
    np.testing.assert_allclose(result.se()[:2] ** 2, want, rtol=1e-12)
    assert np.isnan(result.se()[2])  # one replicate is no variance
    np.testing.assert_allclose(np.diag(result.covariance())[:2], want, rtol=1e-12)
    assert np.linalg.eigvalsh(result.covariance()[:2, :2]).min() >= 0
    low, high = result.interval(0.9)
    np.testing.assert_allclose((high - low)[0] / 2, 1.7247182 * result.se()[0], rtol=1e-7)


# Hadamard matrices ----------------------------------------------------------------------------


def test_hadamard_matrices_are_orthogonal_and_tight() -> None:
    orders = []
    for least in itertools.chain(range(1, 130), [681]):
        matrix = hadamard(least).astype(np.int64)
        order = len(matrix)
        np.testing.assert_array_equal(matrix.T @ matrix, order * np.eye(order))
        np.testing.assert_array_equal(np.abs(matrix), 1)
        np.testing.assert_array_equal(matrix[:, 0], 1)
        orders.append(order - least)
    assert min(orders) >= 0 and max(orders) <= 11


# What goes wrong says so ----------------------------------------------------------------------


def pairs() -> pd.DataFrame:
    return random_frame(0, [2, 3, 2, 5])


def mistakes() -> Iterator[tuple]:
    yield lambda: draws(pairs(), DESIGN, BRR()), r"2 strata have more: 1 \(3\), 3 \(5\)"
    yield lambda: draws(pairs(), DESIGN, "jackknife"), "no replicate method"
    yield lambda: BRR(1.0), "fay"
    yield lambda: Bootstrap(1), "replicates"
    yield lambda: draws(pairs().iloc[:0], DESIGN, Jackknife()), "no rows"
    yield lambda: draws({"a": pairs()}, {"b": DESIGN}, Jackknife()), "one by name"
    yield lambda: draws(pairs(), DESIGN, Jackknife()).weights(12), "no replicate 12"
    yield (
        lambda: draws({"a": pairs(), "b": pairs()}, DESIGN, Jackknife()).weights(0),
        "unknown survey",
    )
    yield (
        lambda: draws(
            pairs().assign(N1=9, N2=9),
            replace(DESIGN, fpc=("N1", "N2"), lonely="remove"),
            Jackknife(),
        ),
        "second stage",
    )
    yield (
        lambda: draws(random_frame(0, [1, 1]), replace(DESIGN, lonely="average"), BRR()),
        "no others to average",
    )
    yield (
        lambda: draws(random_frame(0, [1, 1]), replace(DESIGN, lonely="remove"), BRR()),
        "nothing to replicate",
    )
    yield (
        lambda: draws(
            pairs().assign(post=lambda f: f["village"]),
            replace(DESIGN, poststrata="post"),
            Jackknife(),
        ).weights(0),
        "no weight is left in post=0",
    )
    yield (
        lambda: draws(pairs(), DESIGN, Jackknife()).apply(lambda w: np.ones((2, 2))),
        "shape",
    )
    yield (
        lambda: draws(pairs(), DESIGN, Jackknife()).apply(lambda w: np.unique(np.round(w, 3))),
        "elements with the full weights",
    )


@pytest.mark.parametrize(("wrong", "says"), list(mistakes()))
def test_mistakes_are_explained(wrong, says: str) -> None:
    with pytest.raises(PovmonError, match=says):
        wrong()
