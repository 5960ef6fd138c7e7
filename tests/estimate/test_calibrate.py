"""Calibration, raking and post-stratification: R's numbers, properties, bad input."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import Design, estimate, fgt, gini, mean, relative_line, total
from povmon.estimate.calibration.calibrate import calibrate, poststratify, rake
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.residuals import Residuals
from povmon.estimate.core.variance import lay_cells, variance
from povmon.estimate.design import lay

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DESIGN = Design("county", "village", "w_person")
CLOSE = {"rtol": 1e-9, "atol": 0.0}
Made = tuple[pd.DataFrame, Design]


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    frame = pd.read_csv(ORACLES / "survey.csv")
    frame["poor"] = (frame["income_pc"] < 2300) * 1.0
    return frame


@pytest.fixture(scope="module")
def oracle() -> dict:
    return json.loads((ORACLES / "estimates.json").read_text())


@pytest.fixture(scope="module")
def margins(oracle: dict) -> dict:
    known = oracle["calibration_margins"]
    return {
        name: dict(zip(known[name], known[f"{name}_total"], strict=True))
        for name in ("area", "minority")
    }


MAKE: dict[str, Callable[[pd.DataFrame, dict], Made]] = {
    "synth_postStratify_area": lambda f, m: poststratify(f, DESIGN, "area", m["area"]),
    "synth_rake": lambda f, m: rake(f, DESIGN, m),
    "synth_calibrate_linear": lambda f, m: calibrate(f, DESIGN, m),
    "synth_calibrate_raking": lambda f, m: calibrate(f, DESIGN, m, "raking"),
    "synth_calibrate_logit": lambda f, m: calibrate(f, DESIGN, m, "logit", (0.5, 2)),
}


@pytest.mark.parametrize("key", MAKE)
def test_equal_to_r(key: str, survey: pd.DataFrame, oracle: dict, margins: dict) -> None:
    frame, design = MAKE[key](survey, margins)
    want = oracle[key]
    if "weights_first20" in want:
        got = frame[design.weight].head(20)
        np.testing.assert_allclose(got, want["weights_first20"]["est"], **CLOSE)
    table = estimate(frame, design, [fgt("income_pc", 2300, 0), mean("income_pc")])
    for row, name in zip(table.itertuples(), ("mean_poor", "mean_income"), strict=True):
        np.testing.assert_allclose(
            [row.estimate, row.se], [want[name]["est"], want[name]["se"]], **CLOSE
        )


def test_the_input_is_not_changed(survey: pd.DataFrame, margins: dict) -> None:
    before = survey.copy()
    frame, design = rake(survey, DESIGN, margins, weight="w_new")
    pd.testing.assert_frame_equal(survey, before)
    pd.testing.assert_frame_equal(frame.drop(columns="w_new"), before)
    assert design.weight == "w_new"
    assert design.calibration is not None and design.calibration.weight == "w_person"
    assert hash(design) == hash(rake(survey, DESIGN, margins, weight="w_new")[1])


# --- an independent derivation of the variance ---------------------------------------------


def dense(frame: pd.DataFrame, design: Design, categories: list[str], numeric: list[str],
          values: np.ndarray, domain: np.ndarray, regression: np.ndarray) -> float:  # fmt: skip
    """Variance of one domain's estimate, row by row with dense matrices and numpy's lstsq."""
    columns = [pd.get_dummies(frame[c]).to_numpy(float) for c in categories]
    x = np.column_stack([*columns, *(frame[c].to_numpy(float) for c in numeric)])
    z = np.where(domain, values, 0.0)
    root = np.sqrt(regression)
    slope = np.linalg.lstsq(x * root[:, None], z * root, rcond=None)[0]
    contribution = frame[design.weight] * (z - x @ slope)
    result = 0.0
    for _, rows in frame.groupby(design.strata):
        totals = contribution[rows.index].groupby(rows[design.psu]).sum()
        result += len(totals) * totals.var(ddof=1)
    return result


@pytest.mark.slow
@pytest.mark.parametrize("method", ["linear", "raking", "logit", "proportional"])
@pytest.mark.parametrize("by", ["county", "area", "minority"])
def test_domains(method: str, by: str, survey: pd.DataFrame, margins: dict) -> None:
    """Rows outside a domain have residuals too."""
    altitude = float(survey["altitude"] @ survey["w_person"]) * 1.01
    if method == "proportional":
        frame, design = rake(survey, DESIGN, margins, residuals="base")
    else:
        bounds = (0.4, 2.5) if method == "logit" else None
        known = {**margins, "altitude": altitude}
        frame, design = calibrate(survey, DESIGN, known, method, bounds)  # type: ignore[arg-type]
    numeric = [] if method == "proportional" else ["altitude"]
    table = estimate(frame, design, [mean("income_pc"), total("poor")], by=[by])
    w, y = frame[design.weight], frame["income_pc"]
    for value, rows in itertools.islice(table.groupby(by), 3):
        inside = (frame[by] == value).to_numpy()
        size = w[inside].sum()
        centre = (w * y)[inside].sum() / size
        for se, z in zip(rows["se"], ((y - centre) / size, frame["poor"]), strict=True):
            want = dense(frame, design, ["area", "minority"], numeric, z.to_numpy(), inside,
                         frame["w_person"].to_numpy())  # fmt: skip
            np.testing.assert_allclose(se**2, want, rtol=1e-8)


def test_gini_under_calibration(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = calibrate(survey, DESIGN, margins)
    one = estimate(frame, design, gini("income_pc"))["se"].iloc[0]
    without = estimate(frame, Design("county", "village", design.weight), gini("income_pc"))
    assert one != pytest.approx(without["se"].iloc[0], rel=1e-4)
    # A jackknife that calibrates again is an independent measure of the same error.
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    thetas, factors = [], []
    counts = frame.groupby("county")["village"].nunique()
    full = estimate(frame, design, gini("income_pc"))["estimate"].iloc[0]
    for village, rows in itertools.islice(frame.groupby("village"), 0, None, 4):
        n = counts[rows["county"].iloc[0]]
        same = frame["county"].eq(rows["county"].iloc[0])
        factor = np.where(frame["village"].eq(village), 0.0, np.where(same, n / (n - 1), 1.0))
        again = frame.assign(r=auxiliaries.recalibrate(auxiliaries.base * factor))
        plain = Design("county", "village", "r")
        thetas.append(estimate(again, plain, gini("income_pc"))["estimate"].iloc[0])
        factors.append((n - 1) / n)
    jackknife = 4 * np.sum(np.array(factors) * (np.array(thetas) - full) ** 2)
    assert one == pytest.approx(np.sqrt(jackknife), rel=0.15)


def test_blocks_of_domains_make_no_difference(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = calibrate(survey, DESIGN, margins)
    sample, domains = lay(frame, design), lay_domains(frame, ["county"])
    layout = lay_cells(sample, domains)
    values = (frame["poor"] - 0.5).to_numpy()
    totals = layout.sum(sample.weight * values)

    def variances(at_once: int) -> np.ndarray:
        blocks = Residuals(sample, domains, layout).blocks(totals, values, at_once=at_once)
        parts = [variance(sample, cells, b.stop - b.start, t) for b, cells, t in blocks]
        return np.concatenate(parts)

    np.testing.assert_array_equal(variances(2**22), variances(17 * 336))


def test_a_line_estimated_on_calibrated_weights(survey: pd.DataFrame, margins: dict) -> None:
    """Rows outside a domain count twice: through the line and through the auxiliaries."""
    line = relative_line("income_pc", 0.6, "mean")
    frame, design = calibrate(survey, DESIGN, margins)
    got = estimate(frame, design, fgt("income_pc", line, 1), by="area").iloc[0]
    # The gap below 0.6 times the mean of all, as a smooth function of weights: derivatives by
    # differences of the whole estimate, calibrated again.
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    y, inside = frame["income_pc"].to_numpy(float), frame["area"].eq(1).to_numpy()

    def theta(base: np.ndarray) -> float:
        w = auxiliaries.recalibrate(base)
        z = 0.6 * (w @ y) / w.sum()
        return float((w * np.maximum(1 - y / z, 0))[inside].sum() / w[inside].sum())

    village = frame.groupby("village").ngroup().to_numpy()
    influence = np.empty(village.max() + 1)
    for j in range(len(influence)):
        step = 1e-4 * (village == j)
        up, down = (theta(auxiliaries.base * (1 + sign * step)) for sign in (1, -1))
        influence[j] = (up - down) / 2e-4
    county = frame.groupby("village")["county"].first().to_numpy()
    by_county = pd.Series(influence).groupby(county)
    want = (by_county.var(ddof=1) * by_county.size()).sum()
    # Exact derivatives weight the residuals by the base weights' ratio: the same to first order.
    assert got["se"] ** 2 == pytest.approx(want, rel=0.02)


@pytest.mark.parametrize("method", ["linear", "raking"])
def test_residuals_are_the_derivative_at_base_weights(method: str, survey: pd.DataFrame) -> None:
    """Where the base weights meet the totals already, the residuals are exact derivatives."""
    known = survey.groupby("area")["w_person"].sum().to_dict()
    other = survey.groupby("minority")["w_person"].sum().to_dict()
    totals = {"area": known, "minority": other,
              "altitude": float(survey["altitude"] @ survey["w_person"])}  # fmt: skip
    frame, design = calibrate(survey, DESIGN, totals, method)  # type: ignore[arg-type]
    auxiliaries = lay(frame, design).calibration
    assert auxiliaries is not None
    y = frame["income_pc"].to_numpy(float)
    inside = frame["county"].eq(9).to_numpy()

    def theta(base: np.ndarray) -> float:
        w = auxiliaries.recalibrate(base)
        return float((w * y)[inside].sum() / w[inside].sum())

    village = frame.groupby("village").ngroup().to_numpy()
    influence = np.empty(village.max() + 1)
    for j in range(len(influence)):
        step = 1e-3 * (village == j)
        up, down = (theta(auxiliaries.base * (1 + sign * step)) for sign in (1, -1))
        influence[j] = (up - down) / 2e-3
    county = frame.groupby("village")["county"].first().to_numpy()
    by_county = pd.Series(influence).groupby(county)
    want = (by_county.var(ddof=1) * by_county.size()).sum()
    got = estimate(frame, design, mean("income_pc"), by="county").query("county == 9")
    np.testing.assert_allclose(got["se"].iloc[0] ** 2, want, rtol=1e-5)


def test_two_stages(survey: pd.DataFrame, margins: dict) -> None:
    """With finite populations the last stage's units are rows."""
    base = Design("county", "village", "w_person", fpc=("stage1_fpc", "stage2_fpc"))
    frame, design = calibrate(survey, base, margins)
    by_area = estimate(frame, design, [total("poor")], by=["area"])
    # The first area alone, as a column that is zero elsewhere in a single domain.
    frame["own"] = np.where(frame["area"].eq(1), frame["poor"], 0.0)
    alone = estimate(frame, design, [total("own")])
    np.testing.assert_allclose(by_area["se"].iloc[0], alone["se"].iloc[0], rtol=1e-9)
    wr = Design("county", "village", "w_person")
    assert alone["se"].iloc[0] < estimate(*calibrate(survey, wr, margins), total("poor"))["se"][0]


def test_size_counts_the_members_of_households(survey: pd.DataFrame, margins: dict) -> None:
    """Household weights to totals of persons are person weights to the same totals."""
    by_household = Design("county", "village", "w_hh")
    for method, bounds in (("linear", None), ("raking", None), ("logit", (0.5, 2.0))):
        persons, _ = calibrate(survey, DESIGN, margins, method, bounds)  # type: ignore[arg-type]
        households, design = calibrate(
            survey, by_household, margins, method, bounds, size="hhsize"  # type: ignore[arg-type]
        )  # fmt: skip
        np.testing.assert_allclose(
            households[design.weight] / households["w_hh"],
            persons["w_person_calibrated"] / persons["w_person"],
            rtol=1e-9,
        )
        got = estimate(households, design, total("hhsize"))
        assert got["se"].iloc[0] < 1e-6 * got["estimate"].iloc[0]


def test_poststrata_of_a_design_are_a_calibration(survey: pd.DataFrame, margins: dict) -> None:
    frame, known = poststratify(survey, DESIGN, "area", margins["area"])
    same = Design("county", "village", known.weight, poststrata="area")
    for by in (None, "county", "minority"):
        one, two = (estimate(frame, d, [mean("income_pc")], by=by) for d in (known, same))
        np.testing.assert_allclose(one["se"], two["se"], rtol=1e-12)


def test_poststrata_of_a_size(survey: pd.DataFrame, margins: dict) -> None:
    base = Design("county", "village", "w_hh")
    frame, design = poststratify(survey, base, "area", margins["area"], "hhsize")
    persons = frame[design.weight] * frame["hhsize"]
    reached = persons.groupby(frame["area"]).sum()
    np.testing.assert_allclose(reached, list(margins["area"].values()), rtol=1e-12)
    # Households of a size counted by persons: the ratio model.
    for by in (None, "county"):
        same = replace(base, weight=design.weight, poststrata="area", size="hhsize")
        one, two = (estimate(frame, d, mean("income_pc"), by=by) for d in (design, same))
        np.testing.assert_allclose(one["se"], two["se"], rtol=1e-12)


def test_combinations_of_columns(survey: pd.DataFrame) -> None:
    pairs = survey.groupby(["area", "minority"])["w_person"].sum() * 1.1
    one, design = poststratify(survey, DESIGN, ["area", "minority"], pairs)
    two, _ = calibrate(survey, DESIGN, {("area", "minority"): pairs.to_dict()}, weight="g")
    np.testing.assert_allclose(one[design.weight], survey["w_person"] * 1.1, rtol=1e-12)
    np.testing.assert_allclose(two["g"], one[design.weight], rtol=1e-12)


def test_population_and_a_numeric_total(survey: pd.DataFrame) -> None:
    known = float(survey["w_person"].sum()) * 1.02
    frame, design = calibrate(
        survey, DESIGN, {"altitude": known * 1900}, "raking", population=known
    )
    w = frame[design.weight]
    np.testing.assert_allclose([w.sum(), w @ frame["altitude"]], [known, known * 1900], rtol=1e-9)
    one = estimate(frame, design, mean("altitude"))
    assert one["se"].iloc[0] < 1e-9 * one["estimate"].iloc[0]


def test_collinear_columns_change_nothing(survey: pd.DataFrame, margins: dict) -> None:
    """A margin twice, and a numeric column that a margin implies, add nothing."""
    frame = survey.assign(copy=survey["area"], odd=survey["area"] % 2)
    odd = float(sum(t for area, t in margins["area"].items() if area % 2))
    one, plain = calibrate(frame, DESIGN, margins, weight="g")
    two, more = calibrate(frame, DESIGN, {**margins, "copy": margins["area"], "odd": odd},
                          weight="g")  # fmt: skip
    np.testing.assert_allclose(one["g"], two["g"], rtol=1e-10)
    a, b = (estimate(f, d, mean("income_pc"), by="area") for f, d in ((one, plain), (two, more)))
    np.testing.assert_allclose(a["se"], b["se"], rtol=1e-8)


def test_a_category_of_total_zero_needs_no_rows(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = poststratify(survey, DESIGN, "area", {**margins["area"], 99: 0.0})
    want, _ = poststratify(survey, DESIGN, "area", margins["area"])
    np.testing.assert_array_equal(frame[design.weight], want[design.weight])


def test_rows_left_out_after_calibration(survey: pd.DataFrame, margins: dict) -> None:
    frame, design = calibrate(survey, DESIGN, margins)
    with pytest.raises(PovmonError, match="calibrated weights add up to .*choose domains with by="):
        estimate(frame[frame.index % 5 > 0], design, mean("income_pc"))


def test_sizes_that_are_wrong(survey: pd.DataFrame, margins: dict) -> None:
    design = Design("county", "village", "w_hh")
    bad = survey.assign(hhsize=survey["hhsize"].where(survey.index != 5))
    with pytest.raises(PovmonError, match="row 5: column 'hhsize' is missing"):
        calibrate(bad, design, margins, size="hhsize")
    with pytest.raises(PovmonError, match="'hhsize' is negative"):
        calibrate(survey.assign(hhsize=-1), design, margins, size="hhsize")
    with pytest.raises(PovmonError, match="positive size"):
        calibrate(survey.assign(hhsize=survey["hhsize"] - 1), design,
                  {**margins, "altitude": 1e9}, size="hhsize")  # fmt: skip
