"""Components of a decomposition as a tidy table, from one set of replicates."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.variance import degrees_of_freedom, lay_cells
from povmon.estimate.decomposition.groups import ALL, Groups
from povmon.estimate.decomposition.periods import Periods
from povmon.estimate.design import Design, Floats, Ints, lay
from povmon.estimate.measures.base import Flags
from povmon.estimate.replicates.replicate import Replicates
from povmon.estimate.show.table import shown

Designs = Design | Mapping[str, Design]


@dataclass(frozen=True)
class Parts:
    """Components by name: of cells (C,), and of domains (D,)."""

    cells: dict[str, Floats]
    domains: dict[str, Floats]

    def flat(self) -> Floats:
        """All of them in one row, which is what replicates are made of."""
        return np.concatenate([*self.cells.values(), *self.domains.values()])


def groups_table(
    groups: Groups,
    group: str,
    parts: Parts,
    done: Replicates,
    df: tuple[Ints, Ints],
    level: float,
    told: dict[Hashable, Any],
) -> pd.DataFrame:
    """One row a group and component, those of a whole domain under the group ``all``.

    Parameters
    ----------
    parts : the components that `done` replicates.
    df : degrees of freedom of the cells (C,) and of the domains (D,).
    """
    pieces = []
    for names, labels, parent, free in (
        (list(parts.cells), groups.cells.labels, groups.parent, df[0]),
        (list(parts.domains), groups.domains.labels, np.arange(len(groups.domains)), df[1]),
    ):
        m, k = len(labels), len(names)
        piece = labels.iloc[np.tile(np.arange(m), k)].reset_index(drop=True)
        piece[group] = piece[group].astype(object) if group in piece else ALL
        piece["component"] = np.repeat(np.array(names, dtype=object), m)
        piece["df"] = np.tile(free, k)
        # Sorted by domain, group (the total last) and component.
        piece["_domain"] = np.tile(parent, k)
        piece["_group"] = np.tile(np.arange(m) if m != len(groups.domains) or group in labels
                                  else np.full(m, len(groups.cells)), k)  # fmt: skip
        piece["_component"] = np.repeat(np.arange(k), m)
        pieces.append(piece)
    table = pd.concat(pieces, ignore_index=True)
    table = pd.concat([table, replicate_columns(done, table.pop("df").to_numpy(), level)], axis=1)
    order = ["_domain", "_group", "_component"]
    table = table.sort_values(order, ignore_index=True).drop(columns=order)
    table.attrs = {**told, "group": group, "level": level}
    return shown(table)


def named_table(
    labels: pd.DataFrame,
    names: pd.DataFrame,
    done: Replicates,
    df: Ints,
    level: float,
    told: dict[Hashable, Any],
) -> pd.DataFrame:
    """One row a domain and name, from replicates (R, D x K) of K components a domain.

    Parameters
    ----------
    labels : (D rows) the domains.
    names : (K rows) the components.
    df : (D,)
    """
    d, k = len(labels), len(names)
    table = pd.concat(
        [
            labels.iloc[np.repeat(np.arange(d), k)].reset_index(drop=True),
            names.iloc[np.tile(np.arange(k), d)].reset_index(drop=True),
            replicate_columns(done, np.repeat(df, k), level),
        ],
        axis=1,
    )
    table.attrs = {**told, "level": level}
    return shown(table)


def replicate_columns(done: Replicates, df: Ints, level: float) -> pd.DataFrame:
    """Estimates (K,) with ``se``, ``ci_low``, ``ci_high`` (Student's t), ``df`` and ``note``."""
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", todo="use a number between 0 and 1")
    known = np.isfinite(done.estimate)
    value = np.where(known, done.estimate, np.nan)
    df = np.minimum(df, done.df)
    se = np.where(known & (df >= 1), done.se(), np.nan)
    t = special.stdtrit(np.maximum(df, 1), 0.5 + level / 2)
    note = np.full(len(value), "", dtype=object)
    for k in np.flatnonzero(known & (done.undefined > 0)):
        note[k] = f"not defined in {done.undefined[k]} of {len(done.values)} replicates, left out"
    note[~np.isfinite(se)] = "the standard error is not defined here"
    note[df < 1] = "one PSU in each stratum: no standard error"
    note[~known] = "not defined for these values"
    return pd.DataFrame(
        {"estimate": value, "se": se, "ci_low": value - t * se, "ci_high": value + t * se,
         "df": df, "note": note}
    )  # fmt: skip


def freedom(frame: pd.DataFrame, design: Design, domains: Domains, used: Flags) -> Ints:
    """Degrees of freedom of each domain: PSUs with used rows less their strata, (D,)."""
    sample = lay(frame, design)
    layout = lay_cells(sample, domains)
    count = layout.sum((used & (sample.weight > 0)).astype(np.float64))
    return degrees_of_freedom(layout, count, len(domains))[1]


def freedom_of_both(
    periods: Periods, designs: Designs, domains: tuple[Domains, Domains], used: tuple[Flags, Flags]
) -> Ints:
    """The smaller of both periods' degrees of freedom, (D,)."""
    both = [
        freedom(rows.frame, design_of(designs, periods, t), domains[t], used[t])
        for t, rows in enumerate(periods.rows)
    ]
    return np.minimum(*both)


def design_of(designs: Designs, periods: Periods, t: int) -> Design:
    """The design of a period's survey."""
    if isinstance(designs, Design):
        return designs
    name = periods.surveys[t] if periods.surveys else ""
    if name not in designs:
        raise PovmonError(
            f"no design is given for the survey {name!r}", todo="give one design, or one by name"
        )
    return designs[name]


def base_weights(periods: Periods, designs: Designs) -> tuple[Floats, Floats]:
    """The weights of both periods' rows."""
    first, last = (
        lay(rows.frame, design_of(designs, periods, t)).weight
        for t, rows in enumerate(periods.rows)
    )
    return first, last
