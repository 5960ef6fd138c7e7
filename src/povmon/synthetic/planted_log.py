"""The log of planted errors: reading it, checking it, and undoing what it says.

The generator writes one (``truth/planted.parquet``); errors planted by others come as a CSV file
of the same columns. docs/audit-score.md describes the format.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from povmon import paths
from povmon.audit.amounts import AGGREGATES
from povmon.errors import PovmonError
from povmon.survey.forms import FORMS
from povmon.survey.intake import row_keys
from povmon.survey.text import read_text_table
from povmon.synthetic.errors import STRUCTURAL, error_kinds

NEEDED = ["kind", "form", "key", "column", "before", "after"]
OPTIONAL = ["case", "nature", "scope", "edit"]
NATURES = ("logical", "statistical")
SCOPES = ("record", "household", "village")
WHOLE_RECORD = ("", *dict.fromkeys(k for form in FORMS.values() for k in form.key))


def read_log(survey: str, path: Path | None = None) -> pd.DataFrame:
    """The planted errors of a survey.

    Parameters
    ----------
    survey : its name.
    path : a CSV file written by others; None takes the generator's own log.

    Returns
    -------
    One row a changed cell (or a record, `column` ""): kind, form, key, column, before, after,
    case, nature, scope and columns (those that a finding may name, as a tuple).

    Raises
    ------
    PovmonError : there is no log, a column is missing, or a value is not one of those permitted.
    """
    if path is None:
        return complete(_own(survey), "truth/planted.parquet")
    table = read_text_table(path, path.name)
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise PovmonError(
            f"the column {missing[0]!r} is missing",
            where=f"{path.name}, line 1",
            todo=f"columns needed: {', '.join(NEEDED)}; optional: {', '.join(OPTIONAL)}",
        )
    frame = pd.DataFrame({n: table.columns[n] for n in (*NEEDED, *OPTIONAL) if n in table.columns})
    return complete(frame.astype("str"), path.name)


def _own(survey: str) -> pd.DataFrame:
    path = paths.processed(survey, "truth") / "planted.parquet"
    if not path.is_file():
        raise PovmonError(
            "there is no log of planted errors",
            where=path.relative_to(paths.root()).as_posix(),
            todo=f"run `make generate SURVEY={survey}`, or name a log: PLANTED=path of a CSV",
        )
    return pd.read_parquet(path)


def complete(log: pd.DataFrame, place: str) -> pd.DataFrame:
    """A log with everything that scoring needs, checked."""
    log = log[log["form"] != ""].reset_index(drop=True)
    log["case"] = log["case"].where(log["case"] != "", log["key"]) if "case" in log else log["key"]
    known = error_kinds()
    default: dict[str, Any] = {
        "nature": {k: kind.nature for k, kind in known.items()},
        "scope": {k: kind.scope for k, kind in known.items()},
    }
    for name, values in default.items():
        usual = log["kind"].map(values)
        if name == "scope":
            usual = usual.fillna("record")
        log[name] = log[name].where(log[name] != "", usual) if name in log else usual
    log.loc[log["kind"].isin(STRUCTURAL), "nature"] = "structural"
    _check(log, place)
    log["columns"] = _columns(log)
    return log.drop(columns="edit", errors="ignore")


def _check(log: pd.DataFrame, place: str) -> None:
    fields = {(f, c) for f, form in FORMS.items() for c in ("", *form.columns)}
    pairs = pd.Series(zip(log["form"], log["column"], strict=True), index=log.index, dtype="object")
    wrong = {
        "form": ~log["form"].isin(list(FORMS)),
        "column": ~pairs.isin(fields) & log["form"].isin(list(FORMS)),
        "nature": ~log["nature"].isin([*NATURES, "structural"]),
        "scope": ~log["scope"].isin(SCOPES),
    }
    todo = {
        "form": f"one of {', '.join(FORMS)}",
        "column": "a column of the form, or empty for a whole record",
        "nature": f"give a column nature with {' or '.join(NATURES)} for this kind of error",
        "scope": f"one of {', '.join(SCOPES)}",
    }
    for name, rows in wrong.items():
        if rows.any():
            row = log[rows].iloc[0]
            value = "" if pd.isna(row[name]) else row[name]
            raise PovmonError(
                f"{name} {value!r} of the kind {row['kind']!r} is not known",
                where=f"{place}, key {row['key']}",
                todo=todo[name],
            )


def _columns(log: pd.DataFrame) -> pd.Series:
    """Columns that a finding may name, the same for all rows of a case."""
    known = error_kinds()
    touched: dict[tuple[str, str], dict[str, None]] = {}
    for kind, case, column in zip(log["kind"], log["case"], log["column"], strict=True):
        touched.setdefault((kind, case), {})[column] = None
    given = log["edit"] if "edit" in log else pd.Series("", index=log.index)
    out = []
    for kind, case, edit in zip(log["kind"], log["case"], given, strict=True):
        own = tuple(touched[kind, case])
        if kind in known:
            out.append(_with_keys(known[kind].columns))
        elif edit:
            out.append(_with_keys((*own, *(name.strip() for name in edit.split(";")))))
        else:
            out.append(_usual_edit(own))
    return pd.Series(out, index=log.index, dtype="object")


def _with_keys(columns: tuple[str, ...]) -> tuple[str, ...]:
    """A finding on a record as a whole names no column, or one of its key."""
    return tuple(dict.fromkeys((*columns, *WHOLE_RECORD) if "" in columns else columns))


def _usual_edit(touched: tuple[str, ...]) -> tuple[str, ...]:
    """Totals stand with their parts; an error without a column is one of the record."""
    columns = [c for c in touched if c]
    for total, parts in AGGREGATES.items():
        if {total, *parts} & set(columns):
            columns += [total, *parts]
    return tuple(dict.fromkeys(columns)) if columns else WHOLE_RECORD


def sent_keys(log: pd.DataFrame) -> pd.Series:
    """Keys as they were submitted: an error may have changed a part of the key."""
    new: dict[tuple[str, str], str] = {}
    keys = {name for form in FORMS.values() for name in form.key}
    for row in log[log["column"].isin(keys)].to_dict("records"):
        names = FORMS[row["form"]].key
        if row["column"] in names:
            pair = (row["form"], row["key"])
            pieces = new.get(pair, row["key"]).split("/")
            pieces[names.index(row["column"])] = row["after"].strip()
            new[pair] = "/".join(pieces)
    pairs = zip(log["form"], log["key"], strict=True)
    return pd.Series([new.get(pair, pair[1]) for pair in pairs], index=log.index, dtype="str")


def undo(rows: dict[str, pd.DataFrame], log: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Submitted rows as they were before the errors: values put back, second copies left out.

    Parameters
    ----------
    rows : form -> text rows as submitted (see `read_submissions`).
    log : the planted errors of these rows (see `read_log`).
    """
    sent = sent_keys(log)
    clean = {}
    for form, table in rows.items():
        mine = log[(log["form"] == form) & (log["column"] != "")]
        table = table.copy()
        keys = row_keys(form, table)
        for column, part in mine.groupby("column"):
            old = pd.DataFrame({
                "key": sent[part.index], "after": part["after"].str.strip(),
                "before": part["before"].str.strip(),
            }).drop_duplicates(["key", "after"]).set_index(["key", "after"])["before"]  # fmt: skip
            here = pd.MultiIndex.from_arrays([keys, table[column]])
            place = old.index.get_indexer(here)
            found = place >= 0
            table.loc[found, column] = old.to_numpy()[place[found]]
        again = row_keys(form, table)
        clean[form] = table[~again.duplicated().to_numpy()].reset_index(drop=True)
    return clean
