"""Which cells of the accepted records were imputed, and which indicators rest on them.

The audit says which cells were imputed and who could have given them (``imputed.parquet``,
``donors.parquet``). See `povmon.indicators.reimputation` for what that does to standard errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from povmon.survey import Survey

Field = tuple[str, str]  # form and column
CHILD = (("person", "age"), ("person", "in_school"))
CARE = (("person", "health"), ("person", "timely_care"))
# Column of the household frame -> the fields it is made from. An indicator is imputed in a
# household where one of these is.
MADE_FROM: dict[str, tuple[Field, ...]] = {
    "income_pc": (("household", "income_total"),),
    "consumption_pc": (("household", "consumption_total"),),
    "d_food": (("household", "consumption_food"),),
    "d_clothing": (("household", "consumption_clothing"),),
    "d_education": (*CHILD, ("person", "schooling")),
    "d_medical": (("person", "insured"), *CARE),
    "d_housing": (("household", "dangerous"),),
    "d_water": (("household", "water"), ("household", "water_difficulty")),
    "d_power": (("household", "electricity"),),
    "d_road": (),
    "water_safe": (("household", "water"),),
    "water_difficulty": (("household", "water_difficulty"),),
    "electricity": (("household", "electricity"),),
    "dwelling_area": (("household", "dwelling_area"),),
    "dangerous": (("household", "dangerous"),),
    "sanitary_toilet": (("household", "toilet"),),
    "all_insured": (("person", "insured"),),
    "in_debt": (("household", "debt"),),
    "enrolled_7_15": CHILD,
    "illiterate_15_50": (("person", "age"), ("person", "literate")),
    "cared": CARE,
    "pension_60": (("person", "age"), ("person", "pension")),
    "away_six": (("person", "months_away"),),
}
# What the groups of persons and households are made from, where it may be imputed.
GROUPED_BY: tuple[Field, ...] = (
    ("person", "sex"), ("person", "age"), ("person", "ethnicity"), ("household", "head_sex"),
)  # fmt: skip


@dataclass(eq=False)
class Imputation:
    """The imputed cells of the accepted records of some areas.

    Parameters
    ----------
    survey : for the measure of welfare.
    imputed : one row an imputed cell (area, form, key, column, group, pool).
    donors : one row a donor of a pool (area, group, pool, donor).
    households : the derived household frame.
    """

    survey: Survey
    imputed: pd.DataFrame
    donors: pd.DataFrame
    households: pd.DataFrame
    _rows: dict[Field, np.ndarray] = field(default_factory=dict)

    def flags(self, column: str) -> np.ndarray:
        """Households (n,) in which a column of the household frame rests on an imputed value."""
        name = f"{self.survey.welfare.measure}_pc" if column in ("welfare", "poor") else column
        out = np.zeros(len(self.households), dtype=bool)
        for cell in MADE_FROM.get(name, ()):
            out[self._households().get(cell, [])] = True
        return out

    def _households(self) -> dict[Field, np.ndarray]:
        """Rows of the household frame by imputed field."""
        if not self._rows and len(self.imputed):
            index = pd.Index(self.households["household_id"])
            row = index.get_indexer(household_of(self.imputed["key"]))
            known = self.imputed[["form", "column"]].assign(row=row)[row >= 0]
            for (form, column), part in known.groupby(["form", "column"]):
                self._rows[str(form), str(column)] = part["row"].to_numpy()
        return self._rows


def household_of(key: pd.Series) -> pd.Series:
    """The household of a record's key: a person's is ``household/line``."""
    return key.str.partition("/")[0]


def read(survey: Survey, households: pd.DataFrame,
         tables: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> Imputation:  # fmt: skip
    """The imputation of some areas from their tables (area -> imputed, donors)."""
    imputed = pd.concat([t.assign(area=a) for a, (t, _) in tables.items()], ignore_index=True)
    donors = pd.concat([t.assign(area=a) for a, (_, t) in tables.items()], ignore_index=True)
    return Imputation(survey, imputed, donors, households)
