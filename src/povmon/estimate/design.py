"""The sampling design: which columns say how the sample was drawn."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError

if TYPE_CHECKING:
    from povmon.estimate.calibration.auxiliary import Auxiliaries, Calibration

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Lonely = Literal["certainty", "remove", "adjust", "average"]
LONELY: tuple[Lonely, ...] = ("certainty", "remove", "adjust", "average")


@dataclass(frozen=True)
class Design:
    """A stratified, clustered, weighted sampling design of one or two stages.

    Parameters
    ----------
    strata : column of the stratum; None for an unstratified sample.
    psu : column of the primary sampling unit. A unit that lies in two strata is an error, unless
        `nest` says that equal labels in two strata are two units.
    weight : column of the weight, the number of units of analysis a row stands for.
    ssu : column of the second-stage unit; None takes each row for one. It matters only with a
        finite population at the second stage.
    fpc : None for a first stage with replacement; else ``(stage1, stage2)``, the columns with
        the number of PSUs in the stratum's population and of second-stage units in the PSU's.
        ``stage2`` may be None.
    lonely : what a stratum with a single PSU (or a PSU with a single second-stage unit) adds to
        the variance. ``certainty`` and ``remove``: nothing; ``adjust``: its deviation from the
        mean of all strata; ``average``: as much as the mean of the others. None: such a stratum
        is an error. A stratum whose population is that single unit adds nothing in any case.
    poststrata, size : the weights were scaled so that the weighted total of `size` (1 a row
        where `size` is None) is a known number within each value of `poststrata`. The
        linearised values are then replaced by their residuals from that ratio model.
    calibration : how the weights were made to meet known totals; `calibrate`, `rake` and
        `poststratify` return designs that have it.

    Raises
    ------
    PovmonError : there is no such rule, `size` comes without `poststrata`, or `poststrata` with
        `calibration`. That the columns fit is checked where rows are estimated from.

    Source
    ------
    Wolter (2007), Introduction to Variance Estimation, ch. 1 and 6; Särndal, Swensson and
    Wretman (1992), Model Assisted Survey Sampling, sec. 4.3 (two stages), 7.3 and 7.6 (ratio
    and post-stratified estimators); the names of the rules for single PSUs follow R's survey.

    Examples
    --------
    >>> from povmon.estimate import Design, estimate, mean
    >>> sample = pd.DataFrame({"county": [1, 1, 1, 2, 2], "village": [1, 1, 2, 3, 4], "w": 1,
    ...                        "y": [1, 3, 2, 4, 5]})
    >>> table = estimate(sample, Design("county", "village", "w"), mean("y"))
    >>> table[["estimate", "n_psu", "df"]].values.tolist()
    [[3.0, 4.0, 2.0]]
    """

    strata: str | None
    psu: str
    weight: str
    ssu: str | None = None
    fpc: tuple[str, str | None] | None = None
    lonely: Lonely | None = None
    poststrata: str | None = None
    size: str | None = None
    nest: bool = False
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        if self.lonely is not None and self.lonely not in LONELY:
            raise PovmonError(
                f"lonely is {self.lonely!r}", where="Design", todo=f"use one of {', '.join(LONELY)}"
            )
        if self.size is not None and self.poststrata is None:
            raise PovmonError("size is given without poststrata", where="Design")
        if self.calibration is not None and self.poststrata is not None:
            raise PovmonError(
                "a calibrated design has post-strata besides",
                where="Design",
                todo="calibrate to all totals together",
            )


def column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """A column, or an error that lists the nearest names."""
    if name in frame.columns:
        return frame[name]
    # Letters in the wrong case count as near.
    known = {str(c).lower(): str(c) for c in frame.columns}
    near = [known[c] for c in difflib.get_close_matches(str(name).lower(), known, n=3)]
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {list(frame.columns)}"
    raise PovmonError(f"no column {name!r} in the data", todo=hint)


def numbers(frame: pd.DataFrame, name: str) -> Floats:
    """A column as float64, missing values as NaN."""
    values = column(frame, name)
    try:
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise PovmonError(
            f"column {name!r} is not numeric", todo="convert it, or choose another"
        ) from error


@dataclass(frozen=True)
class Stage:
    """One stage of sampling: units drawn within parents (PSUs within strata, SSUs within PSUs).

    Shapes: n rows, U units, P parents.
    """

    unit: Ints  # (n,) code of the unit, 0..U-1
    parent_of_unit: Ints  # (U,)
    units_in_parent: Ints  # (P,)
    factor: Floats  # (P,) multiplies the parent's variance: finite population correction


@dataclass(frozen=True)
class Sample:
    """A design laid over n rows: integer codes instead of labels.

    Codes follow the sorted order of the labels.
    """

    weight: Floats  # (n,)
    stages: tuple[Stage, ...]
    lonely: Lonely | None
    strata: pd.Index[Any]  # (H,) labels
    psus: pd.Index[Any]  # (U,) labels; equal ones are told apart by their stratum
    calibration: Auxiliaries | None = None  # the known totals that the weights meet


def lay(frame: pd.DataFrame, design: Design) -> Sample:
    """Check the design's columns and code them.

    Raises
    ------
    PovmonError : a column is missing, a weight is missing or negative, a stratum or PSU is
        missing, a population size is wrong, or a stratum has a single PSU and no rule was chosen.
    """
    weight = numbers(frame, design.weight)
    check_weights(weight, design.weight, negative=design.calibration is not None)
    if design.strata is None:
        stratum, labels = np.zeros(len(frame), dtype=np.int64), pd.Index(["all"])
    else:
        stratum, labels = codes(frame, design.strata)
    first, psus = _first_stage(stratum, labels, frame, design)
    stages = [first]
    if design.fpc is not None:
        stages = _finite(frame, design, first, stratum)
    _check_lonely(stages[0], labels, design)
    if len(stages) > 1:
        _check_single_ssu(stages[1], design)
    return Sample(
        weight=weight,
        stages=tuple(stages),
        lonely=design.lonely,
        strata=labels,
        psus=psus,
        calibration=_known_totals(frame, design, weight),
    )


def _known_totals(frame: pd.DataFrame, design: Design, weight: Floats) -> Auxiliaries | None:
    """The totals that the weights are known to meet."""
    if design.calibration is not None:
        laid = design.calibration.lay(frame)
        laid.check(weight)
        return laid
    if design.poststrata is None:
        return None
    # The module of calibration reads columns with the functions of this one.
    from povmon.estimate.calibration.auxiliary import Calibration

    reached = Calibration.as_reached(frame, design.weight, design.poststrata, design.size)
    return reached.lay(frame)


def _first_stage(
    stratum: Ints, labels: pd.Index[Any], frame: pd.DataFrame, d: Design
) -> tuple[Stage, pd.Index[Any]]:
    """PSUs within strata, and their labels."""
    psu, names = codes(frame, d.psu)
    if d.nest:
        nested, label = _nested(stratum, len(labels), psu, max(len(names), 1))
        return nested, names.take(label)
    of_psu = np.zeros(len(names), dtype=np.int64)
    of_psu[psu] = stratum
    moved = of_psu[psu] != stratum
    if moved.any():
        row = int(np.argmax(moved))
        two = f"{labels[stratum[row]]} and {labels[of_psu[psu[row]]]}"
        count = len(np.unique(psu[moved]))
        raise PovmonError(
            f"{count} PSUs lie in more than one stratum: {names[psu[row]]} in {two}",
            where=f"Design(psu={d.psu!r})",
            todo="correct the rows; where PSU labels start anew in each stratum, say nest=True",
        )
    in_stratum = np.bincount(of_psu, minlength=len(labels)).astype(np.int64)
    return Stage(psu, of_psu, in_stratum, np.ones(len(labels))), names


def _nested(parent: Ints, parents: int, unit: Ints, units: int) -> tuple[Stage, Ints]:
    """Units within parents, where equal codes in two parents are two units; and their codes."""
    joint, pairs = code_sorted(parent * units + unit)
    parent_of_unit = pairs // units
    in_parent = np.bincount(parent_of_unit, minlength=parents).astype(np.int64)
    return Stage(joint, parent_of_unit, in_parent, np.ones(parents)), pairs % units


def _finite(frame: pd.DataFrame, design: Design, first: Stage, stratum: Ints) -> list[Stage]:
    """Both stages with their finite population corrections.

    Source: Särndal, Swensson and Wretman (1992), eq. 4.3.17, with simple random sampling at
    both stages: the second stage counts with the sampling fraction of the first.
    """
    assert design.fpc is not None
    column1, column2 = design.fpc
    fraction1 = _fraction(frame, column1, stratum, first.units_in_parent)
    stages = [replace(first, factor=1.0 - fraction1)]
    if column2 is not None:
        if design.ssu is None:
            ssu, count = np.arange(len(frame), dtype=np.int64), len(frame)
        else:
            ssu, names = codes(frame, design.ssu)
            count = len(names)
        second, _ = _nested(first.unit, len(first.parent_of_unit), ssu, max(count, 1))
        fraction2 = _fraction(frame, column2, first.unit, second.units_in_parent)
        share = fraction1[first.parent_of_unit]
        stages.append(replace(second, factor=share * (1.0 - fraction2)))
    return stages


def _fraction(frame: pd.DataFrame, name: str, parent: Ints, drawn: Ints) -> Floats:
    """Sampling fraction of each parent from a column of population sizes."""
    size = numbers(frame, name)
    population = np.zeros(len(drawn))
    population[parent] = size
    if not np.array_equal(population[parent], size):
        raise PovmonError(
            f"population size {name!r} is missing or varies within a stratum or PSU",
            todo="give one number to all rows of the same stratum (stage 1) or PSU (stage 2)",
        )
    if (population < drawn).any():
        raise PovmonError(
            f"population size {name!r} is smaller than the sample in it",
            todo="give the number of units in the population, not a fraction",
        )
    return drawn / population


def coded(values: pd.Series[Any]) -> tuple[Ints, pd.Index[Any]]:
    """Codes (n,) of a column's values, -1 where missing, and the values in sorted order.

    Categories keep their own order; those that do not occur have no code.
    """
    if isinstance(values.dtype, pd.CategoricalDtype):
        code = values.cat.codes.to_numpy().astype(np.int64)
        names = values.cat.categories
        occurs = np.bincount(code + 1, minlength=len(names) + 1)[1:] > 0
        if not occurs.all():
            code = np.append(np.cumsum(occurs) - 1, -1)[code]
            names = names[occurs]
        return code, names
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "iu" and len(values):
        dense = _coded_dense(values.to_numpy())
        if dense is not None:
            return dense
    raw, uniques = pd.factorize(values, sort=True)
    return raw.astype(np.int64, copy=False), pd.Index(uniques)


def _coded_dense(values: npt.NDArray[Any]) -> tuple[Ints, pd.Index[Any]] | None:
    """As `coded`, several times faster, where the integers lie close together."""
    low, high = int(values.min()), int(values.max())
    if high - low >= 2 * len(values) or high > np.iinfo(np.int64).max:
        return None
    key = values.astype(np.int64, copy=False)
    code, places = code_dense(key - low if low else key, high - low + 1)
    return code, pd.Index((places + low).astype(values.dtype))


def code_dense(key: Ints, size: int) -> tuple[Ints, Ints]:
    """Codes (n,) of keys in 0..size-1, and the keys that occur, in order: by a table of `size`.

    Where all keys occur they are the codes themselves, not a copy.
    """
    occurs = np.zeros(size, dtype=bool)
    occurs[key] = True
    keys = np.flatnonzero(occurs)
    if len(keys) == size:
        return key, keys
    # A large table is kept small: it does not stay in the cache.
    table = np.empty(size, dtype=np.int64 if size <= 2**16 else np.int32)
    table[keys] = np.arange(len(keys))
    return table[key].astype(np.int64, copy=False), keys


def code_sorted(key: Ints) -> tuple[Ints, Ints]:
    """Codes (n,) of keys from 0 upwards, and the different keys in order.

    As `pandas.factorize` with sort, but faster: keys and rows are sorted as one integer.
    """
    bits = max(len(key) - 1, 1).bit_length()
    if len(key) == 0 or int(key.max()) >= 1 << (63 - bits):
        code, keys = pd.factorize(key, sort=True)
        return code.astype(np.int64, copy=False), keys
    row = key << bits
    row |= np.arange(len(key))
    row.sort()
    ordered = row >> bits
    row &= (1 << bits) - 1
    first = np.flatnonzero(np.diff(ordered, prepend=-1))
    code = np.empty(len(key), dtype=np.int64)
    code[row] = np.repeat(np.arange(len(first)), np.diff(first, append=len(key)))
    return code, ordered[first]


def codes(frame: pd.DataFrame, name: str) -> tuple[Ints, pd.Index[Any]]:
    """As `coded`, of a column in which nothing may be missing."""
    code, labels = coded(column(frame, name))
    missing = code < 0
    if missing.any():
        raise PovmonError(
            f"column {name!r} is missing in {int(missing.sum())} rows",
            where=f"first at row {int(np.argmax(missing))}",
            todo="every row needs its stratum and PSU",
        )
    return code, labels


def check_weights(weight: Floats, name: str, *, negative: bool) -> None:
    """Error if a weight is missing, infinite or, unless allowed (linear calibration), negative."""
    least = -np.finfo(np.float64).max if negative else 0.0
    if len(weight) and not (weight.min() >= least and weight.max() < np.inf):
        bad = ~np.isfinite(weight) | (weight < least)
        raise PovmonError(
            f"weight {name!r} is missing, infinite or negative in {int(bad.sum())} rows",
            where=f"first at row {int(np.argmax(bad))}",
            todo="correct the weights or leave those rows out knowingly",
        )


def _check_lonely(stage: Stage, labels: pd.Index[Any], design: Design) -> None:
    alone = (stage.units_in_parent == 1) & (stage.factor > 0)
    if alone.any() and design.lonely is None:
        names = ", ".join(str(s) for s in labels[alone][:10])
        raise PovmonError(
            f"{int(alone.sum())} strata have a single PSU: {names}",
            where=f"Design(strata={design.strata!r})",
            todo=f"choose lonely= one of {', '.join(LONELY)}",
        )


def _check_single_ssu(stage: Stage, design: Design) -> None:
    alone = (stage.units_in_parent == 1) & (stage.factor > 0)
    if alone.any() and design.lonely is None:
        raise PovmonError(
            f"{int(alone.sum())} PSUs have a single second-stage unit",
            where=f"Design(ssu={design.ssu!r})",
            todo=f"choose lonely= one of {', '.join(LONELY)}",
        )
