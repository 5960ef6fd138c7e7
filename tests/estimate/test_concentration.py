"""The concentration index: exact definition, ties, corrections, linearised values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.errors import PovmonError
from povmon.estimate import Design, Jackknife, estimate, gini
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.measures.concentration import ConcentrationIndex, concentration_index

DESIGN = Design("h", "c", "w")
NOTHING = Design(None, "c", "w", lonely="certainty")


def sample(n: int = 300, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    village = rng.integers(0, 24, n)
    income = np.exp(rng.normal(7, 0.7, n) + 0.3 * np.sin(village)).round(-2)
    return pd.DataFrame(
        {
            "h": village % 4,
            "c": village,
            "w": rng.uniform(1, 4, n),
            "y": income,
            "ill": (rng.uniform(size=n) < 1 / (1 + income / 1500)) * 1.0,
            "cost": rng.exponential(50, n) * (income / 1000) ** 0.3,
            "g": rng.choice(["a", "b"], n),
        }
    )


def brute(x: np.ndarray, rank: np.ndarray, w: np.ndarray, kind: str = "none") -> float:
    """By the covariance with mid-ranks, row by row."""
    n, mean = w.sum(), (w * x).sum() / w.sum()
    middle = [(w[rank < r].sum() + w[rank == r].sum() / 2) / n for r in rank]
    cov = (w * (x - mean) * (np.array(middle) - 0.5)).sum() / n
    index = 2 * cov / mean
    if kind == "erreygers":
        return 4 * mean * index
    return index / (1 - mean) if kind == "wagstaff" else index


def value(frame: pd.DataFrame, measure: ConcentrationIndex) -> float:
    return float(estimate(frame, NOTHING, measure)["estimate"].iloc[0])


@pytest.mark.parametrize("kind", ["none", "erreygers", "wagstaff"])
def test_the_definition(kind: Any) -> None:
    frame = sample()
    got = value(frame, concentration_index("ill", "y", correction=kind))
    want = brute(*(frame[c].to_numpy() for c in ("ill", "y", "w")), kind)
    assert got == pytest.approx(want, rel=1e-11)


def test_other_bounds_are_those_of_the_rescaled_variable() -> None:
    frame = sample()
    frame["score"] = 2 + 5 * frame["ill"]
    for kind in ("erreygers", "wagstaff"):
        wide = concentration_index("score", "y", correction=kind, bounds=(2, 7))  # type: ignore[arg-type]
        plain = concentration_index("ill", "y", correction=kind)  # type: ignore[arg-type]
        assert value(frame, wide) == pytest.approx(value(frame, plain), rel=1e-11)


def test_ranked_by_itself_it_is_the_gini_with_its_error() -> None:
    frame = sample()
    table = estimate(frame, DESIGN, [concentration_index("y", "y"), gini("y")], by=["g"])
    pairs = table.pivot(index="g", columns="measure", values=["estimate", "se"])
    for column in ("estimate", "se"):
        one, other = pairs[column].to_numpy().T
        np.testing.assert_allclose(one, other, rtol=1e-11)


@pytest.mark.parametrize("kind", ["none", "erreygers", "wagstaff"])
def test_linearised_values_are_derivatives(kind: Any) -> None:
    frame = sample(60)
    frame.loc[[3, 7], "ill"] = np.nan
    measure = concentration_index("ill", "y", correction=kind)
    rows, domains = Rows(frame), lay_domains(frame, ["g"])
    w = frame["w"].to_numpy()
    got = measure.linearise(rows, w, domains)
    for i in range(len(frame)):
        step = np.zeros(len(frame))
        step[i] = 1e-5
        pair = measure.evaluate(rows, np.stack([w - step, w + step]), domains)
        slope = np.diff(pair, axis=0)[0, domains.code[i]] / 2e-5
        assert got.values[i] == pytest.approx(slope, rel=1e-5, abs=1e-9)
    assert (got.values[[3, 7]] == 0).all()
    np.testing.assert_allclose(got.estimate, measure.evaluate(rows, w[None], domains)[0])


@pytest.mark.parametrize("kind", ["none", "erreygers", "wagstaff"])
def test_errors_agree_with_the_jackknife(kind: Any) -> None:
    frame = sample(3000)
    measure = concentration_index("ill", "y", correction=kind)
    linear = estimate(frame, DESIGN, measure)["se"].iloc[0]
    jackknife = estimate(frame, DESIGN, measure, method=Jackknife())["se"].iloc[0]
    assert linear == pytest.approx(jackknife, rel=0.02)


@given(st.data())
def test_properties(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 12))
    of = lambda low, high: st.lists(st.integers(low, high), min_size=n, max_size=n)  # noqa: E731
    frame = pd.DataFrame(
        {"c": range(n), "x": data.draw(of(0, 5)), "y": data.draw(of(-2, 3)),
         "w": data.draw(of(1, 4))}
    )  # fmt: skip
    frame = frame.assign(x=frame["x"] + 1)
    measure = concentration_index("x", "y")
    want = brute(*(frame[c].to_numpy(dtype=float) for c in ("x", "y", "w")))
    assert value(frame, measure) == pytest.approx(want, abs=1e-12)
    # The scale of weights and of x, the order of rows, replication and rows of zero weight.
    bare = frame.iloc[[0]].assign(w=0, x=99, c=n)
    for other in (
        frame.assign(w=frame["w"] * 7.5), frame.assign(x=frame["x"] * 3), frame.iloc[::-1],
        frame.loc[frame.index.repeat(frame["w"])].assign(w=1), pd.concat([frame, bare]),
    ):  # fmt: skip
        assert value(other, measure) == pytest.approx(want, abs=1e-12)
    # Reversed ranks change the sign.
    assert value(frame.assign(y=-frame["y"]), measure) == pytest.approx(-want, abs=1e-12)


def test_edges() -> None:
    one = pd.DataFrame({"c": [1], "w": [2.0], "y": [3.0], "ill": [1.0]})
    assert value(one, concentration_index("ill", "y")) == 0
    frame = sample()
    assert value(frame.assign(y=1.0), concentration_index("ill", "y")) == pytest.approx(0)
    nobody = estimate(frame.assign(ill=0.0), DESIGN, concentration_index("ill", "y"))
    assert np.isnan(nobody["estimate"].iloc[0]) and nobody["note"].iloc[0]
    # Erreygers' index does not divide by the mean.
    erreygers = concentration_index("ill", "y", correction="erreygers")
    assert value(frame.assign(ill=0.0), erreygers) == 0
    wagstaff = concentration_index("ill", "y", correction="wagstaff")
    assert np.isnan(value(frame.assign(ill=1.0), wagstaff))


@pytest.mark.parametrize("full", ["a", "b"])
def test_a_domain_without_rows_leaves_the_others_alone(full: str) -> None:
    frame, measure = sample(), concentration_index("ill", "y")
    missing = frame.assign(ill=frame["ill"].where(frame["g"] == full))
    table = estimate(missing, DESIGN, measure, by="g").set_index("g")
    other = "b" if full == "a" else "a"
    assert np.isnan(table.loc[other, "estimate"]) and table.loc[other, "note"] == "no row enters"
    alone = estimate(missing, DESIGN, measure).iloc[0]
    assert table.loc[full, "estimate"] == pytest.approx(alone["estimate"])
    assert table.loc[full, "se"] == pytest.approx(alone["se"])


def test_bad_arguments() -> None:
    with pytest.raises(PovmonError, match="erreygers, wagstaff"):
        concentration_index("x", "y", correction="best")  # type: ignore[arg-type]
    with pytest.raises(PovmonError, match="lower one first"):
        concentration_index("x", "y", correction="wagstaff", bounds=(1, 0))
    with pytest.raises(PovmonError, match=r"'cost' goes from .* outside its bounds 0 and 1"):
        value(sample(), concentration_index("cost", "y", correction="erreygers"))
