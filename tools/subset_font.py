"""Make the fonts that the package carries from Noto Sans CJK (SIL Open Font License).

Three files, so that Latin text has a regular and a bold face, and Chinese has one:

    PovmonSans-Regular.otf     Latin letters, digits, punctuation, mathematical signs
    PovmonSans-Bold.otf        the same, bold
    PovmonSansSC-Regular.otf   the 6,763 characters of GB 2312, and every character that
                               data/raw/reference uses

The names differ from the original's, as the licence wants it of a changed version. The Latin
characters come from the Korean face of the collection, whose quotation marks and dots are
proportional; in the Chinese face they are as wide as an ideograph, which spoils English text.

Run by `make font`; needed only when the set of characters changes. The same source gives the
same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTCollection, TTFont

KOREAN_FACE, CHINESE_FACE = 1, 2  # position in the collection NotoSansCJK-*.ttc
THIN_SPACES = (0x2009, 0x202F)  # absent in Noto: drawn with the plain space, which is narrow
LATIN_RANGES = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x391, 0x3C9),
    (0x2010, 0x2027),
    (0x2030, 0x203B),
    (0x2070, 0x209C),
    (0x20AC, 0x20AC),
    (0x2116, 0x2122),
    (0x2150, 0x215E),
    (0x2190, 0x2199),
    (0x2200, 0x22A5),
    (0x2460, 0x2473),
    (0x25A0, 0x25CF),
    (0x2713, 0x2713),
)
CJK_RANGES = ((0x3000, 0x301F), (0xFF01, 0xFF5E), (0xFFE0, 0xFFE5))


def _from_ranges(ranges: Iterable[tuple[int, int]]) -> set[int]:
    return {code for first, last in ranges for code in range(first, last + 1)}


def gb2312_characters() -> set[int]:
    """The 6,763 ideographs of GB 2312-1980 (rows 16 to 87 of the code table)."""
    found = set()
    for row in range(16, 88):
        for cell in range(1, 95):
            try:
                found.add(ord(bytes([row + 0xA0, cell + 0xA0]).decode("gb2312")))
            except UnicodeDecodeError:
                continue  # the five empty cells at the end of row 55
    return found


def characters_of(folder: Path) -> set[int]:
    """All ideographs in the text files below a folder."""
    found: set[int] = set()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".csv", ".yml", ".yaml", ".md"}:
            found |= {ord(c) for c in path.read_text("utf-8")}
    return {code for code in found if code >= 0x2E80}


def _options() -> subset.Options:
    options = subset.Options()
    options.hinting = False
    options.desubroutinize = False
    options.layout_features = []
    options.name_IDs = ["*"]
    options.name_languages = ["*"]
    options.notdef_outline = True
    options.glyph_names = False
    options.recalc_timestamp = False
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]
    return options


def make_subset(collection: Path, face: int, codes: set[int]) -> TTFont:
    """The face with only the given characters, without hints and layout features."""
    font = TTCollection(collection, lazy=True).fonts[face]
    font.recalcTimestamp = False
    worker = subset.Subsetter(_options())
    worker.populate(unicodes=sorted(codes))
    worker.subset(font)
    for table in font["cmap"].tables:
        if not table.isUnicode() or 0x20 not in table.cmap:
            continue
        for code in THIN_SPACES:
            table.cmap.setdefault(code, table.cmap[0x20])
    return font


def rename(font: TTFont, family: str, style: str) -> None:
    """Give the subset its own name and keep copyright and licence inside the file."""
    source = font["name"]
    kept = {number: source.getDebugName(number) for number in (0, 5, 7, 13, 14)}
    postscript = f"{family.replace(' ', '')}-{style}"
    names = {**kept, 1: family, 2: style, 3: postscript, 4: f"{family} {style}", 6: postscript}
    source.names = []
    for number, text in sorted(names.items()):
        if text:
            source.setName(text, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [postscript]
    index = top.topDictIndex[0]
    index.FullName, index.FamilyName, index.Weight = f"{family} {style}", family, style


def build(source: Path, reference: Path, target: Path) -> None:
    """Write the three fonts into `target`; stops when a character of `reference` is missing."""
    latin = _from_ranges(LATIN_RANGES)
    wanted = gb2312_characters() | characters_of(reference)
    chinese = wanted | _from_ranges(CJK_RANGES)
    plan = (
        ("NotoSansCJK-Regular.ttc", KOREAN_FACE, latin, "Povmon Sans", "Regular"),
        ("NotoSansCJK-Bold.ttc", KOREAN_FACE, latin, "Povmon Sans", "Bold"),
        ("NotoSansCJK-Regular.ttc", CHINESE_FACE, chinese | {0x20}, "Povmon Sans SC", "Regular"),
    )
    target.mkdir(parents=True, exist_ok=True)
    for collection, face, codes, family, style in plan:
        font = make_subset(source / collection, face, codes)
        rename(font, family, style)
        path = target / f"{family.replace(' ', '')}-{style}.otf"
        font.save(path, reorderTables=True)
        covered = set(font.getBestCmap())
        if codes is not latin and wanted - covered:
            missing = "".join(map(chr, sorted(wanted - covered)))
            sys.exit(f"the source font has no glyph for: {missing}")
        print(f"{path.name}: {len(covered):,} characters, {path.stat().st_size:,} bytes")


def main() -> None:
    project = Path(__file__).resolve().parents[1]
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("source", type=Path, help="folder of NotoSansCJK-*.ttc, or one of them")
    parser.add_argument("--reference", type=Path, default=project / "data/raw/reference")
    parser.add_argument("--target", type=Path, default=project / "src/povmon/present/fonts")
    given = parser.parse_args()
    source = given.source if given.source.is_dir() else given.source.parent
    for name in ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"):
        if not (source / name).is_file():
            sys.exit(f"there is no {name} in {source}: install Noto Sans CJK, or give its folder")
    build(source, given.reference, given.target)


if __name__ == "__main__":
    main()
