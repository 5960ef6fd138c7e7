"""Poverty statistics on survey designs: every estimate with its standard error."""

from povmon.estimate.design import Design
from povmon.estimate.distribution import lorenz, palma, quantile, quantile_share, s80s20
from povmon.estimate.inequality import atkinson, gei, gini
from povmon.estimate.measures import mean, proportion, ratio, total
from povmon.estimate.multidimensional import multidimensional
from povmon.estimate.poverty import fgt, income_gap_ratio, sen, sst, watts
from povmon.estimate.table import estimate, interval

__all__ = [
    "Design",
    "atkinson",
    "estimate",
    "fgt",
    "gei",
    "gini",
    "income_gap_ratio",
    "interval",
    "lorenz",
    "mean",
    "multidimensional",
    "palma",
    "proportion",
    "quantile",
    "quantile_share",
    "ratio",
    "s80s20",
    "sen",
    "sst",
    "total",
    "watts",
]
