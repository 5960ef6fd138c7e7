"""Stata (.dta) and SPSS (.sav) files: values as text, with their value labels beside them."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from povmon.errors import PovmonError
from povmon.survey.readers.excel import number_text
from povmon.survey.readers.grid import Grid

_READERS: dict[str, Callable[..., Any]] = {
    ".dta": pyreadstat.read_dta,
    ".sav": pyreadstat.read_sav,
    ".zsav": pyreadstat.read_sav,
}
_DAMAGE = (
    pyreadstat.ReadstatError, pyreadstat.PyreadstatError, LookupError, OSError, OverflowError,
    RuntimeError, TypeError, ValueError,
)  # fmt: skip
_RELEASE = re.compile(rb"<release>(\d+)</release>")


def read_statistical(data: bytes, suffix: str, place: str) -> Grid:
    """The observations of a Stata or SPSS file below its variables' labels and names.

    Parameters
    ----------
    data : the file's bytes.
    suffix : ".dta", ".sav" or ".zsav".
    place : how messages name it.

    Raises
    ------
    PovmonError : damaged, of another format, or without variables.
    """
    name = "Stata" if suffix == ".dta" else "SPSS"
    frame, meta = _read(data, suffix, place, name)
    if not len(frame.columns):
        raise PovmonError(f"the {name} file has no variables", where=place, todo="send it again")
    names = [str(column) for column in frame.columns]
    titles = [str(label or "") for label in meta.column_labels] or names
    short = {name for name, kind in meta.readstat_variable_types.items() if kind == "float"}
    columns = [_text(frame.iloc[:, i], names[i] in short) for i in range(len(names))]
    observations = [list(row) for row in zip(*columns, strict=True)]
    labels = {
        names.index(variable): {_value_text(value): str(text) for value, text in known.items()}
        for variable, known in meta.variable_value_labels.items()
        if variable in names
    }
    filled = [n for n, row in enumerate(observations) if any(row)]
    rows = [titles, names, *(observations[n] for n in filled)]
    return Grid("", rows, [0, 0, *(n + 1 for n in filled)], labels=labels)


def _read(data: bytes, suffix: str, place: str, name: str) -> tuple[pd.DataFrame, Any]:
    """Old files do not say how their text is encoded: GB18030 first, then as the reader thinks."""
    encodings = ["GB18030", None] if _is_old(data, suffix) else [None, "GB18030"]
    for encoding in encodings:
        try:
            return _READERS[suffix](io.BytesIO(data), encoding=encoding)
        except _DAMAGE:
            continue
    raise PovmonError(
        f"the {name} file is damaged or not one",
        where=place,
        todo=f"open it in {name}, save it anew, and send it again, or export it as CSV",
    )


def _is_old(data: bytes, suffix: str) -> bool:
    """A Stata file from before version 14, which had no fixed encoding."""
    if suffix != ".dta":
        return False
    release = _RELEASE.search(data[:100])
    return int(release.group(1)) < 118 if release else True


def _text(values: pd.Series, short: bool) -> list[str]:
    """A variable as text; missing values, extended and user-defined ones too, are empty.

    `short`: stored with single precision, so that its digits beyond the seventh mean nothing.
    """
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        return _number_column(numbers, short)
    return [_value_text(value) for value in values.to_list()]


def _number_column(numbers: np.ndarray, short: bool) -> list[str]:
    whole = np.isfinite(numbers) & (numbers == np.round(numbers)) & (np.abs(numbers) < 2**53)
    text = np.where(whole, numbers, 0).astype("int64").astype(str).astype(object)
    rest = numbers[~whole]
    text[~whole] = [number_text(float(str(np.float32(n)) if short else n)) for n in rest]
    out: list[str] = text.tolist()
    return out


def _value_text(value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "1" if value else "0"
    if isinstance(value, int | float | np.integer | np.floating):
        return number_text(float(value))
    if value is pd.NaT:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return str(value)
