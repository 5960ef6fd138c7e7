"""What is asked of a rendered page; each function gives the complaints in words."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

_FACE = re.compile(r'font-family:"([^"]+)"[^}]*?data:font/woff2;base64,([^)]*)\)')
_INVISIBLE = {"\n", "\t", "\r", "\u200b", "\ufeff"}
NARROW = 360  # CSS pixels of a small telephone


def visit(
    browser: Any, path: Path, *, javascript: bool = True, width: int = 1280
) -> tuple[Any, list[str]]:
    """Open a page offline; returns it and what it complained of or asked the network for."""
    context = browser.new_context(
        java_script_enabled=javascript, viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    complaints: list[str] = []

    def on_console(message: Any) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"console {message.type}: {message.text}")

    def on_request(request: Any) -> None:
        if not request.url.startswith(("file://", "data:")):
            complaints.append(f"request for {request.url}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
    page.on("request", on_request)
    page.goto(path.as_uri(), wait_until="load")
    return page, complaints


def embedded_characters(html: str) -> set[str]:
    """All characters that the fonts inside a page can draw."""
    found: set[str] = set()
    for _, data in _FACE.findall(html):
        with TTFont(io.BytesIO(base64.b64decode(data))) as font:
            found |= set(map(chr, font.getBestCmap()))
    return found


def boxes(page: Any, html: str) -> list[str]:
    """Characters of the page's text, and of its attributes, without a glyph in its own fonts."""
    text = page.evaluate(
        """() => {
            const parts = [document.body.textContent];
            for (const node of document.querySelectorAll("script, style")) {
                parts[0] = parts[0].replace(node.textContent, "");
            }
            return parts.join("");
        }"""
    )
    missing = sorted(set(text) - embedded_characters(html) - _INVISIBLE)
    return [f"no glyph for {c!r} (U+{ord(c):04X})" for c in missing]


def unloaded_fonts(page: Any) -> list[str]:
    """Embedded fonts that the browser refused."""
    states = page.evaluate(
        """async () => {
            const faces = Array.from(document.fonts);
            await Promise.all(faces.map(face => face.load().catch(() => null)));
            return faces.map(face => [face.family, face.status]);
        }"""
    )
    if not states:
        return ["the page embeds no font"]
    return [f"font {family} is {state}" for family, state in states if state != "loaded"]


def overflow(page: Any) -> list[str]:
    """Whether the page is wider than its window."""
    wide, window = page.evaluate(
        "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    if wide <= window:
        return []
    culprits = page.evaluate(
        """width => Array.from(document.querySelectorAll("body *"))
            .filter(e => e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll, pre"))
            .slice(0, 3).map(e => e.tagName + "." + e.className)""",
        window,
    )
    return [f"{wide} px wide in a window of {window} px: {', '.join(culprits)}"]


def broken_structure(page: Any) -> list[str]:
    """Landmarks, alt texts, anchors and links that do not hold."""
    found: list[str] = page.evaluate(
        """() => {
            const bad = [];
            const all = selector => Array.from(document.querySelectorAll(selector));
            if (all("h1").length !== 1) bad.push("not exactly one h1");
            if (all("main").length !== 1) bad.push("not exactly one main");
            if (!document.documentElement.lang) bad.push("no language");
            for (const image of all("img")) {
                if (!image.alt.trim()) bad.push("an image without alt text");
                if (!image.complete || image.naturalWidth === 0) bad.push("an image that fails");
            }
            for (const link of all('a[href^="#"]')) {
                const id = decodeURIComponent(link.getAttribute("href").slice(1));
                if (!document.getElementById(id)) bad.push("dead anchor #" + id);
            }
            const seen = new Set();
            for (const node of all("[id]")) {
                if (seen.has(node.id)) bad.push("repeated id " + node.id);
                seen.add(node.id);
            }
            return bad;
        }"""
    )
    return found


def dead_links(page: Any, path: Path) -> list[str]:
    """Relative links that lead to no file."""
    targets = page.evaluate(
        """() => Array.from(document.querySelectorAll("a[href]"))
            .map(a => a.getAttribute("href")).filter(h => !h.startsWith("#"))"""
    )
    bad = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        if not (path.parent / target.partition("#")[0]).is_file():
            bad.append(f"dead link {target}")
    return bad


def violations(page: Any, axe: Any) -> list[str]:
    """What axe calls serious or critical, with everything that folds opened first."""
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    return [
        f"{found['impact']} {found['id']}: {found['nodes'][0]['html'][:120]}"
        for found in axe.run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
