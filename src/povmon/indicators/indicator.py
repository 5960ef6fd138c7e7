"""What an indicator is: label, unit, population, measure and direction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from povmon.estimate.measures.base import Measure

Good = Literal["low", "high", "none"]
Frame = Literal["household", "village", "county"]
Weight = Literal["w_person", "w_hh", "w_village", "none"]
Group = Literal["money", "access", "village", "multidimensional", "county"]
# A measure for a poverty line; indicators that need no line ignore it.
Build = Callable[[float], Measure]


@dataclass(frozen=True)
class Indicator:
    """One published indicator.

    Parameters
    ----------
    id : name in ``estimates.parquet``.
    en, zh : label in English and Chinese.
    unit : ``share`` (a fraction, shown in per cent), ``money`` (the survey's money unit),
        ``index``, ``persons``, ``m2``.
    population : whom it describes, in words: the unit of analysis.
    group : money, access, village, multidimensional or county.
    good : whether a ``low`` or a ``high`` value is good; ``none`` where neither is.
    frame, weight : table and weight it is estimated from.
    needs : columns without which the survey cannot give it.
    build : its measure, given the poverty line.
    definition : one sentence.
    """

    id: str
    en: str
    zh: str
    unit: str
    population: str
    group: Group
    good: Good
    frame: Frame
    weight: Weight
    needs: tuple[str, ...]
    build: Build
    definition: str
