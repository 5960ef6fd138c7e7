"""What a form is made of: fields with a type, a unit, codes and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Dtype = Literal["id", "code", "integer", "number", "boolean"]
Codes = Mapping[str, tuple[str, str]]

# How a value of each type is held in a DataFrame.
PANDAS_DTYPE: dict[str, str] = {
    "id": "str",
    "code": "str",
    "integer": "Int64",
    "number": "float64",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Field:
    """One column of a form.

    Parameters
    ----------
    name : column name in every processed table.
    dtype : "id", "code", "integer", "number" or "boolean" (1 yes, 0 no in files).
    en, zh : label in English and Chinese.
    unit : unit of measurement, "" for codes and identifiers. ``money`` stands for the
        survey's money unit (survey.yml, ``currency.unit``).
    codes : for "code": permitted values with their labels (English, Chinese).
    minimum, maximum : permitted range, both ends included.
    required : True when a record without it cannot be used at all.
    optional : True for a column that a file may lack without a remark.
    note : definition, where the label is not enough.
    """

    name: str
    dtype: Dtype
    en: str
    zh: str
    unit: str = ""
    codes: Codes = field(default_factory=dict)
    minimum: float | None = None
    maximum: float | None = None
    required: bool = False
    optional: bool = False
    note: str = ""


@dataclass(frozen=True)
class Form:
    """One table of a survey: the one definition of its columns.

    Parameters
    ----------
    name : "county", "village", "household" or "person".
    en, zh : title in English and Chinese.
    key : columns that identify a record.
    parent : the form one level up and the column that leads to it, None at the top.
    fields : the columns, in order.
    """

    name: str
    en: str
    zh: str
    key: tuple[str, ...]
    parent: tuple[str, str] | None
    fields: tuple[Field, ...]

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return [f.name for f in self.fields]

    def __getitem__(self, name: str) -> Field:
        for f in self.fields:
            if f.name == name:
                return f
        raise KeyError(name)
