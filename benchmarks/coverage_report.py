"""The written report of the coverage simulation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.coverage_population import Floats
from benchmarks.coverage_run import Outcome

# The requirement: mean coverage over areas, and coverage in each area, of these measures.
MEAN, EACH = (0.93, 0.97), (0.92, 0.98)
JUDGED = ("headcount", "gap", "M0")

PPS = (
    "in each county villages are drawn with replacement and with probability proportional to the "
    "households of an older register, then households by simple random sampling."
)
SIMPLE = (
    "simple random sampling of villages and of households, both without replacement; the design "
    "knows the population sizes of both stages."
)
BASELINE = (
    "680 counties, 8 villages each drawn systematically with probability proportional to the "
    "households of an older register, 10 households a village, weights then scaled to the "
    "county's registered persons, as the project's surveys are drawn and published: variance as "
    "with replacement, counties as post-strata."
)
PAIRS = (
    "60 counties as above with 2 villages each and 12 households a village, estimated as one "
    "area: strata of two PSUs, where the bootstrap-t draws two."
)


@dataclass(frozen=True)
class Section:
    """One scenario of the report. Shapes of `bootstrap`: coverage and relative width (S, D, K)."""

    title: str
    words: str
    areas: list[str]
    outcome: Outcome
    bootstrap_names: list[str] = field(default_factory=list)
    bootstrap: tuple[Floats, Floats] | None = None


def census_words(
    strata: int, areas: int, households: int, line: float, true: dict[str, dict[str, float]]
) -> str:
    """How the samples of the census are drawn."""
    where = "the 133 enumeration areas" if strata == 1 else f"each of {strata} strata"
    return (
        f"{areas} enumeration areas of {where} and {households} households of each, simple random "
        "sampling without replacement at both stages, both population sizes in the design; the "
        f"whole population is estimated. Line: {line:,.0f} a person (30 % of persons are below "
        f"it). True values: headcount {true['headcount']['all']:.3f}, gap "
        f"{true['gap']['all']:.4f}, M0 {true['M0']['all']:.4f}, Gini {true['Gini']['all']:.4f}."
    )


def write(sections: Sequence[Section], source: str, replicates: int, folder: Path) -> None:
    """Write coverage.md and its figure into a folder."""
    figure = folder / "images" / "coverage.png"
    draw([s for s in sections if len(s.areas) > 1], figure)
    lines = [*_opening(sections), *_verdicts(sections), *_shape(sections), *_gini(sections)]
    for section in sections:
        lines += _details(section)
    lines += _boundaries(source, replicates)
    (folder / "coverage.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def percent(share: float) -> str:
    """A share in per cent with one decimal."""
    return f"{100 * share:.1f}"


def mean_coverage(covered: Floats) -> tuple[Floats, Floats]:
    """Mean coverage over areas and its Monte Carlo standard error, (K,), from (S, D, K)."""
    by_sample = covered.mean(axis=1)
    return by_sample.mean(axis=0), by_sample.std(axis=0, ddof=1) / np.sqrt(len(by_sample))


def verdict(covered: Floats) -> tuple[bool, str]:
    """Whether one measure's coverage (S, D) meets the requirement, and what does not."""
    by_area = covered.mean(axis=0)
    failures = []
    if not MEAN[0] <= by_area.mean() <= MEAN[1]:
        failures.append("mean")
    outside = int(((by_area < EACH[0]) | (by_area > EACH[1])).sum())
    if outside and len(by_area) > 1:
        failures.append(f"{outside} of {len(by_area)} areas")
    return not failures, "met" if not failures else "outside: " + ", ".join(failures)


def _opening(sections: Sequence[Section]) -> list[str]:
    samples = min(len(s.outcome.estimate) for s in sections)
    error = np.sqrt(0.95 * 0.05 / samples)
    return [
        "# Coverage of the intervals",
        "",
        "How often do the 95 % intervals of `povmon.estimate` hold the true value? `make coverage` "
        "draws samples again and again from populations in which every value is known, estimates "
        "each with the public `estimate()`, and counts. It is seeded: this page comes out the same "
        "on each run, in some minutes on two cores.",
        "",
        f"{samples:,} samples a scenario. The Monte Carlo error (one standard error) of the "
        f"coverage in one area is {100 * error:.2f} points; that of a mean over areas is given "
        "with it (±). Samples without an interval count as not covered.",
        "",
        "Requirement: for headcount, gap and M0 a mean coverage over areas within 93-97 % and each "
        "area within 92-98 %; for the whole population of the census within 93-97 %.",
        "",
    ]


def _verdicts(sections: Sequence[Section]) -> list[str]:
    lines = [
        "## Verdict",
        "",
        "| scenario | measure | mean coverage, % | areas, % | requirement |",
        "|---|---|---|---|---|",
    ]
    for section, k, name in _judged(sections):
        covered = section.outcome.covered[..., k]
        mean, error = mean_coverage(covered[..., None])
        lines.append(
            f"| {section.title} | {name} | {percent(mean[0])} ± {percent(error[0])} "
            f"| {_range(section, covered)} | {verdict(covered)[1]} |"
        )
    return [*lines, "", "![Coverage by area](images/coverage.png)", "", *_shortfalls(sections)]


def _range(section: Section, covered: Floats) -> str:
    """Lowest and highest coverage of an area, with the lowest's name."""
    by_area = covered.mean(axis=0)
    if len(by_area) == 1:
        return "-"
    low = section.areas[int(by_area.argmin())]
    return f"{percent(by_area.min())} ({low}) - {percent(by_area.max())}"


def _judged(sections: Sequence[Section]) -> Iterator[tuple[Section, int, str]]:
    for section in sections:
        for k, name in enumerate(section.outcome.names):
            if name in JUDGED:
                yield section, k, name


def _shortfalls(sections: Sequence[Section]) -> list[str]:
    """Areas outside the limits, with what their intervals miss."""
    lines = []
    for section, k, name in _judged(sections):
        outcome = section.outcome
        by_area = outcome.covered[..., k].mean(axis=0)
        if len(by_area) == 1:
            continue
        for d in np.flatnonzero((by_area < EACH[0]) | (by_area > EACH[1])):
            above = (outcome.high[:, d, k] < outcome.truth[d, k]).mean()
            below = (outcome.low[:, d, k] > outcome.truth[d, k]).mean()
            lines.append(
                f"- {section.title}, {name}, {section.areas[d]}: {percent(by_area[d])} % on "
                f"{outcome.df[0, d, k]:.0f} degrees of freedom; the truth lies above the interval "
                f"in {percent(above)} % of the samples, below it in {percent(below)} %."
            )
    return ["Outside the limits:", "", *lines, ""] if lines else ["No area is outside.", ""]


def _shape(sections: Sequence[Section]) -> list[str]:
    """Other intervals from the same standard errors."""
    lines = [
        "## The shape of the interval",
        "",
        "Headcount, gap and M0 are means of values between 0 and 1, and their estimates are skew "
        "in small samples: Student's interval misses on one side. The logit interval (Korn and "
        "Graubard 1999, sec. 2.6) is symmetric on the scale of log(p / (1 - p)). Degrees of "
        "freedom are PSUs less strata; but a few strata with deep poverty can carry the variance "
        "of the gap and of M0, and it is then known less well than PSUs less strata say. "
        "Published are therefore logit intervals, for the headcount with PSUs less strata (as R's "
        "survey does), for gap and M0 with Satterthwaite's (1946) degrees of freedom, (sum of v)² "
        "/ sum of v²/(n - 1) over the strata's estimated variances v. Mean coverage and, in "
        "brackets, the lowest and highest area, in per cent, of these and of two others from the "
        "same standard errors with PSUs less strata; * where the requirement is not met:",
        "",
        "| scenario | measure | published | Student | logit |",
        "|---|---|---|---|---|",
    ]
    for section, k, name in _judged(sections):
        outcome = section.outcome
        cells = [
            outcome.covered[..., k],
            outcome.alternative(name, bounded=False),
            outcome.alternative(name, bounded=True),
        ]
        lines.append(f"| {section.title} | {name} | {' | '.join(_short(c) for c in cells)} |")
    return [*lines, ""]


def _short(covered: Floats) -> str:
    by_area = covered.mean(axis=0)
    mean = percent(by_area.mean()) + ("" if verdict(covered)[0] else " *")
    if len(by_area) == 1:
        return mean
    return f"{mean} ({percent(by_area.min())} - {percent(by_area.max())})"


def _gini(sections: Sequence[Section]) -> list[str]:
    """The Gini coefficient on declared tails, and the bootstrap-t interval."""
    lines = [
        "## Gini coefficient and the bootstrap-t interval",
        "",
        "Incomes have the same order of households and a declared tail: lognormal (sigma 0.62), or "
        "above the 90th percentile Pareto with alpha 3, 2.5 and 2.1 (variance infinite at 2). A "
        "sample that misses the largest incomes has too low a coefficient and too low a standard "
        "error at once, and Student's interval falls short; this is reported as it is. "
        "`povmon.estimate.bootstrap_t` takes the quantiles of (estimate - truth) / se from "
        "Rao-Wu replicates, each with its own standard error. It covers more at the price of "
        "width, and with the heaviest tails still too little: no interval made from a sample "
        "knows the incomes that it misses. Width ratio: the median over samples and areas of its "
        "width over the published one's.",
        "",
        "| scenario | measure | published, % | bootstrap-t, % | areas, % | width ratio |",
        "|---|---|---|---|---|---|",
    ]
    for section in sections:
        if section.bootstrap is None:
            continue
        covered, width = section.bootstrap
        mean, error = mean_coverage(covered)
        for k, name in enumerate(section.bootstrap_names):
            plain = section.outcome.covered[..., section.outcome.names.index(name)]
            wider = np.nanmedian(width[..., k])
            lines.append(
                f"| {section.title} | {name} | {percent(plain.mean())} | {percent(mean[k])} ± "
                f"{percent(error[k])} | {_range(section, covered[..., k])} | {wider:.2f} |"
            )
    return [*lines, ""]


def _details(section: Section) -> list[str]:
    """All measures of a scenario, and the areas of the judged ones."""
    outcome = section.outcome
    mean, error = mean_coverage(outcome.covered)
    spread = outcome.estimate.std(axis=0, ddof=1)
    bias = (outcome.estimate.mean(axis=0) - outcome.truth) / spread
    ratio = np.sqrt((outcome.se**2).mean(axis=0)) / spread
    above, below = outcome.high < outcome.truth, outcome.low > outcome.truth
    lines = [
        f"## {section.title}",
        "",
        section.words[0].upper() + section.words[1:],
        "",
        "Means over areas. Bias in standard deviations of the estimate; se ratio: root of the mean "
        "estimated variance over the standard deviation of the estimates.",
        "",
        "| measure | coverage, % | lowest, % | highest, % | truth above, % | truth below, % "
        "| bias | se ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    by_area = outcome.covered.mean(axis=0)
    for k, name in enumerate(outcome.names):
        lines.append(
            f"| {name} | {percent(mean[k])} ± {percent(error[k])} | {percent(by_area[:, k].min())} "
            f"| {percent(by_area[:, k].max())} | {percent(above[..., k].mean())} "
            f"| {percent(below[..., k].mean())} | {bias[:, k].mean():+.3f} "
            f"| {ratio[:, k].mean():.3f} |"
        )
    return [*lines, "", *_areas(section, by_area)]


def _areas(section: Section, by_area: Floats) -> list[str]:
    if len(section.areas) == 1:
        return []
    outcome = section.outcome
    judged = [k for k, name in enumerate(outcome.names) if name in JUDGED]
    names = " | ".join(f"{outcome.names[k]}, true | coverage, %" for k in judged)
    lines = [f"| area | df | {names} |", "|---|---" + "|---" * 2 * len(judged) + "|"]
    for d, area in enumerate(section.areas):
        cells = [f"{outcome.truth[d, k]:.4f} | {percent(by_area[d, k])}" for k in judged]
        lines.append(f"| {area} | {outcome.df[0, d, 0]:.0f} | {' | '.join(cells)} |")
    return [*lines, ""]


def _boundaries(source: str, replicates: int) -> list[str]:
    return [
        "## What this does not show",
        "",
        "- The generated populations are the project's own model (`povmon.synthetic` for counties "
        "and incomes; deprivations, village sizes and hardship as declared in "
        "`benchmarks/coverage_population.py`). Real incomes can be skewer between villages.",
        "- Non-response, coverage of the frame and errors of measurement are not simulated.",
        f"- The bootstrap-t intervals rest on {replicates} replicates and on fewer samples than "
        "the others; their Monte Carlo error is given with them.",
        "- Samples of few of the census's enumeration areas often miss those with the deepest "
        "poverty, and then have too small a gap and too small a standard error at once. The table "
        "of bootstrap-t intervals says how far these, which are wider, make up for it.",
        "- The effect of audited and repaired weights is not simulated; weights scaled to the "
        "counties' persons are (baseline survey).",
        "",
        "## Source of the census",
        "",
        f"{source} The copy that the package `svy` ships: 57,867 households in 133 enumeration "
        "areas, four regions, all of them used. Deprivations: no electricity; water or toilet not "
        "improved; more than three persons a room; more than half of expenditure on food; equal "
        "weights, cut-off 2/5.",
    ]


def draw(sections: Sequence[Section], path: Path) -> None:
    """Coverage by area, one panel a scenario, with the limits."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = pyplot.subplots(1, len(sections), figsize=(11, 3.6), sharey=True, squeeze=False)
    for axis, section in zip(axes[0], sections, strict=True):
        by_area = 100 * section.outcome.covered.mean(axis=0)
        axis.axhspan(100 * EACH[0], 100 * EACH[1], color="0.92", zorder=0)
        axis.axhline(95, color="0.6", linewidth=0.8)
        for k, name in enumerate(section.outcome.names):
            across = k + np.linspace(-0.25, 0.25, len(by_area))
            color = "C0" if name in JUDGED else "0.55"
            axis.plot(across, by_area[:, k], ".", color=color, markersize=5)
            axis.plot([k - 0.3, k + 0.3], [by_area[:, k].mean()] * 2, color=color, linewidth=1.5)
        axis.set_title(section.title, fontsize=10)
        axis.set_xticks(range(len(section.outcome.names)), section.outcome.names, rotation=60,
                        ha="right", fontsize=8)  # fmt: skip
    axes[0][0].set_ylabel("coverage of 95 % intervals, %")
    figure.text(
        0.5, 0.005, "Dots: areas; lines: their mean; shaded: 92-98 %.", ha="center", fontsize=8
    )
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
