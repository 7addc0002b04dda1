"""People and their minutes, drawn so that they resemble NHANES 2003-2006.

NumPy only, and no file but the package's own statistics.

A person has an age, a sex, a race and a BMI; lasting habits (how often and how hard they move, when
they put the device on and take it off, whether they sleep with it, whether their day runs early or
late); and on every day a deviation from these habits. Then:

on       an alternating process whose hazards of putting on and taking off follow the hour; in a
         kept night the device stays on
active   in a minute that is on, z > k: z is a Gaussian process that remembers from seconds to hours
         (a Markov chain forgets too fast), k a threshold that follows hour, age, person and day
counts   the quantile function of the positive counts at Phi(m) with
         m = mean + noise (r v + sqrt(1 - r^2) w): v is the normal score of z above its threshold,
         w a second process with a memory of minutes
late     each person's day is turned round the clock: by minutes, or by hours for the few who work
         at night, who make up much of what differs between people at night
worn     what is on and what the study's own rule takes for worn

Not reproduced (simulated, then real):
- counts are remembered too little: correlation .62, .32, .17 at lags 1, 10, 60 min; .69, .37, .21
- whether one moves is remembered too little beyond half an hour: .16 at an hour; .20
- the sum of log counts differs too much between people: variance a tenth to a fifth too large, and
  the log of means over several days too: sd .95; .75; less spread in how often people move would
  mend this and make the memory shorter still
- the longest stretch of wear ends 50 min too early: the evening is broken up too much
- the first day of wearing starts late in the morning in the study, here it is like any other
- race, weekday and sex do not change activity; midnight joins two days of a person only where the
  device is kept on
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

from rnnviz.data.wear import VALID_DAY, worn

MINUTES = 1440
LARGEST_COUNT = 32_767  # where the device saturates [counts/min]

_PERSON_DAYS_AT_ONCE = 1000  # keeps the working memory near 100 MB
_ASLEEP = 240  # by this minute whoever went to bed late has taken the device off
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
    there = np.empty((rows.size, MINUTES), dtype=bool)
    at_once = max(1, _PERSON_DAYS_AT_ONCE // days) * days  # a person's days share their habits
    for start in range(0, rows.size, at_once):
        part = slice(start, start + at_once)
        counts[part], there[part] = _valid_days(person, rows[part], rng)
    return Simulated(
        counts=counts,
        worn=there,
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
    rhythm: Float[np.ndarray, "P 3"]  # kept on overnight, put on late, taken off late
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
        rhythm=_draw_rhythm(often, rng),
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


def _draw_rhythm(
    often: Float[np.ndarray, " n"], rng: np.random.Generator
) -> Float[np.ndarray, "n 3"]:
    """Kept on overnight, less so by who moves often; put on late; taken off late."""
    kept, *ends = rng.standard_normal((3, often.size))
    r = statistics()["fitted"]["wear"]["kept"]["with_often"]
    return np.stack([_correlated(r, np.stack([often, kept]))[1], *ends], axis=1)


def _draw_late(age: Int[np.ndarray, " P"], rng: np.random.Generator) -> Int[np.ndarray, " P"]:
    """Larks and owls; and a few of working age whose night is their day [min]."""
    fitted = statistics()["fitted"]["late"]
    of_working_age = (age >= 18) & (age < 65)
    by_night = of_working_age & (rng.random(age.size) < fitted["night_workers"])
    low, high = fitted["night_work_by"]
    turned = rng.uniform(low, high, age.size)
    late = fitted["minutes"] * rng.standard_normal(age.size)
    return np.rint(np.where(by_night, turned, late)).astype(int)


def _correlated(r: float, z: Float[np.ndarray, "2 n"]) -> tuple[np.ndarray, np.ndarray]:
    """Two standard normal rows with correlation r, out of two independent ones."""
    return z[0], r * z[0] + np.sqrt(1 - r**2) * z[1]


def _valid_days(
    person: _People, row: Int[np.ndarray, " n"], rng: np.random.Generator
) -> tuple[UInt16[np.ndarray, "n 1440"], Bool[np.ndarray, "n 1440"]]:
    """Counts and wear of one valid day in each row: a day below 600 worn minutes is drawn anew.

    Whoever's rhythm gives no valid day in ten draws gets another, so that this always ends.
    """
    usual = _age_weights(person.age[row]) @ np.array(statistics()["fitted"]["wear"]["age"])
    rhythm = usual + person.rhythm[row]
    kept = _kept_nights(rhythm[:, 0], row, rng)
    course = _usual_course(row, rng)
    counts = np.empty(course.shape, dtype=np.uint16)
    there = np.empty(course.shape, dtype=bool)
    short, draws = np.arange(row.size), 0
    while short.size:
        on = _keep_on(_wear_awake(rhythm[short], rng), kept[short])
        late = person.late[row[short]]
        counts[short] = _later(_counts(person, row[short], on, course[short], rng), late)
        # A long stretch of sitting still counts as not worn, as it did in the study.
        there[short] = _later(on, late) & worn(counts[short].astype(np.float32))
        counts[short] *= there[short]
        short, draws = short[there[short].sum(axis=1) < VALID_DAY], draws + 1
        if draws % 10 == 0:
            rhythm[short] = usual[short] + _draw_rhythm(person.often[row[short]], rng)
    return counts, there


def _later(day: Shaped[np.ndarray, "n 1440"], late: Int[np.ndarray, " n"]) -> np.ndarray:
    """Each day turned round the clock by so many minutes."""
    return np.take_along_axis(day, (np.arange(MINUTES) - late[:, None]) % MINUTES, axis=1)


def _kept_nights(
    habit: Float[np.ndarray, " n"], row: Int[np.ndarray, " n"], rng: np.random.Generator
) -> Bool[np.ndarray, "n 2"]:
    """Whether the device stays on in the night before and in the night after each day.

    The night after a day is the night before the same person's next day.
    """
    fitted = statistics()["fitted"]["wear"]["kept"]
    share = fitted["share_of_habit"]
    _, of_row = np.unique(row, return_inverse=True)
    before = np.arange(row.size) + of_row  # a person has one night more than days
    noise = rng.standard_normal(row.size + of_row[-1] + 1)
    nights = np.stack([noise[before], noise[before + 1]], axis=1)
    z = np.sqrt(share) * habit[:, None] + np.sqrt(1 - share) * nights
    return z > NormalDist().inv_cdf(1 - fitted["share"])


def _keep_on(
    on: Bool[np.ndarray, "n 1440"], kept: Bool[np.ndarray, "n 2"]
) -> Bool[np.ndarray, "n 1440"]:
    """In a kept night the device stays on from when it would have been taken off for the night
    until it would have been put on in the morning.
    """
    before, after = kept[:, :1], kept[:, 1:]
    asleep = np.arange(MINUTES) < _ASLEEP
    not_up_yet = ~np.logical_or.accumulate(on & ~asleep, axis=1)
    in_bed = ~np.logical_or.accumulate(on[:, ::-1], axis=1)[:, ::-1]
    return on | (not_up_yet & before) | (in_bed & after)


def _wear_awake(
    rhythm: Float[np.ndarray, "n 3"], rng: np.random.Generator
) -> Bool[np.ndarray, "n 1440"]:
    """One day each of people who take the device off for the night.

    The time of the next change is where the summed hazard passes a unit exponential draw; the
    draws of one person's days are correlated by a Gaussian copula.
    """
    fitted = statistics()["fitted"]["wear"]
    n = len(rhythm)
    share = np.array(fitted["share_of_habit"])  # of putting on, of taking off
    lasting, passing = np.sqrt(share), np.sqrt(1 - share)
    summed = [_summed_hazard(fitted[change]) for change in ("p_off_to_on", "p_on_to_off")]
    late = lasting[1] * rhythm[:, 2] + passing[1] * rng.standard_normal(n)
    on = late > NormalDist().inv_cdf(1 - fitted["on_at_midnight"])
    steps = np.zeros((n, MINUTES + 1), dtype=np.int8)
    steps[:, 0] = on
    now = np.zeros(n, dtype=np.intp)
    while (row := np.flatnonzero(now < MINUTES)).size:
        ends = on[row].astype(np.intp)
        z = lasting[ends] * rhythm[row, 1 + ends] + passing[ends] * rng.standard_normal(row.size)
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
    on: Bool[np.ndarray, "n 1440"],
    course: Float32[np.ndarray, "n 1440"],
    rng: np.random.Generator,
) -> UInt16[np.ndarray, "n 1440"]:
    """Counts of one day in each row; the mean of m is that of the positive counts' normal score."""
    facts, fitted = statistics()["counts"], statistics()["fitted"]
    often, hard = fitted["often"], fitted["hard"]
    ages = _age_weights(person.age[row])
    day = _correlated(fitted["day_correlation"], rng.standard_normal((2, row.size)))
    habit = ages @ np.array(often["person"]) * person.often[row] + often["day"] * day[0]
    usual = ages @ _by_minute(np.array(often["hour_by_age"]))
    threshold = -(usual + habit[:, None]).astype(np.float32)
    memory = often["memory"]
    of_day = np.array(memory["weight"]) * (1 - np.array(memory["habit"]))
    z = course + _process(row.size, of_day, memory["minutes"], rng)
    z = _stir(z, threshold, on, rng)
    active = on & (z > threshold)
    floor = _phi(threshold[active])
    v = _phi_inverse((_phi(z[active]) - floor) / (1 - floor))
    w = _process(row.size, hard["memory"]["weight"], hard["memory"]["minutes"], rng)[active]
    strength = ages @ np.array(hard["person"]) * person.hard[row] + hard["day"] * day[1]
    mean = (strength + ages @ np.array(hard["age"]))[:, None] + _by_minute(
        np.array(facts["hour_mean"])
    )
    r, noise = hard["share_of_often"], hard["minute"]
    counts = np.zeros(on.shape, dtype=np.uint16)
    counts[active] = _count_at(mean[active] + noise * (r * v + np.sqrt(1 - r**2) * w))
    return counts


def _stir(
    z: Float32[np.ndarray, "n 1440"],
    threshold: Float32[np.ndarray, "n 1440"],
    on: Bool[np.ndarray, "n 1440"],
    rng: np.random.Generator,
) -> Float32[np.ndarray, "n 1440"]:
    """A livelier z where the first one lets someone sit still for an hour, above all in bed.

    Only who moves at least once an hour is known to wear the device.
    """
    still = on & ~worn(np.where(z > threshold, LARGEST_COUNT, 0).astype(np.float32))
    row = np.flatnonzero(still.any(axis=1))
    lively = statistics()["fitted"]["often"]["lively"]
    instead = lively["mean"] + _process(row.size, lively["weight"], lively["minutes"], rng)
    z[row] = np.where(still[row], instead, z[row])
    return z


def _age_weights(age: Int[np.ndarray, " n"]) -> Float[np.ndarray, "n A"]:
    """How much each age group's centre counts for each age: straight lines between the centres."""
    centres = statistics()["age_centres"]
    return np.stack([np.interp(age, centres, row) for row in np.eye(len(centres))], axis=1)


def _by_minute(hourly: Float[np.ndarray, "*rows 24"]) -> Float[np.ndarray, "*rows 1440"]:
    """Straight lines between the middles of the hours, round midnight."""
    minutes, middles = np.arange(MINUTES) + 0.5, np.arange(24) * 60 + 30
    to_minute = [np.interp(minutes, middles, row, period=MINUTES) for row in np.eye(24)]
    return hourly @ np.stack(to_minute)


def _usual_course(
    row: Int[np.ndarray, " n"], rng: np.random.Generator
) -> Float32[np.ndarray, "n 1440"]:
    """Each person's usual course of a day; with the course of one day it has variance 1."""
    memory = statistics()["fitted"]["often"]["memory"]
    weight = np.array(memory["weight"]) * np.array(memory["habit"])
    person, of_row = np.unique(row, return_inverse=True)
    return _process(person.size, weight, memory["minutes"], rng)[of_row]


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
