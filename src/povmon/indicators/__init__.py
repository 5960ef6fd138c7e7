"""From accepted records to the estimates table."""

from povmon.indicators.catalogue import CATALOGUE, ids_of, indicator
from povmon.indicators.compute import estimate_area, pool
from povmon.indicators.difficulty import rank_areas, rank_counties
from povmon.indicators.forms_rollup import FormsRollUp, roll_up_forms
from povmon.indicators.imputed_shares import read_imputed_shares
from povmon.indicators.indicator import Indicator
from povmon.indicators.results import AreaResults, area_results, households
from povmon.indicators.rollup import RollUp, promptness, roll_up
from povmon.indicators.store import NATION, read_estimates

__all__ = [
    "CATALOGUE",
    "NATION",
    "AreaResults",
    "FormsRollUp",
    "Indicator",
    "RollUp",
    "area_results",
    "estimate_area",
    "households",
    "ids_of",
    "indicator",
    "pool",
    "promptness",
    "rank_areas",
    "rank_counties",
    "read_estimates",
    "read_imputed_shares",
    "roll_up",
    "roll_up_forms",
]
