"""A figure that is drawn once when it is saved."""

from __future__ import annotations

from typing import Any

from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine


class LaidOut(Figure):
    """A figure with a constrained layout.

    Matplotlib draws such a figure twice when it saves it: once, shown nowhere, to have it laid
    out, and once into the file, with the layout switched off. The first time the layout is all
    that counts; all parts are measured again afterwards.
    """

    def draw(self, renderer: Any) -> None:
        """Lay the figure out where it has still to be; draw it otherwise."""
        engine = self.get_layout_engine()
        if isinstance(engine, ConstrainedLayoutEngine):
            engine.execute(self)
        else:
            super().draw(renderer)
