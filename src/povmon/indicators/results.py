"""What a notebook shows of one area: the survey, its estimates and its households."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from povmon.indicators.compute import estimate_frames
from povmon.indicators.frames import load
from povmon.survey import Survey, load_survey
from povmon.survey.config import Comparison


@dataclass(frozen=True)
class AreaResults:
    """Estimates of one area and the derived household frame they come from."""

    survey: Survey
    area: str
    estimates: pd.DataFrame
    households: pd.DataFrame

    @property
    def published(self) -> list[Comparison]:
        """The published figures of survey.yml that concern this area."""
        return [
            c for c in self.survey.published if (c.domain_kind, c.domain) == ("area", self.area)
        ]


def households(survey: str, *areas: str) -> pd.DataFrame:
    """The accepted households of a survey with their derived columns, for work of one's own.

    Parameters
    ----------
    survey : its name; it must have been audited (``make SURVEY=...``).
    areas : the areas wanted; none takes all of them.

    Returns
    -------
    One row a household: the form's columns, where it lies (area, county_id, village_id), the
    weights w_hh and w_person, and what indicators are made from (income_pc, consumption_pc,
    welfare, d_<deprivation> ...), as far as the survey asked for it.
    """
    config = load_survey(survey)
    wanted = [config.check_area(a) for a in areas] or config.area_ids
    return load(config, wanted).household


def area_results(survey: str, area: str) -> AreaResults:
    """Estimate an area (which writes its ``estimates.parquet``) and keep what is shown of it.

    Raises
    ------
    PovmonError : unknown survey or area, or the area has no accepted records.
    """
    config = load_survey(survey)
    config.check_area(area)
    frames = load(config, [area])
    return AreaResults(config, area, estimate_frames(config, frames, area), frames.household)
