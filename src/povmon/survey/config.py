"""survey.yml: what a survey is, validated key by key."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from povmon import paths
from povmon.errors import PovmonError, unknown_name
from povmon.survey.forms import FORMS
from povmon.yamls import from_yaml

WEIGHTS = ("w_hh", "w_village")
Product = Literal["audit", "indicators", "plan", "summary", "rollup", "atlas", "brief"]
FormName = Literal["county", "village", "household", "person"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Title(_Strict):
    """A text in English and Chinese."""

    en: str
    zh: str = ""


class Currency(_Strict):
    """The money unit of every amount on the household form."""

    code: str
    unit: str
    zh: str = ""


class Line(_Strict):
    """A poverty line; the first one listed is the main one."""

    id: Name
    en: str
    zh: str = ""
    value: float = Field(gt=0)
    prices: str = Field(description="price basis of the line")
    source: str


class Welfare(_Strict):
    """Which amount is held against the lines, and by which definition of income."""

    measure: Literal["income", "consumption"]
    definition: Literal["net", "disposable", "expenditure"]


class Design(_Strict):
    """The sampling design: names of accepted-record columns."""

    strata: Literal["county_id", "area"]
    psu: Literal["village_id"] = "village_id"
    weights: Literal["form", "none"]
    calibrate_to: Literal["rural_population", "none"] = "none"
    lonely: Literal["certainty", "remove", "adjust", "average"] | None = None
    villages_per_county: int | None = Field(default=None, ge=1)
    households_per_village: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _population(self) -> Design:
        if self.weights == "none" and self.calibrate_to != "none":
            raise ValueError("calibrate_to needs weights: form")
        return self


class AreaEntry(_Strict):
    """An area that the reference data do not know."""

    id: Name
    name_en: str
    name_zh: str = ""


class Column(_Strict):
    """How one column of a form is read from a submitted file.

    ``from``: name in the file. ``number_rows``: instead of a column, the row number behind this
    prefix. ``constant``: instead of a column, one value. ``transform`` comes before ``scale``.
    ``prefix`` is put before an identifier. ``codes`` maps submitted values to the form's codes.
    """

    source: str | None = Field(default=None, alias="from")
    number_rows: str | None = None
    constant: str | int | float | None = None
    transform: Literal["none", "exp"] = "none"
    scale: float = 1.0
    prefix: str = ""
    codes: dict[str, str] = Field(default_factory=dict)
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        if sum(v is not None for v in (self.source, self.number_rows, self.constant)) != 1:
            raise ValueError("give exactly one of from, number_rows, constant")
        return self


class ProportionPolicy(_Strict):
    """Widths of the Korn-Graubard interval of a proportion."""

    caution_width: float = 0.20
    unreliable_width: float = 0.30


class CvPolicy(_Strict):
    """Coefficients of variation."""

    caution: float = 0.20
    unreliable: float = 0.33


class Acceptance(_Strict):
    """Limits to the share of records with a certain error (see `povmon.audit.acceptance`).

    A submission is accepted where the interval of the share lies at or below ``accept_up_to``,
    returned where it lies above ``return_above``; a form with fewer than ``min_records`` records
    cannot decide for acceptance. ``level``: coverage of the interval.
    """

    accept_up_to: float = Field(default=0.05, ge=0, le=1)
    return_above: float = Field(default=0.15, ge=0, le=1)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    min_records: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _in_order(self) -> Acceptance:
        if self.accept_up_to > self.return_above:
            raise ValueError("accept_up_to must not be larger than return_above")
        return self


class DisclosurePolicy(_Strict):
    """Which cells of the rolled-up forms would tell about single persons or households.

    ``min_count``: counts of persons and households from 1 to one less are withheld, and numbers
    with fewer respondents behind them. ``p_percent``: so is a sum whose second largest respondent
    could compute the largest to within so many per cent.
    """

    min_count: int = Field(default=3, ge=1)
    p_percent: float = Field(default=10, ge=0, le=100)


class Policy(_Strict):
    """When an estimate is shown, shown with a warning, or suppressed; when data are accepted;
    and what is imputed.

    ``imputation``: "hotdeck" fills what is missing in accepted household and person records (a
    survey in which nothing is missing stays as it is), "none" leaves it missing, and measures
    leave those records out.
    """

    min_households: int = Field(default=30, ge=1)
    min_effective: float = Field(default=30, ge=0)
    min_villages: int = Field(default=30, ge=1)
    min_df: int = Field(default=8, ge=1)
    imputation: Literal["hotdeck", "none"] = "hotdeck"
    proportion: ProportionPolicy = ProportionPolicy()
    cv: CvPolicy = CvPolicy()
    acceptance: Acceptance = Acceptance()
    disclosure: DisclosurePolicy = DisclosurePolicy()
    sources: list[str] = Field(default_factory=list)


class Comparison(_Strict):
    """A published figure shown beside the survey's own, with the reason for a difference."""

    indicator: str
    domain_kind: str
    domain: str
    value: float
    unit: str
    source: str
    reason: str


class Survey(_Strict):
    """A survey as its survey.yml describes it."""

    survey: Name
    title: Title
    description: Title
    synthetic: bool
    year: int = Field(ge=1949, le=2100)
    currency: Currency
    lines: list[Line] = Field(min_length=1)
    welfare: Welfare
    design: Design
    delivery: Literal["area_province", "whole"]
    areas: Literal["reference"] | list[AreaEntry]
    counties: Literal["reference", "none"] = "reference"
    only_counties: list[str] = Field(default_factory=list)
    forms: list[FormName] = Field(min_length=1)
    columns: dict[FormName, dict[str, Column]] = Field(default_factory=dict)
    area_column: Column | None = None
    products: list[Product] = Field(min_length=1)
    deadline: dt.date | None = None
    previous: Name | None = None
    deadlines: dict[str, dt.date] = Field(default_factory=dict)
    policy: Policy = Policy()
    published: list[Comparison] = Field(default_factory=list)
    source: str = ""
    licence: str = ""
    seed: int | None = None

    @field_validator("deadlines", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Province ids are numbers to YAML."""
        return {str(k): day for k, day in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _coherent(self) -> Survey:
        if "household" not in self.forms:
            raise ValueError("forms must include household")
        ids = [line.id for line in self.lines]
        if len(set(ids)) != len(ids):
            raise ValueError("two lines have the same id")
        if self.delivery == "whole" and self.area_column is None:
            raise ValueError("delivery: whole needs area_column")
        return self

    @property
    def area_ids(self) -> list[str]:
        """Identifiers of the survey's areas, in order."""
        return list(self.area_names)

    @property
    def area_names(self) -> dict[str, tuple[str, str]]:
        """Area id -> (English name, Chinese name)."""
        if self.areas != "reference":
            return {a.id: (a.name_en, a.name_zh) for a in self.areas}
        from povmon import reference

        areas = reference.areas()
        if self.only_counties:
            counties = reference.counties()
            present = counties.loc[counties["county_id"].isin(self.only_counties), "area_id"]
            areas = areas[areas["area_id"].isin(present)]
        names = zip(areas["name_en"], areas["name_zh"], strict=True)
        return dict(zip(areas["area_id"], names, strict=True))

    def check_area(self, area: str) -> str:
        """Return `area` if the survey has it; otherwise an error that lists the valid ones."""
        if area not in self.area_names:
            raise unknown_name("area", area, self.area_names, where=f"survey {self.survey}")
        return area

    def due(self, area: str, province: str = "") -> dt.date | None:
        """Day by which a province's submission for an area is due; None when there is none.

        ``deadlines`` may name an area and province ("wumeng/52"), a province or an area; the
        narrowest one counts, then ``deadline``.
        """
        for key in (f"{area}/{province}", province, area):
            if key in self.deadlines:
                return self.deadlines[key]
        return self.deadline

    def required_fields(self, form: str) -> list[str]:
        """Fields of a form that a file must have; a survey without weights needs none of those."""
        absent = WEIGHTS if self.design.weights == "none" else ()
        return [f.name for f in FORMS[form].fields if f.required and f.name not in absent]

    @property
    def line(self) -> Line:
        """The main poverty line."""
        return self.lines[0]


def load_survey(name: str) -> Survey:
    """Read and validate ``data/raw/<name>/survey.yml``.

    Raises
    ------
    PovmonError : no such survey, or a key that is unknown, missing or wrong (named, with the
        permitted values).
    """
    path = paths.raw(name) / "survey.yml"
    if not path.is_file():
        raise unknown_name("survey", name, paths.surveys())
    place = str(path.relative_to(paths.root()))
    try:
        content: Any = from_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}, line {mark.line + 1}" if mark else place
        problem = getattr(error, "problem", None) or "it is not UTF-8"
        raise PovmonError(
            f"not readable as YAML ({problem})", where=where, todo="correct the file's syntax"
        ) from error
    try:
        survey = Survey.model_validate(content)
    except ValidationError as error:
        raise _explain(error, place) from error
    _check_columns(survey, place)
    if survey.survey != name:
        raise PovmonError(
            f"is {survey.survey!r} but the folder is called {name!r}",
            where=f"{place}, key survey",
            todo="give both the same name",
        )
    return survey


def _check_columns(survey: Survey, place: str) -> None:
    """Mapped columns are fields of their form, none that is required is missing, areas exist."""
    for form, mapping in survey.columns.items():
        known = FORMS[form].columns
        for name in mapping:
            if name not in known:
                where = f"{place}, key columns.{form}.{name}"
                raise unknown_name("field", name, known, where=where)
        missing = [name for name in survey.required_fields(form) if name not in mapping]
        if missing:
            raise PovmonError(
                f"the required field {', '.join(map(repr, missing))} is not mapped",
                where=f"{place}, key columns.{form}",
                todo="map a column of the file to it, or give constant or number_rows",
            )
    for key in survey.deadlines:
        area, _, province = key.rpartition("/")
        valid = [*survey.area_names, *_provinces(survey)]
        for name in (area, province) if area else (province,):
            if name not in valid:
                where = f"{place}, key deadlines.{key}"
                raise unknown_name("area or province", name, valid, where=where)
    for value, area in (survey.area_column.codes if survey.area_column else {}).items():
        if area not in survey.area_names:
            where = f"{place}, key area_column.codes.{value}"
            raise unknown_name("area", area, survey.area_names, where=where)


def _provinces(survey: Survey) -> list[str]:
    """Ids of the provinces that the survey's counties lie in."""
    if survey.counties == "none":
        return []
    from povmon import reference

    return sorted(reference.counties()["province_id"].astype("str").unique())


def _explain(error: ValidationError, place: str) -> PovmonError:
    """One paragraph for the first of pydantic's complaints, and the number of the others."""
    # An unknown key first: it is most often the misspelt form of one that is missing.
    faults = sorted(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    first, *others = faults
    key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
    kind = first["type"]
    more = f" ({len(others)} more after this one)" if others else ""
    where = f"{place}, key {key}"
    if kind == "extra_forbidden":
        valid = ", ".join(_valid_keys(first["loc"]))
        return PovmonError(f"unknown key{more}", where=where, todo=f"valid keys here: {valid}")
    if kind == "missing":
        return PovmonError(f"missing key{more}", where=where, todo="add it")
    what = str(first["msg"]).removeprefix("Value error, ")
    found = first.get("input")
    if isinstance(found, dict):
        return PovmonError(f"{what}{more}", where=where, todo="correct it")
    todo = "correct the value"
    if isinstance(found, bool):
        todo = 'correct the value; YAML reads yes, no, on and off as true and false: quote "yes"'
    return PovmonError(f"{what}, found {found!r:.80}{more}", where=where, todo=todo)


def _valid_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys that are valid where `location` points, by walking the model's own annotations."""
    model: type[BaseModel] | None = Survey
    for part in location[:-1]:
        if model is not None and isinstance(part, str) and part in model.model_fields:
            model = _model_inside(model.model_fields[part].annotation)
    return [] if model is None else [f.alias or n for n, f in model.model_fields.items()]


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    """The model class named by an annotation such as ``list[Line]`` or ``Column | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _model_inside(argument)
        if found is not None:
            return found
    return None
