"""Outliers among a household's amounts, with the survey's domains and relations in mind.

An amount that is large for a whole area may be ordinary for its county, and one that is ordinary
for its county may be out of the question beside what the household consumes. So every amount (its
logarithm, per person where people share it) is held against what its county, its village, the
household's size and goods and, for income and consumption, the other of the two let expect; a
residual is judged by the tails that residuals have, at a rate of false alarms that the rule
states. Income and consumption that do not fit together are one piece of evidence: the one of the
two that fits its neighbours worse is named.

The rates stand in the rules (``rate``): the share of clean households that each may flag.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.audit.robust import (
    LEAST_ROWS,
    centred,
    hidiroglou_berthelot,
    mad,
    normal_scores,
    regression,
    shrunken,
    threshold,
)
from povmon.audit.rules import catalogue
from povmon.survey.config import Survey

GOODS = ("tv", "refrigerator", "washing_machine", "mobile_phone", "motorcycle")
COUNTY_ROWS = 20  # known values of a county for a median of its own
LEAST_SCATTER = 1e-3  # of logarithms: a thousandth of the amount
RATIO_ROWS = 500  # households for the tails of ratios weighted by size
ODDS = 3.0  # for naming only one of two amounts that do not fit together


@dataclass(frozen=True)
class Amount:
    """An amount that is looked at.

    Parameters
    ----------
    rule : its entry in the catalogue, with the rate of false alarms.
    column : column of the household form; values that are not positive are left alone.
    per_person : whether it is divided by the household's members.
    beside : amounts that it is expected from, besides places, size and goods.
    """

    rule: str
    column: str
    per_person: bool = True
    beside: tuple[str, ...] = ()


AMOUNTS = (
    Amount("outlier_income", "income_total", beside=("consumption_total",)),
    Amount("outlier_consumption", "consumption_total", beside=("income_total",)),
    Amount("outlier_dwelling", "dwelling_area", beside=("consumption_total",)),
    Amount("outlier_land", "land"),
    Amount("outlier_debt", "debt", beside=("income_total",)),
)
PAIR = ("income_total", "consumption_total")


@dataclass(frozen=True)
class Judged:
    """What an amount's model says of every household (n,).

    Parameters
    ----------
    score : of the residual, on the normal scale; NaN where the amount or what it is expected
        from is unknown.
    expected : the amount expected, in its own unit.
    """

    score: pd.Series
    expected: pd.Series


@dataclass(frozen=True)
class Outlying:
    """The households whose amount is an outlier: the amount and what was expected (Series)."""

    amount: pd.Series
    expected: pd.Series


def check_outliers(survey: Survey, area: str, ledger: Ledger) -> dict[str, Outlying]:
    """Find outlying amounts of the households that are still in (after all repairs).

    Returns
    -------
    Column -> its outliers, those with a known expectation.
    """
    table = ledger.tables["household"]
    table = table[ledger.live["household"] & table["hhsize"].notna().to_numpy()]
    submitted = ledger.submitted.get("household", set())
    amounts = [a for a in AMOUNTS if a.column in submitted]
    if len(table) < LEAST_ROWS or not amounts:
        return {}
    model = _Model(survey, area, table, submitted)
    flags: dict[str, pd.Series] = {}
    for amount in amounts:
        judged = model.judge(amount)
        flags[amount.column] = judged.score.abs() > threshold(catalogue()[amount.rule].rate)
        model.judged[amount.column] = judged
    if set(PAIR) <= set(flags):
        by_income = model.judged["consumption_total"]
        _name_one(model, flags)
    for amount in amounts:
        _enter(ledger, amount, flags[amount.column], model.judged[amount.column])
    if set(PAIR) <= set(flags):
        _check_ratio(ledger, model.table, by_income.expected, flags)
    return {name: _outlying(model, name, rows) for name, rows in flags.items()}


def _outlying(model: _Model, column: str, flags: pd.Series) -> Outlying:
    expected = model.judged[column].expected
    rows = flags & expected.notna() & model.table[column].notna()
    return Outlying(model.table.loc[rows, column].astype("float64"), expected[rows])


def county_of(survey: Survey, area: str, table: pd.DataFrame) -> pd.Series:
    """County of each household or village; the area where a survey has no counties."""
    if survey.counties == "none" or "village" not in survey.forms:
        return pd.Series(area, index=table.index, dtype="str")
    return table["village_id"].str[:6]


class _Model:
    """The regressions of one area's households."""

    def __init__(self, survey: Survey, area: str, table: pd.DataFrame, submitted: set[str]) -> None:
        self.table = table
        self.county = county_of(survey, area, table)
        self.village = table["village_id"]
        self.size = table["hhsize"].astype("float64")
        self.judged: dict[str, Judged] = {}
        given = [g for g in GOODS if g in submitted]
        goods = table[given].astype("float64").sum(axis=1) if given else 0.0 * self.size
        self.always = [np.log(self.size), np.log1p(goods)]
        self._centred: dict[str, tuple[pd.Series, pd.Series]] = {}

    def judge(self, amount: Amount) -> Judged:
        """Score and expected value: with the amounts beside it, and without where one is
        missing."""
        plain = self.plain(amount)
        if not amount.beside:
            return plain
        full = self._fit(amount, amount.beside)
        known = full.score.notna()
        return Judged(
            full.score.where(known, plain.score), full.expected.where(known, plain.expected)
        )

    def plain(self, amount: Amount) -> Judged:
        """The same from places, size and goods alone."""
        return self._fit(amount, ())

    def _fit(self, amount: Amount, beside: tuple[str, ...]) -> Judged:
        y, middle = self._log(amount.column, amount.per_person)
        others = [self._log(name, True)[0] for name in beside if name in self.table]
        ones = np.ones(len(y))
        x = np.column_stack([ones, *(np.asarray(v) for v in (*self.always, *others))])
        fitted = pd.Series(x @ regression(y.to_numpy(), x), index=y.index)
        residual = y - fitted
        place = shrunken(residual, self.village)
        rest = (residual - place).to_numpy(dtype=np.float64)
        # Amounts that follow from the rest to the last digit have no scatter to be judged by.
        exact = not mad(rest) > LEAST_SCATTER
        score = np.full(len(y), np.nan) if exact else normal_scores(rest)
        each = pd.Series(np.exp(fitted + place + middle), index=y.index)
        expected = each * self.size if amount.per_person else each
        return Judged(pd.Series(score, index=y.index), expected)

    def _log(self, column: str, per_person: bool) -> tuple[pd.Series, pd.Series]:
        """Logarithm of an amount less its county's median, and the median."""
        if column not in self._centred:
            values = self.table[column].astype("float64")
            values = values / self.size if per_person else values
            logs = pd.Series(np.log(values.where(values > 0)), index=self.table.index)
            self._centred[column] = centred(logs, self.county, COUNTY_ROWS)
        return self._centred[column]


def _name_one(model: _Model, flags: dict[str, pd.Series]) -> None:
    """Of income and consumption that do not fit together, name the one to blame.

    If one of the two is wrong, the other is a draw from what its neighbours have: the likelihood
    of blaming income is that of the consumption without the income, and the other way round. The
    likelier is named, with what is expected beside the other; both are where the odds are less
    than `ODDS`, or where each stands far out on its own.
    """
    pair = [a for a in AMOUNTS if a.column in PAIR]
    alone = [model.plain(a) for a in pair]
    apart = flags[PAIR[0]] | flags[PAIR[1]]
    squares = [judged.score.fillna(0.0) ** 2 / 2 for judged in alone]
    for amount, judged, mine, other in zip(pair, alone, squares, reversed(squares), strict=True):
        name = amount.column
        far = judged.score.abs() > threshold(catalogue()[amount.rule].rate)
        flags[name] = apart & (model.table[name] > 0) & ((mine > other - np.log(ODDS)) | far)
        # Beside an amount that is itself in doubt nothing can be expected.
        doubtful = apart & (mine < other)
        full = model.judged[name]
        model.judged[name] = Judged(full.score, full.expected.where(~doubtful, judged.expected))


def _enter(ledger: Ledger, amount: Amount, flags: pd.Series, judged: Judged) -> None:
    rows = flags[flags].index
    if not len(rows):
        return
    table = ledger.tables["household"]
    mask = np.zeros(len(table), dtype=bool)
    mask[rows] = True
    expected = judged.expected[rows]
    detail = expected.map(lambda v: f"{v:,.0f}").astype("str")
    ledger.find(amount.rule, "household", mask, amount.column, detail=detail, expected=expected)


def _check_ratio(
    ledger: Ledger, table: pd.DataFrame, expected: pd.Series, flags: dict[str, pd.Series]
) -> None:
    """Consumption against what income lets expect, by Hidiroglou and Berthelot: a ratio counts
    for more where the amounts are large, as it does in a mean."""
    consumption = table["consumption_total"].astype("float64")
    if int((expected.notna() & (consumption > 0)).sum()) < RATIO_ROWS:
        return
    rule = catalogue()["outlier_ratio"]
    _, far = hidiroglou_berthelot(expected, consumption, rate=rule.rate)
    # One decision a household: what is flagged already is not flagged again.
    far &= ~(flags[PAIR[0]] | flags[PAIR[1]]).to_numpy()
    chosen = table.index[far]
    mask = np.zeros(len(ledger.tables["household"]), dtype=bool)
    mask[chosen] = True
    ratio = (consumption / expected)[chosen]
    detail = ratio.map("{:.3g}".format).astype("str")
    ledger.find("outlier_ratio", "household", mask, "consumption_total", detail=detail,
                expected=expected[chosen])  # fmt: skip
