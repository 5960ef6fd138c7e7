"""The three things a notebook cell can show: `Text`, `Table` and `Figure`.

Each has the rich representations that JupyterLab and the exporter use. Numbers of captions
("Table 1") are given by the exporter, because only the page knows the order. All strings are
escaped here: names that come from a survey are untrusted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import pandas as pd

from povmon.errors import PovmonError
from povmon.present import numbers
from povmon.present.escaping import escape_markdown
from povmon.present.figure import Figure
from povmon.present.remarks import Remarks

__all__ = ["Column", "Figure", "Marked", "Suppressed", "Table", "Text", "escape_markdown"]

Format = str | Callable[[Any], str]

LONG_TEXT = 45  # characters
FOLD_ROWS = 40  # a longer table is folded, so that it does not bury the text after it


@dataclass(frozen=True)
class Text:
    """A passage of Markdown, e.g. a sentence with the numbers of the data in it.

    Parameters
    ----------
    markdown : the passage; put names from a survey through `escape_markdown` first.
    """

    markdown: str

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return self.markdown

    def __add__(self, other: Text) -> Text:
        return Text(f"{self.markdown}\n\n{other.markdown}")


@dataclass(frozen=True)
class Suppressed:
    """A cell value that is withheld (or does not exist), with the reason in words.

    `detail` is the exact reason, shown on pointing; `reason` stands below the table.
    """

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return numbers.MISSING


@dataclass(frozen=True)
class Marked:
    """A cell that is shown, with a smaller second line, or a remark that a letter leads to.

    `detail` is the exact remark, shown on pointing; `remark` stands below the table.
    """

    text: str
    remark: str = ""
    below: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.below})" if self.below else self.text


@dataclass(frozen=True)
class Column:
    """One column of a `Table`.

    Parameters
    ----------
    key : name of the column in the frame.
    header : heading that the reader sees; the key when empty.
    unit : unit shown under the heading (``%``, ``yuan``).
    format : ``text``, ``integer``, ``number`` or ``number:2`` (decimals), ``percent`` or
        ``percent:2`` (of a share, without the sign), ``yes``, ``auto`` (by dtype), or a function
        from value to text.
    align : ``left``, ``right``, ``center``; empty: right for numbers, left for text.
    reason : column of the frame that says why a cell is missing (empty: none).
    row_header : the cells head their rows (``<th scope="row">``).
    link : column of the frame with the address the cell leads to (relative or ``#anchor``).
    sort : column of the frame with the numbers to sort by (empty: the cell's own value).
    """

    key: str
    header: str = ""
    unit: str = ""
    format: Format = "auto"
    align: str = ""
    reason: str = ""
    row_header: bool = False
    link: str = ""
    sort: str = ""


ColumnSpec = Column | str | tuple[str, ...] | Mapping[str, Any]


def _as_column(spec: ColumnSpec) -> Column:
    if isinstance(spec, Column):
        return spec
    if isinstance(spec, str):
        return Column(spec)
    if isinstance(spec, Mapping):
        return Column(**spec)
    return Column(*spec)  # type: ignore[arg-type]


def _complete(column: Column, frame: pd.DataFrame, first: bool) -> Column:
    """Fill in heading, format, alignment and reason from the frame."""
    if column.key not in frame.columns:
        raise PovmonError(
            f"the table has no column {column.key!r}",
            where=f"columns: {', '.join(map(str, frame.columns))}",
            todo="name one of the frame's columns",
        )
    numeric = pd.api.types.is_numeric_dtype(frame[column.key])
    numeric = numeric and not pd.api.types.is_bool_dtype(frame[column.key])
    form = column.format
    if form == "auto":
        form = _format_by_dtype(frame[column.key]) if numeric else "text"
    is_number = numeric or (isinstance(form, str) and form.split(":")[0] in _FORMATS)
    reason = column.reason
    if not reason and is_number and "reason" in frame.columns and column.key != "reason":
        reason = "reason"
    return replace(
        column,
        header=column.header or column.key.replace("_", " "),
        format=form,
        align=column.align or ("right" if is_number else "left"),
        reason=reason,
        row_header=column.row_header or first,
    )


def _format_by_dtype(values: pd.Series) -> str:
    return "integer" if pd.api.types.is_integer_dtype(values) else "number:1"


_FORMATS: dict[str, Callable[[Any, int | None], str]] = {
    "integer": lambda value, digits: numbers.number(value, 0),
    "number": lambda value, digits: numbers.number(value, 1 if digits is None else digits),
    "percent": lambda value, digits: numbers.percent(
        value, 1 if digits is None else digits, sign=False
    ),
}


def _format_cell(value: Any, form: Format) -> str:
    if callable(form):
        return form(value)
    name, _, digits = form.partition(":")
    if name == "text":
        return str(value)
    if name == "yes":
        return "yes" if bool(value) else "no"
    if name not in _FORMATS:
        raise PovmonError(
            f"unknown column format {form!r}",
            where="Table",
            todo=f"use text, yes, {', '.join(_FORMATS)} or a function",
        )
    return _FORMATS[name](value, int(digits) if digits else None)


NO_VALUE = "no value"


@dataclass(frozen=True)
class Table:
    """A table with caption, units, marked missing cells and, where long, a fold.

    Parameters
    ----------
    frame : one row a table row.
    caption : what the table shows (the exporter puts "Table 1" before it).
    note : source or remark under the table.
    columns : `Column` objects, or keys, tuples ``(key, header, unit, format, align)`` or
        mappings with `Column`'s fields; None takes all columns of the frame.
    sortable : the page's script lets the reader sort by a column.
    fold : True or False; None folds tables of more than `FOLD_ROWS` rows.
    total_rows : number of last rows that are totals (kept below when sorted).

    A cell that is missing, or a `Suppressed`, shows a dash with a letter, and the reason stands
    in words below the table; a `Marked` shows its text with a letter and its remark there. The
    reason comes from the column named by `Column.reason` (default: the frame's column
    ``reason``, where there is one).
    """

    frame: pd.DataFrame
    caption: str
    note: str = ""
    columns: Sequence[ColumnSpec] | None = None
    sortable: bool = False
    fold: bool | None = None
    total_rows: int = 0
    _columns: list[Column] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        if not self.caption.strip():
            raise PovmonError(
                "a table needs a caption", where="Table", todo="say in it what the table shows"
            )
        specs = self.columns
        if specs is None:
            specs = [str(c) for c in self.frame.columns if c not in ("reason", "flag")]
        columns = [_as_column(spec) for spec in specs]
        named = any(column.row_header for column in columns)
        complete = [
            _complete(column, self.frame, first=not named and position == 0)
            for position, column in enumerate(columns)
        ]
        object.__setattr__(self, "_columns", complete)

    def _rows(self) -> list[dict[str, Any]]:
        return [{str(k): v for k, v in row.items()} for row in self.frame.to_dict("records")]

    def _repr_html_(self) -> str:
        reasons = Remarks()
        rows = self._rows()
        body, foot = rows, []
        if self.total_rows:
            body, foot = rows[: -self.total_rows], rows[-self.total_rows :]
        parts = [self._head(), "<tbody>", *(self._row(r, reasons) for r in body), "</tbody>"]
        if foot:
            parts += ["<tfoot>", *(self._row(r, reasons) for r in foot), "</tfoot>"]
        label = escape(self.caption, quote=True)
        kind = ' class="sortable"' if self.sortable else ""
        table = (
            f'<div class="scroll" tabindex="0" role="group" aria-label="{label}">'
            f"<table{kind}>{''.join(parts)}</table></div>"
        )
        if self._folded():
            count = numbers.count_of(len(rows), "row")
            table = f'<details class="fold"><summary>Show the table ({count})</summary>{table}'
            table += "</details>"
        return (
            f'<figure class="povmon-table"><figcaption>{escape(self.caption)}</figcaption>'
            f"{table}{self._notes(reasons)}</figure>"
        )

    def _folded(self) -> bool:
        return len(self.frame) > FOLD_ROWS if self.fold is None else self.fold

    def _head(self) -> str:
        cells = []
        for column in self._columns:
            unit = f'<span class="unit">{escape(column.unit)}</span>' if column.unit else ""
            space = " " if unit else ""
            kind = f"{column.align} long" if self._is_long(column) else column.align
            cells.append(
                f'<th scope="col" class="{kind}">{escape(column.header)}{space}{unit}</th>'
            )
        return f"<thead><tr>{''.join(cells)}</tr></thead>"

    def _is_long(self, column: Column) -> bool:
        """Whether a column holds running text, which must not be squeezed to a word a line."""
        if column.align != "left" or column.format != "text":
            return False
        values = self.frame[column.key]
        return any(len(str(value)) > LONG_TEXT for value in values)

    def _row(self, row: Mapping[str, Any], reasons: Remarks) -> str:
        return f"<tr>{''.join(self._cell(c, row, reasons) for c in self._columns)}</tr>"

    def _cell(self, column: Column, row: Mapping[str, Any], reasons: Remarks) -> str:
        value = row[column.key]
        tag, scope = ("th", ' scope="row"') if column.row_header else ("td", "")
        reason = self._reason(column, row)
        if reason is not None:
            mark = reasons.mark(reason)
            title = escape(getattr(value, "detail", "") or reason, quote=True)
            inner = f'<abbr title="{title}">{numbers.MISSING}</abbr><sup>{mark}</sup>'
            return f'<{tag}{scope} class="{column.align} missing">{inner}</{tag}>'
        if isinstance(value, Marked):
            inner = _marked(value, reasons)
        else:
            inner = escape(_format_cell(value, column.format))
        target = row.get(column.link) if column.link else None
        if target is not None and not numbers.is_missing(target) and str(target):
            inner = f'<a href="{escape(_safe_link(str(target)), quote=True)}">{inner}</a>'
        key = _sort_key(row[column.sort] if column.sort else value)
        return f'<{tag}{scope} class="{column.align}"{key}>{inner}</{tag}>'

    def _reason(self, column: Column, row: Mapping[str, Any]) -> str | None:
        """Why the cell shows no value; None when it shows one."""
        value = row[column.key]
        if isinstance(value, Suppressed):
            return value.reason
        if not numbers.is_missing(value):
            return None
        given = row.get(column.reason) if column.reason else None
        return NO_VALUE if given is None or numbers.is_missing(given) else str(given) or NO_VALUE

    def _notes(self, reasons: Remarks) -> str:
        lines = [
            f"<li><sup>{letter}</sup> {escape(reason)}</li>"
            for reason, letter in reasons.letters.items()
        ]
        listed = f'<ul class="reasons">{"".join(lines)}</ul>' if lines else ""
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return listed + note

    def _repr_markdown_(self) -> str:
        """A plain pipe table, for places that show no HTML."""
        reasons = Remarks()
        heads = [
            escape_markdown(f"{c.header} ({c.unit})" if c.unit else c.header) for c in self._columns
        ]
        rules = ["---:" if c.align == "right" else "---" for c in self._columns]
        lines = [f"**{escape_markdown(self.caption)}**", "", _pipe(heads), _pipe(rules)]
        lines += [
            _pipe([self._plain(c, row, reasons) for c in self._columns]) for row in self._rows()
        ]
        lines += [""] + [
            f"{mark}: {escape_markdown(reason)}  " for reason, mark in reasons.letters.items()
        ]
        if self.note:
            lines.append(escape_markdown(self.note))
        return "\n".join(lines).rstrip() + "\n"

    def _plain(self, column: Column, row: Mapping[str, Any], reasons: Remarks) -> str:
        reason = self._reason(column, row)
        if reason is not None:
            return f"{numbers.MISSING} ({reasons.mark(reason)})"
        value = row[column.key]
        if isinstance(value, Marked):
            mark = f" ({reasons.mark(value.remark)})" if value.remark else ""
            return f"{escape_markdown(value)}{mark}"
        return escape_markdown(_format_cell(value, column.format))

    def __repr__(self) -> str:
        return f"Table({self.caption!r}, {len(self.frame)} rows)"


def _marked(value: Marked, reasons: Remarks) -> str:
    mark = f"<sup>{reasons.mark(value.remark)}</sup>" if value.remark else ""
    text = escape(value.text)
    if value.detail:
        text = f'<abbr title="{escape(value.detail, quote=True)}">{text}</abbr>'
    below = f' <span class="below">({escape(value.below)})</span>' if value.below else ""
    return f"{text}{mark}{below}"


def _pipe(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _safe_link(target: str) -> str:
    """Only relative addresses and anchors: a survey cannot smuggle in a script address."""
    if re.match(r"(?i)^\s*[a-z][a-z0-9+.-]*:|^\s*//", target):
        raise PovmonError(
            f"the link {target!r} leads outside the reports",
            where="Table",
            todo="use a relative address",
        )
    return target


def _sort_key(value: Any) -> str:
    """The raw number for the page's sorting script; text sorts by what is shown."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    return f' data-sort="{float(value):.12g}"'
