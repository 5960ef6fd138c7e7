"""Amounts: parts against totals, and slips of the unit.

A household's income is by definition the sum of its parts, and survey practice builds it up from
them (Deaton and Zaidi 2002, on consumption aggregates). So where the two disagree the parts are
taken, unless one single part explains the whole difference by a slip of the unit or the sign.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from povmon.audit.ledger import Ledger
from povmon.survey.forms import CONSUMPTION_PARTS, FORMS, INCOME_PARTS

AGGREGATES = {"income_total": INCOME_PARTS, "consumption_total": CONSUMPTION_PARTS}
# Factors of a slip: a digit too many or too few, jiao and yuan, yuan and ten thousand yuan.
SLIPS = (10.0, 0.1, 100.0, 0.01, 10_000.0, 0.0001)
ROUNDING = 0.5  # amounts are rounded to units of money, each on its own
FAR_FACTOR = 10.0  # per person, against the village's median: worth a look
CERTAIN_FACTOR = 2_000.0  # beyond this only another unit (ten thousand yuan) explains it
CERTAIN_MATCH = 10.0  # and after conversion it must lie this near to the median
MIN_OTHERS = 4  # households of the village for a median that means something


def check_sums(ledger: Ledger) -> None:
    """Parts against totals of household income and consumption; certain repairs are made."""
    for total, parts in AGGREGATES.items():
        submitted = ledger.submitted.get("household", set())
        if total not in submitted:
            continue
        if set(parts) <= submitted:
            _repair(ledger, total, list(parts))
        if all(FORMS["household"][part].minimum is not None for part in parts):
            _check_given(ledger, total, [p for p in parts if p in submitted])
        missing = ledger.tables["household"][total].isna()
        ledger.find("total_missing", "household", missing, total)


def _repair(ledger: Ledger, total: str, parts: list[str]) -> None:
    """Repairs, the most certain first; each looks at what the earlier ones left."""
    _fill(ledger, total, parts)
    _repair_total_slip(ledger, total, parts)
    _repair_part_slip(ledger, total, parts)
    table = ledger.tables["household"]
    added = table[parts].sum(axis=1, skipna=False)
    wrong = _apart(added, table[total], parts)
    detail = _money(table.loc[wrong, total]) + " against " + _money(added[wrong])
    ledger.find("total_differs", "household", wrong, total, detail=detail)
    ledger.correct("total_differs", "household", wrong, total, added, "sum of the parts")


def _fill(ledger: Ledger, total: str, parts: list[str]) -> None:
    table = ledger.tables["household"]
    absent = table[parts].isna()
    added = table[parts].sum(axis=1, skipna=False)
    rows = table[total].isna() & added.notna()
    ledger.find("total_filled", "household", rows, total)
    ledger.correct("total_filled", "household", rows, total, added, "sum of the parts")
    rest = table[total] - table[parts].sum(axis=1)
    one = (absent.sum(axis=1) == 1) & table[total].notna()
    for part in parts:
        low = FORMS["household"][part].minimum
        left = rest.mask(rest.abs() <= _tolerance(parts), 0.0)
        rows = one & absent[part] & (True if low is None else left >= low)
        ledger.find("part_filled", "household", rows, part)
        ledger.correct("part_filled", "household", rows, part, left, "total less the other parts")


def _repair_part_slip(ledger: Ledger, total: str, parts: list[str]) -> None:
    """One part times a factor, or with the other sign, explains the whole difference."""
    table = ledger.tables["household"]
    added = table[parts].sum(axis=1, skipna=False)
    wrong = _apart(added, table[total], parts)
    if not wrong.any():
        return
    subset = table[wrong]
    least = 4 * _tolerance(parts)
    options = {}
    for part in parts:
        for factor in (*(1 / slip for slip in SLIPS), -1.0):
            if factor < 0 and FORMS["household"][part].minimum is not None:
                continue
            new = (subset[part] * factor).round(2)
            # Small amounts fit by chance within the rounding, and a part that all but vanishes
            # cannot be told from one left out of the total: both values must be large.
            changed = (subset[part].abs() > least) & (new.abs() > least)
            fits = ~_apart(added[wrong] - subset[part] + new, subset[total], parts) & changed
            options[part, factor] = new.where(fits)
    found = pd.DataFrame(options).dropna(axis="columns", how="all")
    single = found[found.notna().sum(axis=1) == 1]
    for part, factor in (option for option in options if option in single.columns):
        new = single[(part, factor)].reindex(table.index)
        rows = new.notna()
        ledger.find("part_slip", "household", rows, part, detail=_money(new[rows]))
        ledger.correct("part_slip", "household", rows, part, new, f"times {factor:g}")


def _repair_total_slip(ledger: Ledger, total: str, parts: list[str]) -> None:
    table = ledger.tables["household"]
    for slip in SLIPS:
        added = table[parts].sum(axis=1, skipna=False)
        wrong = _apart(added, table[total], parts)
        near = (table[total] / slip - added).abs() <= _tolerance(parts) * max(1.0, 1 / slip)
        rows = wrong & near & (added.abs() > 4 * _tolerance(parts))
        detail = pd.Series(f"{slip:g}", index=table.index)
        ledger.find("total_slip", "household", rows, total, detail=detail)
        ledger.correct("total_slip", "household", rows, total, added, "sum of the parts")


def _check_given(ledger: Ledger, total: str, parts: list[str]) -> None:
    """Parts that cannot be negative may not exceed the total, even where some are missing."""
    table = ledger.tables["household"]
    added = table[parts].sum(axis=1)
    rows = added > table[total] + _tolerance(parts)
    detail = _money(table.loc[rows, total]) + " against " + _money(added[rows])
    ledger.find("parts_exceed_total", "household", rows, total, detail=detail)


def _tolerance(parts: list[str]) -> float:
    return ROUNDING * (len(parts) + 1) + 1e-6


def _apart(added: pd.Series, total: pd.Series, parts: list[str]) -> pd.Series:
    return (added - total).abs() > _tolerance(parts)


def _money(values: pd.Series) -> pd.Series:
    return values.map(lambda v: "" if pd.isna(v) else f"{round(v, 2):,.12g}").astype("str")


def check_scale(ledger: Ledger) -> None:
    """Amounts per person against the village's median (live households, after all repairs)."""
    for total, parts in AGGREGATES.items():
        if total in ledger.submitted.get("household", set()):
            _repair_unit(ledger, total, list(parts))
            ratio = _ratio(ledger, total)
            far = (ratio > FAR_FACTOR) | (ratio < 1 / FAR_FACTOR)
            detail = ratio[far].map(lambda r: f"{r:.3g}").astype("str")
            ledger.find("far_from_village", "household", far, total, detail=detail)


def _ratio(ledger: Ledger, total: str) -> pd.Series:
    """Amount per person over the village's median; missing where it cannot be compared."""
    table = ledger.tables["household"]
    live = ledger.live["household"] & table["hhsize"].notna().to_numpy()
    each = (table[total] / table["hhsize"].astype("float64")).where(live & (table[total] > 0))
    village = each.groupby(table["village_id"])
    enough = village.transform("count") > MIN_OTHERS
    return (each / village.transform("median")).where(enough)


def _repair_unit(ledger: Ledger, total: str, parts: list[str]) -> None:
    """All amounts in another unit by ten thousand: nothing else explains such a distance."""
    table = ledger.tables["household"]
    columns = [total] + [p for p in parts if p in ledger.submitted["household"]]
    for factor, words in ((1e4, "in ten thousands"), (1e-4, "ten thousand times too large")):
        ratio = _ratio(ledger, total)
        far = ratio < 1 / CERTAIN_FACTOR if factor > 1 else ratio > CERTAIN_FACTOR
        after = ratio * factor
        rows = far & (after < CERTAIN_MATCH) & (after > 1 / CERTAIN_MATCH)
        detail = pd.Series(words, index=table.index)
        ledger.find("unit_slip", "household", rows, total, detail=detail)
        for column in columns:
            given = rows & table[column].notna()
            ledger.correct("unit_slip", "household", given, column, table[column] * factor,
                           f"times {factor:g}")  # fmt: skip


def donated_amounts(own: Mapping[str, float | str | None], donor: Mapping[str, float | str | None],
                    total: str, factor: float) -> dict[str, float | str | None]:  # fmt: skip
    """A record's missing amounts from those of a donor, so that the parts add up to the total.

    Parameters
    ----------
    own, donor : parts and total; the donor's are all known.
    total : name of the total.
    factor : members of the record over those of the donor.

    Returns
    -------
    The missing amounts, rounded to hundredths. With a known total the rest of it is divided as
    the donor's amounts are; without, the donor's amounts a person are taken and the total is the
    sum of the parts (or, in a survey without parts, the donor's total a person).
    """
    parts = [name for name in own if name != total]
    lacking = [name for name in parts if own[name] is None]
    given = {name: _number(donor[name]) for name in (*lacking, total)}
    found: dict[str, float | str | None]
    if own[total] is None:
        found = {name: round(given[name] * factor, 2) for name in lacking}
        whole = {**own, **found}
        added = sum(_number(whole[name]) for name in parts)
        found[total] = round(added, 2) if parts else round(given[total] * factor, 2)
        return found
    rest = _number(own[total]) - sum(_number(own[n]) for n in parts if own[n] is not None)
    return dict(_divided(rest, {name: given[name] for name in lacking}))


def _divided(rest: float, amounts: dict[str, float]) -> dict[str, float]:
    """`rest` in the proportions of amounts; a loss goes to a part that can be one."""
    if not amounts:
        return {}
    free = [name for name in amounts if FORMS["household"][name].minimum is None]
    if rest < 0 and free:
        return {name: round(rest, 2) if name == free[0] else 0.0 for name in amounts}
    rest = max(rest, 0.0)  # known parts above the total: that has been reported
    shares = {name: max(amount, 0.0) for name, amount in amounts.items()}
    whole = sum(shares.values())
    if whole <= 0:
        shares, whole = dict.fromkeys(amounts, 1.0), float(len(amounts))
    found = {name: round(rest * share / whole, 2) for name, share in shares.items()}
    largest = max(found, key=lambda name: shares[name])
    found[largest] = round(rest - sum(v for n, v in found.items() if n != largest), 2)
    return found


def _number(value: float | str | None) -> float:
    assert isinstance(value, (int, float))
    return float(value)
