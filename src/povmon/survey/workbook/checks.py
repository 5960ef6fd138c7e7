"""Checks that tell the person who fills in a form what does not fit, before it is sent.

Each check has a formula that is true where a record is wrong. The first that is true gives the
words in the sheet's first column, and these words colour the cells concerned. The checks are those
of the audit that need nothing but the workbook; the audit remains what decides. Each costs about
the same however many rows there are: the members of a household stand one below the other, so
only the rows near a person's are compared with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from openpyxl.formatting.rule import FormulaRule
from openpyxl.worksheet.worksheet import Worksheet

from povmon.survey.fields import Form
from povmon.survey.forms import CONSUMPTION_PARTS, FORMS, INCOME_PARTS
from povmon.survey.workbook import style
from povmon.survey.workbook.layout import CHECK_COLUMN, FIRST_ROW, Layout

ROUNDING = 0.5  # each amount may be rounded to a unit of its own
FUNDS_SOURCES = ("funds_central", "funds_provincial", "funds_other")
FUNDS_USES = ("use_production", "use_infrastructure", "use_social", "use_other")
RIGHT = "✓"
WRONG = "✗"
COMPLETE = f"{RIGHT} 无误 OK"
INCOMPLETE = f"{WRONG} 必填项为空 required cell empty"
ROW = "{row}"  # in a template: the record's row
MOST_MEMBERS = 30  # the highest line number of the person form
_REFERENCE = re.compile(r"\[(?:(\w+)\.)?(\w+)([:~]?)\]")


@dataclass(frozen=True)
class Check:
    """One check of a record.

    Parameters
    ----------
    form : form whose records it looks at.
    wrong : spreadsheet formula, true where the record is wrong; ``[age]`` is the record's cell,
        ``[line:]`` its column, ``[line~]`` the part of it near the record, ``[village.village_id]``
        a key on another sheet.
    marks : fields that are coloured.
    en, zh : what is wrong.
    """

    form: str
    wrong: str
    marks: tuple[str, ...]
    en: str
    zh: str


def _at_most(form: str, whole: str, *parts: str) -> list[Check]:
    definition = FORMS[form]
    total = definition[whole]
    return [
        Check(
            form,
            f"AND(COUNT([{part}],[{whole}])=2,[{part}]>[{whole}])",
            (part, whole),
            f"{definition[part].en}: more than {total.en[0].lower()}{total.en[1:]}",
            f"{definition[part].zh}大于{total.zh}",
        )
        for part in parts
    ]


def _adds_up(form: str, totals: tuple[str, ...], parts: tuple[str, ...], en: str, zh: str) -> Check:
    left, right = (",".join(f"[{n}]" for n in names) for names in (parts, totals))
    number = len(parts) + len(totals)
    wrong = (
        f"AND(COUNT({left},{right})={number},ABS(SUM({left})-SUM({right}))>{ROUNDING * number:g})"
    )
    return Check(form, wrong, totals, en, zh)


CHECKS: tuple[Check, ...] = (
    *_at_most("county", "population", "rural_population"),
    *_at_most("county", "rural_population", "registered_poor"),
    *_at_most("county", "farmland", "irrigated"),
    *_at_most(
        "county", "villages", "villages_road", "villages_bus", "villages_water",
        "villages_clinic", "villages_power",
    ),
    *_at_most("county", "children_7_15", "enrolled_7_15"),
    _adds_up(
        "county", FUNDS_USES, FUNDS_SOURCES,
        "funds by use and by source differ", "资金用途合计与来源合计不符",
    ),
    *_at_most(
        "village", "natural_villages", "nv_road", "nv_electricity", "nv_telephone",
        "nv_cable_tv", "nv_broadband",
    ),
    _adds_up(
        "household", ("income_total",), INCOME_PARTS,
        "income parts do not add up", "收入分项之和不等于合计",
    ),
    _adds_up(
        "household", ("consumption_total",), CONSUMPTION_PARTS,
        "consumption parts do not add up", "消费分项之和不等于合计",
    ),
    Check(
        "household",
        "IFERROR(AND(LEN([household_id])>0,LEN([hhsize])>0,SUMPRODUCT(--("
        "INDEX([person.household_id],MATCH([household_id],[person.household_id],0)):"
        "INDEX([person.household_id],MIN(ROWS([person.household_id]),"
        f"MATCH([household_id],[person.household_id],0)+{MOST_MEMBERS}))"
        "=[household_id]))<>[hhsize]),FALSE)",
        ("hhsize",), "members differ from the persons listed", "户籍人口与人口表人数不符",
    ),
    Check(
        "person",
        "AND(LEN([household_id])>0,LEN([line])>0,"
        "SUMPRODUCT(([household_id~]=[household_id])*([line~]=[line]))>1)",
        ("line",), "line number twice in the household", "同一户内序号重复",
    ),
    Check(
        "person",
        'AND(LEFT([relation],5)="head ",'
        'SUMPRODUCT(([household_id~]=[household_id])*(LEFT([relation~],5)="head "))>1)',
        ("relation",), "two heads in the household", "同一户有两名户主",
    ),
)  # fmt: skip


def checks_of(form: Form, layouts: dict[str, Layout]) -> list[Check]:
    """The checks of a form that the workbook's sheets and fields allow."""
    found = [*_key_checks(form, layouts), *(c for c in CHECKS if c.form == form.name)]
    return [check for check in found if _possible(check, layouts)]


def _key_checks(form: Form, layouts: dict[str, Layout]) -> list[Check]:
    """A record's code stands once, and the code of the form above is one that is there."""
    found = []
    if len(form.key) == 1:
        key = form.key[0]
        # MATCH gives the first place: for a repeated code that is another row than its own.
        wrong = f"AND(LEN([{key}])>0,MATCH([{key}],[{key}:],0)<>ROW()-{FIRST_ROW - 1})"
        found.append(Check(form.name, wrong, (key,), "code stands twice", "代码重复"))
    if form.parent and form.parent[0] in layouts:
        parent, link = form.parent
        wrong = f"AND(LEN([{link}])>0,ISNA(MATCH([{link}],[{parent}.{link}],0)))"
        sheet = layouts[parent].form
        found.append(
            Check(
                form.name, wrong, (link,),
                f"code is not on the {parent} sheet", f"{sheet.zh}中没有该代码",
            )
        )  # fmt: skip
    return found


def _possible(check: Check, layouts: dict[str, Layout]) -> bool:
    return all(
        (sheet or check.form) in layouts and name in layouts[sheet or check.form].names
        for sheet, name, _ in _REFERENCE.findall(check.wrong)
    )


def remark(check: Check) -> str:
    """What the sheet's first column says where a check finds a record wrong."""
    return f"{WRONG} {check.zh} {check.en}"


def remark_template(own: Layout, layouts: dict[str, Layout]) -> str:
    """Formula of a record's check cell: the first fault in words, "" for an empty row.

    ``{row}`` stands for the record's row, ``{low}`` and ``{high}`` for the first and last of those
    near it; `remark_formula` fills them in.
    """
    inner = f'"{COMPLETE}"'
    empty = ",".join(f"LEN({own.cell(f.name, ROW)})=0" for f in own.form.fields if f.required)
    if empty:
        inner = f'IF(OR({empty}),"{INCOMPLETE}",{inner})'
    for check in reversed(checks_of(own.form, layouts)):
        words = remark(check).replace('"', '""')
        inner = f'IF({_formula(check, layouts)},"{words}",{inner})'
    return f'=IF(COUNTA({own.record(ROW)})=0,"",{inner})'


def remark_formula(template: str, own: Layout, row: int) -> str:
    """The formula of the check cell in a row."""
    low, high = max(FIRST_ROW, row - MOST_MEMBERS), min(own.last_row, row + MOST_MEMBERS)
    filled = template.replace(ROW, str(row))
    return filled.replace("{low}", str(low)).replace("{high}", str(high))


def _formula(check: Check, layouts: dict[str, Layout]) -> str:
    """A check's formula with its references."""
    own = layouts[check.form]

    def reference(found: re.Match[str]) -> str:
        sheet, name, kind = found.groups()
        if sheet:
            return layouts[sheet].range_name(name)
        letter = own.letter(name)
        near = f"${letter}{{low}}:${letter}{{high}}"
        return {"": own.cell(name, ROW), ":": own.column_range(name), "~": near}[kind]

    return _REFERENCE.sub(reference, check.wrong)


def add_colours(sheet: Worksheet, own: Layout, layouts: dict[str, Layout]) -> None:
    """Colour the cells that the remark is about, those missing, and the remark itself."""
    first = own.cell(CHECK_COLUMN)
    for check in checks_of(own.form, layouts):
        words = remark(check).replace('"', '""')
        wrong = FormulaRule(
            formula=[f'{first}="{words}"'], fill=style.WRONG_FILL,
            font=style.Font(color=style.WRONG), stopIfTrue=True,
        )  # fmt: skip
        cells = " ".join(_column(own, name) for name in check.marks)
        sheet.conditional_formatting.add(cells, wrong)
    for field in own.form.fields:
        if field.required:
            missing = f"AND(COUNTA({own.record()})>0,LEN({own.cell(field.name)})=0)"
            rule = FormulaRule(formula=[missing], fill=style.MISSING_FILL)
            sheet.conditional_formatting.add(_column(own, field.name), rule)
    for sign, colour in ((WRONG, style.WRONG), (RIGHT, style.GOOD)):
        rule = FormulaRule(formula=[f'LEFT({first},1)="{sign}"'], font=style.Font(color=colour))
        sheet.conditional_formatting.add(_column(own, CHECK_COLUMN), rule)


def _column(own: Layout, name: str) -> str:
    letter = own.letter(name)
    return f"{letter}{FIRST_ROW}:{letter}{own.last_row}"
