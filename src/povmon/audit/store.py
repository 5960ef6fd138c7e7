"""The tables of a stage on disk: written whole or not at all, the same bytes each time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from povmon import paths
from povmon.errors import PovmonError


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> list[Path]:
    """Write ``<name>.parquet`` for each table, all complete before the first is put in place.

    Raises
    ------
    PovmonError : the folder cannot be written; tables that stood there before stay as they were.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as temporary:
            made = [_write(Path(temporary) / f"{n}.parquet", t) for n, t in tables.items()]
            for path in made:
                os.replace(path, folder / path.name)
            return [folder / path.name for path in made]
    except OSError as error:
        shown = _shown(folder)
        raise PovmonError(
            f"the folder cannot be written ({error.strerror or error})",
            where=shown,
            todo="check its permissions and the space on the disk",
        ) from error


def _write(path: Path, table: pd.DataFrame) -> Path:
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow, path, compression="zstd")
    return path


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """Read one table back, with the types it was written with.

    Raises
    ------
    PovmonError : it is not there.
    """
    path = folder / f"{name}.parquet"
    if not path.is_file():
        raise PovmonError(
            f"there is no {name} table",
            where=_shown(folder),
            todo="run the audit of the area first",
        )
    return pd.read_parquet(path)


def _shown(folder: Path) -> str:
    try:
        return folder.relative_to(paths.root()).as_posix()
    except ValueError:
        return folder.name
