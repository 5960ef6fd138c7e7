"""From GCJ-02, the shifted coordinates of Chinese web maps, to WGS84.

The shift has no official publication; the formula is the one that is publicly known (and used,
for example, by the project eviltransform). It has no closed inverse, so the inverse is found by
fixed-point iteration, to the last digits of a double.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from povmon.errors import PovmonError

Points = NDArray[np.float64]

# Krasovsky 1940, the ellipsoid of the formula.
SEMI_MAJOR = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323
TOLERANCE = 1e-12  # degrees: a tenth of a micrometre
ITERATIONS = 50
_TODO = "check that they are longitude and latitude in degrees within China"


def _wave(value: Points) -> Points:
    return 20 * np.sin(6 * value * np.pi) + 20 * np.sin(2 * value * np.pi)


def shift(wgs84: Points) -> Points:
    """The displacement that GCJ-02 adds.

    Parameters
    ----------
    wgs84 : (n, 2), longitude and latitude in degrees.

    Returns
    -------
    (n, 2), degrees to add to longitude and latitude.
    """
    x, y = wgs84[:, 0] - 105, wgs84[:, 1] - 35
    root = np.sqrt(np.abs(x))
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + 2 / 3 * (
        _wave(x)
        + 20 * np.sin(y * np.pi)
        + 40 * np.sin(y / 3 * np.pi)
        + 160 * np.sin(y / 12 * np.pi)
        + 320 * np.sin(y / 30 * np.pi)
    )
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + 2 / 3 * (
        _wave(x)
        + 20 * np.sin(x * np.pi)
        + 40 * np.sin(x / 3 * np.pi)
        + 150 * np.sin(x / 12 * np.pi)
        + 300 * np.sin(x / 30 * np.pi)
    )
    latitude = np.radians(wgs84[:, 1])
    reduced = 1 - ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
    prime_vertical = SEMI_MAJOR / np.sqrt(reduced) * np.cos(latitude)
    meridian = SEMI_MAJOR * (1 - ECCENTRICITY_SQUARED) / (reduced * np.sqrt(reduced))
    return np.column_stack([np.degrees(east / prime_vertical), np.degrees(north / meridian)])


def from_wgs84(wgs84: Points) -> Points:
    """GCJ-02 coordinates of WGS84 points, (n, 2) in degrees."""
    return wgs84 + shift(wgs84)


def to_wgs84(gcj02: Points) -> Points:
    """WGS84 coordinates of GCJ-02 points.

    Equal points of one call give equal results to the last bit, so borders that polygons share
    stay shared.

    Parameters
    ----------
    gcj02 : (n, 2), longitude and latitude in degrees.

    Returns
    -------
    (n, 2), degrees.

    Raises
    ------
    PovmonError : the coordinates are no degrees, or lie so far outside China that the iteration
        does not converge.
    """
    if not (np.abs(gcj02) <= (180, 90)).all():
        raise PovmonError("coordinates are not degrees", where="GCJ-02 conversion", todo=_TODO)
    found = gcj02.copy()
    for _ in range(ITERATIONS):
        refined = gcj02 - shift(found)
        change = float(np.abs(refined - found).max(initial=0.0))
        found = refined
        if change < TOLERANCE:
            return found
    raise PovmonError("coordinates do not converge", where="GCJ-02 conversion", todo=_TODO)
