"""The county form: what the county's offices report about the whole county."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.synthetic.assumptions import load, published
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import Floats

MU_PER_HECTARE = 15


def _whole(values: Floats) -> npt.NDArray[np.int64]:
    return np.rint(values).astype(np.int64)


def _smooth(value: Floats, by: pd.Series, weight: float) -> Floats:
    """County values drawn towards the mean of their area: a county's sample is small."""
    frame = pd.DataFrame({"by": by.to_numpy(), "value": value})
    mean = frame.groupby("by")["value"].transform("mean").to_numpy()
    return weight * value + (1 - weight) * mean


def county_form(
    counties: pd.DataFrame, forms: dict[str, pd.DataFrame], year: int, streams: Streams
) -> pd.DataFrame:
    """One row a county, coherent with the sample of its villages, households and persons.

    Parameters
    ----------
    counties : county_id, area, rural_population, rural_households, villages.
    forms : the village, household and person forms without errors, with county (row).
    year : reference year.
    streams : the survey's random streams.
    """
    number = len(counties)
    noise = streams("county.form").standard_normal((16, number))
    people = counties["rural_population"].to_numpy(dtype=float)
    means = _sample_means(forms, number)
    smooth = {k: _smooth(v, counties["area"], 0.6) for k, v in means.items()}
    income = smooth["income_pc"] * np.exp(0.03 * noise[0])
    population = people / (1 - load()["county_form"]["non_rural_share"] * np.exp(0.25 * noise[1]))
    out: dict[str, Any] = {
        "county_id": counties["county_id"].to_numpy(),
        "year": np.full(number, year),
        "population": _whole(population),
        "rural_population": counties["rural_population"].to_numpy(),
        "rural_households": counties["rural_households"].to_numpy(),
        "registered_poor": _whole(people * smooth["poor"] * np.exp(0.06 * noise[2])),
        "rural_income_pc": np.rint(income),
    }
    out |= _economy(counties, out, income, noise)
    out |= _farming(counties, people, noise)
    out |= _village_counts(counties, smooth)
    children = _whole(people * smooth["child"])
    enrolled = np.clip(smooth["enrolled"] / np.maximum(smooth["child"], 1e-9), 0, 1)
    out |= {"children_7_15": children, "enrolled_7_15": _whole(children * enrolled)}
    out |= _funds(out, noise)
    return pd.DataFrame(out)


def _sample_means(forms: dict[str, pd.DataFrame], number: int) -> dict[str, Floats]:
    """Weighted means of the county's sample."""
    households, persons, villages = forms["household"], forms["person"], forms["village"]
    weight = (households["w_hh"] * households["hhsize"]).to_numpy()
    county = households["county"].to_numpy()
    total = np.bincount(county, weights=weight, minlength=number)

    def mean(values: np.ndarray) -> Floats:
        return np.bincount(county, weights=weight * values, minlength=number) / total

    income_pc = (households["income_total"] / households["hhsize"]).to_numpy()
    child = persons["age"].between(7, 15).to_numpy()
    enrolled = child & persons["in_school"].to_numpy()
    row, size = persons["household"].to_numpy(), households["hhsize"].to_numpy()
    out = {"income_pc": mean(income_pc), "poor": mean(income_pc < load()["poverty_line"])}
    for name, flag in (("child", child), ("enrolled", enrolled)):
        out[name] = mean(np.bincount(row, weights=flag, minlength=len(households)) / size)
    safe = households["water"].isin(["tap", "deep_well"]).to_numpy()
    out["water"], out["power"] = mean(safe), mean(households["electricity"].to_numpy())
    place, w = villages["county"].to_numpy(), villages["w_village"].to_numpy()
    base = np.bincount(place, weights=w, minlength=number)
    for name, column in (("road", "hardened_road"), ("bus", "bus"), ("clinic", "clinic")):
        out[name] = np.bincount(place, weights=w * villages[column], minlength=number) / base
    return out


def _economy(
    counties: pd.DataFrame, out: dict[str, Any], income: Floats, noise: Floats
) -> dict[str, Floats]:
    """Gross domestic product (scaled to a published figure where there is one), finances."""
    entry = load()["county_form"]["gdp_per_person"]
    per_person = income * entry["default"]["to_income"] * np.exp(0.25 * noise[3])
    for area in counties["area"].unique():
        if area in entry:
            rows = (counties["area"] == area).to_numpy()
            wanted = published(area, load()["reference_year"], entry[area]["indicator"])
            people = out["population"][rows]
            per_person[rows] *= wanted / np.average(per_person[rows], weights=people)
    gdp = per_person * out["population"] / 10_000
    revenue = gdp * 0.042 * np.exp(0.3 * noise[4])
    expenditure = revenue + 0.20 * gdp * np.exp(0.25 * noise[5])
    return {"gdp": np.rint(gdp), "revenue": np.rint(revenue), "expenditure": np.rint(expenditure)}


def _farming(counties: pd.DataFrame, people: Floats, noise: Floats) -> dict[str, Floats]:
    land = load()["land"]
    mu = counties["area"].map(land["mu_per_person"]).to_numpy(dtype=float)
    farmland = people * mu * np.exp(0.15 * noise[6]) / MU_PER_HECTARE
    entry = load()["county_form"]["irrigated"]
    share = np.clip(entry["default"]["value"] * np.exp(0.35 * noise[7]), 0.03, 0.95)
    for area in counties["area"].unique():
        if area in entry:
            rows = (counties["area"] == area).to_numpy()
            year = load()["reference_year"]
            wanted = published(area, year, entry[area]["indicator"]) / 100
            share[rows] *= wanted / np.average(share[rows], weights=farmland[rows])
    grain = farmland * land["grain_per_hectare"] * np.exp(0.2 * noise[8])
    return {
        "farmland": np.round(farmland, 1),
        "irrigated": np.round(farmland * np.minimum(share, 0.98), 1),
        "grain": np.rint(grain),
    }


def _village_counts(counties: pd.DataFrame, smooth: dict[str, Floats]) -> dict[str, np.ndarray]:
    villages = counties["villages"].to_numpy()
    out: dict[str, np.ndarray] = {"villages": villages}
    for name in ("road", "bus", "water", "clinic", "power"):
        share = np.clip(smooth[name], 0, 1)
        out[f"villages_{name}"] = _whole(villages * share)
    return out


def _funds(out: dict[str, Any], noise: Floats) -> dict[str, Floats]:
    """Poverty funds by source and by use; both add up to the same total."""
    poor = out["registered_poor"].astype(float)
    central = np.rint(poor * 0.022 * np.exp(0.25 * noise[9]) + 300)
    provincial = np.rint(central * 0.45 * np.exp(0.3 * noise[10]))
    other = np.rint(central * 0.35 * np.exp(0.5 * noise[11]))
    total = central + provincial + other
    raw = np.exp(np.log([[0.42], [0.38], [0.14], [0.06]]) + 0.2 * noise[12:16])
    uses = np.rint(total * raw / raw.sum(axis=0))
    uses[0] += total - uses.sum(axis=0)
    names = ("use_production", "use_infrastructure", "use_social", "use_other")
    funds = {"funds_central": central, "funds_provincial": provincial, "funds_other": other}
    return funds | dict(zip(names, uses, strict=True))
