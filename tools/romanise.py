"""Write data/raw/reference/romanisation.csv: English names of the counties, prefectures, provinces.

Regular names are Hanyu Pinyin (pypinyin); names with a local reading, or with an established
Tibetan, Mongolian or Uyghur spelling, come from irregular_names.csv beside this file. Generic
parts and the names of ethnic groups are translated. Run it from the checkout after a change of
the table, then tools/seal_reference.py:

    .venv/bin/python tools/romanise.py
"""

from __future__ import annotations

import csv
from pathlib import Path

from pypinyin import lazy_pinyin

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "data" / "raw" / "reference"

PROVINCES = {
    "内蒙古自治区": ("Inner Mongolia Autonomous Region", "Inner Mongolia"),
    "广西壮族自治区": ("Guangxi Zhuang Autonomous Region", "Guangxi"),
    "西藏自治区": ("Tibet Autonomous Region", "Tibet"),
    "宁夏回族自治区": ("Ningxia Hui Autonomous Region", "Ningxia"),
    "新疆维吾尔自治区": ("Xinjiang Uygur Autonomous Region", "Xinjiang"),
    "重庆市": ("Chongqing Municipality", "Chongqing"),
    "陕西省": ("Shaanxi Province", "Shaanxi"),  # doubled a: tells it from Shanxi
}

# Longest first where one name begins like another.
ETHNIC = {
    "东乡族": "Dongxiang", "保安族": "Bonan", "撒拉族": "Salar", "土家族": "Tujia",
    "仡佬族": "Gelao", "仫佬族": "Mulao", "毛南族": "Maonan", "布依族": "Buyei",
    "哈尼族": "Hani", "拉祜族": "Lahu", "布朗族": "Blang", "纳西族": "Naxi",
    "傈僳族": "Lisu", "独龙族": "Derung", "普米族": "Pumi", "景颇族": "Jingpo",
    "蒙古族": "Mongol", "柯尔克孜": "Kirgiz", "塔吉克": "Tajik",
    "回族": "Hui", "土族": "Tu", "羌族": "Qiang", "苗族": "Miao", "侗族": "Dong",
    "彝族": "Yi", "瑶族": "Yao", "水族": "Sui", "傣族": "Dai", "佤族": "Va",
    "白族": "Bai", "怒族": "Nu", "满族": "Manchu", "藏族": "Tibetan", "壮族": "Zhuang",
    "各族": "Various Nationalities",
}  # fmt: skip
GENERIC = {
    "行政委员会": "Administrative Committee",
    "自治县": "Autonomous County", "自治州": "Autonomous Prefecture",
    "特区": "Special District", "地区": "Prefecture",
    "盟": "League", "县": "County", "市": "City", "区": "District", "旗": "Banner",
}  # fmt: skip
# A county that bears only the names of the groups: nothing is left when they are removed.
WHOLE = {"东乡族自治县": ("Dongxiang Autonomous County", "Dongxiang")}


def split_generic(name: str) -> tuple[str, str]:
    """The name without its generic part, and that part in English."""
    for part, english in GENERIC.items():
        if name.endswith(part):
            return name[: -len(part)], english
    raise ValueError(f"{name}: no known generic part")


def split_ethnic(stem: str) -> tuple[str, list[str]]:
    """The place part of a stem and the English names of the ethnic groups at its end."""
    groups: list[str] = []
    while True:
        group = next((g for g in ETHNIC if stem.endswith(g) and len(stem) > len(g)), None)
        if group is None:
            return stem, groups[::-1]
        stem = stem.removesuffix(group)
        groups.append(ETHNIC[group])


def pinyin(text: str) -> str:
    """Hanyu Pinyin as one capitalised word, with an apostrophe before an inner a, e, o."""
    syllables = [s.replace("v", "ü") for s in lazy_pinyin(text)]
    word = syllables[0]
    for syllable in syllables[1:]:
        word += ("'" if syllable[0] in "aeo" else "") + syllable
    return word.capitalize()


def join(groups: list[str]) -> str:
    """`Yi, Hui and Miao`."""
    return groups[0] if len(groups) == 1 else ", ".join(groups[:-1]) + " and " + groups[-1]


def english(name: str, base: str | None) -> tuple[str, str, str]:
    """Full name, short name, and how the name was made (`pinyin` or `table`)."""
    if name in WHOLE:
        return *WHOLE[name], "table"
    stem, generic = split_generic(name)
    place, groups = split_ethnic(stem) if generic.startswith("Autonomous") else (stem, [])
    source = "table" if base else "pinyin"
    word = base or pinyin(place)
    full = " ".join([word, join(groups), generic] if groups else [word, generic])
    short = word.split(" (")[0]
    if len(place) == 1 and generic == "County":
        short = word + "xian"  # one syllable alone is never used as a name
    return full, short, source


def rows() -> list[dict[str, str]]:
    """One row a county, prefecture and province, in the order of counties.csv."""
    with (HERE / "irregular_names.csv").open(encoding="utf-8") as handle:
        table = {(r["kind"], r["province_zh"], r["name_zh"]): r for r in csv.DictReader(handle)}
    with (REFERENCE / "counties.csv").open(encoding="utf-8") as handle:
        counties = list(csv.DictReader(handle))
    provinces = dict.fromkeys(c["province"] for c in counties)
    prefectures = dict.fromkeys((c["province"], c["prefecture"]) for c in counties)
    out = []
    for province in provinces:
        full, short = PROVINCES.get(province) or (
            f"{pinyin(province[:-1])} Province", pinyin(province[:-1])
        )  # fmt: skip
        source = "table" if province in PROVINCES else "pinyin"
        out.append(_row("province", province, "", province, full, short, source))
    for province, prefecture in prefectures:
        out.append(_named("prefecture", province, prefecture, prefecture, table))
    for c in counties:
        out.append(_named("county", c["province"], c["prefecture"], c["county"], table))
    return out


def _named(
    kind: str, province: str, prefecture: str, name: str, table: dict[tuple[str, str, str], dict]
) -> dict[str, str]:
    key = (kind, "" if kind == "prefecture" else province, name)
    irregular = table.get(key)
    full, short, source = english(name, irregular["base_en"] if irregular else None)
    if kind == "county" and irregular and "Tibetan" in irregular["reason"]:
        short = irregular["base_en"]
    if kind == "prefecture" and name == "重庆市":
        full = "Chongqing Municipality"
    return _row(kind, province, prefecture, name, full, short, source)


def _row(
    kind: str, province: str, prefecture: str, name: str, full: str, short: str, source: str
) -> dict[str, str]:
    return {
        "kind": kind, "province_zh": province, "prefecture_zh": prefecture, "name_zh": name,
        "name_en": full, "short_en": short, "made_by": source,
    }  # fmt: skip


def main() -> None:
    """Write the file."""
    found = rows()
    with (REFERENCE / "romanisation.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, list(found[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(found)


if __name__ == "__main__":
    main()
