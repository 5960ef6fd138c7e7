"""From a grid to a table: which rows are the heading, which column is which field.

A heading is a variable's name or its English or Chinese label, alone or together, with or without
a unit in brackets, in any case and width. A heading may take several rows: the last row of which
most cells are headings ends it, and a column that this row leaves unnamed (merged cells) is named
by the rows above. Totals, notes and repeated headings among the rows are left out and reported.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from povmon.errors import PovmonError
from povmon.survey.config import Survey
from povmon.survey.fields import Field, Form
from povmon.survey.forms import FORMS
from povmon.survey.readers import Grid, Source
from povmon.survey.spelling import spelling

_LOOK = 30  # rows among which the heading is looked for
_DEPTH = 4  # rows above the last one of a heading that may name a column
_BRACKETS = re.compile(r"[(（\[【]([^()（）\[\]【】]*)[)）\]】]")
_TOTALS = {spelling(word) for word in (
    "total", "totals", "subtotal", "sub-total", "grand total", "sum", "all", "average", "mean",
    "合计", "总计", "小计", "共计", "总和", "累计", "汇总", "平均", "合计数", "总计数", "本页合计",
    "本页小计", "total 合计", "合计 total", "村小计", "县小计", "乡小计", "全县合计",
    "全村合计", "全省合计",
)}  # fmt: skip
_NOTES = tuple(spelling(word) for word in (
    "note", "notes", "remark", "source", "prepared by", "filled in by", "checked by", "signature",
    "date of", "注", "备注", "说明", "填表", "填报", "制表", "审核", "单位负责", "负责人",
    "统计负责", "联系人", "报出日期", "数据来源", "来源", "打印",
))  # fmt: skip
_MOST_NOTE_CELLS = 6
OWN_MARK = "#"  # begins the names of columns that belong to a form workbook: remarks, names


@dataclass(frozen=True)
class LeftOut:
    """A row that is no record: its line, and why ("total_row", "note_row", "heading_row")."""

    line: int
    rule: str
    text: str


@dataclass(frozen=True)
class TextTable:
    """The records of one sheet as text.

    Parameters
    ----------
    place : how messages name the file.
    sheet : the sheet's name, "" where a file has none.
    columns : heading -> cells, in the order of the file, stripped of surrounding blanks. A
        heading that is known is called as the form or survey.yml calls it.
    lines : line at which each record begins.
    heading_line : line of the (last) heading row.
    encoding, sha256 : of the file.
    units : heading -> unit written in its brackets.
    labels : heading -> text of a value -> its label (Stata, SPSS).
    left_out : rows that are no records.
    unvalued : (line, heading) of formulas saved without a value.
    """

    place: str
    columns: dict[str, list[str]]
    lines: list[int]
    encoding: str
    sha256: str
    sheet: str = ""
    heading_line: int = 1
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Sequence[LeftOut] = ()
    unvalued: Sequence[tuple[int, str]] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, line: int) -> str:
        """File, sheet and line for a message."""
        sheet = f", {self.sheet}" if self.sheet else ""
        return f"{self.place}{sheet}, line {line}"


def headings_of(survey: Survey, form: Form) -> dict[str, str]:
    """Spelling -> heading: what a file of a form may call its columns, and what they are called.

    Where survey.yml maps the form's columns, the names it gives are the headings; elsewhere a
    heading is the name of the field.
    """
    mapping = survey.columns.get(form.name)  # type: ignore[call-overload]
    known = (
        _spellings(form.fields)
        if mapping is None
        else {spelling(c.source): c.source for c in mapping.values() if c.source is not None}
    )
    if survey.area_column is not None and survey.area_column.source is not None:
        known[spelling(survey.area_column.source)] = survey.area_column.source
    return known


def _spellings(fields: Iterable[Field]) -> dict[str, str]:
    """Name, English and Chinese label of each field, singly and joined in any order."""
    known: dict[str, str] = {}
    for entry in fields:
        ways = [spelling(way) for way in (entry.name, entry.en, entry.zh)]
        for count in (3, 2, 1):
            for chosen in permutations(ways, count):
                known.setdefault("".join(chosen), entry.name)
    return known


def all_headings(survey: Survey) -> set[str]:
    """Spellings of the headings of all forms of a survey."""
    return {way for form in survey.forms for way in headings_of(survey, FORMS[form])}


def find(known: Mapping[str, str], cell: str) -> str:
    """The heading that a cell stands for, with or without brackets; "" for none."""
    way = spelling(cell)
    if way in known:
        return known[way]
    return known.get(spelling(_BRACKETS.sub(" ", cell)), "") if way else ""


def count_known(known: Mapping[str, str], grid: Grid) -> int:
    """How many different headings the grid's heading has."""
    head = _without_records(known, grid.rows[: _heading_end(known, grid.rows) + 1])
    return len(set(filter(None, _names(known, head, grid.even))))


def as_table(source: Source, grid: Grid, known: Mapping[str, str], ids: Sequence[str]) -> TextTable:
    """The records of a grid under their headings.

    Parameters
    ----------
    source, grid : the file and one of its sheets.
    known : spelling -> heading, as `headings_of` gives it.
    ids : headings of identifiers: a total or a note stands in one of them.

    Raises
    ------
    PovmonError : two columns are the same field, or a row of a CSV file is wider or narrower than
        its heading.
    """
    end = _heading_end(known, grid.rows)
    sheet = f", {grid.sheet}" if grid.sheet else ""
    where = f"{source.place}{sheet}, line {max(grid.lines[end], 1)}"
    head = _without_records(known, grid.rows[: end + 1])
    # Records above their heading (a sorted file) are records all the same.
    body = [*(r for r in grid.rows[:end] if _is_record(known, r)), *grid.rows[end + 1 :]]
    lines = [n for n, r in zip(grid.lines, grid.rows[:end], strict=False) if _is_record(known, r)]
    lines += grid.lines[end + 1 :]
    names = _names(known, head, grid.even)
    width = len(names)
    if grid.even:
        body = _even(body, lines, width, source.place)
    else:
        width = max([width, *map(len, body)])
        names += [""] * (width - len(names))
        body = [row + [""] * (width - len(row)) if len(row) < width else row for row in body]
    headings = _headings(head, names, where)
    own = [i for i, heading in enumerate(headings) if heading.startswith(OWN_MARK)]
    if own:
        body, lines = _without_own(body, lines, own)
    kept, left_out = _records(body, lines, headings, known, ids)
    if left_out:
        body, lines = [body[i] for i in kept], [lines[i] for i in kept]
    columns = [list(map(str.strip, cells)) for cells in zip(*body, strict=True)]
    filled = dict(zip(headings, columns or [[] for _ in headings], strict=True))
    of_line = set(lines)
    return TextTable(
        source.place, _without_empty(filled, names), lines, source.encoding, source.sha256,
        grid.sheet, max(grid.lines[end], 1),
        _units(known, head, names),
        {headings[i]: labels for i, labels in grid.labels.items()},
        left_out,
        [(n, headings[i]) for n, i in grid.unvalued if n in of_line and i < len(headings)],
    )  # fmt: skip


def _heading_end(known: Mapping[str, str], rows: list[list[str]]) -> int:
    """Position of the last row of the heading (0 when no row looks like one).

    The heading begins with the row of which most cells are headings. Rows that are headings too
    belong to it, with rows of units between them; the first row with a number ends it.
    """
    counts = []
    for n, row in enumerate(rows[:_LOOK]):
        counts.append(_count(known, row))
        if n == 0 and counts[0] == len(row) and len(rows) > 1 and not _any(known, rows[1]):
            return 0
    most = max(counts)
    end = counts.index(most) if most else 0
    for n in range(end + 1, len(counts)):
        filled = [cell for cell in rows[n] if cell.strip()]
        if counts[n] > max(len(filled) / 2, 1) or counts[n] == len(filled):
            end = n
        elif any(cell.strip()[0].isdigit() for cell in filled):
            break
    return end


def _count(known: Mapping[str, str], row: list[str]) -> int:
    """How many different headings a row has."""
    return len({find(known, cell) for cell in row} - {""})


def _any(known: Mapping[str, str], row: list[str]) -> bool:
    return any(find(known, cell) for cell in row)


def _is_record(known: Mapping[str, str], row: list[str]) -> bool:
    """Whether a row above the end of the heading holds data: two numbers and no heading."""
    numbers = sum(cell.strip()[:1].isdigit() for cell in row)
    return numbers > 1 and not _any(known, row)


def _without_records(known: Mapping[str, str], rows: list[list[str]]) -> list[list[str]]:
    """The rows of the heading, the last one always."""
    return [*(row for row in rows[:-1] if not _is_record(known, row)), rows[-1]]


def _names(known: Mapping[str, str], head: list[list[str]], even: bool) -> list[str]:
    """For each column the heading it has in the rows of the heading, "" where it is none."""
    block = head[-_DEPTH - 1 :]
    width = len(block[-1]) if even else max(map(len, block))
    names: list[str] = []
    for column in range(width):
        cells = [row[column] if column < len(row) else "" for row in reversed(block)]
        found = next((name for cell in cells if (name := find(known, cell))), "")
        names.append(found or _under_merged(known, block, column))
    return names


def _under_merged(known: Mapping[str, str], block: list[list[str]], column: int) -> str:
    """A heading whose words are spread over merged cells: "Income" above "wages"."""
    last = block[-1][column] if column < len(block[-1]) else ""
    if not last.strip():
        return ""
    for row in reversed(block[:-1]):
        over = next((c for c in reversed(row[: column + 1]) if c.strip()), "")
        for text in (f"{over} {last}", f"{last} {over}"):
            if over and (name := find(known, text)):
                return name
    return ""


def _headings(block: list[list[str]], names: list[str], where: str) -> list[str]:
    """Unique headings: known ones by their names, others as they are written."""
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise PovmonError(
            f"two columns are called {doubled[0]!r}", where=where, todo="name each column once"
        )
    headings: list[str] = []
    taken = set(filter(None, names))
    for column, name in enumerate(names):
        if not name:
            cells = (row[column].strip() for row in reversed(block) if column < len(row))
            written = next(filter(None, cells), f"column {column + 1}")
            name = written if written not in taken else f"{written} (column {column + 1})"
            taken.add(name)
        headings.append(name)
    return headings


def _without_empty(columns: dict[str, list[str]], names: list[str]) -> dict[str, list[str]]:
    """Leave out unknown columns without any content: spreadsheets have many."""
    return {
        heading: cells
        for (heading, cells), name in zip(columns.items(), names, strict=True)
        if name or (not heading.startswith(OWN_MARK) and (any(cells) or heading[:7] != "column "))
    }


def _without_own(
    body: list[list[str]], lines: list[int], own: list[int]
) -> tuple[list[list[str]], list[int]]:
    """Rows without those in which only the workbook's own columns are filled."""
    places = set(own)
    kept = [
        n for n, row in enumerate(body)
        if any(cell.strip() for i, cell in enumerate(row) if i not in places)
    ]  # fmt: skip
    return [body[n] for n in kept], [lines[n] for n in kept]


def _even(body: list[list[str]], lines: list[int], width: int, place: str) -> list[list[str]]:
    """Rows of a CSV file, which must be as wide as the heading (further blank cells may follow)."""
    if all(len(cells) == width for cells in body):
        return body
    rows = []
    for line, cells in zip(lines, body, strict=True):
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            cells = cells[:width]
        if len(cells) != width:
            raise PovmonError(
                f"the CSV is corrupt: {len(cells)} cells where the heading has {width}",
                where=f"{place}, line {line}",
                todo="look for a missing or additional delimiter, and send the file again",
            )
        rows.append(cells)
    return rows


def _records(
    body: list[list[str]], lines: list[int], headings: list[str], known: Mapping[str, str],
    ids: Sequence[str],
) -> tuple[list[int], list[LeftOut]]:  # fmt: skip
    """Positions of the rows that are records, and the rows that are none."""
    looked = sorted({0, *(headings.index(name) for name in ids if name in headings)})
    if len(headings) > 1:
        looked = sorted({*looked, 1})
    suspects = sorted({
        n
        for column in looked
        for n, row in enumerate(body)
        if (cell := row[column]) and not cell[0].isdigit() and not cell.isspace()
    })  # fmt: skip
    out = {n: why for n in suspects if (why := _no_record(body[n], looked, headings, known))}
    left_out = [LeftOut(lines[n], rule, text) for n, (rule, text) in out.items()]
    return [n for n in range(len(body)) if n not in out] if out else [], left_out


def _no_record(
    row: list[str], looked: Sequence[int], headings: list[str], known: Mapping[str, str]
) -> tuple[str, str] | None:
    """Why a row is no record, and the text that says so."""
    cells = [cell.strip() for cell in row]
    filled = [cell for cell in cells if cell]
    for column in looked:
        if spelling(cells[column]) in _TOTALS:
            return "total_row", cells[column]
    first = spelling(filled[0]) if filled else ""
    if first.startswith(_NOTES) and len(filled) <= _MOST_NOTE_CELLS < len(headings):
        return "note_row", ""
    same = sum(bool(cell) and find(known, cell) == heading != ""
               for cell, heading in zip(cells, headings, strict=True))  # fmt: skip
    if same > 1 and same > len(filled) / 2:
        return "heading_row", ""
    return None


def _units(known: Mapping[str, str], block: list[list[str]], names: list[str]) -> dict[str, str]:
    """Units written in brackets in the headings: the lowest row that has one counts."""
    units: dict[str, str] = {}
    for column, name in enumerate(names):
        for row in reversed(block[-_DEPTH - 1 :]):
            cell = row[column] if name and column < len(row) else ""
            found = _BRACKETS.findall(cell) if find(known, cell) == name else []
            if found and name not in units and spelling(cell) not in known:
                units[name] = found[-1].strip()
    return units
