"""The liaison units' ids and duties, read from data/raw/planning/duties.yml."""

from __future__ import annotations

import datetime as dt
from functools import cache

from pydantic import model_validator

from povmon import paths
from povmon.planning._read import Strict, read_model, unique


class Duty(Strict):
    """A duty of every unit."""

    id: str
    en: str
    zh: str
    due: dt.date | None
    basis: str
    note: str


class Duties(Strict):
    """The contents of duties.yml."""

    source: str
    units: dict[str, str]
    duties: list[Duty]

    @model_validator(mode="after")
    def _ids(self) -> Duties:
        unique(list(self.units.values()), "unit")
        unique([d.id for d in self.duties], "duty")
        return self


@cache
def load_duties() -> Duties:
    """Read and validate the units' ids and duties."""
    return read_model(paths.planning() / "duties.yml", Duties)
