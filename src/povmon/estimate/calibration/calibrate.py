"""Weights that meet known population totals: calibration, raking, post-stratification."""

from __future__ import annotations

import math
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError, unknown_name
from povmon.estimate.calibration.auxiliary import UNBOUNDED, Calibration, Margin, Residuals
from povmon.estimate.calibration.distance import DISTANCES, Distance
from povmon.estimate.design import Design, lay

Columns = str | tuple[str, ...]
# Totals of margins that should be the same number may differ by rounding only.
AGREE = 1e-9


def calibrate(
    frame: pd.DataFrame,
    design: Design,
    totals: Mapping[Columns, Mapping[Any, float] | float],
    method: Distance = "linear",
    bounds: tuple[float, float] | None = None,
    *,
    population: float | None = None,
    size: str | None = None,
    weight: str | None = None,
    tolerance: float = 1e-11,
    steps: int = 50,
) -> tuple[pd.DataFrame, Design]:
    """Weights as near as possible to the design's that meet known totals.

    The new weights are w_i = d_i F(x_i'c / s_i), with base weights d, auxiliary values x, sizes
    s (1 where no `size` is given) and c such that sum_i w_i x_i are the known totals.

    Parameters
    ----------
    frame : one row a unit; it is not changed.
    design : the design with its base weights.
    totals : for a column of categories ``{category: total}``, where the total is that of the
        weights; for a combination of columns a tuple of names, with tuples for categories; for
        a numeric column its total.
    method : ``linear`` F = 1 + u, the generalised regression estimator; ``raking`` F = exp(u),
        always positive; ``logit``, always within the bounds.
    bounds : least and greatest ratio w/d, around 1; ``logit`` needs them.
    population : known total of the weights themselves; categories imply it.
    size : column that the totals of categories and `population` count, such as the persons of a
        household; None counts rows.
    weight : name of the new column; that of the old one with ``_calibrated`` where None.
    tolerance : largest misfit of a total, relative to its size. R's `calibrate` stops at 1e-7.
    steps : most steps of Newton's method.

    Returns
    -------
    A copy of the frame with the column of new weights, and the design that uses them. It knows
    its calibration: `estimate` replaces linearised values by their residuals e = z - x'B, with
    B = (sum d x x'/s)^-1 sum d x z/s, and weights them by w. A linear calibration can give
    negative weights: then a warning says how many.

    Raises
    ------
    PovmonError : a category has no rows or no total, an auxiliary is missing in a row, two
        margins have different sums, the design is calibrated already, or no weights within the
        bounds meet the totals.

    Source
    ------
    Deville and Särndal (1992), Calibration estimators in survey sampling, JASA 87, secs. 2 and
    3; Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, sec. 6.6.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 10.0, "rooms": [2, 3, 3, 4]})
    >>> new, design = calibrate(sample, Design(None, "village", "w"), {"rooms": 132.0},
    ...                         population=40)
    >>> new["w_calibrated"].round(2).tolist()
    [4.0, 10.0, 10.0, 16.0]
    """
    if method not in DISTANCES:
        raise unknown_name("method", method, DISTANCES, where="calibrate")
    limits = _bounds(method, bounds)
    margins = [_margin(frame, k, v) for k, v in totals.items() if isinstance(v, _MAPS)]
    numeric = [(k, _number(str(k), v)) for k, v in totals.items() if not isinstance(v, _MAPS)]
    for name, _ in numeric:
        if not isinstance(name, str):
            raise PovmonError(f"{name} needs a total for each combination", where="totals")
    if population is not None:
        margins.append(Margin((), ("all",), (_number("population", population),)))
    _check_sums(margins)
    if population is not None and len(margins) > 1:
        margins.pop()  # the categories say it already
    return _calibrated(
        frame,
        design,
        Calibration(
            design.weight, tuple(margins), tuple(numeric), method, limits, size,  # type: ignore[arg-type]
            tolerance=tolerance, steps=steps,
        ),
        weight,
    )  # fmt: skip


def rake(
    frame: pd.DataFrame,
    design: Design,
    margins: Mapping[Columns, Mapping[Any, float]],
    *,
    size: str | None = None,
    weight: str | None = None,
    residuals: Residuals = "equal",
    tolerance: float = 1e-11,
    steps: int = 1000,
) -> tuple[pd.DataFrame, Design]:
    """Raking by iterative proportional fitting: margins are scaled in turn until all agree.

    The weights are those of ``calibrate(..., method="raking")``.

    Parameters
    ----------
    margins : ``{column: {category: total}}``; a tuple of names for combinations of columns.
    size, weight : as for `calibrate`.
    residuals : the regression whose residuals carry the variance: "equal" weights, which is
        where R's `rake` ends that takes out the margins' unweighted means in turn; or "base"
        weights, as `calibrate` has it.
    tolerance : largest misfit of a total, relative to it. R's `rake` stops when no cell of the
        table of all margins changes by more than 1 (its `epsilon`).
    steps : most rounds through all margins.

    Returns, raises : as `calibrate`.

    Source
    ------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11; Deville, Särndal and
    Sautory (1993), Generalized raking procedures in survey sampling, JASA 88.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 10.0, "region": list("nnss"),
    ...                        "sex": list("fmfm")})
    >>> new, design = rake(sample, Design(None, "village", "w"),
    ...                    {"region": {"n": 30, "s": 10}, "sex": {"f": 20, "m": 20}})
    >>> new["w_raked"].round(6).tolist()
    [15.0, 15.0, 5.0, 5.0]
    """
    listed = [_margin(frame, columns, known) for columns, known in margins.items()]
    _check_sums(listed)
    made = Calibration(
        design.weight, tuple(listed), (), "proportional", UNBOUNDED, size, residuals,
        tolerance, steps,
    )  # fmt: skip
    return _calibrated(frame, design, made, weight or f"{design.weight}_raked")


def poststratify(
    frame: pd.DataFrame,
    design: Design,
    columns: str | Sequence[str],
    totals: Mapping[Any, float],
    size: str | None = None,
    *,
    weight: str | None = None,
) -> tuple[pd.DataFrame, Design]:
    """Scale the weights to a known total within each post-stratum.

    w_i = d_i N_c / sum_{j in c} d_j s_j for a row i of post-stratum c, with s = 1 where no
    `size` is given.

    Parameters
    ----------
    columns : the column, or the columns whose combinations are the post-strata.
    totals : ``{category: total}``; tuples of categories where there are several columns.
    size, weight : as for `calibrate`.

    Returns, raises : as `calibrate`.

    Source
    ------
    Särndal, Swensson and Wretman (1992), Model Assisted Survey Sampling, secs. 7.3 and 7.6.

    Examples
    --------
    >>> import pandas as pd
    >>> from povmon.estimate import Design
    >>> sample = pd.DataFrame({"village": [1, 2, 3, 4], "w": 10.0, "region": list("nsss")})
    >>> new, design = poststratify(sample, Design(None, "village", "w"), "region",
    ...                            {"n": 25, "s": 60})
    >>> new["w_poststratified"].tolist()
    [25.0, 20.0, 20.0, 20.0]
    """
    margin = _margin(frame, columns if isinstance(columns, str) else tuple(columns), totals)
    made = Calibration(design.weight, (margin,), size=size)
    return _calibrated(frame, design, made, weight or f"{design.weight}_poststratified")


_MAPS = (Mapping, pd.Series)


def _calibrated(
    frame: pd.DataFrame, design: Design, calibration: Calibration, name: str | None
) -> tuple[pd.DataFrame, Design]:
    """The frame with the new weights, and the design that knows them."""
    if not (calibration.margins or calibration.numeric):
        raise PovmonError("there are no totals to calibrate to")
    if len(frame) == 0:
        raise PovmonError("there are no rows to calibrate")
    if design.calibration is not None or design.poststrata is not None:
        raise PovmonError(
            "the design's weights are calibrated already",
            todo="calibrate the base weights once, to all totals together",
        )
    name = name or f"{design.weight}_calibrated"
    if name in frame.columns:
        raise PovmonError(
            f"there is a column {name!r} already", todo="give the new weights another name: weight="
        )
    lay(frame, design)  # the base weights and the design are in order
    auxiliaries = calibration.lay(frame)
    weights = auxiliaries.recalibrate(auxiliaries.base)
    _warn_of_negative(weights, auxiliaries.base)
    return frame.assign(**{name: weights}), replace(design, weight=name, calibration=calibration)


def _warn_of_negative(weights: Any, base: Any) -> None:
    negative = weights < 0
    if negative.any():
        least = float(np.min(weights[negative] / base[negative]))
        warnings.warn(
            f"{int(negative.sum())} calibrated weights are negative, down to {least:.3g} times the "
            "base weight; totals and means allow it, shares and distributions may leave their "
            "range; use bounds=(0, ...), or method='raking' or 'logit'",
            stacklevel=4,
        )


def _bounds(method: Distance, bounds: tuple[float, float] | None) -> tuple[float, float]:
    if bounds is None:
        if method == "logit":
            raise PovmonError(
                "the logit distance needs bounds", where="calibrate", todo="for example (0.5, 2)"
            )
        return UNBOUNDED
    low, high = float(bounds[0]), float(bounds[1])
    if not low < 1 < high:
        raise PovmonError(
            f"bounds are {bounds}", where="calibrate", todo="they are ratios of weights, around 1"
        )
    if method == "logit" and not (math.isfinite(low) and math.isfinite(high)):
        raise PovmonError("the logit distance needs finite bounds", where="calibrate")
    return low, high


def _margin(frame: pd.DataFrame, columns: Columns, known: Any) -> Margin:
    """A margin from what the user gave: a mapping or Series of totals."""
    names = (columns,) if isinstance(columns, str) else tuple(columns)
    label = " x ".join(names)
    if isinstance(known, pd.Series) and not known.index.is_unique:
        raise PovmonError(f"totals of {label} name a category twice")
    if not isinstance(known, _MAPS) or len(known) == 0:
        raise PovmonError(f"totals of {label} are not given by category", todo="{category: total}")
    categories: list[Hashable] = list(known.keys())
    totals = [_number(f"{label}={c}", t) for c, t in known.items()]
    if min(totals) < 0:
        raise PovmonError(f"a total of {label} is negative: {min(totals):.10g}")
    return Margin(names, tuple(categories), tuple(totals))


def _number(label: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise PovmonError(f"the total of {label} is {value!r}, not a number") from error
    if not math.isfinite(number):
        raise PovmonError(f"the total of {label} is missing or infinite")
    return number


def _check_sums(margins: Sequence[Margin]) -> None:
    """All margins count the same population."""
    sums = [math.fsum(m.totals) for m in margins]
    if sums and max(sums) - min(sums) > AGREE * max(sums):
        listed = ", ".join(f"{m.name} {s:.10g}" for m, s in zip(margins, sums, strict=True))
        raise PovmonError(
            f"the totals of the margins differ: {listed}",
            todo="correct them, or scale one margin to the other",
        )
    if sums and max(sums) <= 0:
        raise PovmonError("the totals of a margin add up to zero")
