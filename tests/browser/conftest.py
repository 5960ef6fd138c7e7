"""A headless Chromium for the tests of rendered pages; skipped where there is none.

The pages are those of the demo survey (`demo_reports`, made once for all tests) and one page
with every kind of cell, so that style and script are tested even without a survey.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = (os.environ.get("POVMON_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running browser."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next((path for name in CHROMIUM if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install it or set POVMON_CHROMIUM to its path")
    with driver.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield running
        running.close()


def _samples() -> Any:
    path = Path(__file__).parents[1] / "present" / "samples.py"
    spec = importlib.util.spec_from_file_location("present_samples", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def sample_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One page with every kind of cell that a notebook can show."""
    from povmon.present.exporter import export_page

    samples = _samples()
    page = export_page(
        samples.everything(),
        title="Wumeng Mountain Area 乌蒙山区: sample page",
        provenance={"survey": "demo", "data": {f"file {i}": "ab" * 32 for i in range(9)}},
        synthetic_notice="Made up for a test.",
    )
    path = tmp_path_factory.mktemp("sample") / "sample.html"
    path.write_text(page, "utf-8")
    return path
