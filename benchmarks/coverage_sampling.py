"""Two-stage samples from a finite population."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.coverage_population import Floats, Ints, Population
from povmon.estimate import Design

Draw = Callable[[Population, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True)
class Plan:
    """A way to draw a sample and the design that it is estimated with.

    Parameters
    ----------
    draw : population, random generator -> one row a household drawn.
    design : given to `estimate` together with what `draw` returns.
    """

    draw: Draw
    design: Design


def without_replacement(
    rng: np.random.Generator, population: Ints, take: Ints
) -> tuple[Ints, Ints]:
    """Simple random samples without replacement of take[u] of population[u] units for each u.

    Floyd's algorithm (Bentley and Floyd 1987, CACM 30), for all u side by side.

    Returns
    -------
    u of each drawn unit and its number 0..population[u]-1.
    """
    most = int(take.max())
    drawn = np.full((len(take), most), -1, dtype=np.int64)
    for i in range(most):
        top = population - take + i  # the last unit that may be drawn at this step
        pick = np.floor(rng.random(len(take)) * (top + 1)).astype(np.int64)
        again = (drawn[:, :i] == pick[:, None]).any(axis=1)
        drawn[:, i] = np.where(i < take, np.where(again, top, pick), -1)
    inside = np.arange(most) < take[:, None]
    return np.nonzero(inside)[0], drawn[inside]


def with_probability(
    rng: np.random.Generator, size: Floats, county: Ints, take: Ints
) -> tuple[Ints, Floats]:
    """Villages drawn with replacement, with probability proportional to size, in each county.

    Returns
    -------
    village of each draw, and its weight 1 / (draws in the county x probability).
    """
    whole = np.bincount(county, size)
    upper = np.cumsum(size)
    of_draw = np.repeat(np.arange(len(take)), take)
    start = np.cumsum(whole) - whole
    point = start[of_draw] + rng.random(len(of_draw)) * whole[of_draw]
    village = np.searchsorted(upper, point, side="right").clip(max=len(size) - 1)
    return village, whole[of_draw] / (take[of_draw] * size[village])


def systematic(
    rng: np.random.Generator, size: Floats, county: Ints, take: int
) -> tuple[Ints, Floats]:
    """The same without replacement: systematically with one random start in each county."""
    whole = np.bincount(county, size)
    upper, start = np.cumsum(size), np.cumsum(whole) - whole
    step = whole / take
    points = start[:, None] + (np.arange(take) + rng.random((len(whole), 1))) * step[:, None]
    village = np.searchsorted(upper, points.ravel(), side="right").clip(max=len(size) - 1)
    return village, whole[county[village]] / (take * size[village])


def draw_pps(
    population: Population, rng: np.random.Generator, villages: Ints, households: int
) -> pd.DataFrame:
    """Villages with probability proportional to size, with replacement; then households.

    villages[c] are drawn in county c. A village drawn twice is two sampling units, each with its
    own households.
    """
    p = population
    village, weight = with_probability(rng, p.register, p.county_of_village, villages)
    return _households(p, rng, village, weight, households, np.arange(len(village)))


def draw_simple(
    population: Population, rng: np.random.Generator, villages: Ints, households: int
) -> pd.DataFrame:
    """Simple random samples without replacement at both stages, with both population sizes."""
    p = population
    in_county = np.bincount(p.county_of_village)
    first = np.cumsum(in_county) - in_county
    county, place = without_replacement(rng, in_county, villages)
    village = first[county] + place
    weight = (in_county / villages)[county]
    frame = _households(p, rng, village, weight, households, village)
    frame["villages"] = in_county[frame["county"].to_numpy()]
    frame["households"] = p.households[frame["village"].to_numpy()]
    return frame


def draw_as_published(
    population: Population, rng: np.random.Generator, villages: int, households: int
) -> pd.DataFrame:
    """As the project's surveys: systematic villages, weights scaled to the county's persons."""
    p = population
    village, weight = systematic(rng, p.register, p.county_of_village, villages)
    frame = _households(p, rng, village, weight, households, np.arange(len(village)))
    county, w = frame["county"].to_numpy(), frame["weight"].to_numpy()
    frame["weight"] = w * (p.persons / np.bincount(county, w))[county]
    return frame


def _households(
    p: Population, rng: np.random.Generator, village: Ints, weight: Floats, take: int, psu: Ints
) -> pd.DataFrame:
    """Households of the drawn villages by simple random sampling, with weights for persons."""
    size = p.households[village]
    unit, place = without_replacement(rng, size, np.full(len(village), take))
    row = p.first[village][unit] + place
    county = p.county_of_village[village][unit]
    data = {name: values[row] for name, values in p.columns.items()}
    data["weight"] = (weight * size / take)[unit] * data["hhsize"]
    frame = pd.DataFrame(data)
    return frame.assign(county=county, village=psu[unit], area=p.area[county])


def pps_plan(villages: Ints, households: int) -> Plan:
    """Villages[c] in county c with probability proportional to size, with replacement."""

    def draw(p: Population, rng: np.random.Generator) -> pd.DataFrame:
        return draw_pps(p, rng, villages, households)

    return Plan(draw, Design("county", "village", "weight"))


def simple_plan(villages: Ints, households: int) -> Plan:
    """Simple random sampling at both stages; the design knows both population sizes."""

    def draw(p: Population, rng: np.random.Generator) -> pd.DataFrame:
        return draw_simple(p, rng, villages, households)

    return Plan(draw, Design("county", "village", "weight", fpc=("villages", "households")))


def published_plan(villages: int, households: int) -> Plan:
    """The project's surveys: systematic villages, weights scaled to the counties' persons."""

    def draw(p: Population, rng: np.random.Generator) -> pd.DataFrame:
        return draw_as_published(p, rng, villages, households)

    return Plan(draw, Design("county", "village", "weight", poststrata="county"))


def four_to_seven(counties: int) -> Ints:
    """Villages to draw in each county: 4 to 7, the mean being 5.6."""
    return np.resize([4, 6, 5, 7, 6, 5, 6, 6, 5, 6], counties).astype(np.int64)
