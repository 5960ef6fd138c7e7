"""A built demo survey in a temporary root, shared by all tests that look at results."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from povmon import paths

# Properties are tried on the same examples each time: few in `make test`, more in `make test-all`.
settings.register_profile("fast", max_examples=5, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=40, deadline=None, derandomize=True)
settings.load_profile(os.environ.get("POVMON_EXAMPLES", "fast"))

PROJECT = Path(__file__).parents[1]


def povmon(root: Path, *arguments: str, timeout: int = 900) -> subprocess.CompletedProcess[str]:
    """Run ``python -m povmon.pipeline`` on a root of its own, as make does."""
    environment = {**os.environ, "POVMON_ROOT": str(root), "PYTHONPATH": str(PROJECT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "povmon.pipeline", *arguments],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def copy_survey(name: str, root: Path) -> Path:
    """Copy a survey as it stands in git (no generated submissions) into a root."""
    source, target = PROJECT / "data" / "raw" / name, root / "data" / "raw" / name
    generated = "synthetic: true" in (source / "survey.yml").read_text(encoding="utf-8")
    left_out = shutil.ignore_patterns("submissions", ".*") if generated else None
    shutil.copytree(source, target, ignore=left_out)
    return target


@pytest.fixture(autouse=True)
def kept_results(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results kept by content lie in the test's root, or in a folder of the process that tests:
    never in the user's tree."""
    folder, own = tmp_path_factory.getbasetemp() / "memo", paths.memo

    def here(kind: str) -> Path:
        return own(kind) if "POVMON_ROOT" in os.environ else folder / kind

    monkeypatch.setattr(paths, "memo", here)


@pytest.fixture(scope="session")
def demo_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the surveys `demo` (generated and made, once for all tests) and `vlss1998`."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make_demo(tmp_path_factory.mktemp("demo"))
    # Of several processes that test side by side the first makes it, the others wait.
    shared = tmp_path_factory.getbasetemp().parent
    root = shared / "demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "demo.made").exists():
            root.mkdir()
            make_demo(root)
            (shared / "demo.made").touch()
    return root


def make_demo(root: Path) -> Path:
    """Copy both surveys into a root and make `demo` there."""
    copy_survey("demo", root)
    copy_survey("vlss1998", root)
    done = povmon(root, "run", "--survey", "demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="session")
def demo_reports(demo_root: Path) -> Path:
    """The demo survey's pages."""
    return demo_root / "reports" / "demo"


@pytest.fixture
def in_demo_root(demo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The built demo root as the current root (POVMON_ROOT). Do not change what is in it."""
    monkeypatch.setenv("POVMON_ROOT", str(demo_root))
    return demo_root
