"""The errors: each where the log says, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from povmon import paths
from povmon.survey import FORMS
from povmon.synthetic.assumptions import load
from povmon.synthetic.errors import PLANTS, error_kinds, kinds
from povmon.synthetic.spread import robust_sd
from povmon.synthetic.workspace import as_text

Truth = Callable[[str], pd.DataFrame]


def read(path: Path) -> pd.DataFrame:
    """A submitted file as text."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)


def sent(form: str) -> pd.DataFrame:
    """A form as all provinces sent it."""
    files = sorted(paths.submissions("demo").glob(f"*/*/{form}.csv"))
    return pd.concat([read(f) for f in files], ignore_index=True)


@pytest.mark.usefixtures("demo")
def test_every_kind_is_planted(truth: Truth) -> None:
    assert set(truth("planted")["kind"]) == set(kinds())
    natures = [k.nature for k in error_kinds().values()]
    assert natures.count("logical") >= 25
    assert natures.count("statistical") >= 10


@pytest.mark.usefixtures("demo")
def test_no_household_has_two_kinds(truth: Truth) -> None:
    planted = truth("planted")
    low = planted[planted["form"].isin(["household", "person"])]
    household = low["key"].str.split("/").str[0]
    assert (low.groupby(household)["kind"].nunique() == 1).all()


@pytest.mark.usefixtures("demo")
def test_no_village_has_two_kinds_and_no_county_column(truth: Truth) -> None:
    planted = truth("planted")
    village = planted[planted["form"] == "village"]
    assert (village.groupby("key")["kind"].nunique() == 1).all()
    county = planted[planted["form"] == "county"]
    assert not county.duplicated(["key", "column"]).any()


@pytest.mark.usefixtures("demo")
def test_submissions_differ_from_the_truth_only_where_planted(truth: Truth) -> None:
    planted = truth("planted")
    for name, form in FORMS.items():
        clean = as_text(truth(name), name).set_index(list(form.key)).drop(columns="file")
        log = planted[planted["form"] == name]
        second = log["kind"] == "household_conflict"
        changed = log[(log["column"] != "") & ~second]
        found = sent(name)
        orphans = changed[changed["column"].isin(form.key)]
        keep = ~found["household_id"].isin(orphans["after"]) if len(orphans) else slice(None)
        found = found[keep]
        copies = found[found.duplicated(list(form.key))]
        found = found.drop_duplicates(list(form.key)).set_index(list(form.key))
        assert set(found.index) <= set(clean.index)
        _same(found, _with(clean.loc[found.index], changed[~changed["column"].isin(form.key)]))
        twice = log["kind"].isin([f"{name}_duplicate", "household_conflict"])
        assert set(copies[form.key[0]]) == set(log.loc[twice, "key"].str.split("/").str[0])
        copies = copies.set_index(list(form.key))
        _same(copies, _with(clean.loc[copies.index], log[second]))


def _with(clean: pd.DataFrame, log: pd.DataFrame) -> pd.DataFrame:
    """The clean rows with the logged changes made."""
    out = clean.copy()
    for row in log.to_dict("records"):
        parts = row["key"].split("/")
        place = out.index.get_loc(tuple(parts) if len(parts) > 1 else parts[0])
        column = out.columns.get_loc(row["column"])
        assert out.iat[place, column] == row["before"]  # type: ignore[index]
        out.iat[place, column] = row["after"]  # type: ignore[index]
    return out


def _same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    differs = expected.to_numpy(dtype=object) != found[expected.columns].to_numpy(dtype=object)
    assert not differs.any()


@pytest.mark.usefixtures("demo")
def test_losses_are_the_planted_ones(truth: Truth) -> None:
    planted = truth("planted")
    villages = set(truth("village")["village_id"]) - set(sent("village")["village_id"])
    assert villages == set(planted.loc[planted["kind"] == "missing_village", "key"])
    gone = set(truth("household")["household_id"]) - set(sent("household")["household_id"])
    lost = {h for h in gone if h[:8] not in villages}
    assert lost == set(planted.loc[planted["kind"] == "household_non_response", "key"])
    left = sent("household").drop_duplicates("household_id").groupby("village_id").size()
    assert left.min() >= 7


def test_rates_give_two_hundred_cases_of_each_kind_in_the_baseline_survey() -> None:
    entry = load()["errors"]
    # What is left of 680 counties, 5,440 villages, 54,400 households and about 220,000 persons
    # after the losses.
    rows = {"county": 680, "village": 5425, "household": 52_900, "person": 216_000}
    for kind in error_kinds().values():
        rate = entry["rates"][kind.kind]
        factor = min(entry["area_factor"].values()) if kind.kind in entry["by_area"] else 1
        assert rate * factor * rows[kind.form] >= 200, kind.kind


def test_every_shift_is_beyond_three_robust_deviations() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({
        "income_total": ["9000"] * 60, "hhsize": ["3"] * 60, "sd:income_total": 0.5,
        "income_wages": "4000", "income_business": "5000", "income_property": "0",
        "income_transfer": "0",
    })  # fmt: skip
    plants = {p.kind: p for p in PLANTS}
    after = plants["income_shift"].change(frame, rng)["income_total"]
    shift = np.abs(np.log(pd.to_numeric(pd.Series(after)) / 9000)) / 0.5
    assert shift.min() > 3.4 and shift.max() < 8.1
    slip = plants["income_tenth"]
    assert slip.eligible(frame).all()
    assert not slip.eligible(frame.assign(**{"sd:income_total": 0.8})).any()


def test_robust_deviation_is_that_of_a_normal_logarithm() -> None:
    rng = np.random.default_rng(2)
    values = pd.Series(np.exp(0.4 * rng.standard_normal(4000)))
    values.iloc[:200] *= 1e4
    sd = robust_sd(values, pd.Series(["a"] * 2000 + ["b"] * 2000))
    assert sd == pytest.approx(0.4, rel=0.15)
