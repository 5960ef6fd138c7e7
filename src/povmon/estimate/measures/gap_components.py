"""A poverty index taken apart: how many are poor, how poor, and how unequally."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import Measure, Parts, RatioOfSums, SumMeasure, divide, present
from povmon.estimate.measures.poverty import FGT, Line


@dataclass(frozen=True)
class GapRatio(RatioOfSums):
    """Mean gap of the poor as a share of the line, the poor being those of a given index."""

    index: FGT

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return self.index.columns

    def parts(self, rows: Rows) -> Parts:
        """Ratio of the poverty gap to the headcount; missing where nobody is poor."""
        used = present(rows, self.index.x)
        return Parts((self.index.gaps(rows, 1.0), self.index.gaps(rows, 0.0)), used)


@dataclass(frozen=True)
class GapInequality(SumMeasure):
    """Generalised entropy index of the gaps of the poor."""

    index: FGT

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return self.index.columns

    def parts(self, rows: Rows) -> Parts:
        """Sums over the poor of gap**alpha, of the gap, and of persons."""
        alphas = (self.index.alpha, 1.0, 0.0)
        gaps = tuple(self.index.gaps(rows, alpha) for alpha in alphas)
        return Parts(gaps, present(rows, self.index.x))

    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        """GE = (A C**(alpha - 1) / B**alpha - 1) / (alpha**2 - alpha) of the sums A, B, C;
        missing where no gap is positive."""
        alpha = self.index.alpha
        power, gap, poor = (sums[..., j] for j in range(3))
        # As a mean of relative gaps, so that no power overflows.
        level = divide(power, poor) / np.where(gap > 0, divide(gap, poor), np.nan) ** alpha
        scale = 1.0 / (alpha * alpha - alpha)
        one = np.ones_like(gap)
        relative = (divide(one, power), -alpha * divide(one, gap), (alpha - 1) * divide(one, poor))
        gradient = np.stack([level * scale * slope for slope in relative], axis=-1)
        return (level - 1.0) * scale, np.nan_to_num(gradient)


def fgt_components(
    x: str, line: Line, alpha: float = 2.0, *, closed: bool = False
) -> list[Measure]:
    """P_alpha and the measures it is made of: incidence, intensity and inequality of poverty.

    P_alpha = P0 I**alpha (1 + (alpha**2 - alpha) GE_alpha), with P0 the headcount, I = P1 / P0
    the income gap ratio and GE_alpha the generalised entropy index of the gaps among the poor.

    Parameters
    ----------
    x : column of incomes; a negative one is poor and its gap counts as for zero.
    line : poverty line, a number or a column.
    alpha : above 0 and not 1, for which there is no inequality component.
    closed : a value equal to the line counts as poor; its gap is zero.

    Returns
    -------
    Five measures for `estimate`: P_alpha, P0, P1, I and GE_alpha. Where nobody is poor the last
    two are missing; GE_alpha also where all the poor are at the line.

    Raises
    ------
    PovmonError : alpha is 1 or not positive, or the line is neither a number nor a column.

    Source
    ------
    Aristondo, Lasso de la Vega and Urrutia (2010), Bulletin of Economic Research 62; the same
    components as R's convey.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1],
    ...                        "income": [20, 60, 100, 200]})
    >>> table = estimate(sample, Design(None, "village", "w"), fgt_components("income", 100))
    >>> table["estimate"].round(3).tolist()
    [0.2, 0.5, 0.3, 0.6, 0.056]
    """
    if not isinstance(line, str | int | float | np.number):
        raise PovmonError(
            f"line is {line!r}", where="fgt_components", todo="use a number or a column"
        )
    if not (np.isfinite(alpha) and alpha > 0 and alpha != 1):
        raise PovmonError(
            f"alpha is {alpha}", where="fgt_components", todo="use a positive number other than 1"
        )

    def index(a: float) -> FGT:
        name = f"fgt{a:g}({x}, {line})"
        return FGT(name, x, line, float(a), closed, "zero", bounded=a == 0, graded=a > 0)

    whole = index(alpha)
    ratio = GapRatio(f"income_gap_ratio({x}, {line})", whole)
    unequal = GapInequality(f"gei{alpha:g} of gaps({x}, {line})", whole)
    return [whole, index(0.0), index(1.0), ratio, unequal]
