"""Undisturbed runs, made once, and folders whose paths are short enough for sockets."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.faults.harness import Built, Mini, build


@pytest.fixture(scope="session")
def built() -> Iterator[Built]:
    """Undisturbed runs to start from and to compare with."""
    with tempfile.TemporaryDirectory(prefix="pf-") as folder:
        yield build(Path(folder))


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a root to disturb goes."""
    with tempfile.TemporaryDirectory(prefix="pf-") as made:
        yield Path(made)


@pytest.fixture
def mini(built: Built, folder: Path) -> Mini:
    """A root that was made, and whose submission has changed since."""
    return built.copy(folder, fresh=False)
