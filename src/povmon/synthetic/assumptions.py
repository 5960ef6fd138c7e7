"""The declared assumptions and the published figures that the generator is held to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import yaml
from scipy.special import ndtri

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.yamls import from_yaml

FILE = "data/raw/reference/synthetic_assumptions.yml"
INCIDENCE = "incidence"  # name in national_series()


@cache
def load() -> dict[str, Any]:
    """The file of declared assumptions.

    Raises
    ------
    PovmonError : the file is missing or not readable.
    """
    path = paths.reference() / "synthetic_assumptions.yml"
    try:
        found = from_yaml(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise PovmonError(
            f"the assumptions of the generator cannot be read ({error})",
            where=FILE,
            todo="restore the file (git checkout)",
        ) from error
    if not isinstance(found, dict) or found.get("version") != 1:
        raise PovmonError("is not version 1 of the assumptions", where=FILE)
    return found


def published(area: str, year: int, indicator: str) -> float:
    """A published figure of an area ("" for the 592 key counties).

    Raises
    ------
    PovmonError : there is none.
    """
    frame = reference.published()
    scope = frame["area_id"].fillna("") == area
    if not area:
        scope &= frame["scope"].str.contains("592", regex=False)
    rows = frame[scope & (frame["year"] == year) & (frame["indicator"] == indicator)]
    if len(rows) != 1:
        raise PovmonError(
            f"no published {indicator!r} of {area or 'the key counties'} in {year}", where=FILE
        )
    return float(rows["value"].iloc[0])


def national_incidence(year: int) -> float:
    """Incidence of poverty in the nation, in per cent."""
    series = reference.national_series()
    rows = series[(series["year"] == year) & (series["indicator"] == INCIDENCE)]
    if len(rows) != 1 or rows["value"].isna().any():
        raise PovmonError(f"no incidence of the nation in {year}", where=FILE)
    return float(rows["value"].iloc[0])


@dataclass(frozen=True)
class AreaTarget:
    """What an area is calibrated to.

    Parameters
    ----------
    area : area_id.
    rural_population : persons.
    headcount : share below the line, and the range in which it may come out.
    mean_income : yuan a person.
    headcount_source, mean_source : where they come from.
    """

    area: str
    rural_population: int
    headcount: float
    headcount_range: tuple[float, float]
    mean_income: float
    headcount_source: str
    mean_source: str


@cache
def area_targets() -> dict[str, AreaTarget]:
    """Area id -> its targets."""
    return {area: _area_target(area) for area in load()["areas"]}


def _area_target(area: str) -> AreaTarget:
    entry = load()["areas"][area]
    headcount, source = _headcount(area, entry["headcount"])
    mean, mean_source = _mean_income(area, entry, headcount)
    low, high = entry["headcount"]["range"]
    return AreaTarget(
        area, _population(area, entry["rural_population"]), headcount, (low, high), mean,
        source, mean_source,
    )  # fmt: skip


def _population(area: str, entry: dict[str, Any]) -> int:
    if "value" in entry:
        return int(entry["value"] * 10_000)
    year = entry["published_year"]
    poor, incidence = published(area, year, "poor"), published(area, year, "incidence")
    return round(poor * 10_000 / (incidence / 100))


def carried_back(area: str, year: int) -> float:
    """Headcount of the reference year from the incidence published for `year`.

    H_area(2010) = H_area(t) x H_nation(2010) / H_nation(t), as a fraction.
    """
    base = national_incidence(load()["reference_year"])
    return published(area, year, "incidence") / 100 * base / national_incidence(year)


def _headcount(area: str, entry: dict[str, Any]) -> tuple[float, str]:
    if "published_year" not in entry:
        return float(entry["value"]), "declared"
    year = entry["published_year"]
    value = carried_back(area, year)
    text = f"incidence of {year} carried back: {100 * value:.1f} %"
    if "value" in entry:
        return float(entry["value"]), f"declared; {text}"
    return value, text


def _mean_income(area: str, entry: dict[str, Any], headcount: float) -> tuple[float, str]:
    given = entry.get("mean_income")
    if given is None:
        inequality = entry.get("gini", load()["gini"])
        return implied_mean(headcount, inequality), "declared: headcount and Gini imply it"
    if "published_year" in given:
        year = given["published_year"]
        return published(area, year, "rural net income per capita"), f"published for {year}"
    return float(given["value"]), "declared after published figures"


def implied_mean(headcount: float, gini: float) -> float:
    """Mean of the lognormal distribution with this headcount at the line and this Gini.

    With sigma = sqrt(2) Phi^-1((1 + G) / 2) and z = Phi^-1(H), ln m = ln line - z sigma +
    sigma^2 / 2 (Aitchison and Brown 1957, section 11.3, for the Gini).
    """
    sigma = np.sqrt(2) * ndtri((1 + gini) / 2)
    line = np.log(load()["poverty_line"])
    return float(np.exp(line - ndtri(headcount) * sigma + sigma**2 / 2))


@dataclass(frozen=True)
class AccessTarget:
    """Shares that one access item is calibrated to.

    Parameters
    ----------
    key : share in flagged key counties.
    better : share of what key counties lack that the other counties have (may be negative).
    areas : area id -> share, where one is published for the area.
    published : True when `key` is a published figure.
    """

    key: float
    better: float
    areas: dict[str, float]
    published: bool

    @property
    def other(self) -> float:
        """Share in the counties without the flag."""
        return self.key + self.better * (1 - self.key)

    def without_area_figures(self) -> AccessTarget:
        """The same target for a population without the areas that have their own figure."""
        return AccessTarget(self.key, self.better, {}, self.published)


@cache
def access_target(item: str) -> AccessTarget:
    """Targets of one item under `access` in the file of assumptions."""
    entry = load()["access"][item]
    areas = {area: _share(area, e) for area, e in entry.get("area", {}).items()}
    key = float(entry["value"]) if "value" in entry else _share("", entry)
    return AccessTarget(key, float(entry["better"]), areas, "indicator" in entry)


def _share(area: str, entry: dict[str, Any]) -> float:
    value = published(area, load()["reference_year"], entry["indicator"]) / 100
    return 1 - value if entry.get("complement") else value


def key_mean_income() -> float:
    """Published rural net income per person of the key counties, yuan."""
    indicator = load()["key_counties"]["mean_income"]["indicator"]
    return published("", load()["reference_year"], indicator)
