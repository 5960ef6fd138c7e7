"""Tables and charts of the audit: what came in, what was found, what was lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.present import labels, numbers, style
from povmon.present.display import Column, Figure, Suppressed, Table, Text, escape_markdown
from povmon.present.tables import nothing
from povmon.survey.origin import origin_text

Names = Mapping[str, str]
_SEVERITY = {"hard": "hard (certainly an error)", "soft": "soft (worth a look, may be right)"}
_COUNTS = ["received", "accepted", "corrected", "rejected"]


def _form_name(form: str) -> str:
    from povmon.survey.forms import FORMS

    return FORMS[form].en if form in FORMS else form


def _place(province: str, names: Names) -> str:
    """A province's name; a survey that arrives in one piece has none."""
    return labels.domain(province, names) if province else "whole survey"


def accounting_table(accounting: pd.DataFrame) -> Table | Text:
    """Rows received, and what became of them, by form and province; with totals by form.

    Parameters
    ----------
    accounting : form, province_id, received, accepted, corrected, rejected.

    Raises
    ------
    PovmonError : accepted, corrected and rejected rows do not add up to the received ones.
    """
    if accounting.empty:
        return nothing("the accounting of records", "no records were received")
    parts = accounting[["accepted", "corrected", "rejected"]].sum(axis=1)
    wrong = accounting[parts != accounting["received"]]
    if not wrong.empty:
        row = wrong.iloc[0]
        raise PovmonError(
            "accepted, corrected and rejected rows do not add up to the received ones",
            where=f"form {row['form']}, province {row['province_id']}",
            todo="run the audit again",
        )
    provinces = labels.domain_names("province")
    several = accounting["province_id"].nunique() > 1
    frame = accounting.sort_values(["form", "province_id"], kind="stable", ignore_index=True)
    frame["place"] = [_place(p, provinces) for p in frame["province_id"]]
    if several:
        sums = frame.groupby("form", sort=True)[_COUNTS].sum().reset_index()
        frame = pd.concat([frame, sums.assign(place="all provinces")], ignore_index=True)
        frame = frame.sort_values("form", kind="stable", ignore_index=True)
    frame["form"] = [_form_name(form) for form in frame["form"]]
    return Table(
        frame,
        "What became of the records received, by form and province",
        note="Accepted, corrected and rejected records add up to the received ones.",
        columns=[
            Column("form", "Form", row_header=True),
            Column("place", "Province"),
            Column("received", "Received", format="integer"),
            Column("accepted", "Accepted", format="integer"),
            Column("corrected", "Corrected", format="integer"),
            Column("rejected", "Rejected", format="integer"),
        ],
    )


def accounting_text(accounting: pd.DataFrame) -> Text:
    """The sum of the accounting in a sentence."""
    if accounting.empty:
        return nothing("the accounting of records", "no records were received")
    total = accounting[_COUNTS].sum()
    share = total["rejected"] / total["received"] if total["received"] else float("nan")
    return Text(
        f"Of **{numbers.number(total['received'])}** records received, "
        f"{numbers.number(total['accepted'])} were accepted as they came, "
        f"{numbers.number(total['corrected'])} were corrected, and "
        f"**{numbers.number(total['rejected'])}** ({numbers.percent(share)}) were rejected."
    )


def findings_table(findings: pd.DataFrame) -> Table | Text:
    """Findings by rule and severity: how many records, with an example of each.

    Parameters
    ----------
    findings : rule, severity, level (form), file, line, key, column, value, message.
    """
    if findings.empty:
        return nothing("findings of the audit", "no rule found anything")
    lines = []
    for (severity, rule, level), group in findings.groupby(
        ["severity", "rule", "level"], sort=True
    ):
        first = group.iloc[0]
        lines.append(
            {
                "rule": str(rule).replace("_", " "),
                "severity": severity,
                "form": _form_name(str(level)),
                "findings": len(group),
                "records": group["key"].nunique(),
                "example": f"{first['message']} ({_origin(first)})",
            }
        )
    frame = pd.DataFrame(lines).sort_values(
        ["severity", "findings"], ascending=[True, False], kind="stable"
    )
    used = [_SEVERITY[s] for s in sorted(set(frame["severity"])) if s in _SEVERITY]
    return Table(
        frame,
        "Findings by rule",
        note=f"Severity: {'; '.join(used)}." if used else "",
        columns=[
            Column("rule", "Rule", row_header=True),
            Column("severity", "Severity"),
            Column("form", "Form"),
            Column("findings", "Findings", format="integer"),
            Column("records", "Records", format="integer"),
            Column("example", "For example"),
        ],
        sortable=True,
    )


def findings_chart(findings: pd.DataFrame) -> Figure | Text:
    """Number of findings by rule, hard and soft apart."""
    if findings.empty:
        return nothing("findings of the audit", "no rule found anything")
    counts = findings.groupby(["rule", "severity"], sort=True).size().unstack(fill_value=0)
    counts = counts.loc[counts.sum(axis=1).sort_values(kind="stable").index]
    figure, axes = style.figure(6.8, 0.26 * len(counts) + 1.0)
    place, left = np.arange(len(counts)), np.zeros(len(counts))
    for severity, colour, hatch in (
        ("hard", style.WARM, ""),
        ("soft", style.CATEGORIES[4], "///"),
    ):
        if severity not in counts.columns:
            continue
        width = counts[severity].to_numpy(dtype="float64")
        axes.barh(place, width, 0.7, left, color=colour, hatch=hatch, edgecolor=style.PAPER,
                  label=severity)  # fmt: skip
        left = left + width
    for position, value in zip(place, left, strict=True):
        axes.annotate(numbers.number(value), (value, position), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8.5,
                      in_layout=False)  # fmt: skip
    axes.set_yticks(place, [str(rule).replace("_", " ") for rule in counts.index])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, left.max() * 1.12)
    # Half a bar on either side: a margin in proportion would leave a gap above many bars.
    axes.set_ylim(-0.75, len(counts) - 0.25)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel("Findings")
    axes.legend(loc="lower right")
    listed = ", ".join(
        f"{str(rule).replace('_', ' ')} {numbers.number(value)}"
        for rule, value in counts.sum(axis=1)[::-1].items()
    )
    return Figure(figure, "Findings by rule and severity", f"Bars of findings by rule: {listed}.")


def response_table(response: pd.DataFrame, names: Names | None = None) -> Table | Text:
    """Response by county: villages and households expected and accepted; lost villages named.

    Parameters
    ----------
    response : county_id, villages_expected, villages_accepted, households_expected,
        households_received, households_accepted, lost, note (other columns are not shown).
    """
    if response.empty:
        return nothing("response", "the design does not say how many households were expected")
    known = names if names is not None else labels.domain_names("county")
    expected = response["households_expected"].astype("float64")
    frame = response.assign(
        county=[labels.domain(c, known) for c in response["county_id"]],
        rate=response["households_accepted"].astype("float64") / expected.where(expected > 0),
        remark=[_remark(row) for row in response.to_dict("records")],
    )
    columns = [
        Column("county", "County", row_header=True),
        Column("villages_expected", "Villages expected", format="integer"),
        Column("villages_accepted", "Villages accepted", format="integer"),
        Column("households_expected", "Households expected", format="integer"),
        Column("households_received", "Households received", format="integer"),
        Column("households_accepted", "Households accepted", format="integer"),
        Column("rate", "Accepted of expected", "%", "percent"),
    ]
    if frame["remark"].ne("").any():
        columns.append(Column("remark", "Lost villages and remarks"))
    return Table(frame, "Response by county", columns=columns, sortable=True)


def _remark(row: Mapping[Any, Any]) -> str:
    parts = []
    lost, note = row.get("lost"), row.get("note")
    if lost and not numbers.is_missing(lost):
        parts.append(f"lost: {', '.join(part.strip() for part in str(lost).split(','))}")
    if note and not numbers.is_missing(note):
        parts.append(str(note))
    return "; ".join(parts)


def response_chart(response: pd.DataFrame, names: Names | None = None) -> Figure | Text:
    """Accepted households as a share of the expected ones, by county, lowest first."""
    if response.empty:
        return nothing("response", "the design does not say how many households were expected")
    known = names if names is not None else labels.domain_names("county")
    expected = response["households_expected"].astype("float64")
    rate = 100 * response["households_accepted"].astype("float64") / expected.where(expected > 0)
    frame = pd.DataFrame(
        {"county": [labels.domain(c, known) for c in response["county_id"]], "rate": rate}
    )
    frame = frame.dropna(subset=["rate"]).sort_values("rate", kind="stable", ignore_index=True)
    if frame.empty:
        return nothing("response", "the design does not say how many households were expected")
    columns = -(-len(frame) // 45)
    height = -(-len(frame) // columns)
    figure, axes = style.figure(
        6.8 if columns == 1 else min(4.9 * columns, 12.0), max(1.3, 0.205 * height + 0.75),
        ncols=columns, sharex=True, squeeze=False,
    )  # fmt: skip
    for position, axis in enumerate(axes[0]):
        part = frame.iloc[position * height : (position + 1) * height]
        axis.plot(part["rate"], np.arange(len(part)), "o", color=style.ACCENT, markersize=5)
        axis.set_yticks(np.arange(len(part)), list(part["county"]))
        axis.set_ylim(height - 0.4, -0.6)
        axis.set_xlim(min(70.0, float(frame["rate"].min()) - 2), 101)
        axis.set_xlabel("Accepted of expected households, %")
        axis.tick_params(axis="y", length=0)
    first = frame.iloc[0]
    return Figure(
        figure,
        "Response by county: accepted households as a share of those expected",
        f"Dots for {len(frame)} counties; the lowest is {first['county']} with "
        f"{numbers.number(first['rate'], 1)} %, the median "
        f"{numbers.number(frame['rate'].median(), 1)} %.",
    )


def response_text(response: pd.DataFrame, names: Names | None = None) -> Text:
    """Response of the whole, and every lost village and county by name."""
    if response.empty:
        return nothing("response", "the design does not say how many households were expected")
    known = names if names is not None else labels.domain_names("county")
    expected = response["households_expected"].sum()
    accepted = response["households_accepted"].sum()
    share = float(accepted) / float(expected) if expected else float("nan")
    summary = (
        f"Of {numbers.number(expected)} households expected, **{numbers.number(accepted)}** "
        f"({numbers.percent(share)}) were accepted."
    )
    parts = [summary]
    gone = response[response["households_accepted"].fillna(0) == 0]
    if not gone.empty:
        listed = numbers.listing(
            [escape_markdown(labels.domain(c, known)) for c in gone["county_id"]]
        )
        parts.append(f"**Lost counties: {listed}.** Nothing stands in for them.")
    lost = [
        escape_markdown(f"{labels.domain(row['county_id'], known)} ({row['lost']})")
        for row in response.to_dict("records")
        if row["lost"] and not numbers.is_missing(row["lost"])
    ]
    if lost:
        parts.append(f"Villages lost: {'; '.join(lost)}.")
    return Text(" ".join(parts))


def promptness_table(promptness: pd.DataFrame) -> Table | Text:
    """When each province's submission was expected and came.

    Parameters
    ----------
    promptness : province_id, expected_by, received, days_late, status; optionally area.
    """
    if promptness.empty:
        return nothing("promptness", "the survey has no deadlines")
    provinces = labels.domain_names("province")
    areas = labels.domain_names("area")
    frame = promptness.assign(
        place=[_place(p, provinces) for p in promptness["province_id"]],
        received=[_date(v, "not received") for v in promptness["received"]],
        expected_by=[_date(v, "no deadline") for v in promptness["expected_by"]],
        days_late=[_days(v) for v in promptness["days_late"]],
    )
    columns = [Column("place", "Province", row_header=True)]
    if "area" in frame.columns and frame["area"].nunique() > 1:
        frame["area"] = [labels.domain(a, areas) for a in frame["area"]]
        columns.insert(0, Column("area", "Area", row_header=True))
    columns += [
        Column("expected_by", "Expected by"),
        Column("received", "Received"),
        Column("days_late", "Days late", format="integer"),
        Column("status", "Status"),
    ]
    return Table(frame, "Promptness of the submissions", columns=columns, sortable=True)


def _origin(row: pd.Series) -> str:
    return origin_text(row["file"], row["sheet"], row["line"])


def _days(value: Any) -> Any:
    return Suppressed("not received, or no deadline") if numbers.is_missing(value) else value


def _date(value: Any, reason: str) -> Any:
    if numbers.is_missing(value):
        return Suppressed(reason)
    return value.strftime("%Y-%m-%d") if hasattr(value, "strftime") else str(value)
