"""Reading the planning data: YAML with a strict model, and tables of earlier stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from povmon import paths
from povmon.errors import PovmonError
from povmon.yamls import from_yaml


class Strict(BaseModel):
    """A model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)

ESTIMATE_COLUMNS = (
    "survey", "area", "domain_kind", "domain", "indicator", "unit", "estimate", "se", "ci_low",
    "ci_high", "n", "n_psu", "df", "cv", "deff", "flag", "reason",
)  # fmt: skip


def place(path: Path) -> str:
    """A path as a user knows it: relative to the project or the root."""
    for base in (paths.root(), paths.project()):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return path.name


def read_model(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into `model`; the first fault is named with its key.

    Raises
    ------
    PovmonError : the file is missing or not YAML, or a key is unknown, missing or wrong.
    """
    where = place(path)
    try:
        content: Any = from_yaml(path.read_text(encoding="utf-8"))
        return model.model_validate(content)
    except FileNotFoundError as error:
        raise PovmonError("the file is missing", where=where, todo="restore it") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PovmonError(
            f"not readable as YAML ({error})", where=where, todo="correct the file's syntax"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
        raise PovmonError(
            f"{first['msg']}, found {first.get('input')!r:.80}",
            where=f"{where}, key {key}",
            todo="correct the key or its value",
        ) from error


def read_parquet(survey: str, area: str, name: str) -> pd.DataFrame | None:
    """A table of an earlier stage, or None where that stage has not written it."""
    path = paths.processed(survey, area) / f"{name}.parquet"
    return pd.read_parquet(path) if path.is_file() else None


def read_estimates(survey: str, area: str) -> pd.DataFrame:
    """The estimates of an area (or of ``nation``), with the columns of the contract.

    Raises
    ------
    PovmonError : the indicators stage has not run, or the table lacks a column.
    """
    frame = read_parquet(survey, area, "estimates")
    where = place(paths.processed(survey, area) / "estimates.parquet")
    if frame is None:
        raise PovmonError(
            "the estimates have not been made yet",
            where=where,
            todo=f"run: make SURVEY={survey}",
        )
    missing = [c for c in ESTIMATE_COLUMNS if c not in frame.columns]
    if missing:
        raise PovmonError(
            f"the table lacks {', '.join(missing)}", where=where, todo="run make again"
        )
    return frame


def read_benchmarks(survey: str, pooled: str) -> pd.DataFrame:
    """What areas are held against: the pooled estimates in the digits that pages show.

    Returns
    -------
    domain_kind, domain, indicator, unit, estimate, ci_low, ci_high.

    Raises
    ------
    PovmonError : they have not been made yet.
    """
    frame = read_parquet(survey, pooled, "benchmarks")
    if frame is None:
        raise PovmonError(
            "the pooled figures for comparison have not been made yet",
            where=place(paths.processed(survey, pooled) / "benchmarks.parquet"),
            todo=f"run: make SURVEY={survey}",
        )
    return frame


Row = dict[str, Any]


def by_indicator(
    estimates: pd.DataFrame, domain_kind: str, domain: str | None = None
) -> dict[str, Row]:
    """The rows of one domain (or of the only domain of a kind), by indicator."""
    rows = estimates[estimates["domain_kind"] == domain_kind]
    if domain is not None:
        rows = rows[rows["domain"] == domain]
    records = rows.to_dict("records")
    return {str(row["indicator"]): {str(k): v for k, v in row.items()} for row in records}


def percent(share: float) -> str:
    """A share as a percentage with one decimal, for reasons written by this package."""
    return f"{100 * share:.1f} %"


def unique(values: list[str], what: str) -> list[str]:
    """Return `values`; ValueError (for a pydantic validator) when one occurs twice."""
    twice = sorted({v for v in values if values.count(v) > 1})
    if twice:
        raise ValueError(f"{what} given twice: {', '.join(twice)}")
    return values
