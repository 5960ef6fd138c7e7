"""What imputation does to the table of estimates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit import small
from povmon import paths
from povmon.audit import audit_area
from povmon.errors import PovmonError
from povmon.indicators import CATALOGUE, estimate_area, read_imputed_shares
from povmon.indicators.imputation import MADE_FROM, widen
from povmon.survey import FORMS

INCOME = ("income_wages", "income_business", "income_property", "income_transfer", "income_total")


def test_every_household_indicator_knows_the_fields_it_rests_on() -> None:
    for indicator in CATALOGUE.values():
        if indicator.frame == "household":
            known = {"welfare", "poor", *MADE_FROM} & set(indicator.needs)
            assert known, indicator.id
    for cells in MADE_FROM.values():
        assert all(field in FORMS[form].columns for form, field in cells)


def test_errors_widen_in_the_rows_asked_for_and_nowhere_else() -> None:
    table = pd.DataFrame({
        "estimate": [0.4, 0.4], "se": [0.1, 0.1], "ci_low": [0.2, 0.2], "ci_high": [0.6, 0.6],
        "cv": [0.25, 0.25], "deff": [2.0, 2.0],
    })  # fmt: skip
    out = widen(table, np.array([1.0, 1.5]))
    assert out.loc[0].equals(table.loc[0])
    assert out.loc[1].tolist() == pytest.approx([0.4, 0.15, 0.1, 0.7, 0.375, 4.5])
    assert widen(table, np.ones(2)) is table


def estimates(root: object, policy: str, refused: int) -> pd.DataFrame:
    content = small.files()
    for row in content["51"]["household"][:refused]:
        row.update(dict.fromkeys(INCOME, ""))
    small.write(root, content)  # type: ignore[arg-type]
    place = paths.raw("small") / "survey.yml"
    text = place.read_text().replace("imputation: none", f"imputation: {policy}")
    place.write_text(
        text.replace("{imputation", "{min_households: 2, min_effective: 0, min_df: 1, imputation")
    )
    audit_area("small", "wumeng")
    table = estimate_area("small", "wumeng")
    whole = table[table["domain_kind"].eq("area")].set_index("indicator")
    return whole[["estimate", "se", "n"]]


@pytest.mark.slow
def test_a_survey_in_which_nothing_is_missing_is_the_same_under_both_policies(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    none = estimates(tmp_path, "none", 0)
    pd.testing.assert_frame_equal(none, estimates(tmp_path, "hotdeck", 0))
    assert read_imputed_shares("small", "wumeng").empty


def test_refused_incomes_are_in_the_estimate_and_its_error(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    none, deck = (estimates(tmp_path, policy, 2) for policy in ("none", "hotdeck"))
    assert none.loc["income_mean", "n"] == 10 and deck.loc["income_mean", "n"] == 12
    shares = read_imputed_shares("small", "wumeng").set_index("indicator").loc["income_mean"]
    assert shares["households"] == 2 and shares["share"] == pytest.approx(1 / 6)
    assert shares["ratio"] >= 1 and shares["se"] == deck.loc["income_mean", "se"]
    assert shares["se_naive"] * shares["ratio"] == pytest.approx(shares["se"])
    assert shares["without"] == pytest.approx(none.loc["income_mean", "estimate"], rel=0.02)


def test_a_table_that_was_not_made_is_an_error(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    with pytest.raises(PovmonError, match="no table of imputed shares"):
        read_imputed_shares("small", "wumeng")
