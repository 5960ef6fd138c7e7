"""A table of estimates that is readable in JupyterLab and stays a DataFrame of full precision."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pandas as pd

ROWS = 40
# Columns shown as one: the estimate by its standard error, and the interval.
STATISTICS = {
    "estimate": "estimate", "se": "SE", "interval": "interval", "rank": "rank",
    "ranks": "rank, from - to", "probability": "probability", "n": "n", "n_psu": "PSUs",
    "df": "df", "deff": "design effect", "p": "p", "p_holm": "p, Holm", "note": "note",
}  # fmt: skip
PARTS = {
    "ci_low", "ci_high", "rank_low", "rank_high", "estimate_a", "estimate_b", "band_low",
    "band_high", "cv", "excluded", "mc_se", "draws", "t_low", "t_high", "replicates",
}  # fmt: skip
# Decimal places of what has no standard error of its own.
DIGITS = {"rank": 0, "n": 0, "n_psu": 0, "df": 0, "deff": 2, "probability": 2, "p": 3, "p_holm": 3}
STYLE = "text-align:{}; white-space:nowrap; padding:0.15em 0.7em; font-variant-numeric:tabular-nums"


class Table(pd.DataFrame):
    """Estimates with their standard errors: a DataFrame that shows itself rounded.

    In JupyterLab numbers have the digits that their standard error allows, intervals stand in one
    column, and a line says what is left out. Everything else is a DataFrame's: the columns keep
    full precision, and ``pd.DataFrame(table)`` is a plain one. ``table.plot()`` draws it, as
    `povmon.estimate.plot` does.

    Examples
    --------
    >>> from povmon.estimate import Table
    >>> table = Table({"measure": ["mean(y)"], "estimate": [2.0], "se": [0.5]})
    >>> pd.DataFrame(table)["estimate"].tolist()
    [2.0]
    """

    @property
    def _constructor(self) -> type[Table]:
        return Table

    def plot(self, **options: Any) -> Any:  # type: ignore[override]
        """Draw the table: see `povmon.estimate.plot`."""
        from povmon.estimate.show.plot import plot

        return plot(self, **options)

    def _repr_html_(self) -> str | None:
        if "estimate" not in self.columns or not self.columns.is_unique:
            plain: str | None = pd.DataFrame(self)._repr_html_()  # type: ignore[operator]
            return plain
        return as_html(pd.DataFrame(self))


def shown(table: pd.DataFrame) -> Table:
    """The same table as one that shows itself.

    Examples
    --------
    >>> table = shown(pd.DataFrame({"estimate": [0.38712], "se": [0.0123]}))
    >>> "0.387" in table._repr_html_(), float(table["estimate"].iloc[0])
    (True, 0.38712)
    """
    made = Table(table)
    made.attrs = dict(table.attrs)
    return made


def as_html(table: pd.DataFrame) -> str:
    """The table in HTML, its texts escaped."""
    top = table.head(ROWS)
    columns = {name: top[name].map(_label) for name in labels(table)}
    numbers = readable(top)
    listed = {STATISTICS[name]: numbers[name] for name in STATISTICS if name in numbers}
    head = "".join(_cell(str(name), "left", "th") for name in columns)
    head += "".join(_cell(name, "left" if name == "note" else "right", "th") for name in listed)
    rows = []
    for i in range(len(top)):
        left = "".join(_cell(values.iloc[i], "left") for values in columns.values())
        right = "".join(
            _cell(values[i], "left" if name == "note" else "right")
            for name, values in listed.items()
        )
        rows.append(f"<tr>{left}{right}</tr>")
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
        f"<p>{escape(_left_out(table, numbers))}</p>"
    )


def readable(table: pd.DataFrame) -> dict[str, list[str]]:
    """Statistics as text, by column; those that say nothing in any row are left out."""
    table = table.drop(columns=labels(table))
    places = _places(table)
    found = {"estimate": _rounded(table["estimate"], places)}
    if "se" in table:
        found["se"] = _rounded(table["se"], places)
    for name, low, high in (("interval", "ci_low", "ci_high"), ("ranks", "rank_low", "rank_high")):
        if low in table and high in table:
            digits = places if name == "interval" else np.zeros(len(table), dtype=np.int64)
            limits = zip(_rounded(table[low], digits), _rounded(table[high], digits), strict=True)
            found[name] = ["" if not a or not b else f"{a} \N{EN DASH} {b}" for a, b in limits]
    for name, decimals in DIGITS.items():
        if name in table:
            found[name] = _rounded(table[name], np.full(len(table), decimals))
    for name in {"p", "p_holm"} & set(table.columns):
        small = (table[name] < 0.0005).to_numpy()
        found[name] = ["<0.001" if s else x for s, x in zip(small, found[name], strict=True)]
    if "note" in table:
        found["note"] = ["" if pd.isna(text) else str(text) for text in table["note"]]
    return {name: texts for name, texts in found.items() if any(texts)}


def _places(table: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Decimal places by row: two digits of the standard error, or four of the estimate."""
    error = table["se"].to_numpy(dtype=np.float64) if "se" in table else np.zeros(len(table))
    value = np.abs(table["estimate"].to_numpy(dtype=np.float64))
    has_error = np.isfinite(error) & (error > 0)
    size = np.where(has_error, error, np.where(np.isfinite(value) & (value > 0), value / 100, 1.0))
    return np.clip(1 - np.floor(np.log10(size)), 0, 8).astype(np.int64)


def _rounded(values: pd.Series[Any], places: np.ndarray[Any, Any]) -> list[str]:
    return [
        "" if pd.isna(value) else f"{float(value):,.{digits}f}".replace("-", "\N{MINUS SIGN}")
        for value, digits in zip(values, places, strict=True)
    ]


def labels(table: pd.DataFrame) -> list[Any]:
    """The columns that name a row: those before the numbers, whatever they are called (a domain
    can be named ``p``), and those that are no statistic."""
    numbers = [i for i, c in enumerate(table.columns) if c in ("estimate", "estimate_a")]
    first = min(numbers, default=0)
    return [
        c
        for i, c in enumerate(table.columns)
        if i < first or (c not in PARTS and c not in STATISTICS)
    ]


def _label(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return f"{value:g}"
    return str(value)


def _cell(text: str, side: str, tag: str = "td") -> str:
    return f'<{tag} style="{STYLE.format(side)}">{escape(text)}</{tag}>'


def _left_out(table: pd.DataFrame, numbers: dict[str, list[str]]) -> str:
    """What is not shown, in a sentence or two."""
    covered = {"ci_low", "ci_high"} if "interval" in numbers else set()
    covered |= {"rank_low", "rank_high"} if "ranks" in numbers else set()
    own = set(table.columns) - set(labels(table)) - covered
    hidden = [str(c) for c in table.columns if c in PARTS and c in own]
    words = []
    if len(table) > ROWS:
        words.append(f"The first {ROWS} of {len(table):,} rows.")
    words.append("Rounded; the table holds all digits")
    words[-1] += f", and {', '.join(hidden)}." if hidden else "."
    return " ".join(words)
