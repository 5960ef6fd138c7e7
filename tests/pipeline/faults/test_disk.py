"""Real file systems that are full or read-only, where the system lets a test mount some."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import PROJECT
from pipeline.faults.disk import FREE
from pipeline.faults.harness import COMMAND, HERE, PATIENCE, Built, Mini

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


def may_mount() -> bool:
    """True where a user may have a mount namespace of their own."""
    if not shutil.which("unshare"):
        return False
    probe = [*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not may_mount(), reason="no file system may be mounted here")
def test_a_full_and_a_read_only_disk(mini: Mini, built: Built, folder: Path) -> None:
    made = folder / "made"
    mini.root.rename(made)
    mini.root.mkdir()
    done = subprocess.run(
        [*UNSHARE, sys.executable, str(HERE / "disk.py"), str(mini.root), str(made), *COMMAND],
        cwd=PROJECT,
        env=mini.environment(),
        capture_output=True,
        text=True,
        timeout=2 * (len(FREE) + 1) * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == 2 * (len(FREE) + 1)
    for first, second in zip(told[::2], told[1::2], strict=True):
        assert "Traceback" not in first["output"], first["output"]
        assert second["code"] == 0, (first, second)
    assert sum(first["code"] == 1 for first in told[::2]) > len(FREE) / 2, "disks were not full"
    for free in (*FREE, None):
        after = Mini(folder / f"look-{free}")
        after.root = folder / f"after-{free}"
        assert after.bytes() == built.after, f"{free} KiB free"
        assert not after.leftovers()
