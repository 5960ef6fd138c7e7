"""Auxiliary variables with known totals: what a calibration is and what it does to variances."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from povmon.errors import PovmonError
from povmon.estimate.calibration.distance import (
    Distance,
    Solution,
    contradiction,
    cross,
    generalised_inverse,
    newton,
    proportional,
    scale_of,
    worst,
)
from povmon.estimate.design import Floats, Ints, column, numbers

Method = Literal["linear", "raking", "logit", "proportional"]
Residuals = Literal["base", "equal"]
UNBOUNDED = (-np.inf, np.inf)
# Weights that were calibrated and then stored with fewer digits still count as calibrated.
MET = 1e-4


@dataclass(frozen=True)
class Margin:
    """Known totals of the categories of a column, or of the combinations of several.

    Parameters
    ----------
    columns : the column or columns; none for the population as a whole.
    categories : labels in the data; tuples of labels where there are several columns.
    totals : known total of each category.
    """

    columns: tuple[str, ...]
    categories: tuple[Hashable, ...]
    totals: tuple[float, ...]

    @property
    def name(self) -> str:
        """Label of the margin in messages."""
        return " x ".join(self.columns) or "population"

    def labels(self) -> list[str]:
        """Labels of the categories in messages."""
        return [f"{self.name}={c}" if self.columns else self.name for c in self.categories]


@dataclass(frozen=True)
class Calibration:
    """How the weights of a design were made to meet known totals.

    Parameters
    ----------
    weight : column of the weights before calibration.
    margins : known totals of categories.
    numeric : columns with their known totals.
    method : distance between old and new weights, or "proportional" for iterative proportional
        fitting.
    bounds : limits of new over old weight.
    size : column that the totals of categories count (persons in a household); None counts rows.
    residuals : weights of the regression whose residuals carry the variance: "base" weights, or
        "equal" ones.
    tolerance, steps : largest relative misfit of a total, and most steps to get there.
    """

    weight: str
    margins: tuple[Margin, ...] = ()
    numeric: tuple[tuple[str, float], ...] = ()
    method: Method = "linear"
    bounds: tuple[float, float] = UNBOUNDED
    size: str | None = None
    residuals: Residuals = "base"
    tolerance: float = 1e-11
    steps: int = 50

    def lay(self, frame: pd.DataFrame) -> Auxiliaries:
        """The auxiliary values of each row.

        Raises
        ------
        PovmonError : an auxiliary is missing in a row, a category has no total or no rows, a
            column is missing or not numeric.
        """
        base = numbers(frame, self.weight)
        size = _size(frame, self) if self.size else np.ones(len(frame))
        mass = base * size
        codes = [_code(frame, margin, mass) for margin in self.margins]
        values = [_auxiliary(frame, name) for name, _ in self.numeric]
        if values and (size <= 0).any():
            raise PovmonError(
                f"column {self.size!r} is zero in some rows",
                todo="with totals of numeric columns every row needs a positive size",
            )
        profile, first = _profiles(codes, values, len(frame))
        counts = [len(m.categories) for m in self.margins]
        blocks = [
            sparse.csr_array((np.ones(len(first)), (np.arange(len(first)), code[first])),
                             shape=(len(first), count))
            for code, count in zip(codes, counts, strict=True)
        ] + [sparse.csr_array((x / size)[first][:, None]) for x in values]  # fmt: skip
        return Auxiliaries(
            calibration=self,
            base=base,
            size=size if self.size else None,
            profile=profile,
            matrix=sparse.hstack(blocks, format="csr"),
            margins=tuple(code[first] for code in codes),
            totals=np.array([t for m in self.margins for t in m.totals] +
                            [t for _, t in self.numeric], dtype=np.float64),
        )  # fmt: skip

    @classmethod
    def as_reached(
        cls, frame: pd.DataFrame, weight: str, column: str, size: str | None
    ) -> Calibration:
        """The post-stratification that weights have gone through, with the totals they reach."""
        code, keys = keys_of(frame, (column,))
        sized = numbers(frame, weight) * (1.0 if size is None else numbers(frame, size))
        totals = np.bincount(code, sized, minlength=len(keys))
        return cls(weight, (Margin((column,), tuple(keys), tuple(totals.tolist())),), size=size)

    def labels(self) -> list[str]:
        """Labels of the auxiliary columns, in their order."""
        named = [label for margin in self.margins for label in margin.labels()]
        return named + [name for name, _ in self.numeric]


@dataclass(frozen=True, eq=False)
class Auxiliaries:
    """A calibration laid over n rows.

    Shapes: n rows, K profiles (groups of rows whose auxiliary values per unit of size are the
    same), p auxiliary columns, D domains, U units. Weights of one profile change by one ratio,
    so the equations are solved on profiles.
    """

    calibration: Calibration
    base: Floats  # (n,) weights before calibration
    size: Floats | None  # (n,)
    profile: Ints  # (n,)
    matrix: Any  # (K, p) sparse, auxiliary values per unit of size
    margins: tuple[Ints, ...]  # category of each profile, (K,) for each margin
    totals: Floats  # (p,)

    def mass(self, weight: Floats) -> Floats:
        """Weighted size of each profile, (K,)."""
        sized = weight if self.size is None else weight * self.size
        return np.bincount(self.profile, sized, minlength=self.matrix.shape[0]).astype(np.float64)

    def recalibrate(self, weight: Floats) -> Floats:
        """Weights (n,) that meet the totals, made from other base weights (n,).

        Raises
        ------
        PovmonError : no weights within the bounds meet the totals, or none were found.
        """
        return weight * self.ratio(weight)[self.profile]

    def ratio(self, weight: Floats) -> Floats:
        """New over old weight of each profile, (K,)."""
        mass = self.mass(weight)
        solution = self._solve(mass)
        if worst(solution.misfit, np.ones(1)) > self.calibration.tolerance:
            raise self._unmet(mass, solution)
        return solution.ratio

    def _solve(self, mass: Floats) -> Solution:
        c = self.calibration
        if self.diagonal:
            return self._one_margin(mass)
        if c.method == "proportional":
            parts = tuple(np.asarray(m.totals, dtype=np.float64) for m in c.margins)
            return proportional(self.margins, mass, parts, c.tolerance, c.steps)
        # Raking does not depend on the scale of the base weights: start from the right one.
        scale = 1.0
        if c.method == "raking" and c.bounds == UNBOUNDED and c.margins:
            scale = sum(c.margins[0].totals) / mass.sum()
        found = newton(
            self.matrix, mass * scale, self.totals, _distance(c), c.bounds, c.tolerance, c.steps
        )
        return Solution(found.ratio * scale, found.misfit, found.steps)

    def _one_margin(self, mass: Floats) -> Solution:
        """Post-stratification: whatever the distance, each category has one ratio."""
        reached = self.matrix.T @ mass
        ratio = np.divide(self.totals, reached, out=np.zeros_like(reached), where=reached > 0)
        ratio = np.clip(ratio, *self.calibration.bounds)
        scale = np.where(self.totals > 0, self.totals, 1.0)
        return Solution(self.matrix @ ratio, (self.totals - reached * ratio) / scale, 1)

    def _unmet(self, mass: Floats, solution: Solution) -> PovmonError:
        """What to say about totals that were not met."""
        labels, misfit = self.calibration.labels(), np.abs(solution.misfit)
        j = int(np.argmax(np.where(np.isfinite(misfit), misfit, np.inf)))
        reached = (self.matrix.T @ (mass * solution.ratio))[j]
        many = len(self.totals) > len(self.calibration.margins)
        if (empty := (self.matrix.T @ mass == 0) & (self.totals > 0)).any():
            todo = f"no weight is left in {labels[int(np.argmax(empty))]}: merge small categories"
        elif many and contradiction(self.matrix, mass, self.totals) > 1e-9:
            todo = "the totals contradict each other: correct them, or leave one margin out"
        elif self.calibration.bounds != UNBOUNDED:
            todo = "widen the bounds, or merge small categories"
        else:
            todo = "allow more steps, merge small categories, or use another method"
        return PovmonError(
            f"after {solution.steps} steps the total of {labels[j]} is {reached:.10g} instead of "
            f"{self.totals[j]:.10g}, {misfit[j]:.2g} off relative to its size",
            where=f"calibration ({self.calibration.method})",
            todo=todo,
        )

    @cached_property
    def regression(self) -> Floats:
        """Weights of the rows in the regression behind the residuals, (n,)."""
        equal = self.calibration.residuals == "equal"
        return (self.base > 0).astype(np.float64) if equal else self.base

    @property
    def diagonal(self) -> bool:
        """True where each row counts for one total only: the coefficients are then ratios."""
        return len(self.calibration.margins) == 1 and not self.calibration.numeric

    @cached_property
    def inverse(self) -> Any:
        """Generalised inverse of the regression's cross products, (p, p), sparse if diagonal."""
        mass = self.mass(self.regression)
        if self.diagonal:
            sums = self.matrix.T @ mass
            return sparse.diags_array(
                np.divide(1.0, sums, out=np.zeros_like(sums), where=sums > 0), format="csr"
            )
        return generalised_inverse(cross(self.matrix, mass))

    def by_group(self, values: Floats, group: Ints, groups: int) -> Any:
        """Auxiliary values times row values (n,) added up by group of rows, sparse (G, p).

        Rows of group -1 are left out.
        """
        inside = group >= 0
        shape = (groups, self.matrix.shape[0])
        if not inside.all():
            values, group, profile = values[inside], group[inside], self.profile[inside]
        else:
            profile = self.profile
        return sparse.csr_array((values, (group, profile)), shape=shape) @ self.matrix

    def of_units(self, weight: Floats, unit: Ints, units: int) -> Any:
        """Weighted auxiliary totals of each sampling unit, sparse (U, p)."""
        sized = weight if self.size is None else weight * self.size
        return self.by_group(sized, unit, units)

    def check(self, weight: Floats) -> None:
        """Refuse weights (n,) that do not meet the totals."""
        reached = self.matrix.T @ self.mass(weight)
        off = np.abs(reached - self.totals) / scale_of(
            self.matrix, self.mass(self.base), self.totals
        )
        if (off > MET).any():
            j = int(np.argmax(off))
            raise PovmonError(
                f"the calibrated weights add up to {reached[j]:.10g} for "
                f"{self.calibration.labels()[j]}, which was calibrated to {self.totals[j]:.10g}",
                todo="keep all rows and choose domains with by=, or calibrate the rows you have",
            )


def _distance(calibration: Calibration) -> Distance:
    return "raking" if calibration.method == "proportional" else calibration.method


def _auxiliary(frame: pd.DataFrame, name: str) -> Floats:
    """A numeric auxiliary, complete."""
    values = numbers(frame, name)
    bad = ~np.isfinite(values)
    if bad.any():
        raise PovmonError(
            f"column {name!r} is missing or infinite in {int(bad.sum())} rows",
            where=f"first at row {int(np.argmax(bad))}",
            todo="every row needs its auxiliary values: fill them, or leave the column out",
        )
    return values


def _size(frame: pd.DataFrame, calibration: Calibration) -> Floats:
    assert calibration.size is not None
    values = _auxiliary(frame, calibration.size)
    if (values < 0).any():
        raise PovmonError(f"column {calibration.size!r} is negative in some rows")
    return values


def keys_of(frame: pd.DataFrame, columns: tuple[str, ...]) -> tuple[Ints, list[Hashable]]:
    """Codes (n,) of the combinations of columns that occur, and their labels."""
    codes = np.zeros(len(frame), dtype=np.int64)
    labels: list[tuple[Hashable, ...]] = [()]
    for name in columns:
        own, values = pd.factorize(column(frame, name))
        if (own < 0).any():
            raise PovmonError(
                f"column {name!r} is missing in {int((own < 0).sum())} rows",
                where=f"first at row {int(np.argmax(own < 0))}",
                todo="every row needs its auxiliary values: fill them, or leave the column out",
            )
        codes, pairs = pd.factorize(codes * max(len(values), 1) + own)
        names = pd.Index(values).tolist()
        labels = [(*labels[pair // len(names)], names[pair % len(names)]) for pair in pairs]
    if not columns:
        return codes, ["all"]
    return codes.astype(np.int64), [key[0] if len(columns) == 1 else key for key in labels]


def _code(frame: pd.DataFrame, margin: Margin, mass: Floats) -> Ints:
    """Category of each row, (n,)."""
    codes, keys = keys_of(frame, margin.columns)
    place = {category: j for j, category in enumerate(margin.categories)}
    lost = [key for key in keys if key not in place]
    if lost:
        raise PovmonError(
            f"{margin.name} has no total for {_few(lost)}",
            todo=f"give one to each category; there are totals for {_few(margin.categories)}",
        )
    code = np.array([place[key] for key in keys], dtype=np.int64)[codes]
    weighted = np.bincount(code, mass, minlength=len(place))
    total = np.asarray(margin.totals)
    empty = [c for c, m, t in zip(margin.categories, weighted, total, strict=True) if t > 0 >= m]
    if empty:
        raise PovmonError(
            f"{margin.name} has a total but no sampled rows for {_few(empty)}",
            todo="merge it with a category that was sampled, in the data and in the totals",
        )
    return code


def _few(labels: Any) -> str:
    """The first labels, and how many more there are."""
    shown = ", ".join(repr(label) for label in list(labels)[:8])
    return shown + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


def _profiles(codes: list[Ints], values: list[Floats], n: int) -> tuple[Ints, Ints]:
    """Groups of rows with the same auxiliary values, (n,), and a row of each, (K,)."""
    if values:
        return np.arange(n, dtype=np.int64), np.arange(n, dtype=np.int64)
    joint = np.zeros(n, dtype=np.int64)
    for code in codes:
        joint = pd.factorize(joint * (int(code.max(initial=0)) + 1) + code)[0].astype(np.int64)
    joint, uniques = pd.factorize(joint)
    first = np.empty(len(uniques), dtype=np.int64)
    first[joint[::-1]] = np.arange(n - 1, -1, -1)
    return joint.astype(np.int64), first
