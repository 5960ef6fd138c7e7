"""The submissions while errors are being planted: forms as text, and a log of what was changed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from povmon.survey import FORMS
from povmon.synthetic.streams import Streams

PLANTED_COLUMNS = ["kind", "form", "key", "column", "before", "after", "file", "case"]


def as_text(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """The columns of a form as a province would send them: 1 and 0 for yes and no, "" missing."""
    out: dict[str, np.ndarray] = {}
    for field in FORMS[name].fields:
        array = pa.Array.from_pandas(frame[field.name])
        if field.dtype == "boolean":
            array = pc.cast(array, pa.int8())
        text = pc.fill_null(pc.cast(array, pa.string()), "")
        if field.dtype == "number":
            text = pc.replace_substring_regex(text, r"\.0$", "")
        out[field.name] = text.to_numpy(zero_copy_only=False)
    file = frame["area"] + "/" + frame["province_id"] + f"/{name}.csv"
    return pd.DataFrame(out, dtype=object).assign(file=file.to_numpy(dtype=object))


class Workspace:
    """Forms as text, in which errors are planted; every household gets at most one.

    Parameters
    ----------
    forms : form name -> text frame with the column `file` (see `as_text`).
    streams : the survey's random streams.
    """

    def __init__(self, forms: dict[str, pd.DataFrame], streams: Streams) -> None:
        self.forms = {name: frame.reset_index(drop=True) for name, frame in forms.items()}
        self.streams = streams
        self.log: list[pd.DataFrame] = []
        self._taken: dict[str, np.ndarray] = {}
        self._reset()

    def _reset(self) -> None:
        self._taken = {
            n: np.zeros(len(self.forms[n]), dtype=bool) for n in ("village", "household")
        }
        ids = pd.Index(self.forms["household"]["household_id"])
        self._household = ids.get_indexer(self.forms["person"]["household_id"])

    def keys(self, form: str, rows: np.ndarray) -> np.ndarray:
        """Keys of rows, parts joined by a slash."""
        parts = [self.forms[form][c].to_numpy(dtype=object)[rows] for c in FORMS[form].key]
        out = parts[0]
        for part in parts[1:]:
            out = out + "/" + part
        return out

    def choose(
        self,
        kind: str,
        form: str,
        number: int | dict[str, int],
        eligible: np.ndarray,
        touches: tuple[str, ...] = (),
        reads: tuple[str, ...] = (),
    ) -> np.ndarray:
        """Rows for an error: eligible, and in a household (or village) that has none yet.

        A county can carry several errors, each in columns of its own.

        Parameters
        ----------
        kind : name of the error; its random stream is "error.<kind>".
        form : name of the form.
        number : how many rows, of all or of each area; fewer if there are not enough.
        eligible : one flag a row of the form.
        touches, reads : the columns that the error changes, and those it is measured against.
        """
        rows = np.flatnonzero(eligible & ~self.blocked(form, touches, reads))
        rows = self.streams(f"error.{kind}").permutation(rows)
        if form == "person":
            _, first = np.unique(self._household[rows], return_index=True)
            rows = rows[np.sort(first)]
        rows = np.sort(self._first(form, rows, number))
        self.block(form, rows, touches, reads)
        return rows

    def _first(self, form: str, rows: np.ndarray, number: int | dict[str, int]) -> np.ndarray:
        if isinstance(number, int):
            return rows[:number]
        area = self.forms[form]["file"].iloc[rows].str.split("/").str[0]
        rank = area.groupby(area).cumcount().to_numpy()
        return rows[rank < area.map(number).fillna(0).to_numpy()]

    def blocked(
        self, form: str, touches: tuple[str, ...] = (), reads: tuple[str, ...] = ()
    ) -> np.ndarray:
        """Flags the rows that cannot take an error any more."""
        if form == "person":
            return np.asarray(self._taken["household"][self._household])
        if form != "county":
            return self._taken[form]
        out = np.zeros(len(self.forms[form]), dtype=bool)
        for what, columns in (("touched", (*touches, *reads)), ("read", touches)):
            for column in columns:
                out |= self._taken.get(f"{what} {column}", False)
        return out

    def block(
        self, form: str, rows: np.ndarray, touches: tuple[str, ...] = (),
        reads: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """Note that these rows have an error."""
        if form == "person":
            self._taken["household"][self._household[rows]] = True
        elif form != "county":
            self._taken[form][rows] = True
        else:
            for what, columns in (("touched", touches), ("read", reads)):
                for column in columns:
                    flags = self._taken.setdefault(
                        f"{what} {column}", np.zeros(len(self.forms[form]), dtype=bool)
                    )
                    flags[rows] = True

    def change(
        self, kind: str, form: str, rows: np.ndarray, column: str, values: Sequence[str],
        case: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        """Write `values` into a column and log what stood there before.

        `case` names the case that a row belongs to, where several records make one (default: the
        row's key).
        """
        frame = self.forms[form]
        keys = self.keys(form, rows)
        before = frame[column].to_numpy(dtype=object)[rows]
        after = np.array(list(values), dtype=object)
        content = frame[column].to_numpy(dtype=object).copy()
        content[rows] = after
        frame[column] = content
        self.note(kind, form, rows, keys, column, before, after, case)

    def note(
        self,
        kind: str,
        form: str,
        rows: np.ndarray,
        keys: np.ndarray,
        column: str = "",
        before: np.ndarray | str = "",
        after: np.ndarray | str = "",
        case: np.ndarray | None = None,
    ) -> None:
        """Log an error without changing anything."""
        file = self.forms[form]["file"].to_numpy(dtype=object)[rows]
        entry = {"kind": kind, "form": form, "key": keys, "column": column}
        entry["case"] = keys if case is None else case
        self.log.append(pd.DataFrame({**entry, "before": before, "after": after, "file": file}))

    def duplicate(
        self, kind: str, form: str, rows: np.ndarray, changes: dict[str, list[str]] | None = None
    ) -> None:
        """Repeat rows, each copy right behind its original. To be done last.

        Parameters
        ----------
        changes : column -> what the copies have instead of the original's value.
        """
        frame, keys = self.forms[form], self.keys(form, rows)
        copies = frame.iloc[rows].copy()
        for column, values in (changes or {}).items():
            before = copies[column].to_numpy(dtype=object)
            copies[column] = np.array(values, dtype=object)
            self.note(kind, form, rows, keys, column, before, copies[column].to_numpy(dtype=object))
        if not changes:
            self.note(kind, form, rows, keys)
        both = pd.concat([frame, copies], ignore_index=True)
        order = np.argsort(np.concatenate([np.arange(len(frame)), rows]), kind="stable")
        self.forms[form] = both.iloc[order].reset_index(drop=True)
        self._follow(form, rows, order)

    def _follow(self, form: str, rows: np.ndarray, order: np.ndarray) -> None:
        """Keep marks and links beside their rows after copies came in."""
        if form in self._taken:
            marks = np.concatenate([self._taken[form], np.ones(len(rows), dtype=bool)])
            self._taken[form] = marks[order]
        if form == "person":
            self._household = np.concatenate([self._household, self._household[rows]])[order]
        if form == "household":
            self._household = np.argsort(order)[self._household]

    def drop_households(self, gone: np.ndarray) -> None:
        """Take households and their persons out (flags, one a household)."""
        person = gone[self._household]
        self.forms["person"] = self.forms["person"][~person].reset_index(drop=True)
        self.forms["household"] = self.forms["household"][~gone].reset_index(drop=True)
        self._reset()

    def drop_villages(self, rows: np.ndarray) -> None:
        """Take villages out, with their households and persons."""
        ids = self.forms["village"]["village_id"].to_numpy(dtype=object)[rows]
        keep = np.ones(len(self.forms["village"]), dtype=bool)
        keep[rows] = False
        self.forms["village"] = self.forms["village"][keep].reset_index(drop=True)
        self.drop_households(self.forms["household"]["village_id"].isin(ids).to_numpy())

    def planted(self) -> pd.DataFrame:
        """Everything that was planted: kind, form, key, column, before, after, file, case."""
        if not self.log:
            return pd.DataFrame(columns=PLANTED_COLUMNS, dtype="str")
        log = pd.concat(self.log, ignore_index=True)[PLANTED_COLUMNS]
        return log.astype("str")
