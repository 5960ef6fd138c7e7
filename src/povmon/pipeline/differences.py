"""Where two files that should be the same differ first, in words that lead to the cause."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

AROUND = 30  # characters shown before and after a difference
_TEXT = (".html", ".csv", ".txt", ".xml", ".rels", ".svg", ".yml", ".jsonl", ".geojson", ".md")
_ZIP = (".xlsx", ".docx", ".zip")


def difference(one: Path, two: Path) -> str:
    """The first difference of two files; empty when they are the same byte for byte.

    Parameters
    ----------
    one, two : the files; the ending of the first says how both are read.

    Returns
    -------
    A phrase: the line of a text, the member of an archive, the key of a JSON file, the column and
    row of a table, or else the position of the byte, with what stands in each.
    """
    first, second = one.read_bytes(), two.read_bytes()
    return "" if first == second else described(one.name, first, second)


def described(name: str, one: bytes, two: bytes) -> str:
    """As `difference`, for contents (that differ) of files called `name`."""
    try:
        found = _reader(Path(name).suffix.lower())(one, two)
    except (ValueError, OSError, zipfile.BadZipFile, sqlite3.Error):
        found = ""  # not what its ending says: the bytes tell
    return found or _of_bytes(one, two)


def _reader(kind: str) -> Callable[[bytes, bytes], str]:
    if kind in _TEXT:
        return _of_text
    if kind in _ZIP:
        return _of_archive
    others = {
        ".json": _of_json,
        ".ipynb": _of_json,
        ".parquet": _of_parquet,
        ".gpkg": _of_database,
        ".sqlite": _of_database,
    }
    return others.get(kind, _of_bytes)


def _of_bytes(one: bytes, two: bytes) -> str:
    at = _first(one, two)
    shown = " and ".join(part[at : at + 8].hex(" ") or "the end" for part in (one, two))
    return f"byte {at + 1:,} of {len(one):,} and {len(two):,}: {shown}"


def _of_text(one: bytes, two: bytes) -> str:
    lines = zip_longest(one.decode("utf-8").split("\n"), two.decode("utf-8").split("\n"))
    for number, (first, second) in enumerate(lines, 1):
        if first != second:
            at = _first(first or "", second or "")
            shown = " and ".join(_excerpt(line, at) for line in (first, second))
            return f"line {number:,}, column {at + 1:,}: {shown}"
    return ""


def _first(one: Any, two: Any) -> int:
    """Position of the first difference of two sequences."""
    pairs = enumerate(zip(one, two, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(two)))


def _excerpt(line: str | None, at: int) -> str:
    if line is None:
        return "no such line"
    start, end = max(0, at - AROUND), at + AROUND
    before, after = "…" if start else "", "…" if end < len(line) else ""
    return f"`{before}{line[start:end]}{after}`"


def _of_archive(one: bytes, two: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(one)) as first, zipfile.ZipFile(io.BytesIO(two)) as second:
        names, others = first.namelist(), second.namelist()
        if names != others:
            at = _first(names, others)
            shown = " and ".join(str([*n, "none"][min(at, len(n))]) for n in (names, others))
            return f"member {at + 1}: {shown}"
        for name in names:
            contents = first.read(name), second.read(name)
            if contents[0] != contents[1]:
                return f"member {name}, {described(name, *contents)}"
        for a, b in zip(first.infolist(), second.infolist(), strict=True):
            if a.date_time != b.date_time:
                return f"time of member {a.filename}: {_time(a)} and {_time(b)}"
    return ""


def _time(member: zipfile.ZipInfo) -> str:
    year, month, day, hour, minute, second = member.date_time
    return f"{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"


def _of_json(one: bytes, two: bytes) -> str:
    found = next(_unequal(json.loads(one), json.loads(two), ""), None)
    if found is None:
        return ""
    where, first, second = found
    if isinstance(first, str) and isinstance(second, str):
        return f"{where or 'value'}, {_of_text(first.encode(), second.encode())}"
    return f"{where or 'value'}: {_short(first)} and {_short(second)}"


def _unequal(one: Any, two: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """Places at which two JSON values differ, with what stands there."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in dict.fromkeys([*one, *two]):
            place = f"{where}.{key}" if where else str(key)
            yield from _unequal(one.get(key, _ABSENT), two.get(key, _ABSENT), place)
    elif isinstance(one, list) and isinstance(two, list):
        for number, (a, b) in enumerate(zip_longest(one, two, fillvalue=_ABSENT)):
            yield from _unequal(a, b, f"{where}[{number}]")
    elif one != two or type(one) is not type(two):
        yield where, one, two


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


_ABSENT = _Absent()


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 2 * AROUND else f"{text[: 2 * AROUND]}…"


def _of_parquet(one: bytes, two: bytes) -> str:
    import pyarrow.parquet as pq

    first, second = pq.read_table(io.BytesIO(one)), pq.read_table(io.BytesIO(two))
    if first.column_names != second.column_names:
        return f"columns: {_only(first.column_names, second.column_names)}"
    if first.num_rows != second.num_rows:
        return f"{first.num_rows:,} and {second.num_rows:,} rows"
    for name in first.column_names:
        if first.column(name).type != second.column(name).type:
            return f"column {name}: type {first.column(name).type} and {second.column(name).type}"
        values = first.column(name).to_pylist(), second.column(name).to_pylist()
        row = next((i for i, (a, b) in enumerate(zip(*values, strict=True)) if _unlike(a, b)), None)
        if row is not None:
            shown = " and ".join(_short(column[row]) for column in values)
            return f"column {name}, row {row + 1:,}: {shown}"
    if first.schema.metadata != second.schema.metadata:
        return "the same table, other notes in its schema"
    return f"the same table, stored in another way; {_of_bytes(one, two)}"


def _unlike(one: Any, two: Any) -> bool:
    """Not the same number, also in its last digit or its sign; a missing one is like another."""
    return bool(one != two and not (one != one and two != two)) or repr(one) != repr(two)


def _only(one: list[str], two: list[str]) -> str:
    lost, new = [n for n in one if n not in two], [n for n in two if n not in one]
    if not lost and not new:
        return "in another order"
    return (
        f"{', '.join(lost) or 'none'} only in the first, {', '.join(new) or 'none'} in the second"
    )


def _of_database(one: bytes, two: bytes) -> str:
    with closing(_opened(one)) as first, closing(_opened(two)) as second:
        query = "select name, sql from sqlite_master where type = 'table' order by name"
        tables, others = first.execute(query).fetchall(), second.execute(query).fetchall()
        names = [name for name, _ in tables]
        if names != [name for name, _ in others]:
            return f"tables: {_only(names, [name for name, _ in others])}"
        if tables != others:
            return f"tables: {names[_first(tables, others)]} differs in its columns"
        for name in names:
            select = 'select * from "{}" order by rowid'.format(name.replace('"', '""'))
            pairs = zip_longest(first.execute(select), second.execute(select))
            for row, (a, b) in enumerate(pairs, 1):
                if a != b:
                    return f"table {name}, row {row:,}: {_short(a)} and {_short(b)}"
    return ""


def _opened(content: bytes) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.deserialize(content)
    return database
