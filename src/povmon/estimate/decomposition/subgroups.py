"""Poverty and inequality of a population split into those of its groups, or of income sources."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.core.order import Sorted
from povmon.estimate.core.rows import Rows
from povmon.estimate.decomposition.components import Parts, freedom, groups_table
from povmon.estimate.decomposition.groups import Groups
from povmon.estimate.design import Design, Floats, lay, numbers
from povmon.estimate.measures.additive import Index, check_index, index_values, usable
from povmon.estimate.measures.base import Flags, divide
from povmon.estimate.measures.multidimensional import Multidimensional, Of
from povmon.estimate.measures.poverty import Line, poverty_line
from povmon.estimate.replicates.replicate import Bootstrap, Method, draws

BOOTSTRAP = Bootstrap()


def poverty_by_group(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    line: Line,
    group: str,
    index: Index = 0.0,
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """What each group contributes to poverty: P = sum_k s_k P_k, with s_k its population share.

    Parameters
    ----------
    frame : one row a unit.
    design : how the sample was drawn.
    x : column of incomes.
    line : poverty line, a number or a column.
    group : column of the groups; rows without one are left out, of the total too.
    index : alpha of a Foster-Greer-Thorbecke index (0 or more), or ``watts``.
    by : columns whose combinations are the domains, each decomposed by itself.
    level : coverage of the intervals.
    method : replicate method.

    Returns
    -------
    For each domain and group: the `by` columns, the group's column, ``component``
    (``population share``, ``poverty`` P_k, ``contribution`` s_k P_k, ``percentage`` of P),
    ``estimate``, ``se``, ``ci_low``, ``ci_high`` (Student's t), ``df`` and ``note``; P itself
    under the group ``all``. Where nobody is poor percentages are missing. A negative income is
    poor and its gap counts as for zero; Watts leaves out what is not positive.

    Raises
    ------
    PovmonError : a column is missing or not numeric, the line is not positive, alpha is
        negative, or there are no rows.

    Source
    ------
    Foster, Greer and Thorbecke (1984), Econometrica 52.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> from povmon.estimate.replicates.replicate import Jackknife
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1], "y": [50, 80, 60, 300],
    ...                        "area": ["east", "east", "west", "west"]})
    >>> table = poverty_by_group(sample, Design(None, "village", "w"), "y", 100, "area",
    ...                          method=Jackknife())
    >>> table.loc[table["component"] == "contribution", ["area", "estimate"]].values.tolist()
    [['east', 0.5], ['west', 0.25]]
    """
    index = check_index(index)
    rows = Rows(frame)
    income = rows.number(x) / poverty_line(rows, line)
    used = usable(income, index)
    value = index_values(np.where(used, income, 1.0), index)

    told: dict[Hashable, Any] = {
        "decomposition": "poverty by group", "column": x, "line": line, "index": index,
    }  # fmt: skip
    return _by_group(frame, design, used, group, by, _averages(value), level, method, told)


def multidimensional_by_group(
    frame: pd.DataFrame,
    design: Design,
    index: Multidimensional,
    group: str,
    of: Of = "M0",
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """What each group contributes to M0 or H: M0 = sum_k s_k M0_k, s_k its population share.

    Parameters
    ----------
    index : the counting measures, from `multidimensional`; rows with a missing deprivation are
        left out.
    group : column of the groups; rows without one are left out, of the total too.
    of : ``M0`` (adjusted headcount) or ``H`` (headcount).
    frame, design, by, level, method : see `poverty_by_group`.

    Returns
    -------
    As `poverty_by_group`: for each domain and group ``population share``, ``poverty`` M0_k,
    ``contribution`` s_k M0_k and ``percentage`` of M0, and under the group ``all`` M0 itself.
    ``index.subgroup_contribution(column, value)`` gives one of them as a measure for `estimate`.

    Raises
    ------
    PovmonError : a column is missing or not numeric, `of` is neither, or there are no rows.

    Source
    ------
    Alkire and Foster (2011), Journal of Public Economics 95, on decomposability.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, multidimensional
    >>> from povmon.estimate.replicates.replicate import Jackknife
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 1, "school": [1, 1, 0, 0],
    ...                        "water": [1, 0, 1, 0], "area": ["east", "east", "west", "west"]})
    >>> index = multidimensional({"school": "2/3", "water": "1/3"}, "1/3")
    >>> table = multidimensional_by_group(sample, Design(None, "village", "w"), index, "area",
    ...                                   method=Jackknife())
    >>> shares = table[table["component"] == "percentage"]
    >>> shares[["area", "estimate"]].round(4).values.tolist()
    [['east', 0.8333], ['west', 0.1667]]
    """
    if of not in get_args(Of):
        raise unknown_name("measure", str(of), get_args(Of), where="multidimensional_by_group")
    score, poor, complete = index.score(Rows(frame))
    value = np.where(poor, score if of == "M0" else 1.0, 0.0)
    told: dict[Hashable, Any] = {
        "decomposition": "multidimensional poverty by group", "index": of, "k": str(index.k),
    }  # fmt: skip
    return _by_group(frame, design, complete, group, by, _averages(value), level, method, told)


def _averages(value: Floats) -> Callable[[Groups, Floats], Parts]:
    """The components of an average of row values (n,)."""

    def parts(groups: Groups, weight: Floats) -> Parts:
        size = groups.cells.sum(weight)
        share = divide(size, groups.total(size)[groups.parent])
        own = divide(groups.cells.sum(weight * value), size)
        contribution = np.where(size > 0, share * np.nan_to_num(own), share)
        total = _total(groups, contribution)
        percentage = divide(contribution, total[groups.parent])
        return Parts(
            {"population share": share, "poverty": own, "contribution": contribution,
             "percentage": percentage},
            {"poverty": total},
        )  # fmt: skip

    return parts


def entropy_by_group(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    alpha: float,
    group: str,
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """Generalised entropy GE(alpha) within groups and between them, which add up exactly.

    GE = sum_k s_k (m_k / m)**alpha GE_k + GE of the group means, with s_k the population share
    and m_k the mean of group k. Values that are not positive are left out, as in `gei`.

    Parameters
    ----------
    alpha : any number; 0 is the mean logarithmic deviation, 1 the Theil index.
    frame, design, x, group, by, level, method : see `poverty_by_group`, also for errors.

    Returns
    -------
    For each domain and group ``population share``, ``income share``, ``inequality`` GE_k and its
    part ``within``; under the group ``all``: ``inequality``, ``within``, ``between`` and
    ``between percentage`` (missing where all values are equal). Columns as in `poverty_by_group`.

    Source
    ------
    Shorrocks (1984), Econometrica 52.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> from povmon.estimate.replicates.replicate import Jackknife
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1], "y": [10, 10, 30, 30],
    ...                        "area": ["east", "east", "west", "west"]})
    >>> table = entropy_by_group(sample, Design(None, "village", "w"), "y", 2, "area",
    ...                          method=Jackknife())
    >>> table.loc[table["area"] == "all", ["component", "estimate"]].values.tolist()[:3]
    [['inequality', 0.125], ['within', 0.0], ['between', 0.125]]
    """
    if not np.isfinite(alpha):
        raise PovmonError(f"alpha is {alpha}", where="entropy_by_group", todo="use a number")
    y = numbers(frame, x)
    used = np.isfinite(y) & (y > 0)
    safe = np.where(used, y, 1.0)
    one, moment = np.ones(len(safe)), _entropy_moment(safe, alpha)

    def parts(groups: Groups, weight: Floats) -> Parts:
        n, income, powers = (groups.cells.sum(weight * v) for v in (one, safe, moment))
        whole_n, whole, whole_powers = (groups.total(s) for s in (n, income, powers))
        share = divide(n, whole_n[groups.parent])
        income_share = divide(income, whole[groups.parent])
        own = _entropy(n, income, powers, alpha)
        # A group without weight adds nothing, whatever its inequality.
        scale = np.where(share > 0, divide(income_share, share), 1.0) ** alpha
        within = share * scale * np.where(n > 0, own, 0.0)
        total, inside = _entropy(whole_n, whole, whole_powers, alpha), _total(groups, within)
        of_means = _entropy_moment(np.where(n > 0, divide(income, n), 1.0), alpha)
        between = _entropy(whole_n, whole, groups.total(n * of_means), alpha)
        return Parts(
            {"population share": share, "income share": income_share, "inequality": own,
             "within": within},
            {"inequality": total, "within": inside, "between": between,
             "between percentage": divide(between, np.where(total > 1e-14, total, 0.0))},
        )  # fmt: skip

    told: dict[Hashable, Any] = {
        "decomposition": "generalised entropy by group", "column": x, "alpha": alpha,
    }  # fmt: skip
    return _by_group(frame, design, used, group, by, parts, level, method, told)


def _entropy_moment(y: Floats, alpha: float) -> Floats:
    """What GE(alpha) needs of each value beside the value itself."""
    if alpha == 0:
        return np.log(y)
    return y * np.log(y) if alpha == 1 else y**alpha


def _entropy(n: Floats, total: Floats, moment: Floats, alpha: float) -> Floats:
    """GE(alpha) from sums of weights, of values and of `_entropy_moment`; NaN without weight."""
    mean = divide(total, n)
    level = np.where(mean > 0, mean, 1.0)
    if alpha == 0:
        result = np.log(level) - divide(moment, n)
    elif alpha == 1:
        result = divide(moment, total) - np.log(level)
    else:
        result = (divide(moment, n) / level**alpha - 1.0) / (alpha * alpha - alpha)
    return np.where(mean > 0, result, np.nan)


def gini_by_group(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    group: str,
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """Gini coefficient within groups, between them, and what comes of their overlapping.

    G = sum_k s_k y_k G_k (within; s_k population share, y_k income share) + the Gini of the
    population with each value replaced by its group's mean (between) + a remainder that is zero
    where the groups' ranges do not overlap, and positive otherwise.

    Parameters
    ----------
    frame, design, x, group, by, level, method : see `poverty_by_group`, also for errors.

    Returns
    -------
    For each domain and group ``population share``, ``income share``, ``inequality`` G_k and its
    part ``within``; under the group ``all``: ``inequality``, ``within``, ``between`` and
    ``overlap``. Columns as in `poverty_by_group`. Where the group means are nearly equal,
    ``between`` and ``overlap`` have a kink, and no replicate method gives them a good error.
    Values are taken as they are; where a group's or domain's mean is not positive its
    coefficient is missing, as in `gini`.

    Source
    ------
    Lambert and Aronson (1993), Economic Journal 103.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> from povmon.estimate.replicates.replicate import Jackknife
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1], "y": [10, 10, 30, 30],
    ...                        "area": ["east", "east", "west", "west"]})
    >>> table = gini_by_group(sample, Design(None, "village", "w"), "y", "area",
    ...                       method=Jackknife())
    >>> table.loc[table["area"] == "all", ["component", "estimate"]].values.tolist()[:3]
    [['inequality', 0.25], ['within', 0.0], ['between', 0.25]]
    """
    y = numbers(frame, x)
    used = np.isfinite(y)
    safe = np.where(used, y, 0.0)
    laid: dict[str, Sorted] = {}

    def parts(groups: Groups, weight: Floats) -> Parts:
        if not laid:
            laid["cells"] = Sorted.of(y, used, groups.cells)
            laid["domains"] = Sorted.of(y, used & (groups.domains.code >= 0), groups.domains)
        n, total = groups.cells.sum(weight), groups.cells.sum(weight * safe)
        whole_n, whole = groups.total(n), groups.total(total)
        scale = np.where(whole > 0, whole_n * whole, np.nan)
        distance = _half_distances(laid["cells"], weight)
        within = distance / scale[groups.parent]
        inequality = _half_distances(laid["domains"], weight) / scale
        between = _between(groups, n, total) / scale
        inside = _total(groups, within)
        return Parts(
            {"population share": divide(n, whole_n[groups.parent]),
             "income share": total / np.where(whole > 0, whole, np.nan)[groups.parent],
             "inequality": divide(distance, np.where(total > 0, n * total, 0.0)),
             "within": within},
            {"inequality": inequality, "within": inside, "between": between,
             "overlap": inequality - inside - between},
        )  # fmt: skip

    told: dict[Hashable, Any] = {"decomposition": "Gini by group", "column": x}
    return _by_group(frame, design, used, group, by, parts, level, method, told)


def _half_distances(laid: Sorted, weight: Floats) -> Floats:
    """Half of sum_ij w_i w_j |y_i - y_j| by domain, from values in ascending order."""
    w = laid.take(weight)
    side = 2 * laid.cumulate(w) - w - laid.spread(laid.sum(w))
    return laid.sum(w * laid.value * side)


def _between(groups: Groups, n: Floats, total: Floats) -> Floats:
    """The same for persons who all have their group's mean, (D,)."""
    mean = np.where(n > 0, divide(total, n), 0.0)
    order = np.lexsort((mean, groups.parent))
    w, parent = n[order], groups.parent[order]
    size = groups.total(n)
    before = np.concatenate([[0.0], np.cumsum(size)])[parent]
    side = 2 * (np.cumsum(w) - before) - w - size[parent]
    values = w * mean[order] * side
    return np.bincount(parent, values, minlength=len(groups.domains)).astype(np.float64)


def _total(groups: Groups, cells: Floats) -> Floats:
    """Contributions added up by domain; groups without weight have none, an empty domain NaN."""
    known = groups.total(np.isfinite(cells).astype(np.float64))
    return np.where(known > 0, groups.total(np.nan_to_num(cells)), np.nan)


def _by_group(
    frame: pd.DataFrame,
    design: Design,
    used: Flags,
    group: str,
    by: Sequence[str] | str | None,
    parts: Callable[[Groups, Floats], Parts],
    level: float,
    method: Method,
    told: dict[Hashable, Any],
) -> pd.DataFrame:
    """Replicate the components of all groups and domains at once."""
    if len(frame) == 0:
        raise PovmonError("there are no rows to decompose")
    groups = Groups.of(frame, by, group)
    made = draws(frame, design, method)
    done = made.apply(lambda w: parts(groups, np.where(used, w, 0.0)).flat(), undefined="exclude")
    df = (
        freedom(frame, design, groups.cells, used),
        freedom(frame, design, groups.domains, used),
    )
    names = parts(groups, np.where(used, lay(frame, design).weight, 0.0))
    return groups_table(groups, group, names, done, df, level, told)
