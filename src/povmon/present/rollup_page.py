"""The rolled-up forms on a page: one row a unit, indented; one column a field of the form.

A form with counties has hundreds of rows: the levels above stand in one table, and the counties
of each province or area under a fold of its own. Without a script the folds open all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from povmon.indicators.forms_rollup import FormsRollUp
from povmon.indicators.forms_table import FormTable, Item
from povmon.present import numbers
from povmon.present.display import Column, Table, Text
from povmon.present.remarks import Remarks
from povmon.present.rollup_rows import (
    FORM_NAMES,
    SAMPLES,
    VIEWS,
    Row,
    digits_of,
    groups_of,
    heading_unit,
    incomplete_of,
    rows_of,
    states_of,
)
from povmon.present.tables import nothing


@dataclass(frozen=True)
class FormView:
    """A form along one hierarchy, as a notebook's cell shows it."""

    caption: str
    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"FormView({self.caption!r})"


def form_view(rolled: FormsRollUp, form: str, view: str) -> FormView | Text:
    """One form along one hierarchy.

    Parameters
    ----------
    rolled : from `roll_up_forms`.
    form : "county", "village", "household" or "person".
    view : "province", "area" or "key_county".
    """
    if form not in rolled.tables:
        return nothing(FORM_NAMES[form][0].lower(), "the survey has no such form with weights")
    table = rolled.tables[form]
    rows = rows_of(rolled, form, view)
    writer = _Writer(table)
    top = [row for row in rows if row.depth <= 1]
    en, zh = FORM_NAMES[form]
    way, way_zh, _ = VIEWS[view]
    caption = f"{en} {zh}, {way.lower()} {way_zh}, {rolled.survey.year}"
    parts = [
        f'<figure class="povmon-table"><figcaption>{escape(caption)}</figcaption>',
        '<div class="rollup">',
        writer.table(top, caption),
        *(writer.folded(block) for block in _blocks(rows)),
        writer.notes(),
        "</div></figure>",
    ]
    return FormView(caption, "".join(parts))


def _blocks(rows: Sequence[Row]) -> Iterable[list[Row]]:
    """The rows of each unit below the top with all that belongs to it, where there is any."""
    block: list[Row] = []
    for row in [*rows, None]:
        if row is None or row.depth <= 1:
            if len(block) > 1:
                yield block
            block = [] if row is None or row.depth == 0 else [row]
        elif block:
            block.append(row)


class _Writer:
    """Cells of a form's table; the remarks get their letters in the order of appearance."""

    def __init__(self, table: FormTable) -> None:
        self.form, self.items = table.form, table.items
        self.sampled = table.sample is not None
        self.remarks = Remarks()
        self.place = {unit: i for i, unit in enumerate(table.values.index)}
        factor = np.array([100.0 if i.unit == "share" else 1.0 for i in self.items])
        self.values = table.values.to_numpy() * factor
        self.states = states_of(table).to_numpy()
        self.head = self._head()

    def _head(self) -> str:
        groups = groups_of(self.items)
        grouped = any(heading[0] for heading, _ in groups)
        deep = ' rowspan="2"' if grouped else ""
        first = [
            f'<th scope="col"{deep}>Unit 单位</th>',
            f'<th scope="col"{deep}>Counties 县数</th>',
        ]
        if self.sampled:
            first.append(f'<th scope="col"{deep}>{SAMPLES[self.form]}</th>')
        upper, lower, position = first, [], 0
        for heading, span in groups:
            items = self.items[position : position + span]
            position += span
            if heading[0]:
                words = escape(" ".join(heading))
                upper.append(f'<th scope="colgroup" colspan="{span}" class="group">{words}</th>')
                lower += [_heading(item, "") for item in items]
            else:
                upper += [_heading(item, deep) for item in items]
        second = f"<tr>{''.join(lower)}</tr>" if grouped else ""
        return f"<thead><tr>{''.join(upper)}</tr>{second}</thead>"

    def table(self, rows: Sequence[Row], label: str) -> str:
        body = "".join(self._row(row, rows[0].depth) for row in rows)
        name = escape(label, quote=True)
        return (
            f'<div class="scroll" tabindex="0" role="group" aria-label="{name}">'
            f"<table>{self.head}<tbody>{body}</tbody></table></div>"
        )

    def folded(self, rows: Sequence[Row]) -> str:
        got, of = rows[0].counties
        words = f"{rows[0].name}: {got} of {numbers.count_of(of, 'county', 'counties')}"
        return (
            f'<details class="fold"><summary>{escape(words)}</summary>'
            f"{self.table(rows, words)}</details>"
        )

    def _row(self, row: Row, least: int) -> str:
        got, of = row.counties
        at = self.place[row.unit]
        counties = str(of) if got == of else f"{got} of {of}"
        cells = [f"<td>{counties}</td>"]
        if row.sample is not None:
            cells.append(f"<td>{numbers.number(row.sample)}</td>")
        cells += [self._cell(at, j, item) for j, item in enumerate(self.items)]
        depth = row.depth - least
        return f'<tr class="d{depth}"><th scope="row">{escape(row.name)}</th>{"".join(cells)}</tr>'

    def _cell(self, at: int, j: int, item: Item) -> str:
        value, state = self.values[at, j], self.states[at, j]
        text = numbers.number(value, digits_of(item))
        if not state:
            return f"<td>{text}</td>"
        mark = self.remarks.mark(_brief(state))
        if text == numbers.MISSING:
            title = escape(state, quote=True)
            return f'<td><abbr title="{title}">{text}</abbr><sup>{mark}</sup></td>'
        return f"<td>{text}<sup>{mark}</sup></td>"

    def notes(self) -> str:
        lines = [
            f"<li><sup>{letter}</sup> {escape(reason)}</li>"
            for reason, letter in self.remarks.letters.items()
        ]
        return f'<ul class="reasons">{"".join(lines)}</ul>' if lines else ""


def _brief(state: str) -> str:
    """One remark for all cells that are absent for the same kind of reason."""
    if ", fewer than" in state or state.startswith("effective sample"):
        return "suppressed: too small a sample for an estimate (the exact reason shows on pointing)"
    if state.startswith("incomplete"):
        return "incomplete: some of its counties did not report this; the workbook says how many"
    return state


def _heading(item: Item, deep: str) -> str:
    unit = heading_unit(item)
    below = f' <span class="unit">{escape(unit)}</span>' if unit else ""
    words = f'{escape(item.en)} <span lang="zh">{escape(item.zh)}</span>'
    return f'<th scope="col"{deep}>{words}{below}</th>'


def checks_text(rolled: FormsRollUp) -> Text:
    """How many sums were compared along both hierarchies, and that they agree."""
    pairs = int(rolled.checks["compared"].sum())
    return Text(
        f"{numbers.number(pairs)} sums were compared, for every added-up field and at every step "
        "of county, prefecture, province and of county, area. **All agree**, and both hierarchies "
        "end in the same totals."
    )


def checks_table(rolled: FormsRollUp) -> Table:
    """Every check: what was compared, how often, and the largest difference."""
    frame = rolled.checks.assign(form=[FORM_NAMES[f][0] for f in rolled.checks["form"]])
    return Table(
        frame,
        "Checks that parts add up",
        note="Differences are those of adding numbers with decimals in another order.",
        columns=[
            Column("form", "Form", row_header=True),
            Column("check", "Check"),
            Column("compared", "Pairs compared", format="integer"),
            Column("largest", "Largest difference", format="number:6"),
            Column("agrees", "Agrees", format="yes"),
        ],
        fold=True,
    )


def missing_text(rolled: FormsRollUp) -> Text:
    """Which counties did not report, and what that does to the sums above them."""
    missing = incomplete_of(rolled)
    h = rolled.hierarchy
    if "county" not in rolled.tables:
        return nothing("missing county forms", "the survey has no county form")
    if missing.empty:
        return Text(f"All {len(h.counties)} counties sent a county form that was accepted.")
    names = numbers.listing(list(missing["name"][:12]))
    more = f" and {len(missing) - 12} others" if len(missing) > 12 else ""
    return Text(
        f"**{len(missing)} of {len(h.counties)} counties have no accepted county form**: {names}"
        f"{more}. They are missing in their rows, and every sum above them is marked incomplete: "
        "it is of the counties that reported, and is not filled up."
    )


def protection_text(rolled: FormsRollUp) -> Text:
    """The rules by which cells are withheld, and how many are, in words."""
    rules = rolled.survey.policy.disclosure
    counts = {
        FORM_NAMES[form][0].lower(): int(table.withheld.to_numpy().sum())
        for form, table in rolled.tables.items()
    }
    cells = {form: int(table.values.size) for form, table in rolled.tables.items()}
    listed = numbers.listing(
        [
            f"{count} of {numbers.number(size)} in the {form}"
            for (form, count), size in zip(counts.items(), cells.values(), strict=True)
        ]
    )
    return Text(
        f"Counts of persons and households from 1 to {rules.min_count - 1}, and numbers with fewer "
        f"than {rules.min_count} respondents behind them, are withheld; so is a sum whose largest "
        f"respondent could be computed to within {rules.p_percent:g} % by the second largest. "
        "Other cells are withheld with them, so that subtraction along either hierarchy, or "
        "between the answers of a question, gives nothing back: whoever knows all that is "
        "published can still not tell a withheld small count from 0 or from "
        f"{rules.min_count}. Withheld are {listed}. Which of them are the small ones is not said, "
        "as that would help to find them. "
        "Sums of money, land and villages of whole counties tell about nobody and are not withheld "
        "(Hundepool et al. 2012; Fischetti and Salazar 2001)."
    )
