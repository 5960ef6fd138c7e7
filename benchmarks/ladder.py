"""`make bench-cluster`: the same estimates in one process, on all cores, and on a Dask cluster.

The generated register of `benchmarks.scale` is estimated (FGT 0-2, mean and Gini with standard
errors, 680 counties) at some sizes, in each way in a process of its own, which starts no clock
before it has imported everything. The cluster has one worker a core, on this machine: it shows
what a cluster costs, not what more machines gain. Seconds are the least of several rounds. On the
cluster the processor time is split: that of the workers is shared by more of them, that of the
process that asks is not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.scale import DESIGN, MEASURES, write_register
from povmon.cores import cores
from povmon.estimate import estimate

WAYS = {
    "memory": "DataFrame in memory",
    "one": "chunks, one core",
    "all": "chunks, all cores",
    "cluster": "Dask, one worker a core",
}
WHICH = "with the Gini"


def measure(folder: str, way: str) -> None:
    """In a process of its own: estimate in one way, and print times and a digest of the table."""
    if way == "one":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if way != "cluster":
        print(json.dumps(timed(folder, way)))
        return
    from distributed import LocalCluster

    begun = time.perf_counter()
    with LocalCluster(
        n_workers=cores(), threads_per_worker=1, dashboard_address=None, memory_limit=0
    ) as cluster:
        os.environ["DASK_SCHEDULER_ADDRESS"] = cluster.scheduler_address
        start = time.perf_counter() - begun
        before = sum(cluster_times(cluster))
        found = timed(folder, way)
        workers = sum(cluster_times(cluster)) - before
    print(json.dumps(found | {"workers": workers, "start": start}))


def cluster_times(cluster: Any) -> list[float]:
    """Processor seconds that each worker has used."""
    with cluster.get_client() as client:
        return list(client.run(time.process_time).values())


def timed(folder: str, way: str) -> dict[str, Any]:
    """Seconds and processor seconds of this process, and the table's digest."""
    start, used = time.perf_counter(), time.process_time()
    source: Any = pd.read_parquet(folder) if way == "memory" else folder
    table = estimate(source, DESIGN, MEASURES[WHICH], "county")
    seconds, own = time.perf_counter() - start, time.process_time() - used
    digest = pd.util.hash_pandas_object(table.drop(columns=["measure"])).sum()
    return {"seconds": seconds, "own": own, "digest": int(digest)}


def run(folder: Path, way: str) -> dict[str, Any]:
    """What `measure` prints, in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ladder", "--measure", str(folder), way],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def best(folder: Path, rounds_of_all: int) -> dict[str, dict[str, Any]]:
    """The round with the least processor time, by way; the ways take turns."""
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(rounds_of_all):
        for way, rounds in found.items():
            rounds.append(run(folder, way))
    chunked = {r["digest"] for way in ("one", "all", "cluster") for r in found[way]}
    if len(chunked) != 1:
        sys.exit("the numbers differ between one core, all cores and the cluster")
    least = {way: min(rounds, key=spent) for way, rounds in found.items()}
    for way, rounds in found.items():
        least[way]["seconds"] = min(r["seconds"] for r in rounds)
    return least


def spent(found: dict[str, Any]) -> float:
    """Processor seconds of a round, on the workers too."""
    return float(found["own"] + found.get("workers", 0.0))


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
    cluster = found["cluster"]
    millions = households / 1e6
    print(
        f"  of which on the workers {cluster['workers'] / millions:.2f} s a million households, in "
        f"the process that asks {cluster['own'] / millions:.2f}; the cluster started in "
        f"{cluster['start']:.1f} s",
        flush=True,
    )


def main() -> None:
    """Measure the sizes asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, help="the largest size (default: 4,000,000)")
    parser.add_argument("--rounds", type=int, default=3, help="the least of so many counts")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(*asked.measure)
        return
    largest = asked.households or 4_000_000
    print(f"{cores()} cores; FGT 0-2, mean and Gini, standard errors, 680 counties")
    for households in (largest // 16, largest // 4, largest):
        with tempfile.TemporaryDirectory() as place:
            write_register(Path(place), households)
            report(households, best(Path(place), asked.rounds))


if __name__ == "__main__":
    main()
