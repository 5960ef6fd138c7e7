"""A form rolled up: what stands in its columns, and the numbers of every unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.indicators.hierarchy import STEPS, Hierarchy

Floats = npt.NDArray[np.float64]
Kind = Literal["sum", "mean", "share"]

WITHHELD = (
    "withheld: a count below the threshold, or a number from which such a count could be computed"
)
MISSING = "no county of it reported this"
LEVEL_WORDS = {
    "county": "counties",
    "prefecture": "prefectures",
    "province": "provinces",
    "area": "areas",
    "key_county": "key, other and undetermined counties",
    "all": "all areas combined",
}
# A sum and its parts agree to rounding errors.
CLOSE = 1e-9


@dataclass(frozen=True)
class Item:
    """One column of a rolled-up form.

    Parameters
    ----------
    name : field of the form, with the category for a coded one (``water:tap``).
    en, zh : label in English and Chinese.
    unit : unit of measurement; "share" for shares.
    kind : "sum" of the counties; "mean" weighted by what it is a mean of; "share" of two sums.
    heading : (English, Chinese) heading that several items stand under; "" none.
    """

    name: str
    en: str
    zh: str
    unit: str
    kind: Kind = "sum"
    heading: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class FormTable:
    """One form along all hierarchies; rows are units (`Hierarchy.units`), columns items.

    Parameters
    ----------
    form : name of the form.
    items : the columns, in the form's order.
    values : (units, items) numbers to publish; NaN where withheld or not reported.
    withheld : (units, items) True where the number is withheld.
    reported : (units, items) counties behind the number.
    expected : (units,) counties of the unit.
    sample : (units,) records behind the unit, None for the county form.
    flags : (units, items) "", "caution", "unreliable" or "suppressed" by the survey's policy for
        estimates; None: no sample.
    reasons : (units, items) why in words.
    """

    form: str
    items: tuple[Item, ...]
    values: pd.DataFrame
    withheld: pd.DataFrame
    reported: pd.DataFrame
    expected: pd.Series
    sample: pd.Series | None = None
    flags: pd.DataFrame | None = None
    reasons: pd.DataFrame | None = None

    def state(self, unit: str, item: str) -> str:
        """Why a number is absent, or that it is of some counties only; "" for a whole number."""
        if self.withheld.at[unit, item]:
            return WITHHELD
        if self.flags is not None and self.reasons is not None:
            return str(self.reasons.at[unit, item]) if self.flags.at[unit, item] else ""
        got, of = int(self.reported[item][unit]), int(self.expected[unit])
        if got == 0:
            return MISSING
        return "" if got == of else f"{got} of {of} counties"


def check_sums(
    form: str, h: Hierarchy, items: Sequence[Item], totals: Floats
) -> list[dict[str, Any]]:
    """Each level's sums against the level above: one row a step of a hierarchy.

    Parameters
    ----------
    totals : (units, items) sums before anything is withheld.
    """
    additive = np.flatnonzero([item.kind == "sum" for item in items])
    level = h.units["level"].to_numpy()
    rows = []
    for child, parent in STEPS:
        parents = np.flatnonzero(level == parent)
        children = np.flatnonzero(level == child)
        above = _parents(h, children, parents)
        added = np.zeros((len(parents), len(additive)))
        np.add.at(added, above, totals[np.ix_(children, additive)])
        wanted = totals[np.ix_(parents, additive)]
        gap = np.abs(added - wanted)
        close = gap <= CLOSE * np.maximum(np.abs(wanted), 1.0)
        rows.append(
            {
                "form": form,
                "check": f"{LEVEL_WORDS[child]} add up to {LEVEL_WORDS[parent]}",
                "compared": int(close.size),
                "largest": float(gap.max(initial=0.0)),
                "agrees": bool(close.all()),
            }
        )
    return rows


def _parents(
    h: Hierarchy, children: npt.NDArray[np.intp], parents: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """For each child the position (in `parents`) of the unit that holds its first county."""
    first = h.members[children].argmax(axis=1)
    inside = h.members[parents][:, np.asarray(first).ravel()].toarray()
    return np.asarray(inside.argmax(axis=0))
