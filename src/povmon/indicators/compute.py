"""Estimates of all indicators for the domains of an area, or of all areas together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from povmon.estimate import Design, estimate
from povmon.estimate.measures.base import Measure
from povmon.indicators import imputed_shares
from povmon.indicators.catalogue import CATALOGUE
from povmon.indicators.frames import AGE_GROUPS, SIZE_GROUPS, Frames, load, person_groups
from povmon.indicators.imputation import MONEY, Imputation, widen
from povmon.indicators.indicator import Indicator
from povmon.indicators.policy import apply_policy
from povmon.indicators.store import COLUMNS, NATION, write_estimates
from povmon.survey import Survey, load_survey

# Indicators shown for groups of persons or households, not only for places.
GROUPED = (
    "headcount",
    "poverty_gap",
    "poverty_severity",
    "poor_total",
    "income_mean",
    "consumption_mean",
    "mpi_h",
    "mpi_m0",
)
LINED = ("headcount", "poverty_gap", "poverty_severity")
PLACES = ("county", "province", "key_county")
PERSON_GROUPS = ("sex", "age_group", "ethnicity")
HOUSEHOLD_GROUPS = ("head_sex", "household_size")
# Age and size groups stand in their own order, not in that of their names.
GROUP_ORDER = {label: i for i, (*_, label) in enumerate((*AGE_GROUPS, *SIZE_GROUPS))}
# The column that holds a kind's domains, where it has another name.
COLUMN_OF_KIND = {"county": "county_id", "province": "province_id"}
COUNTY_FORM = "from the county form: a report, not a sample estimate"


def estimate_area(survey: str, area: str) -> pd.DataFrame:
    """Estimate every indicator for one area and write its ``estimates.parquet``.

    Parameters
    ----------
    survey, area : names; the area must be one of the survey's.

    Returns
    -------
    The estimates table (see `store.COLUMNS`): the area, its counties and provinces, key and other
    counties, and groups of persons and households.

    Raises
    ------
    PovmonError : unknown survey or area, or the area has no accepted records.
    """
    config = load_survey(survey)
    config.check_area(area)
    kinds = ["area", "county", "province", "key_county", *PERSON_GROUPS, *HOUSEHOLD_GROUPS]
    return _estimate(config, load(config, [area]), kinds, area)


def pool(survey: str) -> pd.DataFrame:
    """Estimate every indicator from all areas' records together; domain kind ``all`` is the top.

    Estimates of areas are never combined: the records are, with all strata kept.
    """
    config = load_survey(survey)
    kinds = ["all", "area", "province", "key_county", *PERSON_GROUPS, *HOUSEHOLD_GROUPS]
    return _estimate(config, load(config, config.area_ids), kinds, NATION)


def _estimate(survey: Survey, frames: Frames, kinds: Sequence[str], label: str) -> pd.DataFrame:
    """Estimates and the table of imputed shares, written."""
    table = write_estimates(_all_kinds(survey, frames, kinds, label), survey.survey, label)
    whole = table[table["domain_kind"].eq(kinds[0])]
    imputed_shares.write(_shares(survey, frames, whole), survey.survey, label)
    return table


def _shares(survey: Survey, frames: Frames, whole: pd.DataFrame) -> pd.DataFrame:
    """How much of the figures of the whole (one domain) is imputed, and what that does to them."""
    assert frames.imputation is not None
    chosen = [i for i in CATALOGUE.values() if i.frame == "household"]
    chosen = [i for i in chosen if set(i.needs) <= set(frames.household.columns)]
    designs = {str(i.weight): design_of(survey, i.weight) for i in chosen}
    frame = frames.household.assign(_whole="whole")
    ratios = {
        i.id: _ratios(frames.imputation, frame, "_whole", designs[i.weight], i, survey.line.value)
        for i in chosen
        if i.id in MONEY
    }
    one = {name: found["whole"] for name, found in ratios.items() if found}
    return imputed_shares.imputed_shares(frames.imputation, whole, chosen, designs, one)


def _ratios(imputation: Imputation, frame: pd.DataFrame, column: str, design: Design,
            indicator: Indicator, line: float) -> dict[str, float]:  # fmt: skip
    """By how much imputation widens the standard error, domain by domain."""
    return imputation.ratios(frame, column, str(design.weight), indicator.id, line,
                             design.poststrata)  # fmt: skip


def _all_kinds(survey: Survey, frames: Frames, kinds: Sequence[str], label: str) -> pd.DataFrame:
    """The estimates table over several kinds of domain."""
    pieces = [piece for kind in kinds for piece in _one_kind(survey, frames, kind)]
    table = pd.concat(pieces, ignore_index=True)
    table.insert(0, "survey", survey.survey)
    table.insert(1, "area", label)
    order = {kind: i for i, kind in enumerate(kinds)}
    indicators = {name: i for i, name in enumerate(CATALOGUE)}
    keys = pd.DataFrame(
        {
            "kind": table["domain_kind"].map(order),
            "place": table["domain"].map(GROUP_ORDER).fillna(-1),
            "domain": table["domain"],
            "indicator": table["indicator"].str.split("@").str[0].map(indicators),
            "line": table["indicator"],
        }
    )
    order_of_rows = keys.sort_values(["kind", "place", "domain", "indicator", "line"]).index
    return table.loc[order_of_rows][list(COLUMNS)]


def _one_kind(survey: Survey, frames: Frames, kind: str) -> Iterable[pd.DataFrame]:
    """Estimates for one kind of domain from each frame that has it."""
    grouped = [CATALOGUE[i] for i in GROUPED]
    if kind in PERSON_GROUPS:
        if frames.person is not None:
            rows = person_groups(frames.person, frames.household, kind)
            yield from _from_frame(survey, rows, kind, grouped, frames.imputation)
        return
    if kind in HOUSEHOLD_GROUPS:
        if kind in frames.household and frames.household[kind].notna().any():
            yield from _from_frame(survey, frames.household, kind, grouped, frames.imputation)
        return
    if kind in PLACES and survey.counties == "none":
        return
    column = COLUMN_OF_KIND.get(kind, kind)
    if column in frames.household and frames.household[column].isna().all():
        return
    for name in ("household", "village"):
        frame = getattr(frames, name)
        if frame is not None:
            chosen = [i for i in CATALOGUE.values() if i.frame == name]
            yield from _from_frame(survey, frame, kind, chosen, frames.imputation)
    if frames.county is not None:
        yield _county_form(frames.county, kind)


def design_of(survey: Survey, weight: str) -> Design:
    """The survey's design for a weight; calibrated weights bring their residuals."""
    calibrated = survey.design.calibrate_to == "rural_population" and weight != "w_village"
    return Design(
        strata=survey.design.strata,
        psu=survey.design.psu,
        weight=weight,
        lonely=survey.design.lonely,
        poststrata="county_id" if calibrated else None,
        # The population is known in persons: a household counts for its members.
        size="hhsize" if calibrated and weight == "w_hh" else None,
    )


def _from_frame(
    survey: Survey,
    frame: pd.DataFrame,
    kind: str,
    chosen: Sequence[Indicator],
    imputation: Imputation | None,
) -> Iterable[pd.DataFrame]:
    """Estimates of the chosen indicators that the frame can give, weight by weight."""
    column = COLUMN_OF_KIND.get(kind, kind)
    possible = [i for i in chosen if set(i.needs) <= set(frame.columns)]
    if survey.design.weights == "none":
        # A sample without weights says nothing about numbers in the population.
        possible = [i for i in possible if i.unit != "persons"]
    frame = frame.assign(all="all") if kind == "all" else frame
    for weight in dict.fromkeys(i.weight for i in possible):
        ours = [i for i in possible if i.weight == weight]
        measures = _measures(survey, ours)
        built = [m for _, _, m in measures]
        design = design_of(survey, weight)
        table = estimate(frame, design, built, by=[column])
        repeat = len(table) // len(measures)
        table["indicator"] = [name for name, _, _ in measures] * repeat
        table["unit"] = [_unit(survey, i) for _, i, _ in measures] * repeat
        table["bounded"] = [m.bounded for m in built] * repeat
        table = table.rename(columns={column: "domain"}).assign(domain_kind=kind)
        table["domain"] = table["domain"].astype(str)
        if imputation is not None:
            table = _widened(survey, imputation, frame, column, design, ours, table)
        # Student's t knows no bounds; a share has them.
        limits = ["ci_low", "ci_high"]
        share = table["unit"].eq("share")
        table.loc[share, limits] = table.loc[share, limits].clip(0.0, 1.0)
        index = table["unit"].eq("index")
        table.loc[index, limits] = table.loc[index, limits].clip(lower=0.0)
        yield apply_policy(table, survey.policy, villages=weight == "w_village")


def _measures(survey: Survey, ours: Sequence[Indicator]) -> list[tuple[str, Indicator, Measure]]:
    """Name, indicator and measure of each; those with a line once for each line."""
    found = []
    for i in ours:
        found.append((i.id, i, i.build(survey.line.value)))
        if i.id in LINED:
            found += [(f"{i.id}@{line.id}", i, i.build(line.value)) for line in survey.lines[1:]]
    return found


def _widened(
    survey: Survey, imputation: Imputation, frame: pd.DataFrame, column: str, design: Design,
    ours: Sequence[Indicator], table: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """The table with the errors of imputation in the standard errors of amounts of money."""
    ratio = np.ones(len(table))
    for i in ours:
        if i.id not in MONEY:
            continue
        for line in survey.lines if i.id in LINED else survey.lines[:1]:
            found = _ratios(imputation, frame, column, design, i, line.value)
            name = i.id if line is survey.lines[0] else f"{i.id}@{line.id}"
            rows = table["indicator"].eq(name).to_numpy()
            ratio[rows] = table.loc[rows, "domain"].map(found).fillna(1.0)
    return widen(table, ratio)


def _unit(survey: Survey, indicator: Indicator) -> str:
    return survey.currency.unit if indicator.unit == "money" else indicator.unit


def _county_form(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Totals and ratios of the county form: reports of all counties, without a sampling error."""
    chosen = [
        i for i in CATALOGUE.values() if i.frame == "county" and set(i.needs) <= set(frame.columns)
    ]
    frame = frame.assign(all="all") if kind == "all" else frame
    rows = []
    for domain, part in frame.groupby(COLUMN_OF_KIND.get(kind, kind), sort=True):
        for i in chosen:
            value, n = _ratio_or_total(part, i)
            rows.append((str(domain), i.id, i.unit, value, n))
    table = pd.DataFrame(rows, columns=["domain", "indicator", "unit", "estimate", "n"])
    missing = ("se", "ci_low", "ci_high", "cv", "deff")
    return table.assign(
        domain_kind=kind,
        n_psu=0,
        df=0,
        flag="",
        reason=COUNTY_FORM,
        **dict.fromkeys(missing, np.nan),
    )


def _ratio_or_total(part: pd.DataFrame, indicator: Indicator) -> tuple[float, int]:
    """Ratio or total over the counties that reported all of its parts, and their number."""
    parts = part[list(indicator.needs)].dropna()
    if parts.empty:
        return float("nan"), 0
    top = float(parts.iloc[:, 0].sum())
    if len(indicator.needs) == 1:
        return top, len(parts)
    bottom = float(parts.iloc[:, 1].sum())
    return (top / bottom if bottom else float("nan")), len(parts)
