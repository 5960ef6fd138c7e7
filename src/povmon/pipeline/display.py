"""The picture of a run on a terminal: what runs, and a matrix of areas by stages.

Every line is made for the terminal's width and the whole for its height, so nothing ever wraps
or scrolls. States are told apart by their signs; colour only repeats them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from povmon.pipeline.board import (
    FAILED,
    MADE,
    RUNNING,
    SKIPPED,
    STATES,
    UNCHANGED,
    WAITING,
    Board,
    Entry,
    spoken,
    spoken_rest,
)

SIGNS = {MADE: "✓", UNCHANGED: "=", RUNNING: "▶", WAITING: "·", FAILED: "✗", SKIPPED: "–"}
ASCII_SIGNS = {MADE: "+", UNCHANGED: "=", RUNNING: ">", WAITING: ".", FAILED: "X", SKIPPED: "-"}
STYLES = {MADE: "green", UNCHANGED: "dim", RUNNING: "bold cyan", WAITING: "dim"} | {
    FAILED: "bold red",
    SKIPPED: "yellow",
}
STAGES = ("audit", "returns", "indicators", "plan")
LINES = ("nation", "liaison")  # groups that are no areas: a line each
OTHER = "other"
COLUMN = 11  # widest column of a stage: a sign and a duration
TIMED = 8  # from this width on a column has room for a duration
# What is shown of the areas first where there is no room for all.
URGENCY = (FAILED, RUNNING, SKIPPED, WAITING, MADE, UNCHANGED)


@dataclass(frozen=True)
class Picture:
    """How to draw a run.

    Attributes
    ----------
    title : what is being made: the survey.
    unicode : whether the terminal's encoding has signs beyond ASCII.
    """

    title: str
    unicode: bool = True

    def lines(self, board: Board, width: int, height: int) -> list[Text]:
        """At most `height` lines of at most `width` columns."""
        head = [self._headline(board, width)]
        head += [self._running(t, e, board) for t, e in board.running.items()]
        table = self._table(board, width, height - len(head))
        return [_cut(line, width) for line in [*head, *table][: max(height, 1)]]

    @property
    def signs(self) -> Mapping[str, str]:
        """A sign for each state."""
        return SIGNS if self.unicode else ASCII_SIGNS

    def _headline(self, board: Board, width: int) -> Text:
        words = f"{board.done}/{board.total}  {spoken(board.elapsed)}"
        if board.done < board.total:
            words += f"  {spoken_rest(board.rest())}"
        line = Text().append(self.title, style="bold")
        room = min(width - cell_len(self.title) - len(words) - 4, 30)
        if room >= 8:
            full = room * board.done // max(board.total, 1)
            on, off = ("━", "─") if self.unicode else ("#", "-")
            line.append("  ").append(on * full, style="green")
            line.append(off * (room - full), style="dim")
        return line.append(f"  {words}")

    def _running(self, task: str, entry: Entry, board: Board) -> Text:
        line = Text().append(f"{self.signs[RUNNING]} {task}", style=STYLES[RUNNING])
        return line.append(f"  {spoken(board.clock() - entry.begun)}  {entry.cell}")

    def _table(self, board: Board, width: int, height: int) -> list[Text]:
        """The matrix, the other groups and the legend, as far as there is room for them."""
        groups = _groups(board)
        label = max([len(g) for g in [*groups, "area"]]) + 2
        rows = {g: e for g, e in groups.items() if g not in (*LINES, OTHER)}
        steps = [s for s in STAGES if any(s in entries for entries in rows.values())]
        column = min((width - label) // max(len(steps), 1), COLUMN)
        body = [self._row(g, e, steps, label, column) for g, e in rows.items()]
        below = [self._group(g, groups[g], label, width) for g in (*LINES, OTHER) if g in groups]
        title = Text(_fit("area", label), style="dim")
        for step in steps:
            title.append(_fit(step, column - 1) + " ")
        words = [f"{self.signs[s]} {s}" for s in STATES]
        wide = sum(map(len, words)) + 2 * len(words) <= width
        legend = Text(("  " if wide else " ").join(words), style="dim")
        top = [title] if rows else []
        if len(body) + len(below) + len(top) + 1 <= height:
            return [*top, *body, *below, legend]
        room = height - len(below) - len(top)
        if room < 2:
            return [*top, *_first(body, rows, max(height - len(top), 0))]
        return [*top, *_first(body, rows, room), *below]

    def _row(
        self, name: str, entries: Mapping[str, Entry], steps: list[str], label: int, column: int
    ) -> Text:
        line = Text(_fit(name, label))
        for step in steps:
            entry = entries.get(step)
            text = ""
            if entry:
                text = self.signs[entry.state]
                if entry.seconds and column >= TIMED:
                    text += f" {spoken(entry.seconds).removesuffix(' min')}"
            line.append(_fit(text, column), style=STYLES[entry.state] if entry else "")
        return line

    def _group(self, name: str, entries: Mapping[str, Entry], label: int, width: int) -> Text:
        """Tasks of a group in one line: with their names, or only the signs where it is narrow."""
        line = Text(_fit(name, label))
        named = sum(cell_len(step) + 4 for step in entries) <= width - label
        for step, entry in entries.items():
            text = f"{self.signs[entry.state]} {step}  " if named else self.signs[entry.state]
            line.append(text, style=STYLES[entry.state])
        return line


def _groups(board: Board) -> dict[str, dict[str, Entry]]:
    """Entries by area or other group and by step; tasks without a group come under `OTHER`."""
    groups: dict[str, dict[str, Entry]] = {}
    for task, entry in board.entries.items():
        group, _, step = task.partition("/")
        groups.setdefault(group if step else OTHER, {})[step or group] = entry
    return groups


def _first(body: list[Text], rows: Mapping[str, Mapping[str, Entry]], room: int) -> list[Text]:
    """As many rows as fit, the urgent ones first, and a line on the others."""
    if len(body) <= room:
        return body
    if room < 1:
        return []
    ranks = [_urgency(entries.values()) for entries in rows.values()]
    order = sorted(range(len(body)), key=lambda i: (ranks[i], i))
    shown, hidden = sorted(order[: room - 1]), order[room - 1 :]
    ended = sum(ranks[i] >= URGENCY.index(MADE) for i in hidden)
    counts = [(ended, "done"), (len(hidden) - ended, "not yet done")]
    text = ", ".join(f"{number} {word}" for number, word in counts if number)
    return [*(body[i] for i in shown), Text(f"and {len(hidden)} more: {text}", style="dim")]


def _urgency(entries: Iterable[Entry]) -> int:
    return min(URGENCY.index(e.state) for e in entries)


def _fit(text: str, width: int) -> str:
    """Text in exactly so many columns, one of them a gap where it had to be cut."""
    if width < 1:
        return ""
    return set_cell_size(text if cell_len(text) <= width else set_cell_size(text, width - 1), width)


def _cut(line: Text, width: int) -> Text:
    line.truncate(width, overflow="crop")
    line.rstrip()
    line.no_wrap = True
    return line
