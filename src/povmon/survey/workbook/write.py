"""Writing a survey's form workbooks into data/processed/<survey>/forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from povmon import paths
from povmon.errors import PovmonError
from povmon.placing import placed
from povmon.survey.config import Survey
from povmon.survey.workbook.build import workbook_content
from povmon.survey.workbook.identity import form_version
from povmon.survey.workbook.scope import Scope, fillable_forms, scopes


@dataclass(frozen=True)
class FormsOut:
    """What `write_forms` did.

    Parameters
    ----------
    version : version of the forms.
    written : the workbooks.
    remarks : sentences on forms for which no workbook makes sense.
    """

    version: str
    written: list[Path]
    remarks: list[str] = field(default_factory=list)


def write_forms(survey: Survey, area: str = "") -> FormsOut:
    """Write the workbooks of a survey, or of one of its areas.

    Parameters
    ----------
    survey : the survey.
    area : one of its areas; "" for all.

    Returns
    -------
    What was written: ``forms/<area>/<province>.xlsx``, or ``forms/<survey>.xlsx`` for a survey
    delivered whole.

    Raises
    ------
    PovmonError : no such area; a file cannot be written.
    """
    if area:
        survey.check_area(area)
    remarks = _remarks(survey)
    if not fillable_forms(survey):
        return FormsOut(form_version(survey), [], remarks)
    top = paths.processed(survey.survey) / "forms"
    written = [_write(top, scope) for scope in scopes(survey, area)]
    return FormsOut(form_version(survey), written, remarks)


def _remarks(survey: Survey) -> list[str]:
    mapped = [name for name in survey.forms if name in survey.columns]
    if not mapped:
        return []
    return [
        f"No workbook holds the form {', '.join(mapped)}: the survey {survey.survey} reads it from "
        "files that have columns of their own (data/raw/"
        f"{survey.survey}/survey.yml, key columns), so there is nothing to fill in."
    ]


def _write(top: Path, scope: Scope) -> Path:
    """Write one workbook to a temporary name, and give it its own once it is whole."""
    name = scope.province or scope.area or scope.survey.survey
    folder = top / paths.checked(scope.area, "area") if scope.area else top
    path = folder / f"{name}.xlsx"
    content = workbook_content(scope)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with placed(path) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise PovmonError(
            f"the workbook cannot be written ({error.strerror})",
            where=path.relative_to(paths.root()).as_posix(),
            todo="make the folder writable, and close the file where it is open",
        ) from error
    return path
