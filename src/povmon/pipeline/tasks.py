"""The tasks of a survey: what each reads, runs and writes, and which others it waits for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from povmon import paths
from povmon.errors import PovmonError, unknown_name
from povmon.pipeline.facts import Facts

NATION = "nation"  # the pooled level: the areas combined
AUDIT_TABLES = (
    "findings", "rejected", "accounting", "corrections_log", "imputed", "donors", "response",
    "promptness", "promptness_county", "files", "acceptance", "review", "followed",
)  # fmt: skip
TITLES = {
    "audit": "Audit of the submissions",
    "indicators": "Poverty and living conditions",
    "plan": "Draft development plan",
    "summary": "Summary of all areas",
    "rollup": "Roll-up of the forms",
    "atlas": "Poverty atlas",
    "brief": "Brief for the liaison unit",
}


@dataclass(frozen=True)
class Page:
    """The HTML page that a notebook becomes.

    `context` goes to the page's head and banner (title parts, notice); it is data of the survey.
    """

    path: Path
    context: Mapping[str, str]
    breadcrumbs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Task:
    """One step that is up to date or stale as a whole.

    Attributes
    ----------
    id : ``<area>/<step>``; unique within a survey.
    notebook, function : what runs: a notebook, or a module of `povmon.pipeline.steps` whose
        ``run(**parameters)`` returns the files it wrote.
    inputs : files and folders that must exist; optional ones may be absent.
    uses : task id -> pattern; the files of that task whose names match are inputs.
    outputs : files that the task must write; a function may name further ones.
    once : made where absent, never stale afterwards.
    soft : takes what there is: runs also when a task it uses has failed.
    links : for a soft task, addresses of the pages it leads to, relative to the reports.
    footed : a function whose pages' footers name their provenance: it is told it.
    """

    id: str
    survey: str
    parameters: Mapping[str, str]
    notebook: Path | None = None
    function: str = ""
    inputs: tuple[Path, ...] = ()
    optional: tuple[Path, ...] = ()
    uses: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[Path, ...] = ()
    page: Page | None = None
    once: bool = False
    soft: bool = False
    links: tuple[str, ...] = ()
    footed: bool = False

    @property
    def area(self) -> str:
        """First part of the id: an area, ``nation`` or ``liaison``."""
        return self.id.partition("/")[0]

    @property
    def step(self) -> str:
        """Last part of the id."""
        return self.id.rpartition("/")[2]


def survey_tasks(facts: Facts) -> dict[str, Task]:
    """All tasks of a survey by id, each after those it uses.

    Raises
    ------
    PovmonError : the submissions of a survey that is not generated are missing.
    """
    makers = _Makers(facts)
    tasks = [*makers.first(), *makers.areas(), *makers.nation(), *makers.liaison()]
    tasks.append(makers.index([t for t in tasks if t.page]))
    return {t.id: t for t in tasks}


class _Makers:
    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.survey = facts.survey
        self.raw = paths.raw(facts.survey)
        self.reports = paths.reports(facts.survey)
        self.base = (self.raw / "survey.yml", paths.reference())
        self.before: dict[str, str] = {}

    def has(self, product: str) -> bool:
        return product in self.facts.products

    def first(self) -> list[Task]:
        """What comes before the areas: submissions, and the boundaries the atlas needs."""
        tasks = []
        if needs_generation(self.facts):
            tasks.append(self._function("generate", "generate", once=True, inputs=self.base))
            self.before = {"generate": ""}
        if self.has("atlas") and self.facts.mapped:
            tasks.append(Task("boundaries", self.survey, {}, function="boundaries"))
        return tasks

    def areas(self) -> list[Task]:
        steps = [self._audit(a) for a in self.facts.areas]
        steps += [self._returns(a) for a in self.facts.areas]
        if self.has("indicators"):
            steps += [self._indicators(a) for a in self.facts.areas]
            steps.append(self._pool())
        if self.has("plan") or self.has("brief"):
            steps.append(self._benchmarks())
        if self.has("plan"):
            steps += [self._plan(a) for a in self.facts.areas]
        return steps

    def _audit(self, area: str) -> Task:
        whole = self.facts.delivery == "whole"
        delivered = paths.submissions(self.survey) / ("" if whole else area)
        tables = (*self.facts.forms, *AUDIT_TABLES)
        task = self._area_notebook(area, "audit", tables)
        return replace(
            task,
            inputs=(*self.base, delivered),
            optional=(self.raw / "corrections.csv",),
            uses=self.before,
        )

    def _returns(self, area: str) -> Task:
        """Slips of the provinces; which there are, the audit tells."""
        return Task(
            f"{area}/returns",
            self.survey,
            {"survey": self.survey, "area": area},
            function="returns",
            inputs=self.base,
            uses={f"{area}/audit": "*.parquet"},
            footed=True,
        )

    def _indicators(self, area: str) -> Task:
        task = self._area_notebook(area, "indicators", ("estimates", "imputation"))
        return replace(task, inputs=self.base, uses={f"{area}/audit": "*.parquet"})

    def _pool(self) -> Task:
        return replace(
            self._function(f"{NATION}/pool", "pool", inputs=self.base),
            uses={f"{a}/audit": "*.parquet" for a in self.facts.areas},
            outputs=_parquet(self.survey, NATION, ("estimates", "imputation")),
        )

    def _benchmarks(self) -> Task:
        """The published digits of the pool: what an area is compared with changes rarely."""
        return replace(
            self._function(f"{NATION}/benchmarks", "benchmarks"),
            uses={f"{NATION}/pool": "estimates.parquet"},
            outputs=_parquet(self.survey, NATION, ("benchmarks",)),
        )

    def _plan(self, area: str) -> Task:
        task = self._area_notebook(area, "plan", ("plan", "plan_review"))
        return replace(
            task,
            inputs=(*self.base, paths.planning()),
            optional=(self.raw / "planning",),
            uses=self._compared([area]),
        )

    def _records(self, areas: Iterable[str], pooled: str = "pool") -> dict[str, str]:
        """Everything the areas' audit and indicators wrote, and the pooled estimates."""
        steps = [f"{a}/{s}" for a in areas for s in ("audit", "indicators")]
        return dict.fromkeys([*steps, f"{NATION}/{pooled}"], "*.parquet")

    def _compared(self, areas: Iterable[str]) -> dict[str, str]:
        """As `_records`, but of the pool only what areas are held against."""
        return self._records(areas, "benchmarks")

    def nation(self) -> list[Task]:
        tasks = []
        if self.has("summary"):
            tasks.append(self._national("summary", {}))
        if self.has("rollup"):
            tasks.append(self._rollup())
        if self.has("atlas"):
            maps = {"boundaries": "*"} if self.facts.mapped else {}
            tasks.append(self._national("atlas", maps))
        return tasks

    def _national(self, step: str, more: dict[str, str]) -> Task:
        task = self._notebook(
            f"{NATION}/{step}",
            {"survey": self.survey},
            self.reports / f"{step}.html",
            (TITLES[step], self.facts.title),
            (("All areas", "index.html"),),
        )
        return replace(task, inputs=self.base, uses={**self._records(self.facts.areas), **more})

    def _rollup(self) -> Task:
        """The forms' page and its workbook; estimates are no part of it."""
        audits = {f"{a}/audit": "*.parquet" for a in self.facts.areas}
        task = replace(self._national("rollup", {}), uses=audits)
        return replace(task, outputs=(*task.outputs, self.reports / "rollup.xlsx"))

    def liaison(self) -> list[Task]:
        return [self._brief(unit) for unit in self.facts.units]

    def _brief(self, unit: str) -> Task:
        en, zh, areas = self.facts.units[unit]
        task = self._notebook(
            f"liaison/{unit}",
            {"survey": self.survey, "unit": unit},
            self.reports / "liaison" / f"{unit}.html",
            (f"{TITLES['brief']}: {en} {zh}".strip(), self.facts.title),
            (("All areas", "../index.html"),),
            notebook=paths.notebooks() / "liaison" / "brief.ipynb",
        )
        return replace(
            task,
            inputs=(*self.base, paths.planning()),
            optional=(self.raw / "planning",),
            uses=self._compared(areas),
        )

    def index(self, pages: list[Task]) -> Task:
        uses = self._records(self.facts.areas) if self.has("indicators") else {}
        uses |= {f"{a}/returns": "*.html" for a in self.facts.areas}
        task = self._function("index", "index", inputs=self.base)
        return replace(
            task,
            # The index links the pages: it waits for them, but their contents do not matter.
            uses={**{t.id: "" for t in pages}, **uses},
            soft=True,
            links=tuple(_relative(t, self.reports) for t in pages),
            outputs=(self.reports / "index.html",),
        )

    def _area_notebook(self, area: str, step: str, tables: Iterable[str]) -> Task:
        en, zh = self.facts.areas[area]
        task = self._notebook(
            f"{area}/{step}",
            {"survey": self.survey, "area": area},
            self.reports / area / f"{step}.html",
            (f"{en} {zh}".strip() + f": {TITLES[step].lower()}", self.facts.title),
            (("All areas", "../index.html"),),
            notebook=paths.notebooks() / "area" / f"{step}.ipynb",
        )
        return replace(task, outputs=(*_parquet(self.survey, area, tables), *task.outputs))

    def _notebook(
        self,
        task: str,
        parameters: dict[str, str],
        page: Path,
        titles: tuple[str, str],
        breadcrumbs: tuple[tuple[str, str], ...],
        notebook: Path | None = None,
    ) -> Task:
        context = {
            "title": titles[0],
            "subtitle": titles[1],
            "synthetic": "yes" if self.facts.synthetic else "",
        }
        return Task(
            task,
            self.survey,
            parameters,
            notebook=notebook or paths.notebooks() / f"{task}.ipynb",
            outputs=(page,),
            page=Page(page, context, breadcrumbs),
        )

    def _function(
        self, task: str, step: str, inputs: tuple[Path, ...] = (), once: bool = False
    ) -> Task:
        parameters = {"survey": self.survey}
        return Task(task, self.survey, parameters, function=step, inputs=inputs, once=once)


def _relative(task: Task, folder: Path) -> str:
    return task.page.path.relative_to(folder).as_posix() if task.page else ""


def _parquet(survey: str, area: str, tables: Iterable[str]) -> tuple[Path, ...]:
    return tuple(paths.processed(survey, area) / f"{name}.parquet" for name in tables)


def generation_marker(survey: str) -> Path:
    """A file that exists while submissions are being generated: they are incomplete."""
    return paths.raw(survey) / ".generating"


def needs_generation(facts: Facts) -> bool:
    """True when the survey's submissions are absent (or half written) and are ours to make.

    Raises
    ------
    PovmonError : they are absent and nobody but the provinces can send them.
    """
    folder = paths.submissions(facts.survey)
    complete = folder.is_dir() and any(folder.iterdir())
    if facts.synthetic:
        return not complete or generation_marker(facts.survey).exists()
    if not complete:
        raise PovmonError(
            "the folder with the submissions is missing or empty",
            where=folder.relative_to(paths.root()).as_posix(),
            todo="put the delivered files there as they arrived, then run make again",
        )
    return False


def of_area(tasks: Mapping[str, Task], facts: Facts, area: str) -> tuple[dict[str, Task], str]:
    """The tasks that ``AREA=`` asks for, and a sentence about those left out.

    They are the area's own tasks and, where every other area has been made before, what hangs
    on the area: the pooled estimates, its plan, the nation's pages, its liaison briefs, the
    index. Other areas are not looked at.
    """
    if area not in facts.areas:
        raise unknown_name("area", area, facts.areas, where=f"survey {facts.survey}")
    units = {f"liaison/{u}" for u, (_, _, areas) in facts.units.items() if area in areas}
    others = [t for t in tasks.values() if t.area in facts.areas and t.area != area]
    absent = sorted({t.area for t in others if t.step != "plan" and not _exists(t)})
    wanted = {
        t.id
        for t in tasks.values()
        if t.area in (area, "generate", "boundaries", NATION, "index") or t.id in units
    }
    if not absent:
        return {i: t for i, t in tasks.items() if i in wanted}, ""
    kept = {"generate", *(f"{area}/{step}" for step in ("audit", "returns", "indicators"))}
    sentence = (
        f"Only the audit and the indicators of {area} are made: its plan, the pages of all areas "
        f"and the index need {', '.join(absent)} too. `make SURVEY={facts.survey}` makes "
        "everything."
    )
    return {i: t for i, t in tasks.items() if i in kept}, sentence


def _exists(task: Task) -> bool:
    return all(path.exists() for path in task.outputs)
