"""The seeds of the project's random numbers: each has a name here, and stands nowhere else.

From a seed and names (of a stratum, of a record, of a kind of error) come streams of their own, so
that a record more or a worker more leaves the numbers of all others as they were. A page's footer
names the seeds that its code may draw from. Functions with an argument `seed` leave it to those
who call them; no page does so.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

IMPUTED = 19_960_901
BANDS = 20_210
OF_SURVEY = 0


@dataclass(frozen=True)
class Seed:
    """What a seed is for.

    Attributes
    ----------
    module : the module that draws.
    value : None where it is the survey's own (survey.yml, key seed; without one 0).
    """

    purpose: str
    module: str
    value: int | None


SEEDS = (
    Seed("generated submissions", "povmon.synthetic.generate", None),
    Seed("donors of imputed answers", "povmon.audit.impute", None),
    Seed("donors in each replicate", "povmon.indicators.recipients", IMPUTED),
    Seed("standard errors of imputed figures", "povmon.indicators.reimputation", IMPUTED),
    Seed("simultaneous bands of curves", "povmon.estimate.curves.bands", BANDS),
)


def of_survey(seed: int | None) -> int:
    """The seed of a survey; a survey need not give one."""
    return OF_SURVEY if seed is None else seed


def used(modules: Collection[str], survey_seed: int | None) -> dict[str, int]:
    """What a stage may draw for -> the seed.

    Parameters
    ----------
    modules : names of the modules that the stage imports, transitively.
    survey_seed : of its survey.
    """
    found = [s for s in SEEDS if s.module in modules]
    return {s.purpose: of_survey(survey_seed) if s.value is None else s.value for s in found}
