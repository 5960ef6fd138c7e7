"""The list of sampled villages, and what it does to the form workbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from povmon.errors import PovmonError
from povmon.survey.frame import sampled_villages
from povmon.survey.workbook import form_workbook, scopes
from povmon.survey.workbook.layout import layouts
from survey.conftest import small_survey

HEAD = "village_id,county_id,w_village\n"
VILLAGES = HEAD + "51343102,513431,5\n51343101,513431,4.5\n52052601,520526,\n"


def write(root: Path, text: str) -> None:
    folder = root / "data" / "raw" / "small"
    folder.mkdir(parents=True)
    (folder / "villages.csv").write_text(text, encoding="utf-8")


def test_no_list_is_an_empty_table(survey_root: Path) -> None:
    found = sampled_villages(small_survey(), ["513431"])
    assert list(found.columns) == ["village_id", "county_id", "w_village"] and found.empty


def test_villages_of_some_counties_in_order(survey_root: Path) -> None:
    write(survey_root, VILLAGES)
    found = sampled_villages(small_survey(), ["513431"])
    assert found["village_id"].tolist() == ["51343101", "51343102"]
    assert found["w_village"].tolist() == [4.5, 5.0]
    assert sampled_villages(small_survey(), ["520526"])["w_village"].isna().all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("village_id\n1\n", "line 1: the column 'county_id' is missing"),
        (HEAD + ",513431,5\n", "line 2: the village has no code"),
        (HEAD + "1,513431,5\n1,513431,5\n", "line 3: the village '1' stands twice"),
        (HEAD + "1,110101,5\n", "line 2: '110101' is no county of the survey"),
        (HEAD + "1,513431,-5\n", "line 2: the weight '-5' is no number above zero"),
        (HEAD + "1,513431,nan\n", "line 2: the weight 'nan' is no number above zero"),
        (HEAD + "1,513431,five\n", "line 2: the weight 'five' is no number above zero"),
    ],
)
def test_a_wrong_list_names_the_line(survey_root: Path, text: str, message: str) -> None:
    write(survey_root, text)
    with pytest.raises(PovmonError) as caught:
        sampled_villages(small_survey(), ["513431"])
    assert f"data/raw/small/villages.csv, {message}" in str(caught.value)


def test_known_villages_are_filled_in_and_locked(survey_root: Path) -> None:
    write(survey_root, VILLAGES)
    sichuan, guizhou = scopes(small_survey(), "wumeng")
    own, sheet = layouts(sichuan)["village"], form_workbook(sichuan)["village 村表"]
    given = {name: [sheet[f"{own.letter(name)}{row}"] for row in (4, 5, 6)] for name in own.names}
    assert [c.value for c in given["village_id"]] == ["51343101", "51343102", None]
    assert [c.value for c in given["w_village"]] == [4.5, 5, None]
    assert [c.value for c in given["year"]] == [2010, 2010, None]
    assert [c.protection.locked for c in given["county_id"]] == [True, True, False]
    assert not given["population"][0].protection.locked
    # Without all weights of the workbook's villages none is given.
    assert "w_village" not in layouts(guizhou)["village"].given
