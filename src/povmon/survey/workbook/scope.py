"""For whom a form workbook is: the survey, area and province, with their names and counties."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from povmon import reference
from povmon.errors import PovmonError
from povmon.survey.config import Survey
from povmon.survey.fields import Field, Form
from povmon.survey.forms import FORMS
from povmon.survey.frame import sampled_villages, survey_counties


@dataclass(frozen=True)
class Scope:
    """What one workbook covers.

    Parameters
    ----------
    survey : the survey.
    area : area id; "" for a survey that is delivered whole.
    province : province id (two digits); "" where the area is not made of counties.
    area_name, province_name : names in English and Chinese, each may be empty.
    counties : county_id, en, zh of the counties whose forms are filled in; may be empty.
    villages : village_id, county_id, w_village (float, may be missing) of the sampled villages of
        those counties; empty where the survey has no list of them.
    """

    survey: Survey
    area: str
    province: str
    area_name: tuple[str, str]
    province_name: tuple[str, str]
    counties: pd.DataFrame
    villages: pd.DataFrame

    @property
    def form_id(self) -> str:
        """The workbook's name among all that are sent out, e.g. ``povmon/demo/wumeng/51``."""
        parts = ("povmon", self.survey.survey, self.area, self.province)
        return "/".join(part for part in parts if part)

    @property
    def forms(self) -> list[Form]:
        """The forms in the workbook, with the fields' units and duties as the survey has them."""
        return [own_form(self.survey, name) for name in fillable_forms(self.survey)]


def fillable_forms(survey: Survey) -> list[str]:
    """Forms that can be filled in: those whose columns survey.yml does not map from other files."""
    return [name for name in FORMS if name in survey.forms and name not in survey.columns]


def scopes(survey: Survey, area: str = "") -> list[Scope]:
    """The workbooks of a survey: one an area and province, or one for a survey delivered whole.

    Parameters
    ----------
    survey : the survey.
    area : only this area; "" for all.

    Raises
    ------
    PovmonError : the survey has no such area, or is delivered whole, so that an area has no
        workbook of its own; its list of villages is wrong.
    """
    if area:
        survey.check_area(area)
    if survey.delivery == "whole":
        if area:
            raise PovmonError(
                f"the area {area!r} has no workbook of its own",
                where=f"survey {survey.survey}, delivery: whole",
                todo="leave AREA out: one workbook covers the whole survey",
            )
        return [_scope(survey, "", "", survey_counties(survey))]
    found = []
    for name in [area] if area else survey.area_ids:
        counties = survey_counties(survey, name)
        for province in sorted(counties["province_id"].unique()) or [""]:
            own = counties[counties["province_id"] == province]
            found.append(_scope(survey, name, province, own))
    return found


def _scope(survey: Survey, area: str, province: str, counties: pd.DataFrame) -> Scope:
    known = reference.counties() if len(counties) else reference.counties().head(0)
    named = known[known["county_id"].isin(counties["county_id"])].sort_values("county_id")
    place = named[named["province_id"] == province].head(1)
    province_name = ("", "")
    if len(place):
        province_name = (str(place["province_en"].iloc[0]), str(place["province_zh"].iloc[0]))
    return Scope(
        survey,
        area,
        province,
        survey.area_names.get(area, ("", "")),
        province_name,
        pd.DataFrame(
            {"county_id": named["county_id"], "en": named["county_en"], "zh": named["county_zh"]}
        ).reset_index(drop=True),
        sampled_villages(survey, set(counties["county_id"])),
    )


def own_form(survey: Survey, name: str) -> Form:
    """A form as one survey has it: its money unit and year, what it requires, its area column."""
    form, required = FORMS[name], survey.required_fields(name)
    fields = [replace(f, required=f.name in required, unit=_unit(survey, f)) for f in form.fields]
    fields = [
        replace(f, minimum=survey.year, maximum=survey.year) if f.name == "year" else f
        for f in fields
    ]
    column = survey.area_column
    if column is not None and column.source:
        names = survey.area_names
        codes = column.codes or {area: area for area in survey.area_ids}
        labels = {code: names[area] for code, area in codes.items()}
        fields.insert(0, Field(column.source, "code", "Area", "片区", codes=labels, required=True))
    return replace(form, fields=tuple(fields))


def _unit(survey: Survey, field: Field) -> str:
    return survey.currency.unit if field.unit == "money" else field.unit
