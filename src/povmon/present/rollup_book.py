"""The rolled-up forms as an Excel workbook: a sheet a form and hierarchy, in the form's layout.

The same tables give the same bytes: the times inside the file are fixed.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from povmon import paths
from povmon.errors import PovmonError
from povmon.indicators.forms_rollup import FormsRollUp
from povmon.indicators.forms_table import WITHHELD, FormTable, Item
from povmon.placing import placed
from povmon.present.cells import bilingual
from povmon.present.display import Text
from povmon.present.page import synthetic_notice
from povmon.present.rollup_rows import (
    FORM_NAMES,
    SAMPLES,
    VIEWS,
    Row,
    digits_of,
    groups_of,
    heading_unit,
    rows_of,
    states_of,
)
from povmon.survey.spreadsheet import neutral

NAME = "rollup.xlsx"
FIXED = dt.datetime(2000, 1, 1)
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
A3 = 8  # of the paper sizes of Office Open XML
PRINTED = 12  # columns of a form on a sheet of paper
HEAD_ROWS = 6  # title, notice, group, English, Chinese, unit
BOLD, PLAIN, GREY = Font(bold=True), Font(), Font(color="52606D", italic=True)
SOFT = PatternFill("solid", fgColor="F4F6F8")
WARN = PatternFill("solid", fgColor="FFF4D6")
UNDER = Border(bottom=Side(style="thin", color="1F2933"))
WRAP = Alignment(wrap_text=True, vertical="bottom", horizontal="center")
ABSENT = Alignment(horizontal="right", shrink_to_fit=True)
FORMATS = {0: "#,##0", 1: "#,##0.0"}
SHORT = {WITHHELD: "withheld 不公布", "not reported": "not reported 未报"}
TOO_SMALL = "too small a sample 样本过少"


def write_book(rolled: FormsRollUp) -> Text:
    """Write ``reports/<survey>/rollup.xlsx``, whole or not at all.

    Returns
    -------
    A sentence with the link to it, for the page beside it.

    Raises
    ------
    PovmonError : the folder cannot be written.
    """
    folder = paths.reports(rolled.survey.survey)
    content = book(rolled)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with placed(folder / NAME) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise PovmonError(
            f"the workbook cannot be written ({error.strerror or error})",
            where=f"reports/{rolled.survey.survey}/{NAME}",
            todo="make the folder writable, and close the file where it is open",
        ) from error
    size = len(content) / 1e6
    return Text(
        f"All tables of this page, with every county, as an Excel workbook: [{NAME}]({NAME}) "
        f"({size:.1f} MB)."
    )


def book(rolled: FormsRollUp) -> bytes:
    """The workbook as bytes, the same for the same tables."""
    workbook = Workbook(write_only=True)
    workbook.properties.creator = "povmon"
    workbook.properties.created = workbook.properties.modified = FIXED
    _read_me(workbook, rolled)
    remarks: list[tuple[str, str, str, str]] = []
    for form, table in rolled.tables.items():
        for view in VIEWS:
            _Sheet(workbook, rolled, form, view).write()
        remarks += _remarks(rolled, form, table)
    _plain(workbook, "Remarks 备注", ("Form", "Unit", "Column", "Remark"), remarks)
    checks = rolled.checks
    rows = [
        (FORM_NAMES[f][0], check, int(n), float(gap), "yes" if ok else "no")
        for f, check, n, gap, ok in checks.itertuples(index=False)
    ]
    heads = ("Form", "Check", "Pairs compared", "Largest difference", "Agrees")
    _plain(workbook, "Checks 核对", heads, rows)
    return _bytes(workbook)


def _bytes(workbook: Workbook) -> bytes:
    """Saved without the clock: neither the document nor the archive says when."""
    first, second = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(first, "w", zipfile.ZIP_DEFLATED) as archive:
        ExcelWriter(workbook, archive).save()
    with (
        zipfile.ZipFile(first) as source,
        zipfile.ZipFile(second, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            info = zipfile.ZipInfo(name, ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            target.writestr(info, source.read(name))
    return second.getvalue()


def _cell(sheet: Any, value: Any, **style: Any) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, neutral(value))
    for name, setting in style.items():
        setattr(cell, name, setting)
    return cell


class _Sheet:
    """One form along one hierarchy."""

    def __init__(self, workbook: Workbook, rolled: FormsRollUp, form: str, view: str) -> None:
        self.rolled, self.form, self.view = rolled, form, view
        self.table = rolled.tables[form]
        self.items = self.table.items
        en, zh = FORM_NAMES[form]
        way, way_zh, _ = VIEWS[view]
        self.title = f"{en} {zh}, {way.lower()} {way_zh}, {rolled.survey.year}"
        self.sheet = workbook.create_sheet(f"{en.split()[0]}, {way.lower()} {zh}{way_zh}"[:31])
        self.styles: dict[tuple[Any, ...], Any] = {}
        self.lead = ["Unit 单位", "Counties expected 应报县数", "Counties received 已报县数"]
        if self.table.sample is not None:
            self.lead.append(SAMPLES[form])

    def write(self) -> None:
        self._layout()
        for cells in self._head():
            self.sheet.append(cells)
        rows = rows_of(self.rolled, self.form, self.view)
        place = {unit: i for i, unit in enumerate(self.table.values.index)}
        values, states = self.table.values.to_numpy(), states_of(self.table).to_numpy()
        for number, row in enumerate(rows, start=HEAD_ROWS + 1):
            if row.depth > 1:
                self.sheet.row_dimensions[number].outlineLevel = min(row.depth - 1, 7)
            at = place[row.unit]
            self.sheet.append(self._row(row, values[at], states[at]))

    def _layout(self) -> None:
        sheet = self.sheet
        sheet.freeze_panes = f"B{HEAD_ROWS + 1}"
        sheet.sheet_properties.outlinePr.summaryBelow = False
        sheet.column_dimensions["A"].width = 46
        for number in (4, 5):
            sheet.row_dimensions[number].height = 42
        for position in range(2, len(self.lead) + len(self.items) + 1):
            sheet.column_dimensions[get_column_letter(position)].width = 15
        sheet.page_setup.orientation = "landscape"
        sheet.page_setup.paperSize = A3
        sheet.page_setup.fitToHeight = 0
        sheet.page_setup.fitToWidth = -(-len(self.items) // PRINTED)
        sheet.sheet_properties.pageSetUpPr.fitToPage = True
        sheet.print_title_rows = f"3:{HEAD_ROWS}"
        sheet.print_title_cols = "A:A"

    def _head(self) -> Iterable[list[WriteOnlyCell]]:
        sheet, blank = self.sheet, [""] * len(self.lead)
        yield [_cell(sheet, self.title, font=Font(bold=True, size=14))]
        yield [_cell(sheet, synthetic_notice(self.rolled.survey.synthetic) or "", font=GREY)]
        upper: list[str] = []
        for heading, span in groups_of(self.items):
            upper += [bilingual(*heading), *[""] * (span - 1)]
        yield [_cell(sheet, text, font=BOLD) for text in [*blank, *upper]]
        head = {"font": BOLD, "fill": SOFT, "alignment": WRAP}
        yield [_cell(sheet, t, **head) for t in [*self.lead, *(i.en for i in self.items)]]
        yield [_cell(sheet, t, **head) for t in [*blank, *(i.zh for i in self.items)]]
        foot = {"font": GREY, "fill": SOFT, "alignment": WRAP, "border": UNDER}
        yield [_cell(sheet, t, **foot) for t in [*blank, *(heading_unit(i) for i in self.items)]]

    def _row(self, row: Row, values: Any, states: Any) -> list[WriteOnlyCell]:
        sheet = self.sheet
        font = BOLD if row.depth <= 1 else PLAIN
        got, of = row.counties
        lead: list[Any] = [of, got, *([row.sample] if row.sample is not None else [])]
        cells = [
            _cell(
                sheet,
                row.name,
                font=font,
                alignment=Alignment(horizontal="left", indent=2 * row.depth),
            )
        ]
        fill = {} if got == of else {"fill": WARN}
        cells += [
            self._alike(number, ("lead", *fill), number_format="#,##0", **fill) for number in lead
        ]
        for item, value, state in zip(self.items, values, states, strict=True):
            cells.append(self._value(item, float(value), state, font))
        return cells

    def _value(self, item: Item, value: float, state: str, font: Font) -> WriteOnlyCell:
        if value != value:
            words = SHORT.get(
                state, TOO_SMALL if self.table.sample is not None else "not reported 未报"
            )
            return self._alike(words, ("absent",), font=GREY, alignment=ABSENT)
        style = {"fill": WARN} if state else {}
        form = "0.0%" if item.unit == "share" else FORMATS[digits_of(item)]
        shown = value if item.unit == "share" else round(value, digits_of(item))
        key = (form, font is BOLD, *style)
        return self._alike(shown, key, font=font, number_format=form, **style)

    def _alike(self, value: Any, key: tuple[Any, ...], **style: Any) -> WriteOnlyCell:
        """A cell in the style of earlier ones of the same key: to set a style takes longest."""
        if key not in self.styles:
            cell = _cell(self.sheet, value, **style)
            self.styles[key] = cell._style
            return cell
        cell = WriteOnlyCell(self.sheet, neutral(value))
        cell._style = self.styles[key]
        return cell


def _remarks(rolled: FormsRollUp, form: str, table: FormTable) -> list[tuple[str, str, str, str]]:
    """Every cell of a form that is absent or marked, with the reason in words."""
    states, units = states_of(table), rolled.hierarchy.units
    labels = [f"{bilingual(*i.heading)}: {i.en}" if i.heading[0] else i.en for i in table.items]
    at, column = np.nonzero(states.to_numpy() != "")
    names = {u: bilingual(units.at[u, "en"], units.at[u, "zh"]) for u in states.index}
    out = []
    for i, j in zip(at.tolist(), column.tolist(), strict=True):
        unit = str(states.index[i])
        code = unit.split("/")[1] if unit.startswith("county/") else ""
        name = f"{names[unit]} {code}".strip()
        out.append((FORM_NAMES[form][0], name, labels[j], str(states.iat[i, j])))
    return out


def _plain(
    workbook: Workbook, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    sheet = workbook.create_sheet(title)
    sheet.freeze_panes = "A2"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    for position, width in enumerate((18, 48, 44, 60, 10), start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width
    sheet.append([_cell(sheet, head, font=BOLD, fill=SOFT) for head in heads])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])


def _read_me(workbook: Workbook, rolled: FormsRollUp) -> None:
    sheet = workbook.create_sheet("Read me 说明")
    sheet.column_dimensions["A"].width = 110
    survey = rolled.survey
    rules = survey.policy.disclosure
    lines = [
        (f"{bilingual(survey.title.en, survey.title.zh)}: roll-up of the forms 汇总表", BOLD),
        (synthetic_notice(survey.synthetic) or "", GREY),
        ("County form: sums of what counties reported; income per person is weighted by rural "
         "population; shares are computed from the sums. 县表：各县上报数之和；人均收入按乡村人口"
         "加权；比重按合计数重新计算。", PLAIN),
        ("Village, household and person forms: weighted counts and averages of the sample, which "
         "have a sampling error; cells on yellow ground are marked in the sheet of remarks. "
         "村表、户表、人口表：样本加权数，存在抽样误差；黄底单元格见备注。", PLAIN),
        ("A province is represented by its counties in the areas alone. "
         "各省仅包括片区内的县。", PLAIN),
        ("A number of some counties only is on yellow ground, and the remark says of how many: "
         "missing counties are not filled up. 黄底数字仅为已报县之和，缺报县不作推算。", PLAIN),
        (f"Withheld: counts of persons and households from 1 to {rules.min_count - 1}, numbers "
         "from fewer respondents, and cells from which such a number could be computed. "
         f"不公布：1至{rules.min_count - 1}的人数、户数，应答单位过少的数字，以及可据以推算出这些"
         "数字的单元格。",
         PLAIN),
    ]  # fmt: skip
    for text, font in lines:
        sheet.append([_cell(sheet, text, font=font, alignment=Alignment(wrap_text=True))])
