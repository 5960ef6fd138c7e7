"""Intake: what the provinces sent, row by row as text, every row with its file and line.

Nothing is judged here. What prevents reading is a `PovmonError`; whatever else is noticed about
the files (columns not used, a manifest that does not fit) becomes a remark for the audit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from povmon import paths
from povmon.errors import PovmonError
from povmon.survey.columns import area_of_rows, text_columns, unused_columns
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS
from povmon.survey.frame import survey_counties
from povmon.survey.manifest import Manifest, read_manifest
from povmon.survey.text import TextTable, read_text_table


@dataclass(frozen=True)
class Remark:
    """Something noticed while reading a file (`rule` names its entry in the rules catalogue)."""

    rule: str
    level: str
    file: str
    line: int
    column: str
    value: str
    detail: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Delivery:
    """One folder as it arrived: of a province, or of the whole survey (``province_id`` "")."""

    province_id: str
    place: str
    manifest: Manifest


@dataclass(frozen=True)
class Intake:
    """Everything that was read for one area.

    Parameters
    ----------
    survey, area : what was read.
    rows : form -> one row a submitted record: the form's columns as text ("" for empty or not
        submitted), ``source_file`` (relative to submissions/), ``source_sheet``
        ("" where a file has no sheets), ``source_line`` and ``submitted_by`` (province id of
        the folder, "" for a survey delivered whole).
    submitted : form -> fields that at least one file had.
    files : one row a file: form, province_id, file, encoding, rows, rows_area, sha256.
    deliveries : the folders, with their manifests.
    remarks : what was noticed.
    elsewhere : form -> keys ("/" between parts) of rows in the same file that belong to other
        areas; empty for delivery area_province.
    """

    survey: Survey
    area: str
    rows: dict[str, pd.DataFrame]
    submitted: dict[str, set[str]]
    files: pd.DataFrame
    deliveries: list[Delivery]
    remarks: list[Remark]
    elsewhere: dict[str, set[str]] = field(default_factory=dict)


def read_submissions(survey: Survey, area: str) -> Intake:
    """Read all that was submitted for one area of a survey.

    Parameters
    ----------
    survey : the survey, as `load_survey` gives it.
    area : one of its areas.

    Raises
    ------
    PovmonError : unknown area; a folder or file is missing; a file is empty, corrupt, in an
        unknown encoding, or without a required column (file and line are named).
    """
    survey.check_area(area)
    reader = _Reader(survey, area)
    for province, folder in _folders(survey, area):
        reader.read_folder(province, folder)
    return reader.intake()


def expected_provinces(survey: Survey, area: str) -> list[str]:
    """Provinces that should send something for an area; [""] for a survey delivered whole."""
    if survey.delivery == "whole":
        return [""]
    return sorted(survey_counties(survey, area)["province_id"].unique())


def _folders(survey: Survey, area: str) -> Iterator[tuple[str, Path]]:
    top = paths.submissions(survey.survey)
    if survey.delivery == "whole":
        if not top.is_dir():
            raise _no_folder(survey, top)
        yield "", top
        return
    folders = sorted(p for p in (top / area).glob("[!.]*") if p.is_dir())
    if not folders:
        raise _no_folder(survey, top / area)
    for folder in folders:
        yield folder.name, folder


def _no_folder(survey: Survey, folder: Path) -> PovmonError:
    shown = folder.relative_to(paths.root())
    state = "is empty" if folder.is_dir() else "is missing"
    if survey.synthetic:
        todo = f"run `make generate SURVEY={survey.survey}` to write the generated submissions"
    elif survey.delivery == "whole":
        todo = f"put the survey's files there: {_file_list(survey)}"
    else:
        todo = f"put one folder a province there, with {_file_list(survey)}"
    return PovmonError(f"the submissions folder {shown} {state}", where=survey.survey, todo=todo)


def _file_list(survey: Survey) -> str:
    return ", ".join(f"{form}.csv" for form in survey.forms)


class _Reader:
    """Collects the rows of one area, file by file."""

    def __init__(self, survey: Survey, area: str) -> None:
        self.survey = survey
        self.area = area
        self.expected = expected_provinces(survey, area)
        self.parts: dict[str, list[pd.DataFrame]] = {form: [] for form in survey.forms}
        self.submitted: dict[str, set[str]] = {form: set() for form in survey.forms}
        self.elsewhere: dict[str, set[str]] = {form: set() for form in survey.forms}
        self.files: list[dict[str, object]] = []
        self.deliveries: list[Delivery] = []
        self.remarks: list[Remark] = []

    def intake(self) -> Intake:
        rows = {form: pd.concat(parts, ignore_index=True) for form, parts in self.parts.items()}
        files = pd.DataFrame(self.files)
        return Intake(
            self.survey, self.area, rows, self.submitted, files, self.deliveries, self.remarks,
            self.elsewhere,
        )  # fmt: skip

    def read_folder(self, province: str, folder: Path) -> None:
        place = folder.relative_to(paths.submissions(self.survey.survey)).as_posix()
        place = "" if place == "." else f"{place}/"
        if province not in self.expected:
            self._remark("folder_unexpected", "file", place or ".", value=province)
        manifest = read_manifest(folder, f"{place}manifest.yml")
        self.deliveries.append(Delivery(province, place, manifest))
        if manifest.problem:
            self._remark("manifest", "file", manifest.place, detail=manifest.problem)
        for form in self.survey.forms:
            self._read_file(form, province, folder / f"{form}.csv", place, manifest)
        known = {f"{form}.csv" for form in self.survey.forms} | {"manifest.yml"}
        for path in sorted(folder.iterdir()):
            if path.name not in known and not path.name.startswith("."):
                self._remark("file_not_read", "file", f"{place}{path.name}")

    def _read_file(
        self, form: str, province: str, path: Path, place: str, manifest: Manifest
    ) -> None:
        name = f"{place}{path.name}"
        if not path.is_file():
            raise PovmonError(
                f"the file {path.name} is missing",
                where=f"submissions/{name}",
                todo=f"each submission needs {_file_list(self.survey)}",
            )
        table = read_text_table(path, f"submissions/{name}")
        found = text_columns(self.survey, FORMS[form], table)
        self.submitted[form] |= set(found)
        rows = _frame(form, found, table, name, province)
        mine = self._rows_of_area(form, rows, table)
        self.parts[form].append(mine)
        self.files.append({
            "form": form, "province_id": province, "file": name, "encoding": table.encoding,
            "rows": len(rows), "rows_area": len(mine), "sha256": table.sha256,
        })  # fmt: skip
        self._remark_on_file(form, table, found, name, manifest)

    def _rows_of_area(self, form: str, rows: pd.DataFrame, table: TextTable) -> pd.DataFrame:
        if self.survey.delivery != "whole":
            return rows
        areas = area_of_rows(self.survey, table)
        other = rows[(areas != self.area).to_numpy()]
        self.elsewhere[form] |= set(row_keys(form, other))
        return rows[(areas == self.area).to_numpy()].reset_index(drop=True)

    def _remark_on_file(
        self, form: str, table: TextTable, found: dict[str, list[str]], name: str,
        manifest: Manifest,
    ) -> None:  # fmt: skip
        for column in unused_columns(self.survey, FORMS[form], table):
            self._remark("column_unknown", form, name, column=column)
        if form not in self.survey.columns:
            for field in FORMS[form].fields:
                if field.name not in found and not field.optional:
                    self._remark("column_missing", form, name, column=field.name)
        if not len(table):
            self._remark("file_no_rows", form, name)
        digest, count = manifest.files.get(f"{form}.csv", ("", None))
        if digest and digest != table.sha256:
            self._remark("file_changed", form, name, line=0, value=table.sha256[:12])
        if count is not None and count != len(table):
            detail = f"{len(table)} rows in the file, {count} in the manifest"
            self._remark("file_row_count", form, name, line=0, value=str(len(table)), detail=detail)

    def _remark(
        self, rule: str, level: str, file: str, *, line: int = 1, column: str = "",
        value: str = "", detail: str = "",
    ) -> None:  # fmt: skip
        self.remarks.append(Remark(rule, level, file, line, column, value, detail))


def row_keys(form: str, rows: pd.DataFrame) -> pd.Series:
    """The key of each row as one text, its parts joined by "/"."""
    first, *others = FORMS[form].key
    key = rows[first].astype("str").fillna("")
    for name in others:
        key = key + "/" + rows[name].astype("str").fillna("")
    return key


def _frame(
    form: str, found: dict[str, list[str]], table: TextTable, name: str, province: str
) -> pd.DataFrame:
    count = len(table)
    empty = pd.Series(pa.array([""] * count, type=pa.large_string()), dtype="str")
    data = {
        column: pd.Series(pa.array(found[column], type=pa.large_string()), dtype="str")
        if column in found
        else empty
        for column in FORMS[form].columns
    }
    rows = pd.DataFrame(data)
    rows["source_file"] = pd.Series([name] * count, dtype="str")
    rows["source_sheet"] = pd.Series([""] * count, dtype="str")
    rows["source_line"] = pd.Series(table.lines, dtype="int64")
    rows["submitted_by"] = pd.Series([province] * count, dtype="str")
    return rows
