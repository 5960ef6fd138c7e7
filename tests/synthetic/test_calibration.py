from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.synthetic.conftest import make_root

from povmon.synthetic.assumptions import AccessTarget, AreaTarget
from povmon.synthetic.calibrate import allocate, fit_area
from povmon.synthetic.calibration import (
    calibration_report,
    intra_village,
    kish,
    main_calibration,
)


def test_fit_area_meets_headcount_and_mean_together() -> None:
    rng = np.random.default_rng(3)
    z, weight = rng.standard_normal(4000) * 0.6, rng.uniform(1, 3, 4000)
    fixed = np.where(np.arange(4000) < 10, -500.0, np.nan)
    target = AreaTarget("x", 1, 0.4, (0, 1), 3300.0, "", "")
    location, scale = fit_area(z, weight, fixed, target)
    income = np.where(np.isnan(fixed), np.exp(location + scale * z), fixed)
    assert np.average(income < 2300, weights=weight) == pytest.approx(0.4, abs=0.001)
    assert np.average(income, weights=weight) == pytest.approx(3300, rel=1e-6)


def test_allocate_meets_area_key_and_other_shares() -> None:
    rng = np.random.default_rng(4)
    number = 20_000
    population = pd.DataFrame(
        {
            "area": rng.choice(["a", "b"], number),
            "flagged": rng.random(number) < 0.6,
            "w_hh": rng.uniform(1, 5, number),
        }
    )
    target = AccessTarget(key=0.6, better=0.25, areas={"a": 0.3}, published=True)
    has = allocate(rng.standard_normal(number), population, target)

    def share(rows: pd.Series) -> float:
        return float(np.average(has[rows], weights=population["w_hh"][rows]))

    assert share(population["area"] == "a") == pytest.approx(0.3, abs=0.001)
    assert share(population["flagged"]) == pytest.approx(0.6, abs=0.001)
    other = (population["area"] == "b") & ~population["flagged"]
    assert share(other) == pytest.approx(0.7, abs=0.001)


def test_intra_village_finds_the_correlation_put_in() -> None:
    rng = np.random.default_rng(5)
    village = np.repeat(np.arange(1600), 10)
    log_income = 8 + 0.3 * rng.standard_normal(1600)[village] + 0.6 * rng.standard_normal(16_000)
    frame = pd.DataFrame(
        {"county_id": village // 8, "village_id": village, "income_pc": np.exp(log_income)}
    )
    assert intra_village(frame) == pytest.approx(0.2, abs=0.02)


def test_kish_effect() -> None:
    assert kish(np.array([2.0, 2.0])) == 1
    assert kish(np.array([1.0, 3.0])) == pytest.approx(2 * 10 / 16)


@pytest.mark.usefixtures("demo")
def test_demo_meets_its_targets() -> None:
    frames = calibration_report("demo")
    targets = frames["targets"]
    assert targets["within"].all(), targets[~targets["within"]].to_string()
    assert {"headcount", "mean income", "water_safe"} <= set(targets["item"])
    assert targets["audited"].isna().all()
    together = frames["areas"].set_index("area").loc["areas combined"]
    assert together["consumption_to_income"] == pytest.approx(0.85, abs=0.01)
    assert frames["pyramid"]["both"].sum() == pytest.approx(100)
    assert frames["household_size"]["households"].sum() == pytest.approx(100)


@pytest.mark.usefixtures("demo")
def test_the_report_prints_targets_and_what_was_reached() -> None:
    text = main_calibration("demo")
    for part in ("headcount", "carried back" if "liupan" in text else "declared", "kish", "80+"):
        assert part in text


@pytest.mark.slow
def test_baseline_meets_every_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(make_root(tmp_path, "baseline2010")))
    frames = calibration_report("baseline2010")
    targets = frames["targets"]
    assert targets["within"].all(), targets[~targets["within"]].to_string()
    found = targets.set_index(["scope", "item"])["clean"]
    assert 0.36 <= found["areas combined", "headcount"] <= 0.41
    assert 0.34 <= found["wuling", "headcount"] <= 0.36
    assert 0.44 <= found["liupan", "headcount"] <= 0.48
    assert 0.39 <= found["dianxi", "headcount"] <= 0.47
    assert 0.23 <= found["dabie", "headcount"] <= 0.30
    assert found["dabie", "mean income"] == pytest.approx(4275.9, rel=0.01)
    pyramid = frames["pyramid"]
    assert (pyramid["both"] - pyramid["declared"]).abs().max() < 0.5
    young = pyramid.head(3)
    assert (young["male"].sum() / young["female"].sum()) == pytest.approx(1.18, abs=0.03)
    sexes = pyramid["male"].sum() / pyramid["female"].sum()
    assert 1.03 < sexes < 1.09
    assert 3.9 < frames["areas"]["household_size"].iloc[-1] < 4.2
