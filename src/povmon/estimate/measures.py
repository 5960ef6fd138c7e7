"""What a measure is, and the plain ones: mean, total, proportion, ratio.

Each measure turns rows into an estimate for each domain and the linearised values that its
variance needs: the derivative of the estimate with respect to a row's weight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, numbers
from povmon.estimate.domains import Domains

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Linearised:
    """What a measure gives for all domains at once. Shapes: n rows, D domains."""

    estimate: Floats  # (D,)
    values: Floats  # (n,) derivative of the estimate with respect to the row's weight
    used: Flags  # (n,) rows that entered the measure
    # A quantile is estimated by inverting F: the values are then those of F at the quantile.
    level: Floats | None = None  # (D,) F at the estimate
    inverse: Callable[[Floats], Floats] | None = None  # F -> quantile, both (D,)


class Measure(Protocol):
    """What `estimate` asks of a measure."""

    @property
    def name(self) -> str:
        """Label in the table of estimates."""
        ...

    @property
    def bounded(self) -> bool:
        """True where the estimate is a proportion, which gets a logit interval."""
        ...

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Estimate by domain and linearised values by row."""
        ...


def divide(top: Floats, bottom: Floats) -> Floats:
    """Quotient, NaN where the denominator is zero."""
    out = np.full(np.shape(bottom), np.nan)
    return np.divide(top, bottom, out=out, where=bottom != 0)


def ratio_of(
    top: Floats, bottom: Floats, used: Flags, weight: Floats, domains: Domains
) -> Linearised:
    """Ratio of weighted sums R = Y/X and its linearised values (y - R x) / X.

    Source: Särndal, Swensson and Wretman (1992), eq. 5.6.8.
    """
    y, x = np.where(used, top, 0.0), np.where(used, bottom, 0.0)
    total = domains.sum(weight * x)
    estimate = divide(domains.sum(weight * y), total)
    safe = np.where(total != 0, total, 1.0)
    values = (y - domains.spread(np.nan_to_num(estimate)) * x) / np.where(
        domains.code >= 0, np.append(safe, 1.0)[domains.code], 1.0
    )
    return Linearised(estimate, np.where(used, values, 0.0), used)


@dataclass(frozen=True)
class Ratio:
    """Ratio of two weighted totals."""

    top: str
    bottom: str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows with a missing part are left out; rows with nothing in either do not count."""
        y, x = numbers(frame, self.top), numbers(frame, self.bottom)
        used = np.isfinite(y) & np.isfinite(x) & ((x != 0) | (y != 0))
        return ratio_of(y, x, used, weight, domains)


@dataclass(frozen=True)
class Mean:
    """Weighted mean."""

    x: str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows with a missing value are left out."""
        x = numbers(frame, self.x)
        if self.bounded and not np.isin(x[np.isfinite(x)], (0.0, 1.0)).all():
            raise PovmonError(
                f"column {self.x!r} has values other than 0 and 1", todo="use mean() or recode it"
            )
        return ratio_of(x, np.ones_like(x), np.isfinite(x), weight, domains)


@dataclass(frozen=True)
class Total:
    """Weighted total."""

    x: str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows with a missing value are left out: they add nothing."""
        x = numbers(frame, self.x)
        used = np.isfinite(x)
        values = np.where(used, x, 0.0)
        return Linearised(domains.sum(weight * values), values, used)


def mean(x: str, *, name: str | None = None) -> Mean:
    """Weighted mean of column `x`: sum(w x) / sum(w)."""
    return Mean(x, name or f"mean({x})")


def total(x: str, *, name: str | None = None) -> Total:
    """Weighted total of column `x`: sum(w x)."""
    return Total(x, name or f"total({x})")


def proportion(x: str, *, name: str | None = None) -> Mean:
    """Weighted share of rows with `x` = 1 (0/1 or boolean), with a logit interval."""
    return Mean(x, name or f"proportion({x})", bounded=True)


def ratio(num: str, den: str, *, name: str | None = None, bounded: bool = False) -> Ratio:
    """Ratio of weighted totals, sum(w num) / sum(w den).

    `bounded`: the ratio is a share (num is part of den), so its interval is a logit one.
    """
    return Ratio(num, den, name or f"ratio({num}, {den})", bounded=bounded)
