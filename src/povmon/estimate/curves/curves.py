"""Lorenz, generalised Lorenz, TIP and concentration curves with intervals and bands."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.variance import degrees_of_freedom, lay_cells
from povmon.estimate.curves.bands import curve_table
from povmon.estimate.curves.cumulative import Cumulative
from povmon.estimate.curves.curve_variance import linearised_covariances, replicate_covariances
from povmon.estimate.design import Design, Floats, lay
from povmon.estimate.measures.base import Linearised
from povmon.estimate.measures.poverty import Line, poverty_line
from povmon.estimate.replicates.replicate import Method, draws

Points = int | Sequence[float]


def lorenz_curve(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    by: Sequence[str] | str | None = None,
    *,
    points: Points = 101,
    level: float = 0.95,
    method: Method | None = None,
) -> pd.DataFrame:
    """Lorenz curve: the share of the total of column `x` that the poorest share p has.

    L(p) = sum of w x over the poorest share p, divided by sum(w x); between two rows it is
    linear. Values are taken as they are; where a domain's total is not positive the curve is
    not defined and its estimates are missing.

    Parameters
    ----------
    frame : one row a unit.
    design : how the sample was drawn.
    x : column, usually an income.
    by : column, or columns whose combinations are the domains, each with a curve of its own.
    points : K equally spaced shares from 0 to 1, or the shares themselves in ascending order.
    level : coverage of the pointwise intervals and, jointly for all points, of the bands.
    method : None for linearisation, or a replicate method.

    Returns
    -------
    K rows a domain: the `by` columns, ``p``, ``estimate``, ``se``, ``ci_low``, ``ci_high``
    (Student's t, for each point by itself), ``band_low``, ``band_high`` (cover the whole curve
    at `level`), ``df`` and ``note`` (why a number is missing). ``attrs`` name the curve, its
    columns and the axes with their units.

    Raises
    ------
    PovmonError : a column is missing or not numeric, the points are not in order or outside
        [0, 1], or the design is refused (see `estimate`).

    Source
    ------
    Lorenz (1905); linearised values: Kovačević and Binder (1997), Journal of Official
    Statistics 13, eq. 3.4; bands: see `band_factor`.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1],
    ...                        "income": [10, 20, 30, 40]})
    >>> curve = lorenz_curve(sample, Design(None, "village", "w"), "income", points=5)
    >>> curve[["p", "estimate"]].round(3).values.tolist()
    [[0.0, 0.0], [0.25, 0.1], [0.5, 0.3], [0.75, 0.6], [1.0, 1.0]]
    """
    told: dict[Hashable, Any] = {
        "curve": "Lorenz curve",
        "column": x,
        "y_axis": f"share of {x}",
        "y_unit": "share",
    }
    value = Rows(frame).number(x)
    return _curve(frame, design, _Spec(value, None, True, 1.0, told), by, points, level, method)


def generalised_lorenz_curve(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    by: Sequence[str] | str | None = None,
    *,
    points: Points = 101,
    level: float = 0.95,
    method: Method | None = None,
) -> pd.DataFrame:
    """Generalised Lorenz curve: the total of `x` of the poorest share p per person of all.

    GL(p) = mean(x) L(p), in the unit of `x`; GL(1) is the mean. It is defined for any values
    but in an empty domain. Parameters, returns and errors: see `lorenz_curve`.

    Source: Shorrocks (1983), Economica 50; linearised values as for the Lorenz curve with the
    population in place of the total.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2], "w": [1, 3], "income": [10, 20]})
    >>> design = Design(None, "village", "w")
    >>> generalised_lorenz_curve(sample, design, "income", points=3)["estimate"].tolist()
    [0.0, 7.5, 17.5]
    """
    told: dict[Hashable, Any] = {"curve": "generalised Lorenz curve", "column": x,
            "y_axis": f"cumulated {x} per person", "y_unit": f"unit of {x}"}  # fmt: skip
    value = Rows(frame).number(x)
    return _curve(frame, design, _Spec(value, None, False, 1.0, told), by, points, level, method)


def tip_curve(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    line: Line,
    by: Sequence[str] | str | None = None,
    *,
    relative: bool = True,
    points: Points = 101,
    level: float = 0.95,
    method: Method | None = None,
) -> pd.DataFrame:
    """TIP curve, the "three i's of poverty": gaps of the poorest share p, per person of all.

    TIP(p) = sum of w g over the share p with the largest gaps g = max(line - x, 0) / line,
    divided by sum(w). It rises as long as there are poor, so that it turns flat at the headcount
    (incidence); its height is the poverty gap P1 (intensity); its bend shows inequality among
    the poor. Where one curve lies nowhere below another, poverty is at least as high by every
    index of the generalised gap. A negative value counts as zero; where nobody is poor the curve
    is zero with a standard error of zero.

    Parameters
    ----------
    line : poverty line, a number or a column.
    relative : gaps as shares of the line; False leaves them in the unit of `x`.
    frame, design, x, by, points, level, method : see `lorenz_curve`, also for what is returned
        and raised.

    Source
    ------
    Jenkins and Lambert (1997), Oxford Economic Papers 49; linearised values: those of a
    generalised Lorenz curve of the gaps (Kovačević and Binder 1997, eq. 3.4).

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": [1, 1, 1, 1],
    ...                        "income": [50, 0, 100, 200]})
    >>> curve = tip_curve(sample, Design(None, "village", "w"), "income", 100, points=5)
    >>> curve["estimate"].tolist()
    [0.0, 0.25, 0.375, 0.375, 0.375]
    """
    rows = Rows(frame)
    income, z = rows.number(x), poverty_line(rows, line)
    # Missing incomes stay missing.
    gap = np.clip(1.0 - income / z, 0.0, 1.0)
    gap = gap if relative else gap * z
    unit = "share of the line" if relative else f"unit of {x}"
    told: dict[Hashable, Any] = {"curve": "TIP curve", "column": x, "line": line,
            "y_axis": "cumulated poverty gap per person", "y_unit": unit}  # fmt: skip
    # The largest gaps come first, so the curve is the generalised Lorenz curve of their negative.
    return _curve(frame, design, _Spec(-gap, None, False, -1.0, told), by, points, level, method)


def concentration_curve(
    frame: pd.DataFrame,
    design: Design,
    x: str,
    rank_by: str,
    by: Sequence[str] | str | None = None,
    *,
    points: Points = 101,
    level: float = 0.95,
    method: Method | None = None,
) -> pd.DataFrame:
    """Concentration curve: the share of the total of `x` that the poorest share p has, the
    persons ranked by column `rank_by`.

    Those of equal rank enter together, the curve being linear over them, so that the order of
    rows has no effect; with `rank_by` equal to `x` it is the Lorenz curve. Rows where either
    column is missing are left out; where the total of `x` is not positive the curve is not
    defined and its estimates are missing. Parameters, returns and errors: see `lorenz_curve`.

    Source: Kakwani (1977), Econometrica 45; linearised values: Bishop, Chow and Formby (1994),
    International Economic Review 35, where the value of `x` expected at the rank p is a moving
    average over the n**(-1/3) nearest ranks on either side.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2], "w": [1, 1], "income": [1, 2], "ill": [3, 1]})
    >>> design = Design(None, "village", "w")
    >>> concentration_curve(sample, design, "ill", "income", points=3)["estimate"].tolist()
    [0.0, 0.75, 1.0]
    """
    rows = Rows(frame)
    told: dict[Hashable, Any] = {"curve": "concentration curve", "column": x, "rank_by": rank_by,
            "y_axis": f"share of {x}", "y_unit": "share"}  # fmt: skip
    spec = _Spec(rows.number(x), rows.number(rank_by), True, 1.0, told)
    return _curve(frame, design, spec, by, points, level, method)


@dataclass(frozen=True, eq=False)
class _Spec:
    """What distinguishes the curves: values and ranks (n,), divisor, sign and labels."""

    value: Floats
    rank: Floats | None
    share: bool
    sign: float
    told: dict[Hashable, Any]


def _curve(
    frame: pd.DataFrame,
    design: Design,
    spec: _Spec,
    by: Sequence[str] | str | None,
    points: Points,
    level: float,
    method: Method | None,
) -> pd.DataFrame:
    if len(frame) == 0:
        raise PovmonError("there are no rows to draw a curve from")
    p = shares(points)
    names = [by] if isinstance(by, str) else list(by or [])
    domains = lay_domains(frame, names)
    curve = Cumulative.of(spec.value, spec.rank, domains, p, share=spec.share)
    rows, sample = Rows(frame), lay(frame, design)
    layout = lay_cells(sample, domains)
    used = np.zeros(len(frame), dtype=bool)
    used[curve.order.order] = True
    count = layout.sum((used & (sample.weight > 0)).astype(np.float64))
    df = degrees_of_freedom(layout, count, len(domains))[1]
    undefined = None
    if method is None:
        estimate = curve.evaluate(sample.weight)
        linearised = (
            Linearised(value, slope, used)
            for value, slope in zip(estimate.T, curve.linearised(sample.weight), strict=True)
        )
        covariances = linearised_covariances(rows, sample, layout, domains, linearised)
    else:
        made = draws(frame, design, method)
        done = made.apply(lambda w: curve.evaluate(w).ravel(), undefined="exclude")
        estimate = done.estimate.reshape(len(domains), len(p))
        covariances = replicate_covariances(done, len(domains))
        undefined = done.undefined.reshape(estimate.shape)
    told = {
        **spec.told, "x_axis": "share of persons, poorest first", "x_unit": "share", "by": names,
        "level": level,
    }  # fmt: skip
    axis = pd.DataFrame({"p": p})
    # Adding zero makes -0.0 a plain zero.
    estimate = spec.sign * estimate + 0.0
    return curve_table(domains.labels, axis, estimate, covariances, df, level, told, undefined)


def shares(points: Points, *, ends: bool = True) -> Floats:
    """K shares from 0 to 1 (without the ends: K inside), or those given, checked."""
    if isinstance(points, int):
        if points < 2:
            raise PovmonError(f"points is {points}", todo="use 2 or more, or a list of shares")
        return np.linspace(0, 1, points) if ends else np.arange(1, points + 1) / (points + 1)
    p = np.asarray(points, dtype=np.float64)
    inside = (p >= 0) & (p <= 1) if ends else (p > 0) & (p < 1)
    if p.ndim != 1 or not len(p) or not inside.all() or (np.diff(p) <= 0).any():
        raise PovmonError(
            f"points are {points}", todo="give shares between 0 and 1 in ascending order"
        )
    return p
