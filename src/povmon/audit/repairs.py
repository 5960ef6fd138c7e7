"""Weights that cannot be used, repaired from what the sampling design says they must be.

Within a village all households have the same probability, so a household takes the weight that
the village's others share; and ``w_hh = w_village x households / households drawn``, so a
village's weight or number of households follows from the other and from its households' weight.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.survey.config import Survey

SAME = 1e-6  # relative difference of weights that are one number written with fewer digits
FEWEST = 4  # households of a village that can say what its weight is
MOST_SLIPS = 3  # of them that may differ, and the others still are sure
UNLIKE = 3.0  # a weight so many times its village's median (or so small a part of it) is odd


def repair_weights(survey: Survey, ledger: Ledger) -> None:
    """Fill in unusable weights where the design leaves no choice; report odd ones."""
    if "w_hh" not in ledger.submitted.get("household", set()):
        return
    table = ledger.tables["household"]
    live = pd.Series(ledger.live["household"], index=table.index)
    _repair_slips(ledger, live)
    common = _common_weights(table[live])
    rows = table["w_hh"].isna() & live & table["village_id"].isin(common.index)
    taken = table["village_id"].map(common)
    ledger.find("weight_filled", "household", rows, "w_hh")
    ledger.correct("weight_filled", "household", rows, "w_hh", taken, "weight of the village")
    _report_unlike(ledger, live)
    drawn = survey.design.households_per_village
    if drawn is not None and "village" in ledger.tables:
        _repair_villages(ledger, common * drawn)


def _common_weights(households: pd.DataFrame) -> pd.Series:
    """Village id -> the one weight that two or more of its households agree on."""
    village = households.groupby("village_id")["w_hh"].agg(["min", "max", "count"])
    agree = (village["count"] > 1) & (village["max"] <= village["min"] * (1 + 1e-6))
    return village.loc[agree, "min"]


def _repair_slips(ledger: Ledger, live: pd.Series) -> None:
    """A weight unlike the one that nearly all other households of the village have."""
    table = ledger.tables["household"]
    weights = table["w_hh"].where(live)
    grouped = weights.groupby(table["village_id"])
    middle, number = grouped.transform("median"), grouped.transform("count")
    same = (weights / middle - 1).abs() < SAME
    agree = same.groupby(table["village_id"]).transform("sum")
    sure = (number >= FEWEST) & (agree >= number - MOST_SLIPS) & (agree > 0.6 * number)
    rows = np.asarray(sure & ~same & weights.notna())
    detail = (weights / middle)[rows].map(lambda r: f"{r:.3g}").astype("str")
    ledger.find("weight_slip", "household", rows, "w_hh", detail=detail)
    ledger.correct("weight_slip", "household", rows, "w_hh", middle, "weight of the village")


def _report_unlike(ledger: Ledger, live: pd.Series) -> None:
    table = ledger.tables["household"]
    weights = table["w_hh"].where(live)
    ratio = weights / weights.groupby(table["village_id"]).transform("median")
    odd = (ratio > UNLIKE) | (ratio < 1 / UNLIKE)
    detail = ratio[odd].map(lambda r: f"{r:.3g}").astype("str")
    ledger.find("weight_unlike", "household", np.asarray(odd), "w_hh", detail=detail)


def _repair_villages(ledger: Ledger, product: pd.Series) -> None:
    """`product`: village id -> w_village x households, as its households' weight implies.

    Household weights may have been calibrated, by one factor a county: that of the villages
    where all three are known.
    """
    table = ledger.tables["village"]
    implied = table["village_id"].map(product)
    known = table["w_village"] * table["households"].astype("float64") / implied
    implied *= known.groupby(table["county_id"]).transform("median").fillna(1.0)
    method = "from the weight of the village's households"
    for column, other in (("w_village", "households"), ("households", "w_village")):
        if not {column, other} <= ledger.submitted["village"]:
            continue
        value = implied / table[other].astype("float64")
        rows = ledger.live["village"] & table[column].isna() & (value > 0)
        if column == "households":
            value = value.round().mask(~rows).clip(lower=1).astype("Int64")
        ledger.find("village_weight_filled", "village", rows, column)
        ledger.correct("village_weight_filled", "village", rows, column, value, method)
