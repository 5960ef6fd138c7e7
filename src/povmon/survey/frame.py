"""The counties a survey covers and its sampled villages: what should arrive, before anything has.

The list of sampled villages is optional: ``data/raw/<survey>/villages.csv`` with the columns
``village_id``, ``county_id`` and, where the weights are known before the fieldwork, ``w_village``.
"""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from povmon import paths
from povmon.errors import PovmonError
from povmon.survey.config import Survey
from povmon.survey.text import read_text_table

_COLUMNS = ["county_id", "area_id", "province_id"]
VILLAGE_LIST = "villages.csv"
_VILLAGE_COLUMNS = {"village_id", "county_id", "w_village"}


def survey_counties(survey: Survey, area: str = "") -> pd.DataFrame:
    """Counties of a survey, or of one of its areas, in the order of their codes.

    Parameters
    ----------
    survey : the survey.
    area : an area id; empty for all areas.

    Returns
    -------
    One row a county: county_id, area_id, province_id (all str). Empty when the survey's areas
    are not made of counties (survey.yml, ``counties: none``).
    """
    if survey.counties == "none":
        return pd.DataFrame({name: pd.Series([], dtype="str") for name in _COLUMNS})
    from povmon import reference

    counties = reference.counties()[_COLUMNS].astype("str")
    if survey.only_counties:
        counties = counties[counties["county_id"].isin(survey.only_counties)]
    if area:
        counties = counties[counties["area_id"] == area]
    return counties.sort_values("county_id", ignore_index=True)


def sampled_villages(survey: Survey, counties: Collection[str]) -> pd.DataFrame:
    """The sampled villages of some counties, in the order of their codes.

    Parameters
    ----------
    survey : the survey.
    counties : county ids.

    Returns
    -------
    village_id, county_id (str), w_village (float, missing where not known); empty where the
    survey has no list of villages.

    Raises
    ------
    PovmonError : the list cannot be read, lacks a column, or a row of it is wrong (named by line).
    """
    path = paths.raw(survey.survey) / VILLAGE_LIST
    place = f"data/raw/{survey.survey}/{VILLAGE_LIST}"
    cells: dict[str, list[str]] = {"village_id": [], "county_id": []}
    if path.is_file():
        table = read_text_table(path, place)
        cells = table.columns
        _check_villages(survey, cells, table.lines, place)
    villages = pd.DataFrame(
        {name: pd.Series(cells[name], dtype="str") for name in ("village_id", "county_id")}
    )
    weights = cells.get("w_village", [""] * len(villages))
    villages["w_village"] = [float(cell) if cell else None for cell in weights]
    villages["w_village"] = villages["w_village"].astype("float64")
    own = villages[villages["county_id"].isin(counties)]
    return own.sort_values("village_id", ignore_index=True)


def _check_villages(
    survey: Survey, cells: dict[str, list[str]], lines: list[int], place: str
) -> None:
    missing = _VILLAGE_COLUMNS - {"w_village"} - set(cells)
    if missing:
        raise PovmonError(
            f"the column {sorted(missing)[0]!r} is missing",
            where=f"{place}, line 1",
            todo="the columns are village_id, county_id and, if known, w_village",
        )
    known = set(survey_counties(survey)["county_id"])
    seen: set[str] = set()
    weights = cells.get("w_village", [""] * len(lines))
    rows = zip(lines, cells["village_id"], cells["county_id"], weights, strict=True)
    for line, village, county, weight in rows:
        problem = _village_problem(village, county, weight, known, seen)
        if problem:
            raise PovmonError(problem, where=f"{place}, line {line}", todo="correct the list")
        seen.add(village)


def _village_problem(
    village: str, county: str, weight: str, known: set[str], seen: set[str]
) -> str:
    """What is wrong with a row of the list; empty when nothing is."""
    if not village:
        return "the village has no code"
    if village in seen:
        return f"the village {village!r} stands twice"
    if county not in known:
        return f"{county!r} is no county of the survey"
    if weight and not _positive(weight):
        return f"the weight {weight!r} is no number above zero"
    return ""


def _positive(text: str) -> bool:
    try:
        return 0 < float(text) < float("inf")
    except ValueError:
        return False
