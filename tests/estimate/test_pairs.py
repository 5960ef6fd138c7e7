"""Replicates from pairs of units are those from the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.estimate import Bootstrap, Design, estimate, gini, sen, sst
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.measures import pairs
from povmon.estimate.measures.base import DistributionMeasure

MEASURES = [gini("y"), sen("y", 4), sst("y", 4)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 6), st.integers(1, 4))
def test_the_same_as_from_rows(seed: int, n: int, units: int, domains: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"y": rng.integers(0, 7, n) * 1.0, "d": rng.integers(0, domains, n).astype(object)}
    )
    frame.loc[rng.random(n) < 0.1, "d"] = None
    frame.loc[rng.random(n) < 0.1, "y"] = np.nan
    weight, unit = rng.uniform(0.5, 2, n), rng.integers(0, units, n)
    factors = rng.integers(0, 4, (9, units)) * 1.0
    rows, laid = Rows(frame), lay_domains(frame, ["d"])
    for measure in MEASURES:
        assert isinstance(measure, DistributionMeasure)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pairs, "_pays", lambda *_: True)
            fast = measure.by_units(rows, weight, laid, unit, 9)
        assert fast is not None
        # Factors of units beyond the last that has rows are not asked for.
        got = fast(factors[:, : unit.max() + 1])
        want = measure.evaluate(rows, factors[:, unit] * weight, laid)
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("by", [None, "county"])
def test_the_table_does_not_depend_on_which_way_is_taken(
    by: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    village = np.repeat(np.arange(60), 8)
    frame = pd.DataFrame({"county": village // 6, "village": village, "w": rng.uniform(1, 3, 480)})
    frame["y"] = np.round(rng.lognormal(1.5, 0.6, 480), 1)
    design, method = Design("county", "village", "w"), Bootstrap(80, seed=2)
    tables = []
    for pays in (True, False):
        monkeypatch.setattr(pairs, "_pays", lambda *_, pays=pays: pays)
        tables.append(estimate(frame, design, MEASURES, by, method=method))
    pd.testing.assert_frame_equal(*tables, rtol=1e-9)


def test_where_domains_lie_in_many_units_rows_are_taken() -> None:
    n = 6000
    frame = pd.DataFrame({"y": np.arange(n) * 1.0})
    rows, whole = Rows(frame), lay_domains(frame, None)
    every, few = np.arange(n), np.arange(n) % 4
    weight = np.ones(n)
    assert gini("y").by_units(rows, weight, whole, every, 100) is None
    assert gini("y").by_units(rows, weight, whole, few, 100) is not None
