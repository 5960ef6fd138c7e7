"""What is up to date: keys of contents, and the record that each finished task leaves."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from povmon import paths, privacy, seeds
from povmon.errors import PovmonError
from povmon.pipeline import closure
from povmon.pipeline.facts import state_folder
from povmon.pipeline.files import (
    Hashes,
    digest,
    files_below,
    from_stored,
    label,
    read_json,
    stored_name,
    write_json,
)
from povmon.pipeline.tasks import Task

# Raise it when a change of the pipeline itself makes earlier records worthless.
FORMAT = 1
# Modules that every notebook's page passes through.
_RUNNER = (
    "povmon.pipeline.notebook",
    "povmon.pipeline.environment",
    "povmon.present.exporter",
)


UNMADE = "it has not been made yet"


@dataclass(frozen=True)
class Record:
    """What a finished task left.

    Attributes
    ----------
    key, parts : what it was made from: one hash, and the hash of each part by name.
    outputs : stored name of each output -> hash.
    at : when it was finished (UTC, ISO 8601); empty in records of an older version.
    settings : of the survey's own file, as they were; they only serve to say what has changed.
    secret : mark of the key that hashed personal data; empty where none was hashed.
    """

    key: str
    parts: dict[str, str]
    outputs: dict[str, str]
    at: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    secret: str = ""


@dataclass(frozen=True)
class Change:
    """A part of a task's key, or an output, that is not what the record says; None is absent."""

    name: str
    before: str | None
    now: str | None


class Ledger:
    """Keys and records of one survey's tasks.

    Parameters
    ----------
    survey : name of the survey.
    hashes : remembered file hashes.
    """

    def __init__(self, survey: str, hashes: Hashes) -> None:
        self.survey = survey
        self.hashes = hashes
        self.troubles: dict[str, str] = {}  # tasks that failed in this run, for soft tasks
        self._records: dict[str, Record | None] = {}
        self._sources: dict[tuple[str, ...], dict[str, str]] = {}
        self._chosen: dict[tuple[str, str], tuple[Record, dict[str, str]]] = {}

    def path(self, task: str) -> Path:
        """The file of a task's record."""
        return state_folder() / self.survey / "tasks" / f"{task}.json"

    def record(self, task: str) -> Record | None:
        """The record of the last time the task was finished; None if never (or unreadable)."""
        if task not in self._records:
            self._records[task] = self._read(task)
        return self._records[task]

    def _read(self, task: str) -> Record | None:
        content = read_json(self.path(task))
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            return None
        known = {f.name: content[f.name] for f in fields(Record) if f.name in content}
        mappings = (known.get("parts"), known.get("outputs"), known.get("settings", {}))
        if "key" not in known or not all(isinstance(m, dict) for m in mappings):
            return None  # damaged: the task is made again
        return Record(**known)

    def finish(self, task: Task, parts: Mapping[str, str], outputs: list[Path]) -> Record:
        """Record a task as made. Called when all its outputs are complete.

        Raises
        ------
        PovmonError : an output that the task must write is absent.
        """
        hashed = {stored_name(p): self.hashes.of(p) for p in sorted(outputs)}
        absent = [name for name, value in hashed.items() if value is None]
        if absent:
            raise PovmonError(
                f"was not written: {', '.join(absent)}",
                where=task.id,
                todo="the step must write each of its outputs",
            )
        record = Record(
            digest(dict(parts)),
            dict(parts),
            {k: str(v) for k, v in hashed.items()},
            at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            settings=self.settings(),
            secret=self._secret(task),
        )
        content = {"format": FORMAT, "task": task.id, **record.__dict__}
        write_json(self.path(task.id), content)
        self._records[task.id] = record
        return record

    def forget(self, task: str) -> None:
        """Drop a task's record: it is stale whatever its outputs are."""
        self.path(task).unlink(missing_ok=True)
        self._records[task] = None

    def parts(self, task: Task) -> dict[str, str]:
        """Everything a task's result depends on, by name.

        Raises
        ------
        PovmonError : an input or the notebook is missing.
        """
        parts = {
            "pipeline": str(FORMAT),
            "python": sys.version.split()[0],
            "requirements.lock": self._lock(),
        }
        parts |= {f"parameter {k}": v for k, v in task.parameters.items()}
        if task.page:
            parts |= {f"page {k}": v for k, v in task.page.context.items()}
            parts["page breadcrumbs"] = " > ".join(f"{t} ({a})" for t, a in task.page.breadcrumbs)
        parts |= self._code(task)
        for path in (*task.inputs, *task.optional):
            parts |= self._data(path, must_exist=path in task.inputs)
        for used, pattern in task.uses.items():
            if pattern and not (task.soft and self.record(used) is None):
                parts |= self._made(used, pattern)
        return parts | (self._around(task) if task.soft else {})

    def _around(self, task: Task) -> dict[str, str]:
        """For a task that takes what there is: which pages exist, and what failed."""
        parts = {f"page {p}": "exists" for p in self.pages(task)}
        return parts | {
            f"failure of {t}": self.troubles[t] for t in task.uses if t in self.troubles
        }

    def pages(self, task: Task) -> list[str]:
        """Addresses of the pages that exist, relative to the reports of the survey."""
        return [a for a in task.links if (paths.reports(self.survey) / a).is_file()]

    def _lock(self) -> str:
        return self.hashes.of(paths.project() / "requirements.lock") or "missing"

    def modules(self, task: Task) -> tuple[str, ...]:
        """The modules that a task imports itself, or that its page passes through."""
        if task.notebook:
            return (*notebook_of(task, self.hashes)["imports"], *_RUNNER)
        return (f"povmon.pipeline.steps.{task.function}", "povmon.pipeline.environment")

    def _code(self, task: Task) -> dict[str, str]:
        parts: dict[str, str] = {}
        if task.notebook:
            facts = notebook_of(task, self.hashes)
            parts[f"notebook {label(task.notebook)}"] = facts["source"]
        names = self.modules(task)
        if names not in self._sources:
            self._sources[names] = closure.source_parts(names, self.hashes)
        return parts | {f"code {k}": v for k, v in self._sources[names].items()}

    def settings(self) -> dict[str, str]:
        """The keys of survey.yml with their values, as ``design.lonely`` -> ``average``."""
        path = paths.raw(self.survey) / "survey.yml"
        if not path.is_file():
            return {}
        made: dict[str, str] = self.hashes.derived(path, "settings", _read_settings)
        return made

    def seeds(self, parts: Mapping[str, str]) -> dict[str, int]:
        """What the code among the parts of a key may draw random numbers for -> the seed."""
        sources = [n.removeprefix("code ") for n in parts if n.startswith("code src/")]
        given = self.settings().get("seed", "")
        of_survey = int(given) if given.isdigit() else None
        return seeds.used({closure.module_name(n) for n in sources}, of_survey)

    def _secret(self, task: Task) -> str:
        """A mark of the key that hashes personal data, for tasks that read submissions.

        The key is made when personal data are first met. So a task that was finished before
        there was one has hashed nothing, and a key that appears later does not make it stale.
        """
        folder = paths.submissions(self.survey)
        reads = any(p == folder or p.is_relative_to(folder) for p in task.inputs)
        return privacy.key_mark(self.survey) if reads else ""

    def _data(self, path: Path, must_exist: bool) -> dict[str, str]:
        if path.is_dir():
            files = list(files_below(path))
            return {f"data {label(p)}": self.hashes.of(p) or "missing" for p in files}
        value = self.hashes.of(path)
        if value is None and must_exist:
            raise PovmonError(
                "the file or folder is missing",
                where=label(path),
                todo="put what was delivered there, then run make again",
            )
        return {f"data {label(path)}": value} if value else {}

    def _made(self, task: str, pattern: str) -> dict[str, str]:
        record = self.record(task)
        if record is None:
            raise PovmonError(
                f"needs what {task} makes, which has not been made",
                todo=f"run make SURVEY={self.survey}",
            )
        known = self._chosen.get((task, pattern))
        if known is None or known[0] is not record:
            chosen = {n: v for n, v in record.outputs.items() if from_stored(n).match(pattern)}
            known = record, {f"data {label(from_stored(n))}": v for n, v in chosen.items()}
            self._chosen[task, pattern] = known
        return known[1]

    def damaged(self, task: str) -> list[str]:
        """Outputs that are no longer what the task wrote: missing, cut short or changed."""
        record = self.record(task)
        outputs = record.outputs if record else {}
        return [n for n, value in outputs.items() if self.hashes.of(from_stored(n)) != value]

    def changes(self, task: Task) -> list[Change]:
        """What makes a task stale; empty when it is up to date.

        Raises
        ------
        PovmonError : as `parts`.
        """
        record = self.record(task.id)
        if record is None:
            return [Change(UNMADE, None, None)]
        parts = self.parts(task)
        names = sorted(parts.keys() | record.parts.keys())
        pairs = [Change(n, record.parts.get(n), parts.get(n)) for n in names]
        changes = [c for c in pairs if c.before != c.now]
        if record.secret and record.secret != self._secret(task):
            changes.append(Change("the key that hashes personal data", record.secret, ""))
        for name in self.damaged(task.id):
            path = from_stored(name)
            now = self.hashes.of(path)
            changes.append(Change(f"output {label(path)}", record.outputs[name], now))
        return changes


def _read_settings(path: Path) -> dict[str, str]:
    import yaml

    from povmon.yamls import from_yaml

    try:
        content = from_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        return {}  # reading the survey says what is wrong
    return dict(_leaves(content, "")) if isinstance(content, dict) else {}


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, str(value)


def notebook_of(task: Task, hashes: Hashes) -> dict[str, Any]:
    """What matters of a task's notebook, checked against the task's parameters.

    Raises
    ------
    PovmonError : the notebook is absent or unreadable, or it lacks a parameter.
    """
    path = task.notebook
    if path is None or not path.is_file():
        where = label(path) if path else task.id
        raise PovmonError("the notebook is missing", where=where, todo="restore it from git")
    try:
        facts = closure.notebook_facts(path, hashes)
    except (ValueError, KeyError, TypeError) as error:
        raise PovmonError(
            f"is not a readable notebook ({type(error).__name__})",
            where=label(path),
            todo="restore it from git",
        ) from error
    unknown = [name for name in task.parameters if name not in facts["parameters"]]
    if unknown:
        known = ", ".join(facts["parameters"]) or "none"
        raise PovmonError(
            f"has no parameter {', '.join(unknown)}",
            where=label(path),
            todo=f"set it in the cell tagged `parameters` (there: {known})",
        )
    return facts
