"""Tests of stochastic dominance between domains and surveys."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from povmon.errors import PovmonError
from povmon.estimate.comparison.dominance import dominance
from povmon.estimate.comparison.verdict import assess
from povmon.estimate.design import Design
from povmon.estimate.replicates.replicate import Bootstrap, Jackknife, draws

DESIGN = Design("county", "village", "w")
WEST, EAST = {"area": "west"}, {"area": "east"}


def village_survey(seed: int, n: int = 480, shift: float = 0.0, scale: float = 1.0) -> pd.DataFrame:
    """Lognormal incomes in villages of six; west is `shift` richer, `scale` times as unequal."""
    rng = np.random.default_rng(seed)
    village = np.arange(n) // 6
    area = np.where(np.arange(n) < n // 2, "west", "east")
    log = rng.normal(0, 0.6, n) + rng.normal(0, 0.2, village.max() + 1)[village]
    log = np.where(area == "west", shift + scale * log, log)
    return pd.DataFrame(
        {"county": village // 8, "village": village, "area": area, "w": rng.uniform(1, 3, n),
         "income": 2000 * np.exp(log)}
    )  # fmt: skip


def boot(frame: pd.DataFrame, count: int = 400) -> object:
    return draws(frame, DESIGN, Bootstrap(count, seed=3))


def compare(frame: pd.DataFrame, a: dict = WEST, b: dict = EAST, **more):  # type: ignore
    lines = more.pop("lines", (800, 4000))
    return dominance(frame, boot(frame), "income", a, b, lines, **{"number": 41, **more})


@pytest.mark.parametrize("closed", [False, True])
def test_curves_and_errors_are_those_of_fgt(closed: bool) -> None:
    frame = village_survey(1)
    frame["income"] = (frame["income"] / 100).round() * 100  # on the lines
    frame.loc[::50, "income"] = -500.0
    frame.loc[::77, "income"] = np.nan
    made = boot(frame)
    lines = np.array([100.0, 900.0, 2000.0, 2350.0])
    found = dominance(frame, made, "income", WEST, EAST, lines, closed=closed)  # type: ignore
    income = frame["income"].to_numpy()
    west = (frame["area"] == "west").to_numpy()
    for _, row in found.curves.iterrows():
        poor = income <= row["line"] if closed else income < row["line"]
        gap = 1 - np.maximum(income, 0) / row["line"]
        value = np.where(poor, np.where(poor, gap, 1.0) ** (row["order"] - 1), 0.0)

        def apart(w: np.ndarray, value: np.ndarray = value) -> list[float]:
            used = np.isfinite(income)
            one, two = ((w * value)[used & s].sum() / w[used & s].sum() for s in (west, ~west))
            return [one, two, one - two]

        want = made.apply(apart)  # type: ignore
        np.testing.assert_allclose(row[["a", "b", "difference"]].astype(float), want.estimate)
        np.testing.assert_allclose(row["se"], want.se()[2], rtol=1e-8)
        low, high = want.interval()
        np.testing.assert_allclose([row["ci_low"], row["ci_high"]], [low[2], high[2]], rtol=1e-8)


def test_tests_by_hand() -> None:
    """Five draws of errors at three lines, one of them without anybody below."""
    difference = np.array([0.0, -0.2, 0.1])
    se = np.array([0.0, 0.1, 0.1])
    errors = np.array([[0, 0.1, -0.1], [0, -0.1, 0.1], [0, 0, 0.2], [0, -0.3, 0.05], [0, 0, -0.2]])
    lines = np.array([1.0, 2.0, 3.0])
    estimate = np.array([[[0.0, 0.3, 0.5]], [[0.0, 0.5, 0.4]], [difference]])
    found = assess(("a", "b"), lines, np.array([1]), estimate, se[None], errors[:, None], 20)
    one, two = found.tests.iloc[0], found.tests.iloc[1]
    assert (one["dominant"], one["line_low"], one["line_high"]) == ("a", 2.0, 3.0)
    assert one["t_min"] == pytest.approx(-1.0) and one["line_min"] == 3.0
    assert one["p_non_dominance"] == pytest.approx(stats.t.sf(-1.0, 20))
    # Largest of each draw, not below 0: 0.1, 0.1, 0.2, 0.05, 0; three reach 0.1.
    assert one["supremum"] == pytest.approx(0.1)
    assert one["p_dominance"] == pytest.approx((1 + 3) / 6)
    # The other way: 0.1, 0.1, 0, 0.3, 0.2; two reach 0.2.
    assert two["supremum"] == pytest.approx(0.2)
    assert two["p_dominance"] == pytest.approx((1 + 2) / 6)
    assert two["t_min"] == pytest.approx(-2.0)
    cross = found.crossings.iloc[0]
    assert cross["line"] == pytest.approx(2 + 2 / 3) and cross["lower_before"] == "a"
    assert found.curves["tested"].tolist() == [False, True, True]
    # The largest ratios are 1, 1, 2, 3 and 2: the quantile, carried to 20 degrees of freedom.
    critical = stats.t.ppf(stats.norm.cdf(np.quantile([1, 1, 2, 3, 2], 0.95)), 20)
    width = found.curves["band_high"] - found.curves["difference"]
    np.testing.assert_allclose(width, critical * se)


@given(st.integers(0, 2**31), st.floats(0, 1))
def test_a_distribution_moved_up_dominates(seed: int, shift: float) -> None:
    frame = village_survey(seed, 240)
    half = frame["area"] == "west"
    frame.loc[half, "income"] = frame.loc[~half, "income"].to_numpy() * np.exp(shift)
    frame.loc[half, "w"] = frame.loc[~half, "w"].to_numpy()
    found = compare(frame)
    assert (found.curves["difference"] <= 0).all()
    assert len(found.crossings) == 0
    ahead = found.tests[found.tests["dominant"] == "west"]
    assert (ahead["p_dominance"] == 1).all()
    behind = found.tests[found.tests["dominant"] == "east"]
    assert (behind["p_non_dominance"] >= 0.5).all()
    assert "east dominates" not in set(found.verdicts["verdict"])


@given(st.integers(0, 2**31))
def test_sides_exchanged(seed: int) -> None:
    frame = village_survey(seed, 240, 0.1)
    one, other = compare(frame), compare(frame, EAST, WEST)
    np.testing.assert_allclose(one.curves["difference"], -other.curves["difference"])
    np.testing.assert_allclose(one.curves["band_low"], -other.curves["band_high"])
    keys = ["order", "dominant"]
    left, right = (t.tests.sort_values(keys, ignore_index=True) for t in (one, other))
    pd.testing.assert_frame_equal(left, right)
    assert one.verdicts["verdict"].tolist() == other.verdicts["verdict"].tolist()
    np.testing.assert_allclose(one.crossings["line"], other.crossings["line"])


def test_the_same_survey_twice_does_not_differ() -> None:
    frame = village_survey(2)
    both = {"first": frame, "second": frame.copy()}
    made = draws(both, DESIGN, Bootstrap(200))
    found = dominance(both, made, "income", {"survey": "first"}, {"survey": "second"}, (500, 4000))
    # All PSUs are shared, so are all errors.
    assert found.curves[["difference", "se", "band_low", "band_high"]].eq(0).all(axis=None)
    assert (found.verdicts["verdict"] == "undecided").all()
    assert "nothing can be tested" in str(found)
    assert (found.tests[["p_non_dominance", "p_dominance"]] == 1).all(axis=None)
    assert len(found.ranges) == 0


def test_clear_dominance_and_its_words() -> None:
    found = compare(village_survey(4, 2400, 0.4))
    assert (found.verdicts["verdict"] == "west dominates").all()
    assert found.verdicts["words"][0].startswith(
        "At the first order west dominates east on all lines from 800 to 4,000"
    )
    assert found.ranges["lower"].tolist() == ["west"] * 3
    assert str(found).count("\n") == 2


def test_crossing_curves() -> None:
    """Equal means of logs, unequal spreads: more poor at low lines, fewer at high ones."""
    found = compare(village_survey(5, 4800, 0.0, 1.8), lines=(500, 6000), orders=[1])
    assert found.verdicts["verdict"].tolist() == ["curves cross"]
    assert "rejected both ways" in str(found)
    assert found.ranges["lower"].tolist() == ["east", "west"]
    assert ((found.crossings["line"] > 1500) & (found.crossings["line"] < 2600)).any()


def test_a_jackknife_gives_like_results() -> None:
    frame = village_survey(6, 960, 0.15)
    one = compare(frame)
    made = draws(frame, DESIGN, Jackknife())
    other = dominance(frame, made, "income", WEST, EAST, (800, 4000), number=41)
    np.testing.assert_allclose(one.curves["difference"], other.curves["difference"])
    np.testing.assert_allclose(other.curves["se"], one.curves["se"], rtol=0.2)
    np.testing.assert_allclose(other.tests["p_dominance"], one.tests["p_dominance"], atol=0.06)
    half = [t.curves["band_high"] - t.curves["difference"] for t in (one, other)]
    np.testing.assert_allclose(half[1], half[0], rtol=0.25)


def test_overlapping_surveys_are_compared_more_precisely() -> None:
    first = village_survey(7)
    second = first.assign(income=first["income"] * 1.1)
    sides = ({"survey": "second"}, {"survey": "first"})
    both = {"first": first, "second": second}
    shared = dominance(
        both, draws(both, DESIGN, Bootstrap(400)), "income", *sides, (900, 4000), number=41
    )
    apart = {"first": first, "second": second.assign(county=second["county"] + 1000)}
    other = dominance(
        apart, draws(apart, DESIGN, Bootstrap(400)), "income", *sides, (900, 4000), number=41
    )
    assert (shared.curves["se"] < 0.6 * other.curves["se"]).mean() > 0.9
    assert (shared.verdicts["verdict"] == "second dominates").all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"a": {"area": "wst"}}, "no row has area 'wst'; did you mean 'west'"),
        ({"a": EAST}, "both sides are east"),
        ({"lines": (4000, 800)}, "positive and ascending"),
        ({"lines": (0, 800)}, "positive and ascending"),
        ({"lines": [np.nan, 100, 200]}, "positive and ascending"),
        ({"lines": "low"}, "not numbers"),
        ({"orders": [0, 1]}, "use some of 1, 2, 3"),
        ({"orders": []}, "use some of 1, 2, 3"),
        ({"level": 95}, "level is 95"),
    ],
)
def test_errors(change: dict, says: str) -> None:
    with pytest.raises(PovmonError, match=says):
        compare(village_survey(8), **change)


def test_errors_of_surveys_and_rows() -> None:
    frame = village_survey(8)
    both = {"2010": frame, "2015": frame}
    made = draws(both, DESIGN, Bootstrap(200))
    with pytest.raises(PovmonError, match="unknown survey '2011'"):
        dominance(both, made, "income", {"survey": "2011"}, {"survey": "2015"}, (800, 4000))
    with pytest.raises(PovmonError, match="made of other rows"):
        dominance(frame.iloc[:-1], boot(frame), "income", WEST, EAST, (800, 4000))  # type: ignore
    with pytest.raises(PovmonError, match="missing in all rows of west"):
        compare(frame.assign(income=frame["income"].where(frame["area"] == "east")))
    few = frame.assign(area=np.where(frame["village"] == 3, "west", "east"))
    with pytest.raises(PovmonError, match="no weight in some replicate"):
        compare(few)


def steps(rng: np.random.Generator, shares: list[float], n: int = 240) -> np.ndarray:
    """Incomes of four levels between three lines."""
    return rng.choice([0.5, 1.5, 2.5, 3.5], n, p=shares)


@pytest.mark.slow
@pytest.mark.parametrize("null", ["non-dominance", "dominance"])
def test_size(null: str) -> None:
    """At the edge of its null each test rejects about as often as its level says.

    Non-dominance: a is far below b at two lines and equal at the one between. Dominance: the
    distributions are the same, the case least favourable to the null.
    """
    rng = np.random.default_rng(20260103)
    touching = null == "non-dominance"
    shares = [0.1, 0.4, 0.1, 0.4] if touching else [0.4, 0.1, 0.4, 0.1]
    frame = pd.DataFrame(
        {"county": np.arange(480) // 60, "village": np.arange(480) // 4, "w": 1.0,
         "area": np.repeat(["west", "east"], 240)}
    )  # fmt: skip
    rejected, times = 0, 500
    for trial in range(times):
        frame["income"] = np.append(steps(rng, shares), steps(rng, [0.4, 0.1, 0.4, 0.1]))
        made = draws(frame, DESIGN, Bootstrap(250, seed=trial))
        found = dominance(frame, made, "income", WEST, EAST, [1.0, 2.0, 3.0], orders=[1])
        rejected += found.tests[f"p_{null.replace('-', '_')}"].iloc[0] < 0.05
    # Two standard errors of a share of 500 around 5 %, and a little for the bootstrap's own.
    assert 0.025 <= rejected / times <= 0.08
