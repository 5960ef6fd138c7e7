"""Estimates from the pooled records of all areas of a survey."""

from __future__ import annotations

from pathlib import Path

from povmon import paths


def run(survey: str) -> list[Path]:
    """Write ``nation/estimates.parquet`` and ``nation/imputation.parquet``."""
    from povmon.indicators import pool

    pool(survey)
    folder = paths.processed(survey, "nation")
    return [folder / "estimates.parquet", folder / "imputation.parquet"]
