"""Lines, liaison units and published figures, each value with its status of verification."""

from __future__ import annotations

import re
from functools import cache

import pandas as pd

from povmon.errors import PovmonError
from povmon.reference.load import numeric, place, table
from povmon.reference.places import areas

STATUSES = ("verified", "unverified", "missing")
_SERIES = {
    # value column: (status column, name, unit, income definition)
    "poverty_line_current_yuan": ("line_status", "poverty line", "yuan", ""),
    "rural_poor_10k": ("poor_status", "rural poor", "10k persons", ""),
    "incidence_pct": ("incidence_status", "incidence", "%", ""),
    "poor_counties_rural_income_yuan": (
        "income_status",
        "rural disposable income per capita, poor counties",
        "yuan",
        "disposable",
    ),
}


def poverty_lines() -> pd.DataFrame:
    """The rural poverty line, 2010-2016.

    Returns
    -------
    line_id (``rural_2010``), year (int), yuan_per_person_year (float), price_basis,
    income_definition (net or disposable), verification, source.
    """
    return _poverty_lines().copy()


def liaison_units() -> pd.DataFrame:
    """Liaison units and the area each was assigned to; two rows are unverified.

    Returns
    -------
    unit_id (short name made from the English one, for file names), unit_zh, unit_en, area_id,
    verification, source. A unit has one area; an area may have two units.
    """
    return _liaison_units().copy()


def published() -> pd.DataFrame:
    """Published figures on areas, the 592 key counties and the 832 poor counties.

    Returns
    -------
    scope (Chinese), area_id (blank where the scope is no area), year (int), indicator, value
    (float), unit, definition (net or disposable for incomes, else blank), verification, source.
    """
    return _published().copy()


def national_series() -> pd.DataFrame:
    """National series 2010-2020, one row a year and series.

    Returns
    -------
    year (int), indicator (poverty line, rural poor, incidence, rural disposable income per
    capita, poor counties), value (float, missing where the status is missing), unit, definition,
    verification, source.
    """
    return _national_series().copy()


def verified_only(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows that may be shown as fact: status verified, value present where there is one.

    Parameters
    ----------
    frame : any of this module's tables.

    Raises
    ------
    PovmonError : the frame has no column ``verification``.
    """
    if "verification" not in frame.columns:
        raise PovmonError("the table says nothing about verification", where="verified_only")
    keep = frame["verification"] == "verified"
    if "value" in frame.columns:
        keep &= frame["value"].notna()
    return frame[keep].reset_index(drop=True)


@cache
def _poverty_lines() -> pd.DataFrame:
    frame = table("poverty_lines")
    frame["year"] = numeric(frame, "year", "poverty_lines").astype("int64")
    amounts = numeric(frame, "yuan_per_person_year", "poverty_lines")
    frame["yuan_per_person_year"] = amounts.astype("float64")
    _check_status(frame, "poverty_lines")
    return frame


@cache
def _liaison_units() -> pd.DataFrame:
    frame = table("liaison_units")
    _check_status(frame, "liaison_units")
    _check_areas(frame, "liaison_units", blank=False)
    frame.insert(0, "unit_id", [slug(name) for name in frame["unit_en"]])
    return frame


@cache
def _published() -> pd.DataFrame:
    frame = table("published_indicators")
    _check_areas(frame, "published_indicators", blank=True)
    frame["year"] = numeric(frame, "year", "published_indicators").astype("int64")
    frame["value"] = numeric(frame, "value", "published_indicators").astype("float64")
    income = frame["indicator"].str.extract(r"\b(net|disposable) income")[0]
    frame["definition"] = income.fillna("")
    # The file carries a source for every value and marks none as unverified (see its sidecar).
    unmarked = ~frame["source"].str.contains("unverified", case=False)
    frame["verification"] = unmarked.map({True: "verified", False: "unverified"})
    columns = ["scope", "area_id", "year", "indicator", "value", "unit"]
    return frame[[*columns, "definition", "verification", "source"]]


@cache
def _national_series() -> pd.DataFrame:
    frame = table("national_series")
    year = numeric(frame, "year", "national_series").astype("int64")
    parts = []
    for column, (status, name, unit, definition) in _SERIES.items():
        value = numeric(frame, column, "national_series").astype("float64")
        found = frame[status].str.extract(r"^(?P<status>\w*)[(]?(?P<source>.*?)[)]?$")
        word = found["status"].where(found["status"] != "", "missing")
        parts.append(
            pd.DataFrame(
                {
                    "year": year,
                    "indicator": name,
                    "value": value,
                    "unit": unit,
                    "definition": definition,
                    "verification": word.where(value.notna(), "missing"),
                    "source": found["source"],
                }
            )
        )
    tidy = pd.concat(parts, ignore_index=True)
    _check_status(tidy, "national_series")
    return tidy


def slug(name: str) -> str:
    """A short name for files and parameters: lower case, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _check_status(frame: pd.DataFrame, name: str) -> None:
    wrong = frame.index[~frame["verification"].isin(STATUSES)]
    if len(wrong):
        raise PovmonError(
            f"{frame.at[wrong[0], 'verification']!r} is not a status of verification",
            where=place(name, wrong[0]),
            todo=f"allowed: {', '.join(STATUSES)}",
        )


def _check_areas(frame: pd.DataFrame, name: str, *, blank: bool) -> None:
    valid = [*areas()["area_id"], *([""] if blank else [])]
    wrong = frame.index[~frame["area_id"].isin(valid)]
    if len(wrong):
        raise PovmonError(
            f"{frame.at[wrong[0], 'area_id']!r} is not an area",
            where=place(name, wrong[0], "area_id"),
            todo=f"allowed: {', '.join(v for v in valid if v)}",
        )
