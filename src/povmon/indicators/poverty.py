"""Indicators of money: poverty, amounts a person, inequality; and the multidimensional index."""

from __future__ import annotations

from povmon.estimate import fgt, gini, mean, ratio, total
from povmon.estimate.measures.base import Measure
from povmon.indicators.indicator import Build, Good, Indicator
from povmon.indicators.multidimensional import definition, index


def _money(
    id_: str,
    en: str,
    zh: str,
    unit: str,
    good: Good,
    build: Build,
    text: str,
    needs: tuple[str, ...] = ("welfare",),
) -> Indicator:
    return Indicator(
        id_, en, zh, unit, "persons", "money", good, "household", "w_person", needs, build, text
    )


MONEY = (
    _money(
        "headcount",
        "Poverty headcount",
        "贫困发生率",
        "share",
        "low",
        lambda z: fgt("welfare", z, 0, name="headcount"),
        "Share of persons whose household's amount per person is below the line.",
    ),
    _money(
        "poverty_gap",
        "Poverty gap",
        "贫困距指数",
        "share",
        "low",
        lambda z: fgt("welfare", z, 1, name="poverty_gap"),
        "Mean shortfall from the line as a share of the line, the non-poor counting zero.",
    ),
    _money(
        "poverty_severity",
        "Poverty severity",
        "贫困强度",
        "share",
        "low",
        lambda z: fgt("welfare", z, 2, name="poverty_severity"),
        "Mean squared shortfall as a share of the line, the non-poor counting zero.",
    ),
    _money(
        "poor_total",
        "Poor persons",
        "贫困人口",
        "persons",
        "low",
        lambda z: total("poor", name="poor_total"),
        "Number of persons below the main line.",
    ),
    _money(
        "income_mean",
        "Net income per person",
        "人均纯收入",
        "money",
        "high",
        lambda z: mean("income_pc", name="income_mean"),
        "Mean over persons of the household's income per registered member.",
        ("income_pc",),
    ),
    _money(
        "consumption_mean",
        "Consumption per person",
        "人均生活消费",
        "money",
        "high",
        lambda z: mean("consumption_pc", name="consumption_mean"),
        "Mean over persons of the household's consumption per registered member.",
        ("consumption_pc",),
    ),
    _money(
        "consumption_to_income",
        "Consumption to income",
        "消费收入比",
        "index",
        "none",
        lambda z: ratio("consumption_pc", "income_pc", name="consumption_to_income"),
        "Total consumption over total income.",
        ("income_pc", "consumption_pc"),
    ),
    _money(
        "gini",
        "Gini coefficient",
        "基尼系数",
        "index",
        "low",
        lambda z: gini("welfare", name="gini"),
        "Inequality of the amount per person between persons, 0 to 1; exact definition.",
    ),
)


def multidimensional_indicators() -> tuple[Indicator, ...]:
    """H, A, M0, and for each deprivation its uncensored, censored headcount and contribution."""
    measures = index()
    needs = tuple(f"d_{j}" for j in definition().deprivations)

    def make(
        id_: str,
        en: str,
        zh: str,
        unit: str,
        measure: Measure,
        text: str,
        good: Good = "low",
    ) -> Indicator:
        return Indicator(
            id_,
            en,
            zh,
            unit,
            "persons",
            "multidimensional",
            good,
            "household",
            "w_person",
            needs,
            lambda _: measure,
            text,
        )

    out = [
        make(
            "mpi_h",
            "Multidimensional headcount (H)",
            "多维贫困发生率",
            "share",
            measures.H,
            "Share of persons whose weighted deprivations reach the cut-off.",
        ),
        make(
            "mpi_a",
            "Intensity of the poor (A)",
            "多维贫困强度",
            "share",
            measures.A,
            "Mean share of weighted deprivations among the multidimensionally poor.",
        ),
        make(
            "mpi_m0",
            "Adjusted headcount (M0)",
            "多维贫困指数",
            "index",
            measures.M0,
            "Headcount times intensity.",
        ),
    ]
    for j, d in definition().deprivations.items():
        column = f"d_{j}"
        low = d.en.lower()
        out += [
            make(
                f"mpi_uncensored_{j}",
                f"Deprived: {low}",
                f"{d.zh}：被剥夺",
                "share",
                measures.uncensored(column),
                f"Share of persons deprived: {d.cutoff}.",
            ),
            make(
                f"mpi_censored_{j}",
                f"Poor and deprived: {low}",
                f"{d.zh}：贫困且被剥夺",
                "share",
                measures.censored(column),
                f"Share of persons who are multidimensionally poor and deprived: {d.cutoff}.",
            ),
            make(
                f"mpi_contribution_{j}",
                f"Contribution to M0: {low}",
                f"{d.zh}：贡献率",
                "share",
                measures.contribution(column),
                f"Share of the adjusted headcount that comes from {low}.",
                "none",
            ),
        ]
    return tuple(out)
