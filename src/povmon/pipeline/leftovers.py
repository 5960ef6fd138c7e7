"""What a killed run leaves outside of its results: temporary files, sockets. The next removes it.

All of it is called under the lock of the root, which a run holds until the last of its processes
has ended: nobody is writing these files any more. Imports are where they are used: a run with
nothing to do must be quick.
"""

from __future__ import annotations

import atexit
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from povmon import paths
from povmon.pipeline.facts import state_folder
from povmon.pipeline.files import cannot_write, digest

_ENDS = (".tmp", ".partial")
_UNFINISHED_FOLDER = ".writing-"
_LONGEST = 60  # bytes of the folder's path: a socket's path has room for some 104
_PRIVATE: dict[Path, Path] = {}


def sweep(survey: str) -> None:
    """Remove what dead writers have left of a survey: temporary files, and the private folder."""
    with suppress(FileNotFoundError):
        if paths.root() not in _PRIVATE and _ours(_private_name()):
            _remove(_private_name())
    folders = (
        state_folder(),
        paths.processed(survey),
        paths.processed("reference"),
        paths.memo("maps").parent,
        paths.reports(survey),
        paths.reports("failed") / survey,
    )
    for path in [p for folder in folders for p in _temporary(folder)]:
        if path.is_dir() and not path.is_symlink():
            _remove(path)
        else:
            with suppress(OSError):
                path.unlink()
    for path in paths.raw(survey).glob(".hash_key.*"):
        path.unlink(missing_ok=True)


def _temporary(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        for name in [f for f in folders if f.startswith(_UNFINISHED_FOLDER) or f.endswith(_ENDS)]:
            folders.remove(name)
            yield Path(place, name)
        for name in files:
            if name.endswith(_ENDS):
                yield Path(place, name)


def private_folder() -> Path:
    """This process's folder for sockets and temporary files, readable by its owner only.

    Its name follows from the root, so that a run finds and removes what a killed one left. It goes
    away with this process.

    Raises
    ------
    PovmonError : there is no place for it.
    """
    root = paths.root()
    if root not in _PRIVATE:
        wanted = _private_name()
        try:
            folder = _PRIVATE[root] = _own(wanted)
        except OSError as error:
            raise cannot_write(wanted.parent, error) from error
        atexit.register(_remove, folder)
    return _PRIVATE[root]


def _private_name() -> Path:
    name = f"povmon-{os.getuid()}-{digest(str(paths.root()))[:12]}"
    folder = Path(os.environ.get("TMPDIR") or "/tmp", name)
    return folder if len(os.fsencode(folder)) <= _LONGEST else Path("/tmp", name)


def _ours(folder: Path) -> bool:
    """True for a folder (not a link to one) of this user."""
    about = folder.lstat()
    return about.st_uid == os.getuid() and stat.S_ISDIR(about.st_mode)


def _own(folder: Path) -> Path:
    """An empty folder of that name; where somebody else has one, another name."""
    import tempfile

    with suppress(FileNotFoundError):
        if not _ours(folder):
            return Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
        _remove(folder)
    folder.mkdir(mode=0o700)
    return folder


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
