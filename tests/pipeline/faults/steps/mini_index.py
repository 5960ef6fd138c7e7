"""The page of what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from povmon import paths
from povmon.pipeline.files import write_atomically


def run(
    survey: str, pages: list[str], liaison: Any, failed: list[list[str]], provenance: dict[str, Any]
) -> list[Path]:
    """Write ``index.html``: links, failures, and the digest of what it was made from."""
    del liaison
    folder = paths.reports(survey)
    slips = sorted(p.name for p in (folder / "rural" / "returns").glob("*.html"))
    lines = [*pages, *slips, *(f"{task}: {why}" for task, why in failed)]
    lines.append(provenance["source_digest"])
    write_atomically(folder / "index.html", "\n".join(lines) + "\n")
    return [folder / "index.html"]
