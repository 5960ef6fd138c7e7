"""The examples in the docstrings of `povmon.estimate` run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import povmon.estimate

MODULES = [m.name for m in pkgutil.walk_packages(povmon.estimate.__path__, "povmon.estimate.")]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
