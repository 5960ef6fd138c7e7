"""Repeated samples: draw, estimate, compare with the truth."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import Progress

from benchmarks.coverage_population import Floats, Population
from benchmarks.coverage_sampling import Plan
from povmon.estimate import estimate, interval
from povmon.estimate.measures.base import Measure
from povmon.estimate.replicates.bootstrap_t import bootstrap_t

PROCESSES = 2
CHUNK = 10
LEVEL = 0.95
T = TypeVar("T")


@dataclass(frozen=True)
class Scenario:
    """A population, a plan, measures and their true values.

    Shapes: D areas, K measures.

    Parameters
    ----------
    key : number that the random numbers of this scenario start from, with the seed.
    truth : measure -> area -> value.
    """

    key: int
    title: str
    population: Population
    plan: Plan
    measures: dict[str, Measure]
    truth: dict[str, dict[str, float]]

    @property
    def areas(self) -> list[str]:
        """Names of the areas, in the order of `estimate`."""
        return sorted(next(iter(self.truth.values())))

    def true(self, names: Sequence[str]) -> Floats:
        """True values (D, K)."""
        return np.array([[self.truth[m][a] for m in names] for a in self.areas])

    def sample(self, seed: int, number: int) -> pd.DataFrame:
        """The sample with this number: the same whichever process draws it."""
        return self.plan.draw(self.population, np.random.default_rng([seed, self.key, number]))


@dataclass(frozen=True)
class Outcome:
    """What S samples gave. Shapes: S samples, D areas, K measures."""

    names: list[str]
    truth: Floats  # (D, K)
    estimate: Floats  # (S, D, K)
    se: Floats
    low: Floats
    high: Floats
    df: Floats  # PSUs less strata

    @property
    def covered(self) -> Floats:
        """1 where the interval holds the truth, (S, D, K)."""
        return inside(self.low, self.high, self.truth)

    def alternative(self, name: str, *, bounded: bool) -> Floats:
        """Coverage (S, D) of an interval of a measure from the same standard errors with PSUs
        less strata as degrees of freedom: Student's, or a logit one where `bounded`."""
        k = self.names.index(name)
        value, se, df = self.estimate[..., k], self.se[..., k], self.df[..., k]
        low, high = interval(value, se, df, level=LEVEL, bounded=bounded)
        return inside(low, high, self.truth[:, k])


def inside(low: Floats, high: Floats, truth: Floats) -> Floats:
    """1 where low <= truth <= high, 0 elsewhere, and where there is no interval."""
    return ((low <= truth) & (truth <= high)).astype(np.float64)


def run(scenario: Scenario, samples: int, seed: int) -> Outcome:
    """Draw and estimate `samples` samples."""
    names = list(scenario.measures)
    d, k = len(scenario.areas), len(names)

    def one(number: int) -> Floats:
        frame = scenario.sample(seed, number)
        table = estimate(
            frame, scenario.plan.design, list(scenario.measures.values()), "area", level=LEVEL
        )
        columns = table[["estimate", "se", "ci_low", "ci_high", "df"]]
        return columns.to_numpy(dtype=np.float64).reshape(d, k, 5)

    whole = np.stack(list(_spread(one, samples, scenario.title)))
    return Outcome(names, scenario.true(names), *np.moveaxis(whole, -1, 0))


def run_bootstrap(
    scenario: Scenario, names: list[str], samples: int, replicates: int, seed: int
) -> tuple[Floats, Floats]:
    """Coverage of bootstrap-t intervals, and their width over that of `estimate`'s (S, D, K)."""
    truth, shape = scenario.true(names), (len(scenario.areas), len(names), 2)
    measures = [scenario.measures[n] for n in names]

    def one(number: int) -> tuple[Floats, Floats]:
        frame, design = scenario.sample(seed, number), scenario.plan.design
        table = bootstrap_t(
            frame, design, measures, "area", replicates=replicates, seed=number, level=LEVEL
        )
        plain = estimate(frame, design, measures, "area", level=LEVEL)
        new, old = (
            t[["ci_low", "ci_high"]].to_numpy(dtype=np.float64).reshape(shape)
            for t in (table, plain)
        )
        return inside(new[..., 0], new[..., 1], truth), np.ptp(new, axis=2) / np.ptp(old, axis=2)

    found = list(_spread(one, samples, f"{scenario.title}: bootstrap-t"))
    return np.stack([f[0] for f in found]), np.stack([f[1] for f in found])


_TASK: list[Callable[[int], Any]] = []


def _chunk(numbers: Sequence[int]) -> list[Any]:
    return [_TASK[0](n) for n in numbers]


def _spread(one: Callable[[int], T], samples: int, title: str) -> Iterator[T]:
    """`one` of each number below `samples`, in order, by two processes with one population."""
    _TASK[:] = [one]
    chunks = [range(i, min(i + CHUNK, samples)) for i in range(0, samples, CHUNK)]
    # Forked, so that the population is not copied; results do not depend on who made them.
    fork = multiprocessing.get_context("fork")
    with fork.Pool(PROCESSES) as pool, Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task(title, total=samples)
        for found in pool.imap(_chunk, chunks):
            progress.advance(bar, len(found))
            yield from found
