"""Poverty statistics on survey designs: every estimate with its standard error."""

from povmon.estimate.design import Design
from povmon.estimate.distribution import lorenz, palma, quantile, quantile_share, s80s20
from povmon.estimate.inequality import atkinson, gei, gini
from povmon.estimate.joint import Joint, joint
from povmon.estimate.measures import mean, proportion, ratio, total
from povmon.estimate.multidimensional import multidimensional
from povmon.estimate.poverty import fgt, income_gap_ratio, sen, sst, watts
from povmon.estimate.relative import relative_line
from povmon.estimate.table import estimate, interval

__all__ = [
    "Design",
    "Joint",
    "atkinson",
    "estimate",
    "fgt",
    "gei",
    "gini",
    "income_gap_ratio",
    "interval",
    "joint",
    "lorenz",
    "mean",
    "multidimensional",
    "palma",
    "proportion",
    "quantile",
    "quantile_share",
    "ratio",
    "relative_line",
    "s80s20",
    "sen",
    "sst",
    "total",
    "watts",
]
