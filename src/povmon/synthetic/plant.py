"""What a kind of planted error is, and the ways of spoiling a value that the kinds share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from povmon.synthetic.spread import column_of

Nature = Literal["logical", "statistical"]
# Where a finding must stand: on a record of the case, on any record of its household, or (an
# error of a whole village) on the village or on half of the records.
Scope = Literal["record", "household", "village"]
Eligible = Callable[[pd.DataFrame], np.ndarray]
Change = Callable[[pd.DataFrame, np.random.Generator], dict[str, list[str]]]

# The smallest and largest planted shift, in robust standard deviations of the logarithm.
SHIFT = (3.5, 8.0)
LEAST_SLIP = 3.0  # a slip by a factor is planted only where it is at least this many of them


@dataclass(frozen=True)
class Plant:
    """A kind of error.

    Parameters
    ----------
    kind : its name, also under `errors.rates` in the file of assumptions.
    form : the form that is hit.
    nature : "logical" when the data themselves contradict it (a sum, a code, a range, a roster,
        a key), "statistical" when it can only be told from other records.
    what : what was done, in words.
    eligible : flags the rows that qualify (text frame of the form -> one flag a row).
    change : new values by column for the rows chosen.
    touches : the columns that are changed.
    edit : the other columns of the edit that it breaks: a finding on any of them counts. "" is a
        finding on the record as a whole.
    scope : the records that a finding may stand on.
    """

    kind: str
    form: str
    nature: Nature
    what: str
    eligible: Eligible
    change: Change
    touches: tuple[str, ...]
    edit: tuple[str, ...] = ()
    scope: Scope = "record"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a finding may name."""
        return (*self.touches, *self.edit)


def numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """A column as numbers; what an earlier error made unreadable is missing."""
    return pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=float)


def plain(values: np.ndarray) -> list[str]:
    """Numbers as a person writes them: no exponent, no trailing zeros."""
    return [f"{v:.4f}".rstrip("0").rstrip(".") for v in values]


def every(frame: pd.DataFrame) -> np.ndarray:
    return np.ones(len(frame), dtype=bool)


def above(column: str, limit: float) -> Eligible:
    return lambda frame: numbers(frame, column) > limit


def equal(column: str, *values: str) -> Eligible:
    return lambda frame: frame[column].isin(values).to_numpy()


def far_slip(column: str, factor: float, least: Eligible) -> Eligible:
    """Rows of `least` where the factor is a shift beyond three robust standard deviations."""

    def test(frame: pd.DataFrame) -> np.ndarray:
        sd = frame[column_of(column)].to_numpy(dtype=float)
        return least(frame) & (abs(np.log(factor)) >= LEAST_SLIP * sd)

    return test


def write(column: str, *values: str) -> Change:
    """One of `values`, at random."""
    return lambda rows, rng: {column: list(rng.choice(np.array(values, dtype=object), len(rows)))}


def scaled(columns: tuple[str, ...], factor: float, whole: bool = False) -> Change:
    """All `columns` times a factor; `whole` rounds them as a form in whole units would."""

    def change(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
        values = {c: numbers(rows, c) * factor for c in columns}
        return {c: plain(np.rint(v) if whole else v) for c, v in values.items()}

    return change


def shifted(columns: tuple[str, ...], by: str, decimals: int = 0) -> Change:
    """All `columns` up or down by 3.5 to 8 robust standard deviations of the logarithm of `by`."""

    def change(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
        size = rng.uniform(*SHIFT, len(rows)) * rng.choice([-1, 1], len(rows))
        factor = np.exp(size * rows[column_of(by)].to_numpy(dtype=float))
        least = 10.0**-decimals
        out = {}
        for column in columns:
            before = numbers(rows, column)
            after = np.round(before * factor, decimals)
            # The column that is shifted stays an amount; a part of it may vanish.
            out[column] = plain(np.maximum(after, least) if column == by else after)
        return out

    return change


def wrong_total(column: str) -> Change:
    """A total that its parts do not give: wrong by a tenth to a half."""

    def change(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
        factor = 1 + rng.choice([-1, 1], len(rows)) * (0.1 + 0.4 * rng.random(len(rows)))
        return {column: plain(np.rint(numbers(rows, column) * factor))}

    return change


def more_than(column: str, limit: str, low: int, high: int) -> Change:
    """A count above the one that bounds it, by `low` to `high`."""

    def change(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
        return {column: plain(numbers(rows, limit) + rng.integers(low, high + 1, len(rows)))}

    return change


def share_of(column: str, other: str, low: float, high: float, decimals: int = 0) -> Change:
    """A value that is a share of another one, where it cannot be."""

    def change(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, list[str]]:
        share = rng.uniform(low, high, len(rows))
        return {column: plain(np.round(numbers(rows, other) * share, decimals))}

    return change
