"""Income and its parts, consumption and its groups, debt."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS
from povmon.synthetic.assumptions import access_target, area_targets, key_mean_income, load
from povmon.synthetic.calibrate import allocate, fit_area
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import Floats, standardise


def add_income(households: pd.DataFrame, streams: Streams, whole: bool) -> pd.DataFrame:
    """Income a person, calibrated to headcount and mean of each area.

    Parameters
    ----------
    households : area, key, flagged, county_term, village_term, hhsize, dependency, best_school,
        w_person.
    streams : the survey's random streams.
    whole : True when the survey covers all counties, so that the published mean of the key
        counties can be solved for.

    Returns
    -------
    `households` with income_pc (before rounding), latent_income (log income before location and
    scale) and well_being (the same, standardised).
    """
    base = _latent(households, streams)
    fixed = _losses(households, streams)
    effect = load()["key_counties"]["default_effect"]
    key = households["key"].to_numpy()
    if whole:
        wanted = key_mean_income()

        def gap(value: float) -> float:
            incomes = _fit(base + value * key, households, fixed)
            flagged = households["flagged"].to_numpy()
            weights = households["w_person"].to_numpy()[flagged]
            return float(np.average(incomes[flagged], weights=weights)) - wanted

        effect = brentq(gap, -0.8, 0.4, xtol=1e-4)
    latent = base + effect * key
    incomes = _fit(latent, households, fixed)
    return households.assign(
        income_pc=incomes,
        latent_income=latent,
        well_being=standardise(np.log(np.maximum(incomes, 150))),
    )


def _latent(households: pd.DataFrame, streams: Streams) -> Floats:
    """County, village and household terms of log income, before location and scale."""
    p = load()["income"]
    number = len(households)
    own = p["household_sd"] * streams.normal("income.household", number)
    tail = streams("income.tail").exponential(p["tail"], number) - p["tail"]
    members = p["dependency"] * (households["dependency"] - households["dependency"].mean())
    members += p["size"] * (households["hhsize"] - 4)
    members += p["schooling"] * (households["best_school"] - 8)
    members += p["county_sd"] * households["county_term"]
    members += p["village_sd"] * households["village_term"]
    return members.to_numpy() + own + tail


def _losses(households: pd.DataFrame, streams: Streams) -> Floats:
    """Income a person of the few households that lost money; NaN for all others."""
    u = streams("income.loss").random((2, len(households)))
    loss = -(100 + 2500 * u[1]) / households["hhsize"].to_numpy()
    return np.where(u[0] < load()["income"]["negative_total"], loss, np.nan)


def _fit(latent: Floats, households: pd.DataFrame, fixed: Floats) -> Floats:
    """Incomes a person under the solved location and scale of each area."""
    incomes = np.empty(len(latent))
    weights = households["w_person"].to_numpy()
    for area, rows in households.groupby("area").indices.items():
        target = area_targets()[str(area)]
        location, scale = fit_area(latent[rows], weights[rows], fixed[rows], target)
        incomes[rows] = np.exp(location + scale * latent[rows])
    return np.where(np.isnan(fixed), incomes, fixed)


def heap(values: Floats, u: Floats) -> Floats:
    """Round amounts as respondents do: most to the yuan, some to tens and hundreds."""
    size = np.abs(values)
    step = np.select(
        [(u < 0.10) & (size >= 2000), (u < 0.30) & (size >= 400), u < 0.42], [500, 100, 10], 1
    )
    return np.rint(values / step) * step


def income_parts(households: pd.DataFrame, streams: Streams) -> dict[str, Floats]:
    """The four sources of income in whole yuan, and their total."""
    number = len(households)
    means = load()["income"]["parts"]
    total = households["income_pc"].to_numpy() * households["hhsize"].to_numpy()
    noise = streams("income.parts").standard_normal((4, number))
    migrants, local = households["migrants"].to_numpy(), households["local_workers"].to_numpy()
    pull = {
        "wages": np.where(migrants + local > 0, np.log1p(1.6 * migrants + 1.3 * local) + 0.2, -2.2),
        "business": 0.35 * np.log1p(households["farmers"].to_numpy()),
        "property": np.full(number, -0.6),
        "transfer": 0.5 * households["elders"].to_numpy(),
    }
    spread = {"wages": 0.45, "business": 0.5, "property": 1.5, "transfer": 0.8}
    raw = {n: np.log(means[n]) + pull[n] + spread[n] * e for n, e in zip(means, noise, strict=True)}
    shift = dict.fromkeys(means, 0.0)
    weight = np.maximum(total, 0) * households["w_hh"].to_numpy()
    for _ in range(15):
        powers = {n: np.exp(raw[n] + shift[n]) for n in means}
        whole = sum(powers.values())
        for n in means:
            shift[n] += np.log(means[n] / np.average(powers[n] / whole, weights=weight))
    u = streams("income.heap").random((4, number))
    parts = {
        n: heap(np.maximum(total, 0) * powers[n] / whole, e) for n, e in zip(means, u, strict=True)
    }
    _losses_of_business(parts, total, streams)
    named = {f"income_{n}": v for n, v in parts.items()}
    return named | {"income_total": np.sum([named[c] for c in INCOME_PARTS], axis=0)}


def _losses_of_business(parts: dict[str, Floats], total: Floats, streams: Streams) -> None:
    """Let some households lose in business what they earn by wages; all loss makers do."""
    u = streams("income.business_loss").random((2, len(total)))
    some = (u[0] < load()["income"]["negative_business"]) & (total > 4000)
    loss = np.rint(total * (0.05 + 0.3 * u[1]))
    parts["wages"] = np.where(some, parts["wages"] + parts["business"] + loss, parts["wages"])
    parts["business"] = np.where(some, -loss, parts["business"])
    parts["business"] = np.where(total < 0, np.rint(total), parts["business"])


def consumption(households: pd.DataFrame, income: Floats, streams: Streams) -> dict[str, Floats]:
    """Consumption by eight groups in whole yuan, and its total.

    Log consumption follows log income with the declared elasticity; the level is scaled so that
    consumption over income is the declared ratio, a little different between areas. The food
    share falls with the logarithm of consumption (Engel's law in the Working form).
    """
    p = load()["consumption"]
    number = len(households)
    size, weights = households["hhsize"].to_numpy(), households["w_hh"].to_numpy()
    base = np.log(np.maximum(income / size, 500.0))
    noise = p["noise_sd"] * streams.normal("consumption", number)
    level = np.exp(p["elasticity"] * (base - base.mean()) + noise) * size
    areas = households.groupby("area").indices
    vary = p["area_sd"] * streams.normal("consumption.area", len(load()["areas"]))
    by_area = dict(zip(load()["areas"], np.exp(vary), strict=True))
    for area, rows in areas.items():
        ratio = np.sum(weights[rows] * income[rows]) / np.sum(weights[rows] * level[rows])
        level[rows] *= ratio * by_area[str(area)]
    level *= p["to_income"] * np.sum(weights * income) / np.sum(weights * level)
    food = _food_share(np.log(level / size), level * weights, streams)
    rng = streams("consumption.groups")
    other = np.array(list(p["other"].values())) * rng.gamma(2.5, 1 / 2.5, size=(number, 7))
    other /= other.sum(axis=1, keepdims=True)
    shares = np.concatenate([food[:, None], (1 - food)[:, None] * other], axis=1)
    u = streams("consumption.heap").random((number, 8))
    groups = heap(level[:, None] * shares, u)
    named = dict(zip(CONSUMPTION_PARTS, groups.T, strict=True))
    return named | {"consumption_total": groups.sum(axis=1)}


def _food_share(log_level: Floats, weight: Floats, streams: Streams) -> Floats:
    p = load()["consumption"]
    raw = p["engel_slope"] * (log_level - log_level.mean())
    raw += 0.07 * streams.normal("consumption.food", len(log_level))
    share = np.clip(raw + p["engel"], 0.15, 0.85)
    return np.clip(share + p["engel"] - np.average(share, weights=weight), 0.12, 0.88)


def debt(households: pd.DataFrame, income: Floats, streams: Streams) -> Floats:
    """Debt at the end of the year in yuan, 0 for most households."""
    number = len(households)
    latent = -0.15 * households["well_being"].to_numpy() + streams.normal("debt", number)
    indebted = allocate(latent, households, access_target("debt"))
    spread = np.exp(0.9 * streams.normal("debt.size", number) - 0.5)
    amount = np.maximum(income, 4000) * spread
    return np.where(indebted, np.maximum(np.rint(amount / 100) * 100, 100), 0.0)
