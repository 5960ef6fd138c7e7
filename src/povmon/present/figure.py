"""A matplotlib figure as a picture inside the page, with caption and alt text."""

from __future__ import annotations

import base64
import io
import re
import sys
from dataclasses import dataclass, field
from html import escape
from typing import Any

from povmon.errors import PovmonError
from povmon.present.escaping import escape_markdown


@dataclass(frozen=True, init=False)
class Figure:
    """A picture with a caption and a text that says in words what it shows.

    Parameters
    ----------
    fig : matplotlib figure; it is drawn at once and closed.
    caption : what the figure shows (the exporter puts "Figure 1" before it).
    alt : what a reader who cannot see it should know: the message, with its numbers.
    raster : PNG instead of SVG, for maps with very many points.
    note : source or remark under the figure.
    dpi : resolution of a raster figure.
    """

    caption: str
    alt: str
    note: str
    src: str = field(repr=False)
    width: int

    def __init__(
        self,
        fig: Any,
        caption: str,
        alt: str,
        raster: bool = False,
        note: str = "",
        dpi: int = 160,
    ) -> None:
        for name, text in (("caption", caption), ("alt text", alt)):
            if not text.strip():
                raise PovmonError(
                    f"a figure needs its {name}", where="Figure", todo="say what the figure shows"
                )
        src, width = _draw(fig, raster, dpi)
        for name, value in (("caption", caption), ("alt", alt), ("note", note)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "src", src)
        object.__setattr__(self, "width", width)

    def _repr_html_(self) -> str:
        note = f'<p class="note">{escape(self.note)}</p>' if self.note else ""
        return (
            f'<figure class="povmon-figure"><img src="{self.src}" width="{self.width}" '
            f'alt="{escape(self.alt, quote=True)}">'
            f"<figcaption>{escape(self.caption)}</figcaption>{note}</figure>"
        )

    def _repr_markdown_(self) -> str:
        return f"**{escape_markdown(self.caption)}**\n\n{escape_markdown(self.alt)}\n"

    def __repr__(self) -> str:
        return f"Figure({self.caption!r})"


# What makes two runs give the same bytes: no date, no random ids, letters as outlines.
_FIXED: Any = {"svg.hashsalt": "povmon", "svg.fonttype": "path", "savefig.dpi": 96}


def _draw(fig: Any, raster: bool, dpi: int) -> tuple[str, int]:
    """The figure as a data URI, and its width in CSS pixels; closes the figure."""
    import matplotlib

    buffer = io.BytesIO()
    options: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": 0.06}
    with matplotlib.rc_context(_FIXED):
        if raster:
            kind, options = "png", {**options, "dpi": dpi, "metadata": {"Software": None}}
        else:
            kind, options = "svg", {**options, "metadata": {"Date": None, "Creator": None}}
        _place_no_empty_label(fig)
        fig.savefig(buffer, format=kind, **options)
    if "matplotlib.pyplot" in sys.modules:  # it keeps every figure it made until told
        sys.modules["matplotlib.pyplot"].close(fig)
    data = buffer.getvalue() if raster else _slim(buffer.getvalue())
    mime = "image/png" if raster else "image/svg+xml"
    width = _png_width(data, dpi) if raster else _svg_width(data)
    return f"data:{mime};base64,{base64.b64encode(data).decode()}", width


def _place_no_empty_label(fig: Any) -> None:
    """Spare Matplotlib the search for a place for axis labels that are empty.

    It measures all tick labels for it, each time that it lays the figure out.
    """
    for axes in fig.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if not axis.get_label_text():
                axis.set_label_coords(0, 0)


def _slim(svg: bytes) -> bytes:
    """The same picture in fewer bytes: no metadata, coordinates to 0.01 point."""
    svg = re.sub(rb"\s*<metadata>.*?</metadata>|<!--.*?-->", b"", svg, flags=re.DOTALL)
    svg = re.sub(rb" ?\n([MLCQz]) ?", rb"\1", svg)
    svg = re.sub(rb"\n\s*<", b"<", svg)
    return re.sub(rb"(?<![\w.#])([1-9]\d*\.\d{2})\d+", rb"\1", svg)


def _svg_width(data: bytes) -> int:
    """Width in CSS pixels (96 an inch) of matplotlib's SVG, which gives points (72 an inch)."""
    found = re.search(rb'<svg[^>]*? width="([\d.]+)pt"', data)
    return round(float(found.group(1)) * 96 / 72) if found else 640


def _png_width(data: bytes, dpi: int) -> int:
    return round(int.from_bytes(data[16:20], "big") * 96 / dpi)
