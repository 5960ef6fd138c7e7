"""The poverty map: county maps of the country and of each area, with their uncertainty."""

from povmon.present.maps.atlas import MAIN, Atlas, load_atlas
from povmon.present.maps.choropleth import county_choropleth
from povmon.present.maps.sheets import Sheet, Sheets

__all__ = ["MAIN", "Atlas", "Sheet", "Sheets", "county_choropleth", "load_atlas"]
