"""Whatever arrives: an error in one paragraph or a complete account, never anything else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from audit import small
from povmon.audit import audit_intake
from povmon.errors import PovmonError
from povmon.survey import load_survey
from povmon.survey.intake import read_submissions

CELLS = st.one_of(
    st.sampled_from(["", "0", "-1", "1e9", "１２", "1,200", "NaN", "是", "=1+1", "<b>", "tap",
                     "5134310101", "51343101", "513431", "99999999999999999999", "1e308", "head"]),
    st.text(max_size=8),
    st.integers(-(10**6), 10**12).map(str),
    st.floats(allow_nan=True).map(str),
)  # fmt: skip
FORMS = st.sampled_from(["county", "village", "household", "person"])


def account(content: small.Files, raw: tuple[str, bytes] | None = None) -> None:
    """Read and audit; every row must be accounted for, or a PovmonError say why not."""
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("POVMON_ROOT")
        os.environ["POVMON_ROOT"] = folder
        try:
            place = small.write(Path(folder), content)
            if raw is not None:
                (place / "wumeng" / "51" / f"{raw[0]}.csv").write_bytes(raw[1])
            intake = read_submissions(load_survey("small"), "wumeng")
            audit = audit_intake(intake)
        except PovmonError as error:
            assert error.what and "\n" not in str(error)
            return
        finally:
            os.environ.pop("POVMON_ROOT")
            if before is not None:
                os.environ["POVMON_ROOT"] = before
    for form, rows in intake.rows.items():
        rejected = audit.rejected[audit.rejected["form"] == form]
        kept = audit.records[form]
        ended = [
            *zip(rejected["file"], rejected["line"], strict=True),
            *zip(kept["source_file"], kept["source_line"], strict=True),
        ]
        assert sorted(ended) == sorted(zip(rows["source_file"], rows["source_line"], strict=True))
    assert (audit.rejected["reason"] != "").all()


QUICK = settings(
    max_examples=int(os.environ.get("POVMON_FUZZ", "8")), deadline=None, derandomize=True,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@QUICK
@given(st.lists(st.tuples(FORMS, st.integers(0, 35), st.integers(0, 30), CELLS), max_size=12))
def test_any_cells(changes: list[tuple[str, int, int, str]]) -> None:
    content = small.files()
    for form, row, column, value in changes:
        rows = content["51"][form]
        names = list(rows[0])
        rows[row % len(rows)][names[column % len(names)]] = value
    account(content)


@QUICK
@given(st.lists(st.tuples(FORMS, st.integers(0, 35), st.integers(0, 2)), min_size=1, max_size=8))
def test_rows_lost_and_doubled(changes: list[tuple[str, int, int]]) -> None:
    content = small.files()
    for form, row, copies in changes:
        rows = content["51"][form]
        if len(rows) > 1:
            chosen = rows.pop(row % len(rows))
            rows.extend(dict(chosen) for _ in range(copies))
    account(content)


@QUICK
@given(FORMS, st.integers(0, 10_000), st.binary(max_size=6), st.booleans())
def test_any_bytes(form: str, at: int, noise: bytes, cut: bool) -> None:
    data = small.as_csv(small.files()["51"][form]).encode()
    at %= len(data)
    account(small.files(), (form, data[:at] + noise + (b"" if cut else data[at:])))
