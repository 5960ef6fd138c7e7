"""One planted error a test: what is found, what is done, and that no row is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from audit import small
from audit.test_audit_area import rules, states
from povmon import paths
from povmon.audit import Audit, audit_area
from povmon.errors import PovmonError

Run = Callable[..., Audit]
FIRST = "5134310101"


def cell(form: str, row: int, **values: object) -> Callable[[small.Files], None]:
    def change(content: small.Files) -> None:
        content["51"][form][row].update(values)

    return change


def home(audit: Audit, key: str = FIRST) -> pd.Series:
    return audit.records["household"].set_index("household_id").loc[key]


def test_text_in_a_number_is_found_and_made_missing(audited: Run) -> None:
    audit = audited(cell("household", 0, dwelling_area="about eighty"))
    finding = audit.findings[audit.findings["rule"] == "not_a_number"].iloc[0]
    assert (finding["file"], finding["line"]) == ("wumeng/51/household.csv", 2)
    assert (finding["column"], finding["value"]) == ("dwelling_area", "about eighty")
    assert pd.isna(home(audit)["dwelling_area"]) and home(audit)["status"] == "corrected"
    assert audit.corrections.iloc[0]["before"] == "about eighty"


def test_text_in_a_required_number_rejects_the_record_and_all_below(audited: Run) -> None:
    audit = audited(cell("county", 0, rural_population="many"))
    assert states(audit, "county") == [2, 1, 0, 1]
    reasons = audit.rejected.groupby(["form", "rule"]).size().to_dict()
    assert reasons == {
        ("county", "required_missing"): 1,
        ("village", "parent_rejected"): 2,
        ("household", "parent_rejected"): 6,
        ("person", "parent_rejected"): 18,
    }
    assert audit.response.set_index("county_id").loc["513431", "note"].startswith("county lost")


def test_full_width_digits_and_separators_are_read_and_logged(audited: Run) -> None:
    audit = audited(cell("household", 0, income_wages="３,０００", water="自来水"))
    assert home(audit)["income_wages"] == 3000 and home(audit)["water"] == "tap"
    assert rules(audit) == {"value_normalised"}
    assert len(audit.corrections) == 2


def test_a_value_out_of_range_and_an_unknown_code(audited: Run) -> None:
    audit = audited(cell("household", 0, dwelling_area=99999, structure="marble"))
    assert rules(audit) == {"out_of_range", "code_unknown"}
    assert pd.isna(home(audit)["structure"])


def test_an_exact_duplicate_is_rejected_once(audited: Run) -> None:
    def double(content: small.Files) -> None:
        content["51"]["household"].append(dict(content["51"]["household"][0]))

    audit = audited(double)
    assert states(audit, "household") == [13, 12, 0, 1]
    assert audit.rejected["rule"].tolist() == ["duplicate_exact"]
    assert audit.rejected["line"].tolist() == [8]
    assert audit.rejected["reason"].str.contains("line 2").all()


def test_of_conflicting_duplicates_the_sounder_stays(audited: Run) -> None:
    def double(content: small.Files) -> None:
        other = dict(content["51"]["household"][0], income_wages=50, dwelling_area=70)
        content["51"]["household"].insert(0, other)  # its parts do not add up

    audit = audited(double)
    assert audit.rejected["rule"].tolist() == ["duplicate_conflict"]
    assert audit.rejected["line"].tolist() == [2]
    assert home(audit)["dwelling_area"] == 80


def test_of_equally_sound_conflicting_duplicates_the_first_stays(audited: Run) -> None:
    def double(content: small.Files) -> None:
        content["51"]["household"].append(dict(content["51"]["household"][0], dwelling_area=70))

    audit = audited(double)
    assert audit.rejected["line"].tolist() == [8]
    assert home(audit)["dwelling_area"] == 80


def test_a_record_without_key_or_parent_is_rejected(audited: Run) -> None:
    def change(content: small.Files) -> None:
        content["51"]["person"][0]["line"] = ""
        content["51"]["household"][5]["village_id"] = "51343109"

    audit = audited(change)
    assert set(audit.rejected["rule"]) == {"key_missing", "parent_missing", "parent_rejected"}
    assert states(audit, "person") == [36, 32, 0, 4]


def test_a_wrong_village_code_is_no_lost_village(audited: Run) -> None:
    audit = audited(cell("household", 5, village_id="51343109"))
    assert audit.response["lost"].tolist() == ["", ""]
    assert audit.response["villages_expected"].tolist() == [2, 2]


def test_a_file_sent_twice_in_one_is_kept_once(audited: Run) -> None:
    def double(content: small.Files) -> None:
        for form, rows in content["51"].items():
            content["51"][form] = rows + [dict(row) for row in rows]

    audit = audited(double)
    assert states(audit, "person") == [54, 36, 0, 18]
    assert set(audit.rejected["rule"]) == {"duplicate_exact"}


def test_a_county_of_another_area_is_rejected(audited: Run) -> None:
    audit = audited(cell("county", 0, county_id="110101"))
    assert "county_unknown" in rules(audit)
    assert audit.response.set_index("county_id").loc["513431", "households_accepted"] == 0


def test_the_complete_roster_corrects_the_household_size(audited: Run) -> None:
    audit = audited(cell("household", 0, hhsize=7))
    assert home(audit)["hhsize"] == 3
    assert rules(audit) == {"roster_size"}
    log = audit.corrections.iloc[0]
    assert (log["before"], log["after"], log["rule"]) == ("7", "3", "roster_size")


def test_a_missing_household_size_is_counted_from_the_roster(audited: Run) -> None:
    audit = audited(cell("household", 0, hhsize=""))
    assert home(audit)["hhsize"] == 3 and audit.rejected.empty


def test_a_roster_with_a_gap_leaves_the_household_size(audited: Run) -> None:
    audit = audited(lambda content: content["51"]["person"].pop(1))
    assert home(audit)["hhsize"] == 3
    assert rules(audit) == {"roster_incomplete"}


def test_two_heads_are_found(audited: Run) -> None:
    audit = audited(cell("person", 1, relation="head"))
    assert rules(audit) == {"head_count", "localised"}


def test_a_missing_total_is_added_up(audited: Run) -> None:
    audit = audited(cell("household", 0, income_total=""))
    assert home(audit)["income_total"] == 8000
    assert rules(audit) == {"total_filled"}


def test_a_total_in_another_unit_is_taken_from_the_parts(audited: Run) -> None:
    audit = audited(cell("household", 0, income_total=0.8))
    assert home(audit)["income_total"] == 8000
    assert rules(audit) == {"total_slip"}


def test_a_part_with_a_digit_too_many_is_repaired(audited: Run) -> None:
    audit = audited(cell("household", 0, income_wages=30000))
    assert home(audit)["income_wages"] == 3000 and home(audit)["income_total"] == 8000
    assert rules(audit) == {"part_slip"}


def test_a_total_that_differs_otherwise_is_taken_from_the_parts(audited: Run) -> None:
    audit = audited(cell("household", 0, consumption_total=6000))
    assert home(audit)["consumption_total"] == 6600
    assert rules(audit) == {"total_differs"}


def test_a_missing_part_follows_from_the_total(audited: Run) -> None:
    audit = audited(cell("household", 0, income_wages=""))
    assert home(audit)["income_wages"] == 3000
    assert rules(audit) == {"part_filled"}


def test_an_income_that_cannot_be_derived_stays_missing(audited: Run) -> None:
    audit = audited(cell("household", 0, income_wages="", income_total=""))
    assert pd.isna(home(audit)["income_total"])
    assert home(audit)["status"] == "accepted"
    assert rules(audit) == {"total_missing"}


def test_a_weight_that_is_not_positive_is_taken_from_the_village(audited: Run) -> None:
    audit = audited(cell("household", 0, w_hh=-3))
    assert home(audit)["w_hh"] == pytest.approx(500 / 3)
    assert rules(audit) == {"out_of_range", "weight_filled"}


def test_expressions_find_and_blank(audited: Run) -> None:
    audit = audited(cell("village", 0, nv_road=9))
    assert rules(audit) == {"nv_road_within"}
    assert pd.isna(audit.records["village"].loc[0, "nv_road"])
    assert audit.findings.query("rule == 'nv_road_within'")["value"].item() == "9 / 6"


def test_a_year_of_another_survey_is_found(audited: Run) -> None:
    assert rules(audited(cell("person", 0, year=2001))) == {"year_differs"}


def corrections(root: Path, *lines: str) -> None:
    path = paths.raw("small") / "corrections.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("form,key,column,before,after,who,when,why\n" + "\n".join(lines) + "\n")


def test_a_reviewers_correction_wins(audited: Run, root: Path) -> None:
    corrections(root, f"household,{FIRST},dwelling_area,80,95,Li,2011-05-02,asked by telephone")
    audit = audited()
    assert "correction_applied" in rules(audit)
    assert home(audit)["dwelling_area"] == 95 and home(audit)["status"] == "corrected"
    log = audit.corrections.iloc[0]
    assert (log["before"], log["after"]) == ("80", "95")
    assert "asked by telephone (Li, 2011-05-02)" in log["method"]


@pytest.mark.parametrize(
    "line",
    [
        f"household,{FIRST},dwelling_area,81,95,Li,2011-05-02,other value",
        "household,5134310199,dwelling_area,80,95,Li,2011-05-02,no such household",
    ],
)
def test_a_correction_that_matches_nothing_is_found(audited: Run, root: Path, line: str) -> None:
    corrections(root, line)
    audit = audited()
    finding = audit.findings.query("rule == 'correction_unmatched'").iloc[0]
    assert (finding["file"], finding["line"]) == ("corrections.csv", 2)
    assert audit.corrections.empty


def test_a_correction_of_another_area_is_left_alone(audited: Run, root: Path) -> None:
    small.write(root, small.files())
    survey = paths.raw("small") / "survey.yml"
    text = survey.read_text().replace('"520526"]', '"520526", "421122"]')
    corrections(root, "household,4211220101,hhsize,3,4,Li,2011-05-02,in Dabie")
    survey.write_text(text)
    assert "correction_unmatched" not in rules(audit_area("small", "wumeng"))


def test_a_correction_of_an_unknown_column_is_an_error(audited: Run, root: Path) -> None:
    corrections(root, f"household,{FIRST},area,80,95,Li,2011-05-02,typo")
    with pytest.raises(PovmonError, match="corrections.csv, line 2: .*no column 'area'"):
        audited()


def test_a_person_under_a_wrong_household_leaves_the_size(audited: Run) -> None:
    audit = audited(cell("person", 2, household_id="5134310177"))
    assert home(audit)["hhsize"] == 3
    assert rules(audit) == {"parent_missing", "roster_incomplete"}


def test_income_in_another_unit_is_converted(root: Path) -> None:
    content = small.files()
    for province in content.values():  # a village of six, so that its median means something
        for row in province["household"]:
            row["village_id"] = str(row["village_id"])[:6] + "01"
    row = content["51"]["household"][0]
    for name in [n for n in row if n.startswith("income")]:
        row[name] = float(str(row[name])) / 10_000
    small.write(root, content)
    audit = audit_area("small", "wumeng")
    assert home(audit)["income_total"] == 8000 and home(audit)["income_wages"] == 3000
    assert "unit_slip" in rules(audit)


def test_funds_by_use_and_by_source(audited: Run) -> None:
    funds = dict.fromkeys(["use_infrastructure", "use_social", "use_other", "funds_other"], 0)
    funds |= {"funds_central": 500, "funds_provincial": 100, "use_production": 600}

    def change(use: int) -> Callable[[small.Files], None]:
        def set_all(content: small.Files) -> None:
            for province in content.values():
                province["county"][0].update({**funds, "use_production": use})

        return set_all

    assert rules(audited(change(600))) == set()
    assert rules(audited(change(400))) == {"funds_use_source"}


@pytest.mark.parametrize(("column", "value"), [("w_village", 5), ("households", 100)])
def test_a_village_weight_follows_from_its_households(
    audited: Run, column: str, value: float
) -> None:
    audit = audited(cell("village", 0, **{column: ""}))
    assert audit.records["village"].loc[0, column] == pytest.approx(value)
    assert rules(audit) == {"village_weight_filled"}
