"""Inequality of a total split into that of its sources."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.decomposition.components import freedom, named_table
from povmon.estimate.design import Design, Floats, numbers
from povmon.estimate.measures.base import divide
from povmon.estimate.measures.concentration import Ranked
from povmon.estimate.replicates.replicate import Bootstrap, Method, draws

BOOTSTRAP = Bootstrap()


def gini_by_source(
    frame: pd.DataFrame,
    design: Design,
    sources: Sequence[str],
    by: Sequence[str] | str | None = None,
    *,
    level: float = 0.95,
    method: Method = BOOTSTRAP,
) -> pd.DataFrame:
    """What each source of an income contributes to its Gini coefficient: G = sum_k y_k C_k.

    y_k is the source's share of the total income and C_k its concentration index over persons
    ranked by their total income.

    Parameters
    ----------
    sources : columns that add up to the income, taken as they are, negative values too; rows
        where one is missing are left out.
    frame, design, by, level, method : see `poverty_by_group`.

    Returns
    -------
    For each domain and source: the `by` columns, ``source``, ``component`` (``share`` y_k,
    ``concentration`` C_k, ``contribution`` y_k C_k, ``percentage`` of G), ``estimate``, ``se``,
    ``ci_low``, ``ci_high`` (Student's t), ``df`` and ``note``; G itself as ``inequality`` under
    the source ``all``. Missing are: everything where the total income is not positive, the
    concentration of a source whose total is not positive, percentages where all are equal.

    Raises
    ------
    PovmonError : there are fewer than two sources or one occurs twice, a column is missing or
        not numeric, or there are no rows.

    Source
    ------
    Rao (1969), Journal of the Royal Statistical Society A 132; Lerman and Yitzhaki (1985), Review
    of Economics and Statistics 67, where C_k = R_k G_k.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> from povmon.estimate.replicates.replicate import Jackknife
    >>> sample = pd.DataFrame({"village": [1, 2, 3], "w": [1, 1, 1],
    ...                        "wage": [0, 10, 30], "transfer": [10, 10, 0]})
    >>> table = gini_by_source(sample, Design(None, "village", "w"), ["wage", "transfer"],
    ...                        method=Jackknife())
    >>> parts = table[table["component"].isin(["contribution", "inequality"])]
    >>> parts[["source", "estimate"]].round(3).values.tolist()
    [['wage', 0.333], ['transfer', -0.111], ['all', 0.222]]
    """
    names = list(sources)
    if len(names) < 2 or len(set(names)) < len(names) or "all" in names:
        raise PovmonError(
            f"the sources are {names}", where="gini_by_source",
            todo="give two or more different columns, none called 'all'",
        )  # fmt: skip
    if len(frame) == 0:
        raise PovmonError("there are no rows to decompose")
    values = np.stack([numbers(frame, name) for name in names])
    income = values.sum(axis=0)
    used = np.isfinite(income)
    domains = lay_domains(frame, [by] if isinstance(by, str) else by)
    ranked = Ranked.of(income, used, domains)
    amounts = ranked.order.take(np.where(used, values, 0.0))

    def statistic(weight: Floats) -> Floats:
        w = ranked.order.take(weight)
        n = ranked.order.sum(w)
        total = ranked.order.sum(w * amounts)  # (K, D)
        half = ranked.order.sum(w * amounts * ranked.sides(w))
        scale = np.where(total.sum(axis=0) > 0, n * total.sum(axis=0), 0.0)
        contribution = divide(half, scale)
        gini = contribution.sum(axis=0)
        share = divide(n * total, scale)
        own = divide(half, np.where(total > 0, n * total, 0.0))
        # Of equal incomes rounding errors remain.
        percentage = divide(contribution, np.where(np.abs(gini) > 1e-14, gini, 0.0))
        table = np.stack([share, own, contribution, percentage], axis=1)
        flat = table.reshape(-1, len(n))
        return np.concatenate([flat, gini[None, :]]).T.ravel()

    done = draws(frame, design, method).apply(statistic, undefined="exclude")
    components = ["share", "concentration", "contribution", "percentage"]
    rows = [(s, c) for s in names for c in components] + [("all", "inequality")]
    told: dict[Hashable, Any] = {"decomposition": "Gini by source", "sources": names}
    df = freedom(frame, design, domains, used)
    labels = pd.DataFrame(rows, columns=["source", "component"])
    return named_table(domains.labels, labels, done, df, level, told)
