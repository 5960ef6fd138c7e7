"""Cells: from submitted text to values, with every cell that is no value of its field reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger, as_text
from povmon.survey.cells import Parsed, parse
from povmon.survey.collect import money_of
from povmon.survey.columns import number_change
from povmon.survey.config import WEIGHTS, Survey
from povmon.survey.fields import PANDAS_DTYPE, Field
from povmon.survey.forms import FORMS
from povmon.survey.identifiers import full_codes
from povmon.survey.intake import row_keys
from povmon.survey.origin import ORIGIN


def read_values(survey: Survey, rows: dict[str, pd.DataFrame],
                submitted: dict[str, set[str]]) -> Ledger:  # fmt: skip
    """Convert every form's text and open the ledger with what was found in the cells.

    Parameters
    ----------
    rows : form -> text rows, as `read_submissions` gives them.
    submitted : form -> fields that at least one file had.
    """
    parsed = {form: _parse_form(survey, form, text, submitted[form]) for form, text in rows.items()}
    _restore_zeros(parsed)
    tables = {form: _table(form, rows[form], columns) for form, columns in parsed.items()}
    ledger = Ledger(tables, submitted)
    for form, columns in parsed.items():
        for name, cells in columns.items():
            _report(ledger, form, FORMS[form][name], rows[form][name], cells)
        _check_ranges(ledger, form, rows[form])
        _unit_weights(survey, ledger, form)
        _check_year(survey, ledger, form)
    return ledger


def reject_incomplete(survey: Survey, ledger: Ledger) -> None:
    """Leave out records that lack what nothing can be done without (after all repairs)."""
    for form, table in ledger.tables.items():
        keys = FORMS[form].key
        for name in survey.required_fields(form):
            if name not in keys:
                ledger.reject("required_missing", form, table[name].isna(), column=name)


def _parse_form(
    survey: Survey, form: str, text: pd.DataFrame, submitted: set[str]
) -> dict[str, Parsed]:
    return {
        name: parse(
            FORMS[form][name],
            text[name],
            number_change(survey, form, name),
            money_of(survey),
            text["source_file"],
        )
        for name in FORMS[form].columns
        if name in submitted
    }


def _restore_zeros(parsed: dict[str, dict[str, Parsed]]) -> None:
    """Leading zeros that a spreadsheet took from identifiers in some files and not in others."""
    for name in ("county_id", "village_id", "household_id"):
        having = [columns for columns in parsed.values() if name in columns]
        known = pd.concat([columns[name].values for columns in having]) if having else None
        if known is None or not known.str.startswith("0").any():
            continue
        full = full_codes(known.dropna().unique())
        for columns in having:
            cells = columns[name]
            short = cells.values.isin(list(full))
            values = cells.values.mask(short, cells.values.map(full))
            columns[name] = replace(cells, values=values, normalised=cells.normalised | short)


def _table(form: str, text: pd.DataFrame, columns: dict[str, Parsed]) -> pd.DataFrame:
    data = {}
    for field in FORMS[form].fields:
        if field.name in columns:
            data[field.name] = columns[field.name].values
        else:
            empty = [None] * len(text)
            data[field.name] = pd.Series(empty, dtype=PANDAS_DTYPE[field.dtype])
    table = pd.DataFrame({**data, **{name: text[name] for name in ORIGIN}})
    table["key"] = row_keys(form, table)
    return table


def _report(ledger: Ledger, form: str, field: Field, text: pd.Series, cells: Parsed) -> None:
    if cells.normalised.any():
        read_as = as_text(ledger.tables[form][field.name])
        ledger.find("value_normalised", form, cells.normalised, field.name, text, read_as)
        ledger.log(form, cells.normalised, field.name, text, "value_normalised", "normalised")
    if cells.refused.any():
        by_type = {"code": "code_unknown", "boolean": "code_unknown", "id": "id_damaged"}
        rule = by_type.get(field.dtype, "not_a_number")
        for name, rows in (
            (rule, cells.refused & ~cells.ambiguous),
            ("number_ambiguous", cells.refused & cells.ambiguous),
        ):
            ledger.find(name, form, rows, field.name, text)
            ledger.log(form, rows, field.name, text, name, "made missing")


def _check_ranges(ledger: Ledger, form: str, text: pd.DataFrame) -> None:
    table = ledger.tables[form]
    for field in FORMS[form].fields:
        low = -np.inf if field.minimum is None else field.minimum
        high = np.inf if field.maximum is None else field.maximum
        if field.dtype not in ("integer", "number") or (low == -np.inf and high == np.inf):
            continue
        values = table[field.name].astype("float64")
        outside = (values < low) | (values > high)
        if outside.any():
            limits = pd.Series(_limits(low, high), index=table.index, dtype="str")
            ledger.find("out_of_range", form, outside, field.name, text[field.name], limits)
            ledger.correct("out_of_range", form, outside, field.name, None, "made missing",
                           before=text[field.name])  # fmt: skip


def _limits(low: float, high: float) -> str:
    if high == np.inf:
        return "above 0" if 0 < low < 1e-6 else f"{low:g} or more"
    return f"{low:g} to {high:g}"


def _unit_weights(survey: Survey, ledger: Ledger, form: str) -> None:
    """A survey without weights: every record stands for itself."""
    if survey.design.weights == "none":
        for name in WEIGHTS:
            if name in FORMS[form].columns:
                ledger.tables[form][name] = 1.0


def _check_year(survey: Survey, ledger: Ledger, form: str) -> None:
    table = ledger.tables[form]
    missing = table["year"].isna().to_numpy()
    ledger.find("year_filled", form, missing, "year")
    ledger.correct("year_filled", form, missing, "year", survey.year, "year of the survey")
    other = (table["year"] != survey.year).fillna(False).to_numpy(dtype=bool)
    ledger.find("year_differs", form, other, "year")
