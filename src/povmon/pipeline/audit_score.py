"""``make audit-score``: progress, the tables on the terminal, and the CSV."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.table import Table

from povmon.pipeline.files import cannot_write, label
from povmon.pipeline.progress import Progress
from povmon.survey.config import load_survey
from povmon.synthetic.score import FEWEST, Score, score


def audit_score(survey: str, planted: str, jobs: int) -> bool:
    """Score a survey's audit, print it and write it; True when every limit is met.

    Parameters
    ----------
    survey : its name.
    planted : path of a log of planted errors (CSV), "" for the generator's own.
    jobs : areas at once.

    Raises
    ------
    PovmonError : what `score` raises, or the CSV cannot be written.
    """
    with Progress(load_survey(survey).area_ids) as progress:

        def tell(area: str, done: int, total: int) -> None:
            progress.pass_over(area, "audited and compared")

        result = score(survey, Path(planted) if planted else None, jobs, tell)
    width = None if sys.stdout.isatty() else 120
    show(result, Console(highlight=False, width=width))
    try:
        path = result.write()
    except OSError as error:
        raise cannot_write(Path(error.filename), error) from error
    print(f"\nWrote {label(path)}")
    return result.met


def show(result: Score, console: Console) -> None:
    """Print kinds, rules with false findings, flags, areas and limits."""
    console.print(_kinds(result.kinds))
    few = int((result.kinds["planted"] < FEWEST).sum())
    if few:
        console.print(
            f"{few} kinds have fewer than {FEWEST} cases here: their lower bounds say little."
        )
    wrong = result.rules[result.rules["false"] > 0].sort_values("false", ascending=False)
    columns = ["rule", "true", "false", "example"]
    console.print(_plain("Hard findings where nothing was planted", wrong[columns]))
    console.print(_plain("Statistical flags on clean households", result.flags))
    console.print(_areas(result.effect))
    table = Table("limit", "value", "required", "", title="Limits")
    for limit in result.limits:
        verdict = "met" if limit.met else "missed"
        table.add_row(limit.what, f"{limit.value:.4f}", limit.limit, verdict)
    console.print(table)


def _kinds(kinds: pd.DataFrame) -> Table:
    table = Table("kind", "nature", "planted", "found", "recall", "95 % interval", "corrected",
                  title="Planted errors found")  # fmt: skip
    for row in kinds.to_dict("records"):
        table.add_row(
            row["kind"], row["nature"], str(row["planted"]), str(row["found"]),
            f"{row['recall']:.3f}", f"{row['low']:.3f} to {row['high']:.3f}",
            f"{row['corrected_share']:.2f}",
        )  # fmt: skip
    return table


def _plain(title: str, frame: pd.DataFrame) -> Table:
    table = Table(*frame.columns, title=title)
    for row in frame.to_numpy(dtype=object):
        table.add_row(*map(str, row))
    if frame.empty:
        table.add_row("none", *[""] * (len(frame.columns) - 1))
    return table


def _areas(effect: pd.DataFrame) -> Table:
    table = Table("area", "clean", "as submitted", "audited", "bias in s.e.", "error left",
                  "income clean", "as submitted", "audited",
                  title="Headcount (%) and mean income with and without the errors")  # fmt: skip
    states = ("clean", "naive", "audited")
    for row in effect.to_dict("records"):
        shares = [f"{100 * row[state]:.2f}" for state in states]
        incomes = [f"{row[f'{state}_income']:,.0f}" for state in states]
        bias, left = f"{row['bias']:+.1f}", f"{row['left']:.2f}"
        table.add_row(row["area"], *shares, bias, left, *incomes)
    return table
