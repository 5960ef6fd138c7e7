"""One national map from a plain table of county values, for researchers."""

from __future__ import annotations

import pandas as pd

from povmon.errors import PovmonError
from povmon.present.display import Figure, Text
from povmon.present.maps.atlas import Atlas
from povmon.survey import Survey

REQUIRED = ("domain_kind", "domain", "indicator", "unit", "estimate", "se", "ci_low", "ci_high",
            "n", "flag", "reason")  # fmt: skip


def county_choropleth(
    estimates: pd.DataFrame, indicator: str, survey: Survey, area: str = ""
) -> Figure | Text:
    """A map of county estimates.

    Parameters
    ----------
    estimates : the estimates table; rows of domain_kind ``county`` are drawn.
    indicator : id of the catalogue.
    survey : the survey, for its areas, year and title.
    area : one area, with the names of its counties; empty draws the whole country.

    Raises
    ------
    PovmonError : the table lacks a column, or the catalogue the indicator.
    """
    lacking = [c for c in REQUIRED if c not in estimates.columns]
    if lacking:
        raise PovmonError(
            f"the estimates lack the columns {', '.join(lacking)}",
            where="county_choropleth",
            todo="pass the table of estimates.parquet",
        )
    atlas = Atlas(survey, estimates)
    if area:
        sheet = atlas.area_sheet(area, indicator)
        return sheet if isinstance(sheet, Text) else sheet.figure
    shown = atlas.national_map(indicator)
    return shown if isinstance(shown, Figure) else Text(str(shown))
