"""Plan tables that the provinces send back, one CSV a province, rolled up by area.

A table lies in data/raw/<survey>/planning/tables/<area>/<province_id>.csv: one row a project,
and optionally a last row with ``county_id`` = ``total`` that holds the province's own sum of
the investment. What fails a check is kept out of the roll-up and named.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from povmon import paths
from povmon.errors import PovmonError
from povmon.planning._read import place
from povmon.planning.outline import Outline

COLUMNS = {
    "county_id": "str", "task": "str", "project": "str", "unit": "str",
    "quantity": "float64", "investment": "float64", "start_year": "float64",
    "end_year": "float64",
}  # fmt: skip
TOTAL = "total"
TOLERANCE = 0.5  # a province may round its total to whole 10,000 yuan


@dataclass(frozen=True)
class PlanTables:
    """The plan tables of an area.

    Attributes
    ----------
    rows : accepted projects of all provinces (columns of the file, province_id, source_file,
        source_line; investment in 10,000 yuan).
    faults : one row a fault: province_id, line, column, message.
    received : province ids whose table is there.
    missing : province ids whose table is not.
    """

    rows: pd.DataFrame
    faults: pd.DataFrame
    received: list[str]
    missing: list[str]


def load_tables(survey: str, area: str, counties: pd.DataFrame, outline: Outline) -> PlanTables:
    """Read and check the plan tables of an area.

    Parameters
    ----------
    survey, area : names.
    counties : counties of the area (county_id, province_id).
    outline : gives the key tasks and the years of the plan.

    Raises
    ------
    PovmonError : a table is not readable as CSV in UTF-8, lacks a column, or belongs to no
        province of the area.
    """
    folder = paths.raw(survey) / "planning" / "tables" / paths.checked(area, "area")
    provinces = list(dict.fromkeys(counties["province_id"]))
    received = [p for p in provinces if (folder / f"{p}.csv").is_file()]
    _refuse_strangers(folder, provinces)
    accepted, faults = [_empty_rows()], [_empty_faults()]
    for province in received:
        own = set(counties.loc[counties["province_id"] == province, "county_id"])
        frame = _read(folder / f"{province}.csv").assign(province_id=province)
        found = _faults(frame, own, outline)
        faults.append(found.assign(province_id=province))
        projects = frame[(frame["county_id"] != TOTAL) & ~frame["line"].isin(found["line"])]
        accepted.append(projects)
    return PlanTables(
        pd.concat(accepted, ignore_index=True),
        pd.concat(faults, ignore_index=True),
        received,
        [p for p in provinces if p not in received],
    )


def _refuse_strangers(folder: Path, provinces: list[str]) -> None:
    """A file that belongs to no province of the area is an error, not a thing to overlook."""
    found = {p.name for p in folder.glob("*") if not p.name.startswith(".")}
    strange = sorted(found - {f"{p}.csv" for p in provinces})
    if strange:
        raise PovmonError(
            f"{strange[0]} is not the table of a province of this area",
            where=place(folder),
            todo=f"the files are named: {', '.join(f'{p}.csv' for p in provinces)}",
        )


def _empty_rows() -> pd.DataFrame:
    types = COLUMNS | {"line": "int64", "province_id": "str"}
    return pd.DataFrame({c: pd.Series(dtype=t) for c, t in types.items()})


def _empty_faults() -> pd.DataFrame:
    types = {"province_id": "str", "line": "int64", "column": "str", "message": "str"}
    return pd.DataFrame({c: pd.Series(dtype=t) for c, t in types.items()})


def _read(path: Path) -> pd.DataFrame:
    """The file's rows as text turned into the declared types, with the line each came from."""
    where = place(path)
    try:
        frame = pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig")
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise PovmonError(
            f"not readable as CSV in UTF-8 ({error})", where=where, todo="save it again as such"
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise PovmonError(
            "the rows have more cells than the first line has names",
            where=where,
            todo="correct the first line",
        )
    lacking = [c for c in COLUMNS if c not in frame.columns]
    if lacking:
        raise PovmonError(
            f"column {', '.join(lacking)} is missing",
            where=f"{where}, line 1",
            todo=f"the columns are: {', '.join(COLUMNS)}",
        )
    frame = frame[list(COLUMNS)].apply(lambda column: column.str.strip())
    frame["line"] = range(2, len(frame) + 2)
    for column, dtype in COLUMNS.items():
        if dtype == "float64":
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame


def _faults(frame: pd.DataFrame, counties: set[str], outline: Outline) -> pd.DataFrame:
    """One row a fault of a province's table."""
    data = frame[frame["county_id"] != TOTAL]
    start, end = outline.horizon.start, outline.horizon.end
    tasks = {t.id for t in outline.key_tasks}
    years = data["start_year"].between(start, end) & data["end_year"].between(start, end)
    checks = [
        ("county_id", ~data["county_id"].isin(counties), "not a county of this province and area"),
        ("task", ~data["task"].isin(tasks), "not a key task of the outline"),
        ("quantity", ~(data["quantity"] >= 0), "not a number of at least 0"),
        ("investment", ~(data["investment"] >= 0), "not a number of at least 0"),
        ("start_year", ~years, f"the years are not within {start} to {end}"),
        ("end_year", data["end_year"] < data["start_year"], "ends before it starts"),
        ("project", data.duplicated(["county_id", "task", "project"]), "given twice"),
    ]
    parts = [_empty_faults().drop(columns="province_id")]
    parts += [
        pd.DataFrame({"line": data.loc[bad, "line"], "column": column, "message": message})
        for column, bad, message in checks
    ]
    parts.append(_total_faults(frame, data))
    return pd.concat(parts, ignore_index=True).sort_values("line", kind="stable")


def _total_faults(frame: pd.DataFrame, data: pd.DataFrame) -> pd.DataFrame:
    """The province's own total row against the sum of its projects."""
    total = frame[frame["county_id"] == TOTAL]
    wrong = total[~((total["investment"] - data["investment"].sum()).abs() <= TOLERANCE)]
    message = f"the total differs from the sum of the projects, {data['investment'].sum():,.1f}"
    return pd.DataFrame({"line": wrong["line"], "column": "investment", "message": message})


def roll_up(tables: PlanTables, outline: Outline) -> pd.DataFrame:
    """Projects, counties and investment by key task, a row for all tasks last.

    Returns
    -------
    frame: task, en, zh, projects, counties, investment (10,000 yuan), one column a province
    (``p<id>``) with its investment. The provinces add up to the area's sum in every row.
    """
    if tables.rows.empty:
        return pd.DataFrame(columns=["task", "en", "zh", "projects", "counties", "investment"])
    groups = [(t.id, t.en, t.zh) for t in outline.key_tasks]
    rows = []
    for task, en, zh in [*groups, (TOTAL, "All key tasks", "合计")]:
        part = tables.rows if task == TOTAL else tables.rows[tables.rows["task"] == task]
        by_province = part.groupby("province_id")["investment"].sum()
        rows.append(
            {"task": task, "en": en, "zh": zh, "projects": len(part),
             "counties": part["county_id"].nunique(), "investment": part["investment"].sum()}
            | {f"p{p}": float(by_province.get(p, 0.0)) for p in tables.received}
        )  # fmt: skip
    return pd.DataFrame(rows)
