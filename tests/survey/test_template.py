"""Workbooks with columns of their own: formulas for checks and names, and rows still to fill."""

from __future__ import annotations

from pathlib import Path

from audit import small
from povmon.survey import FORMS, load_survey
from povmon.survey.intake import read_submissions
from survey import formats


def test_columns_of_the_workbook_itself_are_nothing(root: Path) -> None:
    rows = formats.grid("household", small.files()["52"]["household"])
    names = [str(name) for name in rows[0]]
    labels = [f"{FORMS['household'][n].zh}\n{FORMS['household'][n].en}" for n in names]
    check = '=IF(B4="","","ok")'
    title: list[list[object]] = [["户表"], ["检查", *labels], ["#check", *names]]
    filled = [[check, *row] for row in rows[1:]]
    empty: list[list[object]] = [[check, *[""] * len(names)] for _ in range(5)]
    folder = formats.replace(root, "52", "household")
    formats.xlsx(folder / "household.xlsx", {"household 户表": [*title, *filled, *empty]})
    intake = read_submissions(load_survey("small"), "wumeng")
    homes = intake.rows["household"].query("submitted_by == '52'")
    assert homes["source_line"].tolist() == [4, 5, 6, 7, 8, 9]
    assert homes["household_id"].tolist() == [str(row[0]) for row in rows[1:]]
    rules = {r.rule for r in intake.remarks if r.file.endswith("xlsx")}
    assert rules == {"column_missing"}
