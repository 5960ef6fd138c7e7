"""Covariance matrices of curves, one for each domain, from linearised values or replicates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from povmon.estimate.core.domains import Domains
from povmon.estimate.core.influence import influence_totals
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import Sums, answer
from povmon.estimate.core.variance import Layout, variance
from povmon.estimate.design import Floats, Ints, Sample
from povmon.estimate.measures.base import DistributionMeasure, Linearised
from povmon.estimate.replicates.replicate import Replicates


@dataclass(frozen=True)
class Point(DistributionMeasure):
    """One point of a curve, already linearised."""

    result: Linearised

    @property
    def columns(self) -> tuple[str, ...]:
        """None: it is linearised already."""
        return ()

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """The linearised values it was given."""
        return self.result

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """A curve's replicates are made for all points at once."""
        raise NotImplementedError


def linearised_covariances(
    rows: Rows, sample: Sample, layout: Layout, domains: Domains, points: Iterable[Linearised]
) -> Iterator[Floats]:
    """Covariance matrices (K, K) of D curves of K points.

    Each variance is that of `estimate`; the covariances are those of the unit totals.
    """
    totals, variances = [], []
    for point in points:
        # Sums of its own, so that no point's rows are kept.
        sums = Sums(rows, sample, layout, domains)
        measure = Point("point", point)
        laid, total = influence_totals(measure, answer(measure, sums), sums)
        totals.append(total)
        variances.append(variance(sample, laid, len(domains), total))
    wanted = np.stack(variances, axis=-1)
    parts = _scaled_deviations(sample, laid, np.stack(totals, axis=-1))
    for d, own in enumerate(wanted):
        raw = np.zeros((len(own), len(own)))
        for of_row, scaled in parts:
            mine = scaled[np.searchsorted(of_row, d) : np.searchsorted(of_row, d, "right")]
            raw += mine.T @ mine
        # The rules for single PSUs may add to the variances what no unit total shows.
        size = np.diag(raw)
        ratio = np.sqrt(np.divide(own, size, out=np.ones_like(size), where=size > 0))
        result = raw * np.outer(ratio, ratio)
        np.fill_diagonal(result, own)
        yield result


def _scaled_deviations(sample: Sample, layout: Layout, totals: Floats) -> list[tuple[Ints, Floats]]:
    """Deviations of unit totals from their parents' means, scaled so that the sum of products
    over a domain is the covariance: pairs of domains (ascending) and rows (..., K)."""
    parts = []
    for stage, cells, inside in zip(sample.stages, layout.stages, layout.cell_of_last, strict=True):
        own = _add_up(inside, totals, len(cells.domain))
        n = stage.units_in_parent[cells.pair_parent]
        lonely = 1.0 if sample.lonely == "adjust" else 0.0
        share = stage.factor[cells.pair_parent] * np.where(n == 1, lonely, n / np.maximum(n - 1, 1))
        # A single PSU under `adjust` deviates from the mean of all strata, which is nil.
        mean = _add_up(cells.pair, own, len(n)) / n[:, None] * (n > 1)[:, None]
        scale = np.sqrt(share)
        parts.append((cells.domain, (own - mean[cells.pair]) * scale[cells.pair, None]))
        # Units of the parent without rows in the domain have a total of zero.
        absent = np.sqrt((n - cells.cells_in_pair).astype(np.float64))
        parts.append((cells.pair_domain, mean * (scale * absent)[:, None]))
    return parts


def _add_up(code: Ints, values: Floats, n: int) -> Floats:
    """Rows (m, K) added up by code, (n, K)."""
    out = np.empty((n, values.shape[1]))
    for k, column in enumerate(values.T):
        out[:, k] = np.bincount(code, column, minlength=n)
    return out


def replicate_covariances(done: Replicates, n_domains: int) -> Iterator[Floats]:
    """The same from replicates (R, D x K) of all curves, domain by domain."""
    k = len(done.estimate) // n_domains
    for start in range(0, len(done.estimate), k):
        part = slice(start, start + k)
        own = replace(done, estimate=done.estimate[part], values=done.values[:, part])
        yield own.covariance()
