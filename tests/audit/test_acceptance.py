"""Acceptance: counts, intervals and verdicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from audit import small
from povmon.audit import Audit, acceptance_of
from povmon.audit.acceptance import ALL_FORMS, NOTHING, _judge, _whole, clopper_pearson
from povmon.survey.config import Acceptance

LIMITS = Acceptance()


def row(low: float, high: float, records: int = 1000, with_hard: int = 9) -> dict[str, Any]:
    return {"weighted_low": low, "weighted_high": high, "records": records, "with_hard": with_hard}


@pytest.mark.parametrize(
    ("rates", "verdict"),
    [
        (row(0.001, 0.05), "accept"),
        (row(0.001, 0.051), "accept with corrections"),
        (row(0.06, 0.15), "accept with corrections"),
        (row(0.06, 0.16), "cannot tell"),
        (row(0.14, 0.30), "cannot tell"),
        (row(0.151, 0.30), "return"),
        (row(0.0, 0.09, with_hard=0), "accept"),
        (row(0.0, 0.16, with_hard=0), "cannot tell"),
        (row(0.0, 0.09, records=29, with_hard=0), "cannot tell"),
        (row(0.2, 0.9, records=5), "return"),
    ],
)
def test_the_interval_is_held_against_the_limits(rates: dict[str, Any], verdict: str) -> None:
    found, reason = _judge(rates, LIMITS)
    assert found == verdict and reason


def forms(*rows: tuple[str, int, int, str]) -> pd.DataFrame:
    names = ["form", "records", "with_hard", "verdict"]
    table = pd.DataFrame(list(rows), columns=names)
    return table.assign(with_soft=0, reason="because")


@pytest.mark.parametrize(
    ("rates", "files", "verdict"),
    [
        (forms(("county", 3, 0, "cannot tell"), ("household", 80, 1, "accept")), 0, "accept"),
        (forms(("county", 3, 1, "cannot tell"), ("household", 80, 1, "accept")), 0,
         "accept with corrections"),
        (forms(("household", 80, 1, "accept")), 1, "accept with corrections"),
        (forms(("county", 3, 3, "return"), ("household", 80, 1, "accept")), 0, "return"),
        (forms(("household", 80, 9, "cannot tell"), ("person", 300, 1, "accept")), 0,
         "cannot tell"),
        (forms(("county", 3, 0, "cannot tell")), 0, "cannot tell"),
        (forms(), 0, NOTHING),
    ],
)  # fmt: skip
def test_the_worst_form_with_a_vote_decides(rates: pd.DataFrame, files: int, verdict: str) -> None:
    assert _whole("51", rates, files, LIMITS)["verdict"] == verdict


def test_clopper_pearson_against_published_limits() -> None:
    # 0, 1 and 10 of 10: Clopper and Pearson (1934), as in every table of them.
    low, high = clopper_pearson([0, 1, 10], [10, 10, 10], 0.95)
    assert low == pytest.approx([0.0, 0.002529, 0.691503], abs=1e-6)
    assert high == pytest.approx([0.308497, 0.445016, 1.0], abs=1e-6)


def test_limits_must_be_in_order() -> None:
    with pytest.raises(ValidationError, match="must not be larger"):
        Acceptance(accept_up_to=0.2, return_above=0.1)


def table(audit: Audit) -> pd.DataFrame:
    return audit.acceptance.set_index(["province_id", "form"])


def test_every_record_with_a_hard_finding_counts_once(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        first = content["51"]["household"][0]
        first["income_total"], first["water"], first["dwelling_area"] = 1, "lava", -3
        content["51"]["household"].append(dict(content["51"]["household"][3]))

    rates = table(audited(spoil))
    own = rates.loc[("51", "household")]
    assert (own["records"], own["with_hard"]) == (7, 2)
    assert own["rate"] == pytest.approx(2 / 7)
    assert own["rate_low"] < own["rate"] < own["rate_high"]
    assert own["weighted_low"] < own["weighted"] < own["weighted_high"]
    assert rates.loc[("52", "household"), "with_hard"] == 0
    whole = rates.loc[("51", ALL_FORMS)]
    assert whole["records"] == 7 + 18 + 2 + 1


def test_a_submission_full_of_errors_is_returned(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        for person in content["52"]["person"]:
            person["sex"] = "?"

    rates = table(audited(spoil))
    assert rates.loc[("52", ALL_FORMS), "verdict"] == "return"
    assert "person form" in rates.loc[("52", ALL_FORMS), "reason"]
    assert rates.loc[("51", ALL_FORMS), "verdict"] != "return"


def test_clean_small_submissions_cannot_be_judged_but_are_not_returned(
    audited: Callable[..., Audit],
) -> None:
    rates = table(audited())
    assert (rates["with_hard"] == 0).all()
    assert set(rates["verdict"]) == {"cannot tell"}
    assert not rates.drop(index=ALL_FORMS, level="form")["weighted_high"].isna().any()


def test_a_province_that_sent_nothing_is_named(audited: Callable[..., Audit]) -> None:
    rates = table(audited(lambda content: content.pop("52")))
    assert rates.loc[("52", ALL_FORMS), "verdict"] == NOTHING


def test_weights_count(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        homes = content["51"]["household"]
        for home in homes[:3]:
            home["w_hh"] = 1000
        homes[0]["dwelling_area"] = -1

    own = table(audited(spoil)).loc[("51", "household")]
    assert own["weighted"] == pytest.approx(1000 / (3000 + 3 * 500 / 3))


def test_records_that_belong_nowhere_are_counted(audited: Callable[..., Audit]) -> None:
    def spoil(content: small.Files) -> None:
        content["51"]["person"].append({**small.persons("5134310199", 0)[0]})
        content["51"]["household"][0]["village_id"] = ""

    rates = table(audited(spoil))
    assert rates.loc[("51", "person"), "with_hard"] >= 1
    assert np.isfinite(rates.loc[("51", "person"), "weighted"])


def test_all_areas_together(audited: Callable[..., Audit]) -> None:
    audit = audited()
    both = acceptance_of("small")
    assert set(both["area"]) == {"wumeng"} and len(both) == len(audit.acceptance)
