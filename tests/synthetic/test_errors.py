"""The errors: each where the log says, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from povmon import paths
from povmon.survey import FORMS
from povmon.synthetic.assumptions import load
from povmon.synthetic.errors import kinds
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
    assert len(kinds()) >= 15


@pytest.mark.usefixtures("demo")
def test_no_household_has_two_kinds(truth: Truth) -> None:
    planted = truth("planted")
    low = planted[planted["form"].isin(["household", "person"])]
    household = low["key"].str.split("/").str[0]
    assert (low.groupby(household)["kind"].nunique() == 1).all()


@pytest.mark.usefixtures("demo")
def test_submissions_differ_from_the_truth_only_where_planted(truth: Truth) -> None:
    planted = truth("planted")
    for name, form in FORMS.items():
        clean = as_text(truth(name), name).set_index(list(form.key)).drop(columns="file")
        log = planted[planted["form"] == name]
        changed = log[log["column"] != ""]
        found = sent(name)
        orphans = changed[changed["column"].isin(form.key)]
        keep = ~found["household_id"].isin(orphans["after"]) if len(orphans) else slice(None)
        found = found[keep].drop_duplicates().set_index(list(form.key))
        assert set(found.index) <= set(clean.index)
        expected = clean.loc[found.index].copy()
        for row in changed[~changed["column"].isin(form.key)].to_dict("records"):
            parts = row["key"].split("/")
            place = expected.index.get_loc(tuple(parts) if len(parts) > 1 else parts[0])
            column = expected.columns.get_loc(row["column"])
            assert expected.iat[place, column] == row["before"]  # type: ignore[index]
            expected.iat[place, column] = row["after"]  # type: ignore[index]
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
    left = sent("household").drop_duplicates().groupby("village_id").size()
    assert left.min() >= 7


@pytest.mark.usefixtures("demo")
def test_a_few_per_mille_of_the_households_are_hit_beyond_demo() -> None:
    rates = load()["errors"]["rates"]
    assert 0.005 < sum(r for k, r in rates.items() if not k.startswith("county")) < 0.03
