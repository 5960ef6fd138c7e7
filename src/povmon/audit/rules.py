"""The catalogue of rules (``rules.yml``), loaded and checked."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from povmon.survey.forms import FORMS

Severity = Literal["hard", "soft"]
Action = Literal["note", "blank", "correct", "reject"]
Kind = Literal["logical", "statistical"]


class Rule(BaseModel):
    """One rule: what it looks at, how sure it is, what it does, and what it tells the reader."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    level: Literal["file", "any", "county", "village", "household", "person"]
    severity: Severity
    action: Action
    en: str
    zh: str
    check: str = ""
    expression: str = ""
    columns: tuple[str, ...] = ()
    kind: Kind = "logical"
    rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    source: str

    @model_validator(mode="after")
    def _coherent(self) -> Rule:
        if bool(self.check) == bool(self.expression):
            raise ValueError("give either a check or an expression")
        if self.expression:
            unknown = set(self.columns) - set(FORMS[self.level].columns)
            if unknown or not self.columns:
                raise ValueError(f"columns must name fields of the form; wrong: {unknown}")
        return self


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Rule]:
    """Rule id -> rule, in the order of the file."""
    text = files("povmon.audit").joinpath("rules.yml").read_text(encoding="utf-8")
    rules = [Rule.model_validate(entry) for entry in yaml.safe_load(text)]
    found = {rule.id: rule for rule in rules}
    if len(found) != len(rules):
        raise ValueError("two rules have the same id")
    return found


def expressions(form: str) -> list[Rule]:
    """Rules between the fields of one record of a form."""
    return [rule for rule in catalogue().values() if rule.expression and rule.level == form]
