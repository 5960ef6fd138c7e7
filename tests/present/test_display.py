"""What a cell shows: text, tables and figures."""

from __future__ import annotations

import base64
import re
from typing import Any

import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.present import style
from povmon.present.display import (
    Column,
    Figure,
    Marked,
    Suppressed,
    Table,
    Text,
    escape_markdown,
)

EVIL = '<script>alert("x")</script>'


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "county": [EVIL, "Bijie 毕节"],
            "estimate": [0.3821, float("nan")],
            "n": pd.array([1640, 12], dtype="Int64"),
            "reason": ["", "fewer than 30 <households>"],
        }
    )


def table(frame: pd.DataFrame, **others: Any) -> str:
    columns = [
        Column("county", "County"),
        Column("estimate", "Headcount", "%", "percent"),
        "n",
    ]
    return Table(frame, "Poverty & more", columns=columns, **others)._repr_html_()


def test_survey_strings_are_escaped_everywhere(frame: pd.DataFrame) -> None:
    html = table(frame, note=EVIL)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 2
    assert "Poverty &amp; more" in html
    assert 'title="fewer than 30 &lt;households&gt;"' in html
    assert "<script" not in Table(frame, EVIL)._repr_markdown_()


def test_numbers_stand_right_and_heads_have_a_scope(frame: pd.DataFrame) -> None:
    html = table(frame)
    assert '<th scope="col" class="right">Headcount <span class="unit">%</span></th>' in html
    assert '<th scope="row" class="left">' in html
    assert '<td class="right" data-sort="0.3821">38.2</td>' in html
    assert ">1,640</td>" in html


def test_a_suppressed_cell_shows_its_reason_in_words_below(frame: pd.DataFrame) -> None:
    html = table(frame)
    assert '<abbr title="fewer than 30 &lt;households&gt;">–</abbr><sup>a</sup>' in html
    below = html.partition("</table>")[2]
    assert "<sup>a</sup> fewer than 30 &lt;households&gt;" in below


def test_reasons_are_numbered_by_appearance_and_shared() -> None:
    cells = [
        Suppressed("one"),
        Suppressed("two"),
        Suppressed("one"),
        Marked("5", "three", "4 to 6"),
    ]
    html = Table(pd.DataFrame({"k": list("abcd"), "v": cells}), "c")._repr_html_()
    assert re.findall(r"</abbr><sup>(\w)</sup>", html) == ["a", "b", "a"]
    assert '5<sup>c</sup> <span class="below">(4 to 6)</span>' in html


def test_a_missing_value_without_a_reason_is_still_explained() -> None:
    html = Table(pd.DataFrame({"k": ["x"], "v": [float("nan")]}), "c")._repr_html_()
    assert "no value" in html.partition("</table>")[2]


def test_long_tables_fold_and_scroll() -> None:
    long = pd.DataFrame({"k": range(680)})
    html = Table(long, "c")._repr_html_()
    assert '<details class="fold"><summary>Show the table (680 rows)</summary>' in html
    assert 'class="scroll" tabindex="0"' in html
    assert "<details" not in Table(long, "c", fold=False)._repr_html_()


def test_sortable_and_totals(frame: pd.DataFrame) -> None:
    html = table(frame, sortable=True, total_rows=1)
    assert '<table class="sortable">' in html
    assert html.index("<tfoot>") > html.index("</tbody>")


def test_links_lead_only_into_the_reports() -> None:
    good = pd.DataFrame({"k": ["a"], "to": ["wumeng/audit.html"]})
    column = Column("k", link="to")
    assert '<a href="wumeng/audit.html">a</a>' in Table(good, "c", columns=[column])._repr_html_()
    for target in ("javascript:alert(1)", "https://example.org", "//example.org", " data:x"):
        bad = pd.DataFrame({"k": ["a"], "to": [target]})
        with pytest.raises(PovmonError, match="outside the reports"):
            Table(bad, "c", columns=[column])._repr_html_()


def test_bad_tables_are_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(PovmonError, match="caption"):
        Table(frame, " ")
    with pytest.raises(PovmonError, match="no column 'nothing'"):
        Table(frame, "c", columns=["nothing"])
    with pytest.raises(PovmonError, match="unknown column format"):
        Table(frame, "c", columns=[Column("n", format="roman")])._repr_html_()


def test_text_is_markdown_and_names_are_made_safe() -> None:
    assert Text("a **b**")._repr_markdown_() == "a **b**"
    safe = escape_markdown("*Wu_meng* [x](y) <b>&\n# new")
    assert "<" not in safe
    assert "\n" not in safe
    assert "\\*Wu\\_meng\\*" in safe
    assert (Text("a") + Text("b")).markdown == "a\n\nb"


def drawing() -> Any:
    figure, axes = style.figure(4, 2)
    axes.plot([1, 2, 3], [1, 4, 2], label="乌蒙")
    axes.set_title("乌蒙山区 $5 to $6")
    axes.legend()
    return figure


def test_the_same_figure_gives_the_same_bytes() -> None:
    first, second = (Figure(drawing(), "c", "a") for _ in range(2))
    assert first.src == second.src
    svg = base64.b64decode(first.src.partition(",")[2]).decode()
    assert "<metadata" not in svg
    assert "<text" not in svg  # outlines: no font of the reader's machine is needed


def test_figures_need_caption_and_alt_text() -> None:
    with pytest.raises(PovmonError, match="alt text"):
        Figure(drawing(), "c", "  ")
    with pytest.raises(PovmonError, match="caption"):
        Figure(drawing(), "", "a")


def test_figure_markup_is_escaped_and_raster_is_png() -> None:
    made = Figure(drawing(), "<c>", 'a "quoted" <alt>', raster=True)
    html = made._repr_html_()
    assert html.count("data:image/png;base64,") == 1
    assert 'alt="a &quot;quoted&quot; &lt;alt&gt;"' in html
    assert "<figcaption>&lt;c&gt;</figcaption>" in html
    assert 370 < made.width < 400


def test_chinese_is_drawn_from_the_package_without_warnings(
    recwarn: pytest.WarningsRecorder, caplog: pytest.LogCaptureFixture
) -> None:
    Figure(drawing(), "c", "a")
    assert [w for w in recwarn if "Glyph" in str(w.message)] == []
    assert "findfont" not in caplog.text
