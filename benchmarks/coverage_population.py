"""Finite populations of the 14 areas whose every true value is known.

Counties, incomes and the targets of each area come from the project's own generator
(`povmon.synthetic`): its counties with their income term, its model of log income (county,
village and household terms and an exponential term that makes the tail heavier than lognormal),
and its solution of location and scale for the area's headcount and mean. Deprivations fall with
income and rise with a hardship of the village.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from povmon.synthetic.assumptions import area_targets, load
from povmon.synthetic.calibrate import fit_area
from povmon.synthetic.frame import county_frame
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import standardise

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LINE = 2300.0
DEPRIVATIONS = [f"d{j}" for j in range(1, 11)]
WEIGHTS = dict(
    zip(
        DEPRIVATIONS,
        [Fraction(1, 20)] * 4 + [Fraction(1, 6)] * 3 + [Fraction(1, 10)] * 3,
        strict=True,
    )
)
CUTOFF = Fraction(1, 3)
# Prevalence, and how much of the latent variable is the village's and how much the income's.
PREVALENCE = (0.19, 0.26, 0.13, 0.23, 0.18, 0.40, 0.43, 0.11, 0.33, 0.28)
OF_VILLAGE = (0.2, 0.3, 0.2, 0.5, 0.6, 0.5, 0.3, 0.6, 0.2, 0.3)
OF_INCOME = (0.5, 0.4, 0.5, 0.4, 0.3, 0.4, 0.5, 0.2, 0.5, 0.4)
# Incomes with a declared tail: lognormal up to the 90th percentile, above it Pareto.
SIGMA, TAIL_FROM = 0.62, 0.90
TAILS = {"lognormal": np.inf, "pareto3": 3.0, "pareto25": 2.5, "pareto21": 2.1}


@dataclass(frozen=True)
class Population:
    """A finite population of households in villages in counties in areas.

    Shapes: N households (in order of village), V villages (in order of county), C counties.
    """

    area: npt.NDArray[np.str_]  # (C,)
    county_of_village: Ints  # (V,)
    households: Ints  # (V,) in the village now
    register: Floats  # (V,) in an older register: the measure of size of the first stage
    first: Ints  # (V,) first household of the village
    columns: dict[str, Floats]  # each (N,): hhsize, income, the declared tails, d1..d10

    @property
    def area_of_household(self) -> npt.NDArray[np.str_]:
        """Area of each household, shape (N,)."""
        return self.area[np.repeat(self.county_of_village, self.households)]

    @property
    def persons(self) -> Floats:
        """Registered persons of each county, shape (C,)."""
        of_village = np.add.reduceat(self.columns["hhsize"], self.first)
        persons = np.bincount(self.county_of_village, of_village, minlength=len(self.area))
        return persons.astype(np.float64)


def generate(
    seed: int, villages: Ints | tuple[int, int], households: int, counties: int | None = None
) -> Population:
    """Generate a population.

    Parameters
    ----------
    seed : of all its random streams.
    villages : lowest and highest number of villages in a county, drawn uniformly.
    households : typical number of households in a village; sizes differ by a factor of 5.
    counties : how many of the 680 counties, shared out over the areas by their number of
        counties with at least three each; None for all of them.
    """
    streams = Streams(seed)
    frame = county_frame(streams)
    frame = frame if counties is None else _some(frame, counties, streams)
    rng = streams("coverage.villages")
    number = rng.integers(villages[0], villages[1] + 1, len(frame))
    county = np.repeat(np.arange(len(frame)), number)
    size = np.clip(np.exp(0.42 * rng.standard_normal(len(county))), 0.4, 2.2) * households
    register = size * np.exp(0.06 * rng.standard_normal(len(county)))
    size = np.rint(size).astype(np.int64)
    village_term, hardship = rng.standard_normal((2, len(county)))
    village = np.repeat(np.arange(len(county)), size)
    columns = {"hhsize": 1.0 + np.minimum(streams("coverage.size").poisson(3.1, len(village)), 11)}
    terms = _terms(frame, county, village, village_term, streams)
    area = frame["area"].to_numpy(dtype=str)
    columns["income"] = _incomes(terms, area[county][village], columns["hhsize"])
    columns |= _declared_tails(terms)
    latent = 0.8 * hardship - 0.6 * village_term
    columns |= _deprivations(terms["z"], (latent / latent.std())[village], streams)
    first = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
    return Population(area, county, size, register, first, columns)


def _some(frame: pd.DataFrame, counties: int, streams: Streams) -> pd.DataFrame:
    """A share of the counties, three at least in each area."""
    _, of_county, number = np.unique(
        frame["area"].to_numpy(dtype=str), return_inverse=True, return_counts=True
    )
    take = np.maximum(np.rint(number * counties / len(frame)), 3).astype(np.int64)
    while take.sum() > counties:
        take[np.argmax(take)] -= 1
    while take.sum() < counties:
        take[np.argmax(number / take)] += 1
    order = pd.Series(streams("coverage.counties").random(len(frame)), index=frame.index)
    place = order.groupby(frame["area"]).rank()
    return frame[place.to_numpy() <= take[of_county]].reset_index(drop=True)


def _terms(
    frame: pd.DataFrame, county: Ints, village: Ints, village_term: Floats, streams: Streams
) -> dict[str, Floats]:
    """Terms of log income by the generator's assumptions: normal ones, tail, and a rank z."""
    p = load()["income"]
    number = len(village)
    county_term = frame["county_term"].to_numpy()[county][village]
    between = p["county_sd"] * county_term + p["village_sd"] * village_term[village]
    own = p["household_sd"] * streams.normal("coverage.income", number)
    tail = streams("coverage.tail").exponential(p["tail"], number) - p["tail"]
    return {"normal": between + own, "tail": tail, "z": standardise(between + own)}


def _incomes(terms: dict[str, Floats], area: npt.NDArray[np.str_], persons: Floats) -> Floats:
    """Incomes a person that meet the generator's headcount and mean of each area."""
    latent = terms["normal"] + terms["tail"]
    latent += load()["income"]["size"] * (persons - 4)
    incomes = np.empty(len(latent))
    for name in np.unique(area):
        rows = np.flatnonzero(area == name)
        none = np.full(len(rows), np.nan)
        target = area_targets()[str(name)]
        location, scale = fit_area(latent[rows], persons[rows], none, target)
        incomes[rows] = np.exp(location + scale * latent[rows])
    return np.rint(incomes)


def _declared_tails(terms: dict[str, Floats]) -> dict[str, Floats]:
    """Incomes with the same order of households and a lognormal or a declared Pareto tail.

    Above the 90th percentile q of the lognormal distribution the income is q (1 - F)^(-1/alpha),
    scaled so that it is continuous.
    """
    z = terms["z"]
    rank = (np.argsort(np.argsort(z)) + 0.5) / len(z)
    body = np.exp(8.0 + SIGMA * ndtri(rank))
    start = np.exp(8.0 + SIGMA * ndtri(TAIL_FROM))
    out = {}
    for name, alpha in TAILS.items():
        pareto = start * ((1 - rank) / (1 - TAIL_FROM)) ** (-1 / alpha)
        out[name] = np.where(rank > TAIL_FROM, pareto, body) if np.isfinite(alpha) else body
    return out


def _deprivations(z: Floats, hardship: Floats, streams: Streams) -> dict[str, Floats]:
    """Ten 0/1 deprivations with their declared prevalence in the whole population."""
    out = {}
    for j, name in enumerate(DEPRIVATIONS):
        noise = streams.normal(f"coverage.{name}", len(z))
        rest = np.sqrt(1 - OF_VILLAGE[j] ** 2 - OF_INCOME[j] ** 2)
        latent = OF_VILLAGE[j] * hardship - OF_INCOME[j] * z + rest * noise
        out[name] = np.where(latent > np.quantile(latent, 1 - PREVALENCE[j]), 1.0, 0.0)
    return out


def truth(
    population: Population,
    line: float,
    weights: dict[str, Fraction],
    cutoff: Fraction,
    others: Iterable[str] = (),
) -> dict[str, dict[str, float]]:
    """True value of each measure in each area: measure -> area -> value, persons counted.

    Computed from the definitions over all households, without the project's estimators.

    Parameters
    ----------
    line : poverty line for the column ``income``.
    weights, cutoff : of M0.
    others : more columns of which the Gini coefficient is wanted.
    """
    area = population.area_of_household
    out: dict[str, dict[str, float]] = {}
    for name in np.unique(area):
        rows = np.flatnonzero(area == name)
        part = {column: values[rows] for column, values in population.columns.items()}
        values = true_values(part, line, weights, cutoff)
        values |= {f"Gini {column}": gini(part[column], part["hhsize"]) for column in others}
        for measure, value in values.items():
            out.setdefault(measure, {})[str(name)] = value
    return out


def true_values(
    part: dict[str, Floats], line: float, weights: dict[str, Fraction], cutoff: Fraction
) -> dict[str, float]:
    """Headcount, gap, M0, mean and Gini by their definitions."""
    x, persons = part["income"], part["hhsize"]
    scale = lcm(*(w.denominator for w in weights.values()), cutoff.denominator)
    # Whole numbers, so that a score equal to the cut-off is found equal.
    parts: list[Floats] = [int(w * scale) * part[name] for name, w in weights.items()]
    score = np.sum(parts, axis=0)
    return {
        "headcount": float(np.average(x < line, weights=persons)),
        "gap": float(np.average(np.clip((line - x) / line, 0.0, None), weights=persons)),
        "M0": float(np.average(score * (score >= int(cutoff * scale)), weights=persons)) / scale,
        "mean": float(np.average(x, weights=persons)),
        "Gini": gini(x, persons),
    }


def gini(x: Floats, weight: Floats) -> float:
    """Gini coefficient as 1 less twice the area under the Lorenz curve (trapezia)."""
    order = np.argsort(x, kind="stable")
    w, income = weight[order], (weight * x)[order]
    people = np.concatenate([[0.0], np.cumsum(w)]) / w.sum()
    money = np.concatenate([[0.0], np.cumsum(income)]) / income.sum()
    return float(1 - np.sum(np.diff(people) * (money[1:] + money[:-1])))
