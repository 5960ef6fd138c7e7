"""The frame of every page: head, banner, contents list, body, provenance, fonts.

`render_page` takes the body as HTML and gives a whole page that needs no other file and no
network. The notebook exporter, the index and the codebook all end here, so they look alike.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape, unescape
from importlib import resources
from pathlib import Path
from typing import Any

from povmon.errors import PovmonError
from povmon.present import webfonts

log = logging.getLogger(__name__)

Provenance = Mapping[str, Any]

# The page's own words, by language; everything else comes from the notebook.
TEXT: dict[str, dict[str, str]] = {
    "en": {
        "skip": "Skip to the content",
        "breadcrumb": "Where this page stands",
        "contents": "Contents",
        "code": "Code",
        "table": "Table",
        "figure": "Figure",
        "synthetic": "Synthetic data.",
        "provenance": "How this page was made",
        "fonts": "The glyphs in this page come from Noto Sans CJK, under the SIL Open Font "
        "License 1.1, and from DejaVu Sans.",
    },
    "zh": {
        "skip": "跳到正文",
        "breadcrumb": "本页位置",
        "contents": "目录",
        "code": "代码",
        "table": "表",
        "figure": "图",
        "synthetic": "模拟数据。",
        "provenance": "本页的生成",
        "fonts": "本页字形取自 Noto Sans CJK（SIL 开放字体许可 1.1）和 DejaVu Sans。",
    },
}

_FIGURE = re.compile(r'<figure class="povmon-(table|figure)">')
_HEADING = re.compile(r"<h([1-6])(?: [^>]*)?>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_ID = re.compile(r'<[a-zA-Z][^<>]*? id="([^"]*)"')
_FETCHES = re.compile(
    r"<(?:script|iframe|object|embed|link|base|form|video|audio)\b"
    r"|<(?:img|source)\b[^>]*?\ssrc=(?![\"']?data:)[^\s>]{0,60}",
    re.IGNORECASE,
)


def words(language: str) -> dict[str, str]:
    """The page's own words in a language (`en`, `zh`)."""
    if language not in TEXT:
        raise PovmonError(
            f"pages cannot be written in the language {language!r}",
            where="language",
            todo=f"use one of: {', '.join(TEXT)}",
        )
    return TEXT[language]


def slug(text: str) -> str:
    """A heading as an anchor: letters and digits of any script, joined by hyphens."""
    plain = unicodedata.normalize("NFKC", unescape(_TAG.sub("", text))).lower()
    return re.sub(r"[^\w]+", "-", plain).strip("-_") or "section"


class _Ids:
    """Gives out ids once: a second "results" becomes "results-2"."""

    def __init__(self, taken: Sequence[str] = ()) -> None:
        self._taken = set(taken)

    def give(self, wanted: str) -> str:
        name, count = wanted, 2
        while name in self._taken:
            name, count = f"{wanted}-{count}", count + 1
        self._taken.add(name)
        return name


def _without_first_h1(body: str) -> str:
    """The page has its own h1; the notebook's title, its first heading, would repeat it."""
    found = _HEADING.search(body)
    if found and found.group(1) == "1":
        return body[: found.start()] + body[found.end() :]
    return body


def _anchor_headings(body: str, ids: _Ids) -> tuple[str, list[tuple[int, str, str]]]:
    """Give every heading an id; returns the body and (level, id, text) of each h2 and h3."""
    entries: list[tuple[int, str, str]] = []

    def renew(match: re.Match[str]) -> str:
        level, inner = max(2, int(match.group(1))), match.group(2).strip()
        name = ids.give(slug(inner))
        if level <= 3:
            entries.append((level, name, _TAG.sub("", inner)))
        return f'<h{level} id="{name}">{inner}</h{level}>'

    return _HEADING.sub(renew, body), entries


def _contents(entries: list[tuple[int, str, str]]) -> str:
    """The contents list, two levels deep."""
    parts: list[str] = []
    inside = False
    for level, name, text in entries:
        if level == 3 and not inside and parts:
            parts[-1] = parts[-1].removesuffix("</li>")
            parts.append("<ol>")
            inside = True
        elif level == 2 and inside:
            parts.append("</ol></li>")
            inside = False
        parts.append(f'<li><a href="#{name}">{text}</a></li>')
    if inside:
        parts.append("</ol></li>")
    return f"<ol>{''.join(parts)}</ol>" if parts else ""


def _number_captions(body: str, ids: _Ids, text: Mapping[str, str]) -> str:
    """ "Table 1", "Figure 1" before the captions, with an anchor on each figure element."""
    counts: Counter[str] = Counter()
    pieces: list[str] = []
    end = 0
    for match in _FIGURE.finditer(body):
        kind = match.group(1)
        caption = body.find("<figcaption>", match.end())
        if caption < 0:
            raise PovmonError(f"a {kind} of the page has no caption", where="page")
        counts[kind] += 1
        name = ids.give(f"{kind}-{counts[kind]}")
        label = f"{text[kind]} {counts[kind]}."
        pieces += [
            body[end : match.start()],
            f'<figure class="povmon-{kind}" id="{name}">',
            body[match.end() : caption],
            f'<figcaption><span class="label">{label}</span> ',
        ]
        end = caption + len("<figcaption>")
    return "".join(pieces) + body[end:]


_PROVENANCE_NAMES = {
    "survey": "Survey",
    "parameters": "Parameters",
    "data": "Data (SHA-256)",
    "packages": "Package versions",
    "source": "Source digest",
    "source_digest": "Source digest",
    "python": "Python",
    "notebook": "Notebook",
}


def _provenance(provenance: Provenance) -> str:
    """The provenance as a definition list; mappings within it become lists."""
    parts = []
    for key, value in provenance.items():
        name = _PROVENANCE_NAMES.get(key, str(key).replace("_", " ").capitalize())
        parts.append(f"<dt>{escape(name)}</dt><dd>{_provenance_value(value)}</dd>")
    return f'<dl class="provenance">{"".join(parts)}</dl>'


def _provenance_value(value: Any) -> str:
    if isinstance(value, Mapping):
        items = sorted((str(k), v) for k, v in value.items())
        lines = [f"<li>{escape(k)}: <code>{escape(str(v))}</code></li>" for k, v in items]
        listed = f"<ul>{''.join(lines)}</ul>"
        if len(items) <= 6:
            return listed
        return f'<details class="fold"><summary>{len(items)} entries</summary>{listed}</details>'
    if isinstance(value, (list, tuple)):
        return f"<ul>{''.join(f'<li>{escape(str(v))}</li>' for v in value)}</ul>"
    return f"<code>{escape(str(value))}</code>"


@cache
def template_folder() -> Path:
    """Where the package's templates, style and script lie."""
    return Path(str(resources.files("povmon.present"))) / "template"


@cache
def _asset(name: str) -> str:
    return (template_folder() / name).read_text("utf-8")


@cache
def _frame() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(template_folder()), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html.j2")


def _policy(script: str) -> str:
    """Only this page's own script runs, and nothing is fetched from anywhere."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _check(html: str, title: str) -> None:
    """Refuse a page with repeated ids; tell of characters that no font can draw."""
    plain = re.sub(r"data:[a-z/+\-0-9]+;base64,[A-Za-z0-9+/=]*", "data:", html)
    repeated = [name for name, count in Counter(_ID.findall(plain)).items() if count > 1]
    if repeated:
        raise PovmonError(
            f"an id stands more than once in the page: {', '.join(sorted(repeated))}",
            where=title,
            todo="give the notebook's cells different ids",
        )
    absent = webfonts.missing(html)
    if absent:
        listed = " ".join(f"{c} (U+{ord(c):04X})" for c in sorted(absent))
        log.warning("%s: no glyph in the package's fonts for %s", title, listed)


def render_page(
    title: str,
    body_html: str,
    *,
    subtitle: str = "",
    provenance: Provenance | None = None,
    synthetic_notice: str | None = None,
    language: str = "en",
    breadcrumbs: Sequence[tuple[str, str]] = (),
    contents: bool = True,
) -> str:
    """A whole page from the HTML of its body.

    Parameters
    ----------
    title : plain text, for the window and the one h1.
    body_html : trusted HTML (of notebooks, `Table` and `Figure`); a leading h1 is dropped.
    subtitle : plain text under the title.
    provenance : what the footer tells: key and text, list or mapping (survey, parameters, data
        hashes, package versions, source digest).
    synthetic_notice : plain text of the banner on generated data; None for real data.
    language : `en` or `zh`: the page's own words.
    breadcrumbs : (label, relative address) of the pages above this one.
    contents : show the list of h2 and h3.

    Returns
    -------
    str : HTML; the same arguments give the same bytes.

    Raises
    ------
    PovmonError : unknown language, a repeated id, or an element that would fetch something.
    """
    text = words(language)
    fetching = _FETCHES.search(body_html)
    if fetching:
        raise PovmonError(
            f"the page would need something from outside: {fetching.group(0)[:80]}",
            where=title,
            todo="pages carry everything inside; use povmon.present.display.Figure for pictures",
        )
    ids = _Ids(["content", "contents-heading", "provenance", *_ID.findall(body_html)])
    body = _number_captions(_without_first_h1(body_html), ids, text)
    body, entries = _anchor_headings(body, _Ids(_ids_of_others(body)))
    values: dict[str, Any] = {
        "title": title,
        "subtitle": subtitle,
        "body": body,
        "contents": _contents(entries) if contents else "",
        "provenance": _provenance(provenance) if provenance else "",
        "synthetic_notice": synthetic_notice,
        "language": language,
        "breadcrumbs": breadcrumbs,
        "text": text,
        "style": _asset("page.css"),
        "script": _asset("page.js"),
        "policy": _policy(_asset("page.js")),
    }
    bare = _frame().render(fonts="", **values)
    html = _frame().render(fonts=webfonts.font_css(bare), **values)
    _check(html, title)
    return html


def _ids_of_others(body: str) -> list[str]:
    """Ids that stay: those of everything but headings, which get theirs anew."""
    return [
        "content",
        "contents-heading",
        "provenance",
        *_ID.findall(_HEADING.sub("", body)),
    ]
