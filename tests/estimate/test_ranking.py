"""Ranges of ranks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from povmon.errors import PovmonError
from povmon.estimate.comparison.joint import Joint
from povmon.estimate.comparison.ranking import (
    _decided,
    _largest,
    among_highest,
    rank_intervals,
    ranks,
    worst,
)


def test_far_apart_ranks_are_certain() -> None:
    got = rank_intervals(np.array([0.1, 0.9, 0.5]), np.full(3, 0.001), np.full(3, 100))
    assert got["rank"].tolist() == [3, 1, 2]
    assert (got["rank_low"] == got["rank"]).all()
    assert (got["rank_high"] == got["rank"]).all()


def test_equal_estimates_can_have_any_rank() -> None:
    got = rank_intervals(np.full(4, 0.3), np.full(4, 0.1), np.full(4, 7))
    assert (got["rank_low"] == 1).all()
    assert (got["rank_high"] == 4).all()


def test_joint_coverage() -> None:
    rng = np.random.default_rng(20260101)
    truth = np.linspace(0.2, 0.4, 8)
    true_rank = np.argsort(np.argsort(-truth)) + 1
    inside = 0
    for _ in range(400):
        drawn = truth + rng.normal(0, 0.02, 8)
        got = rank_intervals(drawn, np.full(8, 0.02), np.full(8, 10_000), level=0.90)
        inside += bool(((got["rank_low"] <= true_rank) & (true_rank <= got["rank_high"])).all())
    assert inside / 400 >= 0.88


def made(
    estimate: np.ndarray, covariance: np.ndarray, df: int = 60, replicates: np.ndarray | None = None
) -> Joint:
    d = len(estimate)
    labels = pd.DataFrame({"area": range(d), "measure": "headcount"})
    factor = None if replicates is None else np.full(len(replicates), 1 / (len(replicates) - 1))
    return Joint(labels, estimate, covariance, np.full(d, df), replicates, factor)


def boot(estimate: np.ndarray, root: np.ndarray, count: int = 1000, seed: int = 1) -> Joint:
    """Estimates with covariance root root' and bootstrap replicates of them."""
    noise = np.random.default_rng(seed).standard_normal((count, len(estimate))) @ root.T
    return made(estimate, root @ root.T, replicates=estimate + noise)


def test_rank_limits_from_pairs_by_hand() -> None:
    far = made(np.array([0.1, 0.5, 0.51, 0.9]), np.eye(4) * 1e-4)
    got = ranks(far)
    assert got[["rank", "rank_low", "rank_high"]].to_numpy().tolist() == [
        [4, 4, 4], [3, 2, 3], [2, 2, 3], [1, 1, 1],
    ]  # fmt: skip
    lowest = ranks(far, highest_first=False)
    assert lowest["rank"].tolist() == [1, 2, 3, 4]
    assert lowest["rank_high"].tolist() == [1, 3, 3, 4]


def test_correlation_decides_what_independence_cannot() -> None:
    estimate = np.array([0.30, 0.32, 0.34])
    together = np.full((3, 3), 0.0099) + np.eye(3) * 0.000004
    assert (ranks(made(estimate, together))["rank_low"] == [3, 2, 1]).all()
    alone = ranks(made(estimate, np.eye(3) * 0.0099))
    assert (alone["rank_low"] == 1).all() and (alone["rank_high"] == 3).all()
    assert (ranks(made(estimate, together), method="klein")["rank_high"] == 3).all()


@given(st.integers(0, 2**31), st.permutations(range(6)))
def test_ranks_follow_the_order_of_domains(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    some = boot(rng.uniform(0.1, 0.6, 6), rng.normal(size=(6, 6)) * 0.02, 300, seed)
    assert some.replicates is not None
    turned = made(
        some.estimate[order], some.covariance[np.ix_(order, order)],
        replicates=some.replicates[:, order],
    )  # fmt: skip
    columns = ["rank", "rank_low", "rank_high"]
    got, want = ranks(turned)[columns].to_numpy(), ranks(some)[columns].to_numpy()[order]
    np.testing.assert_array_equal(got, want)
    assert (got[:, 1] <= got[:, 0]).all() and (got[:, 0] <= got[:, 2]).all()
    np.testing.assert_allclose(
        worst(turned, 2)["probability"], worst(some, 2)["probability"][order]
    )


def test_the_largest_score_is_that_of_brute_force() -> None:
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(600, 7))
    inverse = rng.uniform(1, 3, (7, 7))
    inverse = inverse + inverse.T
    live = (rng.uniform(size=(7, 7)) < 0.6) & ~np.eye(7, dtype=bool)
    want = [
        max(0.0, *((e[j] - e[k]) * inverse[j, k] for j, k in zip(*np.nonzero(live), strict=True)))
        for e in noise
    ]
    np.testing.assert_allclose(_largest(noise, inverse, live), want)


def test_the_critical_value_is_that_of_the_studentised_range() -> None:
    """Of equal, independent estimates the largest score is the range over sqrt(2) (Tukey)."""
    noise = np.random.default_rng(11).normal(size=(40_000, 6))
    live = ~np.eye(6, dtype=bool)
    got = np.quantile(_largest(noise, np.full((6, 6), 1 / np.sqrt(2)), live), [0.9, 0.95])
    want = stats.studentized_range.ppf([0.9, 0.95], 6, 1e5) / np.sqrt(2)
    np.testing.assert_allclose(got, want, rtol=0.01)


def test_step_down_decides_more_than_one_step() -> None:
    noise = np.random.default_rng(3).normal(size=(2000, 8))
    spread = np.full((8, 8), np.sqrt(2.0))
    # Two groups far apart; once they are told apart, less is left to guard against.
    far = np.subtract.outer(np.arange(8) // 4, np.arange(8) // 4)
    live = ~np.eye(8, dtype=bool)
    first = np.quantile(_largest(noise, 1 / spread, live), 0.9)
    second = np.quantile(_largest(noise, 1 / spread, live & (far <= 0)), 0.9)
    assert second < first
    score = 10.0 * far
    score[1, 0], score[0, 1] = (first + second) / 2, -(first + second) / 2
    score[3, 2], score[2, 3] = second * 0.99, -second * 0.99
    decided = _decided(score, noise, spread, 0.9)
    assert decided[1, 0] and decided[far > 0].all() and decided.sum() == 17


def test_among_the_highest_with_ties() -> None:
    values = np.array([[3.0, 2.0, 2.0, 1.0], [1.0, 1.0, 1.0, 1.0], [0.0, 5.0, 4.0, 4.0]])
    want = [[1, 0.5, 0.5, 0], [0.5] * 4, [0, 1, 0.5, 0.5]]
    np.testing.assert_allclose(among_highest(values, 2), want)
    np.testing.assert_allclose(among_highest(values, 4), 1)


@given(st.integers(0, 2**31), st.integers(1, 7))
def test_probabilities_add_up_to_k(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    some = boot(rng.uniform(size=7).round(1), np.diag(rng.uniform(0, 0.1, 7)), 250, seed)
    got = worst(some, k)
    assert got["probability"].sum() == pytest.approx(k)
    assert got["probability"].between(0, 1).all()
    rising = worst(some, k, highest_first=False)["probability"]
    assert rising.sum() == pytest.approx(k)


def test_worst_is_a_share_of_replicates() -> None:
    some = boot(np.array([0.2, 0.25, 0.3]), np.eye(3) * 0.05)
    assert some.replicates is not None
    highest = some.replicates.argmax(axis=1)
    want = np.bincount(highest, minlength=3) / 1000
    got = worst(some, 1)
    # The factor 1/(R-1) widens the errors by half a thousandth.
    np.testing.assert_allclose(got["probability"], want, atol=0.003)
    assert (got["draws"] == 1000).all()
    np.testing.assert_allclose(got["mc_se"] ** 2 * 1000, want * (1 - want), atol=0.003)


def test_normal_draws_have_the_probability_of_a_difference() -> None:
    covariance = np.array([[0.0009, 0.0006], [0.0006, 0.0016]])
    got = worst(made(np.array([0.3, 0.33]), covariance), 1, draws=40_000)
    want = special.ndtr(0.03 / np.sqrt(0.0013))
    assert got["probability"][1] == pytest.approx(want, abs=4 * got["mc_se"][1])


def test_a_jackknife_serves_through_its_covariance() -> None:
    some = boot(np.array([0.3, 0.33, 0.4]), np.eye(3) * 0.02, 240)
    assert some.replicates is not None
    jackknife = Joint(
        some.labels, some.estimate, some.covariance, some.df, some.replicates, np.full(240, 0.9)
    )
    plain = made(some.estimate, some.covariance)
    assert worst(jackknife, 1)["probability"].equals(worst(plain, 1)["probability"])
    assert not worst(some, 1)["probability"].equals(worst(plain, 1)["probability"])


def test_replicates_without_a_value_are_left_out_and_counted() -> None:
    some = boot(np.array([0.3, 0.33, 0.4]), np.eye(3) * 0.02, 400)
    assert some.replicates is not None
    some.replicates[:100, 2] = np.nan
    assert (worst(some, 1)["draws"] == 300).all()
    some.replicates[:250, 2] = np.nan
    with pytest.raises(PovmonError, match="250 of 400"):
        worst(some, 1)


def test_domains_without_an_estimate_have_no_rank() -> None:
    gappy = made(np.array([0.3, np.nan, 0.6]), np.diag([1e-4, np.nan, 1e-4]))
    got = ranks(gappy)
    assert got["rank"].isna().tolist() == [False, True, False]
    assert got["rank_high"].dropna().tolist() == [2, 1]
    assert got["note"][1] == "no estimate or no standard error"
    chance = worst(gappy, 1)
    assert np.isnan(chance["probability"][1]) and chance["probability"].sum() == pytest.approx(1)


def test_bad_requests() -> None:
    two = made(np.array([0.3, 0.4]), np.eye(2))
    mixed = Joint(two.labels.assign(measure=["h", "m"]), two.estimate, two.covariance, two.df)
    with pytest.raises(PovmonError, match="2 measures cannot be ranked"):
        ranks(mixed)
    for k in (0, 3, 1.5):
        with pytest.raises(PovmonError, match="from 1 to 2"):
            worst(two, k)  # type: ignore[arg-type]
    with pytest.raises(PovmonError, match="use one of max-t, klein"):
        ranks(two, method="bootstrap")  # type: ignore[arg-type]
    with pytest.raises(PovmonError, match="between 0 and 1"):
        ranks(two, level=90)
    with pytest.raises(PovmonError, match="no domain"):
        ranks(made(np.full(2, np.nan), np.eye(2)))


@pytest.mark.slow
@pytest.mark.parametrize("equal", [False, True])
def test_all_true_ranks_are_inside_together(equal: bool) -> None:
    """With correlated estimates of 20 degrees of freedom; ties may have any of their ranks."""
    rng = np.random.default_rng(20260102)
    truth = np.full(6, 0.3) if equal else np.array([0.2, 0.2, 0.25, 0.3, 0.3, 0.4])
    root = np.eye(6) * 0.02 + 0.01
    low = 1 + (truth[None, :] > truth[:, None]).sum(axis=1)
    high = 6 - (truth[None, :] < truth[:, None]).sum(axis=1)
    inside, widths, times = 0, 0.0, 400
    for trial in range(times):
        errors = rng.normal(size=(21, 6)) @ root.T
        covariance = np.cov(errors[:20].T)
        got = ranks(made(truth + errors[20], covariance, df=19), draws=500, seed=trial)
        inside += bool(((got["rank_low"] <= low) & (high <= got["rank_high"])).all())
        widths += float((got["rank_high"] - got["rank_low"]).mean())
    assert inside / times >= 0.87
    assert equal or widths / times < 3.5
