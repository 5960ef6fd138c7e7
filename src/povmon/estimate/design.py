"""The sampling design: which columns say how the sample was drawn."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Lonely = Literal["certainty", "remove", "adjust", "average"]
LONELY: tuple[Lonely, ...] = ("certainty", "remove", "adjust", "average")


@dataclass(frozen=True)
class Design:
    """A stratified, clustered, weighted sampling design (first stage with replacement).

    Parameters
    ----------
    strata : column of the stratum; None for an unstratified sample.
    psu : column of the primary sampling unit. Equal labels in two strata are two units.
    weight : column of the weight, the number of units of analysis a row stands for.
    lonely : what a stratum with a single PSU adds to the variance. ``certainty`` and
        ``remove``: nothing; ``adjust``: its deviation from the mean of all strata; ``average``:
        as much as the mean of the other strata. None: such a stratum is an error.
    poststrata, size : the weights were scaled so that the weighted total of `size` (1 a row
        where `size` is None) is a known number within each value of `poststrata`. The
        linearised values are then replaced by their residuals from that ratio model.

    Source
    ------
    Wolter (2007), Introduction to Variance Estimation, ch. 1 and 6; Särndal, Swensson and
    Wretman (1992), Model Assisted Survey Sampling, sec. 7.3 and 7.6 (ratio and
    post-stratified estimators); the names of the rules for single PSUs follow R's survey.
    """

    strata: str | None
    psu: str
    weight: str
    lonely: Lonely | None = None
    poststrata: str | None = None
    size: str | None = None

    def __post_init__(self) -> None:
        if self.lonely is not None and self.lonely not in LONELY:
            raise PovmonError(
                f"lonely is {self.lonely!r}", where="Design", todo=f"use one of {', '.join(LONELY)}"
            )
        if self.size is not None and self.poststrata is None:
            raise PovmonError("size is given without poststrata", where="Design")


def column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """A column, or an error that lists the nearest names."""
    if name in frame.columns:
        return frame[name]
    near = difflib.get_close_matches(name, [str(c) for c in frame.columns], n=3)
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
class Sample:
    """A design laid over rows: integer codes instead of labels.

    Shapes: n rows, P PSUs, H strata.
    """

    weight: Floats  # (n,)
    psu: Ints  # (n,) code of the PSU, 0..P-1
    stratum_of_psu: Ints  # (P,)
    psus_in_stratum: Ints  # (H,)
    strata_labels: pd.Index[Any]  # (H,)
    lonely: Lonely | None
    poststratum: Ints | None  # (n,)
    size: Floats | None  # (n,)


def lay(frame: pd.DataFrame, design: Design) -> Sample:
    """Check the design's columns and code them.

    Raises
    ------
    PovmonError : a column is missing, a weight is missing or negative, a stratum or PSU is
        missing, or a stratum has a single PSU and no rule was chosen.
    """
    weight = numbers(frame, design.weight)
    _check_weights(weight, design.weight)
    psu_code, psu_labels = _codes(frame, design.psu)
    if design.strata is None:
        stratum = np.zeros(len(frame), dtype=np.int64)
        strata_labels: pd.Index[Any] = pd.Index(["all"])
    else:
        stratum, strata_labels = _codes(frame, design.strata)
    joint = stratum * max(len(psu_labels), 1) + psu_code
    codes, uniques = pd.factorize(joint)
    stratum_of_psu = np.asarray(uniques, dtype=np.int64) // max(len(psu_labels), 1)
    in_stratum = np.bincount(stratum_of_psu, minlength=len(strata_labels))
    _check_lonely(in_stratum, strata_labels, design)
    return Sample(
        weight=weight,
        psu=codes.astype(np.int64),
        stratum_of_psu=stratum_of_psu,
        psus_in_stratum=in_stratum.astype(np.int64),
        strata_labels=strata_labels,
        lonely=design.lonely,
        poststratum=_codes(frame, design.poststrata)[0] if design.poststrata else None,
        size=numbers(frame, design.size) if design.size else None,
    )


def _codes(frame: pd.DataFrame, name: str) -> tuple[Ints, pd.Index[Any]]:
    codes, labels = pd.factorize(column(frame, name))
    if (codes < 0).any():
        raise PovmonError(
            f"column {name!r} is missing in {int((codes < 0).sum())} rows",
            todo="every row needs its stratum and PSU",
        )
    return codes.astype(np.int64), pd.Index(labels)


def _check_weights(weight: Floats, name: str) -> None:
    bad = ~np.isfinite(weight) | (weight < 0)
    if bad.any():
        raise PovmonError(
            f"weight {name!r} is missing, infinite or negative in {int(bad.sum())} rows",
            where=f"first at row {int(np.argmax(bad))}",
            todo="correct the weights or leave those rows out knowingly",
        )


def _check_lonely(in_stratum: Ints, labels: pd.Index[Any], design: Design) -> None:
    alone = in_stratum == 1
    if alone.any() and design.lonely is None:
        names = ", ".join(str(s) for s in labels[alone][:10])
        raise PovmonError(
            f"{int(alone.sum())} strata have a single PSU: {names}",
            where=f"Design(strata={design.strata!r})",
            todo=f"choose lonely= one of {', '.join(LONELY)}",
        )
