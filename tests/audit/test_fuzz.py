"""Whatever arrives: an error in one paragraph or a complete account, never anything else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from audit import fuzzed, small
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


@pytest.mark.slow
@QUICK
@given(st.lists(st.tuples(FORMS, st.integers(0, 35), st.integers(0, 30), CELLS), max_size=12))
def test_any_cells(changes: list[tuple[str, int, int, str]]) -> None:
    content = small.files()
    for form, row, column, value in changes:
        rows = content["51"][form]
        names = list(rows[0])
        rows[row % len(rows)][names[column % len(names)]] = value
    account(content)


@pytest.mark.slow
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


BATCH = 60  # submissions audited together
CASES = 5_000
COUNTIES = fuzzed.county_ids()


def account_for(cases: list[list[fuzzed.Spoil]]) -> int:
    """Read each spoilt submission and audit together what can be read; returns how many can."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", folder)
        place = Path(folder) / "data" / "raw" / "small"
        place.mkdir(parents=True)
        (place / "survey.yml").write_text(fuzzed.survey_text(), encoding="utf-8")
        survey = load_survey("small")
        read = []
        for number, (county, spoils) in enumerate(zip(COUNTIES, cases, strict=False)):
            files = fuzzed.spoilt_files(county, spoils)
            intake = fuzzed.read_case(survey, Path(folder), files, f"{number}/")
            if intake is not None:
                read.append(intake)
        if read:
            fuzzed.check_account(fuzzed.together(read))
        return len(read)


def fuzz(batches: int) -> tuple[int, int]:
    """Spoil submissions and account for them; returns how many there were, and how many read."""
    number = read = 0

    # No shrinking: with an audit for each attempt it takes longer than finding the fault.
    @settings(QUICK, max_examples=batches, phases=[Phase.generate])
    @given(st.lists(fuzzed.CASES, min_size=BATCH, max_size=BATCH))
    def run(cases: list[list[fuzzed.Spoil]]) -> None:
        nonlocal number, read
        number += len(cases)
        read += account_for(cases)

    run()
    return number, read


def test_spoilt_submissions() -> None:
    number, read = fuzz(2)
    assert number >= 2 * BATCH
    assert read > number / 5


@pytest.mark.slow
def test_five_thousand_spoilt_submissions() -> None:
    number, read = fuzz(CASES // BATCH + 1)
    assert number >= CASES
    # Many are refused with a reason; the others must go through the whole audit.
    assert read > number / 5


def test_an_unspoilt_submission_is_read_and_audited() -> None:
    assert account_for([[], [], []]) == 3
