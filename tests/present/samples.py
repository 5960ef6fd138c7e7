"""A small estimates table and notebooks, made up, for the tests of what the reader sees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from povmon import reference
from povmon.indicators.catalogue import CATALOGUE

SHARES = ("headcount", "water_safe", "electricity", "dangerous_housing", "enrolment_7_15")
PARTS = ("food", "clothing", "education", "medical", "housing", "water", "power", "road")


def row(kind: str, domain: str, indicator: str, estimate: float, **others: Any) -> dict[str, Any]:
    """One row of the estimates table; half the interval is a twelfth of the estimate's unit."""
    unit = CATALOGUE[indicator.partition("@")[0]].unit
    half = 0.035 if unit in ("share", "index") else abs(estimate) * 0.06
    return {
        "survey": "demo", "area": "wumeng", "domain_kind": kind, "domain": domain,
        "indicator": indicator, "unit": unit, "estimate": estimate, "se": half / 2,
        "ci_low": estimate - half, "ci_high": estimate + half, "n": 640, "n_psu": 64,
        "df": 60.0, "cv": 0.04, "deff": 2.1, "flag": "", "reason": "", **others,
    }  # fmt: skip


def suppressed(kind: str, domain: str, indicator: str) -> dict[str, Any]:
    """A row that the publication policy withholds."""
    none = float("nan")
    return row(
        kind, domain, indicator, none, se=none, ci_low=none, ci_high=none, n=20,
        flag="suppressed", reason="fewer than 30 households",
    )  # fmt: skip


def estimates() -> pd.DataFrame:
    """Areas, 38 counties and groups of one survey."""
    random = np.random.default_rng(7)
    rows = [row("area", "wumeng", name, 0.1 + 0.15 * i) for i, name in enumerate(SHARES)]
    rows += [row("area", "wumeng", "income_mean", 3273.4), row("area", "wumeng", "gini", 0.3512)]
    rows += [row("area", "dabie", "headcount", 0.2613), row("area", "dabie", "gini", 0.341)]
    rows.append(suppressed("area", "dabie", "income_mean"))
    counties = reference.counties().query("area_id == 'wumeng'")["county_id"]
    for position, county in enumerate(counties):
        flag = "caution" if position % 5 == 0 else ""
        reason = "fewer than 8 degrees of freedom" if flag else ""
        rows.append(row("county", county, "headcount", float(random.uniform(0.15, 0.6)),
                        flag=flag, reason=reason))  # fmt: skip
    rows.append(suppressed("county", "520526", "dangerous_housing"))
    rows += [row("sex", "male", "headcount", 0.37), row("sex", "female", "headcount", 0.39)]
    rows += [row("ethnicity", "han", "headcount", 0.35)]
    rows += [row("ethnicity", "minority", "headcount", 0.47)]
    for position, part in enumerate(PARTS):
        rows.append(row("area", "wumeng", f"mpi_uncensored_{part}", 0.2 + 0.05 * position))
        rows.append(row("area", "wumeng", f"mpi_censored_{part}", 0.12 + 0.03 * position))
        rows.append(row("area", "wumeng", f"mpi_contribution_{part}", 0.06 + 0.02 * position))
    rows.append(row("county", "520526", "county_registered_poor", 81234.0, se=float("nan"),
                    ci_low=float("nan"), ci_high=float("nan"), n=1, n_psu=0))  # fmt: skip
    return pd.DataFrame(rows)


def households(number: int = 800) -> pd.DataFrame:
    """Accepted households with incomes."""
    random = np.random.default_rng(11)
    size = random.integers(1, 7, number)
    income = random.lognormal(7.9, 0.6, number) * size
    frame = pd.DataFrame({"hhsize": size, "income_total": income})
    frame["w_person"] = frame["hhsize"] * random.uniform(20, 60, number)
    return frame


def shown(thing: Any) -> list[Any]:
    """The outputs that IPython would store for the last expression of a cell."""
    data = {"text/plain": repr(thing)}
    for method, mime in (("_repr_html_", "text/html"), ("_repr_markdown_", "text/markdown")):
        if hasattr(thing, method):
            data[mime] = getattr(thing, method)()
    return [new_output("execute_result", data, execution_count=1)]


def markdown(text: str, name: str, lang: str | None = "en") -> Any:
    """A Markdown cell with its language."""
    return new_markdown_cell(text, id=name, metadata={"lang": lang} if lang else {})


def code(source: str, name: str, *things: Any) -> Any:
    """A code cell whose outputs are display objects."""
    outputs = [output for thing in things for output in shown(thing)]
    return new_code_cell(source, id=name, outputs=outputs)


def notebook(*cells: Any) -> Any:
    """A notebook of these cells."""
    return new_notebook(cells=list(cells))


def everything() -> Any:
    """A notebook with every kind of cell, table and chart."""
    from povmon.present import charts, distributions, tables
    from povmon.present.display import Column, Suppressed, Table

    frame = estimates()
    amounts = pd.DataFrame(
        {"k": list("abcd"), "v": [20.0, Suppressed("too few"), 9.0, 1000.0]}, dtype=object
    )
    to_sort = Table(
        amounts,
        "To be sorted",
        columns=[Column("k", "Name"), Column("v", "Amount", format="integer")],
        sortable=True,
    )
    long = Table(pd.DataFrame({"row": range(90), "name": ["很长的名字 name"] * 90}), "A long table")
    homes = households()
    return notebook(
        markdown("# Sample\n\nProse with *emphasis*, **bold 粗体** and `code`.", "intro"),
        code('survey = "demo"\narea = "wumeng"  # a comment', "parameters"),
        markdown("## Tables\n\n### What they show\n\n- one\n- two", "tables"),
        code(
            "headline(estimates)", "headline", tables.headline(frame, "headcount", "area", "wumeng")
        ),
        code("a", "table", tables.estimates_table(frame, "headcount", "county")),
        code("b", "wide", tables.comparison_table(frame, [*SHARES, "income_mean", "gini"])),
        code("c", "sort", to_sort),
        code("d", "long", long),
        markdown("## Charts", "charts"),
        code("e", "counties", charts.county_dot_chart(frame)),
        code("f", "groups", charts.group_chart(frame)),
        code("g", "parts", charts.deprivation_chart(frame, "area", "wumeng")),
        code("h", "lorenz", distributions.lorenz_chart(homes)),
        code("i" * 300, "nothing", charts.group_chart(frame, "gini")),
        markdown("## Tables\n\nA second heading of the same name. Việt Nam; 5 ≥ 4.", "again"),
    )
