"""Hostile values through the real make, and hostile things among what provinces send."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import zipfile
from pathlib import Path

import pytest

from conftest import copy_survey
from pipeline.test_make import MAKE, make, targets
from povmon.errors import PovmonError
from povmon.pipeline.files import files_below
from povmon.survey import load_survey
from povmon.survey.intake import read_submissions

SHELL = pytest.mark.skipif(MAKE is None, reason="make is not installed")

# What would touch the file MARK if it ever came to a shell, to make or to a path.
VALUES = [
    "../../etc",
    "/etc/passwd",
    "demo/../../x",
    "$(touch MARK)",
    "$(shell touch MARK)",
    "$$(touch MARK)",
    "`touch MARK`",
    "a;touch MARK",
    "a' ; touch MARK ; '",
    'a" ; touch MARK ; "',
    "a\ntouch MARK\n",
    "a\n\ttouch MARK",
    "--area=$(touch MARK)",
    "-h;touch MARK",
    "${SHELL}",
    "%n*?[x]",
    "\u202e../\u2028",
]
# Variable -> a target that reads it. Those of the last two start slowly: a third of the values.
TARGETS = {
    "SURVEY": "all",
    "AREA": "all",
    "JOBS": "all",
    "SCHEDULER": "all",
    "REPORT": "why",
    "HOUSEHOLDS": "bench-scale",
    "SOURCE": "font",
}


@pytest.fixture
def hostile_root(tmp_path: Path) -> Path:
    copy_survey("vlss1998", tmp_path / "root")
    return tmp_path / "root"


def tree(folder: Path) -> set[str]:
    """All files below a folder, without what the pipeline remembers."""
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*")}
    return {name for name in found if ".state" not in name and name != "root/data/processed"}


@SHELL
@pytest.mark.slow
@pytest.mark.parametrize("variable", TARGETS)
def test_no_value_reaches_a_shell_or_leaves_its_folder(variable: str, hostile_root: Path) -> None:
    before = tree(hostile_root.parent)
    survey = [] if variable == "SURVEY" else ["SURVEY=vlss1998"]
    for value in VALUES if TARGETS[variable] in ("all", "why") else VALUES[3::3]:
        mark = hostile_root.parent / "mark"
        given = f"{variable}={value.replace('MARK', str(mark))}"
        done = make(TARGETS[variable], *survey, given, POVMON_ROOT=str(hostile_root))
        assert done.returncode != 0, given
        assert "Traceback" not in done.stderr, done.stderr
        assert tree(hostile_root.parent) == before, given


@SHELL
def test_no_recipe_holds_a_value() -> None:
    """Whatever a variable holds, the shell is given the same text: it reads the environment."""
    names = ("PLANTED", "FORCE", "CHECK", "PYTHON3", *TARGETS)
    recipes = [
        make("-n", *sorted(targets()), *(f"{name}={value}" for name in names)).stdout
        for value in ("one'\"`$$", "another")
    ]
    assert recipes[0] == recipes[1] and "one" not in recipes[0].split()
    assert '--planted "$PLANTED"' in recipes[0]


@SHELL
def test_values_from_the_environment_are_no_pieces_of_make(hostile_root: Path) -> None:
    mark = hostile_root.parent / "mark"
    value = f"$(shell touch {mark})"
    done = make("all", POVMON_ROOT=str(hostile_root), SURVEY=value, AREA=value, JOBS=value)
    assert done.returncode != 0 and not mark.exists()
    assert "is no number of jobs" in done.stderr


@SHELL
def test_the_python_of_the_environment_is_a_name_and_no_command(tmp_path: Path) -> None:
    """The script that makes .venv, in a folder of its own, as the Makefile calls it."""
    project = Path(__file__).parents[2]
    shutil.copytree(project / "tools", tmp_path / "tools")
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(project / name, tmp_path)
    mark = tmp_path / "mark"
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("CONDA", "MAKE", "MFLAGS"))}
    for value in (
        f"$(shell touch {mark})",
        f"x; touch {mark}",
        f"`touch {mark}`",
        f"x\ntouch {mark}",
    ):
        done = subprocess.run(
            ["make", ".venv/stamp", f"PYTHON3={value}"], cwd=tmp_path, env=plain,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode != 0 and "was not found" in done.stderr
        assert not mark.exists() and not (tmp_path / ".venv").exists()


# survey.yml


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: rural", "id: ../../rural"),
        ("id: rural", "id: /etc"),
        ("survey: vlss1998", "survey: ../demo"),
        ("forms: [household]", "forms: [../household]"),
        ("products: [audit, indicators, summary, atlas]", "products: [../audit]"),
    ],
)
def test_names_of_a_survey_cannot_be_paths(root: Path, old: str, new: str) -> None:
    path = copy_survey("vlss1998", root) / "survey.yml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(PovmonError):
        load_survey("vlss1998")


def test_yaml_makes_no_objects(root: Path) -> None:
    path = copy_survey("vlss1998", root) / "survey.yml"
    mark = root / "mark"
    path.write_text(f"survey: !!python/object/apply:os.system ['touch {mark}']\n", "utf-8")
    with pytest.raises(PovmonError):
        load_survey("vlss1998")
    assert not mark.exists()


# What provinces send


@pytest.fixture
def sent(root: Path) -> Path:
    """The submissions of a survey that is delivered whole, and a secret beside the root."""
    (root / "secret").write_text("household_id\nsecret\n")
    copy_survey("vlss1998", root)
    return root / "data/raw/vlss1998/submissions"


def refused(root: Path) -> str:
    """What reading says; neither it nor the list of files may follow the thing."""
    with pytest.raises(PovmonError) as listed:
        list(files_below(root / "data/raw/vlss1998/submissions"))
    with pytest.raises(PovmonError) as caught:
        read_submissions(load_survey("vlss1998"), "rural")
    for text in (str(listed.value), str(caught.value)):
        assert "is a link, or no plain file or folder; replace it by the file itself" in text
        assert "secret" not in text
    return str(caught.value)


@pytest.mark.parametrize("to", ["../../../../secret", "/etc/passwd", "SOURCE.md", "nowhere"])
def test_a_link_to_a_file_is_refused(root: Path, sent: Path, to: str) -> None:
    (sent / "household2.csv").symlink_to(to)
    assert refused(root).startswith("submissions/household2.csv:")


def test_a_link_to_a_folder_is_refused_also_where_it_never_ends(root: Path, sent: Path) -> None:
    (sent / "later").mkdir()
    (sent / "later" / "again").symlink_to("..")
    assert refused(root).startswith("submissions/later/again:")


def test_a_pipe_is_refused_and_not_waited_for(root: Path, sent: Path) -> None:
    os.mkfifo(sent / "household2.csv")
    refused(root)


def test_a_socket_is_refused(root: Path, sent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(sent)  # a short name, whatever the folder is called
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s.csv")
        refused(root)


def test_a_manifest_that_names_files_elsewhere_reads_none(root: Path, sent: Path) -> None:
    names = "\n".join(f"  {n}: {{rows: 1, sha256: ab}}" for n in ("../../secret", "/etc/passwd"))
    (sent / "manifest.yml").write_text(f"received: 2011-03-01\nfiles:\n{names}\n")
    taken = read_submissions(load_survey("vlss1998"), "rural")
    assert not taken.files["file"].str.contains("secret|passwd").any()
    assert "secret" not in " ".join(taken.rows["household"].astype("str").stack())


def test_members_of_a_workbook_are_never_unpacked(root: Path, sent: Path) -> None:
    next(sent.glob("household.*")).unlink()
    with zipfile.ZipFile(sent / "household.xlsx", "w") as archive:
        for name in ("../../../../planted", "/tmp/planted-by-a-workbook", "xl/../../planted"):
            archive.writestr(name, "x")
    before = {p for p in root.rglob("*") if ".state" not in p.parts}
    with pytest.raises(PovmonError):
        read_submissions(load_survey("vlss1998"), "rural")
    assert {p for p in root.rglob("*") if ".state" not in p.parts} == before
    assert not Path("/tmp/planted-by-a-workbook").exists()
