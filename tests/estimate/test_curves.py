"""Curves against brute force, derivatives, R's ordinates, other routes to their errors."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    Jackknife,
    concentration_curve,
    estimate,
    fgt,
    generalised_lorenz_curve,
    lorenz,
    lorenz_curve,
    mean,
    tip_curve,
)
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.curves.bands import band_factor
from povmon.estimate.curves.cumulative import Cumulative
from povmon.estimate.curves.growth import growth_incidence_curve, pro_poor_growth

DESIGN = Design("h", "c", "w")
COLUMNS = [
    "p", "estimate", "se", "ci_low", "ci_high", "band_low", "band_high", "df", "note",
]  # fmt: skip
CURVES: dict[str, Any] = {
    "lorenz": lambda f, d=DESIGN, **k: lorenz_curve(f, d, "y", **k),
    "generalised": lambda f, d=DESIGN, **k: generalised_lorenz_curve(f, d, "y", **k),
    "tip": lambda f, d=DESIGN, **k: tip_curve(f, d, "y", 1000, **k),
    "concentration": lambda f, d=DESIGN, **k: concentration_curve(f, d, "cost", "y", **k),
}


def sample(n: int = 400, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    village = rng.integers(0, 24, n)
    income = np.exp(rng.normal(7, 0.6, n) + 0.2 * np.sin(village))
    return pd.DataFrame(
        {
            "h": village % 4,
            "c": village,
            "w": rng.uniform(1, 4, n),
            "y": income,
            "cost": rng.exponential(50, n) * (income / 1000) ** 0.3,
            "g": rng.choice(["a", "b"], n),
        }
    )


def brute(kind: str, frame: pd.DataFrame, p: float) -> float:
    """Persons one by one (whole weights): the first p of them, the last one in part."""
    gap = np.maximum(1000 - np.maximum(frame["y"], 0), 0) / 1000
    value = {"tip": gap, "concentration": frame["cost"]}.get(kind, frame["y"]).to_numpy()
    rank = -gap if kind == "tip" else frame["y"]
    people = np.repeat(np.arange(len(frame)), frame["w"].to_numpy(dtype=int))
    persons = pd.DataFrame({"v": value[people], "r": rank.to_numpy()[people]})
    # Those of equal rank enter with their average.
    persons["v"] = persons.groupby("r")["v"].transform("mean")
    ordered = persons.sort_values("r")["v"].to_numpy()
    inside = np.clip(p * len(ordered) - np.arange(len(ordered)), 0, 1)
    whole = ordered.sum() if kind in ("lorenz", "concentration") else len(ordered)
    return float((inside * ordered).sum() / whole)


@pytest.mark.parametrize("kind", CURVES)
def test_brute_force(kind: str) -> None:
    frame = sample(80).round({"y": -2, "w": 0})
    frame.loc[:2, "y"] = [0, -50, -50]
    got = CURVES[kind](frame, points=[0, 0.037, 0.2, 0.5, 0.77, 1])
    assert list(got.columns) == COLUMNS
    for row in got.itertuples():
        assert row.estimate == pytest.approx(brute(kind, frame, row.p), abs=1e-12)


@pytest.mark.parametrize("kind", CURVES)
def test_by_domain_as_alone(kind: str) -> None:
    """Domains keep all strata, so the error is that of a value set to missing elsewhere."""
    frame = sample()
    got = CURVES[kind](frame, by="g", points=11)
    assert list(got.columns) == ["g", *COLUMNS]
    for label, part in got.groupby("g"):
        inside = frame["g"] == label
        alone = CURVES[kind](frame.assign(y=frame["y"].where(inside)), points=11)
        np.testing.assert_allclose(part["estimate"], alone["estimate"], atol=1e-9)
        np.testing.assert_allclose(part["se"], alone["se"], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(part["band_low"], alone["band_low"], rtol=1e-6, atol=1e-9)


def test_lorenz_points_are_the_lorenz_measure() -> None:
    frame = sample().round({"y": -2})
    p = [0.1, 0.25, 0.5, 0.9]
    curve = lorenz_curve(frame, DESIGN, "y", "g", points=p)
    table = estimate(frame, DESIGN, [lorenz("y", q) for q in p], by="g")
    for column in ("estimate", "se", "ci_low", "ci_high", "df"):
        np.testing.assert_allclose(curve[column], table[column], rtol=1e-10)


def test_ends_are_known_measures() -> None:
    frame = sample()
    frame.loc[:4, "y"] = -100.0
    for curve, measure in (
        (CURVES["generalised"](frame, by="g"), mean("y")),
        (CURVES["tip"](frame, by="g"), fgt("y", 1000, 1)),
    ):
        end = curve[curve["p"] == 1]
        table = estimate(frame, DESIGN, measure, by="g")
        for column in ("estimate", "se", "df"):
            np.testing.assert_allclose(end[column], table[column], rtol=1e-9)
    tip = tip_curve(frame, DESIGN, "y", 1000, relative=False)
    relative = CURVES["tip"](frame)
    np.testing.assert_allclose(tip["estimate"], 1000 * relative["estimate"])
    np.testing.assert_allclose(tip["se"], 1000 * relative["se"])
    head = estimate(frame, DESIGN, fgt("y", 1000, 0))["estimate"].iloc[0]
    flat = relative.loc[relative["p"] >= head, "estimate"]
    assert np.ptp(flat) < 1e-12 < flat.iloc[0] - relative["estimate"][relative["p"] < head].max()


@pytest.mark.parametrize("share", [True, False])
def test_linearised_values_are_derivatives(share: bool) -> None:
    """Where rows are ranked by another variable the value expected at the margin is smoothed,
    so that here it is constant; else the margin is the row at the border."""
    frame = sample(50).assign(flat=7.0)
    domains, w = lay_domains(frame, ["g"]), frame["w"].to_numpy()
    p = np.array([0.0, 0.31, 0.64, 1.0])
    for value, rank in (("y", None), ("flat", "y")):
        ranks = None if rank is None else frame[rank].to_numpy()
        curve = Cumulative.of(frame[value].to_numpy(), ranks, domains, p, share=share)
        got = np.stack(list(curve.linearised(w)), axis=-1)
        unit = frame[value].to_numpy() if rank is None else np.full(50, 7.0)
        for i in range(50):
            d = domains.code[i]
            inside = domains.code == d
            step = np.zeros(50)
            step[i] = 1e-6
            slope = (curve.evaluate(w + step) - curve.evaluate(w - step))[d] / 2e-6
            # The smooth quantile lies within the gap between two neighbours.
            gap = np.diff(np.sort(unit[inside])).max()
            total = (w * unit)[inside].sum() if share else w[inside].sum()
            np.testing.assert_allclose(got[i], slope, atol=gap / total + 1e-7)


@pytest.mark.parametrize("kind", CURVES)
def test_errors_by_linearisation_and_replicates(kind: str) -> None:
    frame = sample(3000, seed=8)
    p = [0.2, 0.4, 0.6, 0.8]
    linear = CURVES[kind](frame, points=p)
    boot = CURVES[kind](frame, points=p, method=Bootstrap(2000))
    np.testing.assert_allclose(linear["estimate"], boot["estimate"])
    if kind == "concentration":
        # A neighbourhood's mean stands for the value at the margin.
        ratio = linear["se"] / boot["se"]
        assert ratio.between(0.8, 1.2).all() and ratio.mean() == pytest.approx(1, abs=0.08)
        return
    jackknife = CURVES[kind](frame, points=p, method=Jackknife())
    np.testing.assert_allclose(linear["se"], jackknife["se"], rtol=0.02)
    np.testing.assert_allclose(linear["se"], boot["se"], rtol=0.08)
    wide, other = (t["band_high"] - t["estimate"] for t in (linear, boot))
    np.testing.assert_allclose(wide, other, rtol=0.1)


def test_the_error_of_a_concentration_curve() -> None:
    """The mean linearised variance is the variance over samples."""
    rng = np.random.default_rng(1)
    estimates, variances = [], []
    for _ in range(300):
        y = np.exp(rng.normal(7, 0.6, 300))
        cost = rng.exponential(50, 300) * y**0.3
        frame = pd.DataFrame({"c": range(300), "w": rng.uniform(1, 4, 300), "y": y, "cost": cost})
        curve = CURVES["concentration"](frame, Design(None, "c", "w"), points=[0.1, 0.5, 0.9])
        estimates.append(curve["estimate"])
        variances.append(curve["se"] ** 2)
    ratio = np.var(estimates, axis=0, ddof=1) / np.mean(variances, axis=0)
    assert (np.abs(ratio - 1) < 0.25).all() and abs(ratio.mean() - 1) < 0.15


def test_designs_with_two_stages_and_single_psus() -> None:
    frame = sample().assign(first=30, second=400)
    frame = frame[(frame["h"] != 0) | (frame["c"] == 0)]
    for design in (
        Design("h", "c", "w", lonely="average"), Design("h", "c", "w", lonely="adjust"),
        Design("h", "c", "w", fpc=("first", "second"), lonely="certainty"),
    ):  # fmt: skip
        curve = lorenz_curve(frame, design, "y", "g", points=[0.3, 0.6])
        table = estimate(frame, design, [lorenz("y", 0.3), lorenz("y", 0.6)], by="g")
        np.testing.assert_allclose(curve["se"], table["se"], rtol=1e-9)
        assert (curve["band_high"] > curve["ci_high"]).all()


def test_band_factor() -> None:
    t = special.stdtrit(20, 0.975)
    assert band_factor(np.ones((5, 5)), 20) == pytest.approx(t, rel=0.02)
    # Independent estimates and many degrees of freedom: Šidák.
    sidak = special.ndtri(0.5 + 0.95 ** (1 / 6) / 2)
    assert band_factor(np.diag([1.0, 4, 9, 1e4, 1, 1]), 10**6) == pytest.approx(sidak, rel=0.01)
    # The scale of an estimate, and estimates without variance, do not count.
    mixed = np.diag([1.0, 0.0, 1e-30, 4.0, 9, 1e4, 1, 1])
    assert band_factor(mixed, 10**6) == pytest.approx(sidak, rel=0.01)
    assert np.isnan(band_factor(np.zeros((2, 2)), 9)) and np.isnan(band_factor(np.eye(2), 0))


@pytest.mark.slow
def test_band_covers_the_whole_curve() -> None:
    """Curves of samples from one population lie in the band around the truth 95 times in 100."""
    rng = np.random.default_rng(0)
    p = np.linspace(0.1, 0.9, 9)
    truth = special.ndtr(special.ndtri(p) - 0.5)
    inside, points, draws = 0, 0, 200
    for _ in range(draws):
        frame = pd.DataFrame({"c": range(400), "w": 1.0, "y": np.exp(rng.normal(0, 0.5, 400))})
        curve = lorenz_curve(frame, Design(None, "c", "w"), "y", points=p)
        inside += bool(((curve["band_low"] <= truth) & (truth <= curve["band_high"])).all())
        points += int(((curve["ci_low"] <= truth) & (truth <= curve["ci_high"])).sum())
    assert 0.90 < inside / draws < 0.985
    assert 0.92 < points / draws / len(p) < 0.98


@given(st.integers(0, 10**6), st.floats(0.01, 1e4))
def test_properties(seed: int, scale: float) -> None:
    frame = sample(40, seed).round({"y": -2, "w": 0}).assign(c=range(40), h=0)
    for curve in CURVES.values():
        want = curve(frame, points=11)
        for other in (
            frame.sample(frac=1, random_state=seed), frame.assign(w=frame["w"] * scale),
            pd.concat([frame, frame.iloc[:1].assign(w=0.0, c=99)]),
        ):  # fmt: skip
            got = curve(other, points=11)
            np.testing.assert_allclose(got["estimate"], want["estimate"], rtol=1e-9, atol=1e-12)
            if len(other) == len(frame):
                np.testing.assert_allclose(got["se"], want["se"], rtol=1e-6, atol=1e-11)
    # Convex or concave, as they must be.
    assert (np.diff(CURVES["lorenz"](frame, points=11)["estimate"], 2) > -1e-12).all()
    assert (np.diff(CURVES["tip"](frame, points=11)["estimate"], 2) < 1e-12).all()


def test_edges() -> None:
    frame = sample()
    rich = tip_curve(frame, DESIGN, "y", 1e-6)
    assert (rich[["estimate", "se", "band_low", "band_high"]] == 0).all(axis=None)
    equal = lorenz_curve(frame.assign(y=5.0), DESIGN, "y")
    np.testing.assert_allclose(equal["estimate"], equal["p"], atol=1e-12)
    assert (equal["se"] < 1e-12).all()
    alone = frame.iloc[:1]
    one = lorenz_curve(alone, Design("h", "c", "w", lonely="certainty"), "y", points=3)
    assert one["estimate"].tolist() == [0, 0.5, 1] and one["se"].isna().all()
    assert (one["note"] == "one PSU in each stratum: no standard error").all()
    negative = lorenz_curve(frame.assign(y=-frame["y"]), DESIGN, "y", points=3)
    assert negative["estimate"].isna().all()
    assert (negative["note"] == "not defined for these values").all()
    assert np.isfinite(generalised_lorenz_curve(frame.assign(y=-1.0), DESIGN, "y")["se"]).all()


@pytest.mark.parametrize("full", ["a", "b"])
@pytest.mark.parametrize("method", [None, Bootstrap(50)])
def test_a_domain_without_rows_leaves_the_others_alone(full: str, method: Any) -> None:
    frame = sample()
    missing = frame.assign(y=frame["y"].where(frame["g"] == full))
    for curve in CURVES.values():
        table = curve(missing, by="g", points=5, method=method)
        empty, rest = table[table["g"] != full], table[table["g"] == full]
        assert empty["estimate"].isna().all() and empty["note"].ne("").all()
        alone = curve(missing, points=5, method=method)
        columns = ["estimate", "se", "band_low"]
        np.testing.assert_allclose(rest[columns], alone[columns], rtol=1e-6, atol=1e-12)


def test_attributes_name_the_axes() -> None:
    told = tip_curve(sample(), DESIGN, "y", 1000, "g").attrs
    assert told["curve"] == "TIP curve" and told["column"] == "y" and told["by"] == ["g"]
    assert told["y_unit"] == "share of the line" and told["x_unit"] == "share"


@pytest.mark.parametrize("points", [1, [0.5, 0.2], [0.1, 1.2], [], [0.1, np.nan]])
def test_bad_points(points: Any) -> None:
    with pytest.raises(PovmonError, match="points"):
        lorenz_curve(sample(), DESIGN, "y", points=points)


def test_bad_arguments() -> None:
    frame = sample()
    with pytest.raises(PovmonError, match="no rows"):
        lorenz_curve(frame.iloc[:0], DESIGN, "y")
    with pytest.raises(PovmonError, match="level is 95"):
        lorenz_curve(frame, DESIGN, "y", level=95)
    with pytest.raises(PovmonError, match="not positive"):
        tip_curve(frame, DESIGN, "y", -1)
    with pytest.raises(PovmonError, match="did you mean"):
        concentration_curve(frame, DESIGN, "costs", "y")


def test_a_thousand_replicates_are_quick() -> None:
    frame = sample(4000)
    start = time.perf_counter()
    lorenz_curve(frame, DESIGN, "y", method=Bootstrap(1000))
    assert time.perf_counter() - start < 5


# Growth incidence.


def periods() -> dict[str, pd.DataFrame]:
    first = sample(600, 1)
    last = sample(500, 2).assign(y=lambda f: f["y"] * 1.2 + 100)
    return {"2005": first, "2010": last}


def quantile(frame: pd.DataFrame, p: float) -> float:
    """Linear between the points (F(v), v) of distinct values."""
    by_value = frame.groupby("y")["w"].sum()
    share = by_value.cumsum() / by_value.sum()
    return float(np.interp(p, share, share.index))


def test_growth_incidence_by_brute_force() -> None:
    surveys = {k: f.round({"y": -2}) for k, f in periods().items()}
    p = [0.001, 0.1, 0.5, 0.98]
    for years in (1.0, 5.0):
        got = growth_incidence_curve(surveys, DESIGN, "y", "g", points=p, years=years,
                                     deflator=(1.0, 1.1), method=Bootstrap(20))  # fmt: skip
        for row in got.itertuples():
            first, last = (quantile(f[f["g"] == row.g], row.p) for f in surveys.values())
            assert row.estimate == pytest.approx((last / 1.1 / first) ** (1 / years) - 1, rel=1e-9)


def test_growth_incidence_of_shared_psus() -> None:
    """A panel whose incomes all grow alike: growth is certain, though the levels are not."""
    frame = sample(600)
    panel = {"a": frame, "b": frame.assign(y=frame["y"] * 1.5)}
    same = growth_incidence_curve(panel, DESIGN, "y", method=Bootstrap(100))
    np.testing.assert_allclose(same["estimate"], 0.5)
    assert (same["se"] < 1e-12).all()
    columns = frame.assign(y1=frame["y"] * 1.5)
    two = growth_incidence_curve(columns, DESIGN, ("y", "y1"), method=Bootstrap(100))
    np.testing.assert_allclose(two[["estimate", "se"]], same[["estimate", "se"]], atol=1e-12)
    # Independent samples do have an error: other villages.
    other = frame.assign(c=frame["c"] + 100, y=frame["y"] * 1.5)
    apart = growth_incidence_curve({"a": frame, "b": other}, DESIGN, "y", method=Bootstrap(100))
    assert (apart["se"] > 0.01).all() and (apart["band_low"] < apart["ci_low"]).all()


def test_growth_incidence_error_against_theory() -> None:
    """Median growth of two simple random samples: twice the variance of a log median."""
    rng = np.random.default_rng(4)
    n, sigma = 2000, 0.5
    draws = [pd.DataFrame({"c": np.arange(n) + k * n, "w": 1.0,
                           "y": np.exp(rng.normal(0, sigma, n))}) for k in range(2)]  # fmt: skip
    got = growth_incidence_curve(dict(zip("ab", draws, strict=True)), Design(None, "c", "w"), "y",
                                 points=[0.5], method=Bootstrap(1500))  # fmt: skip
    want = (1 + got["estimate"][0]) * np.sqrt(2 * np.pi / 2 * sigma**2 / n)
    assert got["se"][0] == pytest.approx(want, rel=0.12)


def test_pro_poor_growth() -> None:
    surveys = periods()
    got = pro_poor_growth(surveys, DESIGN, "y", 1000, years=5, method=Bootstrap(50))
    rate = got.set_index("component")["estimate"]
    head = estimate(surveys["2005"], DESIGN, fgt("y", 1000, 0))["estimate"].iloc[0]
    assert rate["headcount"] == pytest.approx(head)
    means = [(f["w"] * f["y"]).sum() / f["w"].sum() for f in surveys.values()]
    assert rate["growth of the mean"] == pytest.approx((means[1] / means[0]) ** 0.2 - 1)
    p = (np.arange(4000) + 0.5) / 4000
    for name, top in (("rate of pro-poor growth", head), ("mean growth rate", 1.0)):
        first, last = (np.array([quantile(f, q * top) for q in p[::8]]) for f in surveys.values())
        assert rate[name] == pytest.approx(((last / first) ** 0.2 - 1).mean(), rel=0.01)
    assert (got["se"] > 0).all()
    nobody = pro_poor_growth(surveys, DESIGN, "y", 1e-3, method=Bootstrap(50))
    poor = nobody[nobody["component"] == "rate of pro-poor growth"].iloc[0]
    assert np.isnan(poor["estimate"]) and poor["note"]


def test_growth_where_there_is_no_rate() -> None:
    surveys = periods()
    surveys["2005"].loc[:100, "y"] = 0.0
    got = growth_incidence_curve(surveys, DESIGN, "y", points=[0.05, 0.9], method=Bootstrap(50))
    assert got["estimate"].isna().tolist() == [True, False]
    assert got["note"].tolist() == ["not defined for these values", ""]


def test_bad_periods() -> None:
    first, last = periods().values()
    with pytest.raises(PovmonError, match="one survey and one column"):
        growth_incidence_curve(first, DESIGN, "y")
    with pytest.raises(PovmonError, match="3 surveys"):
        growth_incidence_curve({"a": first, "b": last, "c": last}, DESIGN, "y")
    with pytest.raises(PovmonError, match="g b has no usable row in the last period"):
        growth_incidence_curve({"a": first, "b": last[last["g"] == "a"]}, DESIGN, "y", "g")
    with pytest.raises(PovmonError, match="years is 0"):
        growth_incidence_curve({"a": first, "b": last}, DESIGN, "y", years=0)
    with pytest.raises(PovmonError, match="deflator 0"):
        growth_incidence_curve({"a": first, "b": last}, DESIGN, "y", deflator=0)
    with pytest.raises(PovmonError, match="no rows"):
        growth_incidence_curve({"a": first, "b": last.iloc[:0]}, DESIGN, "y")
    with pytest.raises(PovmonError, match="no design is given for the survey 'b'"):
        growth_incidence_curve({"a": first, "b": last}, {"a": DESIGN}, "y")
