"""Inequality measures, which need a domain's whole distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, numbers
from povmon.estimate.domains import Domains
from povmon.estimate.measures import Flags, Linearised, divide


@dataclass(frozen=True)
class Gini:
    """Gini coefficient by its exact definition."""

    x: str
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows with a missing value are left out; a domain whose mean is not positive gets NaN."""
        y = numbers(frame, self.x)
        return gini_of(y, np.isfinite(y), weight, domains)


def gini_of(y: Floats, used: Flags, weight: Floats, domains: Domains) -> Linearised:
    """Gini coefficient of values by domain, and its derivative with respect to each weight."""
    rows = np.flatnonzero(used & (weight > 0) & (domains.code >= 0))
    order = rows[np.lexsort((y[rows], domains.code[rows]))]
    code, value, w = domains.code[order], y[order], weight[order]
    below, level, above_y, below_y = _ranks(code, value, w, len(domains))
    n = np.bincount(code, w, minlength=len(domains)).astype(np.float64)
    total = np.bincount(code, w * value, minlength=len(domains)).astype(np.float64)
    # Sum over j of w_j |y_i - y_j|, the derivative of half the double sum.
    above = n[code] - below - level
    distance = value * (below - above) + (above_y - below_y)
    double: Floats = np.bincount(code, w * distance, minlength=len(domains)).astype(np.float64)
    gini = np.where(total > 0, divide(double, 2.0 * n * total), np.nan)
    safe_total, safe_n = np.where(total > 0, total, 1.0), np.where(n > 0, n, 1.0)
    own = np.nan_to_num(gini)[code]
    linear = distance / (safe_n * safe_total)[code] - own / safe_n[code]
    linear -= own * value / safe_total[code]
    values = np.zeros(len(y))
    values[order] = linear
    return Linearised(gini, values, used)


@dataclass(frozen=True)
class GeneralisedEntropy:
    """Generalised entropy index GE(alpha) of positive values."""

    x: str
    alpha: float
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows whose value is missing or not positive are left out."""
        s = _Sums.of(numbers(frame, self.x), weight, domains)
        n, total = s.sum(s.one), s.sum(s.y)
        if self.alpha == 0:
            logs = s.sum(s.log)
            estimate = np.log(divide(total, n)) - divide(logs, n)
            slope = s.back(logs) / s.back(n) ** 2 - s.log / s.back(n)
            return s.result(estimate, slope + s.y / s.back(total) - 1 / s.back(n))
        if self.alpha == 1:
            entropy = s.sum(s.y * s.log)
            estimate = divide(entropy, total) - np.log(divide(total, n))
            slope = s.y * s.log / s.back(total) - s.back(entropy) * s.y / s.back(total) ** 2
            return s.result(estimate, slope - s.y / s.back(total) + 1 / s.back(n))
        a = self.alpha
        powers = s.sum(s.y**a)
        level = powers * n ** (a - 1) * divide(np.ones(len(n)), total) ** a
        relative = s.y**a / s.back(powers) + (a - 1) / s.back(n) - a * s.y / s.back(total)
        return s.result((level - 1) / (a * a - a), s.back(level) * relative / (a * a - a))


@dataclass(frozen=True)
class Atkinson:
    """Atkinson index of positive values."""

    x: str
    epsilon: float
    name: str
    bounded: bool = False

    def linearise(self, frame: pd.DataFrame, weight: Floats, domains: Domains) -> Linearised:
        """Rows whose value is missing or not positive are left out."""
        s = _Sums.of(numbers(frame, self.x), weight, domains)
        n, total = s.sum(s.one), s.sum(s.y)
        if self.epsilon == 1:
            logs = s.sum(s.log)
            equal = np.exp(divide(logs, n))
            slope = s.log / s.back(n) - s.back(logs) / s.back(n) ** 2
        else:
            e = 1 - self.epsilon
            powers = s.sum(s.y**e)
            equal = divide(powers, n) ** (1 / e)
            slope = (s.y**e / s.back(powers) - 1 / s.back(n)) / e
        share = equal * divide(n, total)
        slope = slope + 1 / s.back(n) - s.y / s.back(total)
        return s.result(1 - share, -s.back(share) * slope)


@dataclass(frozen=True)
class _Sums:
    """Positive values with the domain sums that entropy-like measures are functions of."""

    y: Floats  # (n,) the value, 1 where it is left out
    log: Floats  # (n,)
    used: Flags  # (n,)
    weight: Floats  # (n,) zero where left out
    domains: Domains

    @classmethod
    def of(cls, y: Floats, weight: Floats, domains: Domains) -> _Sums:
        used = np.isfinite(y) & (y > 0)
        safe = np.where(used, y, 1.0)
        return cls(safe, np.log(safe), used, np.where(used, weight, 0.0), domains)

    @property
    def one(self) -> Floats:
        return np.ones(len(self.y))

    def sum(self, values: Floats) -> Floats:
        return self.domains.sum(self.weight * values)

    def back(self, values: Floats) -> Floats:
        """Domain values on rows; 1 where there is none, so that quotients stay finite."""
        spread = self.domains.spread(np.nan_to_num(values))
        return np.where(spread == 0, 1.0, spread)

    def result(self, estimate: Floats, values: Floats) -> Linearised:
        return Linearised(estimate, np.where(self.used, values, 0.0), self.used)


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


def gei(x: str, alpha: float, *, name: str | None = None) -> GeneralisedEntropy:
    """Generalised entropy index GE(alpha) of the positive values of column `x`.

    GE(alpha) = (mean((x / m)**alpha) - 1) / (alpha**2 - alpha); 0 is the mean logarithmic
    deviation, 1 the Theil index, 2 half the squared coefficient of variation.

    Source: Shorrocks (1984), Econometrica 52, eq. 13; Biewen and Jenkins (2006), Oxford Bulletin
    of Economics and Statistics 68, for the linearised values.
    """
    return GeneralisedEntropy(x, float(alpha), name or f"gei{alpha:g}({x})")


def atkinson(x: str, epsilon: float, *, name: str | None = None) -> Atkinson:
    """Atkinson index with inequality aversion `epsilon` > 0 of the positive values of `x`.

    Source: Atkinson (1970), Journal of Economic Theory 2, eq. 13; linearised values as for `gei`.
    """
    if not epsilon > 0:
        raise PovmonError(f"epsilon is {epsilon}", where="atkinson", todo="use a number above 0")
    return Atkinson(x, float(epsilon), name or f"atkinson{epsilon:g}({x})")
