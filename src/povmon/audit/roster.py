"""Households against their rosters: size, head, and the head's sex and age.

Where the stated number of members differs from a *complete* roster (lines 1, 2, ... without a
gap, exactly one head), the roster is taken: it lists people one by one, while the number is a
summary of it (UN Handbook on Population and Housing Census Editing, structure edits). A roster
with gaps has lost people, and so has one that is followed in its file by a person of a household
that does not exist: then the stated number stays, and the household is reported.
"""

from __future__ import annotations

import pandas as pd

from povmon.audit.ledger import Ledger, as_text


def check_rosters(ledger: Ledger) -> None:
    """Compare households with their persons; repair the size from a complete roster."""
    if "person" not in ledger.tables:
        return
    persons = ledger.accepted("person")
    table = ledger.tables["household"]
    roster = _rosters(persons).reindex(table["household_id"]).set_axis(table.index)
    listed = roster["persons"].fillna(0).astype("int64")
    live = pd.Series(ledger.live["household"], index=table.index)
    ledger.find("roster_empty", "household", live & (listed == 0), "hhsize")
    filled = live & (listed > 0)
    heads = roster["heads"].fillna(0).astype("int64")
    complete = (heads == 1) & (roster["last"] == listed) & (listed <= 30)
    complete &= ~table["household_id"].isin(_before_strays(persons, table))
    differs = filled & ~(table["hhsize"] == listed).fillna(False).astype(bool)
    rows = differs & complete
    gap = filled & ((roster["last"] > listed) | (differs & ~complete))
    stated = as_text(table.loc[rows | gap, "hhsize"]).replace("", "none")
    detail = stated + " stated, " + listed[rows | gap].astype("str") + " listed"
    ledger.find("roster_size", "household", rows, "hhsize", detail=detail[rows])
    ledger.correct("roster_size", "household", rows, "hhsize", listed.astype("Int64"),
                   "counted on the person form")  # fmt: skip
    ledger.find("roster_incomplete", "household", gap, "hhsize", detail=detail[gap])
    several = filled & (heads != 1)
    number = heads[several].astype("str")
    ledger.find("head_count", "household", several, "household_id", detail=number)
    _compare_head(ledger, persons, filled & (heads == 1))


def _rosters(persons: pd.DataFrame) -> pd.DataFrame:
    """Per household: persons listed, highest line number, heads."""
    head = (persons["relation"] == "head").fillna(False)
    grouped = persons.assign(is_head=head).groupby("household_id")
    return pd.DataFrame({
        "persons": grouped.size(),
        "last": grouped["line"].max().astype("float64"),
        "heads": grouped["is_head"].sum(),
    })  # fmt: skip


def _before_strays(persons: pd.DataFrame, households: pd.DataFrame) -> pd.Series:
    """Households right after whose persons the file has one whose own household is unknown."""
    ordered = persons.sort_values(["source_file", "source_sheet", "source_line"], kind="stable")
    known = ordered["household_id"].isin(households["household_id"])
    before = ordered["household_id"].where(known).ffill()
    sheet = ordered[["source_file", "source_sheet"]]
    same_sheet = (sheet == sheet.shift()).all(axis=1)
    return before[~known & same_sheet]


def _compare_head(ledger: Ledger, persons: pd.DataFrame, rows: pd.Series) -> None:
    """Sex and age of the head on the two forms."""
    table = ledger.tables["household"]
    heads = persons[(persons["relation"] == "head").fillna(False)]
    heads = heads.drop_duplicates("household_id").set_index("household_id")
    for column, on_roster in (("head_sex", "sex"), ("head_age", "age")):
        if column in ledger.submitted["household"]:
            other = heads[on_roster].reindex(table["household_id"]).set_axis(table.index)
            differs = (table[column] != other) & table[column].notna() & other.notna()
            chosen = rows & differs.fillna(False).astype(bool)
            detail = as_text(table.loc[chosen, column]) + " against " + as_text(other[chosen])
            ledger.find("head_differs", "household", chosen, column, detail=detail)
