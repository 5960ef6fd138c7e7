"""Sums over pairs of rows, kept by pairs of sampling units: what replicates of a Gini need.

A replicate multiplies the weights of all rows of a PSU by one factor. A sum over pairs of rows is
then a quadratic form in a domain's factors, whose matrix is made from the rows once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.estimate.core.order import Sorted
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import divide

# What a multiplication in the quadratic form costs beside a step along the rows: it is done in
# the processor's cache, many at once.
CHEAPER = 16


@dataclass(frozen=True, eq=False)
class SameSize:
    """Domains whose rows lie in the same number P of units. Shapes: D of them."""

    domain: Ints  # (D,)
    unit: Ints  # (D, P)
    double: Floats  # (D, P, P) of pairs of units: sum of w_i w_j y_i (2 [y_j up to y_i] - [i = j])
    weight: Floats  # (D, P)
    total: Floats  # (D, P) weight times value


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs of rows of all domains, by pairs of units."""

    domains: int
    groups: tuple[SameSize, ...]

    @classmethod
    def of(cls, laid: Sorted, weight: Floats, unit: Ints) -> Pairs:
        """From weights (n,) and units (n,) of the rows, in the order of the frame."""
        w, u = weight[laid.order], unit[laid.order]
        by_size: dict[int, list[tuple[int, Ints, Floats, Floats, Floats]]] = {}
        for d in range(len(laid)):
            rows = slice(int(laid.start[d]), int(laid.start[d + 1]))
            if rows.start == rows.stop:
                continue
            units, place = np.unique(u[rows], return_inverse=True)
            found = _of_domain(laid.value[rows], w[rows], place, len(units))
            by_size.setdefault(len(units), []).append((d, units, *found))
        groups = []
        for _, listed in sorted(by_size.items()):
            domain, units, double, n, total = (np.array(x) for x in zip(*listed, strict=True))
            groups.append(SameSize(domain, units, double, n, total))
        return cls(len(laid), tuple(groups))

    @classmethod
    def if_it_pays(cls, laid: Sorted, weight: Floats, unit: Ints, replicates: int) -> Pairs | None:
        """As `of`, or None where so many replicates cost less from the rows themselves: where
        domains lie in many units."""
        return cls.of(laid, weight, unit) if _pays(laid, unit, replicates) else None

    def gini_and_sums(self, factors: Floats) -> tuple[Floats, Floats, Floats]:
        """Gini coefficients, weights and totals of the values under factors (B, U) on the units'
        weights, (B, D) each: those of `inequality.gini_and_sums` under the rows' weights."""
        double, n, total = (np.zeros((len(factors), self.domains)) for _ in range(3))
        for group in self.groups:
            f = factors[:, group.unit].transpose(1, 0, 2)  # (D, B, P)
            double[:, group.domain] = ((f @ group.double) * f).sum(axis=-1).T
            n[:, group.domain] = (f @ group.weight[:, :, None])[..., 0].T
            total[:, group.domain] = (f @ group.total[:, :, None])[..., 0].T
        gini = divide(double, n * total) - 1.0
        gini = np.where(total > 0, np.where(np.abs(gini) < 1e-12, 0.0, gini), np.nan)
        return gini, n, total


def _of_domain(y: Floats, w: Floats, unit: Ints, units: int) -> tuple[Floats, Floats, Floats]:
    """Of m rows in ascending order of y: sums over pairs (P, P), weights and totals (P,)."""
    row = np.arange(len(y))
    upto, income = np.zeros((len(y), units)), np.zeros((len(y), units))
    upto[row, unit], income[row, unit] = w, w * y
    np.cumsum(upto, axis=0, out=upto)
    double = 2.0 * (income.T @ upto)
    double[np.diag_indices(units)] -= np.bincount(unit, w * w * y, minlength=units)
    return double, upto[-1], income.sum(axis=0)


def _pays(laid: Sorted, unit: Ints, replicates: int) -> bool:
    domain = np.repeat(np.arange(len(laid)), np.diff(laid.start))
    cells = np.unique(domain * (int(unit.max(initial=0)) + 1) + unit[laid.order])
    units = np.bincount(cells // (int(unit.max(initial=0)) + 1), minlength=len(laid))
    rows = np.diff(laid.start)
    pairs = (units * rows + replicates * units.astype(np.float64) ** 2 / CHEAPER).sum()
    return bool(pairs < replicates * rows.sum())
