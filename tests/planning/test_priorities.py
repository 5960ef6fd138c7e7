"""Deprivations by contribution, and the counties in greatest need."""

from __future__ import annotations

import pandas as pd
import pytest

from povmon import reference
from povmon.planning.outline import load_outline
from povmon.planning.priorities import deprivation_priorities, greatest_need, leading

from .conftest import estimates, row, withheld


def test_deprivations_are_ranked_and_answered():
    frame = deprivation_priorities(load_outline(), estimates("wumeng"), "wumeng")
    assert list(frame["deprivation"][:3]) == ["water", "medical", "road"]
    assert frame["cumulative"].iloc[-1] == pytest.approx(1.0)
    assert frame["tasks"].iloc[0] == "Safe drinking water"


def test_leading_takes_the_fewest_that_reach_the_share():
    frame = deprivation_priorities(load_outline(), estimates("wumeng"), "wumeng")
    assert list(leading(frame, 0.45)["deprivation"]) == ["water", "medical"]
    assert list(leading(frame, 0.46)["deprivation"]) == ["water", "medical", "road"]


def test_no_contributions_gives_an_empty_frame():
    frame = estimates("wumeng")
    frame = frame[~frame["indicator"].str.startswith("mpi_contribution")]
    empty = deprivation_priorities(load_outline(), frame, "wumeng")
    assert empty.empty and "cumulative" in empty.columns


def test_withheld_counties_are_never_ranked():
    rows = [
        row("county", "530326", "headcount", 0.4, 0.05),
        withheld(row("county", "513431", "headcount", 0.9, 0.05)),
        row("county", "520526", "headcount", 0.7, 0.05),
    ]
    need = greatest_need(pd.DataFrame(rows), reference.counties())
    assert list(need["county_id"]) == ["520526", "530326", "513431"]
    assert need["rank"].isna().tolist() == [False, False, True]
    # 0.7 +- 0.1 and 0.4 +- 0.1 do not meet.
    assert need["overlaps_first"].tolist() == [True, False, False]
    assert need["reason"].iloc[2] == "fewer than 30 households"
