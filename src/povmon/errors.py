"""The one exception a user of povmon should ever meet."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PovmonError(Exception):
    """Something in the input is wrong: what, where, and what to do about it.

    Parameters
    ----------
    what : one sentence that says what is wrong.
    where : file, row, column or survey.yml key; empty where none applies.
    todo : one sentence that says what to do.
    """

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        self.what = what.rstrip(". ")
        self.where = where
        self.todo = todo.rstrip(". ")
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        action = f"; {self.todo}" if self.todo else ""
        stop = "" if action.endswith("?") else "."
        # One paragraph, also where a quoted cell or heading holds a line break.
        return " ".join(f"{place}{self.what}{action}{stop}".split())

    def __reduce__(self) -> tuple[object, tuple[str, str, str]]:
        # Keyword-only arguments do not survive pickling by default, and these
        # errors cross process boundaries.
        return _rebuild, (self.what, self.where, self.todo)


def _rebuild(what: str, where: str, todo: str) -> PovmonError:
    return PovmonError(what, where=where, todo=todo)


def unknown_name(kind: str, name: str, valid: Iterable[str], *, where: str = "") -> PovmonError:
    """Error for a name that is not among the valid ones, with the nearest match first."""
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return PovmonError(
        f"unknown {kind} {name!r}", where=where, todo=f"{hint}valid: {', '.join(names)}"
    )
