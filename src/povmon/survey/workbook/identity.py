"""What a form workbook says about itself: which form it is, and which version of it.

The same five texts stand in the workbook's custom properties and in defined names, and on its
cover for people. A reader needs only the properties; a program that drops them on saving keeps
the names.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.defined_name import DefinedName

from povmon.survey.config import Survey
from povmon.survey.workbook.scope import Scope, fillable_forms, own_form

PREFIX = "povmon_"
VERSION_DIGITS = 12


@dataclass(frozen=True)
class Identity:
    """Which form workbook this is.

    Parameters
    ----------
    form_id : name of the workbook, e.g. ``povmon/demo/wumeng/51``.
    survey, area, province : for whom it was made; area and province may be "".
    form_version : digest of the definition of the forms in it.
    """

    form_id: str
    survey: str
    area: str
    province: str
    form_version: str


def form_version(survey: Survey) -> str:
    """Version of a survey's forms: a digest of their definition.

    Parameters
    ----------
    survey : the survey.

    Returns
    -------
    Twelve hexadecimal digits. They change with every label, unit, code, range or column.
    """
    forms = [asdict(own_form(survey, name)) for name in fillable_forms(survey)]
    text = json.dumps(forms, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:VERSION_DIGITS]


def identity(scope: Scope) -> Identity:
    """The identity of the workbook that covers a scope."""
    survey = scope.survey
    return Identity(scope.form_id, survey.survey, scope.area, scope.province, form_version(survey))


def stamp(workbook: Workbook, own: Identity) -> None:
    """Write an identity into a workbook's properties and defined names."""
    for name, value in asdict(own).items():
        workbook.custom_doc_props.append(StringProperty(name=f"{PREFIX}{name}", value=value))
        quoted = value.replace('"', '""')
        workbook.defined_names[f"{PREFIX}{name}"] = DefinedName(
            f"{PREFIX}{name}", attr_text=f'"{quoted}"'
        )


def read_identity(workbook: Workbook) -> Identity | None:
    """The identity of a workbook that came back; None when it is none of ours.

    Parameters
    ----------
    workbook : as openpyxl opened it.
    """
    values = {}
    for field in fields(Identity):
        name = f"{PREFIX}{field.name}"
        if name in workbook.custom_doc_props.names:
            values[field.name] = str(workbook.custom_doc_props[name].value or "")
        elif name in workbook.defined_names:
            text = str(workbook.defined_names[name].attr_text or "")
            values[field.name] = text.removeprefix('"').removesuffix('"').replace('""', '"')
    return Identity(**values) if "form_id" in values and len(values) == 5 else None
