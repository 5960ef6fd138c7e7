"""Folders list their files by name, or backwards. Python loads this in the builds of `make verify`.

A file system promises no order, and on one machine it is mostly the same order each time: code
that relies on it would not be found out.
"""

from __future__ import annotations

import os
from typing import Any

_listdir, _scandir = os.listdir, os.scandir
_BACKWARDS = os.environ.get("POVMON_LISTING") == "backwards"


class _Entries:
    """What `os.scandir` returns, in the order of the names."""

    def __init__(self, *arguments: Any) -> None:
        with _scandir(*arguments) as entries:
            self._entries = iter(sorted(entries, key=lambda e: e.name, reverse=_BACKWARDS))

    def __iter__(self) -> _Entries:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def _listed(*arguments: Any) -> list[Any]:
    return sorted(_listdir(*arguments), reverse=_BACKWARDS)


os.listdir = _listed  # type: ignore[assignment]
os.scandir = _Entries  # type: ignore[assignment, misc]
