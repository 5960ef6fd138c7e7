"""Charts of the distribution of money among persons, from the accepted households."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from povmon.present import numbers, style
from povmon.present.display import Figure, Text
from povmon.present.tables import decapitalised, nothing

TOP = 0.99  # the axis ends at this quantile: a few large values would flatten the rest
BINS = 60


def _per_person(
    households: pd.DataFrame, amount: str, size: str, weight: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """Amount per person and person weight of the households that have both."""
    if amount not in households.columns or not households[amount].notna().any():
        return None
    members = households[size].astype("float64")
    value = households[amount].astype("float64") / members
    weights = households[weight].astype("float64") if weight in households else members
    valid = value.notna() & weights.notna() & (weights > 0)
    return value[valid].to_numpy(), weights[valid].to_numpy()


def weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The smallest value at or below which at least `share` of the weight lies."""
    order = np.argsort(values, kind="stable")
    cumulated = np.cumsum(weights[order])
    position = np.searchsorted(cumulated, share * cumulated[-1])
    return float(values[order][min(position, len(values) - 1)])


def distribution_chart(
    households: pd.DataFrame,
    lines: Mapping[str, float],
    *,
    amount: str = "income_total",
    size: str = "hhsize",
    weight: str = "w_person",
    unit: str = "yuan",
    what: str = "Net income per person",
    caption: str = "",
) -> Figure | Text:
    """How many persons have how much: a weighted histogram with the poverty lines.

    Parameters
    ----------
    households : accepted households, one row each.
    lines : name -> poverty line, in `unit` a person and year.
    amount, size, weight : columns with the household's amount, its members and its person
        weight (without such a column every person counts once).
    """
    found = _per_person(households, amount, size, weight)
    if found is None:
        return nothing(f"the distribution of {what.lower()}")
    values, weights = found
    top = max([weighted_quantile(values, weights, TOP), *lines.values()])
    low = min(0.0, weighted_quantile(values, weights, 1 - TOP))
    shares = 100 * weights / weights.sum()
    figure, axes = style.figure(6.8, 3.4)
    inside = (values >= low) & (values <= top)
    axes.hist(
        values[inside],
        bins=np.linspace(low, top, BINS + 1),
        weights=shares[inside],
        color=style.CATEGORIES[4],
        edgecolor=style.PAPER,
        linewidth=0.3,
    )
    axes.set_ylim(0, axes.get_ylim()[1] * (1.04 + 0.09 * len(lines)))
    _lines(axes, lines, unit)
    axes.set_xlim(low, top)
    axes.set_xlabel(f"{what}, {unit} a year")
    axes.set_ylabel("Persons, %")
    axes.xaxis.set_major_formatter(lambda value, _: numbers.number(value))
    median = weighted_quantile(values, weights, 0.5)
    below = [
        f"{numbers.percent(float(shares[values < line].sum()) / 100)} of persons are below "
        f"{numbers.money(line, unit)} ({name})"
        for name, line in lines.items()
    ]
    outside = float(shares[~inside].sum()) / 100
    return Figure(
        figure,
        caption or f"Distribution of persons by {decapitalised(what)}",
        f"Histogram. The median is {numbers.money(median, unit)}; {'; '.join(below)}.",
        note=f"{numbers.percent(outside)} of persons lie outside the axis.",
    )


def _lines(axes: Any, lines: Mapping[str, float], unit: str) -> None:
    height = axes.get_ylim()[1]
    for position, (name, line) in enumerate(sorted(lines.items(), key=lambda item: item[1])):
        axes.axvline(line, color=style.INK, linewidth=1.3, linestyle=("-", "--", ":")[position % 3])
        axes.annotate(
            f"{name}: {numbers.money(line, unit)}",
            (line, height * (0.98 - 0.09 * position)),
            xytext=(4, 0),
            textcoords="offset points",
            va="top",
            fontsize=8.5,
            bbox={"facecolor": style.PAPER, "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )


def lorenz_chart(
    households: pd.DataFrame,
    *,
    amount: str = "income_total",
    size: str = "hhsize",
    weight: str = "w_person",
    what: str = "Net income per person",
    caption: str = "",
) -> Figure | Text:
    """The Lorenz curve of persons: the share of the total that the poorest share has."""
    found = _per_person(households, amount, size, weight)
    if found is None:
        return nothing(f"the concentration of {what.lower()}")
    values, weights = found
    order = np.argsort(values, kind="stable")
    persons = np.concatenate([[0.0], np.cumsum(weights[order])])
    money = np.concatenate([[0.0], np.cumsum((weights * values)[order])])
    if money[-1] <= 0:
        return nothing(f"the concentration of {what.lower()}", "its total is not positive")
    persons, money = 100 * persons / persons[-1], 100 * money / money[-1]
    grid = np.linspace(0, 100, 201)
    curve = np.interp(grid, persons, money)
    figure, axes = style.figure(4.6, 4.3)
    axes.plot([0, 100], [0, 100], color=style.MUTED, linewidth=1, linestyle="--")
    axes.plot(grid, curve, color=style.ACCENT, linewidth=2)
    axes.fill_between(grid, curve, grid, color=style.CATEGORIES[4], alpha=0.2)
    axes.set(xlim=(0, 100), ylim=(min(0.0, float(curve.min())), 100), aspect="equal")
    axes.set_xlabel("Persons from the poorest on, %")
    axes.set_ylabel("Share of the total, %")
    fifth, top = np.interp([20, 80], persons, money)
    return Figure(
        figure,
        caption or f"Lorenz curve of {decapitalised(what)}",
        f"Lorenz curve. The poorest fifth of persons has {numbers.number(fifth, 1)} % of the "
        f"total, the richest fifth {numbers.number(100 - top, 1)} %.",
        note="Dashed: equal distribution.",
    )
