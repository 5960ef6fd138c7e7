"""A whole synthetic survey without errors: the four forms, clean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.survey import FORMS, Survey
from povmon.synthetic import access, people
from povmon.synthetic import income as money
from povmon.synthetic.assumptions import load
from povmon.synthetic.county import county_form
from povmon.synthetic.frame import (
    add_villages,
    county_frame,
    describe_villages,
    draw_villages,
    survey_counties,
)
from povmon.synthetic.rosters import draw_rosters
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import standardise


@dataclass(frozen=True)
class Clean:
    """The four forms without errors, each with `area` and `province_id` beside its fields."""

    forms: dict[str, pd.DataFrame]


def build(survey: Survey, seed: int) -> Clean:
    """Draw the sample and give it incomes, rosters and services, calibrated to the targets.

    Parameters
    ----------
    survey : a survey with villages_per_county and households_per_village.
    seed : its seed.
    """
    streams = Streams(seed)
    per_county = survey.design.villages_per_county or 8
    per_village = survey.design.households_per_village or 10
    frame = county_frame(streams)
    counties = survey_counties(survey, frame)
    county = np.repeat(np.arange(len(counties)), per_county * per_village)
    persons = draw_rosters(counties["area"].to_numpy()[county], streams)
    hhsize = np.bincount(persons["household"], minlength=len(county))
    by_area = pd.Series(hhsize).groupby(counties["area"].to_numpy()[county]).mean()
    counties = add_villages(counties, counties["area"].map(by_area).to_numpy(), streams)
    villages = draw_villages(counties, per_county, streams)
    villages = describe_villages(villages, counties, streams)
    households = _households(villages, counties, hhsize, per_village)
    forms = _fill(survey, counties, villages, households, persons, streams)
    return Clean({name: _finish(forms[name], name, counties) for name in survey.forms})


def _households(
    villages: pd.DataFrame, counties: pd.DataFrame, hhsize: np.ndarray, per_village: int
) -> pd.DataFrame:
    """The drawn households with their weights.

    w_hh = w_village * households of the village / households drawn, scaled within the county so
    that the sum of w_hh * hhsize is the rural registered population.
    """
    village = np.repeat(np.arange(len(villages)), per_village)
    county = villages["county"].to_numpy()[village]
    raw = (villages["w_village"] * villages["households"]).to_numpy()[village] / per_village
    sums = np.bincount(county, weights=raw * hhsize)
    weight = raw * (counties["rural_population"].to_numpy() / sums)[county]
    within = np.tile(np.arange(1, per_village + 1), len(villages))
    ids = villages["village_id"].to_numpy()[village]
    chosen = counties.loc[:, ["area", "province_id", "key", "flagged", "county_term"]]
    return (
        chosen.iloc[county]
        .reset_index(drop=True)
        .assign(
            county=county,
            village=village,
            village_id=ids,
            household_id=[f"{v}{k:02d}" for v, k in zip(ids, within, strict=True)],
            village_term=villages["village_term"].to_numpy()[village],
            hhsize=hhsize,
            w_hh=weight,
            w_person=weight * hhsize,
        )
    )


def _fill(
    survey: Survey,
    counties: pd.DataFrame,
    villages: pd.DataFrame,
    households: pd.DataFrame,
    persons: pd.DataFrame,
    streams: Streams,
) -> dict[str, pd.DataFrame]:
    """Everything that is asked, in the order in which one thing depends on another."""
    people.add_schooling(persons, households, streams)
    people.add_work(persons, households, streams)
    people.add_ethnicity(persons, households, streams)
    people.add_health(persons, streams)
    households = _composition(households, persons)
    households = money.add_income(households, streams, whole=not survey.only_counties)
    villages = _with_hardship(villages, counties, households, streams)
    households = households.assign(
        hardship=villages["hardship"].to_numpy()[households["village"].to_numpy()]
    )
    people.add_children_in_school(persons, households, streams)
    people.add_services(persons, households, streams)
    parts = money.income_parts(households, streams)
    total = parts["income_total"]
    households = households.assign(**parts, **money.consumption(households, total, streams))
    households = households.assign(debt=money.debt(households, total, streams))
    households = households.assign(**access.household_access(households, streams))
    poor = (total / households["hhsize"] < load()["poverty_line"]).to_numpy()
    cause = access.cause_of_poverty(households, poor, persons, streams)
    households = households.assign(cause=cause, year=survey.year)
    households = households.assign(**_interviews(households, streams))
    villages = villages.assign(**access.village_services(villages, streams), year=survey.year)
    persons = persons.assign(
        year=survey.year,
        household_id=households["household_id"].to_numpy()[persons["household"].to_numpy()],
    )
    forms = {"village": villages, "household": households, "person": persons}
    return forms | {"county": county_form(counties, forms, survey.year, streams)}


def _interviews(households: pd.DataFrame, streams: Streams) -> dict[str, np.ndarray]:
    """Who interviewed (each two villages of a county), and for how many minutes (declared)."""
    village = households["village_id"].str[6:].astype(int).to_numpy()
    county = households["village_id"].str[:6].to_numpy(dtype=object)
    who = [f"{c}-{(v + 1) // 2:02d}" for c, v in zip(county, village, strict=True)]
    usual = 35 + 7 * households["hhsize"].to_numpy()
    minutes = usual * np.exp(0.22 * streams.normal("interview.minutes", len(households)))
    return {"interviewer": np.array(who, dtype=object), "minutes": np.rint(minutes).astype(int)}


def _composition(households: pd.DataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """What the roster says about the household: dependants, workers, schooling, head."""
    row, age = persons["household"].to_numpy(), persons["age"].to_numpy()

    def count(flag: np.ndarray | pd.Series) -> np.ndarray:
        return np.bincount(row, weights=np.asarray(flag), minlength=len(households))

    best = np.zeros(len(households))
    adult = (age >= 16) & ~persons["in_school"].to_numpy()
    np.maximum.at(best, row[adult], persons["schooling"].to_numpy()[adult])
    head = persons[persons["line"] == 1]
    work = persons["work"]
    return households.assign(
        dependency=count((age < 16) | (age >= 65)) / households["hhsize"],
        best_school=best,
        adults=count(age >= 16),
        elders=count(age >= 60),
        migrants=count(work == "migrant"),
        local_workers=count(work == "local"),
        farmers=count(work == "farm"),
        head_sex=head["sex"].to_numpy(),
        head_age=head["age"].to_numpy(),
    )


def _with_hardship(
    villages: pd.DataFrame, counties: pd.DataFrame, households: pd.DataFrame, streams: Streams
) -> pd.DataFrame:
    """Villages with area, flag, mean log income of the sample, hardship and population."""
    row, village = villages["county"].to_numpy(), households["village"].to_numpy()
    number = np.bincount(village)
    size = np.bincount(village, weights=households["hhsize"]) / number
    area_size = households.groupby("area")["hhsize"].mean()
    usual = counties["area"].map(area_size).to_numpy()[row]
    income = np.bincount(village, weights=households["well_being"]) / number
    villages = villages.assign(
        area=counties["area"].to_numpy()[row],
        province_id=counties["province_id"].to_numpy()[row],
        flagged=counties["flagged"].to_numpy()[row],
        village_income=standardise(income),
        population=np.rint(villages["households"] * (0.3 * size + 0.7 * usual)).astype(np.int64),
    )
    return villages.assign(hardship=access.hardship(villages, streams))


def _finish(frame: pd.DataFrame, name: str, counties: pd.DataFrame) -> pd.DataFrame:
    """The form's columns in their order and types, with area and province."""
    form = FORMS[name]
    out = pd.DataFrame(index=frame.index)
    for field in form.fields:
        column = frame[field.name]
        if field.dtype in ("id", "code"):
            out[field.name] = column.astype("str")
        elif field.dtype == "integer":
            out[field.name] = column.astype("Int64")
        elif field.dtype == "boolean":
            out[field.name] = column.astype("boolean")
        else:
            out[field.name] = column.astype("float64")
    county_id = out[form.key[0]].str.slice(0, 6)
    place = counties.set_index("county_id")
    out["area"] = county_id.map(place["area"]).astype("str")
    out["province_id"] = county_id.str.slice(0, 2)
    return out
