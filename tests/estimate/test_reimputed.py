"""Standard errors with imputation: exact cases, and coverage in a simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from povmon.estimate import Bootstrap, Design, estimate, mean
from povmon.estimate.replicates.reimputed import HotDeck, errors, reimpute, resample

STRATA, PSUS, EACH = 6, 8, 8
N = STRATA * PSUS * EACH
LINE = 2300.0


def sample(rng: np.random.Generator) -> pd.DataFrame:
    """Incomes of households in villages of counties; tenths of consumption as classes."""
    stratum = np.repeat(np.arange(STRATA), PSUS * EACH)
    psu = np.repeat(np.arange(STRATA * PSUS), EACH)
    village = rng.normal(0, 0.25, STRATA * PSUS)[psu]
    consumption = rng.integers(0, 5, N)
    log = 7.6 + 0.1 * stratum + 0.15 * consumption + village + rng.normal(0, 0.5, N)
    return pd.DataFrame({
        "stratum": stratum, "psu": psu, "class": consumption, "y": np.exp(log),
        "w": 1.0 + 0.2 * stratum,
    })  # fmt: skip


def impute(
    frame: pd.DataFrame, missing: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, HotDeck]:
    """Values with the missing ones drawn by a weighted hot deck within classes."""
    rows = np.flatnonzero(missing)
    pools = [np.flatnonzero(~missing & (frame["class"] == c).to_numpy()) for c in range(5)]
    number = frame["class"].to_numpy()[rows]
    y, w = frame["y"].to_numpy().copy(), frame["w"].to_numpy()
    for k, row in enumerate(rows):
        donors = pools[number[k]]
        y[row] = y[rng.choice(donors, p=w[donors] / w[donors].sum())]
    deck = HotDeck(rows, np.zeros(len(rows)), np.ones((len(rows), 1)), number, pools, y[:, None])
    return y, deck


def both(frame: pd.DataFrame, y: np.ndarray, deck: HotDeck, seed: int, **options: object):  # type: ignore[no-untyped-def]
    drawn = resample(frame["stratum"], frame["psu"], 200, seed)
    w = frame["w"].to_numpy()
    place = np.full(len(y), -1)
    place[deck.rows] = np.arange(len(deck.rows))
    again = reimpute(deck, w, drawn, seed)
    return errors(y, again, place, w, np.zeros(len(y), dtype=int), drawn, **options)  # type: ignore[arg-type]


def test_without_imputation_both_errors_are_those_of_the_bootstrap() -> None:
    frame = sample(np.random.default_rng(1))
    y, deck = impute(frame, np.zeros(N, dtype=bool), np.random.default_rng(2))
    found = both(frame, y, deck, 1)
    assert found.naive == found.full and found.ratio.tolist() == [1.0]
    table = estimate(frame, Design("stratum", "psu", "w"), mean("y"), method=Bootstrap(200, 1))
    assert found.naive[0] == pytest.approx(table["se"].iloc[0], rel=0.1)


def test_imputed_values_widen_the_error() -> None:
    frame = sample(np.random.default_rng(1))
    rng = np.random.default_rng(3)
    y, deck = impute(frame, rng.random(N) < 0.3, rng)
    for options in ({}, {"change": lambda v: (v < LINE).astype(float)}, {"total": True}):
        found = both(frame, y, deck, 5, **options)
        assert found.full > found.naive
    assert (both(frame, y, deck, 5).full == both(frame, y, deck, 5).full).all()


def test_sums_of_weights_of_poststrata_are_kept() -> None:
    frame = sample(np.random.default_rng(1))
    y, deck = impute(frame, np.zeros(N, dtype=bool), np.random.default_rng(2))
    frame["w"] *= 1 + frame["psu"] % 3
    options = {"poststratum": frame["stratum"].to_numpy(), "total": True}
    found = both(frame, np.ones(N), deck, 5, **options)
    assert found.full == pytest.approx([0.0], abs=1e-9)
    assert both(frame, y, deck, 5, **options).full < both(frame, y, deck, 5, total=True).full


def test_known_parts_stay_and_only_the_others_are_imputed_again() -> None:
    components = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    deck = HotDeck(
        np.array([0]), np.array([1.0]), np.array([[0.0, 1.0]]), np.array([0]),
        [np.array([2, 3])], components,
    )  # fmt: skip
    drawn = resample(["a"] * 4, ["1", "1", "2", "2"], 50, 1)
    again = reimpute(deck, np.ones(4), drawn, 1)
    assert set(again.ravel()) == {31.0, 41.0}


def test_the_only_psu_of_a_stratum_is_in_every_replicate() -> None:
    drawn = resample(["a", "b", "b"], ["1", "2", "3"], 20, 1)
    assert (drawn.factor[drawn.psu[0]] == 1).all()
    assert drawn.factor[drawn.psu[1:]].mean() == pytest.approx(1.0)
    # The same label in two strata is two PSUs.
    assert len(resample(["a", "b"], ["1", "1"], 5, 1).factor) == 2


def poor(y: np.ndarray) -> np.ndarray:
    return (y < LINE).astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.1, 0.2])
def test_intervals_with_the_error_of_imputation_cover(rate: float) -> None:
    truth_rng = np.random.default_rng(99)
    big = [sample(truth_rng) for _ in range(400)]
    weights = np.concatenate([f["w"] for f in big])
    values = np.concatenate([f["y"] for f in big])
    truth = {
        "mean": np.average(values, weights=weights),
        "headcount": np.average(poor(values), weights=weights),
    }
    df, cover = STRATA * (PSUS - 1), {}
    from scipy import stats

    t = stats.t.ppf(0.975, df)
    for run in range(400):
        rng = np.random.default_rng(run)
        frame = sample(rng)
        y, deck = impute(frame, rng.random(N) < rate, rng)
        w = frame["w"].to_numpy()
        for name, change in (("mean", np.asarray), ("headcount", poor)):
            found = both(frame, y, deck, run, change=change)
            off = abs(np.average(change(y), weights=w) - truth[name])
            cover.setdefault((name, "naive"), []).append(off <= t * found.naive[0])
            cover.setdefault((name, "full"), []).append(off <= t * found.full[0])
    shares = {key: float(np.mean(hits)) for key, hits in cover.items()}
    print(rate, shares)
    for name in truth:
        assert 0.925 <= shares[name, "full"] <= 0.98, shares
        assert shares[name, "full"] > shares[name, "naive"] + (0.02 if rate == 0.2 else 0.0), shares
