"""Write a generated survey's submissions, as the provinces would have sent them."""

from __future__ import annotations

import shutil
from pathlib import Path

from povmon import paths
from povmon.pipeline.tasks import generation_marker


def run(survey: str) -> list[Path]:
    """Generate the submissions anew; a marker says, while it lasts, that they are incomplete."""
    from povmon.synthetic import generate

    marker = generation_marker(survey)
    marker.touch()
    shutil.rmtree(paths.submissions(survey), ignore_errors=True)
    generate(survey)
    marker.unlink()
    return []
