"""Keys of tasks: what makes one stale and what does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.inline import FACTS, House
from povmon import paths
from povmon.errors import PovmonError
from povmon.pipeline.explain import explain
from povmon.pipeline.files import Hashes, write_atomically
from povmon.pipeline.state import Ledger
from povmon.pipeline.tasks import Task, survey_tasks

_STORE: list[Path] = []  # what was learnt of the project's modules, so that each is parsed once


@pytest.fixture(autouse=True)
def store(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not _STORE:
        _STORE.append(tmp_path_factory.mktemp("hashes") / "hashes.json")


@pytest.fixture
def audit(root: Path) -> Task:
    """The audit of an area with real inputs and the real notebook."""
    write_atomically(paths.submissions("small") / "east" / "52" / "household.csv", "a,b")
    write_atomically(paths.raw("small") / "survey.yml", "survey: small")
    return survey_tasks(replace(FACTS, products=("audit",)))["east/audit"]


def key_parts(task: Task) -> dict[str, str]:
    hashes = Hashes(_STORE[0])
    parts = Ledger("small", hashes).parts(task)
    hashes.save()
    return parts


def test_the_key_names_everything_without_machine_paths(audit: Task, root: Path) -> None:
    parts = key_parts(audit)
    assert parts["parameter area"] == "east"
    for name in (
        "data data/raw/small/survey.yml",
        "data data/raw/small/submissions/east/52/household.csv",
        "data data/raw/reference/counties.csv",
        "notebook notebooks/area/audit.ipynb",
        "code src/povmon/audit/run.py",
        "code src/povmon/present/template/page.html.j2",
        "requirements.lock",
        "python",
    ):
        assert name in parts, name
    assert str(root) not in json.dumps(parts) and str(paths.project()) not in json.dumps(parts)


def test_modules_that_the_stage_does_not_import_do_not_count(audit: Task) -> None:
    names = key_parts(audit)
    assert "code src/povmon/planning/draft.py" not in names
    assert "code src/povmon/pipeline/engine.py" not in names
    assert "code src/povmon/pipeline/cli.py" not in names


@pytest.mark.parametrize(
    "change",
    ["submission", "new file", "corrections", "survey.yml", "lock", "module", "parameter"],
)
def test_what_makes_a_task_stale(audit: Task, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_parts(audit)
    folder = paths.submissions("small") / "east"
    if change == "submission":
        write_atomically(folder / "52" / "household.csv", "a,c")
    elif change == "new file":
        write_atomically(folder / "53" / "household.csv", "a,b")
    elif change == "corrections":
        write_atomically(paths.raw("small") / "corrections.csv", "x")
    elif change == "survey.yml":
        write_atomically(paths.raw("small") / "survey.yml", "survey: small # changed")
    elif change == "parameter":
        audit = replace(audit, parameters={"survey": "small", "area": "west"})
    else:
        changed = "requirements.lock" if change == "lock" else "src/povmon/audit/rules.py"
        plain, path = Hashes.of, paths.project() / changed
        code = path.read_bytes() + b"\nCHANGED = 1\n"

        def of(self: Hashes, asked: Path) -> str | None:
            return "changed" if asked == path else plain(self, asked)

        def read(self: Path) -> bytes:
            return code if self == path else self.open("rb").read()

        monkeypatch.setattr(Hashes, "of", of)
        monkeypatch.setattr(Path, "read_bytes", read)
    assert key_parts(audit) != before


def test_other_areas_submissions_do_not_count(audit: Task) -> None:
    before = key_parts(audit)
    write_atomically(paths.submissions("small") / "west" / "52" / "household.csv", "a,b")
    assert key_parts(audit) == before


def test_a_missing_area_folder_is_named(audit: Task, root: Path) -> None:
    missing = survey_tasks(replace(FACTS, products=("audit",)))["west/audit"]
    with pytest.raises(PovmonError, match="data/raw/small/submissions/west"):
        key_parts(missing)


def notebook(path: Path, parameters: str) -> Path:
    cells = [{"cell_type": "code", "source": parameters, "metadata": {"tags": ["parameters"]}}]
    write_atomically(path, json.dumps({"cells": cells, "metadata": {}}))
    return path


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "the notebook is missing"),
        ("{", "is not a readable notebook"),
        ("survey = 'demo'", "has no parameter area"),
    ],
)
def test_a_wrong_notebook_is_refused(
    audit: Task, root: Path, content: str | None, message: str
) -> None:
    path = root / "audit.ipynb"
    if content == "{":
        path.write_text(content)
    elif content:
        notebook(path, content)
    with pytest.raises(PovmonError, match=message):
        key_parts(replace(audit, notebook=path))


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 0}', "null"])
def test_a_damaged_record_means_stale(house: House, damage: str) -> None:
    house.run()
    path = Ledger("small", Hashes()).path("east/audit")
    path.write_text(damage)
    assert "east/audit" in house.run().made


def test_changes_name_what_differs(house: House, root: Path) -> None:
    house.run()
    (root / "east.csv").write_text("other")
    house.output("east/audit").unlink()
    changes = Ledger("small", Hashes()).changes(house.tasks["east/audit"])
    assert [c.name for c in changes] == [
        "data east.csv",
        "output data/processed/small/east_audit.parquet",
    ]
    assert changes[1].now is None
    assert Ledger("small", Hashes()).changes(house.tasks["west/audit"]) == []


def test_why_explains_a_report(audit: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan(*_: Any) -> Any:
        return FACTS, survey_tasks(replace(FACTS, products=("audit",))), ""

    monkeypatch.setattr("povmon.pipeline.explain.plan", plan)
    hashes = Hashes(_STORE[0])
    assert "east/audit is stale" in explain("small", "reports/small/east/audit.html", hashes)
    assert "it has not been made yet" in explain("small", "east/audit", hashes)
    assert "west/audit" in explain("small", "", hashes)
    with pytest.raises(PovmonError, match="unknown task or report"):
        explain("small", "nowhere", hashes)
