"""What plans compare with: published digits of the pool, and no more of it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from povmon import paths
from povmon.pipeline.steps import benchmarks


def pooled(share: float) -> pd.DataFrame:
    rows = [
        ("all", "all", "headcount", "share", share, share - 0.01, share + 0.01),
        ("all", "all", "income_mean", "yuan", 2920.2462, 2800.4, 3010.6),
        ("all", "all", "poor_total", "persons", 56346110.0, 5e7, 6e7),
        ("all", "all", "gini", "index", float("nan"), float("nan"), float("nan")),
        ("area", "wumeng", "headcount", "share", 0.5, 0.4, 0.6),
    ]
    names = ["domain_kind", "domain", "indicator", "unit", "estimate", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=names).assign(se=0.1)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    folder = paths.processed("demo", "nation")
    folder.mkdir(parents=True)

    def make(share: float) -> Path:
        pooled(share).to_parquet(folder / "estimates.parquet")
        return benchmarks.run("demo")[0]

    return make


def test_figures_have_the_digits_of_the_pages_and_totals_are_left_out(made) -> None:
    found = pd.read_parquet(made(0.38249)).set_index("indicator")
    assert list(found.index) == ["headcount", "income_mean", "gini"]
    assert found.loc["headcount", ["estimate", "ci_low", "ci_high"]].tolist() == pytest.approx([
        0.382, 0.372, 0.392,
    ])  # fmt: skip
    assert found.at["income_mean", "estimate"] == 2920
    assert pd.isna(found.at["gini", "estimate"])


def test_bytes_change_with_a_published_figure_only(made) -> None:
    before = made(0.38249).read_bytes()
    assert made(0.38241).read_bytes() == before
    assert made(0.38251).read_bytes() != before
