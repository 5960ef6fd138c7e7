"""environment.yml gives conda users what pyproject.toml gives everybody else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[1]
# Names under which conda-forge knows a package of PyPI.
CONDA_NAMES = {
    "brotli": "brotli-python",
    "matplotlib": "matplotlib-base",
    "nbconvert": "nbconvert-core",
    "pandera[pandas]": "pandera-pandas",
    "seaborn": "seaborn-base",
}
HELPERS = {"python", "pip"}


def split(requirement: str) -> tuple[str, str]:
    """Name and version limits of a requirement."""
    found = re.fullmatch(r"([A-Za-z0-9_.\-\[\]]+)\s*([<>=!~].*)?", requirement)
    assert found, requirement
    return found.group(1), found.group(2) or ""


def project() -> dict[str, Any]:
    content: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    return content["project"]


def conda() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((PROJECT / "environment.yml").read_text("utf-8"))
    return content


def wanted() -> dict[str, str]:
    extras = project()["optional-dependencies"]
    listed = project()["dependencies"] + extras["test"] + extras["bench"] + extras["cluster"]
    return dict(split(r) for r in listed)


def offered() -> tuple[dict[str, str], dict[str, str]]:
    """What environment.yml takes from conda-forge, and what from PyPI."""
    entries = conda()["dependencies"]
    plain = dict(split(e) for e in entries if isinstance(e, str))
    by_pip = dict(split(r) for e in entries if isinstance(e, dict) for r in e["pip"])
    return plain, by_pip


def test_the_environment_has_the_name_that_make_looks_for() -> None:
    assert conda()["name"] == "povmon"
    assert "$(CONDA_DEFAULT_ENV),povmon" in (PROJECT / "Makefile").read_text("utf-8")


def test_both_files_name_the_same_packages_and_versions() -> None:
    plain, by_pip = offered()
    expected = {}
    for name, limits in wanted().items():
        expected[name if name in by_pip else CONDA_NAMES.get(name, name)] = limits
    assert {**{k: v for k, v in plain.items() if k not in HELPERS}, **by_pip} == expected


def test_python_has_the_same_lower_limit() -> None:
    plain, _ = offered()
    assert plain["python"] == project()["requires-python"]


def test_the_lock_pins_every_package_with_hashes_and_names_no_registry() -> None:
    lock = (PROJECT / "requirements.lock").read_text("utf-8")
    pinned = set(re.findall(r"^([a-z0-9_.\-]+)==", lock, re.MULTILINE))
    plain = {split(r)[0].split("[")[0] for r in wanted()}
    assert plain <= pinned
    assert "://" not in lock and "--index-url" not in lock and "--find-links" not in lock
    for block in re.split(r"\n(?=[a-z0-9])", lock.strip()):
        assert "--hash=sha256:" in block, block.splitlines()[0]


@pytest.mark.parametrize("name", ["Makefile", "environment.yml", "pyproject.toml", ".ci/run"])
def test_no_file_names_a_registry(name: str) -> None:
    text = (PROJECT / name).read_text("utf-8")
    assert "://" not in text, f"{name} holds an address"


def test_the_example_of_a_survey_in_the_docs_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from povmon.survey import load_survey

    page = (PROJECT / "docs" / "adding-a-survey.md").read_text(encoding="utf-8")
    folder = tmp_path / "data" / "raw" / "mine"
    folder.mkdir(parents=True)
    example = page.partition("```yaml\n")[2].partition("```")[0]
    (folder / "survey.yml").write_text(example, encoding="utf-8")
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    assert load_survey("mine").area_ids == ["north", "south"]
