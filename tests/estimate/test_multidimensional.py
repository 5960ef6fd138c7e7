"""Alkire-Foster measures: contributions of deprivations, dimensions and subgroups add up."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    Jackknife,
    estimate,
    mean,
    multidimensional,
    multidimensional_by_group,
    ratio,
)

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DESIGN = Design("h", "c", "w")
WEIGHTS = {"a": "1/6", "b": "1/6", "c1": "1/6", "d": "1/4", "e": "1/4"}
DIMENSIONS = {"living": ["a", "b", "c1"], "health": ["d"], "school": ["e"]}
INDEX = multidimensional(WEIGHTS, "1/3", DIMENSIONS)
OF: list[Any] = ["M0", "H"]


def sample(n: int = 300, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    village = np.arange(n) % 16
    frame = pd.DataFrame({"h": village % 4, "c": village, "w": rng.uniform(1, 4, n)})
    frame["g"] = rng.choice(["a", "b"], n)
    frame["s"] = pd.array(rng.choice(["farm", "town", "road"], n), dtype="str")
    for j in WEIGHTS:
        frame[j] = (rng.uniform(size=n) < 0.2 + 0.2 * (village % 3 == 0)) * 1.0
    return frame


def brute(frame: pd.DataFrame, k: Fraction = Fraction(1, 3)) -> dict[str, float]:
    """Everything by hand, a row at a time, in exact scores."""
    total, sums = 0.0, dict.fromkeys(["M0", "H", *WEIGHTS, "farm", "town", "road"], 0.0)
    of_h = dict.fromkeys(["farm", "town", "road"], 0.0)
    for _, row in frame.iterrows():
        if row[list(WEIGHTS)].isna().any():
            continue
        total += row["w"]
        deprived = [j for j in WEIGHTS if row[j] == 1]
        score = sum((Fraction(WEIGHTS[j]) for j in deprived), Fraction(0))
        if score < k:
            continue
        sums["H"] += row["w"]
        of_h[row["s"]] += row["w"]
        for j in deprived:
            sums[j] += row["w"] * float(Fraction(WEIGHTS[j]))
            sums["M0"] += row["w"] * float(Fraction(WEIGHTS[j]))
            sums[row["s"]] += row["w"] * float(Fraction(WEIGHTS[j]))
    return {
        **{j: x / total for j, x in sums.items()},
        **{f"H {s}": x / total for s, x in of_h.items()},
    }


def values(frame: pd.DataFrame, measures: Any, **options: Any) -> np.ndarray:
    return estimate(frame, DESIGN, measures, **options)["estimate"].to_numpy()


def test_by_hand() -> None:
    frame = sample(120)
    frame.loc[3, "b"] = np.nan
    want = brute(frame)
    absolute = [INDEX.absolute(j) for j in (*WEIGHTS, *DIMENSIONS)]
    living = want["a"] + want["b"] + want["c1"]
    wanted = np.array([*(want[j] for j in WEIGHTS), living, want["d"], want["e"]])
    np.testing.assert_allclose(values(frame, absolute), wanted, rtol=1e-12)
    shares = [INDEX.contribution(j) for j in (*WEIGHTS, *DIMENSIONS)]
    np.testing.assert_allclose(values(frame, shares), wanted / want["M0"], rtol=1e-12)
    for of, label in (("M0", ""), ("H", "H ")):
        each = np.array([want[f"{label}{s}"] for s in ("farm", "town", "road")])
        groups = ("farm", "town", "road")
        got = values(frame, [INDEX.subgroup_absolute("s", s, of) for s in groups])  # type: ignore
        np.testing.assert_allclose(got, each, rtol=1e-12)
        got = values(frame, [INDEX.subgroup_contribution("s", s, of) for s in groups])  # type: ignore
        np.testing.assert_allclose(got, each / want[of], rtol=1e-12)


@st.composite
def indices(draw: Any) -> Any:
    """An index of random weights, cut-off and dimensions."""
    names = list(WEIGHTS)
    whole = draw(st.lists(st.integers(1, 12), min_size=5, max_size=5))
    weights = {j: Fraction(x, sum(whole)) for j, x in zip(names, whole, strict=True)}
    k = Fraction(draw(st.integers(1, 12)), 12)
    placed = draw(st.lists(st.sampled_from(["x", "y", "z"]), min_size=5, max_size=5))
    inside: dict[str, list[str]] = {}
    for j, dimension in zip(names, placed, strict=True):
        inside.setdefault(dimension, []).append(j)
    return multidimensional(weights, k, inside)


@given(indices(), st.integers(0, 10**6))
def test_everything_adds_up(index: Any, seed: int) -> None:
    frame = sample(80, seed)
    frame.loc[:4, "s"] = None
    frame.loc[5, "d"] = np.nan
    totals = {of: getattr(index, of) for of in OF}
    for kept, by in ((frame, None), (frame, "g")):
        m0 = values(kept, totals["M0"], by=by)
        for names in (index.weights, index.dimensions):
            parts = values(kept, [index.absolute(j) for j in names], by=by)
            np.testing.assert_allclose(parts.reshape(len(m0), -1).sum(axis=1), m0, atol=1e-12)
            parts = values(kept, [index.contribution(j) for j in names], by=by)
            parts = parts.reshape(len(m0), -1).sum(axis=1)
            np.testing.assert_allclose(parts[m0 > 0], 1.0, atol=1e-12)
            assert np.isnan(parts[m0 == 0]).all()
        for of in OF:
            groups = ("farm", "town", "road")
            whole = values(kept.dropna(subset="s"), totals[of], by=by)
            parts = values(kept, [index.subgroup_absolute("s", s, of) for s in groups], by=by)
            np.testing.assert_allclose(parts.reshape(len(m0), -1).sum(axis=1), whole, atol=1e-12)
            parts = values(kept, [index.subgroup_contribution("s", s, of) for s in groups], by=by)
            parts = parts.reshape(len(m0), -1).sum(axis=1)
            np.testing.assert_allclose(parts[whole > 0], 1.0, atol=1e-12)


def test_standard_errors_are_those_of_means_and_ratios() -> None:
    frame = sample()
    score = frame[list(WEIGHTS)] @ [float(Fraction(w)) for w in WEIGHTS.values()]
    poor = (score > 1 / 3 - 1e-9) * 1.0
    frame["m0"], frame["living_part"] = score * poor, poor * frame[["a", "b", "c1"]].sum(axis=1) / 6
    frame["town_m0"], frame["town_h"] = (x * (frame["s"] == "town") for x in (frame["m0"], poor))
    frame["poor"] = poor
    pairs = [
        (INDEX.absolute("living"), mean("living_part")),
        (INDEX.contribution("living"), ratio("living_part", "m0")),
        (INDEX.subgroup_absolute("s", "town"), mean("town_m0")),
        (INDEX.subgroup_contribution("s", "town"), ratio("town_m0", "m0")),
        (INDEX.subgroup_contribution("s", "town", "H"), ratio("town_h", "poor")),
    ]
    for method in (None, Jackknife()):
        got = estimate(frame, DESIGN, [a for a, _ in pairs], by="g", method=method)
        want = estimate(frame, DESIGN, [b for _, b in pairs], by="g", method=method)
        np.testing.assert_allclose(got["estimate"], want["estimate"], rtol=1e-9)
        np.testing.assert_allclose(got["se"], want["se"], rtol=1e-9)
        shares = got["measure"].str.contains(" to ")
        assert got.loc[shares, "ci_low"].between(0, 1).all()


@pytest.mark.parametrize("of", OF)
def test_by_group_agrees_with_the_measures(of: Any) -> None:
    frame = sample()
    frame.loc[:4, "s"] = None
    frame.loc[5, "d"] = np.nan
    table = multidimensional_by_group(frame, DESIGN, INDEX, "s", of, "g", method=Jackknife())
    wide = table[table["s"] != "all"].pivot(index=["g", "s"], columns="component")
    groups = ("farm", "road", "town")
    for component, measures in (
        ("percentage", [INDEX.subgroup_contribution("s", s, of) for s in groups]),
        ("contribution", [INDEX.subgroup_absolute("s", s, of) for s in groups]),
    ):
        got = estimate(frame, DESIGN, measures, by="g", method=Jackknife())
        np.testing.assert_allclose(got["estimate"], wide["estimate", component], rtol=1e-12)
        np.testing.assert_allclose(got["se"], wide["se", component], rtol=1e-9)
    own = estimate(frame, DESIGN, getattr(INDEX, of), by=["g", "s"])
    np.testing.assert_allclose(own["estimate"], wide["estimate", "poverty"], rtol=1e-12)
    product = wide["estimate", "population share"] * wide["estimate", "poverty"]
    np.testing.assert_allclose(product, wide["estimate", "contribution"], rtol=1e-12)
    total = table[table["s"] == "all"]["estimate"]
    by = wide["estimate", "contribution"].groupby("g").sum()
    np.testing.assert_allclose(by, total, rtol=1e-12)
    assert table.attrs["index"] == of


@pytest.mark.parametrize("stages", ["synth_wr", "synth_fpc1", "synth_fpc2"])
def test_dimensions_of_the_oracle(stages: str) -> None:
    """R's percentage contributions of d1-d10, added up over dimensions."""
    survey = pd.read_csv(ORACLES / "survey.csv")
    oracle = json.loads((ORACLES / "estimates.json").read_text())[stages]
    names = [f"d{j}" for j in range(1, 11)]
    exact = [Fraction(1, 20)] * 4 + [Fraction(1, 6)] * 3 + [Fraction(1, 10)] * 3
    inside = {"first": names[:4], "second": names[4:7], "third": names[7:]}
    index = multidimensional(dict(zip(names, exact, strict=True)), Fraction(1, 3), inside)
    fpc: Any = {
        "synth_wr": None,
        "synth_fpc1": ("stage1_fpc", None),
        "synth_fpc2": ("stage1_fpc", "stage2_fpc"),
    }[stages]
    design = Design("county", "village", "w_person", fpc=fpc)
    got = estimate(survey, design, [index.contribution(j) for j in (*names, *inside)])
    want = [oracle[f"contrib_pct_{j}"] for j in names]
    np.testing.assert_allclose(got["estimate"][:10], [w["est"] for w in want], rtol=1e-9)
    np.testing.assert_allclose(got["se"][:10], [w["se"] for w in want], rtol=1e-9)
    added = [sum(oracle[f"contrib_pct_{j}"]["est"] for j in inside[d]) for d in inside]
    np.testing.assert_allclose(got["estimate"][10:], added, rtol=1e-9)
    censored = [oracle[f"censored_{j}"] for j in names]
    got = estimate(survey, design, [index.absolute(j) for j in names])
    scale = np.array([float(w) for w in exact])
    np.testing.assert_allclose(got["estimate"], scale * [c["est"] for c in censored], rtol=1e-9)
    np.testing.assert_allclose(got["se"], scale * [c["se"] for c in censored], rtol=1e-9)
    # Areas: population share times the area's own M0, from R's estimates by area.
    m0 = oracle["by_area_cmp"]
    areas = survey.groupby("area")["w_person"].sum()
    share = areas / areas.sum() * np.array(m0["est"]) / oracle["mean_cmp"]["est"]
    parts = [index.subgroup_contribution("area", int(a)) for a in areas.index]
    got = estimate(survey, design, parts)
    np.testing.assert_allclose(got["estimate"], share, rtol=1e-9)


def test_nobody_poor_and_a_group_without_any() -> None:
    frame = sample().assign(**dict.fromkeys(WEIGHTS, 0.0))
    measures = [INDEX.absolute("living"), INDEX.contribution("living"),
                INDEX.subgroup_contribution("s", "town")]  # fmt: skip
    got = estimate(frame, DESIGN, measures)
    assert got["estimate"][0] == 0
    assert got["estimate"][1:].isna().all()
    assert (got["note"][1:] == "not defined for these values").all()
    frame.loc[frame["s"] == "farm", list(WEIGHTS)] = 1.0
    parts = [INDEX.subgroup_contribution("s", s) for s in ("farm", "town")]
    got = estimate(frame, DESIGN, parts)
    np.testing.assert_array_equal(got["estimate"], [1.0, 0.0])


def test_without_dimensions_nothing_changes() -> None:
    plain = multidimensional(WEIGHTS, "1/3")
    a, b = (estimate(sample(), DESIGN, [i.M0, i.contribution("a")]) for i in (plain, INDEX))
    pd.testing.assert_frame_equal(a, b)
    assert plain.dimensions == {}


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"x": ["a", "b", "c1", "d"]}, "in no dimension: e; name each deprivation in exactly one"),
        ({"x": ["a", "b", "c1", "d", "e"], "y": ["a"]}, "in several dimensions.*: a"),
        ({"x": ["a", "a", "b", "c1", "d", "e"]}, "or twice in one: a"),
        ({"x": ["a", "b", "c1", "d", "e", "f"]}, "no weight: f"),
        ({"x": ["a", "b", "c1", "d", "e"], "y": []}, "no deprivation: y"),
        ({"a": ["b", "c1"], "x": ["a", "d", "e"]}, "named as a deprivation is: a"),
    ],
)
def test_dimensions_that_are_wrong(dimensions: Any, message: str) -> None:
    with pytest.raises(PovmonError, match=message):
        multidimensional(WEIGHTS, "1/3", dimensions)


def test_what_is_asked_wrongly() -> None:
    frame = sample()
    quick = Bootstrap(4)
    calls: list[Any] = [
        (lambda: INDEX.absolute("f"), "no deprivation or dimension 'f'"),
        (lambda: INDEX.censored("living"), "no deprivation 'living'"),
        (lambda: INDEX.subgroup_contribution("s", "farm", "A"), "unknown measure 'A'"),
        (lambda: values(frame, INDEX.subgroup_contribution("s", "frm")), "did you mean 'farm'"),
        (lambda: values(frame, INDEX.subgroup_contribution("ss", "farm")), "no column 'ss'"),
        (
            lambda: multidimensional_by_group(frame, DESIGN, INDEX, "s", "A", method=quick),
            "unknown measure 'A'",
        ),
        (lambda: multidimensional_by_group(frame, DESIGN, INDEX, "t", method=quick), "column 't'"),
    ]
    for make, message in calls:
        with pytest.raises(PovmonError, match=message):
            make()


def test_names_and_columns() -> None:
    assert INDEX.absolute("living").name == "absolute(living)"
    part = INDEX.subgroup_contribution("s", "town", "H")
    assert part.name == "contribution(s=town to H)"
    assert part.columns == (*WEIGHTS, "s")
