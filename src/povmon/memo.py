"""Long results kept under the content of all they were made from: a cache, never a source.

An entry's name is the SHA-256 of what it was made from and of the code (all of the package, the
locked requirements, Python, unless the caller names less), so that an entry is never out of date;
it carries its own checksum, so that a damaged one is made again. With or without entries the
results are the same bytes. They lie in ``data/processed/.memo`` and go with ``make clean``; of each
kind the `MOST` last used stay.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from povmon import paths
from povmon.placing import placed

MOST = 600  # entries of a kind; the largest survey has some 250 reduced fonts


def remembered(kind: str, parts: Iterable[bytes | str], make: Callable[[], bytes]) -> bytes:
    """What `make` gives, taken from an earlier call with the same parts and the same code.

    Parameters
    ----------
    kind : name of a folder: what sort of result it is.
    parts : everything, beside the code, that the result depends on.
    make : makes the result; must depend on nothing else.
    """
    return kept(kind, [_code(), *parts], make)


def kept(kind: str, parts: Iterable[bytes | str], make: Callable[[], bytes]) -> bytes:
    """As `remembered`, where `parts` also tell the code that the result depends on."""
    whole = hashlib.sha256()
    for part in parts:
        one = part.encode("utf-8") if isinstance(part, str) else part
        whole.update(hashlib.sha256(one).digest())
    path = paths.memo(kind) / whole.hexdigest()
    known = _read(path)
    if known is not None:
        return known
    made = make()
    with contextlib.suppress(OSError):  # a folder that cannot be written costs time, no more
        _write(path, made)
        _prune(path.parent)
    return made


def _read(path: Path) -> bytes | None:
    """A whole entry, marked as used; None where there is none or it is damaged."""
    try:
        content = path.read_bytes()
        _mark(path)
    except OSError:
        return None
    check, result = content[:32], content[32:]
    return result if hashlib.sha256(result).digest() == check else None


def _write(path: Path, result: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with placed(path) as partial:
        partial.write_bytes(hashlib.sha256(result).digest() + result)
        _mark(partial)


def _mark(path: Path) -> None:
    """Note that an entry was used now; the system's own clock for files ticks too slowly."""
    now = time.time_ns()
    os.utime(path, ns=(now, now))


def _prune(folder: Path) -> None:
    """Take away the entries that were not used for longest."""
    used = sorted(((e.stat().st_mtime_ns, e.path) for e in os.scandir(folder)), reverse=True)
    for _, path in used[MOST:]:
        os.unlink(path)


@cache
def _code() -> bytes:
    """Hash of the package with its fonts and templates, the requirements and Python."""
    package = Path(__file__).parent
    found = hashlib.sha256(sys.version.encode())
    files = [p for p in sorted(package.rglob("*")) if p.is_file() and "__pycache__" not in p.parts]
    for path in [*files, paths.project() / "requirements.lock"]:
        found.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.digest()
