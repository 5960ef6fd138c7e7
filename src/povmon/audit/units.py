"""Units off by a factor: of a whole village or county, and on the village and county forms.

A unit slip is a systematic error (de Waal, Pannekoek and Scholtus 2011, section 2.3): everything a
person filled in is off by the same factor. Within one village such a slip cannot be seen; its
median is therefore held against the county's other villages, and a county's against the area's.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.amounts import AGGREGATES
from povmon.audit.groups import from_centre, logs, scores, spread, times
from povmon.audit.ledger import Ledger
from povmon.audit.outliers import county_of
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS

MONEY = (10.0, 100.0, 1_000.0, 10_000.0)
# Column -> factors that a slip of its unit makes: hectares and square metres for mu.
FACTORS = {
    "income_total": MONEY, "consumption_total": MONEY, "debt": MONEY,
    "dwelling_area": (10.0, 100.0), "land": (10.0, 15.0, 666.67),
}  # fmt: skip
LIMIT = 5.0  # robust standard deviations of the groups' medians
SMALLEST = np.log(4.0)  # and at least fourfold: no slip of a unit is smaller
FEWEST = 5  # values of a group for a median
FEWEST_GROUPS = 4  # groups to compare with
CERTAIN = np.log(2_000.0)  # beyond this only ten thousand explains it
CERTAIN_MATCH = np.log(5.0)

REPAIRED = {"village_unit": "village_unit_repaired", "county_unit": "county_unit_repaired"}

# Village form: what is compared with the county's other villages, and per what.
VILLAGE = (("distance_km", ""), ("collective_income", ""), ("natural_villages", "households"))
# County form: what is compared with the area's other counties, beside what `places` compares.
COUNTY = (
    ("irrigated", "farmland"), ("children_7_15", "rural_population"),
    ("registered_poor", "rural_population"), ("rural_households", "rural_population"),
    ("funds_central", "registered_poor"), ("funds_provincial", "registered_poor"),
    ("funds_other", "registered_poor"),
)  # fmt: skip
FORM_LIMIT = 4.0  # robust standard deviations; for a distance, whose logs are near normal:
DISTANCE_LIMIT = 3.3
LOWLAND = 400.0  # metres
ALTITUDE_LIMIT = 4.5
ALTITUDE_SMALLEST = 150.0  # metres
# County form: column, the factor of its slip, per what, and between which limits any county lies
# (those of the rules gdp_a_person and grain_for_farmland). They are so far apart that a value
# inside them after the slip is undone, and outside before, leaves no other explanation.
SLIPS = (("gdp", 10_000.0, "population", 0.08, 15.0), ("grain", 1_000.0, "farmland", 0.3, 20.0))
MU = 15.0  # a hectare
MU_MATCH = np.log(2.0)
UNLIKE = {"village": "village_value_unlike", "county": "county_value_unlike"}
FORM_SMALLEST = np.log(2.0)  # nothing less than double or half


def check_units(survey: Survey, area: str, ledger: Ledger) -> None:
    """Whole villages and counties in another unit (repaired where certain), and the two forms."""
    table = ledger.tables["household"]
    county = county_of(survey, area, table)
    whole = pd.Series(area, index=table.index)
    for column in FACTORS:
        if column in ledger.submitted["household"]:
            _check_groups(ledger, "village_unit", column, table["village_id"], county)
            _check_groups(ledger, "county_unit", column, county, whole)
    if "village" in ledger.tables:
        place = county_of(survey, area, ledger.tables["village"])
        _check_form(ledger, "village", VILLAGE, place)
        _check_altitude(ledger, place)
    if "county" in ledger.tables:
        place = pd.Series(area, index=ledger.tables["county"].index)
        _convert_counties(ledger, place)
        _check_form(ledger, "county", COUNTY, place)


def _check_groups(
    ledger: Ledger, rule: str, column: str, group: pd.Series, within: pd.Series
) -> None:
    """Medians of groups against those of the groups around them."""
    table = ledger.tables["household"]
    live = ledger.live["household"]
    value = logs(table[column] / table["hhsize"].astype("float64")).where(live)
    grouped = pd.DataFrame({"value": value, "within": within}).groupby(group)
    number = grouped["value"].count()
    middle = grouped["value"].median().where(number >= FEWEST)
    around = grouped["within"].first()
    off = from_centre(middle, around, FEWEST_GROUPS)
    limit = max(LIMIT * spread(off), SMALLEST)
    odd = off[off.abs() > limit]
    if odd.empty:
        return
    distance = group.map(odd)
    rows = (distance.notna() & table[column].notna()).to_numpy() & live
    if column in AGGREGATES:
        rows &= ~_convert(ledger, rule, column, distance)
    detail = times(distance[rows]) + _explained(distance[rows], FACTORS[column])
    ledger.find(rule, "household", rows, column, detail=detail)


def _convert(ledger: Ledger, rule: str, total: str, distance: pd.Series) -> np.ndarray:
    """Ten thousand yuan for yuan in a whole group: certain, so all amounts are converted."""
    table = ledger.tables["household"]
    done = np.zeros(len(table), dtype=bool)
    for factor, words in ((1e4, "in ten thousands"), (1e-4, "ten thousand times too large")):
        far = distance < -CERTAIN if factor > 1 else distance > CERTAIN
        rows = far & ((distance + np.log(factor)).abs() < CERTAIN_MATCH)
        rows &= ledger.live["household"] & table[total].notna()
        detail = pd.Series(words, index=table.index)
        ledger.find(REPAIRED[rule], "household", rows, total, detail=detail)
        columns = [total, *AGGREGATES[total]]
        for column in (c for c in columns if c in ledger.submitted["household"]):
            given = rows & table[column].notna()
            ledger.correct(REPAIRED[rule], "household", given, column,
                           table[column] * factor, f"times {factor:g}")  # fmt: skip
        done |= rows.to_numpy(dtype=bool)
    return done


def _convert_counties(ledger: Ledger, place: pd.Series) -> None:
    """Values of the county form in another unit, where nothing else explains them."""
    table, given = ledger.tables["county"], ledger.submitted["county"]
    for column, factor, base, low, high in SLIPS:
        if {column, base} <= given:
            ratio = table[column].astype("float64") / table[base].astype("float64")
            _undo(ledger, column, factor, ~ratio.between(low, high)
                  & (ratio / factor).between(low, high))  # fmt: skip
    if {"farmland", "rural_population", "grain"} <= given:
        # Mu for hectares: too much land a person, and as much too little grain from it.
        land, people, grain = (logs(table[c]) for c in ("farmland", "rural_population", "grain"))
        more = from_centre(land - people, place, FEWEST) - np.log(MU)
        less = from_centre(grain - land, place, FEWEST) + np.log(MU)
        _undo(ledger, "farmland", MU, (more.abs() < MU_MATCH) & (less.abs() < MU_MATCH))


def _undo(ledger: Ledger, column: str, factor: float, rows: pd.Series) -> None:
    """Divide by the factor, except where a reviewer has decided."""
    table = ledger.tables["county"]
    decided = {row for form, row, c in ledger.decided if (form, c) == ("county", column)}
    chosen = rows.to_numpy(dtype=bool) & ledger.live["county"] & ~table.index.isin(decided)
    detail = pd.Series(f"{factor:g}", index=table.index, dtype="str")
    ledger.find("county_value_unit", "county", chosen, column, detail=detail)
    after = (table[column].astype("float64") / factor).round(2)
    ledger.correct("county_value_unit", "county", chosen, column, after, f"divided by {factor:g}")


def _explained(distance: pd.Series, factors: tuple[float, ...]) -> pd.Series:
    """The factor of a slip that lies nearest, where one lies near."""
    steps = np.log(np.array(factors))
    apart = np.abs(distance.abs().to_numpy()[:, None] - steps)
    nearest = apart.argmin(axis=1)
    words = [
        f" (a unit off by {factors[k]:g}?)" if row[k] < np.log(2.0) else ""
        for k, row in zip(nearest, apart, strict=True)
    ]
    return pd.Series(words, index=distance.index, dtype="str")


def _check_altitude(ledger: Ledger, place: pd.Series) -> None:
    """Villages far above or below the county's others (feet for metres, a digit too many)."""
    if "altitude_m" not in ledger.submitted["village"]:
        return
    altitude = ledger.tables["village"]["altitude_m"].where(ledger.live["village"])
    # Mountains differ by much more than plains: about in proportion to the altitude plus this.
    score, _ = scores(logs(altitude + LOWLAND), place, FEWEST, floor=0.02)
    apart = from_centre(altitude, place, FEWEST)
    rows = ((score.abs() > ALTITUDE_LIMIT) & (apart.abs() > ALTITUDE_SMALLEST)).to_numpy()
    detail = apart[rows].map("{:+.0f}".format).astype("str")
    ledger.find("village_altitude_unlike", "village", rows, "altitude_m", detail=detail)


def _check_form(
    ledger: Ledger, form: str, compared: tuple[tuple[str, str], ...], place: pd.Series
) -> None:
    """Values of a village among its county's, or of a county among its area's."""
    table = ledger.tables[form]
    for column, base in compared:
        if not {column, base or column} <= ledger.submitted[form]:
            continue
        value = logs(table[column]).where(ledger.live[form])
        if base:
            value = value - logs(table[base])
        score, width = scores(value, place, FEWEST, floor=0.05)
        distance = score * width
        limit = DISTANCE_LIMIT if column == "distance_km" else FORM_LIMIT
        rows = ((score.abs() > limit) & (distance.abs() > FORM_SMALLEST)).to_numpy()
        detail = times(distance[rows]) + _explained(distance[rows], MONEY)
        beside = f" (for its {FORMS[form][base].en.lower()})" if base else ""
        ledger.find(UNLIKE[form], form, rows, column, detail=detail + beside)
