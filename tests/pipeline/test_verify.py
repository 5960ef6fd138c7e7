"""Two builds from nothing: what leaks into a file is found and shown, and nothing else is."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import copy_survey
from povmon import paths
from povmon.errors import PovmonError
from povmon.pipeline import cli, verify
from povmon.pipeline.facts import facts
from povmon.pipeline.runs import remembered

# Writes what must not be in a report, each into a file of its own.
LEAKS = """
import datetime, os, time
from pathlib import Path

root = Path(os.environ.get("POVMON_ROOT") or ".").resolve()
folder = root / "reports" / "leaks"
folder.mkdir(parents=True)
(folder / "b").mkdir()
(folder / "a").mkdir()
leaks = {
    "always": "the same",
    "day": datetime.date.today().isoformat(),
    "now": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m"),
    "seconds": str(int(time.time()) // 86400),
    "zone": time.strftime("%z"),
    "root": str(root),
    "checkout": os.getcwd(),
    "home": os.path.expanduser("~"),
    "user": os.environ["USER"],
    "hash": str(hash("text")),
    "width": os.environ.get("COLUMNS", "80"),
    "listdir": " ".join(n for n in os.listdir(folder)),
    "scandir": " ".join(p.name for p in folder.glob("*")),
    "mode": oct(os.stat(folder).st_mode),
    "locale": os.environ["LC_ALL"],
}
for name, text in leaks.items():
    (folder / f"{name}.txt").write_text(text)
(root / "data" / "processed" / "demo").mkdir(parents=True)
(root / "data" / "processed" / "demo" / "run-log.jsonl").write_text(str(time.time()))
"""
FOUND = {
    "day", "now", "seconds", "zone", "root", "checkout", "home", "user", "hash", "width",
    "listdir", "scandir", "mode", "locale",
}  # fmt: skip


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pipeline knows of the demo survey; reading it takes seconds."""
    root = tmp_path_factory.mktemp("known")
    copy_survey("demo", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(root))
        hashes = remembered()
        facts("demo", hashes)
        hashes.save()
    return root / "data" / "processed" / ".state"


@pytest.fixture
def small(tmp_path: Path, known: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with a survey that is generated; temporary folders lie below it."""
    copy_survey("demo", tmp_path / "root")
    shutil.copytree(known, tmp_path / "root" / "data" / "processed" / ".state")
    (tmp_path / "builds").mkdir()
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path / "root"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "builds"))
    # Copying all modules and reading them takes seconds, and these builds need none.
    monkeypatch.setattr(verify, "_COPIED", ("requirements.lock", verify._TOOLS))
    return tmp_path


def program(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "commands", lambda *_: [["-c", text]])


@pytest.mark.skipif(not shutil.which("cc"), reason="moving the clock needs a C compiler")
@pytest.mark.skipif(sys.platform != "linux", reason="the clock is moved on Linux only")
def test_whatever_leaks_is_found_and_shown(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program(LEAKS, monkeypatch)
    assert cli.main(["verify", "--survey", "demo"]) == 1
    out = capsys.readouterr().out
    names = {line.split("/")[2].split(".txt")[0] for line in out.splitlines() if "leaks/" in line}
    assert names == FOUND
    assert f"{len(FOUND)} of " in out
    assert "reports/leaks/zone.txt: line 1, column 3: `+0000` and `+0545`" in out
    assert "the clock 401 days ahead, folders listed backwards" in out
    kept = Path(out.splitlines()[-1].removeprefix("What was built is kept in ").rstrip("."))
    assert (kept / "a" / "reports" / "leaks" / "zone.txt").is_file()


def test_builds_that_agree_leave_nothing_behind(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    program("print('nothing written')", monkeypatch)
    assert cli.main(["verify", "--survey", "demo"]) == 0
    assert "all 1 files are the same, byte for byte." in capsys.readouterr().out
    assert not list((small / "builds").iterdir())


def test_a_file_that_only_one_build_makes_is_named(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import os; os.mkdir('reports'); open(f\"reports/{os.environ['USER']}.csv\", 'w')"
    program(text, monkeypatch)
    monkeypatch.setattr(verify, "STRANGE", replace(verify.STRANGE, root=""))
    assert cli.main(["verify", "--survey", "demo"]) == 1
    out = capsys.readouterr().out
    assert "reports/one.csv: only in the first" in out
    assert "reports/two.csv: only in the second" in out


def test_a_build_that_fails_is_no_difference(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program("raise SystemExit('audit.ipynb: no')", monkeypatch)
    with pytest.raises(PovmonError, match=r"(?s)the build failed.*audit.ipynb: no"):
        verify.verify("demo")


def test_a_build_that_is_stopped_leaves_nothing_behind(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verify, "build", stopped)
    assert cli.main(["verify", "--survey", "demo"]) == 130
    assert not list((small / "builds").iterdir())


def test_an_unknown_survey_is_told_before_anything_is_copied(small: Path) -> None:
    with pytest.raises(PovmonError, match="unknown survey"):
        verify.verify("nowhere")
    assert not list((small / "builds").iterdir())


def test_both_builds_get_the_key_that_hashes_personal_data(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POVMON_HASH_KEY", raising=False)
    program(
        "import os; os.mkdir('reports'); from pathlib import Path\n"
        "root = Path(os.environ.get('POVMON_ROOT') or '.')\n"
        "key = root / 'data/raw/demo/.hash_key'\n"
        "text = key.read_text() if key.exists() else os.environ['POVMON_HASH_KEY']\n"
        "(root / 'reports').mkdir(exist_ok=True)\n"
        "(root / 'reports' / 'key.txt').write_text(text)",
        monkeypatch,
    )
    assert verify.verify("demo"), "without a key, one for both"
    (paths.raw("demo") / ".hash_key").write_text("k" * 64)
    assert verify.verify("demo"), "with one, that"


def test_a_generated_survey_is_generated_in_each_build(small: Path) -> None:
    sent = paths.submissions("demo") / "wumeng" / "household.csv"
    sent.parent.mkdir(parents=True)
    sent.write_text("x")
    for with_submissions in (False, True):
        folder = small / f"copy {with_submissions}"
        place = verify.prepare("demo", verify.STRANGE, folder, with_submissions)
        assert (place.root / "data/raw/demo/survey.yml").is_file()
        copied = (place.root / "data/raw/demo/submissions").exists()
        assert copied is with_submissions


def test_nothing_of_the_users_environment_follows_into_a_build(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MPLCONFIGDIR", "IPYTHONDIR", "PYTHONSTARTUP", "XDG_CONFIG_HOME", "MAKEFLAGS"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("POVMON_ROOT", str(small / "root"))
    place = verify.Place(small / "a", small / "a")
    made = verify._environment(verify.PLAIN, small / "builds", place)
    assert "mine" not in made.values() and "POVMON_ROOT" not in made
    assert made["PATH"] == os.environ["PATH"]


def test_what_is_stale_here_is_not_compared(small: Path) -> None:
    with pytest.raises(PovmonError, match="not up to date; run make SURVEY=demo first"):
        verify.verify("demo", here=True)


def test_what_stands_here_is_compared_with_one_build(
    small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "stale_tasks", lambda *_: [])
    program(
        "import os; from pathlib import Path\n"
        "folder = Path(os.environ['POVMON_ROOT']) / 'reports' / 'demo'\n"
        "folder.mkdir(parents=True)\n"
        "(folder / 'index.html').write_text('made')",
        monkeypatch,
    )
    page = paths.reports("demo") / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("made")
    (paths.processed("demo") / "forms").mkdir(parents=True)
    (paths.processed("demo") / "forms" / "a.xlsx").write_text("by another command")
    assert cli.main(["verify", "--survey", "demo", "--here"]) == 0
    page.write_text("made by hand")
    assert cli.main(["verify", "--survey", "demo", "--here"]) == 1
    out = capsys.readouterr().out
    assert "build 1 of 1" in out
    assert "reports/demo/index.html: line 1, column 5: `made by hand` and `made`" in out
    assert "1 of 1 files differ" in out


# The real thing, on the smallest survey that has every kind of page

PLANTED = """
    import time
    html = html.replace("</title>", time.strftime(" %d %B %Y</title>"), 1)
"""


def tiny_survey(root: Path) -> None:
    """The demo survey with the audits of its areas and the index alone."""
    path = copy_survey("demo", root) / "survey.yml"
    lines = path.read_text("utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("products:"))
    end = next(i for i in range(at + 1, len(lines)) if lines[i][:1] not in ("", " ", "-"))
    path.write_text("\n".join([*lines[:at], "products: [audit]", *lines[end:]]), "utf-8")


@pytest.mark.slow
def test_a_step_that_writes_the_time_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_survey(tmp_path / "root")
    (tmp_path / "builds").mkdir()
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path / "root"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "builds"))
    plain = verify.prepare

    def planted(*arguments: Any, **options: Any) -> verify.Place:
        place = plain(*arguments, **options)
        step = place.checkout / "src/povmon/pipeline/steps/index.py"
        text = step.read_text("utf-8")
        step.write_text(text.replace("    path = reports", f"{PLANTED}    path = reports"), "utf-8")
        return place

    monkeypatch.setattr(verify, "prepare", planted)
    assert not verify.verify("demo")
    out = capsys.readouterr().out
    differing = [line for line in out.splitlines() if line.startswith("  reports")]
    assert len(differing) == 1 and "reports/demo/index.html: line " in differing[0]
    assert "1 of " in out
