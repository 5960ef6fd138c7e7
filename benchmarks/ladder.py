"""`make bench-cluster`: the same estimates in one process, on all cores, and on a Dask cluster.

The generated register of `benchmarks.scale` is estimated (FGT 0-2, mean and Gini with standard
errors, 680 counties) at some sizes and in each way, all in this process. The cluster has one worker
a core, on this machine: it shows what a cluster costs, not what more machines gain. The ways take
turns; what counts is the round with the least processor time. On the cluster that time is split:
that of the workers is shared by more of them, that of the process that asks is not.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from distributed import LocalCluster

from benchmarks.scale import DESIGN, MEASURES, write_register
from povmon.cores import cores
from povmon.estimate import estimate
from povmon.estimate.scale.workers import ADDRESS

WAYS = {
    "memory": "DataFrame in memory",
    "one": "chunks, one core",
    "all": "chunks, all cores",
    "cluster": "Dask, one worker a core",
}
WHICH = "with the Gini"


@contextmanager
def on_one_core() -> Iterator[None]:
    """This thread, and those it starts, on a single core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def on_cluster(cluster: Any) -> Iterator[None]:
    """Estimates from files go to a cluster."""
    os.environ[ADDRESS] = cluster.scheduler_address
    try:
        yield
    finally:
        del os.environ[ADDRESS]


def measure(folder: Path, way: str, cluster: Any) -> dict[str, Any]:
    """Estimate in one way: seconds, processor seconds here and on the workers, and a digest."""
    if way == "one":
        with on_one_core():
            return timed(folder)
    if way == "cluster":
        before = cluster_time(cluster)
        with on_cluster(cluster):
            found = timed(folder)
        return found | {"workers": cluster_time(cluster) - before}
    return timed(folder, in_memory=way == "memory")


def cluster_time(cluster: Any) -> float:
    """Processor seconds that the workers have used."""
    with cluster.get_client() as client:
        return float(sum(client.run(time.process_time).values()))


def timed(folder: Path, in_memory: bool = False) -> dict[str, Any]:
    """Seconds and processor seconds of this process, reading included, and the table's digest."""
    start, used = time.perf_counter(), time.process_time()
    source: Any = pd.read_parquet(folder) if in_memory else folder
    table = estimate(source, DESIGN, MEASURES[WHICH], "county")
    seconds, own = time.perf_counter() - start, time.process_time() - used
    digest = pd.util.hash_pandas_object(table).sum()
    return {"seconds": seconds, "own": own, "workers": 0.0, "digest": int(digest)}


def best(folder: Path, cluster: Any, rounds: int) -> dict[str, dict[str, Any]]:
    """The round with the least processor time, by way."""
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, measured in found.items():
            measured.append(measure(folder, way, cluster))
    if len({r["digest"] for way in ("one", "all", "cluster") for r in found[way]}) != 1:
        raise SystemExit("the numbers differ between one core, all cores and the cluster")
    return {way: min(measured, key=spent) for way, measured in found.items()}


def spent(found: dict[str, Any]) -> float:
    """Processor seconds of a round, on the workers too."""
    return float(found["own"] + found["workers"])


def report(households: int, found: dict[str, dict[str, Any]]) -> None:
    """A line for each way, against one core reading chunks."""
    base = found["one"]
    print(f"{households:,} households (all three ways by chunks give the same bits)")
    for way, text in WAYS.items():
        own = found[way]
        print(
            f"  {text:<24} {own['seconds']:>7.2f} s, {own['seconds'] / base['seconds']:.2f} of one "
            f"core's; processor {spent(own):.2f} s, {spent(own) / spent(base):.2f} of one core's"
        )
    cluster, millions = found["cluster"], households / 1e6
    print(
        f"  of the cluster's processor time a million households: on the workers "
        f"{cluster['workers'] / millions:.2f} s, in the process that asks "
        f"{cluster['own'] / millions:.2f} s",
        flush=True,
    )


def main() -> None:
    """Measure the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, help="the largest size (default: 4,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="the least of so many counts")
    asked = parser.parse_args()
    os.environ["ACERO_ALIGNMENT_HANDLING"] = "reallocate"  # Arrow's warnings, as in a run
    largest = asked.households or 4_000_000
    print(f"{cores()} cores; FGT 0-2, mean and Gini, standard errors, 680 counties")
    begun = time.perf_counter()
    with LocalCluster(
        n_workers=cores(), threads_per_worker=1, dashboard_address=None, memory_limit=0
    ) as cluster:
        print(f"the cluster started in {time.perf_counter() - begun:.1f} s", flush=True)
        for households in (largest // 16, largest // 4, largest):
            with tempfile.TemporaryDirectory() as place:
                write_register(Path(place), households)
                report(households, best(Path(place), cluster, asked.rounds))


if __name__ == "__main__":
    main()
