"""The frame of a page."""

from __future__ import annotations

import base64
import hashlib
import logging
import re

import pytest

from povmon.errors import PovmonError
from povmon.present.page import render_page, slug

BODY = (
    "<h1>Dropped</h1><h2>One</h2><h3>Part</h3><h2>One</h2>"
    '<figure class="povmon-table"><figcaption>t</figcaption></figure>'
    '<figure class="povmon-figure"><img src="data:x" alt="a"><figcaption>f</figcaption></figure>'
    '<figure class="povmon-table"><figcaption>u</figcaption></figure>'
)


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(
        "Wumeng <乌蒙>",
        BODY,
        provenance={"survey": "demo", "data": {"b": "2", "a": "1<"}},
        synthetic_notice="Generated & calibrated.",
        breadcrumbs=[("All areas", "../index.html")],
    )


def test_contents_list_has_the_headings_with_unique_anchors(page: str) -> None:
    contents = re.search(r'<nav class="contents".*?</nav>', page, re.DOTALL)
    assert contents is not None
    assert re.findall(r'href="#([^"]+)"', contents.group()) == ["one", "part", "one-2"]
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {"one", "part", "one-2", "content"} <= set(ids)


def test_one_h1_and_the_notebooks_own_is_dropped(page: str) -> None:
    assert page.count("<h1") == 1
    assert "Dropped" not in page


def test_captions_are_numbered_by_kind(page: str) -> None:
    labels = re.findall(r'<span class="label">([^<]+)</span> (\w)', page)
    assert labels == [("Table 1.", "t"), ("Figure 1.", "f"), ("Table 2.", "u")]
    assert 'id="table-2"' in page


def test_landmarks_language_and_banner(page: str) -> None:
    for part in (
        '<html lang="en">',
        '<a class="skip" href="#content">',
        '<main id="content"',
        "<footer",
        "Generated &amp; calibrated.",
        '<a href="../index.html">All areas</a>',
    ):
        assert part in page
    assert "<title>Wumeng &lt;乌蒙&gt;</title>" in page
    assert 'class="notice"' not in render_page("x", "")


def test_policy_allows_only_the_pages_own_script(page: str) -> None:
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script.group(1).encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in page
    assert "default-src &#39;none&#39;" in page
    assert page.count("<script") == 1


def test_nothing_is_fetched(page: str) -> None:
    bare = re.sub(r"data:[a-z0-9/+]+;base64,[A-Za-z0-9+/=]*", "", page)
    assert not re.search(r"https?://|@import|url\((?!\))", bare)


@pytest.mark.parametrize(
    "body",
    [
        '<script src="x.js"></script>',
        '<img alt="a" src="https://example.org/x.png">',
        "<img alt='a' src='x.png'>",
        '<link rel="stylesheet" href="x.css">',
        '<iframe src="x"></iframe>',
    ],
)
def test_what_would_fetch_is_refused(body: str) -> None:
    with pytest.raises(PovmonError, match="from outside"):
        render_page("x", body)


def test_repeated_ids_and_unknown_languages_are_refused() -> None:
    with pytest.raises(PovmonError, match="more than once in the page: a"):
        render_page("x", '<p id="a"></p><p id="a"></p>')
    with pytest.raises(PovmonError, match="use one of: en, zh"):
        render_page("x", "", language="fr")


def test_a_second_language_changes_the_pages_own_words() -> None:
    page = render_page("标题", BODY, language="zh")
    assert '<html lang="zh">' in page
    assert "表 1." in page
    assert "目录" in page


def test_provenance_is_sorted_and_escaped(page: str) -> None:
    footer = page.partition('<footer class="page">')[2]
    assert "<dt>Survey</dt><dd><code>demo</code></dd>" in footer
    assert footer.index("a: <code>1&lt;</code>") < footer.index("b: <code>2</code>")


def test_the_same_arguments_give_the_same_bytes(page: str) -> None:
    assert render_page("t", BODY) == render_page("t", BODY)


def test_a_character_without_a_glyph_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        render_page("x", "<p>\U00020000 fine 乌</p>")
    assert "U+20000" in caplog.text
    assert "乌" not in caplog.text.replace("fine", "")


def test_slug_keeps_every_script() -> None:
    assert slug("What <em>it</em> shows & why") == "what-it-shows-why"
    assert slug("乌蒙 Area") == "乌蒙-area"
    assert slug("!!") == "section"
