"""What the members of a household are and do: schooling, work, health, ethnicity."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import brentq

from povmon.synthetic.assumptions import access_target, load, published
from povmon.synthetic.calibrate import allocate
from povmon.synthetic.streams import Streams
from povmon.synthetic.weighted import Flags, Floats, snap, standardise

SCHOOL_YEARS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 9.0, 11.0, 12.0, 15.0, 16.0)
# Mean years of schooling of men by age in the common schedule (declared), and how much less
# women have.
AGES = (16, 22, 30, 40, 50, 60, 70, 80)
MEN = (9.2, 9.9, 9.3, 8.7, 7.4, 5.8, 4.4, 3.2)
WOMEN_LESS = (0.0, 0.1, 0.5, 0.9, 1.6, 2.2, 2.6, 2.4)

# Ages and shares: away for work, in non-farm work in the county, not working (declared).
MIGRANT = (
    (15, 17, 20, 26, 32, 40, 50, 60, 66), (0, 0.38, 0.58, 0.55, 0.43, 0.27, 0.13, 0.04, 0)
)  # fmt: skip
LOCAL = ((15, 18, 25, 40, 55, 70), (0, 0.10, 0.20, 0.20, 0.12, 0.02))
IDLE = ((15, 20, 30, 60, 65, 70, 75, 85), (0.25, 0.10, 0.06, 0.10, 0.25, 0.45, 0.70, 0.95))


def add_schooling(persons: pd.DataFrame, households: pd.DataFrame, streams: Streams) -> None:
    """Years of schooling, whether literate, and who over 15 is still in school.

    Parameters
    ----------
    persons : rosters; gets `schooling`, `literate`, `in_school` (ages 16 and over).
    households : area, county_term, village_term, w_hh, one row a household.
    streams : the survey's random streams.
    """
    row = persons["household"].to_numpy()
    age = persons["age"].to_numpy()
    female = (persons["sex"] == "female").to_numpy()
    family = streams.normal("school.family", len(households))
    terms = households["county_term"] * 0.25 + households["village_term"] * 0.25 + 0.55 * family
    ability = terms.to_numpy()[row] + 0.8 * streams.normal("school.person", len(persons))
    latent = np.interp(age, AGES, MEN) - female * np.interp(age, AGES, WOMEN_LESS)
    latent = latent + 2.5 * ability
    u = streams.uniform("school.over15", len(persons))
    shifts = _area_shift(persons, households, latent, u)
    years, pupil = _years(latent + shifts, age, u)
    persons["schooling"] = years
    persons["in_school"] = pupil
    persons["literate"] = _literate(persons, households, years, streams)


def _literate(
    persons: pd.DataFrame, households: pd.DataFrame, years: Floats, streams: Streams
) -> Flags:
    """Who can read and write: calibrated at ages 16 to 50, by years of schooling above."""
    age = persons["age"].to_numpy()
    noise = streams.normal("school.literate", len(persons))
    literate = np.asarray(years + 0.9 * noise > 2.2)
    young = (age >= 16) & (age <= 50)
    latent = -np.minimum(years, 9) + 1.3 * noise
    every = households.iloc[persons["household"].to_numpy()[young]]
    literate[young] = ~allocate(latent[young], every, access_target("illiteracy"))
    return literate


def _years(latent: Floats, age: np.ndarray, u: Floats) -> tuple[Floats, Flags]:
    """Years of schooling possible at this age, and who over 15 is a pupil or student.

    The better schooled stay longer. Schooling begins at seven.
    """
    chance = np.interp(
        age, (15, 16, 17, 18, 19, 20, 22, 23, 25), (1, 0.86, 0.72, 0.52, 0.3, 0.22, 0.12, 0.04, 0)
    )
    pupil = np.asarray((age >= 16) & (age <= 24) & (u - 0.06 * (latent - 9) < chance))
    possible = np.clip(age - 7.0, 0, 16)
    years = np.minimum(snap(np.clip(latent, 0, 16), SCHOOL_YEARS), possible)
    return np.where(pupil, np.clip(possible, 9, 16), years), pupil


def _area_shift(
    persons: pd.DataFrame, households: pd.DataFrame, latent: Floats, u: Floats
) -> Floats:
    """Shift of the schedule by area; solved for the area whose mean is published."""
    entries = load()["areas"]
    row = persons["household"].to_numpy()
    shift = households["area"].map({a: e["schooling_shift"] for a, e in entries.items()})
    shifts = shift.to_numpy(dtype=float)[row].copy()
    target = load()["schooling_years"]
    area = (households["area"] == target["area"]).to_numpy()[row]
    low, high = target["ages"]
    adults = area & persons["age"].between(low, high).to_numpy()
    if adults.any():
        wanted = published(target["area"], load()["reference_year"], "mean years of schooling")
        age = persons["age"].to_numpy()[adults]
        weight = households["w_hh"].to_numpy()[row][adults]

        def gap(value: float) -> float:
            years, _ = _years(latent[adults] + value, age, u[adults])
            return float(np.average(years, weights=weight)) - wanted

        shifts[area] = brentq(gap, -6.0, 6.0, xtol=1e-3)
    return shifts


def add_work(persons: pd.DataFrame, households: pd.DataFrame, streams: Streams) -> None:
    """Main work of those aged 16 and over, and months away."""
    number = len(persons)
    row = persons["household"].to_numpy()
    age = persons["age"].to_numpy()
    female = (persons["sex"] == "female").to_numpy()
    u = streams("work.kind").random((3, number))
    shared = streams.normal("work.household", len(households))[row]
    away = households["area"].map({a: e["away"] for a, e in load()["areas"].items()})
    migrant = np.interp(age, *MIGRANT) * np.where(female, 0.72, 1.08)
    migrant = migrant * away.to_numpy(dtype=float)[row] * np.exp(0.35 * shared - 0.06)
    local = np.interp(age, *LOCAL) * np.where(female, 0.7, 1.2)
    idle = np.interp(age, *IDLE)
    adult = age >= 16
    pupil = persons["in_school"].to_numpy()
    kind = np.select(
        [~adult, pupil, u[0] < np.minimum(migrant, 0.85), u[1] < local, u[2] < idle],
        ["none", "student", "migrant", "local", "none"],
        "farm",
    )
    persons["work"] = kind
    months = np.select(
        [kind == "migrant", kind == "local", (kind == "student") & (age >= 19)],
        [np.rint(4.5 + 7.5 * u[1] ** 0.45), np.rint(1.6 * u[1] * (u[2] < 0.3)), 10.0],
        0.0,
    )
    persons["months_away"] = np.clip(months, 0, 12)


def add_ethnicity(persons: pd.DataFrame, households: pd.DataFrame, streams: Streams) -> None:
    """Ethnicity: shares by area, very different between counties, mostly one in a household."""
    by_area = {a: e["minority"] for a, e in load()["areas"].items()}
    share = households["area"].map(by_area).to_numpy(dtype=float).clip(0.002, 0.995)
    county, village = households["county"].to_numpy(), households["village"].to_numpy()
    logit = np.log(share / (1 - share))
    term = 1.5 * streams.normal("ethnicity.county", county.max() + 1)[county]
    term += 1.2 * streams.normal("ethnicity.village", village.max() + 1)[village]
    # Divided by the spread that the terms add to the standard logistic, so that the mean stays.
    chance = 1 / (1 + np.exp(-(logit * np.sqrt(1 + (1.5**2 + 1.2**2) / 2.9) + term)))
    minority = streams.uniform("ethnicity.household", len(households)) < chance
    u = streams.uniform("ethnicity.mixed", len(households))
    mixed = u < 0.4 * chance * (1 - chance) + 0.005
    row = persons["household"].to_numpy()
    spouse = (persons["relation"].isin(["spouse", "child_in_law"])).to_numpy()
    own = minority[row] ^ (mixed[row] & spouse)
    persons["ethnicity"] = np.where(own, "minority", "han")


def add_health(persons: pd.DataFrame, streams: Streams) -> None:
    """State of health by age (declared)."""
    age = persons["age"].to_numpy()
    u = streams.uniform("health", len(persons))
    disabled = np.interp(age, (0, 20, 50, 70, 90), (0.008, 0.018, 0.035, 0.065, 0.10))
    serious = np.interp(age, (0, 20, 50, 70, 90), (0.004, 0.006, 0.022, 0.045, 0.06))
    chronic = np.interp(age, (0, 20, 40, 60, 80), (0.012, 0.02, 0.08, 0.24, 0.36))
    persons["health"] = np.select(
        [u < disabled, u < disabled + serious, u < disabled + serious + chronic],
        ["disabled", "serious", "chronic"],
        "good",
    )


def add_children_in_school(
    persons: pd.DataFrame, households: pd.DataFrame, streams: Streams
) -> None:
    """Enrolment of children, calibrated at ages 7 to 15; their years of schooling and work."""
    row = persons["household"].to_numpy()
    age = persons["age"].to_numpy()
    latent = households["well_being"].to_numpy()[row] * 0.6
    latent = latent + 0.9 * streams.normal("enrolment", len(persons))
    latent -= 0.25 * np.clip(age - 11, 0, None) + 0.12 * (persons["sex"] == "female").to_numpy()
    latent -= 1.2 * (persons["health"] == "disabled").to_numpy()
    duty = (age >= 7) & (age <= 15)
    pupil = persons["in_school"].to_numpy().copy()
    pupil[duty] = allocate(latent[duty], households.iloc[row[duty]], access_target("enrolment"))
    six = age == 6
    pupil[six] = standardise(latent[six]) > -0.7
    years = persons["schooling"].to_numpy().copy()
    at_school = np.clip(age - 7.0, 0, 9)
    late = streams.uniform("school.late", len(persons)) < 0.15
    child = age <= 15
    lost = np.where(duty & ~pupil, np.floor(at_school * 0.6), np.clip(at_school - late, 0, 9))
    years[child] = np.where(age < 7, 0, lost)[child]
    persons["in_school"] = pupil
    persons["schooling"] = years
    persons["literate"] = np.where(child, years >= 2, persons["literate"])
    persons["work"] = np.where(child & pupil, "student", persons["work"])


def add_services(persons: pd.DataFrame, households: pd.DataFrame, streams: Streams) -> None:
    """Timely care, medical insurance (by household) and pension, calibrated to their shares."""
    number = len(persons)
    row = persons["household"].to_numpy()
    every = households.iloc[row]
    base = every["well_being"].to_numpy()
    ill = (persons["health"] != "good").to_numpy()
    care = 0.7 * base + 0.9 * streams.normal("care", number)
    timely = np.zeros(number, dtype=bool)
    for group in (ill, ~ill):
        timely[group] = allocate(care[group], every[group], access_target("timely_care"))
    persons["timely_care"] = timely
    family = 0.35 * households["well_being"] + streams.normal("insured", len(households))
    insured = allocate(family.to_numpy(), households, access_target("ncms_households"))
    persons["insured"] = insured[row]
    pilot = streams.normal("pension.county", int(households["county"].max()) + 1)
    latent = 1.6 * pilot[every["county"].to_numpy()] + streams.normal("pension", number)
    age = persons["age"].to_numpy()
    target = access_target("pension")
    pension = np.zeros(number, dtype=bool)
    for group in (age >= 60, (age >= 16) & (age < 60)):
        pension[group] = allocate(latent[group], every[group], target)
    pension &= (age >= 60) | (streams.uniform("pension.young", number) < 0.7)
    persons["pension"] = pension
