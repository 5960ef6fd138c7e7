"""Names on a map: each where it is read best, none over another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from shapely.strtree import STRtree

# Places tried around the middle of a polygon, in widths and heights of the name.
_SHIFTS = [
    (x, y)
    for x, y in [(0, 0), (0, 0.35), (0, -0.35), (0.2, 0), (-0.2, 0), (0, 0.7), (0, -0.7)]
    + [(0.4, 0), (-0.4, 0), (0.35, 0.5), (-0.35, 0.5), (0.35, -0.5), (-0.35, -0.5)]
    + [(0, 1.0), (0, -1.0), (0.6, 0), (-0.6, 0)]
]
_MOST_OUTSIDE = 0.4  # a name that lies further outside its polygon would be read as another's
_MARGIN = 0.06  # free space around a name, in its height


@dataclass(frozen=True)
class Placed:
    """A name and where its middle stands, in metres; `text` may be a number of the key."""

    text: str
    x: float
    y: float


def middles(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """The middle of the largest circle inside each polygon, (n, 2)."""
    largest = np.array([_largest_part(shape) for shape in shapes])
    tolerance = np.sqrt(shapely.area(largest)) / 50
    radii = shapely.maximum_inscribed_circle(largest, tolerance=tolerance)
    return shapely.get_coordinates(shapely.get_point(radii, 0))


def _largest_part(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shape)
    return parts[int(np.argmax(shapely.area(parts)))]


def place_names(
    names: list[list[str]], shapes: NDArray[np.object_], measure: Any, frame: BaseGeometry
) -> tuple[list[Placed], list[int]]:
    """Choose place and form of each name; small polygons choose first.

    Parameters
    ----------
    names : for each polygon the forms of its name, the preferred one first.
    shapes : the polygons, in metres.
    measure : function from text to (width, height) in metres.
    frame : the map's extent; no name reaches beyond it.

    Returns
    -------
    The placed names by polygon, and the positions of those for which there was no room: they
    carry a number, to be explained in a key.
    """
    centres = middles(shapes)
    taken: list[BaseGeometry] = []
    found: dict[int, Placed] = {}
    keyed = []
    for position in np.argsort(shapely.area(shapes), kind="stable"):
        place = shapes[position], centres[position], taken, measure, frame
        choice = _choose(names[position], *place, most_outside=_MOST_OUTSIDE)
        if choice is None:
            keyed.append(int(position))
            choice = _choose(["88"], *place, most_outside=1.0)
        if choice is not None:
            found[int(position)], room = choice
            taken.append(room)
    for number, position in enumerate(sorted(keyed), start=1):
        x, y = centres[position]
        at = found.get(position, Placed("", float(x), float(y)))
        found[position] = Placed(str(number), at.x, at.y)
    return [found[p] for p in range(len(names))], sorted(keyed)


def _choose(
    forms: list[str],
    shape: BaseGeometry,
    centre: NDArray[np.float64],
    taken: list[BaseGeometry],
    measure: Any,
    frame: BaseGeometry,
    most_outside: float,
) -> tuple[Placed, BaseGeometry] | None:
    """The best free place: most of the name inside its polygon, the preferred form first."""
    tree = STRtree(taken)
    best: tuple[float, Placed, BaseGeometry] | None = None
    for rank, text in enumerate(forms):
        width, height = measure(text)
        for right, up in _SHIFTS:
            x, y = float(centre[0] + right * width), float(centre[1] + up * height)
            room = box(
                x - width / 2, y - height * (0.5 + _MARGIN),
                x + width / 2, y + height * (0.5 + _MARGIN),
            )  # fmt: skip
            if not frame.contains(room) or len(tree.query(room, predicate="intersects")):
                continue
            outside = room.difference(shape).area / room.area
            if outside > most_outside:
                continue
            # A step away costs a little, a lesser form more: it must pay in being inside.
            score = outside + 0.15 * (abs(right) + abs(up)) + 0.12 * rank
            if best is None or score < best[0]:
                best = (score, Placed(text, x, y), room)
        if best is not None and best[0] < 0.12 * (rank + 1):
            break
    return None if best is None else (best[1], best[2])
