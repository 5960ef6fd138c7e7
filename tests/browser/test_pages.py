"""Rendered pages in a real browser: they work offline, without script, on a telephone."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _checks() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "browser_checks", Path(__file__).with_name("checks.py")
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


checks = _checks()
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sample", "demo"])
def pages(request: pytest.FixtureRequest) -> list[Path]:
    """The sample page, and every page of the demo survey's reports."""
    if request.param == "sample":
        return [request.getfixturevalue("sample_page")]
    folder = Path(request.getfixturevalue("demo_reports"))
    found = sorted(folder.rglob("*.html"))
    assert found, f"there is no page below {folder}"
    return found


@pytest.fixture(scope="module")
def complaints(browser: Any, pages: list[Path]) -> dict[str, list[str]]:
    """Complaint about all pages by kind of check; every page is opened twice, no more."""
    axe = _axe()
    found: dict[str, list[str]] = {}
    for path in pages:
        answers = _with_script(browser, path, axe)
        answers["without script"] = _without_script(browser, path)
        for check, texts in answers.items():
            found.setdefault(check, []).extend(f"{path.name}: {text}" for text in texts)
    return found


def _axe() -> Any:
    try:
        from axe_playwright_python.sync_playwright import Axe
    except ImportError:
        return None
    return Axe()


def _with_script(browser: Any, path: Path, axe: Any) -> dict[str, list[str]]:
    page, console = checks.visit(browser, path)
    answers = {
        "glyphs": checks.boxes(page, path.read_text("utf-8")) + checks.unloaded_fonts(page),
        "structure": checks.broken_structure(page),
        "links": [] if path.name == "sample.html" else checks.dead_links(page, path),
    }
    page.set_viewport_size({"width": checks.NARROW, "height": 900})
    answers["narrow"] = checks.overflow(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    answers["console"] = list(console)
    if axe is not None:
        answers["accessibility"] = checks.violations(page, axe)
    page.context.close()
    return answers


def _without_script(browser: Any, path: Path) -> list[str]:
    page, console = checks.visit(browser, path, javascript=False)
    found = list(console)
    code = page.locator("details.code").first
    if page.locator("details.code").count():
        code.locator("summary").click()
        if not code.locator("pre").first.is_visible():
            found.append("the code does not open without JavaScript")
    if page.locator("header.page .tools button").count():
        found.append("a button that can do nothing without JavaScript")
    if not page.locator("main").inner_text().strip():
        found.append("no text without JavaScript")
    page.context.close()
    return found


@pytest.mark.parametrize(
    "check", ["console", "glyphs", "structure", "links", "narrow", "without script"]
)
def test_every_page(complaints: dict[str, list[str]], check: str) -> None:
    """No console error or request, no box glyph, whole structure, no dead link, no overflow."""
    assert not complaints[check], "\n".join(complaints[check])


def test_no_serious_accessibility_violation(complaints: dict[str, list[str]]) -> None:
    if "accessibility" not in complaints:
        pytest.skip("axe-playwright-python is not installed")
    assert not complaints["accessibility"], "\n".join(complaints["accessibility"])


def test_print_opens_what_is_folded(browser: Any, sample_page: Path) -> None:
    page, _ = checks.visit(browser, sample_page)
    page.emulate_media(media="print")
    assert not page.locator("details.code").first.is_visible()
    assert page.locator("details.fold table tbody tr").last.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('nav.contents')).display") == (
        "none"
    )
    page.context.close()


def test_show_all_code(browser: Any, sample_page: Path) -> None:
    page, _ = checks.visit(browser, sample_page)
    page.get_by_role("button", name="Show all code").click()
    closed = page.locator("details.code:not([open])").count()
    page.get_by_role("button", name="Hide all code").click()
    assert closed == 0
    assert page.locator("details.code[open]").count() == 0
    page.context.close()


def test_sorting_by_number_keeps_rows_without_value_last(browser: Any, sample_page: Path) -> None:
    page, _ = checks.visit(browser, sample_page)
    table = page.locator("figure", has_text="To be sorted").locator("table")
    button = table.locator("thead button", has_text="Amount")
    shown = []
    for _ in range(2):
        button.click()
        texts = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
        shown.append([re.sub(r"\D", "", text) for text in texts])
    assert shown == [["9", "20", "1000", ""], ["1000", "20", "9", ""]]
    assert table.locator("th[aria-sort='descending']").count() == 1
    page.context.close()


def test_the_checks_find_what_they_look_for(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.html"
    path.write_text(
        '<!DOCTYPE html><meta charset="utf-8"><title>x</title><body><h1>a</h1><h1>b</h1>'
        '<img src="http://127.0.0.1:9/x.png"><a href="#nowhere">乌</a><a href="gone.html">g</a>'
        '<p id="p" style="width:2000px">wide</p><p id="p"></p><script>fail()</script>',
        "utf-8",
    )
    page, console = checks.visit(browser, path, width=checks.NARROW)
    found = [
        *console,
        *checks.boxes(page, path.read_text("utf-8")),
        *checks.unloaded_fonts(page),
        *checks.overflow(page),
        *checks.broken_structure(page),
        *checks.dead_links(page, path),
    ]
    page.context.close()
    for complaint in (
        "request for http://127.0.0.1:9/x.png", "script error", "no glyph for '乌'",
        "embeds no font", "in a window of 360 px", "not exactly one h1",
        "an image without alt text", "dead anchor #nowhere", "repeated id p", "dead link gone.html",
    ):  # fmt: skip
        assert any(complaint in text for text in found), complaint
