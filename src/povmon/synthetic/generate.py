"""Generating a survey: clean forms, planted errors, submissions as provinces would send them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.survey import FORMS, Survey, load_survey
from povmon.synthetic import errors
from povmon.synthetic.build import Clean, build
from povmon.synthetic.streams import Streams
from povmon.synthetic.workspace import Workspace, as_text
from povmon.synthetic.write import Place, write_submissions, write_truth


@dataclass(frozen=True)
class GenerateSummary:
    """What `generate` did.

    Parameters
    ----------
    survey : name of the survey.
    written, kept : (area, province) pairs written now, and left as they were.
    rows : form -> rows sent, in all provinces; empty when nothing was generated.
    planted : kind of error -> how many times it was planted.
    """

    survey: str
    written: list[Place]
    kept: list[Place]
    rows: dict[str, int] = field(default_factory=dict)
    planted: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.written:
            return f"{self.survey}: submissions are there already, nothing was written"
        rows = ", ".join(f"{number:,} {name} rows" for name, number in self.rows.items())
        return (
            f"{self.survey}: wrote {len(self.written)} province folders, kept {len(self.kept)}; "
            f"{rows}; {sum(self.planted.values()):,} planted errors of {len(self.planted)} kinds"
        )


def generate(survey: str, *, force: bool = False) -> GenerateSummary:
    """Write the submissions of a synthetic survey, and its planted truth.

    Parameters
    ----------
    survey : name of the survey; its survey.yml says synthetic: true and gives a seed.
    force : write again what is there already. Otherwise only provinces without a folder are
        written.

    Returns
    -------
    GenerateSummary.

    Raises
    ------
    PovmonError : the survey is not synthetic, has no seed, or its folder cannot be written.
    """
    described = load_survey(survey)
    seed = _seed(described)
    _check_shape(described)
    places = expected_places(described)
    absent = [p for p in places if force or not _there(survey, p)]
    truth = paths.processed(survey) / "truth" / "planted.parquet"
    if not absent and truth.is_file():
        return GenerateSummary(survey, [], places)
    forms, planted, clean = _make(described, seed)
    try:
        dates = write_submissions(described, forms, absent, Streams(seed))
        late = [p for p, day in dates.items() if described.deadline and day > described.deadline]
        planted = pd.concat([planted, _late(late)], ignore_index=True)
        write_truth(described, clean, planted)
    except OSError as error:
        raise PovmonError(
            f"the submissions cannot be written ({error.strerror})",
            where=str(error.filename),
            todo="make the folder writable",
        ) from error
    return GenerateSummary(
        survey,
        written=absent,
        kept=[p for p in places if p not in absent],
        rows={name: len(frame) for name, frame in forms.items()},
        planted=_counts(planted),
    )


def _seed(survey: Survey) -> int:
    where = f"data/raw/{survey.survey}/survey.yml"
    if not survey.synthetic:
        raise PovmonError(
            "this survey is not synthetic, nothing is generated for it",
            where=f"{where}, key synthetic",
            todo="put what was received into its submissions folder",
        )
    if survey.seed is None:
        raise PovmonError("missing key", where=f"{where}, key seed", todo="add a whole number")
    return survey.seed


def _check_shape(survey: Survey) -> None:
    """The generator makes surveys of the reference counties, with all four forms."""
    known = set(reference.counties()["county_id"])
    unknown = sorted(set(survey.only_counties) - known)
    wrong = {
        "areas": (survey.areas != "reference", "write reference"),
        "delivery": (survey.delivery != "area_province", "write area_province"),
        "forms": (set(survey.forms) != set(FORMS), f"list {', '.join(FORMS)}"),
        "only_counties": (bool(unknown), f"not in counties.csv: {', '.join(unknown)}"),
        "deadline": (survey.deadline is None, "add the day by which files were expected"),
    }
    for key, (failed, todo) in wrong.items():
        if failed:
            raise PovmonError(
                "a synthetic survey cannot be generated with this value",
                where=f"data/raw/{survey.survey}/survey.yml, key {key}",
                todo=todo,
            )


def expected_places(survey: Survey) -> list[Place]:
    """The (area, province) pairs that a survey of the reference counties expects, in order."""
    counties = reference.counties()
    if survey.only_counties:
        counties = counties[counties["county_id"].isin(survey.only_counties)]
    pairs = zip(counties["area_id"], counties["province_id"], strict=True)
    return sorted(set(pairs))


def _there(survey: str, place: Place) -> bool:
    return (paths.submissions(survey) / "/".join(place) / "manifest.yml").is_file()


def _make(survey: Survey, seed: int) -> tuple[dict[str, pd.DataFrame], pd.DataFrame, Clean]:
    clean = build(survey, seed)
    text = {name: as_text(frame, name) for name, frame in clean.forms.items()}
    work = Workspace(text, Streams(seed))
    errors.plant_all(work, part=bool(survey.only_counties))
    return work.forms, work.planted(), clean


def _late(places: list[Place]) -> pd.DataFrame:
    """Log entries of the provinces whose files came after the deadline."""
    keys = ["/".join(p) for p in places]
    entry = {"kind": "late_province", "form": "", "key": keys, "case": keys, "column": "received"}
    files = [f"{key}/manifest.yml" for key in keys]
    frame = pd.DataFrame({**entry, "before": "", "after": "", "file": files})
    return frame.astype("str")


def _counts(planted: pd.DataFrame) -> dict[str, int]:
    """Places hit, by kind: an error in several columns of a record counts once."""
    once = planted.drop_duplicates(["kind", "form", "case"])
    counts = once["kind"].value_counts()
    return {kind: int(counts.get(kind, 0)) for kind in errors.kinds()}
