"""Influence equals what a figure moves by when the value is replaced and all is computed again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from audit import small
from povmon.audit import Audit, audit_intake
from povmon.audit.influence import add_influence
from povmon.estimate import estimate, fgt, mean, ratio
from povmon.indicators.compute import design_of
from povmon.indicators.frames import derive
from povmon.survey.config import Survey
from povmon.survey.intake import read_submissions

KINDS = {"area": "area", "province": "province_id", "county": "county_id"}


@pytest.fixture(scope="module")
def audit(tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """Two counties with 12 villages of 10 households each, incomes spread about the line."""
    rng = np.random.default_rng(3)
    content = small.files()
    for county_id, forms in zip(small.COUNTIES.values(), content.values(), strict=True):
        villages = [f"{county_id}{v:02d}" for v in range(1, 13)]
        homes = [f"{v}{h:02d}" for v in villages for h in range(1, 11)]
        forms["village"] = [small.village(v) for v in villages]
        forms["household"] = [small.household(h, 0) for h in homes]
        forms["person"] = [p for h in homes for p in small.persons(h, 0)]
        for row in forms["household"]:
            factor = float(np.exp(0.5 * rng.standard_normal()))
            row["w_hh"] = 10 + int(rng.integers(0, 3))
            row["dwelling_area"] = int(60 + 40 * rng.random())
            for part in small.PARTS:
                row[part] = round(float(row[part]) * factor)  # type: ignore[arg-type]
            for total in ("income", "consumption"):
                parts = [n for n in small.PARTS if n.startswith(total)]
                row[f"{total}_total"] = sum(int(row[n]) for n in parts)  # type: ignore[call-overload]
    root = tmp_path_factory.mktemp("influence")
    text = small.SURVEY.replace("households_per_village: 3", "households_per_village: 10")
    text = text.replace("villages_per_county: 2", "villages_per_county: 12")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(root))
        small.write(root, content)
        (root / "data/raw/small/survey.yml").write_text(text, encoding="utf-8")
        from povmon.survey import load_survey

        return audit_intake(read_submissions(load_survey("small"), "wumeng"))


def finding(key: str, column: str, *, level: str = "household", rule: str = "outlier_income",
            expected: float = np.nan) -> pd.DataFrame:  # fmt: skip
    row = {"rule": rule, "severity": "soft", "level": level, "file": "f", "sheet": "", "line": 2,
           "key": key, "column": column, "value": "", "message": "", "detail": "",
           "expected": expected}  # fmt: skip
    return pd.DataFrame([row])


def influence(
    audit: Audit, found: pd.DataFrame, corrections: pd.DataFrame | None = None
) -> tuple[float, str]:
    log = audit.corrections.head(0) if corrections is None else corrections
    out = add_influence(audit.survey, audit.area, audit.records, found, log)
    return out["influence"].iloc[0], out["influence_cell"].iloc[0]


def figures(audit: Audit, households: pd.DataFrame) -> pd.DataFrame:
    """All figures of the area and its parts, weights calibrated again as the audit does."""
    records = {**audit.records, "household": households}
    frame = derive(audit.survey, [audit.area], records).household
    persons = frame["w_hh"] * frame["hhsize"].astype(float)
    frame["w_hh"] *= frame["county_id"].map(3000 / persons.groupby(frame["county_id"]).sum())
    frame["w_person"] = frame["w_hh"] * frame["hhsize"].astype(float)
    line = audit.survey.line.value
    parts = []
    for weight, measures in (
        ("w_person", [fgt("welfare", line, 0, name="headcount"),
                      fgt("welfare", line, 1, name="poverty_gap"),
                      fgt("welfare", line, 2, name="poverty_severity"),
                      mean("income_pc", name="income_mean"),
                      ratio("consumption_pc", "income_pc", name="consumption_to_income")]),
        ("w_hh", [ratio("dwelling_area", "members_dwelling", name="dwelling_area_pc"),
                  ratio("in_debt", "one_debt", name="debt_households"),
                  ratio("enrolled_7_15", "children_7_15", name="enrolment_7_15")]),
    ):  # fmt: skip
        for kind, column in KINDS.items():
            table = estimate(frame, design_of(audit.survey, weight), measures, by=column)
            parts.append(table.assign(cell=kind + " " + table[column] + ": " + table["measure"]))
    return pd.concat(parts).set_index("cell")[["estimate", "se"]]


def moved(audit: Audit, cell: str, after: pd.DataFrame) -> float:
    """By how many standard errors a cell moves."""
    return float(moves(audit, after)[cell])


def moves(audit: Audit, after: pd.DataFrame) -> pd.Series:
    """By how many standard errors every cell moves."""
    before, new = figures(audit, audit.records["household"]), figures(audit, after)
    return (new["estimate"] - before["estimate"]).abs() / before["se"].where(before["se"] > 0)


@pytest.mark.parametrize("value", [300.0, 90_000.0, 6900.0])
@pytest.mark.parametrize("row", [5, 200])
def test_income(audit: Audit, row: int, value: float) -> None:
    homes = audit.records["household"]
    size, cell = influence(audit, finding(homes.loc[row, "household_id"], "income_total",
                                          expected=value))  # fmt: skip
    after = homes.copy()
    after.loc[row, "income_total"] = value
    everything = moves(audit, after)
    # A ratio of two incomes is curved in them: the linearisation is short by some per cent.
    assert size == pytest.approx(everything[cell], rel=0.15)
    assert size >= 0.85 * everything.max()
    assert cell.split(" ")[0] in KINDS


def test_a_mean_and_a_headcount_are_linear_in_the_value(audit: Audit) -> None:
    homes = audit.records["household"]
    after = homes.copy()
    after.loc[7, "dwelling_area"] = 300.0
    size, cell = influence(audit, finding(homes.loc[7, "household_id"], "dwelling_area",
                                          expected=300.0))  # fmt: skip
    assert cell.endswith("dwelling_area_pc")
    assert size == pytest.approx(moved(audit, cell, after), rel=1e-9)


def test_a_size_moves_the_weights_too(audit: Audit) -> None:
    homes = audit.records["household"]
    after = homes.copy()
    after.loc[30, "hhsize"] = 6
    size, cell = influence(audit, finding(homes.loc[30, "household_id"], "hhsize", expected=6.0))
    assert size == pytest.approx(moved(audit, cell, after), rel=0.1)


@pytest.mark.parametrize("column", ["", "household_id"])
def test_a_record_as_a_whole_is_left_out(audit: Audit, column: str) -> None:
    homes = audit.records["household"]
    size, cell = influence(audit, finding(homes.loc[11, "household_id"], column, rule="head_count"))
    after = homes.drop(index=11).reset_index(drop=True)
    assert size == pytest.approx(moved(audit, cell, after), rel=0.1)


def test_a_person(audit: Audit) -> None:
    persons = audit.records["person"]
    row = persons.index[persons["age"] == 10][4]
    key = f"{persons.loc[row, 'household_id']}/{persons.loc[row, 'line']}"
    changed = persons.copy()
    changed.loc[persons.index[persons["age"] == 10][9], "in_school"] = False
    one = {**audit.records, "person": changed}
    found = finding(key, "in_school", level="person", rule="school_age")
    out = add_influence(audit.survey, audit.area, one, found, audit.corrections.head(0))
    assert 0 < out["influence"].iloc[0] < 1


def test_a_corrected_value_is_held_against_what_was_sent(audit: Audit) -> None:
    homes = audit.records["household"]
    key = homes.loc[3, "household_id"]
    log = pd.DataFrame([{"form": "household", "key": key, "column": "income_total",
                         "before": "0.9", "after": "9000", "rule": "unit_slip"}])  # fmt: skip
    size, cell = influence(audit, finding(key, "income_total", rule="unit_slip"), log)
    after = homes.copy()
    after.loc[3, "income_total"] = 0.9
    assert size == pytest.approx(moved(audit, cell, after), rel=0.15)


def test_an_amount_without_an_expected_value_has_the_median_of_the_village(audit: Audit) -> None:
    homes = audit.records["household"]
    village = homes[homes["village_id"] == homes.loc[20, "village_id"]]
    usual = float(village["income_total"].median())
    key = homes.loc[20, "household_id"]
    one = influence(audit, finding(key, "income_total", rule="far_from_village"))
    assert one == influence(audit, finding(key, "income_total", expected=usual))


@pytest.mark.parametrize(
    ("key", "column", "level", "rule"),
    [
        ("9999999999", "income_total", "household", "outlier_income"),
        ("513431", "gdp", "county", "county_gdp"),
        ("", "", "file", "manifest"),
        ("5134310101/9", "age", "person", "out_of_range"),
    ],
)
def test_what_names_no_accepted_record_has_none(
    audit: Audit, key: str, column: str, level: str, rule: str
) -> None:
    size, cell = influence(audit, finding(key, column, level=level, rule=rule))
    assert np.isnan(size) and cell == ""


def test_what_no_figure_rests_on_moves_nothing(audit: Audit) -> None:
    key = audit.records["household"].loc[0, "household_id"]
    assert influence(audit, finding(key, "land", expected=50.0, rule="outlier_land")) == (0.0, "")


def test_every_finding_keeps_its_place(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        rows = content["51"]["household"]
        rows[0]["income_total"] = 1
        rows[1]["hhsize"] = 7
        rows[2]["water"] = "x"
        content["51"]["person"][1]["age"] = 300
        content["51"]["village"][0]["nv_road"] = 99

    audit = audited(spoil)
    assert {"influence", "influence_cell"} <= set(audit.findings)
    assert not audit.findings["rule"].duplicated().all()
    assert isinstance(audit.survey, Survey)
