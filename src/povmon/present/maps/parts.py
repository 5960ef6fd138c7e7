"""Parts that all maps share: legend, scale bar, inset, names of areas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from povmon.present import numbers, style
from povmon.present.maps import shapes
from povmon.present.maps.classes import Classes
from povmon.present.maps.frame import ABSENT, MIXED, OUTSIDE, SUPPRESSED, WORDS
from povmon.reference.boundaries import Boundaries

LAND, SEA_LINE, BORDER, EDGE = "#f3f2ee", "#8a97a3", "#b4b8bd", "#ffffff"
OUTLINE = "#111820"
SHEET_EDGE = 0.35  # line between counties on a sheet; finer lines mean a map of the country
# Signs of counties without a colour; each differs in tone and in pattern.
SIGNS: dict[str, dict[str, Any]] = {
    SUPPRESSED: {"facecolor": "#ffffff", "hatch": "//////", "hatchcolor": "#6b7280"},
    ABSENT: {"facecolor": "#d9d9d9", "hatch": "......", "hatchcolor": "#6b7280"},
    OUTSIDE: {"facecolor": "#e4e4e0"},
    MIXED: {"facecolor": "#ffffff", "hatch": "xxxx", "hatchcolor": "#6b7280"},
}
UNRELIABLE = "unreliable estimate"
# Luminance at which white and INK have the same contrast (WCAG 2: (a + 0.05) / (b + 0.05)).
_EQUAL_CONTRAST = 0.22
HALO = [withStroke(linewidth=1.8, foreground="#ffffff")]

# Provinces without a county in the 14 areas, which the reference data do not name.
OTHER_PROVINCES = {
    "11": "Beijing 北京", "12": "Tianjin 天津", "21": "Liaoning 辽宁", "31": "Shanghai 上海",
    "32": "Jiangsu 江苏", "33": "Zhejiang 浙江", "35": "Fujian 福建", "37": "Shandong 山东",
    "44": "Guangdong 广东", "46": "Hainan 海南",
}  # fmt: skip

# Where the names of the areas stand on the national map, in km of the projection, and whether
# a line leads to the area.
AREA_NAMES: dict[str, tuple[float, float]] = {
    "liupan": (-120, 4270), "qinba": (560, 3830), "wuling": (900, 3060),
    "wumeng": (60, 3230), "dian_gui_qian": (640, 2300), "dianxi": (-960, 2480),
    "daxinganling": (880, 5230), "yanshan_taihang": (640, 4790), "lvliang": (240, 4520),
    "dabie": (1420, 3500), "luoxiao": (1390, 2850), "tibet": (-1560, 3480),
    "four_provinces_tibetan": (-760, 3760), "southern_xinjiang": (-2080, 4900),
}  # fmt: skip
SHORT_NAMES = {
    "dian_gui_qian": "Yunnan-Guangxi-\nGuizhou",
    "dianxi": "Western Yunnan",
    "daxinganling": "S. Greater Khingan",
    "four_provinces_tibetan": "Tibetan Areas of\nFour Provinces",
    "southern_xinjiang": "Southern Xinjiang",
}
SHORT_ZH = {"dian_gui_qian": "滇桂黔石漠化区", "southern_xinjiang": "南疆三地州"}


def bare(axes: Axes, bounds: tuple[float, float, float, float]) -> None:
    """A map's axes: no ticks, equal scale, the given extent (left, bottom, right, top)."""
    axes.set_xlim(bounds[0], bounds[2])
    axes.set_ylim(bounds[1], bounds[3])
    axes.set_aspect("equal")
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def context(axes: Axes, found: Boundaries) -> None:
    """The country, its provinces and the maritime boundary, as thin background."""
    provinces = [_near(axes, shape) for shape in found.provinces.values()]
    provinces = [shape for shape in provinces if not shape.is_empty]
    country = [_near(axes, found.country)]
    shapes.fill(axes, country, facecolor=LAND, edgecolor="none", zorder=1)
    shapes.fill(axes, provinces, facecolor="none", edgecolor=BORDER, linewidth=0.35, zorder=1.5)
    shapes.fill(axes, country, facecolor="none", edgecolor=SEA_LINE, linewidth=0.5, zorder=1.6)
    shapes.lines(axes, found.maritime, colors=SEA_LINE, linewidths=0.7, zorder=2)


def _near(axes: Axes, shape: Any) -> Any:
    """What of a shape can be seen: cut somewhat outside the map, so that no cut shows."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    beyond = 0.05 * (right - left)
    return shapely.clip_by_rect(shape, left - beyond, bottom - beyond, right + beyond, top + beyond)


def counties(axes: Axes, groups: pd.DataFrame, classes: Classes, edge: float) -> None:
    """Fill the counties by class or by why they have none; hatch what is unreliable."""
    groups = _seen(axes, groups)
    colours = classes.colours()
    for number, colour in enumerate(colours):
        inside = groups[groups["cls"] == number]
        shapes.fill(
            axes, list(inside["geometry"]),
            facecolor=colour, edgecolor=EDGE, linewidth=edge, zorder=3,
        )  # fmt: skip
        doubtful = inside[inside["unreliable"]]
        shapes.fill(
            axes, list(doubtful["geometry"]), **unreliable_sign(colour, edge < SHEET_EDGE),
            facecolor="none", edgecolor="none", linewidth=0, zorder=3.2,
        )  # fmt: skip
    for status, sign in SIGNS.items():
        rows = groups[groups["status"] == status]
        shapes.fill(
            axes, list(rows["geometry"]), **sign, edgecolor=EDGE, linewidth=edge, zorder=3,
            hatch_linewidth=0.4,
        )  # fmt: skip


def _seen(axes: Axes, groups: pd.DataFrame) -> pd.DataFrame:
    """The polygons that reach into the map."""
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    bounds = shapely.bounds(groups["geometry"].to_numpy())
    across = (bounds[:, 0] <= right) & (bounds[:, 2] >= left)
    return groups[across & (bounds[:, 1] <= top) & (bounds[:, 3] >= bottom)]


def unreliable_sign(colour: str, fine: bool = False) -> dict[str, Any]:
    """A hatch that is seen on the colour it lies on; a fine one meets small counties too."""
    return {
        "hatch": "\\" * (6 if fine else 4),
        "hatchcolor": "#1f2933" if is_light(colour) else "#ffffff",
        "hatch_linewidth": 0.35 if fine else 0.5,
    }


def is_light(colour: str) -> bool:
    """Whether dark signs are read better on a colour than white ones (relative luminance)."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722])) > _EQUAL_CONTRAST


def handles(groups: pd.DataFrame, classes: Classes) -> list[Patch]:
    """The entries of the legend: each class and each reason that is on the map."""
    made = []
    counts = groups.assign(many=groups["county_ids"].str.len())
    for number, (colour, words) in enumerate(zip(classes.colours(), classes.labels(), strict=True)):
        many = int(counts.loc[counts["cls"] == number, "many"].sum())
        label = f"{words}  ({numbers.number(many)})"
        made.append(Patch(facecolor=colour, edgecolor=BORDER, linewidth=0.5, label=label))
    if groups["unreliable"].any():
        many = int(counts.loc[counts["unreliable"], "many"].sum())
        sign = {**unreliable_sign("#ffffff"), "facecolor": "#ffffff"}
        label = f"{UNRELIABLE}  ({numbers.number(many)})"
        made.append(Patch(**sign, edgecolor=BORDER, linewidth=0.5, label=label))
    for status, sign in SIGNS.items():
        many = int(counts.loc[counts["status"] == status, "many"].sum())
        if many:
            label = f"{WORDS[status]}  ({numbers.number(many)})"
            patch = Patch(**sign, edgecolor=BORDER, linewidth=0.5, label=label)
            patch.set_hatch_linewidth(0.4)
            made.append(patch)
    return made


def scale_bar(axes: Axes, kilometres: float, at: tuple[float, float]) -> None:
    """A bar of the given length; `at` is its left end in fractions of the axes."""
    left, right = axes.get_xlim()
    length = kilometres * 1000 / (right - left)
    x, y = at
    bar = Rectangle(
        (x, y), length, 0.008, transform=axes.transAxes, facecolor=style.INK,
        edgecolor="none", zorder=8,
    )  # fmt: skip
    half = Rectangle(
        (x + length / 2, y + 0.0016), length / 2 * 0.985, 0.0048, transform=axes.transAxes,
        facecolor="#ffffff", edgecolor="none", zorder=9,
    )  # fmt: skip
    axes.add_patch(bar)
    axes.add_patch(half)
    for place, text in ((x, "0"), (x + length, f"{numbers.number(kilometres)} km")):
        axes.text(
            place, y + 0.014, text, transform=axes.transAxes, fontsize=6.5, ha="center",
            va="bottom", color=style.INK, zorder=9, path_effects=HALO,
        )  # fmt: skip


def nice_length(width: float) -> float:
    """A round length in km that takes up to a quarter of a map `width` metres wide."""
    target = width / 1000 / 4
    power = 10.0 ** np.floor(np.log10(target))
    return float(max(m * power for m in (1, 2, 5) if m * power <= target))


def outline(axes: Axes, areas: Mapping[str, Any], width: float) -> None:
    """The borders of the areas, a dark line with a light rim."""
    found = list(areas.values())
    shapes.fill(axes, found, facecolor="none", edgecolor="#ffffff", linewidth=width + 0.8, zorder=4)
    shapes.fill(axes, found, facecolor="none", edgecolor=OUTLINE, linewidth=width, zorder=4.1)


def area_names(axes: Axes, areas: Mapping[str, Any], names: Mapping[str, tuple[str, str]]) -> None:
    """Names of the areas on the national map, with a line to those that lie apart."""
    for area, shape in areas.items():
        anchor = shape.representative_point()
        x, y = (1000 * v for v in AREA_NAMES.get(area, (anchor.x / 1000, anchor.y / 1000)))
        en, zh = names[area]
        text = f"{short_name(area, en)}\n{SHORT_ZH.get(area, zh)}"
        near = shape.boundary.interpolate(shape.boundary.project(_point(x, y)))
        if not shape.contains(_point(x, y)):
            axes.plot(
                [x, near.x], [y, near.y], color=style.INK, linewidth=0.6, zorder=5,
                solid_capstyle="round", path_effects=HALO,
            )  # fmt: skip
        axes.text(
            x, y, text, fontsize=6.6, ha="center", va="center", color=style.INK, zorder=6,
            linespacing=1.15, path_effects=HALO,
        )  # fmt: skip


def province_names(axes: Axes, found: Boundaries, area: Any, metres: float) -> None:
    """Names of the provinces around an area, where there is room for them.

    Parameters
    ----------
    area : outline of the area; names stand outside it and outside the corner of the scale bar.
    metres : metres to an inch of the map.
    """
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    corner = shapely.box(left, bottom, left + 0.36 * (right - left), bottom + 0.5 * metres)
    closed = shapely.union(area.buffer(0.08 * metres), corner)
    for province, words in _provinces().items():
        seen = shapely.clip_by_rect(found.provinces[province], left, bottom, right, top)
        free = shapely.difference(shapely.simplify(seen, metres / 60), closed)
        if free.area < (0.7 * metres) ** 2:
            continue
        circle = shapely.maximum_inscribed_circle(free, tolerance=metres / 20)
        if shapely.length(circle) < 0.42 * metres:  # a name is some 0.8 inches wide
            continue
        x, y = shapely.get_coordinates(circle)[0]
        axes.text(
            x, y, words, fontsize=6.4, ha="center", va="center", color="#6b7280", zorder=2.5,
        )  # fmt: skip


def _provinces() -> dict[str, str]:
    """Code of 2021 (two digits) -> English and Chinese name of every province."""
    from povmon import reference

    rows = reference.counties().drop_duplicates("province_id")
    known = {
        str(r.province_id): f"{r.province_en} {_short_zh(str(r.province_zh))}"
        for r in rows.itertuples()
    }
    return {**OTHER_PROVINCES, **known}


def _short_zh(name: str) -> str:
    """内蒙古 for 内蒙古自治区: what stands before the kind of province."""
    return name[:3] if name.startswith(("内蒙古", "黑龙江")) else name[:2]


def _point(x: float, y: float) -> Any:
    from shapely.geometry import Point

    return Point(x, y)


def short_name(area: str, en: str) -> str:
    """The English name without what all of them share."""
    return SHORT_NAMES.get(area, en.removesuffix(" Mountain Area"))
