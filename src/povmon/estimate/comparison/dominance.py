"""Stochastic dominance: whether one distribution has less poverty than another at every line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.comparison.verdict import ORDINAL, Dominance, assess
from povmon.estimate.core.labels import Label, select
from povmon.estimate.design import Floats, Ints, numbers
from povmon.estimate.replicates.simulate import normal_errors, replicate_errors

if TYPE_CHECKING:
    from povmon.estimate.replicates.replicate import Draws, Replicates


def dominance(
    frames: pd.DataFrame | Mapping[str, pd.DataFrame],
    draws: Draws,
    x: str,
    a: Label,
    b: Label,
    lines: npt.ArrayLike,
    *,
    number: int = 101,
    orders: Sequence[int] = (1, 2, 3),
    closed: bool = False,
    level: float = 0.95,
) -> Dominance:
    """Test whether `a` has less poverty than `b`, or more, at every line of a range.

    `a` dominates `b` at order s over the lines from z0 to z1 where D(z) = P_a(z) - P_b(z) < 0
    for all z in between, with P the FGT index of order s - 1: headcount (s = 1), poverty gap
    (2), squared gap (3). Two null hypotheses are tested for each direction:

    - of non-dominance (some D(z) >= 0): rejected where even the least favourable line rejects,
      t_min = min over z of -D(z) / se(z); the p-value is that of Student's t. A rejection proves
      dominance (intersection-union test).
    - of dominance (all D(z) <= 0): rejected where the supremum of z**(s-1) D(z) exceeds that of
      the recentred bootstrap, D*(z) - D(z); p = (1 + number above) / (1 + R). A rejection
      disproves dominance; none does not prove it.

    Both respect the design: standard errors and the bootstrap are those of the replicates.

    Parameters
    ----------
    frames : the rows of a survey, or of several by name: those that `draws` was made of.
    draws : their replicates, from `povmon.estimate.draws`. Two surveys that share PSUs
        keep their covariance. Replicates other than a bootstrap's serve through their
        covariance: 2,000 normal draws stand for the bootstrap.
    x : column of income or consumption, in units in which the two sides compare (deflated, or
        divided by each survey's own line). A negative value is poor, its gap counts as for
        zero; a missing one is left out.
    a, b : which rows, ``{"area": "wumeng"}``; with several surveys ``{"survey": "2015"}`` too.
    lines : (lowest, highest), between which `number` lines are laid; or three or more lines in
        ascending order. Where neither side has anybody below (or all below), nothing can be
        tested: those lines are left out, and ``tests`` tells the lines that remain. Dominance
        is *restricted* to them; non-dominance can never be rejected where the data end.
    closed : a value equal to the line counts as poor.
    level : of intervals and bands; the tests are at 1 - level. Tests of several orders and both
        directions are not adjusted for one another.

    Returns
    -------
    `Dominance`: the two curves with their difference, the tests and the verdict of each order.

    Raises
    ------
    PovmonError : a column is missing, no row is chosen, lines are not positive and
        ascending, an order is not 1, 2 or 3, a side has no weight in some replicate.

    Source
    ------
    Davidson and Duclos (2000), Econometrica 68, eq. 2-4 (curves); Kaur, Prakasa Rao and Singh
    (1994), Econometric Theory 10, and Davidson and Duclos (2013), Econometric Reviews 32
    (non-dominance; restricted ranges); Barrett and Donald (2003), Econometrica 71, sec. 3
    (dominance, recentred bootstrap).

    Examples
    --------
    >>> from povmon.estimate.design import Design
    >>> from povmon.estimate.replicates.replicate import Bootstrap, draws
    >>> rows = pd.DataFrame({"area": np.repeat(["east", "west"], 200), "w": 1.0,
    ...                      "village": np.arange(400) // 5, "income": np.arange(400) % 200 + 1.0})
    >>> rows.loc[rows["area"] == "west", "income"] += 100
    >>> made = draws(rows, Design("area", "village", "w"), Bootstrap(500))
    >>> found = dominance(rows, made, "income", {"area": "west"}, {"area": "east"}, (90, 250))
    >>> found.verdicts["verdict"].tolist()
    ['west dominates', 'west dominates', 'west dominates']
    >>> found.tests.loc[0, ["t_min", "p_non_dominance"]].astype(float).round(4).tolist()
    [3.7204, 0.0002]
    """
    at = _lines(lines, number)
    powers = _powers(orders)
    names = _name(a), _name(b)
    if names[0] == names[1]:
        raise PovmonError(f"both sides are {names[0]}", where="dominance")
    sides = [_Side.of(frames, draws, x, side, at, closed) for side in (a, b)]

    def curves(weights: Any) -> Floats:
        first, second = (side.curves(weights, powers) for side in sides)
        return np.concatenate([first, second, first - second], axis=None)

    result = draws.apply(curves)
    shape = (3, len(powers), len(at))
    estimate, se = result.estimate.reshape(shape), result.se().reshape(shape)[2]
    errors = _errors(result, len(powers) * len(at)).reshape(-1, *shape[1:])
    return assess(names, at, powers + 1, estimate, se, errors, float(result.df), level)


@dataclass(frozen=True)
class _Side:
    """The rows of one distribution, placed among the lines.

    Shapes: m rows, L lines. `bin` is the first line that a row is below, L if none.
    """

    survey: str | None
    row: Ints  # (m,)
    value: Floats  # (m,) negative incomes as zero
    bin: Ints  # (m,)
    lines: Floats  # (L,)

    @classmethod
    def of(
        cls, frames: Any, draws: Draws, x: str, label: Label, lines: Floats, closed: bool
    ) -> _Side:
        """Choose a side's rows, leaving out those without a value, and place them."""
        survey, frame, rest = _frame(frames, draws, label)
        rows = select(frame, rest, "row") if rest else np.arange(len(frame), dtype=np.int64)
        income = numbers(frame, x)[rows]
        kept = np.isfinite(income)
        if not kept.any():
            raise PovmonError(f"{x!r} is missing in all rows of {_name(label)}", where="dominance")
        rows, income = rows[kept], income[kept]
        place = np.searchsorted(lines, income, side="left" if closed else "right")
        return cls(survey, rows, np.maximum(income, 0.0), place.astype(np.int64), lines)

    def curves(self, weights: Any, powers: Ints) -> Floats:
        """FGT indices under one set of weights, (S, L), from moments cumulated over the lines."""
        whole = weights[self.survey] if isinstance(weights, Mapping) else weights
        w = whole[self.row]
        count = w.sum()
        if not count > 0:
            raise PovmonError(
                "one side has no weight in some replicate", where="dominance",
                todo="choose a larger domain: its PSUs are too few",
            )  # fmt: skip
        moments, size = [], len(self.lines) + 1
        for _ in range(int(powers.max()) + 1):
            moments.append(np.cumsum(np.bincount(self.bin, w, minlength=size)[:-1]) / count)
            w = w * self.value
        z = self.lines
        out = [moments[0]]
        if len(moments) > 1:
            out.append(moments[0] - moments[1] / z)
        if len(moments) > 2:
            out.append(moments[0] - (2 * moments[1] - moments[2] / z) / z)
        return np.stack([out[p] for p in powers])


def _frame(
    frames: Any, draws: Draws, label: Label
) -> tuple[str | None, pd.DataFrame, dict[str, Any]]:
    """The survey a label names, its rows, and what else the label says."""
    rest = dict(label)
    survey = None if isinstance(frames, pd.DataFrame) else str(rest.pop("survey", ""))
    if survey is not None and survey not in frames:
        raise unknown_name("survey", survey, frames, where=f"the side {_name(label)}")
    frame: pd.DataFrame = frames if survey is None else frames[survey]
    if len(frame) != len(draws.weights(0, survey)):
        raise PovmonError(
            "the replicates were made of other rows", where="dominance",
            todo="give the frames that draws() was given",
        )  # fmt: skip
    return survey, frame, rest


def _errors(result: Replicates, last: int) -> Floats:
    """Draws of the errors of the `last` statistics, (R, last)."""
    values, estimate = result.values[:, -last:], result.estimate[-last:]
    errors = replicate_errors(values, estimate, result.factor)
    if errors is not None:
        return errors
    moved = replace(result, values=values, estimate=estimate)
    return normal_errors(moved.covariance(), 2000, 1)


def _lines(lines: npt.ArrayLike, number: int) -> Floats:
    """Poverty lines in ascending order, (L,)."""
    try:
        at = np.asarray(lines, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PovmonError("the lines are not numbers", where="dominance") from error
    if at.shape == (2,) and number >= 2:
        at = np.linspace(at[0], at[1], number)
    if at.ndim != 1 or len(at) < 3 or not ((at > 0).all() and (np.diff(at) > 0).all()):
        raise PovmonError(
            "poverty lines must be positive and ascending", where="dominance",
            todo="give (lowest, highest), or three lines or more",
        )  # fmt: skip
    return at


def _powers(orders: Sequence[int]) -> Ints:
    """Powers of the gap, one less than the orders."""
    if not orders or any(order not in ORDINAL for order in orders):
        raise PovmonError(f"orders are {orders!r}", where="dominance", todo="use some of 1, 2, 3")
    return np.array(sorted(set(orders)), dtype=np.int64) - 1


def _name(label: Label) -> str:
    """A distribution's name in words: the values of its label, numbers after what they number."""
    return ", ".join(v if isinstance(v, str) else f"{name} {v}" for name, v in label.items())
