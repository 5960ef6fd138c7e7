"""What a killed run leaves, and what the next one must not take for its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PROJECT
from pipeline.inline import House
from povmon import paths
from povmon.pipeline.files import Hashes, append_line
from povmon.pipeline.leftovers import private_folder, sweep
from povmon.pipeline.outputs import Safeguard
from povmon.pipeline.state import Ledger


def test_half_a_line_is_cut_off_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "log" / "log.jsonl"
    append_line(path, "one")
    with path.open("ab") as stream:
        stream.write('"half of tw中'.encode()[:-1])
    append_line(path, "三")
    assert path.read_text("utf-8") == "one\n三\n"


def test_a_log_that_is_nothing_but_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"half")
    append_line(path, "one")
    assert path.read_bytes() == b"one\n"


def test_temporary_files_go_and_results_stay(root: Path) -> None:
    folder = paths.processed("small", "east")
    reports = paths.reports("small")
    gone = [
        folder / ".writing-abc" / "one.parquet",
        folder / "estimates.parquet.tmp",
        folder / ".plan.parquet.partial",
        reports / ".index.html.12.tmp",
        root / "data/processed/.state/small/tasks/.index.json.7.tmp",
        root / "data/processed/reference/.boundaries.parquet.9.tmp",
    ]
    kept = [folder / "one.parquet", reports / ".htaccess", paths.reports("other") / "a.tmp"]
    for path in (*gone, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    sweep("small")
    assert not any(p.exists() for p in gone)
    assert not (folder / ".writing-abc").exists()
    assert all(p.exists() for p in kept)


PRIVATE = "from povmon.pipeline.leftovers import private_folder; print(private_folder())"


def private(root: Path, tmp: Path) -> Path:
    """The private folder of a process that has ended by now."""
    done = subprocess.run(
        [sys.executable, "-c", PRIVATE],
        cwd=PROJECT,
        env={**os.environ, "POVMON_ROOT": str(root), "TMPDIR": str(tmp)},
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


def test_the_private_folder_is_found_again_and_goes_with_its_process(tmp_path: Path) -> None:
    folder = private(tmp_path, tmp_path)
    assert not folder.exists()
    (folder / "runtime").mkdir(parents=True)
    (folder / "runtime" / "socket").write_text("of a killed run")
    assert private(tmp_path, tmp_path) == folder
    assert not folder.exists()


def test_a_long_path_has_no_room_for_sockets(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 80)
    long.mkdir()
    assert private(tmp_path, long).parent == Path("/tmp")


def test_another_users_folder_or_link_is_not_taken(tmp_path: Path) -> None:
    folder = private(tmp_path, tmp_path)
    target = tmp_path / "elsewhere"
    target.mkdir()
    (target / "precious").write_text("x")
    folder.symlink_to(target)
    assert private(tmp_path, tmp_path) != folder
    assert (target / "precious").exists()


def test_a_run_removes_the_private_folder_of_a_killed_one(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(root))
    folder = private(root, root)
    folder.mkdir()
    sweep("small")
    assert not folder.exists()
    assert private_folder() == folder and folder.stat().st_mode & 0o777 == 0o700
    sweep("small")
    assert folder.exists(), "its own it keeps"
    folder.rmdir() if not any(folder.iterdir()) else None


def guard(task: str) -> Safeguard:
    """What keeps a task's outputs."""
    return Safeguard(Ledger("small", Hashes()), task)


def test_a_restoration_that_was_cut_short_is_done_again(house: House) -> None:
    house.run()
    task, path = house.tasks["east/audit"], house.output("east/audit")
    before = path.read_bytes()
    guard(task.id).keep(task)
    path.write_text("half", encoding="utf-8")
    os.replace(guard(task.id).folder / "0", path)  # ... and here the driver was killed
    assert house.run().made == []
    assert path.read_bytes() == before
    assert not guard(task.id).folder.exists()


def test_a_run_of_some_tasks_recovers_all(house: House) -> None:
    house.run()
    path = house.output("west/audit")
    before = path.read_bytes()
    guard("west/audit").keep(house.tasks["west/audit"])
    path.write_text("half", encoding="utf-8")
    house.run("east/audit", "east/indicators")
    assert path.read_bytes() == before


def test_a_task_that_had_ended_keeps_what_it_made(house: House, root: Path) -> None:
    house.run()
    task, path = house.tasks["east/audit"], house.output("east/audit")
    guard(task.id).keep(task)
    kept = guard(task.id).folder / "files.json"
    content = kept.read_text("utf-8")
    (root / "east.csv").write_text("east six", encoding="utf-8")
    house.run()
    after = path.read_bytes()
    guard(task.id).keep(task)
    kept.write_text(content, "utf-8")  # killed after the record, before the copies were dropped
    assert house.run().made == []
    assert path.read_bytes() == after


def test_what_only_the_record_names_comes_back_too(house: House) -> None:
    house.run()
    task = house.tasks["east/audit"]
    slip = house.output("east/audit").with_name("slip.html")
    slip.write_text("old", encoding="utf-8")
    ledger = Ledger("small", Hashes())
    ledger.finish(task, ledger.parts(task), [*task.outputs, slip])
    guard(task.id).keep(task)
    slip.unlink()
    house.run()
    assert slip.read_text("utf-8") == "old"
