"""What was localised and imputed, on the audit's page; imputed shares, on the indicators' page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from povmon.audit import Audit
from povmon.indicators import AreaResults, read_imputed_shares
from povmon.indicators.reimputation import REPLICATES
from povmon.present import labels, numbers
from povmon.present.display import Column, Marked, Suppressed, Table, Text
from povmon.present.tables import nothing
from povmon.survey.forms import FORMS

TOTAL = "a total of those who answered is no estimate of the whole"
WITHHELD = "withheld by the publication policy"
EXACT = "the figure has no sampling error: every household is alike in it"
# Parts of the multidimensional index rest on the same cells as H, A and M0: they would make the
# table three times as long.
PARTS = ("mpi_uncensored_", "mpi_censored_", "mpi_contribution_")


def localised_table(audit: Audit) -> Table | Text:
    """The cells given up so that every household meets its edits, by field and broken rule."""
    log = audit.corrections[audit.corrections["rule"].eq("localised")]
    if log.empty:
        return nothing("localised errors", "no household breaks an edit that repairs left open")
    log = log.assign(edits=log["method"].str.partition(" meets ")[2].str.replace("_", " "))
    rows = []
    for (form, column, edits), part in log.groupby(["form", "column", "edits"], sort=True):
        first = part.iloc[0]
        rows.append(
            {
                "field": FORMS[str(form)][str(column)].en,
                "form": FORMS[str(form)].en,
                "edits": str(edits),
                "values": len(part),
                "example": f"{first['key']}: {first['before']} ({first['file']}, "
                f"line {first['line']})",
            }
        )
    frame = pd.DataFrame(rows).sort_values("values", ascending=False, kind="stable")
    left = audit.findings["rule"].eq("not_localised").sum()
    return Table(
        frame.reset_index(drop=True),
        "Values given up so that each household meets all its edits, by field",
        note="The set of fields with the least sum of reliability weights, found by integer "
        f"programming. {_unsolved(int(left))}",
        columns=[
            Column("field", "Field", row_header=True),
            Column("form", "Form"),
            Column("edits", "Rules that were broken"),
            Column("values", "Values", format="integer"),
            Column("example", "For example"),
        ],
        sortable=True,
    )


def _unsolved(households: int) -> str:
    if not households:
        return "Every household could be solved."
    number = numbers.count_of(households, "household")
    return f"{number} could not be solved and kept the values as they were; see the findings."


def imputed_text(audit: Audit) -> Text:
    """How much was imputed, in a sentence."""
    if audit.survey.policy.imputation == "none":
        return nothing("imputed values", "the survey's policy is to leave missing values missing")
    marks = audit.imputed
    if marks.empty:
        return nothing("imputed values", "nothing was missing that could be imputed")
    records = marks[["form", "key"]].drop_duplicates()
    moved = int(marks["method"].str.contains("adjusted").sum())
    return Text(
        f"**{numbers.count_of(len(marks), 'value')}** of "
        f"{numbers.count_of(len(records), 'record')} were imputed from donors of the same class; "
        f"{numbers.number(moved)} of them had to be moved so that the household meets its edits."
    )


def imputed_table(audit: Audit) -> Table | Text:
    """Imputed values by field: how many, what share of the records, from what kind of class."""
    marks = audit.imputed
    if marks.empty:
        return imputed_text(audit)
    rows = []
    for form in audit.records:
        for field in FORMS[form].fields:
            part = marks[marks["form"].eq(form) & marks["column"].eq(field.name)]
            if part.empty:
                continue
            kinds = part["pool"].str.replace(r"=[^,]*", "", regex=True).str.replace("_", " ")
            usual = kinds.value_counts()
            first = part.iloc[0]
            rows.append(
                {
                    "field": field.en,
                    "form": FORMS[form].en,
                    "values": len(part),
                    "share": len(part) / max(len(audit.records[form]), 1),
                    "classes": f"{usual.index[0]} ({usual.iloc[0]} of {len(part)})",
                    "example": f"{first['key']} from {first['donor']}",
                }
            )
    return Table(
        pd.DataFrame(rows),
        "Imputed values by field",
        note="All fields that a record lacks of one group come from one donor, drawn from its "
        "class with probability proportional to weight. Every imputed cell stands in "
        "imputed.parquet, every possible donor in donors.parquet.",
        columns=[
            Column("field", "Field", row_header=True),
            Column("form", "Form"),
            Column("values", "Values", format="integer"),
            Column("share", "Of accepted records", "%", "percent:2"),
            Column("classes", "Most used class"),
            Column("example", "For example"),
        ],
        sortable=True,
    )


def shares_table(results: AreaResults) -> Table | Text:
    """How much of each indicator is imputed, and what imputation does to the figure."""
    name = results.survey.survey
    table = read_imputed_shares(name, results.area)
    table = table[~table["indicator"].str.startswith(PARTS)]
    if table.empty:
        return nothing("imputed shares", "no indicator of this area rests on an imputed value")
    rows = [_shares_row(row, name) for row in table.to_dict("records")]
    return Table(
        pd.DataFrame(rows),
        "Imputed shares, and how far imputation moves each figure",
        note="Share: weighted share of households or persons whose value is imputed. Without: the "
        "estimate from those who answered. Moved: difference in standard errors. Wider: the "
        "standard error with the error of imputation (imputed again in each of "
        f"{REPLICATES} bootstrap replicates) over the one that takes imputed values as answered. "
        "Every published standard error and interval of households and persons is widened so, in "
        "each county, group and area by its own factor. Figures of the village and county forms, "
        "which are not imputed, stay as they are. The parts of the multidimensional index stand "
        "in imputation.parquet.",
        columns=[
            Column("indicator", "Indicator", row_header=True),
            Column("households", "Households", format="integer"),
            Column("share", "Imputed", "%", "percent:2"),
            Column("estimate", "Estimate", align="right"),
            Column("without", "Without imputed values", align="right"),
            Column("moved", "Moved", "standard errors", align="right"),
            Column("wider", "Wider", "times", align="right"),
        ],
    )


def _shares_row(row: Mapping[Any, Any], survey: str) -> dict[str, object]:
    indicator = labels.indicator(str(row["indicator"]), survey)
    unit = labels.money_unit(survey) if indicator.unit == "money" else indicator.unit
    reason = TOTAL if unit == "persons" else WITHHELD

    def shown(value: object, text: str, why: str) -> str | Suppressed | Marked:
        return Suppressed(why) if numbers.is_missing(value) else text

    moved, ratio = row["difference_se"], row["ratio"]
    return {
        "indicator": indicator.en,
        "households": row["households"],
        "share": row["share"],
        "estimate": shown(row["estimate"], numbers.value_in_unit(row["estimate"], unit), WITHHELD),
        "without": shown(row["without"], numbers.value_in_unit(row["without"], unit), reason),
        "moved": shown(moved, numbers.number(moved, 2), EXACT if row["se"] == 0 else reason),
        "wider": numbers.number(ratio, 3),
    }
