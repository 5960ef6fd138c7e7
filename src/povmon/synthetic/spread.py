"""Robust standard deviations that statistical errors are measured in.

Of a household's amount the standard deviation is that of the logarithm of the amount per person
among the households of its county: 1.4826 times the median absolute deviation (Hampel 1974). A
village's distance and a county's amounts are compared within the area.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

CONSISTENT = 1.4826  # makes the median absolute deviation estimate a normal standard deviation
SMALLEST = 0.05
HOUSEHOLD = ("income_total", "consumption_total", "dwelling_area", "land")
# Column -> what it is divided by before the logarithm is taken.
COUNTY = {
    "rural_income_pc": "",
    "gdp": "population",
    "grain": "farmland",
    "farmland": "rural_population",
}


def column_of(column: str) -> str:
    """Name under which a form's frame holds the standard deviation of a column."""
    return f"sd:{column}"


def robust_sd(values: pd.Series, group: pd.Series) -> np.ndarray:
    """Robust standard deviation of the logarithm of positive values, of each row's group."""
    log = pd.Series(np.log(values.where(values > 0).to_numpy(dtype=float)))
    group = pd.Series(group.to_numpy())
    middle = log.groupby(group).transform("median")
    spread = CONSISTENT * (log - middle).abs().groupby(group).transform("median")
    return spread.fillna(spread.median()).clip(lower=SMALLEST).to_numpy()


def add_context(forms: dict[str, pd.DataFrame]) -> None:
    """Add what errors are measured by: the columns `column_of(...)`, and `age_of_head` of persons.

    Done before the first error is planted; none of these columns is sent.
    """
    household, village, county = (forms[n] for n in ("household", "village", "county"))
    counties = household["village_id"].str.slice(0, 6)
    size = _number(household, "hhsize")
    for column in HOUSEHOLD:
        household[column_of(column)] = robust_sd(_number(household, column) / size, counties)
    area = village["file"].str.split("/").str[0]
    village[column_of("distance_km")] = robust_sd(_number(village, "distance_km"), area)
    area = county["file"].str.split("/").str[0]
    for column, base in COUNTY.items():
        values = _number(county, column)
        values = values / _number(county, base) if base else values
        county[column_of(column)] = robust_sd(values, area)
    person = forms["person"]
    heads = person[person["relation"] == "head"].set_index("household_id")
    person["age_of_head"] = person["household_id"].map(_number(heads, "age"))


def _number(frame: pd.DataFrame, column: str) -> pd.Series:
    return pd.to_numeric(frame[column], errors="coerce").astype("float64")
