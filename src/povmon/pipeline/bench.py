"""What a survey costs: time, memory, sizes and rows, measured in a root of its own."""

from __future__ import annotations

import csv
import hashlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from povmon import paths
from povmon.cores import cores
from povmon.errors import PovmonError
from povmon.pipeline.facts import Facts, facts
from povmon.pipeline.files import Hashes, files_below, write_atomically

NOTHING_RUNS = 5  # runs with nothing to do: the median is told
# An amount of the household form, by the name it has in the files of the surveys that come along.
CHANGED = (b"consumption_total", b"lntotal")


@dataclass(frozen=True)
class Measured:
    """One run of the pipeline: wall time, and what its summary says."""

    seconds: float
    made: int
    peak_mib: int


def bench(survey: str, area: str = "") -> str:
    """Measure a survey from nothing, with nothing to do, and with one area changed.

    Parameters
    ----------
    survey : its name; a smaller survey gives a quicker measurement.
    area : the area to change; empty for the first.

    Returns
    -------
    str : the figures, one a line.
    """
    about = facts(survey, Hashes())
    area = area or next(iter(about.areas))
    with tempfile.TemporaryDirectory(prefix="povmon-bench-") as folder:
        root = Path(folder)
        copy_raw(about, root)
        cold = _run(root, survey)
        still = [_run(root, survey) for _ in range(NOTHING_RUNS)]
        lines = [
            f"{survey}, {cores()} cores; set-up (.venv, boundaries) apart",
            f"from nothing: {cold.seconds:.1f} s, {cold.made} tasks, peak {cold.peak_mib} MiB",
            f"nothing to do: {statistics.median(m.seconds for m in still):.2f} s (median of "
            f"{NOTHING_RUNS})",
        ]
        lines += _rows(root, about)
        name, size = _largest(root / "reports" / survey)
        lines.append(f"largest page: {name}, {size:,} bytes")
        change(root, about, area)
        again = _run(root, survey)
        lines.insert(
            3,
            f"{area} changed: {again.seconds:.1f} s, {again.made} tasks, peak {again.peak_mib} MiB",
        )
    return "\n".join(lines)


def copy_raw(about: Facts, root: Path) -> None:
    """The survey as it was received, without what the generator wrote."""
    left_out = shutil.ignore_patterns("submissions", ".*") if about.synthetic else None
    target = root / "data" / "raw" / about.survey
    shutil.copytree(paths.raw(about.survey), target, ignore=left_out)


def _run(root: Path, survey: str) -> Measured:
    """One run in a process of its own, as make starts it."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "povmon.pipeline", "run", "--survey", survey],
        env={**os.environ, "POVMON_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begun
    found = re.search(r"(\d+) made.*?in [\d.]+ s(?:, peak memory (\d+) MiB)?", done.stdout)
    if done.returncode or not found:
        raise PovmonError("the run failed", where=survey, todo=done.stderr.strip() or "run make")
    return Measured(seconds, int(found.group(1)), int(found.group(2) or 0))


def _rows(root: Path, about: Facts) -> list[str]:
    """Rows in, accepted, corrected and rejected, summed over areas and forms."""
    import pandas as pd

    folder = root / "data" / "processed" / about.survey
    tables = [pd.read_parquet(folder / area / "accounting.parquet") for area in about.areas]
    columns = ["received", "accepted", "corrected", "rejected"]
    sums = pd.concat(tables)[columns].sum()
    return ["rows: " + ", ".join(f"{int(sums[c]):,} {c}" for c in columns)]


def _largest(folder: Path) -> tuple[str, int]:
    pages = [p for p in files_below(folder) if p.suffix == ".html"]
    page = max(pages, key=lambda p: p.stat().st_size)
    return page.relative_to(folder).as_posix(), page.stat().st_size


def change(root: Path, about: Facts, area: str) -> None:
    """Change one amount in one household file of an area, and the file's entry in its manifest."""
    folder = root / "data" / "raw" / about.survey / "submissions"
    folder = folder if about.delivery == "whole" else folder / area
    path = next(p for p in files_below(folder) if p.name == "household.csv")
    before = path.read_bytes()
    lines = before.split(b"\n")
    header = next(csv.reader([lines[0].decode("ascii", "ignore")]))
    column = next(header.index(n.decode()) for n in CHANGED if n.decode() in header)
    cells = lines[1].split(b",")
    cells[column] = cells[column][:-1] + (b"1" if cells[column][-1:] != b"1" else b"2")
    lines[1] = b",".join(cells)
    after = b"\n".join(lines)
    write_atomically(path, after)
    manifest = path.with_name("manifest.yml")
    if manifest.exists():
        old, new = (hashlib.sha256(b).hexdigest() for b in (before, after))
        write_atomically(manifest, manifest.read_text("utf-8").replace(old, new))
