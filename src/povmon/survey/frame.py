"""The counties a survey covers: what should have arrived, before anything has."""

from __future__ import annotations

import pandas as pd

from povmon.survey.config import Survey

_COLUMNS = ["county_id", "area_id", "province_id"]


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
