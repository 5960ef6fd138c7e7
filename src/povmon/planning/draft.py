"""An area's draft plan: what is known of the area, arranged by the outline's chapters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from povmon import reference
from povmon.indicators.catalogue import CATALOGUE
from povmon.planning import priorities, schedule, tables, targets
from povmon.planning._read import (
    Row,
    by_indicator,
    percent,
    read_benchmarks,
    read_estimates,
    read_parquet,
)
from povmon.planning.outline import Outline, load_outline, tasks_frame
from povmon.survey import Survey, load_survey

POOLED = "nation"
WORSE, BETTER, HIGHER, LOWER = "worse", "better", "higher", "lower"
TOTALS = (
    "persons",
    "households",
    "10,000 yuan",
)  # totals of an area are not held against the pooled total


@dataclass(frozen=True)
class Draft:
    """An area's draft plan.

    Attributes
    ----------
    survey : the survey it rests on.
    area : area id.
    name_en, name_zh : names of the area.
    counties : reference counties of the area, empty for an area the reference does not know.
    surveyed : the counties of the area that the survey covers.
    estimates : estimates of the area.
    pooled : those of the 14 areas combined, as published (see `read_benchmarks`).
    outline, targets, timetable : planning data.
    progress : what was delivered, where the survey records it.
    tables : plan tables of the provinces.
    """

    survey: Survey
    area: str
    name_en: str
    name_zh: str
    counties: pd.DataFrame
    surveyed: pd.DataFrame
    estimates: pd.DataFrame
    pooled: pd.DataFrame
    outline: Outline
    targets: targets.Targets
    timetable: schedule.Schedule
    progress: schedule.Progress | None
    tables: tables.PlanTables

    @cached_property
    def own(self) -> dict[str, Row]:
        """The area's estimates by indicator."""
        return by_indicator(self.estimates, "area", self.area)

    @cached_property
    def pool(self) -> dict[str, Row]:
        """The estimates of the 14 areas combined by indicator."""
        return by_indicator(self.pooled, "all")

    @cached_property
    def situations(self) -> dict[str, pd.DataFrame]:
        """`situation` of each chapter."""
        return {c.id: situation(self, c.indicators) for c in self.outline.chapters}

    @cached_property
    def statements(self) -> pd.DataFrame:
        """The draft as a table (`draft_frame`)."""
        return _statements(self)

    @cached_property
    def provinces(self) -> dict[str, str]:
        """Province id -> English name, for the provinces of the surveyed counties."""
        return dict(zip(self.surveyed["province_id"], self.surveyed["province_en"], strict=True))

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """Verified targets against the baseline (`target_gaps`), and where: domain_name."""
        frame = targets.target_gaps(
            self.targets, self.estimates, self.area, list(self.provinces), self.survey.year
        )
        partial = frame["domain_kind"] == "province"
        names = frame["domain"].map(self.provinces).where(partial, "")
        money = frame["unit"].replace({"money": self.survey.currency.unit})
        return frame.assign(domain_name=names, unit=money)

    @cached_property
    def priorities(self) -> pd.DataFrame:
        """Deprivations by contribution, with the key tasks (`deprivation_priorities`)."""
        return priorities.deprivation_priorities(self.outline, self.estimates, self.area)

    @cached_property
    def need(self) -> pd.DataFrame:
        """Counties by headcount (`greatest_need`)."""
        return priorities.greatest_need(self.estimates, self.counties)

    @cached_property
    def schedule(self) -> pd.DataFrame:
        """Events and products with what is late (`schedule_frame`)."""
        return schedule.schedule_frame(self.timetable, self.area, self.provinces, self.progress)

    @property
    def line(self) -> str:
        """The main poverty line in words."""
        line = self.survey.line
        return f"{line.value:,.0f} {self.survey.currency.unit}, {line.prices}"

    @property
    def as_of(self) -> str:
        """The day against which lateness is judged, as text."""
        return schedule.as_of(self.timetable, self.progress).isoformat()


def load_draft(survey: str, area: str) -> Draft:
    """Gather what an area's plan is drafted from.

    Parameters
    ----------
    survey : name of the survey.
    area : one of its areas.

    Raises
    ------
    PovmonError : unknown survey or area, estimates not made yet, or faulty planning data.
    """
    chosen = load_survey(survey)
    chosen.check_area(area)
    name_en, name_zh = chosen.area_names[area]
    outline = load_outline()
    everywhere = reference.counties()
    counties = everywhere[everywhere["area_id"] == area].reset_index(drop=True)
    surveyed = counties
    if chosen.only_counties:
        surveyed = counties[counties["county_id"].isin(chosen.only_counties)]
    return Draft(
        survey=chosen,
        area=area,
        name_en=name_en,
        name_zh=name_zh,
        counties=counties,
        surveyed=surveyed.reset_index(drop=True),
        estimates=read_estimates(survey, area),
        pooled=read_benchmarks(survey, POOLED),
        outline=outline,
        targets=targets.load_targets(),
        timetable=schedule.load_schedule(),
        progress=schedule.load_progress(chosen),
        tables=tables.load_tables(survey, area, surveyed, outline),
    )


def situation(draft: Draft, indicators: list[str]) -> pd.DataFrame:
    """Indicators of the area beside the 14 areas combined, with the difference.

    The interval of the difference is made from the two intervals (Zou and Donner, 2008, section
    2.2; for proportions Newcombe, 1998, method 10), so that a share of 0 or 1, whose linearised
    error is zero, keeps its uncertainty. It is conservative: the area is part of the pool, and
    the positive correlation of the two estimates is left out of account.

    Parameters
    ----------
    draft : the draft plan.
    indicators : indicator ids; those that the survey does not have are left out.

    Returns
    -------
    frame, one row an indicator: indicator, en, zh, unit, estimate, ci_low, ci_high, flag,
    reason, pooled, pooled_low, pooled_high, difference, difference_low, difference_high,
    reading (worse, better, higher, lower, cannot tell, or empty where there is no comparison).
    """
    money = draft.survey.currency.unit
    rows = [_compare(draft.own[i], draft.pool.get(i), money) for i in indicators if i in draft.own]
    columns = [
        "indicator", "en", "zh", "unit", "estimate", "ci_low", "ci_high", "flag", "reason",
        "pooled", "pooled_low", "pooled_high", "difference", "difference_low",
        "difference_high", "reading",
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=columns)
    # The forms count in units of 10,000 yuan, which cannot follow a number in a text.
    large = frame["unit"] == "10,000 yuan"
    frame["estimate"] = frame["estimate"].mask(large, frame["estimate"] / 100)
    frame["unit"] = frame["unit"].mask(large, "million yuan")
    return frame


def _compare(own: Row, other: Row | None, money: str) -> Row:
    label = CATALOGUE[own["indicator"]]
    row: Row = {
        "indicator": own["indicator"], "en": label.en, "zh": label.zh, "reading": "",
        "unit": money if own["unit"] == "money" else own["unit"],
        **{k: own[k] for k in ("estimate", "ci_low", "ci_high", "flag", "reason")},
        **dict.fromkeys(
            ("pooled", "pooled_low", "pooled_high", "difference", "difference_low",
             "difference_high"), math.nan),
    }  # fmt: skip
    if other is None or own["unit"] in TOTALS:
        return row
    row |= {
        "pooled": other["estimate"], "pooled_low": other["ci_low"], "pooled_high": other["ci_high"]
    }  # fmt: skip
    if any(pd.isna(x[k]) for x in (own, other) for k in ("estimate", "ci_low", "ci_high")):
        return row
    return row | _difference(own, other, label.good)


def _difference(own: Row, other: Row, good: str) -> Row:
    here, there = float(own["estimate"]), float(other["estimate"])
    value = here - there
    low = value - math.hypot(here - own["ci_low"], other["ci_high"] - there)
    high = value + math.hypot(own["ci_high"] - here, there - other["ci_low"])
    reading = targets.CANNOT_TELL
    if low > 0 or high < 0:
        reading = HIGHER if low > 0 else LOWER
        if good in ("high", "low"):
            reading = BETTER if (low > 0) == (good == "high") else WORSE
    return {
        "difference": value, "difference_low": low, "difference_high": high, "reading": reading
    }  # fmt: skip


def chapter_situation(draft: Draft, chapter: str) -> pd.DataFrame:
    """`situation` for the indicators that the outline assigns to a chapter."""
    return draft.situations[draft.outline.chapter(chapter).id].copy(deep=False)


@dataclass(frozen=True)
class ChapterView:
    """A chapter of the draft: its indicators, its key tasks and what the planners write."""

    en: str
    zh: str
    situation: pd.DataFrame
    tasks: pd.DataFrame
    planners: str


def chapters(draft: Draft) -> dict[str, ChapterView]:
    """All chapters of the draft by id, in the outline's order."""
    return {
        c.id: ChapterView(
            c.en, c.zh, chapter_situation(draft, c.id), tasks_frame(draft.outline, c.id), c.planners
        )
        for c in draft.outline.chapters
    }


def provinces_frame(draft: Draft, indicator: str = "headcount") -> pd.DataFrame:
    """One indicator for the area's part of each province, in the order of their codes."""
    rows = draft.estimates[
        (draft.estimates["domain_kind"] == "province") & (draft.estimates["indicator"] == indicator)
    ].sort_values("domain")
    names = draft.surveyed.drop_duplicates("province_id").set_index("province_id")
    counts = draft.surveyed["province_id"].value_counts()
    return pd.DataFrame(
        {
            "province_id": rows["domain"],
            "province_en": rows["domain"].map(names["province_en"]),
            "province_zh": rows["domain"].map(names["province_zh"]),
            "counties": rows["domain"].map(counts),
            **{
                c: rows[c] for c in ("unit", "estimate", "ci_low", "ci_high", "n", "flag", "reason")
            },
        }
    ).reset_index(drop=True)


def draft_frame(draft: Draft) -> pd.DataFrame:
    """The draft plan as a table: one row a statement, chapter by chapter.

    Returns
    -------
    frame: survey, area, position (chapter, from 1), chapter, chapter_en, chapter_zh, kind (data,
    task, or planners: left for the planners to write), item (indicator, county, target or task
    id), estimate, ci_low, ci_high, unit, text.
    """
    return draft.statements.copy(deep=False)


def _statements(draft: Draft) -> pd.DataFrame:
    rows: list[Row] = []
    for position, chapter in enumerate(draft.outline.chapters, 1):
        head = {
            "survey": draft.survey.survey, "area": draft.area, "position": position,
            "chapter": chapter.id, "chapter_en": chapter.en, "chapter_zh": chapter.zh,
        }  # fmt: skip
        items = [*_data_items(draft, chapter.id), *_task_items(draft, chapter.id)]
        items.append({"kind": "planners", "item": "", "text": f"To be written: {chapter.planners}"})
        rows += [head | item for item in items]
    columns = [
        "survey", "area", "position", "chapter", "chapter_en", "chapter_zh", "kind", "item",
        "estimate", "ci_low", "ci_high", "unit", "text",
    ]  # fmt: skip
    frame = pd.DataFrame(rows).reindex(columns=columns)
    return frame.assign(unit=frame["unit"].fillna(""))


def _data_items(draft: Draft, chapter: str) -> list[Row]:
    """What the data say for a chapter."""
    frame = chapter_situation(draft, chapter)
    items = [_item(r["indicator"], r["en"], r) for _, r in frame.iterrows()]
    if chapter == "general_requirements":
        items += [
            {"kind": "data", "item": r["target"], "text": targets.describe(r), "unit": r["unit"],
             "estimate": r["estimate"], "ci_low": r["ci_low"], "ci_high": r["ci_high"]}
            for _, r in draft.gaps.iterrows()
        ]  # fmt: skip
    if chapter == "spatial_layout":
        need = draft.need[draft.need["rank"].notna()]
        items += [_item(r["county_id"], str(r["county_en"]), r) for _, r in need.iterrows()]
    return items


def _item(name: str, label: str, row: pd.Series) -> Row:
    text = label
    if pd.isna(row["estimate"]):
        text = f"{label}: not shown ({row['reason']})"
    elif row["unit"] == "share":
        ends = f"{percent(row['ci_low'])} to {percent(row['ci_high'])}"
        text = f"{label}: {percent(row['estimate'])} ({ends})"
    return {
        "kind": "data", "item": name, "text": text,
        **{c: row[c] for c in ("estimate", "ci_low", "ci_high", "unit")},
    }  # fmt: skip


def _task_items(draft: Draft, chapter: str) -> list[Row]:
    tasks = [t for t in draft.outline.key_tasks if t.chapter == chapter]
    return [{"kind": "task", "item": t.id, "text": t.en} for t in tasks]


def accounting(draft: Draft) -> pd.DataFrame | None:
    """The audit's account of records received, accepted, corrected and rejected."""
    return read_parquet(draft.survey.survey, draft.area, "accounting")


def tables_received(draft: Draft) -> pd.DataFrame:
    """Which provinces sent their plan table.

    Returns
    -------
    frame, one row a province of the area: province_id, province, received (bool), projects
    (accepted rows), faults.
    """
    rows = draft.tables.rows["province_id"].value_counts()
    faults = draft.tables.faults["province_id"].value_counts()
    return pd.DataFrame(
        [
            (p, name, p in draft.tables.received, int(rows.get(p, 0)), int(faults.get(p, 0)))
            for p, name in draft.provinces.items()
        ],
        columns=["province_id", "province", "received", "projects", "faults"],
    )
