"""Reference files are read only when they are what their sidecar says."""

import hashlib
import shutil
import time
from pathlib import Path

import pytest

from povmon import paths
from povmon.errors import PovmonError
from povmon.reference import load

NAMES = sorted(p.name.removesuffix(".csv") for p in paths.reference().glob("*.csv"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("areas.csv", "areas.meta.yml"):
        shutil.copy(paths.reference() / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_each_file_has_a_complete_sidecar(name: str) -> None:
    sidecar = load.metadata(name)
    path = paths.reference() / f"{name}.csv"
    assert sidecar["file"] == path.name
    assert sidecar["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    frame = load.table(name)
    assert len(frame) == sidecar["rows"]
    assert not frame.duplicated(sidecar["key"]).any()
    for column, words in sidecar["columns"].items():
        assert set(words) == {"type", "unit", "description"}, column


def test_changed_file_is_refused(folder: Path) -> None:
    with (folder / "areas.csv").open("a", encoding="utf-8") as handle:
        handle.write("x,x,x,1,0\n")
    with pytest.raises(PovmonError, match="checksum.*sidecar"):
        load.table("areas", folder)


def test_missing_file_and_sidecar_are_named(folder: Path) -> None:
    (folder / "areas.csv").unlink()
    with pytest.raises(PovmonError, match="areas.csv.*missing"):
        load.table("areas", folder)
    (folder / "areas.meta.yml").unlink()
    with pytest.raises(PovmonError, match="no sidecar"):
        load.table("areas", folder)


def test_broken_sidecar_is_named(folder: Path) -> None:
    (folder / "areas.meta.yml").write_text("title: [", encoding="utf-8")
    with pytest.raises(PovmonError, match="areas.meta.yml"):
        load.table("areas", folder)
    (folder / "areas.meta.yml").write_text("title: x", encoding="utf-8")
    with pytest.raises(PovmonError, match="lacks .*licence"):
        load.table("areas", folder)


def test_other_columns_are_refused(folder: Path) -> None:
    sidecar = folder / "areas.meta.yml"
    text = sidecar.read_text(encoding="utf-8").replace("  name_en: {", "  name_fr: {")
    sidecar.write_text(text, encoding="utf-8")
    with pytest.raises(PovmonError, match="columns"):
        load.table("areas", folder)


def test_text_in_a_number_names_file_row_and_column() -> None:
    frame = load.table("areas")
    frame.loc[3, "official_counties"] = "many"
    with pytest.raises(PovmonError, match=r"areas.csv, row 5, column official_counties: 'many'"):
        load.numeric(frame, "official_counties", "areas")


def test_returned_tables_are_copies() -> None:
    frame = load.table("areas")
    frame.loc[0, "area_id"] = "x"
    assert load.table("areas").loc[0, "area_id"] == "liupan"


def test_loading_is_fast() -> None:
    started = time.perf_counter()
    for name in NAMES:
        load._read(name, paths.reference())
    assert time.perf_counter() - started < 1.0
