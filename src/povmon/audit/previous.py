"""Records against those of the previous survey (survey.yml, ``previous``), by their codes.

Changes are judged among each other, not against no change: what all places saw (a new road
standard, a count by another register) is no error of one of them. Money is compared by county
elsewhere (`povmon.audit.places`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from povmon import paths
from povmon.audit.groups import logs, spread, times
from povmon.audit.ledger import Ledger
from povmon.survey.config import Survey

# Form -> figures that change little from one survey to the next.
COMPARED = {
    "county": ("population", "rural_population", "rural_households", "villages", "farmland",
               "children_7_15"),
    "village": ("households", "population", "natural_villages", "distance_km", "altitude_m"),
    "household": ("hhsize", "dwelling_area", "land"),
}  # fmt: skip
CHANGED = {
    "county": "county_changed", "village": "village_changed", "household": "household_changed",
}  # fmt: skip
LIMIT = 6.0  # robust standard deviations of the log changes
SMALLEST = {"county": np.log(1.3), "village": np.log(1.6), "household": np.log(3.0)}
FEWEST = 10
AGE_SLACK = 2  # years by which the head's age may differ from what has passed
ANOTHER = 15  # beyond these the head is another person


def previous_folder(survey: Survey, area: str) -> Path | None:
    """Accepted records of the previous survey; None where none is named or made."""
    if survey.previous is None:
        return None
    folder = paths.processed(survey.previous, area)
    return folder if (folder / "household.parquet").is_file() else None


def check_previous(survey: Survey, area: str, ledger: Ledger) -> None:
    """Figures that changed since the previous survey unlike those of the other records."""
    folder = previous_folder(survey, area)
    if folder is None:
        return
    for form, columns in COMPARED.items():
        path = folder / f"{form}.parquet"
        if form in ledger.tables and path.is_file():
            key = f"{form}_id"
            before = pd.read_parquet(path).drop_duplicates(key).set_index(key)
            _compare(ledger, form, columns, before)
            if form == "household":
                _compare_heads(ledger, before)


def _compare(
    ledger: Ledger, form: str, columns: tuple[str, ...], before: pd.DataFrame
) -> None:  # fmt: skip
    table = ledger.tables[form]
    for column in columns:
        if column not in ledger.submitted[form] or column not in before:
            continue
        earlier = table[f"{form}_id"].map(before[column].astype("float64"))
        change = (logs(table[column]) - logs(earlier)).where(ledger.live[form])
        if change.notna().sum() < FEWEST:
            continue
        apart = change - change.median()
        limit = max(LIMIT * spread(apart), SMALLEST[form])
        rows = (apart.abs() > limit).to_numpy()
        detail = earlier[rows].map("{:,.10g}".format).astype("str") + ", " + times(apart[rows])
        ledger.find(CHANGED[form], form, rows, column, detail=detail)


def _compare_heads(ledger: Ledger, before: pd.DataFrame) -> None:
    """A head of the same sex who is older or younger than the years that passed allow."""
    table = ledger.tables["household"]
    if not {"head_age", "head_sex"} <= ledger.submitted["household"]:
        return
    if not {"head_age", "head_sex", "year"} <= set(before.columns):
        return
    home = table["household_id"]
    age = home.map(before["head_age"].astype("float64"))
    passed = table["year"].astype("float64") - home.map(before["year"].astype("float64"))
    same = table["head_sex"].astype("object") == home.map(before["head_sex"].astype("object"))
    off = (table["head_age"].astype("float64") - age - passed).abs()
    rows = same.fillna(False) & (off > AGE_SLACK) & (off < ANOTHER) & ledger.live["household"]
    detail = age[rows].map("{:.0f}".format).astype("str")
    ledger.find("head_age_changed", "household", rows, "head_age", detail=detail)
