"""Fonts inside a page: only the glyphs that the page uses, as WOFF2 data.

So a page looks the same on every machine, and stays small. The regular, bold and Chinese faces
are the package's own; code, and the rare letter that these lack (Vietnamese, for instance), is
taken from the DejaVu fonts that come with matplotlib.

Reducing a font takes up to half a second, and most pages need the same letters as before: what
was made once is kept (`povmon.memo`).
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import unicodedata
from functools import cache
from importlib.metadata import version
from pathlib import Path

from povmon.memo import kept
from povmon.present.style import font_path

_DATA = re.compile(r"data:[a-z/+\-0-9]+;base64,[A-Za-z0-9+/=]*")
_ENTITY = re.compile(r"&(#x?[0-9a-fA-F]+|[A-Za-z]+);")
_ALWAYS = frozenset(map(chr, range(0x20, 0x7F))) | set("–−▲▼\u00a0\u202f")
_CODE = re.compile(r"<(?:pre|code)\b.*?</(?:pre|code)>", re.DOTALL)

# CSS family, weight, file; a character goes to the first family of its chain that has it.
_SANS, _BOLD, _CHINESE = "PovmonSans-Regular.otf", "PovmonSans-Bold.otf", "PovmonSansSC-Regular.otf"
_EXTRA, _MONO = "DejaVuSans.ttf", "DejaVuSansMono.ttf"


def _file(name: str) -> Path:
    if name.startswith("DejaVu"):
        import matplotlib

        return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return font_path(name)


@cache
def coverage(name: str) -> frozenset[str]:
    """All characters that a font file can draw."""
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    with TTFont(_file(name), lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


def characters(html: str) -> frozenset[str]:
    """The characters that a page can show: its text and its attributes, without image data."""
    from html import unescape

    plain = _DATA.sub("", html)
    found = set(plain) | set("".join(unescape(m.group()) for m in _ENTITY.finditer(plain)))
    return frozenset(c for c in found if unicodedata.category(c) not in {"Cc", "Cf"})


def missing(html: str) -> frozenset[str]:
    """Characters of a page that none of the embedded fonts can draw (they would be boxes)."""
    have = coverage(_SANS) | coverage(_CHINESE) | coverage(_EXTRA)
    return characters(html) - have


@cache
def woff2(name: str, chars: frozenset[str]) -> bytes:
    """A font file reduced to `chars`, compressed; the same arguments give the same bytes."""
    return kept("fonts", [_origin(name), "".join(sorted(chars))], lambda: _reduce(name, chars))


@cache
def _origin(name: str) -> str:
    """What a reduced font depends on besides its characters: source, tools, this module."""
    tools = [f"{tool} {version(tool)}" for tool in ("fonttools", "brotli")]
    sources = [hashlib.sha256(p.read_bytes()).hexdigest() for p in (_file(name), Path(__file__))]
    return " ".join([*tools, *sources])


def _reduce(name: str, chars: frozenset[str]) -> bytes:
    from fontTools import subset  # type: ignore[import-untyped]
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.name_IDs = [0, 13, 14]  # copyright and licence stay inside the font
    options.notdef_outline = True
    options.recalc_timestamp = False
    options.drop_tables += ["DSIG", "FFTM", "GDEF", "GPOS", "GSUB", "kern"]
    buffer = io.BytesIO()
    with TTFont(_file(name), lazy=True, recalcTimestamp=False) as font:
        worker = subset.Subsetter(options)
        worker.populate(text="".join(sorted(chars)))
        worker.subset(font)
        font.flavor = "woff2"
        font.save(buffer)
    return buffer.getvalue()


def _face(family: str, weight: int, name: str, chars: frozenset[str]) -> str:
    data = base64.b64encode(woff2(name, chars)).decode()
    return (
        f'@font-face{{font-family:"{family}";font-weight:{weight};'
        f'src:url(data:font/woff2;base64,{data}) format("woff2")}}'
    )


def font_css(html: str, letters: str = "") -> str:
    """The `@font-face` rules with all glyphs that a page needs.

    Parameters
    ----------
    html : the page (data URIs in it are left out of the count).
    letters : further characters to carry, so that pages of one kind share their fonts.

    Returns
    -------
    str : CSS; families ``Povmon``, ``Povmon SC``, ``Povmon Extra`` and ``Povmon Mono``.
    """
    used = characters(html) | characters(letters) | _ALWAYS
    sans = used & coverage(_SANS)
    chinese = (used - sans) & coverage(_CHINESE)
    extra = (used - sans - chinese) & coverage(_EXTRA)
    code = characters(" ".join(_CODE.findall(html))) | frozenset(map(chr, range(0x20, 0x7F)))
    plan = [
        ("Povmon", 400, _SANS, sans),
        ("Povmon", 700, _BOLD, sans),
        ("Povmon SC", 400, _CHINESE, chinese),
        ("Povmon Extra", 400, _EXTRA, extra),
        ("Povmon Mono", 400, _MONO, code & coverage(_MONO) if _CODE.search(html) else frozenset()),
    ]
    rules = [
        _face(family, weight, name, frozenset(chars))
        for family, weight, name, chars in plan
        if chars
    ]
    return "\n".join(rules)
