"""What changes no measure: scale, order, split rows, rows without weight, domains, gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.estimate import Design

from .properties import ALL, CASES, DESIGN, DESIGNS, ELSEWHERE, INCOMES, results, same, samples

designs = st.sampled_from(DESIGNS)
EVERYTHING = ("estimate", "se", "ci_low", "ci_high", "n", "n_psu", "df", "cv", "deff", "excluded")
# Interpolated quantiles depend on the weight of single rows, not of values; so do the linearised
# values of Lorenz ordinates, which take the interpolated quantile.
INTERPOLATED = ["quantile hf4", "quantile hf7"]
BY_ROW = ["lorenz", "quantile share", "s80s20", "palma"]
# The density at the line has a bandwidth that depends on the size of the population.
BANDWIDTH = ["fgt0 median", "fgt1 median"]


@given(samples(), designs, st.sampled_from([0.001, 0.1, 3, 7.3, 1e4]))
def test_scale_of_incomes(frame: pd.DataFrame, design: Design, k: float) -> None:
    scaled = frame.assign(**{x: frame[x] * k for x in INCOMES})
    factor = {name: k**case.degree for name, case in CASES.items()}
    same(results(scaled, design, k=k), results(frame, design), factor=factor)


@given(samples(), designs, st.sampled_from([0.001, 0.1, 3, 7.3, 1e6]))
def test_scale_of_weights(frame: pd.DataFrame, design: Design, k: float) -> None:
    want = results(frame, design)
    got = results(frame.assign(w=frame["w"] * k), design)
    same(got, want, ["estimate"], factor={"total": k})
    same(got, want, ["se"], factor={"total": k}, but=BANDWIDTH)
    same(got, want, ["n", "n_psu", "df", "excluded"])


@given(samples(), designs, st.integers(0, 1000))
def test_order_of_rows_and_names_of_units(frame: pd.DataFrame, design: Design, seed: int) -> None:
    mixed = frame.sample(frac=1.0, random_state=seed)
    mixed = mixed.assign(h=5 - mixed["h"], c=(mixed["c"] * 7 + 3) % 11, p="p" + mixed["p"].map(str))
    same(results(mixed, design), results(frame, design), EVERYTHING)
    same(results(mixed, design, by="g"), results(frame, design, by="g"), EVERYTHING)


@given(samples(), designs, st.sampled_from([None, "g"]))
def test_a_row_split_in_two(frame: pd.DataFrame, design: Design, by: str | None) -> None:
    """Two rows with half of the weight each, in the PSU of the row."""
    half = frame.assign(w=frame["w"] / 2)
    got = results(pd.concat([half, half], ignore_index=True), design, by=by)
    want = results(frame, design, by=by)
    same(got, want, ["estimate", "n_psu", "df", "excluded"], but=INTERPOLATED)
    same(got, want, ["se"], but=[*INTERPOLATED, *BY_ROW])
    np.testing.assert_array_equal(got["n"], 2 * want["n"])


@given(samples(), designs, st.sampled_from([None, "g"]), st.data())
def test_rows_without_weight(
    frame: pd.DataFrame, design: Design, by: str | None, data: st.DataObject
) -> None:
    bare = frame.sample(frac=0.5, random_state=1).assign(w=0.0)
    for x in ("y", "v", "t", "d1"):
        values = st.sampled_from([0.0, 1.0] if x == "d1" else [-50.0, 0.0, 7.0, 1e5, np.nan])
        bare[x] = data.draw(st.lists(values, min_size=len(bare), max_size=len(bare)))
    bare["v"] = bare["v"].abs()
    mixed = pd.concat([bare, frame], ignore_index=True)
    same(results(mixed, design, by=by), results(frame, design, by=by), EVERYTHING)


@given(samples(), designs)
def test_a_domain_that_is_the_sample(frame: pd.DataFrame, design: Design) -> None:
    got = results(frame.assign(g="all"), design, by="g").droplevel("g")
    same(got, results(frame, design), EVERYTHING, rtol=1e-12)


@given(samples(), st.sampled_from(DESIGNS[:3]), st.integers(0, 2))
def test_a_domain_is_its_rows_in_the_whole_design(
    frame: pd.DataFrame, design: Design, g: int
) -> None:
    """The estimate is that of the rows alone; the error that of a sample where only they weigh."""
    names = [n for n in ALL if n not in ELSEWHERE]
    got = results(frame, design, names, by="g").xs(g, level="g")
    inside = frame["g"] == g
    same(got, results(frame[inside], design, names), ["estimate"])
    weightless = frame.assign(w=frame["w"].where(inside, 0.0))
    same(got, results(weightless, design, names), EVERYTHING)


@given(samples(), st.sampled_from(DESIGNS[:3]))
def test_lines_of_the_whole_sample_in_a_domain(frame: pd.DataFrame, design: Design) -> None:
    """At a relative line, domains' indices add up to that of the sample, as at a fixed line."""
    whole = results(frame, design, ELSEWHERE)["estimate"]
    share = frame.groupby("g")["w"].sum() / frame["w"].sum()
    parts = results(frame, design, ELSEWHERE, by="g")["estimate"].unstack("measure")
    np.testing.assert_allclose(parts.mul(share, axis=0).sum()[ELSEWHERE], whole, rtol=1e-9)
    # Where each domain has a line of its own, it is a sample of its own.
    own = frame.assign(s=frame["g"])
    for g, row in results(own, design, ["fgt2 within"], by="g")["estimate"].groupby("g"):
        alone = results(own[own["g"] == g], design, ["fgt2 within"])
        assert row.iloc[0] == pytest.approx(alone["estimate"].iloc[0], rel=1e-9)


@given(samples(), designs, st.data())
def test_missing_values_leave_the_measure_not_the_design(
    frame: pd.DataFrame, design: Design, data: st.DataObject
) -> None:
    """Rows with a missing value are as rows outside a domain, and counted as excluded."""
    flags = st.lists(st.booleans(), min_size=len(frame), max_size=len(frame))
    holes = {x: np.array(data.draw(flags)) for x in ("y", "d1")}
    holes |= {"v": holes["y"], "t": holes["y"], "u": np.zeros(len(frame), dtype=bool)}
    holes |= {"d2": holes["u"], "d3": holes["u"]}
    gaps = frame.assign(**{x: frame[x].mask(hole) for x, hole in holes.items()})
    got, names = results(gaps, design), pd.Series(ALL)
    for columns, group in names.groupby(names.map(lambda n: CASES[n].columns)):
        used = ~np.any([holes[x] for x in columns.split()], axis=0)
        if not used.any():
            assert (got.loc[group, "note"] == "no row enters").all()
            continue
        flagged = frame.assign(g=np.where(used, "in", "out"))
        want = results(flagged, design, group, by="g").xs("in", level="g")
        same(got.loc[group], want, [c for c in EVERYTHING if c != "excluded"])
        for name in group:
            enters = used & (frame["y"] > 0) if positive_only(name) else used
            share = 1 - frame["w"][enters].sum() / frame["w"].sum()
            assert got.loc[name, "excluded"] == pytest.approx(share, abs=1e-12), name
            assert got.loc[name, "n"] == enters.sum(), name


def positive_only(name: str) -> bool:
    return name.startswith(("watts", "gei", "atkinson"))


@given(samples(), st.integers(1, 25))
def test_equal_incomes(frame: pd.DataFrame, income: int) -> None:
    """No inequality, no error, whatever the weights."""
    flat = frame.assign(y=float(income), v=float(income), t=float(income), w=frame["w"] / 0.7)
    got = results(flat, DESIGN, by="g").unstack("g")
    want = {"gini": 0, "gei0": 0, "gei1": 0, "gei2": 0, "gei-1": 0, "concentration": 0,
            "atkinson0.5": 0, "atkinson1": 0, "atkinson2": 0, "quantile share": 0.4,
            "s80s20": 1, "palma": 0.25, "lorenz": 0.4, "mean": income, "quantile math": income,
            "quantile school": income, "quantile hf4": income, "quantile hf7": income,
            "fgt0": income < 10, "fgt0 closed": income <= 10}  # fmt: skip
    for name, value in want.items():
        row = got.loc[name]
        np.testing.assert_allclose(row["estimate"].astype(float), float(value), atol=1e-12)
        some = row["df"].astype(int) > 0
        np.testing.assert_allclose(row["se"].astype(float)[some], 0, atol=1e-12, err_msg=name)
