"""Counts and totals rolled up along both hierarchies, with checks that the parts add up.

County -> prefecture -> province, and county -> area; both end in all areas combined. Only counts
and totals are added up; rates, means and Gini coefficients are estimated from records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.indicators.forms_county import CONFIDENTIAL, roll_up_counties
from povmon.indicators.frames import Frames, load, numeric
from povmon.indicators.hierarchy import ALL, hierarchy
from povmon.indicators.store import NATION, read_estimates
from povmon.survey import Survey, load_survey

LEVELS = ("county", "prefecture", "province", "area", "all")
SAMPLE = ("sample_villages", "sample_households", "sample_persons")
WEIGHTED = ("estimated_persons", "estimated_poor")
REPORTED = (
    "rural_population",
    "registered_poor",
    "villages",
    "villages_road",
    "villages_water",
    "villages_clinic",
    "children_7_15",
    "enrolled_7_15",
    "funds",
)


@dataclass(frozen=True)
class RollUp:
    """Additive counts at every level, and the checks that the levels agree.

    ``tables`` holds one frame a level: its identifiers, ``counties`` and the counts. ``checks``
    has one row a check: check, left, right, difference, agrees. Reported counts that would tell
    about single persons are missing in the tables (see `forms_rollup`).
    """

    tables: dict[str, pd.DataFrame]
    checks: pd.DataFrame


def roll_up(survey: str) -> RollUp:
    """Roll the accepted records and county forms of all areas up.

    Raises
    ------
    PovmonError : an area has not been audited, or the levels do not add up.
    """
    config = load_survey(survey)
    frames = load(config, config.area_ids)
    counties = _counties(config, frames)
    offered = [c for c in (*SAMPLE, *WEIGHTED, *REPORTED) if c in counties]
    values = [c for c in offered if counties[c].notna().any()]
    tables = {"county": counties}
    keys = {
        "prefecture": [
            "province_id",
            "province_zh",
            "province_en",
            "prefecture_zh",
            "prefecture_en",
        ],
        "province": ["province_id", "province_zh", "province_en"],
        "area": ["area"],
    }
    for level, key in keys.items():
        if set(key) <= set(counties):
            tables[level] = _add_up(counties, key, values)
    tables["all"] = _add_up(counties.assign(all="all"), ["all"], values)
    checks = _checks(tables, values, survey)
    wrong = checks[~checks["agrees"]]
    if len(wrong):
        first = wrong.iloc[0]
        raise PovmonError(
            f"{first['check']}: {first['left']:,.1f} against {first['right']:,.1f}",
            where=f"survey {survey}, roll-up",
            todo="build the survey anew with make clean, make",
        )
    if frames.county is not None and config.counties == "reference":
        tables = _withhold(config, frames.county, tables)
    return RollUp(tables, checks)


def _withhold(
    survey: Survey, records: pd.DataFrame, tables: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Without the reported counts that the roll-up of the forms withholds."""
    h = hierarchy(survey)
    table, _ = roll_up_counties(survey, h, records)
    units = h.counties.set_index("county_id")
    withheld = table.withheld[[i.name for i in table.items if i.unit in CONFIDENTIAL]]
    out = {}
    for level, frame in tables.items():
        shown = frame.copy()
        if level == ALL:
            unit = pd.Series(ALL, index=frame.index)
        elif level == "prefecture":
            own = tables["county"].drop_duplicates(["province_id", "prefecture_zh"])
            key = ["province_id", "prefecture_zh"]
            county = frame[key].merge(own[[*key, "county_id"]], on=key, how="left")["county_id"]
            unit = county.map(units["prefecture"])
        else:
            column = {"county": "county_id", "province": "province_id"}.get(level, level)
            unit = level + "/" + frame[column].astype("str")
        for name in withheld.columns.intersection(frame.columns):
            gone = unit.map(withheld[name]).fillna(False).astype(bool).to_numpy()
            shown[name] = frame[name].astype("float64").mask(gone)
        out[level] = shown
    return out


def _add_up(counties: pd.DataFrame, key: list[str], values: list[str]) -> pd.DataFrame:
    groups = counties.groupby(key, sort=True)
    out = groups[values].sum(min_count=1)
    out.insert(0, "counties", groups["county_id"].nunique())
    return out.reset_index()


def _counties(survey: Survey, frames: Frames) -> pd.DataFrame:
    """One row a county: its places, its sample, its weighted totals and its own report."""
    h = frames.household.assign(persons=numeric(frames.household, "hhsize"))
    h["weighted_poor"] = h["w_person"] * h["poor"]
    groups = h.groupby(["area", "county_id"], sort=True)
    out = pd.DataFrame(
        {
            "sample_villages": groups["village_id"].nunique(),
            "sample_households": groups.size(),
            "sample_persons": groups["persons"].sum(),
            "estimated_persons": groups["w_person"].sum(),
            "estimated_poor": groups["weighted_poor"].sum(min_count=1),
        }
    ).reset_index()
    if frames.county is not None:
        reported = ["county_id", *[c for c in REPORTED if c in frames.county]]
        out = out.merge(frames.county[reported], on="county_id", how="outer", validate="1:1")
    if survey.counties == "reference":
        places = reference.counties().drop(columns=["note"])
        out = out.merge(places, on="county_id", how="left", validate="m:1")
        out["area"] = out["area"].fillna(out["area_id"])
    else:
        out = out.drop(columns=[c for c in WEIGHTED if survey.design.weights == "none"])
    return out.sort_values(["area", "county_id"], ignore_index=True)


def _checks(tables: dict[str, pd.DataFrame], values: list[str], survey: str) -> pd.DataFrame:
    """Every level adds up to the top, and the top to the pooled estimate."""
    top = tables["all"].iloc[0]
    rows: list[dict[str, Any]] = []
    for level in ("county", "prefecture", "province", "area"):
        if level in tables:
            for value in values:
                rows.append(
                    _check(
                        f"{value}: sum over {level} level and all areas combined",
                        tables[level][value].sum(),
                        top[value],
                    )
                )
    pooled = read_estimates(survey, NATION)
    known = pooled[(pooled["domain_kind"] == "all") & (pooled["indicator"] == "poor_total")]
    if "estimated_poor" in values and len(known) and known["flag"].iloc[0] != "suppressed":
        rows.append(
            _check(
                "estimated_poor: all areas combined and the pooled estimate",
                top["estimated_poor"],
                known["estimate"].iloc[0],
            )
        )
    return pd.DataFrame(rows)


def _check(name: str, left: float, right: float) -> dict[str, Any]:
    left, right = float(left), float(right)
    agrees = bool(np.isclose(left, right, rtol=1e-9, atol=1e-6, equal_nan=True))
    return {
        "check": name,
        "left": left,
        "right": right,
        "difference": left - right,
        "agrees": agrees,
    }


def promptness(survey: str) -> pd.DataFrame:
    """When each province's submission arrived, all areas together (see the audit)."""
    config = load_survey(survey)
    parts = []
    for area in config.area_ids:
        path = paths.processed(survey, area) / "promptness.parquet"
        if not path.is_file():
            raise PovmonError(
                f"area {area} has not been audited",
                where=f"survey {survey}",
                todo=f"run make SURVEY={survey} AREA={area} first",
            )
        parts.append(pd.read_parquet(path).assign(area=area))
    return pd.concat(parts, ignore_index=True)
