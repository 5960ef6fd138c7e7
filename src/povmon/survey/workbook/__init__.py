"""Forms out: the Excel workbooks that are sent to the provinces, from the one definition.

One workbook an area and province holds an instructions sheet, the survey's forms, the definitions
of all fields and the code lists. `povmon.survey.workbook.layout` says what stands in which row.
"""

from povmon.survey.workbook.build import form_workbook, workbook_content
from povmon.survey.workbook.identity import Identity, form_version, read_identity
from povmon.survey.workbook.scope import Scope, scopes
from povmon.survey.workbook.write import FormsOut, write_forms

__all__ = [
    "FormsOut",
    "Identity",
    "Scope",
    "form_version",
    "form_workbook",
    "read_identity",
    "scopes",
    "workbook_content",
    "write_forms",
]
