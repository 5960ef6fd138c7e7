"""Estimates from the pooled records of all areas of a survey."""

from __future__ import annotations

from pathlib import Path

from povmon import paths


def run(survey: str) -> list[Path]:
    """Write ``nation/estimates.parquet``."""
    from povmon.indicators import pool

    pool(survey)
    return [paths.processed(survey, "nation") / "estimates.parquet"]
