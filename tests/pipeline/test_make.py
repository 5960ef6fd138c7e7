"""The Makefile and the script that makes .venv."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import PROJECT

MAKE = shutil.which("make")
pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run make with a Python environment that counts as made (``-o``: never rebuild the stamp)."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("CONDA", "MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "-o", ".venv/stamp", *arguments],
        cwd=PROJECT,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def targets() -> set[str]:
    text = (PROJECT / "Makefile").read_text("utf-8")
    phony = re.search(r"\.PHONY:((?:.*\\\n)*.*)", text)
    assert phony
    return set(phony.group(1).replace("\\\n", " ").split()) - {"default"}


def test_help_explains_every_target() -> None:
    done = make("help")
    assert done.returncode == 0
    explained = set(re.findall(r"^  ([a-z-]+)  +\S", done.stdout, re.MULTILINE))
    assert explained == targets()


def test_a_wrong_survey_reaches_the_user_as_one_paragraph(tmp_path: Path) -> None:
    done = make("SURVEY=nowhere", POVMON_ROOT=str(tmp_path))
    assert done.returncode != 0
    assert "unknown survey 'nowhere'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["SURVEY", "AREA", "JOBS"])
def test_no_variable_reaches_the_shell(tmp_path: Path, variable: str) -> None:
    target = tmp_path / "made"
    done = make(
        f"{variable}=x'; touch {target}; echo '$$(touch {target})", POVMON_ROOT=str(tmp_path)
    )
    assert done.returncode != 0
    assert not target.exists()


def test_clean_removes_what_was_made_and_leaves_raw_data(tmp_path: Path) -> None:
    for name in ("data/raw/x/survey.yml", "data/processed/x/a.parquet", "reports/x/index.html"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("x")
    assert make("clean", POVMON_ROOT=str(tmp_path)).returncode == 0
    left = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert left == ["data/raw/x/survey.yml"]


@pytest.mark.parametrize(
    ("name", "used"), [("povmon", True), ("base", False), ("povmon2", False), ("", False)]
)
def test_only_a_conda_environment_of_our_name_is_used(name: str, used: bool) -> None:
    done = make("-n", "why", CONDA_DEFAULT_ENV=name, CONDA_PREFIX="/opt/conda/envs/povmon")
    assert ('"/opt/conda/envs/povmon/bin/python" -m povmon' in done.stdout) is used
    assert ('".venv/bin/python" -m povmon' in done.stdout) is not used


# The script that makes .venv


def fake(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with a space in its name, holding what the script reads."""
    folder = tmp_path / "a checkout"
    (folder / "tools").mkdir(parents=True)
    shutil.copy(PROJECT / "tools" / "venv.sh", folder / "tools")
    (folder / "requirements.lock").write_text("")
    (folder / "bin").mkdir()
    for tool in ("sh", "rm", "touch", "cat", "mkdir", "env"):
        os.symlink(shutil.which(tool) or "", folder / "bin" / tool)
    return folder


def venv(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "tools/venv.sh", "python3"],
        cwd=checkout,
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python(checkout: Path) -> None:
    done = venv(checkout)
    assert done.returncode == 1
    assert "python3 was not found" in done.stderr and "Debian package python3" in done.stderr


def test_an_old_python(checkout: Path) -> None:
    fake(checkout / "bin", "python3", 'case "$2" in *version_info*) exit 1;; esac')
    done = venv(checkout)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "older than Python 3.11" in done.stderr


def test_a_python_without_venv_names_the_package_in_one_sentence(checkout: Path) -> None:
    fake(checkout / "bin", "python3", 'case "$2" in *ensurepip*) exit 1;; *) echo 3.11;; esac')
    done = venv(checkout)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "install the Debian package python3-venv" in done.stderr
    assert not (checkout / ".venv" / "stamp").exists()


def test_a_failed_installation_leaves_no_stamp(checkout: Path) -> None:
    script = """
    case "$*" in
        *"-m venv"*) mkdir -p .venv/bin; cp_python; exit 0;;
    esac
    echo 3.11"""
    made = 'printf "#!/bin/sh\\ncase \\"\\$*\\" in *install*) exit 1;; esac\\necho 3.11\\n"'
    script = script.replace("cp_python", f"{made} > .venv/bin/python; chmod +x .venv/bin/python")
    os.symlink(shutil.which("chmod") or "", checkout / "bin" / "chmod")
    fake(checkout / "bin", "python3", script)
    done = venv(checkout)
    assert done.returncode == 1, done.stdout
    assert "could not be installed" in done.stderr
    assert not (checkout / ".venv" / "stamp").exists()


def test_uv_is_used_where_it_is_found(checkout: Path) -> None:
    fake(checkout / "bin", "python3", "echo 3.11")
    fake(checkout / "bin", "uv", 'mkdir -p .venv; echo "uv $*" >> calls')
    done = venv(checkout)
    assert done.returncode == 0, done.stderr
    calls = (checkout / "calls").read_text()
    assert "uv pip sync --quiet --require-hashes" in calls
    assert "--no-deps --no-build-isolation" in calls
    assert (checkout / ".venv" / "stamp").exists()
