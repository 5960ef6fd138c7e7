"""Files that appear under their names when they are complete, and are nobody else's before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path


@contextmanager
def placed(path: Path) -> Iterator[Path]:
    """A file beside `path`, to be written in the context; it becomes `path` at its end.

    Until then only its user can open it. Its name is random, since two machines that share a
    folder may both have a process of the same number. It is removed when writing fails.

    Raises
    ------
    OSError : the folder is absent or cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield temporary
        with suppress(OSError):  # there are file systems without modes
            os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


@cache
def _umask() -> int:
    """What new files of this user deny to others. Asking means setting it, for a moment."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
