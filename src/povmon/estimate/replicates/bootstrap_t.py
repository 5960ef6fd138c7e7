"""Bootstrap-t intervals: for measures whose estimate and standard error go together.

A sample that misses the few largest incomes has too low a Gini coefficient and too low a standard
error at once, so that Student's t interval is too short where it should be long. The bootstrap-t
interval takes the distribution of (estimate - truth) / se from the sample itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.calibration.auxiliary import UNBOUNDED, Auxiliaries
from povmon.estimate.core.domains import Domains, lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Design, Floats, Ints, Sample, Stage, lay
from povmon.estimate.measures.base import Linearised, Measure, SumMeasure, linearise
from povmon.estimate.replicates.rescaled import draw, stream
from povmon.estimate.show.table import shown
from povmon.estimate.table import estimate

# Replicates computed at once for measures that are functions of sums.
CHUNK = 64
# An interval needs so large a share of replicates in which the domain has an estimate.
USABLE = 0.9
NO_LIMITS = "too few PSUs for a bootstrap-t interval"


def bootstrap_t(
    frame: pd.DataFrame,
    design: Design,
    measures: Sequence[Measure] | Measure,
    by: Sequence[str] | str | None = None,
    *,
    replicates: int = 999,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Estimates with bootstrap-t (studentised bootstrap) intervals.

    Meant for the Gini coefficient and other measures that a heavy tail makes skew: with it their
    intervals cover the truth more often than Student's t intervals do, and are wider, upward
    above all. The standard errors are those of `estimate`.

    Parameters
    ----------
    frame, design, measures, by, level : as for `estimate`. Weights may be post-stratified, with
        each post-stratum inside one domain, but not otherwise calibrated.
    replicates : R; the limits are order statistics of R replicates, so at least
        2 / (1 - level) - 1 of them.
    seed : of the draws, 0 or more. In strata of three PSUs or more they are those of `Bootstrap`
        with this seed.

    Returns
    -------
    The table of `estimate` with other ``ci_low`` and ``ci_high``, and with ``t_low``, ``t_high``
    (quantiles of t*, in place of Student's) and ``replicates`` (those in which the domain has an
    estimate). There is no interval, and ``note`` says so, where they are fewer than 90 % of R or
    where replicates without variance would be its limits. Where the standard error is zero or
    missing the interval is that of `estimate`.

    Raises
    ------
    PovmonError : as `estimate`; the measure is a quantile or has a line estimated from the
        sample; a post-stratum lies in several domains, or the weights are calibrated to more
        than one margin; too few replicates.

    Formula
    -------
    In each stratum n_h - 1 of the n_h PSUs are drawn with replacement and their weights
    multiplied by n_h / (n_h - 1) times drawn (Rao and Wu 1988 with m_h = n_h - 1). Replicate r
    gives the estimate theta_r, new linearised values z and, with a_i the weighted total of z over
    PSU i counted for one draw and t_i the number of draws,

        v_r = sum_h m/(m-1) [sum_i t_i a_i^2 - (sum_i t_i a_i)^2 / m],    m = n_h - 1,

    whose mean over the draws is the stratum's variance. t*_r = (theta_r - theta) / sqrt(v_r), and
    the interval is [theta - q(1 - a/2) se, theta - q(a/2) se] with the quantiles q of t*; for
    proportions on the logit scale. From a stratum of two PSUs two are drawn with replacement and
    weighted by the times drawn, since a single draw shows no variance. A stratum of one PSU keeps
    it. With finite populations the se is that of the design and t* that of draws with
    replacement.

    Source
    ------
    Rao and Wu (1988), Journal of the American Statistical Association 83, for the draws and the
    bootstrap-t for stratified samples; Davison and Hinkley (1997), Bootstrap Methods and their
    Application, sec. 5.2.1, for the interval; Davidson and Flachaire (2007), Journal of
    Econometrics 141, for what it does for inequality under heavy tails. Its coverage here:
    docs/coverage.md.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, gini
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4, 5, 6], "w": 10.0,
    ...                        "income": [900, 1100, 1500, 2000, 2600, 9000]})
    >>> table = bootstrap_t(sample, Design(None, "village", "w"), gini("income"), replicates=199)
    >>> bool(table["ci_high"][0] - table["estimate"][0] > table["estimate"][0] - table["ci_low"][0])
    True
    """
    _check_replicates(replicates, seed, level)
    listed = list(measures) if isinstance(measures, Sequence) else [measures]
    table = estimate(frame, design, listed, by, level=level)
    domains = lay_domains(frame, [by] if isinstance(by, str) else by)
    laid = Laid.of(frame, lay(frame, design), domains, replicates, seed)
    count = len(listed)
    found = [_limits(m, table.iloc[k::count], laid, level) for k, m in enumerate(listed)]
    for name in found[0]:
        table[name] = np.stack([f[name] for f in found], axis=-1).ravel()
    return shown(table)


@dataclass(frozen=True, eq=False)
class Laid:
    """A sample's draws and its cells (domain x PSU).

    Shapes: n rows, U PSUs, R replicates, C cells sorted by domain and stratum, S domain-stratum
    pairs, D domains.
    """

    rows: Rows
    sample: Sample
    domains: Domains
    times: npt.NDArray[np.uint16]  # (U, R) how often each PSU is drawn
    ratio: Floats  # (U,) weight of one draw over the PSU's weight
    cell_of_row: Ints  # (n,) C for a row outside all domains
    unit: Ints  # (C,)
    domain: Ints  # (C,)
    first: Ints  # (S,) first cell of each pair
    pair_domain: Ints  # (S,)
    draws: Ints  # (S,) draws in the pair's stratum, 0 where its only PSU is kept
    post: Poststrata | None

    @classmethod
    def of(
        cls, frame: pd.DataFrame, sample: Sample, domains: Domains, replicates: int, seed: int
    ) -> Laid:
        """Draw the replicates and lay the cells."""
        stage = sample.stages[0]
        times, ratio, draws = _draw(stage, sample.strata, replicates, seed)
        # PSUs in the order of their strata, so that the cells of a pair are neighbours.
        order = np.argsort(stage.parent_of_unit, kind="stable")
        position = np.empty_like(order)
        position[order] = np.arange(len(order))
        units, cells = len(order), len(domains) * len(order)
        key = np.where(domains.code < 0, cells, domains.code * units + position[stage.unit])
        keys, of_row = np.unique(key, return_inverse=True)
        keys = keys[keys < cells]
        unit, domain = order[keys % units], keys // units
        stratum = stage.parent_of_unit[unit]
        new = np.ones(len(keys), dtype=bool)
        new[1:] = (stratum[1:] != stratum[:-1]) | (domain[1:] != domain[:-1])
        first = np.flatnonzero(new)
        return cls(
            Rows(frame), sample, domains, times, ratio, of_row, unit, domain, first,
            domain[first], draws[stratum[first]], Poststrata.of(sample.calibration, domains),
        )  # fmt: skip

    def replicates(self, measure: Measure) -> Iterator[tuple[Floats, Floats]]:
        """Estimates and variances (b, D) of some replicates at a time."""
        if isinstance(measure, SumMeasure) and self.post is None:
            return self._of_sums(measure)
        return self._one_by_one(measure)

    def _of_sums(self, measure: SumMeasure) -> Iterator[tuple[Floats, Floats]]:
        """Functions of sums need the cells' sums only."""
        weight = self._weight_of_draw()
        parts = [p.dense(len(self.rows)) for p in measure.parts(self.rows).values]
        sums = np.stack([self._cells(weight * values) for values in parts], axis=-1)
        for start in range(0, self.times.shape[1], CHUNK):
            times = self.times[self.unit, start : start + CHUNK].T.astype(np.float64)  # (b, C)
            whole = np.stack([self._by_domain(times * s) for s in sums.T], axis=-1)
            value, gradient = measure.of(whole)  # (b, D), (b, D, k)
            one_draw = np.einsum("bck,ck->bc", gradient[:, self.domain], sums)
            yield value, self._variance(times, one_draw)

    def _one_by_one(self, measure: Measure) -> Iterator[tuple[Floats, Floats]]:
        """Other measures are linearised anew under each replicate's weights."""
        base = self._weight_of_draw()
        for r in range(self.times.shape[1]):
            times = self.times[:, r].astype(np.float64)
            drawn = times[self.sample.stages[0].unit]
            one_draw = base if self.post is None else base * self.post.ratio(base * drawn)
            weight = one_draw * drawn
            found = linearise(measure, self.rows, weight, self.domains)
            values = found.values
            if self.post is not None:
                values = self.post.residuals(values, weight)
            totals = self._cells(one_draw * values)
            yield found.estimate[None], self._variance(times[self.unit][None], totals[None])

    def _weight_of_draw(self) -> Floats:
        """Weight of each row (n,) when its PSU is drawn once."""
        weight = self.sample.weight if self.post is None else self.post.base
        return weight * self.ratio[self.sample.stages[0].unit]

    def _cells(self, values: Floats) -> Floats:
        """Row values (n,) added up over cells (C,)."""
        n = len(self.unit)
        return np.bincount(self.cell_of_row, values, minlength=n + 1)[:n].astype(np.float64)

    def _by_domain(self, cells: Floats) -> Floats:
        """Cells (b, C) added up over domains (b, D)."""
        return self._pairs_by_domain(np.add.reduceat(cells, self.first, axis=-1))

    def _pairs_by_domain(self, pairs: Floats) -> Floats:
        b, d = len(pairs), len(self.domains)
        key = self.pair_domain + d * np.arange(b)[:, None]
        return (
            np.bincount(key.ravel(), pairs.ravel(), minlength=b * d)
            .reshape(b, d)
            .astype(np.float64)
        )

    def _variance(self, times: Floats, one_draw: Floats) -> Floats:
        """v_r of each domain (b, D) from the cells' totals for one draw (b, C)."""
        drawn = times * one_draw
        total = np.add.reduceat(drawn, self.first, axis=-1)
        square = np.add.reduceat(drawn * one_draw, self.first, axis=-1)
        m = self.draws.astype(np.float64)
        spread = square - total**2 / np.maximum(m, 1)
        by_pair = np.where(m > 1, m / np.maximum(m - 1, 1) * np.maximum(spread, 0.0), 0.0)
        return self._pairs_by_domain(by_pair)


@dataclass(frozen=True, eq=False)
class Poststrata:
    """Known totals of the size in P post-strata. Shapes: n rows."""

    code: Ints  # (n,)
    size: Floats  # (n,)
    totals: Floats  # (P,)
    base: Floats  # (n,) weights before post-stratification

    @classmethod
    def of(cls, known: Auxiliaries | None, domains: Domains) -> Poststrata | None:
        """From a design's known totals; an error where they are not post-strata of domains."""
        if known is None:
            return None
        if not known.diagonal or known.calibration.bounds != UNBOUNDED:
            raise PovmonError(
                "the weights are calibrated to more than one set of categories, or within bounds",
                where="bootstrap_t",
                todo="use estimate(..., method=Bootstrap()), which calibrates each replicate",
            )
        code = known.margins[0][known.profile]
        low = np.full(len(known.totals), len(domains))
        high = np.full(len(known.totals), -1)
        np.minimum.at(low, code, domains.code)
        np.maximum.at(high, code, domains.code)
        several = int((low < high).sum())
        if several:
            raise PovmonError(
                f"{several} post-strata lie in more than one domain",
                where="bootstrap_t",
                todo="use domains made up of whole post-strata, or "
                "estimate(..., method=Bootstrap())",
            )
        size = np.ones(len(code)) if known.size is None else known.size
        return cls(code, size, known.totals, known.base)

    def ratio(self, weight: Floats) -> Floats:
        """Factor of each row (n,) that makes the weights meet the totals."""
        return _over(self.totals, self._sum(weight * self.size))[self.code]

    def residuals(self, values: Floats, weight: Floats) -> Floats:
        """Linearised values (n,) less their ratio to the size."""
        slope = _over(self._sum(weight * values), self._sum(weight * self.size))
        return values - slope[self.code] * self.size

    def _sum(self, values: Floats) -> Floats:
        return np.bincount(self.code, values, minlength=len(self.totals)).astype(np.float64)


def _draw(
    stage: Stage, strata: pd.Index, replicates: int, seed: int
) -> tuple[npt.NDArray[np.uint16], Floats, Ints]:
    """Times drawn (U, R), weight of a draw over the PSU's (U,), and draws by stratum (H,)."""
    n = stage.units_in_parent
    draws = np.where(n > 2, n - 1, np.where(n == 2, 2, 0))
    times = np.ones((len(stage.parent_of_unit), replicates), dtype=np.uint16)
    order = np.argsort(stage.parent_of_unit, kind="stable")
    for label, units in zip(strata, np.split(order, np.cumsum(n)[:-1]), strict=True):
        random = stream(seed, str(label))
        if len(units) > 2:
            times[units] = draw(random, [units], replicates)[0]
        elif len(units) == 2:
            once = random.binomial(2, 0.5, replicates)
            times[units] = np.stack([once, 2 - once])
    ratio = np.divide(n, draws, out=np.ones(len(n)), where=draws > 0)
    return times, ratio[stage.parent_of_unit], draws


def _limits(
    measure: Measure, own: pd.DataFrame, laid: Laid, level: float
) -> dict[str, npt.NDArray[Any]]:
    """New columns of the measure's rows of the table, each (D,)."""
    _check_measure(linearise(measure, laid.rows, laid.sample.weight, laid.domains), measure)
    found = list(laid.replicates(measure))
    values, variances = (np.concatenate([f[k] for f in found]) for k in (0, 1))
    value, se = own["estimate"].to_numpy(), own["se"].to_numpy()
    inner = np.isfinite(se) & (se > 0)
    logit = measure.logit
    t = _studentised(values, variances, value, logit)
    usable = np.isfinite(values).sum(axis=0)
    low, high = _quantiles(t, (1 - level) / 2)
    known = inner & (usable >= USABLE * len(values))
    known &= logit | (np.isfinite(low) & np.isfinite(high))
    low, high = np.where(known, low, 0.0), np.where(known, high, 0.0)
    middle = np.where(known, value, 0.5)
    centre, spread = _scaled(middle, logit), np.where(known, se, 0.0)
    spread = spread * _slope(middle, logit)
    limits = [centre - high * spread, centre - low * spread]
    if logit:
        limits = [special.expit(limit) for limit in limits]
    return {
        "ci_low": np.where(known, limits[0], own["ci_low"].where(~inner)),
        "ci_high": np.where(known, limits[1], own["ci_high"].where(~inner)),
        "t_low": np.where(known, low, np.nan),
        "t_high": np.where(known, high, np.nan),
        "replicates": usable,
        "note": np.where(inner & ~known, NO_LIMITS, own["note"]),
    }


def _scaled(x: Floats, bounded: bool) -> Floats:
    """The scale on which estimates are studentised: the logit for proportions."""
    return special.logit(x) if bounded else x


def _slope(x: Floats, bounded: bool) -> Floats:
    return 1 / (x * (1 - x)) if bounded else np.ones_like(x)


def _studentised(values: Floats, variances: Floats, value: Floats, bounded: bool) -> Floats:
    """t* of each replicate and domain (R, D).

    A replicate without variance (all its PSUs alike) is as far from the estimate as can be: its
    t* is infinite. It is missing where the replicate has no estimate.
    """
    inner = (variances > 0) & np.isfinite(value)
    if bounded:
        inner &= (values > 0) & (values < 1) & (value > 0) & (value < 1)
    x, centre = np.where(inner, values, 0.5), np.where(inner, value, 0.5)
    root = np.sqrt(np.where(inner, variances, 1.0))
    t = (_scaled(x, bounded) - _scaled(centre, bounded)) / (root * _slope(x, bounded))
    away = np.where(values > value, np.inf, np.where(values < value, -np.inf, 0.0))
    return np.where(np.isfinite(values), np.where(inner, t, away), np.nan)


def _quantiles(t: Floats, tail: float) -> tuple[Floats, Floats]:
    """Order statistics (r + 1) tail and (r + 1)(1 - tail) of the r usable replicates, (D,)."""
    ordered = np.sort(t, axis=0)  # missing ones last
    usable = np.isfinite(t).sum(axis=0) + np.isinf(t).sum(axis=0)
    k = np.maximum(np.floor((usable + 1) * tail * (1 + 1e-12)).astype(np.int64), 1)
    columns = np.arange(t.shape[1])
    last = len(t) - 1
    low = ordered[np.minimum(k - 1, last), columns]
    return low, ordered[np.clip(usable - k, 0, last), columns]


def _over(top: Floats, bottom: Floats) -> Floats:
    """Quotient, 0 where the denominator is 0."""
    return np.divide(top, bottom, out=np.zeros(len(top)), where=bottom != 0)


def _check_replicates(replicates: int, seed: int, level: float) -> None:
    least = 2 / (1 - level) - 1 if 0 < level < 1 else 0
    if replicates < least - 1e-9 or replicates < 2 or seed < 0:
        raise PovmonError(
            f"replicates is {replicates!r}, seed {seed!r}",
            where="bootstrap_t",
            todo=f"ask for {max(int(np.ceil(least - 1e-9)), 2)} replicates or more, better 999, "
            "with a seed of 0 or more",
        )


def _check_measure(found: object, measure: Measure) -> None:
    """Refuse what has no linearised values of its own."""
    if not isinstance(found, Linearised):
        return
    if found.inverse is not None:
        raise PovmonError(
            f"{measure.name} is a quantile, which has no linearised values of its own",
            where="bootstrap_t",
            todo="use estimate(): Woodruff's interval needs no studentising",
        )
    if found.shared is not None:
        raise PovmonError(
            f"{measure.name} has a line estimated from the sample",
            where="bootstrap_t",
            todo="use estimate(..., method=Bootstrap()), or a fixed line",
        )
