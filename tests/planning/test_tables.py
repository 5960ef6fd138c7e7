"""Plan tables of the provinces: checked, rolled up, and complete or said to be missing."""

from __future__ import annotations

import pytest

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.planning.outline import load_outline
from povmon.planning.tables import load_tables, roll_up

HEAD = "county_id,task,project,unit,quantity,investment,start_year,end_year\n"
SICHUAN = HEAD + (
    "513431,safe_water,Spring one,households,100,50.5,2011,2012\n"
    "513431,safe_water,Spring two,households,80,40,2012,2013\n"
    "513431,hardened_roads,Road,km,12,300,2012,2015\n"
    "total,,,,,390.5,,\n"
)
YUNNAN = HEAD + "530326,safe_water,Well,households,60,20,2011,2011\n"


@pytest.fixture
def counties():
    frame = reference.counties()
    return frame[frame["county_id"].isin(["513431", "520526", "530326"])]


def put(name: str, text: str) -> None:
    folder = paths.raw("demo") / "planning" / "tables" / "wumeng"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def test_nothing_received(root, counties):
    tables = load_tables("demo", "wumeng", counties, load_outline())
    assert tables.received == [] and sorted(tables.missing) == ["51", "52", "53"]
    assert roll_up(tables, load_outline()).empty


def test_provinces_add_up_to_the_area(root, counties):
    put("51.csv", SICHUAN)
    put("53.csv", YUNNAN)
    tables = load_tables("demo", "wumeng", counties, load_outline())
    assert tables.faults.empty and tables.missing == ["52"]
    frame = roll_up(tables, load_outline()).set_index("task")
    assert frame.at["safe_water", "investment"] == pytest.approx(110.5)
    assert frame.at["safe_water", "projects"] == 3 and frame.at["safe_water", "counties"] == 2
    assert (frame["p51"] + frame["p53"]).tolist() == pytest.approx(frame["investment"].tolist())
    assert frame.drop("total")["investment"].sum() == pytest.approx(frame.at["total", "investment"])


@pytest.mark.parametrize(
    ("old", "new", "line", "column"),
    [
        ("513431,hard", "530326,hard", 4, "county_id"),
        ("hardened_roads", "roads", 4, "task"),
        ("km,12", "km,a dozen", 4, "quantity"),
        (",300,", ",-300,", 4, "investment"),
        ("2012,2015", "2012,2025", 4, "start_year"),
        ("2012,2013", "2013,2012", 3, "end_year"),
        ("Spring two", "Spring one", 3, "project"),
        ("total,,,,,390.5", "total,,,,,400", 5, "investment"),
    ],
)
def test_faults_are_located(root, counties, old, new, line, column):
    assert old in SICHUAN
    put("51.csv", SICHUAN.replace(old, new, 1))
    tables = load_tables("demo", "wumeng", counties, load_outline())
    found = tables.faults[["province_id", "line", "column"]].to_records(index=False).tolist()
    assert ("51", line, column) in found
    assert line not in set(tables.rows["line"])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("51.csv", "county_id,task\n1,2\n", "column project"),
        ("51.csv", "", "not readable as CSV"),
        ("51.csv", SICHUAN.replace("\n", ",x\n").replace("end_year,x", "end_year"), "more cells"),
        ("99.csv", SICHUAN, "99.csv is not the table of a province"),
    ],
)
def test_unreadable_tables_are_errors(root, counties, name, text, message):
    put(name, text)
    with pytest.raises(PovmonError, match=message):
        load_tables("demo", "wumeng", counties, load_outline())
