"""What a map is drawn from: polygons joined with the counties' estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon import reference
from povmon.present.maps.classes import Classes
from povmon.survey import Survey

# Why a county has no colour; the order is that of the legend.
SUPPRESSED, ABSENT, OUTSIDE, MIXED = "suppressed", "absent", "outside", "mixed"
SHOWN = "shown"
WORDS = {
    SUPPRESSED: "withheld by the publication rules",
    ABSENT: "no accepted records",
    OUTSIDE: "not in this survey",
    MIXED: "one boundary, two counties: see the table",
}


@dataclass(frozen=True)
class CountyValues:
    """One indicator by county, complete: every county of the survey's areas has a row.

    Parameters
    ----------
    frame : county_id, area_id, county_zh, county_short_en, county_label_en, province_en,
        prefecture_en, estimate, ci_low, ci_high, se, n, flag, reason, unit, status (shown,
        suppressed, absent, outside).
    """

    frame: pd.DataFrame
    indicator: str
    unit: str

    @property
    def shown(self) -> pd.DataFrame:
        """The counties with an estimate that may be published."""
        return self.frame[self.frame["status"] == SHOWN]


def county_values(survey: Survey, estimates: pd.DataFrame, indicator: str) -> CountyValues:
    """Join the estimates of one indicator to the list of counties.

    Parameters
    ----------
    estimates : rows of domain_kind ``county`` (others are left aside).
    """
    rows = estimates[
        (estimates["domain_kind"] == "county") & (estimates["indicator"] == indicator)
    ].rename(columns={"domain": "county_id"})
    columns = ["estimate", "se", "ci_low", "ci_high", "n", "flag", "reason", "unit"]
    counties = reference.counties()
    counties = counties[counties["area_id"].isin(survey.area_ids)]
    frame = counties.merge(
        rows[["county_id", *columns]], on="county_id", how="left", validate="one_to_one"
    )
    status = np.where(frame["flag"].isna(), ABSENT, SUPPRESSED)
    status = np.where(frame["estimate"].notna(), SHOWN, status)
    if survey.only_counties:
        inside = frame["county_id"].isin(survey.only_counties)
        status = np.where(~inside & frame["flag"].isna(), OUTSIDE, status)
    frame["status"] = status
    frame["flag"] = frame["flag"].fillna("")
    frame["reason"] = frame["reason"].fillna("")
    units = rows["unit"].unique()
    return CountyValues(frame, indicator, str(units[0]) if len(units) else "")


def polygon_groups(polygons: pd.DataFrame, values: CountyValues, classes: Classes) -> pd.DataFrame:
    """Status, class and flag of each polygon.

    A polygon that serves two counties has a colour only when both fall in the same class.

    Returns
    -------
    The polygons with status, cls (-1 without a colour) and unreliable (bool).
    """
    frame = values.frame.set_index("county_id")
    cls = pd.Series(classes.of(frame["estimate"].to_numpy(dtype=float)), index=frame.index)
    out = polygons[polygons["area_id"].isin(frame["area_id"])].copy()
    states: list[str] = []
    numbers: list[int] = []
    doubts: list[bool] = []
    for ids in out["county_ids"]:
        kinds = {(str(frame.at[i, "status"]), int(cls[i])) for i in ids}
        state, number = next(iter(kinds)) if len(kinds) == 1 else (MIXED, -1)
        states.append(state)
        numbers.append(number if state == SHOWN else -1)
        doubtful = [str(frame.at[i, "flag"]) == "unreliable" for i in ids]
        doubts.append(any(doubtful) and state == SHOWN)
    return out.assign(status=states, cls=numbers, unreliable=doubts)
