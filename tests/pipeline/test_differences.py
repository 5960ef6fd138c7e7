"""Where two files differ first: each kind of file leads to the place."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from povmon.pipeline.differences import described, difference


def archive(members: dict[str, str], year: int = 2000) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, text in members.items():
            out.writestr(zipfile.ZipInfo(name, (year, 1, 2, 3, 4, 6)), text)
    return made.getvalue()


def parquet(**columns: list[Any]) -> bytes:
    made = io.BytesIO()
    pd.DataFrame(columns).to_parquet(made, index=False)
    return made.getvalue()


def database(folder: Path, rows: list[tuple[int, str]], column: str = "changed") -> bytes:
    path = folder / "made.gpkg"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    connection.execute(f"create table contents (id integer, {column} text)")
    connection.executemany("insert into contents values (?, ?)", rows)
    connection.commit()
    connection.close()
    return path.read_bytes()


def js(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_same_bytes_are_no_difference(tmp_path: Path) -> None:
    one, two = tmp_path / "a.html", tmp_path / "b.html"
    one.write_text("x")
    two.write_text("x")
    assert difference(one, two) == ""
    two.write_text("y")
    assert difference(one, two) == "line 1, column 1: `x` and `y`"


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (b"a\nb 1\n", b"a\nb 2\n", "line 2, column 3: `b 1` and `b 2`"),
        (b"a\n", b"a\nb", "line 2, column 1: `` and `b`"),
        (b"a", b"a\nb", "line 2, column 1: no such line and `b`"),
        ("县a".encode(), "县b".encode(), "line 1, column 2: `县a` and `县b`"),
        (b"x" * 99 + b"1", b"x" * 99 + b"2", f"line 1, column 100: `…{'x' * 30}1` and"),
        (b"\xff1", b"\xff2", "byte 2 of 2 and 2: 31 and 32"),
    ],
)
def test_of_a_page_the_line(one: bytes, two: bytes, expected: str) -> None:
    assert described("a.html", one, two).startswith(expected)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, "a.b[1]: 2 and 3"),
        ({"a": 1}, {"a": 1, "b": None}, "b: nothing and None"),
        ([1], [1, 2], "[1]: nothing and 2"),
        ({"a": 1}, {"a": True}, "a: 1 and True"),
        ({"cells": [{"source": "x\ny"}]}, {"cells": [{"source": "x\nz"}]}, "cells[0].source, line"),
    ],
)
def test_of_a_notebook_the_key(one: Any, two: Any, expected: str) -> None:
    assert described("a.ipynb", js(one), js(two)).startswith(expected)


def test_json_in_another_layout_differs_by_a_byte() -> None:
    assert described("a.json", b'{"a": 1}', b'{"a":1}').startswith("byte 6 of 8 and 7")


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (archive({"x.xml": "a"}), archive({"x.xml": "b"}), "member x.xml, line 1, column 1: `a`"),
        (archive({"x": "a"}), archive({"y": "a"}), "member 1: x and y"),
        (archive({"x": "a"}), archive({"x": "a", "y": "b"}), "member 2: none and y"),
        (archive({"x": "a"}), archive({"x": "a"}, 2026), "time of member x: 2000-01-02 03:04:06"),
        (archive({"x": "a"}), b"no archive", "byte 1 of"),
    ],
)
def test_of_a_workbook_the_member(one: bytes, two: bytes, expected: str) -> None:
    assert described("a.xlsx", one, two).startswith(expected)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (parquet(a=[1, 2]), parquet(a=[1, 3]), "column a, row 2: 2 and 3"),
        (
            parquet(a=[1.0]),
            parquet(a=[1.0 + 2**-52]),
            "column a, row 1: 1.0 and 1.0000000000000002",
        ),
        (parquet(a=[0.0]), parquet(a=[-0.0]), "column a, row 1: 0.0 and -0.0"),
        (parquet(a=[None, 1.0]), parquet(a=[None, 2.0]), "column a, row 2: 1.0 and 2.0"),
        (parquet(a=[1]), parquet(a=[1, 2]), "1 and 2 rows"),
        (parquet(a=[1]), parquet(b=[1]), "columns: a only in the first, b in the second"),
        (parquet(a=[1], b=[2]), parquet(b=[2], a=[1]), "columns: in another order"),
        (parquet(a=[1]), parquet(a=[1.0]), "column a: type int64 and double"),
        (parquet(a=[1]), b"no table", "byte 1 of"),
    ],
)
def test_of_a_table_the_column_and_the_row(one: bytes, two: bytes, expected: str) -> None:
    assert described("a.parquet", one, two).startswith(expected)


def test_of_a_table_stored_in_another_way_the_byte() -> None:
    frame, made = pd.DataFrame({"a": [1, 2, 3]}), io.BytesIO()
    frame.to_parquet(made, index=False, compression="zstd")
    text = described("a.parquet", parquet(a=[1, 2, 3]), made.getvalue())
    assert text.startswith("the same table, stored in another way; byte ")


def test_of_a_geopackage_the_row(tmp_path: Path) -> None:
    one, two = (database(tmp_path, [(1, "a"), (2, text)]) for text in ("2026-01-01", "2027-01-01"))
    assert described("a.gpkg", one, two) == (
        "table contents, row 2: (2, '2026-01-01') and (2, '2027-01-01')"
    )
    other = database(tmp_path, [], column="altered")
    assert described("a.gpkg", one, other).startswith("tables: contents differs")
    assert described("a.gpkg", one, b"no database").startswith("byte 1 of")


def test_of_a_picture_the_byte() -> None:
    assert described("a.png", b"\x89PNG\x01\x02", b"\x89PNG\x01\x03") == (
        "byte 6 of 6 and 6: 02 and 03"
    )
    assert described("a.png", b"\x89PNG", b"\x89PNG\x01") == "byte 5 of 4 and 5: the end and 01"
