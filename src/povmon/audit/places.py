"""Outliers among places: county figures in relation to each other, villages and counties against
their own households, and against the previous survey.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon import paths
from povmon.audit.ledger import Ledger
from povmon.audit.outliers import county_of
from povmon.audit.robust import Floats, hidiroglou_berthelot, mad, threshold
from povmon.audit.rules import catalogue
from povmon.survey.config import Survey

LEAST_COUNTIES = 10  # of an area, to say what is usual among them
LEAST_VILLAGES = 20
LEAST_SAMPLE = 5  # households of a village for a mean size of its own
# rule -> (figure, what it is divided by; "" for a figure that is one a person already)
RATIOS = {
    "county_gdp": ("gdp", "population"),
    "county_revenue": ("revenue", "population"),
    "county_expenditure": ("expenditure", "population"),
    "county_farmland": ("farmland", "rural_population"),
    "county_grain": ("grain", "farmland"),
    "county_income": ("rural_income_pc", ""),
}


def check_places(survey: Survey, area: str, ledger: Ledger) -> None:
    """Find places whose figures stand out (after all repairs)."""
    if "county" in ledger.tables:
        _check_counties(ledger)
    if "village" in ledger.tables:
        _check_village_sizes(ledger)
    if survey.previous is not None:
        _check_previous(survey, area, ledger)


def far_from_others(values: Floats, least: int, rate: float) -> tuple[np.ndarray, float]:
    """Which places stand out by a ratio, on the log scale, and the ratio's median.

    Parameters
    ----------
    values : (n,) ratio of each place; what is not positive is left alone.
    least : number of places below which none is judged.
    rate : share of clean places that may be flagged.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(values > 0, values, np.nan))
    known = np.isfinite(logs)
    if known.sum() < least:
        return np.zeros(len(values), dtype=bool), float("nan")
    middle = float(np.nanmedian(logs))
    far = np.abs(logs - middle) > threshold(rate) * max(mad(logs), 1e-9)
    return far & known, float(np.exp(middle))


def _check_counties(ledger: Ledger) -> None:
    table = ledger.tables["county"]
    for rule, (figure, base) in RATIOS.items():
        if not {figure, base or figure} <= ledger.submitted["county"]:
            continue
        size = table[base].astype("float64") if base else pd.Series(1.0, index=table.index)
        ratio = (table[figure].astype("float64") / size.where(size > 0)).where(
            ledger.live["county"]
        )
        far, usual = far_from_others(
            np.asarray(ratio, dtype=np.float64), LEAST_COUNTIES, catalogue()[rule].rate
        )
        times = _written(ratio[far] / usual, "{:.3g}")
        ledger.find(rule, "county", far, figure, detail=times, expected=usual * size[far])


def _check_village_sizes(ledger: Ledger) -> None:
    """Persons a household on the village form against the village's own households."""
    table = ledger.tables["village"]
    if not {"population", "households"} <= ledger.submitted["village"]:
        return
    households = ledger.accepted("household")
    by_village = households["hhsize"].astype("float64").groupby(households["village_id"])
    size = by_village.mean().where(by_village.count() >= LEAST_SAMPLE)
    sampled = table["village_id"].map(size).where(ledger.live["village"])
    count = table["households"].astype("float64")
    rule = catalogue()["village_size_rows"]
    stated = table["population"].astype("float64") / count.where(count > 0)
    if int((sampled > 0).sum()) < LEAST_VILLAGES:
        return
    _, far = hidiroglou_berthelot(sampled, stated, u=0.0, rate=rule.rate)
    detail = _written(stated[far], "{:.2f}") + " : " + _written(sampled[far], "{:.2f}")
    ledger.find("village_size_rows", "village", far, "population", detail=detail,
                expected=(sampled * count)[far])  # fmt: skip


def _check_previous(survey: Survey, area: str, ledger: Ledger) -> None:
    """Mean income and consumption of each county against those of the previous survey."""
    path = paths.processed(str(survey.previous), area) / "household.parquet"
    if not path.is_file():
        ledger.note("previous_missing", "file", detail=str(survey.previous))
        return
    before = pd.read_parquet(path)
    now = ledger.accepted("household")
    now["county_id"] = county_of(survey, area, now)
    for column in ("income_total", "consumption_total"):
        means = pd.concat([_means(before, column), _means(now, column)], axis=1, keys=["a", "b"])
        if len(means.dropna()) < LEAST_COUNTIES:
            continue
        rate = catalogue()["county_previous"].rate
        _, far = hidiroglou_berthelot(means["a"], means["b"], u=0.0, rate=rate)
        for county, row in means[far].iterrows():
            detail = f"{row['a']:,.0f} : {row['b']:,.0f}"
            ledger.note("county_previous", "county", key=str(county), column=column,
                        value=f"{row['b']:.0f}", detail=detail)  # fmt: skip


def _means(households: pd.DataFrame, column: str) -> pd.Series:
    """Weighted mean a person by county."""
    known = households[households[column].notna() & (households["w_hh"] > 0)]
    sums = pd.DataFrame({
        "amount": known["w_hh"] * known[column],
        "persons": known["w_hh"] * known["hhsize"].astype("float64"),
    }).groupby(known["county_id"]).sum()  # fmt: skip
    return sums["amount"] / sums["persons"]


def _written(values: pd.Series, form: str) -> pd.Series:
    """Numbers as text (also where there are none)."""
    return values.map(form.format).astype("str")
