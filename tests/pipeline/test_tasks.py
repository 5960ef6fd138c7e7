"""The tasks of a survey."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.inline import FACTS
from povmon import paths
from povmon.audit.run import REPORTS
from povmon.errors import PovmonError
from povmon.pipeline import tasks as t
from povmon.pipeline.facts import Facts, facts
from povmon.pipeline.files import Hashes, write_atomically

FULL = replace(
    FACTS,
    products=("audit", "indicators", "plan", "summary", "rollup", "atlas", "brief"),
    units={"moe": ("Ministry", "部", ["east"])},
)


@pytest.fixture
def submitted(root: Path) -> Path:
    write_atomically(paths.submissions("small") / "east" / "52" / "household.csv", "x")
    return root


def test_the_full_set(submitted: Path) -> None:
    made = t.survey_tasks(FULL)
    assert list(made) == [
        "boundaries",
        "east/audit",
        "west/audit",
        "east/returns",
        "west/returns",
        "east/indicators",
        "west/indicators",
        "nation/pool",
        "nation/benchmarks",
        "east/plan",
        "west/plan",
        "nation/summary",
        "nation/rollup",
        "nation/atlas",
        "liaison/moe",
        "index",
    ]


def test_each_task_comes_after_those_it_uses(submitted: Path) -> None:
    made = t.survey_tasks(FULL)
    for position, task in enumerate(made.values()):
        assert set(task.uses) <= set(list(made)[:position])


def test_products_decide(submitted: Path) -> None:
    made = t.survey_tasks(replace(FACTS, products=("audit", "indicators", "summary")))
    assert {x.step for x in made.values()} == {
        "audit", "returns", "indicators", "pool", "summary", "index",
    }  # fmt: skip
    assert set(t.survey_tasks(replace(FACTS, products=("audit",)))) == {
        "east/audit",
        "west/audit",
        "east/returns",
        "west/returns",
        "index",
    }


def test_no_two_tasks_write_the_same_file(submitted: Path) -> None:
    outputs = [p for task in t.survey_tasks(FULL).values() for p in task.outputs]
    assert len(outputs) == len(set(outputs))


def test_the_tables_of_the_audit_are_those_it_writes() -> None:
    assert sorted(t.AUDIT_TABLES) == sorted(REPORTS.values())


def test_a_generated_survey_without_submissions_is_generated_first(root: Path) -> None:
    (paths.raw("small")).mkdir(parents=True)
    made = t.survey_tasks(FULL)
    assert next(iter(made)) == "generate"
    assert "generate" in made["east/audit"].uses


def test_half_written_submissions_are_generated_again(submitted: Path) -> None:
    assert not t.needs_generation(FULL)
    t.generation_marker("small").touch()
    assert t.needs_generation(FULL)


def test_a_real_survey_without_submissions_says_what_to_do(root: Path) -> None:
    with pytest.raises(PovmonError) as caught:
        t.survey_tasks(replace(FACTS, synthetic=False))
    assert "data/raw/small/submissions" in str(caught.value)
    assert "put the delivered files there" in str(caught.value)


def test_a_misspelt_area_lists_the_valid_ones(submitted: Path) -> None:
    with pytest.raises(PovmonError, match=r"did you mean 'east'\? valid: east, west"):
        t.of_area(t.survey_tasks(FULL), FULL, "eats")


def test_one_area_alone_where_the_others_were_never_made(submitted: Path) -> None:
    chosen, sentence = t.of_area(t.survey_tasks(FULL), FULL, "east")
    assert list(chosen) == ["east/audit", "east/returns", "east/indicators"]
    assert "west" in sentence


def test_one_area_with_all_that_hangs_on_it(submitted: Path) -> None:
    made = t.survey_tasks(FULL)
    for task in made.values():
        if task.area == "west":
            for path in task.outputs:
                write_atomically(path, "x")
    chosen, sentence = t.of_area(made, FULL, "east")
    assert not sentence
    assert set(chosen) == set(made) - {
        "west/audit", "west/returns", "west/indicators", "west/plan",
    }  # fmt: skip


def test_facts_are_remembered_and_renewed(
    demo_facts: Facts, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from povmon.pipeline import facts as module

    monkeypatch.setattr(module, "_read", lambda name: pytest.fail("read again"))
    assert facts("demo", Hashes()) == demo_facts
    path = paths.raw("demo") / "survey.yml"
    path.write_text(path.read_text("utf-8").replace("year: 2010", "year: 2011"), "utf-8")
    with pytest.raises(pytest.fail.Exception, match="read again"):
        facts("demo", Hashes())


@pytest.fixture
def demo_facts(root: Path) -> Facts:
    from conftest import copy_survey

    copy_survey("demo", root)
    found = facts("demo", Hashes())
    assert list(found.areas) == ["wumeng", "dabie"]
    assert found.units and all(set(u[2]) <= set(found.areas) for u in found.units.values())
    return found
