"""The same call on a Dask cluster: a real scheduler and two workers, on loopback."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loopback import Cluster, two_workers
from povmon.errors import PovmonError
from povmon.estimate import Design, estimate, fgt, gini, mean, quantile, relative_line
from povmon.estimate.scale import partitioned

pytest.importorskip("distributed", reason="the package distributed is not installed")
pytestmark = pytest.mark.slow

DESIGN = Design("county", "village", "w")
MEASURES = [
    mean("income"),
    fgt("income", 2300, 1),
    gini("income"),
    quantile("income", 0.5),
    fgt("income", relative_line("income", 0.6), 0),
]
PARTS = 24


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with two_workers(tmp_path) as made:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", made.address())
        yield made


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("register")
    rng = np.random.default_rng(8)
    for part in range(PARTS):
        n = 20_000
        village = rng.integers(0, 900, n)
        income = np.round(rng.lognormal(7.8, 0.6, n))
        frame = {"county": village // 9, "village": village, "w": rng.uniform(1, 9, n)}
        pd.DataFrame({**frame, "income": income}).to_parquet(folder / f"{part:02}.parquet")
    return folder


@pytest.fixture(scope="module")
def alone(register: Path) -> pd.DataFrame:
    """What this process by itself estimates."""
    assert "DASK_SCHEDULER_ADDRESS" not in os.environ
    return estimate(register, DESIGN, MEASURES, "county")


def same(got: pd.DataFrame, want: pd.DataFrame) -> None:
    """To the last bit: chunks and their order do not depend on who makes them."""
    pd.testing.assert_frame_equal(got, want, check_exact=True)


def test_the_same_numbers(cluster: Cluster, register: Path, alone: pd.DataFrame) -> None:
    same(estimate(register, DESIGN, MEASURES, "county"), alone)


@pytest.mark.parametrize("when", ["values", "cells"])
def test_the_death_of_a_worker(
    when: str,
    cluster: Cluster,
    register: Path,
    alone: pd.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Either pass goes on without a worker that is killed with chunks in hand."""
    killed: list[int] = []
    plain = partitioned.followed

    def killing(results: Iterator[object], title: str, total: int) -> Iterator[object]:
        for number, result in enumerate(plain(results, title, total)):
            if number == 3 and (title == "Values that occur") == (when == "values"):
                os.kill(cluster.processes[1].pid, signal.SIGKILL)
                killed.append(number)
            yield result

    monkeypatch.setattr(partitioned, "followed", killing)
    same(estimate(register, DESIGN, MEASURES, "county"), alone)
    assert killed == [3]
    assert cluster.processes[1].wait(timeout=30) == -signal.SIGKILL


def test_all_workers_lost_and_one_that_comes_later(
    cluster: Cluster, register: Path, alone: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was shared with the workers is sent again to the one that replaces them."""
    plain = partitioned.followed

    def killing(results: Iterator[object], title: str, total: int) -> Iterator[object]:
        for number, result in enumerate(plain(results, title, total)):
            if number == 3 and title == "Sums by cell":
                for process in cluster.processes[1:]:
                    os.kill(process.pid, signal.SIGKILL)
                cluster.worker()
            yield result

    monkeypatch.setattr(partitioned, "followed", killing)
    same(estimate(register, DESIGN, MEASURES, "county"), alone)


def test_an_error_in_the_data_is_told_as_it_is(cluster: Cluster, tmp_path: Path) -> None:
    rows = pd.DataFrame({"county": 1, "village": [1, 2], "w": [1.0, -1.0], "income": 5.0})
    rows.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(PovmonError, match=r"bad\.parquet, rows from 0, .*negative in 1 rows"):
        estimate(tmp_path / "bad.parquet", DESIGN, mean("income"))
