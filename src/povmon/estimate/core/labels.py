"""Choosing estimates by their labels, and matching those of several sides."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.design import Ints

Label = Mapping[str, Any]


def select(labels: pd.DataFrame, label: Label, what: str = "estimate") -> Ints:
    """Positions of the rows with these labels; an error with near matches where there is none."""
    if not isinstance(label, Mapping) or not label:
        raise PovmonError(
            f"{label!r} is no label", todo=f'write {{"column": value}} with {list(labels.columns)}'
        )
    chosen = np.ones(len(labels), dtype=bool)
    for name, value in label.items():
        known_column(labels, name)
        same = (labels[name] == value).fillna(False).to_numpy(dtype=bool)
        if not same.any():
            raise _no_value(labels[name], name, value, what)
        chosen &= same
    if not chosen.any():
        raise PovmonError(f"no {what} has all of {dict(label)}")
    return np.flatnonzero(chosen).astype(np.int64)


def align(labels: pd.DataFrame, sides: Sequence[Label]) -> tuple[Ints, pd.DataFrame]:
    """Rows of each side, matched on the labels that no side names.

    Returns
    -------
    (M, S) positions of the S sides, -1 where a side has no such row; the (M rows) labels that
    they have in common.
    """
    if not sides:
        raise PovmonError("no label is given", where="contrast")
    named = {name for side in sides for name in side}
    rest = [name for name in labels.columns if name not in named]
    keys: dict[tuple[Any, ...], int] = {}
    found: list[tuple[int, int, int]] = []
    for s, side in enumerate(sides):
        rows = select(labels, side)
        taken = _keys(labels.iloc[rows], rest)
        if len(set(taken)) < len(taken):
            unnamed = sorted(named - set(side))
            raise PovmonError(
                f"{dict(side)} matches several estimates",
                todo=f"name {' and '.join(unnamed)} too" if unnamed else "",
            )
        for key, row in zip(taken, rows, strict=True):
            found.append((keys.setdefault(key, len(keys)), s, int(row)))
    index = np.full((len(keys), len(sides)), -1, dtype=np.int64)
    at = np.array(found)
    index[at[:, 0], at[:, 1]] = at[:, 2]
    first = index.max(axis=1)
    return index, labels.iloc[first][rest].reset_index(drop=True)


def known_column(labels: pd.DataFrame, name: str) -> None:
    """Error unless the labels have this column."""
    if name not in labels.columns:
        raise unknown_name("label", str(name), [str(c) for c in labels.columns])


def _keys(labels: pd.DataFrame, names: list[str]) -> list[tuple[Any, ...]]:
    """Row labels as tuples."""
    if not names:
        return [()] * len(labels)
    return list(labels[names].itertuples(index=False, name=None))


def _no_value(column: pd.Series[Any], name: str, value: Any, what: str) -> PovmonError:
    """Error for a value that the column does not have, with its near matches."""
    values = list(column.dropna().unique())
    by_text = {str(v): v for v in values}
    near = difflib.get_close_matches(str(value), list(by_text), n=3)
    shown = ", ".join(repr(_plain(by_text[n])) for n in near)
    rest = ", ".join(repr(_plain(v)) for v in values[:20])
    hint = f"did you mean {shown}?" if near else f"there are: {rest}"
    return PovmonError(f"no {what} has {name} {value!r}", todo=hint)


def _plain(value: Any) -> Any:
    """A numpy scalar as Python's own, which prints without its type."""
    return value.item() if isinstance(value, np.generic) else value
