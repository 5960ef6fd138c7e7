"""What is shown of localisation and imputation, on the small survey."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audit import small
from povmon import paths
from povmon.audit import Audit, audit_area
from povmon.indicators import AreaResults, area_results
from povmon.present import imputed

INCOME = ("income_wages", "income_business", "income_property", "income_transfer", "income_total")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Audit, AreaResults]]:
    root = tmp_path_factory.mktemp("small")
    content = small.files()
    content["51"]["household"][0].update(dict.fromkeys(INCOME, ""))
    content["51"]["person"][1]["relation"] = "head"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(root))
        small.write(root, content)
        place = paths.raw("small") / "survey.yml"
        text = place.read_text().replace("imputation: none", "imputation: hotdeck")
        place.write_text(
            text.replace(
                "{imputation", "{min_households: 2, min_effective: 0, min_df: 1, imputation"
            )
        )
        yield audit_area("small", "wumeng"), area_results("small", "wumeng")


def test_what_was_given_up_names_field_rule_and_place(made: tuple[Audit, AreaResults]) -> None:
    page = imputed.localised_table(made[0])._repr_markdown_()
    assert "| Relation to the head | Person form | head count | 1 |" in page
    assert "5134310101/2: head (wumeng/51/person.csv, line 3)" in page
    assert "Every household could be solved." in page


def test_imputed_values_are_counted_by_field(made: tuple[Audit, AreaResults]) -> None:
    assert "**6 values** of 2 records" in str(imputed.imputed_text(made[0]))
    page = imputed.imputed_table(made[0])._repr_markdown_()
    assert "| Total net income | Household form | 1 | 8.33 |" in page


def test_shares_stand_beside_the_estimates(made: tuple[Audit, AreaResults]) -> None:
    shown = imputed.shares_table(made[1])
    page = shown._repr_markdown_()
    assert "Net income per person" in page and "8.33" in page and "yuan" in page
    assert imputed.TOTAL in page  # poor persons
    assert "nan" not in shown._repr_html_().lower().split()  # type: ignore[union-attr]


def test_a_survey_that_imputes_nothing_says_so(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path_factory.mktemp("none")
    monkeypatch.setenv("POVMON_ROOT", str(root))
    small.write(root, small.files())
    audit = audit_area("small", "wumeng")
    assert "leave missing values missing" in str(imputed.imputed_table(audit))
    assert "no household breaks" in str(imputed.localised_table(audit))
    results = area_results("small", "wumeng")
    assert "no indicator" in str(imputed.shares_table(results))
