"""Two-stage samples from a census that exists outside this project.

The synthetic census of the World Bank (Synthetic Data for an Imaginary Country, 2023) as the
package `svy` ships it: 57,867 households in 133 enumeration areas, none left out.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pandas as pd

from benchmarks.coverage_population import Population
from povmon.errors import PovmonError
from povmon.synthetic.weighted import quantile

DATASET = "hld_pop_wb_2023"
SIZE = 57_867, 133
# The line is a quantile of expenditure a person, so that 30 % of the persons are poor.
POOR = 0.30
IMPROVED_WATER = {
    "Piped into dwelling", "Piped to yard/plot", "Piped to neighbor", "Public tap/standpipe",
    "Tube well or borehole", "Protected well", "Protected spring", "Rainwater", "Bottled water",
    "Tanker truck", "Cart with small tank",
}  # fmt: skip
IMPROVED_TOILET = {
    "Flush to piped sewer system", "Flush to septic tank", "Flush to pit latrine",
    "Ventilated improved pit latrine (vip)", "Pit latrine with slab",
}  # fmt: skip
WEIGHTS = {name: Fraction(1, 5) for name in ("dark", "water", "toilet", "crowded", "food")}
CUTOFF = Fraction(2, 5)
STRATA = ["geo1", "urbrur"]  # the strata that the package's registry names


def load() -> tuple[pd.DataFrame, str]:
    """The census as shipped, and its citation and licence in a sentence.

    Raises
    ------
    PovmonError : the package is not installed, or ships another census.
    """
    try:
        from svy import datasets
    except ImportError as error:
        raise PovmonError(
            "the census comes with the package svy, which is not installed",
            where="benchmarks/coverage_census.py",
            todo="install the project's packages again (make), or pip install svy",
        ) from error
    # "bundled": what lies in the package, never the network.
    frame = pd.DataFrame(datasets.load(DATASET, source="bundled").to_dict(as_series=False))
    found = len(frame), frame["ea"].nunique()
    if found != SIZE:
        raise PovmonError(f"the census has {found} households and areas instead of {SIZE}")
    about = datasets.describe(DATASET, source="bundled")
    return frame, f"{about.citation} Licence: {about.license}."


def population(census: pd.DataFrame, strata: list[str]) -> Population:
    """Enumeration areas as villages, in one county each combination of `strata`.

    Deprivations: no electricity, water or toilet not improved, more than three persons a room,
    more than half of expenditure on food.
    """
    key = pd.Series("all", index=census.index)
    for name in strata:
        key = key.str.cat(census[name], sep=" ")
    census = census.assign(stratum=key).sort_values(["stratum", "ea"], kind="stable")
    areas = census.groupby(["stratum", "ea"], sort=True).size()
    names, county = np.unique(areas.index.get_level_values("stratum"), return_inverse=True)
    households = areas.to_numpy(dtype=np.int64)
    columns = {
        "hhsize": census["hhsize"],
        "income": census["pc_exp"],
        "dark": census["electricity"] == "No",
        "water": ~census["water"].isin(IMPROVED_WATER),
        "toilet": ~census["toilet"].isin(IMPROVED_TOILET),
        "crowded": census["hhsize"] > 3 * census["rooms"],
        "food": census["share_food"] > 0.5,
    }
    return Population(
        np.asarray(["all"] * len(names)),
        county.astype(np.int64),
        households.astype(np.int64),
        households.astype(np.float64),
        np.concatenate([[0], np.cumsum(households)[:-1]]).astype(np.int64),
        {name: values.to_numpy(dtype=np.float64) for name, values in columns.items()},
    )


def line(population: Population) -> float:
    """The expenditure a person below which 30 % of the persons live."""
    columns = population.columns
    return quantile(columns["income"], columns["hhsize"], POOR)
