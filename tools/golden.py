"""Write the golden numbers again from built surveys (after a change that is meant to move them).

Usage: POVMON_ROOT=<root with demo and vlss1998 made> python tools/golden.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from povmon import paths
from povmon.indicators import NATION, read_estimates
from povmon.survey import load_survey

TARGET = Path(__file__).resolve().parents[1] / "tests" / "golden"
KINDS = ["all", "area", "county", "sex", "household_size"]
COLUMNS = [
    "area", "domain_kind", "domain", "indicator", "estimate", "se", "ci_low", "ci_high", "n",
    "n_psu", "df", "flag",
]  # fmt: skip


def golden(survey: str) -> pd.DataFrame:
    """The estimates that are compared: places and two kinds of groups, all indicators."""
    tables = [read_estimates(survey, a) for a in (*load_survey(survey).area_ids, NATION)]
    table = pd.concat(tables, ignore_index=True)
    return table.loc[table["domain_kind"].isin(KINDS), COLUMNS]


def accounting(survey: str) -> pd.DataFrame:
    """Rows received, accepted, corrected and rejected by area and form."""
    parts = [
        pd.read_parquet(paths.processed(survey, area) / "accounting.parquet").assign(area=area)
        for area in load_survey(survey).area_ids
    ]
    counts = ["received", "accepted", "corrected", "rejected"]
    return pd.concat(parts).groupby(["area", "form"])[counts].sum().reset_index()


if __name__ == "__main__":
    for name in ("demo", "vlss1998"):
        golden(name).to_csv(TARGET / f"{name}_estimates.csv", index=False, lineterminator="\n")
        accounting(name).to_csv(TARGET / f"{name}_accounting.csv", index=False, lineterminator="\n")
