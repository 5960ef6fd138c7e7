"""Numbers computed with R (survey 4.5), see tests/oracles/README.md."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import (
    Design,
    atkinson,
    estimate,
    fgt,
    gei,
    gini,
    income_gap_ratio,
    joint,
    lorenz,
    mean,
    multidimensional,
    quantile,
    ratio,
    regression,
    relative_line,
    total,
    watts,
)

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DEPRIVATIONS = [f"d{j}" for j in range(1, 11)]
WEIGHTS = [Fraction(1, 20)] * 4 + [Fraction(1, 6)] * 3 + [Fraction(1, 10)] * 3
INDEX = multidimensional(dict(zip(DEPRIVATIONS, WEIGHTS, strict=True)), Fraction(1, 3))
DESIGN = Design("county", "village", "w_person")
CLOSE = {"rtol": 1e-9, "atol": 0.0}


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    frame = pd.read_csv(ORACLES / "survey.csv")
    frame["hh_income"] = frame["income_pc"] * frame["hhsize"]
    frame["poor"] = (frame["income_pc"] < 2300) * 1.0
    return frame


@pytest.fixture(scope="module")
def oracle() -> dict:
    return json.loads((ORACLES / "estimates.json").read_text())


MEASURES = {
    "mean_poor": fgt("income_pc", 2300, 0),
    "mean_gap": fgt("income_pc", 2300, 1),
    "mean_gap2": fgt("income_pc", 2300, 2),
    "convey_fgt0": fgt("income_pc", 2300, 0, closed=True),
    "convey_fgt1": fgt("income_pc", 2300, 1, closed=True),
    "convey_fgt2": fgt("income_pc", 2300, 2, closed=True),
    "mean_income_pc": mean("income_pc"),
    "mean_hhsize": mean("hhsize"),
    "mean_mpoor": INDEX.H,
    "mean_cmp": INDEX.M0,
    "A_ratio": INDEX.A,
    "total_poor": total("poor"),
    "consumption_ratio_narm": ratio("consumption_pc", "income_pc"),
    "consumption_mean_narm": mean("consumption_pc"),
    "income_gap_ratio": income_gap_ratio("income_pc", 2300),
    "watts_pos": watts("income_pc", 2300),
    "gei_0_pos": gei("income_pc", 0),
    "gei_1_pos": gei("income_pc", 1),
    "gei_2_pos": gei("income_pc", 2),
    "atk_0.5_pos": atkinson("income_pc", 0.5),
    "atk_1_pos": atkinson("income_pc", 1),
}
HOUSEHOLD = {"total_hh_income": total("hh_income")}


FINITE = {
    "synth_wr": DESIGN,
    "synth_fpc1": Design("county", "village", "w_person", fpc=("stage1_fpc", None)),
    "synth_fpc2": Design("county", "village", "w_person", fpc=("stage1_fpc", "stage2_fpc")),
}


@pytest.mark.parametrize("stages", FINITE)
@pytest.mark.parametrize("key", MEASURES)
def test_whole_sample(key: str, stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    got = estimate(survey, FINITE[stages], [MEASURES[key]]).iloc[0]
    want = oracle[stages][key]
    np.testing.assert_allclose([got["estimate"], got["se"]], [want["est"], want["se"]], **CLOSE)


def test_household_total(survey: pd.DataFrame, oracle: dict) -> None:
    want = oracle["synth_wr"]["total_hh_income"]
    got = estimate(survey, DESIGN, [total("hh_income")]).iloc[0]
    np.testing.assert_allclose([got["estimate"], got["se"]], [want["est"], want["se"]], **CLOSE)


DOMAINS = {
    "poor": fgt("income_pc", 2300, 0),
    "gap": fgt("income_pc", 2300, 1),
    "gap2": fgt("income_pc", 2300, 2),
    "income_pc": mean("income_pc"),
    "mpoor": INDEX.H,
    "cmp": INDEX.M0,
    "A": INDEX.A,
    "total_poor": total("poor"),
}


@pytest.mark.parametrize("stages", FINITE)
@pytest.mark.parametrize("by", ["area", "minority"])
@pytest.mark.parametrize("key", DOMAINS)
def test_domains(key: str, by: str, stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    got = estimate(survey, FINITE[stages], [DOMAINS[key]], by=[by])
    want = oracle[stages][f"by_{by}_{key}"]
    assert [str(d) for d in got[by]] == want["domain"]
    np.testing.assert_allclose(got["estimate"], want["est"], **CLOSE)
    np.testing.assert_allclose(got["se"], want["se"], **CLOSE)


@pytest.mark.parametrize("j", DEPRIVATIONS)
def test_deprivations(j: str, survey: pd.DataFrame, oracle: dict) -> None:
    measures = [INDEX.uncensored(j), INDEX.censored(j), INDEX.contribution(j)]
    got = estimate(survey, DESIGN, measures)
    for row, key, scale in zip(
        got.itertuples(), ("uncensored", "censored", "contrib_pct"), (1, 1, 1), strict=True
    ):
        want = oracle["synth_wr"][f"{key}_{j}"]
        np.testing.assert_allclose(row.estimate * scale, want["est"], **CLOSE)
        np.testing.assert_allclose(row.se * scale, want["se"], **CLOSE)


@pytest.mark.parametrize("stages", FINITE)
def test_gini(stages: str, survey: pd.DataFrame) -> None:
    oracle = json.loads((ORACLES / "gini.json").read_text())[stages]
    got = estimate(survey, FINITE[stages], [gini("income_pc")]).iloc[0]
    want = oracle["overall"]
    np.testing.assert_allclose([got["estimate"], got["se"]], [want["est"], want["se"]], **CLOSE)
    if "by_area" in oracle:
        by_area = estimate(survey, FINITE[stages], [gini("income_pc")], by=["area"])
        np.testing.assert_allclose(by_area["estimate"], oracle["by_area"]["est"], **CLOSE)
        np.testing.assert_allclose(by_area["se"], oracle["by_area"]["se"], **CLOSE)


def test_interval_and_design_effect(survey: pd.DataFrame, oracle: dict) -> None:
    got = estimate(survey, DESIGN, [fgt("income_pc", 2300, 0)]).iloc[0]
    want = oracle["synth_wr"]["ci_mean_poor"]
    assert got["df"] == want["df"]
    np.testing.assert_allclose([got["ci_low"], got["ci_high"]], want["logit"], **CLOSE)
    deff = oracle["synth_wr"]["deff_mean_poor"]["deff_replace"]
    np.testing.assert_allclose(got["deff"], deff, **CLOSE)


def test_poststratified(survey: pd.DataFrame, oracle: dict) -> None:
    margins = oracle["calibration_margins"]
    known = dict(zip(margins["area"], margins["area_total"], strict=True))
    frame = survey.copy()
    reached = frame.groupby("area")["w_person"].transform("sum")
    frame["w"] = frame["w_person"] * frame["area"].map(lambda a: known[a]) / reached
    design = Design("county", "village", "w", poststrata="area")
    got = estimate(frame, design, [fgt("income_pc", 2300, 0), mean("income_pc")])
    want = oracle["synth_postStratify_area"]
    np.testing.assert_allclose(
        got["estimate"], [want["mean_poor"]["est"], want["mean_income"]["est"]], **CLOSE
    )
    np.testing.assert_allclose(
        got["se"], [want["mean_poor"]["se"], want["mean_income"]["se"]], **CLOSE
    )


@pytest.mark.parametrize("rule", ["certainty", "remove", "adjust", "average"])
def test_single_psus(rule: str, survey: pd.DataFrame, oracle: dict) -> None:
    # The oracle's sample: counties 7 and 8 lost all villages but the first.
    lost = survey["county"].isin([7, 8]) & ~survey["village"].isin([701, 801])
    frame = survey[~lost]
    design = Design("county", "village", "w_person", lonely=rule)
    want = oracle["synth_lonely"]
    measures = [fgt("income_pc", 2300, 0), mean("income_pc")]
    got = estimate(frame, design, measures)
    wanted = [want[f"poor_{rule}"], want[f"income_{rule}"]]
    np.testing.assert_allclose(got["estimate"], [w["est"] for w in wanted], **CLOSE)
    np.testing.assert_allclose(got["se"], [w["se"] for w in wanted], **CLOSE)
    by_area = estimate(frame, design, measures[:1], by=["area"])
    np.testing.assert_allclose(by_area["se"], want[f"by_area_poor_{rule}"]["se"], **CLOSE)


def test_a_single_psu_without_a_rule_is_an_error(survey: pd.DataFrame) -> None:
    frame = survey[~(survey["county"].eq(7) & survey["village"].ne(701))]
    with pytest.raises(PovmonError, match=r"single PSU: 7.*choose lonely="):
        estimate(frame, DESIGN, [mean("income_pc")])


@pytest.mark.parametrize("stages", FINITE)
@pytest.mark.parametrize("definition", ["math", "school", "hf7"])
def test_quantiles(definition: str, stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    want = oracle[stages][f"quantile_{definition}"]
    measures = [quantile("income_pc", p, definition) for p in want["p"]]
    got = estimate(survey, FINITE[stages], measures)
    np.testing.assert_allclose(got["estimate"], want["est"], **CLOSE)
    np.testing.assert_allclose(got[["ci_low", "ci_high"]], want["ci"], **CLOSE)
    np.testing.assert_allclose(got["se"], want["se"], **CLOSE)


@pytest.mark.parametrize("stages", FINITE)
def test_lorenz(stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    want = oracle[stages]["lorenz"]
    got = estimate(survey, FINITE[stages], [lorenz("income_pc", p) for p in want["p"]])
    np.testing.assert_allclose(got["estimate"], want["est"], **CLOSE)
    np.testing.assert_allclose(got["se"], want["se"], **CLOSE)


@pytest.mark.parametrize("stages", FINITE)
def test_contrast(stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    want = oracle[stages]["contrast_minority_poor"]
    both = joint(survey, FINITE[stages], fgt("income_pc", 2300, 0), by="minority")
    change = np.array([-1.0, 1.0])
    np.testing.assert_allclose(change @ both.estimate, want["est"], **CLOSE)
    np.testing.assert_allclose(np.sqrt(change @ both.covariance @ change), want["se"], **CLOSE)


@pytest.mark.parametrize("stages", FINITE)
def test_relative_line(stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    line = relative_line("income_pc", 0.6)
    measures = [fgt("income_pc", line, alpha, closed=True) for alpha in (0, 1)]
    got = estimate(survey, FINITE[stages], measures)
    want = oracle[stages]
    wanted = [want[f"fgt{alpha}_relq60"]["est"] for alpha in (0, 1)]
    np.testing.assert_allclose(got["estimate"], wanted, **CLOSE)
    np.testing.assert_allclose(got["se"].iloc[1], want["fgt1_relq60"]["se"], **CLOSE)


ON = ["hhsize", "minority", "altitude_km"]
# The oracle's fits: svyglm(log(income_pc + 50) ~ ...), and of poor with quasibinomial().
REGRESSIONS = {
    "ols": regression("log_income", ON),
    "logit_poor": regression("poor", ON, "logit"),
}


@pytest.mark.parametrize("stages", FINITE)
@pytest.mark.parametrize("key", REGRESSIONS)
def test_regression(key: str, stages: str, survey: pd.DataFrame, oracle: dict) -> None:
    frame = survey.assign(
        log_income=np.log(survey["income_pc"] + 50), altitude_km=survey["altitude"] / 1000
    )
    got = estimate(frame, FINITE[stages], REGRESSIONS[key].coefficients)
    want = oracle[stages][key]
    np.testing.assert_allclose(got["estimate"], want["est"], **CLOSE)
    np.testing.assert_allclose(got["se"], want["se"], **CLOSE)
