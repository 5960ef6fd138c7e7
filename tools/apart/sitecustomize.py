"""Folders list their files backwards. Python loads this module in one build of `make verify`.

A file system promises no order, and on one machine it is mostly the same order each time: code
that relies on it would not be found out.
"""

from __future__ import annotations

import os
from typing import Any

_listdir, _scandir = os.listdir, os.scandir


class _Backwards:
    """What `os.scandir` returns, last entry first."""

    def __init__(self, *arguments: Any) -> None:
        with _scandir(*arguments) as entries:
            self._entries = iter(sorted(entries, key=lambda e: e.name, reverse=True))

    def __iter__(self) -> _Backwards:
        return self

    def __next__(self) -> Any:
        return next(self._entries)

    def __enter__(self) -> _Backwards:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def _listed(*arguments: Any) -> list[Any]:
    return sorted(_listdir(*arguments), reverse=True)


os.listdir = _listed  # type: ignore[assignment]
os.scandir = _Backwards  # type: ignore[assignment, misc]
