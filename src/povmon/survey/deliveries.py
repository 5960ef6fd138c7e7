"""What stands in a submissions folder: deliveries in their order, and the files of each form.

``submissions/<area>/<province>/`` holds the first delivery; each folder in it is a later one.
Deliveries are ordered by the day of receipt (manifest.yml, else the date in the folder's name),
else by name. Nothing is ever taken away: the newest delivery that has a form counts for it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from povmon import privacy
from povmon.survey.config import Survey
from povmon.survey.forms import FORMS
from povmon.survey.manifest import Manifest, read_manifest
from povmon.survey.readers import READABLE
from povmon.survey.spelling import spelling

MANIFEST = "manifest.yml"
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-._年]?(\d{1,2})[-._月]?(\d{1,2})日?(?!\d)")
# What files and sheets call a form, beside its name and titles.
_CALLED = {
    "county": ("county", "counties", "县表", "县级表", "县级"),
    "village": ("village", "villages", "村表", "村级表", "行政村表", "村级"),
    "household": ("household", "households", "hh", "户表", "住户表", "农户表",
                  "家庭表", "住户", "农户"),
    "person": ("person", "persons", "people", "member", "members", "roster", "individual",
               "individuals", "人口表", "人员表", "成员表", "个人表", "家庭成员表", "家庭成员",
               "人口"),
}  # fmt: skip


@dataclass(frozen=True)
class Delivery:
    """One delivery as it arrived: of a province, or of the whole survey (``province_id`` "").

    Parameters
    ----------
    province_id : the province that sent it.
    place : the folder as messages name it, with a final "/" ("" for submissions itself).
    manifest : what the sender says about it.
    received : day of arrival: of the manifest, else of the folder's name.
    folder : where it lies.
    files : its files, in the order of their names.
    """

    province_id: str
    place: str
    manifest: Manifest
    received: dt.date | None
    folder: Path
    files: tuple[Path, ...]

    def shown(self, path: Path, survey: str) -> str:
        """A file as messages and tables name it, without personal data."""
        return self.place + privacy.scrub_path(path.name, survey, _KNOWN)


# Names of forms are no names of persons.
_KNOWN = frozenset(word for words in _CALLED.values() for word in words)


def deliveries(survey: Survey, province: str, top: Path, place: str) -> list[Delivery]:
    """The deliveries of one province, oldest first; none when nothing has arrived.

    Parameters
    ----------
    survey : the survey.
    province : province id, "" for a survey delivered whole.
    top : the province's folder.
    place : how messages name it, with a final "/" or empty.
    """
    first = _delivery(survey, province, top, place)
    later = [
        _delivery(survey, province, p, f"{place}{privacy.scrub_path(p.name, survey.survey)}/")
        for p in sorted(top.iterdir(), key=lambda p: _natural(p.name))
        if p.is_dir() and not p.name.startswith(".")
    ]
    return [*([first] if first.files else []), *_in_order([d for d in later if d.files])]


def _delivery(survey: Survey, province: str, folder: Path, place: str) -> Delivery:
    files = tuple(
        p
        for p in sorted(folder.iterdir(), key=lambda p: p.name)
        if p.is_file() and not p.name.startswith((".", "~$")) and p.name != MANIFEST
    )
    manifest = read_manifest(folder, f"{place}{MANIFEST}")
    received = manifest.received or date_in(folder.name)
    return Delivery(province, place, manifest, received, folder, files)


def _in_order(later: list[Delivery]) -> list[Delivery]:
    """By day of receipt; one without a day stays behind the one before it in name order."""
    days: list[dt.date] = []
    for delivery in later:
        days.append(delivery.received or (days[-1] if days else dt.date.min))
    return [d for _, d in sorted(zip(days, later, strict=True), key=lambda pair: pair[0])]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key under which delivery2 comes before delivery10."""
    parts = re.split("([0-9]+)", name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts if p]


def date_in(name: str) -> dt.date | None:
    """The first date in a name, such as 2011-04-02, 20110402 or 2011年4月2日."""
    for year, month, day in _DATE.findall(name):
        try:
            return dt.date(int(year), int(month), int(day))
        except ValueError:
            continue
    return None


def form_called(name: str, forms: Iterable[str]) -> str:
    """The form that a file's or sheet's name stands for; "" for none or for several.

    Examples
    --------
    >>> forms = ("county", "village", "household", "person")
    >>> [form_called(n, forms) for n in ("户表", "household 户表", "会泽县户表2", "notes")]
    ['household', 'household', 'household', '']
    """
    words = re.findall(r"[a-z]+|[\u3400-\u9fff]+", name.casefold())
    latin = {word for word in words if word.isascii()}
    chinese = [word for word in words if not word.isascii()]
    found = set()
    for form in forms:
        titles = (*_CALLED[form], form, FORMS[form].zh, spelling(FORMS[form].en))
        if latin & set(titles):
            found.add(form)
        if any(word.endswith(tuple(t for t in titles if not t.isascii())) for word in chinese):
            found.add(form)
    return found.pop() if len(found) == 1 else ""


def readable(path: Path) -> bool:
    """Whether a reader takes files of this name's ending."""
    return path.suffix.lower() in READABLE
