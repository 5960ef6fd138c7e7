"""Slips as the real step writes them: their names are known only when they are written."""

from __future__ import annotations

from pathlib import Path

from povmon import paths
from povmon.pipeline.files import write_atomically


def run(survey: str) -> list[Path]:
    """Write a slip for each half of the records."""
    table = (paths.processed(survey, "rural") / "one.parquet").read_text("utf-8").splitlines()
    folder = paths.reports(survey) / "rural" / "returns"
    half = len(table) // 2
    written = []
    for name, part in (("first", table[:half]), ("second", table[half:])):
        write_atomically(folder / f"{name}.html", "\n".join(part))
        written.append(folder / f"{name}.html")
    return written
