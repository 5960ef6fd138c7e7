"""The score: what counts as found, what as corrected, and errors planted by others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from povmon import paths
from povmon.audit import Audit, audit_intake
from povmon.errors import PovmonError
from povmon.survey import FORMS, load_survey
from povmon.survey.intake import Intake, read_submissions
from povmon.synthetic.errors import STRUCTURAL, error_kinds
from povmon.synthetic.planted_log import complete, read_log, sent_keys, undo
from povmon.synthetic.score import Score, collect, recall_bounds
from povmon.synthetic.score_area import AreaScore, score_area
from povmon.synthetic.score_found import found_cases
from povmon.synthetic.workspace import as_text

Truth = Callable[[str], pd.DataFrame]
OWN = {"kind": "floor_lost", "form": "household", "key": "5134310101", "column": "dwelling_area",
       "before": "80", "after": "8", "nature": "statistical"}  # fmt: skip


@pytest.fixture(scope="module")
def parts(built: Path) -> list[AreaScore]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(built))
        return [score_area("demo", area) for area in load_survey("demo").area_ids]


@pytest.fixture(scope="module")
def whole(parts: list[AreaScore]) -> Score:
    return collect("demo", parts)


@pytest.fixture(scope="module")
def wumeng(built: Path) -> tuple[Intake, Audit, pd.DataFrame]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POVMON_ROOT", str(built))
        intake = read_submissions(load_survey("demo"), "wumeng")
        log = read_log("demo")
        log = log[log["key"].str[:6].isin(intake.rows["county"]["county_id"])]
        return intake, audit_intake(intake), log[log["nature"] != "structural"]


@pytest.mark.slow
@pytest.mark.usefixtures("demo")
def test_every_case_is_scored_once(whole: Score, truth: Truth) -> None:
    planted = truth("planted")
    planted = planted[~planted["kind"].isin(STRUCTURAL)]
    cases = planted.drop_duplicates(["kind", "case"])["kind"].value_counts()
    assert whole.kinds.set_index("kind")["planted"].to_dict() == cases.to_dict()
    assert set(whole.kinds["kind"]) == set(error_kinds())


def test_what_contradicts_itself_is_found(whole: Score) -> None:
    certain = whole.kinds[whole.kinds["kind"].isin(["income_sum", "two_heads", "water_code"])]
    assert (certain["found"] == certain["planted"]).all()
    mended = whole.kinds.set_index("kind")["corrected"]
    assert mended["income_total_slip"] > 0
    assert mended["household_duplicate"] > 0
    assert whole.precision >= 0.97


@pytest.mark.slow
def test_undoing_the_log_gives_the_truth(
    wumeng: tuple[Intake, Audit, pd.DataFrame], truth: Truth, demo: Path
) -> None:
    intake, _, log = wumeng
    back = undo(intake.rows, log)
    for name, form in FORMS.items():
        clean = as_text(truth(name), name).set_index(list(form.key))
        found = back[name].set_index(list(form.key))
        want = clean.loc[found.index, [c for c in form.columns if c not in form.key]]
        assert (found[want.columns].to_numpy(object) == want.to_numpy(object)).all()


def finding(**changes: str) -> dict[str, object]:
    plain = {"rule": "x", "severity": "hard", "level": "household", "file": "", "line": 2,
             "key": "5134310101", "column": "water", "value": "", "message": ""}  # fmt: skip
    return plain | changes


def test_a_finding_on_another_column_or_record_does_not_count(
    wumeng: tuple[Intake, Audit, pd.DataFrame],
) -> None:
    _, audit, _ = wumeng
    log = complete(pd.DataFrame([OWN | {"column": "water", "before": "tap", "after": "9"}]), "")

    def found(**changes: str) -> bool:
        bare = Audit(**{**audit.__dict__, "findings": pd.DataFrame([finding(**changes)])})
        return bool(found_cases(bare, log)["found"].iloc[0])

    assert found()
    assert not found(column="toilet")
    assert not found(key="5134310102")
    assert not found(level="person")


def test_a_made_up_village_needs_half_of_its_households(
    wumeng: tuple[Intake, Audit, pd.DataFrame],
) -> None:
    _, audit, _ = wumeng
    homes = [f"51343101{n:02d}" for n in range(1, 10)]
    rows = [OWN | {"key": home, "case": "51343101", "scope": "village"} for home in homes]
    log = complete(pd.DataFrame(rows), "")

    def found(keys: list[str], level: str = "household") -> bool:
        frame = [finding(key=key, level=level, column="dwelling_area") for key in keys]
        bare = Audit(**{**audit.__dict__, "findings": pd.DataFrame(frame)})
        return bool(found_cases(bare, log)["found"].iloc[0])

    assert found(homes[:5])
    assert not found(homes[:4])
    assert found(["51343101"], "village")


def test_the_effect_has_all_states(whole: Score) -> None:
    effect = whole.effect.set_index("area")
    assert set(effect.index) == {"dabie", "wumeng"}
    assert effect[["clean", "naive", "audited", "drawn"]].stack().between(0, 1).all()
    # Six counties say little, but errors that make households poor must show.
    assert (effect["naive"] - effect["clean"]).sum() > 0
    assert (effect["se"] > 0).all()


def test_clean_households_are_those_without_an_error(parts: list[AreaScore], demo: Path) -> None:
    log = read_log("demo")
    for part in parts:
        rows = read_submissions(load_survey("demo"), part.area).rows["household"]
        homes = set(rows["household_id"])
        hit = log["key"].where(log["form"].isin(["household", "person"]), "").str[:10]
        errors = (log["nature"] != "structural").to_numpy()
        assert part.clean == len(homes - set(hit[errors]))


def test_limits_are_named_and_written(whole: Score, demo: Path) -> None:
    words = [limit.what for limit in whole.limits]
    assert len(words) == 7 and len(set(words)) == 7
    # A demo has too few cases of a kind to show a recall of 0.95.
    assert not whole.met
    table = pd.read_csv(whole.write())
    assert set(table["section"]) >= {"limit", "kind", "area", "rule"}
    assert set(table.loc[table["section"] == "limit", "verdict"]) <= {"met", "missed"}


def test_bounds_are_clopper_and_pearsons() -> None:
    assert recall_bounds(200, 200) == pytest.approx((0.9817, 1.0), abs=1e-4)
    # Clopper and Pearson for 8 of 10, as tabulated.
    assert recall_bounds(8, 10) == pytest.approx((0.4439, 0.9748), abs=1e-4)
    assert recall_bounds(0, 10)[0] == 0.0


def write_log(folder: Path, rows: list[dict[str, str]]) -> Path:
    path = folder / "planted.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.mark.slow
def test_errors_planted_by_others_are_scored(built: Path, tmp_path: Path, demo: Path) -> None:
    log = read_log("demo")
    cells = log[log["kind"].isin(["income_sum", "income_total_slip"])]
    cells = cells[cells["key"].str.startswith("5")]
    rows = cells[["form", "key", "column", "before", "after"]].to_dict("records")
    named = [{str(k): str(v) for k, v in row.items()} for row in rows]
    path = write_log(tmp_path, [row | {"kind": "mine", "nature": "logical"} for row in named])
    score = collect("demo", [score_area("demo", "wumeng", path)])
    assert score.kinds["kind"].tolist() == ["mine"]
    assert score.kinds["found"].tolist() == [len(rows)]
    assert score.kinds["corrected"].tolist() == [len(rows)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"nature": ""}, "nature"),
        ({"form": "houses"}, "form 'houses'"),
        ({"column": "roof"}, "column 'roof'"),
        ({"scope": "street"}, "scope 'street'"),
    ],
)
def test_a_wrong_log_is_refused(
    change: dict[str, str], says: str, tmp_path: Path, demo: Path
) -> None:
    with pytest.raises(PovmonError, match=says):
        read_log("demo", write_log(tmp_path, [OWN | change]))


def test_a_log_without_a_column_is_refused(tmp_path: Path, demo: Path) -> None:
    without = {k: v for k, v in OWN.items() if k != "before"}
    with pytest.raises(PovmonError, match="'before' is missing"):
        read_log("demo", write_log(tmp_path, [without]))


def test_no_log_is_told(empty: Path) -> None:
    with pytest.raises(PovmonError, match="no log of planted errors"):
        read_log("demo")


def test_keys_as_sent(tmp_path: Path, demo: Path) -> None:
    orphan = OWN | {"form": "person", "key": "5134310101/2", "column": "household_id",
                    "before": "5134310101", "after": "5134310177"}  # fmt: skip
    log = read_log("demo", write_log(tmp_path, [orphan, OWN]))
    assert sent_keys(log).tolist() == ["5134310177/2", "5134310101"]
    assert paths.root() == demo
