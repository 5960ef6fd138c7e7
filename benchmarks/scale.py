"""`make bench-scale`: a generated register estimated chunk by chunk, in bounded memory.

The register has a household a row in one Parquet file a province-sized part: county (680), village
(120,000 of them), members, income in whole yuan. Its rows are in no order, which is the hard case:
every chunk has rows of every county. It is estimated at a quarter, a half and all of its size,
each in a process of its own, whose peak memory is measured.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

from povmon.estimate import Design, estimate, fgt, gini, mean
from povmon.estimate.measures.base import Measure

COUNTIES, VILLAGES = 680, 120_000
ROWS_A_FILE = 1_000_000
LINE = 2300
DESIGN = Design("county", "village", "persons", lonely="average")
SUMS: list[Measure] = [*(fgt("income", LINE, alpha) for alpha in (0, 1, 2)), mean("income")]
MEASURES = {"FGT 0-2, mean": SUMS, "with the Gini": [*SUMS, gini("income")]}
GIB = 2**30


def write_register(folder: Path, households: int) -> int:
    """Write a register of so many households, seeded by file; returns its persons."""
    persons = 0
    parts = [
        (i, min(ROWS_A_FILE, households - i * ROWS_A_FILE))
        for i in range(-(-households // ROWS_A_FILE))
    ]
    console = Console(stderr=True)
    for number, rows in track(parts, "Writing the register", console=console, transient=True):
        rng = np.random.default_rng([680, number])
        village = rng.integers(0, VILLAGES, rows, dtype=np.int32)
        county = (village.astype(np.int64) * COUNTIES // VILLAGES).astype(np.int32)
        level = 7.9 + 0.3 * np.sin(county) + 0.2 * np.cos(village)
        frame = {
            "county": county,
            "village": village,
            "persons": 1.0 + rng.binomial(5, 7 / 15, rows),
            "income": np.round(np.exp(level + 0.6 * rng.standard_normal(rows))),
        }
        persons += int(frame["persons"].sum())
        pd.DataFrame(frame).to_parquet(folder / f"part{number:05}.parquet", index=False)
    return persons


def measure(folder: str, files: int, which: str) -> None:
    """In a process of its own: estimate from the first files, and print time and peak memory."""
    with tempfile.TemporaryDirectory() as chosen:
        for file in sorted(Path(folder).glob("*.parquet"))[:files]:
            (Path(chosen) / file.name).symlink_to(file)
        start = time.perf_counter()
        table = estimate(chosen, DESIGN, MEASURES[which], "county")
        taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if not table[["estimate", "se"]].notna().all(axis=None):
        sys.exit("some numbers are missing")
    print(json.dumps({"seconds": taken, "peak": peak}))


def run(folder: Path, files: int, which: str) -> dict[str, float]:
    """What `measure` prints, in a new process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--measure", str(folder), str(files), which],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Write the register, and estimate it in three sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=30_000_000)
    parser.add_argument("--folder", help="where there is room for the register: 14 bytes a row")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(asked.measure[0], int(asked.measure[1]), asked.measure[2])
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as place:
        folder = Path(place)
        start = time.perf_counter()
        persons = write_register(folder, asked.households)
        size = sum(file.stat().st_size for file in folder.iterdir())
        print(
            f"{asked.households:,} households, {persons:,} persons, {COUNTIES} counties, "
            f"{VILLAGES:,} villages; {size / GIB:.2f} GiB of Parquet "
            f"(written in {time.perf_counter() - start:.0f} s)"
        )
        files = len(list(folder.iterdir()))
        for which in MEASURES:
            print(f"{which}, standard errors, {COUNTIES} counties")
            report(folder, files, which, asked.households)


def report(folder: Path, files: int, which: str, households: int) -> None:
    """A line for each size."""
    before = 0.0
    for part in (4, 2, 1):
        number = max(files // part, 1)
        rows = min(number * ROWS_A_FILE, households)
        found = run(folder, number, which)
        a_row = 1e9 * found["seconds"] / rows
        against = f", {a_row / before:.2f} of the time a row of the size before" if before else ""
        print(
            f"  {rows:>12,} households {found['seconds']:>7.1f} s {a_row:>6.0f} ns a row{against}; "
            f"peak memory {found['peak'] / GIB:.2f} GiB (at most 4)",
            flush=True,
        )
        before = a_row


if __name__ == "__main__":
    main()
