"""Boundaries: all counties, in their place, with borders that neighbours share."""

import numpy as np
import pytest
import shapely
from pyproj import Geod
from shapely.geometry import Point, box

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.reference import boundaries

LEVELS = list(boundaries.TOLERANCES)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, boundaries.Boundaries]:
    """Both levels; made in a temporary root unless the checkout has them already."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(tmp_path_factory.mktemp("root")))
        return {level: boundaries.load(level) for level in LEVELS}


@pytest.mark.parametrize("level", LEVELS)
def test_679_polygons_serve_680_counties(
    made: dict[str, boundaries.Boundaries], level: str
) -> None:
    polygons = made[level].counties
    assert len(polygons) == 679
    served = [c for ids in polygons["county_ids"] for c in ids]
    assert sorted(served) == sorted(reference.counties()["county_id"])
    shared = polygons[polygons["county_ids"].str.len() > 1]
    assert shared["county_ids"].to_list() == [("6328X1", "6328X2")]
    assert polygons["geometry"].notna().all()


@pytest.mark.parametrize("level", LEVELS)
def test_neighbours_share_their_borders(made: dict[str, boundaries.Boundaries], level: str) -> None:
    shapes = made[level].counties["geometry"].to_numpy()
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)
    # Neither gaps nor overlaps: parts and whole have the same area.
    whole = shapely.union_all(shapes)
    assert shapely.area(shapes).sum() == pytest.approx(whole.area, rel=1e-9)
    for area, outline in made[level].areas.items():
        inside = shapes[(made[level].counties["area_id"] == area).to_numpy()]
        assert shapely.area(inside).sum() == pytest.approx(outline.area, rel=1e-9), area


def test_simplification_keeps_size_and_place(made: dict[str, boundaries.Boundaries]) -> None:
    coarse = made["national"].counties["geometry"].to_numpy()
    fine = made["sheet"].counties["geometry"].to_numpy()
    assert np.abs(shapely.area(coarse) / shapely.area(fine) - 1).max() < 0.06
    moved = shapely.distance(shapely.centroid(coarse), shapely.centroid(fine))
    assert moved.max() < boundaries.TOLERANCES["national"]
    assert shapely.get_num_coordinates(coarse).sum() < shapely.get_num_coordinates(fine).sum() / 2


def test_counties_lie_where_they_should(made: dict[str, boundaries.Boundaries]) -> None:
    # Seats of government, WGS84 longitude and latitude.
    towns = {
        "513431": (102.84, 28.01),  # Zhaojue
        "520526": (104.28, 26.86),  # Weining
        "542421": (92.05, 31.48),  # Nagqu
        "653101": (75.99, 39.47),  # Kashgar
        "411525": (115.68, 32.17),  # Gushi
    }
    polygons = made["sheet"].counties.explode("county_ids").set_index("county_ids")["geometry"]
    for county, lonlat in towns.items():
        town = Point(*boundaries.project(np.array([lonlat]))[0])
        assert polygons[county].contains(town), county


def test_provinces_and_areas_agree_with_counties(
    made: dict[str, boundaries.Boundaries],
) -> None:
    for level in LEVELS:
        found = made[level]
        assert set(found.areas) == set(reference.areas()["area_id"])
        assert len(found.provinces) == 34
        parts = sum(p.area for p in found.provinces.values())
        assert parts == pytest.approx(found.country.area, rel=1e-9)
        assert found.provinces["54"].area == pytest.approx(found.areas["tibet"].area, rel=1e-9)
    assert found.maritime.geom_type == "MultiLineString"


def test_projection_keeps_areas() -> None:
    cell = shapely.segmentize(box(100, 26, 104, 30), 0.01)
    flat = shapely.transform(cell, boundaries.project)
    true, _ = Geod(ellps="WGS84").geometry_area_perimeter(cell)
    assert flat.area == pytest.approx(abs(true), rel=1e-6)


def test_a_bad_coverage_is_refused() -> None:
    overlapping = np.array([box(0, 0, 2, 2), box(1, 0, 3, 2)])
    with pytest.raises(PovmonError, match="share a border"):
        boundaries.check_coverage(overlapping)
    bow = np.array([shapely.from_wkt("POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))")])
    with pytest.raises(PovmonError, match="invalid"):
        boundaries.check_coverage(bow)


def test_unknown_level_and_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PovmonError, match="national, sheet"):
        boundaries.load("world")
    monkeypatch.setattr(boundaries, "PACKAGE", "no-such-package")
    with pytest.raises(PovmonError, match="no-such-package is not installed"):
        boundaries.version()


def test_cache_is_never_in_the_repository() -> None:
    ignored = (paths.project() / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert "data/processed/" in ignored
