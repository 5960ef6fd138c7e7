"""Slips of all of a household's amounts: undone, set aside, or left to the reviewer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.test_outliers import households, ledger, survey
from povmon.audit.ledger import Ledger
from povmon.audit.outliers import check_outliers
from povmon.audit.slips import mend_slips
from povmon.survey.config import Survey

PARTS = ("income_wages", "income_business")
ROW = 410


def mended(factor: float, row: int = ROW, decided: bool = False,
           where: Survey | None = None) -> tuple[Ledger, pd.DataFrame]:  # fmt: skip
    """The ledger after one household's income was multiplied, and the table before that."""
    table = households()
    table["income_wages"] = (0.4 * table["income_total"]).round(2)
    table["income_business"] = table["income_total"] - table["income_wages"]
    before = table.copy()
    for column in (*PARTS, "income_total"):
        table.loc[row, column] *= factor
    book = ledger(household=table)
    if decided:
        book.decided.add(("household", row, "income_total"))
    chosen = where or survey()
    mend_slips(chosen, book, check_outliers(chosen, "wumeng", book))
    return book, before


@pytest.mark.parametrize("factor", [0.1, 10.0, 0.01, 1000.0])
def test_a_slip_of_all_amounts_is_undone(factor: float) -> None:
    book, before = mended(factor)
    after = book.tables["household"]
    for column in (*PARTS, "income_total"):
        assert after.loc[ROW, column] == pytest.approx(before.loc[ROW, column], rel=1e-3)
    log = book.corrections()
    assert set(log.loc[log["rule"] == "amounts_slip", "column"]) == {*PARTS, "income_total"}
    total = after.loc[ROW, list(PARTS)].sum()
    assert total == pytest.approx(after.loc[ROW, "income_total"], abs=0.01)


def thirty_times() -> float:
    """The factor that makes the income thirty times what is expected: no slip explains it."""
    table = households()
    own = table.loc[ROW, "income_total"]
    table.loc[ROW, "income_total"] *= 1000
    outlying = check_outliers(survey(), "wumeng", ledger(household=table))
    return float(30.0 * outlying["income_total"].expected[ROW] / own)


def test_an_amount_beyond_belief_is_imputed() -> None:
    book, _ = mended(thirty_times(), where=survey(policy={"imputation": "hotdeck"}))
    assert book.tables["household"].loc[ROW, [*PARTS, "income_total"]].isna().all()
    assert "amounts_beyond" in set(book.findings()["rule"])


def test_nothing_is_made_missing_that_would_not_be_imputed() -> None:
    book, _ = mended(thirty_times(), where=survey(policy={"imputation": "none"}))
    assert book.tables["household"].loc[ROW, "income_total"] > 0


def test_what_a_reviewer_decided_stays() -> None:
    book, before = mended(0.1, decided=True)
    after = book.tables["household"]
    assert after.loc[ROW, "income_total"] == pytest.approx(0.1 * before.loc[ROW, "income_total"])


def test_clean_households_stay_as_they_are() -> None:
    book, before = mended(1.0)
    after = book.tables["household"]["income_total"]
    changed = ~np.isclose(after.to_numpy(), before["income_total"].to_numpy())
    assert changed.mean() < 0.001


def test_without_the_other_total_nothing_is_changed() -> None:
    """A household far from its neighbours may be so: only its own consumption tells a slip."""
    table = households().drop(columns="consumption_total")
    table.loc[ROW, "income_total"] *= 1000.0
    book = ledger(household=table)
    mend_slips(survey(), book, check_outliers(survey(), "wumeng", book))
    assert book.corrections().empty
