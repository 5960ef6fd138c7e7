"""The command line on wrong input: one paragraph, exit 1, no traceback, nothing made."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import PROJECT, copy_survey, povmon
from povmon.pipeline import cli, runs


@pytest.fixture
def small_root(tmp_path: Path) -> Path:
    """A root with the two surveys, nothing generated and nothing made."""
    copy_survey("demo", tmp_path)
    copy_survey("vlss1998", tmp_path)
    return tmp_path


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one paragraph of an error."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "Traceback" not in done.stdout
    paragraph = done.stderr.strip()
    assert "\n\n" not in paragraph and paragraph
    return paragraph


def test_an_unknown_survey_lists_the_valid_ones(small_root: Path) -> None:
    text = refused(povmon(small_root, "run", "--survey", "dmeo"))
    assert text == "unknown survey 'dmeo'; did you mean 'demo'? valid: demo, vlss1998."
    assert not (small_root / "reports").exists()


@pytest.mark.parametrize("name", ["../demo", "demo; ls", "$(ls)", "/etc", "Demo"])
def test_a_survey_name_leads_nowhere_else(small_root: Path, name: str) -> None:
    assert "is not a valid name" in refused(povmon(small_root, "run", "--survey", name))


def test_a_misspelt_area_lists_the_valid_ones(small_root: Path) -> None:
    text = refused(povmon(small_root, "run", "--survey", "vlss1998", "--area", "rurall"))
    assert "unknown area 'rurall'; did you mean 'rural'? valid: rural, urban." in text


def test_missing_submissions_say_which_and_what_to_do(small_root: Path) -> None:
    for path in (small_root / "data/raw/vlss1998/submissions").iterdir():
        path.unlink()
    text = refused(povmon(small_root, "run", "--survey", "vlss1998"))
    assert text.startswith("data/raw/vlss1998/submissions: the folder with the submissions is")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("year: 1998", "yeer: 1998", "unknown key"),
        ("year: 1998", "year: soon", "key year"),
        ("delivery: whole", "delivery: half", "key delivery"),
        ("survey: vlss1998", "survey: [", "not readable as YAML"),
    ],
)
def test_a_wrong_survey_yml_names_the_key(
    small_root: Path, old: str, new: str, expected: str
) -> None:
    path = small_root / "data/raw/vlss1998/survey.yml"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    text = refused(povmon(small_root, "run", "--survey", "vlss1998"))
    assert "data/raw/vlss1998/survey.yml" in text and expected in text


def test_an_unwritable_folder_is_named(small_root: Path) -> None:
    (small_root / "data" / "processed").write_text("a file where a folder should be")
    text = refused(povmon(small_root, "run", "--survey", "vlss1998"))
    assert "data/processed" in text and "cannot be written" in text


@pytest.mark.slow
def test_reports_that_cannot_be_written_are_named(small_root: Path) -> None:
    (small_root / "reports").write_text("a file where a folder should be")
    done = povmon(small_root, "run", "--survey", "vlss1998")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert "reports/vlss1998/rural/audit.html: cannot be written" in done.stderr


@pytest.mark.parametrize("jobs", ["0", "many", "-1"])
def test_a_wrong_number_of_jobs(small_root: Path, jobs: str) -> None:
    done = povmon(small_root, "run", "--survey", "vlss1998", f"--jobs={jobs}")
    assert "JOBS" in refused(done)


def test_a_real_survey_is_not_generated(small_root: Path) -> None:
    assert "synthetic" in refused(povmon(small_root, "generate", "--survey", "vlss1998"))


def test_why_before_anything_is_made(small_root: Path) -> None:
    done = povmon(small_root, "why", "--survey", "vlss1998", "reports/vlss1998/rural/audit.html")
    assert done.returncode == 0
    heading, reason, after = done.stdout.splitlines()
    assert heading == "rural/audit is stale:" and reason == "  - it has not been made yet"
    assert "rural/indicators" in after and "urban" not in after


def test_the_codebook_is_written(small_root: Path) -> None:
    done = povmon(small_root, "codebook")
    assert done.returncode == 0, done.stderr
    assert (small_root / "reports" / "codebook" / "codebook.html").exists()
    assert "Wrote reports/codebook/codebook.csv" in done.stdout


def test_nothing_to_do_imports_no_heavy_package() -> None:
    heavy = "pandas,numpy,pydantic,papermill,nbconvert,matplotlib,rich,yaml,jupyter_client"
    program = (
        "import sys; from povmon.pipeline import cli, runs, explain; "
        f"print([n for n in {heavy.split(',')} if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(" -j2 --jobserver-auth=3,4", 2), ("k -j7 -- SURVEY=demo", 7), ("-j1", 1)],
)
def test_jobs_follow_make(flags: str, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", flags)
    assert runs.default_jobs() == expected
    assert cli._jobs("") == expected
    assert cli._jobs("3") == 3


def test_jobs_are_the_cores_where_make_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKEFLAGS", "--no-print-directory -j")
    assert runs.default_jobs() >= 1


def test_a_second_run_waits_for_the_first(root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program = (
        "from povmon.pipeline.runs import locked\nwith locked():\n    print('inside', flush=True)"
    )
    with runs.locked():
        second = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=PROJECT
        )
        assert second.stdout is not None
        assert "waiting" in second.stdout.readline()
        time.sleep(0.2)
        assert second.poll() is None
    assert second.stdout.readline() == "inside\n"
    assert second.wait(10) == 0


def test_the_lock_ends_with_its_process(root: Path) -> None:
    program = "import os\nfrom povmon.pipeline.runs import locked\nwith locked():\n    os._exit(9)"
    subprocess.run([sys.executable, "-c", program], check=False, cwd=PROJECT)
    with (root / "data/processed/.state/lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_forms_are_written_and_named(small_root: Path) -> None:
    done = povmon(small_root, "forms", "--survey", "demo", "--area", "dabie")
    assert done.returncode == 0, done.stderr
    *written, last = done.stdout.splitlines()
    names = [f"data/processed/demo/forms/dabie/{province}.xlsx" for province in (34, 41, 42)]
    assert written == [f"Wrote {name}" for name in names]
    assert all((small_root / name).is_file() for name in names)
    assert last.startswith("3 workbooks of form version ")


def test_a_survey_with_nothing_to_fill_in_says_so(small_root: Path) -> None:
    done = povmon(small_root, "forms", "--survey", "vlss1998")
    assert done.returncode == 0 and done.stdout.count("\n") == 1
    assert "so there is nothing to fill in." in done.stdout
    assert "unknown area" in refused(povmon(small_root, "forms", "--area", "x", "--survey", "demo"))
