"""The catalogue of rules (``rules.yml``), loaded and checked."""

from __future__ import annotations

import ast
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from povmon.audit.derived import DERIVED
from povmon.survey.config import Design
from povmon.survey.forms import FORMS
from povmon.yamls import from_yaml

Severity = Literal["hard", "soft"]
Kind = Literal["logical", "statistical"]
Action = Literal["note", "blank", "correct", "reject"]
Record = dict[str, str | int | float | bool]
PREVIOUS = "previous survey"
FILE = "rules.yml"


class Examples(BaseModel):
    """Records that break a rule and records that keep it (fields and derived values)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fails: tuple[Record, ...] = Field(min_length=1)
    passes: tuple[Record, ...] = Field(min_length=1)


class Rule(BaseModel):
    """One rule: what it looks at, how sure it is, what it does, and what it tells the reader.

    Parameters
    ----------
    id, level, severity, kind, action, en, zh, check, expression, columns, source : see the head
        of rules.yml.
    needs : what a named check cannot do without: ``form.field``, ``design.key`` of survey.yml, or
        ``previous survey``.
    tests : records for an expression; names of test functions for a named check.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    level: Literal["file", "any", "county", "village", "household", "person"]
    severity: Severity
    kind: Kind = "logical"
    rate: Annotated[float, Field(ge=0, lt=1)] = 0.0
    action: Action = "note"
    en: str
    zh: str
    check: str = ""
    expression: str = ""
    columns: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    source: str
    tests: Examples | tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fields_named(cls, data: Any) -> Any:
        """An expression's fields, in the order in which it names them, unless they are given."""
        if isinstance(data, dict) and data.get("expression") and "columns" not in data:
            form = FORMS.get(str(data.get("level")))
            own = form.columns if form else []
            return {**data, "columns": [n for n in names(data["expression"]) if n in own]}
        return data

    @model_validator(mode="after")
    def _coherent(self) -> Rule:
        if bool(self.check) == bool(self.expression):
            raise ValueError("give either a check or an expression")
        if self.tests and isinstance(self.tests, Examples) != bool(self.expression):
            raise ValueError("an expression is tested by records, a check by test functions")
        if self.expression:
            self._check_names()
        elif unknown := [need for need in self.needs if not _is_need(need)]:
            raise ValueError(
                f"needs must be form.field, design.key or {PREVIOUS!r}; wrong: {unknown}"
            )
        return self

    def _check_names(self) -> None:
        own = set(FORMS[self.level].columns)
        used = set(names(self.expression))
        derived = set(DERIVED.get(self.level, {}))
        unknown = (used - own - derived) | (set(self.columns) - own)
        # A rule about derived values may point at a field that it does not use.
        idle = set(self.columns) - used if not used & derived else set()
        if unknown or idle or not self.columns or not set(self.columns) >= used & own:
            raise ValueError(f"columns must name the form's fields in use; wrong: {unknown | idle}")

    @cached_property
    def derived(self) -> tuple[str, ...]:
        """Values from other records that the expression uses (see `povmon.audit.derived`)."""
        known = DERIVED.get(self.level, {})
        return tuple(name for name in names(self.expression) if name in known)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Everything the rule needs, written as `needs` is."""
        if not self.expression:
            return self.needs
        own = [f"{self.level}.{name}" for name in self.columns]
        other = [need for name in self.derived for need in DERIVED[self.level][name].needs]
        return tuple(dict.fromkeys([*own, *other]))


def names(expression: str) -> list[str]:
    """Names in an expression, each once, in order."""
    if not expression:
        return []
    tree = ast.parse(expression.strip().replace("\n", " "), mode="eval")
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return list(dict.fromkeys(node.id for node in found))


def _is_need(text: str) -> bool:
    form, _, field = text.partition(".")
    if form == "design":
        return field in Design.model_fields
    return text == PREVIOUS or (form in FORMS and field in FORMS[form].columns)


@lru_cache(maxsize=1)
def catalogue() -> dict[str, Rule]:
    """Rule id -> rule, in the order of the file."""
    text = files("povmon.audit").joinpath(FILE).read_text(encoding="utf-8")
    rules = [Rule.model_validate(entry) for entry in from_yaml(text)]
    found = {rule.id: rule for rule in rules}
    if len(found) != len(rules):
        raise ValueError("two rules have the same id")
    return found


def expressions(form: str, *, between: bool = False) -> list[Rule]:
    """Rules of a form that are expressions.

    Parameters
    ----------
    between : False for those between the fields of one record, True for those that also use
        values derived from other records.
    """
    return [
        rule
        for rule in catalogue().values()
        if rule.expression and rule.level == form and bool(rule.derived) == between
    ]
