"""What spreadsheets do to submissions: codes cut short, a form made for somebody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty

from audit import small
from povmon.audit import Audit, audit_area


def test_a_code_that_a_spreadsheet_cut(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        content["51"]["household"][0]["village_id"] = "5.13431E+07"

    findings = audited(spoil).findings
    own = findings[findings["rule"] == "id_damaged"]
    assert list(own["column"]) == ["village_id"] and list(own["value"]) == ["5.13431E+07"]


def test_a_workbook_made_for_another_province(root: Path) -> None:
    content = small.files()
    homes = content["51"].pop("household")
    folder = small.write(root, content) / "wumeng" / "51"
    book = Workbook()
    book.active.title = "household"
    for row in [list(homes[0]), *([*home.values()] for home in homes)]:
        book.active.append(row)
    book.custom_doc_props.append(StringProperty(name="povmon_province", value="52"))
    book.save(folder / "household.xlsx")
    findings = audit_area("small", "wumeng").findings
    own = findings[findings["rule"] == "workbook_elsewhere"]
    assert own["message"].str.contains("province 52").all() and len(own) == 1
