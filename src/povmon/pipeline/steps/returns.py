"""The return slips of an area's provinces: a page and a workbook for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.files import write_atomically


def run(survey: str, area: str, provenance: Mapping[str, Any]) -> list[Path]:
    """Write ``returns/<province>.html`` and ``.xlsx`` below the area's reports.

    Parameters
    ----------
    survey, area : names; the area must have been audited.
    provenance : what the pages' footers name.

    Returns
    -------
    The files written. Slips of provinces that the area no longer has are removed.
    """
    from povmon.audit.store import read_table
    from povmon.present.reviews import slip_name
    from povmon.present.slips import slip_pages, slip_workbook
    from povmon.survey import load_survey

    config = load_survey(survey)
    source = paths.processed(survey, config.check_area(area))
    tables = {name: read_table(source, name) for name in ("review", "acceptance", "followed")}
    folder = paths.reports(survey) / area / "returns"
    written = []
    for province, html in slip_pages(config, area, tables, provenance=provenance).items():
        page, book = (folder / f"{slip_name(province)}.{kind}" for kind in ("html", "xlsx"))
        write_atomically(page, html)
        write_atomically(book, slip_workbook(config, area, province, tables))
        written += [page, book]
    for path in set(folder.iterdir()) - set(written):
        if path.suffix in (".html", ".xlsx"):
            path.unlink()
    return written
