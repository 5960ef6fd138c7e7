"""Random hot deck within classes that collapse until they hold enough donors.

The donor of a record is drawn from its class with probability proportional to weight, so that
under response at random within classes a weighted mean of the imputed sample is unbiased (Rao and
Shao 1992, Biometrika 79; Andridge and Little 2010, International Statistical Review 78, sec. 4).
Each record has a random stream of its own, named by the survey and the record's key: what happens
to other records does not change its donor.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from povmon.yamls import from_yaml

Ints = np.ndarray


class Group(BaseModel):
    """Fields that are imputed together (see imputation.yml)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    form: str
    columns: tuple[str, ...]
    total: str | None = None
    classes: tuple[tuple[str, ...], ...]

    @property
    def fields(self) -> list[str]:
        """All its fields: the columns and the total."""
        return [*self.columns, *([self.total] if self.total else [])]


class Settings(BaseModel):
    """imputation.yml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least_donors: int = Field(ge=1)
    candidates: int = Field(ge=1)
    least_answered: float = Field(ge=0, le=1)
    groups: tuple[Group, ...]


@cache
def settings() -> Settings:
    """imputation.yml, read and checked."""
    text = files("povmon.audit").joinpath("imputation.yml").read_text(encoding="utf-8")
    return Settings.model_validate(from_yaml(text))


@dataclass(frozen=True)
class Pool:
    """The donors of a class.

    Parameters
    ----------
    label : the class in words, such as ``county=513431, consumption_tenth=3``.
    rows : (m,) positions of the donors.
    """

    label: str
    rows: Ints


def pools(variables: pd.DataFrame, classes: Sequence[Sequence[str]], donors: np.ndarray,
          recipients: Ints, least: int) -> list[Pool | None]:  # fmt: skip
    """The pool of each recipient: the first of its classes with enough donors.

    Parameters
    ----------
    variables : one row a record, one column a class variable (text, missing where unknown).
    classes : names of variables, from the finest class to the coarsest.
    donors : (n,) True for records that can give.
    recipients : (r,) positions of the records to impute.
    least : fewest donors that make a class.

    Returns
    -------
    One pool a recipient, None where no class has enough donors.
    """
    found: list[Pool | None] = [None] * len(recipients)
    for names in classes:
        open_ = [i for i, pool in enumerate(found) if pool is None]
        if not open_:
            break
        codes = _codes(variables, names)
        known = donors & (codes >= 0)
        order = np.flatnonzero(known)[np.argsort(codes[known], kind="stable")]
        ordered = codes[order]
        made: dict[int, Pool | None] = {-1: None}
        for i in open_:
            row = int(recipients[i])
            code = int(codes[row])
            if code not in made:
                low, high = np.searchsorted(ordered, [code, code + 1])
                rows = order[low:high]
                made[code] = (
                    Pool(_label(variables, names, row), rows) if len(rows) >= least else None
                )
            found[i] = made[code]
    return found


def _codes(variables: pd.DataFrame, names: Sequence[str]) -> Ints:
    """Class number of each record, -1 where a variable is missing."""
    if not names:
        return np.zeros(len(variables), dtype="int64")
    codes = np.zeros(len(variables), dtype="int64")
    known = np.ones(len(variables), dtype=bool)
    for name in names:
        one, values = pd.factorize(variables[name])
        codes = codes * (len(values) + 1) + one
        known &= one >= 0
        codes = np.unique(codes, return_inverse=True)[1]
    return np.where(known, codes, -1)


def _label(variables: pd.DataFrame, names: Sequence[str], row: int) -> str:
    return ", ".join(f"{name}={variables[name].iat[row]}" for name in names) or "whole area"


def stream(*names: str) -> np.random.Generator:
    """A random stream by name: the same names, the same numbers."""
    return np.random.Generator(np.random.PCG64(zlib.crc32("/".join(names).encode())))


def draw(pool: Pool, weights: np.ndarray, count: int, rng: np.random.Generator) -> Ints:
    """Donors without repetition, the first with probability proportional to weight.

    Parameters
    ----------
    pool : whom to draw from.
    weights : (n,) weights of all records, positive.
    count : how many at most.
    rng : the record's random stream.

    Source
    ------
    Efraimidis and Spirakis (2006), Information Processing Letters 97, 181-185.
    """
    waiting = rng.exponential(size=len(pool.rows)) / weights[pool.rows]
    return pool.rows[np.argsort(waiting, kind="stable")[:count]]
