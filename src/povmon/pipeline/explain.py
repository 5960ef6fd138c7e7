"""What is stale and why, when it was last made, and what hangs on it: in words."""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Iterable, Mapping
from pathlib import Path

from povmon import paths
from povmon.errors import PovmonError, unknown_name
from povmon.pipeline import closure
from povmon.pipeline.files import Hashes, label
from povmon.pipeline.runs import plan, remembered
from povmon.pipeline.state import UNMADE, Change, Ledger
from povmon.pipeline.tasks import Task

SHOWN = 8  # reasons of a task, settings of a survey, tasks of a list
_SOURCE = "code src/"


def explain(survey: str, which: str = "", hashes: Hashes | None = None) -> str:
    """The state of a survey's tasks.

    Parameters
    ----------
    survey : its name.
    which : a task id or the path of a report; empty for all that is stale.

    Raises
    ------
    PovmonError : no such survey, task or report.
    """
    hashes = hashes or remembered()
    _, tasks, _ = plan(survey, "", hashes)
    told = _Teller(tasks, Ledger(survey, hashes))
    if which:
        return told.one(_find(which, tasks))
    return told.all() or f"{survey}: everything is up to date ({len(tasks)} tasks)."


def stale_tasks(survey: str) -> list[str]:
    """Ids of the tasks that a run would make, as far as can be told before it."""
    hashes = remembered()
    _, tasks, _ = plan(survey, "", hashes)
    return _Teller(tasks, Ledger(survey, hashes)).stale


def _find(which: str, tasks: Mapping[str, Task]) -> Task:
    if which in tasks:
        return tasks[which]
    place = Path(which)
    name = label(place) if place.is_absolute() else which.removeprefix("./")
    for task in tasks.values():
        if any(label(p) == name for p in task.outputs):
            return task
    raise unknown_name("task or report", which, tasks)


class _Teller:
    """Finds words for the tasks of a survey."""

    def __init__(self, tasks: Mapping[str, Task], ledger: Ledger) -> None:
        self.tasks = tasks
        self.ledger = ledger
        self.why = {i: self._reasons(t) for i, t in tasks.items() if not t.once}
        self.stale = [i for i, reasons in self.why.items() if reasons]

    def all(self) -> str:
        """Every stale task, those with the same reasons together."""
        return self._groups(self.stale)

    def one(self, task: Task) -> str:
        """One task: its own reasons, or those of what it uses."""
        if task.id in self.stale:
            return self._groups([task.id])
        above = [i for i in _reached([task.id], _used(self.tasks)) if i in self.stale]
        if not above:
            return f"{task.id} is up to date{self._last([task.id])}."
        return (
            f"{task.id} agrees with what it was made from{self._last([task.id])}, but some of that "
            f"is itself stale. It is made again if this changes:\n{self._groups(above)}"
        )

    def _groups(self, ids: Iterable[str]) -> str:
        groups: dict[tuple[str, ...], list[str]] = {}
        for task in ids:
            groups.setdefault(tuple(self.why[task]), []).append(task)
        return "\n".join(self._group(list(why), ids) for why, ids in groups.items())

    def _group(self, reasons: list[str], ids: list[str]) -> str:
        verb = "is" if len(ids) == 1 else "are"
        lines = [f"{_listed(ids)} {verb} stale{self._last(ids)}:"]
        lines += [f"  - {r}" for r in reasons[:SHOWN]]
        if len(reasons) > SHOWN:
            lines.append(f"  - and {len(reasons) - SHOWN} more")
        after = [i for i in _reached(ids, _users(self.tasks)) if i not in ids]
        if after:
            lines.append(f"  Made again after it if its tables differ: {_listed(after)}.")
        return "\n".join(lines)

    def _last(self, ids: list[str]) -> str:
        records = [self.ledger.record(i) for i in ids]
        times = [r.at for r in records if r and r.at]
        return f", last made {_local(max(times))}" if times else ""

    def _reasons(self, task: Task) -> list[str]:
        try:
            changes = self.ledger.changes(task)
        except PovmonError as error:
            return [str(error)]
        renamed, rest = _renamed(changes)
        texts = [f"{_what(a.name)} is now {_what(b.name).split(' ', 1)[1]}" for a, b in renamed]
        return texts + [text for c in rest for text in self._words(task, c)]

    def _words(self, task: Task, change: Change) -> list[str]:
        """A change as the user reads it."""
        name = change.name
        if name == UNMADE:
            return [UNMADE]
        if name.startswith("output "):
            state = "is missing" if change.now is None else "was cut short or changed since"
            return [f"{name} {state}"]
        if name.startswith("failure of "):
            return [f"{name.removeprefix('failure of ')} {_failure(change)}"]
        if change.now == "exists" or change.before == "exists":
            return [f"{name} {'exists now' if change.now else 'is gone'}"]
        text = f"{_what(name)} {_verb(change)}"
        if name == f"data {self._survey_file()}":
            return [text + self._settings(task)]
        if name.startswith("data "):
            return [text + self._maker(name.removeprefix("data "))]
        return [text + self._route(task, name)]

    def _survey_file(self) -> str:
        return label(paths.raw(self.ledger.survey) / "survey.yml")

    def _settings(self, task: Task) -> str:
        """The keys of survey.yml that differ, with their values."""
        record = self.ledger.record(task.id)
        before, now = record.settings if record else {}, self.ledger.settings()
        if not before:
            return ""
        names = [n for n in dict.fromkeys([*before, *now]) if before.get(n) != now.get(n)]
        changes = [f"{n} {_verb(Change(n, before.get(n), now.get(n)), True)}" for n in names]
        return f": {_listed(changes, '; ')}" if changes else ": no key, only its notes or layout"

    def _maker(self, name: str) -> str:
        """Which task wrote an input that is no original."""
        for task in self.tasks.values():
            record = self.ledger.record(task.id)
            if record and any(n.removeprefix("project:") == name for n in record.outputs):
                return f" ({task.id} made it)"
        return ""

    def _route(self, task: Task, name: str) -> str:
        """By which imports a module comes into the task."""
        if not name.startswith(_SOURCE):
            return ""
        target = closure.module_name(name.removeprefix("code "))
        route = closure.route(self.ledger.modules(task), target, self.ledger.hashes)
        if len(route) < 2:
            return ""
        return f" (imported by way of {' > '.join(r.removeprefix('povmon.') for r in route[:-1])})"


def _what(name: str) -> str:
    """A part of a key, named as a user knows it."""
    kind, _, rest = name.partition(" ")
    if name.startswith(_SOURCE) and rest.endswith(".py"):
        return f"module {closure.module_name(rest)}"
    if kind == "page":
        return f"its page's {rest}"
    if kind == "notebook":
        return f"notebook {rest}"
    names = {
        "code": f"file {rest} of the package",
        "data": f"input {rest}",
        "python": "Python",
        "requirements.lock": "the lock file requirements.lock",
        "pipeline": "the format of the records",
    }
    return names.get(kind, name)


_PLAIN = ("parameter ", "page ", "python", "pipeline")


def _verb(change: Change, values: bool = False) -> str:
    if change.before is None:
        return f"is new ({_short(change.now)})" if values else "is new"
    if change.now is None:
        return "is gone"
    if values or change.name.startswith(_PLAIN):
        return f"is {_short(change.now)}, was {_short(change.before)}"
    return "has changed"


def _short(text: str | None) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= 40 else f"{text[:39]}…"


def _failure(change: Change) -> str:
    if change.now is None:
        return "had failed and no longer does"
    return f"has failed: {_short(change.now)}"


def _renamed(changes: list[Change]) -> tuple[list[tuple[Change, Change]], list[Change]]:
    """Pairs of a file that is gone and a new one of the same kind and content; and the rest."""
    gone = {(c.name.split(" ")[0], c.before): c for c in changes if c.now is None}
    pairs = []
    for new in changes:
        key = (new.name.split(" ")[0], new.now)
        if new.before is None and key[0] in ("code", "data") and key in gone:
            pairs.append((gone.pop(key), new))
    taken = {id(c) for pair in pairs for c in pair}
    return pairs, [c for c in changes if id(c) not in taken]


def _used(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    """Task -> those whose files it reads."""
    return {i: [u for u, pattern in t.uses.items() if pattern] for i, t in tasks.items()}


def _users(tasks: Mapping[str, Task]) -> dict[str, list[str]]:
    """Task -> those that read its files."""
    users: dict[str, list[str]] = {i: [] for i in tasks}
    for task, used in _used(tasks).items():
        for one in used:
            users.setdefault(one, []).append(task)
    return users


def _reached(start: Iterable[str], links: Mapping[str, list[str]]) -> list[str]:
    """What can be reached from some tasks, in the order of all tasks."""
    waiting, found = list(start), set[str]()
    while waiting:
        new = set(links.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return [i for i in links if i in found]


def _listed(names: list[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return separator.join(names[:SHOWN]) + more


def _local(stamp: str) -> str:
    """A time of a record in the reader's time zone."""
    moment = timegm(time.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ"))
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
