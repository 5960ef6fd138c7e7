"""What arrived against the sampling design and the frame it was drawn from.

With one probability for all households of a village, ``w_hh = w_village x households / drawn`` up
to one factor a county (its calibration), and with villages drawn in proportion to their size
``w_village x households`` is nearly the same for all villages of a county.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.groups import times
from povmon.audit.ledger import Ledger
from povmon.audit.outliers import county_of
from povmon.survey.config import Survey

SHORT = 0.7  # of the households that a village should have sent
LOW_RESPONSE = 0.8  # of a county's households
UNEQUAL = 0.02  # relative difference of weights that the design says are equal
UNLIKE_PRODUCT = np.log(1.6)
KISH = 1.6  # design effect of a county's weights
FEWEST = 4  # villages of a county to compare with


def check_design(survey: Survey, area: str, ledger: Ledger) -> None:
    """Numbers of villages and households, response, and weights against the design."""
    design = survey.design
    if "village" in ledger.tables:
        rules = "village_households_short", "village_households_many"
        _numbers_drawn(ledger, "village", "household", design.households_per_village, SHORT, rules)
        if "county" in ledger.tables:
            rules = "county_villages_short", "county_villages_many"
            _numbers_drawn(ledger, "county", "village", design.villages_per_county, 1.0, rules)
            _response(ledger, design.villages_per_county, design.households_per_village)
    if design.weights != "form":
        return
    county = county_of(survey, area, ledger.tables["household"])
    if "village" in ledger.tables:
        _weights_by_design(ledger, county)
        _products(ledger)
    if "county" in ledger.tables:
        _kish(ledger, county)


def _live(ledger: Ledger, form: str) -> pd.DataFrame:
    return ledger.tables[form][ledger.live[form]]


def _text(values: pd.Series) -> pd.Series:
    return values.astype("int64").astype("str")


def _numbers_drawn(
    ledger: Ledger, form: str, below: str, drawn: int | None, least: float, rules: tuple[str, str]
) -> None:
    """Records of the form below in each of a form's: fewer than `least`, more than drawn."""
    if drawn is None:
        return
    key = f"{form}_id"
    number = ledger.tables[form][key].map(_live(ledger, below).groupby(key).size())
    number = number.fillna(0).where(ledger.live[form])
    for rule, rows in zip(rules, (number < least * drawn, number > drawn), strict=True):
        ledger.find(rule, form, rows, key, detail=_text(number[rows]) + f" of {drawn}")


def _response(ledger: Ledger, villages: int | None, households: int | None) -> None:
    """Accepted households over those that the design drew, by county."""
    if villages is None or households is None:
        return
    table, homes = ledger.tables["county"], _live(ledger, "household")
    place = _live(ledger, "village").drop_duplicates("village_id").set_index("village_id")
    accepted = homes.groupby(homes["village_id"].map(place["county_id"])).size()
    share = table["county_id"].map(accepted).fillna(0) / (villages * households)
    rows = (share < LOW_RESPONSE).to_numpy() & ledger.live["county"]
    detail = share[rows].map(lambda s: f"{100 * s:.0f} %").astype("str")
    ledger.find("county_response_low", "county", rows, "county_id", detail=detail)


def _weights_by_design(ledger: Ledger, county: pd.Series) -> None:
    """Household weights against the village's weight and size, up to one factor a county."""
    table = ledger.tables["household"]
    village = _live(ledger, "village").drop_duplicates("village_id").set_index("village_id")
    product = village["w_village"] * village["households"].astype("float64")
    ratio = np.log(table["w_hh"].where(ledger.live["household"])) - np.log(
        table["village_id"].map(product)
    )
    of_village = ratio.groupby(table["village_id"]).median()
    place = county.groupby(table["village_id"]).first().reindex(of_village.index)
    middle = of_village.groupby(place).transform("median")
    agree = (of_village - middle).abs() < UNEQUAL
    share, number = agree.groupby(place).mean(), agree.groupby(place).size()
    # Only where most villages of the county follow the design can another one be held to it.
    kept = share[(share > 0.5) & (number >= FEWEST)].index
    odd = of_village[~agree & place.isin(kept) & of_village.notna()]
    shown = times(odd - middle.reindex(odd.index))
    form = ledger.tables["village"]
    rows = form["village_id"].isin(odd.index).to_numpy() & ledger.live["village"]
    detail = form["village_id"][rows].map(shown).astype("str")
    ledger.find("village_weight_design", "village", rows, "w_village", detail=detail)


def _products(ledger: Ledger) -> None:
    """Villages drawn in proportion to size: weight times households against the county's."""
    table = ledger.tables["village"]
    product = np.log((table["w_village"] * table["households"].astype("float64")).where(
        pd.Series(ledger.live["village"], index=table.index)
    ))  # fmt: skip
    grouped = product.groupby(table["county_id"])
    apart = product - grouped.transform("median").where(grouped.transform("count") >= FEWEST)
    width = float(apart.abs().median()) if apart.notna().any() else np.nan
    # Under another design the products differ, and say nothing.
    if not width < UNLIKE_PRODUCT / 4:
        return
    rows = (apart.abs() > UNLIKE_PRODUCT).to_numpy()
    ledger.find("village_size_frame", "village", rows, "households", detail=times(apart[rows]))


def _kish(ledger: Ledger, county: pd.Series) -> None:
    """Kish's design effect of unequal weights: n sum w^2 / (sum w)^2."""
    homes = _live(ledger, "household")
    weight = homes["w_hh"]
    grouped = weight.groupby(county.reindex(homes.index))
    effect = grouped.count() * (weight**2).groupby(county.reindex(homes.index)).sum()
    effect = effect / grouped.sum() ** 2
    table = ledger.tables["county"]
    of = table["county_id"].map(effect)
    rows = (of > KISH).to_numpy() & ledger.live["county"]
    detail = of[rows].map("{:.2f}".format).astype("str")
    ledger.find("weights_unequal", "county", rows, "county_id", detail=detail)
