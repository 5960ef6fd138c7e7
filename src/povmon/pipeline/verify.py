"""Build a survey twice from nothing, under other circumstances, and compare every file.

What is known to leak into files is different in the two builds: the folders (of the checkout, of
the root and of the home), the time, its zone, the locale, the hash seed, the mask of new files'
permissions, the order of files in folders, the user's name and settings, the width of the
terminal, the number of workers.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from povmon import paths
from povmon.errors import PovmonError
from povmon.pipeline.differences import difference
from povmon.pipeline.explain import stale_tasks
from povmon.pipeline.facts import facts
from povmon.pipeline.files import files_below
from povmon.pipeline.runs import remembered

SHOWN = 20  # differences
_TOOLS = "tools/apart"
# Not compared: what only the pipeline reads, and the log of times.
VOLATILE = ("data/processed/.state/", "/run-log.jsonl", "/.hash_key")
_COPIED = (
    "src", "notebooks", "data/raw/reference", "data/raw/planning", "requirements.lock", _TOOLS,
)  # fmt: skip
# Variables of the user's that would follow into both builds.
_OWN = ("MAKE", "MFLAGS", "XDG_", "MPL", "IPYTHON", "JUPYTER", "PYTHON", "POVMON_", "LC_", "LANG")
_KEY = "POVMON_HASH_KEY"
_SETTINGS = {
    ".config/matplotlib/matplotlibrc": "font.size: 31\nsavefig.dpi: 31\naxes.facecolor: red\n",
    ".ipython/profile_default/startup/00.py": "import pandas\n"
    "pandas.set_option('display.precision', 1, 'display.max_rows', 2)\n",
}


@dataclass(frozen=True)
class Circumstances:
    """Under which a build runs.

    Attributes
    ----------
    folder : name of the folder that the checkout is copied to.
    jobs : number of workers.
    environment : variables besides the usual ones.
    umask : permissions that new files do not get.
    settings : files of a user's home, by name.
    days : how far the clock is ahead.
    backwards : files are created, and folders list them, from the last name to the first.
    root : folder of the surveys and reports, where it is not the checkout.
    """

    folder: str
    jobs: int
    environment: Mapping[str, str]
    umask: int
    settings: Mapping[str, str]
    days: int = 0
    backwards: bool = False
    root: str = ""


PLAIN = Circumstances(
    folder="a",
    jobs=2,
    environment={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "USER": "one"},
    umask=0o022,
    settings={},
)
STRANGE = Circumstances(
    folder="another folder 另一处, with a name that is longer",
    jobs=1,
    environment={"TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "4242", "USER": "two", "COLUMNS": "43"},
    umask=0o077,
    settings=_SETTINGS,
    days=401,
    backwards=True,
    root="reports of somebody else",
)


def verify(survey: str, here: bool = False) -> bool:
    """Build twice and compare; what is found is printed.

    Parameters
    ----------
    survey : its name. The submissions of a generated survey are generated in each build.
    here : build once, from the submissions that are here, and compare with what stands here.

    Returns
    -------
    True when every file below ``reports/`` and ``data/processed/`` is the same.

    Raises
    ------
    PovmonError : no such survey, what stands here is not up to date, or a build failed.
    """
    facts(survey, remembered())  # a wrong name or survey.yml is told before anything is copied
    if here:
        _check_made(survey)
    folder = Path(tempfile.mkdtemp(prefix="povmon-verify-"))
    builds = [STRANGE] if here else [PLAIN, STRANGE]
    roots = [paths.root()] if here else []
    tops = ["reports", "data/processed", f"data/raw/{survey}"]
    if here:  # there may be other surveys, and what other commands made
        tops = [f"reports/{survey}", *_processed(survey)]
    # Both copies come first: what is edited in the meantime is in neither.
    prepared = [prepare(survey, around, folder, with_submissions=here) for around in builds]
    for number, (around, place) in enumerate(zip(builds, prepared, strict=True), 1):
        print(f"{survey}, build {number} of {len(builds)}: {_words(around, folder)}.", flush=True)
        begun = time.monotonic()
        try:
            build(survey, around, folder, place, pages_only=here)
        except KeyboardInterrupt:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        print(f"  done in {time.monotonic() - begun:.0f} s", flush=True)
    roots += [place.root for place in prepared]
    found, number = compare(roots[0], roots[1], tops)
    if found:
        _tell(found, number, folder)
    else:
        shutil.rmtree(folder)
        print(f"{survey}: all {number} files are the same, byte for byte.")
    return not found


def _check_made(survey: str) -> None:
    stale = stale_tasks(survey)
    if stale:
        raise PovmonError(
            f"{len(stale)} tasks are not up to date",
            where=survey,
            todo=f"run make SURVEY={survey} first; make why SURVEY={survey} tells the reasons",
        )


def _processed(survey: str) -> list[str]:
    """Folders that a run makes of a survey; `make forms` need not have been given."""
    made = [*facts(survey, remembered()).areas, "nation", "notebooks"]
    return [f"data/processed/{survey}/{name}" for name in made]


def _tell(found: Mapping[str, str], number: int, folder: Path) -> None:
    print(f"\n{len(found)} of {number} files differ:")
    for name, text in list(found.items())[:SHOWN]:
        print(f"  {name}: {text}")
    if len(found) > SHOWN:
        print(f"  and {len(found) - SHOWN} more")
    print(f"What was built is kept in {folder}.")


def _words(around: Circumstances, folder: Path) -> str:
    zone, workers = around.environment["TZ"], f"{around.jobs} worker{'s' * (around.jobs > 1)}"
    clock = "the clock as it is"
    if around.days:
        moved = f"the clock {around.days} days ahead"
        clock = moved if _clock(folder) else "the clock as it is (moving it needs a C compiler)"
    order = ", folders listed backwards" if around.backwards else ""
    return f"{workers}, {zone}, locale {_locale(around)}, {clock}{order}"


@dataclass(frozen=True)
class Place:
    """Where a build happens: the copied checkout, and the root of surveys and reports."""

    checkout: Path
    root: Path


def prepare(survey: str, around: Circumstances, folder: Path, with_submissions: bool) -> Place:
    """Copy the checkout and a survey below a folder, as files written anew in a chosen order.

    Parameters
    ----------
    with_submissions : also those of a generated survey.
    """
    checkout = folder / around.folder
    place = Place(checkout, folder / around.root if around.root else checkout)
    raw = paths.raw(survey)
    left_out = facts(survey, remembered()).synthetic and not with_submissions
    sources = [(p, checkout / p.relative_to(paths.project())) for p in _of_project()]
    for path in (*files_below(raw), raw / ".hash_key"):
        if path.exists() and not (left_out and path.is_relative_to(paths.submissions(survey))):
            sources.append((path, place.root / path.relative_to(paths.root())))
    for source, target in reversed(sources) if around.backwards else sources:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return place


def _of_project() -> Iterator[Path]:
    for name in _COPIED:
        place = paths.project() / name
        yield from files_below(place) if place.is_dir() else [place]


def build(
    survey: str, around: Circumstances, folder: Path, place: Place, pages_only: bool = False
) -> None:
    """Make everything of a survey in a prepared place.

    Parameters
    ----------
    pages_only : what `make` makes, not what other commands write.

    Raises
    ------
    PovmonError : a command failed; its own words follow.
    """
    environment = _environment(around, folder, place)
    if not (place.root / "data" / "raw" / survey / ".hash_key").exists():
        # By itself each build would draw a key of its own to hash personal data with.
        environment.setdefault(_KEY, "povmon verify: one key for both builds")
    for command in commands(survey, around)[: 1 if pages_only else None]:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=place.checkout,
            env=environment,
            umask=around.umask,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise PovmonError(f"the build failed (it is kept in {folder}):\n{said}", where=survey)


def commands(survey: str, around: Circumstances) -> list[list[str]]:
    """What a build runs: arguments of Python. Everything that writes reports is among them."""
    pipeline = ["-m", "povmon.pipeline"]
    return [
        [*pipeline, "run", "--survey", survey, "--jobs", str(around.jobs)],
        [*pipeline, "forms", "--survey", survey],
        [*pipeline, "rules", "--survey", survey],
        [*pipeline, "codebook"],
    ]


def _environment(around: Circumstances, folder: Path, place: Place) -> dict[str, str]:
    home = folder / f"home of {around.environment['USER']}"
    home.mkdir(parents=True)
    for name, content in around.settings.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(content, encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(_OWN) or k == _KEY}
    search = [place.checkout / "src", place.checkout / _TOOLS]
    made = {
        **kept,
        **around.environment,
        "HOME": str(home),
        "LC_ALL": _locale(around),
        "PYTHONPATH": os.pathsep.join(map(str, search)),
        "POVMON_LISTING": "backwards" if around.backwards else "by name",
    }
    if place.root != place.checkout:
        made["POVMON_ROOT"] = str(place.root)
    library = _clock(folder) if around.days else None
    if library:
        made["POVMON_CLOCK_SECONDS"] = str(around.days * 86_400 + 25_200)
        made["LD_PRELOAD"] = " ".join(filter(None, [str(library), os.environ.get("LD_PRELOAD")]))
    return made


def _locale(around: Circumstances) -> str:
    """The one asked for; else one that writes numbers and dates in another way, if installed."""
    given = around.environment.get("LC_ALL")
    if given:
        return given
    try:
        done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False)
    except OSError:
        return "C"
    wanted = ("tr_TR.utf8", "de_DE.utf8", "zh_CN.utf8", "fr_FR.utf8")
    return next((name for name in wanted if name in done.stdout.split()), "C")


def _clock(folder: Path) -> Path | None:
    """The library that moves the clock, compiled when first asked; None without a compiler."""
    library = folder / "clock.so"
    source = paths.project() / _TOOLS / "clock.c"
    compiler = shutil.which("cc")
    if not library.exists() and compiler and sys.platform == "linux":
        command = [compiler, "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, capture_output=True, check=False)
    return library if library.exists() else None


def compare(one: Path, two: Path, tops: Sequence[str]) -> tuple[dict[str, str], int]:
    """How two roots differ.

    Parameters
    ----------
    one, two : the roots.
    tops : folders of theirs that are compared.

    Returns
    -------
    Name -> where its two versions differ first, for each file that differs; the number of files.
    """
    first, second = (_files(root, tops) for root in (one, two))
    found = {}
    # Tables before the pages that show them.
    names = sorted(first.keys() | second.keys(), key=lambda n: (n.startswith("reports/"), n))
    for name in names:
        if name not in first or name not in second:
            found[name] = f"only in the {'first' if name in first else 'second'}"
        elif text := difference(first[name], second[name]):
            found[name] = text
    return found, len(names)


def _files(root: Path, tops: Sequence[str]) -> dict[str, Path]:
    found = {}
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and not any(mark in name for mark in VOLATILE):
                found[name] = path
    return found
