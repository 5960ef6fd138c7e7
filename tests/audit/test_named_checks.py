"""Named checks that need no more than the small survey, one a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from audit import many, small
from audit.test_audit_area import rules
from audit.test_checks import cell
from povmon import paths, reference
from povmon.audit import Audit, audit_area, published
from povmon.audit.previous import check_previous

Run = Callable[..., Audit]


def test_an_unexpected_folder_and_province(root: Path) -> None:
    content = small.files()
    content["53"] = content.pop("52")
    small.write(root, content)
    found = rules(audit_area("small", "wumeng"))
    assert {"folder_unexpected", "province_folder"} <= found


def test_a_column_that_is_not_submitted_is_remarked(audited: Run) -> None:
    """column_missing, and silence about the fields that are optional."""

    def drop(content: small.Files) -> None:
        for row in content["51"]["household"]:
            del row["dwelling_area"]

    found = audited(drop).findings.query("rule == 'column_missing' and level == 'household'")
    assert "dwelling_area" in set(found["column"])
    assert not {"interviewer", "minutes"} & set(found["column"])


def test_a_file_without_rows_is_found(root: Path) -> None:
    folder = small.write(root, small.files())
    path = folder / "wumeng" / "51" / "person.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")
    assert "file_no_rows" in rules(audit_area("small", "wumeng"))


def test_a_missing_year_is_filled(audited: Run) -> None:
    audit = audited(cell("person", 0, year=""))
    assert "year_filled" in rules(audit) and (audit.records["person"]["year"] == 2010).all()


def test_codes_that_do_not_begin_with_those_above(audited: Run) -> None:
    def change(content: small.Files) -> None:
        content["51"]["village"][0]["county_id"] = "520526"
        content["51"]["household"][5]["village_id"] = "51343101"

    assert {"village_code", "household_code"} <= rules(audited(change))


def test_a_household_without_persons(audited: Run) -> None:
    def change(content: small.Files) -> None:
        content["51"]["person"] = content["51"]["person"][3:]

    assert "roster_empty" in rules(audited(change))


def test_the_head_on_both_forms(audited: Run) -> None:
    audit = audited(cell("household", 0, head_age=44, head_sex="female"))
    assert rules(audit) == {"head_differs"}
    assert set(audit.findings.query("rule == 'head_differs'")["column"]) == {"head_age", "head_sex"}


def test_parts_above_a_total_without_the_others(audited: Run) -> None:
    def change(content: small.Files) -> None:
        row = content["51"]["household"][0]
        row |= {"consumption_food": "", "consumption_health": "", "consumption_total": 2000}

    assert "parts_exceed_total" in rules(audited(change))


def village_of_six(root: Path, **first: object) -> Audit:
    """The small survey with the households of a county in one village, the first one changed."""
    content = small.files()
    for province in content.values():
        for row in province["household"]:
            row["village_id"] = str(row["village_id"])[:6] + "01"
    content["51"]["household"][0].update(first)
    small.write(root, content)
    return audit_area("small", "wumeng")


def test_an_amount_far_from_the_village(root: Path) -> None:
    parts = [n for n in small.PARTS if n.startswith("income")]
    audit = village_of_six(root, **{n: 40 * small.PARTS[n] for n in parts}, income_total=320_000)
    found = audit.findings.query("rule == 'far_from_village'")
    assert found["column"].tolist() == ["income_total"]


def test_weights_far_from_the_population(audited: Run) -> None:
    audit = audited(cell("county", 0, rural_population=30_000, population=40_000,
                         rural_households=10_000, children_7_15=4000, enrolled_7_15=3900,
                         registered_poor=9000, farmland=9000))  # fmt: skip
    assert "calibration_far" in rules(audit)


@pytest.fixture
def earlier(root: Path) -> dict[str, pd.DataFrame]:
    """Accepted records of a survey `before`, those of `many` two years earlier."""
    before = {form: table.copy() for form, table in many.ledger().tables.items()}
    before["household"]["year"] = 2008
    before["household"]["head_age"] -= 2
    folder = paths.processed("before", many.AREA)
    folder.mkdir(parents=True)
    for form, table in before.items():
        table.to_parquet(folder / f"{form}.parquet")
    return before


def test_changes_since_the_previous_survey(earlier: dict[str, pd.DataFrame]) -> None:
    """county_changed, village_changed, household_changed, head_age_changed"""
    survey = many.survey(previous="before")
    ledger = many.ledger()
    check_previous(survey, many.AREA, ledger)
    assert ledger.findings().empty
    ledger.tables["county"].loc[0, "population"] *= 2
    ledger.tables["village"].loc[9, "distance_km"] *= 8
    # What all villages saw is no error of one of them.
    ledger.tables["village"]["population"] *= 2
    ledger.tables["household"].loc[7, "dwelling_area"] *= 9
    ledger.tables["household"].loc[8, "head_age"] += 7
    check_previous(survey, many.AREA, ledger)
    for rule, form, row in (
        ("village_changed", "village", 9),
        ("household_changed", "household", 7),
        ("head_age_changed", "household", 8),
    ):
        assert many.found(ledger, rule) == [ledger.tables[form].loc[row, "key"]], rule
    # Eight counties are too few to judge a change by.
    assert not many.found(ledger, "county_changed")


def test_changes_of_counties(root: Path) -> None:
    survey, ledger = many.survey(previous="before"), many.ledger(counties=12)
    folder = paths.processed("before", many.AREA)
    folder.mkdir(parents=True)
    for form in ("county", "household"):
        ledger.tables[form].to_parquet(folder / f"{form}.parquet")
    ledger.tables["county"].loc[0, "population"] *= 2
    check_previous(survey, many.AREA, ledger)
    assert many.found(ledger, "county_changed") == [ledger.tables["county"].loc[0, "key"]]


def test_no_previous_survey_is_no_finding(root: Path) -> None:
    ledger = many.ledger()
    check_previous(many.survey(previous="before"), many.AREA, ledger)
    check_previous(many.survey(), many.AREA, ledger)
    assert ledger.findings().empty


@pytest.mark.parametrize(("value", "differs"), [(3000.0, True), (None, False)])
def test_an_area_unlike_the_published_figure(
    monkeypatch: pytest.MonkeyPatch, value: float | None, differs: bool
) -> None:
    ledger = many.ledger()
    county = ledger.tables["county"]
    county["rural_income_pc"] = 5000.0
    figure = reference.published().head(1).assign(
        area_id=many.AREA, year=2010, indicator="rural net income per capita",
        value=value or 5100.0, verification="verified",
    )  # fmt: skip
    monkeypatch.setattr(reference, "published", lambda: figure)
    published.check_published(many.survey(only_counties=[]), many.AREA, ledger)
    rules_found = set(ledger.findings()["rule"])
    assert rules_found == ({"area_unlike_published"} if differs else set())
