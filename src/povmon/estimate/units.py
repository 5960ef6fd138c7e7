"""The PSUs of surveys that are replicated together, numbered by the labels they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Design, Floats, Ints, Sample, column


@dataclass(frozen=True, eq=False)
class UnitLabels:
    """The labels of U PSUs and of their strata; no strata where the sample has none."""

    stratum: npt.NDArray[Any] | None  # (U,)
    psu: npt.NDArray[Any]  # (U,)


def unit_labels(frame: pd.DataFrame, design: Design, sample: Sample) -> UnitLabels:
    """Labels of a sample's PSUs, by their code in the sample."""
    unit = sample.stages[0].unit
    row = np.zeros(len(sample.stages[0].parent_of_unit), dtype=np.int64)
    row[unit[::-1]] = np.arange(len(unit))[::-1]
    strata = None if design.strata is None else column(frame, design.strata).iloc[row].to_numpy()
    return UnitLabels(strata, column(frame, design.psu).iloc[row].to_numpy())


@dataclass(frozen=True, eq=False)
class Units:
    """The PSUs of one survey that add to the variance, in order of stratum and label.

    Shapes: A such PSUs, U all PSUs of the survey, S strata of all surveys. A lone PSU under the
    rule ``adjust`` has an imaginary twin without rows: with n = 2 it adds its total squared.
    """

    survey: str
    name: Ints  # (A,) number of the PSU, the same in all surveys that share it, ascending
    stratum: Ints  # (A,) number of the stratum, likewise
    code: Ints  # (A,) code of the PSU in the sample, -1 for an imaginary twin
    n: Ints  # (A,) PSUs in the stratum, the imaginary one counted
    strength: Floats  # (A,) multiplies what the stratum adds: finite population, rule `average`
    labels: tuple[str, ...]  # (S,) of the strata
    units: int  # U
    df: int  # PSUs less strata


def lay_units(samples: Mapping[str, Sample], labels: Mapping[str, UnitLabels]) -> list[Units]:
    """PSUs of all surveys, numbered together by stratum and label in sorted order."""
    listed = list(labels.values())
    psu, psus = _joint_codes([each.psu for each in listed], list(labels), "PSU")
    stratified = [name for name in labels if labels[name].stratum is not None]
    stratum, strata = _joint_codes(
        [each.stratum for each in listed if each.stratum is not None], stratified, "stratum"
    )
    by_survey = dict(zip(stratified, stratum, strict=True))
    # All unstratified surveys lie in one stratum, after those that have a label.
    names = (*(_text(s) for s in strata), "")
    out = []
    for (survey, sample), code in zip(samples.items(), psu, strict=True):
        in_stratum = by_survey.get(survey, np.full(len(code), len(strata), dtype=np.int64))
        out.append(_units(survey, sample, in_stratum, code, len(psus), names))
    return out


def _units(
    survey: str, sample: Sample, stratum: Ints, psu: Ints, psus: int, labels: tuple[str, ...]
) -> Units:
    """One survey's PSUs that add to the variance, by the design's rule for single ones."""
    if len(sample.stages) > 1:
        raise PovmonError(
            "replicates of PSUs do not show the second stage of a finite population",
            where=survey,
            todo="give Design(fpc=None), which errs on the safe side, or linearise (method=None)",
        )
    stage = sample.stages[0]
    n, finite = stage.units_in_parent[stage.parent_of_unit], stage.factor[stage.parent_of_unit]
    alone = (n == 1) & (finite > 0)
    strength = np.where(alone, 0.0, finite)
    if sample.lonely == "average" and alone.any():
        strata = int((stage.units_in_parent > 0).sum())
        if strata == alone.sum():
            raise PovmonError(
                "every stratum has a single PSU, so there are no others to average",
                where=survey,
                todo="join similar strata, or choose another lonely=",
            )
        strength = strength * strata / (strata - alone.sum())
    twins = np.flatnonzero(alone & (sample.lonely == "adjust"))
    strength[twins] = finite[twins]
    kept = np.flatnonzero(strength > 0)
    # A twin has the last place in its stratum, the same in all surveys.
    code = np.concatenate([kept, np.full(len(twins), -1)])
    source = np.concatenate([kept, twins])
    label = np.concatenate([psu[kept], np.full(len(twins), psus)])
    name = stratum[source] * (psus + 1) + label
    order = np.argsort(name, kind="stable")
    source = source[order]
    return Units(
        survey=survey,
        name=name[order],
        stratum=stratum[source],
        code=code[order],
        n=np.maximum(n[source], 2),
        strength=strength[source],
        labels=labels,
        units=len(psu),
        df=len(psu) - int((stage.units_in_parent > 0).sum()),
    )


def _joint_codes(
    values: Sequence[npt.NDArray[Any]], surveys: Sequence[str], what: str
) -> tuple[list[Ints], npt.NDArray[Any]]:
    """Codes of labels in sorted order, the same for all surveys, and the labels."""
    if not values:
        return [], np.empty(0, dtype=object)
    kinds = {name: pd.api.types.infer_dtype(v) for name, v in zip(surveys, values, strict=True)}
    kinds = {name: "text" if kind == "string" else "number" for name, kind in kinds.items()}
    if len(set(kinds.values())) > 1:
        listed = ", ".join(f"{name}: {kind}" for name, kind in kinds.items())
        raise PovmonError(
            f"the {what} labels are of different types ({listed}), so no two would match",
            todo="convert them to one type",
        )
    codes, uniques = pd.factorize(np.concatenate(values), sort=True)
    ends = np.cumsum([len(v) for v in values])[:-1]
    return np.split(codes.astype(np.int64), ends), np.asarray(uniques)


def _text(label: object) -> str:
    """A label as text; a whole number reads the same whatever its type."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(cast(float, label))) if whole else str(label)
