"""What the pipeline must know of a survey, remembered so that a second `make` reads no survey.

Reading survey.yml properly needs pydantic and pandas, which take longer to import than all the
rest of a run that has nothing to do. The facts are kept under the contents of every file and
module they come from.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from povmon import paths
from povmon.errors import unknown_name
from povmon.pipeline import closure
from povmon.pipeline.files import Hashes, digest, files_below, label, read_json, write_json

_MODULES = ("povmon.survey.config", "povmon.planning.liaison", "povmon.pipeline.facts")


@dataclass(frozen=True)
class Facts:
    """The part of a survey that decides which tasks there are.

    Attributes
    ----------
    mapped : whether its counties have boundaries.
    areas : area id -> (English name, Chinese name), in the survey's order.
    units : liaison unit id -> (English name, Chinese name, its areas in this survey).
    """

    survey: str
    title: str
    title_zh: str
    synthetic: bool
    delivery: str
    forms: tuple[str, ...]
    products: tuple[str, ...]
    mapped: bool
    areas: dict[str, tuple[str, str]]
    units: dict[str, tuple[str, str, list[str]]]


def facts(survey: str, hashes: Hashes) -> Facts:
    """Facts of a survey, validated.

    Raises
    ------
    PovmonError : no such survey (the valid ones are listed), or a wrong survey.yml.
    """
    path = paths.raw(survey) / "survey.yml"
    if not path.is_file():
        raise unknown_name("survey", survey, paths.surveys())
    store = state_folder() / survey / "facts.json"
    key = _key(path, hashes)
    known = read_json(store)
    if not isinstance(known, dict) or known.get("key") != key:
        known = {"key": key, "facts": _stored(_read(survey))}
        write_json(store, known)
    return _rebuilt(known["facts"])


def state_folder() -> Path:
    """Where the pipeline keeps what it knows; never published."""
    return paths.root() / "data" / "processed" / ".state"


def _key(path: Path, hashes: Hashes) -> str:
    sources = [path, *files_below(paths.reference()), *files_below(paths.planning())]
    data = {label(p): hashes.of(p) for p in sources}
    return digest([data, closure.source_parts(_MODULES, hashes)])


def _stored(made: Facts) -> dict[str, Any]:
    """The facts as JSON keeps them: pairs, since its keys are sorted and the order counts."""
    content = asdict(made)
    return content | {name: list(content[name].items()) for name in ("areas", "units")}


def _rebuilt(content: dict[str, Any]) -> Facts:
    """The inverse of `_stored`."""
    content = dict(content)
    for name in ("forms", "products"):
        content[name] = tuple(content[name])
    content["areas"] = {k: (v[0], v[1]) for k, v in content["areas"]}
    content["units"] = {k: (v[0], v[1], list(v[2])) for k, v in content["units"]}
    return Facts(**content)


def _read(name: str) -> Facts:
    from povmon.survey import load_survey

    survey = load_survey(name)
    return Facts(
        survey=name,
        title=survey.title.en,
        title_zh=survey.title.zh,
        synthetic=survey.synthetic,
        delivery=survey.delivery,
        forms=tuple(survey.forms),
        products=tuple(survey.products),
        mapped=survey.counties == "reference",
        areas=dict(survey.area_names),
        units=_units(survey.area_ids) if "brief" in survey.products else {},
    )


def _units(areas: list[str]) -> dict[str, tuple[str, str, list[str]]]:
    from povmon.planning import liaison

    frame = liaison.units_frame()
    units: dict[str, tuple[str, str, list[str]]] = {}
    for unit in liaison.units_of_survey(areas):
        rows = frame[frame["unit"] == unit]
        own = [a for a in rows["area_id"] if a in areas]
        units[unit] = (str(rows["unit_en"].iloc[0]), str(rows["unit_zh"].iloc[0]), own)
    return units
