"""The sheets of one area, delivery by delivery: which are used, what they hold, what is noticed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from povmon import privacy
from povmon.errors import PovmonError
from povmon.survey.columns import (
    area_of_rows,
    heading_of,
    text_columns,
    unused_columns,
    with_labels,
    with_unit,
)
from povmon.survey.config import Survey
from povmon.survey.deliveries import Delivery
from povmon.survey.forms import FORMS
from povmon.survey.header import TextTable, as_table
from povmon.survey.personal import hide
from povmon.survey.readers import unreadable
from povmon.survey.sheets import Part, Sorter
from povmon.survey.units import Money


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
class Sheet:
    """The records of one sheet that are used: field -> cells, and where each came from."""

    province: str
    file: str
    sheet: str
    cells: dict[str, pa.Array]
    lines: list[int]
    mine: np.ndarray


@dataclass(frozen=True)
class _Table:
    """A part with its table, or with the error that kept it from being one."""

    part: Part
    table: TextTable | None
    error: PovmonError | None


class Collector:
    """Collects the sheets of one area.

    Parameters
    ----------
    survey, area : what is read.
    lenient : True leaves out what cannot be read or is missing instead of raising.
    """

    def __init__(self, survey: Survey, area: str, lenient: bool = False) -> None:
        self.survey = survey
        self.area = area
        self.lenient = lenient
        self.sorter = Sorter(survey)
        self.money = money_of(survey)
        self.sheets: dict[str, list[Sheet]] = {form: [] for form in survey.forms}
        self.submitted: dict[str, set[str]] = {form: set() for form in survey.forms}
        self.elsewhere: dict[str, set[str]] = {form: set() for form in survey.forms}
        self.files: list[dict[str, object]] = []
        self.remarks: list[Remark] = []

    def mine(self, form: str) -> np.ndarray:
        """Which rows of a form belong to the area."""
        parts = [sheet.mine for sheet in self.sheets[form]]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)

    def remark(
        self, rule: str, level: str, file: str, *, line: int = 1, column: str = "",
        value: str = "", detail: str = "", sheet: str = "",
    ) -> None:  # fmt: skip
        """Enter a remark."""
        self.remarks.append(Remark(rule, level, file, line, column, value, detail, sheet))

    def read(self, arrived: list[Delivery]) -> None:
        """Read the deliveries of one province, oldest first.

        Raises
        ------
        PovmonError : a form is missing, or its newest files cannot be read.
        """
        tables = [self._tables(delivery) for delivery in arrived]
        for form in self.survey.forms:
            having = [n for n, found in enumerate(tables) if _holds(found[form])]
            if not having:
                having = [n for n, found in enumerate(tables) if found[form]]
            if not having and not self.lenient:
                raise self._missing(form, arrived)
            newest = having[-1] if having else -1
            for n, delivery in enumerate(arrived):
                for entry in tables[n][form]:
                    self._enter(form, delivery, entry, used=n == newest)
            if having:
                self._compare(form, [tables[n][form] for n in having])

    def _tables(self, delivery: Delivery) -> dict[str, list[_Table]]:
        """The tables of each form in a delivery; remarks on everything else in it."""
        self._remark_on_delivery(delivery)
        parts, asides = self.sorter.sort(delivery)
        for aside in asides:
            self.remark(aside.rule, "file", aside.file, sheet=aside.sheet, detail=aside.detail)
        for path in sorted(delivery.folder.iterdir()):
            nested = path.is_dir() and delivery.place.count("/") > self._depth()
            if nested and not path.name.startswith("."):
                shown = privacy.scrub_path(path.name, self.survey.survey)
                self.remark("file_not_read", "file", f"{delivery.place}{shown}", detail="a folder")
        tables: dict[str, list[_Table]] = {form: [] for form in self.survey.forms}
        for part in parts:
            tables[part.form].append(self._table(part))
        return tables

    def _depth(self) -> int:
        """Slashes in the place of a first delivery; a later one has more."""
        return 0 if self.survey.delivery == "whole" else 2

    def _remark_on_delivery(self, delivery: Delivery) -> None:
        manifest = delivery.manifest
        if manifest.problem:
            detail = privacy.scrub(manifest.problem, self.survey.survey)
            self.remark("manifest", "file", manifest.place, detail=detail)

    def _table(self, part: Part) -> _Table:
        if part.source is None or part.grid is None:
            return _Table(part, None, part.error)
        form = FORMS[part.form]
        ids = [*form.key, *([form.parent[1]] if form.parent else [])]
        names = [heading_of(self.survey, part.form, name) for name in ids]
        try:
            known = self.sorter.headings[part.form]
            return _Table(part, as_table(part.source, part.grid, known, names), None)
        except PovmonError as error:
            return _Table(part, None, error)

    def _missing(self, form: str, arrived: list[Delivery]) -> PovmonError:
        place = f"submissions/{arrived[-1].place}"
        wanted = ", ".join(f"{name}.csv" for name in self.survey.forms)
        refused = [
            f"{d.shown(p, self.survey.survey)} is {unreadable(p)}: save it as .xlsx or .csv"
            for d in arrived
            for p in d.files
            if unreadable(p)
        ]
        return PovmonError(
            f"the file {form}.csv is missing (or {form}.xlsx, .dta, .sav, or a sheet)",
            where=f"{place}{form}.csv",
            todo="; ".join(refused[:3]) or f"each submission needs {wanted}",
        )

    def _enter(self, form: str, delivery: Delivery, entry: _Table, used: bool) -> None:
        if used and entry.error is not None and not self.lenient:
            raise entry.error
        table, part = entry.table, entry.part
        # A table without rows is a table: only None is none.
        read = table if used else None
        of_area = 0 if read is None else self._read(form, delivery, part, read)
        digest = part.source.sha256 if part.source else ""
        properties = part.source.properties if part.source else {}
        version = delivery.manifest.form_version or properties.get("form_version", "")
        self.files.append({
            "form": form, "province_id": delivery.province_id, "file": part.file,
            "sheet": part.sheet, "encoding": part.source.encoding if part.source else "",
            "rows": None if table is None else len(table), "rows_area": of_area,
            "left_out": None if table is None else len(table.left_out), "sha256": digest,
            "status": "not read" if table is None else "used" if used else "superseded",
            "received": str(delivery.received or ""),
            "form_version": privacy.scrub(version, self.survey.survey),
        })  # fmt: skip
        if read is not None:
            self._remark_on_sheet(form, delivery, part, read)

    def _read(self, form: str, delivery: Delivery, part: Part, table: TextTable) -> int:
        """Take a sheet's records in; returns how many belong to the area."""
        found = text_columns(self.survey, FORMS[form], table)
        self.submitted[form] |= set(found)
        cells = {name: self._cells(form, name, text, part, table) for name, text in found.items()}
        mine = np.ones(len(table), dtype=bool)
        if self.survey.delivery == "whole":
            mine = (area_of_rows(self.survey, table) == self.area).to_numpy(dtype=bool)
        self.sheets[form].append(
            Sheet(delivery.province_id, part.file, part.sheet, cells, table.lines, mine)
        )
        return int(mine.sum())

    def _cells(
        self, form: str, name: str, cells: list[str], part: Part, table: TextTable
    ) -> pa.Array:
        """A field's cells with labels and units from the file, and without personal data."""
        field = FORMS[form][name]
        heading = heading_of(self.survey, form, name)
        if heading in table.labels:
            cells = with_labels(field, cells, table.labels[heading])
        if heading in table.units:
            unit = table.units[heading]
            cells, known = with_unit(field, cells, unit, self.money)
            if not known:
                shown = privacy.scrub(unit, self.survey.survey)
                self._on(form, part, "heading_unit", table.heading_line, name, value=shown)
        array = pa.array(cells, type=pa.large_string())
        array, hidden = hide(self.survey.survey, field, array)
        if hidden:
            detail = f"{hidden.cells} {'cell' if hidden.cells == 1 else 'cells'} of the column"
            self._on(form, part, "personal_data", table.lines[hidden.first], name, detail=detail)
        return array

    def _on(self, form: str, part: Part, rule: str, line: int, column: str = "", *,
            value: str = "", detail: str = "") -> None:  # fmt: skip
        self.remark(rule, form, part.file, line=line, column=column, value=value, detail=detail,
                    sheet=part.sheet)  # fmt: skip

    def _remark_on_sheet(self, form: str, delivery: Delivery, part: Part, table: TextTable) -> None:
        for column in unused_columns(self.survey, FORMS[form], table):
            personal = privacy.is_personal_heading(column)
            shown = privacy.scrub(column, self.survey.survey)
            rule = "column_personal" if personal else "column_unknown"
            self._on(form, part, rule, table.heading_line, shown)
        if form not in self.survey.columns:
            for field in FORMS[form].fields:
                if field.name not in table.columns and not field.optional:
                    self._on(form, part, "column_missing", table.heading_line, field.name)
        for row in table.left_out:
            self._on(form, part, row.rule, row.line, value=row.text)
        self._remark_on_formulas(form, part, table)
        if not len(table):
            self._on(form, part, "file_no_rows", table.heading_line)
        self._hold_against_manifest(form, delivery, part, table)
        self._hold_against_properties(form, delivery, part)

    def _remark_on_formulas(self, form: str, part: Part, table: TextTable) -> None:
        """One remark a column: formulas saved by a program that does not calculate."""
        for name in FORMS[form].columns:
            heading = heading_of(self.survey, form, name)
            lines = [line for line, column in table.unvalued if column == heading]
            if lines:
                detail = f"{len(lines)} {'cell' if len(lines) == 1 else 'cells'} of the column"
                self._on(form, part, "formula_without_value", lines[0], name, detail=detail)

    def _hold_against_manifest(
        self, form: str, delivery: Delivery, part: Part, table: TextTable
    ) -> None:
        digest, count = delivery.manifest.files.get(part.path.name, ("", None))
        if digest and digest != table.sha256:
            self._on(form, part, "file_changed", 0, value=table.sha256[:12])
        whole = len(table) + len(table.left_out)
        if count is not None and not part.sheet and count not in (len(table), whole):
            detail = f"{len(table)} rows in the file, {count} in the manifest"
            self._on(form, part, "file_row_count", 0, value=str(len(table)), detail=detail)

    def _hold_against_properties(self, form: str, delivery: Delivery, part: Part) -> None:
        """A form workbook that was made for another survey, area or province."""
        marks = part.source.properties if part.source else {}
        own = {"survey": self.survey.survey, "area": self.area, "province": delivery.province_id}
        other = [f"{name} {marks[name]}" for name, value in own.items()
                 if value and marks.get(name) and marks[name] != value]  # fmt: skip
        if other and self.survey.delivery != "whole":
            detail = privacy.scrub(", ".join(other), self.survey.survey)
            self._on(form, part, "workbook_elsewhere", 0, detail=detail)

    def _compare(self, form: str, having: list[list[_Table]]) -> None:
        """Whether the newest delivery of a form has fewer records than an earlier one."""
        counts = [sum(len(e.table) for e in found if e.table) for found in having]
        if counts[-1] < max(counts):
            first = having[-1][0].part
            detail = f"{counts[-1]} records, {max(counts)} in an earlier delivery"
            self._on(form, first, "delivery_shorter", 0, value=str(counts[-1]), detail=detail)


def _holds(tables: list[_Table]) -> bool:
    """Whether a delivery has a form: records of it, or a file that should have them."""
    return any(entry.error is not None or (entry.table and len(entry.table)) for entry in tables)


def money_of(survey: Survey) -> Money:
    """The survey's money unit, for units written into cells."""
    return Money(survey.currency.code, survey.currency.unit, survey.currency.zh)
