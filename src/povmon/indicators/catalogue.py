"""Every published indicator, defined once."""

from __future__ import annotations

import pandas as pd

from povmon.errors import unknown_name
from povmon.indicators.county_form import COUNTY
from povmon.indicators.indicator import Indicator
from povmon.indicators.poverty import MONEY, multidimensional_indicators
from povmon.indicators.services import ACCESS, VILLAGE

CATALOGUE: dict[str, Indicator] = {
    i.id: i for i in (*MONEY, *ACCESS, *VILLAGE, *multidimensional_indicators(), *COUNTY)
}


def indicator(id_: str) -> Indicator:
    """The indicator of an estimates row; ``headcount@food`` is ``headcount`` at the line food."""
    base = id_.split("@")[0]
    if base not in CATALOGUE:
        raise unknown_name("indicator", base, CATALOGUE)
    return CATALOGUE[base]


def catalogue_table() -> pd.DataFrame:
    """All indicators, one row each: the codebook of the estimates table."""
    columns = ("id", "group", "en", "zh", "unit", "population", "definition")
    return pd.DataFrame([{c: getattr(i, c) for c in columns} for i in CATALOGUE.values()])


def ids_of(group: str, estimates: pd.DataFrame) -> list[str]:
    """Indicator ids of a group (``money``, ``access`` ...) that a table of estimates has."""
    present = dict.fromkeys(estimates["indicator"])
    return [name for name in present if indicator(name).group == group]
