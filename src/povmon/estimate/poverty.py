"""Poverty measures: FGT, Watts, Sen, Sen-Shorrocks-Thon and the income gap ratio.

A negative income is poor and its gap counts as for zero. Watts leaves out what is not positive.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, numbers
from povmon.estimate.domains import Domains
from povmon.estimate.inequality import gini_of
from povmon.estimate.measures import Linearised, ratio_of


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


@dataclass(frozen=True)
class IncomeGapRatio:
    """Mean gap of the poor as a share of the line."""

    x: str
    line: float | str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Ratio of the poverty gap to the headcount; missing where nobody is poor."""
        x, line = numbers(frame, self.x), poverty_line(frame, self.line)
        gap, poor = fgt_values(x, line, 1.0), fgt_values(x, line, 0.0)
        used = np.isfinite(x)
        result = ratio_of(gap, poor, used, weight, domains)
        return Linearised(result.estimate, result.values, used)


@dataclass(frozen=True)
class Watts:
    """Watts index."""

    x: str
    line: float | str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Mean of log(line / x) over all, the non-poor counting zero."""
        x, line = numbers(frame, self.x), poverty_line(frame, self.line)
        used = np.isfinite(x) & (x > 0)
        safe = np.where(used, x, line)
        value = np.where(safe < line, np.log(line / safe), 0.0)
        return ratio_of(value, np.ones_like(value), used, weight, domains)


@dataclass(frozen=True)
class Sen:
    """Sen index of poverty."""

    x: str
    line: float | str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """P1 + (P0 - P1) G, with G the Gini of the incomes of the poor (negative ones as 0)."""
        x, line = numbers(frame, self.x), poverty_line(frame, self.line)
        used = np.isfinite(x)
        one = np.ones(len(x))
        poor = fgt_values(x, line, 0.0)
        p0 = ratio_of(poor, one, used, weight, domains)
        p1 = ratio_of(fgt_values(x, line, 1.0), one, used, weight, domains)
        among = gini_of(np.maximum(x, 0.0) / line, used & (poor > 0), weight, domains)
        # Nobody poor, or no poor person with an income: inequality among the poor is nil.
        g = np.nan_to_num(among.estimate)
        difference = p0.estimate - p1.estimate
        share, spread = domains.spread(g), domains.spread(np.nan_to_num(difference))
        values = p1.values + share * (p0.values - p1.values) + spread * among.values
        return Linearised(p1.estimate + difference * g, values, used)


@dataclass(frozen=True)
class SenShorrocksThon:
    """Sen-Shorrocks-Thon index of poverty."""

    x: str
    line: float | str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """P1 (1 + G), with G the Gini of the gaps of all persons, the non-poor's being zero."""
        x, line = numbers(frame, self.x), poverty_line(frame, self.line)
        used = np.isfinite(x)
        gap = fgt_values(x, line, 1.0)
        p1 = ratio_of(gap, np.ones(len(x)), used, weight, domains)
        among = gini_of(gap, used, weight, domains)
        g = np.nan_to_num(among.estimate)
        values = p1.values * (1 + domains.spread(g))
        values = values + domains.spread(np.nan_to_num(p1.estimate)) * among.values
        return Linearised(p1.estimate * (1 + g), values, used)


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


def income_gap_ratio(x: str, line: float | str, *, name: str | None = None) -> IncomeGapRatio:
    """Income gap ratio I = P1 / P0: the mean shortfall of the poor as a share of the line.

    Source: Sen (1976), Econometrica 44, sec. 2.
    """
    return IncomeGapRatio(x, line, name or f"income_gap_ratio({x}, {line})")


def watts(x: str, line: float | str, *, name: str | None = None) -> Watts:
    """Watts index W = sum(w log(z / x) [x < z]) / sum(w); incomes of zero or less are left out.

    Source: Watts (1968); Zheng (1993), Economics Letters 42.
    """
    return Watts(x, line, name or f"watts({x}, {line})")


def sen(x: str, line: float | str, *, name: str | None = None) -> Sen:
    """Sen index S = H (I + (1 - I) G_p) for large numbers of poor, G_p the Gini of their incomes.

    Source: Sen (1976), Econometrica 44, eq. 19.
    """
    return Sen(x, line, name or f"sen({x}, {line})")


def sst(x: str, line: float | str, *, name: str | None = None) -> SenShorrocksThon:
    """Sen-Shorrocks-Thon index: the poverty gap times 1 + the Gini of all gaps.

    Source: Shorrocks (1995), Econometrica 63, eq. 9; Osberg and Xu (2000) for this form.
    """
    return SenShorrocksThon(x, line, name or f"sst({x}, {line})")
