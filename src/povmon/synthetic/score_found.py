"""Which planted errors an audit found, and which it put right.

A case is *found* when a finding stands on the right record and names the right column: a column
that the error changed, or another one of the edit that it breaks. Kinds whose contradiction lies
between the records of a household are found on any of them; a village made up as a whole is
found on the village or on half of its households. A case is *corrected* when every changed cell
of the accepted records holds the value before the error again, within 1 % or one unit.
"""

from __future__ import annotations

import pandas as pd

from povmon.audit.ledger import as_text
from povmon.audit.rules import catalogue
from povmon.audit.run import Audit
from povmon.survey.forms import FORMS
from povmon.synthetic.planted_log import sent_keys

CASE = ["kind", "case"]
HALF = 0.5
CLOSE = 0.01


def found_cases(audit: Audit, log: pd.DataFrame) -> pd.DataFrame:
    """One row a case of an area.

    Parameters
    ----------
    audit : the audit of the area.
    log : its planted errors (see `read_log`), without losses.

    Returns
    -------
    kind, nature, case, found and corrected (flags).
    """
    cases = log.drop_duplicates(CASE)[[*CASE, "nature"]].reset_index(drop=True)
    index = pd.MultiIndex.from_frame(cases[CASE])
    targets = _targets(log)
    named = _named(audit.findings)
    hits = [
        _record_hits(targets[targets["scope"] != "village"], named),
        _household_hits(targets[targets["scope"] == "household"], named),
        _village_hits(targets[targets["scope"] == "village"], log, named),
    ]
    found = pd.concat(hits).drop_duplicates()
    cases["found"] = index.isin(pd.MultiIndex.from_frame(found[CASE]))
    cases["corrected"] = _corrected(audit, log).reindex(index).fillna(False).to_numpy(dtype=bool)
    return cases


def household_of(form: pd.Series, key: pd.Series) -> pd.Series:
    """Household of a record, "" for villages and counties."""
    return key.str.split("/").str[0].where(form.isin(["household", "person"]), "")


def _targets(log: pd.DataFrame) -> pd.DataFrame:
    """One row a record and column on which a finding counts."""
    one = log[[*CASE, "form", "key", "scope", "columns"]].assign(sent=sent_keys(log))
    one = one.drop_duplicates([*CASE, "form", "sent"])
    out = one.explode("columns").rename(columns={"columns": "column"})
    return out.reset_index(drop=True)


def _named(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings on records, one row a column that the finding or its rule names."""
    rules = catalogue()
    mine = findings[findings["level"].isin(list(FORMS)) & (findings["key"] != "")]
    mine = mine[["rule", "level", "key", "column"]].drop_duplicates()
    also = {name: list(rule.columns) for name, rule in rules.items() if rule.columns}
    more = mine[mine["rule"].isin(list(also))].copy()
    more["column"] = more["rule"].map(also)
    both = pd.concat([mine, more.explode("column")])[["level", "key", "column"]]
    return both.drop_duplicates().rename(columns={"level": "form", "key": "sent"})


def _record_hits(targets: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    return targets.merge(named, on=["form", "sent", "column"])[CASE]


def _household_hits(targets: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    mine = named.assign(block=household_of(named["form"], named["sent"]))
    mine = mine[mine["block"] != ""][["block", "column"]].drop_duplicates()
    # A record whose key was changed belongs to the household it left and to the one it names.
    blocks = [
        targets.assign(block=household_of(targets["form"], targets[name]))
        for name in ("sent", "key")
    ]
    return pd.concat(blocks).merge(mine, on=["block", "column"])[CASE]


def _village_hits(targets: pd.DataFrame, log: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    if targets.empty:
        return targets[CASE]
    village = targets.drop_duplicates([*CASE, "column"]).assign(form="village")
    village["sent"] = village["case"]
    on_village = _record_hits(village, named)
    records = targets.merge(named, on=["form", "sent", "column"])
    hit = records.drop_duplicates([*CASE, "sent"]).groupby(CASE).size()
    all_of = targets.drop_duplicates([*CASE, "sent"]).groupby(CASE).size()
    many = hit[hit >= HALF * all_of.reindex(hit.index)].reset_index()[CASE]
    return pd.concat([on_village, many])


def _corrected(audit: Audit, log: pd.DataFrame) -> pd.Series:
    """Whether every cell of a case is right after the audit (Series by kind and case)."""
    cells = log.assign(sent=sent_keys(log))
    right = _cells_right(audit, cells[cells["column"] != ""])
    whole = cells[cells["column"] == ""]
    right = pd.concat([right, _once(audit, whole).groupby([whole[c] for c in CASE]).all()])
    return right.groupby(level=CASE).all()


def _cells_right(audit: Audit, cells: pd.DataFrame) -> pd.Series:
    after = audit.corrections.drop_duplicates(["form", "key", "column"], keep="last")
    last = after.set_index(["form", "key", "column"])["after"]
    here = pd.MultiIndex.from_frame(cells[["form", "sent", "column"]])
    now = pd.Series(last.reindex(here).to_numpy(dtype=object), index=cells.index)
    now = now.where(now.notna(), cells["after"])
    kept = _count(audit, cells["form"], cells["sent"]) == 1
    # Of a record sent twice the accepted copy is looked at, which may be the one without error.
    twice = _sent_twice(audit, cells)
    if twice.any():
        now[twice] = _accepted_values(audit, cells[twice])
    same = _same(now, cells["before"]) & kept
    return same.groupby([cells[c] for c in CASE]).all()


def _sent_twice(audit: Audit, cells: pd.DataFrame) -> pd.Series:
    rejected = audit.rejected[audit.rejected["rule"].str.startswith("duplicate")]
    keys = pd.MultiIndex.from_frame(rejected[["form", "key"]])
    return pd.Series(
        pd.MultiIndex.from_frame(cells[["form", "sent"]]).isin(keys), index=cells.index
    )


def _accepted_values(audit: Audit, cells: pd.DataFrame) -> pd.Series:
    out = pd.Series("", index=cells.index, dtype="object")
    for (form, column), part in cells.groupby(["form", "column"]):
        table = audit.records[str(form)]
        values = as_text(table[column]).set_axis(_keys(str(form), table))
        out[part.index] = values[~values.index.duplicated()].reindex(part["sent"]).to_numpy()
    return out


def _once(audit: Audit, records: pd.DataFrame) -> pd.Series:
    return _count(audit, records["form"], records["sent"]) == 1


def _count(audit: Audit, form: pd.Series, key: pd.Series) -> pd.Series:
    """How many accepted records have this key."""
    out = pd.Series(0, index=key.index)
    for name, table in audit.records.items():
        rows = form == name
        if rows.any():
            number = _keys(name, table).value_counts()
            out[rows] = key[rows].map(number).fillna(0).astype(int)
    return out


def _keys(form: str, table: pd.DataFrame) -> pd.Series:
    first, *others = FORMS[form].key
    out = table[first].astype("str")
    for name in others:
        out = out + "/" + table[name].astype("str")
    return out


def _same(now: pd.Series, before: pd.Series) -> pd.Series:
    number, was = (pd.to_numeric(s.astype("str"), errors="coerce") for s in (now, before))
    # Amounts were rounded to units; small numbers (a weight, an age) must come back to within 1 %.
    limit = CLOSE * was.abs()
    limit = limit.where(was.abs() < 100, limit.clip(lower=1.0))
    equal = now.astype("str") == before.astype("str")
    return equal | ((number - was).abs() <= limit + 1e-9).fillna(False)
