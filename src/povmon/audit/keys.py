"""Keys and parents: every record identified once, and belonging to one that was accepted.

Which of two records with one key stays: of exact duplicates the first. Of records that disagree,
at most one can be right, and both claim the same household: the one with fewer certain errors
in its cells and sums stays, and where that does not decide, the first. Leaving both out would
lose a household that was surely interviewed; keeping both would count it twice. The rejected one
is named with the line of the one that was kept, so a reviewer can decide otherwise.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS
from povmon.survey.frame import survey_counties
from povmon.survey.origin import origin_text

CODES = 0.8  # share of households whose code begins with the village's, for a rule to hold


def reject_without_key(ledger: Ledger) -> None:
    """Leave out records whose key is not complete."""
    for form, table in ledger.tables.items():
        names = list(FORMS[form].key)
        missing = table[names].isna()
        rows = missing.any(axis=1)
        absent = missing[rows].apply(lambda row: "no " + ", ".join(row.index[row]), axis=1)
        ledger.reject("key_missing", form, rows, absent.reindex(table.index))


def reject_duplicates(ledger: Ledger) -> None:
    """Leave out all but one of the records that have the same key."""
    for form, table in ledger.tables.items():
        live = table[ledger.live[form]]
        doubled = live[live["key"].duplicated(keep=False)]
        if not doubled.empty:
            _reject_doubled(ledger, form, doubled)


def _reject_doubled(ledger: Ledger, form: str, doubled: pd.DataFrame) -> None:
    fields = FORMS[form].columns
    ranked = doubled.assign(faults=ledger.faults[form][doubled.index], place=doubled.index)
    ranked = ranked.sort_values(["key", "faults", "place"], kind="stable")
    kept = ranked.groupby("key", sort=False)["place"].transform("first")
    other = ranked[ranked["place"] != kept]
    keeper = doubled.loc[kept[other.index]]
    a, b = (part[fields].astype("object").reset_index(drop=True) for part in (other, keeper))
    same = ((a == b).fillna(False).astype(bool) | (a.isna() & b.isna())).all(axis=1).to_numpy()
    detail = pd.Series("", index=ledger.tables[form].index, dtype="str")
    detail.loc[other.index] = pd.Series(_where(keeper, other), index=other.index, dtype="str")
    for rule, chosen in (("duplicate_exact", same), ("duplicate_conflict", ~same)):
        rows = np.zeros(len(detail), dtype=bool)
        rows[other.index[chosen]] = True
        ledger.reject(rule, form, rows, detail)


def _where(keeper: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Line of the record that was kept, with its file and sheet where those are others."""
    places = ["source_file", "source_sheet"]
    kept = zip(*(keeper[name] for name in places), strict=True)
    own = zip(*(other[name] for name in places), strict=True)
    return [
        str(line) if place == mine else f"{line} of {origin_text(*place)}"
        for line, place, mine in zip(keeper["source_line"], kept, own, strict=True)
    ]


def check_parents(survey: Survey, area: str, ledger: Ledger) -> None:
    """Leave out records whose county, village or household is unknown or was itself rejected."""
    counties = survey_counties(survey, area)
    if "county" in ledger.tables:
        _check_counties(ledger, counties)
    for form in ("village", "household", "person"):
        parent = FORMS[form].parent
        if form in ledger.tables and parent is not None and parent[0] in ledger.tables:
            _check_parent(ledger, form, *parent)
    if "village" in ledger.tables:
        _check_household_codes(ledger)
    if "village" in ledger.tables and not counties.empty:
        village = ledger.tables["village"]
        odd = [
            not str(key).startswith(str(county))
            for key, county in zip(village["key"], village["county_id"], strict=True)
        ]
        ledger.find("village_code", "village", ledger.live["village"] & np.array(odd), "county_id")


def _check_household_codes(ledger: Ledger) -> None:
    """Households under another village than their code says, where codes are made that way."""
    table = ledger.tables["household"]
    pairs = zip(table["key"], table["village_id"], strict=True)
    begins = np.array([str(key).startswith(str(village)) for key, village in pairs], dtype=bool)
    if begins.mean() > CODES:
        rows = ledger.live["household"] & ~begins
        ledger.find("household_code", "household", rows, "village_id")


def _check_counties(ledger: Ledger, counties: pd.DataFrame) -> None:
    table = ledger.tables["county"]
    if counties.empty:
        return
    known = table["county_id"].isin(counties["county_id"])
    ledger.reject("county_unknown", "county", ~known, column="county_id")
    province = table["county_id"].map(counties.set_index("county_id")["province_id"])
    by_other = ledger.live["county"] & (table["submitted_by"] != "")
    by_other &= (province != table["submitted_by"]).to_numpy()
    ledger.find("province_folder", "county", by_other, "county_id", detail=table["submitted_by"])


def _check_parent(ledger: Ledger, form: str, parent: str, column: str) -> None:
    table, above = ledger.tables[form], ledger.tables[parent]
    of = table[column]
    present = of.isin(above.loc[ledger.live[parent], "key"])
    sent = of.isin(above["key"])
    detail = parent + " " + of[~present].fillna("(none given)").reindex(table.index)
    ledger.reject("parent_rejected", form, ~present & sent, detail, column)
    ledger.reject("parent_missing", form, ~present & ~sent, detail, column)
