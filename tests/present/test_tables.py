"""Tables and sentences made from the estimates table."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.present import labels, tables
from povmon.present.display import Table, Text


def test_select_keeps_the_order_asked_for(estimates: pd.DataFrame) -> None:
    rows = tables.select(estimates, ["gini", "headcount"], "area", "wumeng")
    assert list(rows["indicator"]) == ["gini", "headcount"]
    assert len(estimates) == len(tables.select(estimates))


def test_money_is_written_in_the_surveys_unit(estimates: pd.DataFrame) -> None:
    rows = tables.select(estimates, "income_mean", "area", "wumeng")
    assert list(rows["unit"]) == ["yuan"]


def test_estimates_stand_with_their_interval_and_sample(estimates: pd.DataFrame) -> None:
    table = tables.estimates_table(estimates, ["headcount", "gini"], "area", "wumeng")
    assert isinstance(table, Table)
    html = table._repr_html_()
    assert "10.0\u202f%" in html
    assert "6.5 to 13.5" in html
    headcount = tables.select(estimates, "headcount", "area", "wumeng").iloc[0]
    assert "Standard error" in html
    assert f">{100 * headcount['se']:.1f}<" in html
    assert "0.351" in html
    assert "Wumeng Mountain Area 乌蒙山区" in table.caption


def test_counties_are_named_in_both_scripts_and_marked(estimates: pd.DataFrame) -> None:
    html = tables.estimates_table(estimates, "headcount", "county")._repr_html_()  # type: ignore[union-attr]
    assert "昭阳区" in html
    assert 'title="fewer than 8 degrees of freedom">use with caution</abbr><sup>' in html
    assert "fewer than 8 degrees of freedom" in html.partition("</table>")[2]


def test_withheld_estimates_give_their_reason(estimates: pd.DataFrame) -> None:
    html = tables.estimates_table(estimates, "dangerous_housing", "county")._repr_html_()  # type: ignore[union-attr]
    assert "fewer than 30 households" in html
    assert "not shown" in html
    assert "nan" not in html


def test_county_form_figures_have_no_interval_and_say_why(estimates: pd.DataFrame) -> None:
    html = tables.estimates_table(estimates, "county_registered_poor", "county")._repr_html_()  # type: ignore[union-attr]
    assert "81,234" in html
    assert tables.NO_ERROR in html


def test_comparison_puts_the_interval_below_the_estimate(estimates: pd.DataFrame) -> None:
    table = tables.comparison_table(
        estimates, ["headcount", "income_mean", "gini"], order_by="headcount"
    )
    assert isinstance(table, Table)
    html = table._repr_html_()
    assert '26.1 <span class="below">(22.6 to 29.6)</span>' in html
    assert html.index("Dabie") < html.index("Wumeng")  # ordered by headcount
    assert 'data-sort="0.2613"' in html
    assert "fewer than 30 households" in html


def test_nothing_to_show_is_a_sentence(estimates: pd.DataFrame) -> None:
    for made in (
        tables.estimates_table(estimates, "pension_60", "area"),
        tables.comparison_table(estimates, ["pension_60"]),
        tables.headline(estimates, "pension_60"),
    ):
        assert isinstance(made, Text)
        assert made.markdown.startswith("*Nothing is shown here on ")


def test_headline_names_line_and_interval(estimates: pd.DataFrame) -> None:
    text = tables.headline(estimates, "headcount", "area", "wumeng").markdown
    assert text == (
        "In Wumeng Mountain Area 乌蒙山区, **10.0\u202f%** of persons "
        "(95\u202f% interval 6.5 to 13.5) lived below 2,300\u202fyuan a person a year."
    )


def test_headline_of_a_withheld_figure_says_so(estimates: pd.DataFrame) -> None:
    text = tables.headline(estimates, "income_mean", "area", "dabie").markdown
    assert "is not shown: fewer than 30 households" in text


def test_headline_does_not_guess_a_domain(estimates: pd.DataFrame) -> None:
    assert "no domain was named" in tables.headline(estimates, "headcount").markdown


def test_many_rows_share_their_reasons(samples: Any) -> None:
    from povmon import reference

    codes = reference.counties()["county_id"].head(40)
    rows = [
        samples.row(
            "county", code, "headcount", 0.3, flag="caution", reason=f"interval {i} points wide"
        )
        for i, code in enumerate(codes, start=20)
    ]
    table = tables.comparison_table(pd.DataFrame(rows), ["headcount"], "county")
    html = table._repr_html_()  # type: ignore[union-attr]
    assert html.count("<li>") == 1
    assert "use with caution: wide interval" in html
    assert 'title="interval 25 points wide"' in html


def test_survey_names_are_untrusted(estimates: pd.DataFrame) -> None:
    names = {"wumeng": "<img src=x onerror=alert(1)>"}
    text = tables.headline(estimates, "gini", "area", "wumeng", names=names).markdown
    assert "<img" not in text


def test_published_comparison_gives_the_reason(estimates: pd.DataFrame) -> None:
    entry = SimpleNamespace(
        indicator="headcount", domain_kind="area", domain="wumeng", value=0.374, unit="share",
        source="yearbook", reason="other weights",
    )  # fmt: skip
    other = SimpleNamespace(**{**vars(entry), "domain": "nowhere"})
    table = tables.published_comparison(estimates, [entry, other])
    assert isinstance(table, Table)
    html = table._repr_html_()
    for part in ("37.4", "10.0", "other weights", "yearbook", "not estimated here"):
        assert part in html
    assert isinstance(tables.published_comparison(estimates, []), Text)


def test_labels_come_from_catalogue_and_forms() -> None:
    assert labels.indicator("headcount").en == "Poverty headcount"
    assert labels.indicator("headcount@food", "vlss1998").en == (
        "Poverty headcount (food poverty line)"
    )
    assert labels.domain_names("sex")["female"] == "Female"
    assert labels.whole("demo") == "the 2 areas combined"
    assert labels.domain_names("area", "vlss1998")["rural"] == "Rural communes 农村"
    with pytest.raises(PovmonError, match="unknown indicator 'headcuont'"):
        labels.indicator("headcuont")


def test_two_surveys_are_not_mixed(estimates: pd.DataFrame) -> None:
    mixed: Any = pd.concat([estimates, estimates.assign(survey="vlss1998")])
    with pytest.raises(PovmonError, match="several surveys"):
        labels.survey_of(mixed)
