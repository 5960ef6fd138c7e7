"""Weighted sums by cell: all that an estimate, its variance and its replicates need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from povmon.estimate.core.compiled import (
    add_scaled,
    of_combinations,
    weighted_sums,
    weighted_sums_at,
)
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.order import sums_of_runs
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.variance import Layout, degrees_of_freedom
from povmon.estimate.design import Floats, Ints, Sample
from povmon.estimate.measures.base import (
    DistributionMeasure,
    Linearised,
    Measure,
    Part,
    Parts,
    everyone,
    flagged,
)


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums of one measure. Shapes: C cells of the last stage, D domains, k sums."""

    totals: tuple[Floats, ...]  # k of (C,) weight times part
    of_domain: Floats  # (D, k)
    moments: Floats  # (D, k, k) weight times product of two parts, over rows that enter
    weight: Floats  # (D,) weight of the rows that enter
    n: Ints  # (D,) rows of positive weight that enter
    n_psu: Ints  # (D,) PSUs that have such rows
    df: Ints  # (D,) those PSUs less their strata


class Sums:
    """Sums over rows, each made once however many measures use it.

    Parameters
    ----------
    layout, domains : of the same rows.
    """

    def __init__(self, rows: Rows, sample: Sample, layout: Layout, domains: Domains) -> None:
        self.rows, self.sample, self.layout, self.domains = rows, sample, layout, domains
        self._totals: dict[Part, Floats] = {}
        self._moments: dict[tuple[Part, Part], Floats] = {}
        self._counts: dict[Part, Floats] = {}
        self._by_domain: dict[Part, Floats] = {}
        self._sizes: dict[Part, tuple[Ints, Ints, Ints]] = {}
        # Cells are sorted by domain: where each domain's begin, and where the last ends.
        self._starts = np.searchsorted(layout.domain, np.arange(len(domains) + 1))

    def total(self, part: Part) -> Floats:
        """Weight times part by cell (C,)."""
        if part not in self._totals:
            code, weight = self.layout.of_row, self.sample.weight
            cells, subset = len(self.layout.domain), part.subset
            if subset is None:
                found = weighted_sums(code, weight, part.values, cells)
            else:
                found = weighted_sums_at(subset.at, code, weight, part.values, cells)
            self._totals[part] = found
        return self._totals[part]

    def keep_total(self, part: Part, total: Floats) -> None:
        """Take the weight times part by cell (C,) from where it is known already."""
        self._totals[part] = total

    def by_domain(self, cells: Floats) -> Floats:
        """Cell sums (C,) added up by domain (D,)."""
        return sums_of_runs(cells, self._starts)

    def of_domain(self, parts: Parts) -> Floats:
        """Weight times part by domain (D, k)."""
        return np.stack([self.domain_total(part) for part in parts.values], axis=-1)

    def domain_total(self, part: Part) -> Floats:
        """Weight times part by domain (D,)."""
        if part not in self._by_domain:
            self._by_domain[part] = self.by_domain(self.total(part))
        return self._by_domain[part]

    def sizes(self, used: Part) -> tuple[Ints, Ints, Ints]:
        """Rows, PSUs and degrees of freedom of each domain, all (D,)."""
        if used not in self._sizes:
            count = self.count(used)
            psus, df = degrees_of_freedom(self.layout, count, len(self.domains))
            self._sizes[used] = self.by_domain(count).astype(np.int64), psus, df
        return self._sizes[used]

    def count(self, used: Part) -> Floats:
        """Used rows of positive weight by cell (C,)."""
        if used not in self._counts:
            positive = self.rows.once("positive weight", lambda: self._positive())
            cells = len(self.layout.domain)
            if used is everyone(self.rows) and positive is None:
                counted = np.bincount(self.layout.of_row, minlength=cells)[:cells]
                self._counts[used] = counted.astype(np.float64)
            else:
                flags = used.values if positive is None else used.values * positive
                self._counts[used] = self.layout.sum(flags)
        return self._counts[used]

    def _positive(self) -> Floats | None:
        """Flags of rows of positive weight; None where all are."""
        flags = self.sample.weight > 0
        return None if flags.all() else flags.astype(np.float64)

    def moment(self, a: Part, b: Part, used: Part) -> Floats:
        """Weight times the product of two parts by domain (D,)."""
        if a is used or b is used or (a is b and a.flag):
            # Parts are zero outside `used`, and a flag is its own square.
            return self.domain_total(b if a is used else a)
        if a is b and a.square is not None:
            return self.domain_total(a.square(self.rows))
        if (a, b) not in self._moments:
            n = len(self.rows)
            product = self.sample.weight * a.dense(n)
            product *= b.dense(n)
            self._moments[a, b] = self.by_domain(self.layout.sum(product))
        return self._moments[a, b]

    def tally(self, parts: Parts, moments: Floats | None = None) -> Tally:
        """The sums of one measure; `moments` where they are known already."""
        k = len(parts.values)
        if moments is None:
            moments = np.empty((len(self.domains), k, k))
            for i, a in enumerate(parts.values):
                for j, b in enumerate(parts.values[: i + 1]):
                    moments[:, i, j] = moments[:, j, i] = self.moment(a, b, parts.used)
        totals = tuple(self.total(p) for p in parts.values)
        weight = self.domain_total(parts.used)
        sizes = self.sizes(parts.used)
        return Tally(totals, self.of_domain(parts), moments, weight, *sizes)


@dataclass(frozen=True, eq=False)
class Answer:
    """A measure's estimates with what their variance needs. Shapes as in `Tally`."""

    estimate: Floats  # (D,)
    gradient: Floats  # (D, k) with respect to the sums
    tally: Tally
    linearised: Linearised | None = None  # where its values are given row by row


def answer(measure: Measure, sums: Sums) -> Answer:
    """Estimate a measure of either kind."""
    if isinstance(measure, DistributionMeasure):
        result = measure.linearise(sums.rows, sums.sample.weight, sums.domains)
        if isinstance(result, Linearised):
            return answer_linearised(result, sums)
        tally = sums.tally(result.parts, result.moments)
        return Answer(result.estimate, result.gradient, tally)
    parts = measure.parts(sums.rows)
    tally = sums.tally(parts)
    estimate, gradient = measure.of(tally.of_domain)
    return Answer(estimate, gradient, tally)


def answer_linearised(result: Linearised, sums: Sums) -> Answer:
    """From row-level linearised values: one sum, that of the values themselves."""
    used = flagged(sums.rows, result.used)
    tally = sums.tally(Parts((Part(result.values),), used))
    return Answer(result.estimate, np.ones((len(sums.domains), 1)), tally, result)


def linearised_totals(found: Answer, sums: Sums) -> Floats:
    """Weight times linearised value by cell of the last stage, (C,)."""
    totals = np.zeros(len(sums.layout.domain))
    for total, slope in zip(found.tally.totals, found.gradient.T, strict=True):
        add_scaled(sums.layout.domain, slope, total, totals)
    return totals


def simple_random_variance(found: Answer) -> Floats:
    """Variance under simple random sampling with replacement of as many rows, shape (D,).

    Source: Kish (1965), Survey Sampling, sec. 8.2; the population variance is estimated with
    the weights.
    """
    tally = found.tally
    total, squares = of_combinations(found.gradient, tally.of_domain, tally.moments)
    weight = np.where(tally.weight > 0, tally.weight, 1.0)
    spread = np.maximum(squares - total**2 / weight, 0.0)
    return np.where(tally.n > 1, tally.weight * spread / np.maximum(tally.n - 1, 1), np.nan)
