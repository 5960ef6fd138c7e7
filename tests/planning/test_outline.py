"""The outline: complete, coherent, and honest about what it is based on."""

from __future__ import annotations

import pytest
import yaml

from povmon import paths
from povmon.errors import PovmonError
from povmon.indicators.catalogue import CATALOGUE
from povmon.planning._read import read_model
from povmon.planning.outline import Outline, load_outline, outline_frame, tasks_frame
from povmon.planning.review import CHECKS
from povmon.planning.targets import load_targets


def test_outline_has_the_headings_of_the_account_and_the_wuling_chapters():
    outline = load_outline()
    assert [e.id for e in outline.elements] == [
        "scope", "deadline", "frame", "objectives", "key_tasks", "scheduling", "procedures",
        "work_requirements",
    ]  # fmt: skip
    assert all(e.basis == "account" for e in outline.elements)
    assert len(outline.chapters) == 10 and all(c.basis == "wuling" for c in outline.chapters)


def test_every_check_indicator_and_target_exists():
    outline = load_outline()
    assert {r.check for e in outline.elements for r in e.requirements} == set(CHECKS)
    assert {i for c in outline.chapters for i in c.indicators} <= set(CATALOGUE)
    known = {t.id for t in load_targets().targets}
    assert {t for task in outline.key_tasks for t in task.targets} == known


def test_every_deprivation_has_a_task():
    outline = load_outline()
    for name in ("food", "clothing", "education", "medical", "housing", "water", "power", "road"):
        assert outline.tasks_for(name)


def test_frames():
    outline = load_outline()
    frame = outline_frame(outline)
    assert frame["requirement"].is_unique and frame.notna().all().all()
    assert list(tasks_frame(outline, "infrastructure")["task"]) == [
        "hardened_roads",
        "power_supply",
    ]


def test_unknown_chapter_lists_the_valid_ones():
    with pytest.raises(PovmonError, match="did you mean 'ecology'"):
        load_outline().chapter("ecologie")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key_tasks": [{"id": "a", "en": "a", "zh": "a", "chapter": "none", "answers": [],
                         "targets": [], "basis": "own"}]}, "unknown chapter none"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_faulty_outline_is_named(tmp_path, change, message):
    content = yaml.safe_load((paths.planning() / "outline.yml").read_text(encoding="utf-8"))
    path = tmp_path / "outline.yml"
    path.write_text(yaml.safe_dump(content | change, allow_unicode=True), encoding="utf-8")
    with pytest.raises(PovmonError, match=message):
        read_model(path, Outline)


def test_broken_yaml_is_one_paragraph(tmp_path):
    path = tmp_path / "outline.yml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(PovmonError, match="not readable as YAML"):
        read_model(path, Outline)
