"""Figures of estimates, curves, comparisons, ranks and decompositions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from povmon.errors import PovmonError
from povmon.estimate.show.table import labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color Universal Design"; line styles tell domains apart in grey print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
MOST_CURVES = len(COLOURS)
GREY = "0.55"


def plot(table: Any, *, sort: bool = False, title: str = "") -> Figure:
    """Draw what `estimate`, a curve, a comparison, `ranks`, `worst`, a decomposition or
    `dominance` returns.

    Parameters
    ----------
    table : the table, or the result of `dominance`.
    sort : order the rows of dots by their estimate instead of as they come.
    title : above the figure.

    Returns
    -------
    A matplotlib figure. Dots are estimates and bars their intervals; a curve's shading is its
    band for all points at once, its thin lines the intervals point by point. Rows without a
    number are named with the reason.

    Raises
    ------
    PovmonError : the table is none of these, has no rows, or has more curves than can be told
        apart.

    Examples
    --------
    >>> from povmon.estimate import Design, estimate, fgt
    >>> sample = pd.DataFrame({"village": [1, 1, 2, 2, 3, 3], "w": 1, "area": list("ababab"),
    ...                        "income": [10, 20, 5, 30, 8, 25]})
    >>> figure = plot(estimate(sample, Design(None, "village", "w"), fgt("income", 18, 0), "area"))
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['a', 'b']
    """
    from matplotlib import style

    frame, draw = _kind(table)
    if len(frame) == 0:
        raise PovmonError("the table has no rows", where="plot")
    with style.context({"axes.spines.top": False, "axes.spines.right": False, "font.size": 9}):
        figure = draw(frame, sort)
        if title:
            figure.suptitle(title)
    return figure


def _kind(table: Any) -> tuple[pd.DataFrame, Callable[[pd.DataFrame, bool], Figure]]:
    """The rows of the table, and what draws them."""
    if hasattr(table, "verdicts"):
        return table.curves, _dominance
    if isinstance(table, pd.DataFrame):
        frame = pd.DataFrame(table)
        frame.attrs = dict(table.attrs)
        has = set(frame.columns)
        for wanted, draw in (
            ({"p", "estimate", "band_low"}, _curves),
            ({"rank_low", "rank_high"}, _ranks),
            ({"probability"}, _probabilities),
            ({"estimate_a", "estimate_b"}, _differences),
            ({"component", "estimate", "ci_low"}, _components),
            ({"estimate", "ci_low", "ci_high"}, _estimates),
        ):
            if wanted <= has:
                return frame, draw
    raise PovmonError(
        "this is no table that can be drawn", where="plot",
        todo="give what estimate, a curve, difference, ranks, worst, a decomposition or dominance "
        "returns",
    )  # fmt: skip


def _estimates(frame: pd.DataFrame, sort: bool) -> Figure:
    return _dots(frame, sort, "measure", "estimate, {level} % interval", zero=False)


def _differences(frame: pd.DataFrame, sort: bool) -> Figure:
    pairs = [c[:-2] for c in frame.columns if c.endswith("_a") and c != "estimate_a"]
    frame = frame.copy()
    for name in pairs:
        first, second = frame.pop(f"{name}_a").astype(str), frame.pop(f"{name}_b").astype(str)
        frame.insert(0, name, first + " against " + second)
    return _dots(frame, sort, "measure", "first against second, {level} % interval", zero=True)


def _components(frame: pd.DataFrame, sort: bool) -> Figure:
    return _dots(frame, sort, "component", "component, {level} % interval", zero=True)


def _dots(frame: pd.DataFrame, sort: bool, panel: str, axis: str, *, zero: bool) -> Figure:
    """One panel for each value of a column: dots with their intervals."""
    names = list(dict.fromkeys(frame[panel])) if panel in frame else [""]
    most = max(int((frame[panel] == n).sum()) if panel in frame else len(frame) for n in names)
    figure, panels = _panels(len(names), most)
    level = f"{100 * frame.attrs.get('level', 0.95):g}"
    for axes, name in zip(panels, names, strict=True):
        own = frame[frame[panel] == name].drop(columns=panel) if panel in frame else frame
        own = own.sort_values("estimate", ascending=False) if sort else own
        _one_panel(axes, own, own["ci_low"], own["ci_high"])
        axes.set_title(str(name), fontsize=9, loc="left")
        axes.set_xlabel(axis.format(level=level))
        if zero:
            axes.axvline(0, color="black", linewidth=0.8)
    return figure


def _panels(number: int, rows: int) -> tuple[Figure, list[Axes]]:
    from matplotlib import pyplot

    across = min(number, 3)
    down = -(-number // across)
    size = (3.4 * across + 1.4, down * (0.9 + 0.24 * max(rows, 3)))
    figure, grid = pyplot.subplots(down, across, figsize=size, squeeze=False, layout="constrained")
    # Returned, not shown a second time by the notebook.
    pyplot.close(figure)
    panels = list(grid.ravel())
    for unused in panels[number:]:
        unused.remove()
    return figure, panels[:number]


def _one_panel(
    axes: Axes,
    own: pd.DataFrame,
    low: pd.Series[Any],
    high: pd.Series[Any],
    value: str = "estimate",
) -> None:
    """Dots with bars from low to high, the first row on top; rows without a number in words."""
    at = np.arange(len(own))
    x = own[value].to_numpy(dtype=np.float64)
    known = np.isfinite(x)
    axes.hlines(at, low, high, color=COLOURS[0], linewidth=2, alpha=0.6)
    axes.plot(x[known], at[known], "o", color=COLOURS[0], markersize=5)
    notes = own["note"].astype(str).to_numpy() if "note" in own else np.full(len(own), "missing")
    for row in at[~known]:
        axes.text(0.02, row, notes[row], transform=axes.get_yaxis_transform(), color=GREY,
                  va="center", fontsize=8)  # fmt: skip
    axes.set_yticks(at, _row_labels(own))
    axes.set_ylim(len(own) - 0.5, -0.5)
    axes.grid(axis="x", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)


def _row_labels(own: pd.DataFrame) -> list[str]:
    names = labels(own)
    if not names:
        return ["whole sample"] * len(own)
    return [", ".join(str(v) for v in row) for row in own[names].itertuples(index=False)]


def _ranks(frame: pd.DataFrame, sort: bool) -> Figure:
    figure, panels = _measure_panels(frame)
    for axes, own in panels:
        own = own.sort_values(["rank", "estimate"]) if sort else own
        _one_panel(axes, own, own["rank_low"], own["rank_high"], "rank")
        axes.set_xlabel("rank, with the ranks that the sample allows")
        axes.set_xticks(np.arange(1, int(own["rank_high"].max()) + 1))
    return figure


def _probabilities(frame: pd.DataFrame, sort: bool) -> Figure:
    figure, panels = _measure_panels(frame)
    for axes, own in panels:
        own = own.sort_values("probability", ascending=False) if sort else own
        zero = own["probability"] * 0
        _one_panel(axes, own, zero, own["probability"], "probability")
        axes.set_xlabel("probability of being among the worst")
        axes.set_xlim(0, 1.02)
    return figure


def _measure_panels(frame: pd.DataFrame) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    if "measure" not in frame:
        frame = frame.assign(measure="")
    groups = [(name, own.drop(columns="measure")) for name, own in frame.groupby("measure")]
    figure, panels = _panels(len(groups), max(len(own) for _, own in groups))
    for axes, (name, _) in zip(panels, groups, strict=True):
        axes.set_title(str(name), fontsize=9, loc="left")
    return figure, [(axes, own) for axes, (_, own) in zip(panels, groups, strict=True)]


def _curves(frame: pd.DataFrame, sort: bool) -> Figure:
    del sort
    told = frame.attrs
    names = [c for c in told.get("by", []) if c in frame]
    groups: list[tuple[Any, pd.DataFrame]] = [("", frame)]
    if names:
        groups = list(frame.groupby(names, sort=False))
    if len(groups) > MOST_CURVES:
        raise PovmonError(
            f"{len(groups)} curves cannot be told apart", where="plot",
            todo=f"choose {MOST_CURVES} domains at most",
        )  # fmt: skip
    figure, (axes,) = _panels(1, 14)
    for i, (key, own) in enumerate(groups):
        label = ", ".join(str(k) for k in key) if isinstance(key, tuple) else str(key)
        _band(axes, own, own["p"], "estimate", i, label)
    if str(told.get("curve", "")).lower() in ("lorenz curve", "concentration curve"):
        axes.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
        axes.annotate("equality", (0.5, 0.5), color=GREY, ha="right", va="bottom", fontsize=8)
    if "growth" in str(told.get("curve", "")):
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_ylim(*_middle(frame))
    axes.set_title(_sentence(told.get("curve", "curve")), fontsize=9, loc="left")
    axes.set_xlabel(_sentence(told.get("x_axis", "share of persons")))
    axes.set_ylabel(_with_unit(told))
    if names:
        axes.legend(title=", ".join(names), frameon=False)
    return figure


def _middle(frame: pd.DataFrame) -> tuple[float, float]:
    """Limits that show the estimates and most of the bands: growth at the ends, of the few
    poorest and richest, can have intervals that would flatten all others."""
    limits = frame[["band_low", "band_high"]].to_numpy(dtype=np.float64)
    estimates = frame["estimate"].to_numpy(dtype=np.float64)
    low = min(np.nanmin(estimates), np.nanquantile(limits[:, 0], 0.1), 0.0)
    high = max(np.nanmax(estimates), np.nanquantile(limits[:, 1], 0.9), 0.0)
    return low - 0.1 * (high - low), high + 0.1 * (high - low)


def _band(
    axes: Axes, own: pd.DataFrame, x: pd.Series[Any], value: str, number: int, label: str
) -> None:
    """A curve, its simultaneous band, and its pointwise intervals."""
    colour, line = COLOURS[number], LINES[number]
    axes.fill_between(x, own["band_low"], own["band_high"], color=colour, alpha=0.15, linewidth=0)
    for limit in ("ci_low", "ci_high"):
        axes.plot(x, own[limit], color=colour, linewidth=0.5, alpha=0.8)
    axes.plot(x, own[value], color=colour, linestyle=line, linewidth=1.6, label=label)


def _with_unit(told: dict[Any, Any]) -> str:
    name, unit = str(told.get("y_axis", "estimate")), str(told.get("y_unit", ""))
    return _sentence(name if not unit or unit in name else f"{name} ({unit})")


def _sentence(words: Any) -> str:
    text = str(words)
    return text[:1].upper() + text[1:]


def _dominance(frame: pd.DataFrame, sort: bool) -> Figure:
    del sort
    orders = list(dict.fromkeys(frame["order"]))
    figure, panels = _panels(len(orders), 10)
    for axes, order in zip(panels, orders, strict=True):
        own = frame[frame["order"] == order]
        _band(axes, own, own["line"], "difference", 0, "")
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_title(f"Order {order}", fontsize=9, loc="left")
        axes.set_xlabel("poverty line")
        axes.set_ylabel(f"difference of FGT({order - 1})")
    return figure
