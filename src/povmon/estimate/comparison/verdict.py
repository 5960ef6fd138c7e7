"""Bands and tests of dominance, from two curves and draws of the errors of their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, Ints

ORDINAL = {1: "first", 2: "second", 3: "third"}
# Differences and standard errors of FGT curves below this are rounding errors of zero.
TINY = 1e-12


@dataclass(frozen=True)
class Dominance:
    """What `dominance` finds. Shapes: S orders, L lines.

    Attributes
    ----------
    a, b : names of the two distributions.
    level : one less the size of the tests; coverage of intervals and bands.
    curves : (S L rows) ``order``, ``line``, ``a``, ``b`` (FGT index of order less 1 in each),
        ``difference`` (a less b), ``se``, ``ci_low``, ``ci_high`` (point by point), ``band_low``,
        ``band_high`` (all lines of an order at once), ``tested``.
    tests : (2 S rows) of each order and direction: ``dominant``, ``dominated``, ``line_low``,
        ``line_high`` (lines tested), ``t_min``, ``line_min`` (the least favourable line),
        ``p_non_dominance``, ``supremum``, ``p_dominance``.
    ranges : ``order``, ``lower`` (who has less poverty), ``line_low``, ``line_high``: runs of
        lines at which the simultaneous band leaves out zero.
    crossings : ``order``, ``line``, ``lower_before``: where the two estimated curves cross.
    verdicts : ``order``, ``verdict`` (``<name> dominates``, ``curves cross``, ``undecided``) and
        ``words``.
    """

    a: str
    b: str
    level: float
    curves: pd.DataFrame
    tests: pd.DataFrame
    ranges: pd.DataFrame
    crossings: pd.DataFrame
    verdicts: pd.DataFrame

    def __str__(self) -> str:
        return "\n".join(self.verdicts["words"])


def assess(
    names: tuple[str, str],
    lines: Floats,
    orders: Ints,
    estimate: Floats,
    se: Floats,
    errors: Floats,
    df: float,
    level: float = 0.95,
) -> Dominance:
    """Bands and tests from curves and draws of the sampling errors of their difference.

    Parameters
    ----------
    estimate : (3, S, L) FGT curves of a, of b, and their difference.
    se : (S, L) standard errors of the difference; errors : (R, S, L) draws of its errors.
    """
    if not 0 < level < 1:
        raise PovmonError(f"level is {level}", todo="use a number between 0 and 1, usually 0.95")
    if not df >= 1:
        raise PovmonError("the design has no degree of freedom", where="dominance")
    tables: dict[str, list[pd.DataFrame]] = {n: [] for n in ("curves", "tests", "ranges", "cross")}
    for s, order in enumerate(orders):
        one = _Order(
            int(order), lines, _zero(estimate[2, s]), _zero(se[s]), errors[:, s], df, level
        )
        laid = one.bands()
        laid.insert(2, "a", estimate[0, s])
        laid.insert(3, "b", estimate[1, s])
        tables["curves"].append(laid)
        tables["tests"] += [one.test(-1.0, names), one.test(1.0, names[::-1])]
        tables["ranges"].append(_ranges(laid, names))
        tables["cross"].append(one.crossings(names))
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}
    verdicts = pd.DataFrame([_verdict(t, 1 - level) for _, t in whole["tests"].groupby("order")])
    return Dominance(
        *names, level, whole["curves"], whole["tests"], whole["ranges"], whole["cross"], verdicts
    )


@dataclass(frozen=True)
class _Order:
    """The difference of the two curves at one order, with draws of its errors."""

    order: int
    lines: Floats  # (L,)
    difference: Floats  # (L,)
    se: Floats  # (L,)
    errors: Floats  # (R, L)
    df: float
    level: float

    @property
    def tested(self) -> npt.NDArray[np.bool_]:
        """Lines at which the two sides differ or could: elsewhere both have all or nobody poor."""
        return (self.se > 0) | (self.difference != 0)

    def bands(self) -> pd.DataFrame:
        """The difference with pointwise intervals and the simultaneous band."""
        t = special.stdtrit(self.df, 0.5 + self.level / 2)
        wide = max(self._critical(), t)
        d, se = self.difference, self.se
        return pd.DataFrame(
            {
                "order": self.order,
                "line": self.lines,
                "difference": d,
                "se": se,
                "ci_low": d - t * se,
                "ci_high": d + t * se,
                "band_low": d - wide * se,
                "band_high": d + wide * se,
                "tested": self.tested,
            }
        )

    def _critical(self) -> float:
        """The quantile of the largest error over its standard error, on the scale of t."""
        some = self.se > 0
        if not some.any():
            return 0.0
        largest = np.abs(self.errors[:, some] / self.se[some]).max(axis=1)
        normal = float(np.quantile(largest, self.level))
        return float(-special.stdtrit(self.df, special.ndtr(-normal)))

    def test(self, sign: float, names: tuple[str, str]) -> pd.DataFrame:
        """Both tests of one direction: sign -1, the first name has the lower curve."""
        some = np.flatnonzero(self.tested)
        row: dict[str, Any] = {"order": self.order, "dominant": names[0], "dominated": names[1]}
        if len(some) == 0:
            nothing = {"line_low": np.nan, "line_high": np.nan, "t_min": np.nan, "line_min": np.nan}
            return pd.DataFrame(
                [row | nothing | {"p_non_dominance": 1.0, "supremum": 0.0, "p_dominance": 1.0}]
            )
        above, se = -sign * self.difference[some], self.se[some]
        certain = np.copysign(np.inf, -above)
        t = np.divide(-above, se, out=certain, where=se > 0)
        least = int(np.argmin(t))
        # On the scale of Barrett and Donald, the integral of F and not the FGT index.
        scale = self.lines[some] ** (self.order - 1)
        sup = max(float((scale * above).max()), 0.0)
        drawn = np.maximum((scale * -sign * self.errors[:, some]).max(axis=1), 0.0)
        row |= {
            "line_low": self.lines[some[0]],
            "line_high": self.lines[some[-1]],
            "t_min": t[least],
            "line_min": self.lines[some[least]],
            "p_non_dominance": float(special.stdtr(self.df, -t[least])),
            "supremum": sup,
            "p_dominance": (1 + int((drawn >= sup).sum())) / (1 + len(drawn)),
        }
        return pd.DataFrame([row])

    def crossings(self, names: tuple[str, str]) -> pd.DataFrame:
        """Where the difference changes its sign, linear between lines."""
        some = np.flatnonzero(self.difference)
        d, z = self.difference[some], self.lines[some]
        turn = np.flatnonzero(d[:-1] * d[1:] < 0)
        share = d[turn] / (d[turn] - d[turn + 1])
        return pd.DataFrame(
            {
                "order": np.full(len(turn), self.order),
                "line": z[turn] + share * (z[turn + 1] - z[turn]),
                "lower_before": np.where(d[turn] < 0, names[0], names[1]),
            }
        )


def _ranges(laid: pd.DataFrame, names: tuple[str, str]) -> pd.DataFrame:
    """Runs of lines at which the simultaneous band leaves out zero."""
    below, above = laid["band_high"].to_numpy() < 0, laid["band_low"].to_numpy() > 0
    side = above.astype(np.int64) - below.astype(np.int64)
    edges = np.flatnonzero(np.diff(side)) + 1
    first = np.append(0, edges)
    last = np.append(edges, len(side)) - 1
    kept = side[first] != 0
    z = laid["line"].to_numpy()
    return pd.DataFrame(
        {
            "order": np.full(int(kept.sum()), laid["order"].iloc[0]),
            "lower": np.where(side[first[kept]] < 0, names[0], names[1]),
            "line_low": z[first[kept]],
            "line_high": z[last[kept]],
        }
    )


def _verdict(tests: pd.DataFrame, size: float) -> dict[str, Any]:
    """What the tests of one order say together, in words with their numbers."""
    a, b = tests.iloc[0], tests.iloc[1]
    order = int(a["order"])
    head = f"At the {ORDINAL[order]} order"
    if np.isnan(a["line_low"]):
        words = f"{head} nothing can be tested: at no line does anybody's poverty differ."
        return {"order": order, "verdict": "undecided", "words": words}
    span = f"lines from {a['line_low']:,.6g} to {a['line_high']:,.6g}"
    for row in (a, b):
        if row["p_non_dominance"] < size:
            words = (
                f"{head} {row['dominant']} dominates {row['dominated']} on all {span}: "
                f"less poverty at each (non-dominance rejected, {_p(row['p_non_dominance'])})."
            )
            return {"order": order, "verdict": f"{row['dominant']} dominates", "words": words}
    rejected = [row["p_dominance"] < size for row in (a, b)]
    both = "; ".join(f"that of {r['dominant']}: {_p(r['p_dominance'])}" for r in (a, b))
    if all(rejected):
        words = f"{head} the curves cross on {span}: dominance is rejected both ways ({both})."
        return {"order": order, "verdict": "curves cross", "words": words}
    words = f"{head} no dominance is proven on {span}"
    if any(rejected):
        left, gone = (b, a) if rejected[0] else (a, b)
        words += (
            f"; {gone['dominant']} does not dominate ({_p(gone['p_dominance'])}), "
            f"{left['dominant']} may (least favourable line {left['line_min']:,.6g}, "
            f"non-dominance {_p(left['p_non_dominance'])})."
        )
    else:
        words += f", and none is rejected ({both})."
    return {"order": order, "verdict": "undecided", "words": words}


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def _zero(values: Floats) -> Floats:
    """Rounding errors set to zero."""
    return np.where(np.abs(values) <= TINY, 0.0, values)
