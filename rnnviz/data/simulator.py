"""People and their minutes, drawn so that they resemble NHANES 2003-2006.

NumPy only, and no file but the package's own statistics.

A person has an age, a sex, a race and a BMI; lasting habits (how often and how hard they move, when
they put the device on and take it off); and on every day a deviation from these habits. Then:

worn     an alternating process whose hazards of putting on and taking off follow the hour
active   in a worn minute, z > k: z is a Gaussian process that remembers from seconds to hours (a
         Markov chain forgets too fast), k a threshold that follows hour, age, person and day
counts   the quantile function of the positive counts at Phi(m) with
         m = mean + noise (r v + sqrt(1 - r^2) w): v is the normal score of z above its threshold,
         w a second process with a memory of minutes
late     the days of the few who work at night are turned round the clock; they make up about half
         of what differs between people in the small hours

Not reproduced (simulated, then real):
- counts are remembered too little: correlation .60, .30, .17 at lags 1, 10, 60 min; .69, .37, .21
- the sum of log counts differs too much between people: sd 990; 906; and the mean log of means over
  several days too: sd .90; .75
- 5 % of the worn minutes lie in an hour of sitting still, which the study's rule takes for not worn
- the first day of wearing starts late in the morning in the study, here it is like any other
- race, weekday and sex do not change activity; midnight does not join two days of a person
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import NormalDist
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float32, Int, Shaped, UInt16

from rnnviz.data.wear import VALID_DAY

MINUTES = 1440
LARGEST_COUNT = 32_767  # where the device saturates [counts/min]

_PERSON_DAYS_AT_ONCE = 1000  # keeps the working memory near 100 MB
_PERIOD = 1920  # length of the circle on which a process is drawn: 480 min more than a day


@dataclass(frozen=True, kw_only=True)
class Simulated:
    """Person-days, the days of one person together and in order."""

    counts: UInt16[np.ndarray, "N 1440"]  # 0 where not worn [counts/min]
    worn: Bool[np.ndarray, "N 1440"]
    age: Int[np.ndarray, " N"]  # [years]
    female: Bool[np.ndarray, " N"]
    race: Int[np.ndarray, " N"]  # index into RACES
    bmi: Float[np.ndarray, " N"]  # [kg/m2]


@cache
def statistics() -> dict[str, Any]:
    """What was measured in the study and what was fitted to it (nhanes_stats.json)."""
    return json.loads(files("rnnviz.data").joinpath("nhanes_stats.json").read_text("utf-8"))


def races() -> tuple[str, ...]:
    """The levels of race and ethnicity, in the order of Simulated.race."""
    return tuple(statistics()["people"]["race"])


def simulate_days(people: int, days: int, seed: int) -> Simulated:
    """So many days of so many people; the same arguments give the same numbers."""
    rng = np.random.default_rng(seed)
    person = _draw_people(people, rng)
    rows = np.repeat(np.arange(people), days)
    counts = np.empty((rows.size, MINUTES), dtype=np.uint16)
    worn = np.empty((rows.size, MINUTES), dtype=bool)
    at_once = max(1, _PERSON_DAYS_AT_ONCE // days) * days  # a person's days share their habits
    for start in range(0, rows.size, at_once):
        part = slice(start, start + at_once)
        there = _wear(person, rows[part], rng)
        late = person.late[rows[part]]
        counts[part] = _later(_counts(person, rows[part], there, rng), late)
        worn[part] = _later(there, late)
    return Simulated(
        counts=counts,
        worn=worn,
        age=person.age[rows],
        female=person.female[rows],
        race=person.race[rows],
        bmi=person.bmi[rows],
    )


@dataclass(frozen=True, kw_only=True)
class _People:
    """What stays the same from day to day. Habits are standard normal, and correlated."""

    age: Int[np.ndarray, " P"]
    female: Bool[np.ndarray, " P"]
    race: Int[np.ndarray, " P"]
    bmi: Float[np.ndarray, " P"]
    often: Float[np.ndarray, " P"]  # how large a share of the worn minutes is active
    hard: Float[np.ndarray, " P"]  # how large the counts are when active
    rhythm: Float[np.ndarray, "P 3"]  # worn at midnight, put on late, taken off late
    late: Int[np.ndarray, " P"]  # how much later than usual the whole day runs [min]


def _draw_people(n: int, rng: np.random.Generator) -> _People:
    facts, fitted = statistics()["people"], statistics()["fitted"]
    cells = facts["cells"]
    share = np.array([cell["n"] for cell in cells], dtype=float)
    cell = rng.choice(len(cells), size=n, p=share / share.sum())
    low, high = (np.array([c[key] for c in cells])[cell] for key in ("age_from", "age_to"))
    age = rng.integers(low, high + 1)
    race_share = np.array(list(facts["race"].values()))
    race = rng.choice(len(race_share), size=n, p=race_share / race_share.sum())
    r = fitted["habit_correlation"]
    often, hard = _correlated(r, rng.standard_normal((2, n)))
    spread = np.sqrt(2 + 2 * r)  # of their sum
    return _People(
        age=age,
        female=np.array([c["sex"] == "Female" for c in cells])[cell],
        race=race,
        bmi=_draw_bmi(age, cell, race, (often + hard) / spread, rng),
        often=often,
        hard=hard,
        rhythm=_draw_rhythm(n, rng),
        late=_draw_late(age, rng),
    )


def _draw_bmi(
    age: Int[np.ndarray, " P"],
    cell: Int[np.ndarray, " P"],
    race: Int[np.ndarray, " P"],
    habit: Float[np.ndarray, " P"],
    rng: np.random.Generator,
) -> Float[np.ndarray, " P"]:
    """Log-normal by age and sex, moved by race in adults, and linked to the habit of moving."""
    facts, links = statistics()["people"], statistics()["fitted"]["bmi_link"]
    adult = age >= 20
    link = np.where(adult, links["adult"], links["child"])
    z = link * habit + np.sqrt(1 - link**2) * rng.standard_normal(age.size)
    log_mean, log_sd = (
        np.array([group[key] for group in facts["cells"]])[cell] for key in ("log_mean", "log_sd")
    )
    of_race = np.array([facts["race_mean_adult"][name] for name in facts["race"]])
    usual = np.average(of_race, weights=list(facts["race"].values()))
    log_bmi = log_mean + log_sd * z + np.where(adult, np.log(of_race / usual)[race], 0.0)
    return np.round(np.clip(np.exp(log_bmi), facts["bmi_min"], facts["bmi_max"]), 2)


def _draw_rhythm(n: int, rng: np.random.Generator) -> Float[np.ndarray, "n 3"]:
    """Worn at midnight, put on late, taken off late: who takes it off late often sleeps with it."""
    midnight, on, off = rng.standard_normal((3, n))
    r = statistics()["fitted"]["wear"]["night_correlation"]
    return np.stack([_correlated(r, np.stack([off, midnight]))[1], on, off], axis=1)


def _draw_late(age: Int[np.ndarray, " P"], rng: np.random.Generator) -> Int[np.ndarray, " P"]:
    """The few of working age whose night is their day [min]."""
    fitted = statistics()["fitted"]["late"]
    of_working_age = (age >= 18) & (age < 65)
    by_night = of_working_age & (rng.random(age.size) < fitted["night_workers"])
    low, high = fitted["night_work_by"]
    turned = rng.uniform(low, high, age.size)
    return np.rint(np.where(by_night, turned, 0)).astype(int)


def _later(day: Shaped[np.ndarray, "n 1440"], late: Int[np.ndarray, " n"]) -> np.ndarray:
    """Each day turned round the clock by so many minutes."""
    return np.take_along_axis(day, (np.arange(MINUTES) - late[:, None]) % MINUTES, axis=1)


def _correlated(r: float, z: Float[np.ndarray, "2 n"]) -> tuple[np.ndarray, np.ndarray]:
    """Two standard normal rows with correlation r, out of two independent ones."""
    return z[0], r * z[0] + np.sqrt(1 - r**2) * z[1]


def _wear(
    person: _People, row: Int[np.ndarray, " n"], rng: np.random.Generator
) -> Bool[np.ndarray, "n 1440"]:
    """Valid days of wearing: a day below 600 worn minutes is drawn anew.

    Whoever's rhythm gives no valid day in ten draws gets another, so that this always ends.
    """
    usual = _age_weights(person.age[row]) @ np.array(statistics()["fitted"]["wear"]["age"])
    rhythm = usual + person.rhythm[row]
    worn = _wear_once(rhythm, rng)
    draws = 1
    while (short := np.flatnonzero(worn.sum(axis=1) < VALID_DAY)).size:
        if draws % 10 == 0:
            rhythm[short] = usual[short] + _draw_rhythm(short.size, rng)
        worn[short] = _wear_once(rhythm[short], rng)
        draws += 1
    return worn


def _wear_once(
    rhythm: Float[np.ndarray, "n 3"], rng: np.random.Generator
) -> Bool[np.ndarray, "n 1440"]:
    """One day each. The time of the next change is where the summed hazard passes a unit
    exponential draw; the draws of one person's days are correlated by a Gaussian copula.
    """
    fitted = statistics()["fitted"]["wear"]
    n = len(rhythm)
    share = np.array(fitted["share_of_habit"])  # of midnight, of putting on, of taking off
    lasting, passing = np.sqrt(share), np.sqrt(1 - share)
    summed = [_summed_hazard(fitted[change]) for change in ("p_off_to_on", "p_on_to_off")]
    start = lasting[0] * rhythm[:, 0] + passing[0] * rng.standard_normal(n)
    on = start > NormalDist().inv_cdf(1 - fitted["on_at_midnight"])
    steps = np.zeros((n, MINUTES + 1), dtype=np.int8)
    steps[:, 0] = on
    now = np.zeros(n, dtype=np.intp)
    while (row := np.flatnonzero(now < MINUTES)).size:
        change = 1 + on[row]  # 1: it will be put on, 2: taken off
        z = lasting[change] * rhythm[row, change]
        z += passing[change] * rng.standard_normal(row.size)
        wait = -np.log(np.maximum(_phi(-z), 1e-12))
        # Shorter gaps are taken for sitting still by every rule that tells wear from counts.
        gap = np.where(on[row] | (now[row] == 0), 0, fitted["shortest_gap"])
        since = np.minimum(now[row] + gap, MINUTES)
        after = [np.searchsorted(hazard, hazard[since] + wait) for hazard in summed]
        then = np.minimum(np.where(on[row], after[1], after[0]), MINUTES)
        steps[row, then] += np.where(on[row], -1, 1).astype(np.int8)
        now[row], on[row] = then, ~on[row]
    return np.cumsum(steps[:, :MINUTES], axis=1, dtype=np.int8).astype(bool)


def _summed_hazard(hourly: list[float]) -> Float[np.ndarray, " 1441"]:
    """Hazard summed from midnight to each minute, from the chance of a change in each minute."""
    rate = -np.log1p(-np.repeat(hourly, 60))
    return np.concatenate(([0.0], np.cumsum(rate)))


def _counts(
    person: _People,
    row: Int[np.ndarray, " n"],
    worn: Bool[np.ndarray, "n 1440"],
    rng: np.random.Generator,
) -> UInt16[np.ndarray, "n 1440"]:
    """Counts of one day in each row; the mean of m is that of the positive counts' normal score."""
    facts, fitted = statistics()["counts"], statistics()["fitted"]
    ages = _age_weights(person.age[row])
    day = _correlated(fitted["day_correlation"], rng.standard_normal((2, row.size)))
    often = ages @ np.array(fitted["often"]["person"]) * person.often[row]
    often += fitted["often"]["day"] * day[0]
    hard = ages @ np.array(fitted["hard"]["person"]) * person.hard[row]
    hard += fitted["hard"]["day"] * day[1]
    usual = ages @ _by_minute(np.array(fitted["often"]["hour_by_age"]))
    threshold = -(usual + often[:, None]).astype(np.float32)
    z = _often_process(row, fitted["often"]["memory"], rng)
    active = worn & (z > threshold)
    floor = _phi(threshold[active])
    v = _phi_inverse((_phi(z[active]) - floor) / (1 - floor))
    memory = fitted["hard"]["memory"]
    w = _process(row.size, memory["weight"], memory["minutes"], rng)[active]
    r, noise = fitted["hard"]["share_of_often"], fitted["hard"]["minute"]
    mean = (hard + ages @ np.array(fitted["hard"]["age"]))[:, None] + _by_minute(
        np.array(facts["hour_mean"])
    )
    counts = np.zeros(worn.shape, dtype=np.uint16)
    counts[active] = _count_at(mean[active] + noise * (r * v + np.sqrt(1 - r**2) * w))
    return counts


def _age_weights(age: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n A"]:
    """How much each age group's centre counts for each age: straight lines between the centres."""
    centres = statistics()["age_centres"]
    return np.stack([np.interp(age, centres, row) for row in np.eye(len(centres))], axis=1)


def _by_minute(hourly: Float[np.ndarray, "*rows 24"]) -> Float[np.ndarray, "*rows 1440"]:
    """Straight lines between the middles of the hours, round midnight."""
    minutes, middles = np.arange(MINUTES) + 0.5, np.arange(24) * 60 + 30
    to_minute = [np.interp(minutes, middles, row, period=MINUTES) for row in np.eye(24)]
    return hourly @ np.stack(to_minute)


def _often_process(
    row: Int[np.ndarray, " n"], memory: dict[str, list[float]], rng: np.random.Generator
) -> Float32[np.ndarray, "n 1440"]:
    """One day's course plus the person's usual one, together of variance 1."""
    weight, habit = np.array(memory["weight"]), np.array(memory["habit"])
    day = _process(row.size, weight * (1 - habit), memory["minutes"], rng)
    person, of_row = np.unique(row, return_inverse=True)
    return day + _process(person.size, weight * habit, memory["minutes"], rng)[of_row]


def _process(
    n: int,
    weights: Sequence[float] | Float[np.ndarray, " k"],
    minutes: Sequence[float],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "n 1440"]:
    """Gaussian processes whose autocovariance is a sum of weight * exp(-lag / minutes).

    Drawn by their spectrum on a circle that is longer than the day (circulant embedding).
    """
    lag = np.minimum(np.arange(_PERIOD), _PERIOD - np.arange(_PERIOD))
    parts = zip(weights, minutes, strict=True)
    covariance = sum(weight * np.exp(-lag / scale) for weight, scale in parts)
    power = np.maximum(np.fft.rfft(covariance).real, 0) * _PERIOD / 2
    power[[0, -1]] *= 2  # these two frequencies have no imaginary part
    white = rng.standard_normal((n, _PERIOD // 2 + 1, 2), dtype=np.float32).view(np.complex64)
    return np.fft.irfft(white[..., 0] * np.sqrt(power).astype(np.float32), n=_PERIOD)[:, :MINUTES]


def _count_at(score: Float[np.ndarray, " M"]) -> UInt16[np.ndarray, " M"]:
    """The positive count whose rank among all positive counts has this normal score."""
    facts = statistics()["counts"]
    at = [NormalDist().inv_cdf(p / 100) for p in facts["probs_percent"]]
    log_count = np.interp(score, [*at, 4.5], np.log([*facts["quantiles"], LARGEST_COUNT]))
    return np.clip(np.rint(np.exp(log_count)), 1, LARGEST_COUNT).astype(np.uint16)


_SCORES = np.linspace(-6.0, 6.0, 2401)
_CHANCES = np.array([NormalDist().cdf(score) for score in _SCORES])


def _phi(score: np.ndarray) -> np.ndarray:
    """The standard normal distribution function, by table (error below 1e-6)."""
    return np.interp(score, _SCORES, _CHANCES)


def _phi_inverse(chance: np.ndarray) -> np.ndarray:
    """Its inverse, within [-6, 6]."""
    return np.interp(chance, _CHANCES, _SCORES)
