"""How figures look: fonts, colours and sizes, the same on every machine.

Colours: Okabe and Ito's palette for categories (distinguishable with every common form of
colour blindness) and cividis for magnitudes; both keep their order when printed in grey.
Fonts: the package's own subset of Noto Sans, so that Chinese names never become boxes.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

INK = "#1f2933"
MUTED = "#52606d"
GRID = "#d9dee4"
PAPER = "#ffffff"
ACCENT = "#0072b2"
WARM = "#d55e00"
WITHHELD = "#d3d3d3"
SEQUENTIAL = "cividis"

# Okabe and Ito (2008), "Color Universal Design"; yellow last: it is weak on white.
CATEGORIES = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#e69f00",
    "#000000",
    "#f0e442",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")  # a second sign beside the colour

FAMILY = ("Povmon Sans", "Povmon Sans SC", "DejaVu Sans")
FONT_FILES = ("PovmonSans-Regular.otf", "PovmonSans-Bold.otf", "PovmonSansSC-Regular.otf")


def font_path(name: str) -> Path:
    """Where a font of the package lies."""
    return Path(str(resources.files("povmon.present"))) / "fonts" / name


@cache
def register_fonts() -> None:
    """Tell matplotlib of the package's fonts; done once a process."""
    from matplotlib import font_manager

    fonts = font_manager.fontManager
    for name in FONT_FILES:
        fonts.addfont(str(font_path(name)))
    # There is no bold Chinese face: a bold title takes its Chinese characters from the regular
    # one, and matplotlib need not warn of that.
    chinese = next(entry for entry in fonts.ttflist if entry.name == FAMILY[1])
    fonts.ttflist.append(dataclasses.replace(chinese, weight=700))
    # Matplotlib looks the families up again each time it measures a text: a fifth of a chart.
    found = cache(fonts._find_fonts_by_props)
    fonts._find_fonts_by_props = found  # type: ignore[method-assign, assignment]


def rc() -> dict[str, Any]:
    """The settings of matplotlib for all figures of the reports."""
    return {
        "font.family": list(FAMILY),
        "font.size": 9.5,
        "text.color": INK,
        "text.parse_math": False,  # a dollar sign in a name is a dollar sign
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.labelsize": 9.5,
        "axes.titlesize": 10.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "axes.linewidth": 0.8,
        "axes.facecolor": PAPER,
        "figure.facecolor": PAPER,
        "figure.dpi": 96,
        "figure.figsize": (6.8, 4.0),
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "image.cmap": SEQUENTIAL,
        "svg.fonttype": "path",
        "svg.hashsalt": "povmon",
    }


def use() -> None:
    """Set the style for the whole process (a notebook, the maps)."""
    import matplotlib
    from cycler import cycler

    register_fonts()
    settings: Any = {**rc(), "axes.prop_cycle": cycler(color=list(CATEGORIES))}
    matplotlib.rcParams.update(settings)


def figure(width: float = 6.8, height: float = 4.0, **subplots: Any) -> tuple[Any, Any]:
    """A figure in the project's style, with its axes, outside any global state of pyplot.

    Parameters
    ----------
    width, height : size in inches; 6.8 fills the text column of a page.
    subplots : passed to `matplotlib.figure.Figure.subplots` (``nrows``, ``ncols``, ``sharex``).
    """
    from povmon.present.laid_out import LaidOut

    use()
    made = LaidOut(figsize=(width, height), layout="constrained")
    return made, made.subplots(**subplots)
