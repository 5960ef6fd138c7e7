"""The county form rolled up: sums, averages weighted by population, shares of sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.errors import PovmonError
from povmon.indicators.disclosure import Need, System, small_cells
from povmon.indicators.forms_table import FormTable, Item
from povmon.indicators.frames import asked, numeric
from povmon.indicators.hierarchy import ALL, Hierarchy
from povmon.indicators.protection import protect_once
from povmon.survey import FORMS, Survey

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Averages of the form: what they are an average over.
AVERAGES = {"rural_income_pc": "rural_population"}
# Counts of persons and households identify somebody when small; sums of money, land and villages
# of a whole county do not.
CONFIDENTIAL = ("persons", "households")
# Whoever knows the second count has a bound for the first.
CEILINGS = {
    "rural_population": "population",
    "rural_households": "rural_population",
    "registered_poor": "rural_population",
    "children_7_15": "population",
    "enrolled_7_15": "children_7_15",
}
# The difference of the two counts people as well: children who are not in school.
DIFFERENCES = {"enrolled_7_15": "children_7_15"}
_SHARES_HEADING = ("Shares, from the sums", "比重（按合计数重新计算）")
SHARES = (
    ("share_poor", "Registered poor", "贫困发生率", "registered_poor", "rural_population"),
    ("share_irrigated", "Irrigated farmland", "有效灌溉面积比重", "irrigated", "farmland"),
    ("share_road", "Villages with a hardened road", "通硬化路的村", "villages_road", "villages"),
    ("share_bus", "Villages with a bus", "通客车的村", "villages_bus", "villages"),
    ("share_water", "Villages with safe water", "饮水安全的村", "villages_water", "villages"),
    ("share_clinic", "Villages with a clinic", "有卫生室的村", "villages_clinic", "villages"),
    ("share_power", "Villages with power", "通电的村", "villages_power", "villages"),
    ("share_enrolled", "Enrolment, age 7 to 15", "7至15岁儿童在校率", "enrolled_7_15",
     "children_7_15"),
)  # fmt: skip


def county_items(survey: Survey) -> list[Item]:
    """The columns of the rolled-up county form: its fields in order, then shares."""
    form = FORMS["county"]
    have = [f for f in form.fields if f.name in asked(survey, "county")]
    numbers = [f for f in have if f.dtype in ("integer", "number") and f.name != "year"]
    names = {f.name for f in numbers}
    items = [
        Item(f.name, f.en, f.zh, f.unit, "mean" if f.name in AVERAGES else "sum")
        for f in numbers
        if AVERAGES.get(f.name, f.name) in names
    ]
    return items + [
        Item(name, en, zh, "share", "share", _SHARES_HEADING)
        for name, en, zh, top, bottom in SHARES
        if {top, bottom} <= names
    ]


def roll_up_counties(
    survey: Survey, h: Hierarchy, records: pd.DataFrame
) -> tuple[FormTable, Floats]:
    """The county form of every unit, small counts protected.

    Parameters
    ----------
    survey : its policy gives the threshold.
    h : the units.
    records : accepted county forms of all areas, one row a county.

    Returns
    -------
    The table, and the (units, items) sums before anything is withheld, for the checks.

    Raises
    ------
    PovmonError : a county twice, or one that the survey does not have.
    """
    items = county_items(survey)
    x = _elementary(h, records, items)
    names = [item.name for item in items]
    values, reported = _numbers(h, items, x)
    withheld = pd.DataFrame(False, index=h.units.index, columns=names)
    least = survey.policy.disclosure.min_count
    for item in items:
        if item.kind == "sum" and item.unit in CONFIDENTIAL:
            withheld[item.name] = _protected(h, item.name, x, least)
    for item in items:
        if item.kind != "sum":
            withheld[item.name] = _quotient_withheld(h, item, x, withheld)
    table = FormTable(
        "county",
        tuple(items),
        values.where(reported.gt(0) & ~withheld),
        withheld & reported.gt(0),
        reported,
        h.units["counties"],
    )
    return table, values.to_numpy()


def _elementary(h: Hierarchy, records: pd.DataFrame, items: list[Item]) -> pd.DataFrame:
    """(counties, fields) in the order of the hierarchy's counties; NaN: not reported."""
    ids = records["county_id"]
    wrong = ids[ids.duplicated() | ~ids.isin(h.counties["county_id"])]
    if len(wrong):
        raise PovmonError(
            f"county {wrong.iloc[0]} stands twice, or is not one of the survey's",
            where="accepted county forms",
            todo="see the audit report",
        )
    fields = {i.name: numeric(records, i.name) for i in items if i.kind != "share"}
    frame = pd.DataFrame(fields).set_axis(list(ids), axis=0)
    return frame.reindex(list(h.counties["county_id"]))


def _parts(item: Item, x: pd.DataFrame) -> tuple[Floats, Floats]:
    """Numerator and denominator of an average or share by county; NaN where either is missing."""
    if item.kind == "mean":
        bottom = x[AVERAGES[item.name]].to_numpy()
        return x[item.name].to_numpy() * bottom, np.where(x[item.name].notna(), bottom, np.nan)
    top_name, bottom_name = quotient_of(item)
    top, bottom = x[top_name].to_numpy(), x[bottom_name].to_numpy()
    both = ~np.isnan(top) & ~np.isnan(bottom)
    return np.where(both, top, np.nan), np.where(both, bottom, np.nan)


def quotient_of(item: Item) -> tuple[str, str]:
    """Fields of numerator and denominator of a share."""
    return next((top, bottom) for name, _, _, top, bottom in SHARES if name == item.name)


def _numbers(h: Hierarchy, items: list[Item], x: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(units, items) numbers, and counties behind each."""
    values, reported = {}, {}
    for item in items:
        if item.kind == "sum":
            top = x[item.name].to_numpy()
            values[item.name] = h.members @ np.nan_to_num(top)
        else:
            top, bottom = _parts(item, x)
            below = h.members @ np.nan_to_num(bottom)
            above = h.members @ np.nan_to_num(top)
            values[item.name] = np.divide(
                above, below, np.full(len(below), np.nan), where=below > 0
            )
        reported[item.name] = h.members @ (~np.isnan(top)).astype(float)
    frame = pd.DataFrame(values, index=h.units.index)
    return frame, pd.DataFrame(reported, index=h.units.index).astype("int64")


def _protected(h: Hierarchy, name: str, x: pd.DataFrame, least: int) -> Flags:
    """(units,) which counts of one field are withheld, along both hierarchies at once."""
    value = np.nan_to_num(x[name].to_numpy())
    known = x[name].notna().to_numpy()
    bound = CEILINGS.get(name)
    upper = np.full(len(value), np.inf)
    if bound in x:
        upper = np.where(x[bound].notna() & known, x[bound].to_numpy(), np.inf)
    upper = np.where(known, upper, 0.0)
    whole = bool(np.all(value == np.rint(value)))
    system = System(value, h.members, np.ones(len(h.units), dtype=bool), upper=upper, integer=whole)
    totals = system.totals
    needs = small_cells(totals, totals, least)
    if DIFFERENCES.get(name) in x:
        needs += _differences(h, value, upper, least)
    return (
        protect_once(system, needs, _cost(h, totals))
        if needs
        else np.zeros(len(totals), dtype=bool)
    )


def _differences(h: Hierarchy, value: Floats, upper: Floats, least: int) -> list[Need]:
    """Cells whose distance to their ceiling is a small count."""
    ceiling = np.where(np.isfinite(upper), upper, value)
    above = h.members @ np.maximum(ceiling, value)
    rest = above - h.members @ value
    few = np.flatnonzero((rest > 0) & (rest < least))
    return [Need(int(c), float(above[c] - least), float(above[c])) for c in few]


def _cost(h: Hierarchy, totals: Floats) -> Floats:
    """What it costs to withhold a unit: its counties, and its share of the whole."""
    whole = totals[h.units.index.get_loc(ALL)]
    share = totals / whole if whole > 0 else np.zeros(len(totals))
    return h.units["counties"].to_numpy(dtype=float) + share


def _quotient_withheld(h: Hierarchy, item: Item, x: pd.DataFrame, withheld: pd.DataFrame) -> Flags:
    """An average or share is withheld with its parts, or they could be computed from it.

    It is withheld too where it is of other counties than its parts, one of them withheld.
    """
    names = (AVERAGES[item.name],) if item.kind == "mean" else quotient_of(item)
    out = withheld[list(names)].any(axis=1).to_numpy()
    top, _ = _parts(item, x)
    behind = ~np.isnan(top)
    counties = withheld.loc[h.counties["county"], list(names)].any(axis=1).to_numpy()
    for name in names:
        other = x[name].notna().to_numpy() & ~behind
        mixed = (h.members @ other.astype(float) > 0) & (h.members @ counties.astype(float) > 0)
        out = out | mixed
    return np.asarray(out)
