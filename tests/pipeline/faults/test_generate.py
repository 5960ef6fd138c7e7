"""Half-written submissions never count as sent: a killed generation is done again."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from conftest import copy_survey
from pipeline.faults.harness import Mini, Point

COMMAND = [sys.executable, "-m", "povmon.pipeline", "generate", "--survey", "demo"]
SENT, TRUTH = "root/data/raw/demo/submissions", "root/data/processed/demo/truth"


def everything(root: Path) -> dict[str, str]:
    """Hash of each file of the root, by name; the pipeline's own state left out."""
    return {
        p.relative_to(root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(root.rglob("*"))
        if p.is_file() and ".state" not in p.parts
    }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc")
def test_a_generation_that_was_killed_is_done_again(folder: Path) -> None:
    whole = Mini(folder / "whole", COMMAND)
    copy_survey("demo", whole.root)
    assert whole.run().code == 0
    wanted = everything(whole.root)
    mini = Mini(folder / "mini", COMMAND)
    copy_survey("demo", mini.root)
    for point in (
        Point("driver", "os.rename", f"{SENT}/wumeng/*", "kill"),
        Point("driver", "open", f"{SENT}/.partial/*/manifest.yml", "torn"),
        Point("driver", "os.rename", TRUTH, "kill"),
        Point("driver", "os.remove", "root/data/raw/demo/.generating", "kill"),
    ):
        ended = mini.run(point)
        assert mini.mark.exists() and ended.code < 0, (point, ended)
        mini.mark.unlink()
        assert (mini.root / "data/raw/demo/.generating").exists()
    ended = mini.run()
    assert ended.code == 0, ended.output
    assert everything(mini.root) == wanted
