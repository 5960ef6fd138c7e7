from __future__ import annotations

import numpy as np
import pytest

from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import gini, highest, quantile, snap, standardise


def test_streams_do_not_depend_on_each_other() -> None:
    first = Streams(7)
    alone = first.normal("a", 5)
    first.normal("b", 100)
    assert np.array_equal(alone, Streams(7).normal("a", 5))
    assert not np.array_equal(alone, Streams(7).normal("b", 5))
    assert not np.array_equal(alone, Streams(8).normal("a", 5))


def test_highest_takes_the_share_of_the_weight() -> None:
    latent = np.arange(100.0)
    weight = np.where(latent >= 50, 3.0, 1.0)
    chosen = highest(latent, weight, 0.30)
    assert weight[chosen].sum() / weight.sum() == pytest.approx(0.30, abs=0.02)
    assert latent[chosen].min() > latent[~chosen].max()
    assert not highest(latent, weight, 0).any()
    assert highest(latent, weight, 1).all()


def test_gini_of_known_distributions() -> None:
    one = np.ones(4)
    assert gini(np.array([1.0, 1.0, 1.0, 1.0]), one) == pytest.approx(0)
    assert gini(np.array([0.0, 0.0, 0.0, 8.0]), one) == pytest.approx(0.75)
    # A weight of two is the same as the row twice.
    weighted = gini(np.array([1.0, 2.0, 5.0]), np.array([1.0, 2.0, 1.0]))
    assert weighted == pytest.approx(gini(np.array([1.0, 2.0, 2.0, 5.0]), one))


def test_quantile_snap_and_standardise() -> None:
    assert quantile(np.array([3.0, 1.0, 2.0]), np.array([1.0, 1.0, 8.0]), 0.5) == 2.0
    ladder = (0.0, 6.0, 9.0)
    assert snap(np.array([-1.0, 5.9, 6.0, 30.0]), ladder).tolist() == [0, 0, 6, 9]
    assert standardise(np.array([4.0, 4.0])).tolist() == [0, 0]
    assert standardise(np.array([1.0, 3.0])).tolist() == [-1, 1]
