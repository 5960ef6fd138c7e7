"""The households of a survey straight from what was submitted, without making the survey."""

from __future__ import annotations

import pandas as pd

from povmon.audit.run import audit_intake
from povmon.indicators.frames import derive
from povmon.survey.config import load_survey
from povmon.survey.intake import read_submissions


def audited_households(survey: str, *areas: str) -> pd.DataFrame:
    """Audit the submissions of a survey in memory and derive its households; nothing is written.

    For a first look at a survey that has not been made. It audits again on each call: a survey
    that has been made is read with `povmon.indicators.households`, which gives the same rows.

    Parameters
    ----------
    survey : its name; its submissions must be there.
    areas : the areas wanted; none takes all of them.

    Returns
    -------
    One row a household, as from `povmon.indicators.households`.

    Raises
    ------
    PovmonError : an area or file is missing or not readable, or there is no household.
    """
    config = load_survey(survey)
    wanted = [config.check_area(a) for a in areas] or config.area_ids
    audits = [audit_intake(read_submissions(config, area)) for area in wanted]
    accepted: dict[str, pd.DataFrame] = {
        form: pd.concat([a.records[form] for a in audits], ignore_index=True)
        for form in config.forms
    }
    return derive(config, wanted, accepted).household
