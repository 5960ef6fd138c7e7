"""From shapely's polygons and lines to matplotlib's patches."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

Geometries = NDArray[np.object_]


def as_path(shapes: Geometries | list[BaseGeometry]) -> Path:
    """One compound path of all polygons; holes turn the other way, so they stay open."""
    parts = shapely.orient_polygons(shapely.get_parts(np.asarray(shapes, dtype=object)))
    rings = shapely.get_rings(parts)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(points), Path.LINETO, dtype=np.uint8)
    first = np.r_[True, ring[1:] != ring[:-1]]
    codes[first] = Path.MOVETO
    codes[np.r_[first[1:], True]] = Path.CLOSEPOLY
    return Path(points, codes)


def fill(axes: Axes, shapes: Geometries | list[BaseGeometry], **style: Any) -> None:
    """Draw polygons as one patch; nothing when there are none."""
    if len(shapes):
        # Not add_patch: it walks every segment in Python to find limits that are set already.
        axes.add_artist(PathPatch(as_path(shapes), **style))


def lines(axes: Axes, shape: BaseGeometry, **style: Any) -> None:
    """Draw lines."""
    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(shape)]
    axes.add_collection(LineCollection(parts, **style), autolim=False)
