"""reports/<survey>/index.html: what the survey is, its areas compared, and all its pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from povmon.present import labels, numbers
from povmon.present.charts import area_comparison_chart
from povmon.present.display import Column, Suppressed, Table
from povmon.present.page import Provenance, render_page, synthetic_notice
from povmon.present.tables import comparison_columns, select

COMPARED = (
    "headcount",
    "poverty_gap",
    "income_mean",
    "consumption_mean",
    "gini",
    "mpi_h",
    "mpi_m0",
)
AREA_PAGES = {"audit": "Audit", "indicators": "Indicators", "plan": "Plan"}
SURVEY_PAGES = {
    "summary": ("Summary", "roll-up of all areas, ranking, promptness of the submissions"),
    "rollup": (
        "Roll-up of the forms",
        "county, prefecture, province and area, in the layout of the forms; also as a workbook",
    ),
    "atlas": ("Atlas", "poverty maps of the counties and the tables behind them"),
}


def index_page(
    survey: Any,
    estimates: Mapping[str, pd.DataFrame],
    pages: Collection[str],
    *,
    provenance: Provenance,
    liaison: Sequence[tuple[str, str]] = (),
    failed: Sequence[tuple[str, str]] = (),
    slips: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The entry page of a survey's reports.

    Parameters
    ----------
    survey : the validated survey.yml (`povmon.survey.Survey`).
    estimates : area id -> the area's estimates table; areas without one are named as such.
    pages : addresses of the pages that exist, relative to the index (``wumeng/audit.html``).
    provenance : see `povmon.present.page.render_page`.
    liaison : (name of the unit, relative address) of the briefs.
    failed : (name of the page, reason) of what could not be made; shown on top.
    slips : area id -> addresses of its provinces' return slips.

    Returns
    -------
    str : HTML, the same for the same arguments.
    """
    table = _areas_table(survey, estimates, pages)
    together = _area_rows(estimates)
    chart = (
        area_comparison_chart(together, "headcount", names=labels.domain_names("area", _id(survey)))
        if len(estimates) > 1 and not together.empty
        else None
    )
    has_chart = chart is not None and hasattr(chart, "_repr_html_")
    body = [
        _introduction(survey),
        _failed(failed),
        "<h2>The areas compared</h2>",
        f"<p>{escape(_comparison_words(survey))}</p>",
        table._repr_html_(),
        chart._repr_html_() if has_chart else "",  # type: ignore[union-attr]
        _others(pages, liaison),
        _slips(survey, slips or {}),
        _making(survey),
    ]
    return render_page(
        survey.title.en,
        "\n".join(part for part in body if part),
        subtitle=" · ".join(part for part in (survey.title.zh, str(survey.year)) if part),
        provenance=provenance,
        synthetic_notice=synthetic_notice(survey.synthetic),
        wide=True,
    )


def _id(survey: Any) -> str:
    return str(survey.survey)


def _introduction(survey: Any) -> str:
    line = survey.line
    amount = numbers.money(line.value, survey.currency.unit)
    words = [survey.welfare.definition, survey.welfare.measure]
    money = " ".join(words if survey.welfare.measure == "income" else reversed(words))
    design = survey.design
    sample = ""
    if design.villages_per_county and design.households_per_village:
        sample = (
            f" In each county {design.villages_per_county} villages were drawn, and "
            f"{design.households_per_village} households in each village."
        )
    return (
        f'<div class="prose"><p>{escape(survey.description.en)}</p>'
        f"<p>Poverty is measured by {escape(money)}, against the "
        f"{escape(line.en[:1].lower() + line.en[1:])} of {escape(amount)} "
        f"({escape(line.prices)}).{escape(sample)}</p></div>"
    )


def _comparison_words(survey: Any) -> str:
    count = numbers.count_of(len(survey.area_ids), "area")
    return (
        f"{count}. Each cell gives the estimate and, in brackets below it, its 95\u202f% interval. "
        "Where two intervals overlap widely, the order of the two areas is not established."
    )


def _area_rows(estimates: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The areas' own rows, one table."""
    parts = [select(frame, None, "area") for _, frame in estimates.items() if not frame.empty]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _areas_table(
    survey: Any, estimates: Mapping[str, pd.DataFrame], pages: Collection[str]
) -> Table:
    """One row an area: estimates with intervals, sample, and links to its pages."""
    rows = _area_rows(estimates)
    areas = survey.area_ids
    names = labels.domain_names("area", _id(survey))
    content: dict[str, list[Any]] = {"area": [labels.domain(area, names) for area in areas]}
    columns = [Column("area", "Area", row_header=True)]
    for product, title in AREA_PAGES.items():
        addresses = [f"{area}/{product}.html" for area in areas]
        if not any(address in pages for address in addresses):
            continue
        content[product] = [
            title if address in pages else Suppressed("the page has not been made")
            for address in addresses
        ]
        content[f"{product}:link"] = [a if a in pages else "" for a in addresses]
        columns.append(Column(product, title, link=f"{product}:link"))
    if not rows.empty:
        present = [name for name in COMPARED if (rows["indicator"] == name).any()]
        cells, more = comparison_columns(rows, present, areas)
        content.update(cells)
        columns += more
        content["households"] = [_households(rows, area) for area in areas]
        columns.append(Column("households", "Households behind it", format="integer"))
    return Table(
        pd.DataFrame(content),
        "The areas: main indicators and pages",
        columns=columns,
        sortable=True,
        fold=False,
    )


def _households(rows: pd.DataFrame, area: str) -> Any:
    """Households behind the first estimate of the area's welfare."""
    own = rows[(rows["domain"] == area) & rows["indicator"].isin(COMPARED)]
    if own.empty:
        return Suppressed("no estimates were made")
    return int(own["n"].iloc[0])


def _others(pages: Collection[str], liaison: Sequence[tuple[str, str]]) -> str:
    items = [
        f'<li><a href="{name}.html">{title}</a>: {words}</li>'
        for name, (title, words) in SURVEY_PAGES.items()
        if f"{name}.html" in pages
    ]
    parts = []
    if items:
        parts.append(f'<h2>All areas together</h2><ul class="pages">{"".join(items)}</ul>')
    briefs = [
        f'<li><a href="{escape(href, quote=True)}">{escape(name)}</a></li>'
        for name, href in liaison
        if href in pages
    ]
    if briefs:
        parts.append(
            f'<h2>Briefs for the liaison units</h2><ul class="pages">{"".join(briefs)}</ul>'
        )
    return "".join(parts)


def _slips(survey: Any, slips: Mapping[str, Sequence[str]]) -> str:
    """The provinces' return slips, one line an area."""
    areas = labels.domain_names("area", _id(survey))
    lines = [
        f"<li>{escape(labels.domain(area, areas))}: "
        + ", ".join(
            f'<a href="{escape(a, quote=True)}">'
            f"{escape(_province(a.rpartition('/')[2].removesuffix('.html')))}</a>"
            for a in addresses
        )
        + "</li>"
        for area, addresses in slips.items()
        if addresses
    ]
    if not lines:
        return ""
    return (
        "<h2>Return slips</h2><p>What each province is asked to check, in the order of its "
        "influence on the published figures. A workbook to fill in lies beside each page.</p>"
        f'<ul class="pages">{"".join(lines)}</ul>'
    )


def _province(name: str) -> str:
    return labels.domain(name, {**labels.domain_names("province"), "whole": "whole survey"})


def _failed(failed: Sequence[tuple[str, str]]) -> str:
    if not failed:
        return ""
    items = "".join(f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in failed)
    return (
        "<h2>Pages that could not be made</h2>"
        "<p>The following are missing from this index, or are of an earlier run.</p>"
        f"<ul>{items}</ul>"
    )


def _making(survey: Any) -> str:
    sources = "; ".join(survey.policy.sources)
    policy = survey.policy
    rules = (
        f"Estimates from fewer than {policy.min_households} households, or an effective sample "
        f"below {numbers.number(policy.min_effective)}, are not shown; those with wide intervals "
        "or few degrees of freedom are marked."
    )
    cited = f" Sources of these rules: {escape(sources)}." if sources else ""
    return (
        "<h2>How the figures were made</h2>"
        f"<p>Every estimate comes with a standard error that respects the survey's design: its "
        f"strata, its sample villages and its weights. {escape(rules)}{cited} Each page ends "
        "with the parameters, the checksums of the data and the versions of the software that "
        "made it.</p>"
    )
