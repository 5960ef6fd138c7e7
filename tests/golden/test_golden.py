"""The built demo survey and the real survey give the numbers they gave before.

A change that is meant to move them is followed by `tools/golden.py`, and its commit says why.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))

import golden  # noqa: E402

KEY = ["area", "domain_kind", "domain", "indicator"]
TEXT = {"domain": str, "flag": str}


@pytest.fixture(scope="module", params=["demo", "vlss1998"])
def survey(request: pytest.FixtureRequest, demo_root: Path, vlss_made: None) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def root(demo_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POVMON_ROOT", str(demo_root))


@pytest.fixture(scope="module")
def vlss_made(demo_root: Path) -> None:
    """Audit and estimate the real survey in the demo's root, without its pages."""
    from povmon.audit import audit_area
    from povmon.indicators import estimate_area, pool

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(demo_root))
        for area in ("rural", "urban"):
            audit_area("vlss1998", area)
            estimate_area("vlss1998", area)
        pool("vlss1998")


def test_estimates(survey: str) -> None:
    want = pd.read_csv(
        HERE / f"{survey}_estimates.csv",
        dtype=TEXT,
        keep_default_na=False,
        na_values={c: [""] for c in ("estimate", "se", "ci_low", "ci_high")},
    )
    got = golden.golden(survey).reset_index(drop=True)
    pd.testing.assert_frame_equal(
        got.set_index(KEY), want.set_index(KEY), rtol=1e-9, atol=1e-12, check_dtype=False
    )


def test_the_example_of_the_readme(survey: str) -> None:
    readme = (HERE.parents[1] / "README.md").read_text(encoding="utf-8")
    lines = readme.partition("```python\n")[2].partition("```")[0]
    found: dict[str, object] = {}
    before, call = lines.split("\nestimate(", 1)
    exec(f"{before}\ntable = estimate({call}", found)
    assert isinstance(found["table"], pd.DataFrame)
    assert found["table"]["estimate"].between(0, 1).all()


def test_accounting(survey: str) -> None:
    want = pd.read_csv(HERE / f"{survey}_accounting.csv")
    pd.testing.assert_frame_equal(golden.accounting(survey), want, check_dtype=False)


def test_the_published_description_of_the_real_sample(demo_root: Path, vlss_made: None) -> None:
    table = golden.golden("vlss1998").set_index(KEY)["estimate"]
    assert round(table["nation", "all", "all", "headcount"], 3) == 0.316
    assert round(table["rural", "area", "rural", "headcount"], 3) == 0.408
