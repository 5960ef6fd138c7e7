"""What a doubtful value does to the published figures: its influence.

A figure is a function of weighted sums, and each record adds its weight times its linearised
value to it. Put another value in the record's place, and the figure moves by the weight times the
change of the linearised value; divided by the figure's standard error, that is the influence: 1
means that the one value moves a published figure as much as the whole sample's chance does. The
list of what to check is ordered by it, so that the few values that matter are looked at first
(selective editing). No finding is dropped for a small influence.

What is put in the place of a doubtful value:

* what the rule expected, where it says so (outliers);
* what was submitted, where the audit has changed the value already;
* for an amount, the village's median per person; for everything else nothing, which in a mean
  or share comes to the same as the mean of the others;
* for a doubt about the record as a whole, nothing at all: the record left out.

Sources: Hidiroglou and Berthelot (1986), Survey Methodology 12; Latouche and Berthelot (1992),
Journal of Official Statistics 8, pp. 389-400 (scores of suspicion and impact); de Waal, Pannekoek
and Scholtus (2011), Handbook of Statistical Data Editing and Imputation, ch. 6 (selective
editing); Deville (1999), Survey Methodology 25 (linearised values).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from povmon.audit.outliers import AMOUNTS
from povmon.audit.robust import Floats
from povmon.estimate import prepare
from povmon.estimate.core.rows import Rows
from povmon.estimate.core.tally import answer
from povmon.estimate.measures.base import SumMeasure
from povmon.indicators.catalogue import CATALOGUE
from povmon.indicators.compute import COLUMN_OF_KIND, design_of
from povmon.indicators.frames import derive
from povmon.indicators.indicator import Indicator
from povmon.indicators.policy import apply_policy
from povmon.survey.cells import normal_number
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS

KINDS = ("area", "province", "county")
SAME_VALUE = {"value_normalised"}  # read as what was meant: nothing has changed
LEVELS = ("village", "household", "person")
# Shares of deprivations are parts of these two.
INDEX = ("mpi_h", "mpi_m0")


def add_influence(
    survey: Survey, area: str, records: Mapping[str, pd.DataFrame], findings: pd.DataFrame,
    corrections: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Findings with ``influence`` and ``influence_cell``.

    Parameters
    ----------
    records : form -> accepted records with their final weights.
    findings, corrections : as the ledger gives them.

    Returns
    -------
    The findings with two more columns: how far, in standard errors, the published figure that
    the finding moves most is moved (NaN where the finding names no accepted record or nothing
    that a figure rests on), and that figure, as "area wumeng: headcount".
    """
    out = findings.assign(influence=np.nan, influence_cell="")
    changes = alternatives(records, findings, corrections)
    if changes.empty or records["household"].empty:
        return out
    frames = derive(survey, [area], records)
    for form in ("household", "village"):
        base: pd.DataFrame | None = getattr(frames, form)
        own = changes[(changes["level"] == form) | (form == "household") &
                      (changes["level"] == "person")]  # fmt: skip
        if base is None or own.empty:
            continue
        own = own.reset_index(drop=True)
        changed, kept = _changed(survey, area, records, base, own, form)
        best, cell = _largest(survey, form, base, changed, kept)
        out.loc[own["finding"], "influence"] = best
        out.loc[own["finding"], "influence_cell"] = cell
    out["influence_cell"] = out["influence_cell"].astype("str")
    return out


def alternatives(
    records: Mapping[str, pd.DataFrame], findings: pd.DataFrame, corrections: pd.DataFrame
) -> pd.DataFrame:
    """What to put in the place of each doubtful value.

    Returns
    -------
    One row a finding that names an accepted record: finding (its index), level, key, column
    (empty: the record as a whole), value (float, NaN: nothing), row (position of the household
    or village among the accepted records).
    """
    asked = findings["level"].isin([f for f in LEVELS if f in records])
    chosen = findings[asked & ~findings["rule"].isin(SAME_VALUE) & (findings["key"] != "")]
    before = corrections.drop_duplicates(["rule", "form", "key", "column"])
    before = before.rename(columns={"form": "level"})[["rule", "level", "key", "column", "before"]]
    out = chosen.reset_index(names="finding")[
        ["finding", "rule", "level", "key", "column", "expected"]
    ].merge(before, on=["rule", "level", "key", "column"], how="left")
    numbers = out["before"].map(lambda v: normal_number(v) if isinstance(v, str) else None)
    out["value"] = out["expected"].fillna(pd.to_numeric(numbers, errors="coerce"))
    out["row"] = -1
    for form in LEVELS:
        if form in records:
            of_form = out["level"] == form
            out.loc[of_form, "row"] = _positions(records, form, out.loc[of_form, "key"])
    out = out[out["row"] >= 0].reset_index(drop=True)
    whole = [_of_record(level, name) for level, name in zip(out["level"], out["column"],
                                                             strict=True)]  # fmt: skip
    out["column"] = out["column"].mask(np.array(whole, dtype=bool), "")
    usual = out["value"].isna() & out["before"].isna() & (out["level"] == "household")
    _fill_usual(records["household"], out, usual)
    return out[["finding", "level", "key", "column", "value", "row"]]


def _of_record(level: str, column: str) -> bool:
    """Whether a finding about a column is one about the record: no figure is made from it."""
    form = FORMS[level]
    return column not in form.columns or column in form.key or column in ("year", "village_id")


def _positions(records: Mapping[str, pd.DataFrame], form: str, keys: pd.Series) -> np.ndarray:
    """Position of each key's household or village; -1 where the record was not accepted."""
    if form == "person":
        persons = records["person"]
        known = persons["household_id"].astype("str") + "/" + persons["line"].astype("str")
        inside = keys.isin(known).to_numpy()
        owner = keys.str.rsplit("/", n=1).str[0]
        at = pd.Index(records["household"]["household_id"]).get_indexer(owner)
        return np.where(inside, at, -1)
    return pd.Index(records[form][FORMS[form].key[0]]).get_indexer(keys)


def _fill_usual(households: pd.DataFrame, out: pd.DataFrame, usual: pd.Series) -> None:
    """The village's median per person (times the members) for amounts without a better value."""
    size = households["hhsize"].astype("float64")
    for amount in AMOUNTS:
        rows = usual & (out["column"] == amount.column)
        if rows.any():
            people = size if amount.per_person else 1.0
            each = households[amount.column].astype("float64") / people
            median = each.groupby(households["village_id"]).transform("median") * people
            out.loc[rows, "value"] = median.to_numpy()[out.loc[rows, "row"]]


def _changed(
    survey: Survey, area: str, records: Mapping[str, pd.DataFrame], base: pd.DataFrame,
    changes: pd.DataFrame, form: str,
) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """The frame as it would be with each change made, one row a change, and where it belongs.

    A record left out is kept as a row with a missing weight.
    """
    rows = changes["row"].to_numpy()
    key = FORMS[form].key[0]
    name = pd.Series(changes.index.astype("str"), dtype="str")
    copies = {f: t for f, t in records.items() if f not in (form, "person")}
    own = records[form].iloc[rows].reset_index(drop=True)
    old = own[key].copy()
    own[key] = name
    gone = _replace(own, changes[changes["level"] == form])
    copies[form] = own
    if form == "village":
        frame = derive(survey, [area], {**records, "village": own}).village
        assert frame is not None
        frame.loc[gone, "w_village"] = np.nan
        return frame.reset_index(drop=True), rows
    if "person" in records:
        copies["person"] = _persons(records["person"], old, changes)
    frame = derive(survey, [area], copies).household.reset_index(drop=True)
    # A survey without weights has ones on its records, and none in its frames.
    frame["w_person"] = own["w_hh"].astype("float64") * own["hhsize"].astype("float64")
    weights = [name for name in ("w_hh", "w_person") if name in frame]
    frame.loc[gone, weights] = np.nan
    return frame, rows


def _replace(copies: pd.DataFrame, changes: pd.DataFrame) -> np.ndarray:
    """Put the alternatives into copies of the records; returns which records are left out."""
    gone = (changes["column"] == "").to_numpy()
    left_out = [changes.index[gone].to_numpy()]
    for column, part in changes[~gone].groupby("column"):
        values = part["value"]
        if column in ("hhsize", "w_hh", "w_village"):
            # Without these a record cannot be used.
            left_out.append(part.index[~(values > 0)].to_numpy())
            part = part[values > 0]
        copies.loc[part.index, str(column)] = _typed(copies[str(column)], part["value"])
    return np.concatenate(left_out)


LARGEST = 2.0**53  # beyond this a float is not exact to the unit


def _typed(column: pd.Series, values: pd.Series) -> Any:
    """Numbers in a column's own type; codes have no number and become missing."""
    if pd.api.types.is_float_dtype(column):
        return values.to_numpy()
    if pd.api.types.is_integer_dtype(column):
        # What no whole number of this type can hold is no alternative.
        return values.round().where(values.abs() < LARGEST).astype("Int64").array
    return pd.Series(pd.NA, index=values.index, dtype=column.dtype)


def _persons(persons: pd.DataFrame, old: pd.Series, changes: pd.DataFrame) -> pd.DataFrame:
    """The rosters of the copied households, with the changes to persons made."""
    names = pd.DataFrame({"household_id": old, "copy": changes.index})
    rosters = persons.merge(names, on="household_id", how="inner")
    own = changes[changes["level"] == "person"]
    line = own["key"].str.rsplit("/", n=1).str[-1]
    wanted = pd.Series(own.index, index=own.index.astype("str") + "/" + line)
    at = rosters["copy"].astype("str") + "/" + rosters["line"].astype("str")
    hit = at.map(wanted)
    gone = np.zeros(len(rosters), dtype=bool)
    for column, part in own.groupby("column"):
        rows = hit.isin(part.index).to_numpy()
        if column == "":
            gone |= rows
        else:
            values = part["value"].reindex(hit[rows]).set_axis(rosters.index[rows])
            rosters.loc[rows, str(column)] = _typed(rosters[str(column)], values)
    rosters["household_id"] = rosters["copy"].astype("str")
    return rosters[~gone].drop(columns="copy").reset_index(drop=True)


@dataclass(frozen=True)
class _Figures:
    """Figures of one kind of domain from one weight: M measures, D domains, n base rows.

    `gradient` and `error` by measure: (D, k) and (D,); `code`: domain of each row.
    """

    kind: str
    weight: str
    chosen: list[Indicator]
    measures: list[SumMeasure]
    gradient: list[Floats]
    error: list[Floats]
    code: np.ndarray
    names: list[str]


def _figures(survey: Survey, form: str, base: pd.DataFrame) -> Iterator[_Figures]:
    """Everything that is published of a form's records, kind by kind and weight by weight."""
    possible = [
        i for i in CATALOGUE.values()
        if i.frame == form and set(i.needs) <= set(base.columns)
        and (i.group != "multidimensional" or i.id in INDEX)
        and not (survey.design.weights == "none" and i.unit == "persons")
        and isinstance(i.build(survey.line.value), SumMeasure)
    ]  # fmt: skip
    kinds = [k for k in KINDS if k == "area" or survey.counties != "none"]
    for weight in dict.fromkeys(i.weight for i in possible):
        chosen = [i for i in possible if i.weight == weight]
        measures = [m for i in chosen if isinstance(m := i.build(survey.line.value), SumMeasure)]
        design = design_of(survey, weight)
        for kind in kinds:
            prepared = prepare(base, design, COLUMN_OF_KIND.get(kind, kind))
            table = prepared.estimate(measures)
            count = len(measures)
            table["bounded"] = [m.bounded for m in measures] * (len(table) // count)
            table = apply_policy(table, survey.policy, villages=weight == "w_village")
            errors = table["se"].to_numpy(dtype=float).reshape(-1, count)
            domains = prepared.sums.domains
            yield _Figures(
                kind, weight, chosen, measures,
                [answer(m, prepared.sums).gradient for m in measures],
                list(np.where(errors > 0, errors, np.nan).T), domains.code,
                [str(d) for d in domains.labels.iloc[:, 0]],
            )  # fmt: skip


def _largest(
    survey: Survey, form: str, base: pd.DataFrame, changed: pd.DataFrame, rows: np.ndarray
) -> tuple[Floats, list[str]]:
    """Largest influence of each change over the published cells, and that cell's name."""
    best = np.zeros(len(changed))
    cell = np.full(len(changed), "", dtype=object)
    before, after = Rows(base), Rows(changed)
    for figures in _figures(survey, form, base):
        for j, indicator in enumerate(figures.chosen):
            moved = _moved(survey, figures, j, (before, after), rows)
            code = figures.code[rows]
            size = np.nan_to_num(np.abs(moved) / figures.error[j][code])
            # A tie goes to the first figure: the area's, and the headcount's.
            larger = size > best * (1 + 1e-9)
            best = np.where(larger, size, best)
            names = [f"{figures.kind} {figures.names[c]}: {indicator.id}" for c in code[larger]]
            cell[larger] = names
    return best, list(cell)


def _moved(
    survey: Survey, figures: _Figures, j: int, frames: tuple[Rows, Rows], rows: np.ndarray
) -> Floats:
    """By how much each change moves one figure of the domain that its record lies in.

    Weights that are calibrated to the county's persons are calibrated again after the change,
    so that it is the residual from the county's mean that counts.
    """
    before, after = frames
    gradient = figures.gradient[j]
    old = _linearised(figures.measures[j], gradient, figures.code, before)
    new = _linearised(figures.measures[j], gradient, figures.code[rows], after)
    w_old = np.nan_to_num(before.number(figures.weight))
    w_new = np.nan_to_num(after.number(figures.weight))
    if survey.design.calibrate_to != "none" and figures.weight != "w_village":
        counts = figures.weight == "w_hh"
        x_old = before.number("hhsize") if counts else np.ones(len(old))
        x_new = np.nan_to_num(after.number("hhsize")) if counts else np.ones(len(new))
        county, names = pd.factorize(before.frame["county_id"])
        size = len(names)
        persons = np.bincount(county, w_old * x_old, size)
        slope = np.bincount(county, w_old * old, size) / np.where(persons > 0, persons, 1.0)
        old = old - x_old * slope[county]
        new = new - x_new * slope[county[rows]]
    return w_new * new - (w_old * old)[rows]


def _linearised(measure: SumMeasure, gradient: Floats, code: np.ndarray, rows: Rows) -> Floats:
    """Linearised value of each row in the domain `code` (n,)."""
    n = len(rows)
    total = np.zeros(n)
    for k, part in enumerate(measure.parts(rows).values):
        total += gradient[code, k] * part.dense(n)
    return total
