"""Results kept by content: the same bytes with, without and with damaged entries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from povmon import memo, paths


@pytest.fixture(autouse=True)
def _root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))


def counted(result: bytes) -> tuple[Callable[[], bytes], list[int]]:
    calls: list[int] = []

    def make() -> bytes:
        calls.append(1)
        return result

    return make, calls


def test_a_result_is_made_once_for_the_same_parts() -> None:
    make, calls = counted(b"picture")
    assert {memo.remembered("maps", ["a", b"b"], make) for _ in range(3)} == {b"picture"}
    assert len(calls) == 1
    memo.remembered("maps", ["ab"], make)
    memo.remembered("other", ["a", b"b"], make)
    assert len(calls) == 3


def test_other_code_makes_it_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    make, calls = counted(b"x")
    memo.remembered("maps", ["a"], make)
    monkeypatch.setattr(memo, "_code", lambda: b"another version")
    memo.remembered("maps", ["a"], make)
    assert len(calls) == 2


def test_a_damaged_entry_is_made_again() -> None:
    make, calls = counted(b"picture")
    memo.remembered("maps", ["a"], make)
    (entry,) = paths.memo("maps").iterdir()
    entry.write_bytes(entry.read_bytes()[:-1])
    assert memo.remembered("maps", ["a"], make) == b"picture"
    assert memo.remembered("maps", ["a"], make) == b"picture"
    assert len(calls) == 2


def test_only_the_last_used_entries_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "MOST", 2)
    make, calls = counted(b"x")
    for name in ("a", "b", "a", "c"):
        memo.remembered("maps", [name], make)
    assert len(list(paths.memo("maps").iterdir())) == 2
    memo.remembered("maps", ["a"], make)
    assert len(calls) == 3


def test_a_folder_that_cannot_be_written_costs_time_only() -> None:
    paths.memo("maps").parent.mkdir(parents=True)
    paths.memo("maps").write_text("in the way")
    make, calls = counted(b"x")
    assert memo.remembered("maps", ["a"], make) == b"x"
    assert memo.remembered("maps", ["a"], make) == b"x"
    assert len(calls) == 2
