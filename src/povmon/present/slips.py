"""The return slip of a province: what to check, as a page to read and a workbook to fill in."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Mapping
from html import escape
from typing import Any

import pandas as pd

from povmon.audit.acceptance import ALL_FORMS
from povmon.audit.answers import SHEET, WORDS
from povmon.audit.returns import STATUSES
from povmon.present import numbers
from povmon.present.display import Column, Marked, Table
from povmon.present.page import Provenance, render_page, synthetic_notice
from povmon.present.reviews import (
    acceptance_table,
    cell_words,
    field_words,
    form_words,
    items_frame,
    place_words,
    province_words,
)
from povmon.survey.config import Survey
from povmon.survey.fields import Field
from povmon.survey.forms import FORMS
from povmon.survey.spreadsheet import neutral

VERDICTS_ZH = {
    "accept": "接收",
    "accept with corrections": "更正后接收",
    "cannot tell": "无法判断",
    "return": "退回",
    "nothing received": "未收到",
}
STATUS_ZH = {
    "resolved": "已解决", "withdrawn": "已撤回", "changed, still failing": "已修改但仍不合格",
    "unanswered": "未答复", "confirmed": "已确认", "new": "新增", "": "",
}  # fmt: skip
SEVERITY = {"hard": "certain error 确定错误", "soft": "doubtful 存疑"}
ON_PAGE = 200  # items on the page; the workbook has all of them
# A workbook carries the time of its making; a fixed one gives the same bytes each time.
EPOCH = dt.datetime(2000, 1, 1)
# Column name, heading, width in characters.
COLUMNS = (
    ("number", "No. 序号", 6),
    ("item", "Item 编号", 11),
    ("severity", "Kind 性质", 14),
    ("status", "Status 状态", 16),
    ("influence", "Influence, standard errors 影响（标准误）", 12),
    ("moved", "Figure moved most 受影响最大的指标", 30),
    ("file", "File 文件", 24),
    ("sheet", "Sheet 工作表", 10),
    ("line", "Line 行", 7),
    ("form", "Form 表", 16),
    ("key", "Record 记录", 16),
    ("field", "Field 指标", 26),
    ("value", "Value 填报值", 14),
    ("expected", "Expected 预期值", 12),
    ("en", "What was found", 48),
    ("zh", "核查内容", 40),
    ("done", "Done meanwhile 已作处理", 22),
    ("answer", "Answer 答复", 20),
    ("comment", "Comment 说明", 32),
)
TO_FILL = ("answer", "comment")
FIRST_ROW = 8  # of the table of items: its heading


def slip_pages(
    survey: Survey, area: str, tables: dict[str, pd.DataFrame],
    *, provenance: Provenance | None = None,
) -> dict[str, str]:  # fmt: skip
    """The slips of an area's provinces as self-contained pages.

    Parameters
    ----------
    survey, area : whose slips they are.
    tables : the audit's tables review, acceptance and followed.
    provenance : see `render_page`.

    Returns
    -------
    dict : province ("" for a survey delivered whole) -> HTML, the same for the same arguments.
    """
    provinces = [str(p) for p in dict.fromkeys(tables["acceptance"]["province_id"])]
    titles = [f"Return slip 核查返回单: {province_words(p, survey.survey)}" for p in provinces]
    bodies = [_body(survey, province, tables) for province in provinces]
    # All slips of an area carry the same letters, so that its fonts are made once for all.
    letters = "".join([*titles, *bodies])
    en, zh = survey.area_names[area]
    return {
        province: render_page(
            title,
            body,
            subtitle=f"{en} {zh} · {survey.title.en}",
            provenance=provenance,
            synthetic_notice=synthetic_notice(survey.synthetic),
            wide=True,
            letters=letters,
            breadcrumbs=(("All areas", "../../index.html"), ("Audit", "../audit.html")),
        )
        for province, title, body in zip(provinces, titles, bodies, strict=True)
    }


def _body(survey: Survey, province: str, tables: dict[str, pd.DataFrame]) -> str:
    own = {name: t[t["province_id"] == province] for name, t in tables.items()}
    review = own["review"]
    body = [
        f'<div class="prose">{_verdict(own["acceptance"])}{_answers(own["followed"], review)}'
        f"{_how(len(review))}</div>",
        "<h2>What to check 核查清单</h2>",
        _items(review, survey)._repr_html_() if len(review) else "<p>Nothing. 无。</p>",
    ]
    if len(own["followed"]):
        body += ["<h2>What was answered 答复情况</h2>", _followed(own["followed"])._repr_html_()]
    if (own["acceptance"]["form"] != ALL_FORMS).any():
        shown = acceptance_table(own["acceptance"], survey.survey)._repr_html_()
        body += ["<h2>Error rates 差错率</h2>", shown]
    return "\n".join(body)


def _verdict(acceptance: pd.DataFrame) -> str:
    whole = acceptance[acceptance["form"] == ALL_FORMS].iloc[0]
    verdict = str(whole["verdict"])
    return (
        f"<p><strong>Verdict 结论: {escape(verdict)} {VERDICTS_ZH[verdict]}.</strong> "
        f"{escape(str(whole['reason']))}.</p>"
    )


def _answers(followed: pd.DataFrame, review: pd.DataFrame) -> str:
    if followed.empty:
        return ""
    counts = followed["status"].value_counts()
    found = [f"{counts[s]} {s} {STATUS_ZH[s]}" for s in STATUSES if s in counts]
    new = int((review["status"] == "new").sum())
    return (
        f"<p>Of {numbers.count_of(len(followed), 'item')} returned before 上次返回: "
        f"{escape('; '.join(found))}. New 新增: {new}.</p>"
    )


def _how(items: int) -> str:
    if not items:
        return ""
    words = escape(", ".join(WORDS))
    shown = f" The first {ON_PAGE} of {items} are shown." if items > ON_PAGE else ""
    return (
        "<p>The items stand in the order of their influence on the published figures: those on "
        "top matter most. Fill in the answer column of the workbook beside this page "
        f"({words}), correct the data where they are wrong, and send both back. A certain error "
        "contradicts itself and can only be corrected; a doubtful value may be right: say so."
        f"{shown}</p>"
        '<p lang="zh">各项按其对公布数据的影响从大到小排列。请在随附的 Excel 返回单中填写'
        "“答复”栏，更正有误的数据，并一并报回。确定错误必须更正；存疑数据如属实，请确认。</p>"
    )


def _items(review: pd.DataFrame, survey: Survey) -> Table:
    shown = review.head(ON_PAGE)
    frame = items_frame(shown, survey.survey)
    rows = frame.to_dict("records")
    cells: dict[str, Any] = {
        "number": range(1, len(frame) + 1),
        "item": [Marked(r["item"], below=SEVERITY[r["severity"]]) for r in rows],
        "record": [
            Marked(r["key"] or form_words(r["level"]), below=place_words(_in_folder(r)))
            for r in rows
        ],
        "value": [
            r["shown"] if pd.isna(r["expected"])
            else Marked(r["shown"], below=f"expected 预期 {r['expected']:,.0f}")
            for r in rows
        ],
        "found": [f"{r['en']} {r['zh']}" for r in rows],
        "done": [r["done"] or "nothing" for r in rows],
        "answer": "",
    }  # fmt: skip
    frame = frame.assign(**cells)
    columns = [
        Column("number", "No.", format="integer"),
        Column("item", "Item 编号, kind 性质", row_header=True),
        Column("record", "Record 记录"),
        Column("field", "Field 指标"),
        Column("value", "Value 填报值"),
        Column("found", "What was found 核查内容", format="text"),
        Column("done", "Done meanwhile 已作处理"),
        Column("weight", "Influence 影响", "standard errors", "number:2"),
        Column("moved", "Figure moved most"),
        Column("answer", "Answer 答复"),
    ]
    if (review["status"] != "").any():
        frame["state"] = [f"{s} {STATUS_ZH[s]}" for s in frame["status"]]
        columns.insert(2, Column("state", "Status 状态"))
    return Table(frame, "Items to check, by influence", columns=columns, fold=False)


def _in_folder(row: Mapping[Any, Any]) -> dict[str, Any]:
    """An item's place within the province's own folder."""
    return {**row, "file": str(row["file"]).split("/", 2)[-1]}


def _followed(followed: pd.DataFrame) -> Table:
    rows = followed.to_dict("records")
    frame = followed.assign(
        place=[place_words(r) for r in rows],
        field=[field_words(r["level"], r["column"]) for r in rows],
        state=[f"{s} {STATUS_ZH[s]}" for s in followed["status"]],
        was=followed["before"].replace("", "(empty)"),
        now=followed["now"]
        .replace("", "(empty)")
        .mask(followed["status"].isin(["resolved", "withdrawn"]), "not found any more"),
        said=[f"{r['answer']} {r['comment']}".strip() or "nothing" for r in rows],
    )
    return Table(
        frame,
        "Items of the former slip and what became of them",
        columns=[
            Column("item", "Item", row_header=True),
            Column("key", "Record 记录"),
            Column("field", "Field 指标"),
            Column("was", "Value before 原值"),
            Column("now", "Value now 现值"),
            Column("said", "Answer 答复"),
            Column("state", "Status 状态"),
            Column("en", "What was found", format="text"),
        ],
    )


def slip_workbook(
    survey: Survey, area: str, province: str, tables: dict[str, pd.DataFrame]
) -> bytes:
    """The slip as a workbook whose answer columns can be filled in; the rest is protected.

    Parameters
    ----------
    survey, area, tables : as in `slip_pages`.
    province : whose slip it is ("" for a survey delivered whole).

    Returns
    -------
    bytes : an xlsx file, the same for the same arguments. Texts of the survey that would begin a
        formula are neutralised.
    """
    from openpyxl import Workbook

    own = {name: t[t["province_id"] == province] for name, t in tables.items()}
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    for number, text in enumerate(_head(survey, area, province, own["acceptance"]), start=1):
        sheet.cell(number, 1, neutral(text))
    _fill(sheet, own["review"], survey)
    _format(sheet, len(own["review"]))
    book.properties.creator = "povmon"
    book.properties.created = book.properties.modified = EPOCH
    return _same_bytes(book)


def _head(survey: Survey, area: str, province: str, acceptance: pd.DataFrame) -> list[str]:
    whole = acceptance[acceptance["form"] == ALL_FORMS].iloc[0]
    verdict = str(whole["verdict"])
    en, zh = survey.area_names[area]
    return [
        f"Return slip 核查返回单: {province_words(province, survey.survey)}",
        f"{survey.title.en} {survey.title.zh} · {en} {zh}",
        f"Verdict 结论: {verdict} {VERDICTS_ZH[verdict]}. {whole['reason']}.",
        "Please fill in the columns Answer and Comment, and send this file back with the data.",
        "请填写“答复”和“说明”栏，并将本文件随数据一并报回。",
        "Generated data 模拟数据" if survey.synthetic else "",
    ]


def _fill(sheet: Any, review: pd.DataFrame, survey: Survey) -> None:
    """The names that the answers are read back by, the headings, and one row an item."""
    for position, (name, heading, _) in enumerate(COLUMNS, start=1):
        sheet.cell(FIRST_ROW - 1, position, name)
        sheet.cell(FIRST_ROW, position, heading)
    for number, row in enumerate(review.to_dict("records"), start=1):
        cells = _cells(number, {str(k): v for k, v in row.items()}, survey)
        for position, (name, _, _) in enumerate(COLUMNS, start=1):
            sheet.cell(FIRST_ROW + number, position, neutral(cells.get(name)))


def _cells(number: int, row: dict[str, Any], survey: Survey) -> dict[str, Any]:
    field = _field(row["level"], row["column"])
    known = not pd.isna(row["influence"])
    return {
        **{name: row[name] for name in ("item", "file", "sheet", "key", "value", "en", "zh",
                                        "done")},
        "number": number,
        "severity": SEVERITY[row["severity"]],
        "status": f"{row['status']} {STATUS_ZH[row['status']]}".strip(),
        "influence": round(float(row["influence"]), 3) if known else None,
        "moved": cell_words(row["influence_cell"], survey.survey),
        "line": int(row["line"]) or None,
        "form": _form(row["level"]),
        "field": f"{field.en} {field.zh}" if field else field_words(row["level"], row["column"]),
        "expected": None if pd.isna(row["expected"]) else round(float(row["expected"])),
    }  # fmt: skip


def _field(level: str, column: str) -> Field | None:
    return FORMS[level][column] if level in FORMS and column in FORMS[level].columns else None


def _form(level: str) -> str:
    return f"{form_words(level)} {FORMS[level].zh}" if level in FORMS else "Files 文件"


def _format(sheet: Any, items: int) -> None:
    """Widths, wrapped texts, a list of answers, and protection of all but the answer columns."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    sheet.cell(1, 1).font = Font(bold=True, size=14)
    sheet.row_dimensions[FIRST_ROW - 1].hidden = True
    letters = {name: get_column_letter(i) for i, (name, _, _) in enumerate(COLUMNS, start=1)}
    for name, _, width in COLUMNS:
        sheet.column_dimensions[letters[name]].width = width
    _style(sheet, items)
    if items:
        choice = DataValidation("list", formula1=f'"{",".join(WORDS)}"', allow_blank=True)
        letter = letters["answer"]
        choice.add(f"{letter}{FIRST_ROW + 1}:{letter}{FIRST_ROW + items}")
        sheet.add_data_validation(choice)
    sheet.freeze_panes = f"C{FIRST_ROW + 1}"
    sheet.protection.sheet = True
    # Columns may still be widened.
    sheet.protection.formatColumns = sheet.protection.formatRows = False
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{FIRST_ROW}:{FIRST_ROW}"


def _style(sheet: Any, items: int) -> None:
    """Headings, cells to read and cells to fill in, each with a look of its own.

    One cell of each kind is styled and the others share its style: openpyxl would otherwise
    compare every cell's fonts and borders with all it knows, some milliseconds a row.
    """
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side

    line = Side(style="thin", color="B0B7BF")
    top, box = Alignment(wrap_text=True, vertical="top"), Border(line, line, line, line)
    made: dict[str, Any] = {}
    for row in sheet.iter_rows(FIRST_ROW, FIRST_ROW + items, 1, len(COLUMNS)):
        for cell, (name, _, _) in zip(row, COLUMNS, strict=True):
            kind = "fill" if name in TO_FILL else "read"
            kind = "heading" if cell.row == FIRST_ROW else kind
            if kind in made:
                cell._style = made[kind]
                continue
            cell.alignment, cell.border = top, box
            if kind == "heading":
                cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E4E8EC")
            elif kind == "fill":
                cell.protection = Protection(locked=False)
                cell.fill = PatternFill("solid", fgColor="FFF8E1")
            made[kind] = cell._style


def _same_bytes(book: Any) -> bytes:
    """The workbook's file without the time of its making."""
    from openpyxl.writer.excel import ExcelWriter

    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        # Workbook.save would set the time of the last change.
        ExcelWriter(book, archive).write_data()
    fixed = io.BytesIO()
    moment = EPOCH.timetuple()[:6]
    with zipfile.ZipFile(raw) as made, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in made.namelist():
            out.writestr(zipfile.ZipInfo(name, moment), made.read(name), zipfile.ZIP_DEFLATED)
    return fixed.getvalue()
