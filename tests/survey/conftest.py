"""The small survey of the audit's tests, as the one that forms are sent out for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from openpyxl import Workbook, load_workbook

from audit import small
from povmon.survey import Survey
from povmon.survey.workbook import Scope, scopes, workbook_content


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root as the current one, with a hash key of its own."""
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    monkeypatch.delenv("POVMON_HASH_KEY", raising=False)
    return tmp_path


@pytest.fixture
def survey_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty root as the current one (POVMON_ROOT)."""
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    return tmp_path


def small_survey(**changes: Any) -> Survey:
    """The small survey with some keys of its survey.yml changed."""
    return Survey.model_validate({**yaml.safe_load(small.SURVEY), **changes})


@pytest.fixture(scope="session")
def sichuan(tmp_path_factory: pytest.TempPathFactory) -> Scope:
    """The workbook of Sichuan in the small survey: one county, no list of villages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(tmp_path_factory.mktemp("empty")))
        return scopes(small_survey(), "wumeng")[0]


@pytest.fixture(scope="session")
def book(sichuan: Scope) -> Workbook:
    """That workbook after it was saved and opened again. Do not change it."""
    return load_workbook(io.BytesIO(workbook_content(sichuan)))
