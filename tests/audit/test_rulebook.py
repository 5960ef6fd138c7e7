"""The catalogue as page and table, and what a survey cannot evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from audit import many, small
from povmon.audit import Audit
from povmon.audit.evaluation import evaluation
from povmon.audit.rulebook import rulebook, write
from povmon.audit.rules import catalogue
from povmon.errors import PovmonError


def test_every_rule_stands_on_the_page_and_in_the_table(tmp_path: Path) -> None:
    page, data = write(tmp_path)
    text = page.read_text(encoding="utf-8")
    table = pd.read_csv(data)
    assert table["rule"].tolist() == list(catalogue())
    assert all(f'id="rule-{rule}"' in text for rule in catalogue())
    assert "http" not in text and "child_not_younger" in text
    assert f"{len(catalogue())} rules" in text


def test_the_findings_of_a_survey_are_counted(audited: Callable[..., Audit]) -> None:
    def change(content: small.Files) -> None:
        content["51"]["household"][0]["head_age"] = 44

    audited(change)
    table = rulebook("small").set_index("rule")
    assert table.loc["head_differs", "findings"] == 1
    assert table.loc["interview_fast", "not_evaluated"].startswith("not submitted")
    assert table.loc["head_differs", "not_evaluated"] == ""


def test_a_survey_without_an_audit_has_no_counts(root: Path) -> None:
    small.write(root, small.files())
    assert "findings" not in rulebook("small")
    page, _ = write(root / "book", "small")
    assert "has not been audited yet" in page.read_text(encoding="utf-8")


def test_reasons_why_rules_are_not_evaluated() -> None:
    tables = many.ledger().tables
    survey = many.survey()
    reasons = evaluation(survey, many.AREA, tables).set_index("rule")["reason"]
    assert reasons["village_changed"] == "survey.yml names no previous survey"
    assert reasons["spouse_sex"] == ""
    assert reasons["funds_use_source"].startswith("not submitted: ")
    homes = {"household": tables["household"]}
    alone = survey.model_copy(update={"forms": ["household"]})
    reasons = evaluation(alone, many.AREA, homes).set_index("rule")["reason"]
    assert reasons["spouse_sex"] == "the survey has no person form"
    assert reasons["no_adult"] == "the survey has no person form"
    design = survey.design.model_copy(update={"villages_per_county": None})
    free = survey.model_copy(update={"design": design, "previous": "before"})
    reasons = evaluation(free, many.AREA, tables).set_index("rule")["reason"]
    assert reasons["county_villages_many"] == "survey.yml gives no design.villages_per_county"
    assert "(before) has no accepted records" in reasons["village_changed"]


def test_an_unknown_survey_and_an_unwritable_folder(tmp_path: Path) -> None:
    with pytest.raises(PovmonError, match="nowhere"):
        rulebook("nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(PovmonError, match="cannot be written"):
        write(tmp_path / "file")
