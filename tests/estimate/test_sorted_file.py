"""Sorted files give the numbers of the frame they were written from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import (
    Design,
    estimate,
    fgt,
    gini,
    lorenz,
    mean,
    quantile,
    read_sorted,
    watts,
    write_sorted,
)

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
MEASURES = [
    fgt("income_pc", 2300, 0),
    fgt("income_pc", 2300, 2),
    gini("income_pc"),
    quantile("income_pc", 0.5),
    lorenz("income_pc", 0.4),
    watts("income_pc", 2300),
    mean("consumption_pc"),
]
DESIGNS = [
    Design("county", "village", "w_person"),
    Design("county", "village", "w_person", fpc=("stage1_fpc", None), lonely="average"),
]


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    return pd.read_csv(ORACLES / "survey.csv")


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("by", [None, "area", ["area", "minority"]])
def test_same_numbers(
    design: Design, by: str | list[str] | None, survey: pd.DataFrame, tmp_path: Path
) -> None:
    write_sorted(survey, design, by, ["income_pc", "consumption_pc"], tmp_path)
    got = read_sorted(tmp_path).estimate(MEASURES)
    pd.testing.assert_frame_equal(got, estimate(survey, design, MEASURES, by), rtol=1e-11)


def test_missing_values_and_rows_of_no_domain(survey: pd.DataFrame, tmp_path: Path) -> None:
    frame = survey.assign(area=survey["area"].where(survey["area"] != 3), income_pc=np.where(
        survey.index % 7 == 0, np.nan, survey["income_pc"]))  # fmt: skip
    write_sorted(frame, DESIGNS[0], "area", ["income_pc", "consumption_pc"], tmp_path)
    got = read_sorted(tmp_path).estimate(MEASURES)
    pd.testing.assert_frame_equal(got, estimate(frame, DESIGNS[0], MEASURES, "area"), rtol=1e-11)


def test_what_cannot_be_kept_is_refused(survey: pd.DataFrame, tmp_path: Path) -> None:
    two = Design("county", "village", "w_person", fpc=("stage1_fpc", "stage2_fpc"))
    with pytest.raises(PovmonError, match="two stages"):
        write_sorted(survey, two, None, ["income_pc"], tmp_path)
    with pytest.raises(PovmonError, match=r"no rows.parquet; write it"):
        read_sorted(tmp_path)
