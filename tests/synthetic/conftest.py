"""A generated demo survey in a temporary root, shared by the tests that only read it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from povmon import paths
from povmon.synthetic import generate


def make_root(folder: Path, survey: str) -> Path:
    """A root that holds one survey's survey.yml and nothing else."""
    target = folder / "data" / "raw" / survey
    target.mkdir(parents=True)
    shutil.copy(paths.project() / "data" / "raw" / survey / "survey.yml", target)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a generated demo survey. Not to be changed."""
    root = make_root(tmp_path_factory.mktemp("built"), "demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(root))
        generate("demo")
    return root


@pytest.fixture
def demo(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shared demo survey, made the root of the test."""
    monkeypatch.setenv("POVMON_ROOT", str(built))
    return built


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root of its own for a test that writes."""
    monkeypatch.setenv("POVMON_ROOT", str(make_root(tmp_path, "demo")))
    return tmp_path


@pytest.fixture
def truth(demo: Path) -> Callable[[str], pd.DataFrame]:
    """Reads a table of the planted truth."""
    folder = demo / "data" / "processed" / "demo" / "truth"
    return lambda name: pd.read_parquet(folder / f"{name}.parquet")
