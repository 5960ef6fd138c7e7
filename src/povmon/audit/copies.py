"""Copies: one person or household listed twice, and values copied from one to another.

Households that agree in what hardly ever agrees by chance: the whole roster, a block of amounts,
or most amounts nearly (Kuriakose and Robbins 2016, Statistical Journal of the IAOS 32, on
near duplicates as a mark of fabrication).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.audit.outliers import county_of
from povmon.survey.config import Survey
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS

AMOUNTS = (*INCOME_PARTS, *CONSUMPTION_PARTS, "dwelling_area", "land")
SAME_PERSON = (
    "sex", "age", "relation", "ethnicity", "in_school", "schooling", "literate", "health",
    "work", "months_away",
)  # fmt: skip
ROSTER = ("sex", "age", "relation", "schooling")
FEWEST_VALUES = 3  # values other than zero that a copied block must have
COPIED_ROSTER = 4  # members of a roster that is not the same as another by chance
NEAR = 0.15  # of the logarithm: amounts of one household told twice
CLOSE = 0.03  # amounts that were copied and touched up
MANY_CLOSE = 6  # of these the county's pairs of households share fewer by chance
LARGEST_GROUP = 200


def check_copies(survey: Survey, area: str, ledger: Ledger) -> None:
    """Persons and households that repeat another."""
    if "person" in ledger.tables:
        _persons_twice(ledger)
    _blocks(ledger)
    rosters = _rosters(ledger)
    _households_twice(ledger, rosters)
    _close_pairs(ledger, county_of(survey, area, ledger.tables["household"]))


def _persons_twice(ledger: Ledger) -> None:
    """The same person on two lines of a household; twins are told apart by the reviewer."""
    table = ledger.tables["person"]
    names = ["household_id", *(c for c in SAME_PERSON if c in ledger.submitted["person"])]
    if len(names) < 6:
        return
    known = table["sex"].notna() & table["age"].notna() & ledger.live["person"]
    doubled = table.loc[known, names].duplicated()
    rows = doubled.reindex(table.index, fill_value=False).to_numpy(dtype=bool)
    ledger.find("person_twice", "person", rows, "line")


def _blocks(ledger: Ledger) -> None:
    """All parts of income, or of consumption, equal to those of another household."""
    table = ledger.tables["household"]
    for parts in (INCOME_PARTS, CONSUMPTION_PARTS):
        if not set(parts) <= ledger.submitted["household"]:
            continue
        block = table[list(parts)].where(pd.Series(ledger.live["household"], index=table.index))
        filled = block.notna().all(axis=1) & ((block != 0).sum(axis=1) >= FEWEST_VALUES)
        # Round amounts may agree by chance; what is not a whole hundred hardly does.
        exact = (block % 100 != 0).sum(axis=1) >= FEWEST_VALUES - 1
        chosen = block[filled & exact]
        _report(ledger, "copied_amounts", chosen[chosen.duplicated(keep=False)], parts[0])


def _report(ledger: Ledger, rule: str, groups: pd.DataFrame, column: str) -> None:
    """A finding for each record of groups of equal rows, naming the first other one."""
    if groups.empty:
        return
    key = ledger.tables["household"].loc[groups.index, "key"]
    number = groups.groupby(list(groups.columns), sort=False).ngroup()
    pairs = {}
    for rows in number.groupby(number).groups.values():
        for row in rows:
            pairs[row] = key[rows[1] if row == rows[0] else rows[0]]
    _find(ledger, rule, pairs, column)


def _find(ledger: Ledger, rule: str, other: dict[int, str], column: str) -> None:
    table = ledger.tables["household"]
    rows = np.zeros(len(table), dtype=bool)
    rows[list(other)] = True
    detail = pd.Series(other, dtype="str").sort_index()
    ledger.find(rule, "household", rows, column, detail=detail)


def _rosters(ledger: Ledger) -> pd.Series:
    """Household -> its roster as one text (sex, age, relation and schooling of each member)."""
    table = ledger.tables["household"]
    if "person" not in ledger.tables or not set(ROSTER) <= ledger.submitted["person"]:
        return pd.Series(None, index=table.index, dtype="str")
    persons = ledger.tables["person"][ledger.live["person"]].dropna(subset=list(ROSTER))
    text = persons["sex"].str[0] + persons["age"].astype("str") + persons["relation"]
    text = text + persons["schooling"].astype("str")
    ordered = pd.DataFrame({"home": persons["household_id"], "text": text})
    joined = ordered.sort_values(["home", "text"]).groupby("home")["text"].agg("|".join)
    roster = table["household_id"].map(joined).astype("str")
    return roster.where(ledger.live["household"])


def _households_twice(ledger: Ledger, rosters: pd.Series) -> None:
    """Equal rosters: with the amounts nearly equal one household twice, else a copied roster."""
    table = ledger.tables["household"]
    names = [c for c in AMOUNTS if c in ledger.submitted["household"]]
    amounts = table[names].to_numpy(dtype="float64")
    size = rosters.str.count(r"\|") + 1
    key = table["key"].to_numpy(dtype=object)
    twice: dict[int, str] = {}
    copied: dict[int, str] = {}
    doubled = rosters[rosters.notna() & rosters.duplicated(keep=False)]
    for rows in doubled.groupby(doubled).groups.values():
        for a, b in combinations(rows[:LARGEST_GROUP], 2):
            if _near(amounts[a], amounts[b]):
                chosen = twice
            elif size[a] >= COPIED_ROSTER:
                chosen = copied
            else:
                continue
            for row, other in ((a, b), (b, a)):
                chosen.setdefault(row, str(key[other]))
    _find(ledger, "household_twice", twice, "household_id")
    _find(ledger, "copied_roster", copied, "household_id")


def _near(a: np.ndarray, b: np.ndarray) -> bool:
    """At least half of the amounts that are not both zero are nearly equal (and four of them)."""
    both = np.isfinite(a) & np.isfinite(b) & ((a != 0) | (b != 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        close = np.abs(np.log(a[both] / b[both])) < NEAR
    return bool(close.sum() >= max(4, 0.5 * both.sum()))


def _close_pairs(ledger: Ledger, county: pd.Series) -> None:
    """Pairs of a county's households with most amounts almost the same, whoever lives there."""
    table = ledger.tables["household"]
    names = [c for c in AMOUNTS if c in ledger.submitted["household"]]
    county = county.where(pd.Series(ledger.live["household"], index=table.index))
    if len(names) < MANY_CLOSE:
        return
    values = table[names].to_numpy(dtype="float32")
    with np.errstate(divide="ignore", invalid="ignore"):
        logged = np.where(values > 20, np.log(values), np.nan)
    found: dict[int, str] = {}
    key = table["key"].to_numpy(dtype=object)
    for rows in county.groupby(county).indices.values():
        rows = rows[:LARGEST_GROUP]
        part = logged[rows]
        close = np.zeros((len(rows), len(rows)), dtype=np.int8)
        for column in part.T:
            close += np.abs(column[:, None] - column) < CLOSE
        known = np.isfinite(part).astype(np.int16)
        enough = close >= np.maximum(MANY_CLOSE, 0.45 * (known @ known.T))
        for a, b in zip(*np.nonzero(np.triu(enough, 1)), strict=True):
            for row, other in ((rows[a], rows[b]), (rows[b], rows[a])):
                found.setdefault(int(row), str(key[other]))
    _find(ledger, "close_amounts", found, "household_id")
