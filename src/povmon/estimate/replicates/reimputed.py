"""Standard errors of estimates that use imputed values, by imputing again in each replicate.

Treating imputed values as observed understates the error. Two bootstrap errors are made from the
same replicates: one with the imputed values held fixed, one with the hot deck repeated (see
`povmon.estimate.replicates.donors`). Their ratio carries little noise of its own and can be
applied to a linearised standard error.

Imputed rows have alternatives, one for each set of donors that a replicate drew. They stand below
the rows of the frame, and a replicate of the imputation is no more than a vector of weights: that
of the frame's imputed rows is zero, that of the alternatives that hold is not. So every measure is
computed as it is defined, from one set of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from povmon.estimate.core.domains import Domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Ints
from povmon.estimate.measures.base import (
    DistributionMeasure,
    Flags,
    Measure,
    Part,
    SumMeasure,
    filled,
    present,
)
from povmon.estimate.replicates.donors import Alternatives, Resample
from povmon.estimate.replicates.replicated import in_threads


@dataclass(frozen=True, eq=False)
class Errors:
    """Bootstrap standard errors of M measures by domain, (M, D) each.

    Parameters
    ----------
    naive : imputed values held fixed; NaN where imputation cannot change the estimate.
    full : imputed again in each replicate.
    """

    naive: Floats
    full: Floats

    @property
    def ratio(self) -> Floats:
        """Full over naive, never below one; one where there is no error to speak of."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found = self.full / self.naive
        return np.where(np.isfinite(found), np.maximum(found, 1.0), 1.0)


@dataclass(frozen=True, eq=False)
class Reimputed:
    """N rows of a frame, then the rows of alternatives of imputed units (n in all).

    Parameters
    ----------
    rows : all n rows.
    psu : (n,) PSU of each row, 0 to P - 1.
    unit : (n,) imputed unit of a row, -1 for a row that was not imputed.
    alternative : (n,) which alternative of its unit a row belongs to, -1 for the frame's own rows.
    alternatives : what the units could have been.
    """

    rows: Rows
    psu: Ints
    unit: Ints
    alternative: Ints
    alternatives: Alternatives

    @property
    def psu_of_unit(self) -> Ints:
        """(U,) the unit's PSU."""
        out = np.zeros(len(self.alternatives.chosen), dtype=np.int64)
        of = self.unit >= 0
        out[self.unit[of]] = self.psu[of]
        return out

    def errors(
        self, measures: Sequence[Measure], weight: Floats, factor: Floats, domains: Domains
    ) -> Errors:
        """Naive and full standard errors of the measures in all domains.

        Parameters
        ----------
        measures : M of them.
        weight : (n,).
        factor : (P, B) factors on the weights of the PSUs.
        domains : of the n rows; an alternative may lie in another domain than the row it replaces.
        """
        laid = _Laid(self, weight, factor, domains)
        naive, full = np.full((2, len(measures), len(domains)), np.nan)
        for m, measure in enumerate(measures):
            if isinstance(measure, DistributionMeasure):
                found = laid.of_distribution(measure)
            else:
                found = laid.of_sums(measure)
            if found is not None:
                naive[m], full[m] = found
        return Errors(naive, full)


class _Laid:
    """The rows laid in domains: what the replicates of all measures share.

    A cell is a domain and an alternative. What an alternative changes there is the sum over its
    rows less that over the unit's own rows: exactly zero where they are alike.
    """

    def __init__(self, of: Reimputed, weight: Floats, factor: Floats, domains: Domains) -> None:
        self.of, self.weight, self.factor, self.domains = of, weight, factor, domains
        self.active = of.alternatives.active(factor[of.psu_of_unit])
        own, inside = of.alternative < 0, domains.code >= 0
        replaced = np.flatnonzero(own & inside & (of.unit >= 0))
        place, number = of.alternatives.expand(of.unit[replaced])
        added = np.flatnonzero(~own & inside)
        self.row = np.concatenate([replaced[place], added])
        self.sign = np.repeat([-1.0, 1.0], [len(place), len(added)])
        number = np.concatenate([number, of.alternative[added]])
        self.changes = _Cells.of(domains.code[self.row], number, len(of.alternatives))
        self.own = np.flatnonzero(own & inside)
        self.fixed = _Cells.of(domains.code[self.own], of.psu[self.own], len(factor))
        self.made: dict[Part, Floats] = {}
        self.changed: dict[Part, Floats | None] = {}

    def of_sums(self, measure: SumMeasure) -> tuple[Floats, Floats] | None:
        """Errors of a function of sums (D,), None where no alternative changes any of them."""
        parts = measure.parts(self.of.rows).values
        changes = [self._change(part) for part in parts]
        if all(c is None for c in changes):
            return None
        fixed = [self._fixed(part) for part in parts]
        again = [f if c is None else f + c for f, c in zip(fixed, changes, strict=True)]
        naive, full = (measure.of(np.stack(s, axis=-1))[0] for s in (fixed, again))
        return spread(naive.T), spread(full.T)

    def _fixed(self, part: Part) -> Floats:
        """Replicates of a sum with the imputed values held fixed, (D, B)."""
        if part not in self.made:
            sums = self.fixed.sums(self._weighted(part)[self.own], len(self.domains))
            self.made[part] = sums @ self.factor
        return self.made[part]

    def _change(self, part: Part) -> Floats | None:
        """What imputing again adds to the replicates of a sum (D, B), None for nothing."""
        if part not in self.changed:
            sums = self.changes.sums(self.sign * self._weighted(part)[self.row], len(self.domains))
            self.changed[part] = (sums @ self.active).toarray() if sums.nnz else None
        return self.changed[part]

    def _weighted(self, part: Part) -> Floats:
        return self.weight * part.dense(len(self.of.rows))

    def of_distribution(self, measure: DistributionMeasure) -> tuple[Floats, Floats] | None:
        """Errors of a measure of the distribution (D,), None where no alternative changes it."""
        cells = np.flatnonzero(self._touched(measure.columns))
        if not len(cells):
            return None
        chosen = np.unique(self.changes.first[cells])
        units = np.unique(self.of.alternatives.unit[self.changes.second[cells]])
        place = np.full(len(self.domains) + 1, -1)  # code -1 takes the last
        place[chosen] = np.arange(len(chosen))
        code = place[self.domains.code]
        again = np.isin(self.of.unit, units)
        own = self.of.alternative < 0
        # Only rows that count are laid out, with the columns that they need.
        kept = np.flatnonzero((code >= 0) & (own | again))
        # In the order in which a distribution is added up, so that no replicate is sorted again.
        first = self.of.rows.number(measure.columns[0])
        kept = kept[np.lexsort((first[kept], code[kept]))]
        own, again, psu = own[kept], again[kept], self.of.psu[kept]
        rows = Rows(self.of.rows.frame[list(measure.columns)].iloc[kept])
        domains = Domains(code[kept], self.domains.labels.iloc[chosen])
        added = np.flatnonzero(~own)
        weight = self.weight[kept]
        active = self.active[self.of.alternative[kept][added]].toarray() * weight[added, None]
        weight[added] = 0.0
        values = np.empty((2, self.factor.shape[1], len(chosen)))

        def fill(block: slice) -> None:
            weights = self.factor[:, block].T[:, psu] * weight
            values[0, block] = measure.evaluate(rows, weights, domains)
            weights[:, again] = 0.0
            weights[:, added] = active[:, block].T
            values[1, block] = measure.evaluate(rows, weights, domains)

        in_threads(fill, self.factor.shape[1], len(weight))
        out = np.full((2, len(self.domains)), np.nan)
        out[:, chosen] = spread(values[0]), spread(values[1])
        return out[0], out[1]

    def _touched(self, columns: Sequence[str]) -> Flags:
        """The cells in which an alternative has other values in some columns, or is missing one."""
        rows = self.of.rows
        used = present(rows, *columns)
        parts = [used, *(filled(rows, name, used) for name in columns)]
        sums = [self.changes.total(self.sign * self._weighted(p)[self.row]) for p in parts]
        return np.any([s != 0 for s in sums], axis=0)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Sums over pairs of a domain and something else, of which there are `number`. C cells."""

    of_row: Ints  # (m,)
    first: Ints  # (C,) ascending
    second: Ints  # (C,)
    number: int

    @classmethod
    def of(cls, first: Ints, second: Ints, number: int) -> _Cells:
        """From the pair of each of m rows."""
        pairs, of_row = np.unique(first * max(number, 1) + second, return_inverse=True)
        return cls(of_row.ravel(), *np.divmod(pairs, max(number, 1)), number)

    def total(self, values: Floats) -> Floats:
        """Row values (m,) added up by cell (C,)."""
        return np.bincount(self.of_row, values, minlength=len(self.first)).astype(np.float64)

    def sums(self, values: Floats, domains: int) -> sparse.csr_array:
        """Row values (m,) added up, as a matrix (D, number) without zeros."""
        cells = self.total(values)
        kept = np.flatnonzero(cells)
        start = np.searchsorted(self.first[kept], np.arange(domains + 1))
        shape = (domains, self.number)
        return sparse.csr_array((cells[kept], self.second[kept], start), shape=shape)


def spread(replicates: Floats) -> Floats:
    """Standard deviation (D,) over the replicates (B, D) in which the domain has any row."""
    known = np.isfinite(replicates)
    number = known.sum(axis=0)
    values = np.where(known, replicates, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = values.sum(axis=0) / number
        square = np.where(known, (values - centre) ** 2, 0.0).sum(axis=0)
        return np.sqrt(square / (number - 1))


def kept(weight: Floats, drawn: Resample, poststratum: Ints) -> Floats:
    """Factors (P, B) that bring each poststratum's sum of weights back in every replicate.

    Parameters
    ----------
    weight, poststratum : (n,) weight (times the size that the population is known in) and stratum
        of the frame's own rows; PSUs lie within strata.
    """
    units = len(drawn.factor)
    of = np.zeros(units, dtype=np.int64)
    of[drawn.psu] = poststratum
    sums = np.bincount(drawn.psu, weights=weight, minlength=units)
    groups = int(of.max()) + 1
    place = sparse.coo_array((np.ones(units), (of, np.arange(units))), shape=(groups, units))
    now = place.tocsr() @ (drawn.factor * sums[:, None])
    before = np.bincount(of, weights=sums, minlength=groups)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(now > 0, before / now, 1.0)
    return ratio[of]
