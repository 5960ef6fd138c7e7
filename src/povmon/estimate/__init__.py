"""Poverty statistics on survey designs: every estimate with its standard error."""

from povmon.estimate.design import Design
from povmon.estimate.inequality import gini
from povmon.estimate.measures import fgt, mean, proportion, ratio, total
from povmon.estimate.multidimensional import multidimensional
from povmon.estimate.table import estimate, interval

__all__ = [
    "Design",
    "estimate",
    "fgt",
    "gini",
    "interval",
    "mean",
    "multidimensional",
    "proportion",
    "ratio",
    "total",
]
