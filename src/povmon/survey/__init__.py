"""Surveys as folders: survey.yml, the forms, and reading what arrived."""

from povmon.survey.config import Survey, load_survey
from povmon.survey.forms import FORMS

__all__ = ["FORMS", "Survey", "load_survey"]
