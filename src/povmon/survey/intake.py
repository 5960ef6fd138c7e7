"""Intake: what the provinces sent, row by row as text, every row with its file, sheet and line.

Nothing is judged here. What prevents reading is a `PovmonError`; whatever else is noticed about
the files (columns not used, totals left out, a manifest that does not fit) becomes a remark for
the audit. Personal data are replaced here, before anything else sees them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from povmon import paths, privacy
from povmon.errors import PovmonError
from povmon.survey.collect import Collector, Remark, Sheet
from povmon.survey.config import Survey
from povmon.survey.deliveries import Delivery, deliveries
from povmon.survey.forms import FORMS
from povmon.survey.frame import survey_counties

__all__ = [
    "Delivery", "Intake", "Remark", "expected_provinces", "previous_submissions",
    "read_submissions", "row_keys",
]  # fmt: skip

FILES = {
    "form": "str", "province_id": "str", "file": "str", "sheet": "str", "encoding": "str",
    "rows": "Int64", "rows_area": "Int64", "left_out": "Int64", "sha256": "str",
    "status": "str", "received": "str", "form_version": "str",
}  # fmt: skip


@dataclass(frozen=True)
class Intake:
    """Everything that was read for one area.

    Parameters
    ----------
    survey, area : what was read.
    rows : form -> one row a submitted record: the form's columns as text ("" for empty or not
        submitted), ``source_file`` (relative to submissions/), ``source_sheet`` ("" where a file
        has no sheets), ``source_line`` and ``submitted_by`` (province id of the folder, "" for a
        survey delivered whole).
    submitted : form -> fields that at least one file had.
    files : one row a file or sheet: form, province_id, file, sheet, encoding (of text, else the
        format), rows (records; missing when unreadable), rows_area, left_out (totals and notes,
        which are no records), sha256, status ("used" or "superseded"), received (ISO date, ""
        when not known), form_version.
    deliveries : all that arrived, by province, oldest first.
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
    """Read all that was submitted for one area of a survey, the newest delivery of each form.

    Parameters
    ----------
    survey : the survey, as `load_survey` gives it.
    area : one of its areas.

    Raises
    ------
    PovmonError : unknown area; nothing arrived for it; a form is missing; a file is empty,
        corrupt, of an unknown encoding or format, or without a required column (file, sheet and
        line are named).
    """
    survey.check_area(area)
    collector = Collector(survey, area)
    arrived = {p: found for p, _, found in _arrived(survey, area) if found}
    if not arrived:
        raise _no_folder(survey, _top(survey, area))
    expected = expected_provinces(survey, area)
    for province in [p for p in expected if p not in arrived]:
        collector.remark("province_missing", "file", f"{area}/{province}", value=province)
    for province, found in arrived.items():
        if province not in expected:
            collector.remark("folder_unexpected", "file", found[0].place, value=province)
        collector.read(found)
    return _intake(survey, area, collector, arrived)


def previous_submissions(survey: Survey, area: str) -> Intake | None:
    """What stood before the newest delivery of each province that has sent more than one.

    Parameters
    ----------
    survey, area : as for `read_submissions`.

    Returns
    -------
    The same as `read_submissions` gave then; None when no province has sent anything twice.
    Files of that time which cannot be read are left out.
    """
    survey.check_area(area)
    arrived = {p: found for p, _, found in _arrived(survey, area) if found}
    if not any(len(found) > 1 for found in arrived.values()):
        return None
    collector = Collector(survey, area, lenient=True)
    before = {p: found[:-1] if len(found) > 1 else found for p, found in arrived.items()}
    for found in before.values():
        collector.read(found)
    return _intake(survey, area, collector, before)


def expected_provinces(survey: Survey, area: str) -> list[str]:
    """Provinces that should send something for an area; [""] for a survey delivered whole."""
    if survey.delivery == "whole":
        return [""]
    return sorted(survey_counties(survey, area)["province_id"].unique())


def _top(survey: Survey, area: str) -> Path:
    top = paths.submissions(survey.survey)
    return top if survey.delivery == "whole" else top / area


def _arrived(survey: Survey, area: str) -> Iterator[tuple[str, Path, list[Delivery]]]:
    """Province, folder and deliveries, by province."""
    top = _top(survey, area)
    if not top.is_dir():
        raise _no_folder(survey, top)
    _refuse_links(survey, top)
    if survey.delivery == "whole":
        yield "", top, deliveries(survey, "", top, "")
        return
    for folder in sorted(p for p in top.glob("[!.]*") if p.is_dir()):
        shown = privacy.scrub_path(folder.name, survey.survey)
        yield shown, folder, deliveries(survey, shown, folder, f"{area}/{shown}/")


def _refuse_links(survey: Survey, folder: Path) -> None:
    """What was submitted must lie there itself: a link could lead to any file of this machine."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if not paths.plain(entry):
            below = Path(entry.path).relative_to(paths.submissions(survey.survey))
            shown = privacy.scrub_path(below.as_posix(), survey.survey)
            raise PovmonError(
                "is a link, or no plain file or folder",
                where=f"submissions/{shown}",
                todo="replace it by the file itself; links are not followed",
            )
        if entry.is_dir():
            _refuse_links(survey, Path(entry.path))


def _no_folder(survey: Survey, folder: Path) -> PovmonError:
    shown = folder.relative_to(paths.root())
    state = "is empty" if folder.is_dir() else "is missing"
    files = ", ".join(f"{form}.csv" for form in survey.forms)
    if survey.synthetic:
        todo = f"run `make generate SURVEY={survey.survey}` to write the generated submissions"
    elif survey.delivery == "whole":
        todo = f"put the survey's files there: {files}"
    else:
        todo = f"put one folder a province there, with {files}"
    return PovmonError(f"the submissions folder {shown} {state}", where=survey.survey, todo=todo)


def _intake(
    survey: Survey, area: str, collector: Collector, arrived: dict[str, list[Delivery]]
) -> Intake:
    rows: dict[str, pd.DataFrame] = {
        form: _rows(form, collector.sheets[form]) for form in survey.forms
    }
    for form, frame in rows.items():
        if survey.delivery == "whole":
            mine = collector.mine(form)
            collector.elsewhere[form] |= set(row_keys(form, frame[~mine]))
            rows[form] = frame[mine].reset_index(drop=True)
    files = pd.DataFrame(collector.files, columns=list(FILES)).astype(FILES)
    every = [delivery for found in arrived.values() for delivery in found]
    return Intake(
        survey, area, rows, collector.submitted, files, every, collector.remarks,
        collector.elsewhere,
    )  # fmt: skip


def row_keys(form: str, rows: pd.DataFrame) -> pd.Series:
    """The key of each row as one text, its parts joined by "/"."""
    first, *others = FORMS[form].key
    key = rows[first].astype("str").fillna("")
    for name in others:
        key = key + "/" + rows[name].astype("str").fillna("")
    return key


def _rows(form: str, sheets: list[Sheet]) -> pd.DataFrame:
    """The records of a form's sheets below each other, with where they came from."""
    lengths = [len(sheet.lines) for sheet in sheets]
    blank = [pa.array([""] * length, type=pa.large_string()) for length in lengths]
    data = {
        name: _text([s.cells.get(name, none) for s, none in zip(sheets, blank, strict=True)])
        for name in FORMS[form].columns
    }
    for name, of in (("source_file", "file"), ("source_sheet", "sheet")):
        data[name] = _text([pa.repeat(pa.scalar(getattr(s, of), pa.large_string()), len(s.lines))
                            for s in sheets])  # fmt: skip
    data["source_line"] = pd.Series([n for s in sheets for n in s.lines], dtype="int64")
    senders = [pa.repeat(pa.scalar(s.province, pa.large_string()), len(s.lines)) for s in sheets]
    data["submitted_by"] = _text(senders)
    return pd.DataFrame(data)


def _text(parts: list[pa.Array]) -> pd.Series:
    whole = pa.concat_arrays(parts) if parts else pa.array([], type=pa.large_string())
    return pd.Series(whole, dtype="str")
