"""Groups within domains, for decompositions that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains, lay_domains
from povmon.estimate.design import Floats, Ints

ALL = "all"


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups within domains. Shapes: n rows, D domains, C groups of domains (cells).

    A row whose group or domain is missing belongs to neither.
    """

    domains: Domains
    cells: Domains
    parent: Ints  # (C,) domain of each cell

    @classmethod
    def of(cls, frame: pd.DataFrame, by: Sequence[str] | str | None, group: str) -> Groups:
        """Lay out the groups of column `group` within the domains."""
        names = [by] if isinstance(by, str) else list(by or [])
        if group in names:
            raise PovmonError(
                f"column {group!r} makes both the groups and the domains", todo="choose two columns"
            )
        cells = lay_domains(frame, [*names, group])
        if (cells.labels[group].astype(object) == ALL).any():
            raise PovmonError(
                f"a value of column {group!r} is {ALL!r}, which names the total in the table",
                todo="call it otherwise",
            )
        domains = lay_domains(frame, names)
        inside = cells.code >= 0
        parent = np.zeros(len(cells), dtype=np.int64)
        parent[cells.code[inside]] = domains.code[inside]
        return cls(Domains(np.where(inside, domains.code, -1), domains.labels), cells, parent)

    def part(self, rows: slice) -> Groups:
        """The same groups of some of the rows."""
        domains, cells = self.domains, self.cells
        return Groups(
            Domains(domains.code[rows], domains.labels),
            Domains(cells.code[rows], cells.labels),
            self.parent,
        )

    def total(self, cells: Floats) -> Floats:
        """Values of cells (C,) added up by domain, (D,)."""
        return np.bincount(self.parent, cells, minlength=len(self.domains)).astype(np.float64)
