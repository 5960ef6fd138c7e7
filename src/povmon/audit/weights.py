"""Weights after the audit, and the response rates that made them necessary.

Three steps (Särndal and Lundström 2005, ch. 7; Valliant, Dever and Kreuter 2018, ch. 13):

1. within the village, households that did not answer or were rejected are carried by the
   others: ``w_hh`` times expected over accepted households;
2. within the county, villages without any accepted household are carried by the others:
   ``w_hh`` and ``w_village`` times expected over remaining villages;
3. the ratio estimator: ``w_hh`` times the county's rural registered population over the sum of
   ``w_hh`` times household size.

Step 3 makes step 2 cancel for households; it stays, because it is what remains in a county
whose population is not calibrated. Nothing is carried across counties: a lost county is named.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.survey.config import Survey
from povmon.survey.frame import survey_counties

RESPONSE = [
    "county_id", "villages_expected", "villages_accepted", "households_expected",
    "households_received", "households_accepted", "rural_population", "weight_sum_before",
    "weight_sum_after", "lost", "note",
]  # fmt: skip
FAR_CALIBRATION = (0.5, 2.0)

Tables = dict[str, pd.DataFrame]


def place_records(survey: Survey, area: str, tables: Tables) -> Tables:
    """Accepted (or received) records with ``area``, ``county_id`` and ``province_id`` on each.

    Every form gets the county of its village. In a survey whose areas are not made of counties
    the area itself stands in the county's place and the province is "".
    """
    placed: Tables = {}
    villages: pd.Series | None = None
    households: pd.Series | None = None
    for form in survey.forms:
        table = tables[form].copy()
        if survey.counties == "none" or "village" not in survey.forms:
            table["county_id"] = area
        elif form == "household" and villages is not None:
            table["county_id"] = table["village_id"].map(villages)
        elif form == "person" and households is not None:
            table["county_id"] = table["household_id"].map(households)
        table["county_id"] = table["county_id"].astype("str")
        table["area"] = area
        by_county = survey.counties != "none" and "village" in survey.forms
        table["province_id"] = table["county_id"].str[:2] if by_county else ""
        if form == "village":
            villages = table.drop_duplicates("village_id").set_index("village_id")["county_id"]
        if form == "household":
            first = table.drop_duplicates("household_id")
            households = first.set_index("household_id")["county_id"]
        placed[form] = table
    return placed


def reweight(
    survey: Survey, area: str, tables: Tables, received: pd.DataFrame
) -> tuple[Tables, pd.DataFrame]:
    """Weights recomputed after the audit, and the response table.

    Parameters
    ----------
    tables : accepted records with ``county_id`` (see `place_records`).
    received : one row a household that arrived: household_id, village_id.

    Returns
    -------
    The tables with ``w_village`` on villages, ``w_hh`` and ``w_person`` (= w_hh x hhsize) on
    households and ``w_hh`` on persons; and one row a county (unit of the sums: persons).
    """
    households = tables["household"].copy()
    counties = _counties(survey, area, tables, received)
    size = households["hhsize"].astype("float64")
    counties["weight_sum_before"] = _by_county(households, households["w_hh"] * size, counties)
    if survey.design.weights == "form":
        expected = _expected_per_village(survey, received)
        in_village = households.groupby("village_id")["household_id"].transform("size")
        wanted = households["village_id"].map(expected).astype("float64")
        lost = _ratio(counties["villages_expected"], counties["villages_left"])
        w_hh = households["w_hh"] * np.maximum(wanted / in_village, 1.0)
        w_hh *= households["county_id"].map(lost)
        households["w_hh"] = w_hh * _calibration(survey, households, w_hh * size, counties)
    households["w_person"] = households["w_hh"] * size
    counties["weight_sum_after"] = _by_county(households, households["w_person"], counties)
    weighted = {**tables, "household": households}
    if "village" in tables:
        weighted["village"] = _village_weights(survey, tables["village"], counties)
    if "person" in tables:
        persons = tables["person"].copy()
        persons["w_hh"] = persons["household_id"].map(households.set_index("household_id")["w_hh"])
        weighted["person"] = persons
    return weighted, counties.reset_index()[RESPONSE]


def _ratio(expected: pd.Series, left: pd.Series) -> pd.Series:
    """Expected over remaining, never below one; one where nothing remains."""
    return (expected / left.where(left > 0)).fillna(1.0).clip(lower=1.0)


def _village_weights(
    survey: Survey, villages: pd.DataFrame, counties: pd.DataFrame
) -> pd.DataFrame:
    villages = villages.copy()
    if survey.design.weights == "form":
        lost = _ratio(counties["villages_expected"], counties["villages_accepted"])
        villages["w_village"] = villages["w_village"] * villages["county_id"].map(lost)
    return villages


def _calibration(
    survey: Survey, households: pd.DataFrame, persons: pd.Series, counties: pd.DataFrame
) -> pd.Series:
    if survey.design.calibrate_to == "none":
        return pd.Series(1.0, index=households.index)
    sums = _by_county(households, persons, counties)
    factor = (counties["rural_population"] / sums.where(sums > 0)).fillna(1.0)
    return households["county_id"].map(factor)


def _by_county(households: pd.DataFrame, values: pd.Series, counties: pd.DataFrame) -> pd.Series:
    sums = values.groupby(households["county_id"]).sum()
    return sums.reindex(counties.index).fillna(0.0)


def _expected_per_village(survey: Survey, received: pd.DataFrame) -> pd.Series:
    """Households that each village should have sent: by the design, else those that arrived."""
    arrived = received.drop_duplicates("household_id").groupby("village_id").size()
    design = survey.design.households_per_village
    return pd.Series(design, index=arrived.index) if design is not None else arrived


def _counties(survey: Survey, area: str, tables: Tables, received: pd.DataFrame) -> pd.DataFrame:
    """One row a county of the area: what was expected, what arrived, what was accepted."""
    by_county = survey.counties != "none" and "village" in survey.forms
    index = list(survey_counties(survey, area)["county_id"]) if by_county else [area]
    counties = pd.DataFrame(index=pd.Index(index, name="county_id", dtype="str"))
    received = received.assign(
        county_id=received["village_id"].str[:6] if by_county else area
    ).dropna(subset=["village_id"])
    accepted = tables["household"]
    seen, left = _villages(received), _villages(accepted)
    accepted_villages = _villages(tables.get("village", accepted))
    design = survey.design
    rows = [
        _county_row(
            county, seen.get(county, set()), left.get(county, set()),
            accepted_villages.get(county, set()), design.villages_per_county,
        )
        for county in index
    ]  # fmt: skip
    names = ["villages_expected", "villages_left", "villages_accepted", "lost", "note"]
    counts = pd.DataFrame(rows, columns=names, index=counties.index)
    text = {"lost": "str", "note": "str"}
    counties = counts.astype({name: text.get(name, "int64") for name in names})
    each = design.households_per_village
    arrived = received.drop_duplicates("household_id").groupby("county_id").size()
    counties["households_received"] = arrived.reindex(index).fillna(0).astype("int64").to_numpy()
    counties["households_expected"] = (
        counties["villages_expected"] * each if each else counties["households_received"]
    )
    found = accepted.groupby("county_id").size().reindex(index).fillna(0)
    counties["households_accepted"] = found.astype("int64").to_numpy()
    counties["rural_population"] = _population(tables, index)
    return counties


def _villages(records: pd.DataFrame) -> dict[str, set[str]]:
    """County id -> its villages among some records."""
    return {str(county): set(part["village_id"]) for county, part in records.groupby("county_id")}


def _county_row(
    county: str, seen: set[str], left: set[str], villages: set[str], design: int | None
) -> list[object]:
    expected = design if design is not None else len(seen | villages)
    named = {f"{county}{n:02d}" for n in range(1, expected + 1)}
    # Villages that never arrived can be named when the county numbers its villages 01, 02, ...
    numbered = design is not None and (left | villages) <= named
    known = named if numbered else seen | villages
    lost = sorted(known - left)
    unnamed = max(expected - len(left) - len(lost), 0)
    return [expected, len(left), len(villages), ",".join(lost), _note(left, lost, unnamed)]


def _note(left: set[str], lost: list[str], unnamed: int) -> str:
    if not left:
        return "county lost: no household was accepted, so it is in no figure of the area"
    total = len(lost) + unnamed
    if not total:
        return ""
    villages = "1 village is" if total == 1 else f"{total} villages are"
    return f"{villages} lost and represented by the county's others"


def _population(tables: Tables, index: list[str]) -> np.ndarray:
    if "county" not in tables:
        return np.full(len(index), np.nan)
    county = tables["county"].drop_duplicates("county_id").set_index("county_id")
    return county["rural_population"].astype("float64").reindex(index).to_numpy()
