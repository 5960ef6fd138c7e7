"""The entry page of a survey's reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.files import write_atomically


def run(
    survey: str,
    pages: Sequence[str],
    liaison: Sequence[tuple[str, str]],
    failed: Sequence[tuple[str, str]],
    provenance: Mapping[str, Any],
) -> list[Path]:
    """Write ``index.html``.

    Parameters
    ----------
    survey : its name.
    pages : addresses of the pages that exist, relative to the reports of the survey.
    liaison : (name, unit) of the liaison units.
    failed : (task, reason) of what could not be made.
    provenance : what the footer names.
    """
    from povmon.indicators import read_estimates
    from povmon.present.index import index_page
    from povmon.survey import load_survey

    config = load_survey(survey)
    reports = paths.reports(survey)
    made = [
        a for a in config.area_ids if (paths.processed(survey, a) / "estimates.parquet").exists()
    ]
    slips = {
        a: sorted(f"{a}/returns/{p.name}" for p in (reports / a / "returns").glob("*.html"))
        for a in config.area_ids
    }
    briefs = [(name, f"liaison/{unit}.html") for name, unit in liaison]
    html = index_page(
        config,
        {area: read_estimates(survey, area) for area in made},
        pages,
        provenance=provenance,
        liaison=[(name, address) for name, address in briefs if address in pages],
        failed=[(task, reason) for task, reason in failed],
        slips=slips,
    )
    path = reports / "index.html"
    write_atomically(path, html)
    return [path]
