"""Letters that lead from the cells of a table to the remarks below it."""

from __future__ import annotations


class Remarks:
    """Letters for the reasons of missing cells, in the order of their appearance."""

    def __init__(self) -> None:
        self.letters: dict[str, str] = {}

    def mark(self, reason: str) -> str:
        if reason not in self.letters:
            self.letters[reason] = _letter(len(self.letters))
        return self.letters[reason]


def _letter(position: int) -> str:
    text = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        text = chr(97 + rest) + text
    return text
