"""Poverty measures: FGT, Watts, Sen, Sen-Shorrocks-Thon and the income gap ratio.

A negative income is poor and its gap counts as for zero, unless asked otherwise. Watts leaves
out what is not positive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from povmon.errors import PovmonError
from povmon.estimate.core.compiled import poor_rows
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import Sorted
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import (
    DistributionMeasure,
    Linearised,
    Part,
    Parts,
    RatioOfSums,
    Subset,
    divide,
    linearise,
    present,
)
from povmon.estimate.measures.inequality import gini_and_sums, gini_linearised, positive
from povmon.estimate.measures.pairs import Pairs
from povmon.estimate.measures.relative import RelativeFGT, RelativeLine

Line = float | str


def with_line(x: str, line: Line) -> tuple[str, ...]:
    """A column, and that of the line where the line is one."""
    return (x, line) if isinstance(line, str) else (x,)


@dataclass(frozen=True)
class FGT(RatioOfSums):
    """Foster-Greer-Thorbecke index."""

    x: str
    line: Line
    alpha: float
    closed: bool
    negative: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return with_line(self.x, self.line)

    def parts(self, rows: Rows) -> Parts:
        """Mean of ((line - x) / line)**alpha over all, non-poor counting zero."""
        used = present(rows, self.x)
        return Parts((self.gaps(rows, self.alpha), used), used)

    def dense(self, rows: Rows) -> Floats:
        """Row values (n,), zero for the non-poor."""
        return self.gaps(rows, self.alpha).dense(len(rows))

    def gaps(self, rows: Rows, alpha: float) -> Part:
        """Row values of the index, shared by all measures at the same line."""
        key = ("fgt", self.x, self.line, self.closed, self.negative)

        def poor() -> Part:
            x, line = rows.number(self.x), poverty_line(rows, self.line)
            at = poor_rows(x, np.atleast_1d(line), self.closed)
            return Part(np.broadcast_to(1.0, len(at)), flag=True, subset=Subset(at))

        def gap() -> Part:
            head = self.gaps(rows, 0.0).subset
            assert head is not None
            x = np.take(rows.number(self.x), head.at, mode="clip")
            line = poverty_line(rows, self.line)
            line = line[head.at] if isinstance(line, np.ndarray) else line
            return part(relative_gap(x, line, floor=self.negative == "zero"), 1.0)

        def power() -> Part:
            if alpha in (2, 4):  # a general power is slow
                half = self.gaps(rows, alpha / 2).values
                return part(half * half, alpha)
            return part(self.gaps(rows, 1.0).values ** alpha, alpha)

        def part(values: Floats, exponent: float) -> Part:
            subset = self.gaps(rows, 0.0).subset
            # Not the rows themselves: they keep this part, and a circle would outlive the estimate.
            return Part(values, square=lambda rows: self.gaps(rows, 2 * exponent), subset=subset)

        make = poor if alpha == 0 else gap if alpha == 1 else power
        return rows.once((*key, alpha), make)


def poverty_line(rows: Rows, line: Line) -> Floats | float:
    """The line: a number for all rows, or a column (n,); checked to be positive."""

    def make() -> Floats | float:
        values = rows.number(line) if isinstance(line, str) else float(line)
        bad = ~(np.isfinite(values) & (np.asarray(values) > 0))
        if np.any(bad):
            where = f"first at row {int(np.argmax(bad))}" if np.ndim(bad) else ""
            raise PovmonError(
                f"poverty line {line!r} is missing or not positive", where=where, todo="correct it"
            )
        return values

    return rows.once(("line", line), make)


def relative_gap(x: Floats, line: Floats | float, *, floor: bool = True) -> Floats:
    """(line - x) / line of incomes not above the line; `floor`: a negative income as zero."""
    gap = x / line
    np.subtract(1.0, gap, out=gap)
    return np.minimum(gap, 1.0, out=gap) if floor else gap


@dataclass(frozen=True)
class IncomeGapRatio(RatioOfSums):
    """Mean gap of the poor as a share of the line."""

    x: str
    line: Line

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return with_line(self.x, self.line)

    def parts(self, rows: Rows) -> Parts:
        """Ratio of the poverty gap to the headcount; missing where nobody is poor."""
        index = FGT("", self.x, self.line, 0.0, False, "zero")
        used = present(rows, self.x)
        return Parts((index.gaps(rows, 1.0), index.gaps(rows, 0.0)), used)


@dataclass(frozen=True)
class Watts(RatioOfSums):
    """Watts index."""

    x: str
    line: Line

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return with_line(self.x, self.line)

    def parts(self, rows: Rows) -> Parts:
        """Mean of log(line / x) over all, the non-poor counting zero."""

        def value() -> Part:
            x, line = rows.number(self.x), poverty_line(rows, self.line)
            poor = (x > 0) & (x < line)
            return Part(np.log(np.where(poor, line, 1.0) / np.where(poor, x, 1.0)))

        used = positive(rows, self.x)
        return Parts((rows.once(("watts", self.x, self.line), value), used), used)


@dataclass(frozen=True)
class _GapAndGini(DistributionMeasure):
    """Indices that join the poverty gap with a Gini coefficient."""

    x: str
    line: Line

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return with_line(self.x, self.line)

    def _indices(self) -> tuple[FGT, FGT]:
        head = FGT("", self.x, self.line, 0.0, False, "zero")
        return head, FGT("", self.x, self.line, 1.0, False, "zero")

    def _ranked(self, rows: Rows) -> Floats:
        """Incomes as shares of the line, negative ones as zero."""
        return np.maximum(rows.number(self.x), 0.0) / poverty_line(rows, self.line)


@dataclass(frozen=True)
class Sen(_GapAndGini):
    """Sen index of poverty."""

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """P1 + (P0 - P1) G, with G the Gini of the incomes of the poor (negative ones as 0)."""
        p0, p1 = (linearise(index, rows, weight, domains) for index in self._indices())
        laid, poor = self._among_poor(rows, domains)
        income = Part(np.where(poor.values > 0, self._ranked(rows), 0.0))
        among = gini_linearised(laid, (poor, income), weight, domains)
        # Nobody poor, or no poor person with an income: inequality among the poor is nil.
        g = np.nan_to_num(among.estimate)
        difference = p0.estimate - p1.estimate
        share, spread = domains.spread(g), domains.spread(np.nan_to_num(difference))
        values = p1.values + share * (p0.values - p1.values) + spread * among.values
        return Linearised(p1.estimate + difference * g, values, p1.used)

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """P1 + (P0 - P1) G under each vector of weights."""
        used = present(rows, self.x).values
        everyone = np.stack([domains.sum(weight * used) for weight in weights])
        return _sen(everyone, *gini_and_sums(self._among_poor(rows, domains)[0], weights))

    def by_units(
        self, rows: Rows, weight: Floats, domains: Domains, unit: Ints, replicates: int
    ) -> Callable[[Floats], Floats] | None:
        """From sums over pairs of units."""
        laid = self._among_poor(rows, domains)[0]
        pairs = Pairs.if_it_pays(laid, weight, unit, replicates)
        if pairs is None:
            return None
        inside = domains.code >= 0
        used = (weight * present(rows, self.x).values)[inside]
        shape = len(domains), int(unit.max()) + 1
        everyone = sparse.csr_array((used, (domains.code[inside], unit[inside])), shape=shape)
        return lambda factors: _sen((everyone @ factors.T).T, *pairs.gini_and_sums(factors))

    def _among_poor(self, rows: Rows, domains: Domains) -> tuple[Sorted, Part]:
        def make() -> tuple[Sorted, Part]:
            poor = self._indices()[0].dense(rows)
            return Sorted.of(self._ranked(rows), poor > 0, domains), Part(poor, flag=True)

        return rows.once(("sorted poor", self.x, self.line, domains), make)


@dataclass(frozen=True)
class SenShorrocksThon(_GapAndGini):
    """Sen-Shorrocks-Thon index of poverty."""

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """P1 (1 + G), with G the Gini of the gaps of all persons, the non-poor's being zero."""
        p1 = linearise(self._indices()[1], rows, weight, domains)
        laid, gaps = self._by_gap(rows, domains)
        among = gini_linearised(laid, (present(rows, self.x), gaps), weight, domains)
        g = np.nan_to_num(among.estimate)
        values = p1.values * (1 + domains.spread(g))
        values = values + domains.spread(np.nan_to_num(p1.estimate)) * among.values
        return Linearised(p1.estimate * (1 + g), values, p1.used)

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """P1 (1 + G) under each vector of weights."""
        return _sst(*gini_and_sums(self._by_gap(rows, domains)[0], weights))

    def by_units(
        self, rows: Rows, weight: Floats, domains: Domains, unit: Ints, replicates: int
    ) -> Callable[[Floats], Floats] | None:
        """From sums over pairs of units."""
        laid = self._by_gap(rows, domains)[0]
        pairs = Pairs.if_it_pays(laid, weight, unit, replicates)
        return None if pairs is None else lambda factors: _sst(*pairs.gini_and_sums(factors))

    def _by_gap(self, rows: Rows, domains: Domains) -> tuple[Sorted, Part]:
        def make() -> tuple[Sorted, Part]:
            gap = self._indices()[1].dense(rows)
            return Sorted.of(gap, present(rows, self.x).values > 0, domains), Part(gap)

        return rows.once(("sorted gap", self.x, self.line, domains), make)


def _sen(everyone: Floats, among: Floats, poor: Floats, income: Floats) -> Floats:
    """P1 + (P0 - P1) G from the weights of all and of the poor, whose incomes are shares of the
    line: what they lack of it is the gap."""
    p0, p1 = divide(poor, everyone), divide(poor - income, everyone)
    return p1 + (p0 - p1) * np.nan_to_num(among)


def _sst(among: Floats, n: Floats, gap: Floats) -> Floats:
    """P1 (1 + G) from the Gini of the gaps, the weight of all and the total of the gaps."""
    return divide(gap, n) * (1 + np.nan_to_num(among))


def fgt(
    x: str,
    line: Line | RelativeLine,
    alpha: float,
    *,
    closed: bool = False,
    negative: str = "zero",
    name: str | None = None,
) -> FGT | RelativeFGT:
    """Foster-Greer-Thorbecke index P_alpha of column `x` at `line`.

    P_alpha = sum(w ((z - x) / z)**alpha [x < z]) / sum(w). `alpha` 0 is the headcount, 1 the
    poverty gap, 2 its severity.

    Parameters
    ----------
    line : a number, a column, or a `relative_line`, whose own sampling error is then counted in.
    closed : a value equal to the line counts as poor.
    negative : ``zero``: a negative value is poor and its gap counts as for zero, so that no gap
        exceeds 1; ``as is``: its gap is larger than 1.
    name : what the table calls it.

    Returns
    -------
    A measure, for `estimate`, `joint` and the like.

    Raises
    ------
    PovmonError : alpha is negative, or `negative` is neither; in `estimate`, where a column is
        missing or not numeric, or a line is not positive.

    Source: Foster, Greer and Thorbecke (1984), Econometrica 52, eq. 1.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, fgt
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, [fgt("income", 40, a) for a in (0, 1)])["estimate"].tolist()
    [0.75, 0.375]
    """
    if not alpha >= 0:
        raise PovmonError(f"alpha is {alpha}", where="fgt", todo="use 0 or more")
    if negative not in ("zero", "as is"):
        raise PovmonError(f"negative is {negative!r}", where="fgt", todo="use 'zero' or 'as is'")
    label = name or f"fgt{alpha:g}({x}, {line})"
    # Gaps of negative incomes taken as they are exceed 1.
    head, graded = alpha == 0, alpha > 0 and negative == "zero"
    if isinstance(line, RelativeLine):
        shown = RelativeFGT(label, x, line, float(alpha), closed, negative, bounded=head)
        return replace(shown, graded=graded)
    return FGT(label, x, line, float(alpha), closed, negative, bounded=head, graded=graded)


def income_gap_ratio(x: str, line: Line, *, name: str | None = None) -> IncomeGapRatio:
    """Income gap ratio I = P1 / P0: the mean shortfall of the poor as a share of the line.

    `line`: a number or a column. Other parameters, returns and errors: see `fgt`.

    Source: Sen (1976), Econometrica 44, sec. 2.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, income_gap_ratio
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, income_gap_ratio("income", 40))["estimate"].tolist()
    [0.5]
    """
    return IncomeGapRatio(name or f"income_gap_ratio({x}, {line})", x, line)


def watts(x: str, line: Line, *, name: str | None = None) -> Watts:
    """Watts index W = sum(w log(z / x) [x < z]) / sum(w); incomes of zero or less are left out.

    `line`: a number or a column. Other parameters, returns and errors: see `fgt`.

    Source: Watts (1968); Zheng (1993), Economics Letters 42.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, watts
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, watts("income", 40))["estimate"].round(3).tolist()
    [0.592]
    """
    return Watts(name or f"watts({x}, {line})", x, line)


def sen(x: str, line: Line, *, name: str | None = None) -> Sen:
    """Sen index S = H (I + (1 - I) G_p) for large numbers of poor, G_p the Gini of their incomes.

    `line`: a number or a column. Other parameters, returns and errors: see `fgt`.

    Source: Sen (1976), Econometrica 44, eq. 19.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, sen
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, sen("income", 40))["estimate"].round(3).tolist()
    [0.458]
    """
    return Sen(name or f"sen({x}, {line})", x, line, graded=True)


def sst(x: str, line: Line, *, name: str | None = None) -> SenShorrocksThon:
    """Sen-Shorrocks-Thon index: the poverty gap times 1 + the Gini of all gaps.

    P1 (1 + G(gaps)). `line`: a number or a column. Other parameters, returns and errors: see
    `fgt`.

    Source: Shorrocks (1995), Econometrica 63, eq. 9; Osberg and Xu (2000) for this form.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, sst
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> design = Design(None, "village", "w")
    >>> estimate(sample, design, sst("income", 40))["estimate"].round(3).tolist()
    [0.531]
    """
    return SenShorrocksThon(name or f"sst({x}, {line})", x, line, graded=True)
