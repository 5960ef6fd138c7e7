"""Inequality measures, which need a domain's whole distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.estimate.design import Floats, numbers
from povmon.estimate.domains import Domains
from povmon.estimate.measures import Linearised, divide


@dataclass(frozen=True)
class Gini:
    """Gini coefficient by its exact definition."""

    x: str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows with a missing value are left out; a domain whose mean is not positive gets NaN."""
        y = numbers(frame, self.x)
        used = np.isfinite(y) & (weight > 0)
        rows = np.flatnonzero(used & (domains.code >= 0))
        order = rows[np.lexsort((y[rows], domains.code[rows]))]
        code, value, w = domains.code[order], y[order], weight[order]
        below, level, above_y, below_y = _ranks(code, value, w, len(domains))
        n, total = (
            domains.sum(np.where(used, weight, 0.0)),
            domains.sum(np.where(used, weight * np.nan_to_num(y), 0.0)),
        )
        # d_i: sum over j of w_j |y_i - y_j|, the derivative of half the double sum.
        above = n[code] - below - level
        distance = value * (below - above) + (above_y - below_y)
        double: Floats = np.bincount(code, w * distance, minlength=len(domains)).astype(np.float64)
        gini = np.where(total > 0, divide(double, 2.0 * n * total), np.nan)
        safe_total = np.where(total > 0, total, 1.0)
        safe_n = np.where(n > 0, n, 1.0)
        own = np.nan_to_num(gini)[code]
        linear = distance / (safe_n * safe_total)[code] - own / safe_n[code]
        linear -= own * value / safe_total[code]
        values = np.zeros(len(y))
        values[order] = linear
        return Linearised(gini, values, np.isfinite(y))


def _ranks(
    code: np.ndarray, value: Floats, weight: Floats, n_domains: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """For rows sorted by domain and value: weight below, weight tied, value above and below."""
    new = np.ones(len(code), dtype=bool)
    new[1:] = (code[1:] != code[:-1]) | (value[1:] != value[:-1])
    tie = np.cumsum(new) - 1
    tie_w = np.bincount(tie, weight)
    tie_y = np.bincount(tie, weight * value)
    start_w, start_y = np.cumsum(tie_w) - tie_w, np.cumsum(tie_y) - tie_y
    tie_domain = code[new]
    # Cumulative sums restart with each domain.
    domain_y = np.bincount(tie_domain, tie_y, minlength=n_domains)
    domain_w = np.bincount(tie_domain, tie_w, minlength=n_domains)
    below_w = start_w - (np.cumsum(domain_w) - domain_w)[tie_domain]
    below_y = start_y - (np.cumsum(domain_y) - domain_y)[tie_domain]
    above_y = domain_y[tie_domain] - below_y - tie_y
    return below_w[tie], tie_w[tie], above_y[tie], below_y[tie]


def gini(x: str, *, name: str | None = None) -> Gini:
    """Gini coefficient of column `x` by the exact definition.

    G = sum_ij w_i w_j |x_i - x_j| / (2 N sum w x), with N = sum w. Ties and the scale of the
    weights have no effect. Values are taken as they are, negative ones too; where the mean is
    not positive the coefficient is not defined and the estimate is missing.

    Source: Kendall and Stuart (1977), sec. 2.25; its derivative with respect to a weight as in
    Deville (1999), Survey Methodology 25, sec. 3.
    """
    return Gini(x, name or f"gini({x})")
