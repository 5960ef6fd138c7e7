"""Estimates from Parquet files, chunk by chunk, are those of the rows in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from povmon.errors import PovmonError
from povmon.estimate import (
    Bootstrap,
    Design,
    Jackknife,
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
    ratio,
    regression,
    relative_line,
    sen,
    sst,
    total,
    watts,
)
from povmon.estimate.scale import chunks as chunks_module
from povmon.estimate.scale import values as values_module
from povmon.estimate.scale.chunks import chunks

ORACLES = Path(__file__).resolve().parents[1] / "oracles"
DESIGN = Design("county", "village", "w_person")
INDEX = multidimensional({"d1": "1/3", "d2": "1/3", "d3": "1/3"}, "1/3")
MEASURES = [
    mean("income_pc"),
    total("income_pc"),
    ratio("consumption_pc", "income_pc"),
    proportion("d1"),
    fgt("income_pc", 2300, 0),
    fgt("income_pc", 2300, 1),
    fgt("income_pc", 2300, 2),
    fgt("income_pc", "line", 1),
    watts("income_pc", 2300),
    income_gap_ratio("income_pc", 2300),
    gei("income_pc", 1),
    atkinson("income_pc", 0.5),
    INDEX.H,
    INDEX.M0,
    INDEX.contribution("d2"),
    gini("income_pc"),
    quantile("income_pc", 0.5),
    quantile("income_pc", 0.25, "school"),
    sen("income_pc", 2300),
    sst("income_pc", "line"),
    concentration_index("consumption_pc", "income_pc"),
    fgt("income_pc", relative_line("income_pc", 0.6), 0),
    fgt("income_pc", relative_line("income_pc", 0.6, "mean", within="region"), 1),
    *regression("income_pc", ["hhsize", "altitude"]).coefficients,
]


@pytest.fixture(scope="module")
def survey() -> pd.DataFrame:
    frame = pd.read_csv(ORACLES / "survey.csv")
    frame["region"] = np.where(frame["area"] < 8, "south", "north")
    frame["line"] = np.where(frame["minority"] == 1, 2500.0, 2300.0)
    # In an order that spreads villages and areas over all chunks.
    return frame.sample(frac=1, random_state=3, ignore_index=True)


@contextmanager
def small_chunks(rows: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks_module, "ROWS", rows)
        patch.setattr(values_module, "WAITING", 2 * rows)
        yield


def in_files(frame: pd.DataFrame, folder: Path, files: int = 3, group: int = 400) -> Path:
    """The rows in several files of several row groups."""
    folder.mkdir(exist_ok=True)
    for i, rows in enumerate(np.array_split(np.arange(len(frame)), files)):
        frame.iloc[rows].to_parquet(folder / f"part{i}.parquet", row_group_size=group)
    return folder


def same(got: pd.DataFrame, want: pd.DataFrame, rtol: float = 1e-11) -> None:
    pd.testing.assert_frame_equal(got, want, rtol=rtol, atol=1e-14, check_dtype=False)


@pytest.mark.parametrize("by", [None, "area", ["region", "minority"]], ids=str)
def test_the_same_table(by: object, survey: pd.DataFrame, tmp_path: Path) -> None:
    source = in_files(survey, tmp_path / "register")
    with small_chunks(500):
        assert len(chunks(source, ["area"])) > 5
        got = estimate(source, DESIGN, MEASURES, by)
    same(got, estimate(survey, DESIGN, MEASURES, by))


def test_one_file_and_a_path_as_text(survey: pd.DataFrame, tmp_path: Path) -> None:
    file = tmp_path / "register.parquet"
    survey.to_parquet(file)
    same(estimate(str(file), DESIGN, MEASURES[:8], "area"),
         estimate(survey, DESIGN, MEASURES[:8], "area"))  # fmt: skip


@pytest.mark.parametrize(
    "design",
    [
        Design(None, "village", "w_person"),
        Design("county", "village", "w_person", fpc=("stage1_fpc", None)),
        Design("county", "village", "w_person", ssu="hh", fpc=("stage1_fpc", "stage2_fpc")),
    ],
    ids=["no strata", "finite first stage", "finite two stages"],
)
def test_designs(design: Design, survey: pd.DataFrame, tmp_path: Path) -> None:
    source = in_files(survey, tmp_path / "register")
    with small_chunks(500):
        got = estimate(source, design, MEASURES, "area")
    same(got, estimate(survey, design, MEASURES, "area"))


@pytest.mark.parametrize("rule", ["certainty", "adjust", "average"])
def test_single_psus(rule: str, survey: pd.DataFrame, tmp_path: Path) -> None:
    rows = survey[~(survey["county"].isin([7, 8]) & ~survey["village"].isin([701, 801]))]
    source = in_files(rows, tmp_path / "register")
    design = Design("county", "village", "w_person", lonely=rule)
    with small_chunks(500):
        same(estimate(source, design, MEASURES, "area"), estimate(rows, design, MEASURES, "area"))
        with pytest.raises(PovmonError, match=r"single PSU: 7, 8; choose lonely="):
            estimate(source, DESIGN, mean("income_pc"))


def test_rows_outside_all_domains_stay_in_the_design(survey: pd.DataFrame, tmp_path: Path) -> None:
    rows = survey.assign(group=survey["region"].where(survey["hhsize"] > 2))
    rows["income_pc"] = rows["income_pc"].where(rows.index % 11 > 0)
    rows.loc[::7, "w_person"] = 0.0
    source = in_files(rows, tmp_path / "register")
    with small_chunks(500):
        got = estimate(source, DESIGN, MEASURES, "group")
    same(got, estimate(rows, DESIGN, MEASURES, "group"))
    assert got["excluded"].max() > 0


def test_domains_of_categories_dates_and_missing_numbers(
    survey: pd.DataFrame, tmp_path: Path
) -> None:
    rows = survey.assign(
        kind=survey["region"].astype("category"),
        day=pd.Timestamp("2010-12-31") + pd.to_timedelta(survey["minority"], unit="D"),
        number=survey["minority"].where(survey["county"] != 3),
        flag=survey["minority"] == 1,
    )
    source = in_files(rows.sort_values("county"), tmp_path / "register")
    for by in ("kind", "day", "number", "flag", ["flag", "kind"]):
        with small_chunks(500):
            got = estimate(source, DESIGN, MEASURES[:8] + MEASURES[15:17], by)
        want = estimate(
            rows.assign(kind=rows["region"]), DESIGN, MEASURES[:8] + MEASURES[15:17], by
        )
        same(got, want)


def test_measures_of_other_columns_have_a_table_of_their_own(
    survey: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Combinations of two incomes are about as many as the rows; values of each are not."""
    rows = survey.assign(
        income_pc=survey["income_pc"].round(-3), consumption_pc=survey["consumption_pc"].round(-3)
    )
    sizes = []
    plain = values_module.Gathered.table

    def sized(self: values_module.Gathered) -> pa.Table:
        sizes.append(plain(self).num_rows)
        return plain(self)

    monkeypatch.setattr(values_module.Gathered, "table", sized)
    measures = [gini("income_pc"), quantile("income_pc", 0.5), gini("consumption_pc")]
    source = in_files(rows, tmp_path / "register")
    same(estimate(source, DESIGN, measures), estimate(rows, DESIGN, measures))
    assert sizes == [rows[c].nunique(dropna=False) for c in ("income_pc", "consumption_pc")]


@pytest.mark.parametrize("method", [Jackknife(), Bootstrap(50, seed=4)], ids=["jkn", "bootstrap"])
def test_replicates_of_sums(method: object, survey: pd.DataFrame, tmp_path: Path) -> None:
    source = in_files(survey, tmp_path / "register")
    measures = MEASURES[:15]
    with small_chunks(500):
        got = estimate(source, DESIGN, measures, "area", method=method)
    same(got, estimate(survey, DESIGN, measures, "area", method=method))


def test_lorenz_ordinates_of_distinct_values(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = pd.DataFrame({"psu": np.arange(300) % 60, "w": rng.uniform(1, 2, 300),
                         "x": rng.permutation(300) + 1.0})  # fmt: skip
    measures = [lorenz("x", 0.3), palma("x"), quantile("x", 0.4, "hf7")]
    source = in_files(rows, tmp_path / "register")
    with small_chunks(40):
        same(estimate(source, Design(None, "psu", "w"), measures),
             estimate(rows, Design(None, "psu", "w"), measures))  # fmt: skip


@given(st.integers(0, 2**32 - 1), st.integers(8, 60), st.integers(1, 9), st.integers(1, 30))
def test_any_cutting_into_chunks_gives_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, files: int, group: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {
            "h": rng.integers(0, 3, n),
            "w": rng.integers(0, 4, n) * 1.0,
            "d": rng.choice(["a", "b", None], n),
            "y": rng.integers(-2, 6, n) * 1.0,
        }
    )
    rows["c"] = rows["h"] * 3 + rng.integers(0, 3, n)
    rows.loc[rng.random(n) < 0.1, "y"] = np.nan
    measures = [mean("y"), fgt("y", 3, 1), gini("y"), quantile("y", 0.5), sen("y", 3)]
    design = Design("h", "c", "w", lonely="average")
    source = in_files(rows, tmp_path_factory.mktemp("chunks"), min(files, n), group)
    with small_chunks(group):
        same(estimate(source, design, measures, "d"), estimate(rows, design, measures, "d"), 1e-9)


class TestBadInput:
    def refused(self, frame: pd.DataFrame, folder: Path, match: str, **changes: object) -> None:
        source = in_files(frame, folder)
        given = {"design": DESIGN, "measures": [mean("income_pc")], "by": "area", **changes}
        with small_chunks(500), pytest.raises(PovmonError, match=match):
            estimate(source, **given)

    def test_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(PovmonError, match="no such file"):
            estimate(tmp_path / "lost.parquet", DESIGN, mean("income_pc"))
        with pytest.raises(PovmonError, match="no Parquet file"):
            estimate(tmp_path, DESIGN, mean("income_pc"))

    def test_another_kind_of_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.parquet").write_text("a,b\n1,2\n")
        with pytest.raises(PovmonError, match=r"a\.parquet: this is not a Parquet file"):
            estimate(tmp_path, DESIGN, mean("income_pc"))

    def test_no_rows(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        survey.iloc[:0].to_parquet(tmp_path / "a.parquet")
        with pytest.raises(PovmonError, match="no rows"):
            estimate(tmp_path, DESIGN, mean("income_pc"))

    def test_a_misspelt_column(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        self.refused(survey, tmp_path, "did you mean 'income_pc'", measures=[mean("income_cp")])

    def test_text_where_numbers_belong(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        self.refused(survey, tmp_path, r"part0\.parquet, rows from 0: .*'region' is not numeric",
                     measures=[mean("region")])  # fmt: skip

    def test_a_negative_weight(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        rows = survey.copy()
        rows.loc[len(rows) - 1, "w_person"] = -1.0
        self.refused(rows, tmp_path, r"part2\.parquet, rows from .*negative in 1 rows")

    def test_a_missing_psu(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        rows = survey.copy()
        rows.loc[5, "village"] = np.nan
        self.refused(rows, tmp_path, r"part0.*'village' is missing in 1 rows")

    def test_a_psu_in_two_strata(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        rows = survey.copy()
        rows.loc[len(rows) - 1, "county"] = 1 + rows["county"].iloc[-1] % 60
        self.refused(rows, tmp_path, "more than one stratum")

    def test_population_sizes_that_vary_between_chunks(
        self, survey: pd.DataFrame, tmp_path: Path
    ) -> None:
        rows = survey.copy()
        rows.loc[len(rows) - 1, "stage1_fpc"] += 1
        design = Design("county", "village", "w_person", fpc=("stage1_fpc", None))
        self.refused(rows, tmp_path, "varies within a stratum", design=design)

    def test_what_needs_all_rows(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        whole = {"match": "need all rows at once"}
        post = Design("county", "village", "w_person", poststrata="area")
        self.refused(survey, tmp_path, design=post, **whole)
        self.refused(survey, tmp_path, measures=[gini("income_pc")], method=Jackknife(), **whole)
        part = [INDEX.subgroup_contribution("region", "south")]
        self.refused(survey, tmp_path, measures=part, match="needs all rows at once")
        two = Design("county", "village", "w_person", fpc=("stage1_fpc", "stage2_fpc"))
        self.refused(survey, tmp_path, "second-stage units have no column", design=two)

    def test_a_line_that_is_missing(self, survey: pd.DataFrame, tmp_path: Path) -> None:
        rows = survey.assign(line=survey["line"].where(survey.index != 3000))
        self.refused(rows, tmp_path, r"part2.*line 'line' is missing",
                     measures=[fgt("income_pc", "line", 0)])  # fmt: skip

    def test_no_scheduler(
        self, survey: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://127.0.0.1:1")
        monkeypatch.setattr("povmon.estimate.scale.workers.CONNECT_SECONDS", 1)
        self.refused(survey, tmp_path, "no Dask scheduler answers")


def test_a_column_of_integers_of_any_width(survey: pd.DataFrame, tmp_path: Path) -> None:
    """Files written by others: 8-bit integers in one, 64-bit in another."""
    half = len(survey) // 2
    for i, (rows, kind) in enumerate([(survey[:half], pa.int16()), (survey[half:], pa.int64())]):
        table = pa.Table.from_pandas(rows, preserve_index=False)
        at = table.schema.get_field_index("county")
        table = table.set_column(at, "county", table.column(at).cast(kind))
        pq.write_table(table, tmp_path / f"{i}.parquet")
    same(estimate(tmp_path, DESIGN, MEASURES[15:], "county"),
         estimate(survey, DESIGN, MEASURES[15:], "county"))  # fmt: skip
