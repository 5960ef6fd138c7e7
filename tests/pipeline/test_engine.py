"""What runs, what does not, and what a failure leaves behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.inline import House
from povmon.pipeline.files import Hashes
from povmon.pipeline.outputs import Safeguard
from povmon.pipeline.runs import prune
from povmon.pipeline.state import Ledger

ALL = ["east/audit", "east/indicators", "nation/pool", "west/audit", "west/indicators"]


def test_everything_is_made_once_in_an_order_that_respects_use(house: House) -> None:
    outcome = house.run()
    assert sorted(outcome.made) == ALL
    order = outcome.made.index
    assert order("east/audit") < order("east/indicators")
    assert max(order("east/audit"), order("west/audit")) < order("nation/pool")


def test_a_second_run_does_nothing(house: House) -> None:
    house.run()
    outcome = house.run()
    assert not outcome.made and sorted(outcome.unchanged) == ALL
    assert house.started == []


def test_touching_a_file_changes_nothing(house: House, root: Path) -> None:
    house.run()
    os.utime(root / "east.csv", (1, 1))
    assert house.run().made == []


def test_one_changed_area_is_made_again_and_what_hangs_on_it(house: House, root: Path) -> None:
    house.run()
    (root / "east.csv").write_text("east three", encoding="utf-8")
    assert house.run().made == ["east/audit", "east/indicators", "nation/pool"]


def test_the_same_bytes_stop_the_spread(house: House, root: Path) -> None:
    house.run()
    (root / "east.csv").write_text("TWO ONE EAST", encoding="utf-8")  # the step sees the same
    assert house.run().made == ["east/audit"]


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_damaged_output_is_made_again(house: House, damage: str) -> None:
    house.run()
    path = house.output("east/indicators")
    good = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(good[:-3] if damage == "truncated" else good[::-1])
    assert house.run().made == ["east/indicators"]
    assert path.read_bytes() == good


def test_a_failure_leaves_other_areas_alone_and_earlier_outputs_in_place(
    house: House, root: Path
) -> None:
    house.run()
    before = house.output("east/audit").read_bytes()
    good = house.actions["east/audit"]

    def half_done() -> None:
        house.output("east/audit").write_text("half", encoding="utf-8")
        raise RuntimeError("audit.ipynb, In [3]: no")

    house.actions["east/audit"] = half_done
    (root / "east.csv").write_text("east four", encoding="utf-8")
    (root / "west.csv").write_text("west four", encoding="utf-8")
    outcome = house.run()
    assert outcome.failed == {"east/audit": "audit.ipynb, In [3]: no"}
    assert outcome.skipped.keys() == {"east/indicators", "nation/pool"}
    assert outcome.made == ["west/audit", "west/indicators"]
    assert house.output("east/audit").read_bytes() == before

    house.actions["east/audit"] = good
    outcome = house.run()
    assert outcome.made == ["east/audit", "east/indicators", "nation/pool"]


def test_the_first_failure_stops_all_when_asked(house: House) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    house.actions["east/audit"] = fail
    outcome = house.run(keep_going=False)
    assert not outcome.made
    assert len(outcome.skipped) == 4


def test_a_step_that_writes_nothing_has_failed(house: House, root: Path) -> None:
    house.actions["east/audit"] = lambda: None
    assert "was not written" in house.run().failed["east/audit"]


def test_a_step_that_leaves_its_old_output_has_failed(house: House, root: Path) -> None:
    house.run()
    house.actions["east/audit"] = lambda: None
    (root / "east.csv").write_text("east five", encoding="utf-8")
    assert "did not write" in house.run().failed["east/audit"]


def test_a_missing_input_is_named_and_the_rest_goes_on(house: House, root: Path) -> None:
    (root / "east.csv").unlink()
    outcome = house.run()
    assert "east.csv" in outcome.failed["east/audit"]
    assert "west/indicators" in outcome.made


def test_after_a_kill_the_earlier_outputs_come_back(house: House, root: Path) -> None:
    house.run()
    path = house.output("east/audit")
    before = path.read_bytes()
    # The driver died while the step was writing.
    Safeguard(Ledger("small", Hashes()), "east/audit").keep(house.tasks["east/audit"])
    path.write_text("half", encoding="utf-8")
    assert house.run().made == []
    assert path.read_bytes() == before


def test_a_kill_before_the_first_output_leaves_no_half_file(house: House) -> None:
    path = house.output("east/audit")
    Safeguard(Ledger("small", Hashes()), "east/audit").keep(house.tasks["east/audit"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half", encoding="utf-8")
    outcome = house.run()
    assert "east/audit" in outcome.made
    assert path.read_text("utf-8") == "east one two"


def test_a_soft_task_runs_in_spite_of_failures(house: House) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    house.add("index", uses=("east/audit", "west/audit"), soft=True)
    index = house.tasks["index"]
    house.actions["index"] = lambda: house.output("index").write_text("made") and None
    house.actions["east/audit"] = fail
    outcome = house.run()
    assert "index" in outcome.made
    assert "failure of east/audit" in Ledger("small", Hashes()).record(index.id).parts  # type: ignore[union-attr]


def test_outputs_of_a_task_that_is_gone_are_removed(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.run()
    gone = house.output("west/indicators")
    del house.tasks["west/indicators"]
    prune(Ledger("small", Hashes()), house.tasks)
    assert not gone.exists()
    assert "west/indicators is no longer part" in capsys.readouterr().out
    assert house.run().made == []


def test_a_folder_that_cannot_be_made_is_an_error_of_its_task(house: House, root: Path) -> None:
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "processed").write_text("a file where a folder should be")
    outcome = house.run()
    assert not outcome.made and set(outcome.failed) == {"east/audit", "west/audit"}
    for text in outcome.failed.values():
        assert "data/processed" in text and "cannot be written" in text
