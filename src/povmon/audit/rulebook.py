"""The catalogue of rules to read: as a page and as a table (``make rules``)."""

from __future__ import annotations

from collections.abc import Hashable
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from povmon import paths
from povmon.audit.derived import DERIVED
from povmon.audit.evaluation import evaluation
from povmon.audit.rules import Examples, Rule, catalogue
from povmon.audit.store import read_table
from povmon.errors import PovmonError
from povmon.survey.codebook import STYLE
from povmon.survey.config import Survey, load_survey
from povmon.survey.forms import FORMS

LEVELS = {
    "file": ("Deliveries", "报送文件"),
    "any": ("Every form", "各表通用"),
    **{name: (form.en, form.zh) for name, form in FORMS.items()},
}
HEADS = ("Rule", "What is reported", "Severity and kind", "Action", "How it is evaluated",
         "Source", "Tests", "Findings")  # fmt: skip


def rulebook(survey: str = "") -> pd.DataFrame:
    """Every rule of the catalogue.

    Parameters
    ----------
    survey : a survey whose findings are counted; "" counts none.

    Returns
    -------
    One row a rule: rule, level, severity, kind, action, en, zh, check, expression, columns,
    needs, source, tests (number), and, for a survey with audits, findings (over its audited areas)
    and not_evaluated (the reason, where no area let it be evaluated).
    """
    table = pd.DataFrame([_row(rule) for rule in catalogue().values()])
    if not survey:
        return table
    counts, reasons, audited = _of_survey(load_survey(survey))
    if not audited:
        return table
    return table.assign(
        findings=table["rule"].map(counts).fillna(0).astype("int64"),
        not_evaluated=table["rule"].map(reasons).fillna("").astype("str"),
    )


def _row(rule: Rule) -> dict[str, object]:
    examples = isinstance(rule.tests, Examples)
    number = len(rule.tests.fails + rule.tests.passes) if isinstance(
        rule.tests, Examples) else len(rule.tests)  # fmt: skip
    return {
        "rule": rule.id, "level": rule.level, "severity": rule.severity, "kind": rule.kind,
        "action": rule.action, "en": rule.en, "zh": rule.zh, "check": rule.check,
        "expression": rule.expression, "columns": ", ".join(rule.columns),
        "needs": ", ".join(rule.inputs), "source": rule.source,
        "tests": f"{number} {'record' if examples else 'test'}{'s' if number != 1 else ''}",
    }  # fmt: skip


def _of_survey(survey: Survey) -> tuple[pd.Series, dict[str, str], int]:
    """Findings by rule, why rules could be evaluated in no area, and how many were audited."""
    counts = pd.Series(dtype="int64")
    reasons: dict[str, set[str]] = {}
    audited = 0
    for area in survey.area_ids:
        folder = paths.processed(survey.survey, area)
        if not (folder / "findings.parquet").is_file():
            continue
        audited += 1
        counts = counts.add(read_table(folder, "findings")["rule"].value_counts(), fill_value=0)
        records = {str(form): read_table(folder, form) for form in survey.forms}
        judged = evaluation(survey, area, records)
        for row in judged[~judged["evaluated"]].itertuples():
            reasons.setdefault(str(row.rule), set()).add(f"{area}: {row.reason}")
    never = {rule: found for rule, found in reasons.items() if len(found) == audited}
    return counts, {rule: _joined(found) for rule, found in never.items()}, audited


def _joined(reasons: set[str]) -> str:
    """The reason, once where all areas have the same."""
    plain = {text.split(": ", 1)[1] for text in reasons}
    return plain.pop() if len(plain) == 1 else "; ".join(sorted(reasons))


def write(folder: Path | str, survey: str = "") -> list[Path]:
    """Write ``rules.html`` and ``rules.csv`` into a folder; returns both paths.

    Raises
    ------
    PovmonError : the folder cannot be written, or there is no such survey.
    """
    folder = Path(folder)
    table = rulebook(survey)
    page, data = folder / "rules.html", folder / "rules.csv"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page.write_text(as_html(table, survey), encoding="utf-8")
        # With the mark, spreadsheet programs recognise UTF-8.
        table.to_csv(data, index=False, encoding="utf-8-sig", lineterminator="\n")
    except OSError as error:
        raise PovmonError(
            f"the catalogue cannot be written ({error.strerror})",
            where=folder.name,
            todo="check the folder's permissions",
        ) from error
    return [page, data]


def as_html(table: pd.DataFrame, survey: str = "") -> str:
    """The catalogue as one page without any external address."""
    levels = [level for level in LEVELS if (table["level"] == level).any()]
    contents = "".join(
        f'<li><a href="#{level}">{escape(LEVELS[level][0])} '
        f'<span lang="zh">{LEVELS[level][1]}</span></a> '
        f"({(table['level'] == level).sum()})</li>"
        for level in levels
    )
    sections = "".join(_section(level, table[table["level"] == level]) for level in levels)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Audit rules</title><style>{STYLE}</style></head>\n<body><main>"
        '<h1>Audit rules <span lang="zh">审核规则</span></h1>'
        f"<p>{_summary(table)} A hard rule finds what is certainly an error, a soft one what is "
        "worth a look. Logical rules follow from definitions, statistical ones from a comparison "
        "with other records.</p>"
        f"{_counts(table)}{_note(table, survey)}"
        f"<nav aria-label='Levels'><ul>{contents}</ul></nav>{sections}{_glossary()}"
        "</main></body></html>\n"
    )


def _summary(table: pd.DataFrame) -> str:
    number = table["expression"].ne("").sum()
    return f"{len(table)} rules: {number} expressions and {len(table) - number} named checks."


def _counts(table: pd.DataFrame) -> str:
    """Numbers of rules by level, severity and kind."""
    groups = [("hard", "logical"), ("soft", "logical"), ("hard", "statistical"),
              ("soft", "statistical")]  # fmt: skip
    lines = []
    for level in (level for level in LEVELS if (table["level"] == level).any()):
        part = table[table["level"] == level]
        cells = [int(((part["severity"] == s) & (part["kind"] == k)).sum()) for s, k in groups]
        values = "".join(f"<td>{n}</td>" for n in [*cells, len(part)])
        lines.append(f'<tr><th scope="row">{escape(LEVELS[level][0])}</th>{values}</tr>')
    names = ["Level", *(f"{s.capitalize()}, {k}" for s, k in groups), "All"]
    heads = "".join(f'<th scope="col">{name}</th>' for name in names)
    return (
        '<div class="scroll" tabindex="0" role="group" aria-label="Numbers of rules"><table>'
        f"<caption>Numbers of rules</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _note(table: pd.DataFrame, survey: str) -> str:
    if not survey:
        return ""
    if "findings" not in table:
        return f"<p>The survey <code>{escape(survey)}</code> has not been audited yet.</p>"
    idle = table[table["not_evaluated"] != ""]
    listed = "".join(
        f"<li><code>{row.rule}</code>: {escape(str(row.not_evaluated))}</li>"
        for row in idle.itertuples()
    )
    told = f"<p>Findings are those of the survey <code>{escape(survey)}</code>.</p>"
    if not listed:
        return told
    return f"{told}<h2>Rules that could not be evaluated</h2><ul>{listed}</ul>"


def _section(level: str, rules: pd.DataFrame) -> str:
    name = escape(LEVELS[level][0])
    heads = HEADS if "findings" in rules else HEADS[:-1]
    head = "".join(f'<th scope="col">{text}</th>' for text in heads)
    rows = "".join(_html_row(row) for row in rules.to_dict("records"))
    return (
        f'<section><h2 id="{level}">{name} <span lang="zh">{LEVELS[level][1]}</span></h2>'
        f'<div class="scroll" tabindex="0" role="group" aria-label="{name}">'
        f"<table><caption>{len(rules)} rules</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _html_row(row: dict[Hashable, Any]) -> str:
    how = row["expression"] or f"check “{row['check']}”"
    used = f"<br>uses {escape(str(row['needs']))}" if row["needs"] else ""
    cells = [
        f'{_told(row["en"], "the field")}<br><span lang="zh">{_told(row["zh"], "该项")}</span>',
        f"{row['severity']}, {row['kind']}",
        str(row["action"]),
        f"<code>{escape(str(how))}</code>{used}" if row["expression"] else escape(str(how)) + used,
        escape(str(row["source"])),
        str(row["tests"]),
    ]
    if "findings" in row:
        cells.append(f"{row['findings']:,}")
    anchor = f'<th scope="row" id="rule-{row["rule"]}"><code>{row["rule"]}</code></th>'
    return f"<tr>{anchor}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _told(message: str, field: str) -> str:
    """A message with words where a finding has the field and what was found."""
    return escape(message.replace("{column}", field).replace("{detail}", "…"))


def _glossary() -> str:
    """The values that expressions use beside a form's own fields."""
    lines = "".join(
        f'<tr><th scope="row"><code>{name}</code></th><td>{escape(FORMS[form].en)}</td>'
        f"<td>{escape(value.en)}</td></tr>"
        for form, values in DERIVED.items()
        for name, value in values.items()
    )
    return (
        '<section><h2 id="derived">Values from other records</h2>'
        '<div class="scroll" tabindex="0" role="group" aria-label="Values from other records">'
        "<table><caption>What expressions use beside a form’s own fields</caption>"
        '<thead><tr><th scope="col">Name</th><th scope="col">Form</th>'
        f'<th scope="col">Meaning</th></tr></thead><tbody>{lines}</tbody></table></div></section>'
    )
