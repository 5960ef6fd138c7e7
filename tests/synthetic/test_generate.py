from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import yaml

from povmon import paths
from povmon.errors import PovmonError
from povmon.survey import FORMS, load_survey
from povmon.synthetic import generate

Truth = Callable[[str], pd.DataFrame]


def contents(root: Path) -> dict[str, str]:
    """Relative path -> digest of every file below the data folder."""
    return {
        str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted((root / "data").rglob("*"))
        if p.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(built: Path, empty: Path) -> None:
    summary = generate("demo")
    assert contents(empty) == contents(built)
    assert len(summary.written) == 6
    assert "6 province folders" in str(summary)


def test_another_seed_gives_other_records(built: Path, empty: Path) -> None:
    path = paths.raw("demo") / "survey.yml"
    path.write_text(path.read_text().replace("seed: 20101202", "seed: 1"))
    generate("demo")
    name = "data/raw/demo/submissions/dabie/34/household.csv"
    assert contents(empty)[name] != contents(built)[name]


def test_only_what_is_absent_is_written(empty: Path, built: Path) -> None:
    generate("demo")
    edited = paths.submissions("demo") / "dabie" / "34" / "household.csv"
    edited.write_text("edited")
    gone = paths.submissions("demo") / "wumeng" / "52"
    for file in gone.iterdir():
        file.unlink()
    gone.rmdir()
    summary = generate("demo")
    assert summary.written == [("wumeng", "52")]
    assert edited.read_text() == "edited"
    assert generate("demo").written == []
    assert "nothing was written" in str(generate("demo"))
    assert len(generate("demo", force=True).written) == 6
    assert contents(empty) == contents(built)


def test_manifest_tells_rows_and_digests(demo: Path) -> None:
    manifests = sorted(paths.submissions("demo").glob("*/*/manifest.yml"))
    assert len(manifests) == 6
    for path in manifests:
        manifest = yaml.safe_load(path.read_text())
        assert set(manifest) == {"form_version", "received", "files"}
        for name, entry in manifest["files"].items():
            content = (path.parent / name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            assert content.count(b"\n") - 1 == entry["rows"]


def test_some_files_are_gb18030_and_some_are_late(demo: Path, truth: Truth) -> None:
    texts = [p.read_bytes() for p in paths.submissions("demo").glob("*/*/household.csv")]
    readable = []
    for content in texts:
        try:
            content.decode("utf-8")
            readable.append("utf-8")
        except UnicodeDecodeError:
            content.decode("gb18030")
            readable.append("gb18030")
    assert set(readable) == {"utf-8", "gb18030"}
    deadline = load_survey("demo").deadline
    days = {
        "/".join(p.parts[-3:-1]): yaml.safe_load(p.read_text())["received"]
        for p in paths.submissions("demo").glob("*/*/manifest.yml")
    }
    late = {place for place, day in days.items() if day > deadline}
    planted = truth("planted")
    assert late == set(planted.loc[planted["kind"] == "late_province", "key"])
    assert len(late) == 1


def test_headers_are_the_forms(demo: Path) -> None:
    for name, form in FORMS.items():
        path = paths.submissions("demo") / "dabie" / "34" / f"{name}.csv"
        assert path.read_bytes().split(b"\n")[0].decode() == ",".join(form.columns)


def test_a_survey_that_is_not_synthetic_is_refused(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = paths.raw("demo") / "survey.yml"
    text = path.read_text()
    path.write_text(text.replace("synthetic: true", "synthetic: false"))
    with pytest.raises(PovmonError, match="not synthetic"):
        generate("demo")
    path.write_text(text.replace("seed: 20101202", ""))
    with pytest.raises(PovmonError, match="key seed"):
        generate("demo")
    assert not paths.submissions("demo").exists()


def test_an_unknown_county_is_named(empty: Path) -> None:
    path = paths.raw("demo") / "survey.yml"
    path.write_text(path.read_text().replace('"513431"', '"999999"'))
    with pytest.raises(PovmonError, match=r"key only_counties.*999999"):
        generate("demo")


def test_a_survey_of_one_county(empty: Path) -> None:
    path = paths.raw("demo") / "survey.yml"
    text = path.read_text()
    start = text.index("only_counties")
    line = text[start : text.index("\n", start)]
    path.write_text(text.replace(line, 'only_counties: ["540121"]'))
    summary = generate("demo")
    assert summary.written == [("tibet", "54")]
    truth = pd.read_parquet(paths.processed("demo") / "truth" / "household.parquet")
    income = truth["income_total"] / truth["hhsize"].astype(float)
    assert len(truth) == 80
    assert 0.4 < (income < 2300).mean() < 0.7


def test_a_folder_that_cannot_be_written_is_named(empty: Path) -> None:
    paths.submissions("demo").write_text("a file stands where the folder should be")
    with pytest.raises(PovmonError, match="submissions"):
        generate("demo")
