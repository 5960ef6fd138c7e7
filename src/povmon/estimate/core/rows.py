"""The columns of a frame as arrays, each made once however many measures use it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from povmon.estimate.design import Floats, numbers

T = TypeVar("T")

# An estimate takes and frees arrays many times. The C library of Linux gives each back to the
# system, to be taken anew at ten times the cost of using it, until it has seen a block of 31 MiB
# come and go; from then on it keeps up to twice as much for the next array.
np.empty(31 * 2**17)


class Rows:
    """A frame's rows, with what the measures derive from them kept for the next measure.

    Parameters
    ----------
    frame : one row a unit (household, person, village); it is never changed.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self._made: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` returns, made at the first call with this key."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def number(self, name: str) -> Floats:
        """A column as float64 (n,), missing values as NaN."""
        return self.once(("number", name), lambda: numbers(self.frame, name))

    def one(self) -> Floats:
        """Ones (n,), which take no memory and cannot be written to."""
        return self.once("one", lambda: np.broadcast_to(1.0, len(self)))
