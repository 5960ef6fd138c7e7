"""Patterns over the records of a village or an interviewer that single records do not show.

Answers that are too alike, too round, too fast or too often missing (Bredl, Winker and Kötschau
2012, Survey Methodology 38, on indicators of falsified interviews; Blasius and Thiessen 2012 on
response sets). Every group is held against the area's other groups, so that what is customary in a
place does not count against it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from povmon.audit.groups import logs, spread
from povmon.audit.ledger import Ledger
from povmon.survey.forms import CONSUMPTION_PARTS, INCOME_PARTS

AMOUNTS = (*INCOME_PARTS, *CONSUMPTION_PARTS)
SPREADS = ("income_total", "consumption_total", "dwelling_area")
ANSWERS = (
    "structure", "dangerous", "water", "water_difficulty", "toilet", "fuel", "electricity", "tv",
    "refrigerator", "washing_machine", "mobile_phone", "motorcycle",
)  # fmt: skip
FEWEST = 6  # households of a group
ALONE, TOGETHER = 7.0, 4.0  # robust standard deviations: one amount too even, or two of them
SAME_ANSWERS = 0.5  # share of a group's households with the same answers as another of it
CHANCE = 1e-7  # of so many round ages or amounts in one group
ROUND = 100.0
ROUND_VALUES = 8  # amounts of a household for it to be called round
ROUND_EXCESS = 0.2  # the share of round amounts in a group is at least so much above the area's
ADULTS = (23, 62)  # Whipple's range of ages
MISSING_EXCESS = 0.10
MISSING_HOUSEHOLD = 0.4
MISSING_PERSON = 0.6
REPEATED = 4  # groups of consumption with one and the same amount
FAST = 1 / 3  # of the median time for a household of the size

BLOCKS = {
    "dwelling, water, toilet and fuel": ("structure", "dangerous", "water", "toilet", "fuel"),
    "goods": ("tv", "refrigerator", "washing_machine", "mobile_phone", "motorcycle"),
    "income": (*INCOME_PARTS, "income_total"),
    "consumption": (*CONSUMPTION_PARTS, "consumption_total"),
}
PERSON_ANSWERS = ("age", "sex", "in_school", "schooling", "health", "work", "insured")
GROUPS = {
    "village_id": {
        "even": "village_too_even", "answers": "village_same_answers",
        "amounts": "village_round_amounts", "ages": "village_round_ages",
        "missing": "village_missing",
    },
    "interviewer": {
        "even": "interviewer_too_even", "answers": "interviewer_same_answers",
        "amounts": "interviewer_round_amounts", "ages": "interviewer_round_ages",
        "missing": "interviewer_missing",
    },
}  # fmt: skip


def check_patterns(ledger: Ledger) -> None:
    """Patterns within households, villages and interviewers' work."""
    table = ledger.tables["household"]
    live = pd.Series(ledger.live["household"], index=table.index)
    submitted = ledger.submitted["household"]
    missing = _missing(ledger)
    _households(ledger, live, missing)
    _blank_blocks(ledger, live)
    _too_fast(ledger, live)
    for column, rules in GROUPS.items():
        if column not in submitted:
            continue
        group = table[column].where(live)
        _report(ledger, rules["even"], group, _too_even(ledger, group))
        _report(ledger, rules["answers"], group, _same_answers(ledger, group))
        _report(ledger, rules["amounts"], group, _round_amounts(ledger, group))
        _report(ledger, rules["ages"], group, _round_ages(ledger, group))
        _report(ledger, rules["missing"], group, _much_missing(missing, group))


def _report(ledger: Ledger, rule: str, group: pd.Series, found: pd.Series) -> None:
    """A finding on every household of the groups found (group -> detail)."""
    rows = group.isin(found.index).to_numpy()
    ledger.find(rule, "household", rows, str(group.name), detail=group[rows].map(found))


def _known(ledger: Ledger, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if name in ledger.submitted["household"]]


def _too_even(ledger: Ledger, group: pd.Series) -> pd.Series:
    """Amounts a person that vary much less than in other groups (of the log, chi-squared)."""
    table = ledger.tables["household"]
    size = table["hhsize"].astype("float64")
    scores = {}
    for column in _known(ledger, SPREADS):
        grouped = logs(table[column] / size).groupby(group)
        deviation = logs(grouped.std().clip(lower=1e-3).where(grouped.count() >= FEWEST))
        middle = deviation.median()
        scores[column] = (deviation - middle) / max(spread(deviation - middle), 0.15)
    if not scores:
        return pd.Series(dtype="str")
    frame = pd.DataFrame(scores)
    even = (frame < -ALONE).any(axis=1) | ((frame < -TOGETHER).sum(axis=1) >= 2)
    lowest = frame[even].min(axis=1)
    return lowest.map(lambda z: f"{-z:.1f}").astype("str")


def _same_answers(ledger: Ledger, group: pd.Series) -> pd.Series:
    """Share of households whose answers on dwelling and goods equal another one's of the group."""
    names = _known(ledger, ANSWERS)
    table = ledger.tables["household"]
    if len(names) < 8:
        return pd.Series(dtype="str")
    codes = pd.DataFrame({n: pd.factorize(table[n], use_na_sentinel=False)[0] for n in names})
    codes["group"] = group.to_numpy()
    same = codes.duplicated(keep=False)
    share = same.groupby(group.to_numpy()).agg(["mean", "size"])
    usual = float(same.mean())
    odd = share[(share["size"] >= FEWEST) & (share["mean"] > SAME_ANSWERS + usual)]
    return odd["mean"].map(lambda s: f"{100 * s:.0f} %").astype("str")


def _round_flags(ledger: Ledger) -> tuple[np.ndarray, np.ndarray]:
    """Per household: amounts of a hundred or more, and how many of them are whole hundreds."""
    values = ledger.tables["household"][_known(ledger, AMOUNTS)].to_numpy(dtype="float64")
    large = np.abs(values) >= ROUND
    return large.sum(axis=1), (large & (values % ROUND == 0)).sum(axis=1)


def _round_amounts(ledger: Ledger, group: pd.Series) -> pd.Series:
    number, whole = _round_flags(ledger)
    frame = pd.DataFrame({"n": number, "k": whole}).groupby(group.to_numpy()).sum()
    return _excess(frame["k"], frame["n"], float(whole.sum()) / max(number.sum(), 1))


def _round_ages(ledger: Ledger, group: pd.Series) -> pd.Series:
    """Ages ending in 0 or 5 among those of 23 to 62: Whipple's index (100: none preferred)."""
    if "person" not in ledger.tables:
        return pd.Series(dtype="str")
    persons = ledger.tables["person"][ledger.live["person"]]
    persons = persons[persons["age"].between(*ADULTS).fillna(False).to_numpy(dtype=bool)]
    homes = ledger.tables["household"]["household_id"]
    of = pd.Series(group.to_numpy(), index=homes).groupby(level=0).first()
    place = persons["household_id"].map(of)
    five = (persons["age"] % 5 == 0).astype("float64")
    found = five.groupby(place).agg(["sum", "size"])
    usual = max(float(five.mean()) if len(five) else 0.0, 0.2)
    odd = _excess(found["sum"], found["size"], usual)
    share = (found["sum"] / found["size"]).reindex(odd.index)
    return (500 * share).map(lambda w: f"{w:.0f}").astype("str")


def _excess(count: pd.Series, number: pd.Series, usual: float) -> pd.Series:
    """Groups with a count that is not by chance, and clearly above the usual share."""
    # The binomial probability of so many or more.
    chance = pd.Series(special.betainc(count, number - count + 1, usual), index=count.index)
    odd = (chance < CHANCE) & (count > (usual + ROUND_EXCESS) * number)
    share = (count / number)[odd]
    return share.map(lambda s: f"{100 * s:.0f} %").astype("str")


def _missing(ledger: Ledger) -> pd.DataFrame:
    """Per household: fields asked (of both forms, that need not be filled) and left blank."""
    table = ledger.tables["household"]
    names = _known(ledger, (*AMOUNTS, *ANSWERS, "dwelling_area", "land", "cause"))
    blank = table[names].isna()
    out = pd.DataFrame({"asked": float(len(names)), "blank": blank.sum(axis=1).astype("float64")})
    if "person" in ledger.tables:
        persons = ledger.tables["person"][ledger.live["person"]]
        asked = [c for c in PERSON_ANSWERS if c in ledger.submitted["person"]]
        empty = (
            persons[asked].isna().sum(axis=1).groupby(persons["household_id"]).agg(["sum", "size"])
        )
        of = empty.reindex(table["household_id"]).fillna(0).to_numpy()
        out["blank"] += of[:, 0]
        out["asked"] += of[:, 1] * len(asked)
    return out


def _much_missing(missing: pd.DataFrame, group: pd.Series) -> pd.Series:
    """Groups in which far more is blank than in others."""
    sums = missing.groupby(group.to_numpy()).sum()
    sums["households"] = missing.groupby(group.to_numpy()).size()
    share = sums["blank"] / sums["asked"].where(sums["asked"] > 0)
    odd = share[(share > share.median() + MISSING_EXCESS) & (sums["households"] >= FEWEST)]
    return odd.map(lambda s: f"{100 * s:.0f} %").astype("str")


def _households(ledger: Ledger, live: pd.Series, missing: pd.DataFrame) -> None:
    """Single households: mostly blank, all amounts round, one amount in many groups."""
    share = missing["blank"] / missing["asked"].where(missing["asked"] > 0)
    rows = (live & (share > MISSING_HOUSEHOLD)).to_numpy()
    percent = share[rows].map(lambda s: f"{100 * s:.0f} %").astype("str")
    ledger.find("household_missing", "household", rows, "household_id", detail=percent)
    number, whole = _round_flags(ledger)
    usual = float(whole.sum()) / max(int(number.sum()), 1)
    # Where all report in hundreds, a household that does so says nothing.
    if usual < SAME_ANSWERS:
        rows = live.to_numpy() & (number >= ROUND_VALUES) & (whole == number)
        ledger.find("round_amounts", "household", rows, "consumption_total")
    names = _known(ledger, CONSUMPTION_PARTS)
    if len(names) == len(CONSUMPTION_PARTS):
        values = np.sort(ledger.tables["household"][names].to_numpy(dtype="float64"), axis=1)
        equal = (values[:, REPEATED - 1 :] == values[:, : 1 - REPEATED]) & (
            values[:, : 1 - REPEATED] > 0
        )
        ledger.find("response_set", "household", live.to_numpy() & equal.any(axis=1),
                    "consumption_total")  # fmt: skip


def _blank_blocks(ledger: Ledger, live: pd.Series) -> None:
    """Blocks of a household, and persons, about which nothing or little was answered."""
    table = ledger.tables["household"]
    blank = pd.Series("", index=table.index, dtype="str")
    for title, names in BLOCKS.items():
        known = _known(ledger, names)
        if len(known) >= 3:
            empty = table[known].isna().all(axis=1)
            blank = blank.mask(empty, blank + "; " + title)
    rows = live & (blank != "")
    ledger.find("block_missing", "household", rows, "household_id", detail=blank[rows].str[2:])
    if "person" not in ledger.tables:
        return
    persons = ledger.tables["person"]
    asked = [c for c in PERSON_ANSWERS if c in ledger.submitted["person"]]
    share = persons[asked].isna().mean(axis=1).where(ledger.live["person"])
    few = (share > MISSING_PERSON).to_numpy()
    percent = share[few].map(lambda s: f"{100 * s:.0f} %").astype("str")
    ledger.find("person_missing", "person", few, "line", detail=percent)


def _too_fast(ledger: Ledger, live: pd.Series) -> None:
    """Interviews far shorter than those of other households of the size, and who held them."""
    table = ledger.tables["household"]
    if "minutes" not in ledger.submitted["household"]:
        return
    minutes = logs(table["minutes"]).where(live)
    size = table["hhsize"].astype("float64").clip(upper=8)
    usual = minutes.groupby(size).transform("median")
    short = minutes - usual
    rows = (short < np.log(FAST)).to_numpy()
    ledger.find("interview_fast", "household", rows, "minutes",
                detail=np.exp(usual[rows]).map("{:.0f}".format).astype("str"))  # fmt: skip
    if "interviewer" in ledger.submitted["household"]:
        group = table["interviewer"].where(live)
        each = short.groupby(group).agg(["median", "count"])
        odd = each.loc[(each["median"] < np.log(0.5)) & (each["count"] >= FEWEST), "median"]
        shown = np.exp(odd).map(lambda r: f"{100 * r:.0f} %").astype("str")
        _report(ledger, "interviewer_fast", group, shown)
