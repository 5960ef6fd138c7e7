"""A column that is not in the data is told with its near matches, wherever it is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    atkinson,
    bootstrap_t,
    calibrate,
    concentration_curve,
    concentration_index,
    dominance,
    draws,
    entropy_by_group,
    estimate,
    fgt,
    fgt_components,
    gei,
    generalised_lorenz_curve,
    gini,
    gini_by_group,
    gini_by_source,
    growth_incidence_curve,
    growth_redistribution,
    income_gap_ratio,
    joint,
    lorenz,
    lorenz_curve,
    mean,
    multidimensional,
    multidimensional_by_group,
    palma,
    poststratify,
    poverty_by_group,
    prepare,
    pro_poor_growth,
    proportion,
    quantile,
    quantile_share,
    rake,
    ratio,
    read_sorted,
    regression,
    relative_line,
    s80s20,
    sectoral_change,
    sen,
    sst,
    tip_curve,
    total,
    watts,
    write_sorted,
)
from povmon.estimate.measures.base import Measure

FEW = Bootstrap(3)
DESIGN = Design("county", "village", "weight")
FINITE = replace(DESIGN, ssu="house", fpc=("villages", "houses"))
INDEX = multidimensional({"school": "1/2", "watr": "1/2"}, "1/2")
BOTH = ("income", "price")
N = np.arange(24)
FRAME = pd.DataFrame(
    {
        "county": N // 12,
        "village": N // 3,
        "house": N,
        "villages": 100.0,
        "houses": 50.0,
        "weight": 2.0,
        "income": N + 1.0,
        "povline": 9.0,
        "price": 1.0,
        "school": N % 2 * 1.0,
        "water": N % 3 // 2 * 1.0,
        "sector": np.where(N % 2, "farm", "town"),
    }
)

MEASURES: list[tuple[str, Measure]] = [
    ("income", mean("incom")),
    ("income", total("incom")),
    ("income", ratio("incom", "price")),
    ("price", ratio("income", "pric")),
    ("school", proportion("schol")),
    ("income", fgt("incom", 9, 0)),
    ("povline", fgt("income", "povlin", 1)),
    ("income", watts("incom", 9)),
    ("povline", watts("income", "povlin")),
    ("income", sen("incom", 9)),
    ("povline", sen("income", "povlin")),
    ("income", sst("incom", 9)),
    ("povline", sst("income", "povlin")),
    ("povline", income_gap_ratio("income", "povlin")),
    ("income", fgt("income", relative_line("incom"), 0)),
    ("income", fgt("incom", relative_line("income"), 0)),
    ("sector", fgt("income", relative_line("income", within="sectr"), 0)),
    ("povline", fgt_components("income", "povlin")[0]),
    ("income", gini("incom")),
    ("income", gei("incom", 1)),
    ("income", atkinson("incom", 1)),
    ("income", quantile("incom", 0.5)),
    ("income", lorenz("incom", 0.5)),
    ("income", quantile_share("incom", (0.2, 0.4))),
    ("income", s80s20("incom")),
    ("income", palma("incom")),
    ("income", concentration_index("income", "incom")),
    ("water", INDEX.M0),
    ("water", INDEX.uncensored("watr")),
    ("income", regression("incom", ["school"]).coefficient("school")),
    ("school", regression("income", ["schol"]).coefficient("schol")),
]
DESIGNS: list[tuple[str, Design]] = [
    ("county", replace(DESIGN, strata="countty")),
    ("village", replace(DESIGN, psu="vilage")),
    ("weight", replace(DESIGN, weight="weigth")),
    ("house", replace(FINITE, ssu="huose")),
    ("villages", replace(FINITE, fpc=("vilages", "houses"))),
    ("houses", replace(FINITE, fpc=("villages", "housess"))),
    ("sector", replace(DESIGN, poststrata="sectr")),
    ("price", replace(DESIGN, poststrata="sector", size="pric")),
]
Call = Callable[[pd.DataFrame, Design], Any]
# What takes a design, with arguments that are all right.
WITH_DESIGN: dict[str, Call] = {
    "estimate": lambda f, d: estimate(f, d, mean("income")),
    "prepare": prepare,
    "joint": lambda f, d: joint({"a": f}, d, mean("income")),
    "draws": lambda f, d: draws(f, d, FEW),
    "bootstrap_t": lambda f, d: bootstrap_t(f, d, mean("income"), replicates=39),
    "lorenz_curve": lambda f, d: lorenz_curve(f, d, "income"),
    "growth": lambda f, d: growth_incidence_curve(f, d, BOTH, method=FEW),
    "groups": lambda f, d: gini_by_group(f, d, "income", "sector", method=FEW),
    "periods": lambda f, d: growth_redistribution(f, d, BOTH, 9, method=FEW),
    "sources": lambda f, d: gini_by_source(f, d, BOTH, method=FEW),
}
FARM, TOWN = {"sector": "farm"}, {"sector": "town"}
KNOWN = {"farm": 30.0, "town": 30.0}
F, D = FRAME, DESIGN
OTHER: list[tuple[str, Callable[[], Any]]] = [
    ("sector", lambda: estimate(F, D, mean("income"), "sectr")),
    ("sector", lambda: estimate(F, D, mean("income"), ["county", "sectr"])),
    ("sector", lambda: prepare(F, D, "sectr")),
    ("income", lambda: estimate(F, D, mean("incom"), method=FEW)),
    ("sector", lambda: joint(F, D, mean("income"), "sectr")),
    ("income", lambda: joint({"a": F, "b": F}, D, mean("incom"), method=FEW)),
    ("sector", lambda: bootstrap_t(F, D, mean("income"), "sectr", replicates=39)),
    ("income", lambda: bootstrap_t(F, D, mean("incom"), replicates=39)),
    ("income", lambda: lorenz_curve(F, D, "incom", method=FEW)),
    ("sector", lambda: lorenz_curve(F, D, "income", "sectr")),
    ("income", lambda: generalised_lorenz_curve(F, D, "incom")),
    ("income", lambda: concentration_curve(F, D, "price", "incom")),
    ("price", lambda: concentration_curve(F, D, "pric", "income")),
    ("income", lambda: tip_curve(F, D, "incom", 9)),
    ("povline", lambda: tip_curve(F, D, "income", "povlin")),
    ("income", lambda: growth_incidence_curve({"a": F, "b": F}, D, "incom", method=FEW)),
    ("sector", lambda: growth_incidence_curve(F, D, BOTH, "sectr", method=FEW)),
    ("price", lambda: growth_incidence_curve(F, D, BOTH, deflator=(1.0, "pric"), method=FEW)),
    ("povline", lambda: pro_poor_growth(F, D, BOTH, "povlin", method=FEW)),
    ("income", lambda: growth_redistribution(F, D, ("price", "incom"), 9, method=FEW)),
    ("povline", lambda: growth_redistribution(F, D, BOTH, "povlin", method=FEW)),
    ("sector", lambda: sectoral_change(F, D, BOTH, 9, "sectr", method=FEW)),
    ("income", lambda: sectoral_change(F, D, ("price", "incom"), 9, "sector", method=FEW)),
    ("price", lambda: gini_by_source(F, D, ["income", "pric"], method=FEW)),
    ("income", lambda: entropy_by_group(F, D, "incom", 1, "sector", method=FEW)),
    ("sector", lambda: entropy_by_group(F, D, "income", 1, "sectr", method=FEW)),
    ("county", lambda: gini_by_group(F, D, "income", "sector", "countty", method=FEW)),
    ("water", lambda: multidimensional_by_group(F, D, INDEX, "sector", method=FEW)),
    ("povline", lambda: poverty_by_group(F, D, "income", "povlin", "sector", method=FEW)),
    ("sector", lambda: poverty_by_group(F, D, "income", 9, "sectr", method=FEW)),
    ("income", lambda: calibrate(F, D, {"incom": 9.0})),
    ("sector", lambda: calibrate(F, D, {"sectr": KNOWN})),
    ("county", lambda: calibrate(F, D, {("sector", "countty"): {("farm", 0): 9.0}})),
    ("price", lambda: calibrate(F, D, {"sector": KNOWN}, size="pric")),
    ("weight", lambda: calibrate(F, replace(D, weight="weigth"), {"income": 9.0})),
    ("sector", lambda: rake(F, D, {"sectr": KNOWN})),
    ("price", lambda: rake(F, D, {"sector": KNOWN}, size="pric")),
    ("sector", lambda: poststratify(F, D, "sectr", KNOWN)),
    ("price", lambda: poststratify(F, D, "sector", KNOWN, "pric")),
    ("income", lambda: dominance(F, draws(F, D, FEW), "incom", FARM, TOWN, (3, 9))),
    ("sector", lambda: dominance(F, draws(F, D, FEW), "income", {"sectr": 1}, TOWN, (3, 9))),
    ("sector", lambda: write_sorted(F, D, "sectr", ["income"], "unused")),
    ("income", lambda: write_sorted(F, D, None, ["incom"], "unused")),
    ("price", lambda: write_sorted(F, D, None, ["income", "pric"], "unused")),
]


def told(near: str) -> Any:
    """The error that names the column that is there, among the near ones."""
    return pytest.raises(PovmonError, match=rf"did you mean .*\b{near}\b.*\?")


@pytest.mark.parametrize(("near", "measure"), MEASURES)
def test_in_a_measure(near: str, measure: Measure, tmp_path: Path) -> None:
    with told(near):
        estimate(FRAME, DESIGN, measure, "sector")
    FRAME.to_parquet(tmp_path / "rows.parquet")
    with told(near):
        estimate(tmp_path, DESIGN, measure, "sector")


@pytest.mark.parametrize("name", WITH_DESIGN)
@pytest.mark.parametrize(("near", "design"), DESIGNS)
def test_in_a_design(near: str, design: Design, name: str) -> None:
    with told(near):
        WITH_DESIGN[name](FRAME, design)


@pytest.mark.parametrize("at", range(len(OTHER)))
def test_in_an_argument(at: int) -> None:
    near, call = OTHER[at]
    with told(near):
        call()


@pytest.mark.parametrize(("near", "design"), DESIGNS[:6])
def test_in_a_design_of_files(near: str, design: Design, tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "rows.parquet")
    with told(near):
        estimate(tmp_path / "rows.parquet", design, mean("income"))
    with told(near):
        write_sorted(FRAME, design, None, ["income"], tmp_path / "sorted")


def test_in_sorted_files(tmp_path: Path) -> None:
    FRAME.to_parquet(tmp_path / "rows.parquet")
    with told("sector"):
        estimate(tmp_path / "rows.parquet", DESIGN, mean("income"), "sectr")
    write_sorted(FRAME, DESIGN, "sector", ["income", "price"], tmp_path / "sorted")
    with told("income"):
        read_sorted(tmp_path / "sorted").estimate(gini("incom"))
