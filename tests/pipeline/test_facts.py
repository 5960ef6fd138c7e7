"""What the pipeline remembers of a survey."""

from __future__ import annotations

from pathlib import Path

from conftest import copy_survey
from povmon.pipeline.facts import facts
from povmon.pipeline.files import Hashes
from povmon.survey import load_survey


def test_remembered_facts_are_those_that_were_read_in_the_surveys_order(root: Path) -> None:
    copy_survey("demo", root)
    read, remembered = facts("demo", Hashes()), facts("demo", Hashes())
    order = list(load_survey("demo").area_ids)
    assert order != sorted(order), "else the order could not be lost"
    assert list(read.areas) == list(remembered.areas) == order
    assert read == remembered
    assert list(read.units) == list(remembered.units)
