"""Ranges of ranks."""

from __future__ import annotations

import numpy as np

from povmon.estimate.ranking import rank_intervals


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
