"""Repeated samples: draw, estimate, compare with the truth."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True)
class Scenario:
    """A population, a plan, measures and their true values.

    Shapes: D areas, K measures.

    Parameters
    ----------
    key : number that the random numbers of this scenario start from, with the seed.
    truth : measure -> area -> value.
    rows : a function of the sample that returns row values (n,) whose weighted means are the
        first measures: for their effective degrees of freedom.
    """

    key: int
    title: str
    population: Population
    plan: Plan
    measures: dict[str, Measure]
    truth: dict[str, dict[str, float]]
    rows: Callable[[pd.DataFrame], list[Floats]] | None = None

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
    effective_df: Floats | None  # (S, D, J) for the first J measures

    @property
    def covered(self) -> Floats:
        """1 where the interval holds the truth, (S, D, K)."""
        return inside(self.low, self.high, self.truth)

    def alternative(self, name: str, *, bounded: bool, effective: bool = False) -> Floats:
        """Coverage (S, D) of another interval of a measure from the same standard errors.

        Parameters
        ----------
        bounded : a logit interval instead of Student's.
        effective : Satterthwaite's degrees of freedom.
        """
        k = self.names.index(name)
        df: Any = self.df[..., k]
        if effective:
            assert self.effective_df is not None
            df = self.effective_df[..., k]
        value, se = self.estimate[..., k], self.se[..., k]
        low, high = interval(value, se, df, level=LEVEL, bounded=bounded)
        return inside(low, high, self.truth[:, k])


def inside(low: Floats, high: Floats, truth: Floats) -> Floats:
    """1 where low <= truth <= high, 0 elsewhere, and where there is no interval."""
    return ((low <= truth) & (truth <= high)).astype(np.float64)


def run(scenario: Scenario, samples: int, seed: int) -> Outcome:
    """Draw and estimate `samples` samples."""
    names = list(scenario.measures)
    d, k = len(scenario.areas), len(names)

    def one(number: int) -> tuple[Floats, Floats]:
        frame = scenario.sample(seed, number)
        table = estimate(
            frame, scenario.plan.design, list(scenario.measures.values()), "area", level=LEVEL
        )
        columns = table[["estimate", "se", "ci_low", "ci_high", "df"]]
        found = columns.to_numpy(dtype=np.float64).reshape(d, k, 5)
        df = np.empty((d, 0))
        if scenario.rows is not None:
            centre = scenario.plan.design.poststrata or "area"
            df = effective_df(frame, scenario.rows(frame), centre)
        return found, df

    found = list(_spread(one, samples, scenario.title))
    whole = np.stack([f[0] for f in found])
    df = np.stack([f[1] for f in found])
    value, se, low, high, degrees = np.moveaxis(whole, -1, 0)
    known = df if df.shape[2] else None
    return Outcome(names, scenario.true(names), value, se, low, high, degrees, known)


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


def effective_df(frame: pd.DataFrame, rows: list[Floats], centre: str) -> Floats:
    """Satterthwaite's degrees of freedom of weighted means by area, (D, J).

    df = (sum_h v_h)^2 / sum_h [v_h^2 / (n_h - 1)], v_h the stratum's estimated variance (first
    stage, with replacement). Areas are made up of counties, the strata.

    Parameters
    ----------
    centre : column whose groups' means the residuals are from: the area, or the post-stratum.

    Source: Satterthwaite (1946), Biometrics Bulletin 2; for surveys Rust and Rao (1996),
    Statistical Methods in Medical Research 5.
    """
    village, county, area, group = (
        pd.factorize(frame[name], sort=True)[0] for name in ("village", "county", "area", centre)
    )
    county_of_village = np.zeros(village.max() + 1, dtype=np.int64)
    county_of_village[village] = county
    area_of_county = np.zeros(county.max() + 1, dtype=np.int64)
    area_of_county[county] = area
    weight = frame["weight"].to_numpy()
    n = np.bincount(county_of_village)
    out = np.empty((area.max() + 1, len(rows)))
    for j, values in enumerate(rows):
        mean = np.bincount(group, weight * values) / np.bincount(group, weight)
        total = np.bincount(village, weight * (values - mean[group]))
        middle = (np.bincount(county_of_village, total) / n)[county_of_village]
        squares = np.bincount(county_of_village, (total - middle) ** 2)
        v = squares * n / np.maximum(n - 1, 1)
        below = np.bincount(area_of_county, v**2 / np.maximum(n - 1, 1))
        whole = np.bincount(area_of_county, v)
        out[:, j] = np.divide(whole**2, below, out=np.ones(len(below)), where=below > 0)
    return np.maximum(out, 1.0)


_TASK: list[Callable[[int], tuple[Floats, Floats]]] = []


def _chunk(numbers: Sequence[int]) -> list[tuple[Floats, Floats]]:
    return [_TASK[0](n) for n in numbers]


def _spread(
    one: Callable[[int], tuple[Floats, Floats]], samples: int, title: str
) -> Iterator[tuple[Floats, Floats]]:
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
