"""Charts of the estimates table: every estimate with its 95 % interval.

As in `tables`, a function that has nothing to show returns a sentence that says why. Each chart
carries a text for readers who cannot see it, with the numbers that matter in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from povmon.present import labels, numbers, style
from povmon.present.display import Figure, Text
from povmon.present.rows import without_numbers
from povmon.present.tables import capitalised, decapitalised, nothing, records, select

Names = Mapping[str, str]
ROW = 0.205  # inches a dot's row takes
PER_COLUMN = 45  # rows that fit one column of a chart
_MARKED = "A hollow dot marks an estimate to be used with caution or unreliable."


def _shown(
    estimates: pd.DataFrame, indicators: Sequence[str] | str, kind: str, domain: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with an estimate, and rows that are withheld."""
    rows = select(estimates, indicators, kind, domain)
    missing = rows["estimate"].isna()
    return rows[~missing].reset_index(drop=True), rows[missing].reset_index(drop=True)


def _scaled(rows: pd.DataFrame) -> pd.DataFrame:
    """Estimates and interval ends in the unit that the axis shows (shares in per cent)."""
    columns = ["estimate", "ci_low", "ci_high"]
    factor = rows["unit"].map(lambda unit: numbers.unit_rule(unit)[0]).astype("float64")
    return rows.assign(**{c: rows[c].astype("float64") * factor for c in columns})


def _dots(axes: Any, rows: pd.DataFrame, names: Sequence[str], colour: str = style.ACCENT) -> None:
    """One row a dot with its interval, first row on top."""
    place = np.arange(len(rows))
    low = rows["ci_low"].fillna(rows["estimate"])
    high = rows["ci_high"].fillna(rows["estimate"])
    axes.hlines(place, low, high, color=colour, linewidth=1.6, alpha=0.75)
    marked = rows["flag"].isin(["caution", "unreliable"]).to_numpy()
    for chosen, fill in ((~marked, colour), (marked, style.PAPER)):
        axes.plot(
            rows["estimate"][chosen],
            place[chosen],
            linestyle="none",
            marker="o",
            markersize=5,
            markerfacecolor=fill,
            markeredgecolor=colour,
            markeredgewidth=1.2,
        )
    axes.set_yticks(place, list(names))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)


def _axis_label(label: labels.Label, unit: str) -> str:
    heading = numbers.unit_heading(unit)
    return f"{label.en}, {heading}" if heading else label.en


def _unit_end(rows: pd.DataFrame) -> None | tuple[float, float]:
    """Limits of the axis where the unit has natural ones."""
    if (rows["unit"] != "share").any():
        return None
    highest = float(np.nanmax(rows[["estimate", "ci_high"]].to_numpy(dtype="float64")))
    return (0.0, min(100.0, highest * 1.05) if highest > 0 else 1.0)


def _kinds_of_reason(missing: pd.DataFrame) -> str:
    """Why estimates are withheld, each kind of reason once."""
    parts = {part for r in without_numbers(missing["reason"]) for part in r.split("; ") if part}
    return "; ".join(sorted(parts))


def _withheld(missing: pd.DataFrame, names: Names) -> str:
    if missing.empty:
        return ""
    reasons = _kinds_of_reason(missing)
    listed = numbers.listing([labels.domain(d, names) for d in missing["domain"]][:12])
    more = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
    return f"Not shown: {listed}{more} ({reasons or 'no value'})."


def _note(rows: pd.DataFrame, missing: pd.DataFrame, names: Names) -> str:
    parts = ["Lines: 95\u202f% intervals."]
    if rows["flag"].isin(["caution", "unreliable"]).any():
        parts.append(_MARKED)
    parts.append(_withheld(missing, names))
    return " ".join(part for part in parts if part)


def _extremes(rows: pd.DataFrame, names: Sequence[str], label: labels.Label) -> str:
    """The highest and the lowest in words, for the alt text."""
    ordered = rows.assign(_name=list(names)).sort_values("estimate", kind="stable")
    lowest, highest = records(ordered)[0], records(ordered)[-1]

    def said(row: Mapping[str, Any]) -> str:
        value = numbers.value_in_unit(row["estimate"], row["unit"])
        interval = numbers.interval(row["ci_low"], row["ci_high"], row["unit"])
        between = f" (95\u202f% interval {interval})" if interval != numbers.MISSING else ""
        return f"{row['_name']} {value}{between}"

    if len(rows) == 1:
        return f"{label.en}: {said(highest)}."
    return f"{label.en}: highest in {said(highest)}; lowest in {said(lowest)}."


def county_dot_chart(
    estimates: pd.DataFrame,
    indicator: str = "headcount",
    *,
    names: Names | None = None,
    limit: int = 90,
    caption: str = "",
) -> Figure | Text:
    """Counties as dots with intervals, highest first, in as many columns as needed.

    Parameters
    ----------
    limit : most counties to show; beyond it the highest are shown and the caption says so.
    """
    return domain_dot_chart(
        estimates, indicator, "county", names=names, limit=limit, caption=caption
    )


def area_comparison_chart(
    estimates: pd.DataFrame,
    indicator: str = "headcount",
    *,
    names: Names | None = None,
    caption: str = "",
) -> Figure | Text:
    """Areas as dots with intervals, highest first."""
    return domain_dot_chart(estimates, indicator, "area", names=names, caption=caption)


def domain_dot_chart(
    estimates: pd.DataFrame,
    indicator: str,
    domain_kind: str,
    *,
    names: Names | None = None,
    limit: int = 90,
    caption: str = "",
) -> Figure | Text:
    """Domains of one kind as dots with intervals, highest first."""
    survey = labels.survey_of(estimates)
    label = labels.indicator(indicator, survey)
    kind = labels.KINDS.get(domain_kind, domain_kind)
    rows, missing = _shown(estimates, indicator, domain_kind)
    if rows.empty:
        return nothing(f"{decapitalised(label.en)} by {kind}", _why_empty(missing))
    known = names if names is not None else labels.domain_names(domain_kind, survey)
    rows = rows.sort_values("estimate", ascending=False, kind="stable", ignore_index=True)
    total, rows = len(rows), rows.head(limit)
    shown = [labels.domain(d, known) for d in rows["domain"]]
    figure = _dot_columns(_scaled(rows), shown, _axis_label(label, rows["unit"].iloc[0]))
    part = f", the {limit} highest of {total}" if total > limit else ""
    return Figure(
        figure,
        caption or f"{label.en} by {kind}, with 95\u202f% intervals{part}",
        f"Dot chart of {numbers.number(len(rows))} estimates by {kind}. "
        f"{_extremes(rows, shown, label)} {_withheld(missing, known)}".strip(),
        note=_note(rows, missing, known),
    )


def _why_empty(missing: pd.DataFrame) -> str:
    return _kinds_of_reason(missing) or "the survey has no such estimates"


def _dot_columns(rows: pd.DataFrame, names: Sequence[str], label: str) -> Any:
    """The dots in one or more columns that share their scale."""
    columns = -(-len(rows) // PER_COLUMN)
    height = -(-len(rows) // columns)
    width = 6.8 if columns == 1 else min(4.9 * columns, 12.0)
    figure, axes = style.figure(
        width, max(1.3, ROW * height + 0.75), ncols=columns, sharex=True, squeeze=False
    )
    for position, axis in enumerate(axes[0]):
        part = slice(position * height, (position + 1) * height)
        _dots(axis, rows.iloc[part].reset_index(drop=True), names[part])
        axis.set_ylim(height - 0.4, -0.6)
        axis.set_xlabel(label)
        limits = _unit_end(rows)
        if limits:
            axis.set_xlim(*limits)
    return figure


def access_chart(
    estimates: pd.DataFrame,
    indicators: Sequence[str],
    domain_kind: str = "area",
    domain: str | None = None,
    *,
    names: Names | None = None,
    caption: str = "",
) -> Figure | Text:
    """Several shares of one domain as dots with intervals, in the order given.

    Parameters
    ----------
    indicators : ids of share indicators; those that the survey does not have are left out and
        named in the note.
    """
    survey = labels.survey_of(estimates)
    rows, missing = _shown(estimates, indicators, domain_kind, domain)
    rows = rows[rows["unit"] == "share"].reset_index(drop=True)
    if rows.empty:
        return nothing("access to services", _why_empty(missing))
    known = names if names is not None else labels.domain_names(domain_kind, survey)
    place = labels.domain(rows["domain"].iloc[0], known)
    shown = [labels.indicator(i, survey).en for i in rows["indicator"]]
    figure, axis = style.figure(6.8, max(1.3, 0.27 * len(rows) + 0.7))
    _dots(axis, _scaled(rows), shown)
    axis.set_xlim(0, 100)
    axis.set_xlabel("Share, %")
    values = [numbers.value_in_unit(v, "share") for v in rows["estimate"]]
    listed = "; ".join(f"{n} {v}" for n, v in zip(shown, values, strict=True))
    # What is not a share stands in the table alone: it is neither missing nor withheld.
    other = set(select(estimates, indicators, domain_kind, domain)["indicator"])
    other -= set(missing["indicator"])
    absent = [i for i in indicators if i not in other]
    left_out = numbers.listing([labels.indicator(i, survey).en for i in absent])
    note = _note(rows, missing.iloc[:0], known)
    return Figure(
        figure,
        caption or f"Access and living conditions in {place}, with 95\u202f% intervals",
        f"Dot chart of shares in {place}: {listed}.",
        note=f"{note} Not available or withheld: {left_out}." if absent else note,
    )


def group_chart(
    estimates: pd.DataFrame,
    indicator: str = "headcount",
    kinds: Sequence[str] = ("sex", "age_group", "ethnicity", "head_sex", "household_size"),
    *,
    names: Mapping[str, Names] | None = None,
    caption: str = "",
) -> Figure | Text:
    """One indicator by population groups, a panel a kind of group, on one scale.

    Parameters
    ----------
    kinds : kinds of domains, in order; those without estimates are left out.
    names : kind -> (domain id -> name); None looks them up.
    """
    survey = labels.survey_of(estimates)
    label = labels.indicator(indicator, survey)
    parts = [(kind, *_shown(estimates, indicator, kind)) for kind in kinds]
    parts = [part for part in parts if not part[1].empty]
    if not parts:
        there = select(estimates, indicator)["domain_kind"].isin(list(kinds)).any()
        return nothing(
            f"{decapitalised(label.en)} by population group",
            "the sample of each group is too small to be published"
            if there
            else "the survey does not record the groups",
        )
    sizes = [len(rows) for _, rows, _ in parts]
    figure, axes = style.figure(
        6.8,
        0.25 * sum(sizes) + 0.42 * len(parts) + 0.55,
        nrows=len(parts),
        sharex=True,
        squeeze=False,
        height_ratios=[size + 0.6 for size in sizes],
    )
    said = []
    for axis, (kind, rows, _) in zip(axes[:, 0], parts, strict=True):
        known = (names or {}).get(kind) or labels.domain_names(kind, survey)
        shown = [labels.domain(d, known) for d in rows["domain"]]
        _dots(axis, _scaled(rows), shown)
        heading = labels.KINDS.get(kind, kind)
        axis.set_title(capitalised(heading), fontsize=9.5)
        values = [numbers.value_in_unit(r["estimate"], r["unit"]) for r in records(rows)]
        pairs = ", ".join(f"{n} {v}" for n, v in zip(shown, values, strict=True))
        said.append(f"{heading}: {pairs}")
    together = pd.concat([rows for _, rows, _ in parts])
    limits = _unit_end(_scaled(together))
    if limits:
        axes[0, 0].set_xlim(*limits)
    axes[-1, 0].set_xlabel(_axis_label(label, together["unit"].iloc[0]))
    withheld = pd.concat([missing for _, _, missing in parts])
    return Figure(
        figure,
        caption or f"{label.en} by population group, with 95\u202f% intervals",
        f"Dot chart of {label.en.lower()} by group. {'. '.join(said)}.",
        note=_note(together, withheld, {}),
    )


def deprivation_chart(
    estimates: pd.DataFrame,
    domain_kind: str = "area",
    domain: str | None = None,
    *,
    names: Names | None = None,
    caption: str = "",
) -> Figure | Text:
    """Multidimensional poverty by its parts: who is deprived, and what each part contributes.

    Left: share of persons deprived, among all (uncensored) and among the poor (censored
    headcount). Right: contribution of each deprivation to M0 (Alkire and Foster 2011).
    """
    survey = labels.survey_of(estimates)
    ids = [i for i in dict.fromkeys(estimates["indicator"]) if i.startswith("mpi_contribution_")]
    rows, missing = _shown(estimates, ids, domain_kind, domain)
    if rows.empty:
        return nothing("the parts of multidimensional poverty", _why_empty(missing))
    rows = rows.sort_values("estimate", ascending=False, kind="stable", ignore_index=True)
    parts = [i.removeprefix("mpi_contribution_") for i in rows["indicator"]]
    titles = [
        labels.indicator(i, survey).en.rpartition(": ")[2].capitalize() for i in rows["indicator"]
    ]
    known = names if names is not None else labels.domain_names(domain_kind, survey)
    place = labels.domain(rows["domain"].iloc[0], known)
    figure, (left, right) = style.figure(
        7.4, 0.42 * len(parts) + 1.1, ncols=2, sharey=True, width_ratios=[3, 2]
    )
    for kind, name, shift, colour, marker in (
        ("uncensored", "all persons", -0.13, style.CATEGORIES[0], "o"),
        ("censored", "multidimensionally poor persons", 0.13, style.CATEGORIES[1], "s"),
    ):
        _part_dots(left, estimates, kind, parts, (domain_kind, domain), shift, colour, marker, name)
    _dots(right, _scaled(rows), titles, style.CATEGORIES[2])
    left.set_xlim(left=0)
    right.set_xlim(left=0)
    left.set_xlabel("Deprived persons, %")
    right.set_xlabel("Contribution to M0, %")
    left.grid(axis="y", visible=False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=2)
    values = [numbers.value_in_unit(v, "share") for v in rows["estimate"]]
    listed = ", ".join(f"{t.lower()} {v}" for t, v in zip(titles, values, strict=True))
    return Figure(
        figure,
        caption or f"Deprivations and their contribution to the adjusted headcount in {place}",
        f"Two panels of dots. Contributions to M0 in {place}, largest first: {listed}.",
        note=_note(rows, missing, known),
    )


def _part_dots(
    axes: Any,
    estimates: pd.DataFrame,
    kind: str,
    parts: Sequence[str],
    where: tuple[str, str | None],
    shift: float,
    colour: str,
    marker: str,
    name: str,
) -> None:
    """Dots of one headcount (uncensored or censored), a little above or below the row."""
    rows, _ = _shown(estimates, [f"mpi_{kind}_{part}" for part in parts], *where)
    rows = _scaled(rows)
    place = rows["indicator"].map({f"mpi_{kind}_{p}": i for i, p in enumerate(parts)}) + shift
    axes.hlines(place, rows["ci_low"], rows["ci_high"], color=colour, linewidth=1.4, alpha=0.75)
    axes.plot(
        rows["estimate"],
        place,
        linestyle="none",
        marker=marker,
        markersize=5,
        color=colour,
        label=name,
    )
