"""The codebook: every field of every form, made from the one definition, as HTML and CSV."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pandas as pd

from povmon.errors import PovmonError
from povmon.survey.fields import Field, Form
from povmon.survey.forms import FORMS
from povmon.survey.spreadsheet import neutral_frame

TYPES = {
    "id": "identifier",
    "code": "code",
    "integer": "whole number",
    "number": "number",
    "boolean": "1 yes, 0 no",
}
STYLE = """
body { font: 16px/1.5 system-ui, "Noto Sans", "PingFang SC", "Microsoft YaHei", sans-serif;
       margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1b1f24; background: #fff; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; font-size: .92rem; }
caption { text-align: left; padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
         border-bottom: 1px solid #c9ced6; }
thead th { border-bottom: 2px solid #4a5560; }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; }
.scroll { overflow-x: auto; }
@media print { .scroll { overflow: visible; } body { margin: 0; max-width: none; } }
"""


def codebook() -> pd.DataFrame:
    """Every field of every form.

    Returns
    -------
    One row a field: form, position, name, key ("key", "parent" or ""), type, unit, required,
    minimum, maximum, codes ("code = label; ..."), label_en, label_zh, codes_zh, note.
    """
    rows = [
        _row(form, position, field)
        for form in FORMS.values()
        for position, field in enumerate(form.fields, start=1)
    ]
    return pd.DataFrame(rows)


def write(folder: Path | str) -> list[Path]:
    """Write ``codebook.html`` and ``codebook.csv`` into a folder; returns both paths.

    Raises
    ------
    PovmonError : the folder cannot be written.
    """
    folder = Path(folder)
    page, table = folder / "codebook.html", folder / "codebook.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page.write_text(as_html(), encoding="utf-8")
        # With the mark, spreadsheet programs recognise UTF-8.
        neutral_frame(codebook()).to_csv(
            table, index=False, encoding="utf-8-sig", lineterminator="\n"
        )
    except OSError as error:
        raise PovmonError(
            f"the codebook cannot be written ({error.strerror})",
            where=folder.name,
            todo="check the folder's permissions",
        ) from error
    return [page, table]


def as_html() -> str:
    """The codebook as one page without any external address."""
    contents = "".join(
        f'<li><a href="#{form.name}">{escape(form.en)} <span lang="zh">{form.zh}</span></a></li>'
        for form in FORMS.values()
    )
    sections = "".join(_section(form) for form in FORMS.values())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Codebook</title><style>{STYLE}</style></head>\n<body><main>"
        '<h1>Codebook <span lang="zh">指标解释与代码表</span></h1>'
        "<p>Every field of every form. The same definition checks the submissions and labels the "
        "reports. Money is in the unit of the survey (survey.yml, <code>currency.unit</code>); a "
        "field marked <em>required</em> is one without which a record cannot be used.</p>"
        f"<nav aria-label='Forms'><ul>{contents}</ul></nav>{sections}</main></body></html>\n"
    )


def _row(form: Form, position: int, field: Field) -> dict[str, object]:
    return {
        "form": form.name,
        "position": position,
        "name": field.name,
        "key": _key(form, field),
        "type": TYPES[field.dtype],
        "unit": field.unit,
        "required": "yes" if field.required else "",
        "minimum": field.minimum,
        "maximum": field.maximum,
        "codes": "; ".join(f"{code} = {en}" for code, (en, _) in field.codes.items()),
        "label_en": field.en,
        "label_zh": field.zh,
        "codes_zh": "; ".join(f"{code} = {zh}" for code, (_, zh) in field.codes.items()),
        "note": field.note,
    }


def _key(form: Form, field: Field) -> str:
    if field.name in form.key:
        return "key"
    return "parent" if form.parent is not None and field.name == form.parent[1] else ""


def _section(form: Form) -> str:
    heads = ("Name", "Label", "Type", "Unit", "Range or codes", "Required", "Remarks")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    rows = "".join(_html_row(form, field) for field in form.fields)
    key = " and ".join(f"<code>{name}</code>" for name in form.key)
    parent = f"; each record belongs to one of the {form.parent[0]} form" if form.parent else ""
    return (
        f'<section><h2 id="{form.name}">{escape(form.en)} <span lang="zh">{form.zh}</span></h2>'
        f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(form.en)}">'
        f"<table><caption>{len(form.fields)} fields, identified by {key}{parent}.</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div></section>"
    )


def _html_row(form: Form, field: Field) -> str:
    remarks = [field.note] if field.note else []
    remarks += {"key": ["key"], "parent": ["leads to the form above"]}.get(_key(form, field), [])
    cells = (
        f'{escape(field.en)}<br><span lang="zh">{escape(field.zh)}</span>',
        TYPES[field.dtype],
        escape(field.unit),
        _values(field),
        "required" if field.required else "",
        escape("; ".join(remarks)),
    )
    name = f'<th scope="row"><code>{field.name}</code></th>'
    return f"<tr>{name}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _values(field: Field) -> str:
    """Code list or range in words."""
    if field.codes:
        return "<br>".join(
            f'<code>{escape(code)}</code> {escape(en)} <span lang="zh">{escape(zh)}</span>'
            for code, (en, zh) in field.codes.items()
        )
    low, high = field.minimum, field.maximum
    if low is not None and 0 < low < 1e-6:
        return "more than 0"
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"{low:g} or more"
    return "" if high is None else f"{high:g} or less"
