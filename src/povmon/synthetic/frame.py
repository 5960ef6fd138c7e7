"""The sampling frame (counties and villages) and the two-stage design drawn from it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon import reference
from povmon.survey import Survey
from povmon.synthetic.assumptions import area_targets, load
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import Floats, standardise

KEY_SHARE = {"key": 1.0, "unknown": 0.5, "other": 0.0}
FEWEST_VILLAGES, MOST_VILLAGES = 20, 700


def county_frame(streams: Streams) -> pd.DataFrame:
    """All 680 counties with their rural population and what makes them rich or poor.

    Returns
    -------
    county_id, area, province_id, key (1, 0.5 unknown, 0), flagged (bool), rural_population
    (persons; an area's counties add up to its target), altitude (m), remoteness and
    county_term (standardised within the area).
    """
    counties = reference.counties()
    frame = pd.DataFrame(
        {
            "county_id": counties["county_id"],
            "area": counties["area_id"],
            "province_id": counties["province_id"],
            "key": counties["key_county"].map(KEY_SHARE).astype(float),
            "flagged": counties["key_county"] == "key",
        }
    ).sort_values(["area", "county_id"], ignore_index=True)
    number = len(frame)
    size, height, remote, noise = (
        streams.normal(f"county.{name}", number)
        for name in ("size", "altitude", "remoteness", "income")
    )
    parts = []
    for area, rows in frame.groupby("area", sort=True):
        part = rows.copy()
        place = rows.index.to_numpy()
        part["rural_population"] = _populations(str(area), rows["county_id"], size[place])
        mean, spread = load()["areas"][area]["altitude_m"]
        altitude = standardise(height[place])
        part["altitude"] = np.clip(mean + spread * altitude, max(20, mean - 2 * spread), 4900)
        part["remoteness"] = standardise(remote[place] + 0.4 * altitude)
        covariates = -0.45 * altitude - 0.45 * part["remoteness"].to_numpy()
        part["county_term"] = standardise(covariates + 0.8 * noise[place])
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _populations(area: str, county_ids: pd.Series, size: Floats) -> np.ndarray:
    """Rural populations of an area's counties: lognormal within bounds, adding up to the total."""
    entry = load()["areas"][area]["counties"]
    total = area_targets()[area].rural_population
    small = county_ids.map(load()["small_counties"]).to_numpy(dtype=float) * 1000
    fixed = ~np.isnan(small)
    low, high = (1000 * bound for bound in entry["bounds"])
    share = np.exp(entry["sigma"] * size)
    rest = total - np.nansum(small)
    people = share / share[~fixed].sum() * rest
    for _ in range(30):
        people = np.clip(people, low, high)
        people *= rest / people[~fixed].sum()
    people = np.rint(np.where(fixed, small, people)).astype(np.int64)
    people[np.argmax(people)] += total - people.sum()
    return people


def survey_counties(survey: Survey, frame: pd.DataFrame) -> pd.DataFrame:
    """The counties of the frame that the survey covers."""
    if not survey.only_counties:
        return frame
    return frame[frame["county_id"].isin(survey.only_counties)].reset_index(drop=True)


def add_villages(counties: pd.DataFrame, mean_size: Floats, streams: Streams) -> pd.DataFrame:
    """Rural households and administrative villages of each county.

    Parameters
    ----------
    counties : rows of `county_frame`.
    mean_size : persons a household, one entry a county.
    streams : the survey's random streams.

    Returns
    -------
    `counties` with rural_households and villages (their number).
    """
    typical = counties["area"].map({a: e["village_households"] for a, e in load()["areas"].items()})
    households = np.rint(counties["rural_population"] / mean_size).astype(np.int64)
    noise = np.exp(0.2 * streams.normal("county.villages", len(counties)))
    number = np.rint(households / (typical * noise))
    return counties.assign(
        rural_households=households,
        villages=np.clip(number, FEWEST_VILLAGES, MOST_VILLAGES).astype(np.int64),
    )


def draw_villages(counties: pd.DataFrame, per_county: int, streams: Streams) -> pd.DataFrame:
    """Draw villages with probability proportional to size, systematically, in each county.

    The measure of size is the number of registered households in an older register; the number
    found in the survey year differs a little. pi = per_county * size / sum of sizes.

    Returns
    -------
    One row a drawn village, in order of county: county (row of `counties`), households
    (registered in the survey year), w_village = 1 / pi.
    """
    number = counties["villages"].to_numpy()
    county = np.repeat(np.arange(len(counties)), number)
    raw = np.clip(np.exp(0.42 * streams.normal("village.size", len(county))), 0.4, 2.2)
    first = np.concatenate([[0], np.cumsum(number)[:-1]])
    share = raw / np.add.reduceat(raw, first)[county]
    # pi stays below one: 8 * 2.2 / 0.4 / 20 could exceed it only for the very smallest frames.
    share = np.minimum(share, 0.95 / per_county)
    share /= np.add.reduceat(share, first)[county]
    cumulated = np.cumsum(share)
    start = cumulated[first] - share[first]
    offset = streams.uniform("village.start", len(counties))
    points = start[:, None] + (np.arange(per_county) + offset[:, None]) / per_county
    drawn = np.searchsorted(cumulated, points.ravel(), side="right").clip(max=len(county) - 1)
    growth = np.exp(0.06 * streams.normal("village.growth", len(county)))
    total = counties["rural_households"].to_numpy()[county]
    households = np.maximum(np.rint(share * total * growth), 12).astype(np.int64)
    return pd.DataFrame(
        {
            "county": county[drawn],
            "households": households[drawn],
            "w_village": 1 / (per_county * share[drawn]),
        }
    )


def describe_villages(
    villages: pd.DataFrame, counties: pd.DataFrame, streams: Streams
) -> pd.DataFrame:
    """Identifiers, altitude, distance and the village's income term (standardised)."""
    number = len(villages)
    row = villages["county"].to_numpy()
    within = villages.groupby("county").cumcount().to_numpy() + 1
    ids = counties["county_id"].to_numpy()[row]
    height = streams.normal("village.altitude", number)
    remote = counties["remoteness"].to_numpy()[row]
    base = counties["altitude"].to_numpy()[row]
    spread = 30 + 0.09 * base
    noise = streams.normal("village.distance", number)
    distance = np.exp(1.75 + 0.35 * remote + 0.2 * height + 0.6 * noise)
    term = -0.35 * height - 0.35 * standardise(np.log(distance))
    return villages.assign(
        village_id=[f"{c}{k:02d}" for c, k in zip(ids, within, strict=True)],
        county_id=ids,
        altitude_m=np.clip(np.rint(base + spread * height), 5, 5300),
        distance_km=np.round(np.clip(distance, 0.3, 120), 1),
        village_term=standardise(term + 0.85 * streams.normal("village.income", number)),
    )
