"""The machinery of the coverage simulation, on samples small enough to check by hand."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from povmon.estimate import Design, estimate, fgt, gini, interval, mean, multidimensional

PROJECT = Path(__file__).parents[2]


def module(name: str) -> ModuleType:
    if str(PROJECT) not in sys.path:
        sys.path.insert(0, str(PROJECT))
    return importlib.import_module(f"benchmarks.{name}")


population = module("coverage_population")
sampling = module("coverage_sampling")
simulation = module("coverage_run")
census = module("coverage_census")
report = module("coverage_report")


@pytest.fixture(scope="module")
def villages():
    """Some 15,000 households in 45 counties of the 14 areas."""
    return population.generate(7, (8, 12), 30, 45)


@pytest.fixture(scope="module")
def true(villages):
    p = population
    return p.truth(villages, p.LINE, p.WEIGHTS, p.CUTOFF, p.TAILS)


def scenario(villages, true, plan):
    p = population
    measures = {
        "headcount": fgt("income", p.LINE, 0),
        "gap": fgt("income", p.LINE, 1),
        "M0": multidimensional(p.WEIGHTS, p.CUTOFF).M0,
        "mean": mean("income"),
        "Gini": gini("income"),
        "Gini pareto25": gini("pareto25"),
    }
    return simulation.Scenario(1, "test", villages, plan, measures, true)


def everybody(villages) -> pd.DataFrame:
    county = np.repeat(villages.county_of_village, villages.households)
    village = np.repeat(np.arange(len(villages.households)), villages.households)
    columns = pd.DataFrame(villages.columns)
    return columns.assign(
        county=county, village=village, area=villages.area[county], weight=columns["hhsize"]
    )


def test_the_truth_is_what_a_census_estimates(villages, true) -> None:
    case = scenario(villages, true, None)
    design = Design("county", "village", "weight")
    table = estimate(everybody(villages), design, list(case.measures.values()), "area")
    found = table["estimate"].to_numpy().reshape(len(case.areas), -1)
    np.testing.assert_allclose(found, case.true(list(case.measures)), rtol=1e-10)


def test_areas_keep_the_targets_of_the_generator(villages, true) -> None:
    from povmon.synthetic.assumptions import area_targets

    for area, target in area_targets().items():
        assert true["headcount"][area] == pytest.approx(target.headcount, abs=0.01)
        assert true["mean"][area] == pytest.approx(target.mean_income, rel=0.01)


def test_pareto_tails_have_the_declared_exponent(villages) -> None:
    for name, alpha in population.TAILS.items():
        x = np.sort(villages.columns[name])[::-1]
        number = int(0.05 * len(x))
        hill = 1 / np.mean(np.log(x[:number] / x[number]))  # Hill (1975)
        assert (hill > 3.4) if np.isinf(alpha) else hill == pytest.approx(alpha, rel=0.03)


def test_simple_samples_without_replacement_are_uniform() -> None:
    rng = np.random.default_rng(2)
    n = 20_000
    unit, drawn = sampling.without_replacement(rng, np.full(n, 5), np.full(n, 3))
    assert (np.bincount(unit) == 3).all()
    sets = np.sort(drawn.reshape(n, 3), axis=1)
    assert (np.diff(sets, axis=1) > 0).all()
    _, count = np.unique(sets, axis=0, return_counts=True)
    assert len(count) == 10  # each of the 10 sets, equally often
    assert ((count - n / 10) ** 2 / (n / 10)).sum() < 27.9  # chi-squared, 9 df, 0.1 %


def test_numbers_drawn_differ_by_unit() -> None:
    population_, take = np.array([4, 9, 6]), np.array([4, 1, 3])
    unit, drawn = sampling.without_replacement(np.random.default_rng(1), population_, take)
    assert list(np.bincount(unit)) == [4, 1, 3]
    assert sorted(drawn[unit == 0]) == [0, 1, 2, 3]
    assert (drawn < population_[unit]).all()


@pytest.mark.parametrize("plan", ["pps_plan", "simple_plan", "published_plan"])
def test_weights_are_inverse_chances(plan: str, villages) -> None:
    """Weighted persons and poor persons of an area are right on the average."""
    number = 3 if plan == "published_plan" else np.full(len(villages.area), 3)
    made = getattr(sampling, plan)(number, 6)
    frames = [made.draw(villages, np.random.default_rng([1, i])) for i in range(150)]

    def persons(frame: pd.DataFrame) -> list[float]:
        poor = frame["income"] < population.LINE
        return [frame["weight"].sum(), frame.loc[poor, "weight"].sum()]

    expected = np.array(persons(everybody(villages)))
    found = np.array([persons(f) for f in frames])
    error = found.std(axis=0) / np.sqrt(len(found))
    assert (np.abs(found.mean(axis=0) - expected) < 4 * error + 1e-9 * expected).all()


def test_a_run_covers_near_its_level_and_is_the_same_twice(villages, true) -> None:
    plan = sampling.pps_plan(np.full(len(villages.area), 4), 8)
    case = scenario(villages, true, plan)
    one, two = (simulation.run(case, 60, seed=3) for _ in range(2))
    for name in ("estimate", "se", "low", "high", "df"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    covered = one.covered[..., 0].mean()
    assert 0.91 < covered < 0.98
    low, high = interval(one.estimate, one.se, one.df)
    own = ((low <= one.truth) & (one.truth <= high))[..., 1]
    np.testing.assert_array_equal(one.alternative("gap", bounded=False), own)
    biased = replace(one, truth=one.truth * 1.5)
    assert biased.covered.mean() < 0.5


def test_the_verdict_follows_the_limits() -> None:
    covered = np.zeros((1000, 2))
    covered[:950] = 1
    assert report.verdict(covered) == (True, "met")
    covered[:915, 1], covered[915:, 1] = 1, 0
    assert report.verdict(covered) == (False, "outside: 1 of 2 areas")
    assert report.verdict(covered[:, 1:]) == (False, "outside: mean")


def test_the_census_is_whole_and_its_line_leaves_three_in_ten_poor() -> None:
    pytest.importorskip("svy")
    frame, source = census.load()
    assert len(frame) == 57_867 and "World Bank" in source
    for strata in ([], census.STRATA):
        made = census.population(frame, strata)
        assert made.households.sum() == 57_867 and len(made.households) == 133
        assert made.columns["hhsize"].sum() == frame["hhsize"].sum()
        line = census.line(made)
        true = population.truth(made, line, census.WEIGHTS, census.CUTOFF)
        assert true["headcount"]["all"] == pytest.approx(0.3, abs=0.001)
        assert 0.05 < true["M0"]["all"] < 0.5


def test_the_report_is_written(villages, true, tmp_path: Path) -> None:
    plan = sampling.simple_plan(np.full(len(villages.area), 4), 6)
    case = scenario(villages, true, plan)
    outcome = simulation.run(case, 4, seed=1)
    names = ["gap", "Gini pareto25"]
    boot = simulation.run_bootstrap(case, names, 3, 39, seed=1)
    made = report.Section("Test", "how it was drawn.", case.areas, outcome, names, boot)
    report.write([made], "the source.", 39, tmp_path)
    text = (tmp_path / "coverage.md").read_text(encoding="utf-8")
    assert "| Test | gap |" in text and "How it was drawn." in text
    assert (tmp_path / "images" / "coverage.png").stat().st_size > 10_000
