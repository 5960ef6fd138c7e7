"""The two kinds of map: the whole country, and one area with the names of its counties."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial import KDTree
from shapely.geometry import box

from povmon.memo import remembered
from povmon.present import style
from povmon.present.maps import parts, shapes
from povmon.present.maps.classes import Classes
from povmon.present.maps.names import Placed, place_names
from povmon.reference import boundaries
from povmon.reference.boundaries import Boundaries

WIDTH = 6.8  # inches: the text column of a page
DPI = 190
COLOURS = 192  # of the PNG's palette: some fifteen tones and their smoothed edges
# Left, bottom, right, top in metres: the mainland; the islands of the South China Sea in an inset.
MAINLAND = (-2.70e6, 1.52e6, 2.28e6, 5.97e6)
SOUTH_SEA = (0.05e6, 0.28e6, 1.95e6, 2.62e6)
_NAME_SIZE = 5.6


class MapFigure(Figure):
    """A figure whose PNG has a palette: a third of the bytes, no difference to the eye."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the PNG; the figure is its own frame, so it is never cropped."""
        buffer = io.BytesIO()
        drawn: Any = self.canvas if hasattr(self.canvas, "buffer_rgba") else FigureCanvasAgg(self)
        super().savefig(buffer, format="raw", dpi=options.get("dpi", DPI))
        size = int(drawn.renderer.width), int(drawn.renderer.height)
        picture = Image.frombuffer("RGBA", size, buffer.getvalue())
        with_palette(picture.convert("RGB")).save(fname, format="PNG", optimize=True)


class KnownMap(Figure):
    """A map that was drawn before: its PNG is known."""

    def __init__(self, png: bytes) -> None:
        super().__init__()
        self._png = png

    def savefig(self, fname: Any, **_: Any) -> None:
        """Write the PNG."""
        fname.write(self._png)


def remembered_map(parts: Iterable[bytes | str], make: Callable[[], Figure]) -> KnownMap:
    """The map that `make` draws, or the same one drawn earlier from the same parts.

    Parameters
    ----------
    parts : all that the map shows; the boundaries are added here.
    """

    def png() -> bytes:
        buffer = io.BytesIO()
        make().savefig(buffer, dpi=DPI)
        return buffer.getvalue()

    return KnownMap(remembered("maps", [boundaries.digest(), *parts], png))


def with_palette(picture: Image.Image) -> Image.Image:
    """The picture in its most frequent colours; others, of smoothed edges, take the nearest.

    All plain colours of map and legend stay exactly as they are: a legend's field has hundreds
    of pixels.
    """
    picture = picture.convert("RGB")
    pixels = np.asarray(picture).astype(np.uint32)
    packed = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    listed: Any = picture.getcolors(packed.size)
    counts, colours = np.array([n for n, _ in listed]), np.array([c for _, c in listed], np.uint32)
    found = colours[:, 0] << 16 | colours[:, 1] << 8 | colours[:, 2]
    kept = np.lexsort((found, -counts))[:COLOURS]
    kept = kept[np.argsort(found[kept])]
    parts_of = colours.astype(np.float64)
    _, nearest = KDTree(parts_of[kept]).query(parts_of)
    entry = np.zeros(1 << 24, dtype=np.uint8)  # by colour; far quicker than sorting all pixels
    entry[found] = nearest
    made = Image.fromarray(entry[packed], "P")
    made.putpalette(colours[kept].astype(np.uint8).tobytes())
    return made


def _figure(height: float) -> MapFigure:
    style.use()
    made = MapFigure(figsize=(WIDTH, height))
    FigureCanvasAgg(made)
    return made


def national(
    found: Boundaries, groups: pd.DataFrame, classes: Classes,
    names: Mapping[str, tuple[str, str]], heading: str,
) -> Figure:  # fmt: skip
    """Map of the country.

    Parameters
    ----------
    found : boundaries of level ``national``.
    groups : polygons with class and status, see `frame.polygon_groups`.
    names : area id -> (English, Chinese) of the areas to be outlined.
    heading : title of the legend: indicator and unit.
    """
    left, bottom, right, top = MAINLAND
    height = WIDTH * (top - bottom) / (right - left)
    figure = _figure(height)
    axes = figure.add_axes((0, 0, 1, 1))
    parts.bare(axes, MAINLAND)
    parts.context(axes, found)
    parts.counties(axes, groups, classes, edge=0.12)
    areas = {a: found.areas[a] for a in names}
    parts.outline(axes, areas, 0.7)
    parts.area_names(axes, areas, names)
    parts.scale_bar(axes, 1000, (0.40, 0.03))
    _legend(axes, groups, classes, heading, loc="lower left", bbox_to_anchor=(0.0, 0.0))
    _inset(figure, found, groups, classes)
    return figure


def _legend(axes: Any, groups: pd.DataFrame, classes: Classes, heading: str, **place: Any) -> None:
    legend = axes.legend(
        handles=parts.handles(groups, classes), title=heading, fontsize=6.6, title_fontsize=7.2,
        alignment="left", handlelength=1.9, handleheight=1.15, labelspacing=0.35,
        borderaxespad=0.2, **place,
    )  # fmt: skip
    legend.set_zorder(10)
    legend.get_title().set_fontweight("bold")


def _inset(figure: Figure, found: Boundaries, groups: pd.DataFrame, classes: Classes) -> None:
    """The South China Sea, as the package's data have it."""
    height = 0.175
    left, bottom, right, top = SOUTH_SEA
    whole_width, whole_height = figure.get_size_inches()
    width = height * whole_height / whole_width * (right - left) / (top - bottom)
    axes = figure.add_axes((0.998 - width, 0.003, width, height))
    parts.bare(axes, SOUTH_SEA)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.6)
    parts.context(axes, found)
    parts.counties(axes, groups, classes, edge=0.05)
    axes.text(
        0.5, 0.03, "South China Sea Islands", transform=axes.transAxes, fontsize=5,
        ha="center", va="bottom", path_effects=parts.HALO,
    )  # fmt: skip


def area_map(
    found: Boundaries, groups: pd.DataFrame, classes: Classes, area: str,
    labels: Mapping[str, tuple[str, str]], heading: str,
) -> Figure:  # fmt: skip
    """Map of one area with the names of its counties.

    Parameters
    ----------
    found : boundaries of level ``sheet``.
    groups : polygons with class and status.
    labels : county_id -> (short English name, Chinese name).
    heading : title of the legend.

    Names for which there is no room become numbers, with a key below the map.
    """
    mine = groups[groups["area_id"] == area].reset_index(drop=True)
    bounds = _extent(found.areas[area])
    map_height = WIDTH * (bounds[3] - bounds[1]) / (bounds[2] - bounds[0])
    strip = max(1.25, 0.45 + 0.155 * len(parts.handles(mine, classes)))
    height = map_height + strip
    figure = _figure(height)
    axes = figure.add_axes((0, strip / height, 1, map_height / height))
    parts.bare(axes, bounds)
    parts.context(axes, found)
    parts.counties(axes, mine, classes, edge=parts.SHEET_EDGE)
    parts.outline(axes, {area: found.areas[area]}, 1.0)
    metres = (bounds[2] - bounds[0]) / WIDTH
    key = _county_names(axes, mine, labels, classes, metres)
    parts.province_names(axes, found, found.areas[area], metres)
    parts.scale_bar(axes, parts.nice_length(bounds[2] - bounds[0]), (0.03, 0.02))
    below = figure.add_axes((0, 0, 0.76, (strip - 0.1) / height))
    below.axis("off")
    _legend(below, mine, classes, heading, loc="upper left", bbox_to_anchor=(0.0, 1.0))
    _key(below, key)
    _locator(figure, found, area, (strip - 0.15) / height)
    return figure


def _extent(shape: Any) -> tuple[float, float, float, float]:
    """The area with a margin, neither very flat nor very tall."""
    left, bottom, right, top = shape.bounds
    margin = 0.03 * max(right - left, top - bottom)
    width, height = right - left + 2 * margin, top - bottom + 2 * margin
    width, height = max(width, height / 1.25), max(height, width * 0.5)
    x, y = (left + right) / 2, (bottom + top) / 2
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _county_names(
    axes: Any, mine: pd.DataFrame, labels: Mapping[str, tuple[str, str]], classes: Classes,
    metres: float,
) -> list[str]:  # fmt: skip
    """Write the names; returns the entries of the key, in the order of their numbers."""
    forms = [_forms([labels[i] for i in ids]) for ids in mine["county_ids"]]
    renderer = axes.figure.canvas.get_renderer()
    probe = axes.text(0, 0, "", fontsize=_NAME_SIZE, linespacing=1.05)

    def measure(text: str) -> tuple[float, float]:
        probe.set_text(text)
        extent = probe.get_window_extent(renderer)
        return extent.width / axes.figure.dpi * metres, extent.height / axes.figure.dpi * metres

    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    frame = box(left, bottom, right, top)
    placed, keyed = place_names(forms, mine["geometry"].to_numpy(), measure, frame)
    probe.remove()
    colours = classes.colours()
    for name, cls in zip(placed, mine["cls"], strict=True):
        _write(axes, name, colours[cls] if cls >= 0 else "#ffffff")
    return [f"{number} {forms[p][0]}".replace("\n", " ") for number, p in enumerate(keyed, 1)]


def _key(axes: Any, entries: list[str]) -> None:
    """The names behind the numbers on the map, beside the legend, in up to two columns."""
    if not entries:
        return
    axes.text(0.5, 0.97, "Numbers on the map", fontsize=6.2, va="top", transform=axes.transAxes)
    rows = max(10, -(-len(entries) // 2))
    for column in range(0, len(entries), rows):
        axes.text(
            0.5 + 0.27 * (column // rows), 0.89, "\n".join(entries[column : column + rows]),
            transform=axes.transAxes, fontsize=6.2, va="top", linespacing=1.25,
        )  # fmt: skip


def _forms(names: list[tuple[str, str]]) -> list[str]:
    """Forms of a polygon's name: two lines, one line, English alone; of two counties, both."""
    zh = "、".join(n[1] for n in names)
    en = ", ".join(n[0] for n in names)
    broken = en.replace(" ", "\n") if len(en) > 12 else en
    return list(dict.fromkeys([f"{en}\n{zh}", f"{broken}\n{zh}", f"{en} {zh}", en]))


def _write(axes: Any, name: Placed, colour: str) -> None:
    from matplotlib.patheffects import withStroke

    light = parts.is_light(colour)
    axes.text(
        name.x, name.y, name.text, fontsize=_NAME_SIZE, linespacing=1.05, ha="center",
        va="center", color=style.INK if light else "#ffffff", zorder=7,
        path_effects=[withStroke(linewidth=1.3, foreground=colour, alpha=0.85)],
    )  # fmt: skip


def _locator(figure: Figure, found: Boundaries, area: str, height: float) -> None:
    """Where in the country the area lies."""
    left, bottom, right, top = MAINLAND
    inches_width, inches_height = figure.get_size_inches()
    width = height * inches_height / inches_width * (right - left) / (top - bottom)
    axes = figure.add_axes((1 - width, 0.01, width, height))
    parts.bare(axes, MAINLAND)
    country = shapely.simplify(found.country, 15000)
    shapes.fill(axes, [country], facecolor="#e2e2dd", edgecolor=parts.SEA_LINE, linewidth=0.4)
    outline = shapely.simplify(np.array([found.areas[area]]), 8000)
    shapes.fill(axes, list(outline), facecolor=parts.OUTLINE, edgecolor="none")
