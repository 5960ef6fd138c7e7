"""Areas and counties: loaded, given English names, and validated."""

from __future__ import annotations

from functools import cache

import pandas as pd

from povmon.errors import PovmonError
from povmon.reference.load import numeric, place, table

COUNTIES = 680
# Administrative committees of Haixi without a GB/T 2260 code get one of this project's own: the
# prefecture's four digits, then X, so that it can never be taken for an official one.
OWN_IDS = {
    "冷湖行政委员会": "6328X1",
    "茫崖行政委员会": "6328X2",
    "大柴旦行政委员会": "6328X3",
}
# Set up in November 2012: in the revision of 2013, as the note in counties.csv says.
LATER_CODES = {"542431": "双湖县"}
KEY_COUNTY = {"true": "key", "false": "other", "": "unknown"}
_COLUMNS = [
    "county_id", "area_id", "province_id", "province_zh", "province_en", "prefecture_zh",
    "prefecture_en", "county_zh", "county_en", "county_short_en", "county_label_en",
    "gb2260_code_2012", "key_county", "boundary_adcode_2021", "note",
]  # fmt: skip


def areas() -> pd.DataFrame:
    """The 14 areas, in the official order.

    Returns
    -------
    area_id, name_zh, name_en, official_counties (int), special_policy_area (bool).

    Raises
    ------
    PovmonError : the file is missing, changed or invalid.
    """
    return _areas().copy()


def counties() -> pd.DataFrame:
    """The 680 counties of the 14 areas, in the order of the areas and codes of the file.

    Returns
    -------
    One row a county: county_id (GB/T 2260 code of 2012, or this project's own for three
    administrative committees), area_id, province_id (two digits), province_zh, province_en
    (short), prefecture_zh, prefecture_en, county_zh, county_en (with its generic part),
    county_short_en (for maps), county_label_en (unique: the province is added where two counties
    share an English name), gb2260_code_2012 (may be blank), key_county (key, other, unknown),
    boundary_adcode_2021, note. The assignment of counties to areas was compiled and
    cross-checked, not copied from one official file.

    Raises
    ------
    PovmonError : a file is missing, changed or invalid; names file and row.
    """
    return _counties().copy()


def gb2260() -> pd.DataFrame:
    """County-level codes of GB/T 2260, revision of October 2012: code, name_zh."""
    return table("gb2260_2012")


@cache
def _areas() -> pd.DataFrame:
    frame = table("areas")
    frame["official_counties"] = numeric(frame, "official_counties", "areas").astype("int64")
    frame["special_policy_area"] = frame["special_policy_area"] == "1"
    return check_areas(frame)


@cache
def _counties() -> pd.DataFrame:
    raw = check_counties(table("counties"), _areas(), gb2260())
    frame = raw.rename(
        columns={"province": "province_zh", "prefecture": "prefecture_zh", "county": "county_zh"}
    )
    own = frame["county_zh"].map(OWN_IDS)
    frame["county_id"] = frame["gb2260_code_2012"].where(frame["gb2260_code_2012"] != "", own)
    frame["province_id"] = frame["county_id"].str[:2]
    frame["key_county"] = frame["key_county"].map(KEY_COUNTY)
    return _with_english(frame)[_COLUMNS]


def check_areas(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the areas unchanged if they are 14, unique, and their counties add up to 680."""
    if frame["area_id"].duplicated().any() or len(frame) != 14:
        raise PovmonError(
            f"{frame['area_id'].nunique()} different areas in {len(frame)} rows, expected 14",
            where="data/raw/reference/areas.csv",
        )
    total = int(frame["official_counties"].sum())
    if total != COUNTIES:
        raise PovmonError(
            f"the official counts add up to {total}, expected {COUNTIES}",
            where="data/raw/reference/areas.csv, column official_counties",
        )
    return frame


def check_counties(
    frame: pd.DataFrame, area_frame: pd.DataFrame, codes: pd.DataFrame
) -> pd.DataFrame:
    """Return the counties of counties.csv unchanged if they are complete and their codes right.

    Parameters
    ----------
    frame : counties.csv as text.
    area_frame : `areas()`.
    codes : `gb2260()`.

    Raises
    ------
    PovmonError : a county too many or few, a code twice, unknown to the revision of 2012 or with
        another name there, a flag or boundary code outside its list; names the row.
    """
    _check_counts(frame, area_frame)
    _check_codes(frame, codes)
    _check_cells(frame, "key_county", frame["key_county"].isin(list(KEY_COUNTY)), "true, false")
    _check_cells(
        frame,
        "boundary_adcode_2021",
        frame["boundary_adcode_2021"].str.fullmatch(r"\d{6}"),
        "six digits",
    )
    return frame


def _check_counts(frame: pd.DataFrame, area_frame: pd.DataFrame) -> None:
    valid = list(area_frame["area_id"])
    _check_cells(frame, "area_id", frame["area_id"].isin(valid), ", ".join(valid))
    if len(frame) != COUNTIES:
        raise PovmonError(
            f"{len(frame)} counties, expected {COUNTIES}", where="data/raw/reference/counties.csv"
        )
    found = frame["area_id"].value_counts()
    for row in area_frame.itertuples():
        if found.get(row.area_id, 0) != row.official_counties:
            raise PovmonError(
                f"{row.area_id} has {found.get(row.area_id, 0)} counties, officially "
                f"{row.official_counties}",
                where="data/raw/reference/counties.csv, column area_id",
            )


def _check_codes(frame: pd.DataFrame, codes: pd.DataFrame) -> None:
    code = frame["gb2260_code_2012"]
    present = code != ""
    unique = ~(present & code.duplicated(keep=False))
    _check_cells(frame, "gb2260_code_2012", unique, "a code that stands once")
    blank_allowed = present | frame["county"].isin(list(OWN_IDS))
    _check_cells(frame, "gb2260_code_2012", blank_allowed, "six digits")
    known = {**dict(zip(codes["code"], codes["name_zh"], strict=True)), **LATER_CODES}
    same_name = ~present | (code.map(known) == frame["county"])
    _check_cells(
        frame, "gb2260_code_2012", same_name, "a code of the 2012 revision with the same name"
    )


def _check_cells(frame: pd.DataFrame, column: str, right: pd.Series, allowed: str) -> None:
    if not right.all():
        row = right.index[~right][0]
        raise PovmonError(
            f"{frame.at[row, column]!r} ({frame['county'][row]!s}) is not allowed",
            where=place("counties", row, column),
            todo=f"allowed: {allowed}",
        )


def _with_english(frame: pd.DataFrame) -> pd.DataFrame:
    """Add English names of county, prefecture and province, and a unique label."""
    names = table("romanisation")
    for kind, keys, columns in (
        ("province", ["province_zh"], {"short_en": "province_en"}),
        ("prefecture", ["province_zh", "prefecture_zh"], {"name_en": "prefecture_en"}),
        (
            "county",
            ["province_zh", "prefecture_zh", "county_zh"],
            {"name_zh": "county_zh", "name_en": "county_en", "short_en": "county_short_en"},
        ),
    ):
        part = names[names["kind"] == kind].rename(columns=columns)
        wanted = part.loc[:, list(dict.fromkeys([*keys, *columns.values()]))]
        frame = frame.merge(wanted, on=keys, how="left", validate="many_to_one")
    missing = frame.index[frame[["province_en", "prefecture_en", "county_en"]].isna().any(axis=1)]
    if len(missing):
        raise PovmonError(
            f"no English name for {frame['county_zh'][missing[0]]!s} or what it belongs to",
            where="data/raw/reference/romanisation.csv",
            todo="run tools/romanise.py and tools/seal_reference.py",
        )
    frame["county_label_en"] = _unique_labels(frame)
    return frame


def _unique_labels(frame: pd.DataFrame) -> pd.Series:
    """The English name, with the province where several counties share the name."""
    shared = frame["county_en"].duplicated(keep=False)
    labels = frame["county_en"].where(
        ~shared, frame["county_en"] + " (" + frame["province_en"] + ")"
    )
    if labels.duplicated().any():
        row = labels.index[labels.duplicated()][0]
        raise PovmonError(
            f"two counties would both be called {labels[row]!r}", where=place("counties", row)
        )
    return labels
