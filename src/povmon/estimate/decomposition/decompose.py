"""Decompositions of a change in poverty: growth and redistribution, sectors, Shapley values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.decomposition.components import (
    Designs,
    Groups,
    Parts,
    base_weights,
    freedom_of_both,
    groups_table,
    named_table,
)
from povmon.estimate.decomposition.periods import Columns, Frames, Lines, Periods, Weights
from povmon.estimate.design import Floats
from povmon.estimate.measures.additive import Index, average, check_index, poverty, usable
from povmon.estimate.measures.base import Flags, divide
from povmon.estimate.replicates.replicate import Bootstrap, Method, draws

BOOTSTRAP = Bootstrap()
# The Shapley value asks for 2**n values of the function.
MOST_FACTORS = 16


def shapley(
    factors: Sequence[str], value: Callable[[frozenset[str]], npt.ArrayLike]
) -> dict[str, Floats]:
    """Exact Shapley value of each factor: its marginal effect averaged over all orderings.

    phi_j = sum over subsets S without j of |S|! (n - |S| - 1)! / n! (v(S + j) - v(S)). The
    contributions add up to v(all) - v(none).

    Parameters
    ----------
    factors : n names, at most 16.
    value : the function v: what results when the factors of the set are at work (have taken
        their last value) and the others are not. A number, or an array of K results.

    Returns
    -------
    The contribution of each factor, with the shape of the values.

    Raises
    ------
    PovmonError : a factor occurs twice, or there are none or too many.

    Source
    ------
    Shorrocks (2013), Journal of Economic Inequality 11.

    Examples
    --------
    The change of an average income is due to wages, hours and employment together:

    >>> first, last = {"wage": 10, "hours": 8}, {"wage": 15, "hours": 6}
    >>> def income(changed):
    ...     now = {k: last[k] if k in changed else first[k] for k in first}
    ...     return now["wage"] * now["hours"]
    >>> {k: float(v) for k, v in shapley(["wage", "hours"], income).items()}
    {'wage': 35.0, 'hours': -25.0}
    """
    n = len(factors)
    if not 1 <= n <= MOST_FACTORS or len(set(factors)) < n:
        raise PovmonError(
            f"the factors are {list(factors)}", where="shapley",
            todo=f"give 1 to {MOST_FACTORS} different names",
        )  # fmt: skip
    subsets = [frozenset(s) for size in range(n + 1) for s in combinations(factors, size)]
    values = {s: np.asarray(value(s), dtype=np.float64) for s in subsets}
    # Of the n! orderings, a share of 1 / (n C(n - 1, |S|)) has exactly S before j.
    return {
        j: np.sum(
            [
                (values[s | {j}] - values[s]) / (n * comb(n - 1, len(s)))
                for s in subsets
                if j not in s
            ],
            axis=0,
        )
        for j in factors
    }


def growth_redistribution(
    frames: Frames,
    design: Designs,
    x: Columns,
    line: Lines,
    index: Index = 0.0,
    by: Sequence[str] | str | None = None,
    *,
    deflator: Lines = 1.0,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """How much of a change in poverty growth explains, and how much redistribution.

    P(m, L) is the index of a distribution with the mean m and the Lorenz curve L, that is, of
    the incomes of L's period scaled to the mean m. Growth is the effect of m from the first
    period's to the last's, redistribution that of L. With the first period for reference:
    growth P(m1, L0) - P(m0, L0), redistribution P(m0, L1) - P(m0, L0); with the last: P(m1, L1)
    - P(m0, L1) and P(m1, L1) - P(m1, L0); each leaves a residual, the interaction of both. Their
    average is the Shapley value and leaves none.

    Parameters
    ----------
    frames : two surveys ``{name: data}``, the first period first; or one survey with two columns.
    design : the design of each survey ``{name: design}``, or one for both.
    x : column of both periods, or a pair.
    line : poverty line, a number or a column; a pair where it differs. It counts in the money of
        its period over `deflator`.
    index : alpha of a Foster-Greer-Thorbecke index (0 or more), or ``watts``.
    by : columns whose combinations are the domains, each decomposed by itself.
    deflator : price level by which `x` is divided (or a pair, numbers or columns), so that the
        means compare in real terms. Lines that differ in real terms act as prices do.
    level : coverage of the intervals.
    method : replicate method; PSUs that two surveys share are drawn together.

    Returns
    -------
    For each domain: the `by` columns, ``component`` (``poverty``, ``change``, ``growth``,
    ``redistribution``, ``residual``), ``reference`` (``first``, ``last``, ``average``; empty for
    the change), ``estimate``, ``se``, ``ci_low``, ``ci_high``, ``df`` and ``note``. A negative
    income is poor and its gap counts as for zero; the Watts index leaves out what is not
    positive, from the mean too.

    Raises
    ------
    PovmonError : not two periods, a domain is empty in one of them or its mean is not positive
        there, a line or deflator is not positive, alpha is negative.

    Source
    ------
    Datt and Ravallion (1992), Journal of Development Economics 38; Kakwani (2000),
    Journal of Quantitative Economics 16, and Shorrocks (2013), Journal of Economic Inequality
    11, for the average.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1],
    ...                        "y0": [50, 80, 120, 150], "y1": [60, 110, 150, 160]})
    >>> table = growth_redistribution(sample, Design(None, "village", "w"), ("y0", "y1"), 100)
    >>> table[table["reference"] == "average"][["component", "estimate"]].values.tolist()
    [['growth', -0.125], ['redistribution', -0.125]]
    """
    index = check_index(index)
    periods = Periods.of(frames, x, by)
    real = periods.real(line, deflator)
    used = (usable(real[0], index), usable(real[1], index))
    weights = base_weights(periods, design)
    periods.check_occupied(weights, used)
    for t, when in enumerate(("first", "last")):
        mean = average(real[t], used[t], weights[t], periods.domains[t])
        periods.check(mean > 0, f"has no positive mean in the {when} period")

    def statistic(given: Weights) -> Floats:
        return _growth_parts(periods, real, used, periods.weights(given), index).ravel()

    done = draws(frames, design, method).apply(statistic, undefined="exclude")
    df = freedom_of_both(periods, design, periods.domains, used)
    told: dict[Hashable, Any] = {
        "decomposition": "growth and redistribution",
        "index": index,
        "line": str(line),
    }
    names = pd.DataFrame(GROWTH, columns=["component", "reference"])
    return named_table(periods.labels, names, done, df, level, told)


GROWTH = [
    ("poverty", "first"), ("poverty", "last"), ("change", ""),
    ("growth", "first"), ("redistribution", "first"), ("residual", "first"),
    ("growth", "last"), ("redistribution", "last"), ("residual", "last"),
    ("growth", "average"), ("redistribution", "average"),
]  # fmt: skip


def _growth_parts(
    periods: Periods,
    real: tuple[Floats, Floats],
    used: tuple[Flags, Flags],
    weights: tuple[Floats, Floats],
    index: Index,
) -> Floats:
    """The components named in GROWTH, (D, 11)."""
    means = [average(r, u, w, d) for r, u, w, d in
             zip(real, used, weights, periods.domains, strict=True)]  # fmt: skip
    ratio = divide(means[1], np.where((means[0] > 0) & (means[1] > 0), means[0], 0.0))
    # p[m][l]: mean of period m, Lorenz curve of period l.
    p = [[np.empty(0)] * 2 for _ in range(2)]
    for t, scale in enumerate((ratio, 1.0 / ratio)):
        mine = (real[t], used[t], weights[t], periods.domains[t], index)
        p[t][t] = poverty(*mine)
        p[1 - t][t] = poverty(*mine, scale)
    growth = p[1][0] - p[0][0], p[1][1] - p[0][1]
    spread = p[0][1] - p[0][0], p[1][1] - p[1][0]
    change = p[1][1] - p[0][0]
    columns = [p[0][0], p[1][1], change]
    for g, s in zip(growth, spread, strict=True):
        columns += [g, s, change - g - s]
    return np.stack([*columns, (growth[0] + growth[1]) / 2, (spread[0] + spread[1]) / 2], axis=-1)


def sectoral_change(
    frames: Frames,
    design: Designs,
    x: Columns,
    line: Lines,
    sector: str,
    index: Index = 0.0,
    by: Sequence[str] | str | None = None,
    *,
    deflator: Lines = 1.0,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """How much of a change in poverty happened within sectors, and how much by moving between.

    P1 - P0 = sum_k s0_k (P1_k - P0_k) (within sectors) + sum_k P0_k (s1_k - s0_k) (population
    shift) + sum_k (P1_k - P0_k)(s1_k - s0_k) (interaction), with P_k the index in sector k and
    s_k its share of the population.

    Parameters
    ----------
    sector : column of the sector (industry, region, urban or rural); persons without one are
        left out.
    frames, design, x, line, index, by, deflator, level, method : see `growth_redistribution`.

    Returns
    -------
    For each domain and sector: the `by` columns, the sector's column, ``component`` (``share
    first``, ``share last``, ``poverty first``, ``poverty last``, ``within``, ``shift``,
    ``interaction``), ``estimate``, ``se``, ``ci_low``, ``ci_high``, ``df`` and ``note``; under
    the sector ``all``: ``poverty first``, ``poverty last``, ``change`` and the sums of the three.

    Raises
    ------
    PovmonError : as `growth_redistribution`, and where a sector is empty in one of the periods.

    Source
    ------
    Ravallion and Huppi (1991), World Bank Economic Review 5.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> from povmon.estimate.replicates.replicate import Jackknife
    >>> first = pd.DataFrame({"village": [1, 2, 3, 4], "w": [3, 1, 1, 3], "y": [50, 150, 50, 150],
    ...                       "sector": ["farm", "farm", "town", "town"]})
    >>> last = first.assign(w=[1, 1, 1, 5])
    >>> table = sectoral_change({"2005": first, "2010": last}, Design(None, "village", "w"), "y",
    ...                         100, "sector", method=Jackknife())
    >>> total = table[table["sector"] == "all"]
    >>> total[["component", "estimate"]].round(3).values.tolist()[2:]
    [['change', -0.25], ['within', -0.167], ['shift', -0.125], ['interaction', 0.042]]
    """
    index = check_index(index)
    periods = Periods.of(frames, x, by)
    real = periods.real(line, deflator)
    groups = periods.groups(by, sector)
    used = (usable(real[0], index), usable(real[1], index))
    cells = replace(periods, domains=(groups[0].cells, groups[1].cells))
    cells.check_occupied(base_weights(periods, design), used)

    def parts(given: Weights) -> Parts:
        return _sector_parts(groups, real, used, periods.weights(given), index)

    made = draws(frames, design, method)
    done = made.apply(lambda given: parts(given).flat(), undefined="exclude")
    whole = (groups[0].domains, groups[1].domains)
    df = (
        freedom_of_both(periods, design, cells.domains, used),
        freedom_of_both(periods, design, whole, used),
    )
    told: dict[Hashable, Any] = {
        "decomposition": "sectoral change",
        "index": index,
        "line": str(line),
    }
    names = parts(periods.given(base_weights(periods, design)))
    return groups_table(groups[0], sector, names, done, df, level, told)


def _sector_parts(
    groups: tuple[Groups, Groups],
    real: tuple[Floats, Floats],
    used: tuple[Flags, Flags],
    weights: tuple[Floats, Floats],
    index: Index,
) -> Parts:
    share, level = [], []
    for g, r, u, w in zip(groups, real, used, weights, strict=True):
        size = g.cells.sum(np.where(u, w, 0.0))
        share.append(divide(size, g.total(size)[g.parent]))
        # A sector that a replicate has lost has no share, so its index does not matter.
        level.append(np.nan_to_num(poverty(r, u, w, g.cells, index)))
    moved, fell = share[1] - share[0], level[1] - level[0]
    effects = {"within": share[0] * fell, "shift": level[0] * moved, "interaction": moved * fell}
    total = groups[0].total
    first, last = (total(s * p) for s, p in zip(share, level, strict=True))
    return Parts(
        {"share first": share[0], "share last": share[1],
         "poverty first": level[0], "poverty last": level[1], **effects},
        {"poverty first": first, "poverty last": last, "change": last - first,
         **{name: total(effect) for name, effect in effects.items()}},
    )  # fmt: skip
