"""How well the audit finds planted errors, and what it does for the published figures.

Recall is given with the exact binomial interval (Clopper and Pearson 1934). The effect on the
headcount compares four sets of the same area's households: without the errors, as submitted,
after the audit, and all that were drawn (before non-response).
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy.stats import beta

from povmon import paths
from povmon.survey.config import load_survey
from povmon.synthetic.planted_log import read_log
from povmon.synthetic.score_area import AreaScore, score_area

LIMITS = {
    "recall_logical": 0.95,  # lower bound of the 95 % interval, every kind
    "recall_statistical": 0.80,
    "precision": 0.99,  # of hard findings
    "flagged": 0.02,  # of clean households, by statistical flags
    "left": 0.20,  # of the error in headcounts
    "bias": 2.0,  # planted, in standard errors, in every area
}
FEWEST = 200  # cases of a kind for which a lower bound of 0.95 can be shown
CONFIDENCE = 0.95
FILE = "audit_score.csv"
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Limit:
    """One limit and whether it is met."""

    what: str
    value: float
    limit: str
    met: bool


@dataclass(frozen=True)
class Score:
    """The score of an audit against planted errors.

    Parameters
    ----------
    survey : its name.
    kinds : kind, nature, planted, found, recall, low, high (bounds), corrected; one row a kind.
    rules : rule, true, false (hard findings on records with and without a planted error).
    clean, flagged : clean households, and how many of them have a statistical flag.
    flags : rule, households; statistical flags on clean households.
    effect : area, clean, naive, audited, drawn (headcounts), se, bias (planted, in standard
        errors), left (share of the error left), and the same for mean income with `_income`.
    """

    survey: str
    kinds: pd.DataFrame
    rules: pd.DataFrame
    clean: int
    flagged: int
    flags: pd.DataFrame
    effect: pd.DataFrame

    @property
    def precision(self) -> float:
        """Share of hard findings that stand on a record with a planted error."""
        return float(self.rules["true"].sum() / max(self.rules[["true", "false"]].sum().sum(), 1))

    @property
    def left(self) -> float:
        """Sum over areas of the headcount's error after the audit over that before."""
        return self._left("clean")

    def _left(self, truth: str) -> float:
        after = (self.effect["audited"] - self.effect[truth]).abs().sum()
        return float(after / (self.effect["naive"] - self.effect[truth]).abs().sum())

    @property
    def limits(self) -> list[Limit]:
        """Each limit with its value; the worst kind or area where it holds for each."""
        out = []
        for nature in ("logical", "statistical"):
            low = self.kinds.loc[self.kinds["nature"] == nature, "low"]
            limit = LIMITS[f"recall_{nature}"]
            what = f"{nature} kinds: smallest lower bound of recall"
            if len(low):
                out.append(Limit(what, float(low.min()), f"at least {limit:g}", low.min() >= limit))
        share = self.flagged / max(self.clean, 1)
        bias = float(self.effect["bias"].abs().min())
        drawn = self._left("drawn") if "drawn" in self.effect else self.left
        values = (
            ("precision of hard findings", self.precision, "precision", True),
            ("clean households with a statistical flag", share, "flagged", False),
            ("error left in headcounts", self.left, "left", False),
            ("the same against all households drawn", drawn, "left", False),
            ("smallest planted bias of a headcount, in standard errors", bias, "bias", True),
        )
        for what, value, name, least in values:
            limit = LIMITS[name]
            words = f"at {'least' if least else 'most'} {limit:g}"
            met = value >= limit if least else value <= limit
            out.append(Limit(what, value, words, bool(met)))
        return out

    @property
    def met(self) -> bool:
        """Whether every limit is met."""
        return all(limit.met for limit in self.limits)

    def write(self) -> Path:
        """Write the table of kinds, areas and limits as one CSV; returns its path."""
        kinds = self.kinds.rename(columns={"kind": "name"}).assign(section="kind")
        areas = self.effect.rename(columns={"area": "name"}).assign(section="area")
        rules = self.rules.rename(columns={"rule": "name"}).assign(section="rule")
        flags = self.flags.rename(columns={"rule": "name"}).assign(section="flag")
        limits = pd.DataFrame(
            {
                "section": "limit", "name": [x.what for x in self.limits],
                "value": [x.value for x in self.limits], "limit": [x.limit for x in self.limits],
                "verdict": ["met" if x.met else "missed" for x in self.limits],
            }
        )  # fmt: skip
        whole = pd.concat([limits, kinds, areas, rules, flags], ignore_index=True)
        first = ["section", "name"]
        whole = whole[[*first, *(c for c in whole.columns if c not in first)]]
        path = paths.processed(self.survey, "truth") / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        whole.to_csv(path, index=False, lineterminator="\n", float_format="%.6g")
        return path


def score(
    survey: str, planted: Path | None = None, jobs: int = 2, tell: Told | None = None
) -> Score:
    """Audit a survey in memory and score what the audit found.

    Parameters
    ----------
    survey : its name; its submissions must be there.
    planted : log of planted errors as a CSV file (docs/audit-score.md); None takes the
        generator's.
    jobs : processes to use.
    tell : called after each area with its id, how many areas are done and how many there are.

    Returns
    -------
    Score; nothing is written.

    Raises
    ------
    PovmonError : the survey, its submissions or the log cannot be read.
    """
    areas = load_survey(survey).area_ids
    read_log(survey, planted)  # a wrong log is told before the work begins
    done: dict[str, AreaScore] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max(1, min(jobs, len(areas))), mp_context=context) as pool:
        waiting = {pool.submit(score_area, survey, area, planted): area for area in areas}
        for future in as_completed(waiting):
            area = waiting[future]
            done[area] = future.result()
            if tell is not None:
                tell(area, len(done), len(areas))
    return collect(survey, [done[area] for area in areas])


def collect(survey: str, parts: list[AreaScore]) -> Score:
    """The score of a survey from those of its areas."""
    rules = pd.concat([p.hard for p in parts]).groupby("rule", as_index=False)
    flags: dict[str, int] = {}
    for part in parts:
        for rule, number in part.flags.items():
            flags[rule] = flags.get(rule, 0) + number
    flagged = pd.DataFrame({"rule": list(flags), "households": list(flags.values())})
    return Score(
        survey,
        kinds=_kinds(pd.concat([p.cases for p in parts])),
        rules=rules.agg({"true": "sum", "false": "sum", "example": "max"}),
        clean=sum(p.clean for p in parts),
        flagged=sum(p.flagged for p in parts),
        flags=flagged.sort_values("households", ascending=False, ignore_index=True),
        effect=pd.concat([_area(p) for p in parts], ignore_index=True),
    )


def _kinds(cases: pd.DataFrame) -> pd.DataFrame:
    table = cases.groupby(["nature", "kind"], as_index=False).agg(
        planted=("found", "size"), found=("found", "sum"), corrected=("corrected", "sum")
    )
    bounds = [recall_bounds(f, n) for f, n in zip(table["found"], table["planted"], strict=True)]
    table["recall"] = table["found"] / table["planted"]
    table[["low", "high"]] = pd.DataFrame(bounds, columns=["low", "high"], dtype="float64")
    table["corrected_share"] = table["corrected"] / table["planted"]
    return table


def recall_bounds(found: int, planted: int) -> tuple[float, float]:
    """The exact two-sided 95 % interval of a share (Clopper and Pearson 1934)."""
    tail = (1 - CONFIDENCE) / 2
    low = beta.ppf(tail, found, planted - found + 1) if found else 0.0
    high = beta.ppf(1 - tail, found + 1, planted - found) if found < planted else 1.0
    return float(low), float(high)


def _area(part: AreaScore) -> pd.DataFrame:
    """One row: the four headcounts and mean incomes, the bias planted and the error left."""
    table = part.effect.set_index(["measure", "state"])
    row: dict[str, object] = {"area": part.area}
    for measure, suffix in (("headcount", ""), ("mean_income", "_income")):
        figures = table.loc[measure]
        value = figures["estimate"]
        row |= {f"{state}{suffix}": value[state] for state in value.index}
        before, after = (value[s] - value["clean"] for s in ("naive", "audited"))
        se = figures.loc["clean", "se"]
        row |= {f"se{suffix}": se, f"bias{suffix}": before / se}
        row[f"left{suffix}"] = abs(after) / abs(before) if before else float("nan")
    return pd.DataFrame([row])
