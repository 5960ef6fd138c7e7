"""Fonts of the package, and fonts inside a page."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from povmon import paths, reference
from povmon.present import style, webfonts


def embedded(css: str) -> dict[tuple[str, str], TTFont]:
    """The fonts of a style sheet by family and weight."""
    faces = re.findall(
        r'font-family:"([^"]+)";font-weight:(\d+);src:url\(data:font/woff2;base64,([^)]*)\)', css
    )
    return {
        (family, weight): TTFont(io.BytesIO(base64.b64decode(data)))
        for family, weight, data in faces
    }


def test_every_name_of_the_reference_data_can_be_drawn() -> None:
    counties = reference.counties()
    text = "".join(counties[["province_zh", "prefecture_zh", "county_zh"]].sum())
    text += "".join(counties[["county_en", "province_en"]].sum())
    assert webfonts.missing(text) == frozenset()


def test_all_of_gb2312_can_be_drawn() -> None:
    rows = (bytes([r + 0xA0, c + 0xA0]) for r in range(16, 88) for c in range(1, 95))
    text = b"".join(rows).decode("gb2312", errors="ignore")
    assert len(set(text) & webfonts.coverage("PovmonSansSC-Regular.otf")) >= 6763


def test_latin_of_other_countries_falls_back() -> None:
    assert webfonts.missing("Việt Nam, Łódź, čšž, ‘quoted’ – 5 ≥ 4 ²") == frozenset()
    assert webfonts.missing("\U00020000") == {"\U00020000"}


def test_a_page_carries_its_glyphs_and_no_more() -> None:
    fonts = embedded(webfonts.font_css("<p>乌蒙 ế</p><pre>x</pre>"))
    chinese = set(fonts["Povmon SC", "400"].getBestCmap())
    assert chinese == {ord("乌"), ord("蒙")}
    assert ord("ế") in fonts["Povmon Extra", "400"].getBestCmap()
    assert ord("x") in fonts["Povmon Mono", "400"].getBestCmap()
    assert ord("A") in fonts["Povmon", "700"].getBestCmap()
    plain = embedded(webfonts.font_css("<p>x</p>"))
    assert ("Povmon SC", "400") not in plain


def test_entities_count_as_characters_and_image_data_do_not() -> None:
    found = webfonts.characters('<p>&#20044;&eacute;</p><img src="data:image/png;base64,QQ==">')
    assert {"乌", "é"} <= found
    assert "Q" not in found


def made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A reduced font as a new process makes it, whose kept fonts lie in `folder`."""
    monkeypatch.setattr(paths, "memo", lambda kind: folder)
    webfonts.woff2.cache_clear()
    return webfonts.woff2("PovmonSansSC-Regular.otf", frozenset("abc 中"))


def test_the_same_characters_give_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(tmp_path / "one", monkeypatch)
    assert made(tmp_path / "other", monkeypatch) == first
    assert made(tmp_path / "one", monkeypatch) == first


def test_a_kept_font_that_is_damaged_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = made(tmp_path, monkeypatch)
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(whole[:-1])
    assert made(tmp_path, monkeypatch) == first
    assert kept.read_bytes() == whole


def test_where_nothing_can_be_kept_the_font_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    assert made(tmp_path / "file", monkeypatch) == made(tmp_path / "folder", monkeypatch)


def test_fonts_are_small_and_carry_their_licence() -> None:
    sizes = [style.font_path(name).stat().st_size for name in style.FONT_FILES]
    assert sum(sizes) < 2_000_000
    assert "SIL OPEN FONT LICENSE Version 1.1" in style.font_path("OFL.txt").read_text("utf-8")
    for name in style.FONT_FILES:
        with TTFont(style.font_path(name)) as font:
            assert "SIL Open Font License" in font["name"].getDebugName(13)
