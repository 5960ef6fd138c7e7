"""Coverage of the intervals that `estimate` gives: `make coverage` writes docs/coverage.md.

    python -m benchmarks.coverage [--samples 4000] [--bootstrap-samples 1000] [--out docs]

Seeded: the same numbers on each run. Two processes; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks import coverage_census as census
from benchmarks import coverage_report as report
from benchmarks.coverage_population import (
    CUTOFF,
    LINE,
    TAILS,
    WEIGHTS,
    Population,
    generate,
    truth,
)
from benchmarks.coverage_run import Scenario, run, run_bootstrap
from benchmarks.coverage_sampling import four_to_seven, pps_plan, published_plan, simple_plan
from povmon.errors import PovmonError
from povmon.estimate import fgt, gini, mean, multidimensional
from povmon.estimate.measures.base import Measure

SEED = 2010
COUNTIES = 60
TAILED = [f"Gini {name}" for name in TAILS]


@dataclass(frozen=True)
class Effort:
    """How much to compute."""

    samples: int
    bootstrap_samples: int
    replicates: int


def main(arguments: list[str] | None = None) -> int:
    """Run all scenarios and write the report."""
    parser = argparse.ArgumentParser(prog="coverage", description=str(__doc__).splitlines()[0])
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--bootstrap-samples", type=int, default=1000)
    parser.add_argument("--replicates", type=int, default=399)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    asked = parser.parse_args(arguments)
    effort = Effort(asked.samples, asked.bootstrap_samples, asked.replicates)
    try:
        found = [*of_areas(effort), *of_baseline(effort), *of_pairs(effort), *of_census(effort)]
        _, source = census.load()
    except PovmonError as error:
        print(error, file=sys.stderr)
        return 1
    report.write(found, source, effort.replicates, asked.out)
    print(f"written: {asked.out / 'coverage.md'}")
    return 0


def of_areas(effort: Effort) -> list[report.Section]:
    """60 counties of the 14 areas, drawn in two ways."""
    population = generate(SEED, (80, 240), 250, COUNTIES)
    villages = four_to_seven(COUNTIES)
    true = truth(population, LINE, WEIGHTS, CUTOFF, TAILS)
    measures = poverty("income", LINE, WEIGHTS, CUTOFF) | tails()
    size = f"{COUNTIES} counties, {villages.sum()} villages (4 to 7 a county), 12 households each"
    by_size = Scenario(1, "Villages by size", population, pps_plan(villages, 12), measures, true)
    simple = Scenario(2, "Two simple stages", population, simple_plan(villages, 12), measures, true)
    about = describe(population)
    return [
        section(by_size, f"{size}; {report.PPS} {about}", effort, ["gap", "M0", *TAILED]),
        section(simple, f"{size}; {report.SIMPLE} {about}", effort),
    ]


def of_baseline(effort: Effort) -> list[report.Section]:
    """The project's own design: 680 counties, 8 villages each, 10 households a village."""
    population = generate(SEED + 1, (70, 150), 60)
    true = truth(population, LINE, WEIGHTS, CUTOFF, TAILS)
    measures = poverty("income", LINE, WEIGHTS, CUTOFF) | tails()
    plan = published_plan(8, 10)
    scenario = Scenario(3, "Baseline survey", population, plan, measures, true)
    return [section(scenario, f"{report.BASELINE} {describe(population)}", effort)]


def of_pairs(effort: Effort) -> list[report.Section]:
    """Two villages in each of 60 counties, the whole taken as one area."""
    population = generate(SEED, (80, 240), 250, COUNTIES)
    population = replace(population, area=np.full(COUNTIES, "all"))
    true = truth(population, LINE, WEIGHTS, CUTOFF, TAILS)
    plan = pps_plan(np.full(COUNTIES, 2), 12)
    scenario = Scenario(4, "Two villages a county", population, plan, tails(), true)
    return [section(scenario, report.PAIRS, effort, TAILED)]


def of_census(effort: Effort) -> list[report.Section]:
    """Samples from the census that the package svy ships, with both population sizes."""
    frame, _ = census.load()
    designs = [([], 32), ([], 66), (census.STRATA, 5), (census.STRATA, 10)]
    sections = []
    for key, (strata, areas) in enumerate(designs, start=5):
        population = census.population(frame, strata)
        line = census.line(population)
        number = np.full(len(population.area), areas)
        measures = poverty("income", line, census.WEIGHTS, census.CUTOFF)
        true = truth(population, line, census.WEIGHTS, census.CUTOFF)
        title = f"Census, {len(number)} x {areas}" if strata else f"Census, {areas} of 133"
        plan = simple_plan(number, 20)
        scenario = Scenario(key, title, population, plan, measures, true)
        words = report.census_words(len(number), areas, 20, line, true)
        names = ["gap", "M0", "Gini"]
        sections.append(section(scenario, words, effort, names))
    return sections


def section(
    scenario: Scenario, words: str, effort: Effort, bootstrapped: Sequence[str] = ()
) -> report.Section:
    """Run a scenario, and the bootstrap-t intervals of some of its measures."""
    outcome = run(scenario, effort.samples, SEED)
    names, boot = list(bootstrapped), None
    if names:
        boot = run_bootstrap(scenario, names, effort.bootstrap_samples, effort.replicates, SEED)
    return report.Section(scenario.title, words, scenario.areas, outcome, names, boot)


def poverty(
    income: str, line: float, weights: dict[str, Fraction], cutoff: Fraction
) -> dict[str, Measure]:
    """The measures that the requirement names, with the mean and the Gini coefficient."""
    return {
        "headcount": fgt(income, line, 0),
        "gap": fgt(income, line, 1),
        "M0": multidimensional(weights, cutoff).M0,
        "mean": mean(income),
        "Gini": gini(income),
    }


def tails() -> dict[str, Measure]:
    """Gini coefficients of the incomes with declared tails."""
    return {f"Gini {name}": gini(name) for name in TAILS}


def describe(population: Population) -> str:
    """The size of a population in a sentence."""
    return (
        f"The population: {len(population.area)} counties, {len(population.households):,} "
        f"villages of {population.households.min()} to {population.households.max()} households, "
        f"{population.households.sum():,} households."
    )


if __name__ == "__main__":
    sys.exit(main())
