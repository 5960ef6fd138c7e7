"""Relative poverty lines: a share of the median or mean, estimated from the same sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains, lay_domains
from povmon.estimate.core.order import Sorted, Weighted
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import (
    DistributionMeasure,
    Linearised,
    Shared,
    divide,
    present,
)

Statistic = Literal["median", "mean"]


@dataclass(frozen=True)
class RelativeLine:
    """A poverty line that is a share of the median or mean of a column."""

    x: str
    share: float
    of: Statistic
    within: str | None

    def __str__(self) -> str:
        where = f" within {self.within}" if self.within else ""
        return f"{self.share:g} {self.of}({self.x}){where}"

    def groups(self, rows: Rows) -> Domains:
        """The groups that have a line each; one for all rows where `within` is None."""
        by = [self.within] if self.within else None
        return rows.once(("groups", self.within), lambda: lay_domains(rows.frame, by))

    def lines(self, rows: Rows, weights: Floats) -> Floats:
        """The line of each group, (B, G) for B vectors of weights (B, n)."""
        return self.share * self._centres(rows, weights)

    def _centres(self, rows: Rows, weights: Floats) -> Floats:
        """The median or mean of each group, (B, G)."""
        used = present(rows, self.x).values > 0
        groups = self.groups(rows)
        laid = rows.once(
            ("sorted", self.x, groups), lambda: Sorted.of(rows.number(self.x), used, groups)
        )
        weighted = Weighted.of(laid, weights)
        if self.of == "median":
            return weighted.quantile(np.array(0.5))
        return divide(laid.sum(weighted.weight * laid.value), weighted.total)

    def influence(self, rows: Rows, weight: Floats) -> tuple[Floats, Floats]:
        """Lines (G,) and their derivative with respect to each row's weight (n,).

        Source: Deville (1999), sec. 3; Osier (2009), sec. 4.2, for the density at the median: a
        normal kernel whose bandwidth is the standard deviation times N**-0.2.
        """
        groups, used = self.groups(rows), present(rows, self.x).values
        y = np.where(used > 0, rows.number(self.x), 0.0)
        w = weight * used
        # Not the line over the share: a rounding error would put the median's own rows above it.
        centres = self._centres(rows, weight[None])[0]
        lines = self.share * centres
        n = groups.spread(groups.sum(w))
        if self.of == "mean":
            centre = groups.spread(np.nan_to_num(centres))
            return lines, used * np.nan_to_num(divide(self.share * (y - centre), n))
        median = np.nan_to_num(centres)
        density = groups.spread(kernel_density(y, w, groups, median))
        below = (y <= groups.spread(median)) * used
        return lines, -self.share * used * np.nan_to_num(divide(below - 0.5, n * density))


def kernel_density(y: Floats, weight: Floats, domains: Domains, at: Floats) -> Floats:
    """Density of each domain (D,) at one point each (D,)."""
    n = domains.sum(weight)
    mean = np.nan_to_num(divide(domains.sum(weight * y), n))
    spread = np.nan_to_num(divide(domains.sum(weight * (y - domains.spread(mean)) ** 2), n))
    width = np.sqrt(spread) * np.where(n > 0, n, 1.0) ** -0.2
    row_width = domains.spread(width)
    far = divide(y - domains.spread(at), row_width)
    heights = np.where(np.isfinite(far), np.exp(-0.5 * far**2), 0.0) / np.sqrt(2 * np.pi)
    return np.nan_to_num(divide(domains.sum(weight * heights), n * width))


@dataclass(frozen=True)
class RelativeFGT(DistributionMeasure):
    """FGT index at a line that is estimated from the same sample."""

    x: str
    line: RelativeLine
    alpha: float
    closed: bool
    negative: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it is made from."""
        line = self.line
        return (self.x, line.x, line.within) if line.within else (self.x, line.x)

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """As at a fixed line, plus what the line's own error does to the index."""
        groups = self.line.groups(rows)
        lines, influence = self.line.influence(rows, weight)
        # Groups without a line have no rows that enter: any line serves there.
        z = _positive(self._by_row(lines, groups), self.line)
        used = (present(rows, self.x).values > 0) & (groups.code >= 0)
        w = np.where(used, weight, 0.0)
        gap = np.where(used, self._gap(rows, z), 0.0)
        n = domains.sum(w)
        estimate = divide(domains.sum(w * gap), n)
        safe = np.where(domains.spread(n) > 0, domains.spread(n), 1.0)
        own = np.where(used, (gap - domains.spread(np.nan_to_num(estimate))) / safe, 0.0)
        slope = self._slope(rows, z, w, domains, groups)
        return Linearised(estimate, own, used, shared=Shared(influence, groups.code, slope))

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """The line and the index anew under each vector of weights."""
        groups = self.line.groups(rows)
        lines = self.line.lines(rows, weights)
        used = (present(rows, self.x).values > 0) & (groups.code >= 0)
        out = np.empty((len(weights), len(domains)))
        for b, weight in enumerate(weights):
            z = self._by_row(lines[b], groups)
            gap = np.where(used, self._gap(rows, np.where(z > 0, z, 1.0)), 0.0)
            # A replicate whose line is not positive has no index.
            w = np.where(used, np.where(z > 0, weight, np.nan), 0.0)
            out[b] = divide(domains.sum(w * gap), domains.sum(w))
        return out

    def _by_row(self, lines: Floats, groups: Domains) -> Floats:
        z = groups.spread(lines)
        return np.where(np.isfinite(z) & (groups.code >= 0), z, 1.0)

    def _gap(self, rows: Rows, z: Floats) -> Floats:
        x = rows.number(self.x)
        poor = x <= z if self.closed else x < z
        if self.alpha == 0:
            return poor.astype(np.float64)
        gap = np.where(poor, (z - x) / z, 0.0)
        return (np.minimum(gap, 1.0) if self.negative == "zero" else gap) ** self.alpha

    def _slope(self, rows: Rows, z: Floats, w: Floats, domains: Domains, groups: Domains) -> Floats:
        """Derivative of each domain's index with respect to each group's line, (D, G)."""
        x = np.where(w > 0, rows.number(self.x), 0.0)
        n = domains.sum(w)
        joint = domains.cross(groups)
        if self.alpha == 0:
            # The density of the part of the domain that has this line, by its share.
            line_of_group = np.zeros(len(groups))
            line_of_group[groups.code[groups.code >= 0]] = z[groups.code >= 0]
            at = np.tile(line_of_group, len(domains))
            change = kernel_density(x, w, joint, at) * joint.sum(w)
        else:
            poor = ((x <= z) if self.closed else (x < z)) & (w > 0)
            rise = self.alpha * np.where(poor, (z - x) / z, 1.0) ** (self.alpha - 1)
            floor = (x > 0) if self.negative == "zero" else np.ones(len(x), dtype=bool)
            change = joint.sum(w * np.where(poor & floor, rise * x / z**2, 0.0))
        table = change.reshape(len(domains), len(groups))
        return np.nan_to_num(divide(table, np.broadcast_to(n[:, None], table.shape)))


def _positive(z: Floats, line: RelativeLine) -> Floats:
    if (z <= 0).any():
        raise PovmonError(f"the line {line} is not positive", todo="check the incomes")
    return z


def relative_line(
    x: str, share: float = 0.6, of: Statistic = "median", *, within: str | None = None
) -> RelativeLine:
    """A poverty line at a share of the median or mean of column `x`.

    Parameters
    ----------
    share : of the median or mean, for example 0.6.
    of : ``median`` (smallest value with F >= 1/2) or ``mean``.
    within : column whose values have a line each; None: one line, of the whole sample. The line
        is estimated from all rows of its group, whichever domain the index is for, and each of
        them enters the standard error.

    Returns
    -------
    A line, for `fgt`.

    Raises
    ------
    PovmonError : `share` is not positive, `of` is neither; in `estimate`, where a column is
        missing or the line comes out not positive.

    Examples
    --------
    >>> from povmon.estimate import fgt, relative_line
    >>> fgt("income", relative_line("income", 0.6), 0).name
    'fgt0(income, 0.6 median(income))'

    Source: Osier (2009), Survey Research Methods 3; Deville (1999), Survey Methodology 25.
    """
    if not share > 0:
        raise PovmonError(f"share is {share}", where="relative_line", todo="use a positive number")
    if of not in ("median", "mean"):
        raise PovmonError(f"of is {of!r}", where="relative_line", todo="use 'median' or 'mean'")
    return RelativeLine(x, float(share), of, within)
