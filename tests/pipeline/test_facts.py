"""What the pipeline remembers of a survey: the same as what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import copy_survey
from povmon import paths
from povmon.pipeline import facts as module
from povmon.pipeline.facts import facts
from povmon.pipeline.files import Hashes


@pytest.fixture
def survey(root: Path) -> str:
    copy_survey("demo", root)
    return "demo"


def test_what_is_remembered_is_what_was_read_also_its_order(
    survey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = Hashes()
    read = module._read(survey)
    assert list(read.areas) != sorted(read.areas), "otherwise the order could not be lost"
    first = facts(survey, hashes)
    monkeypatch.setattr(module, "_read", lambda *_: pytest.fail("read again"))
    again = facts(survey, hashes)
    for known in (first, again):
        assert known == read
        assert list(known.areas) == list(read.areas)
        assert list(known.units) == list(read.units)


def test_a_changed_survey_is_read_again(survey: str) -> None:
    assert "atlas" in facts(survey, Hashes()).products
    path = paths.raw(survey) / "survey.yml"
    text = path.read_text("utf-8")
    path.write_text(text.replace(", atlas, brief]", "]"), "utf-8")
    assert "atlas" not in facts(survey, Hashes()).products
