"""Every rule of what makes a task stale and what does not, each on runs of a small project.

The project lies in a temporary folder: its modules, notebook, template and lock file can be
changed. The tasks are run by the engine; `pipeline.inline` stands in for the worker processes.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conftest import PROJECT
from pipeline.inline import FACTS, House
from povmon import paths
from povmon.pipeline import closure
from povmon.pipeline.explain import explain
from povmon.pipeline.files import Hashes, write_atomically
from povmon.pipeline.state import Ledger
from povmon.pipeline.tasks import Page

MODULES = {
    "__init__.py": "",
    "pipeline/__init__.py": "",
    "pipeline/environment.py": "THREADS = 1\n",
    "pipeline/notebook.py": "from povmon.present import exporter\n",
    "pipeline/steps/__init__.py": "",
    "pipeline/steps/pool.py": "def run():\n    from povmon.stats import mean\n    return mean\n",
    "present/__init__.py": "",
    "present/exporter.py": "def export():\n    return 1\n",
    "present/template/page.css": "p { margin: 0 }\n",
    "stats/__init__.py": "from povmon.stats.centre import mean\n",
    "stats/centre.py": '"""Centres."""\nfrom .sums import total\n\n\ndef mean(x):\n'
    '    """The mean."""\n    # of numbers\n    return total(x) / len(x)\n',
    "stats/sums.py": "def total(x):\n    return sum(x)\n",
    "stats/weights.yml": "first: 1\n",
    "stats/spread.py": "def variance(x):\n    return 0\n",
    "maps/__init__.py": "from povmon.maps import draw\n",
    "maps/draw.py": "def draw():\n    return 2\n",
    "maps/shapes.yml": "square: 4\n",
}
CELLS = [
    {"cell_type": "markdown", "id": "a", "source": "# Audit", "metadata": {}},
    {
        "cell_type": "code",
        "id": "b",
        "source": "survey = 'small'",
        "metadata": {"tags": ["parameters"]},
        "outputs": [],
        "execution_count": None,
    },
    {
        "cell_type": "code",
        "id": "c",
        "source": "from povmon.maps.draw import draw\ndraw()",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    },
]


@pytest.fixture
def project(
    root: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A project of some modules, a notebook and a lock file, beside the root."""
    place = tmp_path_factory.mktemp("checkout")
    for name, text in MODULES.items():
        write_atomically(place / "src" / "povmon" / name, text)
    write_atomically(place / "requirements.lock", "numpy==2.0\n")
    save_notebook(place, CELLS)
    monkeypatch.setattr(paths, "project", lambda: place)
    forget_modules()
    yield place
    forget_modules()


def forget_modules() -> None:
    """A new process would look again which modules there are."""
    closure.module_file.cache_clear()
    closure._package_files.cache_clear()
    closure._is_package.cache_clear()


def save_notebook(place: Path, cells: list[Any], **metadata: Any) -> None:
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    write_atomically(place / "notebooks" / "audit.ipynb", json.dumps(content))


@pytest.fixture
def built(house: House, project: Path, root: Path) -> House:
    """`house`, whose audit of the east is a notebook, made once."""
    page = Page(root / "reports" / "small" / "east.html", {"title": "East"}, (("All", "i.html"),))
    house.add(
        "east/audit",
        inputs=(root / "east.csv",),
        notebook=project / "notebooks" / "audit.ipynb",
        page=page,
    )
    write_atomically(paths.raw("small") / "survey.yml", "title: Small\ndesign: {lonely: average}\n")
    assert len(house.run().made) == 5
    assert house.run().made == []
    return house


NOTEBOOK = ["east/audit"]
STEPS = ["west/audit", "west/indicators", "east/indicators", "nation/pool"]


def remade(house: House) -> set[str]:
    """What a new process makes again."""
    forget_modules()
    return set(house.run().made)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def source(project: Path, name: str) -> Path:
    return project / "src" / "povmon" / name


# Inputs and parameters


def all_files(*folders: Path) -> list[Path]:
    found = [p for folder in folders for p in folder.rglob("*")]
    return [p for p in found if p.is_file() and ".state" not in p.parts]


def test_touching_any_file_changes_nothing(built: House, root: Path, project: Path) -> None:
    assert len(all_files(root, project)) > 20
    for path in all_files(root, project):
        os.utime(path, (1, 1))
    assert remade(built) == set()


def test_writing_the_files_anew_changes_nothing(built: House, root: Path, project: Path) -> None:
    for path in all_files(root, project):
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    assert remade(built) == set()


def test_a_changed_input_makes_its_task_stale(built: House, root: Path) -> None:
    edit(root / "west.csv", "two", "three")
    assert remade(built) == {"west/audit", "west/indicators", "nation/pool"}


def test_a_changed_byte_of_the_same_size_and_time_counts(built: House, root: Path) -> None:
    path = root / "west.csv"
    stat = path.stat()
    edit(path, "two", "six")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert "west/audit" in remade(built)


@pytest.mark.parametrize("change", ["a new file", "a file that is gone", "another name"])
def test_the_files_of_an_input_folder_count(built: House, root: Path, change: str) -> None:
    folder = root / "sent"
    write_atomically(folder / "a.csv", "1")
    write_atomically(folder / "b.csv", "2")
    built.add("extra", inputs=(folder,), action=lambda: write_atomically(built.output("extra"), ""))
    assert remade(built) == {"extra"}
    if change == "a new file":
        write_atomically(folder / "c.csv", "1")
    elif change == "another name":
        (folder / "b.csv").rename(folder / "c.csv")
    else:
        (folder / "b.csv").unlink()
    built.actions["extra"] = lambda: write_atomically(built.output("extra"), change)
    assert remade(built) == {"extra"}


def test_a_deleted_input_is_named_and_what_was_made_stays(built: House, root: Path) -> None:
    (root / "west.csv").unlink()
    outcome = built.run()
    assert "west.csv: the file or folder is missing" in outcome.failed["west/audit"]
    assert built.output("west/audit").exists()
    assert not outcome.made


def test_a_parameter_counts(built: House) -> None:
    task = built.tasks["west/audit"]
    object.__setattr__(task, "parameters", {"survey": "small", "threshold": "3"})
    assert "west/audit" in remade(built)


# The notebook


def test_the_source_of_the_notebook_counts(built: House, project: Path) -> None:
    save_notebook(project, [*CELLS[:2], {**CELLS[2], "source": "from povmon.maps import draw"}])
    assert remade(built) == {*NOTEBOOK}


def test_outputs_and_metadata_of_the_notebook_do_not_count(built: House, project: Path) -> None:
    stream = {"output_type": "stream", "name": "stdout", "text": "1"}
    run = {**CELLS[2], "outputs": [stream], "execution_count": 7, "metadata": {"scrolled": True}}
    save_notebook(project, [*CELLS[:2], run], kernelspec={"name": "other"}, language_info={"a": 1})
    assert remade(built) == set()


def test_the_title_and_the_way_back_of_a_page_count(built: House) -> None:
    page = built.tasks["east/audit"].page
    assert page is not None
    object.__setattr__(page, "breadcrumbs", (("Every area", "i.html"),))
    assert remade(built) == {*NOTEBOOK}


# Modules


@pytest.mark.parametrize(
    ("name", "stale"),
    [
        ("pipeline/steps/pool.py", STEPS),  # the step itself
        ("stats/__init__.py", STEPS),  # imported inside a function
        ("stats/centre.py", STEPS),  # re-exported by a package
        ("stats/sums.py", STEPS),  # by a relative import of that
        ("pipeline/environment.py", [*STEPS, *NOTEBOOK]),  # what every worker runs under
        ("maps/draw.py", NOTEBOOK),  # of the notebook
        ("maps/__init__.py", NOTEBOOK),  # package of an imported module
        ("present/exporter.py", NOTEBOOK),  # what makes the page
    ],
)
def test_a_changed_module_reaches_those_who_import_it(
    built: House, project: Path, name: str, stale: list[str]
) -> None:
    path = source(project, name)
    path.write_text(path.read_text("utf-8") + "\nCHANGED = 1\n", "utf-8")
    assert remade(built) == set(stale)


@pytest.mark.parametrize("change", ["# A comment.\n", "CHANGED = 1\n", "syntax error ("])
def test_a_module_that_nothing_imports_rebuilds_nothing(
    built: House, project: Path, change: str
) -> None:
    path = source(project, "stats/spread.py")
    path.write_text(change + path.read_text("utf-8"), "utf-8")
    assert remade(built) == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# of numbers", "# of some numbers"),
        ("    # of numbers\n", ""),
        ('"""The mean."""', '"""Their arithmetic mean."""'),
        ('"""Centres."""', '"""Centres of a distribution."""\n'),
        ("total(x) / len(x)", "(total(x)\n            / len(x))"),
    ],
)
def test_comments_docstrings_and_layout_of_a_module_rebuild_nothing(
    built: House, project: Path, old: str, new: str
) -> None:
    edit(source(project, "stats/centre.py"), old, new)
    assert remade(built) == set()


def test_a_text_that_is_no_docstring_counts(built: House, project: Path) -> None:
    path = source(project, "stats/sums.py")
    path.write_text(path.read_text("utf-8") + "\nLABEL = 'a'\n", "utf-8")
    assert remade(built) == set(STEPS)
    edit(path, "LABEL = 'a'", "LABEL = 'b'")
    assert remade(built) == set(STEPS)


def test_a_module_that_cannot_be_parsed_counts_by_its_bytes(built: House, project: Path) -> None:
    path = source(project, "stats/sums.py")
    path.write_text("def total(:  # one", "utf-8")
    assert remade(built) == set(STEPS)
    path.write_text("def total(:  # two", "utf-8")
    assert remade(built) == set(STEPS)


def test_a_renamed_module_is_found_and_told(built: House, project: Path) -> None:
    source(project, "stats/sums.py").rename(source(project, "stats/adding.py"))
    edit(source(project, "stats/centre.py"), ".sums", ".adding")
    text = why(built, "west/audit")
    assert "module povmon.stats.sums is now povmon.stats.adding" in text
    assert remade(built) == set(STEPS)


def test_a_module_that_hides_a_package_of_its_name_is_seen(built: House, project: Path) -> None:
    write_atomically(source(project, "stats/sums/__init__.py"), "def total(x):\n    return 0\n")
    assert remade(built) == set(STEPS), "Python takes the package"


# Templates, lock file, Python


def test_a_template_of_an_imported_package_counts(built: House, project: Path) -> None:
    edit(source(project, "present/template/page.css"), "0", "1px")
    assert remade(built) == {*NOTEBOOK}


def test_a_data_file_of_an_imported_package_counts(built: House, project: Path) -> None:
    edit(source(project, "stats/weights.yml"), "1", "2")
    assert remade(built) == set(STEPS)


def test_a_data_file_of_another_package_does_not_count(built: House, project: Path) -> None:
    write_atomically(source(project, "other/__init__.py"), "")
    write_atomically(source(project, "other/table.csv"), "1")
    assert remade(built) == set()


def test_the_lock_file_counts(built: House, project: Path) -> None:
    edit(project / "requirements.lock", "2.0", "2.1")
    assert remade(built) == {*STEPS, *NOTEBOOK}


def test_the_version_of_python_counts(built: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sys.version.split()[0]
    monkeypatch.setattr(sys, "version", "3.99.1 (main)")
    assert f"Python is 3.99.1, was {before}" in why(built, "west/audit")
    assert remade(built) == {*STEPS, *NOTEBOOK}


# Outputs


@pytest.mark.parametrize("damage", ["missing", "truncated", "one byte", "empty"])
def test_a_damaged_output_is_made_again(built: House, damage: str) -> None:
    path = built.output("west/indicators")
    good = path.read_bytes()
    stat = path.stat()
    if damage == "missing":
        path.unlink()
    else:
        other = {"truncated": good[:-1], "one byte": good[:-1] + b"?", "empty": b""}
        path.write_bytes(other[damage])
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert remade(built) == {"west/indicators"}
    assert path.read_bytes() == good


def test_a_damaged_output_that_others_read_is_mended_before_they_look(built: House) -> None:
    built.output("west/audit").write_text("cut")
    assert remade(built) == {"west/audit"}, "the same bytes come back: nothing after it runs"


def test_the_same_bytes_stop_the_spread(built: House, root: Path) -> None:
    (root / "west.csv").write_text("TWO  one west", "utf-8")
    assert remade(built) == {"west/audit"}


def test_a_code_change_that_gives_the_same_bytes_stops_the_spread(
    built: House, project: Path
) -> None:
    edit(source(project, "maps/draw.py"), "return 2", "return 1 + 1")
    assert remade(built) == {*NOTEBOOK}, "the east's indicators and the pool read the same bytes"


# State

KILLED = """
import os, signal
from pathlib import Path
from pipeline.inline import House

house, root = House(), Path(os.environ["POVMON_ROOT"])
for number in range(4):
    raw = root / f"{number}.csv"
    raw.write_text(f"row {number}", encoding="utf-8")
    house.add(f"area{number}/audit", inputs=(raw,))
if os.environ["KILL"]:
    def die():
        house.output("area2/audit").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
    house.actions["area2/audit"] = die
print(*house.run().made)
"""


@pytest.mark.slow
def test_what_was_finished_survives_a_kill_task_by_task(root: Path) -> None:
    search = os.pathsep.join([str(PROJECT / "src"), str(PROJECT / "tests")])

    def run(kill: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": search, "KILL": kill}
        command = [sys.executable, "-c", KILLED]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert run("yes").returncode == -signal.SIGKILL
    done = run("")
    assert done.returncode == 0, done.stderr
    made = [line for line in done.stdout.splitlines() if line.startswith("area")]
    assert made == ["area2/audit area3/audit"]


@pytest.mark.parametrize(
    "damage", ["", "{", "null", '{"format": 1}', '{"format": 1, "key": "x", "parts": 3}']
)
def test_a_damaged_record_means_stale(built: House, damage: str) -> None:
    Ledger("small", Hashes()).path("west/audit").write_text(damage)
    assert remade(built) == {"west/audit"}


def test_the_memory_of_hashes_may_be_lost(built: House, root: Path) -> None:
    (root / "data/processed/.state/hashes.json").unlink()
    assert remade(built) == set()


# The key that hashes personal data


def test_another_key_for_personal_data_makes_stale_who_used_it(
    house: House, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POVMON_HASH_KEY", raising=False)
    sent = paths.submissions("small") / "east" / "a.csv"
    write_atomically(sent, "east four")
    house.add("east/audit", inputs=(sent,))
    house.run()
    key = paths.raw("small") / ".hash_key"
    key.write_text("k" * 64)
    assert house.run().made == [], "made without a key: nothing was hashed"
    write_atomically(sent, "east five")
    assert "east/audit" in house.run().made
    key.write_text("l" * 64)
    assert house.run().made == ["east/audit"]


# What `make why` says


def why(house: House, which: str = "") -> str:
    forget_modules()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("povmon.pipeline.explain.plan", lambda *_: (FACTS, house.tasks, ""))
        return explain("small", which, Hashes())


def test_why_says_what_changed_when_it_was_made_and_what_comes_after(
    built: House, root: Path
) -> None:
    edit(root / "west.csv", "two", "three")
    heading, reason, after = why(built).splitlines()
    assert heading.startswith("west/audit is stale, last made 20")
    assert reason == "  - input west.csv has changed"
    assert after == "  Made again after it if its tables differ: west/indicators, nation/pool."


def test_why_of_a_report_names_what_is_stale_above_it(built: House, root: Path) -> None:
    edit(root / "west.csv", "two", "three")
    text = why(built, "nation/pool")
    assert text.startswith("nation/pool agrees with what it was made from, last made 20")
    assert "west/audit is stale" in text and "input west.csv has changed" in text
    assert why(built, "east/indicators").startswith("east/indicators is up to date, last made")


def test_why_names_a_module_and_the_way_by_which_it_is_imported(
    built: House, project: Path
) -> None:
    edit(source(project, "stats/sums.py"), "sum(x)", "sum(x) + 0")
    assert (
        "module povmon.stats.sums has changed "
        "(imported by way of pipeline.steps.pool > stats > stats.centre)"
    ) in why(built, "west/audit")


def test_why_tells_tasks_with_the_same_reason_together(built: House, project: Path) -> None:
    edit(project / "requirements.lock", "2.0", "2.1")
    text = why(built)
    assert text.count("requirements.lock has changed") == 1
    assert all(task in text.splitlines()[0] for task in [*STEPS, *NOTEBOOK])


def test_why_names_the_changed_keys_of_survey_yml(built: House) -> None:
    path = paths.raw("small") / "survey.yml"
    built.add("extra", inputs=(path,), action=lambda: write_atomically(built.output("extra"), ""))
    built.run()
    path.write_text("title: Small\ndesign: {lonely: certainty}\nyear: 2010\n", "utf-8")
    assert (
        "input data/raw/small/survey.yml has changed: "
        "design.lonely is certainty, was average; year is new (2010)"
    ) in why(built, "extra")
    path.write_text("title: Small\ndesign: {lonely: average}  # note\n", "utf-8")
    assert "no key, only its notes or layout" in why(built, "extra")


def test_why_names_a_deleted_input(built: House, root: Path) -> None:
    (root / "west.csv").unlink()
    assert "west.csv: the file or folder is missing" in why(built)


def test_why_names_who_made_an_input(built: House) -> None:
    write_atomically(built.output("west/audit"), "other")
    record = Ledger("small", Hashes())
    task = built.tasks["west/audit"]
    record.finish(task, record.parts(task), [built.output("west/audit")])
    text = why(built, "west/indicators")
    assert "input data/processed/small/west_audit.parquet has changed (west/audit made it)" in text


def test_why_names_a_damaged_output(built: House) -> None:
    built.output("west/audit").write_text("cut")
    built.output("west/indicators").unlink()
    text = why(built)
    assert "output data/processed/small/west_audit.parquet was cut short or changed" in text
    assert "output data/processed/small/west_indicators.parquet is missing" in text


# What the rules rest on


def test_no_code_reads_docstrings_or_source_text() -> None:
    """Otherwise a comment or a docstring could change a result, and would have to count."""
    readers = {"__doc__", "getdoc", "getsource", "getsourcelines", "findsource", "getcomments"}
    assert not uses_of(readers | {"model_json_schema", "use_attribute_docstrings"})


def test_no_module_is_imported_by_a_computed_name() -> None:
    """Otherwise the closure of a stage would lack it. The steps are named by their task."""
    found = uses_of({"import_module", "__import__", "exec_module", "run_module", "run_path"})
    assert found == {"povmon/pipeline/worker.py": {"import_module"}}


def uses_of(names: set[str]) -> dict[str, set[str]]:
    """Which modules and notebooks of the project use some names."""
    return {n: both for n, used in all_names().items() if (both := names & used)}


@cache
def all_names() -> dict[str, set[str]]:
    """The names that each module and notebook uses: variables, attributes, imports."""
    texts = {
        p.relative_to(PROJECT / "src").as_posix(): p.read_text("utf-8")
        for p in (PROJECT / "src" / "povmon").rglob("*.py")
    }
    for path in (PROJECT / "notebooks").rglob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        texts[path.name] = closure._plain_python("\n".join(code))
    return {
        n: {name for node in ast.walk(ast.parse(t)) for name in named(node)}
        for n, t in texts.items()
    }


def named(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.name] if isinstance(node, ast.alias) else []
