"""Imputed records with the donors that each bootstrap replicate gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from povmon.estimate.replicates.donors import Resample, donors
from povmon.indicators.imputation import GROUPED_BY, MADE_FROM, Imputation
from povmon.seeds import IMPUTED
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS

# Groups of fields imputed together (see audit/imputation.yml), each with random numbers of its own.
GROUPS = (
    "income", "consumption", "dwelling", "identity", "status", "head", "belongings", "support",
)  # fmt: skip
# Groups that are parts of a total: a donor knows all of them.
AMOUNTS = {"income": INCOME_PARTS, "consumption": CONSUMPTION_PARTS}
RELEVANT = frozenset(GROUPED_BY).union(*MADE_FROM.values())


@dataclass(frozen=True, eq=False)
class Recipients:
    """The imputed records of one group of fields: R records, B replicates.

    Parameters
    ----------
    group, form : of the fields.
    row : (R,) record in the form's table.
    household : (R,) row of the household table.
    lacks : field of the group -> (R,) whether the record lacks it.
    donor : (R, B) record in the form's table.
    """

    group: str
    form: str
    row: np.ndarray
    household: np.ndarray
    lacks: dict[str, np.ndarray]
    donor: np.ndarray


@dataclass(frozen=True, eq=False)
class Records:
    """The accepted records of the household and person forms, and where each belongs.

    Parameters
    ----------
    tables : form -> table of records.
    household : form -> row of the household table of each record.
    index : form -> keys of the records.
    """

    tables: Mapping[str, pd.DataFrame]
    household: Mapping[str, np.ndarray]
    index: Mapping[str, pd.Index]

    @classmethod
    def of(cls, tables: Mapping[str, pd.DataFrame]) -> Records:
        """Persons whose household the weighting left out are left out."""
        homes = pd.Index(tables["household"]["household_id"])
        kept = {"household": tables["household"]}
        household = {"household": np.arange(len(homes))}
        index = {"household": homes}
        if "person" in tables:
            place = homes.get_indexer(tables["person"]["household_id"])
            kept["person"] = tables["person"][place >= 0]
            household["person"] = place[place >= 0]
            line = kept["person"]["line"].astype("str")
            index["person"] = pd.Index(kept["person"]["household_id"] + "/" + line)
        return cls(kept, household, index)


def recipients(imputation: Imputation, records: Records, drawn: Resample) -> list[Recipients]:
    """The imputed records that indicators rest on, with their donors in every replicate.

    A donor must have answered what the record lacks, and be among the records: one that the
    weighting left out gives nothing, and a record without any donor left keeps its value.

    Parameters
    ----------
    drawn : the replicates, of the rows of the household table.
    """
    cells, found = imputation.imputed, []
    for form in records.tables:
        of_form = cells[cells["form"].eq(form)]
        row = records.index[form].get_indexer(pd.Index(of_form["key"]))
        of_form = of_form.assign(row=row)[row >= 0]
        answered = _answered(records.tables[form], of_form)
        fields = [column for of, column in RELEVANT if of == form]
        for group in GROUPS:
            part = of_form[of_form["group"].eq(group)]
            # A record counts where it lacks a field that an indicator rests on.
            part = part[part["row"].isin(part.loc[part["column"].isin(fields), "row"])]
            if len(part):
                pools = imputation.donors[imputation.donors["group"].eq(group)]
                found.append(_group(part, pools, group, form, records, answered, drawn))
    return [one for one in found if one is not None]


def _answered(table: pd.DataFrame, cells: pd.DataFrame) -> dict[str, np.ndarray]:
    """Field -> records that have a value of their own (n,)."""
    out = {}
    for name, part in cells.groupby("column"):
        out[str(name)] = table[str(name)].notna().to_numpy(dtype=bool, copy=True)
        out[str(name)][part["row"]] = False
    return out


def _group(
    cells: pd.DataFrame, pools: pd.DataFrame, group: str, form: str, records: Records,
    answered: Mapping[str, np.ndarray], drawn: Resample,
) -> Recipients | None:  # fmt: skip
    record, row = pd.factorize(cells["row"].to_numpy())
    first = np.unique(record, return_index=True)[1]
    lacks = {}
    for name in dict.fromkeys(cells["column"]):
        lacks[name] = np.zeros(len(row), dtype=bool)
        lacks[name][record[cells["column"].eq(name).to_numpy()]] = True
    giver = records.index[form].get_indexer(pd.Index(pools["donor"]))
    known = giver >= 0
    code = _codes(cells.iloc[first], pools[known])
    asked = {} if group in AMOUNTS else lacks
    rows, number = _pools(code[len(row) :], giver[known], code[: len(row)], asked, answered)
    some = number >= 0
    if not some.any():
        return None
    homes = records.tables["household"]
    # A survey without weights has no w_hh.
    weight = homes["w_person"].to_numpy(dtype=float) / homes["hhsize"].to_numpy(dtype=float)
    place = records.household[form]
    of = drawn if form == "household" else Resample(drawn.psu[place], drawn.factor)
    donor = donors(rows, number[some], weight[place], of, IMPUTED + GROUPS.index(group))
    lacks = {name: flags[some] for name, flags in lacks.items()}
    return Recipients(group, form, row[some], place[row[some]], lacks, donor)


def _codes(cells: pd.DataFrame, pools: pd.DataFrame) -> np.ndarray:
    """Numbers of the pools (area and label) of cells, then of donors."""
    both = pd.concat([cells[["area", "pool"]], pools[["area", "pool"]]], ignore_index=True)
    area, _ = pd.factorize(both["area"])
    label, labels = pd.factorize(both["pool"])
    return area * len(labels) + label


def _pools(
    code: np.ndarray, giver: np.ndarray, wanted: np.ndarray, lacks: Mapping[str, np.ndarray],
    answered: Mapping[str, np.ndarray],
) -> tuple[list[np.ndarray], np.ndarray]:  # fmt: skip
    """Rows of the donors of each pool, and each record's pool, -1 where no donor is left.

    Parameters
    ----------
    code, giver : of the possible donors, pool and row.
    wanted : (R,) pool of each record; records of a pool that lack other fields have another pool.
    """
    order = np.argsort(code, kind="stable")
    code, giver = code[order], giver[order]
    flags = np.array(list(lacks.values()), dtype=bool).reshape(len(lacks), len(wanted)).T
    keys: dict[tuple[int, tuple[bool, ...]], int] = {}
    rows: list[np.ndarray] = []
    number = np.full(len(wanted), -1)
    for i, (of, lacking) in enumerate(zip(wanted.tolist(), flags.tolist(), strict=True)):
        key = (of, tuple(lacking))
        if key not in keys:
            low, high = np.searchsorted(code, [of, of + 1])
            own = giver[low:high]
            for name, gone in zip(lacks, lacking, strict=True):
                if gone:
                    own = own[answered[name][own]]
            keys[key] = len(rows) if len(own) else -1
            if len(own):
                rows.append(own)
        number[i] = keys[key]
    return rows, number
