"""What plans and briefs hold an area against: the pooled estimates, as they are published."""

from __future__ import annotations

from pathlib import Path

from povmon import paths


def run(survey: str) -> list[Path]:
    """Write ``nation/benchmarks.parquet``.

    It holds the estimates for all areas combined in the digits that pages show, without totals,
    which no area is held against. A reader can so check every comparison from what is printed;
    and where an area's change moves no published figure, the plans of the others stay as they are.
    """
    import pandas as pd

    from povmon.pipeline.files import write_atomically
    from povmon.planning.draft import POOLED, TOTALS
    from povmon.present.numbers import unit_rule

    folder = paths.processed(survey, POOLED)
    pooled = pd.read_parquet(folder / "estimates.parquet")
    rows = pooled[pooled["domain_kind"].eq("all") & ~pooled["unit"].isin(TOTALS)]
    frame = rows[["domain_kind", "domain", "indicator", "unit"]].reset_index(drop=True)
    rules = [unit_rule(unit)[:2] for unit in frame["unit"]]
    for column in ("estimate", "ci_low", "ci_high"):
        frame[column] = [
            round(value * factor, digits) / factor
            for value, (factor, digits) in zip(rows[column].tolist(), rules, strict=True)
        ]
    path = folder / "benchmarks.parquet"
    write_atomically(path, frame.to_parquet(index=False))
    return [path]
