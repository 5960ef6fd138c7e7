"""Files: atomic writing, names without machine paths, and hashes that are not taken twice."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from povmon import paths, privacy
from povmon.errors import PovmonError
from povmon.placing import placed

# A file changed within this time of its hashing may change again without a new time stamp.
_SETTLED_NS = 50_000_000
_LONGEST_LINE = 1 << 20  # bytes


def label(path: Path) -> str:
    """A file as a user knows it: relative to the root of the data or to the project."""
    return _label(str(path), paths.root())


@lru_cache(maxsize=16_384)
def _label(path: str, root: Path) -> str:
    for base in (root, paths.project()):
        if path.startswith(f"{base}{os.sep}"):
            return _safe(path.removeprefix(f"{base}{os.sep}").replace(os.sep, "/"))
    return os.path.basename(path)


def _safe(name: str) -> str:
    """A file's name as it may be kept: names of persons and their numbers are hashed."""
    parts = name.split("/", 4)
    if parts[:2] != ["data", "raw"] or parts[3:4] != ["submissions"] or len(parts) < 5:
        return name
    return f"{'/'.join(parts[:4])}/{privacy.scrub_path(parts[4], parts[2])}"


def stored_name(path: Path) -> str:
    """`label`, with a mark when the file lies in the project and not in the root."""
    inside = path.is_relative_to(paths.root())
    return label(path) if inside else f"project:{label(path)}"


def from_stored(name: str) -> Path:
    """The inverse of `stored_name`."""
    if name.startswith("project:"):
        return _joined(paths.project(), name.removeprefix("project:"))
    return _joined(paths.root(), name)


@lru_cache(maxsize=16_384)
def _joined(folder: Path, name: str) -> Path:
    return folder / name


def cannot_write(path: Path, error: OSError) -> PovmonError:
    """The user's error for a folder or disk that does not take a file."""
    return PovmonError(
        f"cannot be written ({error.strerror or type(error).__name__})",
        where=label(path),
        todo="make the folder writable and the disk not full, then run make again",
    )


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a file so that a reader sees the old one or the whole new one, never a part."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with placed(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise cannot_write(path, error) from error


def append_line(path: Path, text: str) -> None:
    """Add a line to a file; half a line, left by a writer that was killed, is cut off first.

    Raises
    ------
    OSError : the file cannot be written; it keeps the lines it had.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _LONGEST_LINE))
        tail = stream.read()
        whole = size - len(tail) + tail.rfind(b"\n") + 1
        if whole < size:
            stream.truncate(whole)
        line = f"{text}\n".encode()
        if stream.write(line) != len(line):
            stream.truncate(whole)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, keys sorted."""
    write_atomically(path, json.dumps(content, ensure_ascii=False, sort_keys=True, indent=1))


def read_json(path: Path) -> Any:
    """Content of a JSON file of our own; None where it is absent or damaged (then remade)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def digest(content: Any) -> str:
    """SHA-256 of a JSON-able value."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def files_below(folder: Path) -> Iterator[Path]:
    """Files of a folder in the order of their names, without hidden ones and Office locks.

    Raises
    ------
    PovmonError : there is a link, which may lead anywhere, a pipe or a device.
    """
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name.startswith((".", "~$")) or entry.name == "__pycache__":
            continue
        if not paths.plain(entry):
            raise PovmonError(
                "is a link, or no plain file or folder",
                where=label(Path(entry.path)),
                todo="replace it by the file itself; links are not followed",
            )
        if entry.is_dir():
            yield from files_below(Path(entry.path))
        else:
            yield Path(entry.path)


def _remembered(path: Path) -> str:
    """The key under which a file's hash is kept: its path, without personal data."""
    text = str(path)
    return text if f"{os.sep}submissions{os.sep}" not in text else f"{label(path)}@{paths.root()}"


class Hashes:
    """SHA-256 of files, remembered by size, times and inode, so that asking again is cheap.

    Parameters
    ----------
    store : file that keeps them between runs; None keeps nothing.
    """

    def __init__(self, store: Path | None = None) -> None:
        self._store = store
        content = read_json(store) if store else None
        if not isinstance(content, dict) or content.get("format") != 1:
            content = {"files": {}, "derived": {}}
        self._known: dict[str, list[Any]] = content["files"]
        self._derived: dict[str, Any] = content["derived"]
        self._asked: dict[tuple[str, str], Any] = {}
        self._changed = False

    def of(self, path: Path) -> str | None:
        """Hash of a file; None where there is no such file."""
        try:
            stat = os.stat(path)
        except OSError:
            return None
        mark = [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
        name = _remembered(path)
        known = self._known.get(name)
        if known is not None and known[0] == mark:
            return str(known[1])
        try:
            with path.open("rb") as stream:
                value = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return None
        if time.time_ns() - stat.st_ctime_ns > _SETTLED_NS:
            self._known[name] = [mark, value]
            self._changed = True
        return value

    def derived(self, path: Path, what: str, make: Any) -> Any:
        """`make(path)` remembered by the content of the file (must be JSON-able).

        Asked again, it answers as at first: sources count as they were when a run began.
        """
        asked = what, str(path)
        if asked not in self._asked:
            name = f"{what}:{self.of(path)}"
            if name not in self._derived:
                self._derived[name] = make(path)
                self._changed = True
            self._asked[asked] = self._derived[name]
        return self._asked[asked]

    def save(self) -> None:
        """Keep what was learnt for the next run."""
        if self._store and self._changed:
            content = {"format": 1, "files": self._known, "derived": self._derived}
            write_atomically(self._store, json.dumps(content, separators=(",", ":")))
            self._changed = False
