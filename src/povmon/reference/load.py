"""Reading a reference file: its bytes are held against the checksum of its sidecar."""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from povmon import paths
from povmon.errors import PovmonError
from povmon.yamls import from_yaml

RESTORE = "restore the file (git checkout), or run tools/seal_reference.py if the change is meant"


def metadata(name: str, folder: Path | None = None) -> dict[str, Any]:
    """The sidecar `<name>.meta.yml` of a reference file.

    Parameters
    ----------
    name : file name without extension, e.g. ``counties``.
    folder : where it lies; default `povmon.paths.reference()`.

    Returns
    -------
    Title, source, licence, date, sha256, rows, verification and columns, as written there.

    Raises
    ------
    PovmonError : the sidecar is missing or cannot be read.
    """
    path = (folder or paths.reference()) / f"{name}.meta.yml"
    try:
        found = from_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PovmonError(
            f"the reference file {name}.csv has no sidecar", where=str(path), todo=RESTORE
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PovmonError(
            f"the sidecar cannot be read: {error}", where=str(path), todo=RESTORE
        ) from None
    missing = {"title", "source", "licence", "date", "sha256", "verification", "columns"} - set(
        found if isinstance(found, dict) else ()
    )
    if missing:
        raise PovmonError(
            f"the sidecar lacks {', '.join(sorted(missing))}", where=str(path), todo=RESTORE
        )
    return found


def table(name: str, folder: Path | None = None) -> pd.DataFrame:
    """A reference table, all columns text, after its checksum and columns were checked.

    Parameters
    ----------
    name : file name without extension.
    folder : where it lies; default `povmon.paths.reference()`.

    Returns
    -------
    DataFrame with the columns that the sidecar lists; a blank is the empty string.

    Raises
    ------
    PovmonError : the file is missing, changed, or has other columns than its sidecar says.
    """
    return (_cached(name) if folder is None else _read(name, folder)).copy()


@cache
def _cached(name: str) -> pd.DataFrame:
    return _read(name, paths.reference())


def _read(name: str, folder: Path) -> pd.DataFrame:
    path = folder / f"{name}.csv"
    sidecar = metadata(name, folder)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise PovmonError("the reference file is missing", where=str(path), todo=RESTORE) from None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sidecar["sha256"]:
        raise PovmonError(
            "the file differs from the checksum in its sidecar", where=str(path), todo=RESTORE
        )
    frame = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    expected = list(sidecar["columns"])
    if list(frame.columns) != expected:
        raise PovmonError(
            f"the columns are {', '.join(frame.columns)}; the sidecar says {', '.join(expected)}",
            where=str(path),
            todo=RESTORE,
        )
    return frame


def numeric(frame: pd.DataFrame, column: str, name: str) -> pd.Series:
    """A text column as numbers; a blank is missing.

    Raises
    ------
    PovmonError : a cell holds something else than a number; names file and row.
    """
    text = frame[column]
    values = pd.to_numeric(text.where(text != ""), errors="coerce")
    wrong = text[(text != "") & values.isna()]
    if len(wrong):
        raise PovmonError(
            f"{wrong.iloc[0]!r} is not a number",
            where=place(name, wrong.index[0], column),
            todo="correct the cell",
        )
    return values


def place(name: str, row: int, column: str = "") -> str:
    """Where a cell stands, for an error: file, row as a spreadsheet shows it, column."""
    where = f"data/raw/reference/{name}.csv, row {int(row) + 2}"
    return f"{where}, column {column}" if column else where
