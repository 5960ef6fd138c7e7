"""A kernelspec of warm kernels, in a folder that only the test knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from warmkernel.__main__ import main


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kernelspec ``warm`` is installed; returns its lock file."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("one", encoding="utf-8")
    main(["install", "--prefix", str(tmp_path / "spec"), "--lock-file", str(lock)])
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "spec" / "share" / "jupyter"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return lock
