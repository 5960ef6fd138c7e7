"""An area sheet: heading, sentence, map and table, shown as one output of a notebook cell."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from povmon.present.display import Figure, Table, Text
from povmon.present.escaping import escape_markdown


@dataclass(frozen=True)
class Sheet:
    """Map of one area with what belongs to it."""

    name: str
    text: Text
    figure: Figure
    table: Table | Text

    def _repr_html_(self) -> str:
        parts = [_html(self.text), self.figure._repr_html_(), _html(self.table)]
        return "\n".join(parts)

    def _repr_markdown_(self) -> str:
        parts = (self.text, self.figure, self.table)
        return "\n\n".join(part._repr_markdown_() for part in parts)

    def __repr__(self) -> str:
        return f"Sheet({self.name!r})"


@dataclass(frozen=True)
class Sheets:
    """Sheets of several areas, each under its own heading (level 3)."""

    sheets: tuple[tuple[str, Sheet | Text], ...]

    def _repr_html_(self) -> str:
        return "\n".join(f"<h3>{escape(name)}</h3>\n{_html(part)}" for name, part in self.sheets)

    def _repr_markdown_(self) -> str:
        return "\n\n".join(
            f"### {escape_markdown(name)}\n\n{part._repr_markdown_()}" for name, part in self.sheets
        )

    def __repr__(self) -> str:
        return f"Sheets({len(self.sheets)})"


def _html(part: Sheet | Table | Text) -> str:
    """HTML of a part; HTML inside a text stays text."""
    if isinstance(part, Text):
        from markdown_it import MarkdownIt

        return str(MarkdownIt("commonmark", {"html": False}).render(part.markdown))
    return part._repr_html_()
