"""Write a generated survey's submissions, as the provinces would have sent them."""

from __future__ import annotations

from pathlib import Path

from povmon import paths
from povmon.pipeline.files import cannot_write
from povmon.pipeline.tasks import generation_marker


def run(survey: str, force: bool = False) -> list[Path]:
    """Generate submissions; a marker says, while it lasts, that they are incomplete.

    Parameters
    ----------
    survey : its name.
    force : write again what is there. Half-written submissions are always written again.
    """
    generated(survey, force)
    return []


def generated(survey: str, force: bool = False) -> str:
    """As `run`, but returns what was done in words."""
    from povmon.synthetic import generate

    marker = generation_marker(survey)
    force = force or marker.exists()
    try:
        marker.touch()
    except OSError as error:
        raise cannot_write(paths.raw(survey), error) from error
    summary = generate(survey, force=force)
    marker.unlink()
    return str(summary)
