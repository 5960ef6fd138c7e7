"""Where everything lies. No other module spells a path.

Two roots: the *project* (code, notebooks, reference and planning data: fixed) and the *root* of
the surveys, their processed data and reports, which the environment variable ``POVMON_ROOT``
moves elsewhere, so that tests never write into the user's tree.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path

from povmon.errors import PovmonError

_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")


@cache
def project() -> Path:
    """The checkout: code, notebooks, reference data."""
    return Path(__file__).resolve().parents[2]


@cache
def _resolved(path: str) -> Path:
    return Path(path).resolve()


def root() -> Path:
    """The root of surveys, processed data and reports."""
    moved = os.environ.get("POVMON_ROOT")
    return _resolved(moved) if moved else project()


def checked(name: str, kind: str = "name") -> str:
    """Return `name` if it is a plain folder name, so that no parameter leads elsewhere."""
    if not _NAME.fullmatch(name):
        raise PovmonError(
            f"{kind} {name!r} is not a valid name",
            todo="use lower-case letters, digits and underscores only",
        )
    return name


def plain(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a file or a folder by itself: no link, which may lead anywhere, and no
    pipe or device, which may never end."""
    return not entry.is_symlink() and (entry.is_file() or entry.is_dir())


def reference() -> Path:
    """Reference data: areas, counties, lines, published figures."""
    return project() / "data" / "raw" / "reference"


def planning() -> Path:
    """Planning data: outline, targets, schedule, duties."""
    return project() / "data" / "raw" / "planning"


def notebooks() -> Path:
    """The notebooks, as committed."""
    return project() / "notebooks"


def surveys() -> list[str]:
    """Names of the surveys present, in alphabetical order."""
    return sorted(p.parent.name for p in (root() / "data" / "raw").glob("*/survey.yml"))


def raw(survey: str) -> Path:
    """The folder of a survey as it was received."""
    return root() / "data" / "raw" / checked(survey, "survey")


def submissions(survey: str) -> Path:
    """What the provinces sent, never edited."""
    return raw(survey) / "submissions"


def processed(survey: str, area: str = "") -> Path:
    """What the pipeline made for a survey, or for one of its areas (or ``nation``)."""
    folder = root() / "data" / "processed" / checked(survey, "survey")
    return folder / checked(area, "area") if area else folder


def memo(kind: str) -> Path:
    """Results of one kind kept under the content of what they were made from (`povmon.memo`)."""
    return root() / "data" / "processed" / ".memo" / checked(kind, "kind")


def reports(survey: str = "") -> Path:
    """The rendered pages of a survey."""
    folder = root() / "reports"
    return folder / checked(survey, "survey") if survey else folder
