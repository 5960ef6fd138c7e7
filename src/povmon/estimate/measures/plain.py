"""The plain measures: mean, total, proportion, ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import (
    Part,
    Parts,
    RatioOfSums,
    SumMeasure,
    filled,
    flagged,
    present,
)


@dataclass(frozen=True)
class Ratio(RatioOfSums):
    """Ratio of two weighted totals."""

    top: str
    bottom: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return self.top, self.bottom

    def parts(self, rows: Rows) -> Parts:
        """Rows with a missing part are left out; rows with nothing in either do not count."""
        both = present(rows, self.top, self.bottom)

        def make() -> Part:
            y, x = rows.number(self.top), rows.number(self.bottom)
            return flagged(rows, (both.values > 0) & ((x != 0) | (y != 0)))

        used = rows.once(("either", self.top, self.bottom), make)
        return Parts((filled(rows, self.top, used), filled(rows, self.bottom, used)), used)


@dataclass(frozen=True)
class Mean(RatioOfSums):
    """Weighted mean, or the share of rows with 1 where it is bounded."""

    x: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.x,)

    def parts(self, rows: Rows) -> Parts:
        """Rows with a missing value are left out."""
        used = present(rows, self.x)
        value = filled(rows, self.x, used)
        if self.bounded and not np.isin(value.values, (0.0, 1.0)).all():
            raise PovmonError(
                f"column {self.x!r} has values other than 0 and 1", todo="use mean() or recode it"
            )
        return Parts((value, used), used)


@dataclass(frozen=True)
class Total(SumMeasure):
    """Weighted total."""

    x: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        return (self.x,)

    def parts(self, rows: Rows) -> Parts:
        """Rows with a missing value are left out: they add nothing."""
        used = present(rows, self.x)
        return Parts((filled(rows, self.x, used),), used)

    def of(self, sums: Floats) -> tuple[Floats, Floats]:
        """The sum itself."""
        return sums[..., 0], np.ones_like(sums)


def mean(x: str, *, name: str | None = None) -> Mean:
    """Weighted mean of column `x`: sum(w x) / sum(w).

    Parameters
    ----------
    x : numeric column; rows where it is missing are left out.
    name : what the table calls it.

    Returns
    -------
    A measure, for `estimate`, `joint` and the like.

    Raises
    ------
    PovmonError : in `estimate`, where the column is missing (near matches are listed) or is not
        numeric.

    Source: Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, sec. 5.7.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, mean
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "income": [10, 20, 30, 40]})
    >>> estimate(sample, Design(None, "village", "w"), mean("income"))["estimate"].tolist()
    [25.0]
    """
    return Mean(name or f"mean({x})", x)


def total(x: str, *, name: str | None = None) -> Total:
    """Weighted total of column `x`: sum(w x). Parameters, returns and errors: see `mean`.

    Source: Horvitz and Thompson (1952), Journal of the American Statistical Association 47.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, total
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 2, "income": [10, 20, 30, 40]})
    >>> estimate(sample, Design(None, "village", "w"), total("income"))["estimate"].tolist()
    [200.0]
    """
    return Total(name or f"total({x})", x)


def proportion(x: str, *, name: str | None = None) -> Mean:
    """Weighted share of rows with `x` = 1 (0/1 or boolean), with a logit interval.

    sum(w x) / sum(w). Parameters, returns and errors: see `mean`; other values are an error.

    Source: Korn and Graubard (1999), Analysis of Health Surveys, sec. 2.6, for the interval.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, proportion
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "poor": [1, 0, 0, 0]})
    >>> estimate(sample, Design(None, "village", "w"), proportion("poor"))["estimate"].tolist()
    [0.25]
    """
    return Mean(name or f"proportion({x})", x, bounded=True)


def ratio(num: str, den: str, *, name: str | None = None, bounded: bool = False) -> Ratio:
    """Ratio of weighted totals, sum(w num) / sum(w den).

    `bounded`: the ratio is a share (num is part of den), so its interval is a logit one. Other
    parameters, returns and errors: see `mean`.

    Source: Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, sec. 5.6.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, ratio
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "food": [5, 5, 6, 8],
    ...                        "all": [6, 9, 13, 20]})
    >>> estimate(sample, Design(None, "village", "w"), ratio("food", "all"))["estimate"].tolist()
    [0.5]
    """
    return Ratio(name or f"ratio({num}, {den})", num, den, bounded=bounded)
