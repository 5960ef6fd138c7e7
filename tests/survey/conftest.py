from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    monkeypatch.delenv("POVMON_HASH_KEY", raising=False)
    return tmp_path
