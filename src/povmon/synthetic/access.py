"""Dwelling, water, power and goods of households; services of villages."""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.synthetic.assumptions import access_target, load, published
from povmon.synthetic.calibrate import allocate, chances
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import Floats, standardise

NATURAL = ("road", "electricity", "telephone", "cable_tv", "broadband")


def hardship(villages: pd.DataFrame, streams: Streams) -> Floats:
    """How hard a village is to serve: height, distance, poverty of the place (standardised)."""
    height = standardise(np.sqrt(villages["altitude_m"].to_numpy(dtype=float)))
    distance = standardise(np.log(villages["distance_km"].to_numpy(dtype=float)))
    poor = -villages["village_income"].to_numpy()
    noise = streams.normal("village.hardship", len(villages))
    return standardise(0.45 * height + 0.45 * distance + 0.5 * standardise(poor) + 0.6 * noise)


def village_services(villages: pd.DataFrame, streams: Streams) -> dict[str, np.ndarray]:
    """Services of the villages, calibrated to their shares.

    Parameters
    ----------
    villages : area, flagged, w_village, households, hardship.
    streams : the survey's random streams.
    """
    number = len(villages)
    hard = villages["hardship"].to_numpy()
    out: dict[str, np.ndarray] = {}
    for item, pull in (
        ("hardened_road", 1.0), ("bus", 0.9), ("kindergarten", 0.5), ("primary_school", 0.5),
        ("clinic", 0.6), ("disaster", -0.3),
    ):  # fmt: skip
        latent = -pull * hard + streams.normal(f"village.{item}", number)
        out[item] = allocate(latent, villages, access_target(item), "w_village")
    mean = np.clip(villages["households"].to_numpy() / 48, 1, 40)
    natural = 1 + streams("village.natural").poisson(mean)
    out["natural_villages"] = natural
    for item in NATURAL:
        noise = streams.normal(f"village.nv_{item}", number)
        target = access_target(f"nv_{item}")
        size = natural.astype(np.float64)
        chance = chances(-0.8 * hard + 0.9 * noise, size, villages, target)
        out[f"nv_{item}"] = streams(f"village.nv_{item}.draw").binomial(natural, chance)
    income = np.exp(9.3 - 0.6 * hard + 1.3 * streams.normal("village.collective", number))
    some = streams.uniform("village.collective.any", number) < 0.45
    out["collective_income"] = np.where(some, np.rint(income / 100) * 100, 0.0)
    return out


def household_access(households: pd.DataFrame, streams: Streams) -> dict[str, np.ndarray]:
    """Water, power, toilet, fuel, dwelling, goods and programmes of the households.

    Parameters
    ----------
    households : area, flagged, w_hh, hhsize, well_being, hardship (of the village), village.
    streams : the survey's random streams.
    """
    place = streams.normal("access.village", int(households["village"].max()) + 1)
    common = (
        0.45 * households["well_being"].to_numpy()
        - 0.55 * households["hardship"].to_numpy()
        + 0.45 * place[households["village"].to_numpy()]
    )
    flags = {}
    for item, pull in (
        ("water_safe", 1.0), ("electricity", 0.8), ("water_difficulty", -0.8), ("dangerous", -0.7),
        ("sanitary_toilet", 0.9), ("dibao", -0.6), ("project", -0.3),
    ):  # fmt: skip
        latent = pull * common + 0.7 * streams.normal(f"access.{item}", len(households))
        flags[item] = allocate(latent, households, access_target(item))
    out: dict[str, np.ndarray] = {k: flags[k] for k in ("water_difficulty", "electricity")}
    out |= _water_and_toilet(flags, streams)
    out |= _dwelling(households, common, flags["dangerous"], streams)
    out |= _goods(households, flags["electricity"], streams)
    out |= {"dibao": flags["dibao"], "project": flags["project"]}
    return out


def _pick(u: Floats, shares: dict[str, float]) -> np.ndarray:
    """One of the codes, by cumulated shares."""
    cumulated = np.cumsum(list(shares.values()))
    place = np.searchsorted(cumulated / cumulated[-1], u, side="right")
    return np.array(list(shares), dtype=object)[np.minimum(place, len(shares) - 1)]


def _water_and_toilet(flags: dict[str, np.ndarray], streams: Streams) -> dict[str, np.ndarray]:
    safe, clean = flags["water_safe"], flags["sanitary_toilet"]
    u = streams("access.kinds").random((2, len(safe)))
    good = _pick(u[0], {"tap": 0.68, "deep_well": 0.32})
    bad = _pick(u[0], {"shallow_well": 0.52, "surface": 0.27, "rain_cellar": 0.15, "other": 0.06})
    toilet = _pick(u[1], {"flush": 0.3, "sanitary_dry": 0.7})
    simple = _pick(u[1], {"dry": 0.87, "none": 0.13})
    return {"water": np.where(safe, good, bad), "toilet": np.where(clean, toilet, simple)}


def _dwelling(
    households: pd.DataFrame, common: Floats, dangerous: np.ndarray, streams: Streams
) -> dict[str, np.ndarray]:
    """Area of the dwelling (scaled to the published area a person) and its structure."""
    number = len(households)
    size = households["hhsize"].to_numpy()
    noise = streams("access.dwelling").standard_normal((2, number))
    area = np.exp(0.12 * common + 0.30 * noise[0]) * size**0.45
    target = load()["dwelling_area_pc"]
    key = published("", load()["reference_year"], target["indicator"])
    flagged, weight = households["flagged"].to_numpy(), households["w_hh"].to_numpy()
    for rows, wanted in ((flagged, key), (~flagged, key * (1 + target["better"]))):
        if rows.any():
            people, metres = np.sum(weight[rows] * size[rows]), np.sum(weight[rows] * area[rows])
            area[rows] *= wanted * people / metres
    rank = pd.Series(common - 0.9 * dangerous + noise[1]).rank(pct=True).to_numpy()
    names = ["bamboo_grass", "adobe", "brick_timber", "brick_concrete", "concrete"]
    cuts = [0.025, 0.255, 0.575, 0.925]
    structure = np.array(names, dtype=object)[np.searchsorted(cuts, rank)]
    other = streams.uniform("access.structure.other", number) < 0.02
    return {
        "dwelling_area": np.clip(np.rint(area), 8, 900),
        "structure": np.where(other, "other", structure),
        "dangerous": dangerous,
    }


def _goods(households: pd.DataFrame, power: np.ndarray, streams: Streams) -> dict[str, np.ndarray]:
    """Durable goods, cooking fuel and farmland (declared levels)."""
    number = len(households)
    rich, size = households["well_being"].to_numpy(), households["hhsize"].to_numpy()
    u = streams("access.goods").random((7, number))
    latent = {"tv": 1.9, "refrigerator": -0.7, "washing_machine": 0.1, "motorcycle": -0.1}
    out: dict[str, np.ndarray] = {}
    for k, (name, base) in enumerate(latent.items()):
        own = u[k] < 1 / (1 + np.exp(-(base + 0.75 * rich + 0.12 * (size - 4))))
        second = own & (u[k] < 0.06)
        needs_power = power | (name == "motorcycle")
        out[name] = np.where(needs_power, own.astype(int) + second, 0)
    phones = np.exp(0.15 + 0.22 * rich) * np.sqrt(np.maximum(households["adults"].to_numpy(), 0.3))
    out["mobile_phone"] = streams("access.phones").poisson(phones * 0.95)
    fuel = {"electricity": 0.10, "gas": 0.11, "coal": 0.20, "wood": 0.57, "other": 0.02}
    rank = np.clip(u[5] + 0.09 * np.clip(-rich, -2.5, 2.5), 0, 0.9999)
    kind = _pick(rank, fuel)
    out["fuel"] = np.where((kind == "electricity") & ~power, "wood", kind)
    mu = households["area"].map(load()["land"]["mu_per_person"]).to_numpy(dtype=float)
    land = mu * size * np.exp(0.5 * streams.normal("access.land", number) - 0.12)
    out["land"] = np.where(u[6] < 0.05, 0.0, np.round(land * 2) / 2)
    return out


def cause_of_poverty(
    households: pd.DataFrame, poor: np.ndarray, persons: pd.DataFrame, streams: Streams
) -> np.ndarray:
    """Main cause of poverty as the household gives it; "none" for those not poor."""
    number = len(households)
    ill = np.zeros(number)
    for value, code in ((1.0, "serious"), (0.5, "disabled")):
        ill += value * np.bincount(
            persons["household"], weights=persons["health"] == code, minlength=number
        )
    pupils = np.bincount(
        persons["household"],
        weights=persons["in_school"] & (persons["age"] >= 15),
        minlength=number,
    )
    hard = households["hardship"].to_numpy()
    scores = {
        "illness": -0.1 + 1.5 * ill, "disability": -1.6 + 1.2 * ill,
        "schooling": -1.0 + 0.9 * pupils, "disaster": -0.9 + 0.1 * hard,
        "land": -0.9 + 0.2 * hard, "water": -1.6 + 0.3 * hard,
        "skills": 0.0 - 0.08 * (households["best_school"] - 8),
        "labour": -0.7 + 1.6 * (households["dependency"] - 0.35),
        "funds": np.full(number, 0.1), "transport": -0.9 + 0.5 * hard,
        "other": np.full(number, -2.2),
    }  # fmt: skip
    noise = streams("cause").gumbel(size=(len(scores), number))
    best = np.argmax(np.stack([np.asarray(s) for s in scores.values()]) + noise, axis=0)
    named = np.array(list(scores), dtype=object)[best]
    # Respondents do not know the line exactly: some who are just above it give a cause too.
    says = poor | (streams.uniform("cause.near", number) < 0.05)
    return np.where(says, named, "none")
