"""A ledger with as many households as statistical rules need: 8 counties x 8 villages x 10."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from audit import small
from povmon.audit.ledger import Ledger
from povmon.survey import FORMS
from povmon.survey.config import Survey
from povmon.survey.fields import PANDAS_DTYPE
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS
from povmon.survey.intake import row_keys

AREA = "wumeng"
VILLAGES, HOMES = 8, 10


def survey(**changes: object) -> Survey:
    """The small survey's description, with the design of `ledger`."""
    import yaml

    content = yaml.safe_load(small.SURVEY)
    content["design"] |= {"villages_per_county": VILLAGES, "households_per_village": HOMES}
    return Survey.model_validate(content | changes)


def ledger(counties: int = 8, seed: int = 1) -> Ledger:
    """Plausible records without errors; tests change ``tables`` before they call a check."""
    rng = np.random.default_rng(seed)
    county_ids = [f"5134{n:02d}" for n in range(21, 21 + counties)]
    village_ids = [f"{c}{v:02d}" for c in county_ids for v in range(1, VILLAGES + 1)]
    home_ids = [f"{v}{h:02d}" for v in village_ids for h in range(1, HOMES + 1)]
    tables = {
        "county": _counties(county_ids, rng),
        "village": _villages(village_ids, rng),
        "household": _households(home_ids, rng),
    }
    tables["person"] = _persons(tables["household"], rng)
    whole = {form: _whole(form, table) for form, table in tables.items()}
    submitted = {form: set(table.columns) for form, table in tables.items()}
    return Ledger(whole, submitted)


def _counties(ids: list[str], rng: np.random.Generator) -> pd.DataFrame:
    n = len(ids)
    people = rng.integers(200_000, 400_000, n)
    farmland = people * 0.1 * np.exp(0.1 * rng.standard_normal(n))
    return pd.DataFrame({
        "county_id": ids, "year": 2010, "population": people * 1.2 // 1, "rural_population": people,
        "rural_households": people // 4, "villages": 200, "registered_poor": people // 3,
        "rural_income_pc": np.rint(3000 * np.exp(0.2 * rng.standard_normal(n))),
        "farmland": farmland, "irrigated": farmland * 0.35 * np.exp(0.1 * rng.standard_normal(n)),
        "children_7_15": people // 8, "enrolled_7_15": people // 8,
    })  # fmt: skip


def _villages(ids: list[str], rng: np.random.Generator) -> pd.DataFrame:
    n = len(ids)
    households = rng.integers(200, 500, n)
    natural = np.maximum(households // 48 + rng.integers(-1, 2, n), 1)
    return pd.DataFrame({
        "village_id": ids, "county_id": [i[:6] for i in ids], "year": 2010,
        "w_village": 10_000 / households, "households": households, "population": households * 4,
        "natural_villages": natural, "nv_electricity": natural,
        "distance_km": np.exp(1.7 + rng.uniform(-0.8, 0.8, n)),
        "altitude_m": 1000.0 + rng.integers(-200, 200, n),
        "collective_income": np.exp(9 + rng.standard_normal(n)),
    })  # fmt: skip


def _households(ids: list[str], rng: np.random.Generator) -> pd.DataFrame:
    n = len(ids)
    size = rng.integers(2, 7, n)
    level = np.exp(8 + 0.5 * rng.standard_normal(n)) * size

    def parts(names: Iterable[str], total: np.ndarray) -> dict[str, np.ndarray]:
        shares = rng.gamma(2.0, size=(len(list(names)), n))
        return dict(zip(names, np.rint(total * shares / shares.sum(axis=0)), strict=True))

    amounts = parts(INCOME_PARTS, level) | parts(
        CONSUMPTION_PARTS, level * np.exp(0.3 * rng.standard_normal(n))
    )
    answers = {
        name: rng.choice(list(FORMS["household"][name].codes), n)
        for name in ("structure", "water", "toilet", "fuel")
    }
    return pd.DataFrame({
        "household_id": ids, "village_id": [i[:8] for i in ids], "year": 2010, "w_hh": 1000.0,
        "hhsize": size,
        "dwelling_area": np.rint(40 * size**0.5 * np.exp(0.3 * rng.standard_normal(n))),
        "land": np.rint(2 * size * np.exp(0.5 * rng.standard_normal(n)) * 2) / 2,
        "debt": np.where(rng.random(n) < 0.4, np.exp(8 + rng.standard_normal(n)), 0.0),
        "tv": rng.integers(0, 3, n), "mobile_phone": rng.integers(0, 5, n),
        "refrigerator": rng.integers(0, 2, n), "motorcycle": rng.integers(0, 2, n),
        "washing_machine": rng.integers(0, 2, n), "electricity": True,
        "interviewer": [f"{i[:6]}-{(int(i[6:8]) + 1) // 2}" for i in ids],
        "minutes": np.rint((35 + 7 * size) * np.exp(0.2 * rng.standard_normal(n))),
        "head_sex": "male", "head_age": rng.integers(30, 60, n), **answers, **amounts,
        "income_total": np.sum([amounts[c] for c in INCOME_PARTS], axis=0),
        "consumption_total": np.sum([amounts[c] for c in CONSUMPTION_PARTS], axis=0),
    })  # fmt: skip


def _persons(homes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    rows = homes.loc[homes.index.repeat(homes["hhsize"]), ["household_id", "head_age"]]
    line = rows.groupby("household_id").cumcount().to_numpy() + 1
    n = len(rows)
    age = np.select([line == 1, line == 2], [rows["head_age"], rows["head_age"] - 2],
                    rng.integers(0, 17, n))  # fmt: skip
    return pd.DataFrame({
        "household_id": rows["household_id"].to_numpy(), "line": line, "year": 2010,
        "sex": np.where(line == 1, "male", np.where(line == 2, "female",
                                                    rng.choice(["male", "female"], n))),
        "age": age, "relation": np.select([line == 1, line == 2], ["head", "spouse"], "child"),
        "ethnicity": "han", "in_school": (age >= 7) & (age < 16),
        "schooling": np.where(age < 16, np.maximum(age - 7, 0), rng.integers(0, 10, n)),
        "literate": age > 8, "health": "good", "months_away": 0,
        "work": np.where(age >= 16, "farm", np.where(age >= 7, "student", "none")),
    })  # fmt: skip


def _whole(form: str, table: pd.DataFrame) -> pd.DataFrame:
    """All fields of the form with their types, and where each record came from."""
    columns = {}
    for field in FORMS[form].fields:
        values = table[field.name] if field.name in table else [None] * len(table)
        columns[field.name] = pd.Series(list(values), dtype=PANDAS_DTYPE[field.dtype])
    out = pd.DataFrame(columns)
    out["key"] = row_keys(form, out)
    out["source_file"] = f"{AREA}/51/{form}.csv"
    out["source_sheet"] = ""
    out["source_line"] = np.arange(2, len(out) + 2)
    out["submitted_by"] = "51"
    return out


def found(ledger: Ledger, rule: str) -> list[str]:
    """Keys of the records that a rule found."""
    findings = ledger.findings()
    return sorted(findings.loc[findings["rule"] == rule, "key"])
