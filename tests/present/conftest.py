"""The samples of `samples.py`, by path, so that they load under any import mode of pytest."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    """Functions that make estimates, households, cells and notebooks."""
    spec = importlib.util.spec_from_file_location(
        "present_samples", Path(__file__).with_name("samples.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def estimates(samples: Any) -> Any:
    """The made-up estimates table."""
    return samples.estimates()
