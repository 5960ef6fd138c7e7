"""The audit as a whole: accounts, weights, lost villages, what is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from audit import small
from povmon import paths
from povmon.audit import Audit, audit_area, load_audit
from povmon.errors import PovmonError

Run = Callable[..., Audit]


def rules(audit: Audit) -> set[str]:
    return set(audit.findings["rule"]) - {"column_missing"}


def states(audit: Audit, form: str) -> list[int]:
    rows = audit.accounting[audit.accounting["form"] == form]
    return [int(rows[c].sum()) for c in ("received", "accepted", "corrected", "rejected")]


def test_a_clean_submission_has_no_findings(audited: Run) -> None:
    audit = audited()
    assert rules(audit) == set()
    assert states(audit, "household") == [12, 12, 0, 0]
    assert states(audit, "person") == [36, 36, 0, 0]
    assert audit.rejected.empty and audit.corrections.empty


def test_weights_sum_to_the_rural_population(audited: Run) -> None:
    audit = audited()
    households = audit.records["household"]
    assert households["w_person"].groupby(households["county_id"]).sum().tolist() == pytest.approx(
        [3000, 3000]
    )
    assert households["w_hh"].tolist() == pytest.approx([500 / 3] * 12)
    assert set(audit.records["person"]["w_hh"].round(6)) == {round(500 / 3, 6)}


def test_records_know_their_place(audited: Run) -> None:
    person = audited().records["person"]
    last = person.iloc[-1]
    assert last["source_file"] == "wumeng/52/person.csv"
    assert last["source_line"] == 19
    assert (last["area"], last["county_id"], last["province_id"]) == ("wumeng", "520526", "52")
    assert last["status"] == "accepted"


def test_a_missing_household_is_carried_by_its_village(audited: Run) -> None:
    def drop(content: small.Files) -> None:
        content["51"]["household"].pop(0)
        content["51"]["person"] = content["51"]["person"][3:]

    audit = audited(drop)
    households = audit.records["household"]
    weights = households.groupby("village_id")["w_hh"].first()
    assert weights["51343101"] == pytest.approx(250)
    assert weights["51343102"] == pytest.approx(500 / 3)
    response = audit.response.set_index("county_id").loc["513431"]
    assert response["households_expected"] == 6
    assert response["households_received"] == response["households_accepted"] == 5
    assert response["weight_sum_after"] == pytest.approx(3000)
    assert response["weight_sum_before"] == pytest.approx(2500)


def test_a_lost_village_is_named_and_carried_by_its_county(audited: Run) -> None:
    def drop(content: small.Files) -> None:
        for form in ("village", "household", "person"):
            key = "village_id" if form == "village" else "household_id"
            kept = [r for r in content["52"][form] if not str(r[key]).startswith("52052602")]
            content["52"][form] = kept

    audit = audited(drop)
    response = audit.response.set_index("county_id").loc["520526"]
    assert response["lost"] == "52052602"
    assert response["villages_accepted"] == 1
    assert "lost" in response["note"]
    village = audit.records["village"].set_index("village_id")
    assert village.loc["52052601", "w_village"] == pytest.approx(10)
    assert response["weight_sum_after"] == pytest.approx(3000)


def test_a_lost_province_is_named_not_absorbed(audited: Run) -> None:
    audit = audited(lambda content: content.pop("52"))
    response = audit.response.set_index("county_id").loc["520526"]
    assert response["households_accepted"] == 0
    assert response["note"].startswith("county lost")
    assert response["weight_sum_after"] == 0
    assert audit.records["household"]["w_person"].sum() == pytest.approx(3000)
    status = audit.promptness.set_index("province_id")["status"]
    assert status.to_dict() == {"51": "on time", "52": "missing"}


def test_a_late_submission(audited: Run, root: Path) -> None:
    small.write(root, small.files())
    manifest = paths.submissions("small") / "wumeng" / "51" / "manifest.yml"
    manifest.write_text(manifest.read_text().replace("2011-03-25", "2011-04-10"))
    audit = audit_area("small", "wumeng")
    row = audit.promptness.set_index("province_id").loc["51"]
    assert (row["status"], row["days_late"], row["received"]) == ("late", 10, "2011-04-10")


def test_a_changed_file_and_a_wrong_row_count_are_found(root: Path) -> None:
    folder = small.write(root, small.files())
    path = folder / "wumeng" / "51" / "household.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    audit = audit_area("small", "wumeng")
    assert {"file_changed", "file_row_count"} <= rules(audit)


def test_written_tables_are_the_same_bytes_each_time(audited: Run) -> None:
    audited()
    folder = paths.processed("small", "wumeng")

    def digests() -> dict[str, str]:
        return {
            p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.iterdir())
        }

    first = digests()
    assert {"household.parquet", "findings.parquet", "corrections_log.parquet"} <= set(first)
    audited()
    assert digests() == first


def test_load_audit_gives_back_what_was_written(audited: Run) -> None:
    audit = audited()
    again = load_audit("small", "wumeng")
    for form, table in audit.records.items():
        pd.testing.assert_frame_equal(again.records[form], table)
    pd.testing.assert_frame_equal(again.response, audit.response)
    pd.testing.assert_frame_equal(again.promptness, audit.promptness)


def test_an_unwritable_folder_is_one_sentence(audited: Run, root: Path) -> None:
    (root / "data" / "processed").parent.mkdir(parents=True, exist_ok=True)
    (root / "data" / "processed").write_text("a file where the folder should be")
    with pytest.raises(PovmonError, match="cannot be written"):
        audited()


def test_a_failed_audit_leaves_earlier_tables(audited: Run, root: Path) -> None:
    audited()
    before = (paths.processed("small", "wumeng") / "household.parquet").read_bytes()
    (paths.submissions("small") / "wumeng" / "51" / "person.csv").write_text("")
    with pytest.raises(PovmonError, match="empty"):
        audit_area("small", "wumeng")
    assert (paths.processed("small", "wumeng") / "household.parquet").read_bytes() == before


def test_an_unknown_area_lists_the_valid_ones(audited: Run) -> None:
    audited()
    with pytest.raises(PovmonError, match="did you mean 'wumeng'"):
        audit_area("small", "wumen")
