"""The village, household and person forms rolled up: weighted counts and averages.

What is published is an estimate, so it goes through the survey's policy for estimates as well.
The forms are shown from the prefecture and area up: the 80 households and 8 villages of a county
are too few for a table of every answer (estimates of counties, with their intervals, stand in the
indicators of their area).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from povmon.estimate import estimate, ratio, total
from povmon.indicators.compute import design_of
from povmon.indicators.disclosure import Need, System, dominated_cells, small_cells
from povmon.indicators.forms_records import Part, Records
from povmon.indicators.forms_table import FormTable
from povmon.indicators.hierarchy import ALL, Hierarchy
from povmon.indicators.policy import apply_policy
from povmon.indicators.protection import protect_once
from povmon.survey import Survey

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

LEVELS = (ALL, "province", "prefecture", "area", "key_county")


def roll_up_sample(survey: Survey, h: Hierarchy, records: Records) -> tuple[FormTable, Floats]:
    """One sampled form by prefecture, province, area and key county, and of all areas.

    Returns
    -------
    The table, and the (units of the hierarchy, shown parts) weighted sums, for the checks.
    """
    shown = records.shown
    units = h.units.iloc[h.at(LEVELS)]
    names = [p.item.name for p in shown]
    values, flags, reasons, sample = _estimates(survey, units.index, records)
    open_cells = (flags != "suppressed") & values.notna()
    withheld = _protected(survey, h, records, open_cells)
    counties = pd.Index(h.counties["county"]).get_indexer(records.frame["county"].unique())
    present = np.zeros(len(h.counties))
    present[counties] = 1.0
    behind = np.asarray(h.members @ present)[h.at(LEVELS)].astype("int64")
    table = FormTable(
        records.form,
        tuple(p.item for p in shown),
        values.where(open_cells & ~withheld),
        withheld,
        pd.DataFrame(np.tile(behind[:, None], len(names)), units.index, names),
        units["counties"],
        sample,
        flags.mask(withheld, ""),
        reasons.mask(withheld, ""),
    )
    weight = records.frame[records.weight].to_numpy()
    place = pd.Index(h.counties["county"]).get_indexer(records.frame["county"])
    sums = [_by(place, weight * records.frame[p.top].to_numpy(), len(h.counties)) for p in shown]
    return table, np.asarray(h.members @ np.column_stack(sums))


def _by(place: npt.NDArray[np.intp], values: Floats, number: int) -> Floats:
    return np.bincount(place, weights=values, minlength=number).astype(float)


def _estimates(
    survey: Survey, units: pd.Index, records: Records
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series]:
    """Estimate, flag and reason of every unit and item, and the unit's records."""
    shown = records.shown
    names = [p.item.name for p in shown]
    measures = [
        ratio(p.top, p.bottom, name=p.item.name) if p.bottom else total(p.top, name=p.item.name)
        for p in shown
    ]
    pieces = []
    for level in LEVELS:
        table = estimate(records.frame, design_of(survey, records.weight), measures, by=[level])
        table = table.rename(columns={level: "unit", "measure": "item"}).assign(bounded=False)
        pieces.append(apply_policy(table, survey.policy, villages=records.form == "village"))
    whole = pd.concat(pieces, ignore_index=True)

    def wide(column: str) -> pd.DataFrame:
        return whole.pivot(index="unit", columns="item", values=column).reindex(units)[names]

    counts = pd.concat([records.frame[level].value_counts() for level in LEVELS])
    sample = counts.reindex(units).fillna(0).astype("int64")
    return wide("estimate"), wide("flag").fillna(""), wide("reason").fillna(""), sample


def _protected(
    survey: Survey, h: Hierarchy, records: Records, open_cells: pd.DataFrame
) -> pd.DataFrame:
    """(units, items) which numbers are withheld, all linked cells of a field at once."""
    atoms = h.atoms(LEVELS)
    _, first = np.unique(atoms, return_index=True)
    members = sparse.csr_array(h.members[h.at(LEVELS)][:, first])
    cells = _with_hidden(members)
    out = pd.DataFrame(False, index=open_cells.index, columns=open_cells.columns)
    cost = h.units["counties"].to_numpy(dtype=float)[h.at(LEVELS)]
    cost = np.concatenate([cost, np.zeros(cells.shape[0] - len(cost))])
    county = pd.Index(h.counties["county"]).get_indexer(records.frame["county"])
    at = _Place(atoms[county], len(first), cells, cost, len(members.indptr) - 1)
    for group in _groups(records):
        found = at.protect(survey, records, group, open_cells)
        for part, withheld in zip(group, found.T, strict=True):
            if part.shown:
                out[part.item.name] = withheld & open_cells[part.item.name].to_numpy()
    return out


def _groups(records: Records) -> list[list[Part]]:
    """Parts whose cells are linked: the categories of a field; an amount alone."""
    groups: dict[str, list[Part]] = {}
    for part in records.parts:
        groups.setdefault(part.field or part.item.name, []).append(part)
    return list(groups.values())


def _with_hidden(members: sparse.csr_array) -> sparse.csr_array:
    """The units' rows, then what subtraction could show: units less one inside, and atoms.

    Each set stands once, so that a difference that is itself a unit is not added.
    """
    dense = members.toarray().astype(bool)
    inside = dense.astype(int) @ dense.T.astype(int) == dense.sum(axis=1)[None, :]
    big, small = np.nonzero(inside & ~np.eye(len(dense), dtype=bool))
    candidates = np.vstack([dense[big] & ~dense[small], np.eye(dense.shape[1], dtype=bool)])
    candidates = np.unique(candidates[candidates.any(axis=1)], axis=0)
    own = {row.tobytes() for row in dense}
    hidden = [row for row in candidates if row.tobytes() not in own]
    return sparse.csr_array(np.vstack([dense, *hidden]).astype(float))


class _Place:
    """Where records lie among the cells, and the protection of one group of parts."""

    def __init__(
        self,
        atom: npt.NDArray[np.intp],
        atoms: int,
        cells: sparse.csr_array,
        cost: Floats,
        units: int,
    ) -> None:
        self.atom, self.atoms, self.cells, self.cost, self.units = atom, atoms, cells, cost, units

    def protect(
        self, survey: Survey, records: Records, group: list[Part], open_cells: pd.DataFrame
    ) -> Flags:
        """(units, parts of the group) which are withheld."""
        policy = survey.policy.disclosure
        weight = records.frame[records.weight].to_numpy()
        x = np.column_stack([records.frame[p.top].to_numpy() for p in group])
        values = np.column_stack([_by(self.atom, weight * c, self.atoms) for c in x.T])
        contributors = np.column_stack(
            [_by(self.atom, c, self.atoms) for c in _contributors(records, group, x).T]
        )
        k = len(group)
        cells = sparse.csr_array(sparse.kron(self.cells, sparse.eye_array(k), format="csr"))
        system = System(
            values.ravel(),
            cells,
            self._published(group, open_cells),
            lower=np.full(values.size, -np.inf if (x < 0).any() else 0.0),
            known=self._known(k) if group[0].field else None,
        )
        # Who did not answer is not told about: the rest of a field is no sensitive cell.
        contributors[:, [p.item.name.endswith(":") for p in group]] = 0.0
        needs = small_cells(
            system.totals, np.asarray(cells @ contributors.ravel()), policy.min_count
        )
        if not group[0].field:
            needs += self._dominated(weight, x[:, 0], policy.p_percent)
        if not needs:
            return np.zeros((self.units, k), dtype=bool)
        found = protect_once(system, needs, np.repeat(self.cost, k))
        return found.reshape(-1, k)[: self.units]

    def _known(self, k: int) -> sparse.csr_array:
        """The categories of a field add up to all who were asked, which is known."""
        return sparse.csr_array(
            sparse.kron(sparse.eye_array(self.atoms), np.ones((1, k)), format="csr")
        )

    def _published(self, group: list[Part], open_cells: pd.DataFrame) -> Flags:
        published = np.zeros((self.cells.shape[0], len(group)), dtype=bool)
        for j, part in enumerate(group):
            if part.shown:
                published[: self.units, j] = open_cells[part.item.name].to_numpy()
        return published.ravel()

    def _dominated(self, weight: Floats, x: Floats, percent: float) -> list[Need]:
        """The p % rule on the units. A record counts as often as its weight says, so one of
        weight two and more is its own second (Hundepool et al. 2012, sec. 4.2, on samples)."""
        size = np.abs(x)
        whole = np.asarray(self.cells @ _by(self.atom, weight * size, self.atoms))
        largest = np.zeros(self.atoms)
        np.maximum.at(largest, self.atom, size)
        inside = sparse.csr_array(self.cells[: self.units])
        first, second = np.zeros(len(whole)), np.zeros(len(whole))
        for unit in range(self.units):
            atoms = inside.indices[inside.indptr[unit] : inside.indptr[unit + 1]]
            top = float(largest[atoms].max(initial=0.0))
            if top > 0 and whole[unit] < (2 + percent / 100) * top:
                rows = np.isin(self.atom, atoms)
                first[unit], second[unit] = _two_largest(size[rows], weight[rows])
        return dominated_cells(whole, first, second, percent)


def _two_largest(size: Floats, weight: Floats) -> tuple[float, float]:
    order = np.argsort(-size, kind="stable")[:2]
    first = float(size[order[0]])
    if weight[order[0]] >= 2 or len(order) == 1:
        return first, first if weight[order[0]] >= 2 else 0.0
    return first, float(size[order[1]])


def _contributors(records: Records, group: list[Part], x: Floats) -> Floats:
    """(rows, parts) respondents behind each value: persons within a household count each."""
    if group[0].bottom:
        return np.column_stack([records.frame[p.bottom].to_numpy() for p in group])
    return x if group[0].field or group[0].top == "counted" else (x != 0).astype(float)
