"""The poverty map of a survey: national maps, area sheets, the table behind them.

A survey whose counties or boundaries are not known has no maps; every function then gives what
there is (estimates by area) or a sentence that says why there is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from povmon import paths
from povmon.errors import PovmonError
from povmon.present import charts, labels, tables
from povmon.present.display import Figure, Table, Text
from povmon.present.escaping import escape_markdown
from povmon.present.maps import draw, words
from povmon.present.maps.classes import Classes, quantile_classes
from povmon.present.maps.frame import (
    ABSENT,
    OUTSIDE,
    SUPPRESSED,
    CountyValues,
    county_values,
    polygon_groups,
)
from povmon.present.maps.sheets import Sheet, Sheets
from povmon.reference import boundaries
from povmon.survey import Survey, load_survey

# What the table shows beside the mapped indicator, where the survey has it.
MAIN = (
    "headcount",
    "poverty_gap",
    "income_mean",
    "mpi_h",
    "county_villages_water",
    "county_villages_road",
)


def load_atlas(survey: str) -> Atlas:
    """The atlas of a survey, from its estimates in data/processed.

    Parameters
    ----------
    survey : name of the survey.

    Raises
    ------
    PovmonError : there is no such survey, or none of its areas has estimates yet.
    """
    found = load_survey(survey)
    parts, missing = [], []
    for area in found.area_ids:
        path = paths.processed(survey, area) / "estimates.parquet"
        if path.is_file():
            parts.append(pd.read_parquet(path))
        else:
            missing.append(area)
    if not parts:
        raise PovmonError(
            "no area has estimates yet",
            where=f"data/processed/{survey}",
            todo=f"run `make SURVEY={survey}`",
        )
    return Atlas(found, pd.concat(parts, ignore_index=True), tuple(missing))


@dataclass(frozen=True)
class Atlas:
    """Maps, texts and tables of one survey.

    Parameters
    ----------
    survey : the survey.
    estimates : estimates of all its areas (estimates.parquet joined).
    missing : areas without estimates.
    """

    survey: Survey
    estimates: pd.DataFrame
    missing: tuple[str, ...] = ()

    @property
    def why_no_maps(self) -> str:
        """Why this survey cannot be mapped; empty when it can."""
        if self.survey.counties == "none":
            return "the survey's records do not name counties, so there are no boundaries for them"
        if self.survey.areas != "reference":
            return "the reference data hold no boundaries for this survey's areas"
        return ""

    def coverage(self) -> Text:
        """How many counties are on the maps, and which areas are missing."""
        if self.why_no_maps:
            return Text(f"This survey has no maps: {escape_markdown(self.why_no_maps)}.")
        return words.coverage(self._values(MAIN[0]), self._area_words(), self.missing)

    def sources(self) -> Text:
        """Where boundaries and the list of counties come from, and how the maps are made."""
        if self.why_no_maps:
            return Text("No boundaries were used.")
        return Text(
            words.SOURCES.format(
                version=boundaries.version(), projection=boundaries.PROJECTION_NOTE
            )
        )

    def national_map(self, indicator: str) -> Figure | Table | Text:
        """Map of all areas for one indicator (without boundaries: a chart of the areas).

        Parameters
        ----------
        indicator : id of the catalogue.

        Raises
        ------
        PovmonError : the catalogue has no such indicator.
        """
        label = labels.indicator(indicator, self.survey.survey)
        if self.why_no_maps:
            return charts.area_comparison_chart(self.estimates, indicator)
        values = self._values(indicator)
        if values.shown.empty:
            return self._nothing(label.en, values)
        classes = self._classes(indicator)
        figure = self._national(values, classes, words.heading(label, values.unit))
        return Figure(
            figure,
            words.caption(label, self.survey),
            words.alt(label, values, self.survey.area_names),
            raster=True,
            note=words.note(values, classes, self.survey),
            dpi=draw.DPI,
        )

    def interval_map(self, indicator: str) -> Figure | Text:
        """Map of how wide the 95 % interval of each county's estimate is."""
        label = labels.indicator(indicator, self.survey.survey)
        if self.why_no_maps:
            return Text(f"No map of intervals: {escape_markdown(self.why_no_maps)}.")
        values = words.half_widths(self._values(indicator))
        if values.shown.empty:
            return Text(f"{escape_markdown(label.en)} has no interval by county.")
        classes = quantile_classes(_numbers(values), values.unit, "low")
        heading = words.heading(label, values.unit, what="half width of the 95 % interval")
        figure = self._national(values, classes, heading)
        return Figure(
            figure,
            words.interval_caption(label, self.survey),
            words.interval_alt(label, values),
            raster=True,
            note=words.note(values, classes, self.survey),
            dpi=draw.DPI,
        )

    def _national(self, values: CountyValues, classes: Classes, heading: str) -> draw.KnownMap:
        found = boundaries.load("national")
        groups = polygon_groups(found.counties, values, classes)
        names = self.survey.area_names
        return draw.remembered_map(
            ["national", str(names), *_shown(groups, classes, heading)],
            lambda: draw.national(found, groups, classes, names, heading),
        )

    def reading(self, indicator: str) -> Text:
        """What the map says, in numbers, and how sure it is."""
        label = labels.indicator(indicator, self.survey.survey)
        if self.why_no_maps:
            return tables.headline(self._pooled(), indicator, "all")
        values = self._values(indicator)
        if values.shown.empty:
            return self._nothing(label.en, values)
        return words.reading(label, values, self._whole(indicator))

    def area_sheet(self, area: str, indicator: str = MAIN[0]) -> Sheet | Text:
        """Map of one area with the names of its counties, and the table behind it.

        Raises
        ------
        PovmonError : the survey has no such area; lists the valid ones.
        """
        self.survey.check_area(area)
        en, zh = self.survey.area_names[area]
        if self.why_no_maps:
            return Text(f"No map of {escape_markdown(en)}: {escape_markdown(self.why_no_maps)}.")
        label = labels.indicator(indicator, self.survey.survey)
        whole = self._values(indicator)
        mine = CountyValues(
            whole.frame[whole.frame["area_id"] == area].reset_index(drop=True),
            indicator,
            whole.unit,
        )
        if mine.shown.empty:
            return self._nothing(f"{label.en} in {en}", mine)
        classes = self._classes(indicator)
        found = boundaries.load("sheet")
        groups = polygon_groups(found.counties, mine, classes)
        names = dict(
            zip(
                mine.frame["county_id"],
                zip(mine.frame["county_short_en"], mine.frame["county_zh"], strict=True),
                strict=True,
            )
        )
        heading = words.heading(label, mine.unit)
        figure = draw.remembered_map(
            ["area", area, str(names), *_shown(groups, classes, heading)],
            lambda: draw.area_map(found, groups, classes, area, names, heading),
        )
        return Sheet(
            name=f"{en} {zh}".strip(),
            text=words.reading(label, mine, self._area_row(indicator, area), "the area"),
            figure=Figure(
                figure,
                words.caption(label, self.survey, f"{en} {zh}".strip()),
                words.alt(label, mine, {area: (en, zh)}),
                raster=True,
                note=words.note(mine, classes, self.survey, sheet=True),
                dpi=draw.DPI,
            ),
            table=self.table(area=area),
        )

    def area_sheets(self, indicator: str = MAIN[0]) -> Sheets | Text:
        """The sheets of all areas of the survey, one after the other."""
        if self.why_no_maps:
            return Text(f"There are no area sheets: {escape_markdown(self.why_no_maps)}.")
        return Sheets(
            tuple(
                (f"{en} {zh}".strip(), self.area_sheet(area, indicator))
                for area, (en, zh) in self.survey.area_names.items()
            )
        )

    def table(self, indicators: Sequence[str] | None = None, area: str = "") -> Table | Text:
        """County estimates with intervals, the numbers behind the maps.

        Parameters
        ----------
        indicators : ids; None takes the main ones that the survey has.
        area : one area; empty takes all.
        """
        wanted = list(indicators or MAIN)
        if self.why_no_maps:
            present = [i for i in wanted if (self.estimates["indicator"] == i).any()]
            return tables.comparison_table(self.estimates, present, "area")
        by_county = self.estimates[self.estimates["domain_kind"] == "county"]
        wanted = [i for i in wanted if (by_county["indicator"] == i).any()]
        if not wanted:
            return Text("The survey has no estimates by county.")
        return words.county_table(
            [self._values(i) for i in wanted], self.survey, self._area_words(), area
        )

    # ---- what the maps are made from

    @cached_property
    def _found(self) -> dict[str, CountyValues]:
        return {}

    def _values(self, indicator: str) -> CountyValues:
        if indicator not in self._found:
            self._found[indicator] = county_values(self.survey, self.estimates, indicator)
        return self._found[indicator]

    def _classes(self, indicator: str) -> Classes:
        """The same classes on the national map and on every sheet."""
        values = self._values(indicator)
        good = labels.indicator(indicator, self.survey.survey).good
        return quantile_classes(_numbers(values), values.unit, good)

    def _whole(self, indicator: str) -> pd.Series | None:
        """The pooled estimate; None where the pool has not been made."""
        rows = tables.select(self._pooled(), indicator, "all")
        return rows.iloc[0] if len(rows) == 1 else None

    def _pooled(self) -> pd.DataFrame:
        """The pooled estimates; no rows where the pool has not been made."""
        path = paths.processed(self.survey.survey, "nation") / "estimates.parquet"
        return pd.read_parquet(path) if path.is_file() else self.estimates.head(0)

    def _area_row(self, indicator: str, area: str) -> pd.Series | None:
        rows = tables.select(self.estimates, indicator, "area", area)
        return rows.iloc[0] if len(rows) == 1 else None

    def _area_words(self) -> dict[str, str]:
        return {a: f"{en} {zh}".strip() for a, (en, zh) in self.survey.area_names.items()}

    def _nothing(self, what: str, values: CountyValues) -> Text:
        status = values.frame["status"].value_counts()
        if status.get(SUPPRESSED, 0):
            why = "every county's estimate is withheld by the publication rules"
        elif status.get(ABSENT, 0) or status.get(OUTSIDE, 0):
            why = "the survey has no such estimate by county"
        else:
            why = "there are no counties"
        return tables.nothing(what, why)


def _shown(groups: pd.DataFrame, classes: Classes, heading: str) -> list[str]:
    """What a map shows of the data: each polygon's class and signs, and the legend."""
    polygons = groups.drop(columns="geometry").to_csv(index=False)
    return [polygons, str(classes), heading]


def _numbers(values: CountyValues) -> np.ndarray:
    return values.frame["estimate"].to_numpy(dtype=float)
