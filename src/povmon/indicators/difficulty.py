"""Areas and counties ordered by difficulty, with the uncertainty of the order."""

from __future__ import annotations

import pandas as pd

from povmon import reference
from povmon.estimate.comparison.ranking import rank_intervals
from povmon.indicators.store import NATION, read_estimates
from povmon.survey import load_survey

KEPT = ["domain", "estimate", "se", "ci_low", "ci_high", "n", "df", "flag", "reason"]


def rank_areas(survey: str, indicator: str = "headcount") -> pd.DataFrame:
    """Areas by an indicator, most difficult first, with rank intervals.

    Returns
    -------
    One row an area: area, name_en, name_zh, estimate, se, ci_low, ci_high, n, df, flag, reason,
    rank, rank_low, rank_high. Suppressed areas stand last, without a rank.
    """
    table = read_estimates(survey, NATION)
    chosen = table[(table["domain_kind"] == "area") & (table["indicator"] == indicator)]
    names = load_survey(survey).area_names
    out = _ranked(chosen).rename(columns={"domain": "area"})
    out.insert(1, "name_en", [names[a][0] for a in out["area"]])
    out.insert(2, "name_zh", [names[a][1] for a in out["area"]])
    return out


def rank_counties(survey: str, indicator: str = "headcount") -> pd.DataFrame:
    """Counties of all areas by an indicator, most difficult first, with rank intervals.

    Returns
    -------
    As `rank_areas`, with county_id, county_en, county_zh, province_en, area and key_county;
    empty for a survey without counties. Suppressed counties stand last, without a rank.
    """
    config = load_survey(survey)
    if config.counties == "none":
        return pd.DataFrame()
    parts = [read_estimates(survey, area) for area in config.area_ids]
    table = pd.concat(parts, ignore_index=True)
    chosen = table[(table["domain_kind"] == "county") & (table["indicator"] == indicator)]
    out = _ranked(chosen).rename(columns={"domain": "county_id"})
    places = reference.counties()[
        ["county_id", "county_en", "county_zh", "province_en", "area_id", "key_county"]
    ]
    return out.merge(places, on="county_id", how="left", validate="1:1")


def _ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with a value ranked; those without appended unranked."""
    rows = rows[KEPT].reset_index(drop=True)
    known = rows[rows["estimate"].notna() & rows["se"].notna()].reset_index(drop=True)
    ranks = rank_intervals(
        known["estimate"].to_numpy(), known["se"].to_numpy(), known["df"].to_numpy(dtype=float)
    ).astype("Int64")
    ranked = pd.concat([known, ranks], axis=1).sort_values(["rank", "domain"])
    rest = rows[rows["estimate"].isna() | rows["se"].isna()].sort_values("domain")
    return pd.concat([ranked, rest], ignore_index=True)
