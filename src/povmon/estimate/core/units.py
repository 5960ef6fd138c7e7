"""The PSUs of surveys that are replicated together, numbered by the labels they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.design import Floats, Ints, Sample


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


def lay_units(samples: Mapping[str, Sample]) -> list[Units]:
    """PSUs of all surveys, numbered together by the labels of stratum and PSU in sorted order."""
    parents = [s.strata.to_numpy()[s.stages[0].parent_of_unit] for s in samples.values()]
    stratum, strata = _joint_codes(parents)
    psu, psus = _joint_codes([s.psus.to_numpy() for s in samples.values()])
    texts = tuple(_text(label) for label in strata)
    return [
        _units(name, sample, stratum[k], psu[k], len(psus), texts)
        for k, (name, sample) in enumerate(samples.items())
    ]


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
    if (np.diff(name[order]) == 0).any():
        raise PovmonError(
            "two PSUs of a stratum have labels that read the same, a number and a text",
            where=survey,
            todo="convert the labels to one type",
        )
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


def _joint_codes(labels: Sequence[npt.NDArray[Any]]) -> tuple[list[Ints], npt.NDArray[Any]]:
    """Codes of labels in sorted order, the same for all surveys, and the labels."""
    if len({pd.api.types.infer_dtype(values) == "string" for values in labels}) > 1:
        # Numbers in one survey, text in another: they match where they read the same.
        labels = [np.array([_text(v) for v in values], dtype=object) for values in labels]
    codes, uniques = pd.factorize(np.concatenate(labels), sort=True)
    ends = np.cumsum([len(values) for values in labels])[:-1]
    return np.split(codes.astype(np.int64), ends), np.asarray(uniques)


def _text(label: object) -> str:
    """A label as text; a whole number reads the same whatever its type."""
    whole = isinstance(label, float) and label.is_integer()
    return str(int(cast(float, label))) if whole else str(label)
