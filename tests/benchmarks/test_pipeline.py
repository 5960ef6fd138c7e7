"""The baseline of `make bench-pipeline`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.pipeline import LIMITS, House, Naive

from povmon.pipeline.facts import facts
from povmon.pipeline.files import Hashes
from povmon.pipeline.tasks import survey_tasks


def test_every_notebook_has_a_rule_after_those_it_reads(tmp_path: Path) -> None:
    tasks = survey_tasks(facts("demo", Hashes()))
    naive = Naive(House(tmp_path, "demo"), tasks)
    lines = naive.makefile().splitlines()
    pages = {i: str(naive.page(i)) for i, t in tasks.items() if t.notebook}
    assert lines[0].split()[1:] == list(pages.values())
    rules = dict(line.split(": ", 1) for line in lines[1:] if not line.startswith("\t"))
    assert rules.keys() == set(pages.values())
    assert rules[pages["wumeng/audit"]] == ""
    assert pages["wumeng/audit"] in rules[pages["wumeng/indicators"]]
    plan = rules[pages["wumeng/plan"]].split()
    assert {pages["wumeng/indicators"], pages["dabie/audit"]} <= set(plan), "the pool's too"
    text = "\n".join(lines)
    assert text.count("-m papermill") == text.count("-m nbconvert --to html") == len(pages)
    assert "-p survey demo -p area wumeng" in text


def test_a_limit_is_judged_by_the_median() -> None:
    line, kept = LIMITS["still"].line([0.1, 0.2, 9.0])
    assert kept and "0.20 s" in line and "at most 0.3 (0.10 to 9.00)" in line
    line, kept = LIMITS["still"].line([0.1, 0.4, 0.5])
    assert not kept and "MISSED" in line
