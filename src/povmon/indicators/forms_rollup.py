"""All forms of a survey rolled up along both hierarchies, checked and protected.

County -> prefecture -> province -> all areas combined, and county -> area -> all areas combined;
key counties, other counties and those not determined stand apart. Sums are added up, averages
are weighted, shares are computed anew from sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon import paths
from povmon.errors import PovmonError
from povmon.indicators.forms_county import county_items, roll_up_counties
from povmon.indicators.forms_records import COUNTED, sampled
from povmon.indicators.forms_sample import roll_up_sample
from povmon.indicators.forms_table import FormTable, Item, check_sums
from povmon.indicators.hierarchy import Hierarchy, hierarchy
from povmon.survey import Survey, load_survey

Floats = npt.NDArray[np.float64]

# Weights are calibrated to the reported population, so the two forms give the same persons.
CALIBRATED = 1e-6
# The order in which the forms are shown.
FORMS_SHOWN = ("county", "village", "household", "person")


@dataclass(frozen=True)
class FormsRollUp:
    """What is shown of a survey's forms.

    Parameters
    ----------
    survey, hierarchy : what was rolled up, and along what.
    tables : form -> its table; forms that the survey does not have are absent.
    checks : one row a check: form, check, compared (pairs), largest (difference), agrees.
    """

    survey: Survey
    hierarchy: Hierarchy
    tables: dict[str, FormTable]
    checks: pd.DataFrame


def roll_up_forms(survey: str) -> FormsRollUp:
    """Roll the accepted forms of all areas up.

    Parameters
    ----------
    survey : its name.

    Raises
    ------
    PovmonError : the areas are not made of counties, an area has not been audited, or the parts
        do not add up to their totals.
    """
    config = load_survey(survey)
    return roll_up_records(config, accepted(config))


def accepted(survey: Survey) -> dict[str, pd.DataFrame]:
    """The accepted records of all areas by form, of the forms that are rolled up."""
    forms = [f for f in FORMS_SHOWN if f in survey.forms]
    return {form: _read(survey, form) for form in forms}


def _read(survey: Survey, form: str) -> pd.DataFrame:
    parts = []
    for area in survey.area_ids:
        path = paths.processed(survey.survey, area) / f"{form}.parquet"
        if not path.is_file():
            raise PovmonError(
                f"area {area} has no accepted {form} records",
                where=f"survey {survey.survey}",
                todo=f"run make SURVEY={survey.survey} AREA={area} first",
            )
        parts.append(pd.read_parquet(path))
    return pd.concat(parts, ignore_index=True)


def roll_up_records(survey: Survey, records: dict[str, pd.DataFrame]) -> FormsRollUp:
    """Roll accepted records up, form -> records of all areas.

    A sample without weights says nothing about numbers in the population: its forms are left out.
    """
    h = hierarchy(survey)
    tables: dict[str, FormTable] = {}
    checks: list[dict[str, Any]] = []
    totals: dict[str, Floats] = {}
    if "county" in records:
        tables["county"], totals["county"] = roll_up_counties(survey, h, records["county"])
    if survey.design.weights == "form":
        for form in (f for f in COUNTED if f in records):
            sample = sampled(survey, h, form, records)
            tables[form], totals[form] = roll_up_sample(survey, h, sample)
    for form, table in tables.items():
        checks += check_sums(form, h, table.items, totals[form])
    if survey.design.calibrate_to != "none" and {"county", "household"} <= set(tables):
        checks.append(_population(h, tables, totals, county_items(survey)))
    frame = pd.DataFrame(checks, columns=["form", "check", "compared", "largest", "agrees"])
    wrong = frame[~frame["agrees"]]
    if len(wrong):
        first = wrong.iloc[0]
        raise PovmonError(
            f"{first['form']} form, {first['check']}: they differ by {first['largest']:,.1f}",
            where=f"survey {survey.survey}, roll-up of the forms",
            todo="build the survey anew with make clean, make",
        )
    return FormsRollUp(survey, h, tables, frame)


def _population(
    h: Hierarchy, tables: dict[str, FormTable], totals: dict[str, Floats], items: Sequence[Item]
) -> dict[str, Any]:
    """Persons of the household form, weighted, against the county form, county by county."""
    rows = h.at(["county"])
    reported = totals["county"][rows, [i.name for i in items].index("rural_population")]
    names = [i.name for i in tables["household"].items]
    counted = totals["household"][rows, names.index("hhsize")]
    both = (reported > 0) & (counted > 0)
    gap = np.abs(counted - reported)[both]
    return {
        "form": "household",
        "check": "weighted members of the households are the rural population of the county form",
        "compared": int(both.sum()),
        "largest": float(gap.max(initial=0.0)),
        "agrees": bool((gap <= CALIBRATED * reported[both]).all()),
    }
