"""Which sheets of a delivery's files are which forms: by their names, else by their headings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from povmon import privacy
from povmon.errors import PovmonError
from povmon.survey.config import Survey
from povmon.survey.deliveries import Delivery, form_called, readable
from povmon.survey.forms import FORMS
from povmon.survey.header import all_headings, count_known, find, headings_of
from povmon.survey.readers import READABLE, Grid, Source, read_source, unreadable

# Sheets that explain a workbook and hold nothing that is submitted.
_AIDS = ("instruction", "definition", "code", "cover", "readme", "guide", "return slip", "封面",
         "说明", "解释", "代码", "目录")  # fmt: skip


NO_FORM = "it is none of the forms"
ANSWERS = "answers.csv"  # answers to a return slip: the audit reads them


@dataclass(frozen=True)
class Part:
    """One sheet (or file without sheets) that holds records of a form.

    Parameters
    ----------
    form : the form.
    path, file : the file, and how tables and messages name it.
    sheet : its sheet as shown, "" for none.
    source, grid : its content; None where it cannot be read.
    error : why it cannot be read.
    """

    form: str
    path: Path
    file: str
    sheet: str = ""
    source: Source | None = None
    grid: Grid | None = None
    error: PovmonError | None = None


@dataclass(frozen=True)
class Aside:
    """A file or sheet that is not used: rule, file, sheet, and why."""

    rule: str
    file: str
    sheet: str = ""
    detail: str = ""


class Sorter:
    """Sorts the files of deliveries by form."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.headings: dict[str, Mapping[str, str]] = {
            form: headings_of(survey, FORMS[form]) for form in survey.forms
        }
        self._all = all_headings(survey)

    def sort(self, delivery: Delivery) -> tuple[list[Part], list[Aside]]:
        """The parts of each form in a delivery, and what else it holds."""
        parts: list[Part] = []
        asides: list[Aside] = []
        digests: set[str] = set()
        used: set[tuple[str, str]] = set()
        files = [p for p in delivery.files if p.name != ANSWERS]
        for path in sorted(files, key=_by_format):
            file = delivery.shown(path, self.survey.survey)
            form = form_called(path.stem, self.survey.forms)
            if not readable(path):
                asides.append(Aside("file_not_read", file, detail=unreadable(path) or NO_FORM))
            elif form and (path.stem.casefold(), form) in used:
                asides.append(Aside("file_not_read", file, detail="the table in another format"))
            else:
                found, others = self._file(path, file, form)
                used |= {(path.stem.casefold(), p.form) for p in found}
                digest = next((p.source.sha256 for p in found if p.source), "")
                if digest in digests:
                    asides.append(Aside("file_twice", file))
                    continue
                digests |= {digest} - {""}
                parts += found
                asides += others
        return sorted(parts, key=lambda p: (p.file, p.sheet)), asides

    def _file(self, path: Path, file: str, form: str) -> tuple[list[Part], list[Aside]]:
        try:
            source = read_source(path, f"submissions/{file}", self._all)
        except PovmonError as error:
            if form:
                return [Part(form, path, file, error=error)], []
            return [], [Aside("file_not_read", file, detail=error.what)]
        grids = [grid for grid in source.grids if grid.rows]
        named = {id(grid): form_called(grid.sheet, self.survey.forms) for grid in grids}
        parts, others = [], []
        for grid in grids:
            of = named[id(grid)]
            if not of and (not form or not any(named.values())):
                of = self._by_headings(grid, form, single=len(grids) == 1)
            sheet = privacy.scrub(grid.sheet, self.survey.survey)
            if of:
                parts.append(Part(of, path, file, sheet, source, grid))
            elif not sheet:
                others.append(Aside("file_not_read", file, detail=NO_FORM))
            elif not any(word in sheet.casefold() for word in _AIDS):
                others.append(Aside("sheet_not_read", file, sheet))
        if form and not parts:
            empty = PovmonError(
                "the file has no sheet with the form's records",
                where=f"submissions/{file}",
                todo="name the sheet like the form, or use the columns of the codebook",
            )
            parts.append(Part(form, path, file, source=source, error=empty))
        return parts, others

    def _by_headings(self, grid: Grid, form: str, single: bool) -> str:
        """The form whose headings a sheet has; the file's own form needs two of them only."""
        if form:
            enough = single or count_known(self.headings[form], grid) > 1
            return form if enough else ""
        found = [name for name in self.survey.forms if self._has_required(name, grid)]
        if not found:
            return ""
        return max(found, key=lambda name: count_known(self.headings[name], grid))

    def _has_required(self, form: str, grid: Grid) -> bool:
        """Whether one row names all the columns that the form needs."""
        known = self.headings[form]
        mapping = self.survey.columns.get(form)  # type: ignore[call-overload]
        wanted = set(self.survey.required_fields(form))
        if mapping is not None:
            wanted = {c.source for c in mapping.values() if c.source is not None}
        rows = ({find(known, cell) for cell in row} for row in grid.rows[:30])
        return bool(wanted) and any(wanted <= names for names in rows)


def _by_format(path: Path) -> tuple[int, str]:
    """CSV before Excel before Stata and SPSS, where one table comes in several formats."""
    suffix = path.suffix.lower()
    return (READABLE.index(suffix) if suffix in READABLE else len(READABLE), path.name)
