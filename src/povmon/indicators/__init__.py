"""From accepted records to the estimates table."""

from povmon.indicators.catalogue import CATALOGUE, Indicator, indicator
from povmon.indicators.compute import estimate_area, pool
from povmon.indicators.store import read_estimates

__all__ = ["CATALOGUE", "Indicator", "estimate_area", "indicator", "pool", "read_estimates"]
