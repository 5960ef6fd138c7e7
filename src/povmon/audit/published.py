"""The county forms of an area against figures published for the area and year."""

from __future__ import annotations

import pandas as pd

from povmon import reference
from povmon.audit.ledger import Ledger
from povmon.survey.config import Survey

FAR = 0.15  # relative difference
COMPLETE = 0.95  # of the area's counties, for a total of them
YUAN = "CNY"


def check_published(survey: Survey, area: str, ledger: Ledger) -> None:
    """Rural income, registered poor and rural population of the area's counties together.

    Only where every county that the survey covers is one of a whole area (survey.yml without
    ``only_counties``) and nearly all of them are in.
    """
    if "county" not in ledger.tables or survey.counties == "none" or survey.only_counties:
        return
    figures = reference.published()
    figures = figures[(figures["area_id"] == area) & (figures["year"] == survey.year)]
    figures = figures[figures["verification"] == "verified"]
    for row in figures.itertuples():
        found = _of_counties(survey, ledger, str(row.indicator))
        if found is None:
            continue
        column, value, scale = found
        published = float(str(row.value)) * scale
        if abs(value / published - 1) > FAR:
            ledger.note("area_unlike_published", "county", key=area, column=column,
                        value=f"{value:.0f}", detail=_pair(value, published))  # fmt: skip


def _pair(value: float, published: float) -> str:
    return f"{value:,.0f} : {published:,.0f}"


def _of_counties(survey: Survey, ledger: Ledger, indicator: str) -> tuple[str, float, float] | None:
    """Field of the county form, the area's figure by the counties, units of the published one."""
    table = ledger.tables["county"][ledger.live["county"]]
    people = table["rural_population"].astype("float64")
    if indicator == "rural net income per capita" and survey.currency.code == YUAN:
        income = table["rural_income_pc"]
        if _complete(income):
            weight = people.where(income.notna())
            return "rural_income_pc", float((income * weight).sum() / weight.sum()), 1.0
    if indicator == "poor" and _complete(table["registered_poor"]):
        return "registered_poor", float(table["registered_poor"].sum()), 1e4
    return None


def _complete(values: pd.Series) -> bool:
    return len(values) > 0 and float(values.notna().mean()) >= COMPLETE
