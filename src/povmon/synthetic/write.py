"""Writing submissions and the planted truth, each folder whole or not at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from povmon import paths
from povmon.survey import FORMS, Survey
from povmon.synthetic.assumptions import load
from povmon.synthetic.build import Clean
from povmon.synthetic.errors_of_households import ABOUT
from povmon.synthetic.streams import Streams

FORM_VERSION = "1"
Place = tuple[str, str]


def csv_bytes(frame: pd.DataFrame, name: str, encoding: str) -> bytes:
    """A form as CSV: comma, header, line feeds; the texts hold neither comma nor quote."""
    columns = FORMS[name].columns
    arrays = [pa.array(frame[c].to_numpy(dtype=object), type=pa.string()) for c in columns]
    lines = pc.binary_join_element_wise(*arrays, ",").to_pylist()
    return "\n".join([",".join(columns), *lines, ""]).encode(encoding)


def encodings(forms: dict[str, pd.DataFrame], streams: Streams) -> dict[Place, str]:
    """Encoding of each province's files: some that hold Chinese text come in GB18030."""
    places = delivered(forms)
    wages = forms["household"]["income_wages"].to_numpy(dtype=object)
    chinese = np.array([v.startswith(ABOUT) for v in wages])
    files = forms["household"]["file"].to_numpy(dtype=object)[chinese]
    with_text = {(area, province) for area, province, _ in (f.split("/") for f in files)}
    draw = streams.uniform("delivery.encoding", len(places))
    out = {
        place: "gb18030" if place in with_text and u < 0.5 else "utf-8"
        for place, u in zip(places, draw, strict=True)
    }
    if with_text and "gb18030" not in out.values():
        out[min(p for p in places if p in with_text)] = "gb18030"
    return out


def delivered(forms: dict[str, pd.DataFrame]) -> list[Place]:
    """The (area, province) pairs that send something, in order."""
    files = forms["county"]["file"].unique()
    return sorted((area, province) for area, province, _ in (f.split("/") for f in files))


def received(
    places: list[Place], deadline: dt.date | None, streams: Streams
) -> dict[Place, dt.date]:
    """Date of receipt of each province's files: most before the deadline, a few after."""
    last = deadline or dt.date(load()["reference_year"] + 1, 3, 31)
    rng = streams("delivery.received")
    early = rng.integers(1, 28, len(places))
    late = rng.integers(2, 25, len(places))
    entry = load()["errors"]
    number = max(entry["late_at_least"], round(entry["late_provinces"] * len(places)))
    after = set(rng.permutation(len(places))[:number].tolist())
    return {
        place: last + dt.timedelta(days=int(late[k]) if k in after else -int(early[k]))
        for k, place in enumerate(places)
    }


def write_submissions(
    survey: Survey,
    forms: dict[str, pd.DataFrame],
    wanted: Iterable[Place],
    streams: Streams,
) -> dict[Place, dt.date]:
    """Write the files of the provinces in `wanted`; returns every province's date of receipt."""
    places = delivered(forms)
    code, dates = encodings(forms, streams), received(places, survey.deadline, streams)
    target = paths.submissions(survey.survey)
    partial = target / ".partial"
    shutil.rmtree(partial, ignore_errors=True)
    groups = {name: dict(list(frame.groupby("file"))) for name, frame in forms.items()}
    for place in sorted(wanted):
        folder = partial / "/".join(place)
        folder.mkdir(parents=True)
        files = {}
        for name in survey.forms:
            frame = groups[name].get(f"{'/'.join(place)}/{name}.csv")
            if frame is None:
                continue
            content = csv_bytes(frame, name, code[place])
            (folder / f"{name}.csv").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            files[f"{name}.csv"] = {"sha256": digest, "rows": len(frame)}
        manifest = {"form_version": FORM_VERSION, "received": dates[place], "files": files}
        text = yaml.safe_dump(manifest, sort_keys=False)
        (folder / "manifest.yml").write_text(text, encoding="utf-8")
        _replace(folder, target / "/".join(place))
    shutil.rmtree(partial, ignore_errors=True)
    return dates


def _replace(new: Path, target: Path) -> None:
    """Put a finished folder in the place of an earlier one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    new.rename(target)


def write_truth(survey: Survey, clean: Clean, planted: pd.DataFrame) -> Path:
    """Write the forms without errors and the list of planted errors."""
    target = paths.processed(survey.survey) / "truth"
    partial = target.with_name("truth.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, frame in clean.forms.items():
        frame.to_parquet(partial / f"{name}.parquet", index=False)
    planted.to_parquet(partial / "planted.parquet", index=False)
    _replace(partial, target)
    return target
