"""Atomic writing, and hashes that are taken once."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from povmon.errors import PovmonError
from povmon.pipeline import files
from povmon.pipeline.files import Hashes


def settled(path: Path) -> None:
    """Wait until a file counts as no longer changing."""
    time.sleep(files._SETTLED_NS / 1e9 + 0.02)
    assert path.exists()


def test_a_hash_is_that_of_the_content(root: Path) -> None:
    path = root / "a"
    path.write_bytes(b"content")
    assert Hashes().of(path) == hashlib.sha256(b"content").hexdigest()
    assert Hashes().of(root / "absent") is None


def test_a_hash_is_remembered_and_a_change_noticed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, store = root / "a", root / "state" / "hashes.json"
    path.write_bytes(b"content")
    settled(path)
    first = Hashes(store)
    value = first.of(path)
    first.save()
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
        assert Hashes(store).of(path) == value
    stat = path.stat()
    path.write_bytes(b"CONTENT")  # same length, and the old time put back
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert Hashes(store).of(path) != value


def test_a_file_that_has_just_changed_is_not_remembered(root: Path) -> None:
    path, store = root / "a", root / "hashes.json"
    path.write_bytes(b"content")
    hashes = Hashes(store)
    hashes.of(path)
    hashes.save()
    assert not store.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}'])
def test_a_damaged_store_is_made_anew(root: Path, content: str) -> None:
    store, path = root / "hashes.json", root / "a"
    store.write_text(content)
    path.write_bytes(b"content")
    assert Hashes(store).of(path) == hashlib.sha256(b"content").hexdigest()


def test_writing_leaves_no_temporary_file_and_replaces_the_whole(root: Path) -> None:
    path = root / "folder" / "a.txt"
    files.write_atomically(path, "one")
    files.write_atomically(path, "two")
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]
    assert path.read_text() == "two"


def test_a_folder_that_cannot_be_written_is_named(root: Path) -> None:
    (root / "reports").write_text("a file where a folder should be")
    with pytest.raises(PovmonError) as caught:
        files.write_atomically(root / "reports" / "a.html", "page")
    assert "reports/a.html" in str(caught.value)
    assert str(root) not in str(caught.value)


def test_names_hold_no_machine_path(root: Path) -> None:
    path = root / "data" / "raw" / "x.csv"
    assert files.label(path) == "data/raw/x.csv"
    assert files.from_stored(files.stored_name(path)) == path
    ours = Path(files.__file__)
    assert files.stored_name(ours) == "project:src/povmon/pipeline/files.py"
    assert files.from_stored(files.stored_name(ours)) == ours


def test_hidden_files_and_office_locks_do_not_count(root: Path) -> None:
    for name in ("b.csv", "a/c.csv", ".DS_Store", "~$b.xlsx", "__pycache__/x.pyc"):
        files.write_atomically(root / name, "x")
    found = [p.relative_to(root).as_posix() for p in files.files_below(root)]
    assert found == ["a/c.csv", "b.csv"]
