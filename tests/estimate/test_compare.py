"""Differences, contrasts and relative changes of estimates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from povmon.errors import PovmonError
from povmon.estimate import Design, fgt
from povmon.estimate.comparison.compare import contrast, difference, differences, relative_change
from povmon.estimate.comparison.inference import holm_adjusted
from povmon.estimate.comparison.joint import Joint, joint

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
LABELS = pd.DataFrame(
    {
        "survey": np.repeat(["2010", "2015"], 4),
        "area": ["wumeng", "wumeng", "dabie", "dabie"] * 2,
        "measure": ["headcount", "gap"] * 4,
    }
)


def made(seed: int = 1, *, overlap: bool = True) -> Joint:
    """Eight estimates of two surveys; without overlap the surveys are independent."""
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(8, 8)) * 0.01
    covariance = root @ root.T
    if not overlap:
        covariance[:4, 4:] = covariance[4:, :4] = 0.0
    return Joint(LABELS, rng.uniform(0.1, 0.6, 8), covariance, np.array([10] * 4 + [30] * 4))


def small(estimate: list[float], covariance: np.ndarray, df: list[int], **more: object) -> Joint:
    labels = pd.DataFrame({"area": list("abcdefgh")[: len(estimate)], "measure": "m"})
    return Joint(labels, np.array(estimate), covariance, np.array(df), **more)  # type: ignore


def test_a_difference_by_hand() -> None:
    two = small([0.5, 0.2], np.array([[0.0025, 0.0008], [0.0008, 0.0016]]), [12, 20])
    row = difference(two, {"area": "a"}, {"area": "b"}).iloc[0]
    assert row["estimate"] == pytest.approx(0.3)
    assert row["se"] == pytest.approx(0.05)  # 0.0025 + 0.0016 - 2 0.0008
    assert row["df"] == 20  # correlated: the larger
    assert row["ci_low"] == pytest.approx(0.3 - stats.t.ppf(0.975, 20) * 0.05)
    assert row["p"] == pytest.approx(2 * stats.t.sf(6.0, 20))
    assert (row["area_a"], row["area_b"], row["measure"], row["note"]) == ("a", "b", "m", "")


DESIGNS = {
    "synth_wr": Design("county", "village", "w_person"),
    "synth_fpc1": Design("county", "village", "w_person", fpc=("stage1_fpc", None)),
    "synth_fpc2": Design("county", "village", "w_person", fpc=("stage1_fpc", "stage2_fpc")),
}


@pytest.mark.parametrize("stages", DESIGNS)
def test_oracle(stages: str) -> None:
    want = json.loads((ORACLES / "estimates.json").read_text())[stages]["contrast_minority_poor"]
    frame = pd.read_csv(ORACLES / "survey.csv")
    both = joint(frame, DESIGNS[stages], fgt("income_pc", 2300, 0), by="minority")
    got = difference(both, {"minority": 1}, {"minority": 0}).iloc[0]
    np.testing.assert_allclose([got["estimate"], got["se"]], [want["est"], want["se"]], rtol=1e-9)
    again = contrast(both, [({"minority": 1}, 1), ({"minority": 0}, -1)]).iloc[0]
    np.testing.assert_allclose([again["estimate"], again["se"]], [want["est"], want["se"]], 1e-9)


def test_the_same_households_twice_are_one_survey_with_two_incomes() -> None:
    frame = pd.read_csv(ORACLES / "survey.csv")
    frame["later"] = frame["income_pc"] * np.where(frame.index % 3 == 0, 1.3, 0.95)
    design = Design("county", "village", "w_person")
    wide = joint(
        frame,
        design,
        [fgt("later", 2300, 1, name="later"), fgt("income_pc", 2300, 1, name="now")],
        by="area",
    )
    want = difference(wide, {"measure": "later"}, {"measure": "now"})
    both = {"now": frame, "later": frame.assign(income_pc=frame["later"])}
    long = joint(both, design, fgt("income_pc", 2300, 1), by="area")
    got = difference(long, {"survey": "later"}, {"survey": "now"})
    for name in ("estimate", "se", "ci_low", "df", "p"):
        np.testing.assert_allclose(got[name], want[name], rtol=1e-9, err_msg=name)
    # Visits to other villages would tell far less.
    apart = {"now": frame, "later": both["later"].assign(county=frame["county"] + 10_000)}
    other = joint(apart, design, fgt("income_pc", 2300, 1), by="area")
    alone = difference(other, {"survey": "later"}, {"survey": "now"})
    assert (alone["se"] > 3 * got["se"]).all() and (alone["df"] == 2 * got["df"]).all()


@given(st.integers(0, 2**31))
def test_antisymmetry_and_self(seed: int) -> None:
    some = made(seed)
    later, earlier = {"survey": "2015"}, {"survey": "2010"}
    one, other = difference(some, later, earlier), difference(some, earlier, later)
    assert len(one) == 4
    np.testing.assert_array_equal(one["estimate"], -other["estimate"])
    np.testing.assert_array_equal(one["ci_low"], -other["ci_high"])
    for name in ("se", "p", "df"):
        np.testing.assert_array_equal(one[name], other[name])
    none = difference(some, later, later)
    assert none[["estimate", "se", "ci_low", "ci_high"]].eq(0).all(axis=None)
    assert (none["p"] == 1).all()


@given(st.integers(0, 2**31))
def test_contrast_agrees_with_difference(seed: int) -> None:
    some = made(seed)
    want = difference(some, {"area": "wumeng"}, {"area": "dabie"})
    got = contrast(some, [({"area": "wumeng"}, 1.0), ({"area": "dabie"}, -1.0)])
    for name in ("estimate", "se", "ci_low", "ci_high", "df", "p"):
        np.testing.assert_allclose(got[name], want[name], rtol=1e-9, err_msg=name)
    assert got[["survey", "measure"]].equals(want[["survey", "measure"]])


def test_contrast_by_array_is_the_quadratic_form() -> None:
    some = made()
    coefficients = np.random.default_rng(3).normal(size=(5, 8))
    got = contrast(some, coefficients)
    np.testing.assert_allclose(got["estimate"], coefficients @ some.estimate)
    want = np.sqrt(np.diag(coefficients @ some.covariance @ coefficients.T))
    np.testing.assert_allclose(got["se"], want)
    one = contrast(some, coefficients[2]).iloc[0]
    assert one["se"] == got["se"].iloc[2]


def test_shared_labels_stay_and_rows_missing_on_one_side_are_shown() -> None:
    some = made()
    kept = np.arange(7)
    less = Joint(LABELS.iloc[kept], some.estimate[kept], some.covariance[:7, :7], some.df[kept])
    table = difference(less, {"survey": "2015"}, {"survey": "2010"})
    assert list(table.columns[:4]) == ["area", "measure", "survey_a", "survey_b"]
    assert len(table) == 4
    last = table[(table["area"] == "dabie") & (table["measure"] == "gap")].iloc[0]
    assert last["note"] == "an estimate is missing"
    assert pd.isna(last["estimate"]) and pd.isna(last["survey_a"]) and last["survey_b"] == "2010"
    assert (table["note"] == "").sum() == 3


def test_degrees_of_freedom() -> None:
    alone = made(overlap=False)
    later, earlier = {"survey": "2015"}, {"survey": "2010"}
    assert (difference(alone, later, earlier)["df"] == 40).all()
    assert (difference(made(), later, earlier)["df"] == 30).all()
    got = difference(alone, later, earlier, df="satterthwaite").iloc[0]
    v1, v2 = alone.covariance[4, 4], alone.covariance[0, 0]
    assert got["df"] == pytest.approx((v1 + v2) ** 2 / (v1**2 / 30 + v2**2 / 10))
    # In a contrast the two of a survey stay together.
    four = [({"survey": "2015", "area": "wumeng"}, 1), ({"survey": "2015", "area": "dabie"}, -1)]
    four += [({"survey": "2010", "area": "wumeng"}, -1), ({"survey": "2010", "area": "dabie"}, 1)]
    assert (contrast(alone, four)["df"] == 40).all()
    c = np.array([1.0, -1.0])
    parts = [c @ alone.covariance[np.ix_(i, i)] @ c for i in ([4, 6], [0, 2])]
    want = sum(parts) ** 2 / (parts[0] ** 2 / 30 + parts[1] ** 2 / 10)
    assert contrast(alone, four, df="satterthwaite")["df"].iloc[0] == pytest.approx(want)
    with pytest.raises(PovmonError, match="satterthwaite"):
        difference(alone, later, earlier, df="welch")  # type: ignore


def test_independence_among_replicates_allows_for_their_noise() -> None:
    rng = np.random.default_rng(5)
    draws = rng.normal(size=(1000, 2)) * 0.02
    noisy = small([0.3, 0.4], np.cov(draws.T), [10, 15], replicates=draws + [0.3, 0.4])
    assert difference(noisy, {"area": "a"}, {"area": "b"})["df"].iloc[0] == 25
    draws[:, 1] += draws[:, 0]
    linked = small([0.3, 0.4], np.cov(draws.T), [10, 15], replicates=draws + [0.3, 0.4])
    assert difference(linked, {"area": "a"}, {"area": "b"})["df"].iloc[0] == 15


def test_all_pairs_against_one_and_listed_pairs() -> None:
    three = small([0.2, 0.3, 0.5], np.eye(3) * 1e-4, [9, 9, 9])
    every = differences(three)
    assert list(zip(every["area_a"], every["area_b"], strict=True)) == [
        ("a", "b"), ("a", "c"), ("b", "c"),
    ]  # fmt: skip
    to_one = differences(three, against={"area": "b"})
    np.testing.assert_allclose(to_one["estimate"], [-0.1, 0.2])
    listed = differences(three, pairs=[({"area": "c"}, {"area": "a"})])
    np.testing.assert_allclose(listed["estimate"], [0.3])
    wide = differences(made(), against={"area": "dabie"})
    assert len(wide) == 4 and (wide["area_b"] == "dabie").all()
    assert len(differences(made())) == 2 * 6
    assert len(differences(made(), within=["measure", "survey"])) == 2 * 2 * 1


def test_holm_by_hand_and_against_its_definition() -> None:
    got = holm_adjusted([0.01, 0.02, np.nan, 0.03, 0.005])
    np.testing.assert_allclose(got, [0.03, 0.04, np.nan, 0.04, 0.02])
    p = np.random.default_rng(1).uniform(size=30) ** 3
    # At each level, sequential rejection and adjusted p-values say the same.
    for level in (0.01, 0.05, 0.2):
        rejected = 0
        for value in np.sort(p):
            if value > level / (30 - rejected):
                break
            rejected += 1
        assert (holm_adjusted(p) <= level).sum() == rejected
    table = differences(small([0.2, 0.3, 0.5], np.eye(3) * 1e-3, [9] * 3), holm=True)
    np.testing.assert_array_equal(table["p_holm"], holm_adjusted(table["p"]))
    assert len(holm_adjusted([])) == 0


def test_relative_change_by_hand() -> None:
    two = small([0.4, 0.5], np.array([[4e-4, 1e-4], [1e-4, 9e-4]]), [25, 25])
    row = relative_change(two, {"area": "a"}, {"area": "b"}).iloc[0]
    se = np.sqrt(4e-4 / 0.16 + 9e-4 / 0.25 - 2e-4 / 0.2)
    t = stats.t.ppf(0.975, 25)
    assert row["estimate"] == pytest.approx(-0.2)
    assert row["se"] == pytest.approx(0.8 * se)
    assert row["ci_low"] == pytest.approx(0.8 * np.exp(-t * se) - 1)
    assert row["ci_high"] == pytest.approx(0.8 * np.exp(t * se) - 1)
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(np.log(0.8)) / se, 25))
    other = relative_change(two, {"area": "b"}, {"area": "a"}).iloc[0]
    assert (1 + other["ci_low"]) * (1 + row["ci_high"]) == pytest.approx(1)


def test_what_is_missing_is_said() -> None:
    covariance = np.diag([1e-4, 0.0, 1e-4, np.nan, 1e-4, 0.0])
    odd = small([0.1, 0.0, np.nan, 0.3, 0.2, 0.4], covariance, [5, 5, 5, 5, 0, 5])
    a = {"area": "a"}
    assert relative_change(odd, a, {"area": "b"})["note"][0] == "an estimate is not positive"
    assert difference(odd, a, {"area": "c"})["note"][0] == "an estimate is missing"
    assert difference(odd, a, {"area": "d"})["note"][0] == "a variance is missing"
    assert difference(odd, {"area": "e"}, {"area": "e"})["note"][0] == ""
    certain = difference(odd, {"area": "f"}, {"area": "b"}).iloc[0]
    assert certain["note"] == "the standard error is zero" and np.isnan(certain["p"])
    lonely = contrast(odd, [({"area": "e"}, 1.0)]).iloc[0]
    assert lonely["note"] == "no degree of freedom" and np.isnan(lonely["se"])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda j: difference(j, {"area": "wumen"}, {"area": "dabie"}), "did you mean 'wumeng'"),
        (lambda j: difference(j, {"aera": "wumeng"}, {"area": "dabie"}), "did you mean 'area'"),
        (lambda j: difference(j, {"survey": 2010}, {"survey": "2015"}), "did you mean '2010'"),
        (lambda j: difference(j, {"survey": "2010"}, {"area": "dabie"}), "several estimates; name"),
        (lambda j: difference(j, {}, {"area": "dabie"}), "no label"),
        (lambda j: differences(j, against={"area": "x"}), "there are: 'wumeng', 'dabie'"),
        (lambda j: differences(j, pairs=[]), "no pair"),
        (lambda j: differences(j, pairs=[], against={"area": "dabie"}), "both given"),
        (lambda j: differences(j, within=["area", "survey", "measure"]), "no two estimates"),
        (lambda j: contrast(j, [1.0, 2.0]), "give 8 finite numbers"),
        (lambda j: contrast(j, [np.nan] * 8), "give 8 finite numbers"),
        (lambda j: contrast(j, ["a"]), "not numbers"),
        (lambda j: difference(j, {"area": "wumeng"}, {"area": "dabie"}, level=95), "level is 95"),
    ],
)
def test_errors_say_what_to_do(call, says: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(PovmonError, match=says):
        call(made())
