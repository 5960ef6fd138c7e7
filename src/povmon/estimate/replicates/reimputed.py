"""Standard errors of estimates that use imputed values, by imputing again in each replicate.

Treating imputed values as observed understates the error. In the bootstrap for imputed survey
data each replicate of the PSUs repeats the imputation from the donors that it drew, with their
replicate weights (Shao and Sitter 1996, Journal of the American Statistical Association 91,
1278-1288; for the random hot deck within classes also Rao and Shao 1992, Biometrika 79, 811-822).
The replicates are those of the rescaled bootstrap (Rao and Wu 1988). The same replicates with the
imputed values held fixed give the naive error, so the ratio of the two carries little noise of
its own and can be applied to a linearised standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from povmon.estimate.design import Floats, Ints
from povmon.estimate.replicates.rescaled import draw, stream

Labels = npt.ArrayLike
AT_ONCE = 2**22  # numbers held while donors of one pool are drawn


@dataclass(frozen=True, eq=False)
class Resample:
    """Bootstrap factors on the weights of P PSUs, B replicates.

    Parameters
    ----------
    psu : (n,) PSU of each row, 0 to P - 1.
    factor : (P, B) n_h / (n_h - 1) times how often it was drawn; 1 for the only PSU of a stratum.
    """

    psu: Ints
    factor: Floats


def resample(stratum: Labels, psu: Labels, replicates: int, seed: int) -> Resample:
    """Draw n_h - 1 of each stratum's n_h PSUs with replacement, `replicates` times.

    Parameters
    ----------
    stratum, psu : (n,) labels of the rows; a PSU is known by both.
    replicates : B.
    seed : of the random numbers; a stratum's depend on it and on the stratum's label alone.
    """
    pairs = np.char.add(np.char.add(np.asarray(stratum, dtype=str), "\t"), np.asarray(psu, str))
    names, first, codes = np.unique(pairs, return_index=True, return_inverse=True)
    of = np.asarray(stratum, dtype=str)[first]
    factor = np.ones((len(names), replicates))
    for label in np.unique(of).tolist():
        inside = np.flatnonzero(of == label)
        size = len(inside)
        if size > 1:
            drawn = draw(stream(seed, label), [np.arange(size)], replicates)[0]
            factor[inside] = drawn * (size / (size - 1))
    return Resample(codes.ravel(), factor)


@dataclass(frozen=True, eq=False)
class HotDeck:
    """Values that were imputed: own part plus what the donor gives.

    Parameters
    ----------
    rows : (R,) imputed rows.
    own : (R,) the part of the value that the row answered itself (0 where it answered nothing).
    takes : (R, K) 1.0 for the components that are imputed.
    pool : (R,) number of the row's pool.
    pools : for each pool the rows of its donors.
    components : (n, K) the components of all rows; a donor's are known.
    """

    rows: Ints
    own: Floats
    takes: Floats
    pool: Ints
    pools: Sequence[Ints]
    components: Floats


def reimpute(deck: HotDeck, weight: Floats, drawn: Resample, seed: int) -> Floats:
    """The imputed values, imputed anew in each replicate.

    Parameters
    ----------
    deck : what was imputed, from whom.
    weight : (n,) weights; a donor's chance is proportional to its replicate weight.
    drawn : the replicates.
    seed : of the random numbers.

    Returns
    -------
    (R, B). In a replicate that drew none of a pool's donors their own weights are taken.
    """
    out = np.empty((len(deck.rows), drawn.factor.shape[1]))
    for number, donors in enumerate(deck.pools):
        inside = np.flatnonzero(deck.pool == number)
        if not len(inside):
            continue
        random = stream(seed, f"pool {number}")
        chosen = _choose(donors, len(inside), weight, drawn, random)
        given = deck.components[chosen]  # (r, B, K)
        out[inside] = deck.own[inside, None] + np.einsum("rbk,rk->rb", given, deck.takes[inside])
    return out


def _choose(donors: Ints, number: int, weight: Floats, drawn: Resample,
            random: np.random.Generator) -> Ints:  # fmt: skip
    """A donor for each of `number` rows in each replicate, (number, B)."""
    chance = weight[donors, None] * drawn.factor[drawn.psu[donors]]
    none = chance.sum(axis=0) <= 0
    chance[:, none] = weight[donors, None]
    bound = np.cumsum(chance, axis=0)
    point = random.random((number, bound.shape[1])) * bound[-1]
    place = np.empty(point.shape, dtype=np.int64)
    step = max(1, AT_ONCE // bound.size)
    for start in range(0, number, step):
        part = point[start : start + step]
        place[start : start + step] = (bound[None, :, :] <= part[:, None, :]).sum(axis=1)
    return donors[np.minimum(place, len(donors) - 1)]


@dataclass(frozen=True, eq=False)
class Errors:
    """Bootstrap standard errors of a mean or total by domain, (D,) each.

    Parameters
    ----------
    naive : imputed values held fixed.
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


def errors(
    value: Floats, again: Floats, imputed: Ints, weight: Floats, domain: Ints, drawn: Resample, *,
    change: Callable[[Floats], Floats] = np.asarray, poststratum: Ints | None = None,
    total: bool = False,
) -> Errors:  # fmt: skip
    """Naive and full standard errors of the mean (or total) of ``change(value)`` by domain.

    Parameters
    ----------
    value : (n,) values with the imputed ones in place; NaN is left out.
    again : (R, B) the imputed values in each replicate.
    imputed : (n,) row of `again` that belongs to each row, -1 where the value is its own.
    weight : (n,).
    domain : (n,) domain of each row, 0 to D - 1, or -1.
    drawn : the replicates; ``drawn.psu`` belongs to these rows.
    change : what is averaged, element by element: the value itself, or poor or not, ...
    poststratum : (n,) strata whose sums of weights are kept in every replicate; PSUs lie within.
    total : the error of the total instead of the mean.
    """
    domains = int(domain.max()) + 1
    factor = drawn.factor * _kept(weight, drawn, poststratum)
    inside = (domain >= 0) & ~np.isnan(value)
    weighted = np.where(inside, weight, 0.0)
    fixed = change(np.nan_to_num(value))
    numerator = _by_domain(weighted * fixed, domain, drawn.psu, domains, factor)
    whole = _by_domain(weighted, domain, drawn.psu, domains, factor)
    rows = np.flatnonzero(inside & (imputed >= 0))
    moved = change(again[imputed[rows]]) - fixed[rows, None]
    moved *= weighted[rows, None] * factor[drawn.psu[rows]]
    place = sparse.coo_array(
        (np.ones(len(rows)), (domain[rows], np.arange(len(rows)))), shape=(domains, len(rows))
    ).tocsr()
    full = numerator + place @ moved
    if not total:
        with np.errstate(divide="ignore", invalid="ignore"):
            numerator, full = numerator / whole, full / whole
    return Errors(_spread(numerator), _spread(full))


def _spread(replicates: Floats) -> Floats:
    """Standard deviation over the replicates in which the domain has any row."""
    known = np.isfinite(replicates)
    number = known.sum(axis=1)
    values = np.where(known, replicates, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = values.sum(axis=1) / number
        square = np.where(known, (values - centre[:, None]) ** 2, 0.0).sum(axis=1)
        return np.sqrt(square / (number - 1))


def _kept(weight: Floats, drawn: Resample, poststratum: Ints | None) -> Floats:
    """Factors (P, B) that bring each poststratum's sum of weights back in every replicate."""
    units = len(drawn.factor)
    if poststratum is None:
        return np.ones((units, 1))
    of = np.zeros(units, dtype=np.int64)
    of[drawn.psu] = poststratum
    sums = np.bincount(drawn.psu, weights=weight, minlength=units)
    groups = int(of.max()) + 1
    place = sparse.coo_array((np.ones(units), (of, np.arange(units))), shape=(groups, units))
    now = place.tocsr() @ (drawn.factor * sums[:, None])
    before = np.bincount(of, weights=sums, minlength=groups)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        kept = np.where(now > 0, before / now, 1.0)
    return kept[of]


def _by_domain(values: Floats, domain: Ints, psu: Ints, domains: int, factor: Floats) -> Floats:
    """Replicates of weighted sums by domain, (D, B)."""
    inside = domain >= 0
    cells = sparse.coo_array(
        (values[inside], (domain[inside], psu[inside])), shape=(domains, len(factor))
    ).tocsr()
    return np.asarray(cells @ factor)
