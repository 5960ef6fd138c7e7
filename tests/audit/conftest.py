from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from audit import small
from povmon.audit import Audit, audit_area

Change = Callable[[small.Files], None]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def audited(root: Path) -> Callable[..., Audit]:
    """Audit the small survey after a change to its files."""

    def run(change: Change | None = None) -> Audit:
        content = small.files()
        if change is not None:
            change(content)
        small.write(root, content)
        return audit_area("small", "wumeng")

    return run
