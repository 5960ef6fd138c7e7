"""The examples in the docstrings of `povmon.estimate` run, and every public name has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re

import pandas as pd
import pytest

import povmon.estimate

MODULES = [m.name for m in pkgutil.walk_packages(povmon.estimate.__path__, "povmon.estimate.")]
PUBLIC = sorted(povmon.estimate.__all__)
# What holds, lays out, stores or draws rows or estimates has no formula of anybody's.
UNSOURCED = {"Joint", "Table", "plot", "prepare", "read_sorted", "write_sorted"}
HARMLESS = {"interval"}  # raises nothing
ELSEWHERE = re.compile(r"(see|as in|as)\s+`\w+`")  # "Parameters, returns and errors: see `mean`"


def docstring(name: str) -> str:
    """Its own docstring: one that is inherited, or made by a dataclass, does not count."""
    return inspect.cleandoc(vars(povmon.estimate)[name].__doc__ or "")


def is_frame(thing: object) -> bool:
    """A kind of DataFrame has the parameters of one."""
    return inspect.isclass(thing) and issubclass(thing, pd.DataFrame)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_has_an_example_that_uses_it(name: str) -> None:
    text = docstring(name)
    examples = doctest.DocTestParser().get_examples(text)
    assert any(re.search(rf"\b{name}\(", e.source) for e in examples)
    assert any(e.want for e in examples), "an example shows what comes out"


@pytest.mark.parametrize("name", sorted(set(PUBLIC) - UNSOURCED))
def test_every_public_name_has_a_source(name: str) -> None:
    assert re.search(r"[A-Z]\w+ \((1[89]|20)\d\d\)", docstring(name)), "an author and a year"


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_tells_parameters_returns_and_errors(name: str) -> None:
    text, thing = docstring(name), vars(povmon.estimate)[name]
    if ELSEWHERE.search(text) or is_frame(thing):
        return
    parts = ["Parameters", "Returns", "Raises"]
    if inspect.isclass(thing):
        parts = parts[:1]
    elif name in HARMLESS:
        parts = parts[:2]
    for part in parts:
        assert f"{part}\n{'-' * len(part)}\n" in text


@pytest.mark.parametrize("name", PUBLIC)
def test_every_parameter_is_told(name: str) -> None:
    text, thing = docstring(name), vars(povmon.estimate)[name]
    if ELSEWHERE.search(text) or is_frame(thing):
        return
    told = set(re.findall(r"\w+", text))
    assert set(inspect.signature(thing).parameters) <= told
