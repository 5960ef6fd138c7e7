"""The Outline for the Preparation of the Planning, read from data/raw/planning/outline.yml."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import pandas as pd
from pydantic import Field, model_validator

from povmon import paths
from povmon.errors import unknown_name
from povmon.indicators.multidimensional import definition
from povmon.planning._read import Strict, read_model, unique

Basis = Literal["account", "wuling", "national_outline", "own"]


class Wording(Strict):
    """A text in English and Chinese."""

    en: str
    zh: str


class Requirement(Wording):
    """One requirement of the outline and the named check that judges a draft against it."""

    id: str
    basis: Basis
    check: str
    parameters: dict[str, Any] = Field(default_factory=dict)


class Element(Wording):
    """One of the eight headings of the outline, with its requirements."""

    id: str
    basis: Basis
    requirements: list[Requirement] = Field(min_length=1)


class Chapter(Wording):
    """A chapter of the plan: what the survey can say and what the planners have to write."""

    id: str
    basis: Basis
    covers: str
    indicators: list[str]
    planners: str


class KeyTask(Wording):
    """A field of work: its chapter, the deprivations it answers and the targets it serves."""

    id: str
    chapter: str
    answers: list[str]
    targets: list[str]
    basis: Basis


class Horizon(Strict):
    """First and last year of the plan."""

    start: int
    end: int
    basis: Basis


class Outline(Strict):
    """The whole outline."""

    title: Wording
    bases: dict[Basis, str]
    horizon: Horizon
    elements: list[Element]
    chapters: list[Chapter]
    key_tasks: list[KeyTask]

    @model_validator(mode="after")
    def _coherent(self) -> Outline:
        chapters = unique([c.id for c in self.chapters], "chapter")
        unique([r.id for e in self.elements for r in e.requirements], "requirement")
        unique([t.id for t in self.key_tasks], "key task")
        for task in self.key_tasks:
            if task.chapter not in chapters:
                raise ValueError(f"key task {task.id} names an unknown chapter {task.chapter}")
            strange = sorted(set(task.answers) - set(definition().deprivations))
            if strange:
                raise ValueError(f"key task {task.id} answers unknown {', '.join(strange)}")
        return self

    def chapter(self, chapter_id: str) -> Chapter:
        """The chapter of that id; an unknown one is an error that lists the valid ids."""
        found = {c.id: c for c in self.chapters}
        if chapter_id not in found:
            raise unknown_name("chapter", chapter_id, found)
        return found[chapter_id]

    def number(self, chapter_id: str) -> int:
        """Position of a chapter, from 1."""
        return [c.id for c in self.chapters].index(self.chapter(chapter_id).id) + 1

    def tasks_for(self, deprivation: str) -> list[KeyTask]:
        """Key tasks that answer a deprivation."""
        return [t for t in self.key_tasks if deprivation in t.answers]


@cache
def load_outline() -> Outline:
    """Read and validate the outline."""
    return read_model(paths.planning() / "outline.yml", Outline)


def outline_frame(outline: Outline) -> pd.DataFrame:
    """One row a requirement: element, requirement, wording, check and what it is based on."""
    return pd.DataFrame(
        [
            {
                "element": e.id, "element_en": e.en, "element_zh": e.zh, "requirement": r.id,
                "requirement_en": r.en, "requirement_zh": r.zh, "check": r.check,
                "basis": r.basis, "basis_text": outline.bases[r.basis],
            }
            for e in outline.elements
            for r in e.requirements
        ]
    )  # fmt: skip


def tasks_frame(outline: Outline, chapter: str | None = None) -> pd.DataFrame:
    """One row a key task (of one chapter): wording, deprivations answered and targets served."""
    columns = ["task", "task_en", "task_zh", "chapter", "answers", "targets", "basis"]
    rows = [
        (
            t.id, t.en, t.zh, t.chapter,
            ", ".join(definition().deprivations[d].en for d in t.answers),
            ", ".join(t.targets), t.basis,
        )
        for t in outline.key_tasks
        if chapter is None or t.chapter == outline.chapter(chapter).id
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
