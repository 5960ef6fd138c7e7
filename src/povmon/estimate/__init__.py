"""Poverty statistics on survey designs: every estimate with its standard error."""

from povmon.estimate.calibration.calibrate import calibrate, poststratify, rake
from povmon.estimate.comparison.compare import contrast, difference, differences, relative_change
from povmon.estimate.comparison.dominance import dominance
from povmon.estimate.comparison.joint import Joint, joint
from povmon.estimate.comparison.ranking import ranks, worst
from povmon.estimate.core.intervals import interval
from povmon.estimate.core.prepared import prepare
from povmon.estimate.curves.curves import (
    concentration_curve,
    generalised_lorenz_curve,
    lorenz_curve,
    tip_curve,
)
from povmon.estimate.curves.growth import growth_incidence_curve, pro_poor_growth
from povmon.estimate.decomposition.decompose import growth_redistribution, sectoral_change, shapley
from povmon.estimate.decomposition.sources import gini_by_source
from povmon.estimate.decomposition.subgroups import (
    entropy_by_group,
    gini_by_group,
    multidimensional_by_group,
    poverty_by_group,
)
from povmon.estimate.design import Design
from povmon.estimate.measures.concentration import concentration_index
from povmon.estimate.measures.distribution import lorenz, palma, quantile, quantile_share, s80s20
from povmon.estimate.measures.gap_components import fgt_components
from povmon.estimate.measures.inequality import atkinson, gei, gini
from povmon.estimate.measures.multidimensional import multidimensional
from povmon.estimate.measures.plain import mean, proportion, ratio, total
from povmon.estimate.measures.poverty import fgt, income_gap_ratio, sen, sst, watts
from povmon.estimate.measures.regression import regression
from povmon.estimate.measures.relative import relative_line
from povmon.estimate.replicates.bootstrap_t import bootstrap_t
from povmon.estimate.replicates.replicate import BRR, Bootstrap, Jackknife, draws
from povmon.estimate.scale.sorted_file import read_sorted, write_sorted
from povmon.estimate.show.plot import plot
from povmon.estimate.show.table import Table
from povmon.estimate.table import estimate

__all__ = [
    "BRR",
    "Bootstrap",
    "Design",
    "Jackknife",
    "Joint",
    "Table",
    "atkinson",
    "bootstrap_t",
    "calibrate",
    "concentration_curve",
    "concentration_index",
    "contrast",
    "difference",
    "differences",
    "dominance",
    "draws",
    "entropy_by_group",
    "estimate",
    "fgt",
    "fgt_components",
    "gei",
    "generalised_lorenz_curve",
    "gini",
    "gini_by_group",
    "gini_by_source",
    "growth_redistribution",
    "growth_incidence_curve",
    "income_gap_ratio",
    "interval",
    "joint",
    "lorenz",
    "lorenz_curve",
    "mean",
    "multidimensional",
    "multidimensional_by_group",
    "palma",
    "plot",
    "poststratify",
    "poverty_by_group",
    "prepare",
    "pro_poor_growth",
    "proportion",
    "quantile",
    "quantile_share",
    "rake",
    "ranks",
    "ratio",
    "relative_change",
    "read_sorted",
    "regression",
    "relative_line",
    "s80s20",
    "sectoral_change",
    "sen",
    "shapley",
    "sst",
    "tip_curve",
    "total",
    "watts",
    "worst",
    "write_sorted",
]
