"""The simulated study: same arguments, same numbers; its cache; how near it is to the real one.

The real statistics are of 292 people (1,335 valid days), whose ages differ from the 14,526 people
whom the simulator draws. Minute statistics are therefore compared on simulated people picked so
that the age groups have the shares they have among the real person-days (estimated by least
squares from the hourly means by age). A tolerance covers the sampling error of the real sample,
where people count, not minutes, and what the simulator is known not to catch.
"""

import json
import lzma
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from rnnviz.config import DataConfig
from rnnviz.data import nhanes, people, rdata, simulator
from rnnviz.data.days import Days, as_sequences
from rnnviz.data.wear import worn as by_the_rule
from rnnviz.errors import DataError

AGE_GROUPS = ("6-11", "12-19", "20-39", "40-59", "60-85")
REAL_SHARES = np.array([0.073, 0.179, 0.137, 0.240, 0.371])  # of the real person-days
LAGS = (1, 2, 3, 5, 10, 15, 30, 60, 120)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Person-days, days of one person together."""

    counts: np.ndarray
    worn: np.ndarray
    age: np.ndarray
    female: np.ndarray
    bmi: np.ndarray
    days: int

    @property
    def group(self) -> np.ndarray:
        return np.searchsorted([12, 20, 40, 60], self.age, side="right")

    @property
    def log_total(self) -> np.ndarray:
        return np.log(self.counts.sum(axis=1))


def sample_of(days: Days, per_person: int) -> Sample:
    return Sample(
        counts=days.minutes,
        worn=days.wear.astype(bool),
        age=days.covariates[:, 0],
        female=days.covariates[:, 1],
        bmi=days.target,
        days=per_person,
    )


def like_the_real_ages(sample: Sample, shares: np.ndarray = REAL_SHARES) -> Sample:
    """As many people as can be had with the age shares of the real minute sample."""
    group = sample.group[:: sample.days]
    people = (np.bincount(group, minlength=5) / shares).min()
    chosen = [np.flatnonzero(group == g)[: int(people * shares[g])] for g in range(5)]
    first = np.sort(np.concatenate(chosen)) * sample.days
    rows = (first[:, None] + np.arange(sample.days)).ravel()
    return Sample(
        counts=sample.counts[rows],
        worn=sample.worn[rows],
        age=sample.age[rows],
        female=sample.female[rows],
        bmi=sample.bmi[rows],
        days=sample.days,
    )


@pytest.fixture(scope="module")
def real(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "nhanes" / "stats.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def study() -> Days:
    """Many people, one day each."""
    return nhanes.simulate(4000, 1, 1)


@pytest.fixture(scope="module")
def crowd(study: Days) -> Sample:
    return sample_of(study, 1)


@pytest.fixture(scope="module")
def alike(crowd: Sample) -> Sample:
    return like_the_real_ages(crowd)


@pytest.fixture(scope="module")
def weeks() -> Sample:
    """People with several days each."""
    return sample_of(nhanes.simulate(1000, 4, 2), 4)


def hourly(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), 24, 60).mean(axis=(0, 2))


# ---- the contract


def test_same_arguments_same_numbers_and_another_seed_others() -> None:
    first, again, other = (nhanes.simulate(40, 2, seed) for seed in (1, 1, 2))
    for name in ("minutes", "wear", "target", "covariates"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
        assert not np.array_equal(getattr(first, name), getattr(other, name))


@pytest.mark.parametrize(("people", "days"), [(1, 1), (30, 1), (7, 3), (3, 7), (600, 2)])
def test_rows_are_people_by_days(people: int, days: int) -> None:
    made = nhanes.simulate(people, days, 0)
    assert made.minutes.shape == made.wear.shape == (people * days, 1440)
    assert len(made.ids) == people * days
    assert len(set(made.ids)) == people
    assert made.ids[0] == "S00001"
    for person in range(people):
        rows = slice(person * days, (person + 1) * days)
        assert len(set(made.ids[rows])) == 1
        assert np.ptp(made.target[rows]) == 0
        assert np.ptp(made.covariates[rows], axis=0).max() == 0


def test_counts_are_whole_within_range_and_zero_without_the_device(crowd: Sample) -> None:
    np.testing.assert_array_equal(crowd.counts, np.rint(crowd.counts))
    assert crowd.counts.min() == 0
    assert 10_000 < crowd.counts.max() <= 32_767
    assert (crowd.counts == 32_767).mean() < 1e-5
    assert crowd.counts[~crowd.worn].max() == 0


def test_every_day_is_valid(crowd: Sample, weeks: Sample) -> None:
    assert crowd.worn.sum(axis=1).min() >= 600
    assert weeks.worn.sum(axis=1).min() >= 600


def test_covariates_and_groups_say_the_same() -> None:
    made = nhanes.simulate(400, 1, 3)
    age, female, race = made.covariates[:, 0], made.covariates[:, 1], made.covariates[:, 2:]
    names = [variable.name for variable in made.covariate_names]
    assert names[:2] == ["age", "female"]
    assert all(name.startswith("race: ") for name in names[2:])
    assert len(names) == made.covariates.shape[1] == 7
    np.testing.assert_array_equal(race.sum(axis=1), 1)
    assert (age.min(), age.max()) == (6, 85)
    for label, years in zip(made.groups["age"], age, strict=True):
        low, high = map(int, label.split("-"))
        assert low <= years <= high
    assert [label == "female" for label in made.groups["sex"]] == female.astype(bool).tolist()
    assert [c == "under 20" for c in made.groups["BMI class"]] == (age < 20).tolist()


@pytest.mark.parametrize(
    ("bmi", "age", "label"),
    [
        (18.49, 20, "underweight"),
        (18.5, 20, "normal"),
        (24.99, 50, "normal"),
        (25.0, 50, "overweight"),
        (29.99, 85, "overweight"),
        (30.0, 85, "obese"),
        (45.0, 19, "under 20"),
    ],
)
def test_bmi_classes_of_the_who(bmi: float, age: int, label: str) -> None:
    assert people.bmi_classes(np.array([bmi], float), np.array([age], float)) == (label,)


def test_says_that_it_is_simulated() -> None:
    made = nhanes.simulate(30, 1, 0)
    assert made.source.simulated
    assert "do not exist" in made.notes[0]
    assert "NHANES 2003-2006" in simulator.statistics()["origin"]["data"]


@pytest.mark.parametrize("blocks", ["144x1", "24x60", "1440x1"])
def test_becomes_sequences(blocks: str) -> None:
    config = DataConfig(people=30, days=2, blocks=blocks)
    dataset = as_sequences(nhanes.load(config, None), config)
    assert len(dataset.inputs) == 60
    assert np.isfinite(dataset.inputs).all()


@pytest.mark.parametrize(("people", "days"), [(20_000, 2), (2_858, 7), (20_001, 1)])
def test_refuses_more_than_memory_is_set_aside_for(people: int, days: int) -> None:
    with pytest.raises(DataError, match="at most 20000 are allowed: choose fewer"):
        nhanes.simulate(people, days, 0)


@pytest.mark.parametrize(("people", "days"), [(0, 1), (5, 0), (-3, 2)])
def test_refuses_nobody(people: int, days: int) -> None:
    with pytest.raises(DataError, match="choose at least 1 of each"):
        nhanes.simulate(people, days, 0)


# ---- the cache

CONFIG = DataConfig(people=30, days=2)


def same(one: Days, other: Days) -> bool:
    arrays = ("minutes", "wear", "target", "covariates")
    plain = ("name", "unit", "ids", "groups", "covariate_names", "source", "notes")
    return all(np.array_equal(getattr(one, a), getattr(other, a)) for a in arrays) and all(
        getattr(one, p) == getattr(other, p) for p in plain
    )


def test_out_of_the_cache_comes_what_went_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "not" / "yet"
    fresh = nhanes.load(CONFIG, folder)
    (file,) = folder.iterdir()
    assert file.name == f"nhanes-v{nhanes.VERSION}-30x2-20030.npz"

    def never(*_: int) -> None:
        raise AssertionError("it should have read the cache")

    monkeypatch.setattr(nhanes, "simulate_days", never)
    assert same(nhanes.load(CONFIG, folder), fresh)
    monkeypatch.undo()
    assert same(nhanes.load(CONFIG, None), fresh)
    assert same(nhanes.simulate(30, 2, 20_030), fresh)


def test_each_size_and_seed_has_its_own_file(tmp_path: Path) -> None:
    nhanes.load(CONFIG, tmp_path)
    nhanes.load(DataConfig(people=30, days=1), tmp_path)
    nhanes.load(CONFIG, tmp_path, seed=5)
    assert len(list(tmp_path.iterdir())) == 3


def flipped(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return (
        whole[:middle] + bytes(255 - b for b in whole[middle : middle + 64]) + whole[middle + 64 :]
    )


DAMAGE = {
    "empty": lambda whole: whole[:0],
    "cut off": lambda whole: whole[: len(whole) // 2],
    "text": lambda whole: b"this is no archive" * (len(whole) // 18),
    "flipped": flipped,
    "tail lost": lambda whole: whole[:-10],
}


@pytest.mark.parametrize("harm", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_cache_file_is_made_anew(tmp_path: Path, harm: Any) -> None:
    fresh = nhanes.load(CONFIG, tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    file.write_bytes(harm(whole))
    assert same(nhanes.load(CONFIG, tmp_path), fresh)
    assert [f.name for f in tmp_path.iterdir()] == [file.name]
    with np.load(file) as stored:
        assert stored["counts"].shape == (60, 1440)


def test_a_file_of_another_shape_is_made_anew(tmp_path: Path) -> None:
    fresh = nhanes.load(CONFIG, tmp_path)
    (file,) = tmp_path.iterdir()
    with np.load(file) as stored:
        values = dict(stored)
    for change in ({"counts": values["counts"][:9]}, {"bmi": values["bmi"][:9]}):
        np.savez(file, **{**values, **change})
        assert same(nhanes.load(CONFIG, tmp_path), fresh)


def test_a_folder_that_cannot_be_written_costs_the_cache_only(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    assert same(nhanes.load(CONFIG, blocked / "cache"), nhanes.load(CONFIG, None))


# ---- people, against the 14,526 of the study


def test_bmi_of_all(real: dict[str, Any], crowd: Sample) -> None:
    expected = real["BMI"]["all"]
    assert crowd.bmi.mean() == pytest.approx(expected["mean"], abs=0.4)
    assert crowd.bmi.std() == pytest.approx(expected["sd"], abs=0.6)
    assert crowd.bmi.min() >= expected["min"]
    for percent, tolerance in (("5", 0.6), ("25", 0.7), ("50", 0.6), ("75", 0.7), ("95", 1.6)):
        value = expected["quantiles"][percent]
        assert np.percentile(crowd.bmi, int(percent)) == pytest.approx(value, abs=tolerance)


@pytest.mark.parametrize("sex", ["Female", "Male"])
@pytest.mark.parametrize("ages", ["6-8", "12-15", "30-39", "50-59", "80-85"])
def test_bmi_by_age_and_sex(real: dict[str, Any], crowd: Sample, ages: str, sex: str) -> None:
    low, high = map(int, ages.split("-"))
    expected = real["BMI"]["by_age_sex"][f"{ages}|{sex}"]
    there = (crowd.age >= low) & (crowd.age <= high) & (crowd.female == (sex == "Female"))
    log_bmi = np.log(crowd.bmi[there])
    error = expected["log_sd"] / math.sqrt(there.sum())
    assert log_bmi.mean() == pytest.approx(expected["log_mean"], abs=4 * error)
    assert log_bmi.std() == pytest.approx(expected["log_sd"], abs=3 * error + 0.01)
    share = expected["n"] / real["BMI"]["n"]
    assert there.mean() == pytest.approx(share, abs=4 * math.sqrt(share / len(crowd.bmi)))


def test_shares_and_bmi_of_the_races(real: dict[str, Any], study: Days) -> None:
    adult = study.covariates[:, 0] >= 20
    levels = [variable.name.removeprefix("race: ") for variable in study.covariate_names[2:]]
    assert levels == list(real["BMI"]["race"])
    for column, level in enumerate(levels, start=2):
        there = study.covariates[:, column] == 1
        share = real["BMI"]["race"][level]
        assert there.mean() == pytest.approx(share, abs=4 * math.sqrt(share / len(there)))
        bmi = study.target[there & adult]
        mean = real["BMI"]["race_mean_adult"][level]
        assert bmi.mean() == pytest.approx(mean, abs=0.4 + 3 * 6.5 / math.sqrt(len(bmi)))


# ---- wear


def test_share_worn_by_hour(real: dict[str, Any], alike: Sample) -> None:
    expected = real["wear_fraction_hourly"]["valid_days_this_sample"]
    np.testing.assert_allclose(hourly(alike.worn), expected, atol=0.06)


def test_worn_minutes_of_a_day(real: dict[str, Any], alike: Sample) -> None:
    mean, sd = real["overall"]["wear_minutes_per_valid_day_mean_sd"]
    minutes = alike.worn.sum(axis=1)
    assert minutes.mean() == pytest.approx(mean, abs=20)
    assert minutes.std() == pytest.approx(sd, abs=20)


def test_when_the_longest_stretch_of_wear_begins_and_ends(
    real: dict[str, Any], alike: Sample
) -> None:
    edges = np.diff(np.pad(alike.worn.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    longest = []
    for day in edges:
        begin, end = np.flatnonzero(day == 1), np.flatnonzero(day == -1)
        k = np.argmax(end - begin)
        longest.append((begin[k], end[k]))
    expected = real["longest_wear_block"]
    for found, name in zip(np.transpose(longest), ("start", "end"), strict=True):
        assert found.mean() == pytest.approx(expected[f"{name}_minute"]["mean"], abs=30)
        assert found.std() == pytest.approx(expected[f"{name}_sd"], abs=35)
        assert np.median(found) == pytest.approx(expected[f"{name}_minute"]["p50"], abs=30)


# ---- minutes


def test_share_of_zeros(real: dict[str, Any], alike: Sample) -> None:
    zero = alike.counts == 0
    assert zero.mean() == pytest.approx(real["overall"]["zero_share_all"], abs=0.03)
    assert zero[alike.worn].mean() == pytest.approx(real["overall"]["zero_share_wear"], abs=0.02)


def test_share_of_zeros_by_hour(real: dict[str, Any], alike: Sample) -> None:
    """At night few wear the device, so that the real share is known less well there."""
    active = (alike.counts > 0).reshape(-1, 24, 60).sum(axis=(0, 2))
    zero = 1 - active / alike.worn.reshape(-1, 24, 60).sum(axis=(0, 2))
    error = zero - np.array(real["person_day_hourly_wear"]["pzero"])
    assert np.abs(error[7:22]).max() < 0.04
    assert np.abs(error).max() < 0.10


def test_mean_by_hour(real: dict[str, Any], alike: Sample) -> None:
    expected = real["person_day_hourly_all"]
    np.testing.assert_allclose(hourly(alike.counts)[7:22], expected["mean"][7:22], rtol=0.2)
    np.testing.assert_allclose(hourly(alike.counts), expected["mean"], atol=40)
    logs = hourly(np.log1p(alike.counts))
    np.testing.assert_allclose(logs, expected["log1p_mean"], atol=0.25)


def test_mean_and_intensity_of_all_minutes(real: dict[str, Any], alike: Sample) -> None:
    expected, worn = real["overall"], alike.counts[alike.worn]
    assert alike.counts.mean() == pytest.approx(expected["mean_all"], rel=0.1)
    assert alike.counts.std() == pytest.approx(expected["sd_all"], rel=0.1)
    assert (worn >= 2020).mean() == pytest.approx(expected["share_ge_2020_MVPA_wear"], rel=0.15)
    assert (worn < 100).mean() == pytest.approx(expected["share_lt_100_sedentary_wear"], abs=0.025)


@pytest.mark.parametrize("part", ["all", "06-11", "12-17", "18-23"])
def test_quantiles_of_positive_counts(real: dict[str, Any], alike: Sample, part: str) -> None:
    low, high = (0, 23) if part == "all" else map(int, part.split("-"))
    counts = alike.counts[:, low * 60 : (high + 1) * 60]
    table = real["positive_count_quantiles"]
    chosen = [
        (percent, value)
        for percent, value in zip(table["probs_percent"], table[part], strict=True)
        if 20 <= percent <= 99
    ]
    found = np.percentile(counts[counts > 0], [percent for percent, _ in chosen])
    np.testing.assert_allclose(found, [value for _, value in chosen], rtol=0.15, atol=2)


def correlation(values: np.ndarray, there: np.ndarray, lag: int) -> float:
    both = there[:, lag:] & there[:, :-lag]
    return float(np.corrcoef(values[:, lag:][both], values[:, :-lag][both])[0, 1])


def test_memory_of_activity(real: dict[str, Any], alike: Sample) -> None:
    active = (alike.counts > 0).astype(float)
    found = [correlation(active, alike.worn, lag) for lag in LAGS]
    expected = list(real["latent_gaussian"]["acf_active_state_worn"].values())
    np.testing.assert_allclose(found, expected, atol=0.03)


def test_memory_of_log_counts(real: dict[str, Any], alike: Sample) -> None:
    found = [correlation(np.log1p(alike.counts), alike.worn, lag) for lag in LAGS]
    table = real["autocorrelation"]["log1p_counts_wear_only"]
    np.testing.assert_allclose(found, [table[str(lag)][0] for lag in LAGS], atol=0.05)


def test_memory_of_positive_counts(real: dict[str, Any], alike: Sample) -> None:
    """Through the real quantiles to normal scores, then the correlation of pairs of minutes."""
    table = real["positive_count_quantiles"]
    at = [NormalDist().inv_cdf(percent / 100) for percent in table["probs_percent"]]
    knots, first = np.unique(np.log(table["all"]), return_index=True)
    active = alike.counts > 0
    scores = np.interp(np.log(np.maximum(alike.counts, 1)), knots, np.array(at)[first])
    found = [correlation(scores, active, lag) for lag in LAGS]
    expected = list(real["latent_gaussian"]["acf_both_positive"].values())
    np.testing.assert_allclose(found, expected, atol=0.05)


def run_lengths(mask: np.ndarray) -> np.ndarray:
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1).ravel()
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


@pytest.mark.parametrize("kind", ["zero", "active"])
def test_runs(real: dict[str, Any], alike: Sample, kind: str) -> None:
    active = alike.counts > 0
    runs = run_lengths(active if kind == "active" else alike.worn & ~active)
    expected = real["run_lengths_minutes_wear"][f"{kind}_runs"]
    assert runs.mean() == pytest.approx(expected["mean"], rel=0.08)
    for percent in (25, 50, 75, 90, 95, 99):
        value = expected[f"p{percent}"]
        assert np.percentile(runs, percent) == pytest.approx(value, rel=0.15, abs=1)


# ---- people and days


def components(values: np.ndarray, days: int) -> tuple[float, float]:
    """Variance between and within people (one-way analysis of variance)."""
    table = values.reshape(-1, days)
    within = table.var(axis=1, ddof=1).mean()
    return float(table.mean(axis=1).var(ddof=1) - within / days), float(within)


def test_variance_between_and_within_people(real: dict[str, Any], weeks: Sample) -> None:
    sample = like_the_real_ages(weeks)
    between, within = components(sample.log_total, sample.days)
    expected = real["variance_components"]["log_TAC"]
    assert sample.log_total.mean() == pytest.approx(expected["mean"], abs=0.08)
    assert sample.log_total.std() == pytest.approx(expected["sd_total"], abs=0.06)
    assert within == pytest.approx(expected["var_within"], rel=0.2)
    assert between / (between + within) == pytest.approx(expected["icc"], abs=0.06)


@pytest.mark.parametrize(("measure", "tolerance"), [("TLAC", 0.08), ("MVPA_min", 0.08)])
def test_other_shares_of_variance(
    real: dict[str, Any], weeks: Sample, measure: str, tolerance: float
) -> None:
    sample = like_the_real_ages(weeks)
    of_day = np.log1p(sample.counts) if measure == "TLAC" else sample.counts >= 2020
    values = of_day.sum(axis=1)
    between, within = components(values, sample.days)
    expected = real["variance_components"][measure]
    assert values.mean() == pytest.approx(expected["mean"], rel=0.1)
    assert values.std() == pytest.approx(expected["sd_total"], rel=0.2)
    assert between / (between + within) == pytest.approx(expected["icc"], abs=tolerance)


def test_share_of_variance_by_hour(real: dict[str, Any], weeks: Sample) -> None:
    """The share of people in the variance of an hour's mean log; at night few people make it."""
    sample = like_the_real_ages(weeks)
    logs = np.log1p(sample.counts).reshape(-1, 24, 60).mean(axis=2)
    parts = np.array([components(logs[:, hour], sample.days) for hour in range(24)])
    found = parts[:, 0] / parts.sum(axis=1)
    expected = np.array(real["variance_components"]["hourly_log1p_mean"]["icc"])
    np.testing.assert_allclose(found[6:], expected[6:], atol=0.14)
    np.testing.assert_allclose(found[:6], expected[:6], atol=0.2)
    assert found[:6].mean() == pytest.approx(expected[:6].mean(), abs=0.12)


def test_activity_by_age(real: dict[str, Any], crowd: Sample) -> None:
    for group, label in enumerate(AGE_GROUPS):
        expected = real["age_activity_minute_sample"][label]
        there = crowd.group == group
        error = expected["log_TAC_sd"] / math.sqrt(expected["n"])
        assert crowd.log_total[there].mean() == pytest.approx(
            expected["log_TAC_mean"], abs=2 * error
        )
        intense = (crowd.counts[there] >= 2020).sum(axis=1).mean()
        assert intense == pytest.approx(expected["MVPA_mean"], rel=0.3)


def test_profile_by_age(real: dict[str, Any], crowd: Sample) -> None:
    """Only by day: few of the real people wear the device at night."""
    for group, label in enumerate(AGE_GROUPS):
        found = hourly(np.log1p(crowd.counts[crowd.group == group]))
        expected = np.array(real["age_hourly_log1p_mean"][label])
        assert np.sqrt(np.mean((found - expected)[8:22] ** 2)) < 0.4
        assert np.corrcoef(found, expected)[0, 1] > 0.97


# ---- BMI and activity


def partial_correlation(one: np.ndarray, other: np.ndarray, given: np.ndarray) -> float:
    given = np.column_stack([np.ones(len(one)), given])
    rests = [y - given @ np.linalg.lstsq(given, y, rcond=None)[0] for y in (one, other)]
    return float(np.corrcoef(*rests)[0, 1])


def bmi_link(sample: Sample, chosen: np.ndarray) -> float:
    """Partial correlation, given age and sex, of BMI with the mean log total of a person's days."""
    activity = sample.log_total.reshape(-1, sample.days).mean(axis=1)
    given = np.column_stack([sample.age, sample.female])[:: sample.days]
    bmi = sample.bmi[:: sample.days]
    return partial_correlation(activity[chosen], bmi[chosen], given[chosen])


def test_bmi_falls_a_little_with_activity_in_adults(weeks: Sample) -> None:
    """-0.187 in the 214 adults of the minute sample, -0.22 in 2,978 people from 50 on."""
    adult = weeks.age[:: weeks.days] >= 20
    assert -0.29 < bmi_link(weeks, adult) < -0.11


def test_bmi_falls_a_little_with_one_day_of_activity(crowd: Sample) -> None:
    assert -0.22 < bmi_link(crowd, crowd.age >= 20) < -0.10
    assert -0.20 < bmi_link(crowd, crowd.age >= 6) < -0.08


def test_little_of_bmi_can_be_told_from_a_day(crowd: Sample) -> None:
    """Ridge regression on 144 means of 10 minutes, tested on other people."""
    x = np.log1p(crowd.counts.reshape(-1, 144, 10).mean(axis=2))
    train, test = slice(0, 2800), slice(2800, None)
    x = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    y = crowd.bmi - crowd.bmi[train].mean()
    weights = np.linalg.solve(x[train].T @ x[train] + 3000 * np.eye(144), x[train].T @ y[train])
    rest = y[test] - x[test] @ weights
    assert 0.03 < 1 - np.mean(rest**2) / np.var(y[test]) < 0.13


# ---- the real people themselves: facts to which no number of the simulator was fitted


@dataclass(frozen=True, kw_only=True)
class RealPeople:
    """The 292 people of a real file, one row each."""

    counts: np.ndarray
    age: np.ndarray
    female: np.ndarray
    bmi: np.ndarray

    @property
    def shares(self) -> np.ndarray:
        """Shares of the age groups."""
        group = np.searchsorted([12, 20, 40, 60], self.age, side="right")
        return np.bincount(group, minlength=5) / len(self.age)


def real_people(shared: Path, name: str, folder: Path) -> RealPeople:
    file = shared / "data" / "nhanes" / name
    if not file.is_file():
        pytest.skip(f"the real data are not here: there is no {file.name}")
    plain = folder / name
    plain.write_bytes(lzma.decompress(file.read_bytes()))
    table = rdata.read_r(plain, name, "rdata", most_cells=1_000_000).tables[0].table
    minutes = [table.column(f"MIN{minute}").to_numpy() for minute in range(1, 1441)]
    return RealPeople(
        counts=np.stack(minutes, axis=1).astype(np.float32),
        age=table.column("Age").to_numpy(),
        female=np.array([sex == "Female" for sex in table.column("Gender").to_pylist()]),
        bmi=table.column("BMI").to_numpy(),
    )


@pytest.fixture(scope="module")
def day_of_each(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealPeople:
    """The first valid day of each."""
    return real_people(shared, "MINdata_oneday.rda", tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def means_of_each(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> RealPeople:
    """Means over the 1 to 7 valid days of each."""
    return real_people(shared, "MINdata.rda", tmp_path_factory.mktemp("means"))


@pytest.fixture(scope="module")
def like_them(crowd: Sample, day_of_each: RealPeople) -> Sample:
    """Simulated people of their ages, one day each."""
    return like_the_real_ages(crowd, day_of_each.shares)


@pytest.fixture(scope="module")
def means_like_theirs(real: dict[str, Any], means_of_each: RealPeople) -> RealPeople:
    """Simulated people of their ages, means over as many days as they have."""
    sample = like_the_real_ages(sample_of(nhanes.simulate(500, 7, 3), 7), means_of_each.shares)
    valid = real["MINdata_participant_average"]["valid_days_per_participant_counts"]
    share = np.array([valid[str(days)] for days in range(1, 8)]) / sum(valid.values())
    days = np.random.default_rng(0).choice(np.arange(1, 8), size=len(sample.age) // 7, p=share)
    there = np.arange(7) < days[:, None]
    weeks = sample.counts.reshape(-1, 7, 1440)
    first = slice(None, None, 7)
    return RealPeople(
        counts=np.einsum("pdm,pd->pm", weeks, there / days[:, None]).astype(np.float32),
        age=sample.age[first],
        female=sample.female[first],
        bmi=sample.bmi[first],
    )


def per_hour(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), 24, 60).mean(axis=2)


def in_standard_errors(found: np.ndarray, real: np.ndarray) -> np.ndarray:
    """How far the means over people lie apart, in standard errors of their difference."""
    error = np.sqrt(found.var(axis=0) / len(found) + real.var(axis=0) / len(real))
    return (found.mean(axis=0) - real.mean(axis=0)) / error


MEASURES = {
    "counts": lambda counts: counts,
    "zeros": lambda counts: counts == 0,
    "wear by the rule": lambda counts: by_the_rule(counts),
}


@pytest.mark.parametrize(
    ("measure", "tolerance"), [("counts", 75), ("zeros", 0.09), ("wear by the rule", 0.09)]
)
def test_hours_of_one_day(
    like_them: Sample, day_of_each: RealPeople, measure: str, tolerance: float
) -> None:
    """From 10 o'clock on and before 6: on the first day many put the device on late."""
    of = MEASURES[measure]
    found, expected = per_hour(of(like_them.counts)), per_hour(of(day_of_each.counts))
    hours = np.r_[0:6, 10:24]
    assert np.abs(found.mean(axis=0) - expected.mean(axis=0))[hours].max() < tolerance
    assert np.sqrt(np.mean(in_standard_errors(found, expected)[hours] ** 2)) < 3


@pytest.mark.parametrize(("measure", "tolerance"), [("counts", 75), ("zeros", 0.14)])
def test_hours_of_means(
    means_like_theirs: RealPeople, means_of_each: RealPeople, measure: str, tolerance: float
) -> None:
    of = MEASURES[measure]
    found, expected = per_hour(of(means_like_theirs.counts)), per_hour(of(means_of_each.counts))
    assert np.abs(found.mean(axis=0) - expected.mean(axis=0)).max() < tolerance
    assert np.sqrt(np.mean(in_standard_errors(found, expected) ** 2)) < 2.5


def test_how_far_people_differ_on_one_day(like_them: Sample, day_of_each: RealPeople) -> None:
    found, expected = np.log1p(like_them.counts), np.log1p(day_of_each.counts)
    assert found.mean(axis=1).std() == pytest.approx(expected.mean(axis=1).std(), abs=0.08)
    np.testing.assert_allclose(
        per_hour(found).std(axis=0), per_hour(expected).std(axis=0), rtol=0.2
    )


def test_how_far_people_differ_in_their_means(
    means_like_theirs: RealPeople, means_of_each: RealPeople
) -> None:
    """Known to be too much: 0.90 for 0.75 in the mean log."""
    found, expected = np.log1p(means_like_theirs.counts), np.log1p(means_of_each.counts)
    assert 0 < found.mean(axis=1).std() - expected.mean(axis=1).std() < 0.26
    np.testing.assert_allclose(
        per_hour(found).std(axis=0), per_hour(expected).std(axis=0), rtol=0.3
    )


@pytest.mark.parametrize(("scale", "tolerance"), [(np.log1p, 0.08), (np.asarray, 0.1)])
def test_memory_on_one_day(
    like_them: Sample, day_of_each: RealPeople, scale: Any, tolerance: float
) -> None:
    """All minutes, worn or not. Plain counts are known to be remembered too little."""
    pair = [scale(counts) for counts in (like_them.counts, day_of_each.counts)]
    for lag in (1, 10, 60):
        found, expected = (correlation(x, np.ones(x.shape, dtype=bool), lag) for x in pair)
        assert found == pytest.approx(expected, abs=tolerance)


def test_whoever_wears_it_late_sleeps_with_it_more_often(
    like_them: Sample, day_of_each: RealPeople
) -> None:
    """Wear at 0:30 and at 23:30 of the same day: correlation 0.28 among the 292."""
    found, expected = (
        float(np.corrcoef(there[:, 30], there[:, 1410])[0, 1])
        for there in (by_the_rule(like_them.counts), by_the_rule(day_of_each.counts))
    )
    assert found == pytest.approx(expected, abs=0.15)


def told_from_hours(counts: np.ndarray, bmi: np.ndarray) -> float:
    """R2 on other people of ridge regression on 24 hourly means, mean over 20 splits 70/30."""
    x, scores = per_hour(counts), []
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(len(bmi))
        train, test = np.split(order, [int(0.7 * len(bmi))])
        z = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
        y = bmi - bmi[train].mean()
        weights = np.linalg.solve(
            z[train].T @ z[train] + len(train) * np.eye(24), z[train].T @ y[train]
        )
        scores.append(1 - np.mean((y - z @ weights)[test] ** 2) / np.mean(y[test] ** 2))
    return float(np.mean(scores))


def test_as_little_of_bmi_is_told_as_in_the_real_people(
    like_them: Sample, day_of_each: RealPeople
) -> None:
    """Groups as large as theirs, since R2 falls with fewer people."""
    size = len(day_of_each.bmi)
    order = np.random.default_rng(0).permutation(len(like_them.bmi))
    groups = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
    found = [told_from_hours(like_them.counts[g], like_them.bmi[g]) for g in groups]
    real = told_from_hours(day_of_each.counts, day_of_each.bmi)
    assert 0 < np.mean(found) < 0.12
    assert min(found) - 0.03 < real < max(found) + 0.03
