"""The errors planted in the submissions: a list that can grow.

Each kind is a `Plant` (an error of single records: what qualifies, what is written) or a `Pattern`
(several records at once). How often a kind is planted is declared in the file of assumptions
(`errors.rates`); where, follows from the survey's seed.
"""

from __future__ import annotations

import numpy as np

from povmon.errors import PovmonError
from povmon.synthetic.assumptions import FILE, load
from povmon.synthetic.errors_of_households import HOUSEHOLD_PLANTS, PERSON_PLANTS
from povmon.synthetic.errors_of_patterns import FIRST, LAST, Pattern
from povmon.synthetic.errors_of_places import COUNTY_PLANTS, VILLAGE_PLANTS
from povmon.synthetic.plant import Plant, numbers
from povmon.synthetic.spread import add_context
from povmon.synthetic.workspace import Workspace

PLANTS: tuple[Plant, ...] = (*HOUSEHOLD_PLANTS, *PERSON_PLANTS, *VILLAGE_PLANTS, *COUNTY_PLANTS)
STRUCTURAL = {
    "household_non_response": "a household that was drawn and did not answer",
    "missing_village": "a village that was not delivered",
    "late_province": "files received after the deadline",
}


def error_kinds() -> dict[str, Plant | Pattern]:
    """Every kind of error that an audit should find, in the order of planting."""
    every: tuple[Plant | Pattern, ...] = (*FIRST, *PLANTS, *LAST)
    return {k.kind: k for k in every}


def kinds() -> dict[str, str]:
    """Everything that is planted, losses too, and what it is, in words."""
    return STRUCTURAL | {kind: k.what for kind, k in error_kinds().items()}


def plant_all(work: Workspace, *, part: bool) -> None:
    """Plant every kind at its declared rate: losses first, duplicates last.

    Parameters
    ----------
    work : the submissions without errors.
    part : True for a survey of some counties only, which gets fewer errors of each kind.
    """
    _check_rates()
    _lose_villages(work)
    _lose_households(work)
    add_context(work.forms)
    scale = load()["errors"]["part"] if part else 1.0
    for pattern in FIRST:
        pattern.plant(work, pattern.kind, _number(work, pattern, scale))
    for plant in PLANTS:
        _plant(work, plant, scale)
    for pattern in LAST:
        pattern.plant(work, pattern.kind, _number(work, pattern, scale))


def _plant(work: Workspace, plant: Plant, scale: float) -> None:
    frame = work.forms[plant.form]
    number: int | dict[str, int] = _number(work, plant, scale)
    entry = load()["errors"]
    if plant.kind in entry["by_area"]:
        rate = entry["rates"][plant.kind] * scale
        rows = frame["file"].str.split("/").str[0].value_counts()
        factor = entry["area_factor"]
        number = {str(a): max(1, round(rate * factor[a] * n)) for a, n in rows.items()}
    chosen = work.choose(
        plant.kind, plant.form, number, plant.eligible(frame), plant.touches, plant.edit
    )
    rng = work.streams(f"error.{plant.kind}.value")
    for column, values in plant.change(frame.iloc[chosen], rng).items():
        work.change(plant.kind, plant.form, chosen, column, values)


def _check_rates() -> None:
    different = set(error_kinds()) ^ set(load()["errors"]["rates"])
    if different:
        raise PovmonError(
            f"errors.rates and the kinds of error differ: {', '.join(sorted(different))}",
            where=FILE,
            todo="give every kind one rate",
        )


def _number(work: Workspace, kind: Plant | Pattern, scale: float) -> int:
    entry = load()["errors"]
    wanted = entry["rates"][kind.kind] * scale * len(work.forms[kind.form])
    return max(entry["at_least"], round(wanted))


def _lose_villages(work: Workspace) -> None:
    """A few villages are not delivered, at most one in a county."""
    frame = work.forms["village"]
    number = max(1, round(load()["errors"]["missing_villages"] * len(frame)))
    rng = work.streams("error.missing_village")
    order = rng.permutation(len(frame))
    county = frame["county_id"].to_numpy(dtype=object)[order]
    _, first = np.unique(county, return_index=True)
    rows = np.sort(order[np.sort(first)[:number]])
    work.note("missing_village", "village", rows, work.keys("village", rows))
    work.drop_villages(rows)


def _lose_households(work: Workspace) -> None:
    """Some households do not answer; smaller ones more often, never too many in a village."""
    entry = load()["errors"]
    frame = work.forms["household"]
    rng = work.streams("error.household_non_response")
    size = numbers(frame, "hhsize")
    chance = entry["household_non_response"] * np.where(size <= 2, 1.6, 0.9)
    gone = rng.random(len(frame)) < chance
    village = frame["village_id"]
    before = village.groupby(village).transform("size")
    lost = gone.astype(int)
    lost = frame.assign(lost=lost).groupby("village_id")["lost"].cumsum()
    gone &= (before - lost >= entry["smallest_village"]).to_numpy()
    rows = np.flatnonzero(gone)
    work.note("household_non_response", "household", rows, work.keys("household", rows))
    work.drop_households(gone)
