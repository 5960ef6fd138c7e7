"""What a survey counts as poor, and how the amount per person is distributed."""

from __future__ import annotations

import pandas as pd

from povmon.indicators.multidimensional import definition, weights_table
from povmon.present import numbers
from povmon.present.display import Column, Figure, Table, Text, escape_markdown
from povmon.present.distributions import distribution_chart, lorenz_chart
from povmon.survey import Survey

WHAT = {"income": "Net income per person", "consumption": "Consumption per person"}
DEFINITIONS = {
    "net": "net income, the definition of the rural surveys before 2013",
    "disposable": "disposable income, the definition used since 2013",
    "expenditure": "consumption expenditure",
}


def welfare_text(survey: Survey) -> Text:
    """Who counts as poor in the survey: amount, definition, lines and their price basis."""
    w = survey.welfare
    lines = numbers.listing(
        [
            f"{numbers.money(line.value, survey.currency.unit)} ({escape_markdown(line.en)}, "
            f"{escape_markdown(line.prices)})"
            for line in survey.lines
        ]
    )
    return Text(
        f"A person is poor when the household's {w.measure} per registered member is below the "
        f"line. The amount is {DEFINITIONS[w.definition]}. Line: {lines}. Figures of another "
        "definition are not comparable with these."
    )


def distribution(survey: Survey, households: pd.DataFrame) -> Figure | Text:
    """Persons by the amount that is held against the lines, with the lines."""
    return distribution_chart(
        households,
        {line.en: line.value for line in survey.lines},
        amount=f"{survey.welfare.measure}_total",
        unit=survey.currency.unit,
        what=WHAT[survey.welfare.measure],
    )


def lorenz(survey: Survey, households: pd.DataFrame) -> Figure | Text:
    """Lorenz curve of the amount that is held against the lines."""
    return lorenz_chart(
        households,
        amount=f"{survey.welfare.measure}_total",
        what=WHAT[survey.welfare.measure],
    )


def policy_text(survey: Survey) -> Text:
    """The publication policy in words."""
    p = survey.policy
    sources = "; ".join(escape_markdown(s) for s in p.sources) or "none named"
    return Text(
        f"An estimate is suppressed below {p.min_households} households or an effective sample "
        f"of {p.min_effective:g}, and village indicators below {p.min_villages} villages. A "
        "proportion is marked *caution* when its Korn-Graubard interval is wider than "
        f"{100 * p.proportion.caution_width:.0f} points and *unreliable* beyond "
        f"{100 * p.proportion.unreliable_width:.0f}; any other estimate when its coefficient of "
        f"variation exceeds {numbers.percent(p.cv.caution, 0)} and "
        f"{numbers.percent(p.cv.unreliable, 0)}. Fewer than {p.min_df} degrees of "
        f"freedom are marked. Sources of the policy: {sources}."
    )


def deprivations_table(estimates: pd.DataFrame) -> Table | Text:
    """The definition of the multidimensional index: dimensions, weights and cut-offs."""
    if not estimates["indicator"].eq("mpi_m0").any():
        return Text("*This survey does not collect what the multidimensional index needs.*")
    frame = weights_table()
    frame["name"] = [f"{en} {zh}" for en, zh in zip(frame["en"], frame["zh"], strict=True)]
    return Table(
        frame,
        f"Deprivations, weights and cut-offs of the index, version {definition().version}",
        note=(
            f"A person is multidimensionally poor when the weights of the household's "
            f"deprivations add up to {definition().k} or more. Dimensions follow the two "
            "assurances and three guarantees; weights and cut-offs are this project's choice."
        ),
        columns=[
            Column("name", "Deprivation", row_header=True),
            Column("weight", "Weight", align="right"),
            Column("cutoff", "Deprived when"),
        ],
    )
