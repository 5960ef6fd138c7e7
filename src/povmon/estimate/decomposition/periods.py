"""Two periods to compare: two surveys, or two columns of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import Domains, lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.decomposition.groups import Groups
from povmon.estimate.design import Floats, column
from povmon.estimate.measures.base import Flags
from povmon.estimate.measures.poverty import Line, poverty_line

Frames = pd.DataFrame | Mapping[str, pd.DataFrame]
Weights = Floats | Mapping[str, Floats]
T = TypeVar("T")
# One thing for both periods, or a pair (first, last).
Columns = str | tuple[str, str]
Lines = Line | tuple[Line, Line]


@dataclass(frozen=True, eq=False)
class Periods:
    """The first and the last of two periods.

    Shapes: n0 and n1 rows (of one survey: the same rows), D domains.
    """

    rows: tuple[Rows, Rows]
    surveys: tuple[str, str] | None  # None: two columns of one survey
    columns: tuple[str, str]
    domains: tuple[Domains, Domains]  # the same domains, in the same order

    @classmethod
    def of(cls, frames: Frames, x: Columns, by: Sequence[str] | str | None = None) -> Periods:
        """Check and lay out.

        Raises
        ------
        PovmonError : not two surveys, one column for two periods of one survey, a survey without
            rows, a domain without rows in one of two surveys.
        """
        columns = pair(x)
        names = [by] if isinstance(by, str) else list(by or [])
        if isinstance(frames, pd.DataFrame):
            if columns[0] == columns[1]:
                raise PovmonError(
                    f"one survey and one column {columns[0]!r} make no two periods",
                    todo="give two surveys as {name: data}, or two columns as a pair",
                )
            rows, surveys = (Rows(frames), Rows(frames)), None
            domains = (lay_domains(frames, names),) * 2
        else:
            if len(frames) != 2:
                raise PovmonError(
                    f"there are {len(frames)} surveys", todo="give two, the first period first"
                )
            first, last = frames
            surveys = (first, last)
            rows = (Rows(frames[first]), Rows(frames[last]))
            domains = _lay_both((frames[first], frames[last]), names)
        if not (len(rows[0]) and len(rows[1])):
            raise PovmonError("there are no rows to compare", where=", ".join(surveys or ()))
        return cls(rows, surveys, columns, domains)

    def __len__(self) -> int:
        return len(self.domains[0])

    @property
    def labels(self) -> pd.DataFrame:
        """The domains, (D rows)."""
        return self.domains[0].labels

    def weights(self, given: Weights) -> tuple[Floats, Floats]:
        """Weights of the rows of both periods, from what replicates hand to a statistic."""
        if isinstance(given, Mapping):
            assert self.surveys is not None
            return given[self.surveys[0]], given[self.surveys[1]]
        return given, given

    def values(self) -> tuple[Floats, Floats]:
        """The column of each period, missing values as NaN."""
        return self.rows[0].number(self.columns[0]), self.rows[1].number(self.columns[1])

    def real(self, line: Lines, deflator: Lines = 1.0) -> tuple[Floats, Floats]:
        """The column of each period as a multiple of the line in that period's prices."""
        lines: tuple[Line, Line] = pair(line)
        prices: tuple[Line, Line] = pair(deflator)
        first, last = (
            values / (poverty_line(self.rows[t], lines[t]) * _level(self.rows[t], prices[t]))
            for t, values in enumerate(self.values())
        )
        return first, last

    def given(self, weights: tuple[Floats, Floats]) -> Weights:
        """Weights as replicates hand them to a statistic."""
        if self.surveys is None:
            return weights[0]
        return dict(zip(self.surveys, weights, strict=True))

    def groups(self, by: Sequence[str] | str | None, group: str) -> tuple[Groups, Groups]:
        """The groups of a column within the domains, the same in both periods."""
        if self.surveys is None:
            return (Groups.of(self.rows[0].frame, by, group),) * 2
        names = [*([by] if isinstance(by, str) else by or []), group]
        keys = [pd.DataFrame({n: column(r.frame, n) for n in names}) for r in self.rows]
        both = Groups.of(pd.concat(keys, ignore_index=True), by, group)
        n = len(self.rows[0])
        return both.part(slice(n)), both.part(slice(n, None))

    def check_occupied(self, weights: tuple[Floats, Floats], used: tuple[Flags, Flags]) -> None:
        """Refuse a domain that has no used row of positive weight in one of the periods."""
        for t, when in enumerate(("first", "last")):
            inside = self.domains[t].sum(((weights[t] > 0) & used[t]).astype(np.float64))
            self.check(inside > 0, f"has no usable row in the {when} period")

    def check(self, fine: Flags, what: str) -> None:
        """Refuse domains (D,) that are not fine."""
        if not fine.all():
            raise PovmonError(
                f"{_list(self.labels[~fine])} {what}",
                todo="leave it out of both periods, or take larger domains",
            )


def pair(given: T | tuple[T, T]) -> tuple[T, T]:
    """One thing for both periods as a pair."""
    return cast(tuple[T, T], given) if isinstance(given, tuple) else (given, given)


def _lay_both(frames: tuple[pd.DataFrame, pd.DataFrame], by: list[str]) -> tuple[Domains, Domains]:
    if not by:
        return lay_domains(frames[0], by), lay_domains(frames[1], by)
    keys = [pd.DataFrame({name: column(f, name) for name in by}) for f in frames]
    both = lay_domains(pd.concat(keys, ignore_index=True), by)
    n = len(frames[0])
    return Domains(both.code[:n], both.labels), Domains(both.code[n:], both.labels)


def _level(rows: Rows, deflator: Line) -> Floats | float:
    value = rows.number(deflator) if isinstance(deflator, str) else float(deflator)
    if not np.all(np.isfinite(value) & (np.asarray(value) > 0)):
        raise PovmonError(f"deflator {deflator!r} is missing or not positive", todo="correct it")
    return value


def _list(labels: pd.DataFrame) -> str:
    """Domains named in a message."""
    if not len(labels.columns):
        return "the sample"
    return "; ".join(
        ", ".join(f"{name} {value}" for name, value in row.items())
        for row in labels.head(5).to_dict("records")
    )
