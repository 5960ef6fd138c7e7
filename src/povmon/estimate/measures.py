"""Measures that are functions of sums: mean, total, proportion, ratio, FGT.

Each measure turns rows into an estimate for each domain and the linearised values that its
variance needs: the derivative of the estimate with respect to a row's weight.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass(frozen=True)
class FGT:
    """Foster-Greer-Thorbecke index."""

    x: str
    line: float | str
    alpha: float
    closed: bool
    name: str
    bounded: bool = field(default=False)

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Mean of ((line - x) / line)**alpha over all, non-poor counting zero."""
        x = numbers(frame, self.x)
        line = poverty_line(frame, self.line)
        used = np.isfinite(x)
        gap = fgt_values(x, line, self.alpha, closed=self.closed)
        return ratio_of(gap, np.ones_like(gap), used, weight, domains)


def poverty_line(frame: pd.DataFrame, line: float | str) -> Floats:
    """The line of each row, shape (n,): a number for all, or a column."""
    values = numbers(frame, line) if isinstance(line, str) else np.full(len(frame), float(line))
    if not (np.isfinite(values) & (values > 0)).all():
        raise PovmonError(f"poverty line {line!r} is missing or not positive", todo="correct it")
    return values


def fgt_values(x: Floats, line: Floats, alpha: float, *, closed: bool = False) -> Floats:
    """Row values of the FGT index; a negative income is poor and its gap counts as for zero."""
    poor = (x <= line) if closed else (x < line)
    if alpha == 0:
        return np.where(poor, 1.0, 0.0)
    gap = np.clip((line - np.maximum(x, 0.0)) / line, 0.0, 1.0)
    return np.where(poor, gap**alpha, 0.0)


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


def fgt(
    x: str, line: float | str, alpha: float, *, closed: bool = False, name: str | None = None
) -> FGT:
    """Foster-Greer-Thorbecke index P_alpha of column `x` at `line` (a number or a column).

    P_alpha = sum(w ((z - x) / z)**alpha [x < z]) / sum(w). `alpha` 0 is the headcount, 1 the
    poverty gap, 2 its severity. `closed`: a value equal to the line counts as poor. A negative
    value is poor and its gap counts as for zero, so that no gap exceeds 1.

    Source: Foster, Greer and Thorbecke (1984), Econometrica 52, eq. 1.
    """
    if not alpha >= 0:
        raise PovmonError(f"alpha is {alpha}", where="fgt", todo="use 0 or more")
    label = name or f"fgt{alpha:g}({x}, {line})"
    return FGT(x, line, float(alpha), closed, label, bounded=alpha == 0)
