"""What the synthetic survey was calibrated to, and what was reached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from povmon import paths, reference
from povmon.estimate import Design, estimate, fgt, gini, mean
from povmon.estimate.measures.base import Measure
from povmon.indicators import NATION, read_estimates
from povmon.survey import FORMS, Survey, load_survey
from povmon.synthetic.assumptions import (
    access_target,
    area_targets,
    key_mean_income,
    load,
    published,
)
from povmon.synthetic.generate import generate
from povmon.synthetic.weighted import Floats

TOGETHER = "areas combined"
KEY = "key counties"
TOLERANCE = 0.01  # of a share, where no range is declared
# Item under `access` -> indicator id of the catalogue.
INDICATORS = {
    "water_safe": "water_safe", "ncms_households": "ncms_households",
    "enrolment": "enrolment_7_15", "hardened_road": "village_hardened_road",
    "clinic": "village_clinic", "nv_road": "nv_road", "nv_electricity": "nv_electricity",
    "nv_telephone": "nv_telephone", "nv_cable_tv": "nv_cable_tv", "nv_broadband": "nv_broadband",
    "bus": "village_bus", "kindergarten": "village_kindergarten",
    "primary_school": "village_primary_school", "electricity": "electricity",
    "water_difficulty": "water_difficulty", "dangerous": "dangerous_housing",
    "sanitary_toilet": "sanitary_toilet", "timely_care": "timely_care", "pension": "pension_60",
    "illiteracy": "illiteracy_young_adult", "debt": "debt_households",
}  # fmt: skip


def calibration_report(survey: str) -> dict[str, pd.DataFrame]:
    """Targets and what was reached, for a synthetic survey.

    Parameters
    ----------
    survey : name of a synthetic survey; its submissions are generated if they are absent.

    Returns
    -------
    "targets": scope, item, source, target, low, high, clean (reached in the records without
    errors), audited (in the pooled estimates, NaN where there are none yet), within (clean within
    low and high). "areas": population, headcount, mean, Gini, intra-village correlation, design
    and Kish effect, consumption to income, food share and household size of each area. "pyramid":
    shares of age groups by sex, and declared shares. "household_size": share of households.
    """
    described = load_survey(survey)
    generate(survey)
    truth: dict[str, pd.DataFrame] = {n: _truth(survey, n) for n in described.forms}
    households = _derive(truth["household"])
    areas = _areas(households)
    targets = _targets(described, areas, households, truth)
    return {
        "targets": targets,
        "areas": areas,
        "pyramid": _pyramid(households, truth["person"]),
        "household_size": _household_size(households),
    }


def main_calibration(survey: str) -> str:
    """The calibration report as text, for the command line."""
    frames = calibration_report(survey)
    targets = frames["targets"]
    missed = targets[~targets["within"]]
    parts = [
        f"Calibration of {survey} (clean: records without errors; audited: estimates after audit)",
        _text(targets.assign(within=np.where(targets["within"], "yes", "NO"))),
        f"{len(targets) - len(missed)} of {len(targets)} targets are within their range.",
        "By area (deff: design effect of the headcount; kish: effect of unequal weights)",
        _text(frames["areas"]),
        "Age-sex pyramid, per cent of persons (weighted)",
        _text(frames["pyramid"]),
        "Registered members, per cent of households (weighted)",
        _text(frames["household_size"]),
    ]
    return "\n\n".join(parts)


def _text(frame: pd.DataFrame) -> str:
    return frame.to_string(index=False, na_rep="-", float_format=_number)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"


def _truth(survey: str, name: str) -> pd.DataFrame:
    frame = pd.read_parquet(paths.processed(survey) / "truth" / f"{name}.parquet")
    key = reference.counties().set_index("county_id")["key_county"]
    county_id = frame[FORMS[name].key[0]].str.slice(0, 6)
    return frame.assign(county_id=county_id, flagged=(county_id.map(key) == "key").to_numpy())


def _derive(households: pd.DataFrame) -> pd.DataFrame:
    size = households["hhsize"].astype("float64")
    return households.assign(
        hhsize=size,
        w_person=households["w_hh"] * size,
        income_pc=households["income_total"] / size,
        consumption_pc=households["consumption_total"] / size,
    )


def _areas(households: pd.DataFrame) -> pd.DataFrame:
    """One row an area and one for all together."""
    line = load()["poverty_line"]
    measures: list[Measure] = [fgt("income_pc", line, 0), mean("income_pc"), gini("income_pc")]
    design = Design("county_id", "village_id", "w_person", lonely="average")
    parts = [estimate(households, design, measures, by=by) for by in (["area"], None)]
    parts[1].insert(0, "area", TOGETHER)
    table = pd.concat(parts, ignore_index=True)
    rows = []
    for area, part in table.groupby("area", sort=False):
        chosen = households if area == TOGETHER else households[households["area"] == area]
        rows.append(_area_row(str(area), part.reset_index(drop=True), chosen))
    return pd.DataFrame(rows)


def _area_row(area: str, estimates: pd.DataFrame, households: pd.DataFrame) -> dict[str, Any]:
    value = estimates["estimate"]
    weight = households["w_person"]
    food = (households["consumption_food"] * households["w_hh"]).sum()
    spent = (households["consumption_total"] * households["w_hh"]).sum()
    earned = (households["income_total"] * households["w_hh"]).sum()
    return {
        "area": area,
        "population_10k": weight.sum() / 10_000,
        "headcount": value[0],
        "mean_income": value[1],
        "gini": value[2],
        "intra_village": intra_village(households),
        "deff": estimates["deff"][0],
        "kish": kish(weight.to_numpy()),
        "consumption_to_income": spent / earned,
        "food_share": food / spent,
        "household_size": np.average(households["hhsize"], weights=households["w_hh"]),
    }


def kish(weight: Floats) -> float:
    """Kish's effect of unequal weights, n sum w^2 / (sum w)^2 (Kish 1965, eq. 11.7.6)."""
    return float(len(weight) * np.sum(weight**2) / np.sum(weight) ** 2)


def intra_village(households: pd.DataFrame) -> float:
    """Correlation of log income between households of a village, within counties.

    The analysis-of-variance estimator for groups of about equal size (Searle, Casella and
    McCulloch 1992, section 3.6), on deviations from the county's mean.
    """
    frame = households[["county_id", "village_id"]].assign(
        y=np.log(np.maximum(households["income_pc"].to_numpy(), 100.0))
    )
    village = frame.groupby("village_id")["y"]
    size = village.size()
    county = frame.groupby("village_id")["county_id"].first()
    means = village.mean()
    centre = means.groupby(county).transform("mean")
    between_df = len(size) - county.nunique()
    within_df = len(frame) - len(size)
    if between_df < 1 or within_df < 1:
        return float("nan")
    m = float(size.mean())
    between = m * float(((means - centre) ** 2).sum()) / between_df
    within = float(((frame["y"] - village.transform("mean")) ** 2).sum()) / within_df
    return (between - within) / (between + (m - 1) * within)


def _pyramid(households: pd.DataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    weight = persons["household_id"].map(households.set_index("household_id")["w_hh"])
    group = np.minimum(persons["age"].to_numpy(dtype="int64") // 5, 16)
    table = weight.groupby([group, persons["sex"].to_numpy()]).sum().unstack()
    total = float(weight.sum())
    labels = [f"{5 * g}-{5 * g + 4}" if g < 16 else "80+" for g in table.index]
    declared = load()["pyramid"]
    return pd.DataFrame(
        {
            "age": labels,
            "male": 100 * table["male"].to_numpy() / total,
            "female": 100 * table["female"].to_numpy() / total,
            "both": 100 * table.sum(axis=1).to_numpy() / total,
            "declared": [declared["shares"][g] for g in table.index],
            "males_per_100_females": 100 * (table["male"] / table["female"]).to_numpy(),
            "declared_ratio": [float(declared["sex_ratio"][g]) for g in table.index],
        }
    )


def _household_size(households: pd.DataFrame) -> pd.DataFrame:
    size = np.minimum(households["hhsize"].to_numpy(dtype="int64"), 8)
    share = 100 * households["w_hh"].groupby(size).sum() / households["w_hh"].sum()
    labels = [str(s) if s < 8 else "8+" for s in share.index]
    return pd.DataFrame({"members": labels, "households": share.to_numpy()})


def _targets(
    survey: Survey, areas: pd.DataFrame, households: pd.DataFrame, truth: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    rows = [*_money_targets(survey, areas, households), *_access_targets(households, truth)]
    table = pd.DataFrame(rows)
    table["audited"] = _audited(survey.survey, table)
    table["within"] = table["clean"].between(table["low"] - 1e-9, table["high"] + 1e-9)
    return table.drop(columns=["indicator"])


def _row(
    scope: str, item: str, indicator: str, source: str, target: float, bounds: tuple[float, float],
    clean: float,
) -> dict[str, Any]:  # fmt: skip
    return {
        "scope": scope, "item": item, "indicator": indicator, "source": source, "target": target,
        "low": bounds[0], "high": bounds[1], "clean": clean,
    }  # fmt: skip


def _money_targets(
    survey: Survey, areas: pd.DataFrame, households: pd.DataFrame
) -> list[dict[str, Any]]:
    found = {str(row["area"]): row for row in areas.to_dict("records")}
    rows = []
    for area, t in area_targets().items():
        if area not in found:
            continue
        reached = found[area]
        rows += [
            _row(area, "headcount", "headcount", t.headcount_source, t.headcount,
                 t.headcount_range, reached["headcount"]),
            _row(area, "mean income", "income_mean", t.mean_source, t.mean_income,
                 (0.98 * t.mean_income, 1.02 * t.mean_income), reached["mean_income"]),
        ]  # fmt: skip
    return rows if survey.only_counties else rows + _whole_targets(found, households)


def _inequality_targets(found: dict[str, dict[Any, Any]]) -> list[dict[str, Any]]:
    """Gini and intra-village correlation, too uncertain in a survey of a few counties."""
    declared = load()["together"]
    rows = []
    for scope, reached in found.items():
        for item, indicator, limits in (
            ("Gini", "gini", declared["gini_range"]),
            ("intra-village correlation", "", declared["intra_village_range"]),
        ):
            value = reached["gini" if indicator else "intra_village"]
            middle = sum(limits) / 2
            rows.append(_row(scope, item, indicator, "declared", middle, tuple(limits), value))
    return rows


def _whole_targets(
    found: dict[str, dict[Any, Any]], households: pd.DataFrame
) -> list[dict[str, Any]]:
    """Targets that only a survey of all counties can meet."""
    reached = found[TOGETHER]
    declared = load()["together"]
    total = sum(t.rural_population for t in area_targets().values())
    share = sum(t.rural_population * t.headcount for t in area_targets().values()) / total
    key = households[households["flagged"]]
    income = float(np.average(key["income_pc"], weights=key["w_person"]))
    wanted = key_mean_income()
    return [
        *_inequality_targets(found),
        _row(TOGETHER, "headcount", "headcount", "sum of the areas' targets", share,
             tuple(declared["headcount_range"]), reached["headcount"]),
        _row(TOGETHER, "rural population, 10k", "", "sum of the areas' targets", total / 10_000,
             tuple(declared["rural_population_10k_range"]), reached["population_10k"]),
        _row(KEY, "mean income", "income_mean", "published for 2010", wanted,
             (0.98 * wanted, 1.02 * wanted), income),
    ]  # fmt: skip


def _access_targets(
    households: pd.DataFrame, truth: dict[str, pd.DataFrame]
) -> list[dict[str, Any]]:
    frames = _access_frames(households, truth)
    rows = []
    for item, indicator in INDICATORS.items():
        frame = frames[item]
        target = access_target(item)
        source = "published for 2010" if target.published else "declared"
        rows.append(_share_row(KEY, item, indicator, source, target.key, frame[frame["flagged"]]))
        for area, share in target.areas.items():
            part = frame[frame["area"] == area]
            if len(part):
                rows.append(_share_row(area, item, indicator, "published for 2010", share, part))
    rows += _amount_rows(households, truth["person"])
    return rows


def _share_row(
    scope: str, item: str, indicator: str, source: str, share: float, frame: pd.DataFrame
) -> dict[str, Any]:
    reached = (frame["w"] * frame["top"]).sum() / (frame["w"] * frame["bottom"]).sum()
    # A share moves in steps of one unit: a small sample cannot meet it exactly.
    room = TOLERANCE + 2 / len(frame)
    bounds = (share - room, min(1.0, share + room))
    return _row(scope, item, indicator, source, share, bounds, float(reached))


def _amount_rows(households: pd.DataFrame, persons: pd.DataFrame) -> list[dict[str, Any]]:
    """Targets that are no shares: dwelling area, years of schooling, consumption to income."""
    rows = []
    year = load()["reference_year"]
    key = households[households["flagged"]]
    wanted = published("", year, load()["dwelling_area_pc"]["indicator"])
    metres = (key["w_hh"] * key["dwelling_area"]).sum() / key["w_person"].sum()
    rows.append(_row(KEY, "dwelling area, m2 a person", "dwelling_area_pc", "published for 2010",
                     wanted, (wanted - 0.3, wanted + 0.3), float(metres)))  # fmt: skip
    target = load()["schooling_years"]
    weight = persons["household_id"].map(households.set_index("household_id")["w_hh"])
    adults = (persons["area"] == target["area"]) & persons["age"].between(*target["ages"])
    if adults.any():
        years = float(np.average(persons.loc[adults, "schooling"], weights=weight[adults]))
        wanted = published(target["area"], year, "mean years of schooling")
        rows.append(_row(target["area"], "years of schooling, age 15-64", "", "published for 2010",
                         wanted, (wanted - 0.15, wanted + 0.15), years))  # fmt: skip
    return rows


def _access_frames(
    households: pd.DataFrame, truth: dict[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """For each item: area, flagged, weight w, count top and count bottom, one row a unit."""
    persons, villages = truth["person"], truth["village"]
    weight = persons["household_id"].map(households.set_index("household_id")["w_hh"]).to_numpy()
    insured = persons["insured"].astype("float64").groupby(persons["household_id"]).min()
    age = persons["age"].astype("int64")
    ill = persons["health"] != "good"

    def lay(frame: pd.DataFrame, w: Any, top: Any, bottom: Any = 1.0) -> pd.DataFrame:
        values = np.asarray(top, dtype="float64")
        return frame[["area", "flagged"]].assign(w=np.asarray(w), top=values, bottom=bottom)

    def person(flag: Any, of: pd.Series[Any]) -> pd.DataFrame:
        chosen = of.to_numpy(dtype=bool)
        return lay(persons[chosen], weight[chosen], np.asarray(flag, dtype="float64")[chosen])

    def household(flag: Any) -> pd.DataFrame:
        return lay(households, households["w_hh"], flag)

    out = {
        "water_safe": household(households["water"].isin(["tap", "deep_well"])),
        "sanitary_toilet": household(households["toilet"].isin(["flush", "sanitary_dry"])),
        "ncms_households": household(households["household_id"].map(insured)),
        "debt": household(households["debt"] > 0),
        "enrolment": person(persons["in_school"], age.between(7, 15)),
        "timely_care": person(persons["timely_care"], ill),
        "pension": person(persons["pension"], age >= 60),
        "illiteracy": person(~persons["literate"].astype(bool), age.between(15, 50)),
    }
    for item in ("electricity", "water_difficulty", "dangerous"):
        out[item] = household(households[item])
    for item in ("hardened_road", "bus", "clinic", "kindergarten", "primary_school"):
        out[item] = lay(villages, villages["w_village"], villages[item])
    natural = villages["natural_villages"].to_numpy(dtype="float64")
    for item in INDICATORS:
        if item.startswith("nv_"):
            out[item] = lay(villages, villages["w_village"], villages[item], natural)
    return out


def _audited(survey: str, table: pd.DataFrame) -> list[float]:
    """The same quantities in the pooled estimates; NaN where there are none."""
    if not (paths.processed(survey, NATION) / "estimates.parquet").is_file():
        return [float("nan")] * len(table)
    pooled = read_estimates(survey, NATION)
    places = pooled[pooled["domain_kind"].isin(["all", "area", "key_county"])]
    found = places.set_index(["domain_kind", "domain", "indicator"])["estimate"].to_dict()
    kinds = {TOGETHER: ("all", "all"), KEY: ("key_county", "key")}
    return [
        found.get((*kinds.get(scope, ("area", scope)), indicator), float("nan"))
        for scope, indicator in zip(table["scope"], table["indicator"], strict=True)
    ]
