"""What the reader calls things: indicators and domains by name, flags in words.

Labels of indicators come from the catalogue, labels of codes from the forms, and names of areas
and counties from survey.yml and the reference data; none is typed anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import pandas as pd

from povmon.errors import PovmonError, unknown_name

FLAGS = {
    "": "",
    "caution": "use with caution",
    "unreliable": "unreliable",
    "suppressed": "not shown",
}
KINDS = {
    "all": "whole survey",
    "area": "area",
    "county": "county",
    "prefecture": "prefecture",
    "province": "province",
    "key_county": "key county",
    "sex": "sex",
    "age_group": "age group",
    "ethnicity": "ethnicity",
    "head_sex": "sex of the household head",
    "household_size": "household size",
}
_KEY_COUNTY = {
    "key": "Key counties",
    "other": "Other counties",
    "unknown": "Counties whose status is not determined",
}


@dataclass(frozen=True)
class Label:
    """Names and unit of an indicator."""

    en: str
    zh: str
    unit: str
    population: str
    good: str


def indicator(name: str, survey: str = "") -> Label:
    """Label of an indicator id; ``headcount@food`` is the headcount at the line ``food``.

    Raises
    ------
    PovmonError : the catalogue has no such indicator.
    """
    from povmon.indicators.catalogue import CATALOGUE

    base, _, line = name.partition("@")
    if base not in CATALOGUE:
        raise unknown_name("indicator", name, CATALOGUE, where="povmon.indicators.catalogue")
    entry = CATALOGUE[base]
    suffix = f" ({_line_name(line, survey)})" if line else ""
    return Label(
        entry.en + suffix,
        entry.zh,
        str(entry.unit),
        str(getattr(entry, "population", "")),
        str(getattr(entry, "good", "")),
    )


def _line_name(line: str, survey: str) -> str:
    found = _survey(survey)
    for entry in found.lines if found else ():
        if entry.id == line:
            return f"{entry.en[:1].lower()}{entry.en[1:]}"
    return f"line {line}"


@cache
def _load(survey: str, root: str) -> object:
    from povmon.survey import load_survey

    return load_survey(survey)


def _survey(survey: str):  # type: ignore[no-untyped-def]  # a Survey, or None when none is named
    from povmon import paths

    return _load(survey, str(paths.root())) if survey else None


def survey_of(estimates: pd.DataFrame) -> str:
    """The one survey of an estimates table; empty when the table does not say."""
    if "survey" not in estimates.columns or estimates.empty:
        return ""
    names = estimates["survey"].unique()
    if len(names) != 1:
        raise PovmonError(
            "the estimates of several surveys stand in one table",
            where=f"surveys: {', '.join(map(str, names))}",
            todo="show one survey at a time",
        )
    return str(names[0])


def money_unit(survey: str) -> str:
    """The money unit of a survey; "money" when none is named."""
    found = _survey(survey)
    return str(found.currency.unit) if found is not None else "money"


def _pair(en: str, zh: str) -> str:
    return f"{en} {zh}".strip()


def domain_names(kind: str, survey: str = "") -> dict[str, str]:
    """Domain id -> name shown (romanised with Chinese beside it), for a kind of domain.

    Kinds without a list of names (age groups, household sizes) give an empty dict; `domain`
    then writes the id itself out.
    """
    makers: dict[str, Callable[[], Mapping[str, str]]] = {
        "all": lambda: {"all": whole(survey)},
        "area": lambda: _areas(survey),
        "county": _counties,
        "province": lambda: _from_counties("province_id", "province"),
        "prefecture": lambda: _from_counties("prefecture_zh", "prefecture"),
        "key_county": lambda: _KEY_COUNTY,
        "sex": lambda: _codes("person", "sex"),
        "ethnicity": lambda: _codes("person", "ethnicity"),
        "head_sex": lambda: _codes("household", "head_sex"),
    }
    return dict(makers[kind]()) if kind in makers else {}


def whole(survey: str) -> str:
    """What all areas together are called: never "national", because they are not."""
    found = _survey(survey)
    if found is None or found.areas != "reference":
        return "the whole sample"
    return f"the {len(found.area_ids)} areas combined"


def _areas(survey: str) -> dict[str, str]:
    found = _survey(survey)
    if found is not None:
        return {area: _pair(*names) for area, names in found.area_names.items()}
    from povmon import reference

    frame = reference.areas()
    names = zip(frame["area_id"], frame["name_en"], frame["name_zh"], strict=True)
    return {area: _pair(en, zh) for area, en, zh in names}


@cache
def _counties() -> dict[str, str]:
    from povmon import reference

    frame = reference.counties()
    names = zip(frame["county_id"], frame["county_short_en"], frame["county_zh"], strict=True)
    return {county: _pair(en, zh) for county, en, zh in names}


@cache
def _from_counties(key: str, stem: str) -> dict[str, str]:
    from povmon import reference

    frame = reference.counties().drop_duplicates(key)
    names = zip(frame[key], frame[f"{stem}_en"], frame[f"{stem}_zh"], strict=True)
    return {name: _pair(en, zh) for name, en, zh in names}


def _codes(form: str, field: str) -> dict[str, str]:
    from povmon.survey.forms import FORMS

    return {code: en for code, (en, _) in FORMS[form][field].codes.items()}


def domain(name: str, names: Mapping[str, str]) -> str:
    """The shown name of a domain; an id without one is written out."""
    return names.get(name) or str(name).replace("_", " ")


def flag(name: object) -> str:
    """A publication flag in words."""
    return FLAGS.get(str(name), str(name))
