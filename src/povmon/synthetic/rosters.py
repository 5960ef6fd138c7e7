"""Household rosters: who lives with whom, of what sex and age.

A pool of households of the usual kinds is made from marriages, births and survival; households
are then drawn from it so that the age structure of the declared pyramid comes out (exponential
tilting of the pool, as in entropy balancing: Hainmueller 2012, eq. 5).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from povmon.synthetic.assumptions import load
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import Floats

# Slots of a household: the elders, the couple in the middle, up to six children, a sibling.
ELDER_M, ELDER_F, MID_M, MID_F, CHILD, SIBLING = 0, 1, 2, 3, 4, 10
CHILDREN = 6
SLOTS = 11
NUCLEAR, STEM, OLD_COUPLE, SINGLE, SKIP, LONE = range(6)
KINDS = (0.435, 0.365, 0.07, 0.045, 0.03, 0.055)
POOL, SMALLEST_POOL = 2.5, 1500
OLDEST = 98


def draw_rosters(areas: np.ndarray, streams: Streams) -> pd.DataFrame:
    """Rosters for households whose areas are given.

    Parameters
    ----------
    areas : area id of each household, households of one area together.
    streams : the survey's random streams.

    Returns
    -------
    One row a person: household (position in `areas`), line, slot, sex ("male", "female"), age,
    relation; the head is line 1.
    """
    names, first, counts = np.unique(areas, return_index=True, return_counts=True)
    order = np.argsort(first)
    pool_counts = np.maximum(np.ceil(POOL * counts[order]).astype(int), SMALLEST_POOL)
    births = np.repeat([load()["areas"][a]["births"] for a in names[order]], pool_counts)
    age, male = _pool(births, streams)
    weight, mean_age = _tilt(age, male), np.nanmean(age, axis=1)
    chosen = _choose(weight, mean_age, counts[order], pool_counts, streams)
    return _long(age[chosen], male[chosen], streams)


def _pool(births: Floats, streams: Streams) -> tuple[Floats, np.ndarray]:
    """Ages (NaN: slot empty) and sexes, one row a household."""
    number = len(births)
    kind = streams("roster.kind").choice(6, size=number, p=KINDS)
    age = np.full((number, SLOTS), np.nan)
    _couples(age, kind, streams)
    _elders(age, kind, streams)
    mother = age[:, MID_F].copy()
    father = age[:, MID_M].copy()
    male = _children(age, kind, mother, father, births, streams)
    _sibling(age, kind, streams)
    _absent(age, kind, streams)
    return np.floor(age), male


def _couples(age: Floats, kind: np.ndarray, streams: Streams) -> None:
    """The couple in the middle: husband's age by kind of household, wife a little younger."""
    number = len(age)
    u = streams.uniform("roster.mid_age", number)
    low = np.select([kind == STEM, kind == OLD_COUPLE, kind == SINGLE], [21, 56, 30], 24)
    high = np.select([kind == STEM, kind == OLD_COUPLE, kind == SINGLE], [60, 86, 90], 64)
    husband = low + (high - low) * u
    difference = np.clip(1.8 + 2.2 * streams.normal("roster.difference", number), -3, 8)
    age[:, MID_M] = husband
    age[:, MID_F] = np.clip(husband - difference, 19, None)


def _elders(age: Floats, kind: np.ndarray, streams: Streams) -> None:
    """Parents of the husband, or the grandparents of a household without the middle."""
    number = len(age)
    gap = np.clip(26.5 + 4 * streams.normal("roster.gap", number), 20, 36)
    difference = np.clip(1.8 + 2.2 * streams.normal("roster.elder_difference", number), -3, 8)
    # Parents are 16 to 45 years older than the husband, his wife and his siblings alike.
    difference = np.clip(difference, gap - 36, gap - 19.5)
    father = age[:, MID_M] + gap
    skip = kind == SKIP
    father[skip] = 56 + 20 * streams.uniform("roster.skip_age", number)[skip]
    mother = father - difference
    u = streams("roster.survival").random((number, 2))
    # Logistic survival of a parent to this age, and of staying with this child.
    alive_f = u[:, 0] < 0.80 / (1 + np.exp((father - 76) / 5))
    alive_m = u[:, 1] < 0.86 / (1 + np.exp((mother - 80) / 5))
    with_elders = (kind == STEM) | skip
    none = with_elders & ~alive_f & ~alive_m
    alive_m |= none & (mother < 92)
    age[:, ELDER_M] = np.where(with_elders & alive_f & (father <= OLDEST), father, np.nan)
    age[:, ELDER_F] = np.where(with_elders & alive_m & (mother <= OLDEST), mother, np.nan)


def _children(
    age: Floats, kind: np.ndarray, mother: Floats, father: Floats, births: Floats, streams: Streams
) -> np.ndarray:
    """Births of the woman in the middle; the children still at home fill their slots."""
    number = len(age)
    rng = streams("roster.births")
    # Completed family size: more in earlier cohorts.
    mean = births + np.clip((mother - 38) * 0.045, -0.3, 0.9)
    children = np.clip(1 + rng.poisson(np.clip(mean - 1, 0.2, None)), 1, CHILDREN)
    children[rng.random(number) < 0.03] = 0
    difference = father - mother
    at_birth = np.clip(23.2 + 2.6 * rng.standard_normal(number), 19, 33)
    spacing = 1.8 + rng.gamma(2.2, 1.15, size=(number, CHILDREN))
    male = np.zeros((number, SLOTS), dtype=bool)
    male[:, [ELDER_M, MID_M]] = True
    sex, stay = rng.random((number, CHILDREN)), rng.random((number, CHILDREN))
    latest = np.minimum(40, 44 - difference)
    grandchildren = kind == SKIP
    for j in range(CHILDREN):
        if j:
            at_birth = at_birth + spacing[:, j]
        own = mother - at_birth
        own = np.where(grandchildren, 15.9 * stay[:, j], own)
        born = (j < children) & (own >= 0) & ((at_birth <= latest) | grandchildren)
        born &= ~np.isin(kind, [OLD_COUPLE, SINGLE]) & ~(grandchildren & (j > 1))
        boy = sex[:, j] < np.select([own < 15, own < 20, own < 25], [0.540, 0.545, 0.515], 0.50)
        home = np.where(boy, 1 / (1 + np.exp((own - 27) / 3)), 1 / (1 + np.exp((own - 24.5) / 2.2)))
        home = np.where(own < 16, 1.0, home)
        born &= grandchildren | (stay[:, j] < home)
        age[:, CHILD + j] = np.where(born, own, np.nan)
        male[:, CHILD + j] = boy
    male[:, SIBLING] = rng.random(number) < 0.60
    return male


def _sibling(age: Floats, kind: np.ndarray, streams: Streams) -> None:
    """An unmarried younger brother or sister of the husband in some stem families."""
    number = len(age)
    u = streams("roster.sibling").random((number, 2))
    own = age[:, MID_M] - (1.0 + 6.4 * u[:, 0])
    likely = np.where(own < 28, 0.42, 0.05)
    present = (kind == STEM) & (u[:, 1] < likely) & (own >= 1)
    age[:, SIBLING] = np.where(present, own, np.nan)


def _absent(age: Floats, kind: np.ndarray, streams: Streams) -> None:
    """Take out of a household those whom its kind lacks."""
    u = streams.uniform("roster.absent", len(age))
    age[kind == SKIP, MID_M] = np.nan
    age[kind == SKIP, MID_F] = np.nan
    single, lone = kind == SINGLE, kind == LONE
    older = age[:, MID_M] >= 66
    woman = u < np.where(older, 0.56, 0.20)
    age[single & woman, MID_M] = np.nan
    age[single & ~woman, MID_F] = np.nan
    mother_only = u < 0.55
    age[lone & mother_only, MID_M] = np.nan
    age[lone & ~mother_only, MID_F] = np.nan
    bachelor = (kind == STEM) & (u < 0.06)
    age[bachelor, MID_F] = np.nan
    age[np.ix_(bachelor, range(CHILD, CHILD + CHILDREN))] = np.nan
    empty = np.isnan(age).all(axis=1)
    age[empty, MID_F] = 70.0


def _tilt(age: Floats, male: np.ndarray) -> Floats:
    """Weights of the pool's households under which it has the declared pyramid."""
    features, target = _features(age, male)
    centred = features - target
    slope = np.zeros(features.shape[1])
    ridge = 1e-6 * np.eye(len(slope))
    for _ in range(40):
        score = centred @ slope
        weight = np.exp(score - score.max())
        weight /= weight.sum()
        gradient = weight @ centred
        curvature = (centred * weight[:, None]).T @ centred - np.outer(gradient, gradient)
        step = np.linalg.solve(curvature + ridge, gradient)
        slope -= step * min(1.0, 1.5 / max(1e-9, float(np.abs(step).max())))
        if np.abs(gradient).max() < 1e-7:
            break
    return weight


def _features(age: Floats, male: np.ndarray) -> tuple[Floats, Floats]:
    """Counts of members by age and sex in each household, and their means in the target."""
    pyramid = load()["pyramid"]
    size = pyramid["mean_household_size"]
    present = ~np.isnan(age)
    group = np.where(present, np.minimum(np.nan_to_num(age) // 5, 16), -1)
    columns = [np.sum(group == g, axis=1) for g in range(17)]
    shares = np.array(pyramid["shares"], dtype=float) / 100
    target = list(size * shares)
    ratio = np.array(pyramid["sex_ratio"], dtype=float)
    columns += [np.sum(male & (group == g), axis=1) for g in range(17)]
    target += list(size * shares * ratio / (100 + ratio))
    return np.stack(columns, axis=1).astype(float), np.array(target)


def _choose(
    weight: Floats,
    mean_age: Floats,
    counts: np.ndarray,
    pool_counts: np.ndarray,
    streams: Streams,
) -> np.ndarray:
    """Systematic draw of each area's households from its part of the pool, by mean age.

    Ordering by age keeps the ages of a small survey near the pool's. The households drawn are
    returned in random order.
    """
    rng = streams("roster.choose")
    chosen, start = [], 0
    for wanted, size in zip(counts, pool_counts, strict=True):
        by_age = start + np.argsort(mean_age[start : start + size], kind="stable")
        part = weight[by_age]
        probability = np.minimum(part / part.sum() * wanted, 1.0)
        for _ in range(20):
            free = probability < 1
            probability[free] *= (wanted - (~free).sum()) / probability[free].sum()
            probability = np.minimum(probability, 1.0)
        points = np.arange(wanted) + rng.random()
        place = np.searchsorted(np.cumsum(probability), points).clip(max=size - 1)
        chosen.append(rng.permutation(by_age[place]))
        start += size
    return np.concatenate(chosen)


def _long(age: Floats, male: np.ndarray, streams: Streams) -> pd.DataFrame:
    """Name the head, the relations to the head, and list the members."""
    head = _head(age, streams)
    relation = _relations(head)
    present = ~np.isnan(age)
    household, slot = np.nonzero(present)
    frame = pd.DataFrame(
        {
            "household": household,
            "slot": slot,
            "sex": np.where(male[household, slot], "male", "female"),
            "age": age[household, slot].astype(np.int64),
            "relation": relation[household, slot],
        }
    )
    rank = frame["relation"].map(_RANK).to_numpy()
    order = np.lexsort((-frame["age"].to_numpy(), rank, household))
    frame = frame.iloc[order].reset_index(drop=True)
    frame.insert(1, "line", frame.groupby("household").cumcount() + 1)
    return frame


_RANK = {
    "head": 0, "spouse": 1, "child": 2, "child_in_law": 3, "grandchild": 4, "parent": 5,
    "sibling": 6, "other": 7,
}  # fmt: skip


def _head(age: Floats, streams: Streams) -> np.ndarray:
    """Slot of the head: mostly the man in the middle, his father while he is not too old."""
    number = len(age)
    u = streams.uniform("roster.head", number)
    present = ~np.isnan(age)
    elder = np.nan_to_num(age[:, ELDER_M], nan=200)
    elder_head = present[:, ELDER_M] & ((elder < 60) | ((elder < 70) & (u < 0.45)))
    # Widowed mothers of young men head some households.
    mother = np.nan_to_num(age[:, ELDER_F], nan=200)
    widow_head = ~present[:, ELDER_M] & (mother < 58) & (u < 0.5)
    wife_head = present[:, MID_M] & present[:, MID_F] & (u > 0.965)
    order = [
        (elder_head, ELDER_M),
        (widow_head, ELDER_F),
        (wife_head, MID_F),
        (present[:, MID_M], MID_M),
        (present[:, MID_F], MID_F),
        (present[:, ELDER_M], ELDER_M),
    ]
    return np.select([c for c, _ in order], [s for _, s in order], ELDER_F)


def _relations(head: np.ndarray) -> np.ndarray:
    """Relation to the head of every slot, given the head's slot."""
    elder = ["spouse", "spouse", "child", "child_in_law", *["grandchild"] * CHILDREN, "child"]
    middle = ["parent", "parent", "spouse", "spouse", *["child"] * CHILDREN, "sibling"]
    table = np.array([elder, elder, middle, middle], dtype=object)
    # A sister-in-law's or brother-in-law's relation is "other".
    table[MID_F, SIBLING] = "other"
    for slot in range(4):
        table[slot, slot] = "head"
    return table[head]
