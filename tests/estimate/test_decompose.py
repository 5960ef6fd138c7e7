"""Decompositions: they add up, agree with brute force, with R, and with other routes."""

from __future__ import annotations

import json
from itertools import permutations
from math import factorial
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
    concentration_index,
    entropy_by_group,
    estimate,
    fgt,
    gei,
    gini,
    gini_by_group,
    gini_by_source,
    growth_redistribution,
    mean,
    poverty_by_group,
    sectoral_change,
    shapley,
    watts,
)
from povmon.estimate.measures.gap_components import fgt_components

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DESIGN = Design("h", "c", "w")
LONELY = Design("h", "c", "w", lonely="average")
QUICK = Bootstrap(40)
LINE = 1000.0
INDICES: list[Any] = [0, 1, 2, 1.5, "watts"]


def sample(n: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    village = rng.integers(0, 24, n)
    income = np.exp(rng.normal(7, 0.6, n) + 0.2 * np.sin(village))
    wage = income * rng.uniform(0, 1, n)
    return pd.DataFrame(
        {
            "h": village % 4,
            "c": village,
            "w": rng.uniform(1, 4, n),
            "y": income,
            "wage": wage,
            "rest": income - wage,
            "z": rng.choice([900.0, 1100.0], n),
            "g": rng.choice(["a", "b"], n),
            "s": rng.choice(["farm", "town", "road"], n, p=[0.5, 0.3, 0.2]),
        }
    )


def surveys() -> dict[str, pd.DataFrame]:
    first = sample(600, 1)
    last = sample(500, 2).assign(y=lambda f: f["y"] ** 1.1 * 0.7)
    return {"2005": first, "2010": last}


def index(y: Any, w: Any, alpha: Any, line: Any = LINE) -> float:
    """FGT or Watts, written another way than in the package."""
    y, w = np.asarray(y, dtype=float), np.asarray(w, dtype=float)
    if alpha == "watts":
        keep = y > 0
        terms = np.maximum(np.log(line) - np.log(np.where(keep, y, 1)), 0)
        return float(np.average(terms[keep], weights=w[keep]))
    gap = 1 - np.maximum(y, 0) / line
    return float(np.average(np.where(y < line, np.where(gap > 0, gap, 0) ** alpha, 0), weights=w))


def value(table: pd.DataFrame, **labels: Any) -> float:
    for name, label in labels.items():
        table = table[table[name] == label]
    assert len(table) == 1
    return float(table["estimate"].iloc[0])


# Shapley.


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_shapley_is_the_mean_over_all_orderings(n: int, seed: int) -> None:
    rng, names = np.random.default_rng(seed), list("abcde"[:n])
    game = {}

    def v(factors: frozenset[str]) -> np.ndarray:
        return game.setdefault(factors, rng.normal(size=3))

    got = shapley(names, v)
    for j in names:
        want = np.zeros(3)
        for order in permutations(names):
            before = frozenset(order[: order.index(j)])
            want += (v(before | {j}) - v(before)) / factorial(n)
        np.testing.assert_allclose(got[j], want, atol=1e-12)
    np.testing.assert_allclose(sum(got.values()), v(frozenset(names)) - v(frozenset()), atol=1e-12)


def test_shapley_of_symmetric_and_idle_factors() -> None:
    got = shapley(["a", "b", "idle"], lambda s: len(s - {"idle"}) ** 2)
    assert {k: float(x) for k, x in got.items()} == {"a": 2, "b": 2, "idle": 0}


@pytest.mark.parametrize("factors", [[], ["a", "a"], [str(i) for i in range(17)]])
def test_bad_factors(factors: list[str]) -> None:
    with pytest.raises(PovmonError, match="different names"):
        shapley(factors, len)


# Growth and redistribution.


@pytest.mark.parametrize("alpha", INDICES)
def test_growth_and_redistribution_by_brute_force(alpha: Any) -> None:
    data = surveys()
    data["2005"].loc[:3, "y"] = [0, -100, -1, np.nan]
    got = growth_redistribution(
        data, DESIGN, "y", ("z", 1210), alpha, "g", deflator=(1.0, 1.1), method=QUICK
    )
    for g in ("a", "b"):
        parts = []
        for frame, line in zip(data.values(), ("z", None), strict=True):
            part = frame[(frame["g"] == g) & frame["y"].notna()]
            if alpha == "watts":
                part = part[part["y"] > 0]
            real = part["y"] / (part["z"] if line else 1210 * 1.1)
            parts.append((real.to_numpy(), part["w"].to_numpy()))
        mean = [np.average(r, weights=w) for r, w in parts]
        p = [[index(r * (m / own), w, alpha, 1.0) for (r, w), own in zip(parts, mean, strict=True)]
             for m in mean]  # fmt: skip
        want = {
            ("poverty", "first"): p[0][0], ("poverty", "last"): p[1][1],
            ("change", ""): p[1][1] - p[0][0],
            ("growth", "first"): p[1][0] - p[0][0], ("growth", "last"): p[1][1] - p[0][1],
            ("redistribution", "first"): p[0][1] - p[0][0],
            ("redistribution", "last"): p[1][1] - p[1][0],
            ("residual", "first"): p[1][1] - p[1][0] - p[0][1] + p[0][0],
            ("residual", "last"): -p[1][1] + p[1][0] + p[0][1] - p[0][0],
        }  # fmt: skip
        for (component, reference), x in want.items():
            found = value(got, g=g, component=component, reference=reference)
            assert found == pytest.approx(x, abs=1e-12)
        values = {"": p[0][0], "m": p[1][0], "l": p[0][1], "lm": p[1][1]}
        fair = shapley(["m", "l"], lambda s: values["".join(sorted(s))])  # noqa: B023
        for component, factor in (("growth", "m"), ("redistribution", "l")):
            found = value(got, g=g, component=component, reference="average")
            assert found == pytest.approx(float(fair[factor]), abs=1e-12)
    assert (got["se"] > 0).all() and (got["ci_low"] < got["estimate"]).all()


def test_pure_growth_and_pure_redistribution() -> None:
    frame = sample()
    frame["more"] = frame["y"] * 1.3
    spread = frame["y"] ** 1.2
    frame["spread"] = spread * np.average(frame["y"], weights=frame["w"]) / np.average(
        spread, weights=frame["w"]
    )  # fmt: skip
    for column, other in (("more", "redistribution"), ("spread", "growth")):
        got = growth_redistribution(frame, DESIGN, ("y", column), LINE, 1, method=QUICK)
        nil = got[got["component"].isin([other, "residual"])]
        np.testing.assert_allclose(nil["estimate"], 0, atol=1e-12)
        if column == "more":
            np.testing.assert_allclose(nil["se"], 0, atol=1e-12)
    same = growth_redistribution({"a": frame, "b": frame}, DESIGN, "y", LINE, 1, method=QUICK)
    np.testing.assert_allclose(same["se"][2:], 0, atol=1e-12)


def test_error_of_a_change_between_surveys() -> None:
    """Shared PSUs covary; without any in common the variances add up."""
    frame = sample(1500)
    rng = np.random.default_rng(9)
    later = frame.assign(y=frame["y"] * np.exp(rng.normal(0.05, 0.05, len(frame))))
    pair = {"a": frame, "b": later}
    got = growth_redistribution(pair, DESIGN, "y", LINE, 1, method=Jackknife())
    panel = frame.assign(later=later["y"])
    panel["d"] = [index([b], [1], 1) - index([a], [1], 1)
                  for a, b in zip(panel["y"], panel["later"], strict=True)]  # fmt: skip
    linear = estimate(panel, DESIGN, mean("d")).iloc[0]
    change = got[got["component"] == "change"].iloc[0]
    assert change["estimate"] == pytest.approx(linear["estimate"])
    assert change["se"] == pytest.approx(linear["se"], rel=0.03)
    assert change["df"] == linear["df"]
    apart = {"a": frame, "b": later.assign(c=later["c"] + 100, h=later["h"] + 100)}
    free = growth_redistribution(apart, DESIGN, "y", LINE, 1, method=Jackknife())
    levels = free.loc[free["component"] == "poverty", "se"]
    alone = free.loc[free["component"] == "change", "se"].iloc[0]
    assert alone == pytest.approx(np.sqrt((levels**2).sum()), rel=1e-6)
    assert alone > 2 * change["se"]


# Sectors and groups.


@pytest.mark.parametrize("alpha", INDICES)
def test_sectoral_change(alpha: Any) -> None:
    data = surveys()
    got = sectoral_change(data, DESIGN, "y", LINE, "s", alpha, "g", method=QUICK)
    for g in ("a", "b"):
        total = {"within": 0.0, "shift": 0.0, "interaction": 0.0}
        for s in ("farm", "road", "town"):
            share, level = [], []
            for frame in data.values():
                whole = frame[frame["g"] == g]
                part = whole[whole["s"] == s]
                share.append(part["w"].sum() / whole["w"].sum())
                level.append(index(part["y"], part["w"], alpha))
            fell, moved = level[1] - level[0], share[1] - share[0]
            want = {"within": share[0] * fell, "shift": moved * level[0],
                    "interaction": fell * moved}  # fmt: skip
            for component, x in want.items():
                assert value(got, g=g, s=s, component=component) == pytest.approx(x, abs=1e-12)
                total[component] += x
        for component, x in total.items():
            assert value(got, g=g, s="all", component=component) == pytest.approx(x, abs=1e-12)
        first, last = (index(f["y"][f["g"] == g], f["w"][f["g"] == g], alpha)
                       for f in data.values())  # fmt: skip
        change = value(got, g=g, s="all", component="change")
        assert change == pytest.approx(last - first, abs=1e-12)
        assert change == pytest.approx(sum(total.values()), abs=1e-12)


@pytest.mark.parametrize("alpha", INDICES)
def test_poverty_by_group(alpha: Any) -> None:
    frame = sample()
    frame.loc[:3, "y"] = [0, -100, np.nan, 5]
    got = poverty_by_group(frame, DESIGN, "y", "z", "s", alpha, "g", method=Jackknife())
    measure = watts("y", "z") if alpha == "watts" else fgt("y", "z", alpha)
    whole = estimate(frame, DESIGN, measure, by="g").set_index("g")
    parts = estimate(frame, DESIGN, measure, by=["g", "s"]).set_index(["g", "s"])
    for g in ("a", "b"):
        assert value(got, g=g, s="all", component="poverty") == pytest.approx(
            whole.loc[g, "estimate"], abs=1e-12
        )
        of = got[(got["g"] == g) & (got["s"] != "all")].pivot(index="s", columns="component")
        np.testing.assert_allclose(of["estimate", "poverty"], parts.loc[g, "estimate"], atol=1e-12)
        np.testing.assert_allclose(of["se", "poverty"], parts.loc[g, "se"], rtol=0.12)
        np.testing.assert_array_equal(of["df", "poverty"], parts.loc[g, "df"])
        assert of["estimate", "population share"].sum() == pytest.approx(1)
        assert of["estimate", "percentage"].sum() == pytest.approx(1)
        assert of["estimate", "contribution"].sum() == pytest.approx(whole.loc[g, "estimate"])


@given(st.integers(0, 10**6), st.sampled_from([-1, 0, 0.3, 1, 1.7, 2, 3]))
def test_entropy_adds_up(seed: int, alpha: float) -> None:
    frame = sample(60, seed).round({"y": -2})
    frame.loc[:2, "y"] = [0, -5, np.nan]
    got = entropy_by_group(frame, LONELY, "y", alpha, "s", method=Bootstrap(2))
    total = value(got, s="all", component="inequality")
    want = estimate(frame, LONELY, gei("y", alpha))["estimate"].iloc[0]
    assert total == pytest.approx(want, rel=1e-9)
    within, between = (value(got, s="all", component=c) for c in ("within", "between"))
    assert within + between == pytest.approx(total, rel=1e-9, abs=1e-14)
    parts = got[(got["component"] == "within") & (got["s"] != "all")]["estimate"]
    assert parts.sum() == pytest.approx(within, rel=1e-9, abs=1e-14)
    # Between: everybody has the group's mean.
    kept = frame[frame["y"] > 0]
    means = kept.groupby("s").apply(lambda f: np.average(f["y"], weights=f["w"]))
    flat = kept.assign(y=kept["s"].map(means))
    whole = estimate(flat, LONELY, gei("y", alpha))
    assert between == pytest.approx(whole["estimate"].iloc[0], rel=1e-9, abs=1e-13)


@given(st.integers(0, 10**6))
def test_gini_by_group_adds_up(seed: int) -> None:
    frame = sample(60, seed).round({"y": -2})
    got = gini_by_group(frame, LONELY, "y", "s", method=Bootstrap(2))
    of = {c: value(got, s="all", component=c) for c in
          ("inequality", "within", "between", "overlap")}  # fmt: skip
    y, w = frame["y"].to_numpy(), frame["w"].to_numpy()

    def brute(y: np.ndarray, w: np.ndarray) -> float:
        far = np.abs(y[:, None] - y) * np.outer(w, w)
        return float(far.sum() / (2 * w.sum() * (w * y).sum()))

    assert of["inequality"] == pytest.approx(brute(y, w))
    means = frame.groupby("s").apply(lambda f: np.average(f["y"], weights=f["w"]))
    assert of["between"] == pytest.approx(brute(frame["s"].map(means).to_numpy(), w), abs=1e-12)
    within = 0.0
    for s, part in frame.groupby("s"):
        own = brute(part["y"].to_numpy(), part["w"].to_numpy())
        assert value(got, s=s, component="inequality") == pytest.approx(own, abs=1e-12)
        shares = [part["w"].sum() / w.sum(), (part["w"] * part["y"]).sum() / (w * y).sum()]
        within += own * shares[0] * shares[1]
    assert of["within"] == pytest.approx(within)
    assert of["overlap"] > -1e-12
    # Groups that do not overlap leave no remainder.
    apart = frame.assign(s=pd.cut(frame["y"], [-1, 800, 1500, np.inf], labels=list("lmh")))
    clean = gini_by_group(apart, LONELY, "y", "s", "g", method=Bootstrap(2))
    nil = clean.loc[clean["component"] == "overlap", "estimate"]
    np.testing.assert_allclose(nil, 0, atol=1e-12)


def test_errors_of_group_components() -> None:
    """The total's error is that of the measure; bootstrap and jackknife agree on the others.

    The groups' means differ: at equal means the part between groups has a kink.
    """
    frame = sample(2500)
    frame["y"] *= frame["s"].map({"farm": 0.8, "road": 1.0, "town": 1.4})
    frame["rest"] = frame["y"] - frame["wage"]
    for make, measure in (
        (lambda m: gini_by_group(frame, DESIGN, "y", "s", method=m), gini("y")),
        (lambda m: entropy_by_group(frame, DESIGN, "y", 1, "s", method=m), gei("y", 1)),
        (lambda m: gini_by_source(frame, DESIGN, ["wage", "rest"], method=m), gini("y")),
    ):
        jackknife, boot = make(Jackknife()), make(Bootstrap(1500))
        name = "source" if "source" in jackknife else "s"
        total = jackknife[(jackknife[name] == "all") & (jackknife["component"] == "inequality")]
        linear = estimate(frame, DESIGN, measure).iloc[0]
        assert total["estimate"].iloc[0] == pytest.approx(linear["estimate"], rel=1e-9)
        assert total["se"].iloc[0] == pytest.approx(linear["se"], rel=0.02)
        np.testing.assert_allclose(jackknife["se"], boot["se"], rtol=0.12, atol=2e-5)


@given(st.integers(0, 10**6))
def test_gini_by_source_adds_up(seed: int) -> None:
    frame = sample(50, seed).round({"wage": -2, "rest": -2})
    frame["y"] = frame["wage"] + frame["rest"]
    got = gini_by_source(frame, LONELY, ["wage", "rest"], "g", method=Bootstrap(2))
    want = estimate(frame, LONELY, gini("y"), by="g").set_index("g")["estimate"]
    for g, part in got.groupby("g"):
        of = part[part["source"] != "all"].pivot(
            index="source", columns="component", values="estimate"
        )
        assert of["contribution"].sum() == pytest.approx(want[g], rel=1e-10)
        assert of["share"].sum() == pytest.approx(1)
        np.testing.assert_allclose(of["contribution"], of["share"] * of["concentration"])
        for source in ("wage", "rest"):
            index = estimate(frame, LONELY, concentration_index(source, "y"), by="g")
            found = index.set_index("g")["estimate"][g]
            assert of.loc[source, "concentration"] == pytest.approx(found, abs=1e-12)


# The components of FGT.


@pytest.mark.parametrize("alpha", [2, 0.5, 3])
def test_fgt_components_multiply_up(alpha: float) -> None:
    frame = sample()
    frame.loc[:2, "y"] = [0, -50, LINE]
    table = estimate(frame, DESIGN, fgt_components("y", LINE, alpha, closed=True), by="g")
    for _, part in table.groupby("g"):
        whole, head, gap, ratio, unequal = part["estimate"]
        assert ratio == pytest.approx(gap / head)
        product = head * ratio**alpha * (1 + (alpha**2 - alpha) * unequal)
        assert whole == pytest.approx(product, rel=1e-12)
    jackknife = estimate(frame, DESIGN, fgt_components("y", LINE, alpha), method=Jackknife())
    linear = estimate(frame, DESIGN, fgt_components("y", LINE, alpha))
    np.testing.assert_allclose(linear["se"], jackknife["se"], rtol=0.05)


@pytest.mark.parametrize("group", ["synth_wr", "synth_fpc1", "synth_fpc2"])
def test_fgt_components_are_those_of_r(group: str) -> None:
    want = json.loads((ORACLES / "estimates.json").read_text())[group]["fgtdec_1"]
    survey = pd.read_csv(ORACLES / "survey.csv")
    fpc = {"synth_wr": None, "synth_fpc1": ("stage1_fpc", None),
           "synth_fpc2": ("stage1_fpc", "stage2_fpc")}[group]  # fmt: skip
    design = Design("county", "village", "w_person", fpc=fpc)
    got = estimate(survey, design, fgt_components("income_pc", 2300, 2, closed=True))
    np.testing.assert_allclose(got["estimate"], want["est"], rtol=1e-9)
    np.testing.assert_allclose(got["se"], want["se"], rtol=1e-9)


# Bad input.


def test_nobody_is_poor() -> None:
    frame, poor = sample(), 1e-6
    parts = estimate(frame, DESIGN, fgt_components("y", poor))
    assert parts["estimate"].isna().tolist() == [False] * 3 + [True] * 2
    assert parts["note"].ne("").tolist() == [False] * 3 + [True] * 2
    got = poverty_by_group(frame, DESIGN, "y", poor, "s", method=QUICK)
    shares = got["component"] == "percentage"
    assert got.loc[shares, "estimate"].isna().all() and got.loc[shares, "note"].ne("").all()
    assert (got.loc[got["component"] == "contribution", ["estimate", "se"]] == 0).all(axis=None)
    change = growth_redistribution(surveys(), DESIGN, "y", poor, method=QUICK)
    assert (change[["estimate", "se"]] == 0).all(axis=None)


def test_equal_and_single_values() -> None:
    frame = sample().assign(y=7.0, wage=3.0, rest=4.0)
    for got in (
        gini_by_group(frame, DESIGN, "y", "s", method=QUICK),
        entropy_by_group(frame, DESIGN, "y", 0, "s", method=QUICK),
        gini_by_source(frame, DESIGN, ["wage", "rest"], method=QUICK),
    ):
        some = got["component"].isin(["inequality", "within", "between", "overlap"])
        np.testing.assert_allclose(got.loc[some, ["estimate", "se"]], 0, atol=1e-12)
        lost = got["component"].isin(["between percentage", "percentage"])
        assert got.loc[lost, "estimate"].isna().all() and got.loc[lost, "note"].ne("").all()
    # A group of one person, one PSU: no error of its own.
    frame = sample()
    frame["s"] = np.where(np.arange(len(frame)) == 0, "one", "others")
    got = gini_by_group(frame, DESIGN, "y", "s", method=QUICK)
    one = got[(got["s"] == "one") & (got["component"] == "inequality")].iloc[0]
    assert one["estimate"] == 0 and np.isnan(one["se"]) and one["df"] == 0 and one["note"]
    assert np.isfinite(got.loc[got["s"] == "all", "se"]).all()


def test_negative_means_are_refused_or_missing() -> None:
    data = surveys()
    data["2010"]["y"] = -data["2010"]["y"]
    with pytest.raises(PovmonError, match="the sample has no positive mean in the last period"):
        growth_redistribution(data, DESIGN, "y", LINE, method=QUICK)
    got = gini_by_group(data["2010"], DESIGN, "y", "s", method=QUICK)
    whole = got[got["component"] == "inequality"]
    assert whole["estimate"].isna().all() and whole["note"].ne("").all()


def test_groups_that_are_missing_or_empty() -> None:
    data = surveys()
    frame = data["2005"]
    frame.loc[frame["s"] == "road", "s"] = None
    got = poverty_by_group(frame, DESIGN, "y", LINE, "s", method=QUICK)
    kept = frame[frame["s"].notna()]
    assert value(got, s="all", component="poverty") == pytest.approx(
        index(kept["y"], kept["w"], 0), abs=1e-12
    )
    with pytest.raises(PovmonError, match="s road has no usable row in the first period"):
        sectoral_change(data, DESIGN, "y", LINE, "s", method=QUICK)
    # A group without a value: its index is missing, the total is not.
    frame.loc[frame["s"] == "town", "y"] = np.nan
    for make in (gini_by_group, lambda *a, **k: entropy_by_group(*a[:3], 2, *a[3:], **k)):
        got = make(frame, DESIGN, "y", "s", method=QUICK)
        row = got[(got["s"] == "town") & (got["component"] == "inequality")].iloc[0]
        assert np.isnan(row["estimate"]) and row["note"]
        assert value(got, s="town", component="within") == 0
        farm = frame[frame["s"] == "farm"]
        measure = gini("y") if make is gini_by_group else gei("y", 2)
        alone = estimate(farm, DESIGN, measure)["estimate"].iloc[0]
        assert value(got, s="all", component="inequality") == pytest.approx(alone)
        assert value(got, s="all", component="between") == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: poverty_by_group(f, DESIGN, "y", LINE, "s", -1), "index is -1"),
        (lambda f: poverty_by_group(f, DESIGN, "y", LINE, "s", "sen"), "index is 'sen'"),
        (lambda f: poverty_by_group(f, DESIGN, "y", 0, "s"), "not positive"),
        (lambda f: poverty_by_group(f, DESIGN, "y", LINE, "s", by=["s"]), "both the groups"),
        (lambda f: poverty_by_group(f.assign(s="all"), DESIGN, "y", LINE, "s"), "'all'"),
        (lambda f: poverty_by_group(f.iloc[:0], DESIGN, "y", LINE, "s"), "no rows"),
        (lambda f: poverty_by_group(f, DESIGN, "yy", LINE, "s"), "did you mean"),
        (lambda f: poverty_by_group(f, DESIGN, "y", LINE, "s", level=95, method=QUICK), "level"),
        (lambda f: entropy_by_group(f, DESIGN, "y", np.nan, "s"), "alpha is nan"),
        (lambda f: gini_by_source(f, DESIGN, ["wage"]), "two or more"),
        (lambda f: gini_by_source(f, DESIGN, ["wage", "wage"]), "different columns"),
        (lambda f: fgt_components("y", LINE, 1), "other than 1"),
        (lambda f: fgt_components("y", None), "number or a column"),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments(make: Any, message: str) -> None:
    with pytest.raises(PovmonError, match=message):
        make(sample())
