"""Where everything stands on a sheet that is filled in.

Row 1 holds the title, row 2 the labels with their unit, row 3 the names of the variables, and
records begin in row 4. Columns whose name in row 3 begins with ``#`` belong to the workbook
(remarks, names of counties): they are locked and hold nothing that is submitted. All others are
exactly the form's fields, in its order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd
from openpyxl.utils import get_column_letter

from povmon.survey.fields import Form
from povmon.survey.workbook.scope import Scope

TITLE_ROW, LABEL_ROW, NAME_ROW, FIRST_ROW = 1, 2, 3, 4
LAST_SHEET_ROW = 1_048_576
HELPER_MARK = "#"
CHECK_COLUMN = "#check"
COUNTY_NAME_COLUMN = "#county_name"

COVER_SHEET = "instructions 填表说明"
DEFINITIONS_SHEET = "definitions 指标解释"
CODES_SHEET = "codes 代码表"

# Where the survey does not plan its sample: room enough for a first delivery.
VILLAGES_PER_COUNTY, HOUSEHOLDS_PER_VILLAGE, COUNTIES = 20, 20, 10
PERSONS_PER_HOUSEHOLD = 4
# Rows with checks beyond the expected number: replacements, larger households.
RESERVE = 1.25


def sheet_name(form: Form) -> str:
    """Name of a form's sheet: its English name and its Chinese one."""
    return f"{form.name} {form.zh}"


@dataclass(frozen=True)
class Layout:
    """One form's sheet.

    Parameters
    ----------
    form : the form as the survey has it.
    helpers : names of the workbook's own columns, to the left of the form's.
    given : records whose first cells are filled in and locked (columns: some of the form's).
    expected : number of records that the design expects.
    ready : number of rows that have a check cell.
    fixed : True where no row may be added to those given.
    """

    form: Form
    helpers: tuple[str, ...]
    given: pd.DataFrame
    expected: int
    ready: int
    fixed: bool

    @property
    def sheet(self) -> str:
        """Name of the sheet."""
        return sheet_name(self.form)

    @property
    def last_row(self) -> int:
        """Last row that has a check cell."""
        return FIRST_ROW + self.ready - 1

    @property
    def names(self) -> list[str]:
        """Names of all columns from the left, helpers first."""
        return [*self.helpers, *self.form.columns]

    def letter(self, name: str) -> str:
        """Letter of a column."""
        return get_column_letter(self.names.index(name) + 1)

    def cell(self, name: str, row: int | str = FIRST_ROW) -> str:
        """A cell of a record, its column fixed: ``$C4``."""
        return f"${self.letter(name)}{row}"

    def record(self, row: int | str = FIRST_ROW) -> str:
        """All cells of a record to be filled in: ``$B4:$AW4``."""
        return f"{self.cell(self.form.columns[0], row)}:{self.cell(self.form.columns[-1], row)}"

    def column_range(self, name: str) -> str:
        """All ready cells of a column, fixed, for formulas on the same sheet."""
        letter = self.letter(name)
        return f"${letter}${FIRST_ROW}:${letter}${self.last_row}"

    def outer_range(self, name: str) -> str:
        """All ready cells of a column, fixed, for formulas on other sheets."""
        return f"'{self.sheet}'!{self.column_range(name)}"

    def range_name(self, name: str) -> str:
        """The defined name of a key's cells, e.g. ``village_village_id``.

        Rules and checks refer to other sheets by such names: older programs do not take a plain
        reference in every place.
        """
        return f"{self.form.name}_{name}"


def layouts(scope: Scope) -> dict[str, Layout]:
    """The sheets of a workbook, by form."""
    counts = _expected(scope)
    found = {}
    for form in scope.forms:
        given = _given(scope, form)
        fixed = form.name == "county" and len(given) > 0
        expected = len(given) if fixed else counts[form.name]
        named = len(scope.counties) > 0 and "county_id" in form.columns
        helpers = (CHECK_COLUMN, COUNTY_NAME_COLUMN) if named else (CHECK_COLUMN,)
        ready = expected if fixed else math.ceil(expected * RESERVE)
        found[form.name] = Layout(form, helpers, given, expected, ready, fixed)
    return found


def _expected(scope: Scope) -> dict[str, int]:
    design = scope.survey.design
    counties = len(scope.counties) or COUNTIES
    planned = counties * (design.villages_per_county or VILLAGES_PER_COUNTY)
    villages = len(scope.villages) or planned
    households = villages * (design.households_per_village or HOUSEHOLDS_PER_VILLAGE)
    return {
        "county": counties,
        "village": villages,
        "household": households,
        "person": households * PERSONS_PER_HOUSEHOLD,
    }


def _given(scope: Scope, form: Form) -> pd.DataFrame:
    """What is known before anything is filled in: counties, and villages where there is a list."""
    if form.name == "county":
        given = scope.counties[["county_id"]]
    elif form.name == "village":
        weights = scope.villages["w_village"].notna().all()
        columns = ["village_id", "county_id"] + (["w_village"] if weights else [])
        given = scope.villages[columns]
    else:
        return pd.DataFrame(columns=[])
    return given.assign(year=scope.survey.year)
