"""The estimates table: its columns, writing and reading it."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from povmon import paths
from povmon.errors import PovmonError
from povmon.placing import placed

COLUMNS = (
    "survey",
    "area",
    "domain_kind",
    "domain",
    "indicator",
    "unit",
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "n",
    "n_psu",
    "df",
    "cv",
    "deff",
    "flag",
    "reason",
)
KEY = ["survey", "area", "domain_kind", "domain", "indicator"]
NATION = "nation"


def _column(name: str) -> pa.Column:
    """What a column of the table must hold."""
    if name == "flag":
        return pa.Column(str, pa.Check.isin(["", "caution", "unreliable", "suppressed"]))
    if name in ("n", "n_psu", "df"):
        return pa.Column("int64", pa.Check.ge(0))
    if name in ("se", "deff"):
        return pa.Column(float, pa.Check.ge(0), nullable=True)
    if name in ("estimate", "ci_low", "ci_high", "cv"):
        return pa.Column(float, nullable=True)
    return pa.Column(str)


SCHEMA = pa.DataFrameSchema(
    {name: _column(name) for name in COLUMNS},
    checks=[
        pa.Check(
            lambda t: t["estimate"].isna() | t["ci_low"].isna() | (t["ci_low"] <= t["estimate"]),
            error="an interval lies above its estimate",
        ),
        pa.Check(
            lambda t: t["estimate"].isna() | t["ci_high"].isna() | (t["estimate"] <= t["ci_high"]),
            error="an interval lies below its estimate",
        ),
        pa.Check(
            lambda t: t["flag"].ne("suppressed") | t["estimate"].isna(),
            error="a suppressed estimate has a value",
        ),
    ],
    unique=KEY,
    strict=True,
    ordered=True,
)


def path(survey: str, area: str) -> str:
    """Where the estimates of an area, or of ``nation``, lie."""
    return str(paths.processed(survey, area) / "estimates.parquet")


def write_estimates(table: pd.DataFrame, survey: str, area: str) -> pd.DataFrame:
    """Check the table against its contract and write it, whole or not at all."""
    table = SCHEMA.validate(table.loc[:, list(COLUMNS)].reset_index(drop=True))
    target = path(survey, area)
    paths.processed(survey, area).mkdir(parents=True, exist_ok=True)
    with placed(Path(target)) as temporary:
        table.to_parquet(temporary, index=False)
    return table


def read_estimates(survey: str, area: str) -> pd.DataFrame:
    """The estimates of an area, or of ``nation``.

    Raises
    ------
    PovmonError : they have not been made yet.
    """
    target = path(survey, area)
    if not os.path.isfile(target):
        raise PovmonError(
            f"there are no estimates of {area}",
            where=f"survey {survey}",
            todo=f"run make SURVEY={survey} first",
        )
    return pd.read_parquet(target)
