"""`make bench-audit`: how long intake and audit take, and what a register needs.

First the whole survey, its areas side by side on this machine's cores, from submitted files to
accepted records with every rule evaluated. Then a register: one area of a generated survey with
many more villages and households, at a quarter, a half and all of its size, each in a process of
its own whose peak memory is measured. Areas are audited one after the other, so a register of the
whole country needs the memory of its largest area.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

from povmon import paths
from povmon.audit import audit_intake
from povmon.cores import cores
from povmon.survey import load_survey
from povmon.survey.intake import read_submissions
from povmon.synthetic import generate

GIB = 2**30
COUNTIES = 680
PER_VILLAGE = 50


def audit(survey: str, area: str) -> dict[str, float]:
    """Read and audit an area: its rows, and the seconds it took."""
    start, used = time.perf_counter(), time.process_time()
    made = audit_intake(read_submissions(load_survey(survey), area))
    rows = made.accounting.groupby("form")["received"].sum()
    return {
        "households": int(rows["household"]),
        "persons": int(rows.get("person", 0)),
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - used,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def whole(survey: str) -> None:
    """All areas of a survey, side by side."""
    generate(survey)
    areas = load_survey(survey).area_ids
    start = time.perf_counter()
    with ProcessPoolExecutor(cores()) as pool:
        found = list(pool.map(audit, [survey] * len(areas), areas))
    taken = time.perf_counter() - start
    households = sum(f["households"] for f in found)
    persons = sum(f["persons"] for f in found)
    print(f"{survey}: {households:,} households, {persons:,} persons, {len(areas)} areas")
    print(f"  intake and audit, {cores()} cores {taken:>28.1f} s  at most 40 s")
    print(f"  seconds of one core, added up {sum(f['cpu'] for f in found):>30.1f} s")
    for area, one in zip(areas, found, strict=True):
        rate = 1e3 * one["cpu"] / one["households"]
        print(f"    {area:<24} {one['households']:>8,} households {one['cpu']:>7.1f} s "
              f"{rate:>6.2f} ms a household")  # fmt: skip


def register(survey: str, area: str, households: int) -> None:
    """One area of a register, in three sizes."""
    print(f"A register of {households:,} households in {COUNTIES} counties: its area {area}")
    before = 0.0
    for part in (4, 2, 1):
        villages = max(households // COUNTIES // PER_VILLAGE // part, 2)
        with tempfile.TemporaryDirectory() as place:
            found = _in_process(Path(place), survey, area, villages)
        rate = 1e3 * found["seconds"] / found["households"]
        against = f", {rate / before:.2f} of the size before" if before else ""
        print(
            f"  {found['households']:>9,.0f} households, {found['persons']:>9,.0f} persons "
            f"{found['seconds']:>7.1f} s {rate:>6.2f} ms a household{against}; "
            f"peak memory {found['peak'] / GIB:.2f} GiB",
            flush=True,
        )
        before = rate


def _in_process(root: Path, survey: str, area: str, villages: int) -> dict[str, float]:
    """Generate an area of that size in a root of its own and audit it in a new process."""
    source = paths.raw(survey) / "survey.yml"
    given = yaml.safe_load(source.read_text(encoding="utf-8"))
    from povmon import reference

    counties = reference.counties()
    given["only_counties"] = [
        str(c) for c in counties.loc[counties["area_id"] == area, "county_id"]
    ]
    given["design"] |= {"villages_per_county": villages, "households_per_village": PER_VILLAGE}
    folder = root / "data" / "raw" / survey
    folder.mkdir(parents=True)
    (folder / "survey.yml").write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    environment = {**os.environ, "POVMON_ROOT": str(root)}
    for what in ("--generate", "--audit"):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.audit", what, "--survey", survey, "--area", area],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Both parts, or what a process of its own is asked to do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--survey", default="baseline2010")
    parser.add_argument("--area", default="")
    parser.add_argument("--households", type=int, default=3_000_000)
    parser.add_argument("--generate", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--audit", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.generate:
        generate(asked.survey)
    elif asked.audit:
        print(json.dumps(audit(asked.survey, asked.area)))
    else:
        whole(asked.survey)
        register(asked.survey, asked.area or "wumeng", asked.households)


if __name__ == "__main__":
    main()
