"""What measures must be: bounds, order, decompositions, and what transfers do to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from .properties import ALL, INDEX, results, same, samples

TINY = 1e-10
POVERTY = ["fgt0", "fgt0.5", "fgt1", "fgt2", "fgt0 closed", "fgt1 closed", "fgt0 column",
           "fgt1 column", "fgt2 column", "watts", "watts column", "sen", "sen column", "sst",
           "sst column", "income gap ratio", "income gap ratio column"]  # fmt: skip
ENTROPY = {"gei0": 0, "gei1": 1, "gei2": 2, "gei-1": -1}
ATKINSON = ["atkinson0.5", "atkinson1", "atkinson2"]
# Fall with every transfer from a richer to a poorer person, or do not rise.
INEQUALITY = ["gini", *ENTROPY, *ATKINSON]
SHARES = ["s80s20", "palma"]
CONVEX = ["fgt1", "fgt2", "fgt1 closed", "watts", "sst"]
# Means over rows: a whole is the average of its parts.
MEANS = ["mean", "proportion", *(n for n in POVERTY if n.startswith("fgt")), "fgt2 as is", "H",
         "M0", *(n for n in ALL if n.startswith(("censored", "uncensored")))]  # fmt: skip


def values(frame: pd.DataFrame, names: list[str] = ALL) -> pd.Series:
    return results(frame, names=names)["estimate"]


@given(samples(), st.sampled_from([None, "g"]))
def test_bounds_and_order_of_poverty(frame: pd.DataFrame, by: str | None) -> None:
    table = results(frame, names=POVERTY, by=by)["estimate"]
    for _, e in table.groupby("g") if by else [(None, table)]:
        e = e.droplevel("g") if by else e
        for line in ("", " column"):
            one, two = e["fgt1" + line], e["fgt2" + line]
            assert 1 >= e["fgt0" + line] >= one >= two >= 0
            # The mean of squares is no less than the square of the mean.
            assert two >= one**2 - TINY
            assert one - TINY <= e["sen" + line] <= e["fgt0" + line] + TINY
            assert one - TINY <= e["sst" + line] <= min(1, 2 * one) + TINY
            assert np.isnan(e["watts" + line]) or e["watts" + line] >= 0
            if e["fgt0" + line] > 0:
                share = e["income gap ratio" + line]
                assert 0 < share <= 1
                assert one == pytest.approx(e["fgt0" + line] * share)
            else:
                assert np.isnan(e["income gap ratio" + line])
        assert e["fgt0"] >= e["fgt0.5"] >= e["fgt1"]
        assert e["fgt0 closed"] >= e["fgt0"]
        # Those at the line have no gap.
        assert e["fgt1 closed"] == pytest.approx(e["fgt1"])


@given(samples())
def test_bounds_of_inequality(frame: pd.DataFrame) -> None:
    e = values(frame.assign(y=frame["v"]))
    positive = frame["y"] > 0
    lowest = frame["w"].min() / frame["w"].sum()
    assert 0 <= e["gini"] <= 1 - lowest + TINY
    assert abs(e["concentration"]) <= e["gini"] + TINY
    assert -1 <= e["erreygers"] <= 1
    assert np.isnan(e["wagstaff"]) or -1 - TINY <= e["wagstaff"] <= 1 + TINY
    assert (e[list(ENTROPY)] >= -TINY).all()
    n = positive.sum()
    if frame["y"][positive].nunique() > 1:
        assert 0 < e["atkinson0.5"] < e["atkinson1"] < e["atkinson2"] < 1
        assert e["gei0"] == pytest.approx(-np.log(1 - e["atkinson1"]))
        assert e["gei-1"] == pytest.approx((1 / (1 - e["atkinson2"]) - 1) / 2)
        assert e["gei1"] <= np.log(frame["w"][positive].sum() / frame["w"][positive].min()) + TINY
    else:
        assert n and np.allclose(e[[*ENTROPY, *ATKINSON]].astype(float), 0)
    assert e["lorenz"] <= 0.4 + TINY
    assert -TINY <= e["quantile share"] <= 0.7 + TINY
    assert np.isnan(e["s80s20"]) or e["s80s20"] >= 1 - TINY
    assert np.isnan(e["palma"]) or e["palma"] >= 0.25 - TINY
    for name in ("quantile math", "quantile school", "quantile hf4", "quantile hf7", "mean"):
        x = frame["t"] if "hf" in name else frame["v"]
        assert x.min() - TINY <= e[name] <= x.max() + TINY


@given(samples())
def test_multidimensional_identities(frame: pd.DataFrame) -> None:
    table = results(frame, by="g")["estimate"].unstack("g")
    for _, e in table.astype(float).items():
        assert 1 >= e["H"] >= e["M0"] >= 0
        weighed = {j: float(w) for j, w in INDEX.weights.items()}
        assert e["M0"] == pytest.approx(sum(w * e[f"censored {j}"] for j, w in weighed.items()))
        for j in weighed:
            assert 0 <= e[f"censored {j}"] <= min(e["H"], e[f"uncensored {j}"]) + TINY
        shares = [e[f"contribution {j}"] for j in weighed]
        if e["H"] == 0:
            assert np.isnan([e["A"], *shares]).all()
            continue
        assert float(INDEX.k) - TINY <= e["A"] <= 1 + TINY
        assert e["M0"] == pytest.approx(e["H"] * e["A"])
        assert sum(shares) == pytest.approx(1)
        for j, w in weighed.items():
            assert e[f"contribution {j}"] == pytest.approx(w * e[f"censored {j}"] / e["M0"])


@given(samples())
def test_means_and_totals_add_up_over_domains(frame: pd.DataFrame) -> None:
    whole, parts = values(frame), results(frame, by="g")["estimate"].unstack("g")
    size = frame.groupby("g")["w"].sum()
    averaged = parts.loc[MEANS].astype(float) @ (size / size.sum())
    np.testing.assert_allclose(averaged, whole[MEANS].astype(float), rtol=1e-9, atol=1e-12)
    assert parts.loc["total"].sum() == pytest.approx(whole["total"])
    assert whole["total"] == pytest.approx(whole["mean"] * size.sum())
    positive = frame[frame["y"] > 0]
    kept = positive.groupby("g")["w"].sum().reindex([0, 1, 2], fill_value=0.0)
    watts = parts.loc["watts"].astype(float).fillna(0)
    assert watts @ (kept / kept.sum()) == pytest.approx(whole["watts"])


@given(samples())
def test_entropy_is_within_and_between(frame: pd.DataFrame) -> None:
    """Groups' indices, weighted by their shares of persons and incomes, and that of their means."""
    frame = frame[frame["y"] > 0]
    frame = frame.assign(i=frame["w"] * frame["y"])
    names = list(ENTROPY)
    whole, parts = values(frame, names), results(frame, names=names, by="g")["estimate"]
    persons, incomes = (frame.groupby("g")[x].sum() / frame[x].sum() for x in ("w", "i"))
    mean = frame["g"].map(incomes / persons)
    between = values(frame.assign(y=mean), names)
    for name, a in ENTROPY.items():
        own = parts.xs(name, level="measure")
        within = (persons ** (1 - a) * incomes**a * own).sum()
        assert within + between[name] == pytest.approx(whole[name], rel=1e-9, abs=1e-12), name


@given(samples(), st.integers(0, 2), st.integers(1, 5))
def test_a_better_off_group_makes_the_whole_better_off(
    frame: pd.DataFrame, g: int, more: int
) -> None:
    """Subgroup consistency: where one group's index falls and no other changes, so does that of
    all. Equality within a group lowers what the means of groups leave untouched."""
    names = ["fgt0", "fgt0.5", "fgt1", "fgt2", "fgt1 column", "watts"]
    frame = frame.assign(y=frame["y"].where(frame["y"] > 0, 1.0))
    inside = frame["g"] == g
    other = frame.assign(y=frame["y"].where(~inside, frame["y"] + more))
    change = values(other, names) - values(frame, names)
    now, then = (results(f, names=names, by="g")["estimate"].xs(g) for f in (other, frame))
    for name in names:
        assert np.sign(change[name].round(12)) == np.sign((now - then)[name].round(12)), name
        assert change[name] < TINY
    mean = np.average(frame["y"][inside], weights=frame["w"][inside])
    level = frame.assign(y=frame["y"].where(~inside, mean))
    got, want = values(level, INEQUALITY), values(frame, INEQUALITY)
    unequal = frame["y"][inside].nunique() > 1
    for name in INEQUALITY:
        assert got[name] < want[name] if unequal else got[name] == pytest.approx(want[name])


@given(samples(), st.data())
def test_transfers_from_richer_to_poorer(frame: pd.DataFrame, data: st.DataObject) -> None:
    """Inequality falls; poverty that counts how poor the poor are does not rise."""
    frame = frame.assign(y=frame["y"].where(frame["y"] > 0, 1.0) * 20)
    frame = frame.assign(v=frame["y"])
    i, j = data.draw(st.permutations(range(len(frame))))[:2]
    low, high = (i, j) if frame.loc[i, "y"] < frame.loc[j, "y"] else (j, i)
    assume(frame.loc[low, "y"] < frame.loc[high, "y"])
    # What the persons of one row give, those of the other get, and they do not change places.
    rise, fall = frame.loc[high, "w"], frame.loc[low, "w"]
    step = data.draw(st.floats(0.05, 0.5)) * (frame.loc[high, "y"] - frame.loc[low, "y"])
    step = step / (rise + fall)
    moved = frame.copy()
    moved.loc[low, "y"] += step * rise
    moved.loc[high, "y"] -= step * fall
    moved["v"] = moved["y"]
    names = ["mean", "lorenz", *INEQUALITY, *SHARES, *CONVEX, "sen", "fgt0.5"]
    before, after = (results(f, k=20.0, names=names)["estimate"] for f in (frame, moved))
    assert after["mean"] == pytest.approx(before["mean"])
    for name in INEQUALITY:
        assert after[name] < before[name], name
    for name in (*SHARES, *CONVEX):
        assert after[name] <= before[name] + TINY, name
    assert after["lorenz"] >= before["lorenz"] - TINY
    # Sen's index where the richer of the two is poor, and stays so: it depends on who is poor.
    if frame.loc[high, "y"] < 200:
        assert after["sen"] < before["sen"] and after["fgt2"] < before["fgt2"]
        assert after["fgt1"] == pytest.approx(before["fgt1"])
        assert after["fgt0.5"] > before["fgt0.5"]  # not convex: it rises


@given(samples(), st.integers(1, 1000))
def test_incomes_of_the_rich_are_no_matter_of_poverty(frame: pd.DataFrame, more: int) -> None:
    rich = frame["y"] >= 13
    other = frame.assign(y=frame["y"] + more * rich * (frame.index + 1))
    same(results(other, names=POVERTY), results(frame, names=POVERTY), ["estimate", "se", "deff"])


@given(samples(), st.integers(0, 10**6))
def test_more_for_one_poor_person(frame: pd.DataFrame, seed: int) -> None:
    """Less poverty by every index that counts how poor the poor are."""
    poor = frame.index[(frame["y"] >= 1) & (frame["y"] < 6)]
    assume(len(poor))
    row = poor[seed % len(poor)]
    better = frame.copy()
    better.loc[row, "y"] += 0.5
    deep = [n for n in POVERTY if not n.startswith("fgt0") or n == "fgt0.5"]
    before, after = values(frame, deep), values(better, deep)
    for name in deep:
        assert after[name] < before[name], name
    headcounts = ["fgt0", "fgt0 column", "fgt0 closed"]
    assert (values(better, headcounts) == values(frame, headcounts)).all()
