"""manifest.yml: what a province says it sent, and when it arrived.

A manifest that is missing or wrong never stops the reading: it is a remark, and the promptness
of that submission is then unknown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from povmon.yamls import from_yaml


@dataclass(frozen=True)
class Manifest:
    """One submission's manifest.

    Parameters
    ----------
    place : how messages name it.
    received : day of arrival, None when it is not known.
    form_version : version of the forms used.
    files : file name -> (sha256 or "", rows or None).
    problem : what is wrong with the manifest; empty when nothing is.
    """

    place: str
    received: dt.date | None = None
    form_version: str = ""
    files: Mapping[str, tuple[str, int | None]] = field(default_factory=dict)
    problem: str = ""


def read_manifest(folder: Path, place: str) -> Manifest:
    """Read ``manifest.yml`` of a folder; problems are reported in the result, never raised."""
    path = folder / "manifest.yml"
    if not path.is_file():
        return Manifest(place, problem="there is no manifest")
    try:
        content: Any = from_yaml(path.read_bytes())
    except (yaml.YAMLError, OSError, UnicodeDecodeError, ValueError) as error:
        first = str(error).splitlines()[0]
        return Manifest(place, problem=f"the manifest is not readable as YAML ({first})")
    if not isinstance(content, dict):
        return Manifest(place, problem="the manifest is not a list of keys and values")
    received = _date(content.get("received"))
    problem = "" if received else "the manifest gives no valid day of receipt"
    return Manifest(
        place,
        received,
        str(content.get("form_version", "")),
        _files(content.get("files")),
        problem,
    )


def _date(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _files(value: Any) -> dict[str, tuple[str, int | None]]:
    if not isinstance(value, dict):
        return {}
    files = {}
    for name, entry in value.items():
        details = entry if isinstance(entry, dict) else {}
        rows = details.get("rows")
        files[str(name)] = (
            str(details.get("sha256", "")).lower(),
            rows if isinstance(rows, int) and not isinstance(rows, bool) else None,
        )
    return files
