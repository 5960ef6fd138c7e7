"""The ledger of an audit: the records under audit and everything that is found and done.

All checks go through it, so that no value changes without an entry in the log of corrections and
no record is left out without a reason.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from povmon.audit.rules import catalogue
from povmon.survey.forms import FORMS

PLACE = ["file", "sheet", "line"]
FINDINGS = [
    "rule", "severity", "level", *PLACE, "key", "column", "value", "message", "detail", "expected",
]  # fmt: skip
CORRECTIONS = ["form", "key", "column", "before", "after", "rule", "method", *PLACE]
REJECTED = ["form", "key", *PLACE, "rule", "reason"]
IMPUTED = ["form", "key", "column", "group", "method", "donor", "pool"]
DONORS = ["group", "pool", "donor"]

Mask = Any  # a boolean Series or array with one entry a row of the form's table


def as_text(values: pd.Series) -> pd.Series:
    """Values as they are shown in findings and logs: "" for missing, 1 and 0 for yes and no."""
    if pd.api.types.is_bool_dtype(values):
        values = values.astype("Int64")
    if pd.api.types.is_float_dtype(values):
        text = values.map(lambda v: "" if pd.isna(v) else f"{v:.12g}")
    else:
        text = values.map(lambda v: "" if pd.isna(v) else str(v))
    return text.astype("str")


def label(form: str, column: str) -> str:
    """The English label of a field, for messages."""
    if form in FORMS and column in FORMS[form].columns:
        return FORMS[form][column].en
    return column


class Ledger:
    """Records and entries.

    Parameters
    ----------
    tables : form -> records (the form's fields, ``key``, ``source_file``, ``source_sheet``,
        ``source_line``), index 0, 1, ...; checks read them, and change them through `correct` only.
    submitted : form -> fields that at least one file had.
    """

    def __init__(self, tables: dict[str, pd.DataFrame], submitted: dict[str, set[str]]) -> None:
        self.tables = tables
        self.submitted = submitted
        self.live = {form: np.ones(len(t), dtype=bool) for form, t in tables.items()}
        self.changed = {form: np.zeros(len(t), dtype=bool) for form, t in tables.items()}
        self.faults = {form: np.zeros(len(t), dtype=int) for form, t in tables.items()}
        # Cells that a reviewer decided: (form, row, column). Nothing changes them afterwards.
        self.decided: set[tuple[str, int, str]] = set()
        self._imputed: list[list[str]] = []
        self._donors: dict[tuple[str, str], list[str]] = {}
        self._findings: list[pd.DataFrame] = []
        self._notes: list[list[Any]] = []
        self._corrections: list[pd.DataFrame] = []
        self._rejected: list[pd.DataFrame] = []

    def accepted(self, form: str) -> pd.DataFrame:
        """The records of a form that are still in (a copy)."""
        return self.tables[form][self.live[form]].copy()

    def find(
        self, rule: str, form: str, rows: Mask, column: str = "",
        value: pd.Series | None = None, detail: pd.Series | None = None,
        expected: pd.Series | None = None,
    ) -> None:  # fmt: skip
        """Enter a finding for each row of `rows`.

        Parameters
        ----------
        value : text of the value found (default: the column's current value).
        detail : text for the {detail} of the rule's message.
        expected : the amount that would have been expected instead (one entry a found row).
        """
        rows = np.asarray(rows, dtype=bool)
        if not rows.any():
            return
        entry = catalogue()[rule]
        table = self.tables[form]
        key = table["key"][rows]
        if value is None and column in table:
            value = as_text(table.loc[rows, column])
        shown = value[rows] if value is not None and len(value) == len(table) else value
        message = entry.en.replace("{column}", label(form, column))
        self._findings.append(
            _frame(key.index, {
                "rule": rule, "severity": entry.severity, "level": form,
                **_place(table, rows), "key": key, "column": column,
                "value": "" if shown is None else shown,
                "message": _with_detail(message, rows, detail),
                "detail": "" if detail is None else _chosen(detail, rows),
                "expected": np.nan if expected is None else _chosen(expected, rows),
            })
        )  # fmt: skip
        if entry.severity == "hard":
            self.faults[form] += rows

    def found(self, rules: set[str], severity: str = "hard") -> dict[str, dict[str, set[str]]]:
        """Records with findings of some rules: form -> key -> the rules found in it."""
        out: dict[str, dict[str, set[str]]] = {}
        for part in self._findings:
            # A finding names its rule once for all of its rows.
            rule, form = str(part["rule"].iat[0]), str(part["level"].iat[0])
            if rule in rules and catalogue()[rule].severity == severity:
                keys = out.setdefault(form, {})
                for key in part["key"]:
                    keys.setdefault(str(key), set()).add(rule)
        return out

    def correct(
        self, rule: str, form: str, rows: Mask, column: str, after: Any, method: str | pd.Series,
        before: pd.Series | None = None,
    ) -> None:  # fmt: skip
        """Replace the values of `rows` (by a scalar or a Series over the table) and log it.

        `method` is a text, or a Series over the table with one text a row.
        """
        rows = np.asarray(rows, dtype=bool)
        if not rows.any():
            return
        table = self.tables[form]
        old = as_text(table.loc[rows, column]) if before is None else before[rows]
        table.loc[rows, column] = after[rows] if isinstance(after, pd.Series) else after
        words = method[rows] if isinstance(method, pd.Series) else method
        key = table["key"][rows]
        self._corrections.append(
            _frame(key.index, {
                "form": form, "key": key, "column": column, "before": old,
                "after": as_text(table.loc[rows, column]), "rule": rule, "method": words,
                **_place(table, rows),
            })
        )  # fmt: skip
        self.changed[form] |= rows

    def log(self, form: str, rows: Mask, column: str, before: pd.Series, rule: str,
            method: str) -> None:  # fmt: skip
        """Log values that reading changed: the table holds them already."""
        column_now = self.tables[form][column]
        self.correct(rule, form, rows, column, column_now, method, before=before)

    def reject(self, rule: str, form: str, rows: Mask, detail: pd.Series | None = None,
               column: str = "") -> None:  # fmt: skip
        """Leave out the live records among `rows`, with the rule's message as the reason."""
        rows = np.asarray(rows, dtype=bool) & self.live[form]
        if not rows.any():
            return
        self.find(rule, form, rows, column, detail=detail)
        table = self.tables[form]
        key = table["key"][rows]
        self._rejected.append(
            _frame(key.index, {
                "form": form, "key": key, **_place(table, rows), "rule": rule,
                "reason": self._findings[-1]["message"],
            })
        )  # fmt: skip
        self.live[form] &= ~rows

    def note(
        self, rule: str, level: str, *, file: str = "", sheet: str = "", line: int = 0,
        key: str = "", column: str = "", value: str = "", detail: str = "",
    ) -> None:  # fmt: skip
        """Enter a finding that belongs to no record."""
        entry = catalogue()[rule]
        message = entry.en.replace("{column}", label(level, column)).replace("{detail}", detail)
        self._notes.append([
            rule, entry.severity, level, file, sheet, line, key, column, value, message, detail,
            np.nan,
        ])  # fmt: skip

    def mark_imputed(
        self, entries: list[list[str]], donors: dict[tuple[str, str], list[str]]
    ) -> None:
        """Keep which cells were imputed, and who could have given them.

        Parameters
        ----------
        entries : rows of `IMPUTED`.
        donors : (group, pool) -> keys of all donors in the pool.
        """
        self._imputed += entries
        self._donors |= donors

    def imputed(self) -> pd.DataFrame:
        """One row an imputed cell: form, key, column, group, method, donor, pool."""
        whole = pd.DataFrame(self._imputed, columns=IMPUTED).astype("str")
        return whole.sort_values(["form", "key", "column"], kind="stable", ignore_index=True)

    def donors(self) -> pd.DataFrame:
        """One row a donor of a pool that a cell was imputed from: group, pool, donor."""
        rows = [[*pool, key] for pool, keys in self._donors.items() for key in keys]
        whole = pd.DataFrame(rows, columns=DONORS).astype("str")
        return whole.sort_values(DONORS, kind="stable", ignore_index=True)

    def findings(self) -> pd.DataFrame:
        """All findings, by file and line."""
        notes = [pd.DataFrame(self._notes, columns=FINDINGS)] if self._notes else []
        order = [*PLACE, "level", "column", "rule", "key"]
        return _stack(self._findings + notes, FINDINGS, order)

    def corrections(self) -> pd.DataFrame:
        """All changed values; several changes of one cell stay in the order they were made."""
        return _stack(self._corrections, CORRECTIONS, [*PLACE, "form", "column"])

    def rejected(self) -> pd.DataFrame:
        """All records left out, with the reason."""
        return _stack(self._rejected, REJECTED, [*PLACE, "form"])


def _place(table: pd.DataFrame, rows: np.ndarray) -> dict[str, pd.Series]:
    """File, sheet and line of the chosen rows."""
    return {name: table[f"source_{name}"][rows] for name in PLACE}


def _frame(index: pd.Index, columns: dict[str, Any]) -> pd.DataFrame:
    """Columns (Series, or one value for all rows) as a frame.

    Nearly all Series have the frame's index already; pandas would align each of them.
    """
    return pd.DataFrame({name: _on(index, v) for name, v in columns.items()}, index=index)


def _on(index: pd.Index, values: Any) -> Any:
    if not isinstance(values, pd.Series):
        return values
    return (values if values.index.equals(index) else values.reindex(index)).array


def _with_detail(message: str, rows: np.ndarray, detail: pd.Series | None) -> Any:
    if detail is None or "{detail}" not in message:
        return message
    first, last = message.split("{detail}", 1)
    return first + _chosen(detail, rows).astype("str") + last


def _chosen(values: pd.Series, rows: np.ndarray) -> pd.Series:
    """Values of the found rows, from a Series over the table or over these rows."""
    return values[rows] if len(values) == len(rows) else values


def _stack(parts: list[pd.DataFrame], columns: list[str], order: list[str]) -> pd.DataFrame:
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    numbers = {"line": "int64", "expected": "float64"}
    types = {name: numbers.get(name, "str") for name in columns}
    whole = whole[columns].astype(types)
    return whole.sort_values(order, kind="stable", ignore_index=True)
