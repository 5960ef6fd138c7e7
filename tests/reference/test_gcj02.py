"""The shift of Chinese web maps is undone exactly."""

import numpy as np
import pytest

from povmon.errors import PovmonError
from povmon.reference import gcj02

# WGS84 and GCJ-02 (longitude, latitude): the test points of the project eviltransform.
KNOWN = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]


@pytest.mark.parametrize(("wgs84", "expected"), KNOWN)
def test_known_points(wgs84: tuple[float, float], expected: tuple[float, float]) -> None:
    assert gcj02.from_wgs84(np.array([wgs84]))[0] == pytest.approx(expected, abs=1e-12)
    assert gcj02.to_wgs84(np.array([expected]))[0] == pytest.approx(wgs84, abs=1e-11)


def test_inverse_is_exact_all_over_china() -> None:
    lon, lat = np.meshgrid(np.linspace(73.5, 135, 60), np.linspace(3.5, 53.5, 60))
    points = np.column_stack([lon.ravel(), lat.ravel()])
    assert np.abs(gcj02.to_wgs84(gcj02.from_wgs84(points)) - points).max() < 1e-11


def test_other_points_do_not_matter() -> None:
    point = np.array([[104.123456, 30.654321]])
    others = np.array([[80.0, 40.0], [104.123456, 30.654321], [130.0, 47.0]])
    alone, together = gcj02.to_wgs84(point)[0], gcj02.to_wgs84(others)[1]
    assert np.abs(alone - together).max() < 1e-11


def test_coordinates_that_are_no_degrees_are_refused() -> None:
    for point in ([500000.0, 4000000.0], [np.nan, 30.0]):
        with pytest.raises(PovmonError, match="not degrees"):
            gcj02.to_wgs84(np.array([point]))
