"""Estimates of all indicators for the domains of an area, or of all areas together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from povmon.estimate import Design, Table
from povmon.estimate.core.domains import Domains, lay_domains
from povmon.estimate.core.prepared import prepared
from povmon.estimate.core.rows import Rows
from povmon.estimate.design import Floats, Sample, lay, numbers
from povmon.estimate.measures.base import Measure, divide
from povmon.indicators import imputed_shares
from povmon.indicators.catalogue import CATALOGUE
from povmon.indicators.frames import AGE_GROUPS, SIZE_GROUPS, Frames, load, person_groups
from povmon.indicators.indicator import Indicator
from povmon.indicators.policy import apply_policy
from povmon.indicators.reimputation import Reimputation
from povmon.indicators.store import NATION, write_estimates
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
# Columns of `Prepared.estimate` that the table keeps.
ESTIMATED = ("estimate", "se", "ci_low", "ci_high", "n", "n_psu", "df", "cv", "deff")
COUNTY_FORM = "from the county form: a report, not a sample estimate"
# Columns of a table by name, all of the same length.
Columns = dict[str, npt.NDArray[Any]]


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
    return estimate_frames(config, load(config, [area]), area)


def estimate_frames(survey: Survey, frames: Frames, area: str) -> pd.DataFrame:
    """As `estimate_area`, from the area's frames where they are loaded already."""
    kinds = ["area", "county", "province", "key_county", *PERSON_GROUPS, *HOUSEHOLD_GROUPS]
    return _estimate(survey, frames, kinds, area)


def pool(survey: str) -> pd.DataFrame:
    """Estimate every indicator from all areas' records together; domain kind ``all`` is the top.

    Estimates of areas are never combined: the records are, with all strata kept.
    """
    config = load_survey(survey)
    kinds = ["all", "area", "province", "key_county", *PERSON_GROUPS, *HOUSEHOLD_GROUPS]
    return _estimate(config, load(config, config.area_ids), kinds, NATION)


def _estimate(survey: Survey, frames: Frames, kinds: Sequence[str], label: str) -> pd.DataFrame:
    """Estimates and the table of imputed shares, written."""
    made = _all_kinds(survey, frames, kinds, label)
    table = write_estimates(made, survey.survey, label)
    whole = made[made["domain_kind"].eq(kinds[0])]
    imputed_shares.write(_shares(survey, frames, whole), survey.survey, label)
    return table


def _shares(survey: Survey, frames: Frames, whole: pd.DataFrame) -> pd.DataFrame:
    """How much of the figures of the whole (one domain) is imputed, and what that does to them."""
    assert frames.imputation is not None
    chosen = [i for i in CATALOGUE.values() if i.frame == "household"]
    chosen = [i for i in chosen if set(i.needs) <= set(frames.household.columns)]
    return imputed_shares.imputed_shares(frames.imputation, whole, chosen)


def _all_kinds(survey: Survey, frames: Frames, kinds: Sequence[str], label: str) -> pd.DataFrame:
    """The estimates table over several kinds of domain."""
    work = _Work(survey, frames)
    pieces = [piece for kind in kinds for piece in work.one_kind(kind)]
    table = pd.concat([_published(pieces, survey), *work.reported], ignore_index=True)
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
    return table.loc[order_of_rows]


class _Work:
    """Estimates of a survey's frames; what several kinds of domain share is made once."""

    def __init__(self, survey: Survey, frames: Frames) -> None:
        self.survey, self.frames = survey, frames
        self.again = Reimputation(survey, frames)
        self.laid: dict[tuple[str, str], tuple[Rows, Sample]] = {}
        # What counties report, by kind of domain: no estimates of a sample.
        self.reported: list[pd.DataFrame] = []
        household = frames.household.assign(all="all")
        village = None if frames.village is None else frames.village.assign(all="all")
        self.rows = {"household": Rows(household)}
        if village is not None:
            self.rows["village"] = Rows(village)

    def one_kind(self, kind: str) -> Iterable[Columns]:
        """Estimates for one kind of domain from each frame that has it."""
        household, person = self.rows["household"].frame, self.frames.person
        grouped = [CATALOGUE[i] for i in GROUPED]
        if kind in PERSON_GROUPS:
            if person is not None:
                shared = household[[c for c in household if c in self._shared_by_members]]
                self.rows[kind] = Rows(person_groups(person, shared, kind))
                yield from self._from_frame(kind, kind, grouped)
            return
        if kind in HOUSEHOLD_GROUPS:
            if kind in household and household[kind].notna().any():
                yield from self._from_frame("household", kind, grouped)
            return
        if kind in PLACES and self.survey.counties == "none":
            return
        column = COLUMN_OF_KIND.get(kind, kind)
        if column in household and household[column].isna().all():
            return
        for name in ("household", "village"):
            if name in self.rows:
                chosen = [i for i in CATALOGUE.values() if i.frame == name]
                yield from self._from_frame(name, kind, chosen)
        if self.frames.county is not None:
            self.reported.append(_county_form(self.frames.county, kind))

    @cached_property
    def _shared_by_members(self) -> set[str]:
        """Columns of a household that estimates of groups of persons are made from."""
        design = self.survey.design
        names = {"household_id", "county_id", "hhsize", "w_hh", design.strata, design.psu}
        for indicator in (CATALOGUE[i] for i in GROUPED):
            names.update(indicator.needs, indicator.build(self.survey.line.value).columns)
        return names

    def _from_frame(self, name: str, kind: str, chosen: Sequence[Indicator]) -> Iterable[Columns]:
        """Estimates of the chosen indicators that a frame can give, weight by weight."""
        known = set(self.rows[name].frame.columns)
        possible = [i for i in chosen if known.issuperset(i.needs)]
        if self.survey.design.weights == "none":
            # A sample without weights says nothing about numbers in the population.
            possible = [i for i in possible if i.unit != "persons"]
        for weight in dict.fromkeys(i.weight for i in possible):
            yield self._weighted(name, kind, weight, [i for i in possible if i.weight == weight])

    def _weighted(self, name: str, kind: str, weight: str, ours: Sequence[Indicator]) -> Columns:
        """Columns of the estimates of one weight, before anything is done to them."""
        column = COLUMN_OF_KIND.get(kind, kind)
        measures = _measures(self.survey, ours)
        built = [m for _, _, m in measures]
        design = design_of(self.survey, weight)
        if (name, weight) not in self.laid:
            rows = self.rows[name]
            self.laid[name, weight] = rows, lay(rows.frame, design)
        laid = prepared(*self.laid[name, weight], [column])
        found = laid.estimate(built)
        repeat = len(found) // len(measures)
        table = {name: found[name].to_numpy() for name in ESTIMATED}
        table["ratio"] = np.ones(len(found))
        if name != "village":
            labels = pd.Index(laid.labels[column])
            ratios = self.again.ratios(self.rows[name].frame, kind, column, design, built, labels)
            table["ratio"] = ratios.ravel()
        return table | {
            "domain_kind": np.full(len(found), kind, dtype=object),
            "domain": np.array([str(label) for label in found[column].tolist()], dtype=object),
            "indicator": np.array([name for name, _, _ in measures] * repeat, dtype=object),
            "unit": np.array(
                [_unit(self.survey, i) for _, i, _ in measures] * repeat, dtype=object
            ),
            "bounded": np.array([m.bounded for m in built] * repeat),
            "villages": np.full(len(found), weight == "w_village"),
        }


def _published(pieces: Sequence[Columns], survey: Survey) -> pd.DataFrame:
    """The estimates of samples, widened, within the bounds of their unit and by the policy."""
    whole = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    villages = whole.pop("villages")
    table = widen(Table(whole), whole["ratio"])
    # Student's t knows no bounds; a share has them.
    top = np.where(whole["unit"] == "share", 1.0, np.inf)
    bottom = np.where(np.isin(whole["unit"], ["share", "index"]), 0.0, -np.inf)
    for name in ("ci_low", "ci_high"):
        limit = table[name].to_numpy()
        limit = np.where(limit < bottom, bottom, limit)
        table[name] = np.where(limit > top, top, limit)
    parts = [(table[villages == some], some) for some in (False, True)]
    judged = [apply_policy(part, survey.policy, villages=some) for part, some in parts if len(part)]
    return pd.concat(judged, ignore_index=True)


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


def _measures(survey: Survey, ours: Sequence[Indicator]) -> list[tuple[str, Indicator, Measure]]:
    """Name, indicator and measure of each; those with a line once for each line."""
    found = []
    for i in ours:
        found.append((i.id, i, i.build(survey.line.value)))
        if i.id in LINED:
            found += [(f"{i.id}@{line.id}", i, i.build(line.value)) for line in survey.lines[1:]]
    return found


def widen(table: pd.DataFrame, ratio: np.ndarray) -> pd.DataFrame:
    """Standard errors and what follows from them, times the ratio of each row (1: unchanged)."""
    rows = ratio > 1.0
    if not rows.any():
        return table
    out = table.copy()
    factor = ratio[rows]
    for name, power in (("se", 1), ("cv", 1), ("deff", 2)):
        out.loc[rows, name] = out.loc[rows, name] * factor**power
    for name in ("ci_low", "ci_high"):
        middle = out.loc[rows, "estimate"]
        out.loc[rows, name] = middle + (out.loc[rows, name] - middle) * factor
    return out


def _unit(survey: Survey, indicator: Indicator) -> str:
    return survey.currency.unit if indicator.unit == "money" else indicator.unit


def _county_form(frame: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Totals and ratios of the county form: reports of all counties, without a sampling error."""
    chosen = [
        i for i in CATALOGUE.values() if i.frame == "county" and set(i.needs) <= set(frame.columns)
    ]
    parts = {name: numbers(frame, name) for i in chosen for name in i.needs}
    frame = frame.assign(all="all") if kind == "all" else frame
    domains = lay_domains(frame, [COLUMN_OF_KIND.get(kind, kind)])
    names = domains.labels.iloc[:, 0].astype("str")
    values = [_ratio_or_total(parts, domains, i) for i in chosen]
    table = pd.DataFrame({
        "domain": np.repeat(names.to_numpy(), len(chosen)),
        "indicator": [i.id for i in chosen] * len(domains),
        "unit": [i.unit for i in chosen] * len(domains),
        "estimate": np.stack([v for v, _ in values], axis=1).ravel(),
        "n": np.stack([n for _, n in values], axis=1).ravel(),
    })  # fmt: skip
    missing = ("se", "ci_low", "ci_high", "cv", "deff")
    return table.assign(
        domain_kind=kind,
        n_psu=0,
        df=0,
        flag="",
        reason=COUNTY_FORM,
        **dict.fromkeys(missing, np.nan),
    )


def _ratio_or_total(
    columns: dict[str, Floats], domains: Domains, indicator: Indicator
) -> tuple[np.ndarray, np.ndarray]:
    """Ratio or total over the counties that reported all of its parts, and their number, (D,)."""
    parts = [columns[name] for name in indicator.needs]
    known = ~np.any([np.isnan(part) for part in parts], axis=0)
    n = domains.sum(known.astype(float)).astype("int64")
    sums = [domains.sum(np.where(known, part, 0.0)) for part in parts]
    value = sums[0] if len(sums) == 1 else divide(sums[0], sums[1])
    return np.where(n > 0, value, np.nan), n
