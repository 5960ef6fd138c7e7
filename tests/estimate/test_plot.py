"""What the figures show: positions, labels, words for what is missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    concentration_curve,
    differences,
    dominance,
    draws,
    estimate,
    fgt,
    gini,
    growth_incidence_curve,
    joint,
    lorenz_curve,
    plot,
    poverty_by_group,
    ranks,
    tip_curve,
    worst,
)

DESIGN = Design("county", "village", "w")
MEASURES = [fgt("income", 2300, 0), gini("income")]


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    village = np.repeat(np.arange(72), 6)
    frame = pd.DataFrame({"village": village, "county": village // 6, "w": rng.uniform(1, 3, 432)})
    frame["area"] = np.array(["north", "south", "west"])[village // 24]
    frame["minority"] = rng.integers(0, 2, 432)
    frame["income"] = np.round(rng.lognormal(7.7, 0.6, 432), 2)
    return frame


def labels(axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def dots(axes) -> list[float]:
    return list(next(line for line in axes.lines if line.get_marker() == "o").get_xdata())


def test_estimates(survey: pd.DataFrame) -> None:
    table = estimate(survey, DESIGN, MEASURES, "area")
    figure = table.plot(title="Areas")
    assert figure.get_suptitle() == "Areas"
    for axes, measure in zip(figure.axes, MEASURES, strict=True):
        own = table[table["measure"] == measure.name]
        assert axes.get_title(loc="left") == measure.name
        assert labels(axes) == ["north", "south", "west"]
        assert dots(axes) == list(own["estimate"])
        bars = axes.collections[0].get_segments()
        np.testing.assert_allclose([b[0][0] for b in bars], own["ci_low"])
        np.testing.assert_allclose([b[1][0] for b in bars], own["ci_high"])
        assert axes.get_xlabel() == "estimate, 95 % interval"
        assert axes.get_ylim() == (2.5, -0.5)  # the first row is on top


def test_sorted(survey: pd.DataFrame) -> None:
    table = estimate(survey, DESIGN, MEASURES[0], "area")
    axes = plot(table, sort=True).axes[0]
    assert dots(axes) == sorted(table["estimate"], reverse=True)


def test_missing_rows_are_named(survey: pd.DataFrame) -> None:
    rows = survey.assign(income=survey["income"].where(survey["area"] != "west"))
    axes = plot(estimate(rows, DESIGN, MEASURES[0], "area")).axes[0]
    assert labels(axes)[2] == "west" and len(dots(axes)) == 2
    assert [t.get_text() for t in axes.texts] == ["no row enters"]


def test_curves(survey: pd.DataFrame) -> None:
    table = lorenz_curve(survey, DESIGN, "income", "area", points=11)
    axes = plot(table).axes[0]
    curves = [line for line in axes.lines if line.get_label() in ("north", "south", "west")]
    assert len(curves) == 3
    assert len({line.get_color() for line in curves}) == 3
    assert len({line.get_linestyle() for line in curves}) == 3
    north = table[table["area"] == "north"]
    np.testing.assert_array_equal(curves[0].get_ydata(), north["estimate"])
    assert len(axes.collections) == 3  # bands
    assert axes.get_ylabel() == "Share of income" and "poorest first" in axes.get_xlabel()
    assert [t.get_text() for t in axes.texts] == ["equality"]
    assert axes.get_legend().get_title().get_text() == "area"


@pytest.mark.parametrize("kind", ["tip", "concentration"])
def test_other_curves(kind: str, survey: pd.DataFrame) -> None:
    if kind == "tip":
        axes = plot(tip_curve(survey, DESIGN, "income", 2300, points=11)).axes[0]
        assert axes.get_ylabel() == "Cumulated poverty gap per person (share of the line)"
        assert not axes.texts and axes.get_legend() is None
    else:
        table = concentration_curve(survey, DESIGN, "minority", "income", points=11)
        assert [t.get_text() for t in plot(table).axes[0].texts] == ["equality"]


def test_growth_has_a_zero_line_and_limits_that_show_the_middle(survey: pd.DataFrame) -> None:
    rows = {"a": survey, "b": survey.assign(income=survey["income"] * 1.1)}
    table = growth_incidence_curve(rows, DESIGN, "income", points=19)
    axes = plot(table).axes[0]
    low, high = axes.get_ylim()
    assert low < 0 < table["estimate"].max() < high
    assert any(list(line.get_ydata()) == [0, 0] for line in axes.lines)


def test_differences(survey: pd.DataFrame) -> None:
    table = differences(joint(survey, DESIGN, MEASURES[0], by="area"))
    axes = plot(table).axes[0]
    assert labels(axes) == ["north against south", "north against west", "south against west"]
    assert dots(axes) == list(table["estimate"])
    assert any(list(line.get_xdata()) == [0, 0] for line in axes.lines)


def test_adjusted_p_values_are_no_label(survey: pd.DataFrame) -> None:
    table = differences(joint(survey, DESIGN, MEASURES[0], by="area"), holm=True)
    assert labels(plot(table).axes[0])[0] == "north against south"
    assert "p, Holm" in table._repr_html_()


def test_ranks_and_the_worst(survey: pd.DataFrame) -> None:
    both = joint(survey, DESIGN, MEASURES[0], by="area")
    table = ranks(both)
    axes = plot(table, sort=True).axes[0]
    assert dots(axes) == [1, 2, 3] and "rank" in axes.get_xlabel()
    axes = plot(worst(both, 1)).axes[0]
    assert axes.get_xlim() == (0, 1.02) and sum(dots(axes)) == pytest.approx(1)


def test_components(survey: pd.DataFrame) -> None:
    table = poverty_by_group(survey, DESIGN, "income", 2300, "minority")
    figure = plot(table)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == list(dict.fromkeys(table["component"]))
    assert labels(figure.axes[0]) == ["0", "1"]


def test_dominance(survey: pd.DataFrame) -> None:
    made = draws(survey, DESIGN, Bootstrap(60, seed=1))
    found = dominance(
        survey, made, "income", {"area": "north"}, {"area": "south"}, [1000, 3000], number=11
    )
    figure = plot(found)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["Order 1", "Order 2", "Order 3"]
    assert figure.axes[1].get_ylabel() == "difference of FGT(1)"


def test_figures_are_not_shown_twice(survey: pd.DataFrame) -> None:
    from matplotlib import pyplot

    before = pyplot.get_fignums()
    plot(estimate(survey, DESIGN, MEASURES[0]))
    assert pyplot.get_fignums() == before


def test_what_cannot_be_drawn(survey: pd.DataFrame) -> None:
    with pytest.raises(PovmonError, match="no table that can be drawn; give what estimate"):
        plot(survey)
    with pytest.raises(PovmonError, match="no table that can be drawn"):
        plot([1, 2])
    with pytest.raises(PovmonError, match="no rows"):
        plot(estimate(survey, DESIGN, MEASURES[0]).iloc[:0])
    many = lorenz_curve(survey, DESIGN, "income", "county", points=3)
    with pytest.raises(PovmonError, match="12 curves cannot be told apart"):
        plot(many)
