"""Domains laid over rows, with the sums that every measure needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.estimate.design import Floats, Ints, coded, column


@dataclass(frozen=True, eq=False)
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
        if len(self.code) == 0 or self.code.min() >= 0:
            return np.bincount(self.code, values, minlength=len(self)).astype(np.float64)
        # Rows outside all domains are counted in a bin of their own, which is dropped.
        return np.bincount(self.code + 1, values, minlength=len(self) + 1)[1:].astype(np.float64)

    def spread(self, values: Floats) -> Floats:
        """Domain values carried back to rows, 0 outside all domains, shape (n,)."""
        return np.append(values, 0.0)[self.code]

    def cross(self, other: Domains) -> Domains:
        """All pairs with other domains, D1 x D2 of them, the other's varying fastest."""
        outside = (self.code < 0) | (other.code < 0)
        code = np.where(outside, -1, self.code * len(other) + other.code)
        return Domains(code, pd.DataFrame(index=range(len(self) * len(other))))


def lay_domains(frame: pd.DataFrame, by: Sequence[str] | None) -> Domains:
    """Domains are the combinations of the values of `by` that occur, in sorted order.

    A row with a missing value in a `by` column belongs to no domain but stays in the design.
    """
    if not by:
        return Domains(np.zeros(len(frame), dtype=np.int64), pd.DataFrame(index=range(1)))
    codes, labels = zip(*(coded(column(frame, name)) for name in by), strict=True)
    code = codes[0]
    for other, names in zip(codes[1:], labels[1:], strict=True):
        code = np.where((code < 0) | (other < 0), -1, code * len(names) + other)
    if len(by) > 1:
        code, occur = pd.factorize(np.where(code < 0, -1, code), sort=True)
        missing = len(occur) > 0 and occur[0] == -1
        code, occur = (code - 1, occur[1:]) if missing else (code, occur)
    else:
        occur = np.arange(len(labels[0]))
    table = {}
    for name, names in zip(reversed(by), reversed(labels), strict=True):
        table[name] = names.take(occur % max(len(names), 1))
        occur = occur // max(len(names), 1)
    return Domains(code.astype(np.int64), pd.DataFrame({name: table[name] for name in by}))
