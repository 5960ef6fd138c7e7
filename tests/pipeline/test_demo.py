"""The whole pipeline on the demo survey: nothing twice, one area at a time, the same bytes."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import copy_survey, povmon

AREAS = ("wumeng", "dabie")


def made(done: subprocess.CompletedProcess[str]) -> set[str]:
    """Ids of the tasks that a run made."""
    return set(re.findall(r"^\[ *\d+/\d+\] (\S+) made", done.stdout, re.MULTILINE))


def bytes_of(root: Path) -> dict[str, str]:
    """Hash of every published or processed file, by name; what only the pipeline reads left out."""
    found = {}
    for top in ("reports", "data/processed"):
        for path in sorted((root / top).rglob("*")):
            name = path.relative_to(root).as_posix()
            own = any(f"/{kept}/" in name for kept in (".state", ".memo"))
            if path.is_file() and not own and not name.endswith("run-log.jsonl"):
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture
def copied(demo_root: Path, tmp_path: Path) -> Path:
    """A copy of the built root, to be changed. What is up to date stays so when it is moved."""
    root = tmp_path / "root"
    shutil.copytree(demo_root, root)
    return root


def household_file(root: Path, area: str) -> Path:
    return next((root / "data/raw/demo/submissions" / area).rglob("household.csv"))


def test_everything_that_should_be_there_is_there(demo_root: Path) -> None:
    reports = demo_root / "reports" / "demo"
    pages = {p.relative_to(reports).as_posix() for p in reports.rglob("*.html")}
    for area in AREAS:
        assert {f"{area}/{s}.html" for s in ("audit", "indicators", "plan")} <= pages
    assert {"index.html", "summary.html", "rollup.html", "atlas.html"} <= pages
    assert any(p.startswith("liaison/") for p in pages)
    assert not (demo_root / "reports" / "failed").exists()


def test_a_second_run_does_nothing_wherever_the_root_lies(copied: Path) -> None:
    before = bytes_of(copied)
    done = povmon(copied, "run", "--survey", "demo")
    assert done.returncode == 0, done.stderr
    assert made(done) == set() and "0 made" in done.stdout
    assert bytes_of(copied) == before


def test_no_machine_path_and_no_time_in_pages_or_tables(demo_root: Path) -> None:
    for name in bytes_of(demo_root):
        content = (demo_root / name).read_bytes()
        for path in (str(demo_root), str(Path(__file__).parents[2])):
            assert path.encode() not in content, f"{name} holds {path}"


def test_the_run_log_is_machine_readable(demo_root: Path) -> None:
    lines = (demo_root / "data/processed/demo/run-log.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    assert {"at", "commit", "survey", "jobs", "versions"} <= entries[0].keys()
    tasks = {e["task"]: e for e in entries if e["kind"] == "task"}
    assert tasks["index"]["outcome"] == "made"
    cells = {name for name, _ in tasks["wumeng/audit"]["cells"]}
    assert {"What arrived: audit_details.received_text(audit)", "parameters"} <= cells
    assert not any(name.startswith("cell ") for name in cells)
    end = next(e for e in entries if e["kind"] == "end")
    assert end["made"] == len(tasks) and end["complete"]


@pytest.mark.slow
def test_one_changed_area_leaves_the_other_alone(copied: Path) -> None:
    path = household_file(copied, "wumeng")
    lines = path.read_bytes().split(b"\n")
    del lines[-2]  # a household less
    path.write_bytes(b"\n".join(lines))
    done = povmon(copied, "run", "--survey", "demo")
    assert done.returncode == 0, done.stderr
    assert {"wumeng/audit", "wumeng/indicators", "nation/pool"} <= made(done)
    assert not {"dabie/audit", "dabie/indicators", "boundaries"} & made(done)


@pytest.mark.slow
def test_a_corrupt_file_is_named_with_its_line_and_stops_only_its_area(copied: Path) -> None:
    before = bytes_of(copied)
    path = household_file(copied, "wumeng")
    lines = path.read_bytes().split(b"\n")
    lines[3] = b'"' + lines[3]  # a quotation mark that is never closed
    path.write_bytes(b"\n".join(lines))
    other = household_file(copied, "dabie")
    other.write_bytes(other.read_bytes() + b"\n")
    done = povmon(copied, "run", "--survey", "demo")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert f"{path.name}, line" in done.stderr or f"{path.name}" in done.stderr
    assert "wumeng/audit" in done.stderr
    assert "dabie/audit" in made(done), "the other area goes on"
    after = bytes_of(copied)
    for name in before:
        if "/wumeng/" in name:
            assert after[name] == before[name], f"{name}: the earlier good output must stay"
    assert (copied / "reports/failed/demo/wumeng/audit.ipynb").exists()
    assert "wumeng/audit" in povmon(copied, "why", "--survey", "demo").stdout


@pytest.mark.slow
def test_another_build_elsewhere_gives_the_same_bytes(
    demo_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "another root"
    copy_survey("demo", root)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    done = povmon(root, "run", "--survey", "demo", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    one, two = bytes_of(demo_root), bytes_of(root)
    one = {k: v for k, v in one.items() if "/reference/" not in k}
    two = {k: v for k, v in two.items() if "/reference/" not in k}
    vlss = {k for k in one if "/vlss1998/" in k}
    assert {k: v for k, v in one.items() if k not in vlss} == two


@pytest.mark.slow
def test_the_real_survey_from_file_to_page(demo_root: Path) -> None:
    done = povmon(demo_root, "run", "--survey", "vlss1998")
    assert done.returncode == 0, done.stderr
    summary = (demo_root / "reports/vlss1998/summary.html").read_text("utf-8")
    assert "31.6" in summary and "37.4" in summary
    rural = (demo_root / "reports/vlss1998/rural/indicators.html").read_text("utf-8")
    assert "40.8" in rural and "45.5" in rural
    assert "Synthetic data" not in summary
