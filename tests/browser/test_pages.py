"""Rendered pages in a real browser: they work offline, without script, on a telephone."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
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


def _all(browser: Any, pages: list[Path], ask: Callable[[Path], list[str]]) -> None:
    """Ask every page, then fail with the complaints of all of them."""
    complaints = [f"{path.name}: {text}" for path in pages for text in ask(path)]
    assert not complaints, "\n".join(complaints)


def test_no_console_error_and_no_request(browser: Any, pages: list[Path]) -> None:
    def ask(path: Path) -> list[str]:
        page, complaints = checks.visit(browser, path)
        page.context.close()
        return list(complaints)

    _all(browser, pages, ask)


def test_no_boxes_for_glyphs(browser: Any, pages: list[Path]) -> None:
    def ask(path: Path) -> list[str]:
        page, _ = checks.visit(browser, path)
        found = checks.boxes(page, path.read_text("utf-8")) + checks.unloaded_fonts(page)
        page.context.close()
        return list(found)

    _all(browser, pages, ask)


def test_structure_images_and_links_hold(browser: Any, pages: list[Path]) -> None:
    def ask(path: Path) -> list[str]:
        page, _ = checks.visit(browser, path)
        found = checks.broken_structure(page)
        if path.name != "sample.html":
            found += checks.dead_links(page, path)
        page.context.close()
        return list(found)

    _all(browser, pages, ask)


def test_nothing_sticks_out_on_a_telephone(browser: Any, pages: list[Path]) -> None:
    def ask(path: Path) -> list[str]:
        page, _ = checks.visit(browser, path, width=checks.NARROW)
        found = checks.overflow(page)
        page.context.close()
        return list(found)

    _all(browser, pages, ask)


def test_readable_without_javascript(browser: Any, pages: list[Path]) -> None:
    def ask(path: Path) -> list[str]:
        page, complaints = checks.visit(browser, path, javascript=False)
        found = list(complaints)
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

    _all(browser, pages, ask)


def test_no_serious_accessibility_violation(browser: Any, pages: list[Path]) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
    )

    def ask(path: Path) -> list[str]:
        page, _ = checks.visit(browser, path)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        results = axe.Axe().run(page).response
        page.context.close()
        return [
            f"{v['impact']} {v['id']}: {v['nodes'][0]['html'][:120]}"
            for v in results["violations"]
            if v["impact"] in ("serious", "critical")
        ]

    _all(browser, pages, ask)


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
