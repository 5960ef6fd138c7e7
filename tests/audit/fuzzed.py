"""Submissions spoilt in every way a file can be, and the account of what became of their rows.

A case is one submission of one county: its four files after a list of `Spoil`s. Each case is read
by itself, so that one unreadable file does not hide the others; all that can be read are audited
together, each in a county of its own, because an audit costs much the same for one as for many.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis.strategies as st
import pandas as pd

from audit import small
from povmon import reference
from povmon.audit import audit_intake
from povmon.errors import PovmonError
from povmon.survey import FORMS as FIELDS
from povmon.survey.config import Survey
from povmon.survey.intake import Intake, read_submissions
from povmon.survey.readers.encoding import decode

FORMS = ("county", "village", "household", "person")
NAMES = {name for form in FIELDS.values() for name in form.columns}
AREA = "dian_gui_qian"
CELLS = st.one_of(
    st.sampled_from([
        "", "0", "-1", "1e9", "１２", "1,200", "1.234,5", "NaN", "inf", "-inf", "1e308", "1e-320",
        "9" * 40, "是", "=1+1", "@SUM(A1)", "<b>", "tap", "head", "5134310101", "513431",
        "\ufeff1", "\u202e12", "12 元", "3.5亩", "None", "NULL", "#REF!", "2010-01-01", "'; --",
        '"', "a,b", "a\nb", "\t", "\u3000", "０", "½", "1_000", "0x10", "true", "合计", "Total",
    ]),
    st.text(max_size=6),
    st.floats().map(str),
)  # fmt: skip
CODECS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "latin-1", "big5", "cp1252")
ENDS = ("\n", "\r\n", "\r", "\n\n", "\n\r", "\x0b", "\u2028")


@dataclass(frozen=True)
class Spoil:
    """One thing done to one file; `a` and `b` say where, `text` with what."""

    form: str
    how: str
    a: int
    b: int
    text: str


def _cell(rows: list[list[str]], s: Spoil) -> None:
    row = rows[s.a % len(rows)]
    if row:
        row[s.b % len(row)] = s.text


def _column(rows: list[list[str]], s: Spoil) -> None:
    for row in rows[1:]:
        if row:
            row[s.b % len(row)] = s.text


def _drop_row(rows: list[list[str]], s: Spoil) -> None:
    if len(rows) > 1:
        del rows[s.a % len(rows)]


def _copy_rows(rows: list[list[str]], s: Spoil) -> None:
    rows.extend([list(rows[s.a % len(rows)]) for _ in range(s.b % 4 + 1)])


def _shuffle_rows(rows: list[list[str]], s: Spoil) -> None:
    random.Random(s.a).shuffle(rows)


def _drop_column(rows: list[list[str]], s: Spoil) -> None:
    for row in rows:
        if row:
            del row[s.a % len(row)]


def _copy_column(rows: list[list[str]], s: Spoil) -> None:
    for row in rows:
        if row:
            row.append(row[s.a % len(row)])


def _swap_columns(rows: list[list[str]], s: Spoil) -> None:
    for row in rows:
        if row:
            i, j = s.a % len(row), s.b % len(row)
            row[i], row[j] = row[j], row[i]


def _cut_row(rows: list[list[str]], s: Spoil) -> None:
    row = rows[s.a % len(rows)]
    del row[s.b % (len(row) + 1) :]


def _widen_row(rows: list[list[str]], s: Spoil) -> None:
    rows[s.a % len(rows)].extend([s.text] * (s.b % 3 + 1))


def _insert_row(rows: list[list[str]], s: Spoil) -> None:
    rows.insert(s.a % (len(rows) + 1), [s.text] * (s.b % 60))


ON_ROWS = {
    "cell": _cell, "column": _column, "drop row": _drop_row, "copy rows": _copy_rows,
    "shuffle rows": _shuffle_rows, "drop column": _drop_column, "copy column": _copy_column,
    "swap columns": _swap_columns, "cut row": _cut_row, "widen row": _widen_row,
    "insert row": _insert_row,
}  # fmt: skip


def _noise(s: Spoil) -> bytes:
    return random.Random(s.b).randbytes(s.b % 7)


def _overwrite(data: bytes, s: Spoil) -> bytes:
    at = s.a % (len(data) + 1)
    noise = _noise(s)
    return data[:at] + noise + data[at + len(noise) :]


def _insert(data: bytes, s: Spoil) -> bytes:
    at = s.a % (len(data) + 1)
    return data[:at] + _noise(s) + data[at:]


ON_BYTES = {
    "overwrite bytes": _overwrite,
    "insert bytes": _insert,
    "delete bytes": lambda d, s: d[: s.a % (len(d) + 1)] + d[s.a % (len(d) + 1) + s.b % 9 :],
    "cut file": lambda d, s: d[: s.a % (len(d) + 1)],
    "nul": lambda d, s: d[: s.a % (len(d) + 1)] + b"\x00" + d[s.a % (len(d) + 1) :],
    "quote": lambda d, s: d[: s.a % (len(d) + 1)] + b'"' + d[s.a % (len(d) + 1) :],
    "double file": lambda d, s: d + d,
}
# What spoils a cell or a row comes more often: it is read, while a spoilt file is mostly refused.
WAYS = (
    *["cell"] * 8, *["column"] * 3, *["drop row", "copy rows", "shuffle rows"] * 2, *ON_ROWS,
    *ON_BYTES, "encoding", "line ends", "delimiter", "no file", "manifest",
)  # fmt: skip
SPOILS = st.builds(
    Spoil, st.sampled_from(FORMS), st.sampled_from(WAYS), st.integers(0, 9999),
    st.integers(0, 99), CELLS,
)  # fmt: skip
CASES = st.lists(SPOILS, min_size=1, max_size=4)


def survey_text() -> str:
    """A survey of every county of the area: one for each case that is audited together."""
    counties = ", ".join(f'"{c}"' for c in county_ids())
    head, _, tail = small.SURVEY.partition("only_counties:")
    return f"{head}only_counties: [{counties}]\n{tail.partition(chr(10))[2]}"


def county_ids() -> list[str]:
    counties = reference.counties()
    return sorted(counties.loc[counties["area_id"] == AREA, "county_id"])


def spoilt_files(county: str, spoils: Sequence[Spoil]) -> dict[str, bytes]:
    """The files of one county after all that is done to them."""
    made = {}
    for form, records in small.county_files(county).items():
        mine = [s for s in spoils if s.form == form]
        rows = [list(map(str, records[0])), *(list(map(str, r.values())) for r in records)]
        for s in mine:
            if s.how in ON_ROWS:
                ON_ROWS[s.how](rows, s)
        ways = {s.how: s for s in mine}
        if "no file" not in ways:
            data = _as_bytes(rows, ways)
            for s in mine:
                data = ON_BYTES[s.how](data, s) if s.how in ON_BYTES else data
            made[f"{form}.csv"] = data
        if "manifest" in ways:
            made["manifest.yml"] = ways["manifest"].text.encode("utf-8", "replace")
    return made


def _as_bytes(rows: list[list[str]], ways: dict[str, Spoil]) -> bytes:
    end = ENDS[ways["line ends"].a % len(ENDS)] if "line ends" in ways else "\n"
    mark = ";\t|"[ways["delimiter"].a % 3] if "delimiter" in ways else ","
    codec = CODECS[ways["encoding"].a % len(CODECS)] if "encoding" in ways else "utf-8"
    text = io.StringIO()
    csv.writer(text, delimiter=mark, lineterminator="\n").writerows(rows)
    lines = text.getvalue().split("\n")
    # Every other line end is the odd one: a file put together from two.
    ends = [end if k % 2 == 0 else "\n" for k in range(len(lines))]
    whole = "".join(line + e for line, e in zip(lines, ends, strict=True))
    return whole.encode(codec, "replace")


def read_case(survey: Survey, root: Path, files: dict[str, bytes], name: str) -> Intake | None:
    """Read one submission; None when it is refused, in one paragraph that says why."""
    folder = root / "data" / "raw" / "small" / "submissions" / AREA / "52"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for file, data in files.items():
        (folder / file).write_bytes(data)
    try:
        intake = read_submissions(survey, AREA)
    except PovmonError as error:
        assert error.what and "\n" not in str(error)
        return None
    for form, table in intake.rows.items():
        read = intake.files[(intake.files["form"] == form) & (intake.files["status"] == "used")]
        assert len(table) == read["rows"].sum()
        least, most = rows_in(files[f"{form}.csv"])
        assert least <= len(table) + read["left_out"].sum() <= most, form
    rows = {
        form: table.assign(source_file=name + table["source_file"].astype("str"))
        for form, table in intake.rows.items()
    }
    return replace(intake, rows=rows)


def rows_in(data: bytes) -> tuple[int, int]:
    """Rows of a file that can be read which have numbers, and rows with anything but one heading,
    counted apart from the reader."""
    text, _ = decode(data, "")
    rows = csv.reader(io.StringIO(text, newline=""))
    filled = [cells for cells in rows if any(cell.strip() for cell in cells)]
    # A row that names columns is the heading, also where a lost line end puts data behind it.
    below = [row for row in filled if not NAMES & {cell.strip() for cell in row}]
    records = [row for row in below if sum(cell.strip()[:1].isdigit() for cell in row) > 1]
    return len(records), len(filled) - 1


def together(parts: list[Intake]) -> Intake:
    """Several submissions as if they were one."""
    first = parts[0]
    return replace(
        first,
        rows={form: pd.concat([p.rows[form] for p in parts], ignore_index=True) for form in FORMS},
        submitted={form: set().union(*(p.submitted[form] for p in parts)) for form in FORMS},
        files=pd.concat([p.files for p in parts], ignore_index=True),
        remarks=[remark for p in parts for remark in p.remarks],
    )


def check_account(intake: Intake) -> None:
    """Audit; every row that was read ends in exactly one place."""
    try:
        audit = audit_intake(intake)
    except PovmonError as error:
        assert error.what and "\n" not in str(error)
        return
    for form, rows in intake.rows.items():
        rejected = audit.rejected[audit.rejected["form"] == form]
        kept = audit.records[form]
        ended = [
            *zip(rejected["file"], rejected["line"], strict=True),
            *zip(kept["source_file"], kept["source_line"], strict=True),
        ]
        assert sorted(ended) == sorted(zip(rows["source_file"], rows["source_line"], strict=True))
    assert (audit.rejected["reason"] != "").all()
    counts = audit.accounting[["received", "accepted", "corrected", "rejected"]].sum()
    assert counts["received"] == sum(len(rows) for rows in intake.rows.values())
    assert counts["received"] == counts[["accepted", "corrected", "rejected"]].sum()
