"""Values that rules use beside a form's own fields: what other records say about this one.

On a person: the head. On a household: its roster, and the poverty line. On a village: its
households in the sample. On a county: its villages and households in the sample. Each is missing
where the other records do not tell it (a roster that is not complete, too few households).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:  # the ledger knows the rules, and these know what is derived
    from povmon.audit.ledger import Ledger
    from povmon.survey.config import Survey

FEWEST = 5  # households of a village, and of a county four times as many, for a share of them
ADULT = 16  # years; the age at which work is permitted


@dataclass(frozen=True)
class Derived:
    """One derived value: what it is, in words, and the fields it is made from."""

    en: str
    needs: tuple[str, ...]


_ROSTER = ("person.relation", "household.hhsize")
_WORK = (*_ROSTER, "person.work")
DERIVED: dict[str, dict[str, Derived]] = {
    "person": {
        "head_age": Derived("age of the one head of the household", ("person.relation",
                                                                      "person.age")),
        "head_sex": Derived("sex of the one head of the household", ("person.relation",
                                                                      "person.sex")),
        "mother_age": Derived("age of the woman among the head and the one spouse",
                              ("person.relation", "person.sex", "person.age")),
    },
    "household": {
        "line": Derived("the survey's main poverty line, in money a person and year", ()),
        "roster_spouses": Derived("spouses of the head", _ROSTER),
        "roster_parents": Derived("parents and parents-in-law of the head", _ROSTER),
        "roster_grandparents": Derived("grandparents of the head", _ROSTER),
        "roster_children": Derived("children of the head", _ROSTER),
        "roster_children_in_law": Derived("children-in-law of the head", _ROSTER),
        "roster_oldest": Derived("age of the oldest member", (*_ROSTER, "person.age")),
        "roster_wage_workers": Derived("members in non-farm work or away for work", _WORK),
        "roster_migrants": Derived("members away for work", _WORK),
        "roster_workers": Derived("members at work", _WORK),
        "roster_pupils": Derived("members in school", (*_ROSTER, "person.in_school")),
    },
    "village": {
        "drawn": Derived("households in the sample", ("household.village_id",)),
        "sample_size": Derived("members a household in the sample", ("household.hhsize",)),
        "sample_power": Derived("share of sample households with electricity",
                                ("household.electricity",)),
        "county_population": Derived("rural population of the county",
                                     ("county.rural_population",)),
    },
    "county": {
        "sample_villages": Derived("villages in the sample", ("village.county_id",)),
        "sample_people": Derived("registered population of the sample's villages",
                                 ("village.population",)),
        "estimated_villages": Derived("villages by the weights", ("village.w_village",)),
        "estimated_households": Derived("households by the villages' weights",
                                        ("village.w_village", "village.households")),
        "estimated_income_pc": Derived("weighted income a person in the sample",
                                       ("household.income_total", "household.w_hh")),
        "estimated_poor": Derived("weighted share below the line in the sample",
                                  ("household.income_total", "household.w_hh")),
        "estimated_size": Derived("weighted members a household in the sample",
                                  ("household.w_hh",)),
        "estimated_water": Derived("weighted share with tap or deep-well water",
                                   ("household.water", "household.w_hh")),
        "estimated_power": Derived("weighted share with electricity",
                                   ("household.electricity", "household.w_hh")),
        "sample_road": Derived("share of sample villages with a hardened road",
                               ("village.hardened_road",)),
        "sample_bus": Derived("share of sample villages with a bus", ("village.bus",)),
        "sample_clinic": Derived("share of sample villages with a clinic", ("village.clinic",)),
        "estimated_children": Derived("weighted share of children aged 7 to 15",
                                      ("person.age", "household.w_hh")),
        "estimated_enrolment": Derived("weighted enrolment of children aged 7 to 15",
                                       ("person.age", "person.in_school", "household.w_hh")),
    },
}  # fmt: skip


def derive(survey: Survey, ledger: Ledger, form: str) -> pd.DataFrame:
    """The derived values of a form's records.

    Returns
    -------
    One row a record of ``ledger.tables[form]`` (same index), one column a derived value.
    """
    table = ledger.tables[form]
    makers = {"person": _person, "household": _household, "village": _village, "county": _county}
    made = makers[form](survey, ledger)
    blank = pd.Series(np.nan, index=table.index)
    return pd.DataFrame({name: made.get(name, blank) for name in DERIVED[form]}, index=table.index)


def _live(ledger: Ledger, form: str) -> pd.DataFrame:
    return ledger.tables[form][ledger.live[form]]


def _only_head(persons: pd.DataFrame) -> pd.DataFrame:
    """Heads by household, of households that have exactly one."""
    heads = persons[(persons["relation"] == "head").fillna(False).to_numpy(dtype=bool)]
    return heads.drop_duplicates("household_id", keep=False).set_index("household_id")


def _person(survey: Survey, ledger: Ledger) -> dict[str, pd.Series]:
    table, persons = ledger.tables["person"], _live(ledger, "person")
    head = _only_head(persons)
    home = table["household_id"]
    return {
        "head_age": home.map(head["age"].astype("float64")),
        "head_sex": home.map(head["sex"]).astype("str"),
        "mother_age": home.map(_mothers(persons, head)),
    }


def _mothers(persons: pd.DataFrame, head: pd.DataFrame) -> pd.Series:
    """Age of the woman of the couple by household, where there is one head and one spouse."""
    spouse = persons[(persons["relation"] == "spouse").fillna(False).to_numpy(dtype=bool)]
    spouse = spouse.drop_duplicates("household_id", keep=False).set_index("household_id")
    women = pd.concat([couple[couple["sex"] == "female"] for couple in (head, spouse)])
    women = women[women.index.isin(head.index) & women.index.isin(spouse.index)]
    return women["age"].astype("float64")[~women.index.duplicated(keep=False)]


def _household(survey: Survey, ledger: Ledger) -> dict[str, pd.Series]:
    table = ledger.tables["household"]
    out = {"line": pd.Series(survey.line.value, index=table.index)}
    if "person" not in ledger.tables:
        return out
    persons = _live(ledger, "person")
    relation, work = persons["relation"], persons["work"]
    flags = {
        "roster_spouses": relation == "spouse",
        "roster_parents": relation == "parent",
        "roster_grandparents": relation == "grandparent",
        "roster_children": relation == "child",
        "roster_children_in_law": relation == "child_in_law",
        "roster_wage_workers": work.isin(["local", "migrant"]),
        "roster_migrants": work == "migrant",
        "roster_workers": work.isin(["farm", "local", "migrant"]),
        "roster_pupils": persons["in_school"],
        "_heads": relation == "head",
        "_listed": pd.Series(True, index=persons.index),
        # Where a work or relation is missing the counts of them say nothing certain.
        "_unknown": relation.isna() | work.isna(),
    }
    frame = pd.DataFrame({n: f.fillna(False).astype("float64") for n, f in flags.items()})
    home = persons["household_id"]
    counts = frame.groupby(home).sum()
    counts["roster_oldest"] = persons["age"].astype("float64").groupby(home).max()
    counts = counts.reindex(table["household_id"]).set_axis(table.index)
    complete = (counts["_heads"] == 1) & (counts["_unknown"] == 0)
    complete &= counts["_listed"] == table["hhsize"].astype("float64")
    shown = [name for name in DERIVED["household"] if name in counts]
    return out | {name: counts[name].where(complete) for name in shown}


def _village(survey: Survey, ledger: Ledger) -> dict[str, pd.Series]:
    table, homes = ledger.tables["village"], _live(ledger, "household")
    village = homes["village_id"]
    drawn = homes.groupby(village).size()
    enough = drawn[drawn >= FEWEST].index
    out = {"drawn": table["village_id"].map(drawn)}
    for name, column in (("sample_size", "hhsize"), ("sample_power", "electricity")):
        mean = homes[column].astype("float64").groupby(village).mean().reindex(enough)
        out[name] = table["village_id"].map(mean)
    if "county" in ledger.tables:
        county = _live(ledger, "county").drop_duplicates("county_id").set_index("county_id")
        people = county["rural_population"].astype("float64")
        out["county_population"] = table["county_id"].map(people)
    return out


def _county(survey: Survey, ledger: Ledger) -> dict[str, pd.Series]:
    county = ledger.tables["county"]["county_id"]
    found: dict[str, pd.Series] = {}
    if "village" in ledger.tables:
        found |= _of_villages(survey, _live(ledger, "village"))
        found |= _of_households(survey, ledger)
    return {name: county.map(values) for name, values in found.items()}


def _of_villages(survey: Survey, villages: pd.DataFrame) -> dict[str, pd.Series]:
    by = villages["county_id"]
    number = by.groupby(by).size().astype("float64")
    design = survey.design.villages_per_county
    # A lost village is carried by the others.
    carried = (design / number).clip(lower=1.0) if design else number * 0 + 1.0
    weight = villages["w_village"]
    households = weight * villages["households"].astype("float64")
    out: dict[str, pd.Series] = {
        "sample_villages": number,
        "sample_people": villages["population"].astype("float64").groupby(by).sum(min_count=1),
        "estimated_villages": weight.groupby(by).sum(min_count=1) * carried,
        "estimated_households": households.groupby(by).sum(min_count=1) * carried,
    }
    for name, column in (("road", "hardened_road"), ("bus", "bus"), ("clinic", "clinic")):
        values = villages[column].astype("float64")
        share = values.groupby(by).mean().where(values.groupby(by).count() >= FEWEST)
        out[f"sample_{name}"] = share
    return out


def _of_households(survey: Survey, ledger: Ledger) -> dict[str, pd.Series]:
    """Weighted means a person (of income, services) and a household (of size), by county."""
    homes, villages = _live(ledger, "household"), _live(ledger, "village")
    place = villages.drop_duplicates("village_id").set_index("village_id")["county_id"]
    by = homes["village_id"].map(place)
    size = homes["hhsize"].astype("float64")
    people = homes["w_hh"] * size
    income = homes["income_total"] / size
    safe = homes["water"].isin(["tap", "deep_well"]).astype("float64")
    values = {
        "estimated_income_pc": (income, people),
        "estimated_poor": ((income < survey.line.value).astype("float64").where(income.notna()),
                           people),
        "estimated_size": (size, homes["w_hh"]),
        "estimated_water": (safe.where(homes["water"].notna()), people),
        "estimated_power": (homes["electricity"].astype("float64"), people),
    }  # fmt: skip
    out = {name: _mean(value, weight, by) for name, (value, weight) in values.items()}
    if "person" in ledger.tables:
        out |= _of_children(_live(ledger, "person"), homes.assign(county=by))
    return out


def _of_children(persons: pd.DataFrame, homes: pd.DataFrame) -> dict[str, pd.Series]:
    place = homes.drop_duplicates("household_id").set_index("household_id")
    by = persons["household_id"].map(place["county"])
    # Without a single household the map has no numbers to give, and would be text.
    weight = persons["household_id"].map(place["w_hh"]).astype("float64")
    child = persons["age"].between(7, 15).astype("float64").where(persons["age"].notna())
    enrolled = persons["in_school"].astype("float64").where(child == 1)
    return {
        "estimated_children": _mean(child, weight, by),
        "estimated_enrolment": _mean(enrolled, weight, by),
    }


def _mean(values: pd.Series, weights: pd.Series, by: pd.Series) -> pd.Series:
    """Weighted mean by county, of the values that are there; missing with too few of them."""
    weights = weights.where(values.notna())
    total = (values * weights).groupby(by).sum() / weights.groupby(by).sum()
    return total.where(values.groupby(by).count() >= 4 * FEWEST)
