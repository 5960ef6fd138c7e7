"""Quantiles, Lorenz ordinates and shares beyond the oracle numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import (
    Design,
    estimate,
    lorenz,
    mean,
    palma,
    quantile,
    quantile_share,
    s80s20,
)

DESIGN = Design("h", "c", "w")


def sample(n: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    village = rng.integers(0, 20, n)
    return pd.DataFrame(
        {
            "h": village % 4,
            "c": village,
            "w": rng.uniform(1, 4, n),
            "y": np.exp(rng.normal(7.5, 0.6, n) + 0.2 * np.sin(village)),
            "g": rng.choice(["a", "b"], n),
        }
    )


def value(frame: pd.DataFrame, measure: object) -> float:
    return float(estimate(frame, DESIGN, [measure])["estimate"].iloc[0])  # type: ignore[list-item]


def test_shares_of_groups_add_up_to_one() -> None:
    frame = sample()
    edges = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    pairs = zip(edges[:-1], edges[1:], strict=True)
    assert sum(value(frame, quantile_share("y", p)) for p in pairs) == pytest.approx(1)


def test_ratios_are_ratios_of_shares() -> None:
    frame = sample()
    top = 1 - value(frame, lorenz("y", 0.8))
    assert value(frame, s80s20("y")) == pytest.approx(top / value(frame, lorenz("y", 0.2)))
    top = 1 - value(frame, lorenz("y", 0.9))
    assert value(frame, palma("y")) == pytest.approx(top / value(frame, lorenz("y", 0.4)))


def test_equal_values_lie_on_the_diagonal() -> None:
    frame = sample().assign(y=5.0)
    assert value(frame, lorenz("y", 0.3)) == pytest.approx(0.3)
    assert value(frame, s80s20("y")) == pytest.approx(1)
    assert value(frame, quantile("y", 0.5)) == 5.0


@pytest.mark.parametrize(
    "measure", [lorenz("y", 0.4), s80s20("y"), palma("y"), quantile_share("y", (0.4, 0.9))]
)
def test_standard_errors_agree_with_the_jackknife(measure: object) -> None:
    frame = sample(4000)
    got = estimate(frame, DESIGN, [measure]).iloc[0]  # type: ignore[list-item]
    squares = 0.0
    for _, stratum in frame.groupby("h"):
        villages = stratum["c"].unique()
        m = len(villages)
        for left_out in villages:
            rest = frame[frame["c"] != left_out].copy()
            rest.loc[rest["h"] == stratum["h"].iloc[0], "w"] *= m / (m - 1)
            squares += (m - 1) / m * (value(rest, measure) - got["estimate"]) ** 2
    assert got["se"] == pytest.approx(np.sqrt(squares), rel=0.05)


def test_quantiles_of_domains_are_those_of_their_rows() -> None:
    frame = sample()
    by = estimate(frame, DESIGN, [quantile("y", 0.5), mean("y")], by=["g"])
    for label in ("a", "b"):
        part = frame[frame["g"] == label].sort_values("y")
        share = part["w"].cumsum() / part["w"].sum()
        want = part.loc[share >= 0.5, "y"].iloc[0]
        row = by[(by["g"] == label) & (by["measure"] == "quantile(y, 0.5)")].iloc[0]
        assert row["estimate"] == want
        assert row["ci_low"] <= want <= row["ci_high"]


def test_order_of_rows_has_no_effect_on_shares() -> None:
    frame = sample().round({"y": -2})
    mixed = frame.sample(frac=1, random_state=1)
    columns = ["estimate", "se"]
    measures = [lorenz("y", 0.4), s80s20("y"), quantile("y", 0.3)]
    np.testing.assert_allclose(
        estimate(frame, DESIGN, measures)[columns],
        estimate(mixed, DESIGN, measures)[columns],
        rtol=1e-9,
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: quantile("y", 1.2), "between 0 and 1"),
        (lambda: quantile("y", 0.5, "hf9"), "hf9"),  # type: ignore[arg-type]
        (lambda: lorenz("y", 0.0), "between 0 and 1"),
        (lambda: quantile_share("y", (0.8, 0.2)), "quantile_share"),
    ],
)
def test_bad_arguments(make: object, message: str) -> None:
    with pytest.raises(PovmonError, match=message):
        make()  # type: ignore[operator]


def test_a_total_that_is_not_positive_has_no_shares() -> None:
    frame = sample().assign(y=-1.0)
    assert np.isnan(value(frame, lorenz("y", 0.5)))
