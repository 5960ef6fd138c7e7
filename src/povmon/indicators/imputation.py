"""What imputation does to the estimates: imputed shares, the move of the figure, the wider error.

The audit says which cells of the accepted records were imputed and who could have given them
(``imputed.parquet``, ``donors.parquet``). Amounts a person are imputed again in each of
`REPLICATES` bootstrap replicates, and the published standard errors of headcount, gap, severity,
poor persons and means are widened by the ratio of the errors with and without (see
`povmon.estimate.replicates.reimputed`). Where nothing is imputed, nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from povmon.estimate.replicates.reimputed import (
    HotDeck,
    Resample,
    errors,
    reimpute,
    resample,
)
from povmon.seeds import IMPUTED as SEED
from povmon.survey import Survey
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS

REPLICATES = 200
PARTS = {"income": INCOME_PARTS, "consumption": CONSUMPTION_PARTS}
CHILD = (("person", "age"), ("person", "in_school"))
CARE = (("person", "health"), ("person", "timely_care"))
# Column of the household frame -> the fields it is made from. An indicator is imputed in a
# household where one of these is.
MADE_FROM: dict[str, tuple[tuple[str, str], ...]] = {
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
# Indicator -> the amount it is made from ("" the survey's welfare measure), whether it is a total.
MONEY = {
    "headcount": ("", False), "poverty_gap": ("", False), "poverty_severity": ("", False),
    "poor_total": ("", True), "income_mean": ("income", False),
    "consumption_mean": ("consumption", False),
}  # fmt: skip
SMALL = 1e-9  # an amount this near below the line is the line, but for rounding


@dataclass(frozen=True, eq=False)
class _Amount:
    """One amount a person, imputed again: row of `again` by household, and its replicates."""

    place: dict[str, int]
    again: np.ndarray


@dataclass(eq=False)
class Imputation:
    """The imputed cells of the accepted records of some areas.

    Parameters
    ----------
    survey : for the line and the measure of welfare.
    imputed : one row an imputed cell (area, form, key, column, group, pool).
    donors : one row a donor of a pool (area, group, pool, donor).
    households : the derived household frame.
    """

    survey: Survey
    imputed: pd.DataFrame
    donors: pd.DataFrame
    households: pd.DataFrame
    _drawn: Resample | None = None
    _amounts: dict[str, _Amount | None] = field(default_factory=dict)

    def households_with(self, column: str) -> set[str]:
        """Households in which a column of the household frame rests on an imputed value."""
        name = f"{self.survey.welfare.measure}_pc" if column in ("welfare", "poor") else column
        cells = MADE_FROM.get(name, ())
        if self.imputed.empty or not cells:
            return set()
        wanted = pd.MultiIndex.from_tuples(cells)
        chosen = pd.MultiIndex.from_frame(self.imputed[["form", "column"]]).isin(wanted)
        return set(self.imputed.loc[chosen, "key"].str.split("/").str[0])

    def ratios(self, frame: pd.DataFrame, column: str, weight: str, indicator: str, line: float,
               poststrata: str | None) -> dict[str, float]:  # fmt: skip
        """Standard error with over without imputation, by domain; {} where nothing is imputed.

        Parameters
        ----------
        frame : one row a household, or a household and group, with `household_id`.
        column, weight : the domains and the weight.
        indicator : its id, without a line.
        line : the poverty line.
        poststrata : column whose sums of weights are known, or None.
        """
        amount, total = MONEY[indicator]
        name = amount or self.survey.welfare.measure
        known = self._amount(name)
        if known is None:
            return {}
        place = np.asarray(frame["household_id"].map(known.place).fillna(-1), dtype=np.int64)
        if not (place >= 0).any():
            return {}
        domain, names = pd.factorize(frame[column].astype("str").where(frame[column].notna()))
        strata = pd.factorize(frame[poststrata])[0] if poststrata else None
        found = errors(
            frame[f"{name}_pc"].to_numpy(dtype=float), known.again, place,
            frame[weight].to_numpy(dtype=float), np.asarray(domain, np.int64),
            self._replicates(frame),
            change=_change(indicator, line), poststratum=strata, total=total,
        )  # fmt: skip
        return dict(zip(map(str, names), found.ratio.tolist(), strict=True))

    def _replicates(self, frame: pd.DataFrame) -> Resample:
        """The replicates of the household frame, laid on the rows of another."""
        drawn = self._base()
        psu = pd.Series(drawn.psu, index=self.households["household_id"].to_numpy())
        if frame is self.households:
            return drawn
        return Resample(frame["household_id"].map(psu).to_numpy(dtype="int64"), drawn.factor)

    def _base(self) -> Resample:
        if self._drawn is None:
            design, rows = self.survey.design, self.households
            self._drawn = resample(
                rows[design.strata].to_numpy(dtype=str), rows[design.psu].to_numpy(dtype=str),
                REPLICATES, SEED,
            )  # fmt: skip
        return self._drawn

    def _amount(self, name: str) -> _Amount | None:
        if name not in self._amounts:
            self._amounts[name] = self._again(name)
        return self._amounts[name]

    def _again(self, name: str) -> _Amount | None:
        """Impute an amount a person again in every replicate."""
        cells = self.imputed[self.imputed["group"].eq(name)]
        totals = cells[cells["column"].eq(f"{name}_total")]
        h = self.households
        totals = totals[totals["key"].isin(h["household_id"])]
        if totals.empty:
            return None
        position = pd.Series(np.arange(len(h)), index=h["household_id"].to_numpy())
        rows = position.loc[totals["key"]].to_numpy()
        parts = [part for part in PARTS[name] if part in h and h[part].notna().any()]
        names = parts or [f"{name}_total"]
        size = h["hhsize"].to_numpy(dtype=float)
        each = h[names].to_numpy(dtype=float) / size[:, None]
        takes = _takes(cells, totals["key"], names)
        own = np.where(takes == 1.0, 0.0, each[rows]).sum(axis=1)
        pools, number = self._pools(totals, position)
        deck = HotDeck(rows, own, takes, number, pools, each)
        weight = h["w_person"].to_numpy(dtype=float) / size  # a survey without weights has no w_hh
        again = reimpute(deck, weight, self._base(), SEED)
        return _Amount(dict(zip(totals["key"], range(len(totals)), strict=True)), again)

    def _pools(self, totals: pd.DataFrame,
               position: pd.Series) -> tuple[list[np.ndarray], np.ndarray]:  # fmt: skip
        """Rows of the donors of each pool, and the pool of each imputed household.

        A donor that the weighting left out is in no frame, and gives nothing.
        """
        keys = ["area", "group", "pool"]
        number, wanted = pd.factorize(pd.MultiIndex.from_frame(totals[keys]))
        known = self.donors[self.donors["donor"].isin(position.index)]
        of = known.groupby(keys)["donor"]
        pools = [position.loc[of.get_group(pool)].to_numpy() for pool in wanted]
        return pools, number


def _takes(cells: pd.DataFrame, keys: pd.Series, names: Sequence[str]) -> np.ndarray:
    """1.0 for the components that were imputed, (R, K)."""
    table = pd.crosstab(cells["key"], cells["column"]).clip(upper=1)
    return table.reindex(index=keys, columns=list(names), fill_value=0).to_numpy(dtype=float)


def _change(indicator: str, line: float) -> Callable[[np.ndarray], np.ndarray]:
    """What is averaged: the amount itself, or its shortfall from the line to a power."""
    power = {"headcount": 0, "poor_total": 0, "poverty_gap": 1, "poverty_severity": 2}
    if indicator not in power:
        return np.asarray
    alpha = power[indicator]
    if alpha == 0:
        return lambda y: (y < line * (1 - SMALL)).astype(float)
    return lambda y: np.clip(1 - y / line, 0.0, None) ** alpha


def widen(table: pd.DataFrame, ratio: np.ndarray) -> pd.DataFrame:
    """Standard errors and what follows from them, times the ratio of each row (1: unchanged)."""
    rows = ratio > 1.0
    if not rows.any():
        return table
    out = table.copy()
    factor = ratio[rows]
    for name, power in (("se", 1), ("cv", 1), ("deff", 2)):
        out.loc[rows, name] = out.loc[rows, name] * factor**power
    for name in ("ci_low", "ci_high"):
        middle = out.loc[rows, "estimate"]
        out.loc[rows, name] = middle + (out.loc[rows, name] - middle) * factor
    return out


def read(survey: Survey, households: pd.DataFrame,
         tables: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> Imputation:  # fmt: skip
    """The imputation of some areas from their tables (area -> imputed, donors)."""
    imputed = pd.concat([t.assign(area=a) for a, (t, _) in tables.items()], ignore_index=True)
    donors = pd.concat([t.assign(area=a) for a, (_, t) in tables.items()], ignore_index=True)
    return Imputation(survey, imputed, donors, households)
