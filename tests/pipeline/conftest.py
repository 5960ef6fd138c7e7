"""A root of its own for every test of the pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.inline import House


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root."""
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def house(root: Path) -> House:
    """Two areas, each with audit and indicators, and a pool over both."""
    made = House()
    for area in ("east", "west"):
        raw = root / f"{area}.csv"
        raw.write_text(f"{area} one two", encoding="utf-8")
        made.add(f"{area}/audit", inputs=(raw,))
        made.add(f"{area}/indicators", uses=(f"{area}/audit",))
    made.add("nation/pool", uses=("east/audit", "west/audit"))
    return made
