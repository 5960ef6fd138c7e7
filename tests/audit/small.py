"""A survey small enough to know every number of: 2 counties x 2 villages x 3 households.

One county lies in Sichuan (51), one in Guizhou (52), both in Wumeng. Every village has 100
households, of which 3 are in the sample. Files are dictionaries of rows, so that a test changes
one cell and writes them out.
"""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

SURVEY = """
survey: small
title: {en: Small survey}
description: {en: Two counties}
synthetic: true
year: 2010
currency: {code: CNY, unit: yuan}
lines: [{id: national, en: Line, value: 2300, prices: "2010", source: test}]
welfare: {measure: income, definition: net}
design:
  strata: county_id
  weights: form
  calibrate_to: rural_population
  lonely: average
  villages_per_county: 2
  households_per_village: 3
delivery: area_province
areas: reference
only_counties: ["513431", "520526"]
forms: [county, village, household, person]
products: [audit]
deadline: 2011-03-31
policy: {imputation: none}
"""

COUNTIES = {"51": "513431", "52": "520526"}
PARTS = {
    "income_wages": 3000, "income_business": 4000, "income_property": 100, "income_transfer": 900,
    "consumption_food": 3000, "consumption_clothing": 410, "consumption_housing": 990,
    "consumption_equipment": 300, "consumption_transport": 500, "consumption_education": 600,
    "consumption_health": 700, "consumption_other": 100,
}  # fmt: skip
Row = dict[str, object]
Files = dict[str, dict[str, list[Row]]]  # province -> form -> rows


def county(county_id: str) -> Row:
    # 2 villages of 100 households of 3 persons are in the sample with weight 5: 3,000 persons.
    return {
        "county_id": county_id, "year": 2010, "population": 4000, "rural_population": 3000,
        "rural_households": 1000, "registered_poor": 1000, "farmland": 900, "irrigated": 300,
        "villages": 10, "villages_road": 8, "children_7_15": 400, "enrolled_7_15": 390,
    }  # fmt: skip


def village(village_id: str) -> Row:
    return {
        "village_id": village_id, "county_id": village_id[:6], "year": 2010, "w_village": 5,
        "households": 100, "population": 300, "natural_villages": 6, "nv_road": 5,
        "nv_electricity": 6, "hardened_road": 1, "bus": 0, "clinic": 1, "distance_km": 4.5,
    }  # fmt: skip


def household(household_id: str, step: int) -> Row:
    # The first household has the plain amounts; no two are alike.
    share = 1 + 0.13 * step
    amounts = {name: round(value * share + 3 * step) for name, value in PARTS.items()}
    return {
        "household_id": household_id, "village_id": household_id[:8], "year": 2010,
        "w_hh": 5 * 100 / 3, "hhsize": 3, "dwelling_area": 80, "structure": "adobe",
        "dangerous": 0, "water": "tap", "electricity": 1, "refrigerator": 0,
        "washing_machine": 0, "head_sex": "male", "head_age": 40 + 2 * step, **amounts,
        "income_total": sum(v for n, v in amounts.items() if n.startswith("income")),
        "consumption_total": sum(v for n, v in amounts.items() if n.startswith("consumption")),
    }  # fmt: skip


def persons(household_id: str, step: int) -> list[Row]:
    members = [
        ("head", "male", 40 + 2 * step), ("spouse", "female", 38 + 2 * step),
        ("child", "female", 10 + step % 6),
    ]  # fmt: skip
    return [
        {
            "household_id": household_id, "line": line, "year": 2010, "sex": sex, "age": age,
            "relation": relation, "ethnicity": "han", "in_school": int(age < 16),
            "schooling": age - 6 if age < 16 else 6, "literate": 1, "health": "good",
            "work": "student" if age < 16 else "farm", "months_away": 0,
        }
        for line, (relation, sex, age) in enumerate(members, start=1)
    ]  # fmt: skip


def county_files(county_id: str, first: int = 0) -> dict[str, list[Row]]:
    """One county's part of a submission without any error; households are numbered from `first`."""
    villages = [f"{county_id}{v:02d}" for v in (1, 2)]
    homes = [f"{v}{h:02d}" for v in villages for h in (1, 2, 3)]
    steps = dict(zip(homes, range(first, first + 6), strict=True))
    return {
        "county": [county(county_id)],
        "village": [village(v) for v in villages],
        "household": [household(h, step) for h, step in steps.items()],
        "person": [p for h, step in steps.items() for p in persons(h, step)],
    }


def files() -> Files:
    """A submission without any error."""
    return {
        province: county_files(county_id, 6 * number)
        for number, (province, county_id) in enumerate(COUNTIES.items())
    }


def as_csv(rows: list[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(root: Path, content: Files, encoding: str = "utf-8") -> Path:
    """Write survey.yml and the submissions below `root`; returns the submissions folder."""
    folder = root / "data" / "raw" / "small"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "survey.yml").write_text(SURVEY, encoding="utf-8")
    for province, forms in content.items():
        place = folder / "submissions" / "wumeng" / province
        place.mkdir(parents=True, exist_ok=True)
        lines = ["form_version: '1'", f"received: 2011-03-{25 if province == '51' else 31}"]
        lines += ["files:"]
        for form, rows in forms.items():
            data = as_csv(rows).encode(encoding)
            (place / f"{form}.csv").write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            lines.append(f"  {form}.csv: {{sha256: {digest}, rows: {len(rows)}}}")
        (place / "manifest.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / "submissions"
