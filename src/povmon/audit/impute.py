"""Imputation of what is missing in accepted records: hot deck within classes.

Deterministic values come first (the head's sex and age from the roster). Then, group by group
(imputation.yml), the missing fields of a record come from one donor of its class, so that what
belongs together stays together. Amounts keep their ratios: where the total is known the donor
gives the shares in which the rest is divided, otherwise amounts a person. The values must meet
the edits of the household block; if those of no candidate do, the first candidate's are moved as
little as the edits ask. Every cell is logged with its donor. A cell that a reviewer decided, also
one left empty, is never filled. Sources: Andridge and Little (2010); de Waal, Pannekoek and
Scholtus (2011), ch. 7 and 9 (imputation under edit constraints).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from povmon.audit import hotdeck
from povmon.audit.amounts import donated_amounts
from povmon.audit.blocks import Block, as_cells, as_column, read_blocks
from povmon.audit.class_variables import class_variables
from povmon.audit.edit_set import Cell, EditSet, Value
from povmon.audit.hotdeck import Group, Pool
from povmon.audit.ledger import Ledger
from povmon.audit.localisation import report
from povmon.audit.localise import ROUNDS, Programme
from povmon.seeds import of_survey
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS

Missing = pd.DataFrame  # one row a live record, one column a field: True where to be imputed


def impute(survey: Survey, area: str, ledger: Ledger, edits: EditSet) -> None:
    """Fill what is missing in the live household and person records, by the survey's policy.

    Parameters
    ----------
    survey : its ``policy.imputation`` is "hotdeck" or "none"; its seed names the random streams.
    area : the area, within which donors are sought.
    ledger : after all repairs and the localisation.
    edits : the edits that the imputed values must meet.
    """
    fill_heads(ledger)
    if survey.policy.imputation == "none":
        return
    groups = [g for g in hotdeck.settings().groups if g.form in ledger.tables]
    wanted = {group.id: _wanted(ledger, group) for group in groups}
    blocks = _blocks(ledger, edits, groups, wanted)
    left: dict[int, set[str]] = {}
    for group in groups:
        if not wanted[group.id].empty:
            deck = _Deck(survey, area, ledger, edits, group, blocks)
            deck.impute(wanted[group.id])
            left |= deck.left
    report(ledger, left, "not_imputed")


def fill_heads(ledger: Ledger) -> None:
    """The head's sex and age on the household form, from a roster with one head."""
    if "person" not in ledger.tables:
        return
    persons = ledger.accepted("person")
    heads = persons[(persons["relation"] == "head").fillna(False).to_numpy(dtype=bool)]
    heads = heads.drop_duplicates("household_id", keep=False).set_index("household_id")
    table = ledger.tables["household"]
    for column, source in (("head_sex", "sex"), ("head_age", "age")):
        if column not in ledger.submitted["household"]:
            continue
        value = heads[source].reindex(table["household_id"]).set_axis(table.index)
        low = FORMS["household"][column].minimum
        fits = value.notna() & (True if low is None else (value >= low).fillna(False))
        rows = ledger.live["household"] & table[column].isna() & fits.astype(bool)
        rows &= ~_decided(ledger, "household", column)
        ledger.find("head_filled", "household", rows, column)
        ledger.correct("head_filled", "household", rows, column, value, "from the person form")


def _decided(ledger: Ledger, form: str, column: str) -> np.ndarray:
    rows = [row for f, row, c in ledger.decided if (f, c) == (form, column)]
    return np.isin(np.arange(len(ledger.tables[form])), rows)


def _wanted(ledger: Ledger, group: Group) -> Missing:
    """The cells of a group to impute: rows of the table that have any, one column a field."""
    table = ledger.tables[group.form]
    live = ledger.live[group.form]
    found = {}
    for name in group.fields:
        if name not in ledger.submitted[group.form]:
            continue
        gone = table[name].isna().to_numpy() & live
        answered = 1.0 - gone.sum() / max(live.sum(), 1)
        if gone.any() and answered < hotdeck.settings().least_answered:
            ledger.note("not_answered", group.form, column=name, value=f"{answered:.0%}",
                        detail=f"{100 * answered:.0f} %")  # fmt: skip
            continue
        found[name] = gone & ~_decided(ledger, group.form, name)
    whole = pd.DataFrame(found, index=table.index)
    return whole[whole.any(axis=1)]


def _blocks(ledger: Ledger, edits: EditSet, groups: list[Group],
            wanted: Mapping[str, Missing]) -> dict[int, Block]:  # fmt: skip
    """The blocks of all households in which something is to be imputed."""
    table = ledger.tables["household"]
    live = np.flatnonzero(ledger.live["household"])
    place = dict(zip(table["household_id"].iloc[live], live.tolist(), strict=True))
    homes: set[int] = set()
    for group in groups:
        rows = wanted[group.id].index
        ids = ledger.tables[group.form]["household_id"].iloc[rows]
        homes |= {place[i] for i in ids if i in place}
    fields = {
        form: sorted({*names, *(f for g in groups if g.form == form for f in g.fields)})
        for form, names in edits.fields.items()
        if form in ledger.tables
    }
    blocks = read_blocks(ledger, edits, sorted(homes), {"person": [], **fields})
    return blocks


@dataclass
class _Deck:
    """One group's imputation in one area."""

    survey: Survey
    area: str
    ledger: Ledger
    edits: EditSet
    group: Group
    blocks: dict[int, Block]
    left: dict[int, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        form = self.group.form
        self.live = np.flatnonzero(self.ledger.live[form])
        self.table = self.ledger.tables[form].iloc[self.live]
        self.keys = self.table["key"].to_numpy()
        if self.group.total:
            self.size = self.table["hhsize"].to_numpy(dtype=float)
        names = dict.fromkeys(name for one in self.group.classes for name in one)
        self.variables = class_variables(self.ledger, form, self.live, names)
        self.weights = _weights(self.ledger, form, self.live)
        index = [
            (row, (block, number))
            for block in self.blocks.values()
            for number, row in enumerate(block.rows)
            if (number == 0) == (form == "household")
        ]
        self.cells_of = dict(index)
        self.entries: list[tuple[int, str, Value, str, str]] = []
        self.marks: list[list[str]] = []
        self.pools: dict[tuple[str, str], Pool] = {}

    def impute(self, wanted: Missing) -> None:
        """Impute the wanted cells, those that lack the same fields together."""
        asked = [name for name in self.group.fields if name in wanted]
        known = pd.DataFrame({name: self.table[name].notna().to_numpy() for name in asked})
        self.asked = asked
        for pattern, part in wanted.groupby(asked, sort=False):
            flags = pattern if isinstance(pattern, tuple) else (pattern,)
            lacking = [name for name, gone in zip(asked, flags, strict=True) if gone]
            needed = asked if self.group.total else lacking
            self._pattern(part.index.to_numpy(), lacking, known[needed].all(axis=1).to_numpy())
        self._write()

    def _pattern(self, rows: np.ndarray, lacking: list[str], donors: np.ndarray) -> None:
        hidden = _made_from(lacking)
        classes = dict.fromkeys(
            tuple(v for v in names if v not in hidden) for names in self.group.classes
        )
        at = np.searchsorted(self.live, rows)
        setting = hotdeck.settings()
        found = hotdeck.pools(self.variables, list(classes), donors, at, setting.least_donors)
        drawn = [
            [] if pool is None else self._draw(str(self.keys[i]), pool)
            for i, pool in zip(at.tolist(), found, strict=True)
        ]
        self.columns = self._read({*at.tolist(), *(donor for one in drawn for donor in one)})
        for row, pool, candidates in zip(rows.tolist(), found, drawn, strict=True):
            if pool is None:
                self._leave(row, lacking)
            else:
                self._record(row, lacking, pool, candidates)

    def _draw(self, key: str, pool: Pool) -> list[int]:
        """The candidates of a record, from its own random stream."""
        survey = self.survey
        rng = hotdeck.stream(str(of_survey(survey.seed)), survey.survey, self.group.id, key)
        count = hotdeck.settings().candidates
        return [int(row) for row in hotdeck.draw(pool, self.weights, count, rng)]

    def _read(self, rows: set[int]) -> dict[str, dict[int, Value]]:
        """The group's fields of some records, as cells."""
        order = sorted(rows)
        part = self.table.iloc[order]
        return {
            name: dict(zip(order, as_cells(part[name], self.group.form, name), strict=True))
            for name in self.asked
        }

    def _record(self, row: int, lacking: list[str], pool: Pool, candidates: list[int]) -> None:
        block, number = self.cells_of[row]
        first: dict[Cell, Value] = {}
        for donor in candidates:
            cells = {(number, n): v for n, v in self._given(row, donor, lacking).items()}
            first = first or cells
            if meets(block, cells):
                self._keep(row, block, cells, pool, donor, "hot deck")
                return
        moved = adjust(self.edits, block, first)
        if moved is None:
            self._leave(row, lacking)
        else:
            self._keep(row, block, moved, pool, candidates[0], "hot deck, adjusted to the edits")

    def _given(self, row: int, donor: int, lacking: list[str]) -> dict[str, Value]:
        """What a donor gives to a record."""
        at = self._at(row)
        if not self.group.total:
            return {name: self.columns[name][donor] for name in lacking}
        own = {name: values[at] for name, values in self.columns.items()}
        other = {name: values[donor] for name, values in self.columns.items()}
        return donated_amounts(own, other, self.group.total, self.size[at] / self.size[donor])

    def _keep(self, row: int, block: Block, cells: dict[Cell, Value], pool: Pool, donor: int,
              method: str) -> None:  # fmt: skip
        key, giver = str(self.keys[self._at(row)]), str(self.keys[donor])
        block.values |= cells
        # Records that lack other fields have other donors in the same class: all are kept.
        known = self.pools.setdefault((self.group.id, pool.label), pool)
        if known is not pool:
            rows = np.union1d(known.rows, pool.rows)
            self.pools[self.group.id, pool.label] = Pool(pool.label, rows)
        for (_, name), value in cells.items():
            self.entries.append((row, name, value, f"{method}, donor {giver}", giver))
            self.marks.append(
                [self.group.form, key, name, self.group.id, method, giver, pool.label]
            )

    def _at(self, row: int) -> int:
        """Position among the live records of a row of the table."""
        return int(np.searchsorted(self.live, row))

    def _leave(self, row: int, lacking: list[str]) -> None:
        block, _ = self.cells_of[row]
        self.left.setdefault(block.household, set()).update(lacking)

    def _write(self) -> None:
        """Enter everything into the ledger, column by column."""
        form = self.group.form
        index = self.ledger.tables[form].index
        for name in dict.fromkeys(name for _, name, *_ in self.entries):
            part = [entry for entry in self.entries if entry[1] == name]
            rows = [row for row, *_ in part]
            after = as_column([value for _, _, value, *_ in part], form, name, pd.Index(rows))
            words = pd.Series([words for *_, words, _ in part], index=rows, dtype="str")
            self.ledger.correct("imputed", form, np.isin(index, rows), name,
                                after.reindex(index), words.reindex(index))  # fmt: skip
        donors = {
            name: [str(key) for key in self.keys[pool.rows]] for name, pool in self.pools.items()
        }
        self.ledger.mark_imputed(self.marks, donors)


def meets(block: Block, cells: Mapping[Cell, Value]) -> bool:
    """True when new values break no edit of the block that held without them."""
    trial = {**block.values, **cells}
    return not any(
        edit.violated(trial) and not edit.violated(block.values)
        for edit in block.instances.touching(cells)
    )


def adjust(edits: EditSet, block: Block, cells: Mapping[Cell, Value]) -> dict[Cell, Value] | None:
    """Values as near to the new ones as the block's edits allow, the other cells as they are.

    Returns
    -------
    The values, or None when there are none.
    """
    values = {cell: value for cell, value in block.values.items() if cell not in cells}
    held = [i for i in block.instances.touching(cells) if not i.violated(block.values)]
    active = [i for i in held if i.violated({**values, **cells})]
    for _ in range(ROUNDS):
        result = Programme(edits, active, values, frozenset(values)).nearest(cells)
        if result is None:
            return None
        found = {**cells, **{cell: v for cell, v in result.items() if cell in cells}}
        more = [i for i in held if i not in active and i.violated({**values, **found})]
        if not more:
            return found
        active += more
    return None


def _weights(ledger: Ledger, form: str, live: np.ndarray) -> np.ndarray:
    """Household weights of live records; one where there is none."""
    homes = ledger.tables["household"]
    if "w_hh" not in homes:
        return np.ones(len(live))
    if form == "household":
        weights = homes["w_hh"].iloc[live]
    else:
        of = homes.drop_duplicates("household_id").set_index("household_id")["w_hh"]
        weights = ledger.tables[form]["household_id"].iloc[live].map(of)
    return weights.astype("float64").fillna(1.0).clip(lower=1e-12).to_numpy()


# Class variables that are made from a field: not known where that field is missing.
MADE_FROM = {
    "age": ("age_group",),
    "income_total": ("income_tenth", "income_twentieth"),
    "consumption_total": ("consumption_tenth", "consumption_twentieth"),
}


def _made_from(fields: list[str]) -> set[str]:
    return {*fields, *(name for f in fields for name in MADE_FROM.get(f, ()))}
