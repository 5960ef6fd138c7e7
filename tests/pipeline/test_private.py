"""While a run is at work nobody else can open its sockets or its unfinished files."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import PROJECT, copy_survey
from pipeline.test_workers import processes_of
from povmon.placing import placed

UNFINISHED = re.compile(r"\.tmp$|\.partial$|^\.writing-")


def test_a_file_is_its_users_until_it_is_complete(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        from povmon import placing

        placing._umask.cache_clear()
        with placed(tmp_path / "a.csv") as temporary:
            temporary.write_text("x")
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
            assert not (tmp_path / "a.csv").exists()
        assert stat.S_IMODE((tmp_path / "a.csv").stat().st_mode) == 0o640
    finally:
        os.umask(before)
        placing._umask.cache_clear()


def test_a_file_that_fails_leaves_nothing_and_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(RuntimeError), placed(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.csv": "old"}


def closed(path: Path, top: Path) -> bool:
    """Whether a path is its user's alone: itself, or a folder on the way to it from `top`."""
    for part in (path, *path.parents):
        if part == top:
            return False
        if stat.S_IMODE(part.lstat().st_mode) & 0o077 == 0:
            return True
    return False


def below(top: Path) -> Iterator[Path]:
    """Everything below a folder while others write there (`rglob` fails where a folder goes)."""
    for folder, folders, files in os.walk(top):
        yield from (Path(folder, name) for name in [*folders, *files])


def open_ones(temporary: Path, root: Path) -> set[str]:
    """Sockets and unfinished files that others could open now."""
    found = set()
    for top, every in ((temporary, True), (root, False)):
        for path in below(top):
            try:
                wanted = every or path.is_socket() or UNFINISHED.search(path.name)
                if wanted and not closed(path, top):
                    found.add(str(path))
            except FileNotFoundError:
                continue  # gone meanwhile
    return found


def abstract_sockets(root: Path) -> set[str]:
    """Sockets without a file, which have no mode, that the processes of a root hold."""
    found = set()
    for pid in processes_of(root):
        try:
            lines = Path(f"/proc/{pid}/net/unix").read_text().splitlines()
            held = {os.readlink(p) for p in Path(f"/proc/{pid}/fd").iterdir()}
        except OSError:
            continue  # ended meanwhile
        for line in lines[1:]:
            words = line.split()
            if len(words) > 7 and words[7].startswith("@") and f"socket:[{words[6]}]" in held:
                found.add(words[7])
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_sockets_and_temporary_files_of_a_run_are_private(tmp_path: Path) -> None:
    root, temporary = (
        tmp_path / "root",
        Path(tempfile.mkdtemp(prefix="pm-")),
    )  # sockets: short paths
    path = copy_survey("vlss1998", root) / "survey.yml"
    path.write_text(re.sub(r"\nproducts: .*\n", "\nproducts: [audit]\n", path.read_text("utf-8")))
    run = subprocess.Popen(
        [sys.executable, "-m", "povmon.pipeline", "run", "--survey", "vlss1998"],
        cwd=PROJECT, umask=0,  # nothing but the run itself keeps others out
        env={**os.environ, "POVMON_ROOT": str(root), "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    sockets, looks = 0, 0
    while run.poll() is None:
        assert open_ones(temporary, root) == set()
        assert abstract_sockets(root) == set()
        sockets = max(sockets, sum(p.is_socket() for p in below(temporary)))
        looks += 1
        time.sleep(0.05)
    output, errors = run.communicate()
    assert run.returncode == 0, output + errors
    assert looks > 20 and sockets >= 2, "a kernel has five sockets, a fork server one"
    assert list(temporary.iterdir()) == [], "everything temporary is gone"
