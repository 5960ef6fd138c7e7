"""A survey of two areas with estimates as the indicators stage writes them, made by hand."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from povmon import paths, reference
from povmon.indicators.catalogue import CATALOGUE
from povmon.pipeline.steps import benchmarks
from povmon.planning._read import ESTIMATE_COLUMNS

DEMO = ["513431", "520526", "530326", "341524", "411525", "421122"]
CONTRIBUTIONS = {
    "food": 0.05, "clothing": 0.03, "education": 0.12, "medical": 0.20, "housing": 0.15,
    "water": 0.25, "power": 0.02, "road": 0.18,
}  # fmt: skip
SHIFT = {"wumeng": 0.05, "dabie": -0.05, "nation": 0.0}


def row(
    kind: str, domain: str, indicator: str, estimate: float, se: float = 0.02
) -> dict[str, Any]:
    """One row of an estimates table, with a normal interval."""
    unit = CATALOGUE[indicator].unit
    values: dict[str, Any] = dict.fromkeys(ESTIMATE_COLUMNS, "") | {
        "survey": "demo", "domain_kind": kind, "domain": domain, "indicator": indicator,
        "unit": unit, "estimate": estimate, "se": se, "ci_low": estimate - 2 * se,
        "ci_high": estimate + 2 * se, "n": 240, "n_psu": 24, "df": 21.0, "cv": 0.05, "deff": 2.0,
    }  # fmt: skip
    if unit == "share":
        values |= {"ci_low": max(0.0, values["ci_low"]), "ci_high": min(1.0, values["ci_high"])}
    return values


def withheld(values: dict[str, Any]) -> dict[str, Any]:
    """The same row, suppressed."""
    nothing = dict.fromkeys(("estimate", "se", "ci_low", "ci_high", "cv", "deff"), math.nan)
    return values | nothing | {"flag": "suppressed", "reason": "fewer than 30 households"}


def estimates(area: str) -> pd.DataFrame:
    """Estimates of an area or of the pool: every indicator, and headcounts by county."""
    kind, domain = ("all", "all") if area == "nation" else ("area", area)
    shift = SHIFT[area]
    rows = []
    for name, item in CATALOGUE.items():
        value = {"share": 0.5 + shift, "index": 0.3, "m2": 24.0}.get(item.unit, 3000.0)
        rows.append(row(kind, domain, name, value, 0.01 * value))
    rows += [row(kind, domain, f"mpi_contribution_{j}", v) for j, v in CONTRIBUTIONS.items()]
    counties = reference.counties()
    counties = counties[counties["county_id"].isin(DEMO) & (counties["area_id"] == area)]
    for position, county in enumerate(counties["county_id"]):
        rows.append(row("county", county, "headcount", 0.6 - 0.2 * position, 0.05))
        rows.append(row("province", county[:2], "headcount", 0.6 - 0.2 * position, 0.05))
        rows.append(row("province", county[:2], "village_hardened_road", 0.9, 0.02))
    if len(counties):
        rows[-3] = withheld(rows[-3])
    frame = pd.DataFrame(rows).drop_duplicates(["domain_kind", "domain", "indicator"], keep="last")
    return frame.assign(area=area)[list(ESTIMATE_COLUMNS)].reset_index(drop=True)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project root with the demo survey and its estimates."""
    source = paths.project() / "data" / "raw" / "demo" / "survey.yml"
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    paths.raw("demo").mkdir(parents=True)
    shutil.copy(source, paths.raw("demo") / "survey.yml")
    for area in SHIFT:
        paths.processed("demo", area).mkdir(parents=True)
        estimates(area).to_parquet(paths.processed("demo", area) / "estimates.parquet")
    benchmarks.run("demo")
    return tmp_path
