"""From accepted records to the frames that indicators are estimated from.

Each frame has one row a unit, the design's columns, the domains' columns and the derived columns
that the catalogue's indicators name in ``needs``. A derived column exists only where the survey
asked for what it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.indicators import imputation
from povmon.indicators.imputation import Imputation
from povmon.indicators.multidimensional import deprivations
from povmon.survey import FORMS, Survey

SIZE_GROUPS = ((1, 2, "1-2"), (3, 4, "3-4"), (5, 6, "5-6"), (7, 99, "7+"))
AGE_GROUPS = ((0, 6, "0-6"), (7, 15, "7-15"), (16, 59, "16-59"), (60, 199, "60+"))
SAFE_WATER = ("tap", "deep_well")
SANITARY = ("flush", "sanitary_dry")
NATURAL = ("nv_road", "nv_electricity", "nv_telephone", "nv_cable_tv", "nv_broadband")
VILLAGE_FLAGS = ("hardened_road", "bus", "clinic", "kindergarten", "primary_school")


@dataclass(frozen=True)
class Frames:
    """The frames of one area, or of several together; and what in them was imputed.

    `records`: the accepted records by form, as the frames are derived from them.
    """

    household: pd.DataFrame
    person: pd.DataFrame | None
    village: pd.DataFrame | None
    county: pd.DataFrame | None
    records: Mapping[str, pd.DataFrame]
    imputation: Imputation | None = None


def asked(survey: Survey, form: str) -> list[str]:
    """Fields of a form that the survey has: all of them, or those that its columns map."""
    if form not in survey.forms:
        return []
    mapping = survey.columns.get(form)  # type: ignore[call-overload]
    return list(mapping) if mapping else FORMS[form].columns


def load(survey: Survey, areas: Sequence[str]) -> Frames:
    """Read the accepted records of `areas` and derive the frames.

    Raises
    ------
    PovmonError : an area has not been audited yet, or has no accepted household.
    """
    frames = derive(survey, areas, {form: _read(survey, areas, form) for form in survey.forms})
    tables = {a: (_table(survey, a, "imputed"), _table(survey, a, "donors")) for a in areas}
    return replace(frames, imputation=imputation.read(survey, frames.household, tables))


def derive(survey: Survey, areas: Sequence[str], accepted: Mapping[str, pd.DataFrame]) -> Frames:
    """The frames of accepted records (form -> records of all `areas`).

    Raises
    ------
    PovmonError : there is no household.
    """
    records: dict[str, pd.DataFrame] = {
        form: _asked_only(survey, form, accepted[form]) for form in survey.forms
    }
    if records["household"].empty:
        raise PovmonError(
            f"no accepted household in {', '.join(areas)}",
            where=f"survey {survey.survey}",
            todo="see the audit report for the reasons",
        )
    villages = records.get("village")
    return Frames(
        household=household_frame(survey, records),
        person=records.get("person"),
        village=_villages(villages) if villages is not None else None,
        county=_counties(records["county"]) if "county" in records else None,
        records=records,
    )


def _read(survey: Survey, areas: Sequence[str], form: str) -> pd.DataFrame:
    return pd.concat([_table(survey, area, form) for area in areas], ignore_index=True)


def _table(survey: Survey, area: str, name: str) -> pd.DataFrame:
    path = paths.processed(survey.survey, area) / f"{name}.parquet"
    if not path.is_file():
        raise PovmonError(
            f"area {area} has no accepted {name} records",
            where=f"survey {survey.survey}",
            todo=f"run make SURVEY={survey.survey} AREA={area} first",
        )
    return pd.read_parquet(path)


def _asked_only(survey: Survey, form: str, accepted: pd.DataFrame) -> pd.DataFrame:
    """Without the form's fields that the survey does not have, and with the key counties."""
    not_asked = set(FORMS[form].columns) - set(asked(survey, form))
    return _with_places(accepted.drop(columns=[c for c in accepted if c in not_asked]))


def _with_places(frame: pd.DataFrame) -> pd.DataFrame:
    """Add whether the county is a key county."""
    key = reference.counties().set_index("county_id")["key_county"]
    frame["key_county"] = frame["county_id"].map(key)
    return frame


def numeric(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """A column as float64, yes 1.0 and no 0.0, missing NaN."""
    values = frame[name].to_numpy(dtype="float64", na_value=np.nan, copy=True)
    return pd.Series(values, index=frame.index, name=name, copy=False)


def _known(values: pd.Series[Any]) -> pd.Series[Any]:
    """1.0 where a value is known, NaN elsewhere: the denominator of a share."""
    return pd.Series(np.where(values.notna(), 1.0, np.nan), index=values.index)


def _grouped(values: pd.Series[Any], groups: tuple[tuple[int, int, str], ...]) -> pd.Series[Any]:
    out: pd.Series[Any] = pd.Series(None, index=values.index, dtype="object")
    for low, high, label in groups:
        out[values.between(low, high).fillna(False)] = label
    return out


def household_frame(survey: Survey, records: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The household form's records (form -> records) with all derived columns."""
    h = records["household"].copy()
    persons, villages = records.get("person"), records.get("village")
    size = numeric(h, "hhsize")
    for source, name in (
        ("income_total", "income_pc"),
        ("consumption_total", "consumption_pc"),
        ("consumption_food", "food_pc"),
        ("consumption_clothing", "clothing_pc"),
    ):
        if source in h:
            h[name] = numeric(h, source) / size
    measure = f"{survey.welfare.measure}_pc"
    if measure not in h:
        raise PovmonError(
            f"welfare.measure is {survey.welfare.measure!r} but the survey has no such total",
            where=f"survey {survey.survey}, survey.yml",
            todo="map the column or change the key",
        )
    h["welfare"] = h[measure]
    h["poor"] = (h["welfare"] < survey.line.value).astype("float64").where(h["welfare"].notna())
    h["household_size"] = _grouped(size, SIZE_GROUPS)
    _dwelling(h, size)
    if persons is not None:
        h = h.join(_roster(persons), on="household_id")
    if villages is not None:
        roads = villages.set_index("village_id")["hardened_road"]
        h["hardened_road"] = h["village_id"].map(roads.astype("Float64").astype("float64"))
    if persons is not None and villages is not None:
        h = h.join(deprivations(h, survey.line.value))
    return h


def _dwelling(h: pd.DataFrame, size: pd.Series[Any]) -> None:
    """Access items of the household form, each with its denominator."""
    h["one"] = 1.0
    if "water" in h:
        h["water_safe"] = h["water"].isin(SAFE_WATER).astype("float64").where(h["water"].notna())
        h["one"] = _known(h["water"])
    if "toilet" in h:
        known = h["toilet"].notna()
        h["sanitary_toilet"] = h["toilet"].isin(SANITARY).astype("float64").where(known)
        h["one_toilet"] = _known(h["toilet"])
    for name in ("water_difficulty", "electricity", "dangerous"):
        if name in h:
            h[name] = numeric(h, name)
            h[f"one_{name}"] = _known(h[name])
    if "dwelling_area" in h:
        h["dwelling_area"] = numeric(h, "dwelling_area")
        h["members_dwelling"] = size.where(h["dwelling_area"].notna())
    if "debt" in h:
        h["in_debt"] = (h["debt"] > 0).astype("float64").where(h["debt"].notna())
        h["one_debt"] = _known(h["debt"])


def _roster(persons: pd.DataFrame) -> pd.DataFrame:
    """Counts of a household's members by what they have, one row a household."""
    p = persons
    age = numeric(p, "age")
    child, young = age.between(7, 15), age.between(15, 50)
    school, literate = numeric(p, "in_school"), numeric(p, "literate")
    insured, care = numeric(p, "insured"), numeric(p, "timely_care")
    pension, away = numeric(p, "pension"), numeric(p, "months_away")
    ill = p["health"].notna() & p["health"].ne("good") & care.notna()
    old = age.ge(60) & pension.notna()
    columns = {
        "children_7_15": child & school.notna(),
        "enrolled_7_15": child & school.eq(1),
        "adults_15_50": young & literate.notna(),
        "illiterate_15_50": young & literate.eq(0),
        "ill": ill,
        "cared": ill & care.eq(1),
        "uncared": ill & care.eq(0),
        "persons_60": old,
        "pension_60": old & pension.eq(1),
        "persons_away": away.notna(),
        "away_six": away.ge(6),
    }
    code, homes = pd.factorize(p["household_id"])
    counts = {name: np.bincount(code, flags, len(homes)) for name, flags in columns.items()}
    out = pd.DataFrame(counts, index=pd.Index(homes, name="household_id"))
    # A member whose insurance is not known leaves the household's unknown, unless another has none.
    without, unknown = (
        np.bincount(code, flags, len(homes)) for flags in (insured.eq(0), insured.isna())
    )
    out["all_insured"] = np.where(without > 0, 0.0, np.where(unknown > 0, np.nan, 1.0))
    out["one_insured"] = _known(out["all_insured"])
    adult = age.ge(16)
    schooling = numeric(p, "schooling").where(adult).to_numpy()
    most = np.full(len(homes), np.nan)
    np.fmax.at(most, code, schooling)
    # A household without adults has nobody to have finished school.
    out["most_schooling"] = np.where(np.bincount(code, adult, len(homes)) > 0, most, 0.0)
    return out


def person_groups(persons: pd.DataFrame, household: pd.DataFrame, kind: str) -> pd.DataFrame:
    """One row a household and group of its members (``sex``, ``age_group`` or ``ethnicity``).

    Persons of one household share what the household has, so a row stands for its members of
    that group: the weight is w_hh times their number. ``n`` then counts households. Members
    whose group is not known keep their row, in no domain.
    """
    group = _grouped(numeric(persons, "age"), AGE_GROUPS) if kind == "age_group" else persons[kind]
    of_home, _ = pd.factorize(persons["household_id"])
    of_group, names = pd.factorize(group)
    code, pairs = pd.factorize(of_home * (len(names) + 1) + of_group + 1)
    first = np.empty(len(pairs), dtype=np.int64)
    first[code[::-1]] = np.arange(len(code) - 1, -1, -1)
    groups = pd.DataFrame({
        "household_id": persons["household_id"].take(first).array,
        kind: group.take(first).array,
        "members": np.bincount(code),
    })  # fmt: skip
    home = pd.Index(household["household_id"]).get_indexer(groups["household_id"])
    shared = household.drop(columns="household_id").take(home[home >= 0]).reset_index(drop=True)
    rows = pd.concat([groups[home >= 0].reset_index(drop=True), shared], axis=1)
    rows["w_person"] = rows["w_hh"] * rows["members"]
    return rows


def _villages(records: pd.DataFrame) -> pd.DataFrame:
    v = records.copy()
    for name in VILLAGE_FLAGS:
        if name in v:
            v[name] = numeric(v, name)
            v[f"one_{name}"] = _known(v[name])
    for name in ("natural_villages", *NATURAL):
        if name in v:
            v[name] = numeric(v, name)
    return v


def _counties(records: pd.DataFrame) -> pd.DataFrame:
    c = records.copy()
    for f in FORMS["county"].fields:
        if f.dtype in ("integer", "number") and f.name in c:
            c[f.name] = numeric(c, f.name)
    if {"rural_income_pc", "rural_population"} <= set(c):
        c["rural_income_total"] = c["rural_income_pc"] * c["rural_population"]
    if "gdp" in c:
        c["gdp_yuan"] = c["gdp"] * 10_000
    funds = ["funds_central", "funds_provincial", "funds_other"]
    if set(funds) <= set(c):
        c["funds"] = c[funds].sum(axis=1, min_count=3)
    c["one_weight"] = 1.0
    return c
