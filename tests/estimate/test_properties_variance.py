"""Linearised values against numerical derivatives, and errors against plain loops."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from povmon.estimate.core.domains import lay_domains
from povmon.estimate.core.rows import Rows
from povmon.estimate.measures.base import Linearised, linearise

from .properties import ALL, CASES, DESIGN, MEAN, ROUGH, WITHIN, results, samples

SMOOTH = [n for n in ALL if n not in ROUGH]
STEP = 1e-5


def away_from_lines(frame: pd.DataFrame) -> None:
    """No income so near a relative line that a little more weight brings the line across it."""
    weight = frame["w"].to_numpy()
    for line in (MEAN, WITHIN):
        z = line.groups(rows := Rows(frame)).spread(line.lines(rows, weight[None])[0])
        assume(min(np.abs(frame[x] - z).min() for x in ("y", "u")) > 0.01)


def psus(frame: pd.DataFrame) -> list[tuple[int, int]]:
    return sorted(set(zip(frame["h"], frame["c"], strict=True)))


def derivatives(frame: pd.DataFrame, by: str | None) -> pd.DataFrame:
    """Of each estimate with respect to the scale of each PSU's weights, by central differences."""
    out = {}
    for h, c in psus(frame):
        inside = (frame["h"] == h) & (frame["c"] == c)
        up, down = (
            results(frame.assign(w=frame["w"] * np.where(inside, 1 + e, 1)), DESIGN, SMOOTH, by=by)
            for e in (STEP, -STEP)
        )
        out[h, c] = (up["estimate"] - down["estimate"]) / (2 * STEP)
    return pd.DataFrame(out)


def between(totals: dict[tuple[int, int], float]) -> float:
    """Variance from totals by stratum and PSU: n / (n - 1) times the squared deviations."""
    variance = 0.0
    for stratum in {h for h, _ in totals}:
        own = [t for (h, _), t in totals.items() if h == stratum]
        middle = sum(own) / len(own)
        squares = sum((t - middle) ** 2 for t in own)
        variance += len(own) / (len(own) - 1) * squares if len(own) > 1 else 0.0
    return variance


@given(samples(psus=(2, 3)), st.sampled_from([None, "g"]))
def test_linearised_sums_are_derivatives(frame: pd.DataFrame, by: str | None) -> None:
    """A PSU's weighted linearised values add up to what more weight on it does to the estimate,
    and the table's errors are made of those sums."""
    away_from_lines(frame)
    table, slopes = results(frame, DESIGN, SMOOTH, by=by), derivatives(frame, by)
    rows, domains = Rows(frame), lay_domains(frame, [by] if by else None)
    weight = frame["w"].to_numpy()
    for name in SMOOTH:
        made = linearise(CASES[name].make(1.0), rows, weight, domains)
        for d in range(len(domains)):
            row = (domains.labels[by].iloc[d], name) if by else name
            own = np.where(domains.code == d, weight * made.values, 0.0)
            if isinstance(made, Linearised) and made.shared is not None:
                shared = made.shared
                own = own + weight * shared.values * np.append(shared.slope[d], 0.0)[shared.group]
            assert made.estimate[d] == pytest.approx(table.loc[row, "estimate"], nan_ok=True)
            if np.isnan(made.estimate[d]):
                continue
            scale = max(1.0, abs(made.estimate[d]))
            sums, want = {}, slopes.loc[[row]].iloc[0]
            for h, c in psus(frame):
                sums[h, c] = own[(frame["h"] == h) & (frame["c"] == c)].sum()
                near = pytest.approx(want[h, c], rel=1e-5, abs=1e-7 * scale)
                assert sums[h, c] == near, (row, h, c)
            if table.loc[row, "df"] > 0:
                error = between(dict(want)) ** 0.5
                assert table.loc[row, "se"] == pytest.approx(error, rel=1e-4, abs=1e-6 * scale), row


def mean_of(f: Callable[[pd.Series], float]) -> Callable[[list[pd.Series]], list[float]]:
    """Linearised values of the mean of f over rows: (f - mean) / sum of weights."""

    def values(rows: list[pd.Series]) -> list[float]:
        n = sum(r["w"] for r in rows)
        mean = sum(r["w"] * f(r) for r in rows) / n
        return [(f(r) - mean) / n for r in rows]

    return values


def ratio_values(rows: list[pd.Series]) -> list[float]:
    x = sum(r["w"] * r["u"] for r in rows)
    ratio = sum(r["w"] * r["y"] for r in rows) / x
    return [(r["y"] - ratio * r["u"]) / x for r in rows]


def gini_values(rows: list[pd.Series]) -> list[float]:
    """G = A / (2 N T): its derivatives by those of A, N and T."""
    n, t = sum(r["w"] for r in rows), sum(r["w"] * r["y"] for r in rows)
    far = [sum(q["w"] * abs(r["y"] - q["y"]) for q in rows) for r in rows]
    g = sum(r["w"] * a for r, a in zip(rows, far, strict=True)) / (2 * n * t)
    return [a / (n * t) - g / n - g * r["y"] / t for r, a in zip(rows, far, strict=True)]


def theil_values(rows: list[pd.Series]) -> list[float]:
    """GE(1) of the positive incomes."""
    kept = [r for r in rows if r["y"] > 0]
    n, t = sum(r["w"] for r in kept), sum(r["w"] * r["y"] for r in kept)
    m = t / n
    theil = sum(r["w"] * r["y"] / m * np.log(r["y"] / m) for r in kept) / n

    def value(y: float) -> float:
        return (y * np.log(y / m) - theil * y - y) / t + 1 / n if y > 0 else 0.0

    return [value(r["y"]) for r in rows]


def gap(r: pd.Series) -> float:
    return min(1.0, max(0.0, 1 - r["y"] / r["z"]))


def score(r: pd.Series) -> float:
    total = r["d1"] / 2 + r["d2"] / 3 + r["d3"] / 6
    return total if total > 0.5 - 1e-9 else 0.0


LOOPS: dict[str, Callable[[list[pd.Series]], list[float]]] = {
    "mean": mean_of(lambda r: r["y"]),
    "total": lambda rows: [r["y"] for r in rows],
    "proportion": mean_of(lambda r: r["d1"]),
    "ratio": ratio_values,
    "fgt0": mean_of(lambda r: float(r["y"] < 10)),
    "fgt1 column": mean_of(gap),
    "fgt2 column": mean_of(lambda r: gap(r) ** 2),
    "M0": mean_of(score),
    "H": mean_of(lambda r: float(score(r) > 0)),
    "gini": gini_values,
    "gei1": theil_values,
}


@given(samples())
def test_errors_of_domains_by_plain_loops(frame: pd.DataFrame) -> None:
    """The error keeps all strata and PSUs of the sample, whether the domain has rows there or not,
    or missing incomes."""
    frame.loc[3, ["d1", "y"]] = np.nan
    table = results(frame, DESIGN, list(LOOPS), by="g")
    for g in (0, 1, 2):
        for name, values in LOOPS.items():
            used = frame.dropna(subset=CASES[name].columns.split())
            rows = [r for _, r in used[used["g"] == g].iterrows()]
            totals = dict.fromkeys(psus(frame), 0.0)
            for r, value in zip(rows, values(rows), strict=True):
                totals[r["h"], r["c"]] += r["w"] * value
            row = table.loc[(g, name)]
            if row["df"] > 0:
                assert row["se"] == pytest.approx(between(totals) ** 0.5, rel=1e-9, abs=1e-10), name


@given(samples())
def test_psus_that_are_alike_have_no_error(frame: pd.DataFrame) -> None:
    """Nothing varies between PSUs that are copies of each other."""
    alike = pd.concat([frame.assign(c=c, h=0) for c in range(3)], ignore_index=True)
    got = results(alike)
    some = got[got["estimate"].notna()]
    np.testing.assert_allclose(some["se"], 0, atol=1e-9)
