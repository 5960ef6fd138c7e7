"""Which rules a survey lets the audit evaluate, and why others could not be."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from povmon.audit.previous import previous_folder
from povmon.audit.rules import PREVIOUS, Rule, catalogue
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS

EVALUATION = ["rule", "evaluated", "reason"]


def evaluation(survey: Survey, area: str, records: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every rule of the catalogue, whether it could be evaluated, and if not, why.

    Parameters
    ----------
    records : form -> accepted records; a field without any value counts as not submitted.

    Returns
    -------
    One row a rule: rule, evaluated (bool), reason ("" where it was evaluated).
    """
    known = {form: set(t.columns[t.notna().any()]) for form, t in records.items()}
    rows = []
    for rule in catalogue().values():
        reason = _reason(rule, survey, area, known)
        rows.append([rule.id, not reason, reason])
    return pd.DataFrame(rows, columns=EVALUATION).astype({"rule": "str", "reason": "str"})


def _reason(rule: Rule, survey: Survey, area: str, known: Mapping[str, set[str]]) -> str:
    if rule.level in FORMS and rule.level not in survey.forms:
        return f"the survey has no {FORMS[rule.level].en.lower()}"
    missing = []
    for need in rule.inputs:
        form, _, name = need.partition(".")
        if need == PREVIOUS:
            if previous_folder(survey, area) is None:
                return _no_previous(survey)
        elif form == "design":
            if getattr(survey.design, name) is None:
                return f"survey.yml gives no design.{name}"
        elif form not in survey.forms:
            return f"the survey has no {FORMS[form].en.lower()}"
        elif name not in known.get(form, set()):
            missing.append(f"{FORMS[form][name].en.lower()} ({form})")
    return f"not submitted: {', '.join(missing)}" if missing else ""


def _no_previous(survey: Survey) -> str:
    if survey.previous is None:
        return "survey.yml names no previous survey"
    return f"the previous survey ({survey.previous}) has no accepted records of this area"
