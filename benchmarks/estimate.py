"""`make bench-estimate`: how fast the estimation core is, against `svy` and this machine's memory.

The data are generated: households in 7,500 PSUs of 500 strata, 600 counties that cut the strata
(a tenth of a PSU's households belong to the next county), incomes in whole yuan. Every time is a
median; ratios are of times taken in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from povmon.estimate import (
    Bootstrap,
    Design,
    atkinson,
    estimate,
    fgt,
    gei,
    gini,
    income_gap_ratio,
    mean,
    multidimensional,
    quantile,
    ratio,
    read_sorted,
    s80s20,
    sen,
    sst,
    total,
    watts,
    write_sorted,
)
from povmon.estimate.measures.base import Measure

LINE = 2300
DESIGN = Design("stratum", "psu", "w")
FGTS: list[Measure] = [fgt("income", LINE, alpha) for alpha in (0, 1, 2)]
MEASURES: list[Measure] = [*FGTS, gini("income")]
INDEX = multidimensional({"d1": "1/3", "d2": "1/3", "d3": "1/3"}, "1/3")
TWENTY: list[Measure] = [
    mean("income"),
    total("income"),
    ratio("consumption", "income"),
    *(fgt("income", line, alpha) for line in (LINE, 3500) for alpha in (0, 1, 2)),
    watts("income", LINE),
    income_gap_ratio("income", LINE),
    gini("income"),
    sen("income", LINE),
    sst("income", LINE),
    gei("income", 0),
    gei("income", 1),
    atkinson("income", 0.5),
    quantile("income", 0.5),
    s80s20("income"),
    INDEX.H,
]


def households(
    n: int, strata: int = 500, per_stratum: int = 15, counties: int = 600
) -> pd.DataFrame:
    """A generated sample of n households."""
    rng = np.random.default_rng(1)
    units = strata * per_stratum
    psu = rng.integers(0, units, n)
    home = psu * counties // units
    county = np.where(rng.random(n) < 0.1, (home + 1) % counties, home)
    income = np.round(rng.lognormal(8, 0.7, n))
    frame = {"stratum": psu // per_stratum, "psu": psu, "county": county}
    return pd.DataFrame({**frame, "w": rng.uniform(50, 150, n), "income": income})


def median_time(work: Callable[[], object], times: int = 7) -> float:
    """Median of several runs after one to warm up, in seconds."""
    work()
    return float(np.median([_once(work) for _ in range(times)]))


def _once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _past_reading(folder: str) -> float:
    prepared = read_sorted(folder)
    return _once(lambda: prepared.estimate(MEASURES))


def bandwidth() -> float:
    """Bytes read or written a second by a plain copy of an array far larger than the caches."""
    source = np.ones(2**25)
    target = np.empty_like(source)
    return 2 * source.nbytes / median_time(lambda: np.copyto(target, source))


def say(what: str, value: str, wanted: str = "") -> None:
    """One line of the report."""
    print(f"  {what:<62} {value:>12}  {wanted}", flush=True)


def table(n: int) -> pd.DataFrame:
    """FGT 0-2 and Gini in 600 counties, from a frame and from sorted files."""
    frame = households(n)
    print(f"{n:,} households, FGT 0-2 and Gini with standard errors in 600 counties")
    times = 9 if n >= 10**6 else 49
    unsorted = median_time(lambda: estimate(frame, DESIGN, MEASURES, "county"), times)
    wanted = "at most 250 ms" if n >= 10**6 else "at most 10 ms"
    say("from an unsorted DataFrame", f"{1000 * unsorted:.1f} ms", wanted)
    if n < 10**6:
        return frame
    with tempfile.TemporaryDirectory() as folder:
        write_sorted(frame, DESIGN, "county", ["income"], folder)
        reading = median_time(lambda: read_sorted(folder))
        # Each time from files just read: nothing is kept from the estimate before.
        past = float(np.median([_past_reading(folder) for _ in range(9)]))
    say("from sorted Parquet, past reading", f"{1000 * past:.1f} ms", "at most 30 ms")
    say("reading it", f"{1000 * reading:.1f} ms")
    speed = bandwidth()
    ideal = n * 24 / speed
    say("this machine's memory bandwidth (copy, one core)", f"{speed / 1e9:.1f} GB/s")
    say("one pass over cell, weight and income at that speed", f"{1000 * ideal:.1f} ms")
    say("the sorted estimate takes so many such passes", f"{past / ideal:.0f}")
    say("peak memory over the data's", f"{peak_memory(frame):.2f}", "at most 3")
    return frame


def peak_memory(frame: pd.DataFrame) -> float:
    """Peak of what is allocated, the data included, over the data's size."""
    size = int(frame.memory_usage(index=False).sum())
    tracemalloc.start()
    estimate(frame, DESIGN, MEASURES, "county")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (size + peak) / size


def against_svy(frame: pd.DataFrame, times: int) -> None:
    """The same FGT indices by svy, which has means of columns: the gaps are made beforehand."""
    try:
        import polars as pl
        import svy
    except ImportError:
        print("svy is not installed (the group `bench` of pyproject.toml): no comparison")
        return
    print("against svy, FGT 0-2 with standard errors in 600 counties")
    gap = np.maximum(1 - frame["income"] / LINE, 0.0)
    columns = {"p0": (gap > 0) * 1.0, "p1": gap, "p2": gap**2}
    sample = svy.Sample(
        pl.from_pandas(frame.assign(**columns)),
        svy.Design(stratum="stratum", psu="psu", wgt="w"),
    )
    theirs: list[pd.DataFrame] = []

    def run() -> None:
        theirs[:] = [
            sample.estimation.mean(p, by="county").to_polars().to_pandas() for p in columns
        ]

    slow = float(np.median([_once(run) for _ in range(times)]))
    fast = median_time(lambda: estimate(frame, DESIGN, FGTS, "county"))
    ours = estimate(frame, DESIGN, FGTS, "county")
    for index, found in zip(FGTS, theirs, strict=True):
        mine = ours[ours["measure"] == index.name]
        np.testing.assert_allclose(mine["estimate"], found.sort_values("county")["est"], rtol=1e-9)
        np.testing.assert_allclose(mine["se"], found.sort_values("county")["se"], rtol=1e-6)
    say(f"svy (median of {times}; the same numbers, checked)", f"{slow:.1f} s")
    say("povmon", f"{1000 * fast:.1f} ms")
    say("svy's time over povmon's", f"{slow / fast:.0f}", "at least 200")


def replicates() -> None:
    """1,000 Rao-Wu replicates of 20 measures for 680 counties."""
    frame = households(54_000, strata=680, per_stratum=8, counties=680)
    rng = np.random.default_rng(2)
    flags = {f"d{j}": (rng.random(len(frame)) < 0.3) * 1.0 for j in (1, 2, 3)}
    frame = frame.assign(consumption=frame["income"] * rng.uniform(0.6, 1, len(frame)), **flags)
    print(f"54,000 households, 1,000 Rao-Wu replicates of {len(TWENTY)} measures in 680 counties")
    method = Bootstrap(1000, seed=1)
    taken = median_time(lambda: estimate(frame, DESIGN, TWENTY, "county", method=method), 5)
    say("all replicates and the table", f"{taken:.2f} s", "at most 3 s")
    for measure in TWENTY:
        one = _once(lambda m=measure: estimate(frame, DESIGN, m, "county", method=method))
        say(f"  {measure.name} alone", f"{one:.2f} s")


def main() -> None:
    """Run all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--svy-times", type=int, default=5, help="runs of svy (slow)")
    chosen = parser.parse_args()
    table(54_000)
    frame = table(1_000_000)
    replicates()
    against_svy(frame, chosen.svy_times)


if __name__ == "__main__":
    main()
