"""Samples, and every measure of `povmon.estimate`, for the property tests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from hypothesis import assume
from hypothesis import strategies as st

from povmon.estimate import (
    Design,
    atkinson,
    concentration_index,
    estimate,
    fgt,
    gei,
    gini,
    income_gap_ratio,
    lorenz,
    mean,
    multidimensional,
    palma,
    proportion,
    quantile,
    quantile_share,
    ratio,
    relative_line,
    s80s20,
    sen,
    sst,
    total,
    watts,
)
from povmon.estimate.measures.base import Measure

DESIGN = Design("h", "c", "w", lonely="certainty", nest=True)
DESIGNS = [
    DESIGN,
    Design("h", "c", "w", lonely="adjust", nest=True),
    Design("h", "c", "w", lonely="average", nest=True),
    Design("h", "c", "w", lonely="average", nest=True, poststrata="s"),
    Design(None, "p", "w"),
]
INDEX = multidimensional({"d1": "1/2", "d2": "1/3", "d3": "1/6"}, "1/2")
# No income is a relative line exactly.
MEDIAN = relative_line("u", 0.61)
MEAN = relative_line("u", 3**-0.5, "mean")
WITHIN = relative_line("u", 3**-0.5, "mean", within="s")


class Case(NamedTuple):
    """One measure. `make`: for incomes times k; `degree`: of the estimate in k."""

    make: Callable[[float], Measure]
    columns: str
    degree: int = 0


def _of(measure: Measure, columns: str = "y", degree: int = 0) -> Case:
    return Case(lambda k: measure, columns, degree)


# Columns: y has ties, zeros and negatives, v none of the last, u is positive, t has no ties.
CASES: dict[str, Case] = {
    "mean": _of(mean("y"), degree=1),
    "total": _of(total("y"), degree=1),
    "proportion": _of(proportion("d1"), "d1"),
    "ratio": _of(ratio("y", "u"), "y u"),
    "quantile math": _of(quantile("y", 0.4), degree=1),
    "quantile school": _of(quantile("y", 0.5, "school"), degree=1),
    "quantile hf4": _of(quantile("t", 0.5, "hf4"), "t", 1),
    "quantile hf7": _of(quantile("t", 0.3, "hf7"), "t", 1),
    "fgt0": Case(lambda k: fgt("y", 10 * k, 0), "y"),
    "fgt0.5": Case(lambda k: fgt("y", 10 * k, 0.5), "y"),
    "fgt1": Case(lambda k: fgt("y", 10 * k, 1), "y"),
    "fgt2": Case(lambda k: fgt("y", 10 * k, 2), "y"),
    "fgt0 closed": Case(lambda k: fgt("y", 10 * k, 0, closed=True), "y"),
    "fgt1 closed": Case(lambda k: fgt("y", 10 * k, 1, closed=True), "y"),
    "fgt2 as is": Case(lambda k: fgt("y", 10 * k, 2, negative="as is"), "y"),
    "fgt0 column": _of(fgt("y", "z", 0)),
    "fgt1 column": _of(fgt("y", "z", 1)),
    "fgt2 column": _of(fgt("y", "z", 2)),
    "fgt0 median": _of(fgt("u", MEDIAN, 0), "u"),
    "fgt1 median": _of(fgt("y", MEDIAN, 1)),
    "fgt0.5 mean": _of(fgt("y", MEAN, 0.5)),
    "fgt1 mean": _of(fgt("y", MEAN, 1)),
    "fgt2 mean": _of(fgt("u", MEAN, 2), "u"),
    "fgt2 within": _of(fgt("y", WITHIN, 2)),
    "watts": Case(lambda k: watts("y", 10 * k), "y"),
    "watts column": _of(watts("y", "z")),
    "sen": Case(lambda k: sen("y", 10 * k), "y"),
    "sen column": _of(sen("y", "z")),
    "sst": Case(lambda k: sst("y", 10 * k), "y"),
    "sst column": _of(sst("y", "z")),
    "income gap ratio": Case(lambda k: income_gap_ratio("y", 10 * k), "y"),
    "income gap ratio column": _of(income_gap_ratio("y", "z")),
    "gini": _of(gini("y")),
    **{f"gei{a}": _of(gei("y", a)) for a in (0, 1, 2, -1)},
    **{f"atkinson{e}": _of(atkinson("y", e)) for e in (0.5, 1, 2)},
    "quantile share": _of(quantile_share("y", (0.3, 0.7))),
    "s80s20": _of(s80s20("v"), "v"),
    "palma": _of(palma("v"), "v"),
    "lorenz": _of(lorenz("y", 0.4)),
    "concentration": _of(concentration_index("y", "u"), "y u"),
    "erreygers": Case(
        lambda k: concentration_index("u", "y", correction="erreygers", bounds=(0, 30 * k)), "y u"
    ),
    "wagstaff": _of(concentration_index("d1", "y", correction="wagstaff"), "d1 y"),
    **{n: _of(getattr(INDEX, n), "d1 d2 d3") for n in ("H", "A", "M0")},
    **{f"uncensored {j}": _of(INDEX.uncensored(j), "d1 d2 d3") for j in INDEX.weights},
    **{f"censored {j}": _of(INDEX.censored(j), "d1 d2 d3") for j in INDEX.weights},
    **{f"contribution {j}": _of(INDEX.contribution(j), "d1 d2 d3") for j in INDEX.weights},
}
ALL = list(CASES)
INCOMES = ["y", "v", "u", "t", "z"]
# Measures whose row of a domain depends on rows outside it, through the line.
ELSEWHERE = [n for n in ALL if n.split()[-1] in ("median", "mean", "within")]
ELSEWHERE.remove("mean")
# Their linearised values are not exact derivatives: a quantile's are those of F.
ROUGH = [n for n in ALL if n.split()[0] in ("quantile", "lorenz", "palma", "s80s20")]
ROUGH += ["fgt0 median", "fgt1 median"]


@st.composite
def samples(draw: st.DrawFn, psus: tuple[int, int] = (1, 4)) -> pd.DataFrame:
    """Stratified cluster samples: three strata, each with the same number of PSUs."""
    n = draw(st.integers(12, 30))
    psu = np.arange(n) // 3 % draw(st.integers(*psus))
    drawn = draw(st.lists(st.integers(-3, 25), min_size=n, max_size=n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    y = np.array(drawn, dtype=float)
    frame = pd.DataFrame(
        {
            "h": np.arange(n) % 3,
            "c": psu,
            "p": np.arange(n) % 3 * 10 + psu,
            "w": rng.integers(1, 9, n) / 2,
            "y": y,
            "v": np.maximum(y, 0),
            "u": rng.integers(1, 31, n).astype(float),
            "t": rng.permutation(n) * 2.0 - 3,
            "z": rng.choice([6.0, 10.0, 13.0], n),
            "g": rng.permutation(np.arange(n) % 3),
            "s": rng.permutation(np.arange(n) % 2),
            **{j: rng.integers(0, 2, n).astype(float) for j in INDEX.weights},
        }
    )
    # Where a total may be zero or not by a rounding error, an estimate may be missing or not.
    assume((frame["w"] * frame["y"]).groupby(frame["g"]).sum().gt(0).all())
    return frame


def results(
    frame: pd.DataFrame,
    design: Design = DESIGN,
    names: Iterable[str] = ALL,
    *,
    k: float = 1.0,
    by: str | None = None,
) -> pd.DataFrame:
    """The table of estimates, indexed by domain (if any) and name of the case."""
    names = list(names)
    table = estimate(frame, design, [CASES[n].make(k) for n in names], by=by)
    bad = table[(table["ci_low"] > table["estimate"]) | (table["ci_high"] < table["estimate"])]
    assert bad.empty, bad.iloc[:, :9].to_string()
    table["measure"] = names * (len(table) // len(names))
    return table.set_index([by, "measure"] if by else "measure")


def same(
    got: pd.DataFrame,
    want: pd.DataFrame,
    columns: Iterable[str] = ("estimate", "se"),
    *,
    factor: Mapping[str, float] | None = None,
    but: Iterable[str] = (),
    rtol: float = 1e-9,
) -> None:
    """Rows of `want`, times a factor by measure, are those of `got`, but for some measures."""
    measure = want.index.get_level_values("measure")
    keep = ~measure.isin(list(but))
    times = measure.map(lambda n: (factor or {}).get(n, 1.0)).to_numpy(dtype=float)[keep]
    for column in columns:
        expected = want[column].to_numpy(dtype=float)[keep] * times
        actual = got.loc[want.index, column].to_numpy(dtype=float)[keep]
        if column in ("cv", "deff"):  # quotients of rounding errors where there is no error
            expected = np.where(want["se"][keep] > 1e-9, expected, np.nan)
            actual = np.where(want["se"][keep] > 1e-9, actual, np.nan)
        near = np.isclose(actual, expected, rtol=rtol, atol=1e-10 * times, equal_nan=True)
        wrong = list(zip(want.index[keep][~near], actual[~near], expected[~near], strict=True))
        assert not wrong, (column, wrong)
