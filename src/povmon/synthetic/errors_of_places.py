"""Kinds of error of the village and county forms."""

from __future__ import annotations

from povmon.synthetic.plant import (
    Plant,
    above,
    every,
    far_slip,
    more_than,
    scaled,
    share_of,
    shifted,
    write,
    wrong_total,
)

FUNDS = (
    "funds_central", "funds_provincial", "funds_other", "use_production", "use_infrastructure",
    "use_social", "use_other",
)  # fmt: skip
MU_PER_HECTARE = 15


VILLAGE_PLANTS: tuple[Plant, ...] = (
    Plant("village_count", "village", "logical",
          "more natural villages with a road than there are", every,
          more_than("nv_road", "natural_villages", 1, 8), ("nv_road",), ("natural_villages",)),
    Plant("village_population", "village", "logical", "fewer persons than households",
          above("households", 5), share_of("population", "households", 0.2, 0.8),
          ("population",), ("households",)),
    Plant("village_weight_missing", "village", "logical", "village weight left blank", every,
          write("w_village", ""), ("w_village",)),
    Plant("village_road_code", "village", "logical", "neither yes nor no", every,
          write("hardened_road", "9", "unknown", "x"), ("hardened_road",)),
    Plant("village_altitude", "village", "logical", "an altitude that no village has", every,
          write("altitude_m", "99999", "-999", "32000"), ("altitude_m",)),
    Plant("village_distance", "village", "statistical",
          "distance 3.5 to 8 robust standard deviations too large or too small",
          above("distance_km", 0), shifted(("distance_km",), "distance_km", decimals=2),
          ("distance_km",)),
)  # fmt: skip

COUNTY_PLANTS: tuple[Plant, ...] = (
    Plant("county_funds", "county", "logical", "funds by use differ from funds by source", every,
          wrong_total("use_production"), ("use_production",), FUNDS),
    Plant("county_villages_road", "county", "logical",
          "more villages with a road than villages", every,
          more_than("villages_road", "villages", 1, 9), ("villages_road",), ("villages",)),
    Plant("county_enrolled", "county", "logical", "more enrolled children than children", every,
          share_of("enrolled_7_15", "children_7_15", 1.05, 1.6), ("enrolled_7_15",),
          ("children_7_15",)),
    Plant("county_poor", "county", "logical", "more registered poor than rural population", every,
          share_of("registered_poor", "rural_population", 1.05, 1.6), ("registered_poor",),
          ("rural_population",)),
    Plant("county_population", "county", "logical", "more rural than registered population",
          every, share_of("population", "rural_population", 0.4, 0.95), ("population",),
          ("rural_population",)),
    Plant("county_irrigated", "county", "logical", "more irrigated farmland than farmland", every,
          share_of("irrigated", "farmland", 1.05, 2.0, decimals=1), ("irrigated",),
          ("farmland",)),
    Plant("county_farmland_mu", "county", "statistical", "farmland in mu instead of hectares",
          far_slip("farmland", MU_PER_HECTARE, every), scaled(("farmland",), MU_PER_HECTARE),
          ("farmland",), ("grain", "irrigated")),
    Plant("county_grain_kg", "county", "statistical", "grain in kilograms instead of tonnes",
          far_slip("grain", 1000, every), scaled(("grain",), 1000), ("grain",), ("farmland",)),
    Plant("county_gdp_yuan", "county", "statistical", "product in yuan instead of 10,000 yuan",
          far_slip("gdp", 1e4, every), scaled(("gdp",), 1e4), ("gdp",), ("revenue", "population")),
    Plant("county_income_shift", "county", "statistical",
          "income per person 3.5 to 8 robust standard deviations too high or too low",
          above("rural_income_pc", 0), shifted(("rural_income_pc",), "rural_income_pc"),
          ("rural_income_pc",)),
)  # fmt: skip
