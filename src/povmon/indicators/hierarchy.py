"""The units that forms are rolled up to: county, prefecture, province; county, area; key counties.

Every unit is a set of counties. Both hierarchies, and the groups of key and other counties, share
their counties and end in all areas combined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from povmon import reference
from povmon.errors import PovmonError
from povmon.survey import Survey
from povmon.survey.frame import survey_counties

ALL = "all"
# Child level, parent level: what must add up.
STEPS = (
    ("county", "prefecture"),
    ("prefecture", "province"),
    ("province", ALL),
    ("county", "area"),
    ("area", ALL),
    ("county", "key_county"),
    ("key_county", ALL),
)
VIEWS: dict[str, tuple[str, ...]] = {
    "province": (ALL, "province", "prefecture", "county"),
    "area": (ALL, "area", "county"),
    "key_county": (ALL, "key_county", "county"),
}
KEY_NAMES = {
    "key": ("Key counties", "国家扶贫开发工作重点县"),
    "other": ("Other counties", "其他县"),
    "unknown": ("Key or other not determined", "是否重点县未确定"),
}


@dataclass(frozen=True)
class Hierarchy:
    """Units and their counties.

    Parameters
    ----------
    units : one row a unit, index ``unit`` (``county/530326``): level, en, zh, counties (number).
    members : (units, counties) 0/1.
    counties : one row a county, in the order of the columns of `members`: county_id, area,
        province, prefecture, key_county (names of their units).
    """

    units: pd.DataFrame
    members: sparse.csr_array
    counties: pd.DataFrame

    def at(self, levels: Sequence[str]) -> npt.NDArray[np.intp]:
        """Positions of the units of some levels."""
        return np.flatnonzero(self.units["level"].isin(list(levels)).to_numpy())

    def view(self, name: str) -> pd.DataFrame:
        """The rows of one hierarchy, each parent before its children: unit, depth.

        Parameters
        ----------
        name : "province", "area" or "key_county".
        """
        levels = VIEWS[name]
        table = self.counties.assign(all=ALL)
        paths = table[[*levels[:-1], "county"]].drop_duplicates()
        rows: list[tuple[str, int]] = []
        seen: set[str] = set()
        # A stable sort by every level above the county keeps a unit's counties together.
        order = {unit: i for i, unit in enumerate(self.units.index)}
        keys = paths.map(order.__getitem__).sort_values(list(paths.columns), kind="stable")
        for path in paths.loc[keys.index].itertuples(index=False):
            for depth, unit in enumerate(path):
                if unit not in seen:
                    seen.add(unit)
                    rows.append((unit, depth))
        return pd.DataFrame(rows, columns=["unit", "depth"])

    def atoms(self, levels: Sequence[str]) -> npt.NDArray[np.intp]:
        """(counties,) the smallest groups of counties that no unit of some levels divides."""
        keys = self.counties[[level for level in levels if level != ALL]]
        return np.asarray(keys.groupby(list(keys.columns), sort=False).ngroup(), dtype=np.intp)


def hierarchy(survey: Survey) -> Hierarchy:
    """The units of a survey whose areas are made of counties.

    Raises
    ------
    PovmonError : the survey's areas are not made of counties.
    """
    own = survey_counties(survey)
    if own.empty:
        raise PovmonError(
            "the areas are not made of counties, so nothing can be rolled up",
            where=f"survey {survey.survey}, survey.yml, key counties",
            todo="take rollup out of the products",
        )
    places = reference.counties().set_index("county_id").loc[list(own["county_id"])].reset_index()
    places["prefecture_id"] = _prefecture_ids(places)
    counties = pd.DataFrame(
        {
            "county_id": places["county_id"],
            "county": "county/" + places["county_id"],
            "prefecture": "prefecture/" + places["prefecture_id"],
            "province": "province/" + places["province_id"],
            "area": "area/" + places["area_id"],
            "key_county": "key_county/" + places["key_county"],
        }
    )
    units = _units(survey, counties, places)
    return Hierarchy(units, _members(units, counties), counties)


def _prefecture_ids(places: pd.DataFrame) -> pd.Series:
    """The first four digits of the code; Chongqing's counties and districts share the first."""
    code = places["county_id"].str[:4]
    return code.groupby([places["province_id"], places["prefecture_zh"]]).transform("min")


def _units(survey: Survey, counties: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    whole = f"All {len(survey.area_ids)} areas combined"
    parts = [pd.DataFrame({"unit": [ALL], "level": ALL, "en": whole, "zh": "全部片区合计"})]
    names = {
        "province": ("province_en", "province_zh"),
        "prefecture": ("prefecture_en", "prefecture_zh"),
        "county": ("county_en", "county_zh"),
    }
    for level in ("province", "prefecture", "area", "key_county", "county"):
        part = pd.DataFrame({"unit": counties[level], "level": level})
        if level in names:
            part["en"], part["zh"] = (places[c] for c in names[level])
        else:
            known = survey.area_names if level == "area" else KEY_NAMES
            pairs = part["unit"].str.split("/").str[1].map(known)
            part["en"], part["zh"] = pairs.str[0], pairs.str[1]
        part = part.drop_duplicates("unit")
        order = list(known) if level not in names else []
        key = part["unit"].str.split("/").str[1].map({k: i for i, k in enumerate(order)})
        part = part.assign(key=key).sort_values(["key", "unit"] if order else ["unit"])
        parts.append(part.drop(columns="key"))
    units = pd.concat(parts, ignore_index=True).set_index("unit")
    sizes = pd.concat([counties[c].value_counts() for c in counties.columns[1:]])
    units["counties"] = sizes.reindex(units.index).fillna(len(counties)).astype("int64")
    return units


def _members(units: pd.DataFrame, counties: pd.DataFrame) -> sparse.csr_array:
    position = pd.Series(np.arange(len(units)), index=units.index)
    columns = np.arange(len(counties))
    rows = [np.zeros(len(counties), dtype=np.intp)]
    rows += [position[counties[c]].to_numpy() for c in counties.columns[1:]]
    where = (np.concatenate(rows), np.tile(columns, len(rows)))
    ones = np.ones(len(where[0]))
    return sparse.csr_array((ones, where), shape=(len(units), len(counties)))
