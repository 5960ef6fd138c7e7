"""All amounts of one household off together: slips by a factor, and amounts beyond belief.

When everything that a household earns is written in another unit, or with a digit too many or too
few, its parts still add up: only what the household consumes and what its neighbours have tell
(systematic errors: de Waal, Pannekoek and Scholtus 2011, section 2.3). Where income or consumption
is an outlier and one power of ten brings it near to what was expected, the slip is undone. Where
none does and the amount lies far beyond what any household is expected to have, the amounts are
made missing and imputed like those that were not answered. What is less than fourfold off stays
as it is, for the reviewer to decide.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.audit.amounts import AGGREGATES
from povmon.audit.ledger import Ledger
from povmon.audit.outliers import Outlying
from povmon.survey.config import Survey

POWERS = np.log([10.0, 100.0, 1_000.0, 10_000.0])
NEAR = np.log(2.0)  # a slip explains an amount when undoing it comes this near to the expected
LEAST = np.log(4.0)  # an amount less far off is the reviewer's business
BEYOND = np.log(6.0)  # further off than this, and no slip: nothing of it can be used


def mend_slips(survey: Survey, ledger: Ledger, outlying: dict[str, Outlying]) -> None:
    """Undo slips in the outlying incomes and consumptions; make missing what none explains.

    Parameters
    ----------
    survey : its ``policy.imputation`` says whether a missing amount is imputed; where it is not,
        nothing is made missing.
    outlying : total -> the households whose total is an outlier, with what was expected.
    """
    table = ledger.tables["household"]
    if not set(AGGREGATES) <= ledger.submitted["household"] & set(outlying):
        return
    distance = {total: _distance(outlying[total]) for total in AGGREGATES}
    for total, other in zip(AGGREGATES, reversed(AGGREGATES), strict=True):
        # Both must be known: a household far from its neighbours in one of them may be so. Of two
        # that do not fit together, the one further off is changed.
        mine = distance[total][(table[other] > 0).reindex(distance[total].index)]
        further = distance[other].reindex(mine.index).abs().fillna(0.0)
        _mend(survey, ledger, total, mine[(mine.abs() > further) & (mine.abs() > LEAST)])


def _distance(found: Outlying) -> pd.Series:
    """Logarithm of each amount over the one expected."""
    return pd.Series(np.log(found.amount / found.expected), index=found.amount.index)


def _mend(survey: Survey, ledger: Ledger, total: str, distance: pd.Series) -> None:
    columns = [c for c in (*AGGREGATES[total], total) if c in ledger.submitted["household"]]
    decided = {row for form, row, c in ledger.decided if form == "household" and c in columns}
    distance = distance[~distance.index.isin(decided)]
    apart = np.abs(distance.abs().to_numpy()[:, None] - POWERS)
    nearest = apart.argmin(axis=1)
    explained = apart.min(axis=1, initial=np.inf) <= NEAR
    power = 10.0 ** (nearest + 1.0)
    factor = np.where(distance.to_numpy() < 0, power, 1 / power)
    _convert(ledger, total, columns, pd.Series(factor[explained], distance.index[explained]))
    far = (distance.abs() > BEYOND).to_numpy() & ~explained
    if survey.policy.imputation != "none":
        _set_aside(ledger, total, columns, distance.index[far])


def _convert(ledger: Ledger, total: str, columns: list[str], factor: pd.Series) -> None:
    """Amounts times the factor of each row; the total is again the sum of its parts."""
    table = ledger.tables["household"]
    rows = table.index.isin(factor.index)
    words = ("times " + factor.map("{:g}".format).astype("str")).reindex(table.index)
    ledger.find("amounts_slip", "household", rows, total, detail=words)
    parts = [c for c in columns if c != total]
    for column in columns:
        given = rows & table[column].notna().to_numpy()
        after = (table[column] * factor.reindex(table.index)).round(2)
        if column == total and parts:
            added = table[parts].sum(axis=1, skipna=False)
            after = after.where(added.isna(), added)
        ledger.correct("amounts_slip", "household", given, column, after, words)


def _set_aside(ledger: Ledger, total: str, columns: list[str], index: pd.Index) -> None:
    table = ledger.tables["household"]
    rows = table.index.isin(index)
    ledger.find("amounts_beyond", "household", rows, total)
    for column in columns:
        given = rows & table[column].notna().to_numpy()
        ledger.correct("amounts_beyond", "household", given, column, None, "made missing")
