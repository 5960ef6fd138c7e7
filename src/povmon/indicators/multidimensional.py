"""The multidimensional index: its definition as data, and the deprivations of a household."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from povmon import paths
from povmon.errors import PovmonError
from povmon.estimate import multidimensional
from povmon.estimate.measures.multidimensional import Multidimensional
from povmon.yamls import from_yaml


class Deprivation(BaseModel):
    """One deprivation: exact weight, labels, cut-off in words and its numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    weight: str
    en: str
    zh: str
    cutoff: str
    parameters: dict[str, float] = {}


class Definition(BaseModel):
    """The index as data/raw/reference/multidimensional.yml gives it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: str
    k: str
    deprivations: dict[str, Deprivation]


@cache
def definition() -> Definition:
    """Read and validate the definition of the index."""
    path = paths.reference() / "multidimensional.yml"
    try:
        return Definition.model_validate(from_yaml(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise PovmonError(
            f"not a valid definition ({error})", where=path.name, todo="correct the file"
        ) from error


@cache
def index() -> Multidimensional:
    """The index as measures on the columns ``d_<deprivation>``."""
    d = definition()
    return multidimensional(
        {f"d_{j}": Fraction(x.weight) for j, x in d.deprivations.items()}, Fraction(d.k)
    )


def weights_table() -> pd.DataFrame:
    """Deprivations with weight, cut-off and labels: one row each."""
    d = definition()
    rows: list[dict[str, Any]] = [
        {"deprivation": j, "en": x.en, "zh": x.zh, "weight": x.weight, "cutoff": x.cutoff}
        for j, x in d.deprivations.items()
    ]
    return pd.DataFrame(rows)


def _flag(condition: pd.Series[Any], known: pd.Series[Any]) -> pd.Series[Any]:
    """1.0 deprived, 0.0 not, NaN not known."""
    return condition.astype("float64").where(known.astype(bool), np.nan)


def deprivations(households: pd.DataFrame, line: float) -> pd.DataFrame:
    """Deprivations d_<j> of each household, 1.0, 0.0 or NaN.

    Parameters
    ----------
    households : the derived household frame (see `frames.households`), one row a household.
    line : main poverty line, money a person a year.
    """
    d = definition().deprivations
    h = households
    food = d["food"].parameters["share_of_line"] * line
    clothing = d["clothing"].parameters["share_of_line"] * line
    water = h["water_safe"].eq(0) | h["water_difficulty"].eq(1)
    out = pd.DataFrame(index=h.index)
    out["d_food"] = _flag(h["food_pc"] < food, h["food_pc"].notna())
    out["d_clothing"] = _flag(h["clothing_pc"] < clothing, h["clothing_pc"].notna())
    out["d_education"] = _flag(
        (h["children_7_15"] > h["enrolled_7_15"]) | (h["most_schooling"] < _years()),
        h["most_schooling"].notna(),
    )
    out["d_medical"] = _flag(h["all_insured"].eq(0) | h["uncared"].gt(0), h["all_insured"].notna())
    out["d_housing"] = h["dangerous"]
    out["d_water"] = _flag(water, h["water_safe"].notna() & h["water_difficulty"].notna())
    out["d_power"] = 1.0 - h["electricity"]
    out["d_road"] = 1.0 - h["hardened_road"]
    return out


def _years() -> float:
    return definition().deprivations["education"].parameters["years"]
