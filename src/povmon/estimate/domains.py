"""Domains laid over rows, with the sums that every measure needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon.estimate.design import Floats, Ints, column


@dataclass(frozen=True)
class Domains:
    """Which domain each row belongs to.

    Shapes: n rows, D domains. A row outside all domains has code -1; it stays in the design.
    """

    code: Ints  # (n,)
    labels: pd.DataFrame  # (D, number of by columns)

    def __len__(self) -> int:
        return len(self.labels)

    def sum(self, values: Floats) -> Floats:
        """Totals of row values by domain, shape (D,)."""
        inside = self.code >= 0
        if inside.all():
            return np.bincount(self.code, values, minlength=len(self)).astype(np.float64)
        kept = self.code[inside]
        return np.bincount(kept, values[inside], minlength=len(self)).astype(np.float64)

    def spread(self, values: Floats) -> Floats:
        """Domain values carried back to rows, 0 outside all domains, shape (n,)."""
        return np.where(self.code >= 0, np.append(values, 0.0)[self.code], 0.0)


def lay_domains(frame: pd.DataFrame, by: Sequence[str] | None) -> Domains:
    """Domains are the combinations of the values of `by` that occur, in sorted order.

    A row with a missing value in a `by` column belongs to no domain but stays in the design.
    """
    if not by:
        return Domains(np.zeros(len(frame), dtype=np.int64), pd.DataFrame(index=range(1)))
    keys = pd.DataFrame({name: column(frame, name) for name in by})
    groups = keys.groupby(list(by), sort=True, observed=True, dropna=True)
    code: Ints = groups.ngroup().fillna(-1).to_numpy().astype(np.int64)
    filled = code >= 0
    labels: Any = keys[filled].drop_duplicates().sort_values(list(by), ignore_index=True)
    return Domains(code, labels)
