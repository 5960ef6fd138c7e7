"""Rows in Parquet files, read a chunk at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from povmon.errors import PovmonError, unknown_name

# Rows that are worked on together: what a core does well at once, and what bounds the memory.
ROWS = 2**20


@dataclass(frozen=True)
class Chunk:
    """Row groups of one Parquet file, and the row of the file that they begin with."""

    file: str
    groups: tuple[int, ...]
    first_row: int

    def read(self, columns: Sequence[str]) -> pd.DataFrame:
        """The rows with these columns; a column of categories comes as its values."""
        table = pq.ParquetFile(self.file).read_row_groups(list(self.groups), list(columns))
        for at, field in enumerate(table.schema):
            if pa.types.is_dictionary(field.type):
                plain = table.column(at).cast(field.type.value_type)
                table = table.set_column(at, field.name, plain)
        # Without pandas' own description of them, which would make categories again.
        frame: pd.DataFrame = table.replace_schema_metadata(None).to_pandas()
        return frame

    def __str__(self) -> str:
        return f"{self.file}, rows from {self.first_row}"


def chunks(source: str | os.PathLike[str], columns: Sequence[str]) -> list[Chunk]:
    """The chunks of a Parquet file, or of all Parquet files in a folder in the order of names.

    Parameters
    ----------
    source : a file, or a folder with files ``*.parquet``.
    columns : those that will be read.

    Returns
    -------
    Chunks of about `ROWS` rows. A row group is the least that is read at once: files with larger
    ones than `ROWS` take more memory.

    Raises
    ------
    PovmonError : there is no such file, it is no Parquet, has no row or lacks a column.
    """
    place = Path(source)
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    if not files or not files[0].exists():
        raise PovmonError(
            "there is no Parquet file" if place.is_dir() else "there is no such file",
            where=str(place), todo="name a Parquet file or a folder with *.parquet",
        )  # fmt: skip
    found = [chunk for file in files for chunk in _of_file(file, columns)]
    if not found:
        raise PovmonError("there are no rows to estimate from", where=str(place))
    return found


def _of_file(file: Path, columns: Sequence[str]) -> list[Chunk]:
    try:
        about = pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        raise PovmonError(
            "this is not a Parquet file", where=str(file), todo="write it with DataFrame.to_parquet"
        ) from error
    names = about.schema_arrow.names
    for name in columns:
        if name not in names:
            raise unknown_name("column", name, names, where=str(file))
    found: list[Chunk] = []
    groups: list[int] = []
    first = rows = start = 0
    for group in range(about.num_row_groups):
        size = about.metadata.row_group(group).num_rows
        if groups and rows + size > ROWS:
            found.append(Chunk(str(file.absolute()), tuple(groups), first))
            groups, rows, first = [], 0, start
        if size:
            groups.append(group)
        rows += size
        start += size
    if groups:
        found.append(Chunk(str(file.absolute()), tuple(groups), first))
    return found
