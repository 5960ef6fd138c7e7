"""What is known before any survey: areas, counties, lines, liaison units, published figures."""

from povmon.reference.load import metadata, table
from povmon.reference.places import areas, counties, gb2260
from povmon.reference.series import (
    liaison_units,
    national_series,
    poverty_lines,
    published,
    verified_only,
)

__all__ = [
    "areas",
    "counties",
    "gb2260",
    "liaison_units",
    "metadata",
    "national_series",
    "poverty_lines",
    "published",
    "table",
    "verified_only",
]
