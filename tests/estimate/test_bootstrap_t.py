"""Bootstrap-t intervals against samples that are built row by row, and at the edges."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    calibrate,
    estimate,
    fgt,
    gini,
    mean,
    quantile,
    relative_line,
)
from povmon.estimate.design import lay
from povmon.estimate.measures.base import Measure
from povmon.estimate.replicates.bootstrap_t import bootstrap_t
from povmon.estimate.replicates.replicate import replication

SURVEY = pd.read_csv(Path(__file__).parents[1] / "oracles" / "survey.csv")
PLAIN = Design("county", "village", "w_person")
MEASURES: list[Measure] = [gini("income_pc"), fgt("income_pc", 2300, 1), fgt("income_pc", 2300, 0)]
R, SEED = 39, 3


def small() -> pd.DataFrame:
    """Four counties, with groups that cut across them."""
    rows = SURVEY[SURVEY["county"].isin([1, 2, 7, 8])].reset_index(drop=True)
    return rows.assign(group=np.where(rows["hh"] % 3 == 0, "a", "b"))


def times_drawn(rows: pd.DataFrame, design: Design) -> pd.DataFrame:
    """Times each village is drawn: one row a village, one column a replicate."""
    sample = lay(rows, design)
    n = sample.stages[0].units_in_parent[sample.stages[0].parent_of_unit]
    factor = replication(sample, Bootstrap(R, seed=SEED)).multiplier
    times = np.rint(factor * (n - 1) / n).astype(int)
    np.testing.assert_allclose(times, factor * (n - 1) / n, atol=1e-12)
    return pd.DataFrame(times.T, index=sample.psus)


def built(rows: pd.DataFrame, times: pd.Series, design: Design) -> pd.DataFrame:
    """The replicate as a sample of its own: a village drawn twice is two villages."""
    parts = []
    for village, number in times.items():
        own = rows[rows["village"] == village]
        county = own["county"].iloc[0]
        n = rows.loc[rows["county"] == county, "village"].nunique()
        for copy in range(number):
            weight = own[design.weight] * n / (n - 1)
            parts.append(own.assign(**{design.weight: weight, "village": f"{village} {copy}"}))
    frame = pd.concat(parts, ignore_index=True)
    if design.poststrata is not None:
        wanted = rows.groupby(design.poststrata)[design.weight].sum()
        reached = frame.groupby(design.poststrata)[design.weight].sum()
        frame[design.weight] *= frame[design.poststrata].map(wanted / reached)
    return frame


def by_hand(rows: pd.DataFrame, design: Design, measure: Measure, by: str) -> pd.DataFrame:
    """Limits from estimates on the built samples."""
    whole = estimate(rows, design, measure, by).set_index(by)
    times = times_drawn(rows, design)
    found = [
        estimate(built(rows, times[r], design), design, measure, by).set_index(by) for r in range(R)
    ]
    to = special.logit if measure.logit else lambda x: x
    t = []
    for f in found:
        p = f["estimate"]
        slope = 1 / (p * (1 - p)) if measure.logit else 1.0
        t.append((to(p) - to(whole["estimate"])) / (f["se"] * slope))
    ordered = np.sort(np.array(t), axis=0)
    k = round((R + 1) * 0.05)
    p = whole["estimate"]
    slope = whole["se"] / (p * (1 - p)) if measure.logit else whole["se"]
    back = special.expit if measure.logit else lambda x: x
    return pd.DataFrame(
        {
            "ci_low": back(to(p) - ordered[-k] * slope),
            "ci_high": back(to(p) - ordered[k - 1] * slope),
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: m.name)
@pytest.mark.parametrize(
    ("design", "by"),
    [(PLAIN, "group"), (Design("county", "village", "w_person", poststrata="county"), "area")],
    ids=["plain, domains that cut counties", "post-stratified"],
)
def test_the_limits_are_those_of_samples_built_row_by_row(
    measure: Measure, design: Design, by: str
) -> None:
    rows = small()
    table = bootstrap_t(rows, design, measure, by, replicates=R, seed=SEED, level=0.9)
    expected = by_hand(rows, design, measure, by)
    for name in ("ci_low", "ci_high"):
        np.testing.assert_allclose(table[name], expected[name], rtol=1e-9)
    assert (table["replicates"] == R).all()


def test_estimates_and_errors_are_those_of_estimate_and_rows_keep_its_order() -> None:
    table = bootstrap_t(SURVEY, PLAIN, MEASURES, "area", replicates=99)
    plain = estimate(SURVEY, PLAIN, MEASURES, "area")
    same = ["area", "measure", "estimate", "se", "n", "n_psu", "df", "cv", "deff", "excluded"]
    pd.testing.assert_frame_equal(table[same], plain[same])
    alone = bootstrap_t(SURVEY, PLAIN, MEASURES[1], "area", replicates=99)
    np.testing.assert_array_equal(table["ci_high"].iloc[1::3], alone["ci_high"])
    assert ((table["ci_low"] < table["estimate"]) & (table["estimate"] < table["ci_high"])).all()


def test_order_of_rows_and_scale_of_weights_have_no_effect() -> None:
    mixed = SURVEY.sample(frac=1, random_state=1).assign(w_person=lambda d: d["w_person"] / 7)
    a = bootstrap_t(SURVEY, PLAIN, MEASURES, "area", replicates=79)
    b = bootstrap_t(mixed, PLAIN, MEASURES, "area", replicates=79)
    for name in ("ci_low", "ci_high"):
        np.testing.assert_allclose(a[name], b[name], rtol=1e-9)


def normal_sample(strata: int, psus: int) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = strata * psus
    return pd.DataFrame(
        {"h": np.repeat(np.arange(strata), psus), "psu": np.arange(n), "w": 1.0,
         "x": rng.normal(10, 1, n)}
    )  # fmt: skip


@pytest.mark.parametrize(("strata", "psus"), [(60, 2), (40, 5)])
def test_on_normal_data_it_comes_near_students_t(strata: int, psus: int) -> None:
    rows = normal_sample(strata, psus)
    design = Design("h", "psu", "w")
    table = bootstrap_t(rows, design, mean("x"), replicates=3999)
    plain = estimate(rows, design, mean("x"))
    width, usual = (float((t["ci_high"] - t["ci_low"]).iloc[0]) for t in (table, plain))
    assert width == pytest.approx(usual, rel=0.12)


def test_a_heavy_tail_lengthens_the_upper_side() -> None:
    rng = np.random.default_rng(1)
    rows = normal_sample(10, 8).assign(x=rng.pareto(2.2, 80) + 1)
    table = bootstrap_t(rows, Design("h", "psu", "w"), gini("x"))
    up, down = table["ci_high"] - table["estimate"], table["estimate"] - table["ci_low"]
    assert (up > 1.5 * down).all()


def test_finite_populations_shorten_the_interval_by_their_standard_error() -> None:
    design = Design("county", "village", "w_person", fpc=("stage1_fpc", None))
    finite, plain = (bootstrap_t(SURVEY, d, gini("income_pc")) for d in (design, PLAIN))
    np.testing.assert_array_equal(finite["t_low"], plain["t_low"])
    ratio = (finite["ci_high"] - finite["estimate"]) / (plain["ci_high"] - plain["estimate"])
    np.testing.assert_allclose(ratio, finite["se"] / plain["se"], rtol=1e-12)


def test_without_variance_the_interval_is_that_of_estimate() -> None:
    rows = small().assign(income_pc=5000)
    for measure in (fgt("income_pc", 2300, 0), gini("income_pc")):
        table = bootstrap_t(rows, PLAIN, measure, "area", replicates=99)
        plain = estimate(rows, PLAIN, measure, "area")
        pd.testing.assert_frame_equal(table[["ci_low", "ci_high"]], plain[["ci_low", "ci_high"]])


def test_a_domain_in_too_few_psus_gets_no_limits_and_a_note() -> None:
    rows = small()
    few = rows["village"].isin(rows["village"].unique()[:2])
    rows = rows.assign(part=np.where(few, "few", "rest"))
    table = bootstrap_t(rows, PLAIN, gini("income_pc"), "part").set_index("part")
    assert table["replicates"]["few"] < 900
    assert np.isnan(table["ci_low"]["few"]) and "too few PSUs" in str(table["note"]["few"])
    assert table["note"]["rest"] == "" and np.isfinite(table["ci_low"]["rest"])


@pytest.mark.parametrize(
    ("measure", "options", "words"),
    [
        (quantile("income_pc", 0.5), {}, "is a quantile"),
        (fgt("income_pc", relative_line("income_pc", 0.6), 0), {}, "line estimated"),
        (gini("income_pc"), {"replicates": 30}, "ask for 39"),
        (gini("income_pc"), {"seed": -1}, "seed of 0 or more"),
        (gini("income_pc"), {"level": 1.0}, "level"),
    ],
)
def test_what_it_cannot_do_is_said(measure: Measure, options: dict, words: str) -> None:
    with pytest.raises(PovmonError, match=words):
        bootstrap_t(SURVEY, PLAIN, measure, **options)


def test_only_poststrata_within_domains_are_taken() -> None:
    rows = small()
    design = Design("county", "village", "w_person", poststrata="county")
    with pytest.raises(PovmonError, match="4 post-strata lie in more than one domain"):
        bootstrap_t(rows, design, gini("income_pc"), "group")
    total = float((rows["w_person"] * rows["hhsize"]).sum())
    calibrated, known = calibrate(rows, PLAIN, {"hhsize": total * 1.01})
    with pytest.raises(PovmonError, match="calibrated to more than one"):
        bootstrap_t(calibrated, known, gini("income_pc"))
