"""Regression on survey designs: linear and logit, each coefficient a measure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar, get_args

import numpy as np

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.core.domains import Domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats
from povmon.estimate.measures.base import DistributionMeasure, Linearised, present
from povmon.estimate.measures.fitting import Family, Problem, collinear

INTERCEPT = "(intercept)"
T = TypeVar("T")


class _Last(threading.local, Generic[T]):
    """What was made last from an array, for the next that asks with the same one."""

    def __init__(self) -> None:
        self.array: Floats | None = None
        self.made: T | None = None

    def of(self, array: Floats, make: Callable[[], T]) -> T:
        if self.made is None or self.array is not array:
            self.made, self.array = make(), array
        return self.made


@dataclass(frozen=True, eq=False)
class _Laid:
    """The problems of all domains, and the fits that were made last. Shapes: D domains."""

    used: np.ndarray  # (n,)
    problems: tuple[Problem, ...]  # (D,)
    linearised: _Last[_Linearised]
    replicates: _Last[Floats]


@dataclass(frozen=True, eq=False)
class _Linearised:
    """Coefficients with their linearised values. Shapes: D domains, p coefficients, n rows."""

    coefficients: Floats  # (D, p)
    values: Floats  # (p, n)
    reasons: tuple[str, ...]  # (D,)


@dataclass(frozen=True)
class Regression:
    """A linear or logit regression; its coefficients are measures."""

    y: str
    on: tuple[str, ...]
    family: Family
    name: str

    @property
    def names(self) -> tuple[str, ...]:
        """The coefficients: the intercept, then the columns in their order."""
        return (INTERCEPT, *self.on)

    @property
    def coefficients(self) -> list[Coefficient]:
        """All coefficients as measures, the intercept first."""
        return [self.coefficient(j) for j in self.names]

    def coefficient(self, j: str) -> Coefficient:
        """The coefficient of column `j`, or ``"(intercept)"``, as a measure.

        Raises
        ------
        PovmonError : the regression has no such column.
        """
        if j not in self.names:
            raise unknown_name("coefficient", j, self.names, where=self.name)
        return Coefficient(f"{self.name}: {j}", self, self.names.index(j))

    def lay(self, rows: Rows, domains: Domains) -> _Laid:
        """The problem of each domain, laid out once for all coefficients."""
        key = ("regression", self.y, self.on, self.family, domains)
        return rows.once(key, lambda: self._lay(rows, domains))

    def _lay(self, rows: Rows, domains: Domains) -> _Laid:
        used = present(rows, self.y, *self.on).values > 0
        y = rows.number(self.y)
        if self.family == "logit" and not np.isin(y[used], (0.0, 1.0)).all():
            raise PovmonError(
                f"column {self.y!r} has values other than 0 and 1",
                where=self.name, todo="recode it, or use family='linear'",
            )  # fmt: skip
        x = np.stack([rows.one(), *(rows.number(j) for j in self.on)], axis=-1)
        self._check(x[used])
        order = np.argsort(domains.code, kind="stable")
        order = order[used[order] & (domains.code[order] >= 0)]
        start = np.searchsorted(domains.code[order], np.arange(len(domains) + 1))
        runs = [order[a:b] for a, b in zip(start[:-1], start[1:], strict=True)]
        told = (self.y, *self.names)
        problems = tuple(Problem.of(self.family, at, x[at], y[at], told) for at in runs)
        return _Laid(used, problems, _Last(), _Last())

    def _check(self, x: Floats) -> None:
        """Error where the columns are collinear in the whole sample."""
        if len(x) <= len(self.names):
            return
        same = collinear(x)
        if same:
            listed = ", ".join(self.names[j] for j in same)
            raise PovmonError(
                f"these are collinear in the whole sample: {listed}",
                where=self.name,
                todo="leave one of the columns out; one that never varies counts as the intercept",
            )

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> _Linearised:
        """All coefficients by domain with their linearised values, made once."""
        laid = self.lay(rows, domains)
        return laid.linearised.of(weight, lambda: self._linearise(laid, weight, domains))

    def _linearise(self, laid: _Laid, weight: Floats, domains: Domains) -> _Linearised:
        p = len(self.names)
        found = _Linearised(
            np.full((len(domains), p), np.nan), np.zeros((p, len(weight))),
            tuple(problem.lack or self._degenerate for problem in laid.problems),
        )  # fmt: skip
        for d, problem in enumerate(laid.problems):
            if problem.lack:
                continue
            gamma = problem.fit(weight[None, problem.at])[0]
            if np.isfinite(gamma).all():
                found.coefficients[d] = problem.back @ gamma
                found.values[:, problem.at] = problem.influence(weight[problem.at], gamma).T
        return found

    @property
    def _degenerate(self) -> str:
        what = "collinear" if self.family == "linear" else "collinear or without error"
        return f"the columns are {what} in the rows that have a weight"

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """All coefficients (B, D, p) under B vectors of weights (B, n), made once."""
        laid = self.lay(rows, domains)

        def make() -> Floats:
            out = np.full((len(weights), len(domains), len(self.names)), np.nan)
            for d, problem in enumerate(laid.problems):
                if not problem.lack:
                    gamma = problem.fit(weights[:, problem.at])
                    out[:, d] = gamma @ problem.back.T
            return out

        return laid.replicates.of(weights, make)


@dataclass(frozen=True)
class Coefficient(DistributionMeasure):
    """One coefficient of a regression."""

    regression: Regression
    j: int

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.regression.y, *self.regression.on)

    def linearise(self, rows: Rows, weight: Floats, domains: Domains) -> Linearised:
        """Rows with a missing outcome or column are left out; see `regression`."""
        found = self.regression.linearise(rows, weight, domains)
        used = self.regression.lay(rows, domains).used
        return Linearised(
            found.coefficients[:, self.j], found.values[self.j], used, reasons=found.reasons
        )

    def evaluate(self, rows: Rows, weights: Floats, domains: Domains) -> Floats:
        """Fitted anew under each vector of weights."""
        return self.regression.evaluate(rows, weights, domains)[..., self.j]


def regression(
    y: str, on: Sequence[str] | str, family: Family = "linear", *, name: str | None = None
) -> Regression:
    """Regression of column `y` on columns, weighted, for descriptive use on a survey design.

    Maximises the weighted likelihood, that is solves sum_i w_i x_i (y_i - m(x_i'b)) = 0, with
    m(t) = t (``linear``) or 1 / (1 + exp(-t)) (``logit``). The linearised value of b at row i is
    A^-1 x_i (y_i - m(x_i'b)) with A = sum_i w_i m'(x_i'b) x_i x_i', all of the row's domain, so
    that standard errors are those of the design and need no model of the residuals.

    Parameters
    ----------
    y : column of the outcome, in any unit; of 0 and 1 where the family is ``logit``.
    on : columns of the explanatory variables, numeric (categories as 0/1 columns, one of them
        left out); an intercept is added.
    family : ``linear`` (weighted least squares) or ``logit`` (quasi-binomial: coefficients are
        logarithms of odds ratios).
    name : label of the regression in the table, ``linear(y)`` or ``logit(y)`` where None; a
        coefficient's label is ``"<name>: <column>"``.

    Returns
    -------
    A `Regression`: ``.coefficients`` is the list of all coefficients, the intercept first, and
    ``.coefficient(j)`` that of one column or of ``"(intercept)"``. They are measures, to be given
    to `estimate`, `joint` and so on; however many are asked for, each domain is fitted once. A
    coefficient has the unit of `y` over that of its column. Rows with a missing value leave the
    regression, not the design.

    An estimate is missing, and ``note`` says why, in a domain with no more rows than coefficients,
    with collinear columns, or (``logit``) where a combination of the columns tells 0 from 1
    without error, so that the likelihood has no maximum; so is a replicate.

    Degrees of freedom are those of every measure, PSUs less strata. The summary of R's svyglm
    takes off the number of coefficients less one besides, which gives wider intervals: mind the
    difference where the coefficients are many and the PSUs few.

    Raises
    ------
    PovmonError : the family is unknown, or a column is named twice; on estimating: a column is
        missing or not numeric, the outcome of a ``logit`` has values other than 0 and 1, or
        columns are collinear in the whole sample.

    Source
    ------
    Binder (1983), International Statistical Review 51, for the variance above; Fuller (1975),
    Sankhya C 37, for the linear case; Lumley (2010), Complex Surveys, ch. 5 and 6.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design, estimate, regression
    >>> sample = pd.DataFrame({"village": [1, 1, 2, 2, 3, 3], "w": [1, 1, 2, 2, 1, 1],
    ...                        "income": [5, 3, 6, 4, 7, 2], "size": [2, 4, 2, 4, 1, 5]})
    >>> fit = regression("income", on=["size"])
    >>> table = estimate(sample, Design(None, "village", "w"), fit.coefficients)
    >>> table[["measure", "estimate"]].round(3).values.tolist()
    [['linear(income): (intercept)', 8.054], ['linear(income): size', -1.143]]
    """
    if family not in get_args(Family):
        raise unknown_name("family", str(family), get_args(Family), where="regression")
    chosen = (on,) if isinstance(on, str) else tuple(on)
    named = (y, INTERCEPT, *chosen)
    twice = sorted({j for j in named if named.count(j) > 1})
    if twice:
        raise PovmonError(
            f"named twice: {', '.join(twice)}",
            where="regression",
            todo="name each column once, the outcome not among those it is explained by",
        )
    return Regression(y, chosen, family, name or f"{family}({y})")
